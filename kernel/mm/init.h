// kernel/mm/init.h — bringing up memory, in the order kernel_main calls these.
#pragma once

#include "kernel/base/types.h"

// Boot CPU, after arch_early_init(): lays out the kernel's areas, builds mem_map from boot_info's ranges, hands all
// usable memory to the page allocator. From here on page_alloc(), kmalloc() and boot-time printing work;
// boot_memory_take() no longer does. Interrupts off.
void mm_init_early(void);
// Still single-threaded, same place: vmalloc, slab-backed caches, address spaces. ioremap() works afterwards.
void mm_init(void);
// Hands pages that were reserved at boot to the allocator: [start, start + size) in physical memory, whole pages inside
// it. Says so in the log as `what`. For the initrd when it has been unpacked; any thread.
void mm_release_boot_memory(paddr_t start, uint64_t size, const char *what);
// Takes the write permission off what is marked RO_AFTER_INIT. After the last init level, one thread.
void mm_seal_boot_data(void);
