// arch/x86_64/include/cpu/mmu.h — x86-64 page-table entries: Intel SDM volume 3, chapter 4. The inline half of arch/include/mmu.h.
//
// A user entry that is mapped but may not be touched (PROT_NONE) keeps its frame with P clear and X86_PTE_NONE set; the
// CPU faults on it and mmu_present() still finds it. Bit 9 marks entries whose frame is not counted.
#pragma once

#include "kernel/base/types.h"

typedef uint64_t pte_t;

#define MMU_LEVELS 4
#define MMU_INDEX_BITS 9
#define MMU_ENTRIES 512u
#define MMU_USER_ROOT_ENTRIES 256u // entries of the root that belong to user space; the others are the kernel's, the same in every root

#define X86_PTE_P (1UL << 0)
#define X86_PTE_W (1UL << 1)
#define X86_PTE_U (1UL << 2)
#define X86_PTE_PWT (1UL << 3)
#define X86_PTE_PCD (1UL << 4)
#define X86_PTE_A (1UL << 5)
#define X86_PTE_D (1UL << 6)
#define X86_PTE_LARGE (1UL << 7) // in a directory: maps 2 MiB or 1 GiB
#define X86_PTE_PAT (1UL << 7)   // in a leaf table
#define X86_PTE_G (1UL << 8)
#define X86_PTE_NONE (1UL << 8) // only with P clear: PROT_NONE
#define X86_PTE_SPECIAL (1UL << 9)
#define X86_PTE_NX (1UL << 63)
#define X86_PTE_FRAME 0x000ffffffffff000UL

extern uint64_t x86_nx_mask;     // X86_PTE_NX, or 0 on a CPU without it
extern uint64_t x86_global_mask; // X86_PTE_G, or 0

// Which entry of a table at `level` (0: a leaf table) translates `addr`.
static inline unsigned mmu_index(vaddr_t addr, unsigned level)
{
    return (unsigned)(addr >> (PAGE_SHIFT + level * MMU_INDEX_BITS)) & (MMU_ENTRIES - 1);
}

// Bytes that one entry of a table at `level` covers (0: a leaf table).
static inline vaddr_t mmu_span(unsigned level)
{
    return PAGE_SIZE << (level * MMU_INDEX_BITS);
}

// Entries that point to tables are permissive: the leaf decides.
static inline pte_t mmu_table_entry(paddr_t table)
{
    return table | X86_PTE_P | X86_PTE_W | X86_PTE_U;
}

// The same in the kernel's half: user mode sees nothing below it.
static inline pte_t mmu_kernel_table_entry(paddr_t table)
{
    return table | X86_PTE_P | X86_PTE_W;
}

// In a table above the leaves: the entry maps memory itself instead of pointing to a table.
static inline bool mmu_is_large(pte_t e)
{
    return e & X86_PTE_LARGE;
}

// The frame or table that an entry points to; only where it is present.
static inline paddr_t mmu_phys(pte_t e)
{
    return e & X86_PTE_FRAME;
}

static inline pfn_t mmu_pfn(pte_t e)
{
    return mmu_phys(e) >> PAGE_SHIFT;
}

// There is a frame or table, even one that may not be touched now (PROT_NONE). mmu_accessible(): the CPU uses the entry.
static inline bool mmu_present(pte_t e)
{
    return e & (X86_PTE_P | X86_PTE_NONE);
}

static inline bool mmu_accessible(pte_t e)
{
    return e & X86_PTE_P;
}

// The rights as they stand in the entry. Not writable may mean copy-on-write: the VMA knows what is allowed.
static inline bool mmu_writable(pte_t e)
{
    return e & X86_PTE_W;
}

static inline bool mmu_executable(pte_t e)
{
    return !(e & X86_PTE_NX);
}

// What the CPU notes in an entry by itself: written to through it, and used (young), since the bit was last taken away.
static inline bool mmu_dirty(pte_t e)
{
    return e & X86_PTE_D;
}

static inline bool mmu_young(pte_t e)
{
    return e & X86_PTE_A;
}

// The frame is mapped without being counted: the zero page, device memory.
static inline bool mmu_special(pte_t e)
{
    return e & X86_PTE_SPECIAL;
}

// The entry with one property more or less. A value only: mmu_set() stores it. Dirty comes with young, as the CPU sets both.
static inline pte_t mmu_mk_special(pte_t e)
{
    return e | X86_PTE_SPECIAL;
}

static inline pte_t mmu_mk_writable(pte_t e)
{
    return e | X86_PTE_W;
}

static inline pte_t mmu_mk_dirty(pte_t e)
{
    return e | X86_PTE_D | X86_PTE_A;
}

static inline pte_t mmu_mk_young(pte_t e)
{
    return e | X86_PTE_A;
}

static inline pte_t mmu_mk_readonly(pte_t e)
{
    return e & ~X86_PTE_W;
}

static inline pte_t mmu_mk_clean(pte_t e)
{
    return e & ~X86_PTE_D;
}

static inline pte_t mmu_mk_old(pte_t e)
{
    return e & ~X86_PTE_A;
}

// Rights and memory type of a user page, without W: the caller adds it where the page may be written at once.
static inline pte_t mmu_user_prot(bool accessible, bool exec)
{
    if (!accessible)
        return X86_PTE_NONE | x86_nx_mask;
    return X86_PTE_P | X86_PTE_U | (exec ? 0 : x86_nx_mask);
}

// A new entry for a frame; prot of mmu_user_prot() or MMU_KERNEL_*.
static inline pte_t mmu_entry(pfn_t pfn, pte_t prot)
{
    return pfn << PAGE_SHIFT | prot;
}

// The same frame and history with other rights (no W).
static inline pte_t mmu_change_prot(pte_t e, pte_t prot)
{
    return (e & (X86_PTE_FRAME | X86_PTE_A | X86_PTE_D | X86_PTE_SPECIAL | X86_PTE_PCD | X86_PTE_PWT)) | prot;
}

// Kernel mappings.
#define MMU_KERNEL_RW (X86_PTE_P | X86_PTE_W | X86_PTE_A | X86_PTE_D | x86_global_mask | x86_nx_mask)
#define MMU_KERNEL_RO (X86_PTE_P | X86_PTE_A | x86_global_mask | x86_nx_mask)
#define MMU_KERNEL_EXEC (X86_PTE_P | X86_PTE_A | x86_global_mask)
#define MMU_KERNEL_DEVICE (MMU_KERNEL_RW | X86_PTE_PCD | X86_PTE_PWT)
#define MMU_USER_DEVICE_BITS (X86_PTE_PCD | X86_PTE_PWT)

// The entry as it was; leaves none. One atomic step, so that a dirty bit set by another CPU meanwhile is not lost.
static inline pte_t mmu_get_and_clear(pte_t *e)
{
    return __atomic_exchange_n(e, 0, __ATOMIC_ACQ_REL);
}

// Stores an entry: what was written before, a new table's zeros for one, is seen by whoever reads it. Under the lock of the table; the caller flushes.
static inline void mmu_set(pte_t *e, pte_t value)
{
    __atomic_store_n(e, value, __ATOMIC_RELEASE);
}

// The entry at this moment: the CPU may set its dirty and young bits at any time.
static inline pte_t mmu_read(const pte_t *e)
{
    return __atomic_load_n(e, __ATOMIC_RELAXED);
}

// Takes W away in place, keeping a dirty bit that appears meanwhile.
static inline void mmu_write_protect(pte_t *e)
{
    __atomic_fetch_and(e, ~X86_PTE_W, __ATOMIC_RELAXED);
}

// This CPU only, and of what is loaded now.
static inline void mmu_flush_page_local(vaddr_t addr)
{
    __asm__ volatile("invlpg (%0)" ::"r"(addr) : "memory");
}

// This CPU clears large blocks best through a vector register: cpu/wide.h.
extern bool arch_wide_clears;
void arch_clear_page_wide(void *page);

// Clears / copies one page through the direct map; direction flag cleared first, whatever came before.
static inline void mmu_clear_page(void *page)
{
    if (arch_wide_clears) {
        arch_clear_page_wide(page);
        return;
    }
    size_t n = PAGE_SIZE / 8;
    __asm__ volatile("cld; rep stosq" : "+D"(page), "+c"(n) : "a"(0UL) : "memory");
}

static inline void mmu_copy_page(void *to, const void *from)
{
    size_t n = PAGE_SIZE / 8;
    __asm__ volatile("cld; rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}
