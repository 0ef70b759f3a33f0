// kernel/vfs/mount_tree.c — the shape of mount trees: attaching, detaching, copying, walking, dropping. namespace_sem is held for write throughout.
//
// A mount in a tree has one reference for that. Parents are not referenced by their children: a mount with children is not unmounted (EBUSY), or
// goes together with them; a tree whose place was removed stays connected, each mount without its tree reference living only as long as someone is
// inside, and is taken apart from the top as the last references go (mnt_put_last).
#include "kernel/base/assert.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/mount_internal.h"

static LIST_HEAD(dropped); // by work_link: tree references to be put after the lock; namespace_sem

struct mount *mount_clone(struct mount *from, struct dentry *root, unsigned how)
{
    struct mount *m = mount_new(from->sb, root, from->source);
    if (!m)
        return nullptr;
    m->flags = from->flags & ~(MNT_INTERNAL | MNT_DETACHED);
    m->unbindable = from->unbindable && how & CLONE_MNT_UNBINDABLE;
    if (how & CLONE_MNT_SLAVE) {
        slave_of(m, from);
    } else if (!(how & CLONE_MNT_PRIVATE)) {
        if (from->group_id)
            group_join(m, from);
        if (from->master)
            slave_of(m, from->master);
    }
    if (how & CLONE_MNT_SHARED && !m->group_id)
        group_assign_new(m);
    return m;
}

struct mount *mount_next(struct mount *m, const struct mount *root)
{
    if (!list_empty(&m->children))
        return list_first_entry(&m->children, struct mount, child_link);
    while (m != root) {
        struct mount *parent = m->parent;
        if (m->child_link.next != &parent->children)
            return LIST_ENTRY(m->child_link.next, struct mount, child_link);
        m = parent;
    }
    return nullptr;
}

// As mount_next(), but not into what is below m.
static struct mount *mount_skip(struct mount *m, const struct mount *root)
{
    while (m != root) {
        if (m->child_link.next != &m->parent->children)
            return LIST_ENTRY(m->child_link.next, struct mount, child_link);
        m = m->parent;
    }
    return nullptr;
}

bool mount_is_below(const struct mount *m, const struct mount *root)
{
    while (m != root && m->parent != m)
        m = m->parent;
    return m == root;
}

void mounts_place(const struct mount_place *to, unsigned n)
{
    DEBUG_ASSERT(n <= MOUNT_PLACES_MAX);
    struct dentry *from[MOUNT_PLACES_MAX] = {};
    for (unsigned i = 0; i < n; i++) {
        struct mount *m = to[i].mount;
        if (m->parent != m) {
            from[i] = m->mountpoint;
            list_del(&m->child_link);
        }
        list_add_tail(&m->child_link, &to[i].parent->children);
        dget(to[i].point);
    }
    mount_hash_place(to, n);
    for (unsigned i = 0; i < n; i++)
        dput(from[i]);
}

void mount_attach(struct mount *m, struct mount *parent, struct dentry *mountpoint)
{
    mounts_place(&(struct mount_place){m, parent, mountpoint}, 1);
}

// A mount without a parent has its own root, unreferenced a second time, as mountpoint.
void mount_detach(struct mount *m)
{
    if (m->parent == m)
        return;
    struct dentry *point = m->mountpoint;
    mount_hash_remove(m);
    list_del_init(&m->child_link);
    dput(point);
}

void mount_copy_forget(struct mount *from)
{
    for (struct mount *m = from; m; m = mount_next(m, from))
        m->copy = nullptr;
}

bool mount_may_copy(const struct mount *m, const struct dentry *root, unsigned how)
{
    const struct superblock_ops *ops = m->sb->ops;
    return (!m->unbindable || how & CLONE_MNT_UNBINDABLE) && (how & CLONE_MNT_NS_FILES || !ops || !ops->may_bind || ops->may_bind(root, true));
}

struct mount *mount_copy_tree_noted(struct mount *from, struct dentry *root, unsigned how)
{
    if (!mount_may_copy(from, root, how))
        return nullptr;
    struct mount *top = mount_clone(from, root, how);
    if (!top)
        return nullptr;
    from->copy = top;
    for (struct mount *m = mount_next(from, from); m;) {
        bool wanted = mount_may_copy(m, m->root, how);
        if (wanted && m->parent == from)
            wanted = d_is_ancestor(root, m->mountpoint);
        if (!wanted) {
            m = mount_skip(m, from);
            continue;
        }
        struct mount *c = mount_clone(m, m->root, how);
        if (!c) {
            mount_tree_drop(top, false);
            mount_copy_forget(from);
            return nullptr;
        }
        m->copy = c;
        mount_attach(c, m->parent->copy, m->mountpoint);
        m = mount_next(m, from);
    }
    return top;
}

struct mount *mount_copy_tree(struct mount *from, struct dentry *root, unsigned how)
{
    struct mount *top = mount_copy_tree_noted(from, root, how);
    if (top)
        mount_copy_forget(from);
    return top;
}

void mount_tree_enter_ns(struct mount *tree, struct mount_namespace *ns)
{
    for (struct mount *m = tree; m; m = mount_next(m, tree)) {
        if (m->ns)
            continue;
        m->ns = ns;
        list_add_tail(&m->ns_link, &ns->mounts);
        ns->nr_mounts++;
    }
}

void mount_ns_changed(struct mount_namespace *ns)
{
    if (!ns)
        return;
    __atomic_fetch_add(&ns->event, 1, __ATOMIC_RELEASE);
    wake_up_all(&ns->poll_wq);
}

static void leave_ns(struct mount *m)
{
    if (m->ns) {
        list_del_init(&m->ns_link);
        m->ns->nr_mounts--;
        m->ns = nullptr;
    }
    __atomic_fetch_or(&m->flags, MNT_DETACHED, __ATOMIC_RELAXED);
}

void mount_tree_drop(struct mount *tree, bool connected)
{
    struct mount_namespace *ns = tree->ns;
    mount_detach(tree);
    LIST_HEAD(all);
    for (struct mount *m = tree; m; m = mount_next(m, tree)) {
        leave_ns(m);
        propagation_leave(m);
        list_del_init(&m->work_link);
        list_add_tail(&m->work_link, &all);
    }
    struct mount *m, *next;
    list_for_each_entry_safe(m, next, &all, work_link) {
        // Kept together, only the top's tree reference goes now; the others go when their parents do.
        if (connected && m != tree) {
            list_del_init(&m->work_link);
            continue;
        }
        if (m != tree)
            mount_detach(m);
        list_move_tail(&m->work_link, &dropped);
    }
    mount_ns_changed(ns);
}

void mounts_detach_locked(struct dentry *dentry)
{
    struct mount *m;
    while ((m = mount_on(dentry)))
        mount_tree_drop(m, true);
}

void mounts_detach(struct dentry *dentry)
{
    smp_mb(); // the name is gone; graft() marks the dentry first and looks for the name again afterwards
    if (likely(!(READ_ONCE(dentry->flags) & DCACHE_MOUNTED)))
        return;
    down_write(&namespace_sem);
    mounts_detach_locked(dentry);
    namespace_unlock();
}

void namespace_unlock(void)
{
    LIST_HEAD(mine);
    list_splice_tail_init(&dropped, &mine);
    up_write(&namespace_sem);
    while (!list_empty(&mine)) {
        struct mount *m = list_first_entry(&mine, struct mount, work_link);
        list_del_init(&m->work_link);
        mnt_put(m);
    }
}
