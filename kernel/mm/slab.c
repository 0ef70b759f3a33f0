// kernel/mm/slab.c — typed caches of small objects (Bonwick's slabs and magazines), and kmalloc over a set of them.
//
// A slab is a block of pages cut into objects; its first page keeps the list of free objects, how many are out
// (slab_inuse) and a place on cache->partial while some are free. Every page of a slab has PG_SLAB and `slab`, so that
// kfree() finds the cache of any address. In front of the slabs each CPU has a magazine, a stack of free objects: the
// fast paths touch only that, with interrupts off. A cache starts with the shared empty magazine `no_magazine` (count
// 0, capacity 0) everywhere, so that the first use takes the slow path, which buys a real one; no fast path has to ask.
// Objects in a magazine count as in use for their slab. Locks: cache->lock (RANK_SLAB, interrupts off) guards slabs and
// lists; slab_list_lock the list of caches. SLAB_RCU: an empty slab's pages go back after a grace period; objects keep
// what `ctor` built, the link lies behind them.
#include "kernel/debug/asan/asan.h"

ASAN_OFF // it writes links into free objects

#include "kernel/mm/slab.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab_boot.h"
#include "kernel/mm/stat.h"

#define MAGAZINE_MAX 62
#define EMPTY_SLABS_KEPT 1

struct magazine {
    uint32_t count, capacity;
    void *objects[];
};

struct slab_cache {
    struct magazine *cpu[MAX_CPUS]; // written with interrupts off by the CPU itself
    const char *name;
    uint32_t object_size, stride;
    uint32_t link_offset; // where a free object keeps its link
    uint16_t per_slab;
    uint8_t order, flags;
    uint32_t magazine_capacity; // 0: none (the cache of magazines itself)
    void (*ctor)(void *);
    struct spinlock lock;
    struct list_head partial GUARDED_BY(&lock); // slabs with a free object; empty ones last
    unsigned nr_empty GUARDED_BY(&lock);
    uint64_t nr_slabs GUARDED_BY(&lock), nr_out GUARDED_BY(&lock);
    struct list_head all_link;
};

DEFINE_LOCK_CLASS(slab_lock_class, "slab", RANK_SLAB);
DEFINE_LOCK_CLASS(slab_list_lock_class, "slab list", RANK_RCU);
static struct magazine no_magazine;
static struct slab_cache cache_cache, magazine_cache; // born by hand
static struct spinlock slab_list_lock = SPINLOCK_INIT(&slab_list_lock_class);
static LIST_HEAD(slab_list);

static COLD NOINLINE UNUSED void slab_bad(const struct slab_cache *cache, const void *object, const char *what)
{
    panic("slab %s: %s: %px", cache->name, what, object);
}

// ---- slabs; cache->lock held ----------------------------------------------------------------------------------------

// What a free object has for the next one, as slab_free has for the first: where it begins in the slab, plus one; 0: none.
static uintptr_t *link_of(const struct slab_cache *cache, void *object)
{
    return (uintptr_t *)((char *)object + cache->link_offset);
}

static struct page *slab_head(const struct slab_cache *cache, const void *object)
{
    pfn_t pfn = virt_to_phys(object) >> PAGE_SHIFT;
    return pfn_to_page(pfn & ~((1UL << cache->order) - 1));
}

static void *slab_take(struct slab_cache *cache) REQUIRES(cache->lock)
{
    if (list_empty(&cache->partial))
        return nullptr;
    struct page *slab = list_first_entry(&cache->partial, struct page, link);
    void *object = (char *)page_address(slab) + slab->slab_free - 1;
    slab->slab_free = (uint32_t)*link_of(cache, object);
    if (slab->slab_inuse++ == 0)
        cache->nr_empty--;
    if (!slab->slab_free)
        list_del(&slab->link);
    cache->nr_out++;
    return object;
}

static void slab_return_rcu(struct rcu_head *head)
{
    struct page *slab = container_of(head, struct page, rcu);
    page_free(slab, slab->flags & PG_HEAD ? slab->order : 0);
}

static void slab_release(struct slab_cache *cache, struct page *slab)
{
    for (unsigned i = 0; i < 1u << cache->order; i++) {
        slab[i].flags &= ~PG_SLAB;
        slab[i].slab = nullptr;
    }
    slab->slab_free = 0;
    mm_stat_add(MM_STAT_SLAB, -(1L << cache->order));
    if (cache->flags & SLAB_RECLAIMABLE)
        mm_stat_add(MM_STAT_SLAB_RECLAIMABLE, -(1L << cache->order));
    if (cache->flags & SLAB_RCU)
        call_rcu(&slab->rcu, slab_return_rcu);
    else
        page_free(slab, cache->order);
}

// Puts one object back; returns a slab to be released once the lock is dropped, or null.
static struct page *slab_put(struct slab_cache *cache, void *object) REQUIRES(cache->lock)
{
    struct page *slab = slab_head(cache, object);
    if (!slab->slab_free)
        list_add(&slab->link, &cache->partial);
    *link_of(cache, object) = slab->slab_free;
    slab->slab_free = ((uint32_t)(uintptr_t)object & ((uint32_t)(PAGE_SIZE << cache->order) - 1)) + 1; // slabs are aligned to their size
    cache->nr_out--;
    if (--slab->slab_inuse)
        return nullptr;
    if (cache->nr_empty < EMPTY_SLABS_KEPT) {
        cache->nr_empty++;
        list_move_tail(&slab->link, &cache->partial);
        return nullptr;
    }
    list_del(&slab->link);
    cache->nr_slabs--;
    return slab;
}

// Buys a slab. May sleep unless ALLOC_ATOMIC; called without the lock. False: no memory.
static bool slab_grow(struct slab_cache *cache, unsigned flags)
{
    struct page *slab = page_alloc(cache->order, flags & ~(ALLOC_ZERO | ALLOC_DMA32));
    if (!slab)
        return false;
    for (unsigned i = 0; i < 1u << cache->order; i++) {
        slab[i].flags |= PG_SLAB;
        slab[i].slab = cache;
    }
    char *base = page_address(slab);
    uint32_t next = 0;
    for (unsigned i = cache->per_slab; i-- > 0;) {
        void *object = base + (size_t)i * cache->stride;
        if (cache->ctor)
            cache->ctor(object);
        *link_of(cache, object) = next;
        next = i * cache->stride + 1;
    }
    asan_poison(base, PAGE_SIZE << cache->order, ASAN_SLAB_REDZONE);
    slab->slab_free = next;
    slab->slab_inuse = 0;
    mm_stat_add(MM_STAT_SLAB, 1L << cache->order);
    if (cache->flags & SLAB_RECLAIMABLE)
        mm_stat_add(MM_STAT_SLAB_RECLAIMABLE, 1L << cache->order);
    spin_irq_guard(&cache->lock);
    list_add_tail(&slab->link, &cache->partial);
    cache->nr_empty++;
    cache->nr_slabs++;
    return true;
}

// ---- magazines ------------------------------------------------------------------------------------------------------

// One object past the magazines.
static void *take_direct(struct slab_cache *cache, unsigned flags)
{
    for (;;) {
        irq_flags_t irq = spin_lock_irqsave(&cache->lock);
        void *object = slab_take(cache);
        spin_unlock_irqrestore(&cache->lock, irq);
        if (object || !slab_grow(cache, flags))
            return object;
    }
}

static void put_direct(struct slab_cache *cache, void *object)
{
    irq_flags_t irq = spin_lock_irqsave(&cache->lock);
    struct page *dead = slab_put(cache, object);
    spin_unlock_irqrestore(&cache->lock, irq);
    if (dead)
        slab_release(cache, dead);
}

// Gives this CPU a magazine for the cache if it has none. Without memory for one, things go on without.
static void buy_magazine(struct slab_cache *cache)
{
    if (!cache->magazine_capacity)
        return;
    struct magazine *fresh = take_direct(&magazine_cache, ALLOC_ATOMIC | ALLOC_NOWARN);
    if (!fresh)
        return;
    *fresh = (struct magazine){.capacity = cache->magazine_capacity};
    irq_flags_t irq = arch_irq_save();
    struct magazine **slot = &cache->cpu[this_cpu_id()];
    if (*slot == &no_magazine) {
        *slot = fresh;
        fresh = nullptr;
    }
    arch_irq_restore(irq);
    if (fresh)
        put_direct(&magazine_cache, fresh);
}

static NOINLINE void *alloc_slow(struct slab_cache *cache, unsigned flags)
{
    irq_flags_t irq = arch_irq_save();
    bool poor = cache->cpu[this_cpu_id()] == &no_magazine;
    arch_irq_restore(irq);
    if (poor)
        buy_magazine(cache);
    for (;;) {
        irq = spin_lock_irqsave(&cache->lock);
        void *object = slab_take(cache);
        struct magazine *mag = cache->cpu[this_cpu_id()];
        while (object && mag->count < mag->capacity / 2) {
            void *more = slab_take(cache);
            if (!more)
                break;
            mag->objects[mag->count++] = more;
        }
        spin_unlock_irqrestore(&cache->lock, irq);
        if (object || !slab_grow(cache, flags))
            return object;
    }
}

static NOINLINE void free_slow(struct slab_cache *cache, void *object)
{
    irq_flags_t irq = arch_irq_save();
    bool poor = cache->cpu[this_cpu_id()] == &no_magazine;
    arch_irq_restore(irq);
    if (poor)
        buy_magazine(cache);
    LIST_HEAD(dead);
    irq = spin_lock_irqsave(&cache->lock);
    struct magazine *mag = cache->cpu[this_cpu_id()];
    while (mag->count > mag->capacity / 2) {
        struct page *slab = slab_put(cache, mag->objects[--mag->count]);
        if (slab)
            list_add(&slab->link, &dead);
    }
    struct page *slab = slab_put(cache, object);
    if (slab)
        list_add(&slab->link, &dead);
    spin_unlock_irqrestore(&cache->lock, irq);
    while (!list_empty(&dead)) {
        slab = list_first_entry(&dead, struct page, link);
        list_del(&slab->link);
        slab_release(cache, slab);
    }
}

void *slab_alloc(struct slab_cache *cache, unsigned flags)
{
    void *object;
    irq_flags_t irq = arch_irq_save();
    struct magazine *mag = cache->cpu[this_cpu_id()];
    if (likely(mag->count)) {
        object = mag->objects[--mag->count];
        arch_irq_restore(irq);
    } else {
        arch_irq_restore(irq);
        object = alloc_slow(cache, flags);
        if (unlikely(!object))
            return nullptr;
    }
    asan_unpoison(object, cache->object_size);
    if (flags & ALLOC_ZERO)
        memset(object, 0, cache->object_size);
    return object;
}

#ifdef KERNEL_ASAN
// Poisons a freed object and keeps it out of use for a while; what comes out instead goes back really. Objects that readers
// may look at when they are free (SLAB_RCU), or that keep what `ctor` built, only pass.
static bool free_late(struct slab_cache **cache, void **object)
{
    struct slab_cache *c = *cache;
    if (((uintptr_t)*object - (uintptr_t)page_address(slab_head(c, *object))) % c->stride)
        asan_report_free(*object, "free of an address inside an object");
    if (asan_state(*object) == ASAN_FREED)
        asan_report_free(*object, "object freed twice");
    if (c->flags & SLAB_RCU)
        return true;
    if (!c->ctor) {
        asan_unpoison(*object, c->object_size); // the tail behind what was asked for, too
        memset(*object, ASAN_FREE_FILL, c->object_size);
    }
    asan_poison(*object, c->object_size, ASAN_FREED);
    if (c->ctor)
        return true;
    *object = asan_quarantine(cache, *object, (uintptr_t)__builtin_frame_address(0));
    return *object;
}
#endif

void slab_free(struct slab_cache *cache, void *object)
{
#ifndef KERNEL_NO_ASSERT
    const struct page *page = virt_to_page(object);
    if (unlikely(!(page->flags & PG_SLAB) || page->slab != cache))
        slab_bad(cache, object, "object of another cache freed");
#endif
#ifdef KERNEL_ASAN
    if (!free_late(&cache, &object))
        return;
#endif
    irq_flags_t irq = arch_irq_save();
    struct magazine *mag = cache->cpu[this_cpu_id()];
    if (likely(mag->count < mag->capacity)) {
#ifndef KERNEL_NO_ASSERT
        if (unlikely(mag->count && mag->objects[mag->count - 1] == object))
            slab_bad(cache, object, "object freed twice");
#endif
        mag->objects[mag->count++] = object;
        arch_irq_restore(irq);
        return;
    }
    arch_irq_restore(irq);
    free_slow(cache, object);
}

// ---- caches ---------------------------------------------------------------------------------------------------------

static void cache_setup(struct slab_cache *cache, const char *name, size_t size, size_t align, unsigned flags,
                        void (*ctor)(void *))
{
    align = max(align, (size_t)8);
    cache->name = name;
    cache->object_size = (uint32_t)ALIGN_UP(size, 8ul);
    bool keep = ctor || flags & SLAB_RCU; // the content of free objects matters
    cache->link_offset = keep ? cache->object_size : 0;
    cache->stride = (uint32_t)ALIGN_UP(cache->object_size + (keep ? 8 : 0) + ASAN_REDZONE, align);
    cache->flags = (uint8_t)flags;
    cache->ctor = ctor;
    while ((PAGE_SIZE << cache->order) / cache->stride < 4 && cache->order < 3)
        cache->order++;
    cache->per_slab = (uint16_t)((PAGE_SIZE << cache->order) / cache->stride);
    cache->magazine_capacity = size <= 256 ? MAGAZINE_MAX : size <= 1024 ? 24 : 12;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        cache->cpu[cpu] = &no_magazine;
    spin_init(&cache->lock, &slab_lock_class);
    list_init(&cache->partial);
    irq_flags_t irq = spin_lock_irqsave(&slab_list_lock);
    list_add_tail(&cache->all_link, &slab_list);
    spin_unlock_irqrestore(&slab_list_lock, irq);
}

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *))
{
    struct slab_cache *cache = slab_alloc(&cache_cache, ALLOC_ZERO);
    if (cache)
        cache_setup(cache, name, size, align, flags, ctor);
    return cache;
}

void slab_for_each(void (*fn)(const struct slab_info *, void *arg), void *arg)
{
    struct slab_cache *cache;
    // Caches are never destroyed: standing on one without the lock is safe.
    list_for_each_entry_rcu (cache, &slab_list, all_link) {
        struct slab_info info = {.name = cache->name, .object_size = cache->object_size};
        irq_flags_t irq = spin_lock_irqsave(&cache->lock);
        info.objects = cache->nr_slabs * cache->per_slab;
        info.pages = cache->nr_slabs << cache->order;
        info.active = cache->nr_out;
        spin_unlock_irqrestore(&cache->lock, irq);
        unsigned cpu;
        for_each_possible_cpu (cpu)
            info.active -= min((uint64_t)READ_ONCE(cache->cpu[cpu]->count), info.active);
        fn(&info, arg);
    }
}

size_t slab_object_size(const struct slab_cache *cache)
{
    return cache->object_size;
}

void slab_init(void)
{
    cache_setup(&cache_cache, "slab_cache", sizeof(struct slab_cache), 64, 0, nullptr);
    cache_setup(&magazine_cache, "magazine", sizeof(struct magazine) + MAGAZINE_MAX * sizeof(void *), 64, 0, nullptr);
    magazine_cache.magazine_capacity = 0;
    kmalloc_init();
}

void slab_show_object(const void *addr)
{
    const struct slab_cache *cache = virt_to_page(addr)->slab;
    const char *base = page_address(slab_head(cache, addr));
    size_t offset = (size_t)((const char *)addr - base), at = offset % cache->stride;
    pr_emerg("The object: %s of %u bytes at %px, byte %zu\n", cache->name, cache->object_size, (const void *)(base + offset - at),
             at);
}

ASAN_ON
