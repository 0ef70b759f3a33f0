// kernel/vfs/inotify_watch.c — watches on inodes: making and ending them, and finding out who is to be told.
//
// A watch is attached to an inode (which it keeps in memory) and to a group, until one of these ends it: inotify_rm_watch(2), the group's close, the
// inode's last name going, an unmount, or its first event (IN_ONESHOT). inode->lock decides who that is; group->lock ranks inside it. Its memory, and
// with it the references to inode and group, goes with the last reference. A superblock counts the inodes of its that are held so, and waits for them
// when it ends.
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/inotify_internal.h"
#include "kernel/vfs/seq_file.h"

unsigned inotify_watches_total;
static struct waitqueue superblock_wait = WAITQUEUE_INIT(superblock_wait);
static uint32_t last_cookie;

static void watch_put(struct inotify_watch *w)
{
    if (!refcount_dec_and_test(&w->refs))
        return;
    struct superblock *sb = w->inode->sb;
    iput(w->inode);
    if (atomic_sub_return(&sb->watches, 1) == 0)
        wake_up_all(&superblock_wait); // sb may be gone already: only the queue is touched
    inotify_group_put(w->group);
    kfree(w);
}

static void recalculate(struct inode *inode) REQUIRES(inode->lock)
{
    struct inotify_watch *w;
    uint32_t mask = 0;
    list_for_each_entry(w, &inode->watches, link) mask |= (w->mask & IN_ALL_EVENTS) | IN_UNMOUNT;
    WRITE_ONCE(inode->watch_mask, mask);
}

static void unlink_watch(struct inode *inode, struct inotify_watch *w) REQUIRES(inode->lock)
{
    w->detached = true;
    list_del_init(&w->link);
    recalculate(inode);
    spin_guard(&w->group->lock);
    rb_erase(&w->group->watches, &w->by_wd, nullptr);
}

// What follows unlink_watch(), without locks: the reference of being attached goes.
static void watch_ended(struct inotify_watch *w, bool tell)
{
    __atomic_fetch_sub(&inotify_watches_total, 1, __ATOMIC_RELAXED);
    atomic_dec(&w->group->user->inotify_watches);
    if (tell)
        inotify_queue(w->group, w->wd, IN_IGNORED, 0, nullptr, 0);
    watch_put(w);
}

static bool detach(struct inotify_watch *w, bool tell)
{
    struct inode *inode = w->inode;
    spin_lock(&inode->lock);
    bool mine = !w->detached;
    if (mine)
        unlink_watch(inode, w);
    spin_unlock(&inode->lock);
    if (mine)
        watch_ended(w, tell);
    return mine;
}

// ---- making ---------------------------------------------------------------------------------------------------------

static struct inotify_watch *find_on(struct inode *inode, const struct inotify_group *g) REQUIRES(inode->lock)
{
    struct inotify_watch *w;
    list_for_each_entry(w, &inode->watches, link)
    {
        if (w->group == g)
            return w;
    }
    return nullptr;
}

static void insert_by_wd(struct inotify_group *g, struct inotify_watch *w) REQUIRES(g->lock)
{
    struct rb_node **link = &g->watches.node, *parent = nullptr;
    while (*link) {
        parent = *link;
        link = w->wd < rb_entry(parent, struct inotify_watch, by_wd)->wd ? &parent->left : &parent->right;
    }
    rb_link_node(&w->by_wd, parent, link);
    rb_insert(&g->watches, &w->by_wd, nullptr);
}

static struct inotify_watch *find_by_wd(struct inotify_group *g, int wd) REQUIRES(g->lock)
{
    for (struct rb_node *n = g->watches.node; n;) {
        struct inotify_watch *w = rb_entry(n, struct inotify_watch, by_wd);
        if (w->wd == wd)
            return w;
        n = wd < w->wd ? n->left : n->right;
    }
    return nullptr;
}

// Numbers are not used again before all others were.
static int next_wd(struct inotify_group *g) REQUIRES(g->lock)
{
    do {
        g->last_wd = g->last_wd == INT32_MAX ? 1 : g->last_wd + 1;
    } while (find_by_wd(g, g->last_wd));
    return g->last_wd;
}

static void attach(struct inotify_group *g, struct inode *inode, struct inotify_watch *w, uint32_t mask) REQUIRES(inode->lock)
{
    refcount_set(&w->refs, 1);
    refcount_inc(&g->refs);
    w->group = g;
    w->inode = iget(inode);
    w->mask = mask;
    atomic_inc(&inode->sb->watches);
    {
        spin_guard(&g->lock);
        w->wd = next_wd(g);
        insert_by_wd(g, w);
    }
    list_add_tail(&w->link, &inode->watches);
    __atomic_fetch_add(&inotify_watches_total, 1, __ATOMIC_SEQ_CST);
}

#define KEPT_FLAGS (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT)

int inotify_watch_set(struct inotify_group *g, struct inode *inode, uint32_t mask)
{
    struct inotify_watch *fresh = kzalloc(sizeof *fresh, ALLOC_KERNEL);
    if (!fresh)
        return -ENOMEM;
    bool room = atomic_inc_return(&g->user->inotify_watches) <= READ_ONCE(sysctl_inotify_max_user_watches);
    int wd;
    {
        spin_guard(&inode->lock);
        struct inotify_watch *w = find_on(inode, g);
        if (!w && room) {
            attach(g, inode, fresh, mask & KEPT_FLAGS);
            wd = fresh->wd;
            fresh = nullptr;
        } else if (!w) {
            wd = -ENOSPC;
        } else if (mask & IN_MASK_CREATE) {
            wd = -EEXIST;
        } else {
            w->mask = (mask & KEPT_FLAGS) | (mask & IN_MASK_ADD ? w->mask : 0);
            wd = w->wd;
        }
        recalculate(inode);
    }
    if (fresh)
        atomic_dec(&g->user->inotify_watches);
    kfree(fresh);
    return wd;
}

int inotify_watch_remove(struct inotify_group *g, int wd)
{
    struct inotify_watch *w;
    {
        spin_guard(&g->lock);
        w = find_by_wd(g, wd);
        if (w)
            refcount_inc(&w->refs);
    }
    if (!w)
        return -EINVAL;
    bool mine = detach(w, true);
    watch_put(w);
    return mine ? 0 : -EINVAL;
}

void inotify_watches_drop(struct inotify_group *g)
{
    for (;;) {
        struct inotify_watch *w;
        {
            spin_guard(&g->lock);
            if (!g->watches.node)
                return;
            w = rb_entry(g->watches.node, struct inotify_watch, by_wd);
            refcount_inc(&w->refs);
        }
        (void)detach(w, false);
        watch_put(w);
    }
}

void inotify_watches_show(struct seq_file *m, struct inotify_group *g)
{
    spin_guard(&g->lock);
    for (struct rb_node *n = rb_first(&g->watches); n; n = rb_next(n)) {
        const struct inotify_watch *w = rb_entry(n, struct inotify_watch, by_wd);
        seq_printf(m, "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:0\n", (unsigned)w->wd, (unsigned long long)w->inode->ino,
                   (unsigned)w->inode->sb->dev, READ_ONCE(w->mask) & KEPT_FLAGS);
    }
}

// ---- telling --------------------------------------------------------------------------------------------------------

// `unlinked`: the name is no longer in the directory that hears of it.
static void tell(struct inode *inode, uint32_t mask, const char *name, size_t len, uint32_t cookie, bool unlinked)
{
    LIST_HEAD(once);
    struct inotify_watch *w, *next;
    spin_lock(&inode->lock);
    list_for_each_entry_safe(w, next, &inode->watches, link)
    {
        if (!(((w->mask & IN_ALL_EVENTS) | IN_UNMOUNT) & mask) || (unlinked && w->mask & IN_EXCL_UNLINK))
            continue;
        inotify_queue(w->group, w->wd, mask, cookie, name, len);
        if (w->mask & IN_ONESHOT) {
            unlink_watch(inode, w);
            list_add_tail(&w->link, &once);
        }
    }
    spin_unlock(&inode->lock);
    list_for_each_entry_safe(w, next, &once, link)
    {
        list_del_init(&w->link);
        watch_ended(w, true);
    }
}

static uint32_t dir_bit(const struct inode *inode)
{
    return S_ISDIR(inode->mode) ? IN_ISDIR : 0;
}

void inotify_inode_(struct inode *inode, uint32_t mask)
{
    if (READ_ONCE(inode->watch_mask) & mask)
        tell(inode, mask | dir_bit(inode), nullptr, 0, 0, false);
}

void inotify_name_(struct inode *dir, uint32_t mask, const struct qstr *name, uint32_t cookie)
{
    if (READ_ONCE(dir->watch_mask) & mask)
        tell(dir, mask, name->name, name->len, cookie, false);
}

static void tell_parent(struct dentry *d, uint32_t mask)
{
    char name[NAME_MAX + 1] __attribute__((uninitialized));
    struct dentry *parent = dget_parent(d);
    if (READ_ONCE(parent->inode->watch_mask) & mask) {
        size_t len;
        {
            spin_guard(&d->lock); // against rename
            len = min((size_t)d->name.len, sizeof name);
            memcpy(name, d->name.name, len);
        }
        tell(parent->inode, mask, name, len, 0, d_unhashed(d));
    }
    dput(parent);
}

void inotify_dentry_(struct dentry *d, uint32_t mask)
{
    struct inode *inode = READ_ONCE(d->inode);
    if (!inode)
        return;
    if (!d_is_root(d))
        tell_parent(d, mask | dir_bit(inode));
    inotify_inode_(inode, mask);
}

void inotify_setattr_(struct dentry *d, unsigned valid)
{
    uint32_t mask = 0;
    if (valid & (ATTR_UID | ATTR_GID | ATTR_MODE | ATTR_KILL_SUID | ATTR_KILL_SGID))
        mask |= IN_ATTRIB;
    if (valid & ATTR_SIZE)
        mask |= IN_MODIFY;
    if ((valid & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
        mask |= IN_ATTRIB;
    else if (valid & ATTR_ATIME)
        mask |= IN_ACCESS;
    else if (valid & ATTR_MTIME)
        mask |= IN_MODIFY;
    if (mask)
        inotify_dentry_(d, mask);
}

void inotify_moved_(struct inode *old_dir, const struct qstr *old_name, struct inode *new_dir, const struct qstr *new_name, struct inode *moved,
                    struct inode *replaced)
{
    uint32_t cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
    inotify_name_(old_dir, IN_MOVED_FROM | dir_bit(moved), old_name, cookie);
    inotify_name_(new_dir, IN_MOVED_TO | dir_bit(moved), new_name, cookie);
    if (replaced)
        inotify_inode_(replaced, IN_ATTRIB); // of its link count
    if (READ_ONCE(moved->watch_mask) & IN_MOVE_SELF)
        tell(moved, IN_MOVE_SELF, nullptr, 0, 0, false);
}

// The caller's reference keeps the inode.
static void end_all(struct inode *inode)
{
    for (;;) {
        struct inotify_watch *w;
        {
            spin_guard(&inode->lock);
            w = list_first_entry_or_null(&inode->watches, struct inotify_watch, link);
            if (!w)
                return;
            unlink_watch(inode, w);
        }
        watch_ended(w, true);
    }
}

void inotify_unlinked_(struct inode *inode)
{
    if (READ_ONCE(inode->watch_mask) & IN_DELETE_SELF)
        tell(inode, IN_DELETE_SELF, nullptr, 0, 0, false);
    end_all(inode);
}

// The first watched one behind `inode` (with a reference, which keeps its place in the list; null: of all), with a reference.
static struct inode *next_watched(struct superblock *sb, struct inode *inode)
{
    spin_guard(&sb->inodes_lock);
    for (struct list_head *at = inode ? inode->sb_link.next : sb->inodes.next; at != &sb->inodes; at = at->next) {
        inode = container_of(at, struct inode, sb_link);
        // A watch keeps its inode: if there still is one under the lock, the count is not zero.
        if (READ_ONCE(inode->watch_mask) && refcount_inc_not_zero(&inode->refs))
            return inode;
    }
    return nullptr;
}

void inotify_superblock_gone(struct superblock *sb)
{
    if (likely(!atomic_read(&sb->watches)))
        return;
    // Nobody can walk to its inodes any more, so none that was passed gets a new watch.
    for (struct inode *inode = next_watched(sb, nullptr), *next; inode; inode = next) {
        tell(inode, IN_UNMOUNT, nullptr, 0, 0, false);
        end_all(inode);
        next = next_watched(sb, inode);
        iput(inode);
    }
    wait_event(&superblock_wait, atomic_read(&sb->watches) == 0);
}
