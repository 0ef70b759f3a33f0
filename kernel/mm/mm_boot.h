// kernel/mm/mm_boot.h — what kernel/mm/init.c starts in the other files of this folder.
#pragma once

void vmalloc_init(void); // the range of vmalloc() becomes one free extent; after kmalloc() works. Panics without memory
void address_space_init(void); // the caches of mm, VMAs and the page cache; after the slab works. Panics without memory
