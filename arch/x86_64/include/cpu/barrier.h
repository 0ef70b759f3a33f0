// arch/x86_64/include/cpu/barrier.h — a pause for spin loops, and the cycle counter.
#pragma once

#include "kernel/base/types.h"

static ALWAYS_INLINE void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

// The time stamp counter, unserialised.
static ALWAYS_INLINE uint64_t arch_cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
