// kernel/base/hash.h — hashing for tables: quick mixing of numbers, and a keyed hash for anything a user chooses.
#pragma once

#include "kernel/base/types.h"

// Spreads a number over `bits` bits (1 .. 64): multiplication by 2^64 / golden ratio (Knuth, volume 3, section 6.4).
static inline uint64_t hash_u64(uint64_t x, unsigned bits)
{
    return x * 0x9e3779b97f4a7c15ull >> (64 - bits);
}

// A kernel address: its lowest four bits are the same in all objects.
static inline uint64_t hash_ptr(const void *p, unsigned bits)
{
    return hash_u64((uintptr_t)p >> 4, bits);
}

// SipHash-1-3 (Aumasson and Bernstein) under a key drawn at boot: a user who chooses names can not choose collisions.
struct hash_key {
    uint64_t k0, k1;
};
extern struct hash_key hash_boot_key; // set once at boot, before the first table

uint64_t siphash(const void *data, size_t size, const struct hash_key *key);
// A name under the boot key, salted (a directory's address, say).
static inline uint64_t hash_name(const char *name, size_t size, uint64_t salt)
{
    struct hash_key key = {hash_boot_key.k0 ^ salt, hash_boot_key.k1};
    return siphash(name, size, &key);
}
