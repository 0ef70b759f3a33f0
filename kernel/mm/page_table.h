// kernel/mm/page_table.h — user page tables: finding and making the leaf entry of an address.
//
// Locks: mm->table_lock while a table is hung into an upper one; the leaf table's own lock (leaf_lock) for its entries
// and table_entries. Tables are freed only by the gather, with mm->sem held for write and after every VMA that they
// cover has gone from its interval tree: who holds mm->sem, or a cache's vma_lock with the VMA still in its tree, may walk.
#pragma once

#include "arch/include/mmu.h"
#include "kernel/mm/mm.h"

// A leaf entry and the table it is in. `entry` null: no table there.
struct leaf {
    pte_t *entry;
    struct page *table;
};

// The lock of one leaf table: its entries change only under it. A spinlock.
static inline void leaf_lock(struct page *table) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock(&table->table_lock);
}
static inline void leaf_unlock(struct page *table) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock(&table->table_lock);
}

// A second one, while the lock of the first keeps preemption off (LOCKS.md tells who may).
static inline void leaf_lock_second(struct page *table)
{
    spin_lock_bare_(&table->table_lock);
}
static inline void leaf_unlock_second(struct page *table)
{
    spin_unlock_bare_(&table->table_lock);
}

// The entry of `addr`, if its tables are there. The lock of the leaf table is for the caller to take.
static inline struct leaf table_find(struct mm *mm, vaddr_t addr)
{
    pte_t *table = mm->arch.root;
    paddr_t pa = 0;
    for (unsigned level = MMU_LEVELS - 1; level > 0; level--) {
        pte_t e = mmu_read(&table[mmu_index(addr, level)]);
        if (!e)
            return (struct leaf){};
        pa = mmu_phys(e);
        table = phys_to_virt(pa);
    }
    return (struct leaf){&table[mmu_index(addr, 0)], phys_to_page(pa)};
}

// As table_find(), but makes the tables that are missing. entry null: no memory. May sleep.
struct leaf table_make(struct mm *mm, vaddr_t addr);
static inline struct leaf table_get(struct mm *mm, vaddr_t addr)
{
    struct leaf leaf = table_find(mm, addr);
    return likely(leaf.entry) ? leaf : table_make(mm, addr);
}

// The upper entry that leads to the leaf table of `addr`, made if it is missing. Null: no memory. May sleep.
[[nodiscard]] pte_t *table_slot_make(struct mm *mm, vaddr_t addr);

// The first address >= addr (and < end) that may have a leaf table, skipping what upper tables show to be empty; or end.
vaddr_t table_skip_holes(struct mm *mm, vaddr_t addr, vaddr_t end);

// An empty table, and one that became empty: they are kept per CPU, zeroed as they are.
[[nodiscard]] struct page *table_page_alloc(void);
void table_page_free(struct page *table);
