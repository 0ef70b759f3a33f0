// kernel/base/sort.c — heapsort and binary search.
#include "kernel/base/sort.h"

static void swap_bytes(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

// Lets the element at `at` sink until both its children (in the first `count`) are no larger.
static void sink(uint8_t *base, size_t at, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(base + at * size, base + child * size) >= 0)
            return;
        swap_bytes(base + at * size, base + child * size, size);
        at = child;
    }
}

void sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    uint8_t *bytes = base;
    for (size_t i = count / 2; i-- > 0;)
        sink(bytes, i, count, size, compare);
    for (size_t left = count; left > 1;) {
        left--;
        swap_bytes(bytes, bytes + left * size, size);
        sink(bytes, 0, left, size, compare);
    }
}

void *binary_search(const void *key, const void *base, size_t count, size_t size,
                    int (*compare)(const void *, const void *))
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const uint8_t *element = (const uint8_t *)base + middle * size;
        int order = compare(key, element);
        if (order == 0)
            return (void *)element;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return nullptr;
}
