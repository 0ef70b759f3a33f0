// kernel/decompress/decompress.h — unpacks gzip and Zstandard data in memory, handing the output out piece by piece.
//
// For the initramfs: input is trusted no more than a disk is. Damaged or cut input ends in an error, never in an access
// outside the buffers.
#pragma once

#include "kernel/base/types.h"

// Takes output in order, in pieces of at most 128 KiB. Not 0 stops the work; the value is returned.
typedef int (*decompress_sink)(void *arg, const void *data, size_t size);

enum compression {
    COMPRESSION_NONE, // not a format known here
    COMPRESSION_GZIP, // RFC 1952
    COMPRESSION_ZSTD, // RFC 8878
};

// What the first bytes say. Looks at up to 4.
enum compression compression_detect(const void *data, size_t size);

// Unpacks one gzip member or one Zstandard frame from the start of `data`; *used tells where it ended. Checksums are
// verified. May sleep.
// Errors: -EINVAL (damaged, cut short, or another format), -ENOMEM, or what the sink returned.
[[nodiscard]] int decompress(const void *data, size_t size, size_t *used, decompress_sink sink, void *arg);
