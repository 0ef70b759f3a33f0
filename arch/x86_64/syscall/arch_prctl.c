// arch/x86_64/syscall/arch_prctl.c — arch_prctl(2): the bases of FS and GS; everything newer is not there.
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "cpu/irqflags.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/syscall.h"

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004
#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012

static long set_fs(unsigned long base)
{
    if (base >= USER_END)
        return -EPERM;
    struct arch_thread *arch = &current_thread()->arch;
    irq_flags_t flags = arch_irq_save();
    arch->fs = 0;
    arch->fs_base = base;
    __asm__ volatile("movw %0, %%fs" ::"r"((uint16_t)0));
    wrmsr(MSR_FS_BASE, base);
    arch_irq_restore(flags);
    return 0;
}

static long set_gs(unsigned long base)
{
    if (base >= USER_END)
        return -EPERM;
    struct arch_thread *arch = &current_thread()->arch;
    irq_flags_t flags = arch_irq_save();
    arch->gs = 0;
    arch->gs_base = base;
    __asm__ volatile("swapgs; movw %0, %%gs; swapgs" ::"r"((uint16_t)0) : "memory");
    wrmsr(MSR_KERNEL_GS_BASE, base);
    arch_irq_restore(flags);
    return 0;
}

// A selector loaded by the program itself, or (with FSGSBASE) the instructions, may have changed the base since it was
// set here: ask the CPU.
static long get_base(unsigned long __user *out, uint32_t msr)
{
    irq_flags_t flags = arch_irq_save();
    unsigned long base = rdmsr(msr);
    arch_irq_restore(flags);
    return put_user(base, out);
}

SYSCALL2(arch_prctl, int, option, unsigned long, arg)
{
    switch (option) {
    case ARCH_SET_FS:
        return set_fs(arg);
    case ARCH_SET_GS:
        return set_gs(arg);
    case ARCH_GET_FS:
        return get_base(user_ptr(unsigned long, arg), MSR_FS_BASE);
    case ARCH_GET_GS:
        return get_base(user_ptr(unsigned long, arg), MSR_KERNEL_GS_BASE);
    case ARCH_GET_CPUID:
        return 1; // CPUID is never made to fault
    case ARCH_SET_CPUID:
        return -ENODEV;
    default:
        return -EINVAL;
    }
}
