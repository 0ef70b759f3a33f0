// kernel/vfs/fd_syscalls.c — calls on descriptors as such: close(2), close_range(2), dup(2), dup2(2), dup3(2), ioctl(2)'s generic part, flock(2).
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fd_lookup.h"
#include "kernel/vfs/file_lock.h"

SYSCALL1(close, int, fd)
{
    int err = fd_close(fd);
    // The descriptor is gone whatever happened: making the call again would close another's.
    return err <= -ERESTARTSYS ? -EINTR : err;
}

SYSCALL3(close_range, unsigned, first, unsigned, last, unsigned, flags)
{
    if (first > last)
        return -EINVAL;
    struct task *task = current_task();
    if (flags & CLOSE_RANGE_UNSHARE) {
        bool drop = last == UINT32_MAX && !(flags & CLOSE_RANGE_CLOEXEC);
        int err = drop && first < UINT32_MAX - 63 ? files_unshare_keeping(&task->files, first) : files_unshare(&task->files);
        if (err)
            return err;
    }
    if (flags & CLOSE_RANGE_CLOEXEC)
        files_cloexec_range(task->files, first, last);
    else
        files_close_range(task->files, first, min(last, (unsigned)INT32_MAX));
    return 0;
}

static long dup_above(struct file *file, int from, unsigned flags)
{
    int fd = fd_reserve(from, flags);
    if (fd >= 0)
        fd_install(fd, file_get(file));
    return fd;
}

SYSCALL1(dup, int, fd)
{
    FD_REF_RAW_HERE(f, fd);
    return f.file ? dup_above(f.file, 0, 0) : -EBADF;
}

static long dup_to(int oldfd, int newfd, unsigned flags)
{
    FD_REF_RAW(f, oldfd);
    return f.file ? fd_replace(newfd, f.file, flags) : -EBADF;
}

SYSCALL2(dup2, int, oldfd, int, newfd)
{
    if (oldfd == newfd) { // only checks that it is open
        FD_REF_RAW(f, oldfd);
        return f.file ? oldfd : -EBADF;
    }
    return dup_to(oldfd, newfd, 0);
}

SYSCALL3(dup3, int, oldfd, int, newfd, int, flags)
{
    if (oldfd == newfd)
        return -EINVAL;
    return dup_to(oldfd, newfd, (unsigned)flags);
}

static int set_nonblocking(struct file *file, bool on)
{
    if (on)
        __atomic_fetch_or(&file->flags, O_NONBLOCK, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&file->flags, ~O_NONBLOCK, __ATOMIC_RELAXED);
    return 0;
}

static int set_async(int fd, struct file *file, bool on)
{
    if (on == !!(file->flags & O_ASYNC))
        return 0;
    return file->ops->fasync ? file->ops->fasync(file, fd, on) : -ENOTTY;
}

SYSCALL3(ioctl, int, fd, unsigned, cmd, unsigned long, arg)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    struct file *file = f.file;
    umode_t mode = file->inode->mode;
    int value;
    switch (cmd) {
    case FIOCLEX:
        return fd_set_cloexec(fd, true);
    case FIONCLEX:
        return fd_set_cloexec(fd, false);
    case FIONBIO:
    case FIOASYNC:
        if (get_user(value, user_ptr(int, arg)))
            return -EFAULT;
        return cmd == FIONBIO ? set_nonblocking(file, value != 0) : set_async(fd, file, value != 0);
    case FIOQSIZE:
        if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
            return -ENOTTY;
        loff_t size = inode_size(file->inode);
        return put_user(size, user_ptr(loff_t, arg));
    case FIONREAD:
        if (S_ISREG(mode)) {
            value = (int)(inode_size(file->inode) - file->pos);
            return put_user(value, user_ptr(int, arg));
        }
        break;
    }
    return file->ops->ioctl ? file->ops->ioctl(file, cmd, arg) : -ENOTTY;
}

SYSCALL2(flock, int, fd, int, op)
{
    if (op & LOCK_MAND)
        return 0; // share modes: Linux took their meaning away and kept the answer
    int kind = op & ~LOCK_NB;
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
        return -EINVAL;
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    if (kind != LOCK_UN && !(f.file->mode & (FMODE_READ | FMODE_WRITE)))
        return -EBADF;
    return file_flock(f.file, op);
}
