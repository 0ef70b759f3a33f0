// kernel/mm/table_share.h — leaf tables that several address spaces have in common, from fork until one of them changes something.
//
// Forking a big process must not cost a visit to each of its pages. Where one private anonymous VMA covers all that a
// well filled leaf table maps, fork hangs the same table into the child and takes W off both upper entries. Whoever
// wants to change an entry first makes the table its own (table_own): a copy, with the pages' references raised; or,
// once the others have gone, the table itself with W back in the upper entry, not a single page touched.
//
// While a table is shared (its map_count is above 0) its entries change only towards read-only, under its
// lock. mm->shared_tables counts the upper entries without W, so that the question costs nothing where there are none.
#pragma once

#include "kernel/mm/page_table.h"

// Tables with fewer entries are copied by fork: cheaper than a fault and a copy later.
#define TABLE_SHARE_MIN 64u

// fork, both mm->sem for write: the child gets the parent's leaf table of `addr`. *anon grows by the anonymous pages in
// it. -ENOMEM.
[[nodiscard]] int table_share(struct mm *parent, struct mm *child, vaddr_t addr, int64_t *anon);
// Whether the leaf table of `addr` exists and must be made the space's own before an entry may change. mm->sem held.
bool table_is_shared(struct mm *mm, vaddr_t addr);
// Makes it the space's own, and those of [start, end). mm->sem held for write. May sleep. -ENOMEM.
[[nodiscard]] int table_own(struct mm *mm, vaddr_t addr);
[[nodiscard]] int table_own_range(struct mm *mm, vaddr_t start, vaddr_t end);
// Takes mm->sem for reading at a moment when no leaf table of the range is shared. -ENOMEM, and not taken.
[[nodiscard]] int mm_read_lock_own(struct mm *mm, vaddr_t start, vaddr_t end);
// Takes a shared table out of the space without touching its entries; the caller passes it to the gather. Null: it is
// not shared (any more). mm->sem held for write, or the space is dying.
struct page *table_detach(struct mm *mm, vaddr_t addr);
// The end of one space's use of a table: frees it, with the pages it still maps if it was shared and this is the last.
void table_put(struct page *table);
