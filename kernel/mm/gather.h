// kernel/mm/gather.h — the one way user pages leave page tables: clear the entries, flush every CPU that may hold them, then free.
//
//     struct gather g;
//     gather_begin(&g, mm);
//     unmap_range(&g, start, end);          // any number of times, mm->sem held (or a vma_lock: see unmap_step)
//     gather_free_tables(&g, ...);          // mm->sem held for write
//     gather_end(&g);                       // flushes and frees what is left
#pragma once

#include "kernel/mm/page_table.h"

#define GATHER_PAGES 56

struct gather {
    struct mm *mm;
    vaddr_t start, end; // addresses whose translations may be stale
    bool alone;         // no CPU has the space loaded: nothing to flush, pages are freed at once
    unsigned nr;
    int64_t anon, file, shmem; // pages unmapped, not yet taken off mm's counts
    struct page *pages[GATHER_PAGES];
};

void gather_begin(struct gather *g, struct mm *mm);
void gather_flush(struct gather *g); // interrupts on, no spinlock held
void gather_end(struct gather *g);   // the same, and mm's counts

// Clears the entries of [start, end). May sleep (flushes in between when there is much).
void unmap_range(struct gather *g, vaddr_t start, vaddr_t end);
// The same for what fits in the gather, without flushing, under a spinlock: returns the address up to which it came.
// `even_copies` false leaves private copies of file pages where they are.
vaddr_t unmap_step(struct gather *g, vaddr_t start, vaddr_t end, bool even_copies);
// Frees the tables that serve only [start, end), where `floor` and `ceiling` are the nearest addresses in use below and above.
void gather_free_tables(struct gather *g, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling);
// Takes one page over for freeing after the flush: the entry for `addr` was cleared or replaced by the caller.
void gather_page(struct gather *g, struct page *page, vaddr_t addr);

// A page cache page gets or loses a page table entry (the reference is the caller's business).
void page_mapped(struct page *page);
void page_unmapped(struct page *page);
