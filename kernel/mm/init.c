// kernel/mm/init.c — from the boot loader's memory map to a working page allocator.
//
// boot_info.ranges says what each piece of memory is. mem_map is a virtual array over all frames; only the parts that
// describe RAM are backed (whole blocks of the greatest order, see page_alloc.c). Frames of RAM that are not free start
// as PG_RESERVED with one reference.
#include "kernel/mm/init.h"
#include "arch/include/mmu.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/debug/asan/asan.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mm_boot.h"
#include "kernel/mm/slab_boot.h"
#include "kernel/mm/zone.h"

extern char __ro_after_init_start[], __ro_after_init_end[];

struct page *zero_page RO_AFTER_INIT;
uintptr_t direct_map_base RO_AFTER_INIT; // chosen by the boot code
pfn_t max_pfn RO_AFTER_INIT;

static bool is_ram(enum memory_kind kind)
{
    return kind == MEM_USABLE || kind == MEM_KERNEL || kind == MEM_BOOT_TABLES || kind == MEM_INITRD ||
           kind == MEM_ACPI;
}

bool pfn_valid(pfn_t pfn)
{
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        const struct memory_range *r = &boot_info.ranges[i];
        if (is_ram(r->kind) && pfn >= r->start >> PAGE_SHIFT && pfn < (r->start + r->size) >> PAGE_SHIFT)
            return true;
    }
    return false;
}

static INIT_TEXT void *boot_table(void)
{
    paddr_t pa = boot_memory_take(PAGE_SIZE, PAGE_SIZE, UINT64_MAX);
    if (!pa)
        panic("mm: no memory for page tables at boot");
    void *table = phys_to_virt(pa);
    mmu_clear_page(table);
    return table;
}

// Backs mem_map for frames [start, end), as far as it is not backed yet (`*done`: up to which byte of the array it is).
static INIT_TEXT void back_mem_map(pfn_t start, pfn_t end, vaddr_t *done)
{
    start = ALIGN_DOWN(start, 1UL << MAX_ORDER);
    end = ALIGN_UP(end, 1UL << MAX_ORDER);
    vaddr_t from = max((vaddr_t)&mem_map[start] & PAGE_MASK, *done);
    vaddr_t to = ALIGN_UP((vaddr_t)&mem_map[end], PAGE_SIZE);
    while (from < to) {
        // 2 MiB pages where a whole one is needed; small ones at the edges.
        bool large = IS_ALIGNED(from, mmu_span(1)) && to - from >= mmu_span(1);
        uint64_t step = large ? mmu_span(1) : PAGE_SIZE;
        paddr_t pa = boot_memory_take(step, step, UINT64_MAX);
        if (!pa && large)
            pa = boot_memory_take(step = PAGE_SIZE, PAGE_SIZE, UINT64_MAX);
        if (!pa)
            panic("mm: no memory for mem_map");
        memset(phys_to_virt(pa), 0, step);
        mmu_kernel_map_boot(from, pa, step, MMU_KERNEL_RW);
        from += step;
    }
    *done = max(*done, to);
}

static INIT_TEXT void build_mem_map(void)
{
    mem_map = (struct page *)mmu_mem_map_start;
    // Taking memory splits ranges, but moves no boundary between RAM and the rest: walk by address, not by index.
    vaddr_t done = 0;
    for (paddr_t at = 0;;) {
        const struct memory_range *next = nullptr;
        for (unsigned i = 0; i < boot_info.nr_ranges && !next; i++)
            if (is_ram(boot_info.ranges[i].kind) && boot_info.ranges[i].start + boot_info.ranges[i].size > at)
                next = &boot_info.ranges[i];
        if (!next)
            break;
        pfn_t start = max(next->start, at) >> PAGE_SHIFT;
        at = next->start + next->size;
        back_mem_map(start, DIV_ROUND_UP(at, PAGE_SIZE), &done);
    }
}

static INIT_TEXT void hand_over(void)
{
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        const struct memory_range *r = &boot_info.ranges[i];
        pfn_t start = DIV_ROUND_UP(r->start, PAGE_SIZE), end = (r->start + r->size) >> PAGE_SHIFT;
        if (!is_ram(r->kind) || start >= end)
            continue;
        if (r->kind == MEM_USABLE) {
            zone_add_range(start ? start : 1, end); // frame 0 stays out: 0 means "no address" in too many places
            continue;
        }
        for (pfn_t pfn = start; pfn < end; pfn++) {
            pfn_to_page(pfn)->flags = PG_RESERVED;
            refcount_set(&pfn_to_page(pfn)->refs, 1);
        }
    }
    zone_set_watermarks();
}

INIT_TEXT void mm_init_early(void)
{
    for (unsigned i = 0; i < boot_info.nr_ranges; i++)
        if (is_ram(boot_info.ranges[i].kind))
            max_pfn = max(max_pfn, (pfn_t)((boot_info.ranges[i].start + boot_info.ranges[i].size) >> PAGE_SHIFT));
    arch_mmu_init(boot_table);
    build_mem_map();
    asan_init();
    arch_mmu_use_page_alloc();
    hand_over();
    slab_init();
    zero_page = page_alloc(0, ALLOC_ZERO);
    if (!zero_page)
        panic("mm: no memory at all");
    zero_page->flags = PG_RESERVED | PG_ZERO | PG_UPTODATE;
    pr_info("Memory: %luK free of %luK\n", (unsigned long)page_alloc_free_count() << (PAGE_SHIFT - 10),
            (unsigned long)(boot_memory_total() >> 10));
}

INIT_TEXT void mm_init(void)
{
    arch_mmu_seal_image();
    vmalloc_init();
    address_space_init();
}

static void release_frames(pfn_t start, pfn_t end)
{
    for (pfn_t pfn = start; pfn < end; pfn++) {
        struct page *page = pfn_to_page(pfn);
        if (page->flags != PG_RESERVED)
            panic("mm: frame %#lx given back twice at boot", (unsigned long)pfn);
        page->flags = 0;
        refcount_set(&page->refs, 0);
    }
    zone_add_range(start, end);
}

void mm_release_boot_memory(paddr_t start, uint64_t size, const char *what)
{
    pfn_t first = DIV_ROUND_UP(start, PAGE_SIZE), end = (start + size) >> PAGE_SHIFT;
    if (first >= end)
        return;
    release_frames(first, end);
    zone_set_watermarks();
    pr_info("Freeing %s memory: %luK\n", what, (unsigned long)(end - first) << (PAGE_SHIFT - 10));
}

void mm_seal_boot_data(void)
{
    for (vaddr_t va = (vaddr_t)__ro_after_init_start; va < (vaddr_t)__ro_after_init_end; va += PAGE_SIZE)
        mmu_kernel_protect(va, MMU_KERNEL_RO);
    mmu_flush_kernel((vaddr_t)__ro_after_init_start, (vaddr_t)__ro_after_init_end);
}
