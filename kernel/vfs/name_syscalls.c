// kernel/vfs/name_syscalls.c — mkdir(2), mknod(2), rmdir(2), unlink(2), link(2), symlink(2), rename(2) and their *at forms.
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/namei.h"

static long mkdir_at(int dirfd, const char __user *path, umode_t mode)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, path, 0);
    return err ? err : do_mkdir(dirfd, &name, mode);
}

SYSCALL2(mkdir, const char __user *, path, umode_t, mode)
{
    return mkdir_at(AT_FDCWD, path, mode);
}

SYSCALL3(mkdirat, int, dirfd, const char __user *, path, umode_t, mode)
{
    return mkdir_at(dirfd, path, mode);
}

static long mknod_at(int dirfd, const char __user *path, umode_t mode, unsigned dev)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, path, 0);
    return err ? err : do_mknod(dirfd, &name, mode & 0177777, dev_from_user(dev));
}

SYSCALL3(mknod, const char __user *, path, umode_t, mode, unsigned, dev)
{
    return mknod_at(AT_FDCWD, path, mode, dev);
}

SYSCALL4(mknodat, int, dirfd, const char __user *, path, umode_t, mode, unsigned, dev)
{
    return mknod_at(dirfd, path, mode, dev);
}

static long remove_at(int dirfd, const char __user *path, bool dir)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, path, 0);
    return err ? err : dir ? do_rmdir(dirfd, &name) : do_unlink(dirfd, &name);
}

SYSCALL1(rmdir, const char __user *, path)
{
    return remove_at(AT_FDCWD, path, true);
}

SYSCALL1(unlink, const char __user *, path)
{
    return remove_at(AT_FDCWD, path, false);
}

SYSCALL3(unlinkat, int, dirfd, const char __user *, path, int, flags)
{
    return remove_at(dirfd, path, flags & AT_REMOVEDIR);
}

static long link_at(int olddirfd, const char __user *old, int newdirfd, const char __user *path, int flags)
{
    PATHNAME(old_name);
    PATHNAME(name);
    int err = pathname_from_user(&old_name, old, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    if (!err)
        err = pathname_from_user(&name, path, 0);
    return err ? err : do_link(olddirfd, &old_name, newdirfd, &name, (unsigned)flags);
}

SYSCALL2(link, const char __user *, old, const char __user *, path)
{
    return link_at(AT_FDCWD, old, AT_FDCWD, path, 0);
}

SYSCALL5(linkat, int, olddirfd, const char __user *, old, int, newdirfd, const char __user *, path, int, flags)
{
    return link_at(olddirfd, old, newdirfd, path, flags);
}

static long symlink_at(const char __user *utarget, int dirfd, const char __user *path)
{
    PATHNAME(target);
    PATHNAME(name);
    int err = pathname_from_user(&target, utarget, 0);
    if (!err)
        err = pathname_from_user(&name, path, 0);
    return err ? err : do_symlink(target.text, dirfd, &name);
}

SYSCALL2(symlink, const char __user *, target, const char __user *, path)
{
    return symlink_at(target, AT_FDCWD, path);
}

SYSCALL3(symlinkat, const char __user *, target, int, dirfd, const char __user *, path)
{
    return symlink_at(target, dirfd, path);
}

static long rename_at(int olddirfd, const char __user *old, int newdirfd, const char __user *path, unsigned flags)
{
    PATHNAME(old_name);
    PATHNAME(name);
    int err = pathname_from_user(&old_name, old, 0);
    if (!err)
        err = pathname_from_user(&name, path, 0);
    return err ? err : do_rename(olddirfd, &old_name, newdirfd, &name, flags);
}

SYSCALL2(rename, const char __user *, old, const char __user *, path)
{
    return rename_at(AT_FDCWD, old, AT_FDCWD, path, 0);
}

SYSCALL4(renameat, int, olddirfd, const char __user *, old, int, newdirfd, const char __user *, path)
{
    return rename_at(olddirfd, old, newdirfd, path, 0);
}

SYSCALL5(renameat2, int, olddirfd, const char __user *, old, int, newdirfd, const char __user *, path, unsigned, flags)
{
    return rename_at(olddirfd, old, newdirfd, path, flags);
}
