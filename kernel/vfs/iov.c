// kernel/vfs/iov.c — moving bytes between kernel buffers and the memory that an iterator covers.
#include "kernel/vfs/iov.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"

int iov_iter_import(struct iov_iter *it, const void __user *uvec, unsigned long nr, struct iovec_k *fast, struct iovec_k **to_free)
{
    struct iovec_k *vec = fast;
    *to_free = nullptr;
    if (nr > IOV_MAX)
        return -EINVAL;
    if (nr > IOV_FAST) {
        vec = *to_free = kmalloc(nr * sizeof *vec, ALLOC_KERNEL);
        if (!vec)
            return -ENOMEM;
    }
    int err = copy_from_user(vec, uvec, nr * sizeof *vec) ? -EFAULT : 0;
    size_t total = 0;
    for (unsigned long i = 0; i < nr && !err; i++) {
        if (unlikely(!user_range_ok(vec[i].base, vec[i].len)))
            err = (ssize_t)vec[i].len < 0 ? -EINVAL : -EFAULT;
        vec[i].len = min(vec[i].len, MAX_RW_COUNT - total);
        total += vec[i].len;
    }
    if (err) {
        kfree(*to_free);
        *to_free = nullptr;
        return err;
    }
    *it = (struct iov_iter){.kind = ITER_USER, .iov = vec, .nr = nr, .count = total};
    return 0;
}

// Steps to the next segment that has bytes left; returns how many it has (0 at the end).
static size_t segment(struct iov_iter *it)
{
    while (it->nr && it->offset >= it->iov->len) {
        it->iov++;
        it->nr--;
        it->offset = 0;
    }
    return it->nr ? min(it->iov->len - it->offset, it->count) : 0;
}

enum direction { TO_ITER, FROM_ITER, ZERO_ITER };

// One piece within a segment; returns the bytes that were moved.
static ALWAYS_INLINE size_t move_piece(struct iov_iter *it, void *buf, size_t n, enum direction dir)
{
    unsigned long at = it->iov->base + it->offset;
    if (it->kind == ITER_USER) {
        size_t left;
        if (dir == TO_ITER)
            left = copy_to_user(user_ptr(void, at), buf, n);
        else if (dir == FROM_ITER)
            left = copy_from_user(buf, user_ptr(void, at), n);
        else
            left = clear_user(user_ptr(void, at), n);
        return n - left;
    }
    if (it->kind == ITER_KERNEL) {
        if (dir == TO_ITER)
            memcpy((void *)at, buf, n);
        else if (dir == FROM_ITER)
            memcpy(buf, (void *)at, n);
        else
            memset((void *)at, 0, n);
    }
    return n;
}

static NOINLINE size_t move_pieces(struct iov_iter *it, void *buf, size_t len, enum direction dir)
{
    size_t done = 0;
    len = min(len, it->count);
    while (done < len) {
        size_t n = min(segment(it), len - done);
        if (!n)
            break;
        size_t moved = move_piece(it, (char *)buf + done, n, dir);
        it->offset += moved;
        it->count -= moved;
        done += moved;
        if (moved < n)
            break;
    }
    return done;
}

// Most often it is user memory, and all of it in one segment.
static ALWAYS_INLINE size_t move(struct iov_iter *it, void *buf, size_t len, enum direction dir)
{
    if (unlikely(it->kind != ITER_USER || len > it->count || !it->nr || len > it->iov->len - it->offset))
        return move_pieces(it, buf, len, dir);
    size_t moved = move_piece(it, buf, len, dir);
    it->offset += moved;
    it->count -= moved;
    return moved;
}

size_t copy_to_iter(struct iov_iter *it, const void *from, size_t len)
{
    return move(it, (void *)from, len, TO_ITER);
}

size_t copy_from_iter(struct iov_iter *it, void *to, size_t len)
{
    return move(it, to, len, FROM_ITER);
}

size_t zero_iter(struct iov_iter *it, size_t len)
{
    return move(it, nullptr, len, ZERO_ITER);
}

void iov_iter_advance(struct iov_iter *it, size_t bytes)
{
    bytes = min(bytes, it->count);
    while (bytes) {
        size_t n = min(segment(it), bytes);
        if (!n)
            break;
        it->offset += n;
        it->count -= n;
        bytes -= n;
    }
}

// Segments before the current one are still there: only the cursor moved.
void iov_iter_revert(struct iov_iter *it, size_t bytes)
{
    it->count += bytes;
    while (bytes) {
        size_t n = min(it->offset, bytes);
        it->offset -= n;
        bytes -= n;
        if (bytes) {
            it->iov--;
            it->nr++;
            it->offset = it->iov->len;
        }
    }
}

size_t iov_iter_fault_in(struct iov_iter *it, size_t len)
{
    if (it->kind != ITER_USER)
        return min(len, it->count);
    struct iov_iter probe = *it;
    if (it->iov == &it->single)
        probe.iov = &probe.single;
    size_t reached = 0;
    len = min(len, it->count);
    while (reached < len) {
        size_t n = min(segment(&probe), len - reached);
        if (!n)
            break;
        unsigned long at = probe.iov->base + probe.offset;
        n = min(n, PAGE_SIZE - (at & ~PAGE_MASK));
        uint8_t byte;
        if (get_user(byte, user_ptr(uint8_t, at)))
            break;
        iov_iter_advance(&probe, n);
        reached += n;
    }
    return reached;
}
