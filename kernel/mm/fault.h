// kernel/mm/fault.h — the parts of fault handling, for fault.c, cow.c, file_fault.c and populate. mm->sem is held.
#pragma once

#include "kernel/mm/page_table.h"
#include "kernel/mm/vma.h"

// Makes the entry for `addr` (page aligned, inside the VMA) good for the access, which the VMA allows. FAULT_SHARED:
// nothing done, the caller must make the leaf table the space's own first.
enum fault_result fault_in(struct vma *vma, vaddr_t addr, bool write);
// A write to a present entry without W: `seen`.
enum fault_result fault_write_protected(struct vma *vma, vaddr_t addr, struct leaf leaf, pte_t seen);
// An empty entry of a VMA that maps a page cache.
enum fault_result fault_file(struct vma *vma, vaddr_t addr, struct leaf leaf, bool write);
// A page for private memory with one reference; ALLOC_ZERO clears it. Null: no memory.
[[nodiscard]] struct page *anon_page_alloc(unsigned extra_flags);
// The entry for a private page that the VMA owns alone. A debugger's write gives pages to VMAs that may not write:
// those stay read-only.
static inline pte_t private_entry(const struct vma *vma, const struct page *page)
{
    pte_t e = mmu_mk_dirty(mmu_entry(page_to_pfn(page), vma->prot));
    return vma->flags & VM_WRITE ? mmu_mk_writable(e) : e;
}
// Grows a stack downwards to contain `addr`. mm->sem held for write. -ENOMEM.
[[nodiscard]] int stack_expand(struct vma *vma, vaddr_t addr);
