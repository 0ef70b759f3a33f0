// kernel/debug/asan/shadow.c — where the shadow is, and how it is written.
//
// RAM has its shadow in pieces, one of 256 KiB for each 2 MiB that contains RAM; a table leads from the physical address to
// the piece, so that holes cost nothing. The kernel image has one piece of its own. The vmalloc area gets its pieces, of the same
// size, when addresses in them are first used; they stay. (All three begin at multiples of 2 MiB, so that a step of fill() never
// crosses a piece.)
#ifdef KERNEL_ASAN

#include "kernel/debug/asan/internal.h"

ASAN_OFF

#include "arch/include/mmu.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/boot/boot_info.h"
#include "kernel/mm/page.h"

#define CHUNK_SHIFT 21
#define CHUNK_SIZE (1UL << CHUNK_SHIFT)
#define CHUNK_SHADOW (CHUNK_SIZE / ASAN_SCALE)

bool asan_ready;
static uint8_t **chunks; // by physical address >> CHUNK_SHIFT
static uint64_t chunks_end; // the first physical address behind the table
static uint8_t *image_shadow;
static uint8_t **vmalloc_chunks; // atomic; by offset from vmalloc_base >> CHUNK_SHIFT
static uintptr_t vmalloc_base;
#define VMALLOC_COVERED (64UL << 30) // what lies farther up is not checked; areas are taken from the bottom
extern char kernel_image_start[], kernel_image_end[];

uint8_t *asan_shadow(uintptr_t addr)
{
    uint64_t pa = addr - direct_map_base;
    if (likely(pa < chunks_end)) {
        uint8_t *chunk = chunks[pa >> CHUNK_SHIFT];
        return chunk ? chunk + (pa & (CHUNK_SIZE - 1)) / ASAN_SCALE : nullptr;
    }
    uint64_t offset = addr - (uintptr_t)kernel_image_start;
    if (offset < (uint64_t)(kernel_image_end - kernel_image_start))
        return image_shadow + offset / ASAN_SCALE;
    offset = addr - vmalloc_base;
    if (offset < VMALLOC_COVERED && vmalloc_chunks) {
        uint8_t *chunk = __atomic_load_n(&vmalloc_chunks[offset >> CHUNK_SHIFT], __ATOMIC_ACQUIRE);
        return chunk ? chunk + (offset & (CHUNK_SIZE - 1)) / ASAN_SCALE : nullptr;
    }
    return nullptr;
}

bool asan_cover_vmalloc(uintptr_t start, size_t size)
{
    uintptr_t end = min(start + size, vmalloc_base + VMALLOC_COVERED);
    for (uintptr_t at = ALIGN_DOWN(start, CHUNK_SIZE); at < end; at += CHUNK_SIZE) {
        uint8_t **slot = &vmalloc_chunks[(at - vmalloc_base) >> CHUNK_SHIFT], *none = nullptr;
        if (*slot)
            continue;
        const unsigned order = __builtin_ctzl(CHUNK_SHADOW / PAGE_SIZE);
        struct page *page = page_alloc(order, ALLOC_KERNEL);
        if (!page)
            return false;
        uint8_t *fresh = page_address(page);
        raw_memset(fresh, ASAN_VMALLOC, CHUNK_SHADOW);
        if (!__atomic_compare_exchange_n(slot, &none, fresh, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            page_free(page, order);
    }
    return true;
}

static void fill(uintptr_t addr, size_t size, uint8_t value)
{
    while (size) {
        size_t step = min(size, CHUNK_SIZE - addr % CHUNK_SIZE);
        uint8_t *shadow = asan_shadow(addr);
        if (shadow)
            raw_memset(shadow, value, step / ASAN_SCALE);
        addr += step;
        size -= step;
    }
}

void asan_write_shadow(uintptr_t addr, size_t count, uint8_t value)
{
    if (asan_ready)
        fill(ALIGN_DOWN(addr, (uintptr_t)ASAN_SCALE), count * ASAN_SCALE, value);
}

void asan_poison(const void *addr, size_t size, uint8_t why)
{
    if (asan_ready)
        fill((uintptr_t)addr, ALIGN_UP(size, (size_t)ASAN_SCALE), why);
}

void asan_unpoison(const void *addr, size_t size)
{
    if (!asan_ready)
        return;
    fill((uintptr_t)addr, size & ~(size_t)(ASAN_SCALE - 1), 0);
    uint8_t *last = asan_shadow((uintptr_t)addr + size);
    if (size % ASAN_SCALE && last)
        *last = size % ASAN_SCALE;
}

void asan_mark_object(const void *object, size_t size, size_t room)
{
    size_t used = ALIGN_UP(size, (size_t)ASAN_SCALE);
    asan_unpoison(object, size);
    if (used < room)
        asan_poison((const char *)object + used, room - used, ASAN_KMALLOC_TAIL);
}

uint8_t asan_state(const void *addr)
{
    const uint8_t *shadow = asan_shadow((uintptr_t)addr);
    return asan_ready && shadow ? *shadow : 0;
}

uintptr_t asan_first_bad(uintptr_t addr, size_t size)
{
    uintptr_t end = addr + size;
    while (addr < end) {
        const uint8_t *shadow = asan_shadow(addr);
        uintptr_t next = (addr | (ASAN_SCALE - 1)) + 1;
        if (!shadow) {
            addr = next;
            continue;
        }
        // Eight good shadow bytes at once, inside one piece.
        if ((uintptr_t)shadow % 8 == 0 && end - addr >= 64 && *(const uint64_t *)shadow == 0) {
            addr = (addr & ~(uintptr_t)(ASAN_SCALE - 1)) + 64;
            continue;
        }
        uint8_t state = *shadow;
        if (state >= ASAN_SCALE)
            return addr;
        uintptr_t good_end = (addr & ~(uintptr_t)(ASAN_SCALE - 1)) + state;
        if (state && min(next, end) > good_end)
            return max(addr, good_end);
        addr = next;
    }
    return 0;
}

size_t asan_valid_size(const void *object, size_t room)
{
    uintptr_t bad = asan_ready ? asan_first_bad((uintptr_t)object, room) : 0;
    return bad ? bad - (uintptr_t)object : room;
}

static bool has_ram(paddr_t start)
{
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        const struct memory_range *r = &boot_info.ranges[i];
        bool ram = r->kind == MEM_USABLE || r->kind == MEM_KERNEL || r->kind == MEM_BOOT_TABLES || r->kind == MEM_INITRD ||
                   r->kind == MEM_ACPI;
        if (ram && r->start < start + CHUNK_SIZE && start < r->start + r->size)
            return true;
    }
    return false;
}

static void *take(uint64_t size)
{
    paddr_t pa = boot_memory_take(ALIGN_UP(size, PAGE_SIZE), PAGE_SIZE, UINT64_MAX);
    return pa ? raw_memset(phys_to_virt(pa), 0, size) : nullptr;
}

typedef void (*const constructor)(void);

void asan_init(void)
{
    extern constructor __constructors_start[], __constructors_end[];
    uint64_t nr = DIV_ROUND_UP((uint64_t)max_pfn << PAGE_SHIFT, CHUNK_SIZE), used = 0;
    uint8_t **table = take(nr * sizeof *table);
    image_shadow = take((size_t)(kernel_image_end - kernel_image_start) / ASAN_SCALE + 1);
    for (uint64_t i = 0; i < nr; i++)
        used += has_ram(i << CHUNK_SHIFT);
    uint8_t *all = take(used * CHUNK_SHADOW);
    if (!table || !image_shadow)
        panic("asan: no memory for the shadow");
    for (uint64_t i = 0, n = 0; i < nr; i++) {
        if (!has_ram(i << CHUNK_SHIFT))
            continue;
        table[i] = all ? all + n++ * CHUNK_SHADOW : take(CHUNK_SHADOW);
        if (!table[i])
            panic("asan: no memory for the shadow");
    }
    vmalloc_chunks = take((VMALLOC_COVERED >> CHUNK_SHIFT) * sizeof *vmalloc_chunks);
    if (!vmalloc_chunks)
        panic("asan: no memory for the shadow");
    vmalloc_base = ALIGN_DOWN(mmu_vmalloc_start, CHUNK_SIZE);
    chunks = table;
    chunks_end = nr << CHUNK_SHIFT;
    asan_ready = true;
    for (constructor *c = __constructors_start; c < __constructors_end; c++)
        (*c)();
    pr_info("asan: %lu KiB of shadow, %zu constructors\n", (unsigned long)(used * CHUNK_SHADOW >> 10),
            (size_t)(__constructors_end - __constructors_start));
}

ASAN_ON

#endif
