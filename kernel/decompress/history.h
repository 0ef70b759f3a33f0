// kernel/decompress/history.h — the output of a decompressor and as much of its past as matches may point into.
#pragma once

#include "kernel/decompress/decompress.h"

#define HISTORY_PIECE (128 * 1024UL)

struct history {
    uint8_t *bytes;
    size_t capacity; // window + some pieces
    size_t window;
    size_t used;     // bytes[0 .. used) are output; more may be gone already
    size_t given;    // bytes[0 .. given) went to the sink
    uint64_t total;  // all output so far
    decompress_sink sink;
    void *arg;
};

// An empty one; matches reach at most `window` bytes back. -ENOMEM.
[[nodiscard]] int history_init(struct history *h, size_t window, decompress_sink sink, void *arg);
void history_free(struct history *h);
// Gives what is new to the sink, and makes room for HISTORY_PIECE more bytes behind `used`.
[[nodiscard]] int history_flush(struct history *h);

// Copies a match of `length` bytes from `distance` back; the caller has checked that both fit (history_reaches(), room).
static inline void history_copy(struct history *h, size_t distance, size_t length)
{
    uint8_t *to = h->bytes + h->used;
    const uint8_t *from = to - distance;
    h->used += length;
    if (distance >= 8) {
        for (; length >= 8; length -= 8, to += 8, from += 8)
            __builtin_memcpy(to, from, 8);
    }
    while (length--)
        *to++ = *from++;
}

// Is there output that far back?
static inline bool history_reaches(const struct history *h, size_t distance)
{
    return distance != 0 && distance <= h->used && distance <= max(h->window, HISTORY_PIECE);
}
