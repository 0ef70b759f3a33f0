// kernel/mm/page_alloc.c — physical pages: a buddy allocator per zone, and a stack of single pages per CPU in front of it.
//
// Where a frame is, always says its struct page, and every transition checks it (page_check): a page that is freed or
// handed out twice stops the kernel there and then instead of corrupting somebody later.
//   * free in a zone: the first page of the block has PG_BUDDY and `order`, refs 0, and is linked; its other pages have
//     no flags, refs 0.
//   * free in a per-CPU stack: PG_PCP, refs 0. It is not PG_BUDDY, so a neighbour that is freed can not merge with it.
//   * handed out: refs >= 1; a block of order > 0 has PG_HEAD and `order` on its first page.
// The per-CPU stack is touched with interrupts off by its own CPU only; zones by their lock, interrupts off. Blocks
// merge with their buddy (frame number ^ 2^order); mem_map is backed for whole blocks of the greatest order, so that
// the buddy's struct page can always be read.
#include "arch/include/mmu.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/debug/asan/asan.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/zone.h"
#include "kernel/sched/sched.h"

#define PCP_CAPACITY 62
#define PCP_BATCH 31
#define PCP_BLOCK_ORDER 4 // the largest block moved to a per-CPU stack as one
static_assert(PCP_BATCH + (1 << PCP_BLOCK_ORDER) <= PCP_CAPACITY);

struct page_stack {
    unsigned count;
    struct page *pages[PCP_CAPACITY];
};

struct page *mem_map RO_AFTER_INIT;
DEFINE_LOCK_CLASS(zone_lock_class, "zone", RANK_PAGE_ALLOC);
struct zone zones[NR_ZONES] = {
    [ZONE_DMA32] = {.name = "DMA32", .lock = SPINLOCK_INIT(&zone_lock_class)},
    [ZONE_NORMAL] = {.name = "Normal", .lock = SPINLOCK_INIT(&zone_lock_class)},
};
static DEFINE_PER_CPU(struct page_stack, page_stack);

static COLD NOINLINE UNUSED void page_bad(const struct page *page, const char *what)
{
    panic("mm: %s: frame %#lx flags %#x refs %u map_count %d order %u", what, (unsigned long)page_to_pfn(page),
          page->flags, refcount_read(&page->refs), page->map_count, page->order);
}

static inline void page_check(bool good, const struct page *page, const char *what)
{
#ifndef KERNEL_NO_ASSERT
    if (unlikely(!good))
        page_bad(page, what);
#else
    (void)good, (void)page, (void)what;
#endif
}

static struct zone *page_zone(const struct page *page)
{
    return &zones[page_to_pfn(page) >= ZONE_DMA32_END ? ZONE_NORMAL : ZONE_DMA32];
}

// ---- the buddy lists; the zone's lock is held -----------------------------------------------------------------------

static void block_link(struct zone *zone, struct page *page, unsigned order)
{
    page->flags = PG_BUDDY;
    page->order = (uint16_t)order;
    list_add(&page->link, &zone->free_lists[order]);
    zone->nr_blocks[order]++;
}

static void block_unlink(struct zone *zone, struct page *page, unsigned order)
{
    page_check(page->flags == PG_BUDDY && page->order == order && refcount_read(&page->refs) == 0, page,
               "free block is not free");
    list_del_rcu(&page->link);
    page->flags = 0;
    zone->nr_blocks[order]--;
}

static void zone_free_block(struct zone *zone, struct page *page, unsigned order)
{
    page_check(page->flags == 0 && refcount_read(&page->refs) == 0, page, "page freed twice or in use");
    zone->free += 1UL << order;
    pfn_t pfn = page_to_pfn(page);
    for (; order < MAX_ORDER; order++) {
        struct page *buddy = pfn_to_page(pfn ^ (1UL << order));
        if (buddy->flags != PG_BUDDY || buddy->order != order || page_zone(buddy) != zone)
            break;
        block_unlink(zone, buddy, order);
        pfn &= ~(1UL << order);
    }
    block_link(zone, pfn_to_page(pfn), order);
}

// A block of exactly `order`, split off the smallest that is there; null when there is none or the zone would fall
// below `mark`.
static struct page *zone_take_block(struct zone *zone, unsigned order, uint64_t mark)
{
    if (zone->free < mark + (1UL << order))
        return nullptr;
    for (unsigned o = order; o <= MAX_ORDER; o++) {
        if (list_empty(&zone->free_lists[o]))
            continue;
        struct page *page = list_first_entry(&zone->free_lists[o], struct page, link);
        block_unlink(zone, page, o);
        while (o > order) {
            o--;
            block_link(zone, page + (1UL << o), o);
        }
        zone->free -= 1UL << order;
        return page;
    }
    return nullptr;
}

static uint64_t zone_mark(const struct zone *zone, unsigned flags)
{
    return flags & ALLOC_ATOMIC ? zone->watermark_min / 2 : zone->watermark_min;
}

// ---- the per-CPU stack; interrupts are off --------------------------------------------------------------------------

static NOINLINE void stack_refill(struct page_stack *stack, unsigned flags)
{
    for (int z = NR_ZONES - 1; z >= 0 && !stack->count; z--) {
        struct zone *zone = &zones[z];
        spin_lock(&zone->lock);
        while (stack->count < PCP_BATCH) {
            // Whole small blocks: fragments first, so that large blocks stay whole as long as there are others.
            unsigned order = 0;
            while (order < PCP_BLOCK_ORDER && list_empty(&zone->free_lists[order]))
                order++;
            struct page *page = zone_take_block(zone, order, zone_mark(zone, flags));
            if (!page)
                break;
            for (unsigned i = 1u << order; i-- > 0;) {
                page[i].flags = PG_PCP;
                stack->pages[stack->count++] = &page[i];
            }
        }
        spin_unlock(&zone->lock);
    }
}

static NOINLINE void stack_spill(struct page_stack *stack, unsigned keep)
{
    while (stack->count > keep) {
        struct zone *zone = page_zone(stack->pages[stack->count - 1]);
        spin_lock(&zone->lock);
        while (stack->count > keep && page_zone(stack->pages[stack->count - 1]) == zone) {
            struct page *page = stack->pages[--stack->count];
            page_check(page->flags == PG_PCP, page, "page in a CPU's list changed");
            page->flags = 0;
            zone_free_block(zone, page, 0);
        }
        spin_unlock(&zone->lock);
    }
}

void page_alloc_drain_local(void)
{
    irq_flags_t irq = arch_irq_save();
    stack_spill(this_cpu_ptr(&page_stack), 0);
    arch_irq_restore(irq);
}

// ---- the public half ------------------------------------------------------------------------------------------------

static struct page *take_block(unsigned order, unsigned flags)
{
    for (int z = flags & ALLOC_DMA32 ? ZONE_DMA32 : NR_ZONES - 1; z >= 0; z--) {
        struct zone *zone = &zones[z];
        irq_flags_t irq = spin_lock_irqsave(&zone->lock);
        struct page *page = zone_take_block(zone, order, zone_mark(zone, flags));
        spin_unlock_irqrestore(&zone->lock, irq);
        if (page) {
            page->flags = order ? PG_HEAD : 0;
            page->order = (uint16_t)order;
            refcount_set(&page->refs, 1);
            return page;
        }
    }
    return nullptr;
}

static ALWAYS_INLINE struct page *take_single(unsigned flags)
{
    irq_flags_t irq = arch_irq_save();
    struct page_stack *stack = this_cpu_ptr(&page_stack);
    if (unlikely(!stack->count))
        stack_refill(stack, flags);
    struct page *page = stack->count ? stack->pages[--stack->count] : nullptr;
    arch_irq_restore(irq);
    if (likely(page)) {
        page_check(page->flags == PG_PCP && refcount_read(&page->refs) == 0, page, "page handed out twice");
        page->flags = 0;
        refcount_set(&page->refs, 1);
    }
    return page;
}

static ALWAYS_INLINE struct page *take(unsigned order, unsigned flags)
{
    return order == 0 && !(flags & ALLOC_DMA32) ? take_single(flags) : take_block(order, flags);
}

static COLD void say_failure(unsigned order, unsigned flags)
{
    static uint64_t said;
    if (flags & ALLOC_NOWARN || __atomic_fetch_add(&said, 1, __ATOMIC_RELAXED) > 20)
        return;
    pr_warn("mm: no block of order %u (flags %#x): %lu pages free\n", order, flags,
            (unsigned long)page_alloc_free_count());
}

// How long memory of the OOM killer's victims is waited for: longer than it waits for one itself before it takes another. Not for ever, for we may hold what a
// victim wants first; and what gives memory back is itself, in the end, the work of kernel threads.
static ktime_t patience(void)
{
    return current_thread()->kernel_thread ? 50 * NSEC_PER_MSEC : 10 * NSEC_PER_SEC;
}

// Reclaiming brings nothing more.
static struct page *take_when_there_is(unsigned order, unsigned flags)
{
    synchronize_rcu(); // much may be free already and only wait for a grace period: nobody is killed for that
    sleep_ns(20 * NSEC_PER_MSEC); // the workers' turn
    ktime_t until = clock_monotonic() + patience();
    for (bool hope = true;; hope = out_of_memory()) {
        (void)reclaim_pages(32UL << order);
        page_alloc_drain_local();
        struct page *page = take(order, flags);
        if (page || !hope || clock_monotonic() >= until)
            return page;
        if ((order > 0 || flags & ALLOC_DMA32) && page_alloc_has_room())
            return nullptr; // only not in one piece, or not there: nobody's death is the answer to that
    }
}

// Nothing at hand: give back what the CPU hoards, reclaim, at last kill. It ends: reclaiming is tried a few times, waiting for
// victims has its time, and a block of several pages is refused where there is memory, but in pieces.
static COLD NOINLINE struct page *alloc_slow(unsigned order, unsigned flags)
{
    struct page *page;
    page_alloc_drain_local();
    if ((page = take(order, flags)))
        return page;
    if (!(flags & ALLOC_ATOMIC) && !in_atomic()) {
        bool progress = true;
        for (unsigned attempt = 0; progress && attempt < 4; attempt++) {
            progress = reclaim_pages(32UL << min(order, 5u)) != 0;
            page_alloc_drain_local();
            if ((page = take(order, flags)))
                return page;
            progress &= !(flags & ALLOC_NORETRY);
        }
        if (!(flags & ALLOC_NORETRY) && order <= 3 && !reclaim_dying() && (page = take_when_there_is(order, flags)))
            return page;
    }
    say_failure(order, flags);
    return nullptr;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
    if (unlikely(order > MAX_ORDER))
        return nullptr;
    struct page *page = take(order, flags);
    if (unlikely(!page)) {
        page = alloc_slow(order, flags);
        if (!page)
            return nullptr;
    }
    asan_pages_allocated(page_address(page), PAGE_SIZE << order);
    if (flags & ALLOC_ZERO) {
        char *at = page_address(page), *end = at + (PAGE_SIZE << order);
        do
            mmu_clear_page(at);
        while ((at += PAGE_SIZE) < end);
    }
    return page;
}

// A page whose references are gone: `flags` must say nothing but what a plain page may have when it dies.
static void give_back(struct page *page, unsigned order)
{
    page_check(!(page->flags &
                 (PG_RESERVED | PG_BUDDY | PG_PCP | PG_SLAB | PG_CACHE | PG_LOCKED | PG_TABLE | PG_ZERO | PG_LRU)),
               page, "page freed in a wrong state");
    page_check(page->map_count == 0, page, "mapped page freed");
    asan_pages_freed(page_address(page), PAGE_SIZE << order);
    if (likely(order == 0)) {
        irq_flags_t irq = arch_irq_save();
        struct page_stack *stack = this_cpu_ptr(&page_stack);
        if (unlikely(stack->count == PCP_CAPACITY))
            stack_spill(stack, PCP_CAPACITY - PCP_BATCH);
        page->flags = PG_PCP;
        stack->pages[stack->count++] = page;
        arch_irq_restore(irq);
        return;
    }
    page_check(page->flags & PG_HEAD && page->order == order, page, "block freed with a wrong order");
    page->flags = 0;
    struct zone *zone = page_zone(page);
    irq_flags_t irq = spin_lock_irqsave(&zone->lock);
    zone_free_block(zone, page, order);
    spin_unlock_irqrestore(&zone->lock, irq);
}

void page_free(struct page *page, unsigned order)
{
    page_check(refcount_read(&page->refs) != 0, page, "page freed twice");
    // A lockless lookup may hold a page that was a cache page a moment ago, until it sees its mistake: then its
    // page_put() is the last.
    if (refcount_dec_and_test(&page->refs))
        give_back(page, order);
}

void page_free_last(struct page *page)
{
    if (unlikely(page->flags & PG_ANON))
        mm_stat_add(MM_STAT_ANON, -1);
    give_back(page, page->flags & PG_HEAD ? page->order : 0);
}

// ---- boot and counting ----------------------------------------------------------------------------------------------

void zone_add_range(pfn_t start, pfn_t end)
{
    while (start < end) {
        unsigned order = start ? min((unsigned)__builtin_ctzl(start), (unsigned)MAX_ORDER) : MAX_ORDER;
        while (start + (1UL << order) > end)
            order--;
        asan_poison(page_address(pfn_to_page(start)), PAGE_SIZE << order, ASAN_PAGE_FREE);
        struct zone *zone = page_zone(pfn_to_page(start));
        if (!zone->free_lists[0].next)
            for (unsigned o = 0; o <= MAX_ORDER; o++)
                list_init(&zone->free_lists[o]);
        irq_flags_t irq = spin_lock_irqsave(&zone->lock);
        zone->managed += 1UL << order;
        zone_free_block(zone, pfn_to_page(start), order);
        spin_unlock_irqrestore(&zone->lock, irq);
        start += 1UL << order;
    }
}

// A reserve that grows with the square root of the memory: 1 MiB of 64 MiB, 4 MiB of 1 GiB, 16 MiB of 16 GiB.
void zone_set_watermarks(void)
{
    for (unsigned z = 0; z < NR_ZONES; z++) {
        struct zone *zone = &zones[z];
        for (unsigned i = 0; i <= MAX_ORDER; i++)
            if (!zone->free_lists[i].next)
                list_init(&zone->free_lists[i]);
        uint64_t root = 1;
        while (root * root < zone->managed)
            root <<= 1;
        zone->watermark_min = zone->managed ? min(root * 2, zone->managed / 16) : 0;
        zone->watermark_low = zone->watermark_min + zone->watermark_min / 4;
        zone->watermark_high = zone->watermark_min + zone->watermark_min / 2;
    }
}

uint64_t page_alloc_free_count(void)
{
    uint64_t sum = 0;
    for (unsigned z = 0; z < NR_ZONES; z++)
        sum += READ_ONCE(zones[z].free);
    unsigned cpu;
    for_each_possible_cpu (cpu)
        sum += READ_ONCE(per_cpu(page_stack, cpu).count);
    return sum;
}

bool page_alloc_has_room(void)
{
    for (unsigned z = 0; z < NR_ZONES; z++)
        if (READ_ONCE(zones[z].free) > zones[z].watermark_low)
            return true;
    return false;
}

uint64_t page_alloc_low_mark(void)
{
    return zones[ZONE_DMA32].watermark_low + zones[ZONE_NORMAL].watermark_low;
}
