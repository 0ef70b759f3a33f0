// kernel/vfs/walk_begin.c — where a path walk begins and ends, and how it leaves RCU mode: with references on where it stands.
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount_internal.h"
#include "kernel/vfs/walk.h"

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

void walk_need_root(struct walk *w)
{
    if (w->root_set)
        return;
    get_fs_path(w, true, &w->root, &w->root_seq);
    w->root_set = true;
}

void walk_go_to_root(struct walk *w)
{
    walk_need_root(w);
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
    w->nr_links = 0;
    w->links = w->embedded;
    if (rcu) {
        rcu_read_lock();
        w->mount_seq = seq_read_begin(&mount_seq);
    }
    int err = 0;
    bool absolute = *text == '/';
    if (absolute && flags & LOOKUP_BENEATH) {
        err = -EXDEV;
    } else if (absolute && !(flags & LOOKUP_IN_ROOT)) {
        walk_need_root(w);
        w->path = w->root;
        w->seq = w->root_seq;
        if (!rcu)
            path_get(&w->path);
    } else if (dirfd == AT_FDCWD) {
        get_fs_path(w, false, &w->path, &w->seq);
    } else {
        err = begin_at_fd(w, dirfd, text);
    }
    if (unlikely(err)) {
        w->path = (struct path){};
        walk_end(w);
        return err;
    }
    if (unlikely(flags & LOOKUP_SCOPED)) {
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
        if (ok && w->root_set && w->flags & LOOKUP_SCOPED)
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
