// kernel/decompress/formats.h — the decoders behind decompress(), each for one format: same parameters, same errors, may sleep.
#pragma once

#include "kernel/decompress/decompress.h"

[[nodiscard]] int gunzip(const uint8_t *in, size_t size, size_t *used, decompress_sink sink, void *arg);
[[nodiscard]] int unzstd(const uint8_t *in, size_t size, size_t *used, decompress_sink sink, void *arg);
