// kernel/vfs/iov.h — a cursor over the memory of a read or write: user buffers, kernel buffers, pages. One type for read(2), readv(2), sendfile(2) …
#pragma once

#include "arch/include/user_copy.h"

struct iovec_k {
    unsigned long base; // user or kernel address
    size_t len;
};

struct page;

struct iov_iter {
    enum { ITER_USER, ITER_KERNEL, ITER_DISCARD } kind;
    const struct iovec_k *iov;
    size_t nr;
    size_t offset;  // within *iov
    size_t count;   // bytes left in all
    struct iovec_k single;
};

#define IOV_MAX 1024
#define MAX_RW_COUNT 0x7ffff000UL

// A cursor over one piece; it refers to itself, so a copy has to be pointed at its own `single`. A user address is checked by the copies.
static inline void iov_iter_init_user(struct iov_iter *it, unsigned long base, size_t len)
{
    *it = (struct iov_iter){.kind = ITER_USER, .iov = &it->single, .nr = 1, .count = len, .single = {base, len}};
}
static inline void iov_iter_init_kernel(struct iov_iter *it, void *base, size_t len)
{
    *it = (struct iov_iter){.kind = ITER_KERNEL, .iov = &it->single, .nr = 1, .count = len, .single = {(unsigned long)base, len}};
}
// Reads and checks a user iovec array into `fast` (8 entries) or allocated memory (*to_free: kfree it). Total is limited to MAX_RW_COUNT. -EINVAL,
// -EFAULT, -ENOMEM.
[[nodiscard]] int iov_iter_import(struct iov_iter *it, const void __user *uvec, unsigned long nr, struct iovec_k *fast, struct iovec_k **to_free);
#define IOV_FAST 8

// Copy `len` bytes from the kernel buffer to the iterator's memory / from it; both advance it and return the bytes copied (short on a fault).
size_t copy_to_iter(struct iov_iter *it, const void *from, size_t len);
size_t copy_from_iter(struct iov_iter *it, void *to, size_t len);
size_t zero_iter(struct iov_iter *it, size_t len); // zeros instead of a buffer
// Steps forward without copying (to the end at most), and back over what was taken before.
void iov_iter_advance(struct iov_iter *it, size_t bytes);
void iov_iter_revert(struct iov_iter *it, size_t bytes);
static inline size_t iov_iter_count(const struct iov_iter *it)
{
    return it->count;
}
// Takes all that is left without looking at it, and returns how much that was. Not to be reverted.
static inline size_t iov_iter_take_all(struct iov_iter *it)
{
    size_t n = it->count;
    it->count = 0;
    return n;
}
// Touches the first `len` bytes so that a copy under pagefault_disable() will probably succeed. Returns bytes that are reachable.
size_t iov_iter_fault_in(struct iov_iter *it, size_t len);
