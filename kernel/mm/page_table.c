// kernel/mm/page_table.c — user page tables. A table that dies has had every entry cleared one by one, so it is all zeros: a
// few are kept per CPU and handed out again without clearing, which is a good part of what makes fork and exit cheap.
#include "kernel/mm/page_table.h"
#include "kernel/mm/stat.h"

#define TABLES_KEPT 24u

struct table_stack {
    unsigned count;
    struct page *pages[TABLES_KEPT];
};
static DEFINE_PER_CPU(struct table_stack, table_stack);
DEFINE_LOCK_CLASS_NESTED(leaf_lock_class, "page table", RANK_PAGE_TABLE);

struct page *table_page_alloc(void)
{
    irq_flags_t irq = arch_irq_save();
    struct table_stack *kept = this_cpu_ptr(&table_stack);
    struct page *page = kept->count ? kept->pages[--kept->count] : nullptr;
    arch_irq_restore(irq);
    if (page)
        return page;
    page = page_alloc(0, ALLOC_KERNEL | ALLOC_ZERO);
    if (!page)
        return nullptr;
    page->flags = PG_TABLE;
    page->table_entries = 0;
    spin_init(&page->table_lock, &leaf_lock_class);
    mm_stat_add(MM_STAT_TABLES, 1);
    return page;
}

void table_page_free(struct page *page)
{
    irq_flags_t irq = arch_irq_save();
    struct table_stack *kept = this_cpu_ptr(&table_stack);
    bool keep = kept->count < TABLES_KEPT;
    if (keep)
        kept->pages[kept->count++] = page;
    arch_irq_restore(irq);
    if (keep)
        return;
    page->flags = 0;
    mm_stat_add(MM_STAT_TABLES, -1);
    page_free(page, 0);
}

// The entry for `addr` in its table at `target`, with all tables above it. Null: no memory.
static pte_t *make_down_to(struct mm *mm, vaddr_t addr, unsigned target)
{
    pte_t *table = mm->arch.root;
    for (unsigned level = MMU_LEVELS - 1; level > target; level--) {
        pte_t *slot = &table[mmu_index(addr, level)];
        pte_t e = mmu_read(slot);
        if (!e) {
            struct page *fresh = table_page_alloc();
            if (!fresh)
                return nullptr;
            spin_lock(&mm->table_lock);
            e = mmu_read(slot);
            if (!e) {
                e = mmu_table_entry(page_to_phys(fresh));
                mmu_set(slot, e);
                virt_to_page(table)->table_entries++;
                mm->table_pages++;
                fresh = nullptr;
            }
            spin_unlock(&mm->table_lock);
            if (fresh)
                table_page_free(fresh);
        }
        table = phys_to_virt(mmu_phys(e));
    }
    return &table[mmu_index(addr, target)];
}

struct leaf table_make(struct mm *mm, vaddr_t addr)
{
    pte_t *entry = make_down_to(mm, addr, 0);
    return entry ? (struct leaf){entry, virt_to_page(entry)} : (struct leaf){};
}

pte_t *table_slot_make(struct mm *mm, vaddr_t addr)
{
    return make_down_to(mm, addr, 1);
}

vaddr_t table_skip_holes(struct mm *mm, vaddr_t addr, vaddr_t end)
{
    while (addr < end) {
        pte_t *table = mm->arch.root;
        unsigned level = MMU_LEVELS - 1;
        for (; level > 0; level--) {
            pte_t e = mmu_read(&table[mmu_index(addr, level)]);
            if (!e)
                break;
            table = phys_to_virt(mmu_phys(e));
        }
        if (level == 0)
            return addr;
        addr = ALIGN_DOWN(addr, mmu_span(level)) + mmu_span(level);
    }
    return end;
}
