// arch/x86_64/include/cpu/mm.h — what an address space has that only this CPU knows: embedded in struct mm.
#pragma once

#include "kernel/base/types.h"

// The end of user memory: the last page below the canonical hole stays unmapped, so that no system call instruction can
// end there.
#define MMU_USER_END 0x00007ffffffff000UL

struct arch_mm {
    uint64_t *root;    // top-level table, through the direct map
    paddr_t root_phys; // what CR3 takes
    uintptr_t vdso;    // address of the mapped vDSO, 0: none
    uint64_t tlb_gen;  // counts flushes; atomic
};
