// arch/x86_64/include/cpu/uaccess.h — one scalar to or from user memory, inline. Included by arch/include/user_copy.h only.
#pragma once

#include "kernel/abi/errno.h"
#include "kernel/base/types.h"

#include "cpu/smap.h"

// Between the two, user memory is open to this CPU: nothing there may sleep or be called that is not known to be short.
static ALWAYS_INLINE void arch_user_open(void)
{
    __asm__ volatile(STAC ::: "memory");
}
static ALWAYS_INLINE void arch_user_close(void)
{
    __asm__ volatile(CLAC ::: "memory");
}

#define ARCH_PUT_USER_OPEN_(suffix, type, address, value, fault)                                                       \
    __asm__ goto("1: mov" suffix " %1, %0\n" EX_TABLE("1b", "%l[" #fault "]")                                          \
                 :                                                                                                     \
                 : "m"(*(type *)(address)), "q"((type)(value))                                                         \
                 : "memory"                                                                                            \
                 : fault)
// Stores a scalar of `size` bytes (a constant) while user memory is open; a fault goes to the label. The caller has checked the range.
#define arch_put_user_open(address, value, size, fault)                                                                \
    do {                                                                                                               \
        switch (size) {                                                                                                \
        case 1:                                                                                                        \
            ARCH_PUT_USER_OPEN_("b", uint8_t, address, value, fault);                                                  \
            break;                                                                                                     \
        case 2:                                                                                                        \
            ARCH_PUT_USER_OPEN_("w", uint16_t, address, value, fault);                                                 \
            break;                                                                                                     \
        case 4:                                                                                                        \
            ARCH_PUT_USER_OPEN_("l", uint32_t, address, value, fault);                                                 \
            break;                                                                                                     \
        default:                                                                                                       \
            ARCH_PUT_USER_OPEN_("q", uint64_t, address, value, fault);                                                 \
            break;                                                                                                     \
        }                                                                                                              \
    } while (0)

#define ARCH_GET_USER_(suffix, type)                                                                                   \
    do {                                                                                                               \
        type value_;                                                                                                   \
        __asm__ goto(STAC "1: mov" suffix " %1, %0\n" CLAC EX_TABLE("1b", "%l[fault]")                                 \
                     : "=q"(value_)                                                                                    \
                     : "m"(*(const type *)address)                                                                     \
                     : "memory"                                                                                        \
                     : fault);                                                                                         \
        *(type *)to = value_;                                                                                          \
    } while (0)
#define ARCH_PUT_USER_(suffix, type)                                                                                   \
    __asm__ goto(STAC "1: mov" suffix " %1, %0\n" CLAC EX_TABLE("1b", "%l[fault]")                                     \
                 :                                                                                                     \
                 : "m"(*(type *)address), "q"(*(const type *)from)                                                     \
                 : "memory"                                                                                            \
                 : fault)

// One scalar of 1, 2, 4 or 8 bytes (a constant); the caller has checked the range. 0 or -EFAULT; on a fault *to is zero.
static ALWAYS_INLINE int arch_get_user_unchecked(void *to, unsigned long address, size_t size)
{
    switch (size) {
    case 1:
        ARCH_GET_USER_("b", uint8_t);
        break;
    case 2:
        ARCH_GET_USER_("w", uint16_t);
        break;
    case 4:
        ARCH_GET_USER_("l", uint32_t);
        break;
    default:
        ARCH_GET_USER_("q", uint64_t);
        break;
    }
    return 0;
fault:
    arch_user_close();
    __builtin_memset(to, 0, size);
    return -EFAULT;
}

static ALWAYS_INLINE int arch_put_user_unchecked(unsigned long address, const void *from, size_t size)
{
    switch (size) {
    case 1:
        ARCH_PUT_USER_("b", uint8_t);
        break;
    case 2:
        ARCH_PUT_USER_("w", uint16_t);
        break;
    case 4:
        ARCH_PUT_USER_("l", uint32_t);
        break;
    default:
        ARCH_PUT_USER_("q", uint64_t);
        break;
    }
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}
