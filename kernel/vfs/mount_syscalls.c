// kernel/vfs/mount_syscalls.c — mount(2), umount2(2), pivot_root(2).
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

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
