// kernel/vfs/mount.c — mounts: their lives, finding them, write access to them.
//
// namespace_sem guards the shape of all mount trees and the propagation groups. Lookups go by two hashes under RCU: (parent, mountpoint) leads down; by
// mountpoint alone tells whether a dentry still carries a mount anywhere. Every change of the first is bracketed by mount_seq.
#include "kernel/base/assert.h"
#include "kernel/base/hash.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/mount_internal.h"

static DEFINE_LOCK_CLASS(namespace_sem_class, "mount namespaces", RANK_NAMESPACE);
static DEFINE_LOCK_CLASS(mount_hash_class, "mount hash", (enum lock_rank)(RANK_DENTRY - 2));

#define MOUNT_HASH_BITS 10

struct rwsem namespace_sem;
seqcount_t mount_seq;
static struct hlist_head by_place[1 << MOUNT_HASH_BITS], by_point[1 << MOUNT_HASH_BITS];
static struct spinlock hash_lock = SPINLOCK_INIT(&mount_hash_class);
static atomic_t next_id;

void mount_locks_init(void)
{
    rwsem_init(&namespace_sem, &namespace_sem_class);
}

static struct hlist_head *place_bucket(const struct mount *parent, const struct dentry *dentry)
{
    return &by_place[hash_u64((uintptr_t)parent ^ (uintptr_t)dentry << 7, MOUNT_HASH_BITS)];
}

struct mount *mount_new(struct superblock *sb, struct dentry *root, const char *source)
{
    struct mount *m = kzalloc(sizeof *m, ALLOC_KERNEL);
    if (!m)
        return nullptr;
    if (source && !(m->source = kstrdup(source, ALLOC_KERNEL))) {
        kfree(m);
        return nullptr;
    }
    m->parent = m;
    m->mountpoint = m->root = dget(root);
    m->sb = sb_get(sb);
    m->id = atomic_inc_return(&next_id);
    refcount_set(&m->refs, 1);
    list_init(&m->children);
    list_init(&m->child_link);
    list_init(&m->ns_link);
    list_init(&m->share_link);
    list_init(&m->slaves);
    list_init(&m->slave_link);
    list_init(&m->work_link);
    list_init(&m->umount_link);
    spin_lock(&sb->inodes_lock);
    list_add_tail(&m->sb_link, &sb->mounts);
    spin_unlock(&sb->inodes_lock);
    return m;
}

static void mount_free_rcu(struct rcu_head *head)
{
    struct mount *m = container_of(head, struct mount, rcu);
    sb_put_memory(m->sb);
    kfree(m->source);
    kfree(m);
}

// What a tree that went with its place still held together falls apart with its parent. Those that nobody else holds end with it: they go on the list.
static void let_children_go(struct mount *m, struct list_head *ended)
{
    down_write(&namespace_sem);
    while (!list_empty(&m->children)) {
        struct mount *child = list_first_entry(&m->children, struct mount, child_link);
        mount_detach(child);
        if (refcount_dec_and_test(&child->refs))
            list_add_tail(&child->work_link, ended);
    }
    up_write(&namespace_sem);
}

// A list and not a recursion: a tree may be as deep as its namespace has mounts.
void mnt_put_last(struct mount *m)
{
    LIST_HEAD(ended);
    for (;;) {
        if (!list_empty(&m->children))
            let_children_go(m, &ended);
        spin_lock(&m->sb->inodes_lock);
        list_del(&m->sb_link);
        spin_unlock(&m->sb->inodes_lock);
        sb_get_memory(m->sb);
        dput(m->root);
        sb_put(m->sb);
        call_rcu(&m->rcu, mount_free_rcu);
        if (list_empty(&ended))
            return;
        m = list_first_entry(&ended, struct mount, work_link);
        list_del_init(&m->work_link);
    }
}

// ---- finding --------------------------------------------------------------------------------------------------------

struct mount *mount_find_rcu(const struct mount *parent, const struct dentry *dentry)
{
    struct mount *m;
    hlist_for_each_entry_rcu(m, place_bucket(parent, dentry), hash)
        if (m->parent == parent && m->mountpoint == dentry)
            return m;
    return nullptr;
}

struct mount *mount_find_get(struct mount *parent, struct dentry *dentry)
{
    for (;;) {
        uint32_t seq = seq_read_begin(&mount_seq);
        rcu_read_lock();
        struct mount *m = mount_find_rcu(parent, dentry);
        bool got = m && mnt_get_rcu(m);
        rcu_read_unlock();
        if (!seq_read_retry(&mount_seq, seq))
            return got ? m : nullptr;
        if (got)
            mnt_put(m);
    }
}

void path_descend_mounts(struct path *path)
{
    while (READ_ONCE(path->dentry->flags) & DCACHE_MOUNTED) {
        struct mount *m = mount_find_get(path->mnt, path->dentry);
        if (!m)
            return;
        dput(path->dentry);
        mnt_put(path->mnt);
        *path = (struct path){m, dget(m->root)};
    }
}

bool path_is_under_locked(const struct path *path, const struct path *root)
{
    struct mount *m = path->mnt;
    struct dentry *d = path->dentry;
    while (m != root->mnt && m->parent != m) {
        d = m->mountpoint;
        m = m->parent;
    }
    return m == root->mnt && d_is_ancestor(root->dentry, d);
}

bool path_is_under(const struct path *path, const struct path *root)
{
    read_guard(&namespace_sem);
    return path_is_under_locked(path, root);
}

// ---- the hashes: namespace_sem held for write -----------------------------------------------------------------------

static struct mount *first_on(const struct dentry *dentry, const struct mount_namespace *ns) REQUIRES(hash_lock)
{
    struct mount *m;
    hlist_for_each_entry(m, &by_point[hash_ptr(dentry, MOUNT_HASH_BITS)], point_hash)
    {
        if (m->mountpoint == dentry && (!ns || READ_ONCE(m->ns) == ns))
            return m;
    }
    return nullptr;
}

static void unhash(struct mount *m) REQUIRES(hash_lock)
{
    hlist_del_init_rcu(&m->hash);
    hlist_del_init_rcu(&m->point_hash);
}

static void left(struct dentry *point) REQUIRES(hash_lock)
{
    if (!first_on(point, nullptr))
        __atomic_fetch_and(&point->flags, ~DCACHE_MOUNTED, __ATOMIC_RELAXED);
}

// Where a mount is changes together with the hashes: those who read parent and mountpoint go by mount_seq too. They look at it only where a dentry has
// DCACHE_MOUNTED, so a place that stays occupied keeps that all the time.
void mount_hash_place(const struct mount_place *to, unsigned n)
{
    struct dentry *from[MOUNT_PLACES_MAX] = {};
    spin_guard(&hash_lock);
    seq_write_begin(&mount_seq);
    for (unsigned i = 0; i < n; i++) {
        struct mount *m = to[i].mount;
        if (m->parent != m) {
            unhash(m);
            from[i] = m->mountpoint;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        struct mount *m = to[i].mount;
        m->parent = to[i].parent;
        m->mountpoint = to[i].point;
        __atomic_fetch_or(&m->mountpoint->flags, DCACHE_MOUNTED, __ATOMIC_RELEASE);
        hlist_add_head_rcu(&m->hash, place_bucket(m->parent, m->mountpoint));
        hlist_add_head_rcu(&m->point_hash, &by_point[hash_ptr(m->mountpoint, MOUNT_HASH_BITS)]);
    }
    for (unsigned i = 0; i < n; i++)
        if (from[i])
            left(from[i]);
    seq_write_end(&mount_seq);
}

void mount_hash_remove(struct mount *m)
{
    spin_guard(&hash_lock);
    seq_write_begin(&mount_seq);
    unhash(m);
    left(m->mountpoint);
    m->parent = m;
    m->mountpoint = m->root;
    seq_write_end(&mount_seq);
}

bool mount_busy(const struct mount *m, unsigned known)
{
    return !list_empty(&m->children) || refcount_read(&m->refs) > 1 + known;
}

// A lookup takes its reference, then looks at mount_seq; we move mount_seq, then look at the references: one of us sees the other.
bool mounts_unhash_unless_busy(struct mount *m, struct list_head *also)
{
    spin_guard(&hash_lock);
    seq_write_begin(&mount_seq);
    smp_mb();
    struct mount *other;
    bool in_use = mount_busy(m, 1);
    list_for_each_entry(other, also, umount_link)
        in_use |= list_empty(&other->children) && mount_busy(other, 0);
    if (!in_use) {
        hlist_del_init_rcu(&m->hash);
        list_for_each_entry(other, also, umount_link)
            if (list_empty(&other->children))
                hlist_del_init_rcu(&other->hash);
    }
    seq_write_end(&mount_seq);
    return !in_use;
}

struct mount *mount_on(const struct dentry *dentry)
{
    spin_guard(&hash_lock);
    return first_on(dentry, nullptr);
}

bool mounted_here(const struct dentry *dentry)
{
    if (likely(!(READ_ONCE(dentry->flags) & DCACHE_MOUNTED)))
        return false;
    const struct mount_namespace *ns = current_mount_ns();
    spin_guard(&hash_lock);
    return first_on(dentry, ns) != nullptr;
}

// The writers first: what one of them was at may have been to take a file's last name.
bool sb_has_writers(struct superblock *sb)
{
    struct mount *m;
    spin_guard(&sb->inodes_lock);
    list_for_each_entry(m, &sb->mounts, sb_link)
        if (atomic_read_acquire(&m->writers) > 0)
            return true;
    return atomic_read(&sb->unlinked) > 0;
}

// ---- write access ---------------------------------------------------------------------------------------------------

int mnt_want_write(struct mount *m)
{
    atomic_inc(&m->writers);
    if (unlikely(READ_ONCE(m->flags) & MNT_READONLY || READ_ONCE(m->sb->flags) & SB_RDONLY)) {
        atomic_dec(&m->writers);
        return -EROFS;
    }
    return 0;
}

void mnt_drop_write(struct mount *m)
{
    atomic_dec(&m->writers);
}

int mount_make_readonly(struct mount *m)
{
    __atomic_fetch_or(&m->flags, MNT_READONLY, __ATOMIC_SEQ_CST);
    smp_mb(); // against mnt_want_write(): it counts itself, then looks at the flag
    if (atomic_read(&m->writers) == 0)
        return 0;
    __atomic_fetch_and(&m->flags, ~MNT_READONLY, __ATOMIC_SEQ_CST);
    return -EBUSY;
}

int mount_internal(const struct file_system_type *type, const char *options, struct mount **out)
{
    struct superblock *sb;
    int err = type->get_super(type, SB_KERNMOUNT, type->name, options, &sb);
    if (err)
        return err;
    *out = mount_new(sb, sb->root, type->name);
    sb_put(sb);
    if (!*out)
        return -ENOMEM;
    (*out)->flags = MNT_INTERNAL;
    return 0;
}
