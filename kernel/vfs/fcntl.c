// kernel/vfs/fcntl.c — fcntl(2): descriptor flags, file status flags, pipe sizes, seals. Locks are in file_lock.c, owners in fasync.c.
#include "kernel/ipc/pipe.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fasync.h"
#include "kernel/vfs/fd_lookup.h"
#include "kernel/vfs/file_lock.h"

#define SETTABLE_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static long set_status_flags(int fd, struct file *file, unsigned flags)
{
    unsigned changed = (file->flags ^ flags) & SETTABLE_FLAGS;
    struct inode *inode = file->inode;
    if (changed & O_APPEND && !(flags & O_APPEND) && inode->flags & I_APPEND)
        return -EPERM;
    if (changed & O_NOATIME && flags & O_NOATIME && current_cred()->fsuid != inode->uid && !capable(CAP_FOWNER))
        return -EPERM;
    if (changed & O_DIRECT && flags & O_DIRECT && !file->ops->page_cached && !pipe_of(file))
        return -EINVAL;
    if ((file->flags ^ flags) & O_ASYNC && file->ops->fasync) { // keeps O_ASYNC itself; without the operation the flag stays as it is
        int err = file->ops->fasync(file, fd, flags & O_ASYNC);
        if (err)
            return err;
    }
    uint32_t old = READ_ONCE(file->flags);
    while (!try_cmpxchg(&file->flags, &old, (old & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS)))
        ;
    return 0;
}

// ---- seals ----------------------------------------------------------------------------------------------------------

static long add_seals(struct file *file, unsigned seals)
{
    struct inode *inode = file->inode;
    const unsigned known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;
    if (!(file->mode & FMODE_WRITE))
        return -EPERM;
    if (seals & ~known || !(inode->flags & I_SEALABLE))
        return -EINVAL;
    write_guard(&inode->sem);
    if (inode->seals & F_SEAL_SEAL)
        return -EPERM;
    if (seals & F_SEAL_EXEC && inode->mode & 0111) // an executable that can not change that way must not change at all
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    unsigned old = inode->seals;
    bool no_writers = seals & ~old & F_SEAL_WRITE;
    if (no_writers && page_cache_mapped_writable(&inode->cache))
        return -EBUSY;
    WRITE_ONCE(inode->seals, old | seals);
    // A mapping that came in between may not have seen the seal; one that comes from now on does.
    if (no_writers && page_cache_mapped_writable(&inode->cache)) {
        WRITE_ONCE(inode->seals, old);
        return -EBUSY;
    }
    return 0;
}

// ---- record locks ---------------------------------------------------------------------------------------------------

static long lock_command(int fd, struct file *file, int cmd, unsigned long arg)
{
    struct abi_flock lock;
    if (copy_from_user(&lock, user_ptr(void, arg), sizeof lock))
        return -EFAULT;
    int err = file_posix_lock(fd, file, cmd, &lock);
    if (!err && (cmd == F_GETLK || cmd == F_OFD_GETLK) && copy_to_user(user_ptr(void, arg), &lock, sizeof lock))
        return -EFAULT;
    return err;
}

static long dup_command(struct file *file, int from, unsigned flags)
{
    if (from < 0 || (uint64_t)from >= rlimit(RLIMIT_NOFILE))
        return -EINVAL;
    int fd = fd_reserve(from, flags);
    if (fd >= 0)
        fd_install(fd, file_get(file));
    return fd;
}

static long do_fcntl(int fd, struct file *file, int cmd, unsigned long arg)
{
    struct pipe *pipe;
    switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return dup_command(file, (int)arg, cmd == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0);
    case F_GETFD:
        return files_cloexec(current_task()->files, fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        return fd_set_cloexec(fd, arg & FD_CLOEXEC);
    case F_GETFL:
        return READ_ONCE(file->flags);
    case F_SETFL:
        return set_status_flags(fd, file, (unsigned)arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_command(fd, file, cmd, arg);
    case F_SETOWN:
    case F_GETOWN:
    case F_SETOWN_EX:
    case F_GETOWN_EX:
    case F_SETSIG:
    case F_GETSIG:
        return file_owner_fcntl(file, cmd, arg);
    case F_GETLEASE:
        return F_UNLCK; // nobody has one: they can not be taken
    case F_SETPIPE_SZ:
        pipe = pipe_of(file);
        return pipe ? pipe_set_size(pipe, (unsigned)arg) : -EBADF;
    case F_GETPIPE_SZ:
        pipe = pipe_of(file);
        return pipe ? pipe_size(pipe) : -EBADF;
    case F_ADD_SEALS:
        return add_seals(file, (unsigned)arg);
    case F_GET_SEALS:
        return file->inode->flags & I_SEALABLE ? (long)file->inode->seals : -EINVAL;
    case F_DUPFD_QUERY: {
        FD_REF_RAW(other, (int)arg);
        return other.file ? other.file == file : -EBADF;
    }
    default:
        return -EINVAL;
    }
}

SYSCALL3(fcntl, int, fd, int, cmd, unsigned long, arg)
{
    FD_REF_RAW_HERE(f, fd);
    if (!f.file)
        return -EBADF;
    if (f.file->mode & FMODE_PATH && cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC && cmd != F_GETFD && cmd != F_SETFD && cmd != F_GETFL &&
        cmd != F_DUPFD_QUERY)
        return -EBADF;
    return do_fcntl(fd, f.file, cmd, arg);
}
