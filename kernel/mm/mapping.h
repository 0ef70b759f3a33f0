// kernel/mm/mapping.h — the halves of mmap, munmap and their kin that expect mm->sem held for write.
#pragma once

#include "kernel/abi/mman.h"
#include "kernel/mm/vma.h"

// Unmaps [start, end), page aligned. -ENOMEM (splitting).
[[nodiscard]] int unmap_locked(struct mm *mm, vaddr_t start, vaddr_t end);
// Where a mapping of `len` bytes (page aligned) goes. `hint` may be 0; MAP_FIXED, MAP_FIXED_NOREPLACE and MAP_32BIT
// count. An address or -errno.
[[nodiscard]] long find_place(struct mm *mm, vaddr_t hint, size_t len, unsigned flags);
// Whether the limits RLIMIT_AS and RLIMIT_DATA allow `pages` more of the kind.
[[nodiscard]] bool may_expand(const struct mm *mm, unsigned long vm_flags, uint64_t pages);
// RLIMIT_MEMLOCK for `pages` more; CAP_IPC_LOCK overrides.
[[nodiscard]] bool may_lock(const struct mm *mm, uint64_t pages);
// PROT_ bits as VM_ bits.
static inline unsigned long vm_flags_of_prot(unsigned prot)
{
    return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) | (prot & PROT_EXEC ? VM_EXEC : 0);
}
// Whether memory with these flags is charged to the commit account: private and writable.
static inline bool vm_flags_accountable(unsigned long flags)
{
    return (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}
// Whether what may be read may be run as well, if it can be: personality(2), READ_IMPLIES_EXEC.
bool read_implies_exec(unsigned prot);
// RLIMIT_DATA for `pages` more, for all but brk(2).
[[nodiscard]] bool may_have_data(const struct mm *mm, uint64_t pages);
#define LOW_MMAP_BASE (MMU_USER_END / 3 & PAGE_MASK) // bottom-up search: ADDR_COMPAT_LAYOUT, or the usual area is full
