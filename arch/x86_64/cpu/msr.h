// arch/x86_64/cpu/msr.h — model-specific registers, control registers, CPUID: Intel SDM volumes 2 and 4.
#pragma once

#include "kernel/base/types.h"

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_ADJUST 0x3b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800 // + register offset / 16
#define MSR_PAT 0x277
#define MSR_EFER 0xc0000080
#define MSR_SYSENTER_CS 0x174
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define EFER_SCE (1UL << 0)
#define EFER_NX (1UL << 11)

#define CR0_MP (1UL << 1)
#define CR0_EM (1UL << 2)
#define CR0_TS (1UL << 3)
#define CR0_NE (1UL << 5)
#define CR0_WP (1UL << 16)
#define CR0_AM (1UL << 18)
#define CR4_TSD (1UL << 2)
#define CR4_DE (1UL << 3)
#define CR4_PGE (1UL << 7)
#define CR4_PCE (1UL << 8)
#define CR4_OSFXSR (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_UMIP (1UL << 11)
#define CR4_FSGSBASE (1UL << 16)
#define CR4_OSXSAVE (1UL << 18)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}
static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#define CONTROL_REGISTER_(n)                                                                                           \
    static inline unsigned long read_cr##n(void)                                                                       \
    {                                                                                                                  \
        unsigned long v;                                                                                               \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory");                                                    \
        return v;                                                                                                      \
    }                                                                                                                  \
    static inline void write_cr##n(unsigned long v)                                                                    \
    {                                                                                                                  \
        __asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");                                                       \
    }
CONTROL_REGISTER_(0)
CONTROL_REGISTER_(2)
CONTROL_REGISTER_(3)
CONTROL_REGISTER_(4)

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(leaf), "2"(subleaf));
    return r;
}

static inline void xsetbv(uint32_t reg, uint64_t value)
{
    __asm__ volatile("xsetbv" ::"c"(reg), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

// FS and GS base instructions; only with CR4.FSGSBASE.
static inline unsigned long rdfsbase(void)
{
    unsigned long v;
    __asm__ volatile("rdfsbase %0" : "=r"(v)::"memory");
    return v;
}
static inline void wrfsbase(unsigned long v)
{
    __asm__ volatile("wrfsbase %0" ::"r"(v) : "memory");
}
