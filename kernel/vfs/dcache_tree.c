// kernel/vfs/dcache_tree.c — the dentry tree: moving entries, walking and dropping what lies below one, reading a directory from it.
#include "kernel/vfs/dcache.h"

#include "kernel/abi/dirent.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache_internal.h"

static DEFINE_LOCK_CLASS(rename_lock_class, "dentry move", (enum lock_rank)(RANK_DENTRY - 1));
static struct spinlock rename_lock = SPINLOCK_INIT(&rename_lock_class);
seqcount_t rename_seq;

void tree_look_begin(struct tree_look *look) NO_THREAD_SAFETY_ANALYSIS
{
    if (unlikely(look->alone))
        spin_lock(&rename_lock);
    else
        look->moves = seq_read_begin(&rename_seq);
}

bool tree_look_again(struct tree_look *look) NO_THREAD_SAFETY_ANALYSIS
{
    if (unlikely(look->alone)) {
        spin_unlock(&rename_lock);
        return false;
    }
    return look->alone = seq_read_retry(&rename_seq, look->moves);
}

bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *d)
{
    rcu_read_lock();
    struct tree_look look = {};
    bool found;
    do {
        tree_look_begin(&look);
        found = false;
        for (const struct dentry *p = d;; p = READ_ONCE(p->parent)) {
            if (p == ancestor) {
                found = true;
                break;
            }
            if (p == READ_ONCE(p->parent))
                break;
        }
    } while (tree_look_again(&look));
    rcu_read_unlock();
    return found;
}

bool d_has_positive_children(struct dentry *dentry)
{
    struct dentry *d;
    spin_guard(&dentry->lock);
    list_for_each_entry(d, &dentry->children, child_link)
        if (d->inode && !(READ_ONCE(d->flags) & DCACHE_UNHASHED))
            return true;
    return false;
}

static void place_in(struct dentry *d, struct dentry *parent)
{
    spin_guard(&parent->lock);
    d->cookie = ++parent->last_cookie;
    list_add_tail(&d->child_link, &parent->children);
}

// Whoever replaces an entry stands where that stood: one of the two is there for a reader all the time. The other is unhashed by now.
static void place_instead(struct dentry *d, struct dentry *replaced, struct dentry *parent)
{
    spin_guard(&parent->lock);
    d->cookie = replaced->cookie;
    list_add(&d->child_link, &replaced->child_link);
}

// For the same reason. `a` has been among the children of a_parent until now, `b` among those of b_parent.
static void exchange_places(struct dentry *a, struct dentry *a_parent, struct dentry *b, struct dentry *b_parent) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock(&a_parent->lock);
    if (b_parent != a_parent)
        spin_lock(&b_parent->lock);
    struct list_head mark;
    list_add(&mark, &a->child_link);
    list_del(&a->child_link);
    list_add(&a->child_link, &b->child_link);
    list_del(&b->child_link);
    list_add(&b->child_link, &mark);
    list_del(&mark);
    uint64_t cookie = a->cookie;
    a->cookie = b->cookie;
    b->cookie = cookie;
    if (b_parent != a_parent)
        spin_unlock(&b_parent->lock);
    spin_unlock(&a_parent->lock);
}

static void displace(struct dentry *d)
{
    spin_guard(&d->parent->lock);
    list_del(&d->child_link);
}

// Only one move runs at a time (rename_lock) and nothing else holds two dentry locks, so the two may be taken in any order.
void d_move(struct dentry *d, struct dentry *target, bool exchange) NO_THREAD_SAFETY_ANALYSIS
{
    struct dentry *old_parent = d->parent, *new_parent = target->parent;
    spin_lock(&rename_lock);
    seq_write_begin(&rename_seq);
    if (!exchange)
        displace(d);

    spin_lock(&d->lock);
    spin_lock(&target->lock);
    seq_write_begin(&d->seq);
    seq_write_begin(&target->seq);
    bool target_was_hashed = !(target->flags & DCACHE_UNHASHED);
    uint32_t d_hash = d->name.hash, target_hash = target->name.hash;
    d_bucket_remove(d);
    if (target_was_hashed)
        d_bucket_remove(target);
    if (exchange) {
        d_swap_names(d, target);
        target->name.hash = d_hash;
        target->parent = old_parent;
        d_bucket_insert(target);
    } else {
        d_copy_name(d, target);
        if (target_was_hashed)
            __atomic_fetch_or(&target->flags, DCACHE_UNHASHED, __ATOMIC_RELAXED);
    }
    d->name.hash = target_hash;
    d->parent = new_parent;
    d_bucket_insert(d);
    seq_write_end(&target->seq);
    seq_write_end(&d->seq);
    spin_unlock(&target->lock);
    spin_unlock(&d->lock);

    if (exchange)
        exchange_places(d, old_parent, target, new_parent);
    else if (target->inode)
        place_instead(d, target, new_parent);
    else
        place_in(d, new_parent);
    seq_write_end(&rename_seq);
    spin_unlock(&rename_lock);

    if (exchange)
        return; // each parent lost one child and got one
    if (old_parent != new_parent) {
        dget(new_parent);
        dput(old_parent);
    }
    if (target_was_hashed)
        dput(target); // the table's reference; the caller has one
}

// The first hashed child, with a reference, or null.
static struct dentry *first_child(struct dentry *parent)
{
    struct dentry *d;
    spin_guard(&parent->lock);
    list_for_each_entry(d, &parent->children, child_link)
        if (!(READ_ONCE(d->flags) & DCACHE_UNHASHED) && dget_rcu(d))
            return d;
    return nullptr;
}

// Leaves first; a child's reference keeps its parent while we are below it.
void d_invalidate_children(struct dentry *root)
{
    struct dentry *d = dget(root);
    for (;;) {
        struct dentry *child = first_child(d);
        if (child) {
            dput(d);
            d = child;
            continue;
        }
        if (d == root)
            break;
        struct dentry *parent = dget_parent(d);
        __atomic_fetch_and(&d->flags, ~DCACHE_PINNED, __ATOMIC_RELAXED);
        d_drop(d);
        dput(d);
        d = parent;
    }
    dput(d);
}

// ---- reading a directory whose tree is the dentry tree --------------------------------------------------------------

static unsigned dirent_type(umode_t mode)
{
    return (mode & S_IFMT) >> 12;
}

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
    if (ctx->pos == 0) {
        if (!ctx->emit(ctx, ".", 1, 1, file->inode->ino, DT_DIR))
            return false;
        ctx->pos = 1;
    }
    if (ctx->pos == 1) {
        struct dentry *parent = dget_parent(file->path.dentry);
        ino_t ino = parent->inode->ino;
        dput(parent);
        if (!ctx->emit(ctx, "..", 2, 2, ino, DT_DIR))
            return false;
        ctx->pos = 2;
    }
    return true;
}

// The first entry to show, `pos` or above. after: entries up to this one need not be looked at.
static struct dentry *entry_from(struct file *file, const struct dentry *after, uint64_t pos)
{
    struct dentry *dir = file->path.dentry;
    spin_guard(&dir->lock);
    for (struct list_head *at = after ? after->child_link.next : dir->children.next; at != &dir->children; at = at->next) {
        struct dentry *d = LIST_ENTRY(at, struct dentry, child_link);
        if (d->cookie >= pos && d->inode && !(READ_ONCE(d->flags) & DCACHE_UNHASHED))
            return d->cookie <= file->version ? d : nullptr;
    }
    return nullptr;
}

// Reading goes on behind `shown` next time. That may go away until then, and nothing of a reader should keep it: an entry of the open file's own, without a
// name, stands behind it among the children. If there is no memory for one, the place is searched for.
static void stop_behind(struct file *file, struct dentry *shown)
{
    struct dentry *cursor = file->private, *dir = file->path.dentry;
    if (!cursor) {
        cursor = kzalloc(sizeof *cursor, ALLOC_KERNEL);
        if (!cursor)
            return;
        cursor->flags = DCACHE_UNHASHED;
        list_init(&cursor->child_link);
        file->private = cursor;
    }
    spin_guard(&dir->lock);
    list_del_init(&cursor->child_link);
    list_add(&cursor->child_link, &shown->child_link);
    cursor->cookie = shown->cookie + 1;
}

// Positions are cookies, of which an entry with a new name gets one above all others. So a reading ends with the last one there was when it began, which the
// open file notes in `version`: who renames what is shown would never come to an end otherwise. The directory's inode lock is held for read: positive entries
// neither come, go nor move meanwhile, and being pinned they stay.
int dcache_iterate(struct file *file, struct dir_context *ctx)
{
    struct dentry *cursor = file->private, *shown = nullptr, *d;
    if (ctx->pos == 0 || !file->version)
        file->version = file->path.dentry->last_cookie;
    if (!dir_emit_dots(file, ctx))
        return 0;
    const struct dentry *after = cursor && cursor->cookie == (uint64_t)ctx->pos ? cursor : nullptr;
    while ((d = entry_from(file, after, (uint64_t)ctx->pos))) {
        if (!ctx->emit(ctx, d->name.name, d->name.len, (loff_t)d->cookie + 1, d->inode->ino, dirent_type(d->inode->mode)))
            break;
        ctx->pos = (loff_t)d->cookie + 1;
        after = shown = d;
    }
    if (shown && (d || cursor)) // most directories are shown at once and need none
        stop_behind(file, shown);
    return 0;
}

static void dcache_dir_release(struct file *file)
{
    struct dentry *cursor = file->private, *dir = file->path.dentry;
    if (!cursor)
        return;
    spin_lock(&dir->lock);
    list_del(&cursor->child_link);
    spin_unlock(&dir->lock);
    kfree(cursor);
}

const struct file_ops dcache_dir_ops = {
    .iterate = dcache_iterate,
    .llseek = endless_llseek,
    .fsync = noop_fsync,
    .release = dcache_dir_release,
};
