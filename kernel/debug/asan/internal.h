// kernel/debug/asan/internal.h — shared by the sanitiser's own files, none of which is instrumented.
#pragma once

#include "kernel/debug/asan/asan.h"

#define ASAN_SCALE 8u

extern bool asan_ready; // checking is on

// The shadow byte of an address, or null where there is none.
uint8_t *asan_shadow(uintptr_t addr);
// Writes `count` shadow bytes, those of `addr` first, where there is shadow; nothing before asan_init().
void asan_write_shadow(uintptr_t addr, size_t count, uint8_t value);
// The first byte of the range that may not be touched; 0 if all may.
uintptr_t asan_first_bad(uintptr_t addr, size_t size);
// The freed object in quarantine that contains the address: prints who freed it.
void asan_quarantine_show(uintptr_t addr);

// If the address belongs to a function's local variables: prints the function and where its variables are.
void asan_show_frame(uintptr_t addr);

// The CPU's own (arch/, lib/memory.S), without checks.
void *raw_memcpy(void *to, const void *from, size_t size);
void *raw_memmove(void *to, const void *from, size_t size);
void *raw_memset(void *to, int byte, size_t size);
int raw_memcmp(const void *a, const void *b, size_t size);
