// kernel/decompress/fse.h — the entropy codes of Zstandard: bit streams read backwards, finite state entropy tables, Huffman tables.
#pragma once

#include "kernel/base/types.h"

// A stream of bits read from its last byte to its first. `left` is how many bits are before the read position; below
// zero, more was read than is there (zeros were given).
struct back_bits {
    const uint8_t *bytes;
    size_t size;
    int64_t left;
};

// The highest set bit of the last byte marks the end and is skipped. -EINVAL for an empty stream or one without a mark.
[[nodiscard]] int back_bits_init(struct back_bits *b, const uint8_t *bytes, size_t size);

// The 64 bits that end at bit position `end`: bit 63 is the next to be read. Zeros stand before the stream's start.
static inline uint64_t back_bits_window(const struct back_bits *b)
{
    if (b->left >= 64) {
        size_t at = (size_t)b->left - 64;
        uint64_t low;
        unsigned shift = at % 8;
        __builtin_memcpy(&low, b->bytes + at / 8, 8);
        if (!shift)
            return low;
        return low >> shift | (uint64_t)b->bytes[at / 8 + 8] << (64 - shift);
    }
    uint64_t value = 0;
    for (int64_t i = 0; i * 8 < b->left; i++)
        value |= (uint64_t)b->bytes[i] << i * 8;
    return b->left <= 0 ? 0 : value << (64 - b->left);
}

// The next `n` bits (0 .. 64), the first one read on top.
static inline uint64_t back_bits_take(struct back_bits *b, unsigned n)
{
    if (n == 0)
        return 0;
    uint64_t value = back_bits_window(b) >> (64 - n);
    b->left -= n;
    return value;
}

#define FSE_MAX_LOG 9

struct fse_entry {
    uint8_t symbol, bits;
    uint16_t base;
};

struct fse_table {
    unsigned log;
    struct fse_entry entries[1 << FSE_MAX_LOG];
};

// Builds a table from normalised counts (-1: "less than one"). -EINVAL.
[[nodiscard]] int fse_build(struct fse_table *t, const int16_t *counts, unsigned nr_symbols, unsigned log);
// A table of one symbol that costs no bits.
void fse_build_single(struct fse_table *t, uint8_t symbol);
// Reads a table description from `in`; *used tells its size. -EINVAL.
[[nodiscard]] int fse_read(struct fse_table *t, const uint8_t *in, size_t size, unsigned max_symbol, unsigned max_log, size_t *used);

#define HUFFMAN_MAX_BITS 11

struct huffman_table {
    unsigned bits; // 0: none yet
    struct {
        uint8_t symbol, bits;
    } entries[1 << HUFFMAN_MAX_BITS];
};

// Reads a tree description; *used tells its size. `scratch` is for the code of the weights. -EINVAL.
[[nodiscard]] int huffman_read(struct huffman_table *t, struct fse_table *scratch, const uint8_t *in, size_t size, size_t *used);
// Decodes one stream of exactly `count` symbols. -EINVAL.
[[nodiscard]] int huffman_decode(const struct huffman_table *t, const uint8_t *in, size_t size, uint8_t *out, size_t count);
