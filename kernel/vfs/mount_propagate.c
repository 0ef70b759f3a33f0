// kernel/vfs/mount_propagate.c — shared subtrees: mount_namespaces(7). namespace_sem is held for write throughout.
//
// Peers form a ring by share_link and have one group_id; a slave hangs on the list of one mount of its master's group. What happens below a mount is seen by
// its peers, by their slaves, by the slaves' peers, and so on: receivers() collects them breadth first. Each receiver but the first was reached through an
// earlier one, `via`, and gets a copy of the tree that `via` got: as a peer of that copy where the receiver is a peer of `via`, else as its slave.
#include "kernel/abi/mount.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/mount_internal.h"

static uint64_t groups_used[64] = {1}; // group ids 0 .. 4095, 0 is none; beyond that they are not given back
static int groups_beyond = 64 * 64;

static int group_id_take(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(groups_used); i++) {
        if (!~groups_used[i])
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~groups_used[i]);
        groups_used[i] |= 1ull << bit;
        return (int)(i * 64 + bit);
    }
    return groups_beyond++;
}

static void group_id_give(int id)
{
    if (id < (int)ARRAY_SIZE(groups_used) * 64)
        groups_used[id / 64] &= ~(1ull << id % 64);
}

void group_assign_new(struct mount *m)
{
    m->group_id = group_id_take();
}

void group_join(struct mount *m, struct mount *peer)
{
    m->group_id = peer->group_id;
    list_add(&m->share_link, &peer->share_link);
}

void slave_of(struct mount *m, struct mount *master)
{
    m->master = master;
    list_add_tail(&m->slave_link, &master->slaves);
}

static struct mount *a_peer(struct mount *m)
{
    return list_empty(&m->share_link) ? nullptr : LIST_ENTRY(m->share_link.next, struct mount, share_link);
}

// Leaves the peer group; its slaves go to a peer, or to its own master, or become private.
static void leave_group(struct mount *m)
{
    struct mount *heir = a_peer(m);
    if (m->group_id && !heir)
        group_id_give(m->group_id);
    list_del_init(&m->share_link);
    m->group_id = 0;
    if (!heir)
        heir = m->master;
    while (!list_empty(&m->slaves)) {
        struct mount *s = list_first_entry(&m->slaves, struct mount, slave_link);
        list_del_init(&s->slave_link);
        s->master = nullptr;
        if (heir)
            slave_of(s, heir);
    }
}

static void leave_master(struct mount *m)
{
    if (m->master)
        list_del_init(&m->slave_link);
    m->master = nullptr;
}

void propagation_leave(struct mount *m)
{
    leave_group(m);
    leave_master(m);
}

int mount_set_type(struct mount *m, unsigned type)
{
    switch (type) {
    case MS_SHARED:
        if (!m->group_id)
            group_assign_new(m);
        m->unbindable = false;
        return 0;
    case MS_SLAVE: {
        // A slave of the group it leaves; one without peers keeps the master it has, or becomes private.
        struct mount *peer = a_peer(m);
        if (m->group_id) {
            struct mount *old_master = m->master;
            leave_group(m);
            if (peer) {
                leave_master(m);
                slave_of(m, peer);
            } else {
                m->master = old_master;
            }
        }
        m->unbindable = false;
        return 0;
    }
    case MS_PRIVATE:
    case MS_UNBINDABLE:
        propagation_leave(m);
        m->unbindable = type == MS_UNBINDABLE;
        return 0;
    }
    return -EINVAL;
}

// A mount in no namespace sees nothing: it is part of a tree that is on its way to its place. Nobody is reached through such a one alone either: it is
// a copy, so a peer or slave of others, without slaves.
static void reach(struct mount *m, struct mount *via, struct list_head *out)
{
    if (!m->ns || !list_empty(&m->work_link))
        return;
    m->copy = via;
    list_add_tail(&m->work_link, out);
}

// All that see what happens below `origin`, itself first, by work_link; `copy` of each is the one it was reached through.
static void receivers(struct mount *origin, struct list_head *out)
{
    origin->copy = nullptr;
    list_add_tail(&origin->work_link, out);
    struct mount *m;
    list_for_each_entry(m, out, work_link) {
        for (struct list_head *at = m->share_link.next; at != &m->share_link; at = at->next)
            reach(LIST_ENTRY(at, struct mount, share_link), m, out);
        struct mount *slave;
        list_for_each_entry(slave, &m->slaves, slave_link)
            reach(slave, m, out);
    }
}

static void forget(struct list_head *list)
{
    while (!list_empty(list)) {
        struct mount *m = list_first_entry(list, struct mount, work_link);
        list_del_init(&m->work_link);
        m->copy = nullptr;
    }
}

// Puts `tree` at its place; what was there already moves on top of it.
static void attach_beneath(struct mount *tree, struct mount *parent, struct dentry *point)
{
    struct mount *over = mount_find_rcu(parent, point);
    const struct mount_place places[] = {{tree, parent, point}, {over, tree, tree->root}};
    mounts_place(places, over ? 2 : 1);
    if (parent->ns) {
        mount_tree_enter_ns(tree, parent->ns);
        mount_ns_changed(parent->ns);
    }
}

struct copy_of { // what one receiver gets
    struct mount *receiver, *tree;
    const struct copy_of *from; // whose tree it copies; null: the origin's
    struct list_head link;
};

static bool sees(const struct mount *receiver, const struct dentry *point)
{
    return receiver->sb == point->sb && d_is_ancestor(receiver->root, point);
}

// What a peer gets, or else the receiver that is nearest on the way back to the origin; null: nobody but the origin itself.
static const struct copy_of *copy_via(const struct mount *m, struct list_head *copies)
{
    struct copy_of *c;
    list_for_each_entry(c, copies, link)
        if (m->group_id && c->receiver->group_id == m->group_id)
            return c;
    for (struct mount *via = m->copy; via && via->copy; via = via->copy) {
        list_for_each_entry(c, copies, link)
            if (c->receiver == via)
                return c;
    }
    return nullptr;
}

// Notes who of the receivers gets a copy, and of what.
static int plan_copies(struct mount *parent, struct dentry *point, struct list_head *seen, struct list_head *copies)
{
    struct mount *r;
    list_for_each_entry(r, seen, work_link) {
        if (r == parent || !sees(r, point))
            continue;
        struct copy_of *c = kmalloc(sizeof *c, ALLOC_ZERO);
        if (!c)
            return -ENOMEM;
        c->receiver = r;
        c->from = copy_via(r, copies);
        list_add_tail(&c->link, copies);
    }
    return 0;
}

static int make_copies(struct mount *tree, struct mount *parent, struct list_head *copies)
{
    struct copy_of *c;
    list_for_each_entry(c, copies, link) {
        struct mount *from = c->from ? c->from->tree : tree, *r = c->receiver;
        bool peer = r->group_id && r->group_id == (c->from ? c->from->receiver : parent)->group_id;
        unsigned how = peer ? 0 : CLONE_MNT_SLAVE | (r->group_id ? CLONE_MNT_SHARED : 0);
        if (!mount_may_copy(from, from->root, how))
            return -EINVAL;
        c->tree = mount_copy_tree(from, from->root, how);
        if (!c->tree)
            return -ENOMEM;
    }
    return 0;
}

// In a shared mount all are shared.
static void share_all(struct mount *tree)
{
    for (struct mount *m = tree; m; m = mount_next(m, tree)) {
        m->newly_shared = !m->group_id;
        if (!m->group_id)
            group_assign_new(m);
    }
}

static void share_done(struct mount *tree, bool undo)
{
    for (struct mount *m = tree; m; m = mount_next(m, tree)) {
        if (undo && m->newly_shared)
            leave_group(m);
        m->newly_shared = false;
    }
}

uint32_t sysctl_mount_max = 100000;

// Whether each namespace on the list of receivers has room for what it would get: a copy of the tree, the origin's what of it is not there yet (a mount that
// moves is).
static bool namespaces_have_room(struct mount *tree, struct mount *parent, struct dentry *point, struct list_head *seen)
{
    unsigned all = 0, fresh = 0;
    for (struct mount *m = tree; m; m = mount_next(m, tree), all++)
        fresh += !m->ns;
    bool room = true;
    struct mount *r;
    list_for_each_entry(r, seen, work_link)
        if (r->ns && (r == parent || sees(r, point)))
            r->ns->coming += r == parent ? fresh : all;
    list_for_each_entry(r, seen, work_link)
        if (r->ns && r->ns->coming) {
            room &= r->ns->nr_mounts + r->ns->coming <= READ_ONCE(sysctl_mount_max);
            r->ns->coming = 0;
        }
    return room;
}

int mount_attach_propagated(struct mount *tree, struct mount *parent, struct dentry *point)
{
    LIST_HEAD(seen);
    LIST_HEAD(copies);
    receivers(parent, &seen);
    if (!namespaces_have_room(tree, parent, point, &seen)) {
        forget(&seen);
        return -ENOSPC;
    }
    // Who receives what is settled before anything is copied: `copy` serves both, and where a tree moves below a peer of one of its own mounts, that mount is
    // in both.
    int err = plan_copies(parent, point, &seen, &copies);
    forget(&seen);
    if (parent->group_id)
        share_all(tree);
    if (!err)
        err = make_copies(tree, parent, &copies);
    if (!err)
        attach_beneath(tree, parent, point);
    while (!list_empty(&copies)) {
        struct copy_of *c = list_first_entry(&copies, struct copy_of, link);
        list_del(&c->link);
        if (!err)
            attach_beneath(c->tree, c->receiver, point);
        else if (c->tree)
            mount_tree_drop(c->tree, false);
        kfree(c);
    }
    share_done(tree, err);
    return err;
}

void propagate_umount_collect(struct mount *mnt, struct list_head *out)
{
    LIST_HEAD(seen);
    receivers(mnt->parent, &seen);
    struct mount *r;
    list_for_each_entry(r, &seen, work_link) {
        struct mount *m = r == mnt->parent ? nullptr : mount_find_rcu(r, mnt->mountpoint);
        if (m && m->sb == mnt->sb && m->root == mnt->root && list_empty(&m->umount_link))
            list_add_tail(&m->umount_link, out);
    }
    forget(&seen);
}
