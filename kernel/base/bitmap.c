// kernel/base/bitmap.c — searching and filling arrays of bits, a word at a time.
#include "kernel/base/bitmap.h"

static size_t next_bit(const unsigned long *map, size_t size, size_t from, unsigned long invert)
{
    while (from < size) {
        unsigned long word = (READ_ONCE(map[from / 64]) ^ invert) >> (from % 64);
        if (word)
            return min(from + (size_t)__builtin_ctzl(word), size);
        from = (from | 63) + 1;
    }
    return size;
}

size_t bitmap_next_set(const unsigned long *map, size_t size, size_t from)
{
    return next_bit(map, size, from, 0);
}

size_t bitmap_next_clear(const unsigned long *map, size_t size, size_t from)
{
    return next_bit(map, size, from, ~0UL);
}

size_t bitmap_find_clear_run(const unsigned long *map, size_t size, size_t count, size_t align)
{
    size_t start = 0;
    for (;;) {
        start = ALIGN_UP(bitmap_next_clear(map, size, start), align);
        if (count > size || start > size - count)
            return size;
        size_t end = bitmap_next_set(map, start + count, start);
        if (end == start + count)
            return start;
        start = end + 1;
    }
}

// The bits of word `index` that lie in [from, from + count).
static unsigned long word_mask(size_t index, size_t from, size_t count)
{
    unsigned long mask = ~0UL;
    if (index == from / 64)
        mask &= ~0UL << from % 64;
    size_t end = from + count;
    if (index == end / 64)
        mask &= ~(~0UL << end % 64);
    return mask;
}

void bitmap_set_range(unsigned long *map, size_t from, size_t count)
{
    for (size_t i = from / 64; count && i <= (from + count - 1) / 64; i++)
        map[i] |= word_mask(i, from, count);
}

void bitmap_clear_range(unsigned long *map, size_t from, size_t count)
{
    for (size_t i = from / 64; count && i <= (from + count - 1) / 64; i++)
        map[i] &= ~word_mask(i, from, count);
}

size_t bitmap_weight(const unsigned long *map, size_t size)
{
    size_t weight = 0;
    for (size_t i = 0; i < size / 64; i++)
        weight += (size_t)__builtin_popcountl(map[i]);
    if (size % 64)
        weight += (size_t)__builtin_popcountl(map[size / 64] & ~(~0UL << size % 64));
    return weight;
}

bool bitmap_empty(const unsigned long *map, size_t size)
{
    return bitmap_next_set(map, size, 0) == size;
}

bool bitmap_full(const unsigned long *map, size_t size)
{
    return bitmap_next_clear(map, size, 0) == size;
}
