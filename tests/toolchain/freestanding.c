// tests/toolchain/freestanding.c — compiles for every platform without a C library.
#include <stddef.h>
#include <stdint.h>

size_t count_bits(uint64_t value)
{
    size_t bits = 0;
    for (; value; value &= value - 1)
        bits++;
    return bits;
}
