// kernel/base/bitmap.h — arrays of bits: searching and ranges. Single bits are in atomic.h. No function here is atomic.
#pragma once

#include "kernel/base/atomic.h"

#define BITMAP_LONGS(bits) DIV_ROUND_UP((size_t)(bits), 64)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITMAP_LONGS(bits)]

// The first set (clear) bit at or after `from` and below `size`; `size` when there is none.
size_t bitmap_next_set(const unsigned long *map, size_t size, size_t from);
size_t bitmap_next_clear(const unsigned long *map, size_t size, size_t from);
// The first run of `count` clear bits below `size` whose start is a multiple of `align` (a power of two); `size` when
// there is none.
size_t bitmap_find_clear_run(const unsigned long *map, size_t size, size_t count, size_t align);
void bitmap_set_range(unsigned long *map, size_t from, size_t count);
void bitmap_clear_range(unsigned long *map, size_t from, size_t count);
// How many of the first `size` bits are set; whether none is, and whether all are.
size_t bitmap_weight(const unsigned long *map, size_t size);
bool bitmap_empty(const unsigned long *map, size_t size);
bool bitmap_full(const unsigned long *map, size_t size);

#define bitmap_for_each_set(bit, map, size)                                                                            \
    for ((bit) = bitmap_next_set((map), (size), 0); (bit) < (size); (bit) = bitmap_next_set((map), (size), (bit) + 1))
