// arch/x86_64/lib/div128.c — division of 128-bit numbers, which the compiler calls by this name (its run-time library's interface).
#include "kernel/base/types.h"

typedef unsigned __int128 u128;

u128 __udivti3(u128 n, u128 d);

// One DIV: the quotient must fit 64 bits, that is high < d.
static inline uint64_t divide_step(uint64_t high, uint64_t low, uint64_t d, uint64_t *remainder)
{
    uint64_t quotient;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "r"(d) : "cc");
    return quotient;
}

u128 __udivti3(u128 n, u128 d)
{
    uint64_t rest;
    if (d >> 64 == 0) {
        uint64_t high = divide_step(0, (uint64_t)(n >> 64), (uint64_t)d, &rest);
        return (u128)high << 64 | divide_step(rest, (uint64_t)n, (uint64_t)d, &rest);
    }
    // A divisor above 64 bits leaves a quotient of at most 64: plain long division.
    uint64_t quotient = 0;
    u128 part = n >> 64;
    for (int bit = 63; bit >= 0; bit--) {
        bool carry = part >> 127;
        part = part << 1 | ((uint64_t)n >> bit & 1);
        if (carry || part >= d) {
            part -= d;
            quotient |= 1ull << bit;
        }
    }
    return quotient;
}
