// kernel/mm/slab_boot.h — the slab allocator's own start, and what kmalloc.c asks of it.
#pragma once

#include "kernel/mm/slab.h"

void slab_init(void);    // once the page allocator works
void kmalloc_init(void); // by slab_init()
size_t slab_object_size(const struct slab_cache *cache); // bytes of an object that its user may use
void slab_show_object(const void *addr); // prints which object of which cache the address is in or behind; for reports
