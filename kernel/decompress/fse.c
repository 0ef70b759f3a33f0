// kernel/decompress/fse.c — building and reading the entropy tables of RFC 8878, section 4.
#include "kernel/decompress/fse.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"

enum { MAX_SYMBOLS = 256, WEIGHTS_MAX_LOG = 6 };

static unsigned floor_log2(uint32_t x)
{
    return 31 - (unsigned)__builtin_clz(x);
}

int back_bits_init(struct back_bits *b, const uint8_t *bytes, size_t size)
{
    if (size == 0 || bytes[size - 1] == 0)
        return -EINVAL;
    *b = (struct back_bits){.bytes = bytes, .size = size};
    b->left = (int64_t)(size - 1) * 8 + floor_log2(bytes[size - 1]);
    return 0;
}

int fse_build(struct fse_table *t, const int16_t *counts, unsigned nr_symbols, unsigned log)
{
    uint16_t next[MAX_SYMBOLS];
    unsigned size = 1u << log, high = size;
    t->log = log;
    // Symbols with less than one state get one each at the end; the others are spread with a step that visits every place.
    for (unsigned s = 0; s < nr_symbols; s++) {
        next[s] = (uint16_t)(counts[s] < 0 ? 1 : counts[s]);
        if (counts[s] < 0)
            t->entries[--high].symbol = (uint8_t)s;
    }
    unsigned step = (size >> 1) + (size >> 3) + 3, at = 0;
    for (unsigned s = 0; s < nr_symbols; s++)
        for (int i = 0; i < counts[s]; i++) {
            t->entries[at].symbol = (uint8_t)s;
            do
                at = (at + step) & (size - 1);
            while (at >= high);
        }
    if (at != 0)
        return -EINVAL;
    for (unsigned i = 0; i < size; i++) {
        struct fse_entry *e = &t->entries[i];
        unsigned state = next[e->symbol]++;
        e->bits = (uint8_t)(log - floor_log2(state));
        e->base = (uint16_t)((state << e->bits) - size);
    }
    return 0;
}

void fse_build_single(struct fse_table *t, uint8_t symbol)
{
    t->log = 0;
    t->entries[0] = (struct fse_entry){.symbol = symbol};
}

// Bits read forwards, lowest first. Zeros behind the end; the caller looks at `at` in the end.
struct forward_bits {
    const uint8_t *bytes;
    size_t size, at; // at: in bits
};

static uint32_t peek_forward(const struct forward_bits *f, unsigned n)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n; i++) {
        size_t bit = f->at + i;
        if (bit / 8 < f->size)
            value |= (uint32_t)(f->bytes[bit / 8] >> bit % 8 & 1) << i;
    }
    return value;
}

static uint32_t take_forward(struct forward_bits *f, unsigned n)
{
    uint32_t value = peek_forward(f, n);
    f->at += n;
    return value;
}

int fse_read(struct fse_table *t, const uint8_t *in, size_t size, unsigned max_symbol, unsigned max_log, size_t *used)
{
    struct forward_bits f = {.bytes = in, .size = size};
    int16_t counts[MAX_SYMBOLS];
    unsigned log = take_forward(&f, 4) + 5, symbols = 0;
    if (log > max_log)
        return -EINVAL;
    int remaining = 1 << log;
    while (remaining > 0) {
        if (symbols > max_symbol)
            return -EINVAL;
        // A count in [-1, remaining], plus one; the smaller values take a bit less.
        unsigned bits = floor_log2((uint32_t)remaining + 1) + 1;
        uint32_t value = peek_forward(&f, bits), low = value & ((1u << (bits - 1)) - 1);
        uint32_t spare = (1u << bits) - 1 - ((uint32_t)remaining + 1);
        if (low < spare) {
            value = low;
            bits--;
        } else if (value >= 1u << (bits - 1)) {
            value -= spare;
        }
        f.at += bits;
        int count = (int)value - 1;
        remaining -= count < 0 ? 1 : count;
        counts[symbols++] = (int16_t)count;
        if (count != 0)
            continue;
        for (unsigned more = 3; more == 3;) { // runs of zeros, up to three at a time
            more = take_forward(&f, 2);
            if (symbols + more > max_symbol + 1)
                return -EINVAL;
            for (unsigned i = 0; i < more; i++)
                counts[symbols++] = 0;
        }
    }
    *used = (f.at + 7) / 8;
    if (remaining != 0 || *used > size)
        return -EINVAL;
    return fse_build(t, counts, symbols, log);
}

// Weights coded with two alternating states, until the stream runs dry. Returns their number, or -EINVAL.
static int read_coded_weights(struct fse_table *table, const uint8_t *in, size_t size, uint8_t *weights)
{
    size_t used;
    int err = fse_read(table, in, size, 12, WEIGHTS_MAX_LOG, &used);
    struct back_bits b;
    if (err || back_bits_init(&b, in + used, size - used))
        return -EINVAL;
    unsigned state[2];
    state[0] = (unsigned)back_bits_take(&b, table->log);
    state[1] = (unsigned)back_bits_take(&b, table->log);
    if (b.left < 0)
        return -EINVAL;
    int n = 0;
    for (unsigned turn = 0;; turn ^= 1) {
        if (n > MAX_SYMBOLS - 3)
            return -EINVAL;
        const struct fse_entry *e = &table->entries[state[turn]];
        weights[n++] = e->symbol;
        state[turn] = e->base + (unsigned)back_bits_take(&b, e->bits);
        if (b.left < 0) {
            weights[n++] = table->entries[state[turn ^ 1]].symbol;
            return n;
        }
    }
}

// Symbols of smaller weight have longer codes and stand first; a weight w takes 2^(w-1) entries.
static int huffman_build(struct huffman_table *t, uint8_t *weights, unsigned n)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        if (weights[i] > HUFFMAN_MAX_BITS + 1)
            return -EINVAL;
        sum += weights[i] ? 1u << (weights[i] - 1) : 0;
    }
    if (sum == 0)
        return -EINVAL;
    unsigned bits = floor_log2(sum) + 1;
    uint32_t left = (1u << bits) - sum; // what the last symbol has to fill
    if (bits > HUFFMAN_MAX_BITS || left & (left - 1))
        return -EINVAL;
    weights[n++] = (uint8_t)(floor_log2(left) + 1);
    t->bits = bits;
    unsigned at = 0;
    for (unsigned w = 1; w <= bits; w++)
        for (unsigned s = 0; s < n; s++)
            for (unsigned i = 0; weights[s] == w && i < 1u << (w - 1); i++) {
                t->entries[at].symbol = (uint8_t)s;
                t->entries[at++].bits = (uint8_t)(bits + 1 - w);
            }
    return at == 1u << bits ? 0 : -EINVAL;
}

int huffman_read(struct huffman_table *t, struct fse_table *scratch, const uint8_t *in, size_t size, size_t *used)
{
    uint8_t weights[MAX_SYMBOLS];
    if (size == 0)
        return -EINVAL;
    unsigned header = in[0];
    int n;
    if (header < 128) {
        *used = 1 + header;
        if (*used > size)
            return -EINVAL;
        n = read_coded_weights(scratch, in + 1, header, weights);
        if (n < 0)
            return n;
    } else {
        n = (int)header - 127;
        *used = 1 + ((unsigned)n + 1) / 2;
        if (*used > size)
            return -EINVAL;
        for (int i = 0; i < n; i++)
            weights[i] = i % 2 ? in[1 + i / 2] & 15 : in[1 + i / 2] >> 4;
    }
    return n >= MAX_SYMBOLS ? -EINVAL : huffman_build(t, weights, (unsigned)n);
}

int huffman_decode(const struct huffman_table *t, const uint8_t *in, size_t size, uint8_t *out, size_t count)
{
    struct back_bits b;
    if (!t->bits || back_bits_init(&b, in, size))
        return -EINVAL;
    unsigned shift = 64 - t->bits;
    // Five codes of at most eleven bits fit into one window.
    for (; count >= 5 && b.left >= 64; count -= 5) {
        uint64_t window = back_bits_window(&b);
        unsigned used = 0;
        for (int i = 0; i < 5; i++) {
            unsigned index = (unsigned)(window << used >> shift);
            *out++ = t->entries[index].symbol;
            used += t->entries[index].bits;
        }
        b.left -= used;
    }
    while (count--) {
        unsigned index = (unsigned)(back_bits_window(&b) >> shift);
        *out++ = t->entries[index].symbol;
        b.left -= t->entries[index].bits;
    }
    return b.left == 0 ? 0 : -EINVAL;
}
