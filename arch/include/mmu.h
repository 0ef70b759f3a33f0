// arch/include/mmu.h — page tables and translation caches, as the portable memory manager sees them.
//
// A table has MMU_ENTRIES entries; MMU_LEVELS levels lead from the root (level MMU_LEVELS - 1) to leaf tables (level
// 0). The walks are in kernel/mm/page_table.c; a CPU supplies how an entry looks (inline, cpu/mmu.h) and how stale
// translations are dropped (below).
#pragma once

#include "kernel/base/types.h"

// pte_t; mmu_index, mmu_span, mmu_entry, mmu_present, mmu_mk_*(), mmu_read, mmu_set, mmu_get_and_clear …
#include "cpu/mmu.h"

struct mm;

// Where the kernel's own areas begin and end, chosen at boot (randomised): vmalloc and device mappings, and the virtual
// array mem_map.
extern vaddr_t mmu_vmalloc_start, mmu_vmalloc_end;
extern vaddr_t mmu_mem_map_start;

// Boot, one CPU: takes over the tables the boot code built. alloc_table() gives zeroed, page-aligned memory in the
// direct map.
void arch_mmu_init(void *(*alloc_table)(void));
// From now on page tables come from page_alloc().
void arch_mmu_use_page_alloc(void);

// Boot, one CPU, the page allocator works: the image's constant parts become read-only at every address they have.
void arch_mmu_seal_image(void);

// Root table of a new space: empty user half, the kernel's half shared. -ENOMEM. arch_mm_destroy() frees the root; no
// CPU has it loaded.
[[nodiscard]] int arch_mm_init(struct mm *mm);
void arch_mm_destroy(struct mm *mm);

// Drops translations of user addresses [start, end) on every CPU that may hold them, and waits. Preemption and
// interrupts on, no spinlock held.
void mmu_flush_range(struct mm *mm, vaddr_t start, vaddr_t end);
void mmu_flush_mm(struct mm *mm); // all of its user addresses
// Makes every CPU that has the space loaded without running in it (and the caller, if its thread no longer has it) load
// the kernel's own root.
void mmu_leave(struct mm *mm);
// True if only the running CPU can hold translations of `mm`. The answer can not become wrong while preemption is off
// and no other thread runs in it.
bool mmu_is_local(struct mm *mm);

// Maps or unmaps one kernel page outside the direct map. Mapping allocates tables (-ENOMEM) and needs no flush;
// unmapping does, by the caller.
[[nodiscard]] int mmu_kernel_map(vaddr_t va, paddr_t pa, pte_t prot);
pte_t mmu_kernel_unmap(vaddr_t va); // what was there
void mmu_kernel_protect(vaddr_t va, pte_t prot);   // one mapped page gets other rights; the caller flushes
void mmu_flush_kernel(vaddr_t start, vaddr_t end); // on all CPUs; preemption and interrupts on
// Boot: maps [va, va + size) to consecutive frames from `pa`, with the largest pages that fit.
void mmu_kernel_map_boot(vaddr_t va, paddr_t pa, uint64_t size, pte_t prot);
