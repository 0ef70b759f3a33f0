// kernel/decompress/xxhash.h — XXH64 with seed 0, the checksum of Zstandard frames: the xxHash specification, version 0.1.1.
#pragma once

#include "kernel/base/types.h"

struct xxh64 {
    uint64_t lanes[4], total;
    uint8_t tail[32]; // total % 32 bytes
};

// begin, add in any pieces, end: the checksum of all of them.
void xxh64_begin(struct xxh64 *h);
void xxh64_add(struct xxh64 *h, const void *data, size_t size);
uint64_t xxh64_end(const struct xxh64 *h);
