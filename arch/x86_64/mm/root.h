// arch/x86_64/mm/root.h — the kernel's root table: Intel SDM volume 3, 4. The control registers that paging uses are in msr.h.
#pragma once

#include "arch/x86_64/cpu/msr.h"
#include "kernel/base/types.h"

struct x86_root {
    uint64_t *table; // through the direct map
    paddr_t phys;
};
extern struct x86_root x86_kernel_root; // no user half: what CPUs without a user address space load
