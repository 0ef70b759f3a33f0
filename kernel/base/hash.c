// kernel/base/hash.c — SipHash-1-3, after the paper "SipHash: a fast short-input PRF" (2012), with one and three rounds.
#include "kernel/base/hash.h"

#include "kernel/base/string.h"

struct hash_key hash_boot_key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void round_once(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    round_once(s);
    s->v0 ^= word;
}

uint64_t siphash(const void *data, size_t size, const struct hash_key *key)
{
    struct state s = {
        .v0 = key->k0 ^ 0x736f6d6570736575ull,
        .v1 = key->k1 ^ 0x646f72616e646f6dull,
        .v2 = key->k0 ^ 0x6c7967656e657261ull,
        .v3 = key->k1 ^ 0x7465646279746573ull,
    };
    const uint8_t *p = data;
    size_t left = size;
    uint64_t word;
    for (; left >= 8; left -= 8, p += 8) {
        __builtin_memcpy(&word, p, 8);
        absorb(&s, word);
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)p[i] << 8 * i;
    absorb(&s, word);
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        round_once(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
