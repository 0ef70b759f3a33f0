// kernel/mm/populate.h — faulting ranges in. mm->sem is held (for read is enough).
#pragma once

#include "arch/include/mmu.h"
#include "kernel/mm/vma.h"

enum populate_mode { POPULATE_LOCK, POPULATE_READ, POPULATE_WRITE };

// Every page of [start, end). -ENOMEM: no memory, or a hole; -EINVAL: the mapping does not allow it (advice); -EFAULT:
// beyond the file; -EINTR.
[[nodiscard]] int populate_locked(struct mm *mm, vaddr_t start, vaddr_t end, int mode);
// Whether the entry's page belongs to this entry alone.
bool page_is_private(pte_t e);
