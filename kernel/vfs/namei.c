// kernel/vfs/namei.c — the path walk: path_resolution(7), symlink(7), openat2(2).
//
// A walk is tried under RCU first: no reference and no lock is taken; each step remembers the sequence count of the dentry it stands on and checks that of
// the one it leaves, and mount_seq stands for all mount points. Where something must be waited for (an entry not in the cache, a file system's own
// permission check) the walk takes references and goes on without RCU; where a count has changed it begins again without RCU (-ECHILD).
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/dcache_internal.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/mount_internal.h"
#include "kernel/vfs/name_hash.h"
#include "kernel/vfs/walk.h"

int sysctl_protected_symlinks = 1, sysctl_protected_hardlinks = 1;

#define SCOPED (LOOKUP_BENEATH | LOOKUP_IN_ROOT)

// ---- begin, end, leaving RCU ----------------------------------------------------------------------------------------------------------------------

static void get_fs_path(struct walk *w, bool root, struct path *out, uint32_t *seq)
{
    struct fs_context *fs = current_fs_context();
    if (!w->rcu) {
        if (root)
            fs_context_root(fs, out);
        else
            fs_context_cwd(fs, out);
        return;
    }
    uint32_t s;
    do {
        s = seq_read_begin(&fs->seq);
        *out = root ? fs->root : fs->cwd;
        *seq = seq_read_begin(&out->dentry->seq);
    } while (seq_read_retry(&fs->seq, s));
}

static void need_root(struct walk *w)
{
    if (w->root_set)
        return;
    get_fs_path(w, true, &w->root, &w->root_seq);
    w->root_set = true;
}

static void go_to_root(struct walk *w)
{
    need_root(w);
    if (!w->rcu) {
        path_get(&w->root);
        path_put(&w->path);
    }
    w->path = w->root;
    w->seq = w->root_seq;
    w->inode = w->path.dentry->inode;
}

static int begin_at_fd(struct walk *w, int dirfd, const char *s)
{
    FD_REF_RAW(f, dirfd);
    if (!f.file)
        return -EBADF;
    struct dentry *d = f.file->path.dentry;
    if (*s && !(d->inode && S_ISDIR(d->inode->mode)))
        return -ENOTDIR;
    w->path = f.file->path;
    if (w->rcu)
        w->seq = seq_read_begin(&d->seq);
    else
        path_get(&w->path);
    return 0;
}

int walk_begin(struct walk *w, int dirfd, const struct pathname *name, unsigned flags, bool rcu, const char **s)
{
    const char *text = name->text;
    w->flags = flags;
    w->rcu = rcu;
    w->root_set = w->jumped = false;
    w->root = (struct path){};
    w->nr_links = 0;
    w->links = w->embedded;
    w->path = (struct path){};
    w->last_type = LAST_ROOT;
    w->last.len = 0;
    if (rcu) {
        rcu_read_lock();
        w->mount_seq = seq_read_begin(&mount_seq);
    }
    int err = 0;
    bool absolute = *text == '/';
    if (absolute && flags & LOOKUP_BENEATH) {
        err = -EXDEV;
    } else if (absolute && !(flags & LOOKUP_IN_ROOT)) {
        need_root(w);
        w->path = w->root;
        w->seq = w->root_seq;
        if (!rcu)
            path_get(&w->path);
    } else if (dirfd == AT_FDCWD) {
        get_fs_path(w, false, &w->path, &w->seq);
    } else {
        err = begin_at_fd(w, dirfd, text);
    }
    if (err) {
        walk_end(w);
        return err;
    }
    if (flags & SCOPED) {
        w->root = w->path;
        w->root_seq = w->seq;
        w->root_set = true;
        if (!rcu)
            path_get(&w->root);
    }
    w->inode = w->path.dentry->inode;
    *s = text;
    return 0;
}

static void drop_links(struct walk *w)
{
    for (unsigned i = 0; i < w->nr_links; i++) {
        dput(w->links[i].held);
        kfree(w->links[i].to_free);
    }
    w->nr_links = 0;
    if (w->links != w->embedded)
        kfree(w->links);
    w->links = w->embedded;
}

void walk_end(struct walk *w)
{
    if (w->rcu) {
        w->rcu = false;
        w->nr_links = 0;
        rcu_read_unlock();
    } else {
        if (w->path.mnt)
            path_put(&w->path);
        if (w->root_set)
            path_put(&w->root);
        if (w->nr_links)
            drop_links(w);
    }
    w->path = (struct path){};
    w->root_set = false;
}

static bool legitimize(struct path *p, uint32_t seq)
{
    if (!mnt_get_rcu(p->mnt)) {
        *p = (struct path){};
        return false;
    }
    if (!dget_rcu(p->dentry)) {
        p->dentry = nullptr;
        return false;
    }
    return !seq_read_retry(&p->dentry->seq, seq);
}

int walk_unlazy(struct walk *w)
{
    if (!w->rcu)
        return 0;
    struct path root = w->root;
    // Text of links walked through may go away with their inodes: begin again, holding them.
    bool ok = w->nr_links == 0;
    if (ok) {
        ok = legitimize(&w->path, w->seq);
        if (ok && w->root_set && w->flags & SCOPED)
            ok = legitimize(&root, w->root_seq);
        else
            root = (struct path){};
    } else {
        w->path = root = (struct path){};
    }
    ok = ok && !seq_read_retry(&mount_seq, w->mount_seq);
    w->rcu = false;
    w->nr_links = 0;
    rcu_read_unlock();
    w->root = root;
    w->root_set = root.mnt != nullptr; // else it is fetched again when needed
    return ok ? 0 : -ECHILD;
}

// At the end of a walk the texts of links are done with.
int walk_complete(struct walk *w)
{
    if (!w->rcu)
        return 0; // walk_end() drops them
    w->nr_links = 0;
    return walk_unlazy(w);
}

// ---- steps ----------------------------------------------------------------------------------------------------------------------------------------------

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
        bool top = mnt->parent == mnt;
        if (!top)
            path_get(&up);
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
    need_root(w);
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

// /proc/sys/fs/protected_symlinks: in a sticky world-writable directory only links of the follower's own or the directory owner's are followed.
static int may_follow(const struct walk *w, const struct inode *link)
{
    const struct inode *dir = w->inode;
    if (!sysctl_protected_symlinks || current_cred()->fsuid == link->uid)
        return 0;
    if ((dir->mode & (S_ISVTX | 02)) != (S_ISVTX | 02) || dir->uid == link->uid)
        return 0;
    return -EACCES;
}

static int link_room(struct walk *w)
{
    if (w->nr_links < WALK_LINKS_EMBEDDED || w->links != w->embedded)
        return 0;
    if (w->rcu)
        return -ECHILD;
    struct walk_link *more = kmalloc(sizeof *more * (MAX_SYMLINKS + 1), ALLOC_ZERO);
    if (!more)
        return -ENOMEM;
    memcpy(more, w->embedded, sizeof w->embedded);
    w->links = more;
    return 0;
}

static int follow_magic(struct walk *w, struct dentry *d, struct inode *inode)
{
    if (w->flags & LOOKUP_NO_MAGICLINKS)
        return -ELOOP;
    if (w->flags & SCOPED)
        return -EXDEV;
    struct path to;
    int err = inode->ops->follow_magic(d, &to);
    if (err)
        return err;
    bool crossed = to.mnt != w->path.mnt;
    path_put(&w->path);
    w->path = to;
    w->inode = to.dentry->inode;
    w->jumped = true;
    return crossed && w->flags & LOOKUP_NO_XDEV ? -EXDEV : 0;
}

// At a link `d` in w->path's directory. 1: w->text is to be walked from there. 0: jumped. The reference on d (none under RCU) is consumed.
static NOINLINE int follow_link(struct walk *w, struct dentry *d, struct inode *inode, bool is_last)
{
    int err = w->nr_links >= MAX_SYMLINKS || w->flags & LOOKUP_NO_SYMLINKS || w->path.mnt->flags & MNT_NOSYMFOLLOW ? -ELOOP : 0;
    if (!err && is_last)
        err = may_follow(w, inode);
    if (!err)
        err = link_room(w);
    const char *text = inode->link;
    char *to_free = nullptr;
    if (!err && !text && w->rcu)
        err = -ECHILD; // needs to ask the file system
    if (err)
        goto fail;
    path_accessed(&(struct path){w->path.mnt, d});
    struct walk_link *slot = &w->links[w->nr_links];
    if (!text && inode->ops->follow_magic) {
        slot->held = d;
        slot->to_free = nullptr;
        w->nr_links++;
        return follow_magic(w, d, inode);
    }
    if (!text) {
        text = inode->ops->get_link ? inode->ops->get_link(d, inode, &to_free) : nullptr;
        if (!text) {
            err = to_free ? (int)(intptr_t)to_free : -EINVAL;
            goto fail;
        }
    }
    slot->held = w->rcu ? nullptr : d;
    slot->to_free = to_free;
    w->nr_links++;
    w->text = text;
    if (!*text)
        return -ENOENT;
    if (*text == '/') {
        if (w->flags & LOOKUP_BENEATH)
            return -EXDEV;
        need_root(w);
        if (w->flags & LOOKUP_NO_XDEV && w->root.mnt != w->path.mnt)
            return -EXDEV;
        go_to_root(w);
        w->jumped = true;
    }
    return 1;
fail:
    if (!w->rcu)
        dput(d);
    return err;
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
        return follow_link(w, d, inode, is_last);
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

int walk_parents(struct walk *w, const char *s)
{
    unsigned depth = 0;
    while (*s == '/')
        s++;
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

// ---- whole walks --------------------------------------------------------------------------------------------------------------------------------------------

// From the beginning to the end of the last link's text.
static ALWAYS_INLINE int walk_all(struct walk *w, const char *s)
{
    int err;
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
    // ".." in a tree that is being moved can lead out of it.
    if (!err && flags & SCOPED && !path_is_under(&w.path, &w.root))
        err = -EXDEV;
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
    if (!err && flags & SCOPED && !path_is_under(&pw->w.path, &pw->w.root))
        err = -EXDEV;
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
