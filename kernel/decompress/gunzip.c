// kernel/decompress/gunzip.c — DEFLATE (RFC 1951) in a gzip member (RFC 1952).
//
// Codes are decoded with a table of the next FAST_BITS bits; longer ones bit by bit from the canonical order (first
// code and first symbol of each length). Bits behind the end of the input read as zeros, and the error shows when more
// were used than there were.
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/decompress/formats.h"
#include "kernel/decompress/history.h"
#include "kernel/mm/slab.h"

enum {
    WINDOW = 32 * 1024,
    MAX_BITS = 15,
    FAST_BITS = 9,
    NR_LITERALS = 288,
    NR_DISTANCES = 30,
    END_OF_BLOCK = 256,
    MAX_MATCH = 258,
};

struct code {
    uint16_t fast[1 << FAST_BITS]; // symbol << 4 | length; 0: longer
    uint16_t count[MAX_BITS + 1];
    uint16_t symbols[NR_LITERALS];
};

struct inflate {
    const uint8_t *in, *end;
    uint64_t bits;
    unsigned nr_bits;
    unsigned past_end; // zero bytes made up
    struct history out;
    struct code literals, distances;
};

static void refill(struct inflate *s)
{
    while (s->nr_bits <= 56) {
        uint64_t byte = 0;
        if (s->in < s->end)
            byte = *s->in++;
        else
            s->past_end++;
        s->bits |= byte << s->nr_bits;
        s->nr_bits += 8;
    }
}

static unsigned take(struct inflate *s, unsigned n)
{
    if (s->nr_bits < n)
        refill(s);
    unsigned value = (unsigned)(s->bits & ((1ull << n) - 1));
    s->bits >>= n;
    s->nr_bits -= n;
    return value;
}

// More bits were used than the input has.
static bool ran_out(const struct inflate *s)
{
    return s->past_end * 8 > s->nr_bits;
}

static unsigned reverse_bits(unsigned code, unsigned length)
{
    unsigned reversed = 0;
    for (; length; length--, code >>= 1)
        reversed = reversed << 1 | (code & 1);
    return reversed;
}

// Builds the code with these lengths (0: not used). Incomplete codes are only allowed with a single symbol; too full
// ones never.
static int build(struct code *c, const uint8_t *lengths, unsigned n)
{
    uint16_t next[MAX_BITS + 2] = {}, first[MAX_BITS + 2] = {};
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < n; i++)
        c->count[lengths[i]]++;
    unsigned used = n - c->count[0];
    c->count[0] = 0;
    int left = 1;
    for (unsigned length = 1; length <= MAX_BITS; length++) {
        left = 2 * left - c->count[length];
        if (left < 0)
            return -EINVAL;
        next[length + 1] = (uint16_t)((next[length] + c->count[length]) << 1);
        first[length + 1] = (uint16_t)(first[length] + c->count[length]);
    }
    if (left > 0 && used > 1)
        return -EINVAL;
    for (unsigned symbol = 0; symbol < n; symbol++) {
        unsigned length = lengths[symbol];
        if (!length)
            continue;
        c->symbols[first[length]++] = (uint16_t)symbol;
        unsigned code = next[length]++;
        if (length > FAST_BITS)
            continue;
        for (unsigned i = reverse_bits(code, length); i < 1 << FAST_BITS; i += 1u << length)
            c->fast[i] = (uint16_t)(symbol << 4 | length);
    }
    return 0;
}

// The next symbol, or -EINVAL for a code that is not in use.
static int symbol(struct inflate *s, const struct code *c)
{
    if (s->nr_bits < MAX_BITS)
        refill(s);
    unsigned entry = c->fast[s->bits & ((1 << FAST_BITS) - 1)];
    if (entry) {
        s->bits >>= entry & 15;
        s->nr_bits -= entry & 15;
        return (int)(entry >> 4);
    }
    int code = 0, first = 0, index = 0;
    for (unsigned length = 1; length <= MAX_BITS; length++) {
        code |= (int)(s->bits >> (length - 1) & 1);
        int count = c->count[length];
        if (code - first < count) {
            s->bits >>= length;
            s->nr_bits -= length;
            return c->symbols[index + code - first];
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -EINVAL;
}

static int coded_block(struct inflate *s)
{
    static const uint16_t length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                             31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                            2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t distance_base[NR_DISTANCES] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                                         33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                                         1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    for (;;) {
        if (s->out.capacity - s->out.used < MAX_MATCH) {
            int err = history_flush(&s->out);
            if (err)
                return err;
        }
        int sym = symbol(s, &s->literals);
        if (sym < 0 || ran_out(s))
            return -EINVAL;
        if (sym < END_OF_BLOCK) {
            s->out.bytes[s->out.used++] = (uint8_t)sym;
            continue;
        }
        if (sym == END_OF_BLOCK)
            return 0;
        sym -= END_OF_BLOCK + 1;
        if (sym >= (int)ARRAY_SIZE(length_base))
            return -EINVAL;
        size_t length = length_base[sym] + take(s, length_bits[sym]);
        sym = symbol(s, &s->distances);
        if (sym < 0 || sym >= NR_DISTANCES)
            return -EINVAL;
        size_t distance = distance_base[sym] + take(s, sym < 2 ? 0 : (unsigned)sym / 2 - 1);
        if (distance > WINDOW || !history_reaches(&s->out, distance))
            return -EINVAL;
        history_copy(&s->out, distance, length);
    }
}

static int stored_block(struct inflate *s)
{
    take(s, s->nr_bits % 8);
    unsigned length = take(s, 16), check = take(s, 16);
    if (ran_out(s) || length != (~check & 0xffff))
        return -EINVAL;
    while (length--) {
        if (s->out.used == s->out.capacity) {
            int err = history_flush(&s->out);
            if (err)
                return err;
        }
        s->out.bytes[s->out.used++] = (uint8_t)take(s, 8);
        if (ran_out(s))
            return -EINVAL;
    }
    return 0;
}

static int fixed_codes(struct inflate *s)
{
    uint8_t lengths[NR_LITERALS];
    for (unsigned i = 0; i < NR_LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    int err = build(&s->literals, lengths, NR_LITERALS);
    memset(lengths, 5, 32);
    return err ? err : build(&s->distances, lengths, 32);
}

static int dynamic_codes(struct inflate *s)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[NR_LITERALS + 32] = {};
    unsigned literals = take(s, 5) + 257, distances = take(s, 5) + 1, given = take(s, 4) + 4;
    if (literals > 286 || distances > NR_DISTANCES)
        return -EINVAL;
    for (unsigned i = 0; i < given; i++)
        lengths[order[i]] = (uint8_t)take(s, 3);
    int err = build(&s->literals, lengths, 19);
    if (err)
        return err;
    memset(lengths, 0, sizeof lengths);
    for (unsigned i = 0; i < literals + distances;) {
        int sym = symbol(s, &s->literals);
        if (sym < 0 || ran_out(s) || (sym == 16 && i == 0))
            return -EINVAL;
        if (sym < 16) {
            lengths[i++] = (uint8_t)sym;
            continue;
        }
        uint8_t value = sym == 16 ? lengths[i - 1] : 0;
        unsigned repeat = sym == 16 ? 3 + take(s, 2) : sym == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
        if (repeat > literals + distances - i)
            return -EINVAL;
        while (repeat--)
            lengths[i++] = value;
    }
    if (!lengths[END_OF_BLOCK])
        return -EINVAL;
    err = build(&s->literals, lengths, literals);
    return err ? err : build(&s->distances, lengths + literals, distances);
}

static int inflate_all(struct inflate *s)
{
    for (;;) {
        bool last = take(s, 1);
        unsigned type = take(s, 2);
        int err = type == 0 ? 0 : type == 1 ? fixed_codes(s) : type == 2 ? dynamic_codes(s) : -EINVAL;
        if (!err)
            err = type == 0 ? stored_block(s) : coded_block(s);
        if (!err && ran_out(s))
            err = -EINVAL;
        if (err || last)
            return err;
    }
}

// Bytes of the member's header, 0 if it is damaged.
static size_t header_size(const uint8_t *in, size_t size)
{
    enum { CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
    if (size < 18 || in[3] & RESERVED)
        return 0;
    size_t at = 10;
    if (in[3] & EXTRA)
        at += 2 + (in[10] | (size_t)in[11] << 8);
    for (unsigned flag = NAME; flag <= COMMENT; flag <<= 1) {
        if (!(in[3] & flag))
            continue;
        while (at < size && in[at])
            at++;
        at++;
    }
    if (in[3] & CRC)
        at += 2;
    return at < size ? at : 0;
}

// CRC-32 of the output, computed as it passes to the real sink.
struct checked {
    decompress_sink sink;
    void *arg;
    uint32_t crc;
    uint32_t table[256];
};

static int check_and_pass(void *arg, const void *data, size_t size)
{
    struct checked *c = arg;
    const uint8_t *p = data;
    uint32_t crc = ~c->crc;
    for (size_t i = 0; i < size; i++)
        crc = c->table[(crc ^ p[i]) & 0xff] ^ crc >> 8;
    c->crc = ~crc;
    return c->sink(c->arg, data, size);
}

static void make_crc_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t r = i;
        for (int bit = 0; bit < 8; bit++)
            r = r & 1 ? 0xedb88320 ^ r >> 1 : r >> 1;
        table[i] = r;
    }
}

struct gunzip_state {
    struct inflate inflate;
    struct checked checked;
};

static int run(struct gunzip_state *g, const uint8_t *in, size_t size, size_t *used)
{
    size_t header = header_size(in, size);
    if (!header)
        return -EINVAL;
    struct inflate *s = &g->inflate;
    s->in = in + header;
    s->end = in + size;
    int err = inflate_all(s);
    if (!err)
        err = history_flush(&s->out);
    if (err)
        return err;
    // Give back whole bytes that were read ahead, then the trailer: CRC and length modulo 2^32.
    s->in -= s->nr_bits / 8 - min(s->nr_bits / 8, s->past_end);
    if (s->end - s->in < 8)
        return -EINVAL;
    uint32_t trailer[2];
    memcpy(trailer, s->in, sizeof trailer);
    *used = (size_t)(s->in + 8 - in);
    return trailer[0] == g->checked.crc && trailer[1] == (uint32_t)s->out.total ? 0 : -EINVAL;
}

int gunzip(const uint8_t *in, size_t size, size_t *used, decompress_sink sink, void *arg)
{
    struct gunzip_state *g = kvmalloc(sizeof *g, ALLOC_KERNEL | ALLOC_ZERO);
    if (!g)
        return -ENOMEM;
    g->checked = (struct checked){.sink = sink, .arg = arg};
    make_crc_table(g->checked.table);
    int err = history_init(&g->inflate.out, WINDOW, check_and_pass, &g->checked);
    if (!err) {
        err = run(g, in, size, used);
        history_free(&g->inflate.out);
    }
    kvfree(g);
    return err;
}
