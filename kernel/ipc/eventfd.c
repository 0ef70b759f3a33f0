// kernel/ipc/eventfd.c — a counter that can be waited for: eventfd(2).
//
// The lock guards the counter; readers and writers wait on the one queue, as poll does.
#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/seq_file.h"

#define COUNT_MAX (UINT64_MAX - 1)

DEFINE_LOCK_CLASS(eventfd_class, "eventfd", RANK_FILES);

struct eventfd {
    struct spinlock lock;
    struct waitqueue wait;
    uint64_t count;
    bool semaphore;
    int id;
};

static atomic_t next_id;

static bool try_subtract(struct eventfd *e, uint64_t *out)
{
    spin_guard(&e->lock);
    if (!e->count)
        return false;
    *out = e->semaphore ? 1 : e->count;
    WRITE_ONCE(e->count, e->count - *out);
    return true;
}

static bool try_add(struct eventfd *e, uint64_t n)
{
    spin_guard(&e->lock);
    if (n > COUNT_MAX - e->count)
        return false;
    WRITE_ONCE(e->count, e->count + n);
    return true;
}

static ssize_t eventfd_read(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct eventfd *e = file->private;
    uint64_t value;
    if (iov_iter_count(to) < sizeof value)
        return -EINVAL;
    if (file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT) {
        if (!try_subtract(e, &value))
            return -EAGAIN;
    } else if (wait_event_interruptible(&e->wait, try_subtract(e, &value))) {
        return -ERESTARTSYS;
    }
    wake_up_nr(&e->wait, EPOLLOUT | EPOLLWRNORM, ~0u);
    return copy_to_iter(to, &value, sizeof value) == sizeof value ? (ssize_t)sizeof value : -EFAULT;
}

static ssize_t eventfd_write(struct file *file, struct iov_iter *from, loff_t *, unsigned rw_flags)
{
    struct eventfd *e = file->private;
    uint64_t value;
    if (iov_iter_count(from) < sizeof value)
        return -EINVAL;
    if (copy_from_iter(from, &value, sizeof value) != sizeof value)
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    if (file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT) {
        if (!try_add(e, value))
            return -EAGAIN;
    } else if (wait_event_interruptible(&e->wait, try_add(e, value))) {
        return -ERESTARTSYS;
    }
    wake_up_nr(&e->wait, EPOLLIN | EPOLLRDNORM, ~0u);
    return sizeof value;
}

static uint32_t eventfd_poll(struct file *file, struct poll_table *pt)
{
    struct eventfd *e = file->private;
    poll_wait(file, &e->wait, pt);
    uint64_t count = READ_ONCE(e->count);
    return (count ? EPOLLIN | EPOLLRDNORM : 0) | (count == UINT64_MAX ? EPOLLERR : 0) | (count < COUNT_MAX ? EPOLLOUT | EPOLLWRNORM : 0);
}

static void eventfd_release(struct file *file)
{
    kfree(file->private);
}

static void eventfd_fdinfo(struct seq_file *m, struct file *file)
{
    struct eventfd *e = file->private;
    seq_printf(m, "eventfd-count: %16llx\neventfd-id: %d\neventfd-semaphore: %d\n", (unsigned long long)READ_ONCE(e->count), e->id, e->semaphore);
}

static const struct file_ops eventfd_ops = {
    .read_iter = eventfd_read,
    .write_iter = eventfd_write,
    .poll = eventfd_poll,
    .release = eventfd_release,
    .show_fdinfo = eventfd_fdinfo,
    .nonseekable = true,
    .nowait = true,
};

static long make(unsigned count, unsigned flags)
{
    struct eventfd *e = kzalloc(sizeof *e, ALLOC_KERNEL);
    if (!e)
        return -ENOMEM;
    spin_init(&e->lock, &eventfd_class);
    waitqueue_init(&e->wait);
    e->count = count;
    e->semaphore = flags & EFD_SEMAPHORE;
    e->id = atomic_inc_return(&next_id) - 1;
    struct file *file;
    int err = file_anon("[eventfd]", &eventfd_ops, e, O_RDWR | (flags & O_NONBLOCK), &file);
    if (err) {
        kfree(e);
        return err;
    }
    return fd_install_new(file, flags);
}

SYSCALL1(eventfd, unsigned, count)
{
    return make(count, 0);
}

SYSCALL2(eventfd2, unsigned, count, int, flags)
{
    return make(count, (unsigned)flags);
}
