// kernel/vfs/name_syscalls.c — mkdir(2), mknod(2), rmdir(2), unlink(2), link(2), symlink(2), rename(2) and their *at forms; mount(2), umount2(2), pivot_root(2).
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/mount.h"
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

// ---- mounts ---------------------------------------------------------------------------------------------------------

static int copy_string(const char __user *s, size_t max, char **out)
{
    *out = nullptr;
    if (!s)
        return 0;
    char *text = kmalloc(max, ALLOC_KERNEL);
    if (!text)
        return -ENOMEM;
    ssize_t len = strncpy_from_user(text, s, max);
    if (len < 0) {
        kfree(text);
        return len == -ENAMETOOLONG ? -EINVAL : (int)len;
    }
    *out = text;
    return 0;
}

// mount(2)'s data: up to a page of text, and what can be read of it where the page ends in unmapped memory.
static int copy_data(const void __user *data, char **out)
{
    *out = nullptr;
    if (!data)
        return 0;
    char *text = kmalloc(PAGE_SIZE, ALLOC_ZERO);
    if (!text)
        return -ENOMEM;
    if (copy_from_user(text, data, PAGE_SIZE - 1) == PAGE_SIZE - 1) {
        kfree(text);
        return -EFAULT;
    }
    *out = text;
    return 0;
}

static void kfree_text(char **text)
{
    kfree(*text);
}

SYSCALL5(mount, const char __user *, usource, const char __user *, utarget, const char __user *, utype, unsigned long, flags, const void __user *, udata)
{
    char *type CLEANUP(kfree_text) = nullptr, *source CLEANUP(kfree_text) = nullptr, *data CLEANUP(kfree_text) = nullptr;
    PATHNAME(target);
    int err = copy_string(utype, PAGE_SIZE, &type);
    if (!err)
        err = copy_string(usource, PAGE_SIZE, &source);
    if (!err)
        err = copy_data(udata, &data);
    if (!err)
        err = pathname_from_user(&target, utarget, 0);
    return err ? err : do_mount(source, &target, type, flags, data);
}

SYSCALL2(umount2, const char __user *, utarget, int, flags)
{
    PATHNAME(target);
    int err = pathname_from_user(&target, utarget, 0);
    return err ? err : do_umount(&target, (unsigned)flags);
}

SYSCALL2(pivot_root, const char __user *, unew, const char __user *, uput)
{
    PATHNAME(new_root);
    PATHNAME(put_old);
    int err = pathname_from_user(&new_root, unew, 0);
    if (!err)
        err = pathname_from_user(&put_old, uput, 0);
    return err ? err : do_pivot_root(&new_root, &put_old);
}
