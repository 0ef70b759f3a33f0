// arch/x86_64/boot/early_paging.h — the direct map: all RAM at one place of the kernel's address space.
#pragma once

#include "arch/x86_64/boot/handoff.h"

// Maps every RAM-like range of boot_info at direct_map_base (drawn from `random`, or fixed where random is 0), writable
// and never executable, with the largest pages the CPU has, and drops the loader's own mappings. Boot CPU, once. Takes
// tables from boot_info.
void early_paging_init(const struct boot_handoff *handoff, uint64_t random);
