// arch/include/elf.h — what a program finds of this CPU when it starts: getauxval(3), vdso(7).
#pragma once

#include "kernel/base/types.h"

#include "cpu/elf.h" // ARCH_ELF_MACHINE, ARCH_MACHINE

struct mm;

unsigned long arch_hwcap(void);        // AT_HWCAP
unsigned long arch_hwcap2(void);       // AT_HWCAP2
unsigned long arch_min_sigstack(void); // AT_MINSIGSTKSZ: bytes that a signal frame can take
// Maps the vDSO and its data page into a new address space and reports where; *address stays 0 where there is none. -ENOMEM.
[[nodiscard]] int arch_map_vdso(struct mm *mm, vaddr_t *address);
