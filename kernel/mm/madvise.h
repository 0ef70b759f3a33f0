// kernel/mm/madvise.h — the acting halves of madvise(2), mlock(2), msync(2) and mincore(2). They take mm->sem themselves.
#pragma once

#include "kernel/abi/mman.h"
#include "kernel/mm/mm.h"

// Any errno of the manual page; lengths are rounded up to pages.
[[nodiscard]] int mm_madvise(struct mm *mm, vaddr_t start, size_t len, int advice);
// lock_flags: 0 unlocks, VM_LOCKED locks and fills, with VM_LOCKONFAULT locks what is and comes to be present.
[[nodiscard]] int mm_mlock(struct mm *mm, vaddr_t start, size_t len, unsigned long lock_flags);
[[nodiscard]] int mm_mlockall(struct mm *mm, unsigned mcl_flags); // 0: munlockall
[[nodiscard]] int mm_msync(struct mm *mm, vaddr_t start, size_t len, unsigned flags);
// One byte for each page of [start, start + pages): bit 0 says resident. -ENOMEM: a hole.
[[nodiscard]] int mm_mincore(struct mm *mm, vaddr_t start, size_t pages, uint8_t *out);
