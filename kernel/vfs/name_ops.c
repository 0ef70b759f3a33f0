// kernel/vfs/name_ops.c — making and removing names: the acting halves of mkdir(2), mknod(2), symlink(2), link(2), unlink(2), rmdir(2).
#include "kernel/proc/cred.h"
#include "kernel/vfs/acl.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/walk.h"

int may_create(struct inode *dir, struct dentry *child)
{
    if (child->inode)
        return -EEXIST;
    if (dir->flags & I_DEAD)
        return -ENOENT;
    return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int may_delete(struct inode *dir, struct dentry *victim, bool is_dir)
{
    struct inode *inode = victim->inode;
    if (!inode)
        return -ENOENT;
    int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
    if (err)
        return err;
    if (dir->flags & I_APPEND || inode->flags & (I_APPEND | I_IMMUTABLE))
        return -EPERM;
    if (dir->mode & S_ISVTX) {
        uid_t uid = current_cred()->fsuid;
        if (uid != inode->uid && uid != dir->uid && !capable(CAP_FOWNER))
            return -EPERM;
    }
    if (is_dir) {
        if (!S_ISDIR(inode->mode))
            return -ENOTDIR;
        if (d_is_root(victim))
            return -EBUSY;
    } else if (S_ISDIR(inode->mode)) {
        return -EISDIR;
    }
    return dir->flags & I_DEAD ? -ENOENT : 0;
}

// ---- creating -------------------------------------------------------------------------------------------------------

// On success the directory stays locked: path_create_done() is the other half.
static int create_at(struct parent_walk *pw, unsigned lookup_flags, bool is_dir, struct path *parent, struct dentry **out) NO_THREAD_SAFETY_ANALYSIS
{
    if (pw->type != LAST_NORM)
        return -EEXIST;
    int write_err = mnt_want_write(pw->parent.mnt), err = 0;
    struct inode *dir = pw->parent.dentry->inode;
    down_write(&dir->sem);
    struct dentry *d = lookup_locked(pw->parent.dentry, &pw->last, lookup_flags | LOOKUP_CREATE | LOOKUP_EXCL, &err);
    if (d) {
        if (d->inode)
            err = -EEXIST;
        else if (pw->trailing_slash && !is_dir)
            err = -ENOENT;
        else
            err = write_err;
        if (!err) {
            *parent = pw->parent;
            path_get(parent);
            *out = d;
            return 0;
        }
        dput(d);
    }
    up_write(&dir->sem);
    if (!write_err)
        mnt_drop_write(pw->parent.mnt);
    return err;
}

int path_create(int dirfd, const struct pathname *name, bool is_dir, struct path *parent, struct dentry **out) NO_THREAD_SAFETY_ANALYSIS
{
    struct parent_walk pw __attribute__((uninitialized));
    int err = parent_lookup(dirfd, name, 0, &pw);
    if (err)
        return err;
    err = create_at(&pw, 0, is_dir, parent, out);
    parent_done(&pw);
    return err;
}

void path_create_done(struct path *parent, struct dentry *dentry) NO_THREAD_SAFETY_ANALYSIS
{
    dput(dentry);
    up_write(&parent->dentry->inode->sem);
    mnt_drop_write(parent->mnt);
    path_put(parent);
}

int do_mkdir(int dirfd, const struct pathname *name, umode_t mode)
{
    struct path parent;
    struct dentry *d;
    int err = path_create(dirfd, name, true, &parent, &d);
    if (err)
        return err;
    struct inode *dir = parent.dentry->inode;
    err = may_create(dir, d);
    if (!err)
        err = dir->ops->mkdir ? dir->ops->mkdir(dir, d, (mode & ~acl_umask(dir) & 01777) | S_IFDIR) : -EPERM;
    if (!err)
        inotify_name(dir, IN_CREATE | IN_ISDIR, &d->name);
    path_create_done(&parent, d);
    return err;
}

int vfs_mknod(const struct path *parent, struct dentry *d, umode_t mode, dev_t rdev)
{
    struct inode *dir = parent->dentry->inode;
    int err = may_create(dir, d);
    if (err)
        return err;
    bool whiteout = S_ISCHR(mode) && rdev == 0; // no device answers to it: anyone may make one
    if ((S_ISCHR(mode) || S_ISBLK(mode)) && !whiteout && !capable(CAP_MKNOD))
        return -EPERM;
    if (S_ISREG(mode))
        err = dir->ops->create ? dir->ops->create(dir, d, mode) : -EACCES;
    else
        err = dir->ops->mknod ? dir->ops->mknod(dir, d, mode, rdev) : -EPERM;
    if (!err)
        inotify_name(dir, IN_CREATE, &d->name);
    return err;
}

int do_mknod(int dirfd, const struct pathname *name, umode_t mode, dev_t rdev)
{
    switch (mode & S_IFMT) {
    case 0:
        mode |= S_IFREG;
        break;
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        break;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
    struct path parent;
    struct dentry *d;
    int err = path_create(dirfd, name, false, &parent, &d);
    if (err)
        return err;
    err = vfs_mknod(&parent, d, mode & ~acl_umask(parent.dentry->inode), S_ISCHR(mode) || S_ISBLK(mode) ? rdev : 0);
    path_create_done(&parent, d);
    return err;
}

int do_symlink(const char *target, int dirfd, const struct pathname *name)
{
    struct path parent;
    struct dentry *d;
    int err = path_create(dirfd, name, false, &parent, &d);
    if (err)
        return err;
    struct inode *dir = parent.dentry->inode;
    err = may_create(dir, d);
    if (!err)
        err = dir->ops->symlink ? dir->ops->symlink(dir, d, target) : -EPERM;
    if (!err)
        inotify_name(dir, IN_CREATE, &d->name);
    path_create_done(&parent, d);
    return err;
}

// /proc/sys/fs/protected_hardlinks: only to what one owns, or to a plain file one may read and write.
static int may_link(struct inode *inode)
{
    if (!sysctl_protected_hardlinks || current_cred()->fsuid == inode->uid || capable(CAP_FOWNER))
        return 0;
    if (!S_ISREG(inode->mode) || inode->mode & S_ISUID || (inode->mode & (S_ISGID | 010)) == (S_ISGID | 010))
        return -EPERM;
    return inode_permission(inode, MAY_READ | MAY_WRITE) ? -EPERM : 0;
}

#define LINK_MAX_GENERIC 0x7fffffffu

static int link_locked(struct dentry *old, struct inode *dir, struct dentry *d)
{
    struct inode *inode = old->inode;
    int err = may_create(dir, d);
    if (err)
        return err;
    if (inode->sb != dir->sb)
        return -EXDEV;
    if (inode->flags & (I_APPEND | I_IMMUTABLE) || !dir->ops->link || S_ISDIR(inode->mode))
        return -EPERM;
    write_guard(&inode->sem);
    if (inode->nlink == 0 && !(inode->flags & I_LINKABLE))
        return -ENOENT;
    if (inode->nlink >= LINK_MAX_GENERIC)
        return -EMLINK;
    err = dir->ops->link(old, dir, d);
    if (!err) {
        inode->flags &= ~I_LINKABLE;
        inode_count_links(inode);
    }
    return err;
}

// What is to get another name. An open file gets it from whoever opened it with the credentials of now, or may find any file: others were only handed it.
static int link_source(int dirfd, const struct pathname *name, unsigned flags, struct path *out)
{
    if (!(flags & AT_EMPTY_PATH) || name->len || dirfd == AT_FDCWD)
        return path_lookup_at(dirfd, name, (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), out);
    FD_REF_RAW(f, dirfd);
    if (!f.file)
        return -EBADF;
    if (f.file->cred != current_cred() && !capable(CAP_DAC_READ_SEARCH))
        return -ENOENT;
    *out = f.file->path;
    path_get(out);
    return 0;
}

int do_link(int olddirfd, const struct pathname *old_name, int newdirfd, const struct pathname *name, unsigned flags)
{
    struct path old, parent;
    struct dentry *d;
    int err = link_source(olddirfd, old_name, flags, &old);
    if (err)
        return err;
    err = path_create(newdirfd, name, false, &parent, &d);
    if (!err) {
        if (old.mnt != parent.mnt)
            err = -EXDEV;
        else
            err = may_link(old.dentry->inode);
        if (!err)
            err = link_locked(old.dentry, parent.dentry->inode, d);
        if (!err) {
            inotify_inode(old.dentry->inode, IN_ATTRIB);
            inotify_name(parent.dentry->inode, IN_CREATE, &d->name);
        }
        path_create_done(&parent, d);
    }
    path_put(&old);
    return err;
}

// ---- removing -------------------------------------------------------------------------------------------------------

static int unlink_locked(struct inode *dir, struct dentry *d)
{
    int err = may_delete(dir, d, false);
    if (err)
        return err;
    if (!dir->ops->unlink)
        return -EPERM;
    struct inode *inode = d->inode;
    write_guard(&inode->sem);
    if (mounted_here(d))
        return -EBUSY;
    err = dir->ops->unlink(dir, d);
    inode_count_links(inode);
    return err;
}

static int rmdir_locked(struct inode *dir, struct dentry *d)
{
    int err = may_delete(dir, d, true);
    if (err)
        return err;
    if (!dir->ops->rmdir)
        return -EPERM;
    struct inode *inode = d->inode;
    write_guard(&inode->sem);
    if (mounted_here(d))
        return -EBUSY;
    err = dir->ops->rmdir(dir, d);
    if (!err) {
        inode->flags |= I_DEAD;
        inode_count_links(inode);
        d_invalidate_children(d); // negative ones: they would keep it alive
    }
    return err;
}

static int remove_at(int dirfd, const struct pathname *name, bool is_dir)
{
    struct parent_walk pw __attribute__((uninitialized));
    int err = parent_lookup(dirfd, name, 0, &pw);
    if (err)
        return err;
    static const int8_t rmdir_err[] = {[LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY, [LAST_ROOT] = -EBUSY};
    if (pw.type != LAST_NORM) {
        err = is_dir ? rmdir_err[pw.type] : -EISDIR;
        goto out;
    }
    err = mnt_want_write(pw.parent.mnt);
    if (err)
        goto out;
    struct inode *dir = pw.parent.dentry->inode, *inode = nullptr;
    down_write(&dir->sem);
    struct dentry *d = lookup_locked(pw.parent.dentry, &pw.last, 0, &err);
    if (d) {
        if (!d->inode)
            err = -ENOENT;
        else if (!is_dir && pw.trailing_slash)
            err = S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
        else
            err = is_dir ? rmdir_locked(dir, d) : unlink_locked(dir, d);
        if (!err) {
            inode = iget(d->inode); // truncating a big file is for after the unlock
            if (!is_dir)
                inotify_inode(inode, IN_ATTRIB); // of its link count
            d_delete(d);
            inotify_name(dir, IN_DELETE | (is_dir ? IN_ISDIR : 0), &d->name);
        }
    }
    up_write(&dir->sem);
    // What is mounted on it holds it, and then it was unhashed. One that still is hashed carried nothing, and may be a new name's by now, with its mounts.
    if (inode && d_unhashed(d))
        mounts_detach(d);
    dput(d);
    iput(inode);
    mnt_drop_write(pw.parent.mnt);
out:
    parent_done(&pw);
    return err;
}

int do_unlink(int dirfd, const struct pathname *name)
{
    return remove_at(dirfd, name, false);
}

int do_rmdir(int dirfd, const struct pathname *name)
{
    return remove_at(dirfd, name, true);
}
