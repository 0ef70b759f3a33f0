// tests/toolchain/layers/middle.c — the layer that may see low.h; its loop tempts the compiler to use vector registers.
#include "tests/toolchain/layers/middle.h"
#include "tests/toolchain/layers/low.h"

uint32_t middle_sum(const uint32_t *values, uint32_t count)
{
    uint32_t sum = low_value();
    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}
