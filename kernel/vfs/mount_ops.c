// kernel/vfs/mount_ops.c — the acting half of mount(2): new mounts, bind, move, remount, propagation types.
#include "kernel/abi/mount.h"
#include "kernel/base/string.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount_internal.h"
#include "kernel/vfs/namei.h"

static bool ours(const struct mount *m)
{
    return m->ns && m->ns == current_mount_ns();
}

static bool is_mount_root(const struct path *p)
{
    return p->dentry == p->mnt->root;
}

// With namespace_sem held for write: the place on top of whatever was mounted at *target since it was looked up. References are exchanged.
static int target_now(struct path *target)
{
    // A mount in a namespace is held by its tree, as is all that is mounted on it; the reference to another might be the last, and putting that wants the lock.
    if (!ours(target->mnt))
        return -EINVAL;
    path_descend_mounts(target);
    return d_unhashed(target->dentry) && !d_is_root(target->dentry) ? -ENOENT : 0;
}

// Attaches a tree, a new one or one that moves, at the target, in agreement with rmdir(2) about who was first.
static int graft(struct mount *tree, struct path *target)
{
    int err = target_now(target);
    if (err)
        return err;
    struct inode *point = target->dentry->inode, *root = tree->root->inode;
    if (!point || S_ISDIR(point->mode) != S_ISDIR(root->mode))
        return -ENOTDIR;
    write_guard(&point->sem);
    if (point->flags & I_DEAD)
        return -ENOENT;
    err = mount_attach_propagated(tree, target->mnt, target->dentry);
    smp_mb();
    if (!err && unlikely(d_unhashed(target->dentry) && !d_is_root(target->dentry)))
        mounts_detach_locked(target->dentry); // unlink(2) of a file came between: it is as if it had come after
    return err;
}

static unsigned mount_flags_from(unsigned long flags)
{
    static const struct { unsigned ms, mnt; } map[] = {
        {MS_RDONLY, MNT_READONLY}, {MS_NOSUID, MNT_NOSUID}, {MS_NODEV, MNT_NODEV}, {MS_NOEXEC, MNT_NOEXEC},
        {MS_NOATIME, MNT_NOATIME}, {MS_NODIRATIME, MNT_NODIRATIME}, {MS_NOSYMFOLLOW, MNT_NOSYMFOLLOW},
    };
    unsigned out = flags & MS_NOATIME || flags & MS_STRICTATIME ? 0 : MNT_RELATIME;
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
        if (flags & map[i].ms)
            out |= map[i].mnt;
    return flags & MS_STRICTATIME ? out & ~MNT_NOATIME : out;
}
#define MNT_USER_FLAGS                                                                                                 \
    (MNT_READONLY | MNT_NOSUID | MNT_NODEV | MNT_NOEXEC | MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME | MNT_NOSYMFOLLOW)
#define MNT_ATIME_FLAGS (MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME)

static int new_mount(struct path *target, const char *type, unsigned long flags, unsigned mnt_flags, const char *source, const char *data)
{
    if (!type)
        return -EINVAL;
    const struct file_system_type *fs = file_system_find(type, strlen(type));
    if (!fs || fs->flags & FS_NO_USER_MOUNT)
        return -ENODEV;
    struct superblock *sb;
    int err = fs->get_super(fs, flags & SB_USER_FLAGS, source, data, &sb);
    if (err)
        return err;
    if (!(flags & MS_RDONLY) && !(sb->flags & SB_RDONLY))
        mnt_flags &= ~MNT_READONLY;
    struct dentry *root = sb->ops && sb->ops->mount_root ? sb->ops->mount_root(sb) : dget(sb->root);
    struct mount *m = root ? mount_new(sb, root, source ? source : "none") : nullptr;
    dput(root);
    sb_put(sb);
    if (!m)
        return -ENOMEM;
    m->flags = mnt_flags;
    down_write(&namespace_sem);
    err = target_now(target);
    if (!err && target->mnt->sb == m->sb && is_mount_root(target) && target->dentry == m->root)
        err = -EBUSY; // the same thing on itself
    if (!err)
        err = graft(m, target);
    namespace_unlock();
    if (err)
        mnt_put(m);
    return err;
}

static bool bindable(const struct path *from)
{
    const struct superblock_ops *ops = from->dentry->sb->ops;
    bool internal = from->mnt->flags & MNT_INTERNAL;
    if (from->mnt->unbindable || !(internal || ours(from->mnt)))
        return false;
    return ops && ops->may_bind ? ops->may_bind(from->dentry, false) : !internal;
}

static int bind_mount(struct path *target, const char *source, bool recursive)
{
    if (!source || !*source)
        return -EINVAL;
    struct path from;
    int err = path_lookup(source, LOOKUP_FOLLOW, &from);
    if (err)
        return err;
    down_write(&namespace_sem);
    struct mount *tree = nullptr;
    if (!bindable(&from))
        err = -EINVAL;
    if (!err) {
        tree = recursive ? mount_copy_tree(from.mnt, from.dentry, CLONE_MNT_NS_FILES) : mount_clone(from.mnt, from.dentry, 0);
        err = tree ? graft(tree, target) : -ENOMEM;
        if (err && tree)
            mount_tree_drop(tree, false);
    }
    namespace_unlock();
    path_put(&from);
    return err;
}

static int change_type(const struct path *target, unsigned long flags)
{
    unsigned type = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
    if (flags & ~(unsigned long)(type | MS_REC | MS_SILENT) || type & (type - 1) || !is_mount_root(target))
        return -EINVAL;
    int err = 0;
    down_write(&namespace_sem);
    if (!ours(target->mnt))
        err = -EINVAL;
    for (struct mount *m = target->mnt; m && !err; m = flags & MS_REC ? mount_next(m, target->mnt) : nullptr)
        err = mount_set_type(m, type);
    if (!err)
        mount_ns_changed(target->mnt->ns);
    namespace_unlock();
    return err;
}

static int set_mount_flags(struct mount *m, unsigned flags)
{
    if (flags & MNT_READONLY && !(m->flags & MNT_READONLY) && !(m->sb->flags & SB_RDONLY)) { // read-only as a whole it has no writers
        int err = mount_make_readonly(m);
        if (err)
            return err;
    }
    WRITE_ONCE(m->flags, (m->flags & ~MNT_USER_FLAGS) | (flags & MNT_USER_FLAGS));
    mount_ns_changed(m->ns);
    return 0;
}

static int remount(const struct path *target, unsigned long flags, unsigned mnt_flags, const char *data)
{
    struct mount *m = target->mnt;
    if (!is_mount_root(target))
        return -EINVAL;
    if (!(flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
        mnt_flags = (mnt_flags & ~MNT_ATIME_FLAGS) | (m->flags & MNT_ATIME_FLAGS);
    down_write(&namespace_sem);
    int err = ours(m) ? 0 : -EINVAL;
    if (!err && !(flags & MS_BIND)) {
        struct superblock *sb = m->sb;
        unsigned old_flags = sb->flags, sb_flags = (old_flags & ~SB_REMOUNT_FLAGS) | (flags & SB_REMOUNT_FLAGS);
        if (sb_flags & SB_RDONLY && !(old_flags & SB_RDONLY)) {
            __atomic_fetch_or(&sb->flags, SB_RDONLY, __ATOMIC_SEQ_CST);
            smp_mb();
            if (sb_has_writers(sb))
                err = -EBUSY;
        }
        if (!err && sb->ops && sb->ops->remount)
            err = sb->ops->remount(sb, sb_flags, data);
        WRITE_ONCE(sb->flags, err ? old_flags : sb_flags);
    }
    if (!err)
        err = set_mount_flags(m, mnt_flags);
    namespace_unlock();
    return err;
}

static bool has_unbindable(struct mount *tree)
{
    for (struct mount *m = tree; m; m = mount_next(m, tree))
        if (m->unbindable)
            return true;
    return false;
}

static int move_mount(struct path *target, const char *source)
{
    if (!source || !*source)
        return -EINVAL;
    struct path from;
    int err = path_lookup(source, LOOKUP_FOLLOW, &from);
    if (err)
        return err;
    down_write(&namespace_sem);
    err = target_now(target);
    struct mount *m = from.mnt;
    if (!err && (!ours(m) || !is_mount_root(&from) || m->parent == m || m->parent->group_id))
        err = -EINVAL;
    if (!err && S_ISDIR(from.dentry->inode->mode) != S_ISDIR(target->dentry->inode->mode))
        err = -EINVAL;
    if (!err && target->mnt->group_id && has_unbindable(m))
        err = -EINVAL;
    if (!err && mount_is_below(target->mnt, m))
        err = -ELOOP;
    if (!err)
        err = graft(m, target); // from its old place only when it can not fail any more
    namespace_unlock();
    path_put(&from);
    return err;
}

int do_mount(const char *source, const struct pathname *target_name, const char *type, unsigned long flags, const char *data)
{
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~(unsigned long)MS_MGC_MSK;
    if (flags >> 31)
        return -EINVAL; // internal to Linux: MS_NOUSER
    struct path target;
    int err = path_lookup_at(AT_FDCWD, target_name, LOOKUP_FOLLOW, &target);
    if (err)
        return err;
    unsigned mnt_flags = mount_flags_from(flags);
    if (!capable(CAP_SYS_ADMIN))
        err = -EPERM;
    else if (flags & MS_REMOUNT)
        err = remount(&target, flags, mnt_flags, data);
    else if (flags & MS_BIND)
        err = bind_mount(&target, source, flags & MS_REC);
    else if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
        err = change_type(&target, flags);
    else if (flags & MS_MOVE)
        err = move_mount(&target, source);
    else
        err = new_mount(&target, type, flags, mnt_flags, source, data);
    path_put(&target);
    return err;
}

// ---- umount ---------------------------------------------------------------------------------------------------------

// Each mount of the tree goes by itself, also where MNT_DETACH takes them all: who is inside one does not get into the others any more.
static int umount_locked(struct mount *m, unsigned flags)
{
    LIST_HEAD(also);
    bool detach = flags & MNT_DETACH;
    for (struct mount *each = m; each; each = detach ? mount_next(each, m) : nullptr)
        propagate_umount_collect(each, &also);
    int err = detach || mounts_unhash_unless_busy(m, &also) ? 0 : -EBUSY;
    if (!err)
        mount_tree_drop(m, false);
    // From the end, which is what goes along with the leaves of the tree. What carries more than goes with it stays; some were in the tree themselves.
    while (!list_empty(&also)) {
        struct mount *other = list_last_entry(&also, struct mount, umount_link);
        list_del_init(&other->umount_link);
        if (!err && other->ns && list_empty(&other->children))
            mount_tree_drop(other, false);
    }
    return err;
}

// umount of the caller's own root: it becomes read-only.
static int umount_root(struct path *root)
{
    return remount(root, MS_RDONLY, root->mnt->flags, nullptr);
}

int do_umount(const struct pathname *name, unsigned flags)
{
    struct path p;
    int err = path_lookup_at(AT_FDCWD, name, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
    if (err)
        return err;
    struct path root;
    fs_context_root(current_fs_context(), &root);
    bool is_root = root.mnt == p.mnt;
    path_put(&root);
    struct mount *m = p.mnt;
    if (!capable(CAP_SYS_ADMIN))
        err = -EPERM;
    else if (!is_mount_root(&p))
        err = -EINVAL;
    else if (flags & MNT_EXPIRE && flags & (MNT_FORCE | MNT_DETACH))
        err = -EINVAL;
    else if (flags & MNT_EXPIRE && is_root)
        err = -EINVAL;
    else if (is_root && !(flags & MNT_DETACH))
        err = umount_root(&p);
    else {
        down_write(&namespace_sem);
        if (!ours(m) || m->parent == m)
            err = -EINVAL;
        else if (flags & MNT_EXPIRE && mount_busy(m, 1))
            err = -EBUSY;
        else if (flags & MNT_EXPIRE && !m->expire_mark) {
            m->expire_mark = true;
            err = -EAGAIN;
        } else
            err = umount_locked(m, flags);
        namespace_unlock();
    }
    dput(p.dentry);
    mnt_put_unused(m);
    return err;
}
