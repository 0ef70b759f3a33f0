// kernel/vfs/stat_syscalls.c — stat(2), lstat(2), fstat(2), newfstatat(2), statx(2), statfs(2), fstatfs(2), access(2), readlink(2).
#include "kernel/abi/stat.h"
#include "kernel/abi/statfs.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/attr.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fd_lookup.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/path_text.h"

static int stat_to_user(const struct kstat *k, struct abi_stat __user *out)
{
    struct abi_stat s = {
        .st_dev = dev_to_user(k->dev), .st_ino = k->ino, .st_nlink = k->nlink, .st_mode = k->mode, .st_uid = k->uid, .st_gid = k->gid,
        .st_rdev = dev_to_user(k->rdev), .st_size = k->size, .st_blksize = k->blksize, .st_blocks = (int64_t)k->blocks,
        .st_atime_sec = k->atime.tv_sec, .st_atime_nsec = k->atime.tv_nsec, .st_mtime_sec = k->mtime.tv_sec, .st_mtime_nsec = k->mtime.tv_nsec,
        .st_ctime_sec = k->ctime.tv_sec, .st_ctime_nsec = k->ctime.tv_nsec};
    return copy_to_user(out, &s, sizeof s) ? -EFAULT : 0;
}

struct stat_visit {
    struct kstat *stat;
    uint32_t mask;
    unsigned flags;
};

static int visit_getattr(const struct path *path, struct inode *inode, bool rcu, void *arg)
{
    const struct stat_visit *v = arg;
    return rcu && inode->ops && inode->ops->getattr ? -ECHILD : vfs_getattr(path, v->stat, v->mask, v->flags);
}

// The attributes of what a path argument names; with AT_EMPTY_PATH and an empty path, of the descriptor itself.
static int stat_at(int dirfd, const char __user *upath, int flags, uint32_t mask, struct kstat *k)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    if (err)
        return err;
    struct stat_visit v = {k, mask, (unsigned)flags};
    return path_visit_at(dirfd, &name, (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), visit_getattr, &v);
}

static int stat_path(int dirfd, const char __user *path, struct abi_stat __user *out, int flags)
{
    struct kstat k __attribute__((uninitialized));
    int err = stat_at(dirfd, path, flags, STATX_BASIC_STATS, &k);
    return err ? err : stat_to_user(&k, out);
}

SYSCALL2(stat, const char __user *, path, struct abi_stat __user *, out)
{
    return stat_path(AT_FDCWD, path, out, 0);
}

SYSCALL2(lstat, const char __user *, path, struct abi_stat __user *, out)
{
    return stat_path(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

SYSCALL2(fstat, int, fd, struct abi_stat __user *, out)
{
    FD_REF_RAW_HERE(f, fd);
    if (!f.file)
        return -EBADF;
    struct kstat k __attribute__((uninitialized));
    int err = vfs_getattr(&f.file->path, &k, STATX_BASIC_STATS, 0);
    return err ? err : stat_to_user(&k, out);
}

SYSCALL4(newfstatat, int, dirfd, const char __user *, path, struct abi_stat __user *, out, int, flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    return stat_path(dirfd, path, out, flags);
}

static struct abi_statx_timestamp statx_time(struct timespec_k t)
{
    return (struct abi_statx_timestamp){.tv_sec = t.tv_sec, .tv_nsec = (uint32_t)t.tv_nsec};
}

SYSCALL5(statx, int, dirfd, const char __user *, path, int, flags, uint32_t, mask, struct abi_statx __user *, out)
{
    if (mask & STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    struct kstat k;
    int err;
    if (!path && flags & AT_EMPTY_PATH) { // since Linux 6.11: no path is an empty one
        FD_REF_RAW(f, dirfd);
        if (!f.file)
            return -EBADF;
        err = vfs_getattr(&f.file->path, &k, mask, (unsigned)flags);
    } else {
        err = stat_at(dirfd, path, flags, mask, &k);
    }
    if (err)
        return err;
    struct abi_statx s = {
        .stx_mask = STATX_BASIC_STATS | (mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) | (k.has_btime ? STATX_BTIME & mask : 0),
        .stx_blksize = k.blksize, .stx_attributes = k.attributes, .stx_nlink = k.nlink, .stx_uid = k.uid, .stx_gid = k.gid, .stx_mode = (uint16_t)k.mode,
        .stx_ino = k.ino, .stx_size = (uint64_t)k.size, .stx_blocks = k.blocks, .stx_attributes_mask = k.attributes_mask,
        .stx_atime = statx_time(k.atime), .stx_ctime = statx_time(k.ctime), .stx_mtime = statx_time(k.mtime),
        .stx_rdev_major = MAJOR(k.rdev), .stx_rdev_minor = MINOR(k.rdev), .stx_dev_major = MAJOR(k.dev), .stx_dev_minor = MINOR(k.dev),
        .stx_mnt_id = k.mnt_id};
    if (s.stx_mask & STATX_BTIME)
        s.stx_btime = statx_time(k.btime);
    return copy_to_user(out, &s, sizeof s) ? -EFAULT : 0;
}

// ---- statfs ---------------------------------------------------------------------------------------------------------

static int statfs_place(const struct path *p, struct abi_statfs __user *out)
{
    static const struct { unsigned mnt, st; } map[] = {
        {MNT_READONLY, ST_RDONLY}, {MNT_NOSUID, ST_NOSUID}, {MNT_NODEV, ST_NODEV}, {MNT_NOEXEC, ST_NOEXEC}, {MNT_NOATIME, ST_NOATIME},
        {MNT_NODIRATIME, ST_NODIRATIME}, {MNT_RELATIME, ST_RELATIME}, {MNT_NOSYMFOLLOW, ST_NOSYMFOLLOW},
    };
    struct superblock *sb = p->dentry->sb;
    struct kstatfs k = {.type = sb->magic, .bsize = sb->blocksize, .frsize = sb->blocksize, .namelen = NAME_MAX, .fsid = sb->dev};
    if (sb->ops && sb->ops->statfs) {
        int err = sb->ops->statfs(p->dentry, &k);
        if (err)
            return err;
    }
    k.flags |= ST_VALID | (sb->flags & SB_RDONLY ? ST_RDONLY : 0) | (sb->flags & SB_SYNCHRONOUS ? ST_SYNCHRONOUS : 0);
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
        if (p->mnt->flags & map[i].mnt)
            k.flags |= map[i].st;
    struct abi_statfs s = {
        .f_type = (int64_t)k.type, .f_bsize = (int64_t)k.bsize, .f_blocks = k.blocks, .f_bfree = k.bfree, .f_bavail = k.bavail, .f_files = k.files,
        .f_ffree = k.ffree, .f_fsid = {(int32_t)k.fsid, (int32_t)(k.fsid >> 32)}, .f_namelen = (int64_t)k.namelen, .f_frsize = (int64_t)k.frsize,
        .f_flags = (int64_t)k.flags};
    return copy_to_user(out, &s, sizeof s) ? -EFAULT : 0;
}

SYSCALL2(statfs, const char __user *, upath, struct abi_statfs __user *, out)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, 0);
    struct path p;
    if (!err)
        err = path_lookup_at(AT_FDCWD, &name, LOOKUP_FOLLOW, &p);
    if (err)
        return err;
    err = statfs_place(&p, out);
    path_put(&p);
    return err;
}

SYSCALL2(fstatfs, int, fd, struct abi_statfs __user *, out)
{
    FD_REF_RAW(f, fd);
    return f.file ? statfs_place(&f.file->path, out) : -EBADF;
}

// ---- access ---------------------------------------------------------------------------------------------------------

// access(2) asks for the real ids: a credential of its own for the length of the call, unless the ids and capabilities agree anyway.
static bool real_ids_differ(const struct cred *c)
{
    return c->fsuid != c->uid || c->fsgid != c->gid || c->cap_effective != (c->uid ? 0 : c->cap_permitted);
}

static int check_access(const struct path *p, struct inode *inode, bool rcu, void *arg)
{
    int mode = *(const int *)arg;
    if (rcu && inode->ops && inode->ops->permission)
        return -ECHILD;
    if (mode & MAY_EXEC && S_ISREG(inode->mode) && mnt_is_noexec(p->mnt))
        return -EACCES;
    int err = inode_permission(inode, (unsigned)mode);
    if (!err && mode & MAY_WRITE && p->mnt->flags & MNT_READONLY && !S_ISCHR(inode->mode) && !S_ISBLK(inode->mode) && !S_ISFIFO(inode->mode) &&
        !S_ISSOCK(inode->mode))
        err = -EROFS;
    return err;
}

static long do_faccessat(int dirfd, const char __user *upath, int mode, int flags)
{
    if (mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    if (err)
        return err;
    struct task *task = current_task();
    const struct cred *old = nullptr;
    if (!(flags & AT_EACCESS) && real_ids_differ(current_cred())) {
        struct cred *c = cred_prepare();
        if (!c)
            return -ENOMEM;
        c->fsuid = c->uid;
        c->fsgid = c->gid;
        c->cap_effective = c->uid ? 0 : c->cap_permitted;
        old = task->cred;
        rcu_assign_pointer(task->cred, c);
    }
    err = path_visit_at(dirfd, &name, (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), check_access, &mode);
    if (old) {
        const struct cred *mine = task->cred;
        rcu_assign_pointer(task->cred, old);
        cred_put(mine);
    }
    return err;
}

SYSCALL2(access, const char __user *, path, int, mode)
{
    return do_faccessat(AT_FDCWD, path, mode, 0);
}

SYSCALL3(faccessat, int, dirfd, const char __user *, path, int, mode)
{
    return do_faccessat(dirfd, path, mode, 0);
}

SYSCALL4(faccessat2, int, dirfd, const char __user *, path, int, mode, int, flags)
{
    return do_faccessat(dirfd, path, mode, flags);
}

// ---- readlink -------------------------------------------------------------------------------------------------------

static ssize_t text_to_user(const char *text, char __user *buf, size_t size)
{
    size_t len = min(strlen(text), size);
    return copy_to_user(buf, text, len) ? -EFAULT : (ssize_t)len;
}

// A magic link has no text of its own: it is where it leads.
static ssize_t read_magic(struct dentry *d, char __user *buf, size_t size)
{
    struct path to;
    int err = d->inode->ops->follow_magic(d, &to);
    if (err)
        return err;
    char *page = kmalloc(PATH_MAX, ALLOC_KERNEL), *text;
    ssize_t n = page ? path_to_text(&to, page, PATH_MAX, &text) : -ENOMEM;
    if (!n)
        n = text_to_user(text, buf, size);
    kfree(page);
    path_put(&to);
    return n;
}

static ssize_t read_link(const struct path *p, char __user *buf, size_t size)
{
    struct inode *inode = p->dentry->inode;
    if (!S_ISLNK(inode->mode))
        return -EINVAL;
    path_accessed(p);
    if (inode->link)
        return text_to_user(inode->link, buf, size);
    if (inode->ops && inode->ops->get_link) {
        char *to_free = nullptr;
        const char *text = inode->ops->get_link(p->dentry, inode, &to_free);
        if (!text)
            return to_free ? (int)(intptr_t)to_free : -EINVAL;
        ssize_t n = text_to_user(text, buf, size);
        kfree(to_free);
        return n;
    }
    return inode->ops && inode->ops->follow_magic ? read_magic(p->dentry, buf, size) : -EINVAL;
}

struct link_visit {
    bool by_descriptor; // no path was given: only a link will do
    char __user *buf;
    size_t size;
    size_t len;         // of `text`, if that is where the answer is
    char text[128];
};

// Text that the inode holds is copied out of it under RCU, and to the user later, where that may sleep.
static int visit_link(const struct path *p, struct inode *inode, bool rcu, void *arg)
{
    struct link_visit *v = arg;
    v->len = 0;
    if (!S_ISLNK(inode->mode))
        return v->by_descriptor ? -ENOENT : -EINVAL;
    const char *text = inode->link;
    if (!rcu || !text)
        return rcu ? -ECHILD : (int)read_link(p, v->buf, v->size);
    size_t len = strnlen(text, sizeof v->text + 1);
    if (len > sizeof v->text)
        return -ECHILD;
    path_accessed(p);
    v->len = min(len, v->size);
    memcpy(v->text, text, v->len);
    return 0;
}

static long do_readlinkat(int dirfd, const char __user *upath, char __user *buf, int size)
{
    if (size <= 0)
        return -EINVAL;
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, LOOKUP_EMPTY); // an O_PATH descriptor of a link, and no path: the link
    if (err)
        return err;
    if (name.len == 0 && dirfd == AT_FDCWD)
        return -ENOENT;
    struct link_visit v __attribute__((uninitialized));
    v.by_descriptor = name.len == 0;
    v.buf = buf;
    v.size = (size_t)size;
    long n = path_visit_at(dirfd, &name, LOOKUP_EMPTY, visit_link, &v);
    if (n == 0 && v.len)
        n = copy_to_user(buf, v.text, v.len) ? -EFAULT : (long)v.len;
    return n;
}

SYSCALL3(readlink, const char __user *, path, char __user *, buf, int, size)
{
    return do_readlinkat(AT_FDCWD, path, buf, size);
}

SYSCALL4(readlinkat, int, dirfd, const char __user *, path, char __user *, buf, int, size)
{
    return do_readlinkat(dirfd, path, buf, size);
}
