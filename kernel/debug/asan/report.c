// kernel/debug/asan/report.c — says what was touched, what it is, who freed it; then panics. Also the queue of freed objects.
#ifdef KERNEL_ASAN

#include "kernel/debug/asan/internal.h"

ASAN_OFF

#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/debug/backtrace.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab_boot.h"
#include "kernel/sync/spinlock.h"

#define QUARANTINE_SLOTS 2048u
#define FREE_TRACE 8u

struct waiting {
    struct slab_cache *cache;
    void *object;
    uintptr_t trace[FREE_TRACE]; // who freed it
};

DEFINE_LOCK_CLASS(quarantine_lock_class, "quarantine", RANK_SLAB);
static struct spinlock quarantine_lock = SPINLOCK_INIT(&quarantine_lock_class);
static struct waiting queue[QUARANTINE_SLOTS] GUARDED_BY(&quarantine_lock);
static unsigned next_slot GUARDED_BY(&quarantine_lock);

void *asan_quarantine(struct slab_cache **cache, void *object, uintptr_t frame)
{
    struct waiting in = {.cache = *cache, .object = object};
    backtrace_collect(frame, 0, in.trace, FREE_TRACE);
    irq_flags_t irq = spin_lock_irqsave(&quarantine_lock);
    struct waiting *slot = &queue[next_slot++ % QUARANTINE_SLOTS];
    void *out = slot->object;
    *cache = slot->cache;
    *slot = in;
    spin_unlock_irqrestore(&quarantine_lock, irq);
    return out;
}

// The other CPUs may go on meanwhile: a mixed-up entry is better than a lock that is never dropped.
void asan_quarantine_show(uintptr_t addr) NO_THREAD_SAFETY_ANALYSIS
{
    for (unsigned i = 0; i < QUARANTINE_SLOTS; i++) {
        const struct waiting *w = &queue[i];
        uintptr_t start = (uintptr_t)w->object;
        if (!start || addr < start || addr >= start + slab_object_size(w->cache))
            continue;
        pr_emerg("Freed by:\n");
        for (unsigned k = 0; k < FREE_TRACE && w->trace[k]; k++)
            pr_emerg("  %pS\n", (void *)(w->trace[k] - 1));
        return;
    }
}

static const char *state_name(uint8_t state)
{
    switch (state) {
    case ASAN_PAGE_FREE:
    case ASAN_PAGE_FILLED:
        return "use after free (page)";
    case ASAN_FREED:
        return "use after free";
    case ASAN_SLAB_REDZONE:
        return "out of bounds (slab)";
    case ASAN_GLOBAL:
        return "out of bounds (global)";
    case ASAN_VMALLOC:
        return "out of bounds (vmalloc)";
    case ASAN_VMALLOC_FREED:
        return "use after free (vmalloc)";
    case ASAN_STACK_LEFT:
    case ASAN_STACK_MID:
    case ASAN_STACK_RIGHT:
        return "out of bounds (stack)";
    case ASAN_STACK_SCOPE:
        return "use after scope (stack)";
    case ASAN_STACK_FREED:
        return "use of a dead thread's stack";
    default:
        return "out of bounds";
    }
}

static void show_object(uintptr_t addr)
{
    if (addr - direct_map_base >= (uint64_t)max_pfn << PAGE_SHIFT) {
        pr_emerg("The address is %pS\n", (void *)addr);
        asan_show_frame(addr);
        return;
    }
    const struct page *page = virt_to_page((void *)addr);
    if (page->flags & PG_SLAB)
        slab_show_object((const void *)addr);
    else
        pr_emerg("The page: frame %#lx, flags %#x, refs %u\n", (unsigned long)page_to_pfn(page), page->flags,
                 refcount_read(&page->refs));
}

// The shadow around the byte, sixteen to a line.
static void show_shadow(uintptr_t bad)
{
    uintptr_t from = (bad & ~(uintptr_t)127) - 128;
    for (unsigned line = 0; line < 4; line++, from += 128) {
        uint8_t row[16];
        for (unsigned i = 0; i < 16; i++) {
            const uint8_t *shadow = asan_shadow(from + i * ASAN_SCALE);
            row[i] = shadow ? *shadow : 0;
        }
        pr_emerg(" %c%px: %02x %02x %02x %02x %02x %02x %02x %02x  %02x %02x %02x %02x %02x %02x %02x %02x\n",
                 bad - from < 128 ? '>' : ' ', (void *)from, row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7],
                 row[8], row[9], row[10], row[11], row[12], row[13], row[14], row[15]);
    }
}

void asan_report(const void *addr, size_t size, bool write, uintptr_t where)
{
    uintptr_t bad = asan_first_bad((uintptr_t)addr, size);
    if (!bad)
        bad = (uintptr_t)addr;
    uint8_t *shadow = asan_shadow(bad), state = shadow ? *shadow : 0;
    if (state < ASAN_SCALE && shadow)
        state = shadow[1]; // the bytes behind the last good one say why
    asan_ready = false;    // what the report calls is not checked any more
    pr_emerg("ASAN: %s: %s of %zu bytes at %px (first bad byte %px) in %pS\n", state_name(state), write ? "write" : "read",
             size, addr, (void *)bad, (void *)(where - 1));
    show_object(bad);
    show_shadow(bad);
    asan_quarantine_show(bad);
    panic("address sanitiser: %s", state_name(state));
}

void asan_report_free(const void *object, const char *what)
{
    asan_ready = false;
    pr_emerg("ASAN: %s: %px\n", what, object);
    show_object((uintptr_t)object);
    asan_quarantine_show((uintptr_t)object);
    panic("address sanitiser: %s", what);
}

ASAN_ON

#endif
