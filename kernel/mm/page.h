// kernel/mm/page.h — physical pages: one struct page for each frame, allocation by power-of-two blocks, reference counts.
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/refcount.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/spinlock.h"

struct page_cache;
struct slab_cache;

enum page_flags {
    PG_RESERVED = 1 << 0, // not ours to hand out: firmware, kernel image
    PG_BUDDY = 1 << 1,    // heads a free block of `order`
    PG_PCP = 1 << 2,      // free, in a per-CPU list
    PG_SLAB = 1 << 3,     // holds objects of the cache `slab`; set on every page of a slab
    PG_ANON = 1 << 4,     // belongs to anonymous memory
    PG_CACHE = 1 << 5,    // in a page cache: cache and index are valid
    PG_UPTODATE = 1 << 6, // content is valid
    PG_DIRTY = 1 << 7,
    PG_LOCKED = 1 << 8,      // page_lock()
    PG_TABLE = 1 << 9,       // a page table
    PG_HEAD = 1 << 10,       // first page of a block of `order` > 0 handed out as one
    PG_ZERO = 1 << 11,       // the well-known zero page
    PG_WAITERS = 1 << 12,    // someone sleeps for PG_LOCKED
    PG_REFERENCED = 1 << 13, // used since reclaim last looked
    PG_LRU = 1 << 14,        // on the list of pages that reclaim may take
    PG_SHMEM = 1 << 15,      // a cached page of memory-only content (tmpfs, shared anonymous memory)
};

struct page {              // 40 bytes; one per frame, so every byte counts
    uint32_t flags;        // atomic
    refcount_t refs;       // 0: free. Each mapping, cache and temporary user holds one
    union {
        int32_t map_count; // PG_CACHE: number of page-table entries that map it. PG_TABLE: of spaces that share it, less one
        uint32_t slab_free; // a slab's first page: where its first free object begins, in bytes from the slab's beginning, plus one; 0: none is free
    };
    uint16_t order;        // valid with PG_BUDDY, PG_HEAD
    uint16_t slab_inuse;
    union {
        struct list_head link; // free lists, slab lists, whoever owns it alone
        struct {
            struct page_cache *cache; // PG_CACHE
            uint64_t index;           // page offset in the file
        };
        struct {
            struct spinlock table_lock; // PG_TABLE: guards the entries of a leaf table
            uint32_t table_entries;     // how many are in use; for upper tables guarded by mm->table_lock
            uint32_t table_anon;        // while the table is shared (table_share.h): how many are anonymous pages
        };
        struct rcu_head rcu; // on its way out after a grace period
    };
    union {
        struct slab_cache *slab; // PG_SLAB
        struct {
            uint32_t older, younger; // PG_LRU: frame numbers, 0: none; guarded by the reclaim lock
        };
    };
};
#ifndef KERNEL_LOCK_CHECK
static_assert(sizeof(struct page) == 40);
#endif

// Frame numbers, physical addresses, kernel addresses (direct map) and struct page, each from the other. Only for RAM.
extern struct page *mem_map; // indexed by frame number; a virtual array with holes where there is no RAM
extern uintptr_t direct_map_base;
extern pfn_t max_pfn;

static inline struct page *pfn_to_page(pfn_t pfn)
{
    return &mem_map[pfn];
}
static inline pfn_t page_to_pfn(const struct page *page)
{
    return (pfn_t)(page - mem_map);
}
static inline paddr_t page_to_phys(const struct page *page)
{
    return page_to_pfn(page) << PAGE_SHIFT;
}
static inline struct page *phys_to_page(paddr_t pa)
{
    return pfn_to_page(pa >> PAGE_SHIFT);
}
static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(direct_map_base + pa);
}
static inline paddr_t virt_to_phys(const void *va) // direct map only
{
    return (uintptr_t)va - direct_map_base;
}
static inline void *page_address(const struct page *page)
{
    return phys_to_virt(page_to_phys(page));
}
static inline struct page *virt_to_page(const void *va)
{
    return phys_to_page(virt_to_phys(va));
}
// Whether the frame is RAM with a struct page.
bool pfn_valid(pfn_t pfn);

enum alloc_flags {
    ALLOC_KERNEL = 0,      // may sleep to reclaim
    ALLOC_ATOMIC = 1 << 0, // may not sleep; may use the reserve
    ALLOC_ZERO = 1 << 1,   // cleared
    ALLOC_DMA32 = 1 << 2,  // below 4 GiB
    ALLOC_NOWARN = 1 << 3,
    ALLOC_USER = 1 << 4,    // for user memory: may wake the OOM killer and fail if the caller is being killed
    ALLOC_NORETRY = 1 << 5, // the caller has another way: one try at reclaim, no OOM killer
};

#define MAX_ORDER 10 // 4 MiB

// A block of 2^order pages with one reference, or null. May sleep unless ALLOC_ATOMIC.
[[nodiscard]] struct page *page_alloc(unsigned order, unsigned flags);
// Gives back a block that the caller owns alone (refs 1). Any context.
void page_free(struct page *page, unsigned order);
static inline void page_get(struct page *page)
{
    refcount_inc(&page->refs);
}
// The last reference is gone (refs 0): frees the page or block.
void page_free_last(struct page *page);
// Drops a reference; frees the page with the last one. User pages being unmapped go through the gather (mm/gather.h)
// instead.
static inline void page_put(struct page *page)
{
    if (refcount_dec_and_test(&page->refs))
        page_free_last(page);
}
static inline void page_set_flags(struct page *page, uint32_t flags)
{
    __atomic_fetch_or(&page->flags, flags, __ATOMIC_RELAXED);
}
static inline void page_clear_flags(struct page *page, uint32_t flags)
{
    __atomic_fetch_and(&page->flags, ~flags, __ATOMIC_RELAXED);
}
static inline uint32_t page_flags(const struct page *page)
{
    return READ_ONCE(page->flags);
}

// A page that always reads as zeros: mapped read-only by anonymous read faults; never counted, never freed.
extern struct page *zero_page;
