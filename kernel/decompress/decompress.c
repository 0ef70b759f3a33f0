// kernel/decompress/decompress.c — chooses the format, and keeps the output's history.
#include "kernel/decompress/decompress.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/decompress/formats.h"
#include "kernel/decompress/history.h"
#include "kernel/mm/slab.h"

int history_init(struct history *h, size_t window, decompress_sink sink, void *arg)
{
    *h = (struct history){.window = window, .sink = sink, .arg = arg};
    // Twice the window, so that moving it down costs at most one copy for each byte of output.
    h->capacity = 2 * max(window, HISTORY_PIECE) + HISTORY_PIECE;
    h->bytes = kvmalloc(h->capacity, ALLOC_KERNEL);
    return h->bytes ? 0 : -ENOMEM;
}

void history_free(struct history *h)
{
    kvfree(h->bytes);
}

int history_flush(struct history *h)
{
    while (h->given < h->used) {
        size_t piece = min(h->used - h->given, HISTORY_PIECE);
        int err = h->sink(h->arg, h->bytes + h->given, piece);
        if (err)
            return err;
        h->given += piece;
        h->total += piece;
    }
    if (h->capacity - h->used < HISTORY_PIECE) {
        size_t keep = min(h->used, max(h->window, HISTORY_PIECE));
        memmove(h->bytes, h->bytes + h->used - keep, keep);
        h->used = h->given = keep;
    }
    return 0;
}

enum compression compression_detect(const void *data, size_t size)
{
    const uint8_t *p = data;
    if (size >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8)
        return COMPRESSION_GZIP;
    if (size >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
        return COMPRESSION_ZSTD;
    return COMPRESSION_NONE;
}

int decompress(const void *data, size_t size, size_t *used, decompress_sink sink, void *arg)
{
    switch (compression_detect(data, size)) {
    case COMPRESSION_GZIP:
        return gunzip(data, size, used, sink, arg);
    case COMPRESSION_ZSTD:
        return unzstd(data, size, used, sink, arg);
    default:
        return -EINVAL;
    }
}
