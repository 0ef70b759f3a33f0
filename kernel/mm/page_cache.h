// kernel/mm/page_cache.h — the one page cache: every inode with content has one; read, write, mmap and exec all use its pages.
//
// Unit: a whole page of (cache, index). States: absent; present, locked, not up to date (being read), or in memory-only
// content not locked and not up to date (reserved: zeroes that count as a hole); up to date; dirty. The cache holds one
// reference on each page. Lookups are lockless (RCU over a radix tree); insertion and removal take cache->lock.
#pragma once

#include "kernel/base/rbtree.h"
#include "kernel/base/xarray.h"
#include "kernel/mm/page.h"
#include "kernel/sync/rwsem.h"
#include "kernel/sync/spinlock.h"

struct inode;
struct page_cache;

// What a file system supplies. Missing entries: read_page null = pages are born zeroed (tmpfs); write_page null =
// nothing to write back, pages are never reclaimed while they hold data (memory-only file systems).
struct page_cache_ops {
    // Fills the locked page; sets PG_UPTODATE. 0, -EIO, -EINTR, -ENOMEM. May sleep.
    int (*read_page)(struct page_cache *cache, struct page *page);
    int (*write_page)(struct page_cache *cache, struct page *page);
    // Called before a page is added for writing (size limits: tmpfs -ENOSPC), and after it left the cache.
    int (*charge)(struct page_cache *cache, uint64_t index);
    void (*uncharge)(struct page_cache *cache, uint64_t nr_pages);
};

struct page_cache {
    struct inode *host; // null: shared anonymous memory
    const struct page_cache_ops *ops;
    const loff_t *size;   // of the file, in bytes: faults beyond it are SIGBUS. host's, set by page_cache_init()
    struct xarray pages;  // index -> struct page *; mark 0: dirty
    struct spinlock lock; // RANK_CACHE_TREE: insertion, removal, marks
    uint64_t nr_pages;    // atomic
    struct rwsem *invalidate_sem; // held for read by faults, for write by truncate and hole punching
    struct spinlock vma_lock;     // RANK_MAPPING
    struct rb_root shared_vmas GUARDED_BY(
        &vma_lock);         // every vma that maps it, an interval tree by page offset; owned by kernel/mm
    unsigned vma_changes GUARDED_BY(&vma_lock); // grows when a VMA enters or leaves, or entries move from one to another
    unsigned writable_maps GUARDED_BY(&vma_lock); // shared mappings that may be, or become, writable (memfd seals)
};

// Memory-only content: its pages are never reclaimed and its shared mappings need no dirty tracking.
static inline bool page_cache_is_memory(const struct page_cache *cache)
{
    return !cache->ops || (!cache->ops->read_page && !cache->ops->write_page);
}

// An empty cache, in memory that may hold anything; what is given stays as long as it does.
void page_cache_init(struct page_cache *cache, struct inode *host, const struct page_cache_ops *ops,
                     struct rwsem *invalidate_sem);
// Drops every page; the inode is going away, nobody maps it.
void page_cache_destroy(struct page_cache *cache);

// The page at `index` with a reference, or null when absent. Never sleeps.
[[nodiscard]] struct page *page_cache_find(struct page_cache *cache, uint64_t index);
// The up-to-date page at `index` with a reference in *out, read or created if need be. -ENOMEM, -EIO, -ENOSPC, -EINTR.
// May sleep.
[[nodiscard]] int page_cache_get(struct page_cache *cache, uint64_t index, struct page **out);
// Memory-only content: sees to it that there is a page at `index`, so that a later page_cache_get() cannot fail for want
// of room (fallocate(2)). A page made here stays without PG_UPTODATE, reads as zeroes and counts as a hole until
// page_cache_get() or this is asked for it again. -ENOMEM, -ENOSPC. May sleep.
[[nodiscard]] int page_cache_reserve(struct page_cache *cache, uint64_t index);
// Gives back what in [first, last] was reserved and never used. The caller holds invalidate_sem for write.
void page_cache_unreserve(struct page_cache *cache, uint64_t first, uint64_t last);
// The next index >= start whose page is up to date, or UINT64_MAX (SEEK_DATA).
uint64_t page_cache_next(struct page_cache *cache, uint64_t start);
// Removes pages in [first, last], unmapping them from every process first. The caller holds invalidate_sem for write.
void page_cache_remove_range(struct page_cache *cache, uint64_t first, uint64_t last);
// Zeroes the bytes of the page that lie beyond the new end of file.
void page_cache_zero_tail(struct page_cache *cache, uint64_t size);

// Clears the page table entries that map pages [first, last] in every process and flushes; private copies too with
// `even_copies` (truncate). May sleep. The caller keeps new mappings away by holding invalidate_sem for write.
void page_cache_unmap(struct page_cache *cache, uint64_t first, uint64_t last, bool even_copies);
// Writes back dirty pages in [first, last] by ops->write_page. 0 or the first error. May sleep.
[[nodiscard]] int page_cache_write_back(struct page_cache *cache, uint64_t first, uint64_t last);
// Does any VMA map it? A hint without vma_lock.
static inline bool page_cache_mapped(struct page_cache *cache) NO_THREAD_SAFETY_ANALYSIS
{
    return READ_ONCE(cache->shared_vmas.node) != nullptr;
}

bool page_cache_mapped_writable(struct page_cache *cache); // shared, and writable or able to become so
// Counts (1) a mapping in the making as such a one, before its file is asked whether it may be, until (-1) it is linked or refused. So of a mapping
// and F_SEAL_WRITE at the same time one sees the other.
void page_cache_expect_writable(struct page_cache *cache, int change);

// PG_LOCKED of a cache's page, held while it is read, written back or taken out. Sleeps, uninterruptibly, while another has it.
void page_lock(struct page *page);
void page_unlock(struct page *page);
// The page was written to: write-back will find it. The caller holds a reference or the page's lock. Takes cache->lock.
void page_set_dirty(struct page *page);
