// arch/include/user_copy.h — the only way to user memory. Every access can fault; a fault that can not be resolved ends
// in the exception table and the function reports what was left.
//
// Context: may sleep (a page may have to be read in). Inside pagefault_disable() they do not sleep and fail at once instead.
#pragma once

#include "kernel/abi/errno.h"
#include "kernel/base/types.h"

#include "cpu/uaccess.h" // the inline half: arch_get_user_unchecked(), arch_put_user_unchecked()

// The end of what user space may ever map; [addr, addr + size) is user memory if it does not reach beyond.
#define USER_END 0x00007ffffffff000UL

// Could all of it be user memory? Says nothing of what is mapped.
static inline bool user_range_ok(unsigned long addr, size_t size)
{
    return size <= USER_END && addr <= USER_END - size;
}

// Copy between user and kernel memory. They return the number of bytes that could NOT be copied (0: all done).
[[nodiscard]] size_t copy_from_user(void *to, const void __user *from, size_t size);
[[nodiscard]] size_t copy_to_user(void __user *to, const void *from, size_t size);
[[nodiscard]] size_t clear_user(void __user *to, size_t size); // zeros instead

// Copies a NUL-terminated string of at most size bytes, NUL included; returns its length without the NUL, -EFAULT, or
// -ENAMETOOLONG where no NUL stands within size bytes.
[[nodiscard]] ssize_t strncpy_from_user(char *to, const char __user *from, size_t size);
// The length of a user string with its NUL, at most max (max + 1 tells that it is longer); 0 on a fault.
[[nodiscard]] size_t strnlen_user(const char __user *s, size_t max);

// One scalar of 1, 2, 4 or 8 bytes; 0 or -EFAULT. get_user stores into the kernel variable `x`.
static ALWAYS_INLINE int arch_get_user_n(void *to, const void __user *from, size_t size)
{
    return user_range_ok(user_addr(from), size) ? arch_get_user_unchecked(to, user_addr(from), size) : -EFAULT;
}
static ALWAYS_INLINE int arch_put_user_n(void __user *to, const void *from, size_t size)
{
    return user_range_ok(user_addr(to), size) ? arch_put_user_unchecked(user_addr(to), from, size) : -EFAULT;
}
#define get_user(x, uptr) arch_get_user_n(&(x), (const void __user *)(uptr), sizeof(*(uptr)))
// put_user converts `x` to a 64-bit number first and stores its low bytes: every CPU here is little-endian.
#define put_user(x, uptr) arch_put_user_n((void __user *)(uptr), &(uint64_t){(uint64_t)(x)}, sizeof(*(uptr)))
// Many scalars in a row: between arch_user_open() and arch_user_close() put_user_open() stores one each without opening user memory anew. The caller has
// checked the whole range, sleeps nowhere between, and closes at the label `fault` as well.
#define put_user_open(x, uptr, fault) arch_put_user_open(user_addr(uptr), (x), sizeof(*(uptr)), fault)

// Atomic compare and exchange on a user word (futexes): *old receives what was there. 0, -EFAULT.
[[nodiscard]] int arch_cmpxchg_user_u32(uint32_t __user *uptr, uint32_t expected, uint32_t desired, uint32_t *old);
// An atomic read-modify-write on a user word, for FUTEX_WAKE_OP: op is 0 set, 1 add, 2 or, 3 andn, 4 xor. 0, -EFAULT, -ENOSYS.
[[nodiscard]] int arch_futex_op_user(uint32_t __user *uptr, int op, uint32_t arg, uint32_t *old);
