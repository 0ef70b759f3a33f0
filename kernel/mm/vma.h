// kernel/mm/vma.h — the tree of VMAs, and the only functions that change a VMA's borders. The caller holds mm->sem for write unless said otherwise.
#pragma once

#include "kernel/mm/mm.h"

#define STACK_GUARD_GAP (256 * PAGE_SIZE) // kept free below a growing stack

void vma_cache_init(void); // boot, once
[[nodiscard]] struct vma *vma_alloc(struct mm *mm); // zeroed; null: no memory
[[nodiscard]] struct vma *vma_duplicate(const struct vma *vma,
                                        struct mm *mm); // not linked; takes references and calls ops->open
void vma_free(struct vma *vma);                         // unlinked; drops what it holds

// Enters the VMA into the tree and its cache's interval tree; the range is free.
void vma_link(struct mm *mm, struct vma *vma);
// The same where the caller knows the neighbour below (null: none).
void vma_link_after(struct mm *mm, struct vma *vma, struct vma *prev);
// Makes the tree of an empty space from `n` VMAs that are linked to each other by address already (fork). Interval
// trees are the caller's.
void vma_build_tree(struct mm *mm, struct vma *first, unsigned n);
// Takes it out of both trees; the VMA is the caller's to free.
void vma_unlink(struct vma *vma);
// Moves the borders of a linked VMA; pgoff follows. Nothing overlaps afterwards.
void vma_resize(struct vma *vma, vaddr_t start, vaddr_t end);
// Cuts at `addr` (inside): the VMA keeps the lower part, *upper (may be null) is the new one. -ENOMEM: memory or too
// many VMAs.
[[nodiscard]] int vma_split(struct vma *vma, vaddr_t addr, struct vma **upper);
// Joins the VMA with equal neighbours; returns the one that covers its range now.
struct vma *vma_merge(struct vma *vma);
// If a VMA of private anonymous memory that ends at `start` or begins at `end` could grow over [start, end), which is
// free, with these properties, grows it (and joins both) and returns it; or null.
struct vma *vma_extend(struct mm *mm, vaddr_t start, vaddr_t end, unsigned long flags, uint64_t pgoff);
// Makes borders at start and end, where VMAs cross them. -ENOMEM.
[[nodiscard]] int vma_cut(struct mm *mm, vaddr_t start, vaddr_t end);

// Changes flags and what follows from them (prot, counts). `flags` replaces all.
void vma_set_flags(struct vma *vma, unsigned long flags);
// Adds (or takes away, negative) `pages` of kind `flags` to the counts of mm.
void mm_account(struct mm *mm, unsigned long flags, bool file, int64_t pages);

// The lowest address that must stay free below the VMA.
static inline vaddr_t vma_start_gap(const struct vma *vma)
{
    if (!(vma->flags & VM_GROWSDOWN))
        return vma->start;
    return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}
// Free space of `len` bytes within [low, high): the highest or the lowest. 0: none. For reading, too.
vaddr_t vma_find_gap_high(struct mm *mm, size_t len, vaddr_t low, vaddr_t high);
vaddr_t vma_find_gap_low(struct mm *mm, size_t len, vaddr_t low, vaddr_t high);
// Whether [start, end) is free, guard gaps respected.
bool vma_range_free(struct mm *mm, vaddr_t start, vaddr_t end);

// Its length in pages, and the page of its file (or object) that `addr` in it shows.
static inline size_t vma_pages(const struct vma *vma)
{
    return (vma->end - vma->start) >> PAGE_SHIFT;
}
static inline uint64_t vma_index(const struct vma *vma, vaddr_t addr)
{
    return vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
}

// Shared, and writable or to become so: counted in its cache's writable_maps.
static inline bool vma_may_write_cache(const struct vma *vma)
{
    return vma->cache && (vma->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

// Private names of anonymous memory.
struct anon_name {
    refcount_t refs;
    char text[];
};
void anon_name_put(struct anon_name *name); // null allowed

// Interval trees: every VMA that maps a cache. Lock: cache->vma_lock.
//
// Truncation, write-back and reclaim find page-table entries by these trees alone, with no mm->sem. So at each moment
// that the lock is free, every entry that maps the cache lies inside a VMA of its tree: a range that one VMA gives up
// and another takes over is for a while in both, never in neither; and entries move between VMAs only under the lock.
void interval_insert(struct vma *vma) REQUIRES(vma->cache->vma_lock);
void interval_remove(struct vma *vma) REQUIRES(vma->cache->vma_lock);
// A VMA that maps any of [first, last], the next after `after` in tree order (null: the first); or null.
struct vma *interval_next(struct page_cache *cache, struct vma *after, uint64_t first, uint64_t last)
    REQUIRES(cache->vma_lock);

// Shared anonymous memory (kernel/mm/shared_memory.c): a page cache without a file. Attaches a new one of the VMA's
// size. -ENOMEM.
[[nodiscard]] int shared_memory_attach(struct vma *vma);
void *shared_memory_get(struct vma *vma); // a reference, or null if it is none
void shared_memory_put(void *object); // null allowed; the last one frees its pages
bool vma_is_shared_memory(const struct vma *vma);
ino_t shared_memory_ino(const struct vma *vma); // as /proc/PID/maps shows it
