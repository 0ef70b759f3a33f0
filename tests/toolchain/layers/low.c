// tests/toolchain/layers/low.c — the lowest of three layers.
#include "tests/toolchain/layers/low.h"

uint32_t low_value(void)
{
    return 1;
}
