// kernel/mm/mm_boot.h — what kernel/mm/init.c starts in the other files of this folder.
#pragma once

void vmalloc_init(void);
void address_space_init(void);
