// arch/x86_64/thread/fpu.c — saving and loading the extended registers.
#include "arch/x86_64/thread/fpu.h"

#include "arch/include/user_copy.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "cpu/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/preempt.h"

#define XCR0_X87 (1UL << 0)
#define XCR0_SSE (1UL << 1)
#define XCR0_AVX (1UL << 2)
#define XCR0_AVX512 (7UL << 5)
#define MXCSR_DEFAULT 0x1f80
#define FCW_DEFAULT 0x37f

uint32_t fpu_area_size RO_AFTER_INIT;
uint64_t fpu_components RO_AFTER_INIT;
uint32_t fpu_mxcsr_mask RO_AFTER_INIT;
bool arch_wide_clears RO_AFTER_INIT;
static struct slab_cache *fpu_cache RO_AFTER_INIT;
static struct fpu_area *fpu_initial RO_AFTER_INIT; // what a program finds that has not used the registers
// The thread whose state this CPU's registers hold, whether or not it is the one that runs. Compared, never followed.
static DEFINE_PER_CPU(struct arch_thread *, fpu_owner);

// Components whose whole state is known to fit the standard format and needs no permission of its own.
static uint64_t supported_components(void)
{
    struct cpuid_regs r = cpuid(13, 0);
    uint64_t offered = (uint64_t)r.edx << 32 | r.eax;
    uint64_t wanted = XCR0_X87 | XCR0_SSE;
    if (offered & XCR0_AVX)
        wanted |= XCR0_AVX;
    if ((offered & (XCR0_AVX | XCR0_AVX512)) == (XCR0_AVX | XCR0_AVX512))
        wanted |= XCR0_AVX512;
    return wanted & offered;
}

static void find_mxcsr_mask(void)
{
    static struct fpu_legacy probe ALIGNED(16);
    __asm__ volatile("fxsave64 %0" : "=m"(probe));
    fpu_mxcsr_mask = probe.mxcsr_mask ? probe.mxcsr_mask : 0xffbf; // SDM volume 1, 11.6.6
}

void fpu_enable(void)
{
    __asm__ volatile("fninit");
    if (!fpu_mxcsr_mask)
        find_mxcsr_mask();
    if (!cpu_has(X86_XSAVE)) {
        fpu_components = XCR0_X87 | XCR0_SSE;
        fpu_area_size = sizeof(struct fpu_legacy);
        return;
    }
    if (!fpu_components)
        fpu_components = supported_components();
    xsetbv(0, fpu_components);
    if (!fpu_area_size)
        fpu_area_size = cpuid(13, 0).ebx; // for the components enabled just now
}

void fpu_init(void)
{
    fpu_cache = slab_cache_create("fpu_state", fpu_area_size, 64, 0, nullptr);
    fpu_initial = fpu_cache ? slab_alloc(fpu_cache, ALLOC_KERNEL) : nullptr;
    if (!fpu_initial)
        panic("no memory for FPU state");
    fpu_reset(fpu_initial);
    // Where AVX-512 is in use, writing a 32-byte register would clear the upper half of the user's 64-byte one.
    arch_wide_clears = (fpu_components & (XCR0_AVX | XCR0_AVX512)) == XCR0_AVX && !cpu_has(X86_ERMS);
}

void fpu_reset(struct fpu_area *area)
{
    memset(area, 0, fpu_area_size);
    area->legacy.fcw = FCW_DEFAULT;
    area->legacy.mxcsr = MXCSR_DEFAULT;
}

// XSAVE leaves nothing out: also components in their initial state are written, for those who look at the bytes.
static void save_whole(struct fpu_area *area)
{
    if (cpu_has(X86_XSAVE))
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void save(struct fpu_area *area)
{
    if (cpu_has(X86_XSAVEOPT))
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        save_whole(area);
}

static void load(const struct fpu_area *area)
{
    if (cpu_has(X86_XSAVE))
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

int fpu_create(struct arch_thread *arch)
{
    arch->fpu = slab_alloc(fpu_cache, ALLOC_KERNEL);
    if (!arch->fpu)
        return -ENOMEM;
    fpu_reset(arch->fpu);
    arch->fpu_loaded = false;
    arch->fpu_cpu = ~0u;
    return 0;
}

void fpu_free(struct arch_thread *arch)
{
    if (arch->fpu)
        slab_free(fpu_cache, arch->fpu);
    arch->fpu = nullptr;
}

void fpu_switch(struct arch_thread *prev, struct arch_thread *next)
{
    if (prev->fpu_loaded) {
        save(prev->fpu);
        prev->fpu_loaded = false;
    }
    if (!next->fpu || next->fpu_busy)
        return;
    unsigned cpu = this_cpu_id();
    if (this_cpu_read(fpu_owner) != next || next->fpu_cpu != cpu) {
        load(next->fpu);
        this_cpu_write(fpu_owner, next);
        next->fpu_cpu = cpu;
    }
    next->fpu_loaded = true;
}

void fpu_save_current(void)
{
    preempt_disable();
    struct arch_thread *arch = &current_thread()->arch;
    if (arch->fpu_loaded)
        save_whole(arch->fpu);
    preempt_enable();
}

void fpu_unload_current(void)
{
    preempt_disable();
    struct arch_thread *arch = &current_thread()->arch;
    if (arch->fpu_loaded)
        save(arch->fpu);
    arch->fpu_loaded = false;
    arch->fpu_busy = true;
    arch->fpu_cpu = ~0u; // what any CPU still holds is out of date
    preempt_enable();
}

static void load_into_current(const struct fpu_area *area)
{
    preempt_disable();
    struct arch_thread *arch = &current_thread()->arch;
    load(area);
    this_cpu_write(fpu_owner, arch);
    arch->fpu_cpu = this_cpu_id();
    arch->fpu_busy = false;
    arch->fpu_loaded = true;
    preempt_enable();
}

void fpu_load_current(void)
{
    load_into_current(current_thread()->arch.fpu);
}

// The thread's own area is out of date then, as always while the registers are loaded.
void fpu_load_initial(void)
{
    load_into_current(fpu_initial);
}

int fpu_xsave_user(struct fpu_area __user *area)
{
    __asm__ goto("1: xsave64 (%0)\n" EX_TABLE("1b", "%l[fault]")::"r"(user_addr(area)), "a"(-1), "d"(-1) : "memory" : fault);
    // The legacy part is always there: readers that know only FXSAVE need not look at the header.
    __asm__ goto("1: orq %1, %0\n" EX_TABLE("1b", "%l[fault]")
                 : "+m"(*(uint64_t *)(user_addr(area) + offsetof(struct fpu_area, xstate_bv)))
                 : "i"(XCR0_X87 | XCR0_SSE)
                 : "cc"
                 : fault);
    return 0;
fault:
    return -EFAULT;
}

int fpu_xrstor_user(const struct fpu_area __user *area, uint64_t components)
{
    uint64_t others = fpu_components & ~components;
    if (others)
        __asm__ volatile("xrstor64 (%0)" ::"r"(fpu_initial), "a"((uint32_t)others), "d"((uint32_t)(others >> 32)) : "memory");
    __asm__ goto(STAC "1: xrstor64 (%0)\n" CLAC EX_TABLE("1b", "%l[fault]")
                 :
                 : "r"(user_addr(area)), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
                 : "memory"
                 : fault);
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}
