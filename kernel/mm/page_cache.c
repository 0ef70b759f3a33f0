// kernel/mm/page_cache.c — the one page cache.
//
// A page is in the cache exactly while cache->pages holds it; that is one reference. PG_CACHE, `cache` and `index` are
// set before it is published and stay readable afterwards; who finds a page without the lock takes a reference (unless
// it is dying) and looks again that the slot still holds it. A page that has to be read is published locked and without
// PG_UPTODATE; others wait for the page lock. The lock bit's sleepers share a small table of wait queues. Truncation:
// size first (the inode's owner), then page_cache_unmap() and removal, all under invalidate_sem for write; faults take
// it for read, so no mapping of a removed page can appear.
#include "kernel/mm/page_cache.h"
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/reclaim_cache.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/vma.h"
#include "kernel/vfs/vfs.h"

#define MARK_DIRTY 0
#define LOCK_QUEUES 64u

DEFINE_LOCK_CLASS(cache_lock_class, "page cache", RANK_CACHE_TREE);
DEFINE_LOCK_CLASS(mapping_lock_class, "mapping", RANK_MAPPING);
static struct waitqueue lock_queues[LOCK_QUEUES];

void page_cache_queues_init(void)
{
    for (unsigned i = 0; i < LOCK_QUEUES; i++)
        waitqueue_init(&lock_queues[i]);
}

void page_cache_init(struct page_cache *cache, struct inode *host, const struct page_cache_ops *ops,
                     struct rwsem *invalidate_sem)
{
    *cache = (struct page_cache){
        .host = host, .ops = ops, .size = host ? &host->size : nullptr, .invalidate_sem = invalidate_sem};
    xa_init(&cache->pages);
    spin_init(&cache->lock, &cache_lock_class);
    spin_init(&cache->vma_lock, &mapping_lock_class);
}

// ---- the page lock --------------------------------------------------------------------------------------------------

static struct waitqueue *queue_of(const struct page *page)
{
    return &lock_queues[page_to_pfn(page) % LOCK_QUEUES];
}

static bool page_trylock(struct page *page)
{
    return !(__atomic_fetch_or(&page->flags, PG_LOCKED, __ATOMIC_ACQUIRE) & PG_LOCKED);
}

void page_lock(struct page *page)
{
    if (page_trylock(page))
        return;
    might_sleep();
    wait_event(queue_of(page), (page_set_flags(page, PG_WAITERS), page_trylock(page)));
}

void page_unlock(struct page *page)
{
    uint32_t was = __atomic_fetch_and(&page->flags, ~(uint32_t)(PG_LOCKED | PG_WAITERS), __ATOMIC_RELEASE);
    if (was & PG_WAITERS)
        wake_up_all(queue_of(page));
}

// ---- finding and making ---------------------------------------------------------------------------------------------

struct page *page_cache_find(struct page_cache *cache, uint64_t index)
{
    struct page *page;
    rcu_read_lock();
    while ((page = xa_load(&cache->pages, index))) {
        if (!refcount_inc_not_zero(&page->refs))
            continue;
        if (likely(xa_load(&cache->pages, index) == page))
            break;
        page_put(page); // it left, and may be another's page by now
    }
    rcu_read_unlock();
    return page;
}

static void count_page(const struct page_cache *cache, int64_t n)
{
    mm_stat_add(MM_STAT_CACHED, n);
    if (page_cache_is_memory(cache))
        mm_stat_add(MM_STAT_SHMEM, n);
}

// Charges and publishes a fresh page; both or none, so that nobody who finds the last block taken has not found the page that took it. 0, -EEXIST, -ENOMEM,
// or what the charge says.
static int insert(struct page_cache *cache, uint64_t index, struct page *page)
{
    page->cache = cache;
    page->index = index;
    page->map_count = 0;
    page->flags |= PG_CACHE | (page_cache_is_memory(cache) ? PG_SHMEM : 0);
    page_get(page); // the cache's own
    spin_lock(&cache->lock);
    int err = xa_load(&cache->pages, index) ? -EEXIST : cache->ops && cache->ops->charge ? cache->ops->charge(cache, index) : 0;
    if (!err && (err = xa_store(&cache->pages, index, page, nullptr)) && cache->ops && cache->ops->uncharge)
        cache->ops->uncharge(cache, 1);
    if (!err)
        cache->nr_pages++;
    spin_unlock(&cache->lock);
    if (err) {
        page->flags &= ~(uint32_t)(PG_CACHE | PG_SHMEM | PG_LOCKED);
        page_put(page);
    } else {
        count_page(cache, 1);
    }
    return err;
}

// Reads the page, which this thread has published and locked.
static int fill(struct page_cache *cache, struct page *page)
{
    int err = cache->ops->read_page(cache, page);
    page_unlock(page);
    return err;
}

// A page that exists but is not up to date: waits for its reader, or reads it again after an error. One that was only reserved has its content: zeroes.
static int wait_filled(struct page_cache *cache, struct page *page)
{
    bool reads = cache->ops && cache->ops->read_page;
    page_lock(page);
    if (reads && !(page_flags(page) & PG_UPTODATE))
        return fill(cache, page);
    page_set_flags(page, PG_UPTODATE);
    page_unlock(page);
    return 0;
}

static int create(struct page_cache *cache, uint64_t index, bool reserve, struct page **out)
{
    bool reads = cache->ops && cache->ops->read_page;
    struct page *page = page_alloc(0, ALLOC_USER | (reads ? 0 : ALLOC_ZERO));
    if (!page)
        return -ENOMEM;
    page->flags |= reads ? PG_LOCKED : reserve ? 0 : PG_UPTODATE;
    int err = insert(cache, index, page);
    if (err) {
        page_put(page);
        return err;
    }
    if (reads) {
        reclaim_page_add(page);
        err = fill(cache, page);
        if (err) {
            page_put(page);
            return err;
        }
    }
    *out = page;
    return 0;
}

int page_cache_get(struct page_cache *cache, uint64_t index, struct page **out)
{
    for (;;) {
        struct page *page = page_cache_find(cache, index);
        if (!page) {
            int err = create(cache, index, false, out);
            if (err == -EEXIST)
                continue;
            return err;
        }
        if (unlikely(!(page_flags(page) & PG_UPTODATE))) {
            int err = wait_filled(cache, page);
            if (err) {
                page_put(page);
                return err;
            }
        }
        if (!(page_flags(page) & (PG_REFERENCED | PG_SHMEM)))
            page_set_flags(page, PG_REFERENCED);
        *out = page;
        return 0;
    }
}

int page_cache_reserve(struct page_cache *cache, uint64_t index)
{
    struct page *page = page_cache_find(cache, index);
    int err = 0;
    if (page)
        page_set_flags(page, PG_UPTODATE); // there already, and not to be given back with what is reserved now
    else
        err = create(cache, index, true, &page);
    if (!err)
        page_put(page);
    return err == -EEXIST ? 0 : err;
}

uint64_t page_cache_next(struct page_cache *cache, uint64_t start)
{
    uint64_t index = start;
    struct page *page;
    rcu_read_lock();
    while ((page = xa_find(&cache->pages, &index, UINT64_MAX)) && !(page_flags(page) & PG_UPTODATE)) {
        if (++index % 1024 == 0) { // much may be reserved: others get their chance
            rcu_read_unlock();
            rcu_read_lock();
        }
    }
    rcu_read_unlock();
    return page ? index : UINT64_MAX;
}

// ---- dirt and write-back --------------------------------------------------------------------------------------------

void page_set_dirty(struct page *page)
{
    if (page_flags(page) & PG_DIRTY)
        return;
    struct page_cache *cache = page->cache;
    if (page_flags(page) & PG_SHMEM || !cache) {
        page_set_flags(page, PG_DIRTY); // there is nowhere to write it
        return;
    }
    spin_lock(&cache->lock); // flag and mark change together
    if (!(__atomic_fetch_or(&page->flags, PG_DIRTY, __ATOMIC_RELAXED) & PG_DIRTY) && page_flags(page) & PG_CACHE) {
        xa_set_mark(&cache->pages, page->index, MARK_DIRTY);
        mm_stat_add(MM_STAT_DIRTY, 1);
    }
    spin_unlock(&cache->lock);
}

// True if the page was dirty; it is clean afterwards.
static bool clear_dirty(struct page_cache *cache, struct page *page)
{
    spin_lock(&cache->lock);
    bool was = __atomic_fetch_and(&page->flags, ~(uint32_t)PG_DIRTY, __ATOMIC_RELAXED) & PG_DIRTY;
    if (was && !(page_flags(page) & PG_SHMEM)) {
        xa_clear_mark(&cache->pages, page->index, MARK_DIRTY);
        mm_stat_add(MM_STAT_DIRTY, -1);
    }
    spin_unlock(&cache->lock);
    return was;
}

int page_cache_write_page(struct page_cache *cache, struct page *page)
{
    int err = 0;
    page_lock(page);
    if (page_flags(page) & PG_CACHE && page->cache == cache) {
        // Writers through mappings fault again from here on and mark the page dirty anew.
        page_cache_unmap(cache, page->index, page->index, false);
        if (clear_dirty(cache, page)) {
            // Again: a fault between the two found the page dirty still, and may have let its program write.
            page_cache_unmap(cache, page->index, page->index, false);
            err = cache->ops->write_page(cache, page);
            if (err)
                page_set_dirty(page);
        }
    }
    page_unlock(page);
    return err;
}

int page_cache_write_back(struct page_cache *cache, uint64_t first, uint64_t last)
{
    int err = 0;
    if (!cache->ops || !cache->ops->write_page)
        return 0;
    for (uint64_t index = first;;) {
        rcu_read_lock();
        struct page *page = xa_find_marked(&cache->pages, &index, last, MARK_DIRTY);
        bool held = page && refcount_inc_not_zero(&page->refs);
        rcu_read_unlock();
        if (!page)
            break;
        if (!held)
            continue; // frozen for a moment
        int one = page_cache_write_page(cache, page);
        if (one && !err)
            err = one;
        page_put(page);
        if (index++ == last)
            break;
    }
    return err;
}

// ---- removal --------------------------------------------------------------------------------------------------------

// With cache->lock held: whether the cache and the caller alone hold the page, and nothing would be lost with it. The
// count is 0 while that is looked at, so that no lookup finds the page meanwhile, and stays 0 if the answer is yes.
static bool freeze_unused(struct page *page)
{
    if (!refcount_freeze(&page->refs, 2))
        return false;
    if (likely(!(page_flags(page) & (PG_DIRTY | PG_LOCKED))))
        return true;
    refcount_unfreeze(&page->refs, 2);
    return false;
}

// Takes the page out if it is still there. The caller holds a reference. With `only_unused`, only if nobody else does.
static bool detach(struct page_cache *cache, struct page *page, bool only_unused)
{
    spin_lock(&cache->lock);
    bool out = page_flags(page) & PG_CACHE && page->cache == cache && (!only_unused || freeze_unused(page));
    if (out) {
        xa_erase(&cache->pages, page->index);
        // At once, as a page that is in no cache is not counted when it gets dirty.
        uint32_t old = __atomic_fetch_and(&page->flags, ~(uint32_t)(PG_CACHE | PG_DIRTY), __ATOMIC_RELAXED);
        if (old & PG_DIRTY && !(old & PG_SHMEM))
            mm_stat_add(MM_STAT_DIRTY, -1);
        cache->nr_pages--;
        if (only_unused)
            refcount_unfreeze(&page->refs, 2); // who still has the pointer sees that the slot is empty
    }
    spin_unlock(&cache->lock);
    if (!out)
        return false;
    reclaim_page_remove(page);
    count_page(cache, -1);
    if (cache->ops && cache->ops->uncharge)
        cache->ops->uncharge(cache, 1);
    page_put(page);
    return true;
}

bool page_cache_try_evict(struct page_cache *cache, struct page *page)
{
    return detach(cache, page, true);
}

static void remove_range(struct page_cache *cache, uint64_t first, uint64_t last, bool only_reserved)
{
    for (uint64_t index = first;;) {
        rcu_read_lock();
        struct page *page = xa_find(&cache->pages, &index, last);
        bool held = page && refcount_inc_not_zero(&page->refs);
        rcu_read_unlock();
        if (!page)
            break;
        if (!held)
            continue; // frozen for a moment
        page_lock(page); // a reader or writer finishes first
        if (!only_reserved || !(page_flags(page) & PG_UPTODATE))
            detach(cache, page, false);
        page_unlock(page);
        page_put(page);
        if (index++ == last)
            break;
    }
}

void page_cache_remove_range(struct page_cache *cache, uint64_t first, uint64_t last)
{
    page_cache_unmap(cache, first, last, last == UINT64_MAX);
    remove_range(cache, first, last, false);
}

void page_cache_unreserve(struct page_cache *cache, uint64_t first, uint64_t last)
{
    remove_range(cache, first, last, true); // none of them is mapped
}

void page_cache_zero_tail(struct page_cache *cache, uint64_t size)
{
    size_t offset = size & (PAGE_SIZE - 1);
    if (!offset)
        return;
    struct page *page = page_cache_find(cache, size >> PAGE_SHIFT);
    if (!page)
        return;
    if (page_flags(page) & PG_UPTODATE) {
        memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
        page_set_dirty(page);
    }
    page_put(page);
}

bool page_cache_mapped_writable(struct page_cache *cache)
{
    spin_guard(&cache->vma_lock); // a VMA that changes its borders is not counted for a moment
    return cache->writable_maps;
}

void page_cache_expect_writable(struct page_cache *cache, int change)
{
    spin_guard(&cache->vma_lock);
    cache->writable_maps += (unsigned)change;
}

void page_cache_destroy(struct page_cache *cache)
{
    if (page_cache_mapped(cache))
        panic("mm: a page cache dies while it is mapped");
    if (cache->nr_pages)
        page_cache_remove_range(cache, 0, UINT64_MAX);
    xa_destroy(&cache->pages);
}

#define ANEW_FOR_OTHERS 16u

// Under a spinlock pages can be collected but not flushed, so this goes in rounds: collect from one VMA what fits, let
// go, flush, go on there. Where the list of VMAs has changed meanwhile it begins anew. It ends because what was cleared
// stays clear (the caller keeps faults away). Of very many VMAs with nothing in them it also lets go when others want the processor, and begins anew for
// that so many times at most.
void page_cache_unmap(struct page_cache *cache, uint64_t first, uint64_t last, bool even_copies)
{
    if (!page_cache_mapped(cache))
        return;
    spin_lock(&cache->vma_lock);
    struct vma *vma = interval_next(cache, nullptr, first, last);
    unsigned anew = 0;
    while (vma) {
        uint64_t from = max(first, vma->pgoff), to = min(last, vma->pgoff + vma_pages(vma) - 1);
        vaddr_t end = vma->start + ((to - vma->pgoff + 1) << PAGE_SHIFT);
        struct gather g;
        gather_begin(&g, vma->mm);
        bool done = unmap_step(&g, vma->start + ((from - vma->pgoff) << PAGE_SHIFT), end, even_copies) == end;
        bool cleared = g.end > g.start;
        if (cleared || (anew < ANEW_FOR_OTHERS && this_cpu_read(need_resched))) {
            struct mm *mm = vma->mm;
            unsigned seen = cache->vma_changes;
            mm_get(mm);
            spin_unlock(&cache->vma_lock);
            gather_end(&g);
            mm_put(mm);
            spin_lock(&cache->vma_lock);
            if (seen != cache->vma_changes) {
                anew += !cleared;
                vma = interval_next(cache, nullptr, first, last);
                continue;
            }
        }
        if (done)
            vma = interval_next(cache, vma, first, last);
    }
    spin_unlock(&cache->vma_lock);
}
