// kernel/mm/vmalloc.h — the kernel's own area of addresses: memory built of single pages, and device memory.
#pragma once

#include "kernel/base/types.h"

// Kernel-virtual contiguous memory built of single pages, with an unmapped guard page behind; for big tables. May
// sleep.
[[nodiscard]] void *vmalloc(size_t size, unsigned flags);
void vfree(void *addr); // null allowed. May sleep
bool is_vmalloc_addr(const void *addr);
// Maps device memory uncached; never unmapped in practice. Null: no address space or memory.
[[nodiscard]] void *ioremap(paddr_t pa, size_t size);
