// kernel/vfs/namei.c — the path walk: path_resolution(7), symlink(7), openat2(2).
//
// A walk is tried under RCU first: no reference and no lock is taken; each step remembers the sequence count of the dentry it stands on and checks that of
// the one it leaves, and mount_seq stands for all mount points. Where something must be waited for (an entry not in the cache, a file system's own
// permission check) the walk takes references and goes on without RCU; where a count has changed it begins again without RCU (-ECHILD).
#include "kernel/base/string.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/dcache_internal.h"
#include "kernel/vfs/mount_internal.h"
#include "kernel/vfs/name_hash.h"
#include "kernel/vfs/walk.h"

// ---- steps ----------------------------------------------------------------------------------------------------------

static NOINLINE int enter_mounts_slow(struct walk *w)
{
    if (!w->rcu) {
        struct mount *before = w->path.mnt;
        path_descend_mounts(&w->path);
        if (w->flags & LOOKUP_NO_XDEV && w->path.mnt != before)
            return -EXDEV;
        w->inode = w->path.dentry->inode;
        return 0;
    }
    while (READ_ONCE(w->path.dentry->flags) & DCACHE_MOUNTED) {
        struct mount *m = mount_find_rcu(w->path.mnt, w->path.dentry);
        if (!m)
            break;
        if (w->flags & LOOKUP_NO_XDEV)
            return -EXDEV;
        w->path = (struct path){m, m->root};
        w->seq = seq_read_begin(&m->root->seq);
        w->inode = m->root->inode;
        w->jumped = true;
    }
    return seq_read_retry(&mount_seq, w->mount_seq) ? -ECHILD : 0;
}

static ALWAYS_INLINE int enter_mounts(struct walk *w)
{
    return unlikely(READ_ONCE(w->path.dentry->flags) & DCACHE_MOUNTED) ? enter_mounts_slow(w) : 0;
}

static int dotdot_rcu(struct walk *w)
{
    for (;;) {
        struct dentry *d = w->path.dentry;
        struct mount *mnt = w->path.mnt;
        if (d == w->root.dentry && mnt == w->root.mnt)
            return w->flags & LOOKUP_BENEATH ? -ECHILD : 0;
        struct dentry *up;
        if (d != mnt->root) {
            if (mnt->root != mnt->sb->root)
                return -ECHILD; // a bind mount of part of a tree: check with references that we are still below it
            up = READ_ONCE(d->parent);
        } else {
            if (mnt->parent == mnt)
                return 0;
            if (w->flags & LOOKUP_NO_XDEV)
                return -ECHILD;
            up = mnt->mountpoint;
            w->path.mnt = mnt->parent;
        }
        uint32_t seq = seq_read_begin(&up->seq);
        if (seq_read_retry(&d->seq, w->seq) || seq_read_retry(&mount_seq, w->mount_seq))
            return -ECHILD;
        w->path.dentry = up;
        w->seq = seq;
        w->inode = up->inode;
        if (d != mnt->root)
            return 0;
    }
}

static int dotdot_ref(struct walk *w)
{
    for (;;) {
        struct dentry *d = w->path.dentry;
        struct mount *mnt = w->path.mnt;
        if (d == w->root.dentry && mnt == w->root.mnt)
            return w->flags & LOOKUP_BENEATH ? -EXDEV : 0;
        if (d != mnt->root) {
            struct dentry *up = dget_parent(d);
            if (mnt->root != mnt->sb->root && !d_is_ancestor(mnt->root, up)) {
                dput(up);
                return -ENOENT;
            }
            dput(d);
            w->path.dentry = up;
            w->inode = up->inode;
            return 0;
        }
        down_read(&namespace_sem);
        struct path up = {mnt->parent, mnt->mountpoint};
        bool top = up.mnt == mnt || !mnt_get_rcu(up.mnt); // of a tree that was detached the part above may be going
        if (!top)
            dget(up.dentry);
        up_read(&namespace_sem);
        if (top)
            return 0;
        path_put(&w->path);
        w->path = up;
        w->inode = up.dentry->inode;
        if (w->flags & LOOKUP_NO_XDEV)
            return -EXDEV;
    }
}

static NOINLINE int step_dotdot(struct walk *w)
{
    walk_need_root(w);
    int err = w->rcu ? dotdot_rcu(w) : dotdot_ref(w);
    return err ? err : enter_mounts(w);
}

struct dentry *lookup_locked(struct dentry *dir, const struct qstr *name, unsigned flags, int *err)
{
    struct dentry *d = d_lookup_hashed(dir, name);
    if (d && d->flags & DCACHE_REVALIDATE) {
        int good = d->ops->revalidate(d, flags);
        if (good <= 0) {
            if (good == 0) {
                d_invalidate_children(d);
                d_drop(d);
            }
            dput(d);
            d = nullptr;
            if (good < 0) {
                *err = good;
                return nullptr;
            }
        }
    }
    if (d)
        return d;
    struct inode *inode = dir->inode;
    if (name->len > NAME_MAX) {
        *err = -ENAMETOOLONG;
        return nullptr;
    }
    if (!inode->ops || !inode->ops->lookup) {
        *err = -ENOTDIR;
        return nullptr;
    }
    if (inode->flags & I_DEAD) {
        *err = -ENOENT;
        return nullptr;
    }
    d = d_alloc(dir, name->name, name->len);
    if (!d) {
        *err = -ENOMEM;
        return nullptr;
    }
    *err = inode->ops->lookup(inode, d, flags);
    if (*err) {
        dput(d);
        return nullptr;
    }
    return d;
}

static NOINLINE struct dentry *lookup_slow(struct walk *w, int *err)
{
    struct inode *dir = w->inode;
    down_write(&dir->sem);
    struct dentry *d = lookup_locked(w->path.dentry, &w->last, w->flags, err);
    up_write(&dir->sem);
    return d;
}

// Finds w->last in the cache under RCU. 0 with *out null: not there, and references were taken.
static ALWAYS_INLINE int find_rcu(struct walk *w, struct dentry **out, uint32_t *seq)
{
    struct dentry *parent = w->path.dentry, *d = d_find_rcu(parent, &w->last, seq);
    if (unlikely(!d)) {
        *out = nullptr;
        return w->flags & LOOKUP_CACHED ? -EAGAIN : walk_unlazy(w);
    }
    if (unlikely(seq_read_retry(&parent->seq, w->seq)))
        return -ECHILD;
    if (unlikely(d->flags & DCACHE_REVALIDATE)) {
        int good = d->ops->revalidate(d, w->flags | LOOKUP_RCU);
        if (good == 0)
            good = -ECHILD;
        if (good < 0 && good != -ECHILD)
            return good;
        if (good == -ECHILD) {
            *out = nullptr;
            return walk_unlazy(w);
        }
    }
    *out = d;
    return 0;
}

// From the directory w->path to its entry d, through what is mounted there; links are left to the caller's choice.
static ALWAYS_INLINE int step_into(struct walk *w, struct dentry *d, struct inode *inode, uint32_t seq, bool is_last)
{
    if (unlikely(!inode)) {
        if (!w->rcu)
            dput(d);
        return -ENOENT;
    }
    if (unlikely(S_ISLNK(inode->mode)) && (!is_last || w->flags & LOOKUP_FOLLOW) && !(READ_ONCE(d->flags) & DCACHE_MOUNTED))
        return walk_follow_link(w, d, inode, is_last);
    if (!w->rcu)
        dput(w->path.dentry);
    w->path.dentry = d;
    w->inode = inode;
    w->seq = seq;
    return enter_mounts(w);
}

int walk_step_to(struct walk *w, struct dentry *d, bool is_last)
{
    return step_into(w, d, d->inode, 0, is_last);
}

static ALWAYS_INLINE int step_name(struct walk *w, bool is_last)
{
    struct dentry *d;
    int err;
    if (likely(w->rcu)) {
        uint32_t seq;
        err = find_rcu(w, &d, &seq);
        if (err)
            return err;
        if (likely(d)) {
            struct inode *inode = READ_ONCE(d->inode);
            if (unlikely(seq_read_retry(&d->seq, seq)))
                return -ECHILD;
            return step_into(w, d, inode, seq, is_last);
        }
    }
    d = d_lookup_hashed(w->path.dentry, &w->last);
    if (!d || d->flags & DCACHE_REVALIDATE) {
        dput(d);
        d = lookup_slow(w, &err);
        if (!d)
            return err;
    }
    return step_into(w, d, d->inode, 0, is_last);
}

static ALWAYS_INLINE int step(struct walk *w, bool is_last)
{
    if (likely(w->last_type == LAST_NORM))
        return step_name(w, is_last);
    return w->last_type == LAST_DOTDOT ? step_dotdot(w) : 0;
}

// May we search this directory?
static int may_search(struct walk *w)
{
    struct inode *inode = w->inode;
    if (unlikely(!inode || !S_ISDIR(inode->mode)))
        return w->rcu ? -ECHILD : -ENOTDIR;
    if (unlikely(inode->ops->permission)) {
        int err = walk_unlazy(w);
        return err ? err : inode->ops->permission(inode, MAY_EXEC);
    }
    if (likely((inode->mode & 0111) == 0111 && !(inode->flags & I_ACL)))
        return 0;
    return generic_permission(inode, MAY_EXEC);
}

// Goes through components that need no more than a look at the cache, under RCU: short names in directories that everybody may search. Stops in front of
// the first other one, and in front of the last unless `whole`; returns what is left to walk. A directory's sequence count is checked when the step out of
// it is known, whoever makes that step: of the place where this stops, w->seq is still to be checked, and so is mount_seq.
static ALWAYS_INLINE const char *walk_quick(struct walk *w, const char *s, bool whole)
{
    while (*s == '/')
        s++;
    if (unlikely(!w->rcu || w->flags & LOOKUP_NO_XDEV))
        return s;
    struct path at = w->path;
    struct inode *inode = w->inode;
    uint32_t seq = w->seq;
    for (;;) {
        if (unlikely(!inode || (inode->mode & (S_IFMT | 0111)) != (S_IFDIR | 0111) || inode->flags & I_ACL || inode->ops->permission))
            break;
        uint64_t word;
        unsigned len = name_short(s, &word);
        const char *next = s + len;
        if (!len || (*next == '/' ? *++next == '/' || !*next : !whole))
            break;
        uint32_t seq_there;
        struct path there = {at.mnt, d_find_short_rcu(at.dentry, word, len, &seq_there)};
        if (unlikely(!there.dentry || READ_ONCE(there.dentry->flags) & DCACHE_REVALIDATE))
            break;
        struct inode *found = READ_ONCE(there.dentry->inode);
        if (unlikely(!found || (S_ISLNK(found->mode) && (*next || w->flags & LOOKUP_FOLLOW)) || seq_read_retry(&at.dentry->seq, seq)))
            break;
        if (unlikely(READ_ONCE(there.dentry->flags) & DCACHE_MOUNTED)) {
            for (struct mount *m; READ_ONCE(there.dentry->flags) & DCACHE_MOUNTED && (m = mount_find_rcu(there.mnt, there.dentry));) {
                there = (struct path){m, m->root};
                seq_there = seq_read_begin(&m->root->seq);
                found = m->root->inode;
                w->jumped = true;
            }
            // Errors on the way are final, so whether this is the right place has to be known before it is gone on from.
            if (seq_read_retry(&mount_seq, w->mount_seq))
                break;
        }
        at = there;
        inode = found;
        seq = seq_there;
        s = next;
        if (!*s)
            break;
    }
    w->path = at;
    w->inode = inode;
    w->seq = seq;
    return s;
}

int walk_parents(struct walk *w, const char *s)
{
    unsigned depth = 0;
    s = walk_quick(w, s, false);
    if (!*s) {
        w->last_type = LAST_ROOT;
        w->last = (struct qstr){.name = s, .len = 0};
        return 0;
    }
    for (;;) {
        int err = may_search(w);
        if (err)
            return err;
        name_component(w->path.dentry, s, &w->last);
        size_t len = w->last.len;
        w->last_type = LAST_NORM;
        if (unlikely(s[0] == '.') && len <= 2)
            w->last_type = len == 1 ? LAST_DOT : s[1] == '.' ? LAST_DOTDOT : LAST_NORM;
        s += len;
        while (*s == '/')
            s++;
        bool end = !*s;
        if (end) {
            if (depth == 0)
                return 0;
            s = w->links[--depth].rest; // the last component of a link in the middle: go on behind the link
        }
        err = step(w, false);
        if (err == 1) {
            w->links[depth++].rest = s;
            s = w->text;
            while (*s == '/')
                s++;
            if (!*s)
                s = w->links[--depth].rest;
            else
                continue;
        } else if (unlikely(err)) {
            return err;
        }
    }
}

bool walk_last_has_slash(const struct walk *w)
{
    return w->last_type == LAST_NORM && w->last.name[w->last.len] == '/';
}

int walk_last(struct walk *w)
{
    if (w->last_type == LAST_ROOT)
        return 0;
    if (walk_last_has_slash(w))
        w->flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
    return step(w, true);
}

int walk_confined(const struct walk *w)
{
    return unlikely(w->flags & LOOKUP_SCOPED) && !path_is_under(&w->path, &w->root) ? -EAGAIN : 0;
}

// ---- whole walks ----------------------------------------------------------------------------------------------------

int walk_all(struct walk *w, const char *s)
{
    int err;
    s = walk_quick(w, s, true);
    if (likely(!*s))
        return 0;
    do {
        err = walk_parents(w, s);
        if (!err)
            err = walk_last(w);
        s = w->text;
    } while (err == 1);
    return err;
}

static int lookup_once(int dirfd, const struct pathname *name, unsigned flags, bool rcu, struct path *out)
{
    struct walk w __attribute__((uninitialized));
    const char *s;
    int err = walk_begin(&w, dirfd, name, flags, rcu, &s);
    if (err)
        return err;
    err = walk_all(&w, s);
    if (!err && w.rcu)
        err = walk_complete(&w);
    if (!err && w.flags & LOOKUP_DIRECTORY && !S_ISDIR(w.path.dentry->inode->mode))
        err = -ENOTDIR;
    if (!err)
        err = walk_confined(&w);
    if (!err) {
        *out = w.path;
        w.path = (struct path){};
    }
    walk_end(&w);
    return err;
}

int path_lookup_at(int dirfd, const struct pathname *name, unsigned flags, struct path *out)
{
    int err = lookup_once(dirfd, name, flags, true, out);
    if (unlikely(err == -ECHILD))
        err = flags & LOOKUP_CACHED ? -EAGAIN : lookup_once(dirfd, name, flags, false, out);
    return err;
}

static int visit_once(int dirfd, const struct pathname *name, unsigned flags, bool rcu, path_visitor visit, void *arg)
{
    struct walk w __attribute__((uninitialized));
    const char *s;
    int err = walk_begin(&w, dirfd, name, flags, rcu, &s);
    if (err)
        return err;
    err = walk_all(&w, s);
    if (!err && w.flags & LOOKUP_DIRECTORY && !S_ISDIR(w.inode->mode))
        err = -ENOTDIR;
    if (!err && w.rcu) {
        err = visit(&w.path, w.inode, true, arg);
        if (unlikely(seq_read_retry(&w.path.dentry->seq, w.seq) || seq_read_retry(&mount_seq, w.mount_seq)))
            err = -ECHILD;
        else if (unlikely(err == -ECHILD) && !(err = walk_complete(&w)))
            err = visit(&w.path, w.inode, false, arg);
    } else if (!err) {
        err = visit(&w.path, w.inode, false, arg);
    }
    walk_end(&w);
    return err;
}

int path_visit_at(int dirfd, const struct pathname *name, unsigned flags, path_visitor visit, void *arg)
{
    int err = visit_once(dirfd, name, flags, true, visit, arg);
    return unlikely(err == -ECHILD) ? visit_once(dirfd, name, flags, false, visit, arg) : err;
}

int path_lookup(const char *path, unsigned flags, struct path *out)
{
    PATHNAME(name);
    pathname_from_kernel(&name, path);
    return path_lookup_at(AT_FDCWD, &name, flags, out);
}

static int parent_once(int dirfd, const struct pathname *name, unsigned flags, bool rcu, struct parent_walk *pw)
{
    const char *s;
    int err = walk_begin(&pw->w, dirfd, name, flags | LOOKUP_PARENT, rcu, &s);
    if (err)
        return err;
    err = walk_parents(&pw->w, s);
    if (!err && pw->w.rcu)
        err = walk_complete(&pw->w);
    if (!err)
        err = walk_confined(&pw->w);
    if (err)
        walk_end(&pw->w);
    return err;
}

int parent_lookup(int dirfd, const struct pathname *name, unsigned flags, struct parent_walk *pw)
{
    int err = parent_once(dirfd, name, flags, true, pw);
    if (err == -ECHILD)
        err = parent_once(dirfd, name, flags, false, pw);
    if (err)
        return err;
    pw->parent = pw->w.path;
    pw->last = pw->w.last;
    pw->type = pw->w.last_type;
    pw->trailing_slash = walk_last_has_slash(&pw->w);
    return 0;
}

void parent_done(struct parent_walk *pw)
{
    walk_end(&pw->w);
}
