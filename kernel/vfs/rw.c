// kernel/vfs/rw.c — read(2), write(2), pread(2), readv(2), preadv2(2), lseek(2). Bodies are inlined where it shortens read and write.
#include "kernel/vfs/rw.h"

#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fd_lookup.h"
#include "kernel/vfs/inotify.h"

static ALWAYS_INLINE ssize_t read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags)
{
    if (unlikely(!(file->mode & FMODE_READ)))
        return -EBADF;
    if (unlikely(!file->ops->read_iter))
        return file->ops->iterate || S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
    if (!iov_iter_count(to))
        return 0;
    ssize_t n = file->ops->read_iter(file, to, pos, rw_flags);
    if (n > 0)
        inotify_file(file, IN_ACCESS);
    struct task *task = current_task();
    if (likely(task)) {
        task->io_syscr++;
        if (n > 0)
            task->io_rchar += (uint64_t)n;
    }
    return n;
}

ssize_t vfs_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags)
{
    return read_iter(file, to, pos, rw_flags);
}

static ALWAYS_INLINE ssize_t write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags)
{
    if (unlikely(!(file->mode & FMODE_WRITE)))
        return -EBADF;
    if (unlikely(!file->ops->write_iter))
        return -EINVAL;
    if (!iov_iter_count(from) && S_ISREG(file->inode->mode))
        return 0;
    ssize_t n = file->ops->write_iter(file, from, pos, rw_flags);
    if (n > 0)
        inotify_file(file, IN_MODIFY);
    struct task *task = current_task();
    if (likely(task)) {
        task->io_syscw++;
        if (n > 0)
            task->io_wchar += (uint64_t)n;
    }
    return n;
}

ssize_t vfs_write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags)
{
    return write_iter(file, from, pos, rw_flags);
}

ssize_t file_read(struct file *file, void *buf, size_t size, loff_t *pos)
{
    struct iov_iter it;
    iov_iter_init_kernel(&it, buf, size);
    return vfs_read_iter(file, &it, pos, 0);
}

ssize_t file_write(struct file *file, const void *buf, size_t size, loff_t *pos)
{
    struct iov_iter it;
    iov_iter_init_kernel(&it, (void *)buf, size);
    return vfs_write_iter(file, &it, pos, 0);
}

static ALWAYS_INLINE ssize_t rw_at_pos(struct fd_ref f, struct iov_iter *it, bool write, unsigned rw_flags)
{
    struct pos_ref pos __attribute__((uninitialized));
    file_pos_begin(&pos, f.file, f.counted);
    ssize_t n = write ? write_iter(f.file, it, pos.pos, rw_flags) : read_iter(f.file, it, pos.pos, rw_flags);
    file_pos_end(&pos);
    return n;
}

SYSCALL3(read, int, fd, void __user *, buf, size_t, count)
{
    FD_REF_HERE(f, fd);
    if (unlikely(!f.file))
        return -EBADF;
    if (unlikely(!user_range_ok(user_addr(buf), count)))
        return f.file->mode & FMODE_READ ? -EFAULT : -EBADF;
    struct iov_iter it;
    iov_iter_init_user(&it, user_addr(buf), min(count, MAX_RW_COUNT));
    return rw_at_pos(f, &it, false, 0);
}

SYSCALL3(write, int, fd, const void __user *, buf, size_t, count)
{
    FD_REF_HERE(f, fd);
    if (unlikely(!f.file))
        return -EBADF;
    if (unlikely(!user_range_ok(user_addr(buf), count)))
        return f.file->mode & FMODE_WRITE ? -EFAULT : -EBADF;
    struct iov_iter it;
    iov_iter_init_user(&it, user_addr(buf), min(count, MAX_RW_COUNT));
    return rw_at_pos(f, &it, true, 0);
}

static ssize_t rw_at(int fd, unsigned long buf, size_t count, loff_t pos, bool write)
{
    if (pos < 0)
        return -EINVAL;
    FD_REF_HERE(f, fd);
    if (!f.file)
        return -EBADF;
    if (!(f.file->mode & (write ? FMODE_PWRITE : FMODE_PREAD)))
        return -ESPIPE;
    if (!user_range_ok(buf, count))
        return f.file->mode & (write ? FMODE_WRITE : FMODE_READ) ? -EFAULT : -EBADF;
    struct iov_iter it;
    iov_iter_init_user(&it, buf, min(count, MAX_RW_COUNT));
    return write ? vfs_write_iter(f.file, &it, &pos, 0) : vfs_read_iter(f.file, &it, &pos, 0);
}

SYSCALL4(pread64, int, fd, void __user *, buf, size_t, count, loff_t, pos)
{
    return rw_at(fd, user_addr(buf), count, pos, false);
}

SYSCALL4(pwrite64, int, fd, const void __user *, buf, size_t, count, loff_t, pos)
{
    return rw_at(fd, user_addr(buf), count, pos, true);
}

// RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND, RWF_NOAPPEND of preadv2(2) in the order of their bits.
static int rw_flags_from(int flags, struct file *file, unsigned *out)
{
    static const unsigned map[] = {RW_HIPRI, RW_DSYNC, RW_SYNC, RW_NOWAIT, RW_APPEND, RW_NOAPPEND};
    *out = 0;
    if (!flags)
        return 0;
    if (flags & ~0x3f)
        return -EOPNOTSUPP;
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
        if (flags & 1 << i)
            *out |= map[i];
    if (*out & RW_NOWAIT && !file->ops->nowait)
        return -EOPNOTSUPP;
    return (*out & (RW_APPEND | RW_NOAPPEND)) == (RW_APPEND | RW_NOAPPEND) ? -EINVAL : 0;
}

// All six vector calls: at a position (pos >= 0) or at the file's own (pos -1).
static ssize_t rw_vector(int fd, const void __user *uvec, unsigned long nr, bool positioned, loff_t pos, int flags, bool write)
{
    FD_REF_HERE(f, fd);
    if (!f.file)
        return -EBADF;
    if (positioned && !(f.file->mode & (write ? FMODE_PWRITE : FMODE_PREAD)))
        return -ESPIPE;
    if (!(f.file->mode & (write ? FMODE_WRITE : FMODE_READ)))
        return -EBADF;
    unsigned rw_flags;
    int err = rw_flags_from(flags, f.file, &rw_flags);
    if (err)
        return err;
    struct iov_iter it;
    struct iovec_k fast[IOV_FAST] __attribute__((uninitialized)), *to_free;
    err = iov_iter_import(&it, uvec, nr, fast, &to_free);
    if (err)
        return err;
    ssize_t n;
    if (!positioned)
        n = rw_at_pos(f, &it, write, rw_flags);
    else
        n = write ? vfs_write_iter(f.file, &it, &pos, rw_flags) : vfs_read_iter(f.file, &it, &pos, rw_flags);
    kfree(to_free);
    return n;
}

SYSCALL3(readv, int, fd, const void __user *, vec, unsigned long, nr)
{
    return rw_vector(fd, vec, nr, false, 0, 0, false);
}

SYSCALL3(writev, int, fd, const void __user *, vec, unsigned long, nr)
{
    return rw_vector(fd, vec, nr, false, 0, 0, true);
}

SYSCALL5(preadv, int, fd, const void __user *, vec, unsigned long, nr, unsigned long, pos, unsigned long, pos_high)
{
    (void)pos_high; // the halves of 32-bit callers: pos is whole here
    return (loff_t)pos < 0 ? -EINVAL : rw_vector(fd, vec, nr, true, (loff_t)pos, 0, false);
}

SYSCALL5(pwritev, int, fd, const void __user *, vec, unsigned long, nr, unsigned long, pos, unsigned long, pos_high)
{
    (void)pos_high;
    return (loff_t)pos < 0 ? -EINVAL : rw_vector(fd, vec, nr, true, (loff_t)pos, 0, true);
}

SYSCALL6(preadv2, int, fd, const void __user *, vec, unsigned long, nr, unsigned long, pos, unsigned long, pos_high, int, flags)
{
    (void)pos_high;
    if ((loff_t)pos < -1)
        return -EINVAL;
    return rw_vector(fd, vec, nr, (loff_t)pos != -1, (loff_t)pos, flags, false);
}

SYSCALL6(pwritev2, int, fd, const void __user *, vec, unsigned long, nr, unsigned long, pos, unsigned long, pos_high, int, flags)
{
    (void)pos_high;
    if ((loff_t)pos < -1)
        return -EINVAL;
    return rw_vector(fd, vec, nr, (loff_t)pos != -1, (loff_t)pos, flags, true);
}

loff_t vfs_llseek(struct file *file, loff_t offset, int whence)
{
    if (!(file->mode & FMODE_LSEEK))
        return -ESPIPE;
    return file->ops->llseek(file, offset, whence);
}

SYSCALL3(lseek, int, fd, loff_t, offset, unsigned, whence)
{
    FD_REF_HERE(f, fd);
    if (!f.file)
        return -EBADF;
    if (whence > SEEK_HOLE)
        return -EINVAL;
    struct pos_ref pos;
    file_pos_begin(&pos, f.file, f.counted);
    loff_t result = vfs_llseek(f.file, offset, (int)whence);
    file_pos_end(&pos);
    return result;
}
