// kernel/vfs/fcntl.c — fcntl(2): descriptor flags, file status flags, owners of signals, pipe sizes, seals; locks are in file_lock.c.
#include "kernel/ipc/pipe.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/file_lock.h"

#define SETTABLE_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_ASYNC | O_NOATIME)

static long set_status_flags(struct file *file, unsigned flags)
{
    unsigned changed = (file->flags ^ flags) & SETTABLE_FLAGS;
    struct inode *inode = file->inode;
    if (changed & O_APPEND && !(flags & O_APPEND) && inode->flags & I_APPEND)
        return -EPERM;
    if (changed & O_NOATIME && flags & O_NOATIME && current_cred()->fsuid != inode->uid && !capable(CAP_FOWNER))
        return -EPERM;
    if (changed & O_DIRECT && flags & O_DIRECT && !file->ops->page_cached && !pipe_of(file))
        return -EINVAL;
    if (changed & O_ASYNC && file->ops->fasync) {
        int err = file->ops->fasync(file, flags & O_ASYNC);
        if (err)
            return err;
    }
    uint32_t old = READ_ONCE(file->flags);
    while (!try_cmpxchg(&file->flags, &old, (old & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS)))
        ;
    return 0;
}

// ---- who gets SIGIO ------------------------------------------------------------------------------------------------------------------------------------------

static bool somebody_has(pid_t nr)
{
    rcu_read_lock();
    bool found = pid_find(task_pid_ns(current_task()), nr) != nullptr;
    rcu_read_unlock();
    return found;
}

static long set_owner(struct file *file, int type, pid_t pid)
{
    if (pid && !somebody_has(pid))
        return -ESRCH;
    spin_guard(&file->inode->lock);
    file->owner.type = type;
    file->owner.pid = pid;
    return 0;
}

static long set_owner_ex(struct file *file, unsigned long arg)
{
    struct abi_f_owner_ex o;
    if (copy_from_user(&o, user_ptr(void, arg), sizeof o))
        return -EFAULT;
    return o.type < F_OWNER_TID || o.type > F_OWNER_PGRP || o.pid < 0 ? -EINVAL : set_owner(file, o.type, o.pid);
}

static long get_owner_ex(struct file *file, unsigned long arg)
{
    struct abi_f_owner_ex o = {file->owner.type, file->owner.pid};
    return copy_to_user(user_ptr(void, arg), &o, sizeof o) ? -EFAULT : 0;
}

// ---- seals -----------------------------------------------------------------------------------------------------------------------------------------------------

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
    if (seals & F_SEAL_WRITE && !(inode->seals & F_SEAL_WRITE) && READ_ONCE(inode->cache.writable_maps))
        return -EBUSY;
    inode->seals |= seals;
    return 0;
}

// ---- record locks ------------------------------------------------------------------------------------------------------------------------------------------------

static long lock_command(struct file *file, int cmd, unsigned long arg)
{
    struct abi_flock lock;
    if (copy_from_user(&lock, user_ptr(void, arg), sizeof lock))
        return -EFAULT;
    int err = file_posix_lock(file, cmd, &lock);
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
        return set_status_flags(file, (unsigned)arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_command(file, cmd, arg);
    case F_SETOWN:
        if ((int)arg == INT32_MIN)
            return -EINVAL;
        return (int)arg < 0 ? set_owner(file, F_OWNER_PGRP, -(int)arg) : set_owner(file, F_OWNER_PID, (int)arg);
    case F_GETOWN:
        return file->owner.type == F_OWNER_PGRP ? -file->owner.pid : file->owner.pid;
    case F_SETOWN_EX:
        return set_owner_ex(file, arg);
    case F_GETOWN_EX:
        return get_owner_ex(file, arg);
    case F_SETSIG:
        if (arg > NSIG)
            return -EINVAL;
        file->owner.sig = (int)arg;
        return 0;
    case F_GETSIG:
        return file->owner.sig;
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
    FD_REF_RAW(f, fd);
    if (!f.file)
        return -EBADF;
    if (f.file->mode & FMODE_PATH && cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC && cmd != F_GETFD && cmd != F_SETFD && cmd != F_GETFL &&
        cmd != F_DUPFD_QUERY)
        return -EBADF;
    return do_fcntl(fd, f.file, cmd, arg);
}
