// kernel/vfs/attr.c — reading and changing attributes, the acting halves: stat(2), chmod(2), chown(2), utimensat(2), truncate(2).
#include "kernel/abi/stat.h"
#include "kernel/vfs/attr.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/mount.h"

void generic_getattr(struct inode *inode, struct kstat *stat)
{
    stat->ino = inode->ino;
    stat->dev = inode->sb->dev;
    stat->rdev = inode->rdev;
    stat->mode = inode->mode;
    stat->nlink = inode->nlink;
    stat->uid = inode->uid;
    stat->gid = inode->gid;
    stat->size = inode_size(inode);
    stat->blocks = inode->blocks;
    stat->blksize = inode->sb->blocksize;
    stat->atime = inode->atime;
    stat->mtime = inode->mtime;
    stat->ctime = inode->ctime;
    stat->btime = inode->btime;
    stat->has_btime = inode->sb->ops && inode->sb->ops->keep_dentries;
    stat->attributes = (inode->flags & I_IMMUTABLE ? STATX_ATTR_IMMUTABLE : 0) | (inode->flags & I_APPEND ? STATX_ATTR_APPEND : 0);
    stat->attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
    stat->mnt_id = 0;
}

int vfs_getattr(const struct path *path, struct kstat *stat, uint32_t mask, unsigned flags)
{
    struct inode *inode = path->dentry->inode;
    if (unlikely(!inode))
        return -ENOENT;
    int err = 0;
    if (inode->ops && inode->ops->getattr)
        err = inode->ops->getattr(path, stat, mask, flags);
    else
        generic_getattr(inode, stat);
    if (path->mnt) {
        stat->mnt_id = (uint64_t)path->mnt->id;
        stat->attributes_mask |= STATX_ATTR_MOUNT_ROOT;
        if (path->dentry == path->mnt->root)
            stat->attributes |= STATX_ATTR_MOUNT_ROOT;
    }
    return err;
}

int vfs_setattr(const struct path *path, struct iattr *attr)
{
    int err = mnt_want_write(path->mnt);
    if (err)
        return err;
    struct inode *inode = path->dentry->inode;
    {
        write_guard(&inode->sem);
        err = setattr_locked(path->dentry, attr);
    }
    mnt_drop_write(path->mnt);
    return err;
}

static int truncate_writable(const struct path *path, loff_t size)
{
    struct inode *inode = path->dentry->inode;
    int err = inode_permission(inode, MAY_WRITE);
    if (err)
        return err;
    if (inode->flags & I_APPEND)
        return -EPERM;
    err = inode_get_write(inode);
    if (err)
        return err;
    struct iattr attr = {.valid = ATTR_SIZE, .size = size};
    down_write(&inode->sem);
    err = setattr_locked(path->dentry, &attr);
    up_write(&inode->sem);
    inode_put_write(inode);
    return err;
}

int vfs_truncate(const struct path *path, loff_t size)
{
    umode_t mode = path->dentry->inode->mode;
    if (S_ISDIR(mode))
        return -EISDIR;
    if (!S_ISREG(mode))
        return -EINVAL;
    int err = mnt_want_write(path->mnt);
    if (err)
        return err;
    err = truncate_writable(path, size);
    mnt_drop_write(path->mnt);
    return err;
}
