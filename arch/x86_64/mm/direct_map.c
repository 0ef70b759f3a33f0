// arch/x86_64/mm/direct_map.c — the second face of the kernel image: its constant parts are read-only in the direct map
// too, so that no writable address of the kernel's code exists.
#include "arch/include/mmu.h"
#include "kernel/base/panic.h"
#include "kernel/boot/boot_info.h"
#include "kernel/mm/page.h"

#include "arch/x86_64/mm/root.h"

extern char kernel_image_start[], kernel_rodata_end[];

// Replaces a large page by a table of smaller ones with the same rights. One CPU runs, and nothing changes in what is
// mapped: no flush in between.
static pte_t *split(pte_t *slot, unsigned level)
{
    struct page *page = page_alloc(0, ALLOC_KERNEL);
    if (!page)
        panic("mm: no memory to split the direct map");
    page->flags |= PG_RESERVED;
    pte_t *table = page_address(page), e = *slot;
    uint64_t span = mmu_span(level - 1);
    for (unsigned i = 0; i < MMU_ENTRIES; i++)
        table[i] = (level > 1 ? e : e & ~X86_PTE_LARGE) + i * span;
    mmu_set(slot, mmu_kernel_table_entry(page_to_phys(page)));
    return table;
}

static void make_readonly(vaddr_t va)
{
    pte_t *table = x86_kernel_root.table;
    for (unsigned level = MMU_LEVELS - 1; level > 0; level--) {
        pte_t *slot = &table[mmu_index(va, level)];
        table = level < MMU_LEVELS - 1 && mmu_is_large(*slot) ? split(slot, level) : phys_to_virt(mmu_phys(*slot));
    }
    pte_t *e = &table[mmu_index(va, 0)];
    mmu_set(e, *e & ~X86_PTE_W);
}

void arch_mmu_seal_image(void)
{
    size_t size = (size_t)(kernel_rodata_end - kernel_image_start);
    vaddr_t start = (vaddr_t)phys_to_virt(boot_info.kernel_phys), end = ALIGN_DOWN(start + size, PAGE_SIZE);
    for (vaddr_t va = start; va < end; va += PAGE_SIZE)
        make_readonly(va);
    mmu_flush_kernel(0, ~0UL);
}
