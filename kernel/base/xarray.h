// kernel/base/xarray.h — a sparse array of pointers indexed by uint64_t: a radix tree of 64-way nodes. Also allocates ids.
//
// Reads are lockless under rcu_read_lock(); writers hold a lock of the owner. Nodes are freed after a grace period. A
// slot holds a pointer (not null; low two bits free for the owner's tags: none here) and a few marks kept up the tree
// for fast search.
#pragma once

#include "kernel/base/types.h"

struct xarray {
    void *root;         // null, the entry of index 0 if there is no other, or the top node (bit 0 set)
    uint8_t root_marks; // of a lone entry
};

#define XA_MARKS 2 // marks 0 .. XA_MARKS-1: the page cache uses mark 0 for dirty; id allocation needs none

// Boot, once, as soon as there are slab caches and before the first xa_store().
void xarray_boot(void);

void xa_init(struct xarray *xa);
// The entry or null. Reader: RCU or the owner's lock.
void *xa_load(const struct xarray *xa, uint64_t index);
// Stores (null erases); *old (may be null) receives what was there. An entry that replaces another keeps its marks.
// -ENOMEM, nothing changed (nodes come from ALLOC_ATOMIC memory, so a spinlock may be held).
[[nodiscard]] int xa_store(struct xarray *xa, uint64_t index, void *entry, void **old);
// The entry that was there, or null. Never fails.
void *xa_erase(struct xarray *xa, uint64_t index);
// The first present entry with index >= *index and <= last; updates *index. Null when none.
void *xa_find(const struct xarray *xa, uint64_t *index, uint64_t last);
// Stores at the lowest free index in [first, last] and reports it. -ENOMEM, -ENOSPC.
[[nodiscard]] int xa_alloc(struct xarray *xa, uint64_t first, uint64_t last, void *entry, uint64_t *index);
// As xa_alloc, but starts at *next, wraps round, and advances *next (process ids).
[[nodiscard]] int xa_alloc_cyclic(struct xarray *xa, uint64_t first, uint64_t last, uint64_t *next, void *entry, uint64_t *index);
// Marks of a present entry. xa_find_marked() is xa_find() among those with the mark, without a look at the others.
void xa_set_mark(struct xarray *xa, uint64_t index, unsigned mark);
void xa_clear_mark(struct xarray *xa, uint64_t index, unsigned mark);
void *xa_find_marked(const struct xarray *xa, uint64_t *index, uint64_t last, unsigned mark);
// Frees all nodes; entries are the owner's.
void xa_destroy(struct xarray *xa);
bool xa_empty(const struct xarray *xa);

#define xa_for_each(xa, index, entry)                                                                                  \
    for ((index) = 0; ((entry) = xa_find((xa), &(index), UINT64_MAX)) != nullptr; (index)++)
