// tests/toolchain/layers/low.h — the lowest of three layers.
#pragma once
#include <stdint.h>

uint32_t low_value(void);
