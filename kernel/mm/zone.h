// kernel/mm/zone.h — what page_alloc.c shares with boot and reclaim, and shows in /proc/zoneinfo.
#pragma once

#include "kernel/mm/page.h"

enum { ZONE_DMA32, ZONE_NORMAL, NR_ZONES };
#define ZONE_DMA32_END ((pfn_t)1 << (32 - PAGE_SHIFT))

struct zone {
    struct spinlock lock; // RANK_PAGE_ALLOC, interrupts off: guards everything below
    const char *name;
    struct list_head free_lists[MAX_ORDER + 1];
    uint64_t nr_blocks[MAX_ORDER + 1];
    uint64_t free;                                         // pages in free_lists; read without the lock as an estimate
    uint64_t managed;                                      // pages ever handed to the zone
    uint64_t watermark_min, watermark_low, watermark_high; // pages
};
extern struct zone zones[NR_ZONES];

// Boot: adds pages of [start, end) (frame numbers), which have refs 0 and no flags, to the allocator.
void zone_add_range(pfn_t start, pfn_t end);
void zone_set_watermarks(void); // when all its pages have been added
// Moves what the running CPU keeps in its lists back to the zones.
void page_alloc_drain_local(void);
// Free pages, per-CPU lists included.
uint64_t page_alloc_free_count(void);
// Pages below which reclaim starts, all zones.
uint64_t page_alloc_low_mark(void);
bool page_alloc_has_room(void); // a zone is above its low mark: a page for anyone, without what other CPUs hoard
