// kernel/vfs/walk_link.c — a path walk meets a symbolic link: symlink(7), path_resolution(7), proc(5) for the magic ones.
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/walk.h"

int sysctl_protected_symlinks = 1, sysctl_protected_hardlinks = 1, sysctl_protected_fifos, sysctl_protected_regular;

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
    if (w->flags & LOOKUP_SCOPED)
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

int walk_follow_link(struct walk *w, struct dentry *d, struct inode *inode, bool is_last)
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
        walk_need_root(w);
        if (w->flags & LOOKUP_NO_XDEV && w->root.mnt != w->path.mnt)
            return -EXDEV;
        walk_go_to_root(w);
        w->jumped = true;
    }
    return 1;
fail:
    if (!w->rcu)
        dput(d);
    return err;
}
