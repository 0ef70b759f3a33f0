// kernel/vfs/name_hash.h — the hash of a name in a directory, eight bytes at a time, and the cutting of a path into components.
//
// Both functions give the same value for the same name. The hash is mixed with the parent's address and a key chosen at boot.
#pragma once

#include "kernel/base/hash.h"
#include "kernel/base/string.h"
#include "kernel/vfs/vfs.h"

#define NAME_HASH_FACTOR 0x9e3779b97f4a7c15ull
#define BYTES_OF(b) (0x0101010101010101ull * (b))

static ALWAYS_INLINE uint64_t name_hash_begin(const struct dentry *parent)
{
    return hash_boot_key.k0 ^ (uintptr_t)parent;
}
static ALWAYS_INLINE uint64_t name_hash_step(uint64_t h, uint64_t word)
{
    h = (h ^ word) * NAME_HASH_FACTOR;
    return h ^ h >> 32;
}
static ALWAYS_INLINE uint32_t name_hash_end(uint64_t h, size_t len)
{
    return (uint32_t)((h ^ len) * NAME_HASH_FACTOR >> 32);
}

// The top bit of each byte of `w` that is zero; exact up to the lowest one.
static ALWAYS_INLINE uint64_t zero_bytes(uint64_t w)
{
    return (w - BYTES_OF(1)) & ~w & BYTES_OF(0x80);
}

static UNUSED NOINLINE uint64_t load_name_bytes(const char *s)
{
    uint64_t w = 0;
    for (unsigned i = 0; i < 8; i++) {
        w |= (uint64_t)(uint8_t)s[i] << 8 * i;
        if (!s[i])
            break;
    }
    return w;
}

// Eight bytes at `s`, of which only those up to the first NUL are ours: an aligned page is never left, so the load can not fault.
// The address sanitiser would be right to object: it gets the bytes one by one.
static ALWAYS_INLINE uint64_t load_name_word(const char *s)
{
    uint64_t w;
#ifdef KERNEL_ASAN
    const bool words = false;
#else
    const bool words = true;
#endif
    if (words && likely(((uintptr_t)s & (PAGE_SIZE - 1)) <= PAGE_SIZE - 8)) {
        __builtin_memcpy(&w, s, 8);
        return w;
    }
    return load_name_bytes(s);
}

// Cuts the component that starts at `s` (ended by '/' or NUL) and hashes it below `parent`.
static ALWAYS_INLINE void name_component(const struct dentry *parent, const char *s, struct qstr *out)
{
    uint64_t h = name_hash_begin(parent);
    size_t len = 0;
    for (;;) {
        uint64_t w = load_name_word(s + len);
        uint64_t end = zero_bytes(w) | zero_bytes(w ^ BYTES_OF('/'));
        if (end) {
            unsigned n = (unsigned)__builtin_ctzll(end) / 8;
            if (n)
                h = name_hash_step(h, w & ~0ull >> (64 - 8 * n));
            len += n;
            break;
        }
        h = name_hash_step(h, w);
        len += 8;
    }
    out->name = s;
    out->len = (uint32_t)len;
    out->hash = name_hash_end(h, len);
}

// The component at `s` as one word, zeroes behind it, if it is 1 to 7 bytes long and does not begin with a dot. Its length; 0: not such a one.
static ALWAYS_INLINE unsigned name_short(const char *s, uint64_t *word)
{
    uint64_t w = load_name_word(s);
    uint64_t end = zero_bytes(w) | zero_bytes(w ^ BYTES_OF('/'));
    if (unlikely(!end || (w & 0xff) == '.'))
        return 0;
    *word = w & (end ^ (end - 1)) >> 8; // what lies below the byte that ends it
    return (unsigned)__builtin_ctzll(end) / 8;
}
static ALWAYS_INLINE uint32_t name_short_hash(const struct dentry *parent, uint64_t word, unsigned len)
{
    return name_hash_end(name_hash_step(name_hash_begin(parent), word), len);
}

static ALWAYS_INLINE bool names_equal(const char *a, const char *b, size_t len)
{
    if (unlikely(len >= 8)) {
        uint64_t x, y;
        for (size_t i = 0; i + 8 <= len; i += 8) {
            __builtin_memcpy(&x, a + i, 8);
            __builtin_memcpy(&y, b + i, 8);
            if (x != y)
                return false;
        }
        __builtin_memcpy(&x, a + len - 8, 8);
        __builtin_memcpy(&y, b + len - 8, 8);
        return x == y;
    }
    // What stands behind the names is shifted out.
    return len == 0 || (load_name_word(a) ^ load_name_word(b)) << (64 - 8 * len) == 0;
}
