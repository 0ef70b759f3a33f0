// arch/x86_64/cpu/features.h — what this machine's processors can do, found once on the boot CPU.
#pragma once

#include "kernel/base/types.h"

// The words of CPUID that are kept, indexed by enum cpuid_word.
enum cpuid_word {
    CPUID_1_EDX,
    CPUID_1_ECX,
    CPUID_7_EBX,
    CPUID_7_ECX,
    CPUID_7_EDX,
    CPUID_D1_EAX,
    CPUID_EXT1_EDX,
    CPUID_EXT1_ECX,
    CPUID_EXT7_EDX,
    CPUID_6_EAX,
    CPUID_EXT8_EBX,
    CPUID_EXTA_EDX,
    NR_CPUID_WORDS
};
#define FEATURE(word, bit) ((word) * 32 + (bit))
enum cpu_feature {
    X86_TSC = FEATURE(CPUID_1_EDX, 4),
    X86_APIC = FEATURE(CPUID_1_EDX, 9),
    X86_FXSR = FEATURE(CPUID_1_EDX, 24),
    X86_SSE2 = FEATURE(CPUID_1_EDX, 26),
    X86_HTT = FEATURE(CPUID_1_EDX, 28),
    X86_X2APIC = FEATURE(CPUID_1_ECX, 21),
    X86_TSC_DEADLINE = FEATURE(CPUID_1_ECX, 24),
    X86_XSAVE = FEATURE(CPUID_1_ECX, 26),
    X86_RDRAND = FEATURE(CPUID_1_ECX, 30),
    X86_HYPERVISOR = FEATURE(CPUID_1_ECX, 31),
    X86_FSGSBASE = FEATURE(CPUID_7_EBX, 0),
    X86_TSC_ADJUST = FEATURE(CPUID_7_EBX, 1),
    X86_SMEP = FEATURE(CPUID_7_EBX, 7),
    X86_ERMS = FEATURE(CPUID_7_EBX, 9),
    X86_RDSEED = FEATURE(CPUID_7_EBX, 18),
    X86_SMAP = FEATURE(CPUID_7_EBX, 20),
    X86_UMIP = FEATURE(CPUID_7_ECX, 2),
    X86_XSAVEOPT = FEATURE(CPUID_D1_EAX, 0),
    X86_SYSCALL = FEATURE(CPUID_EXT1_EDX, 11),
    X86_NX = FEATURE(CPUID_EXT1_EDX, 20),
    X86_RDTSCP = FEATURE(CPUID_EXT1_EDX, 27),
    X86_SVM = FEATURE(CPUID_EXT1_ECX, 2),
    X86_3DNOWPREFETCH = FEATURE(CPUID_EXT1_ECX, 8),
    X86_TOPOEXT = FEATURE(CPUID_EXT1_ECX, 22),
    X86_INVARIANT_TSC = FEATURE(CPUID_EXT7_EDX, 8),
    X86_ARAT = FEATURE(CPUID_6_EAX, 2),
};

struct cpu_identity {
    char vendor[13];
    char model_name[49];
    unsigned family, model, stepping;
    uint32_t max_leaf, max_ext_leaf;
    unsigned physical_bits, virtual_bits, clflush_size, cache_kib;
    uint32_t words[NR_CPUID_WORDS];
};
extern struct cpu_identity boot_cpu;

// Of the boot CPU; the others are believed to be like it.
static inline bool cpu_has(enum cpu_feature feature)
{
    return boot_cpu.words[feature / 32] >> (feature % 32) & 1;
}

bool cpu_is_amd(void); // or of Hygon, who build AMD's: what AMD's manuals say holds
// Reads from CPUID what the calling CPU, of that number, is a part of: arch/include/topology.h. Before it is online.
void topology_detect(unsigned cpu);
bool topology_by_levels(void); // whether CPUID listed the levels itself: leaf 0x1f or 0xb
// Fills boot_cpu. Boot CPU, before anything asks cpu_has().
void features_detect(void);
// Sets this CPU's control registers: write protection, SMEP, SMAP, UMIP, FSGSBASE, XSAVE, NX, SYSCALL. Every CPU, early.
void features_enable(void);
// Writes STAC and CLAC into the kernel's text (with SMAP) and sorts the exception table. Boot CPU, before any other runs.
void features_patch_kernel(void);
