// kernel/fs/tmpfs/xattr.c — extended attributes of tmpfs: a short list on each inode. Names come checked from kernel/vfs/xattr.c: xattr(7).
#include "kernel/base/string.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/mm/slab.h"

static struct tmpfs_xattr *find(struct tmpfs_inode *ti, const char *name)
{
    struct tmpfs_xattr *x;
    list_for_each_entry(x, &ti->xattrs, link)
        if (!strcmp(x->name, name))
            return x;
    return nullptr;
}

// What one takes of the file system's space for inodes.
static uint64_t bytes_of(const char *name, size_t size)
{
    return sizeof(struct tmpfs_xattr) + strlen(name) + 1 + size;
}

static void destroy(struct tmpfs_sb *ts, struct tmpfs_xattr *x)
{
    tmpfs_uncharge_inodes(ts, bytes_of(x->name, x->size));
    kvfree(x->value);
    kfree(x);
}

void tmpfs_xattrs_free(struct tmpfs_inode *ti)
{
    struct tmpfs_xattr *x, *next;
    list_for_each_entry_safe(x, next, &ti->xattrs, link)
        destroy(tmpfs_sb(ti->vfs.sb), x);
    list_init(&ti->xattrs);
}

static bool supported(const char *name)
{
    return str_starts(name, "user.") || str_starts(name, "trusted.") || str_starts(name, "security.");
}

ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
    struct tmpfs_inode *ti = tmpfs_inode(inode);
    if (!supported(name))
        return -EOPNOTSUPP;
    read_guard(&ti->xattr_sem);
    struct tmpfs_xattr *x = find(ti, name);
    if (!x)
        return -ENODATA;
    if (!size)
        return (ssize_t)x->size;
    if (size < x->size)
        return -ERANGE;
    memcpy(buf, x->value, x->size);
    return (ssize_t)x->size;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
    struct tmpfs_inode *ti = tmpfs_inode(inode);
    if (!supported(name))
        return -EOPNOTSUPP;
    struct tmpfs_sb *ts = tmpfs_sb(inode->sb);
    if (!tmpfs_charge_inodes(ts, bytes_of(name, size)))
        return -ENOSPC;
    struct tmpfs_xattr *fresh = kmalloc(sizeof *fresh + strlen(name) + 1, ALLOC_KERNEL);
    if (!fresh) {
        tmpfs_uncharge_inodes(ts, bytes_of(name, size));
        return -ENOMEM;
    }
    fresh->size = size;
    fresh->value = kvmalloc(size ? size : 1, ALLOC_KERNEL);
    if (!fresh->value) {
        tmpfs_uncharge_inodes(ts, bytes_of(name, size));
        kfree(fresh);
        return -ENOMEM;
    }
    memcpy(fresh->value, value, size);
    memcpy(fresh->name, name, strlen(name) + 1);
    {
        write_guard(&ti->xattr_sem);
        struct tmpfs_xattr *old = find(ti, name);
        int err = old && flags & XATTR_CREATE ? -EEXIST : !old && flags & XATTR_REPLACE ? -ENODATA : 0;
        if (err) {
            destroy(ts, fresh);
            return err;
        }
        list_add_tail(&fresh->link, &ti->xattrs);
        if (old) {
            list_del(&old->link);
            destroy(ts, old);
        }
    }
    inode_touch(inode, false, true);
    return 0;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
    struct tmpfs_inode *ti = tmpfs_inode(inode);
    if (!supported(name))
        return -EOPNOTSUPP;
    {
        write_guard(&ti->xattr_sem);
        struct tmpfs_xattr *x = find(ti, name);
        if (!x)
            return -ENODATA;
        list_del(&x->link);
        destroy(tmpfs_sb(inode->sb), x);
    }
    inode_touch(inode, false, true);
    return 0;
}

ssize_t tmpfs_listxattr(struct inode *inode, char *buf, size_t size)
{
    struct tmpfs_inode *ti = tmpfs_inode(inode);
    read_guard(&ti->xattr_sem);
    size_t total = 0;
    struct tmpfs_xattr *x;
    list_for_each_entry(x, &ti->xattrs, link) {
        size_t len = strlen(x->name) + 1;
        if (size && total + len > size)
            return -ERANGE;
        if (size)
            memcpy(buf + total, x->name, len);
        total += len;
    }
    return (ssize_t)total;
}
