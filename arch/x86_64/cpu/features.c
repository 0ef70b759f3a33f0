// arch/x86_64/cpu/features.c — CPUID, and the control registers that follow from it.
#include "arch/x86_64/cpu/features.h"

#include "arch/include/elf.h"
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/thread/fpu.h"
#include "arch/x86_64/trap/trap.h"
#include "kernel/base/string.h"

struct cpu_identity boot_cpu RO_AFTER_INIT;

bool cpu_is_amd(void)
{
    return !strcmp(boot_cpu.vendor, "AuthenticAMD") || !strcmp(boot_cpu.vendor, "HygonGenuine");
}

static void detect_model_name(void)
{
    if (boot_cpu.max_ext_leaf < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_regs r = cpuid(0x80000002 + i, 0);
        memcpy(boot_cpu.model_name + i * 16, &r, 16);
    }
    char *trimmed = strstrip(boot_cpu.model_name);
    memmove(boot_cpu.model_name, trimmed, strlen(trimmed) + 1);
}

static void detect_signature(uint32_t eax)
{
    boot_cpu.stepping = eax & 15;
    boot_cpu.model = eax >> 4 & 15;
    boot_cpu.family = eax >> 8 & 15;
    if (boot_cpu.family >= 6)
        boot_cpu.model |= (eax >> 16 & 15) << 4;
    if (boot_cpu.family == 15)
        boot_cpu.family += eax >> 20 & 255;
}

void features_detect(void)
{
    struct cpuid_regs r = cpuid(0, 0);
    boot_cpu.max_leaf = r.eax;
    memcpy(boot_cpu.vendor, &r.ebx, 4);
    memcpy(boot_cpu.vendor + 4, &r.edx, 4);
    memcpy(boot_cpu.vendor + 8, &r.ecx, 4);
    boot_cpu.max_ext_leaf = cpuid(0x80000000, 0).eax;

    r = cpuid(1, 0);
    detect_signature(r.eax);
    boot_cpu.clflush_size = (r.ebx >> 8 & 255) * 8;
    boot_cpu.words[CPUID_1_EDX] = r.edx;
    boot_cpu.words[CPUID_1_ECX] = r.ecx;
    if (boot_cpu.max_leaf >= 6)
        boot_cpu.words[CPUID_6_EAX] = cpuid(6, 0).eax;
    if (boot_cpu.max_leaf >= 7) {
        r = cpuid(7, 0);
        boot_cpu.words[CPUID_7_EBX] = r.ebx;
        boot_cpu.words[CPUID_7_ECX] = r.ecx;
        boot_cpu.words[CPUID_7_EDX] = r.edx;
    }
    if (boot_cpu.max_leaf >= 13)
        boot_cpu.words[CPUID_D1_EAX] = cpuid(13, 1).eax;
    r = cpuid(0x80000001, 0);
    boot_cpu.words[CPUID_EXT1_EDX] = r.edx;
    boot_cpu.words[CPUID_EXT1_ECX] = r.ecx;
    if (boot_cpu.max_ext_leaf >= 0x8000000a && cpu_has(X86_SVM))
        boot_cpu.words[CPUID_EXTA_EDX] = cpuid(0x8000000a, 0).edx;
    if (boot_cpu.max_ext_leaf >= 0x80000006)
        boot_cpu.cache_kib = cpuid(0x80000006, 0).ecx >> 16;
    if (boot_cpu.max_ext_leaf >= 0x80000007)
        boot_cpu.words[CPUID_EXT7_EDX] = cpuid(0x80000007, 0).edx;
    boot_cpu.physical_bits = 36;
    boot_cpu.virtual_bits = 48;
    if (boot_cpu.max_ext_leaf >= 0x80000008) {
        r = cpuid(0x80000008, 0);
        boot_cpu.physical_bits = r.eax & 255;
        boot_cpu.virtual_bits = r.eax >> 8 & 255;
        boot_cpu.words[CPUID_EXT8_EBX] = r.ebx;
    }
    detect_model_name();
}

void features_enable(void)
{
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM);
    unsigned long cr4 = read_cr4() | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE;
    cr4 &= ~(CR4_TSD | CR4_PCE);
    if (cpu_has(X86_SMEP))
        cr4 |= CR4_SMEP;
    if (cpu_has(X86_SMAP))
        cr4 |= CR4_SMAP;
    if (cpu_has(X86_UMIP))
        cr4 |= CR4_UMIP;
    if (cpu_has(X86_FSGSBASE))
        cr4 |= CR4_FSGSBASE;
    if (cpu_has(X86_XSAVE))
        cr4 |= CR4_OSXSAVE;
    write_cr4(cr4);
    if (cpu_has(X86_SMAP))
        __asm__ volatile("clac" ::: "memory", "cc");
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | (cpu_has(X86_NX) ? EFER_NX : 0));
    fpu_enable();
}

struct smap_site {
    int32_t place; // relative to its own address
    uint32_t last_byte;
};
extern const struct smap_site __start___smap_sites[], __stop___smap_sites[];

static void smap_patch(void)
{
    for (const struct smap_site *site = __start___smap_sites; site < __stop___smap_sites; site++) {
        volatile uint8_t *code = (volatile uint8_t *)((uintptr_t)&site->place + (intptr_t)site->place);
        code[0] = 0x0f;
        code[1] = 0x01;
        code[2] = (uint8_t)site->last_byte;
    }
}

// Text and tables are mapped read-only; the boot CPU alone, with write protection off for these stores.
void features_patch_kernel(void)
{
    unsigned long cr0 = read_cr0();
    write_cr0(cr0 & ~CR0_WP);
    if (cpu_has(X86_SMAP))
        smap_patch();
    extable_sort();
    write_cr0(cr0);
    (void)cpuid(0, 0); // serialise: nothing fetched before is executed after
}

unsigned long arch_hwcap(void)
{
    return boot_cpu.words[CPUID_1_EDX];
}

// HWCAP2_FSGSBASE is the only bit that concerns us: user code may use the instructions.
unsigned long arch_hwcap2(void)
{
    const unsigned long hwcap2_fsgsbase = 1UL << 1;
    return cpu_has(X86_FSGSBASE) ? hwcap2_fsgsbase : 0;
}
