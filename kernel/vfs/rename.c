// kernel/vfs/rename.c — rename(2), renameat2(2).
//
// Lock order: the superblock's rename_mutex when the directories differ (then no directory of it changes its ancestors), the two directories
// (an ancestor first, else by address), then of what is moved or replaced a directory that gets another parent or goes away, or both by address, then
// files, by address. Within one directory, without rename_mutex, that is at most one directory, below the one that is locked: two
// neighbours held at once would close a circle with a thread that holds one and wants a child of it, and a rename that holds the child.
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/walk.h"

struct rename_pair {
    struct parent_walk old_walk, new_walk;
    struct dentry *old_dir, *new_dir, *old, *new_;
    unsigned flags;
};

// The child of `ancestor` through which `d` hangs below it, or null.
static struct dentry *child_towards(struct dentry *ancestor, struct dentry *d)
{
    for (struct dentry *p = d; !d_is_root(p); p = p->parent)
        if (p->parent == ancestor)
            return p;
    return nullptr;
}

static void lock_dirs(struct rename_pair *r) NO_THREAD_SAFETY_ANALYSIS
{
    struct dentry *a = r->old_dir, *b = r->new_dir;
    if (a == b) {
        down_write(&a->inode->sem);
        return;
    }
    mutex_lock(&a->sb->rename_mutex);
    bool b_first = d_is_ancestor(b, a) || (!d_is_ancestor(a, b) && b->inode < a->inode);
    inode_lock_two(b_first ? b->inode : a->inode, b_first ? a->inode : b->inode);
}

static void unlock_dirs(struct rename_pair *r) NO_THREAD_SAFETY_ANALYSIS
{
    if (r->old_dir == r->new_dir) {
        up_write(&r->old_dir->inode->sem);
        return;
    }
    inode_unlock_two(r->old_dir->inode, r->new_dir->inode);
    mutex_unlock(&r->old_dir->sb->rename_mutex);
}

static int check_permissions(struct rename_pair *r)
{
    struct inode *source = r->old->inode, *target = r->new_->inode;
    bool is_dir = S_ISDIR(source->mode), exchange = r->flags & RENAME_EXCHANGE;
    int err = may_delete(r->old_dir->inode, r->old, is_dir);
    if (!err)
        err = target ? may_delete(r->new_dir->inode, r->new_, exchange ? S_ISDIR(target->mode) : is_dir) : may_create(r->new_dir->inode, r->new_);
    if (err || r->old_dir == r->new_dir)
        return err;
    // A directory that gets a new parent is written to (its "..").
    if (is_dir)
        err = inode_permission(source, MAY_WRITE);
    if (!err && exchange && S_ISDIR(target->mode))
        err = inode_permission(target, MAY_WRITE);
    return err;
}

static void tell_watchers(struct rename_pair *r, struct inode *source, struct inode *target)
{
    struct inode *from = r->old_dir->inode, *to = r->new_dir->inode;
    bool exchange = r->flags & RENAME_EXCHANGE;
    inotify_moved(from, &r->old_walk.last, to, &r->new_walk.last, source, exchange ? nullptr : target);
    if (exchange)
        inotify_moved(to, &r->new_walk.last, from, &r->old_walk.last, target, nullptr);
}

// Which of the two inodes are locked, in this order; either may be null.
static void inodes_to_lock(const struct rename_pair *r, struct inode *lock[2])
{
    struct inode *source = r->old->inode, *target = r->new_->inode;
    bool moves = r->old_dir != r->new_dir;
    lock[0] = S_ISDIR(source->mode) && !moves ? nullptr : source;
    lock[1] = target && S_ISDIR(target->mode) && !moves && r->flags & RENAME_EXCHANGE ? nullptr : target;
    if (!lock[0] || !lock[1])
        return;
    bool first_is_dir = S_ISDIR(lock[0]->mode), second_is_dir = S_ISDIR(lock[1]->mode);
    if (first_is_dir == second_is_dir ? lock[1] < lock[0] : second_is_dir) {
        lock[0] = target;
        lock[1] = source;
    }
}

static void lock_inodes(struct inode *const lock[2]) NO_THREAD_SAFETY_ANALYSIS
{
    for (unsigned i = 0; i < 2; i++)
        if (lock[i])
            down_write(&lock[i]->sem);
}

static void unlock_inodes(struct inode *const lock[2]) NO_THREAD_SAFETY_ANALYSIS
{
    for (unsigned i = 0; i < 2; i++)
        if (lock[i])
            up_write(&lock[i]->sem);
}

static int rename_locked(struct rename_pair *r)
{
    struct inode *source = r->old->inode, *target = r->new_->inode;
    if (source == target)
        return 0; // two names of one file: nothing is done
    int err = check_permissions(r);
    if (err)
        return err;
    struct inode *dir = r->old_dir->inode;
    if (!dir->ops->rename)
        return -EPERM;
    struct inode *lock[2];
    inodes_to_lock(r, lock);
    lock_inodes(lock);
    if (mounted_here(r->old) || mounted_here(r->new_))
        err = -EBUSY;
    if (!err)
        err = dir->ops->rename(dir, r->old, r->new_dir->inode, r->new_, r->flags);
    if (!err && target && !(r->flags & RENAME_EXCHANGE)) {
        if (S_ISDIR(target->mode))
            target->flags |= I_DEAD;
        inode_count_links(target);
        d_invalidate_children(r->new_);
    }
    if (!err)
        d_move(r->old, r->new_, r->flags & RENAME_EXCHANGE);
    unlock_inodes(lock);
    if (!err)
        tell_watchers(r, source, target);
    return err;
}

static int check_names(const struct rename_pair *r)
{
    bool exchange = r->flags & RENAME_EXCHANGE;
    struct inode *target = r->new_->inode;
    if (r->flags & RENAME_NOREPLACE && target)
        return -EEXIST;
    if (exchange) {
        if (!target)
            return -ENOENT;
        if (!S_ISDIR(target->mode) && r->new_walk.trailing_slash)
            return -ENOTDIR;
    }
    if (!S_ISDIR(r->old->inode->mode) && (r->old_walk.trailing_slash || (!exchange && r->new_walk.trailing_slash)))
        return -ENOTDIR;
    if (r->old_dir != r->new_dir) {
        if (child_towards(r->old_dir, r->new_dir) == r->old)
            return -EINVAL; // into itself
        if (child_towards(r->new_dir, r->old_dir) == r->new_)
            return exchange ? -EINVAL : -ENOTEMPTY;
    }
    return 0;
}

static int rename_pair(struct rename_pair *r)
{
    int err = 0;
    struct inode *replaced = nullptr;
    r->old_dir = r->old_walk.parent.dentry;
    r->new_dir = r->new_walk.parent.dentry;
    lock_dirs(r);
    r->old = lookup_locked(r->old_dir, &r->old_walk.last, 0, &err);
    if (r->old && !r->old->inode)
        err = -ENOENT; // whatever there is to be said of the new name
    r->new_ = err ? nullptr : lookup_locked(r->new_dir, &r->new_walk.last, LOOKUP_CREATE, &err);
    if (r->new_) {
        err = check_names(r);
        if (!err) {
            struct inode *target = r->new_->inode;
            if (target && target != r->old->inode && !(r->flags & RENAME_EXCHANGE))
                replaced = iget(target);
            err = rename_locked(r);
        }
    }
    unlock_dirs(r);
    if (!err && replaced)
        mounts_detach(r->new_);
    dput(r->new_);
    dput(r->old);
    iput(replaced);
    return err;
}

int do_rename(int olddirfd, const struct pathname *old, int newdirfd, const struct pathname *name, unsigned flags)
{
    if (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))
        return -EINVAL;
    struct rename_pair r __attribute__((uninitialized));
    r.flags = flags;
    int err = parent_lookup(olddirfd, old, 0, &r.old_walk);
    if (err)
        return err;
    err = parent_lookup(newdirfd, name, 0, &r.new_walk);
    if (!err) {
        struct mount *mnt = r.old_walk.parent.mnt;
        if (mnt != r.new_walk.parent.mnt)
            err = -EXDEV;
        else if (r.old_walk.type != LAST_NORM)
            err = -EBUSY;
        else if (r.new_walk.type != LAST_NORM)
            err = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
        else
            err = mnt_want_write(mnt);
        if (!err) {
            err = rename_pair(&r);
            mnt_drop_write(mnt);
        }
        parent_done(&r.new_walk);
    }
    parent_done(&r.old_walk);
    return err;
}
