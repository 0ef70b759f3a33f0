// kernel/base/cpumask.h — sets of CPUs, and which CPUs there are.
#pragma once

#include "arch/include/cpu.h"
#include "kernel/base/atomic.h"

struct cpumask {
    unsigned long bits[DIV_ROUND_UP(MAX_CPUS, 64)];
};

extern struct cpumask cpu_possible_mask; // found in the firmware's tables; fixed after boot
extern struct cpumask cpu_online_mask;   // running now
extern unsigned nr_cpus;                 // possible CPUs, numbered 0 .. nr_cpus - 1

#define cpumask_test(cpu, mask) test_bit((cpu), (mask)->bits)
#define cpumask_set(cpu, mask) set_bit((cpu), (mask)->bits)
#define cpumask_clear(cpu, mask) clear_bit((cpu), (mask)->bits)

static inline bool cpumask_empty(const struct cpumask *mask)
{
    return mask->bits[0] == 0;
}

// The lowest CPU in the mask above `after` (-1 to start), or MAX_CPUS.
static inline unsigned cpumask_next(int after, const struct cpumask *mask)
{
    unsigned long rest = after >= MAX_CPUS - 1 ? 0 : READ_ONCE(mask->bits[0]) & (~0UL << (after + 1));
    return rest ? (unsigned)__builtin_ctzl(rest) : MAX_CPUS;
}

#define for_each_cpu(cpu, mask) for ((cpu) = cpumask_next(-1, (mask)); (cpu) < MAX_CPUS; (cpu) = cpumask_next((int)(cpu), (mask)))
#define for_each_online_cpu(cpu) for_each_cpu(cpu, &cpu_online_mask)
#define for_each_possible_cpu(cpu) for_each_cpu(cpu, &cpu_possible_mask)
