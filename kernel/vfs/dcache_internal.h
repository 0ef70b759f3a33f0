// kernel/vfs/dcache_internal.h — between dcache.c and dcache_tree.c; and the lookup, which the path walk has inline.
#pragma once

#include "kernel/sync/seqcount.h"
#include "kernel/vfs/name_hash.h"
#include "kernel/vfs/vfs.h"

void d_copy_name(struct dentry *to, const struct dentry *from); // both locked
void d_swap_names(struct dentry *a, struct dentry *b); // both locked
void d_bucket_insert(struct dentry *d); // locked
void d_bucket_remove(struct dentry *d);

extern struct hlist_head *dcache_buckets;
extern uint32_t dcache_shift;

static inline struct hlist_head *dcache_bucket(uint32_t hash)
{
    return &dcache_buckets[hash >> dcache_shift];
}

// d_lookup_rcu(): the entry of `name` in `parent` and its sequence count, under RCU.
static ALWAYS_INLINE struct dentry *d_find_rcu(const struct dentry *parent, const struct qstr *name, uint32_t *seq_out)
{
    struct hlist_node *at = __atomic_load_n(&dcache_bucket(name->hash)->first, __ATOMIC_ACQUIRE);
    for (; at; at = __atomic_load_n(&at->next, __ATOMIC_ACQUIRE)) {
        struct dentry *d = container_of(at, struct dentry, hash);
        if (READ_ONCE(d->name.len_hash) != name->len_hash)
            continue;
        // Who takes the entry checks seq again afterwards; a name that changes meanwhile can only make us look at the wrong bytes.
        uint32_t seq = seq_read_begin(&d->seq);
        if (READ_ONCE(d->parent) != parent || READ_ONCE(d->flags) & DCACHE_UNHASHED)
            continue;
        if (!names_equal(READ_ONCE(d->name.name), name->name, name->len))
            continue;
        *seq_out = seq;
        return d;
    }
    return nullptr;
}

// The same for a short name (name_short()), which stands in the dentry itself. Null also where a writer is at work.
static ALWAYS_INLINE struct dentry *d_find_short_rcu(const struct dentry *parent, uint64_t word, unsigned len, uint32_t *seq_out)
{
    struct qstr name = {.len = len, .hash = name_short_hash(parent, word, len)};
    struct hlist_node *at = __atomic_load_n(&dcache_bucket(name.hash)->first, __ATOMIC_ACQUIRE);
    for (; at; at = __atomic_load_n(&at->next, __ATOMIC_ACQUIRE)) {
        struct dentry *d = container_of(at, struct dentry, hash);
        if (READ_ONCE(d->name.len_hash) != name.len_hash)
            continue;
        uint32_t seq = load_acquire(&d->seq.seq);
        uint64_t text;
        __builtin_memcpy(&text, d->inline_name, sizeof text);
        if (text != word || READ_ONCE(d->parent) != parent || READ_ONCE(d->flags) & DCACHE_UNHASHED)
            continue;
        *seq_out = seq;
        return seq & 1 ? nullptr : d;
    }
    return nullptr;
}
