// kernel/mm/reclaim.c — memory back under pressure.
//
// Pages of caches whose content can be read again stand in one list, oldest first (a second-chance clock): a page used
// since the last visit (PG_REFERENCED, which lookups and unmapping set) goes round once more; others are written if
// dirty, unmapped everywhere and dropped if nobody else holds them. Memory-only content is never here. Then shrinkers
// give back what they can. reclaim_mutex keeps it to one thread at a time: others wait for the round's end rather than
// call for the killer while memory is on its way, but not for long.
#include "kernel/mm/reclaim.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/mm/page_cache.h"
#include "kernel/mm/reclaim_cache.h"
#include "kernel/mm/zone.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rwsem.h"
#include "kernel/sync/waitqueue.h"

#define RECLAIM_WAIT (100 * NSEC_PER_MSEC)

DEFINE_LOCK_CLASS(lru_lock_class, "page list", RANK_SLAB);
DEFINE_LOCK_CLASS(reclaim_lock_class, "reclaim", RANK_INVALIDATE);
static struct spinlock lru_lock = SPINLOCK_INIT(&lru_lock_class);
static uint32_t oldest, youngest; // frame numbers, 0: none
static uint64_t nr_lru;
static struct mutex reclaim_mutex = MUTEX_INIT(reclaim_mutex, &reclaim_lock_class);
static struct thread *reclaimer;
static unsigned reclaim_rounds; // ended; atomic
static struct waitqueue reclaim_wait = WAITQUEUE_INIT(reclaim_wait);
static LIST_HEAD(shrinkers);

bool (*oom_kill_hook)(void);

static struct page *frame_page(uint32_t pfn)
{
    return pfn ? pfn_to_page(pfn) : nullptr;
}

static void lru_append(struct page *page) REQUIRES(lru_lock)
{
    uint32_t pfn = (uint32_t)page_to_pfn(page);
    page->older = youngest;
    page->younger = 0;
    *(youngest ? &frame_page(youngest)->younger : &oldest) = pfn;
    youngest = pfn;
}

static void lru_unlink(struct page *page) REQUIRES(lru_lock)
{
    *(page->older ? &frame_page(page->older)->younger : &oldest) = page->younger;
    *(page->younger ? &frame_page(page->younger)->older : &youngest) = page->older;
}

void reclaim_page_add(struct page *page)
{
    spin_guard(&lru_lock);
    lru_append(page);
    page_set_flags(page, PG_LRU);
    nr_lru++;
}

void reclaim_page_remove(struct page *page)
{
    if (!(page_flags(page) & PG_LRU))
        return;
    spin_guard(&lru_lock);
    if (page_flags(page) & PG_LRU) {
        lru_unlink(page);
        page_clear_flags(page, PG_LRU);
        nr_lru--;
    }
}

uint64_t reclaim_nr_pages(void)
{
    return READ_ONCE(nr_lru);
}

void shrinker_register(struct shrinker *s)
{
    mutex_guard(&reclaim_mutex);
    list_add_tail(&s->link, &shrinkers);
}

// The oldest page, with a reference, moved to the young end; null when there is none.
static struct page *take_oldest(void)
{
    spin_guard(&lru_lock);
    struct page *page = frame_page(oldest);
    if (!page)
        return nullptr;
    lru_unlink(page);
    lru_append(page);
    return refcount_inc_not_zero(&page->refs) ? page : nullptr;
}

static bool try_drop(struct page *page)
{
    struct page_cache *cache = page->cache;
    if (page_flags(page) & PG_LOCKED || !(page_flags(page) & PG_CACHE))
        return false;
    if (page_flags(page) & PG_REFERENCED) {
        page_clear_flags(page, PG_REFERENCED);
        return false;
    }
    if (page_flags(page) & PG_DIRTY && (!cache->ops->write_page || page_cache_write_page(cache, page)))
        return false;
    // Faults on this file may hold invalidate_sem for read while they wait for memory: never wait for it here.
    if (page->map_count) {
        if (!down_write_trylock(cache->invalidate_sem))
            return false;
        page_cache_unmap(cache, page->index, page->index, false);
        up_write(cache->invalidate_sem);
    }
    return page_cache_try_evict(cache, page);
}

static uint64_t reclaim_cached(uint64_t target)
{
    uint64_t freed = 0;
    for (uint64_t scan = reclaim_nr_pages() * 2; scan && freed < target; scan--) {
        struct page *page = take_oldest();
        if (!page)
            continue;
        freed += try_drop(page);
        page_put(page);
    }
    return freed;
}

// Another thread reclaims. Who waits here may hold locks that it needs, so there is an end to it. Whether its round ended.
static bool wait_for_round(unsigned seen)
{
    return !wait_event_timeout(&reclaim_wait, __atomic_load_n(&reclaim_rounds, __ATOMIC_RELAXED) != seen,
                               clock_monotonic() + RECLAIM_WAIT);
}

uint64_t reclaim_pages(uint64_t target)
{
    unsigned seen = __atomic_load_n(&reclaim_rounds, __ATOMIC_RELAXED);
    if (reclaimer == current_thread())
        return 0; // dropping something may itself ask for memory
    if (!mutex_trylock(&reclaim_mutex))
        return wait_for_round(seen);
    reclaimer = current_thread();
    uint64_t before = page_alloc_free_count();
    uint64_t freed = reclaim_cached(target);
    struct shrinker *s;
    list_for_each_entry (s, &shrinkers, link)
        if (freed < target && s->count(s))
            s->scan(s, target - freed);
    reclaimer = nullptr;
    mutex_unlock(&reclaim_mutex);
    __atomic_fetch_add(&reclaim_rounds, 1, __ATOMIC_RELAXED);
    wake_up_all(&reclaim_wait);
    uint64_t now = page_alloc_free_count();
    return now > before ? now - before : freed;
}

bool reclaim_dying(void)
{
    return thread_signal_pending && current_thread()->mm && thread_signal_pending(current_thread(), true);
}

bool out_of_memory(void)
{
    // The victim itself must get out of here to die.
    if (reclaim_dying() || !oom_kill_hook || !oom_kill_hook())
        return false;
    sleep_ns(10 * NSEC_PER_MSEC); // the dying process needs the CPU
    return true;
}

void fault_out_of_memory(void)
{
    // What a process that was killed before has given back by now is enough to go on with.
    if (!reclaim_dying() && !page_alloc_has_room() && !out_of_memory() && !reclaim_dying() && !page_alloc_has_room())
        panic("out of memory, and no process is left that may be killed");
}
