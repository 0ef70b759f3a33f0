// kernel/vfs/path_text.c — from places to path text: getcwd(2), /proc links, mount lists.
#include "kernel/base/string.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount_internal.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/path_text.h"

struct tail { // text grows from the end of a buffer towards its start
    char *start, *low;
};

static bool put_back(struct tail *t, const char *s, size_t len)
{
    if ((size_t)(t->start - t->low) < len)
        return false;
    t->start -= len;
    memcpy(t->start, s, len);
    return true;
}

static bool put_name(struct tail *t, struct dentry *d)
{
    spin_guard(&d->lock);
    return put_back(t, d->name.name, d->name.len) && put_back(t, "/", 1);
}

enum { TEXT_REACHED, TEXT_UNREACHABLE, TEXT_TOO_LONG };

// Under RCU, to be done again when something moved or mount_seq changed. What is not below `root` is told from the top of the tree of mounts that it is in;
// of what was moved out of all that its mount shows, nothing is told.
static int walk_up(const struct path *path, const struct path *root, struct tail *t)
{
    struct dentry *d = path->dentry;
    struct mount *m = path->mnt;
    char *end = t->start;
    while (d != root->dentry || m != root->mnt) {
        if (d == m->root) {
            struct mount *parent = READ_ONCE(m->parent);
            if (parent == m)
                return TEXT_UNREACHABLE;
            d = READ_ONCE(m->mountpoint);
            m = parent;
            continue;
        }
        if (d_is_root(d)) {
            t->start = end;
            return TEXT_UNREACHABLE;
        }
        if (!put_name(t, d))
            return TEXT_TOO_LONG;
        d = READ_ONCE(d->parent);
    }
    return TEXT_REACHED;
}

// With `suffix` behind it.
static int build(const struct path *path, const struct path *root, const char *suffix, char *buf, size_t size, struct tail *out)
{
    struct tree_look look = {};
    uint32_t mounts;
    int result;
    *out = (struct tail){buf + size, buf};
    if (!put_back(out, "", 1) || !put_back(out, suffix, strlen(suffix)))
        return TEXT_TOO_LONG;
    char *end = out->start;
    do {
        mounts = seq_read_begin(&mount_seq);
        tree_look_begin(&look);
        out->start = end;
        rcu_read_lock();
        result = walk_up(path, root, out);
        rcu_read_unlock();
        if (result != TEXT_TOO_LONG && out->start == end && !put_back(out, "/", 1))
            result = TEXT_TOO_LONG;
    } while (tree_look_again(&look) || seq_read_retry(&mount_seq, mounts));
    return result;
}

static bool is_deleted(const struct dentry *d)
{
    return d_unhashed(d) && !d_is_root(d);
}

int path_to_text_root(const struct path *path, const struct path *root, char *buf, size_t size, char **start)
{
    struct tail t;
    int result = build(path, root, "", buf, size, &t);
    *start = t.start;
    return result == TEXT_TOO_LONG ? -ENAMETOOLONG : 0;
}

int path_to_text(const struct path *path, char *buf, size_t size, char **start)
{
    struct dentry *d = path->dentry;
    if (d->ops && d->ops->dynamic_name && d != path->mnt->root) { // what is mounted is where it is mounted
        int len = d->ops->dynamic_name(d, buf, size);
        *start = buf;
        return min(len, 0);
    }
    struct path root;
    fs_context_root(current_fs_context(), &root);
    struct tail t;
    int result = build(path, &root, is_deleted(d) ? " (deleted)" : "", buf, size, &t);
    path_put(&root);
    *start = t.start;
    return result == TEXT_TOO_LONG ? -ENAMETOOLONG : 0;
}

int cwd_to_text(const struct path *cwd, char *buf, size_t size, char **start)
{
    if (is_deleted(cwd->dentry))
        return -ENOENT;
    struct path root;
    fs_context_root(current_fs_context(), &root);
    struct tail t;
    int result = build(cwd, &root, "", buf, size, &t);
    path_put(&root);
    if (result == TEXT_UNREACHABLE && !put_back(&t, "(unreachable)", 13))
        result = TEXT_TOO_LONG;
    *start = t.start;
    return result == TEXT_TOO_LONG ? -ENAMETOOLONG : 0;
}

int dentry_to_text(struct dentry *dentry, char *buf, size_t size, char **start)
{
    if (dentry->ops && dentry->ops->dynamic_name) {
        int len = dentry->ops->dynamic_name(dentry, buf, size);
        *start = buf;
        return min(len, 0);
    }
    struct tree_look look = {};
    struct tail t;
    bool ok;
    do {
        tree_look_begin(&look);
        t = (struct tail){buf + size, buf};
        ok = put_back(&t, "", 1) && (!is_deleted(dentry) || put_back(&t, "//deleted", 9));
        char *end = t.start;
        rcu_read_lock();
        for (struct dentry *d = dentry; ok && !d_is_root(d); d = READ_ONCE(d->parent))
            ok = put_name(&t, d);
        rcu_read_unlock();
        if (ok && t.start == end)
            ok = put_back(&t, "/", 1);
    } while (tree_look_again(&look));
    *start = t.start;
    return ok ? 0 : -ENAMETOOLONG;
}
