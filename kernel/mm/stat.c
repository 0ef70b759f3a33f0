// kernel/mm/stat.c — what memory is used for: /proc/meminfo's figures.
#include "kernel/mm/stat.h"
#include "kernel/base/cpumask.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/zone.h"

DEFINE_PER_CPU(int64_t, mm_stat[MM_STAT_ITEMS]);

uint64_t mm_stat_read(enum mm_stat_item item)
{
    int64_t sum = 0;
    unsigned cpu;
    for_each_possible_cpu (cpu)
        sum += READ_ONCE(per_cpu(mm_stat, cpu)[item]);
    return sum > 0 ? (uint64_t)sum : 0;
}

uint64_t mem_total_pages(void)
{
    return zones[ZONE_DMA32].managed + zones[ZONE_NORMAL].managed;
}

// What programs could get without pushing others out: free pages beyond the reserve, and half of what reclaim can give back.
uint64_t mem_available_pages(void)
{
    uint64_t pages = page_alloc_free_count() + reclaim_nr_pages() / 2 + mm_stat_read(MM_STAT_SLAB_RECLAIMABLE) / 2;
    uint64_t reserve = page_alloc_low_mark();
    return pages > reserve ? pages - reserve : 0;
}

void mem_counts_read(struct mem_counts *out)
{
    *out = (struct mem_counts){
        .total = mem_total_pages(),
        .free = page_alloc_free_count(),
        .cached = mm_stat_read(MM_STAT_CACHED),
        .anon = mm_stat_read(MM_STAT_ANON),
        .slab = mm_stat_read(MM_STAT_SLAB),
        .slab_reclaimable = mm_stat_read(MM_STAT_SLAB_RECLAIMABLE),
        .page_tables = mm_stat_read(MM_STAT_TABLES),
        .kernel_stacks = mm_stat_read(MM_STAT_STACKS),
        .shmem = mm_stat_read(MM_STAT_SHMEM),
        .dirty = mm_stat_read(MM_STAT_DIRTY),
        .mapped = mm_stat_read(MM_STAT_MAPPED),
        .committed = commit_pages(),
        .commit_limit = commit_limit(),
        .mlocked = mm_stat_read(MM_STAT_MLOCKED),
        .vmalloc_used = mm_stat_read(MM_STAT_VMALLOC),
    };
    out->inactive_file = reclaim_nr_pages();
}
