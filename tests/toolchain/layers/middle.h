// tests/toolchain/layers/middle.h — the layer that may see low.h.
#pragma once
#include <stdint.h>

uint32_t middle_sum(const uint32_t *values, uint32_t count);
