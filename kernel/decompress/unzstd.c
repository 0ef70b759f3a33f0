// kernel/decompress/unzstd.c — Zstandard frames: RFC 8878. No dictionaries.
//
// A frame is a sequence of blocks of at most 128 KiB. A compressed block has literals (mostly Huffman coded, tables may
// be kept from the block before) and sequences: copy so many literals, then a match from the output so far. Their three
// numbers come from three interleaved FSE states.
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/decompress/formats.h"
#include "kernel/decompress/fse.h"
#include "kernel/decompress/history.h"
#include "kernel/decompress/xxhash.h"
#include "kernel/mm/slab.h"

enum {
    MAX_BLOCK = 128 * 1024,
    MAX_WINDOW = 128 << 20, // what `zstd --long=27` makes; more is refused
};

// One of the three kinds of numbers in a sequence.
enum kind { LITERAL_LENGTH, OFFSET, MATCH_LENGTH, NR_KINDS };

struct unzstd {
    struct history out;
    struct xxh64 hash;
    decompress_sink sink;
    void *arg;
    struct huffman_table huffman;
    struct fse_table scratch, tables[NR_KINDS];
    bool have_table[NR_KINDS];
    uint32_t repeat[3];
    size_t block_max;
    uint8_t literals[MAX_BLOCK];
};

struct reader {
    const uint8_t *at, *end;
};

static bool take(struct reader *r, size_t n, uint64_t *value)
{
    *value = 0;
    if ((size_t)(r->end - r->at) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        *value |= (uint64_t)*r->at++ << 8 * i;
    return true;
}

static int read_huffman_literals(struct unzstd *z, struct reader *r, size_t size, size_t count, unsigned streams,
                                 bool new_tree)
{
    if ((size_t)(r->end - r->at) < size)
        return -EINVAL;
    struct reader part = {r->at, r->at + size};
    r->at = part.end;
    if (new_tree) {
        size_t used;
        int err = huffman_read(&z->huffman, &z->scratch, part.at, size, &used);
        if (err)
            return err;
        part.at += used;
    }
    if (streams == 1)
        return huffman_decode(&z->huffman, part.at, (size_t)(part.end - part.at), z->literals, count);

    uint64_t sizes[4];
    for (int i = 0; i < 3; i++)
        if (!take(&part, 2, &sizes[i]))
            return -EINVAL;
    size_t left = (size_t)(part.end - part.at), each = (count + 3) / 4;
    if (sizes[0] + sizes[1] + sizes[2] > left || 3 * each > count)
        return -EINVAL;
    sizes[3] = left - sizes[0] - sizes[1] - sizes[2];
    for (size_t i = 0; i < 4; i++) {
        int err =
            huffman_decode(&z->huffman, part.at, sizes[i], z->literals + i * each, i < 3 ? each : count - 3 * each);
        if (err)
            return err;
        part.at += sizes[i];
    }
    return 0;
}

// Fills z->literals; *count says how many.
static int read_literals(struct unzstd *z, struct reader *r, size_t *count)
{
    enum { RAW, RLE, COMPRESSED, TREELESS };
    if (r->at == r->end)
        return -EINVAL;
    unsigned type = *r->at & 3, format = *r->at >> 2 & 3;
    uint64_t header;
    if (type == RAW || type == RLE) {
        size_t bytes = format == 1 ? 2 : format == 3 ? 3 : 1;
        if (!take(r, bytes, &header))
            return -EINVAL;
        *count = header >> (bytes == 1 ? 3 : 4);
        size_t stored = type == RAW ? *count : 1;
        if (*count > z->block_max || (size_t)(r->end - r->at) < stored)
            return -EINVAL;
        if (type == RAW)
            memcpy(z->literals, r->at, *count);
        else
            memset(z->literals, *r->at, *count);
        r->at += stored;
        return 0;
    }
    size_t bytes = format < 2 ? 3 : format + 2;
    unsigned bits = format < 2 ? 10 : format == 2 ? 14 : 18;
    if (!take(r, bytes, &header))
        return -EINVAL;
    *count = header >> 4 & ((1u << bits) - 1);
    size_t size = header >> (4 + bits) & ((1u << bits) - 1);
    if (*count > z->block_max)
        return -EINVAL;
    return read_huffman_literals(z, r, size, *count, format ? 4 : 1, type == COMPRESSED);
}

// How codes become numbers: base + so many extra bits. An offset's code is its number of extra bits.
static const uint32_t length_base[36] = {0,  1,  2,   3,   4,   5,    6,    7,    8,    9,     10,    11,
                                         12, 13, 14,  15,  16,  18,   20,   22,   24,   28,    32,    40,
                                         48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
static const uint8_t length_bits[36] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  1,  1,
                                        1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint32_t match_base[53] = {3,  4,   5,   6,   7,    8,    9,    10,   11,    12,    13,   14, 15, 16,
                                        17, 18,  19,  20,  21,   22,   23,   24,   25,    26,    27,   28, 29, 30,
                                        31, 32,  33,  34,  35,   37,   39,   41,   43,    47,    51,   59, 67, 83,
                                        99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539};
static const uint8_t match_bits[53] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0, 0,
                                       0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  1,  1,  1, 1,
                                       2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const int16_t usual_lengths[36] = {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
                                          2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1};
static const int16_t usual_offsets[29] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,  1,  1,  1, 1,
                                          1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1};
static const int16_t usual_matches[53] = {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                                          1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                                          1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1};

static const struct {
    const int16_t *usual;
    uint8_t nr_usual, usual_log, max_symbol, max_log;
} kinds[NR_KINDS] = {
    [LITERAL_LENGTH] = {usual_lengths, 36, 6, 35, 9},
    [OFFSET] = {usual_offsets, 29, 5, 31, 8},
    [MATCH_LENGTH] = {usual_matches, 53, 6, 52, 9},
};

static int read_table(struct unzstd *z, struct reader *r, enum kind k, unsigned mode)
{
    enum { USUAL, SINGLE, DESCRIBED, SAME };
    struct fse_table *t = &z->tables[k];
    int err = 0;
    switch (mode) {
    case USUAL:
        err = fse_build(t, kinds[k].usual, kinds[k].nr_usual, kinds[k].usual_log);
        break;
    case SINGLE:
        if (r->at == r->end || *r->at > kinds[k].max_symbol)
            return -EINVAL;
        fse_build_single(t, *r->at++);
        break;
    case DESCRIBED: {
        size_t used;
        err = fse_read(t, r->at, (size_t)(r->end - r->at), kinds[k].max_symbol, kinds[k].max_log, &used);
        if (!err)
            r->at += used;
        break;
    }
    case SAME:
        return z->have_table[k] ? 0 : -EINVAL;
    }
    z->have_table[k] = !err;
    return err;
}

// The distance that an offset value stands for; values 1 to 3 name one of the last three distances.
static uint32_t resolve_offset(struct unzstd *z, uint32_t value, bool no_literals)
{
    uint32_t *repeat = z->repeat, distance;
    if (value > 3) {
        distance = value - 3;
        repeat[2] = repeat[1];
    } else {
        unsigned which = value - 1 + no_literals;
        if (which == 0)
            return repeat[0];
        distance = which == 3 ? repeat[0] - 1 : repeat[which];
        if (which > 1)
            repeat[2] = repeat[1];
    }
    repeat[1] = repeat[0];
    repeat[0] = distance;
    return distance;
}

static int run_sequences(struct unzstd *z, struct back_bits *b, unsigned count, size_t nr_literals)
{
    const struct fse_entry *state[NR_KINDS];
    for (int k = 0; k < NR_KINDS; k++)
        state[k] = &z->tables[k].entries[back_bits_take(b, z->tables[k].log)];
    const uint8_t *literal = z->literals, *literals_end = z->literals + nr_literals;
    size_t produced = 0;
    while (count--) {
        unsigned lc = state[LITERAL_LENGTH]->symbol, oc = state[OFFSET]->symbol, mc = state[MATCH_LENGTH]->symbol;
        uint32_t value = (uint32_t)((1ull << oc) + back_bits_take(b, oc));
        size_t match = match_base[mc] + back_bits_take(b, match_bits[mc]);
        size_t length = length_base[lc] + back_bits_take(b, length_bits[lc]);
        size_t distance = resolve_offset(z, value, length == 0);
        produced += length + match;
        if (length > (size_t)(literals_end - literal) || produced > z->block_max)
            return -EINVAL;
        memcpy(z->out.bytes + z->out.used, literal, length);
        z->out.used += length;
        literal += length;
        if (!history_reaches(&z->out, distance))
            return -EINVAL;
        history_copy(&z->out, distance, match);
        if (count == 0)
            break;
        static const enum kind order[NR_KINDS] = {LITERAL_LENGTH, MATCH_LENGTH, OFFSET};
        for (int i = 0; i < NR_KINDS; i++) {
            enum kind k = order[i];
            state[k] = &z->tables[k].entries[state[k]->base + back_bits_take(b, state[k]->bits)];
        }
    }
    if (b->left != 0)
        return -EINVAL;
    size_t rest = (size_t)(literals_end - literal);
    if (produced + rest > z->block_max)
        return -EINVAL;
    memcpy(z->out.bytes + z->out.used, literal, rest);
    z->out.used += rest;
    return 0;
}

static int compressed_block(struct unzstd *z, struct reader r)
{
    size_t nr_literals;
    uint64_t count, more;
    int err = read_literals(z, &r, &nr_literals);
    if (err)
        return err;
    if (!take(&r, 1, &count))
        return -EINVAL;
    if (count == 255) {
        if (!take(&r, 2, &more))
            return -EINVAL;
        count = more + 0x7f00;
    } else if (count >= 128) {
        if (!take(&r, 1, &more))
            return -EINVAL;
        count = (count - 128) << 8 | more;
    }
    if (count == 0) {
        memcpy(z->out.bytes + z->out.used, z->literals, nr_literals);
        z->out.used += nr_literals;
        return r.at == r.end ? 0 : -EINVAL;
    }
    uint64_t modes;
    if (!take(&r, 1, &modes) || modes & 3)
        return -EINVAL;
    for (int k = 0; k < NR_KINDS; k++) {
        err = read_table(z, &r, (enum kind)k, modes >> (6 - 2 * k) & 3);
        if (err)
            return err;
    }
    struct back_bits b;
    err = back_bits_init(&b, r.at, (size_t)(r.end - r.at));
    return err ? err : run_sequences(z, &b, (unsigned)count, nr_literals);
}

static int read_blocks(struct unzstd *z, struct reader *r)
{
    enum { RAW, RLE, COMPRESSED };
    for (;;) {
        uint64_t header;
        if (!take(r, 3, &header))
            return -EINVAL;
        unsigned type = header >> 1 & 3;
        size_t size = header >> 3, stored = type == RLE ? 1 : size;
        if (size > z->block_max || (size_t)(r->end - r->at) < stored)
            return -EINVAL;
        int err = 0;
        if (type == RAW)
            memcpy(z->out.bytes + z->out.used, r->at, size);
        else if (type == RLE)
            memset(z->out.bytes + z->out.used, *r->at, size);
        else if (type == COMPRESSED)
            err = compressed_block(z, (struct reader){r->at, r->at + size});
        else
            err = -EINVAL;
        if (type != COMPRESSED)
            z->out.used += size;
        r->at += stored;
        if (!err)
            err = history_flush(&z->out);
        if (err || header & 1)
            return err;
    }
}

struct frame {
    uint64_t window, content_size;
    bool has_size, has_checksum;
};

static int read_frame_header(struct reader *r, struct frame *f)
{
    uint64_t magic, flags, value;
    if (!take(r, 4, &magic) || !take(r, 1, &flags) || flags & 8)
        return -EINVAL;
    bool single = flags & 0x20;
    f->has_checksum = flags & 4;
    if (!single) {
        if (!take(r, 1, &value))
            return -EINVAL;
        f->window = 1ull << (10 + (value >> 3));
        f->window += (f->window >> 3) * (value & 7);
    }
    size_t dictionary_bytes = (1u << (flags & 3)) >> 1; // 0, 1, 2, 4
    if (!take(r, dictionary_bytes, &value) || value != 0)
        return -EINVAL;
    unsigned size_flag = (unsigned)flags >> 6;
    size_t size_bytes = size_flag ? 1u << size_flag : single;
    if (!take(r, size_bytes, &f->content_size))
        return -EINVAL;
    if (size_bytes == 2)
        f->content_size += 256;
    f->has_size = size_bytes != 0;
    if (single)
        f->window = f->content_size;
    return f->window <= MAX_WINDOW ? 0 : -EINVAL;
}

static int hash_and_pass(void *arg, const void *data, size_t size)
{
    struct unzstd *z = arg;
    xxh64_add(&z->hash, data, size);
    return z->sink(z->arg, data, size);
}

static int run(struct unzstd *z, struct reader *r, const struct frame *f)
{
    int err = read_blocks(z, r);
    uint64_t checksum;
    if (err)
        return err;
    if (f->has_size && z->out.total != f->content_size)
        return -EINVAL;
    if (f->has_checksum && (!take(r, 4, &checksum) || checksum != (uint32_t)xxh64_end(&z->hash)))
        return -EINVAL;
    return 0;
}

int unzstd(const uint8_t *in, size_t size, size_t *used, decompress_sink sink, void *arg)
{
    struct reader r = {in, in + size};
    struct frame f = {};
    int err = read_frame_header(&r, &f);
    if (err)
        return err;
    struct unzstd *z = kvmalloc(sizeof *z, ALLOC_KERNEL | ALLOC_ZERO);
    if (!z)
        return -ENOMEM;
    z->sink = sink;
    z->arg = arg;
    z->repeat[0] = 1;
    z->repeat[1] = 4;
    z->repeat[2] = 8;
    z->block_max = min(f.window, (uint64_t)MAX_BLOCK);
    xxh64_begin(&z->hash);
    err = history_init(&z->out, f.window, hash_and_pass, z);
    if (!err) {
        err = run(z, &r, &f);
        history_free(&z->out);
    }
    kvfree(z);
    *used = (size_t)(r.at - in);
    return err;
}
