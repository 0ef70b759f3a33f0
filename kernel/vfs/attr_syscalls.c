// kernel/vfs/attr_syscalls.c — chmod(2), chown(2), umask(2), truncate(2), utimensat(2), fallocate(2) and their relatives.
#include "kernel/mm/page_cache.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/attr.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

// Applies `attr` to what (dirfd, path, AT_ flags) names.
static long setattr_at(int dirfd, const char __user *upath, int flags, struct iattr *attr)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    struct path p;
    if (!err)
        err = path_lookup_at(dirfd, &name, (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), &p);
    if (err)
        return err;
    if (attr->valid & ATTR_MODE && S_ISLNK(p.dentry->inode->mode))
        err = -EOPNOTSUPP;
    else
        err = vfs_setattr(&p, attr);
    path_put(&p);
    return err;
}

static long setattr_fd(int fd, struct iattr *attr)
{
    FD_REF(f, fd);
    return f.file ? vfs_setattr(&f.file->path, attr) : -EBADF;
}

static struct iattr mode_attr(umode_t mode)
{
    return (struct iattr){.valid = ATTR_MODE, .mode = mode & 07777};
}

SYSCALL2(chmod, const char __user *, path, umode_t, mode)
{
    struct iattr attr = mode_attr(mode);
    return setattr_at(AT_FDCWD, path, 0, &attr);
}

SYSCALL2(fchmod, int, fd, umode_t, mode)
{
    struct iattr attr = mode_attr(mode);
    return setattr_fd(fd, &attr);
}

SYSCALL3(fchmodat, int, dirfd, const char __user *, path, umode_t, mode)
{
    struct iattr attr = mode_attr(mode);
    return setattr_at(dirfd, path, 0, &attr);
}

SYSCALL4(fchmodat2, int, dirfd, const char __user *, path, umode_t, mode, int, flags)
{
    struct iattr attr = mode_attr(mode);
    return setattr_at(dirfd, path, flags, &attr);
}

static struct iattr owner_attr(uid_t uid, gid_t gid) // -1: leave it
{
    return (struct iattr){.valid = (uid != (uid_t)-1 ? ATTR_UID : 0) | (gid != (gid_t)-1 ? ATTR_GID : 0) | ATTR_CTIME, .uid = uid, .gid = gid};
}

SYSCALL3(chown, const char __user *, path, uid_t, uid, gid_t, gid)
{
    struct iattr attr = owner_attr(uid, gid);
    return setattr_at(AT_FDCWD, path, 0, &attr);
}

SYSCALL3(lchown, const char __user *, path, uid_t, uid, gid_t, gid)
{
    struct iattr attr = owner_attr(uid, gid);
    return setattr_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &attr);
}

SYSCALL3(fchown, int, fd, uid_t, uid, gid_t, gid)
{
    struct iattr attr = owner_attr(uid, gid);
    return setattr_fd(fd, &attr);
}

SYSCALL5(fchownat, int, dirfd, const char __user *, path, uid_t, uid, gid_t, gid, int, flags)
{
    struct iattr attr = owner_attr(uid, gid);
    return setattr_at(dirfd, path, flags, &attr);
}

SYSCALL1(umask, umode_t, mask)
{
    return __atomic_exchange_n(&current_fs_context()->umask, mask & 0777, __ATOMIC_RELAXED);
}

// ---- size -----------------------------------------------------------------------------------------------------------

SYSCALL2(truncate, const char __user *, upath, loff_t, size)
{
    if (size < 0)
        return -EINVAL;
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, 0);
    struct path p;
    if (!err)
        err = path_lookup_at(AT_FDCWD, &name, LOOKUP_FOLLOW, &p);
    if (err)
        return err;
    err = vfs_truncate(&p, size);
    path_put(&p);
    return err;
}

SYSCALL2(ftruncate, int, fd, loff_t, size)
{
    if (size < 0)
        return -EINVAL;
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    struct inode *inode = f.file->inode;
    if (!S_ISREG(inode->mode) || !(f.file->mode & FMODE_WRITE))
        return -EINVAL;
    if (inode->flags & I_APPEND)
        return -EPERM;
    struct iattr attr = {.valid = ATTR_SIZE | ATTR_MTIME | ATTR_CTIME, .size = size, .mtime = clock_now_ts(), .file = f.file}; // also at the same size
    return vfs_setattr(&f.file->path, &attr);
}

SYSCALL4(fallocate, int, fd, int, mode, loff_t, offset, loff_t, len)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    struct file *file = f.file;
    if (offset < 0 || len <= 0)
        return -EINVAL;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE |
                 FALLOC_FL_UNSHARE_RANGE))
        return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE && (!(mode & FALLOC_FL_KEEP_SIZE) || mode & FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    if (!(file->mode & FMODE_WRITE))
        return -EBADF;
    if (mode & ~FALLOC_FL_KEEP_SIZE && file->inode->flags & I_APPEND)
        return -EPERM;
    if (S_ISFIFO(file->inode->mode))
        return -ESPIPE;
    if (S_ISDIR(file->inode->mode))
        return -EISDIR;
    if (!S_ISREG(file->inode->mode) && !S_ISBLK(file->inode->mode))
        return -ENODEV;
    loff_t end;
    if (__builtin_add_overflow(offset, len, &end) || end > file->inode->sb->max_bytes)
        return -EFBIG;
    long err = file->ops->fallocate ? file->ops->fallocate(file, mode, offset, len) : -EOPNOTSUPP;
    if (!err)
        inotify_file(file, IN_MODIFY);
    return err;
}

SYSCALL4(fadvise64, int, fd, loff_t, offset, loff_t, len, int, advice)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    if (S_ISFIFO(f.file->inode->mode))
        return -ESPIPE;
    if (len < 0 || advice < 0 || advice > 5)
        return -EINVAL;
    (void)offset; // advice about a cache that is all there is
    return 0;
}

SYSCALL3(readahead, int, fd, loff_t, offset, size_t, count)
{
    FD_REF(f, fd);
    if (!f.file || !(f.file->mode & FMODE_READ))
        return -EBADF;
    struct inode *inode = f.file->inode;
    if (!S_ISREG(inode->mode) && !S_ISBLK(inode->mode))
        return -EINVAL;
    struct page_cache *cache = &inode->cache;
    if (!f.file->ops->page_cached || page_cache_is_memory(cache) || offset < 0)
        return 0; // all there is, is in memory
    loff_t size = inode_size(inode);
    uint64_t last = offset < size ? ((uint64_t)offset + min(count, (size_t)(size - offset)) + PAGE_SIZE - 1) >> PAGE_SHIFT : 0;
    for (uint64_t i = (uint64_t)offset >> PAGE_SHIFT; i < last && !fatal_signal_pending(); i++) {
        struct page *page;
        if (page_cache_get(cache, i, &page))
            break; // whoever reads there will hear of the error
        page_put(page);
    }
    return 0;
}

// ---- times ----------------------------------------------------------------------------------------------------------

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

// Null times: both now. UTIME_OMIT for both: nothing to do, not even a check of the path.
static int times_to_attr(const struct timespec_k times[2], struct iattr *attr)
{
    struct timespec_k now = clock_now_ts();
    *attr = (struct iattr){.valid = ATTR_CTIME | ATTR_ATIME | ATTR_MTIME, .atime = now, .mtime = now};
    if (!times)
        return 0;
    for (unsigned i = 0; i < 2; i++) {
        int64_t ns = times[i].tv_nsec;
        if (ns != UTIME_NOW && ns != UTIME_OMIT && (ns < 0 || ns >= NSEC_PER_SEC))
            return -EINVAL;
    }
    bool both_now = times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW;
    if (times[0].tv_nsec == UTIME_OMIT)
        attr->valid &= ~ATTR_ATIME;
    else if (times[0].tv_nsec != UTIME_NOW)
        attr->atime = times[0];
    if (times[1].tv_nsec == UTIME_OMIT)
        attr->valid &= ~ATTR_MTIME;
    else if (times[1].tv_nsec != UTIME_NOW)
        attr->mtime = times[1];
    if (!both_now) // one now and one not is also the owner's only: utimensat(2)
        attr->valid |= (attr->valid & ATTR_ATIME ? ATTR_ATIME_SET : 0) | (attr->valid & ATTR_MTIME ? ATTR_MTIME_SET : 0);
    return 0;
}

static long set_times(int dirfd, const char __user *path, const struct timespec_k *times, int flags)
{
    struct iattr attr;
    if (times && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
        return 0;
    int err = times_to_attr(times, &attr);
    if (err)
        return err;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!path && dirfd != AT_FDCWD)
        return flags ? -EINVAL : setattr_fd(dirfd, &attr);
    return setattr_at(dirfd, path, flags, &attr);
}

SYSCALL4(utimensat, int, dirfd, const char __user *, path, const struct timespec_k __user *, utimes, int, flags)
{
    struct timespec_k times[2];
    if (utimes && copy_from_user(times, utimes, sizeof times))
        return -EFAULT;
    return set_times(dirfd, path, utimes ? times : nullptr, flags);
}

static long set_times_us(int dirfd, const char __user *path, const int64_t __user *utimes)
{
    int64_t tv[4];
    if (!utimes)
        return set_times(dirfd, path, nullptr, 0);
    if (copy_from_user(tv, utimes, sizeof tv))
        return -EFAULT;
    if (tv[1] < 0 || tv[1] >= 1000000 || tv[3] < 0 || tv[3] >= 1000000)
        return -EINVAL;
    struct timespec_k times[2] = {{tv[0], tv[1] * 1000}, {tv[2], tv[3] * 1000}};
    return set_times(dirfd, path, times, 0);
}

SYSCALL2(utimes, const char __user *, path, const int64_t __user *, times)
{
    return set_times_us(AT_FDCWD, path, times);
}

SYSCALL3(futimesat, int, dirfd, const char __user *, path, const int64_t __user *, times)
{
    return set_times_us(dirfd, path, times);
}

SYSCALL2(utime, const char __user *, path, const int64_t __user *, utimes)
{
    int64_t sec[2];
    if (utimes && copy_from_user(sec, utimes, sizeof sec))
        return -EFAULT;
    struct timespec_k times[2] = {{sec[0], 0}, {sec[1], 0}};
    return set_times(AT_FDCWD, path, utimes ? times : nullptr, 0);
}
