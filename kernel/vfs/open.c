// kernel/vfs/open.c — opening files: open(2), openat2(2), creat(2); the last step of the walk with O_CREAT, permission, truncation.
#include "kernel/proc/cred.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/acl.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/walk.h"

struct open_args {
    unsigned flags;  // O_*
    umode_t mode;    // with S_IFREG, umask not applied
    unsigned access; // MAY_*
    unsigned lookup;
    bool created;
    umode_t dir_mode; // with O_CREAT: of the folder of the last component
    uid_t dir_uid;
};

static int open_args_init(struct open_args *a, const struct open_how_k *how)
{
    unsigned flags = (unsigned)how->flags;
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (flags & O_TMPFILE_BIT && ((flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE || (flags & O_ACCMODE) == O_RDONLY))
        return -EINVAL;
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return -EINVAL;
    static const uint8_t access[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
    a->flags = flags;
    a->mode = flags & (O_CREAT | O_TMPFILE_BIT) ? (how->mode & 07777) | S_IFREG : 0;
    a->access = flags & O_PATH ? 0 : access[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
    a->lookup = LOOKUP_OPEN | (flags & O_DIRECTORY ? LOOKUP_DIRECTORY : 0) |
                (flags & O_NOFOLLOW || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? 0 : LOOKUP_FOLLOW) |
                (how->resolve & RESOLVE_NO_XDEV ? LOOKUP_NO_XDEV : 0) | (how->resolve & RESOLVE_NO_MAGICLINKS ? LOOKUP_NO_MAGICLINKS : 0) |
                (how->resolve & RESOLVE_NO_SYMLINKS ? LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS : 0) |
                (how->resolve & RESOLVE_BENEATH ? LOOKUP_BENEATH : 0) | (how->resolve & RESOLVE_IN_ROOT ? LOOKUP_IN_ROOT : 0) |
                (how->resolve & RESOLVE_CACHED ? LOOKUP_CACHED : 0);
    a->created = false;
    a->dir_mode = 0;
    return 0;
}

static int create_file(struct inode *dir, struct dentry *d, struct open_args *a)
{
    int err = may_create(dir, d);
    if (err)
        return err;
    if (!dir->ops->create)
        return -EACCES;
    err = dir->ops->create(dir, d, a->mode & ~acl_umask(dir));
    a->created = !err;
    if (!err)
        inotify_name(dir, IN_CREATE, &d->name);
    return err;
}

// The last component with O_CREAT, the parent's inode locked.
static int last_or_create(struct walk *w, struct open_args *a, int write_err, struct dentry **out)
{
    int err = 0;
    struct inode *dir = w->path.dentry->inode;
    down_write(&dir->sem);
    struct dentry *d = lookup_locked(w->path.dentry, &w->last, w->flags | LOOKUP_CREATE, &err);
    if (d && !d->inode) {
        err = write_err ? write_err : create_file(dir, d, a);
        if (err) {
            dput(d);
            d = nullptr;
        }
    }
    up_write(&dir->sem);
    *out = d;
    return err;
}

static int walk_last_create(struct walk *w, struct open_args *a)
{
    a->dir_mode = w->inode->mode;
    a->dir_uid = w->inode->uid;
    if (w->last_type != LAST_NORM)
        return walk_last(w);
    if (walk_last_has_slash(w))
        return -EISDIR;
    struct dentry *d;
    if (w->rcu && !(a->flags & O_EXCL)) {
        uint32_t seq;
        d = d_lookup_rcu(w->path.dentry, &w->last, &seq);
        struct inode *inode = d ? READ_ONCE(d->inode) : nullptr;
        if (inode && !S_ISLNK(inode->mode)) { // it is there: nothing to be created, no lock
            int err = walk_last(w);
            return err == -ENOENT ? -ECHILD : err; // it was, but for a moment
        }
    }
    int err = w->flags & LOOKUP_CACHED ? -EAGAIN : walk_unlazy(w);
    if (!err)
        err = walk_confined(w);
    if (err)
        return err;
    int write_err = mnt_want_write(w->path.mnt);
    err = last_or_create(w, a, write_err, &d);
    if (!write_err)
        mnt_drop_write(w->path.mnt);
    if (err)
        return err;
    if (!a->created && a->flags & O_EXCL) {
        dput(d);
        return -EEXIST;
    }
    return walk_step_to(w, d, true);
}

static int walk_and_create(struct walk *w, struct open_args *a, const char *s)
{
    int err;
    do {
        err = walk_parents(w, s);
        if (!err)
            err = walk_last_create(w, a);
        s = w->text;
    } while (err == 1);
    return err;
}

// /proc/sys/fs/protected_regular and protected_fifos: who means to create in a folder where all may write (2: or its group) but only owners delete does not
// get what another user has put there. For what is neither, such as a device, there is no switch.
static bool planted(const struct inode *inode, const struct open_args *a)
{
    int level = S_ISFIFO(inode->mode) ? READ_ONCE(sysctl_protected_fifos) : S_ISREG(inode->mode) ? READ_ONCE(sysctl_protected_regular) : 1;
    if (likely(!level) || !(a->dir_mode & S_ISVTX) || inode->uid == a->dir_uid || inode->uid == current_cred()->fsuid)
        return false;
    return a->dir_mode & 0002 || (level > 1 && a->dir_mode & 0020);
}

static int may_open(const struct path *path, const struct open_args *a)
{
    struct inode *inode = path->dentry->inode;
    switch (inode->mode & S_IFMT) {
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        if (a->access & MAY_WRITE)
            return -EISDIR;
        break;
    case S_IFBLK:
    case S_IFCHR:
        if (path->mnt->flags & MNT_NODEV || inode->sb->flags & SB_NODEV)
            return -EACCES;
        break;
    }
    int err = a->created ? 0 : inode_permission(inode, a->access | MAY_OPEN);
    if (err)
        return err;
    if (inode->flags & I_APPEND && ((a->access & MAY_WRITE && !(a->flags & O_APPEND)) || a->flags & O_TRUNC))
        return -EPERM;
    if (a->flags & O_NOATIME && current_cred()->fsuid != inode->uid && !capable(CAP_FOWNER))
        return -EPERM;
    return 0;
}

static int truncate_opened(struct file *file)
{
    struct inode *inode = file->inode;
    int err = inode_get_write(inode);
    if (err)
        return err;
    struct timespec_k now = clock_now_ts();
    struct iattr attr = {.valid = ATTR_SIZE | ATTR_MTIME | ATTR_CTIME | ATTR_OPEN_TRUNC, .mtime = now, .file = file};
    down_write(&inode->sem);
    err = setattr_locked(file->path.dentry, &attr);
    up_write(&inode->sem);
    inode_put_write(inode);
    return err;
}

static int open_place(const struct path *path, struct open_args *a, struct file **out)
{
    struct inode *inode = path->dentry->inode;
    if ((a->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && !a->created)
        return -EEXIST;
    if (a->flags & O_CREAT && S_ISDIR(inode->mode))
        return -EISDIR;
    if (a->flags & O_CREAT && !a->created && planted(inode, a))
        return -EACCES;
    if (a->lookup & LOOKUP_DIRECTORY && !S_ISDIR(inode->mode))
        return -ENOTDIR;
    bool truncate = a->flags & O_TRUNC && S_ISREG(inode->mode) && !a->created;
    int err = truncate ? mnt_want_write(path->mnt) : 0; // that the mount is read-only is said before what the file's mode forbids
    if (err)
        return err;
    if (!(a->flags & O_PATH))
        err = may_open(path, a);
    if (!err)
        err = open_inode_file(path, a->flags, out);
    if (!err && truncate) {
        err = truncate_opened(*out);
        if (err)
            file_put(*out);
    }
    if (truncate)
        mnt_drop_write(path->mnt);
    return err;
}

int open_inode_file(const struct path *path, unsigned flags, struct file **out)
{
    struct file *file;
    int err = file_alloc(path, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC), path->dentry->inode->fops, &file);
    if (err)
        return err;
    err = file_do_open(file);
    if (err) {
        file_put_sync(file);
        return err;
    }
    if (!(flags & O_PATH))
        inotify_file(file, IN_OPEN);
    file->flags &= ~(uint32_t)O_NOCTTY; // told the terminal's open; F_GETFL does not show it
    *out = file;
    return 0;
}

static int open_tmpfile(int dirfd, const struct pathname *name, struct open_args *a, struct file **out)
{
    struct path dir;
    int err = path_lookup_at(dirfd, name, (a->lookup | LOOKUP_DIRECTORY) & ~LOOKUP_OPEN, &dir);
    if (err)
        return err;
    struct inode *inode = dir.dentry->inode;
    err = mnt_want_write(dir.mnt);
    if (!err) {
        err = inode_permission(inode, MAY_WRITE | MAY_EXEC);
        if (!err && !inode->ops->tmpfile)
            err = -EOPNOTSUPP;
        struct dentry *d = err ? nullptr : d_alloc(dir.dentry, "#", 1);
        if (!err && !d)
            err = -ENOMEM;
        struct file *file = nullptr;
        if (!err)
            err = file_alloc(&(struct path){dir.mnt, d}, a->flags & ~(O_EXCL | O_CLOEXEC | O_DIRECTORY), nullptr, &file);
        dput(d);
        if (!err) {
            read_guard(&inode->sem); // what is inherited from the directory's access lists stays meanwhile
            err = inode->ops->tmpfile(inode, file, a->mode & ~acl_umask(inode));
        }
        if (!err) {
            d_name_by_number(d);
            inode_count_links(d->inode);
            file->inode = d->inode;
            if (!(a->flags & O_EXCL))
                d->inode->flags |= I_LINKABLE;
            err = file_do_open(file);
        }
        mnt_drop_write(dir.mnt);
        if (!err)
            inotify_file(file, IN_OPEN);
        if (err && file)
            file_put_sync(file);
        else
            *out = file;
    }
    path_put(&dir);
    return err;
}

static int open_once(int dirfd, const struct pathname *name, struct open_args *a, bool rcu, struct file **out)
{
    struct walk w __attribute__((uninitialized));
    const char *s;
    int err = walk_begin(&w, dirfd, name, a->lookup, rcu, &s);
    if (err)
        return err;
    if (a->flags & O_CREAT)
        err = walk_and_create(&w, a, s);
    else
        err = walk_all(&w, s);
    if (!err)
        err = walk_complete(&w);
    if (!err)
        err = walk_confined(&w);
    if (!err) {
        a->lookup |= w.flags & LOOKUP_DIRECTORY;
        err = open_place(&w.path, a, out);
    }
    walk_end(&w);
    return err;
}

int do_open(int dirfd, const struct pathname *name, const struct open_how_k *how, struct file **out)
{
    struct open_args a;
    int err = open_args_init(&a, how);
    if (err)
        return err;
    if (a.flags & O_TMPFILE_BIT)
        err = open_tmpfile(dirfd, name, &a, out);
    else
        err = open_once(dirfd, name, &a, true, out);
    if (err == -ECHILD)
        err = a.lookup & LOOKUP_CACHED ? -EAGAIN : open_once(dirfd, name, &a, false, out);
    return err;
}

int file_open(const char *path, unsigned flags, umode_t mode, struct file **out)
{
    PATHNAME(name);
    pathname_from_kernel(&name, path);
    return do_open(AT_FDCWD, &name, &(struct open_how_k){.flags = flags, .mode = mode}, out);
}

static long open_fd(int dirfd, const char __user *upath, const struct open_how_k *how)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, 0);
    if (err)
        return err;
    int fd = fd_reserve(0, (unsigned)how->flags);
    if (fd < 0)
        return fd;
    struct file *file;
    err = do_open(dirfd, &name, how, &file);
    if (err) {
        fd_release(fd);
        return err;
    }
    fd_install(fd, file);
    return fd;
}

SYSCALL3(open, const char __user *, path, int, flags, umode_t, mode)
{
    return open_fd(AT_FDCWD, path, &(struct open_how_k){.flags = ((unsigned)flags & O_VALID) | O_LARGEFILE, .mode = mode});
}

SYSCALL4(openat, int, dirfd, const char __user *, path, int, flags, umode_t, mode)
{
    return open_fd(dirfd, path, &(struct open_how_k){.flags = ((unsigned)flags & O_VALID) | O_LARGEFILE, .mode = mode});
}

SYSCALL2(creat, const char __user *, path, umode_t, mode)
{
    return open_fd(AT_FDCWD, path, &(struct open_how_k){.flags = O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, .mode = mode});
}

// openat2(2): unlike openat, everything unknown or without effect is refused.
SYSCALL4(openat2, int, dirfd, const char __user *, path, const struct abi_open_how __user *, uhow, size_t, size)
{
    struct abi_open_how how = {};
    if (size < sizeof how)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (copy_from_user(&how, uhow, sizeof how))
        return -EFAULT;
    for (size_t i = sizeof how; i < size; i++) {
        uint8_t byte;
        if (get_user(byte, user_ptr(uint8_t, user_addr(uhow) + i)))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    const uint64_t resolve_known = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
    if (how.flags & ~(uint64_t)O_VALID || how.resolve & ~resolve_known)
        return -EINVAL;
    if ((how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EINVAL;
    if (how.flags & (O_CREAT | O_TMPFILE_BIT) ? how.mode & ~07777ul : how.mode)
        return -EINVAL;
    if (how.flags & O_PATH && how.flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        return -EINVAL;
    if (how.resolve & RESOLVE_CACHED && how.flags & (O_TRUNC | O_CREAT | O_TMPFILE_BIT))
        return -EAGAIN;
    return open_fd(dirfd, path, &(struct open_how_k){.flags = how.flags | O_LARGEFILE, .mode = (umode_t)how.mode, .resolve = how.resolve});
}
