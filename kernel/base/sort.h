// kernel/base/sort.h — sorting arrays in place, without memory of its own.
#pragma once

#include "kernel/base/types.h"

// Sorts `count` elements of `size` bytes so that compare(a, b) <= 0 for neighbours. Heapsort: never worse than n log n;
// not stable.
void sort(void *base, size_t count, size_t size, int (*compare)(const void *a, const void *b));
// The element for which compare(key, element) is 0 in a sorted array, or null.
void *binary_search(const void *key, const void *base, size_t count, size_t size,
                    int (*compare)(const void *key, const void *element));
