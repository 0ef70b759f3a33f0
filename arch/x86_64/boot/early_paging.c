// arch/x86_64/boot/early_paging.c — builds the direct map while there is none yet.
//
// The loader's tables map only the kernel's region. New tables are pages anywhere in RAM; to write one, its frame is
// mapped for a moment at `window`, a page of the kernel image whose own entry we borrow. 47 bits of kernel half: the
// direct map gets the 64 TiB from DIRECT_MAP_LOWEST on, shifted by a random multiple of 1 GiB that leaves room for all
// of memory.
#include "arch/x86_64/boot/early_paging.h"

#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/mm/page.h"

#define DIRECT_MAP_LOWEST 0xffff888000000000ull
#define DIRECT_MAP_SPAN (64ull << 40)
#define SIZE_2M (2ull << 20)
#define SIZE_1G (1ull << 30)

enum {
    PRESENT = 1 << 0,
    WRITE = 1 << 1,
    LARGE = 1 << 7,
    GLOBAL = 1 << 8,
};
#define NO_EXECUTE (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull

static uint64_t window[512] ALIGNED(4096);
static uint64_t *window_entry;
static uint64_t leaf_flags;
static bool have_1g;

static uint64_t *in_region(paddr_t pa)
{
    return (uint64_t *)(pa - boot_info.kernel_phys + boot_info.kernel_virt);
}

// The entry that maps `va`, which lies in the kernel's region: all tables above it do too.
static uint64_t *region_entry(paddr_t root, vaddr_t va)
{
    uint64_t *table = in_region(root);
    for (int shift = 39; shift > 12; shift -= 9)
        table = in_region(table[va >> shift & 511] & ADDRESS);
    return &table[va >> 12 & 511];
}

static uint64_t *look_at(paddr_t table)
{
    *window_entry = table | PRESENT | WRITE | (leaf_flags & NO_EXECUTE);
    __asm__ volatile("invlpg (%0)" : : "r"(window) : "memory");
    return window;
}

static paddr_t new_table(void)
{
    paddr_t table = boot_memory_take(PAGE_SIZE, PAGE_SIZE, UINT64_MAX);
    if (!table)
        panic("no memory for the direct map's tables");
    memset(look_at(table), 0, PAGE_SIZE);
    return table;
}

static paddr_t next_level(paddr_t table, unsigned index)
{
    uint64_t entry = look_at(table)[index];
    if (!entry) {
        entry = new_table() | PRESENT | WRITE;
        look_at(table)[index] = entry;
    }
    return entry & ADDRESS;
}

// Maps [pa, pa + size), one page of 2 MiB or 1 GiB.
static void map_large(paddr_t root, paddr_t pa, uint64_t size)
{
    vaddr_t va = direct_map_base + pa;
    paddr_t table = next_level(root, va >> 39 & 511);
    unsigned shift = 30;
    if (size == SIZE_2M) {
        if (look_at(table)[va >> 30 & 511] & LARGE)
            return;
        table = next_level(table, va >> 30 & 511);
        shift = 21;
    }
    look_at(table)[va >> shift & 511] = pa | leaf_flags | LARGE;
}

static bool is_ram(enum memory_kind kind)
{
    return kind != MEM_RESERVED && kind != MEM_BAD && kind != MEM_PERSISTENT;
}

// Ranges are widened to 2 MiB: what lies between RAM and the next boundary is memory-like or uncached by the MTRRs.
static void map_range(paddr_t root, paddr_t start, paddr_t end)
{
    paddr_t pa = ALIGN_DOWN(start, SIZE_2M);
    end = ALIGN_UP(end, SIZE_2M);
    while (pa < end) {
        uint64_t size = have_1g && IS_ALIGNED(pa, SIZE_1G) && end - pa >= SIZE_1G ? SIZE_1G : SIZE_2M;
        map_large(root, pa, size);
        pa += size;
    }
}

static void detect_features(void)
{
    uint32_t a = 0x80000001, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    have_1g = d & 1u << 26;
    leaf_flags = PRESENT | WRITE | GLOBAL | (d & 1u << 20 ? NO_EXECUTE : 0);
}

static paddr_t end_of_ram(void)
{
    paddr_t end = 0;
    for (unsigned i = 0; i < boot_info.nr_ranges; i++)
        if (is_ram(boot_info.ranges[i].kind))
            end = max(end, boot_info.ranges[i].start + boot_info.ranges[i].size);
    return end;
}

void early_paging_init(const struct boot_handoff *handoff, uint64_t random)
{
    detect_features();
    uint64_t slots = (DIRECT_MAP_SPAN - ALIGN_UP(end_of_ram(), SIZE_1G)) / SIZE_1G;
    direct_map_base = DIRECT_MAP_LOWEST + random % slots * SIZE_1G;
    paddr_t root = handoff->pml4_phys;
    window_entry = region_entry(root, (vaddr_t)window);
    uint64_t window_was = *window_entry;

    // Taking memory for tables splits ranges: remember where we are by address, not by index.
    paddr_t at = 0;
    for (;;) {
        const struct memory_range *next = nullptr;
        for (unsigned i = 0; i < boot_info.nr_ranges && !next; i++)
            if (is_ram(boot_info.ranges[i].kind) && boot_info.ranges[i].start + boot_info.ranges[i].size > at)
                next = &boot_info.ranges[i];
        if (!next)
            break;
        paddr_t start = max(next->start, at), end = next->start + next->size;
        map_range(root, start, end);
        at = end;
    }

    *window_entry = window_was;
    // The lower half goes: the loader's bridge was the only thing in it. A new CR3 drops what was cached of both.
    uint64_t *pml4 = in_region(root);
    memset(pml4, 0, 256 * sizeof *pml4);
    __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}
