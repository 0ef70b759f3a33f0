// arch/x86_64/mm/root.h — the kernel's root table and the control registers that paging uses: Intel SDM volume 3, 2.5
// and 4.
#pragma once

#include "kernel/base/types.h"

#define MSR_EFER 0xc0000080u
#define EFER_NXE (1UL << 11)
#define CR4_PGE (1UL << 7)

struct x86_root {
    uint64_t *table; // through the direct map
    paddr_t phys;
};
extern struct x86_root x86_kernel_root; // no user half: what CPUs without a user address space load

static inline uint64_t x86_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void x86_write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

static inline uint64_t x86_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void x86_write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

static inline uint64_t x86_read_msr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}
