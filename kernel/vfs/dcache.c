// kernel/vfs/dcache.c — the cache of names: the hash table, references, the list of unused entries.
//
// References: one per holder, one per child (child->parent), and one while the dentry is hashed. So a cached entry that nobody uses has exactly one
// reference, the table's; it then stands on the LRU, unless it is pinned (a positive entry of a file system whose only copy of the tree this is). An
// entry dies by one atomic step of its count to zero: from its last holder's one once unhashed, or, by the shrinker, from the table's one. Lookups
// under RCU take references with "increment unless zero", so that they never bring a dead entry back. What the shrinker has killed is counted in its
// superblock until it is freed. An entry whose count is zero is not on the LRU, or whoever sees it there last takes it off: lru_add_locked() and d_destroy().
//
// Locks: dentry->lock guards the dentry's children list and makes changes of name, parent, inode and hashing exclusive; dentry->seq tells readers
// about them. Moves are serialised by rename_lock and announced by rename_seq. Bucket locks and the LRU lock are inside and never nest; with the LRU lock held
// the shrinker only tries the entries' locks.
#include "kernel/vfs/dcache.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/vfs/dcache_internal.h"
#include "kernel/vfs/name_hash.h"
#include "kernel/vfs/inotify.h"

static DEFINE_LOCK_CLASS_NESTED(dentry_lock_class, "dentry", RANK_DENTRY);
static DEFINE_LOCK_CLASS(dentry_bucket_class, "dentry bucket", (enum lock_rank)(RANK_DENTRY + 1));

#define BUCKET_LOCKS 256u

struct hlist_head *dcache_buckets RO_AFTER_INIT;
uint32_t dcache_shift RO_AFTER_INIT;
static struct spinlock bucket_locks[BUCKET_LOCKS];
static struct slab_cache *dentry_slab RO_AFTER_INIT;
static atomic64_t nr_dentries;

static struct spinlock lru_lock;
static LIST_HEAD(lru);
static uint64_t lru_count; // lru_lock
static struct waitqueue shrunk = WAITQUEUE_INIT(shrunk); // some superblock's dentries_dying came to zero

// A name too long to stand in the dentry; shared by dentries that a rename gave the same name.
struct long_name {
    refcount_t refs;
    struct rcu_head rcu;
    char text[];
};

static inline struct spinlock *bucket_lock_of(uint32_t hash)
{
    return &bucket_locks[(hash >> dcache_shift) % BUCKET_LOCKS];
}
static inline void flags_set(struct dentry *d, uint32_t bits)
{
    __atomic_fetch_or(&d->flags, bits, __ATOMIC_RELAXED);
}
static inline void flags_clear(struct dentry *d, uint32_t bits)
{
    __atomic_fetch_and(&d->flags, ~bits, __ATOMIC_RELAXED);
}

uint64_t dentry_count(void)
{
    return (uint64_t)atomic_read(&nr_dentries);
}
uint64_t dentry_unused_count(void)
{
    return READ_ONCE(lru_count);
}

// ---- names ----------------------------------------------------------------------------------------------------------

uint32_t d_name_hash(const struct dentry *parent, const char *name, size_t len)
{
    uint64_t h = name_hash_begin(parent), w;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        __builtin_memcpy(&w, name + i, 8);
        h = name_hash_step(h, w);
    }
    if (i < len) {
        w = 0;
        for (unsigned k = 0; i + k < len; k++)
            w |= (uint64_t)(uint8_t)name[i + k] << 8 * k;
        h = name_hash_step(h, w);
    }
    return name_hash_end(h, len);
}

static bool name_is_inline(const struct dentry *d)
{
    return d->name.name == d->inline_name;
}

static bool name_set(struct dentry *d, const char *name, size_t len)
{
    char *to = d->inline_name;
    if (len >= DNAME_INLINE) {
        struct long_name *ln = kmalloc(sizeof *ln + len + 1, ALLOC_KERNEL);
        if (!ln)
            return false;
        refcount_set(&ln->refs, 1);
        to = ln->text;
    }
    memcpy(to, name, len);
    to[len] = 0;
    d->name.name = to;
    d->name.len = (uint32_t)len;
    return true;
}

static void name_release(struct dentry *d)
{
    if (name_is_inline(d))
        return;
    struct long_name *ln = container_of((void *)d->name.name, struct long_name, text);
    if (refcount_dec_and_test(&ln->refs))
        kfree_rcu(ln, rcu);
}

// `to` gets the name of `from`. Both locked.
void d_copy_name(struct dentry *to, const struct dentry *from)
{
    name_release(to);
    if (name_is_inline(from)) {
        memcpy(to->inline_name, from->inline_name, DNAME_INLINE);
        to->name.name = to->inline_name;
    } else {
        refcount_inc(&container_of((void *)from->name.name, struct long_name, text)->refs);
        to->name.name = from->name.name;
    }
    to->name.len = from->name.len;
}

void d_swap_names(struct dentry *a, struct dentry *b)
{
    const char *a_long = name_is_inline(a) ? nullptr : a->name.name, *b_long = name_is_inline(b) ? nullptr : b->name.name;
    for (unsigned i = 0; i < DNAME_INLINE; i++) {
        char c = a->inline_name[i];
        a->inline_name[i] = b->inline_name[i];
        b->inline_name[i] = c;
    }
    uint32_t len = a->name.len;
    a->name.len = b->name.len;
    b->name.len = len;
    a->name.name = b_long ? b_long : a->inline_name;
    b->name.name = a_long ? a_long : b->inline_name;
}

// ---- birth and death ------------------------------------------------------------------------------------------------

static struct dentry *d_new(const char *name, size_t len)
{
    struct dentry *d = slab_alloc(dentry_slab, ALLOC_ZERO);
    if (!d)
        return nullptr;
    if (!name_set(d, name, len)) {
        slab_free(dentry_slab, d);
        return nullptr;
    }
    refcount_set(&d->refs, 1);
    spin_init(&d->lock, &dentry_lock_class);
    list_init(&d->children);
    list_init(&d->child_link);
    d->flags = DCACHE_UNHASHED;
    d->parent = d;
    d->last_cookie = 1;
    atomic_add_relaxed(&nr_dentries, 1);
    return d;
}

void d_set_ops(struct dentry *d, const struct dentry_ops *ops)
{
    d->ops = ops;
    uint32_t bits = (ops && ops->revalidate ? DCACHE_REVALIDATE : 0) | (ops && ops->keep ? DCACHE_TRANSIENT : 0);
    if (bits)
        flags_set(d, bits);
}

struct dentry *d_alloc(struct dentry *parent, const char *name, size_t len)
{
    struct dentry *d = d_new(name, len);
    if (!d)
        return nullptr;
    d->name.hash = d_name_hash(parent, name, len);
    d->sb = parent->sb;
    d->parent = dget(parent);
    spin_lock(&parent->lock);
    list_add_tail(&d->child_link, &parent->children);
    spin_unlock(&parent->lock);
    return d;
}

void d_name_by_number(struct dentry *d)
{
    spin_guard(&d->lock);
    d->name.len = (uint32_t)scnprintf(d->inline_name, sizeof d->inline_name, "#%llu", (unsigned long long)d->inode->ino);
}

struct dentry *d_alloc_root(struct inode *inode)
{
    struct dentry *d = d_new("/", 1);
    if (!d) {
        iput(inode);
        return nullptr;
    }
    d->flags = DCACHE_PINNED;
    d->sb = inode->sb;
    d->inode = inode;
    return d;
}

struct dentry *d_alloc_anon(struct inode *inode, const struct dentry_ops *ops)
{
    struct dentry *d = d_new("", 0);
    if (!d)
        return nullptr;
    d->flags = DCACHE_UNHASHED | DCACHE_DISCONNECTED;
    d->sb = inode->sb;
    d->inode = inode;
    d_set_ops(d, ops);
    return d;
}

static void d_free_rcu(struct rcu_head *head)
{
    slab_free(dentry_slab, container_of(head, struct dentry, rcu));
}

static void lru_remove_locked(struct dentry *d) REQUIRES(lru_lock)
{
    flags_clear(d, DCACHE_ON_LRU | DCACHE_REFERENCED);
    list_del(&d->lru);
    lru_count--;
}

// The table's reference is the only one left: the entry becomes reclaimable. It may die under our eyes; RCU keeps its memory. What the shrinker has killed,
// under lru_lock, stands on its own list by the same link: that is seen by the count being zero. d_destroy() makes the count zero, then looks whether the
// entry is on the LRU; we put it there, then look at the count once more: one of us sees the other.
static void lru_add_locked(struct dentry *d) REQUIRES(lru_lock)
{
    if (d->flags & (DCACHE_ON_LRU | DCACHE_UNHASHED) || refcount_read(&d->refs) == 0)
        return;
    flags_set(d, DCACHE_ON_LRU | DCACHE_REFERENCED);
    list_add_tail(&d->lru, &lru);
    lru_count++;
    smp_mb();
    if (refcount_read(&d->refs) == 0)
        lru_remove_locked(d);
}

static void lru_add(struct dentry *d)
{
    spin_guard(&lru_lock);
    lru_add_locked(d);
}

// Frees an unhashed dentry whose count has just become zero; returns its parent, whose reference the caller drops.
static struct dentry *d_destroy(struct dentry *d)
{
    smp_mb(); // against lru_add_locked()
    if (READ_ONCE(d->flags) & DCACHE_ON_LRU) {
        spin_guard(&lru_lock);
        if (d->flags & DCACHE_ON_LRU)
            lru_remove_locked(d);
    }
    struct dentry *parent = d->parent == d ? nullptr : d->parent;
    if (parent) {
        spin_lock(&parent->lock);
        list_del(&d->child_link);
        spin_unlock(&parent->lock);
    }
    if (d->inode) {
        inotify_unlinked(d->inode);
        iput(d->inode);
    }
    name_release(d);
    atomic_sub_relaxed(&nr_dentries, 1);
    call_rcu(&d->rcu, d_free_rcu);
    return parent;
}

void dput(struct dentry *d)
{
    while (d) {
        rcu_read_lock();
        unsigned old = __atomic_fetch_sub(&d->refs.v, 1, __ATOMIC_ACQ_REL);
        if (likely(old > 2)) {
            rcu_read_unlock();
            if (unlikely(old >= REFCOUNT_SATURATED))
                refcount_bad(&d->refs, "dput of a dead or saturated dentry");
            return;
        }
        if (old == 1) {
            rcu_read_unlock();
            d = d_destroy(d);
            continue;
        }
        if (unlikely(old == 0)) {
            rcu_read_unlock();
            refcount_bad(&d->refs, "dput of a dead dentry");
            return;
        }
        uint32_t flags = READ_ONCE(d->flags);
        bool kept = flags & DCACHE_PINNED || (flags & (DCACHE_ON_LRU | DCACHE_REFERENCED)) == (DCACHE_ON_LRU | DCACHE_REFERENCED);
        if (flags & DCACHE_UNHASHED || (kept && !(flags & DCACHE_TRANSIENT))) {
            rcu_read_unlock();
            return;
        }
        if (flags & DCACHE_TRANSIENT && !d->ops->keep(d)) {
            bool alive = dget_rcu(d);
            rcu_read_unlock();
            if (!alive)
                return;
            d_drop(d);
            continue; // drops the reference just taken
        }
        if (flags & DCACHE_ON_LRU)
            flags_set(d, DCACHE_REFERENCED);
        else
            lru_add(d);
        rcu_read_unlock();
        return;
    }
}

struct dentry *dget_parent(struct dentry *d)
{
    rcu_read_lock();
    for (;;) {
        struct dentry *parent = load_acquire(&d->parent);
        if (dget_rcu(parent)) {
            if (likely(parent == READ_ONCE(d->parent))) {
                rcu_read_unlock();
                return parent;
            }
            rcu_read_unlock();
            dput(parent);
            rcu_read_lock();
        }
    }
}

// ---- the table ------------------------------------------------------------------------------------------------------

// Caller holds d->lock and has counted the table's reference.
void d_bucket_insert(struct dentry *d)
{
    spin_guard(bucket_lock_of(d->name.hash));
    hlist_add_head_rcu(&d->hash, dcache_bucket(d->name.hash));
}

void d_bucket_remove(struct dentry *d)
{
    spin_guard(bucket_lock_of(d->name.hash));
    hlist_del_init_rcu(&d->hash);
}

static void set_inode(struct dentry *d, struct inode *inode)
{
    seq_write_begin(&d->seq);
    d->inode = inode;
    if (inode && d->sb->ops && d->sb->ops->keep_dentries)
        flags_set(d, DCACHE_PINNED);
    else
        flags_clear(d, DCACHE_PINNED);
    seq_write_end(&d->seq);
}

// A positive entry takes its place at the end of its directory.
static void take_place(struct dentry *d)
{
    struct dentry *parent = d->parent;
    if (parent == d)
        return;
    spin_guard(&parent->lock);
    d->cookie = ++parent->last_cookie;
    list_move_tail(&d->child_link, &parent->children);
}

void d_add(struct dentry *d, struct inode *inode)
{
    if (inode)
        take_place(d);
    spin_guard(&d->lock);
    set_inode(d, inode);
    if (d->flags & DCACHE_UNHASHED) {
        refcount_inc(&d->refs);
        flags_clear(d, DCACHE_UNHASHED);
        d_bucket_insert(d);
    }
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
    take_place(d);
    spin_guard(&d->lock);
    set_inode(d, inode);
}

struct dentry *d_lookup_rcu(const struct dentry *parent, const struct qstr *name, uint32_t *seq_out)
{
    return d_find_rcu(parent, name, seq_out);
}

struct dentry *d_lookup_hashed(struct dentry *parent, const struct qstr *name)
{
    uint32_t moves;
    do {
        moves = seq_read_begin(&rename_seq);
        rcu_read_lock();
        uint32_t seq;
        struct dentry *d = d_lookup_rcu(parent, name, &seq);
        bool got = d && dget_rcu(d);
        rcu_read_unlock();
        if (got) {
            // Our reference keeps it; it is what we looked for unless it was moved or unhashed in between.
            if (likely(!seq_read_retry(&d->seq, seq)))
                return d;
            spin_lock(&d->lock);
            bool same = d->parent == parent && !(d->flags & DCACHE_UNHASHED) && d->name.len == name->len &&
                        names_equal(d->name.name, name->name, name->len);
            spin_unlock(&d->lock);
            if (same)
                return d;
            dput(d);
        }
    } while (seq_read_retry(&rename_seq, moves));
    return nullptr;
}

struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len)
{
    struct qstr q = {.name = name, .len = (uint32_t)len, .hash = d_name_hash(parent, name, len)};
    return d_lookup_hashed(parent, &q);
}

void d_drop(struct dentry *d)
{
    {
        spin_guard(&d->lock);
        if (d->flags & DCACHE_UNHASHED || d->parent == d)
            return;
        seq_write_begin(&d->seq);
        flags_set(d, DCACHE_UNHASHED);
        d_bucket_remove(d);
        seq_write_end(&d->seq);
    }
    // The caller holds a reference of its own, so this is not the last one.
    unsigned old = __atomic_fetch_sub(&d->refs.v, 1, __ATOMIC_ACQ_REL);
    ASSERT(old > 1);
}

void d_delete(struct dentry *d)
{
    // Only the table and the caller: no one can be looking at the inode through this dentry, and while the count reads zero no one can begin to.
    unsigned two = 2;
    spin_lock(&d->lock);
    if (!(d->flags & DCACHE_UNHASHED) && try_cmpxchg(&d->refs.v, &two, 0u)) {
        struct inode *inode = d->inode;
        set_inode(d, nullptr);
        __atomic_store_n(&d->refs.v, 2, __ATOMIC_RELEASE);
        spin_unlock(&d->lock);
        if (inode) {
            inotify_unlinked(inode);
            iput(inode);
        }
        return;
    }
    spin_unlock(&d->lock);
    d_drop(d);
}

// ---- reclaim --------------------------------------------------------------------------------------------------------

static void dying_done(struct superblock *sb)
{
    if (atomic_dec_and_test(&sb->dentries_dying))
        wake_up_all(&shrunk);
}

// From the table's reference alone to none; counted first, so that who finds the entry dead finds it counted. Whether the one reference is the table's is
// known under the entry's lock: d_drop() unhashes, then drops it, and what is left is the caller's; and so is whether somebody has made it a positive one of
// a file system that pins those since it was looked at. The lock is outside lru_lock, so it is only tried.
static bool kill_unused(struct dentry *d)
{
    if (!spin_trylock(&d->lock))
        return false;
    unsigned one = 1;
    atomic_inc(&d->sb->dentries_dying);
    bool dead = !(d->flags & (DCACHE_UNHASHED | DCACHE_PINNED)) && try_cmpxchg(&d->refs.v, &one, 0u);
    spin_unlock(&d->lock);
    if (!dead)
        dying_done(d->sb);
    return dead;
}

void dcache_wait_for_shrinker(struct superblock *sb)
{
    smp_mb(); // the dentries' counts were looked at before
    wait_event(&shrunk, atomic_read(&sb->dentries_dying) == 0);
}

// Whoever watches an inode hears of what becomes of it by way of its entry; a file system that makes inodes anew would next time give the name another one.
static bool is_watched(const struct dentry *d)
{
    const struct inode *inode = READ_ONCE(d->inode); // its memory lasts a grace period
    return inode && READ_ONCE(inode->watch_mask);
}

// An entry in use leaves the list; one that was used lately or is watched goes round. True: it was killed and is in `dead`, linked by its lru field.
static bool isolate_one(struct dentry *d, struct list_head *dead) REQUIRES(lru_lock)
{
    if (refcount_read(&d->refs) > 1 || d->flags & DCACHE_PINNED) {
        lru_remove_locked(d);
        smp_mb(); // against dput(): its last user may have left meanwhile, and have seen it on the list
        if (refcount_read(&d->refs) == 1 && !(d->flags & DCACHE_PINNED))
            lru_add_locked(d);
        return false;
    }
    if (d->flags & DCACHE_REFERENCED) {
        flags_clear(d, DCACHE_REFERENCED);
        list_move_tail(&d->lru, &lru);
        return false;
    }
    if (is_watched(d) || !kill_unused(d)) {
        list_move_tail(&d->lru, &lru);
        return false;
    }
    flags_clear(d, DCACHE_ON_LRU);
    list_move_tail(&d->lru, dead);
    lru_count--;
    return true;
}

#define LOOKS_AT_ONCE 1024u // in one hold of lru_lock, which keeps the processor

// Takes up to `nr` dead entries off the LRU into `dead`; looks at each entry about once.
static unsigned long lru_isolate(unsigned long nr, struct list_head *dead)
{
    unsigned long taken = 0;
    for (uint64_t scan = READ_ONCE(lru_count); scan && taken < nr;) {
        spin_guard(&lru_lock);
        for (unsigned looks = LOOKS_AT_ONCE; looks && scan && taken < nr; looks--, scan--) {
            if (list_empty(&lru))
                return taken;
            taken += isolate_one(list_first_entry(&lru, struct dentry, lru), dead);
        }
    }
    return taken;
}

static unsigned long dcache_scan(struct shrinker *, unsigned long pages)
{
    unsigned long per_page = PAGE_SIZE / sizeof(struct dentry), nr = pages > 1024 ? 1024 * per_page : pages * per_page;
    LIST_HEAD(dead);
    unsigned long freed = lru_isolate(nr, &dead);
    struct dentry *d, *next;
    list_for_each_entry_safe(d, next, &dead, lru) {
        spin_lock(&d->lock);
        seq_write_begin(&d->seq);
        flags_set(d, DCACHE_UNHASHED);
        d_bucket_remove(d);
        seq_write_end(&d->seq);
        spin_unlock(&d->lock);
        struct superblock *sb = d->sb;
        dput(d_destroy(d));
        dying_done(sb);
    }
    return freed / per_page;
}

static unsigned long dcache_count(struct shrinker *)
{
    return READ_ONCE(lru_count) * sizeof(struct dentry) / PAGE_SIZE;
}

static struct shrinker dcache_shrinker = {.name = "dentry", .count = dcache_count, .scan = dcache_scan};

static int dcache_init(void)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    // One bucket for each 16 KiB of memory, 1 Ki to 1 Mi of them.
    unsigned bits = 10;
    while (bits < 20 && (mem.total >> 2) >> bits)
        bits++;
    dcache_buckets = kvmalloc(sizeof *dcache_buckets << bits, ALLOC_ZERO);
    dentry_slab = slab_cache_create("dentry", sizeof(struct dentry), 64, SLAB_RECLAIMABLE, nullptr);
    ASSERT(dcache_buckets && dentry_slab);
    dcache_shift = 32 - bits;
    for (unsigned i = 0; i < BUCKET_LOCKS; i++)
        spin_init(&bucket_locks[i], &dentry_bucket_class);
    spin_init(&lru_lock, &dentry_bucket_class);
    shrinker_register(&dcache_shrinker);
    return 0;
}
INITCALL(core, dcache_init);
