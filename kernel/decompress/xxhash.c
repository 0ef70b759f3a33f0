// kernel/decompress/xxhash.c — XXH64: four lanes over stripes of 32 bytes, then the tail, then an avalanche.
#include "kernel/decompress/xxhash.h"

#include "kernel/base/string.h"

#define PRIME1 0x9e3779b185ebca87ull
#define PRIME2 0xc2b2ae3d27d4eb4full
#define PRIME3 0x165667b19e3779f9ull
#define PRIME4 0x85ebca77c2b2ae63ull
#define PRIME5 0x27d4eb2f165667c5ull

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * PRIME2, 31) * PRIME1;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

void xxh64_begin(struct xxh64 *h)
{
    *h = (struct xxh64){.lanes = {PRIME1 + PRIME2, PRIME2, 0, 0 - PRIME1}};
}

static void add_stripe(struct xxh64 *h, const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        h->lanes[i] = mix(h->lanes[i], load64(p + 8 * i));
}

void xxh64_add(struct xxh64 *h, const void *data, size_t size)
{
    const uint8_t *p = data;
    size_t kept = h->total % 32;
    h->total += size;
    if (kept) {
        size_t n = min(size, 32 - kept);
        memcpy(h->tail + kept, p, n);
        if (kept + n < 32)
            return;
        add_stripe(h, h->tail);
        p += n;
        size -= n;
    }
    for (; size >= 32; p += 32, size -= 32)
        add_stripe(h, p);
    memcpy(h->tail, p, size);
}

uint64_t xxh64_end(const struct xxh64 *h)
{
    uint64_t hash = PRIME5;
    if (h->total >= 32) {
        hash = rotate(h->lanes[0], 1) + rotate(h->lanes[1], 7) + rotate(h->lanes[2], 12) + rotate(h->lanes[3], 18);
        for (int i = 0; i < 4; i++)
            hash = (hash ^ mix(0, h->lanes[i])) * PRIME1 + PRIME4;
    }
    hash += h->total;
    const uint8_t *p = h->tail;
    size_t left = h->total % 32;
    for (; left >= 8; p += 8, left -= 8)
        hash = rotate(hash ^ mix(0, load64(p)), 27) * PRIME1 + PRIME4;
    if (left >= 4) {
        uint32_t word;
        memcpy(&word, p, sizeof word);
        hash = rotate(hash ^ word * PRIME1, 23) * PRIME2 + PRIME3;
        p += 4;
        left -= 4;
    }
    for (; left; p++, left--)
        hash = rotate(hash ^ *p * PRIME5, 11) * PRIME1;
    hash ^= hash >> 33;
    hash *= PRIME2;
    hash ^= hash >> 29;
    hash *= PRIME3;
    return hash ^ hash >> 32;
}
