// kernel/mm/gather.c — unmapping user pages and freeing page tables, in the order clear, flush, free.
#include "kernel/mm/gather.h"
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/table_share.h"

void gather_begin(struct gather *g, struct mm *mm)
{
    g->mm = mm;
    g->start = MMU_USER_END;
    g->end = 0;
    g->alone = false;
    g->nr = 0;
    g->anon = g->file = g->shmem = 0;
}

static inline void release(struct page *page)
{
    if (unlikely(page_flags(page) & PG_TABLE))
        table_put(page);
    else
        page_put(page);
}

void gather_flush(struct gather *g)
{
    if (g->end > g->start && !g->alone)
        mmu_flush_range(g->mm, g->start, g->end);
    g->start = MMU_USER_END;
    g->end = 0;
    for (unsigned i = 0; i < g->nr; i++)
        release(g->pages[i]);
    g->nr = 0;
}

void gather_end(struct gather *g)
{
    gather_flush(g);
    struct mm *mm = g->mm;
    if (g->anon | g->file | g->shmem) {
        mm->hiwater_rss = max(mm->hiwater_rss, mm_rss(mm));
        __atomic_fetch_sub(&mm->rss_anon, g->anon, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&mm->rss_file, g->file, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&mm->rss_shmem, g->shmem, __ATOMIC_RELAXED);
    }
}

static inline void gather_dirty_range(struct gather *g, vaddr_t start, vaddr_t end)
{
    if (start < g->start)
        g->start = start;
    if (end > g->end)
        g->end = end;
}

static inline void gather_add(struct gather *g, struct page *page)
{
    if (g->alone)
        release(page);
    else
        g->pages[g->nr++] = page;
}

void gather_page(struct gather *g, struct page *page, vaddr_t addr)
{
    if (g->nr == GATHER_PAGES)
        gather_flush(g);
    gather_dirty_range(g, addr, addr + PAGE_SIZE);
    gather_add(g, page);
}

void page_mapped(struct page *page)
{
    if (__atomic_add_fetch(&page->map_count, 1, __ATOMIC_RELAXED) == 1)
        mm_stat_add(MM_STAT_MAPPED, 1);
}

void page_unmapped(struct page *page)
{
    if (__atomic_sub_fetch(&page->map_count, 1, __ATOMIC_RELAXED) == 0)
        mm_stat_add(MM_STAT_MAPPED, -1);
}

// The accounts of one page, not anonymous, whose entry `e` was cleared.
static NOINLINE void account_unmapped(struct gather *g, struct page *page, pte_t e)
{
    uint32_t flags = page_flags(page);
    if (!page->map_count)
        return; // a driver's or the kernel's own page
    // Truncated pages have left their cache but were counted as what they were.
    if (flags & PG_SHMEM)
        g->shmem++;
    else
        g->file++;
    if (mmu_dirty(e) && !(flags & PG_DIRTY) && flags & PG_CACHE)
        page_set_dirty(page);
    if (mmu_young(e) && !(flags & (PG_REFERENCED | PG_SHMEM)))
        page_set_flags(page, PG_REFERENCED);
    page_unmapped(page);
}

// One leaf table: [start, end) lies inside it. Returns where it stopped because the gather was full.
static vaddr_t unmap_leaf(struct gather *g, struct leaf leaf, vaddr_t start, vaddr_t end, bool even_copies)
{
    leaf_lock(leaf.table);
    unsigned left = leaf.table->table_entries;
    pte_t *e = leaf.entry, *stop = e + ((end - start) >> PAGE_SHIFT);
    for (; e < stop && left; e++) {
        pte_t was = mmu_read(e);
        if (!was)
            continue;
        if (mmu_special(was)) {
            mmu_set(e, 0);
            left--;
            continue;
        }
        struct page *page = pfn_to_page(mmu_pfn(was));
        bool anon = page_flags(page) & PG_ANON;
        if (unlikely(g->nr == GATHER_PAGES) || (anon && !even_copies)) {
            if (anon && !even_copies)
                continue;
            break;
        }
        if (!anon && mmu_writable(was))
            was = mmu_get_and_clear(e); // a dirty bit may arrive until now
        else
            mmu_set(e, 0);
        left--;
        if (likely(anon))
            g->anon++;
        else
            account_unmapped(g, page, was);
        gather_add(g, page);
    }
    bool cleared = leaf.table->table_entries != left;
    leaf.table->table_entries = left;
    leaf_unlock(leaf.table);
    vaddr_t reached = start + ((vaddr_t)(e - leaf.entry) << PAGE_SHIFT);
    if (cleared)
        gather_dirty_range(g, start, min(reached + PAGE_SIZE, end));
    return left && reached < end ? reached : end;
}

// A shared leaf table goes as a whole where all of it goes. What is left of one in a range was made the space's own by
// the caller (unmap_locked()), or has no other user any more; so nothing is allocated here. False: the gather is full.
static NOINLINE bool unmap_shared(struct gather *g, vaddr_t start, vaddr_t stop)
{
    if (g->nr == GATHER_PAGES)
        return false;
    bool whole = stop - start == mmu_span(1) || g->alone;
    struct page *table = whole ? table_detach(g->mm, start) : nullptr;
    if (table) {
        g->anon += table->table_anon;
        gather_dirty_range(g, start, stop);
        gather_add(g, table);
    } else if (table_own(g->mm, start)) {
        panic("mm: a shared page table in the middle of an unmapping");
    }
    return true;
}

vaddr_t unmap_step(struct gather *g, vaddr_t start, vaddr_t end, bool even_copies)
{
    while ((start = table_skip_holes(g->mm, start, end)) < end) {
        vaddr_t stop = min(ALIGN_DOWN(start, mmu_span(1)) + mmu_span(1), end);
        if (unlikely(g->mm->shared_tables) && table_is_shared(g->mm, start)) {
            if (!unmap_shared(g, start, stop))
                return start;
            continue; // gone: skipped as a hole; or its own now
        }
        start = unmap_leaf(g, table_find(g->mm, start), start, stop, even_copies);
        if (start < stop)
            return start;
    }
    return end;
}

void unmap_range(struct gather *g, vaddr_t start, vaddr_t end)
{
    while ((start = unmap_step(g, start, end, true)) < end)
        gather_flush(g);
}

// Entries of `table` (at `level` > 0) in [start, end]: frees the tables below that nothing outside (floor, ceiling)
// needs. `end` is inclusive, so that arithmetic stays inside the address space.
static void free_level(struct gather *g, pte_t *table, unsigned level, vaddr_t start, vaddr_t end, vaddr_t floor,
                       vaddr_t ceiling)
{
    vaddr_t span = mmu_span(level);
    for (vaddr_t at = ALIGN_DOWN(start, span); at <= end; at += span) {
        pte_t *slot = &table[mmu_index(at, level)];
        pte_t e = mmu_read(slot);
        if (!e)
            continue;
        struct page *below = phys_to_page(mmu_phys(e));
        if (level > 1)
            free_level(g, page_address(below), level - 1, max(at, start), min(at + span - 1, end), floor, ceiling);
        if (at < floor || at + span > ceiling)
            continue;
        DEBUG_ASSERT(below->table_entries == 0);
        mmu_set(slot, 0);
        virt_to_page(table)->table_entries--;
        g->mm->table_pages--;
        if (g->nr == GATHER_PAGES)
            gather_flush(g);
        gather_dirty_range(g, max(at, start) & PAGE_MASK, (max(at, start) & PAGE_MASK) + PAGE_SIZE);
        gather_add(g, below);
    }
}

void gather_free_tables(struct gather *g, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling)
{
    if (start < end)
        free_level(g, g->mm->arch.root, MMU_LEVELS - 1, start, end - 1, floor, ceiling);
}
