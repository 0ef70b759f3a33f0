// kernel/mm/table_share.c — sharing leaf tables between a parent and its children, and ending it.
//
// Two spaces that end their sharing at the same time hold different mm->sem: what keeps them apart is the table's
// count of sharers (map_count). A copier works on the table while it still is one of them, and leaves only after its
// CPUs have forgotten the table; the last to leave frees what the entries hold. The page's references would not do: a
// lockless lookup may hold one for a moment, of what was a page of a file before.
#include "kernel/mm/table_share.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/stat.h"

// The upper entry that leads to the leaf table of `addr`, or null.
static pte_t *slot_find(struct mm *mm, vaddr_t addr)
{
    pte_t *table = mm->arch.root;
    for (unsigned level = MMU_LEVELS - 1; level > 1; level--) {
        pte_t e = mmu_read(&table[mmu_index(addr, level)]);
        if (!e)
            return nullptr;
        table = phys_to_virt(mmu_phys(e));
    }
    return &table[mmu_index(addr, 1)];
}

static pte_t *shared_slot(struct mm *mm, vaddr_t addr)
{
    if (likely(!mm->shared_tables))
        return nullptr;
    pte_t *slot = slot_find(mm, addr);
    pte_t e = slot ? mmu_read(slot) : 0;
    return e && !mmu_writable(e) ? slot : nullptr;
}

bool table_is_shared(struct mm *mm, vaddr_t addr)
{
    return shared_slot(mm, addr);
}

static uint32_t count_anon(struct page *table)
{
    uint32_t n = 0;
    const pte_t *e = page_address(table);
    leaf_lock(table);
    for (unsigned left = table->table_entries; left; e++) {
        if (!*e)
            continue;
        left--;
        n += !mmu_special(*e);
    }
    leaf_unlock(table);
    return n;
}

int table_share(struct mm *parent, struct mm *child, vaddr_t addr, int64_t *anon)
{
    pte_t *to = table_slot_make(child, addr), *from = slot_find(parent, addr);
    if (!to)
        return -ENOMEM;
    pte_t e = mmu_read(from);
    struct page *table = phys_to_page(mmu_phys(e));
    if (mmu_writable(e)) {
        table->table_anon = count_anon(table); // holds as long as no entry changes, over any number of forks
        e = mmu_mk_readonly(e);
        mmu_set(from, e);
        parent->shared_tables++;
    }
    __atomic_fetch_add(&table->map_count, 1, __ATOMIC_RELAXED);
    mmu_set(to, e);
    virt_to_page(to)->table_entries++;
    child->table_pages++;
    child->shared_tables++;
    *anon += table->table_anon;
    return 0;
}

// Both tables map every page read-only then; who writes first finds the page shared and copies it.
static void copy_entries(struct page *from, struct page *to)
{
    pte_t *src = page_address(from), *dst = page_address(to);
    leaf_lock(from);
    for (unsigned left = from->table_entries; left; src++, dst++) {
        pte_t e = mmu_read(src);
        if (!e)
            continue;
        left--;
        if (mmu_writable(e)) {
            mmu_write_protect(src);
            e = mmu_mk_readonly(e);
        }
        if (!mmu_special(e))
            page_get(pfn_to_page(mmu_pfn(e)));
        mmu_set(dst, e);
    }
    to->table_entries = from->table_entries;
    leaf_unlock(from);
}

int table_own(struct mm *mm, vaddr_t addr)
{
    pte_t *slot = shared_slot(mm, addr);
    if (!slot)
        return 0;
    pte_t e = mmu_read(slot);
    struct page *table = phys_to_page(mmu_phys(e));
    // A sole owner stays one: only a fork of this space could change that. The acquire pairs with the other's last step.
    if (__atomic_load_n(&table->map_count, __ATOMIC_ACQUIRE) == 0) {
        mmu_set(slot, mmu_mk_writable(e));
        mm->shared_tables--;
        return 0;
    }
    struct page *fresh = table_page_alloc();
    if (!fresh)
        return -ENOMEM;
    copy_entries(table, fresh);
    mmu_set(slot, mmu_table_entry(page_to_phys(fresh)));
    mm->shared_tables--;
    vaddr_t start = ALIGN_DOWN(addr, mmu_span(1));
    mmu_flush_range(mm, start, start + mmu_span(1)); // also of the old table itself, which may die at any moment now
    table_put(table);
    return 0;
}

int table_own_range(struct mm *mm, vaddr_t start, vaddr_t end)
{
    int err = 0;
    end = min(end, MMU_USER_END); // callers pass what a program said
    for (vaddr_t at = start; !err && mm->shared_tables && (at = table_skip_holes(mm, at, end)) < end;
         at = ALIGN_DOWN(at, mmu_span(1)) + mmu_span(1))
        err = table_own(mm, at);
    return err;
}

// Elsewhere tables may stay marked for the life of the space: nothing changes there.
static bool any_shared(struct mm *mm, vaddr_t start, vaddr_t end)
{
    end = min(end, MMU_USER_END);
    for (vaddr_t at = start; (at = table_skip_holes(mm, at, end)) < end;
         at = ALIGN_DOWN(at, mmu_span(1)) + mmu_span(1))
        if (table_is_shared(mm, at))
            return true;
    return false;
}

int mm_read_lock_own(struct mm *mm, vaddr_t start, vaddr_t end) NO_THREAD_SAFETY_ANALYSIS
{
    down_read(&mm->sem);
    if (likely(!mm->shared_tables) || !any_shared(mm, start, end))
        return 0;
    up_read(&mm->sem);
    down_write(&mm->sem);
    int err = table_own_range(mm, start, end);
    if (err)
        up_write(&mm->sem);
    else
        downgrade_write(&mm->sem);
    return err;
}

struct page *table_detach(struct mm *mm, vaddr_t addr)
{
    pte_t *slot = shared_slot(mm, addr);
    if (!slot)
        return nullptr;
    struct page *table = phys_to_page(mmu_phys(mmu_read(slot)));
    if (__atomic_load_n(&table->map_count, __ATOMIC_ACQUIRE) == 0)
        return nullptr; // as well be emptied in the ordinary way
    mmu_set(slot, 0);
    virt_to_page(slot)->table_entries--;
    mm->table_pages--;
    mm->shared_tables--;
    return table;
}

static NOINLINE void empty_table(struct page *table)
{
    pte_t *e = page_address(table);
    for (unsigned left = table->table_entries; left; e++) {
        pte_t was = *e;
        if (!was)
            continue;
        left--;
        *e = 0;
        if (!mmu_special(was))
            page_put(pfn_to_page(mmu_pfn(was)));
    }
    table->table_entries = 0;
}

void table_put(struct page *table)
{
    int32_t others = __atomic_load_n(&table->map_count, __ATOMIC_ACQUIRE);
    if (unlikely(others > 0) && __atomic_sub_fetch(&table->map_count, 1, __ATOMIC_ACQ_REL) >= 0)
        return;
    table->map_count = 0;
    if (unlikely(table->table_entries))
        empty_table(table);
    table_page_free(table);
}
