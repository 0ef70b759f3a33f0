// arch/x86_64/mm/mmu.c — the kernel's own page tables, and the root table of each address space.
//
// The upper half of every root is the same 256 entries: they are filled once at boot (direct map, vmalloc area,
// mem_map, image) and never change afterwards, so that a new root copies them and no root has to be kept up to date.
// Tables below them are only ever added. A root that dies keeps its kernel half and has an empty user half: it is kept
// per CPU for the next address space.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/stat.h"

#include "arch/x86_64/mm/root.h"

#define VMALLOC_BASE 0xffffc90000000000UL
#define VMALLOC_SPAN (1UL << 39) // one entry of the root
#define MEM_MAP_BASE 0xffffea0000000000UL
#define ROOTS_KEPT 4

uint64_t x86_nx_mask RO_AFTER_INIT, x86_global_mask RO_AFTER_INIT;
vaddr_t mmu_vmalloc_start RO_AFTER_INIT, mmu_vmalloc_end RO_AFTER_INIT, mmu_mem_map_start RO_AFTER_INIT;
struct x86_root x86_kernel_root RO_AFTER_INIT;

DEFINE_LOCK_CLASS(kernel_table_lock_class, "kernel page tables", RANK_PAGE_TABLE);
static struct spinlock kernel_table_lock = SPINLOCK_INIT(&kernel_table_lock_class);
static void *(*boot_alloc_table)(void)RO_AFTER_INIT;

struct root_stack {
    unsigned count;
    struct page *pages[ROOTS_KEPT];
};
static DEFINE_PER_CPU(struct root_stack, root_stack);

static void *new_kernel_table(void)
{
    if (boot_alloc_table)
        return boot_alloc_table();
    struct page *page = page_alloc(0, ALLOC_ATOMIC | ALLOC_ZERO);
    if (!page)
        return nullptr;
    page->flags |= PG_RESERVED;
    mm_stat_add(MM_STAT_TABLES, 1);
    return page_address(page);
}

// The entry for `va` at `level` in the kernel's tables; missing tables are made where `create`. Null: not there, no
// memory, or inside a large page.
static pte_t *kernel_entry(vaddr_t va, unsigned level, bool create)
{
    uint64_t *table = x86_kernel_root.table;
    for (unsigned at = MMU_LEVELS - 1; at > level; at--) {
        pte_t *e = &table[mmu_index(va, at)];
        if (!mmu_present(*e)) {
            void *below = create ? new_kernel_table() : nullptr;
            if (!below)
                return nullptr;
            mmu_set(e, mmu_kernel_table_entry(virt_to_phys(below)));
        } else if (mmu_is_large(*e)) {
            return nullptr;
        }
        table = phys_to_virt(mmu_phys(*e));
    }
    return &table[mmu_index(va, level)];
}

int mmu_kernel_map(vaddr_t va, paddr_t pa, pte_t prot)
{
    spin_guard(&kernel_table_lock);
    pte_t *e = kernel_entry(va, 0, true);
    if (!e)
        return -ENOMEM;
    if (mmu_present(*e))
        panic("mm: kernel address %px is mapped already", (void *)va);
    mmu_set(e, pa | prot);
    return 0;
}

pte_t mmu_kernel_unmap(vaddr_t va)
{
    spin_guard(&kernel_table_lock);
    pte_t *e = kernel_entry(va, 0, false);
    return e ? mmu_get_and_clear(e) : 0;
}

void mmu_kernel_protect(vaddr_t va, pte_t prot)
{
    spin_guard(&kernel_table_lock);
    pte_t *e = kernel_entry(va, 0, false);
    if (e && mmu_present(*e))
        mmu_set(e, mmu_phys(*e) | prot);
}

void mmu_kernel_map_boot(vaddr_t va, paddr_t pa, uint64_t size, pte_t prot)
{
    while (size) {
        bool large = size >= mmu_span(1) && IS_ALIGNED(va, mmu_span(1)) && IS_ALIGNED(pa, mmu_span(1));
        uint64_t step = large ? mmu_span(1) : PAGE_SIZE;
        pte_t *e = kernel_entry(va, large, true);
        if (!e)
            panic("mm: no memory for the kernel's page tables");
        mmu_set(e, pa | prot | (large ? X86_PTE_LARGE : 0));
        va += step;
        pa += step;
        size -= step;
    }
}

// Makes the tables right below the root for [start, end), so that the root never changes again.
static void fill_root(vaddr_t start, vaddr_t end)
{
    for (vaddr_t va = ALIGN_DOWN(start, mmu_span(3)); va < end; va += mmu_span(3)) {
        pte_t *e = &x86_kernel_root.table[mmu_index(va, 3)];
        if (!mmu_present(*e))
            mmu_set(e, mmu_kernel_table_entry(virt_to_phys(new_kernel_table())));
    }
}

static uint64_t seed_word(unsigned at)
{
    uint64_t word;
    memcpy(&word, &boot_info.seed[at], sizeof word);
    return (word ^ word >> 29) * 0x9e3779b97f4a7c15UL >> 16;
}

void arch_mmu_init(void *(*alloc_table)(void))
{
    char unused[8];
    bool random = !cmdline_find("nokaslr", unused, sizeof unused);
    boot_alloc_table = alloc_table;
    x86_nx_mask = rdmsr(MSR_EFER) & EFER_NX ? X86_PTE_NX : 0;
    if (read_cr4() & CR4_PGE)
        x86_global_mask = X86_PTE_G;
    x86_kernel_root.phys = read_cr3() & X86_PTE_FRAME;
    x86_kernel_root.table = phys_to_virt(x86_kernel_root.phys);

    mmu_vmalloc_start = VMALLOC_BASE + (random ? seed_word(32) % (VMALLOC_SPAN / 2) & PAGE_MASK : 0);
    mmu_vmalloc_end = VMALLOC_BASE + VMALLOC_SPAN;
    mmu_mem_map_start = MEM_MAP_BASE + (random ? (seed_word(40) & 63) << 30 : 0);
    fill_root(mmu_vmalloc_start, mmu_vmalloc_end);
    fill_root(mmu_mem_map_start, mmu_mem_map_start + max_pfn * sizeof(struct page) + PAGE_SIZE);
    // What the boot code mapped low (its own bridge) is not needed any more.
    for (unsigned i = 0; i < MMU_USER_ROOT_ENTRIES; i++)
        x86_kernel_root.table[i] = 0;
    write_cr3(x86_kernel_root.phys);
}

void arch_mmu_use_page_alloc(void)
{
    boot_alloc_table = nullptr;
}

// ---- roots ----------------------------------------------------------------------------------------------------------

int arch_mm_init(struct mm *mm)
{
    irq_flags_t irq = arch_irq_save();
    struct root_stack *kept = this_cpu_ptr(&root_stack);
    struct page *page = kept->count ? kept->pages[--kept->count] : nullptr;
    arch_irq_restore(irq);
    if (!page) {
        page = page_alloc(0, ALLOC_KERNEL);
        if (!page)
            return -ENOMEM;
        uint64_t *table = page_address(page);
        memset(table, 0, MMU_USER_ROOT_ENTRIES * sizeof *table);
        memcpy(table + MMU_USER_ROOT_ENTRIES, x86_kernel_root.table + MMU_USER_ROOT_ENTRIES,
               (MMU_ENTRIES - MMU_USER_ROOT_ENTRIES) * sizeof *table);
        page->table_entries = 0;
        page->flags = PG_TABLE;
        mm_stat_add(MM_STAT_TABLES, 1);
    }
    mm->arch.root = page_address(page);
    mm->arch.root_phys = page_to_phys(page);
    return 0;
}

void arch_mm_destroy(struct mm *mm)
{
    struct page *page = virt_to_page(mm->arch.root);
    if (page->table_entries)
        panic("mm: an address space dies with tables in it");
    mm->arch.root = nullptr;
    irq_flags_t irq = arch_irq_save();
    struct root_stack *kept = this_cpu_ptr(&root_stack);
    bool keep = kept->count < ROOTS_KEPT;
    if (keep)
        kept->pages[kept->count++] = page;
    arch_irq_restore(irq);
    if (keep)
        return;
    page->flags = 0;
    mm_stat_add(MM_STAT_TABLES, -1);
    page_free(page, 0);
}
