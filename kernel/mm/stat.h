// kernel/mm/stat.h — counters of what memory is used for, kept per CPU and summed by readers.
#pragma once

#include "kernel/base/percpu.h"

enum mm_stat_item {
    MM_STAT_CACHED, // pages in page caches, memory-only ones included
    MM_STAT_SHMEM,  // of these: memory-only
    MM_STAT_ANON,   // anonymous pages mapped
    MM_STAT_MAPPED, // cached pages that are mapped at least once
    MM_STAT_DIRTY,
    MM_STAT_SLAB,
    MM_STAT_SLAB_RECLAIMABLE,
    MM_STAT_TABLES,
    MM_STAT_STACKS,
    MM_STAT_VMALLOC,
    MM_STAT_MLOCKED,
    MM_STAT_FAULTS,
    MM_STAT_MAJOR_FAULTS,
    MM_STAT_ITEMS,
};

DECLARE_PER_CPU(int64_t, mm_stat[MM_STAT_ITEMS]);

#define mm_stat_add(item, n) this_cpu_add(mm_stat[item], (int64_t)(n))

// The sum over all CPUs, not below zero.
uint64_t mm_stat_read(enum mm_stat_item item);

struct mem_counts { // pages
    uint64_t total, free, cached, anon, slab, slab_reclaimable, page_tables, kernel_stacks, shmem, dirty, mapped,
        committed, commit_limit;
    uint64_t active_file, inactive_file, mlocked, vmalloc_used;
};
// What /proc/meminfo tells, of counters that go on meanwhile: not one moment's picture. Any context.
void mem_counts_read(struct mem_counts *out);
// MemAvailable: what programs could get without pushing others out.
uint64_t mem_available_pages(void);
