// arch/x86_64/include/cpu/ptrace.h — the registers saved at every entry to the kernel, in the order of Linux's struct user_regs_struct.
#pragma once

#include "kernel/base/types.h"

#include "cpu/percpu.h"

struct pt_regs {
    uint64_t r15, r14, r13, r12, bp, bx;
    uint64_t r11, r10, r9, r8, ax, cx, dx, si, di;
    uint64_t orig_ax; // system call number, or -1; for exceptions the CPU's error code
    uint64_t ip, cs, flags, sp, ss;
};
static_assert(sizeof(struct pt_regs) == 168);

#define SELECTOR_KERNEL_CS 0x10
#define SELECTOR_KERNEL_DS 0x18
#define SELECTOR_USER32_CS 0x23
#define SELECTOR_USER_DS 0x2b
#define SELECTOR_USER_CS 0x33
#define SELECTOR_TSS 0x40
#define SELECTOR_CPU_NUMBER 0x7b // its limit is the CPU's number, read with LSL from any ring

#define X86_FLAGS_CF (1UL << 0)
#define X86_FLAGS_FIXED (1UL << 1)
#define X86_FLAGS_PF (1UL << 2)
#define X86_FLAGS_AF (1UL << 4)
#define X86_FLAGS_ZF (1UL << 6)
#define X86_FLAGS_SF (1UL << 7)
#define X86_FLAGS_TF (1UL << 8)
#define X86_FLAGS_DF (1UL << 10)
#define X86_FLAGS_OF (1UL << 11)
#define X86_FLAGS_IOPL (3UL << 12)
#define X86_FLAGS_NT (1UL << 14)
#define X86_FLAGS_RF (1UL << 16)
#define X86_FLAGS_AC (1UL << 18)

static inline bool regs_user_mode(const struct pt_regs *regs)
{
    return regs->cs & 3;
}
static inline unsigned long regs_ip(const struct pt_regs *regs)
{
    return regs->ip;
}
static inline unsigned long regs_sp(const struct pt_regs *regs)
{
    return regs->sp;
}
static inline unsigned long regs_bp(const struct pt_regs *regs)
{
    return regs->bp;
}
// The number of the system call the thread is in, or -1 if it entered the kernel another way or must not be restarted.
static inline long regs_syscall_nr(const struct pt_regs *regs)
{
    return (long)regs->orig_ax;
}
// From now on the registers are not those of an interrupted system call.
static inline void regs_forget_syscall(struct pt_regs *regs)
{
    regs->orig_ax = ~0UL;
}
static inline unsigned long regs_syscall_arg(const struct pt_regs *regs, unsigned i)
{
    const unsigned long args[] = {regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9};
    return args[i];
}
static inline long regs_return(const struct pt_regs *regs)
{
    return (long)regs->ax;
}
static inline void regs_set_return(struct pt_regs *regs, long value)
{
    regs->ax = (uint64_t)value;
}

// The registers that the interrupt being handled on this CPU stopped; null outside interrupts. Tells a timer whether
// user code was running.
extern struct pt_regs *arch_irq_regs_ptr;
static inline struct pt_regs *arch_irq_regs(void)
{
    return arch_this_cpu_read(arch_irq_regs_ptr);
}
