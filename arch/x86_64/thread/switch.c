// arch/x86_64/thread/switch.c — new threads, and switching between threads.
//
// A thread that does not run has a struct switch_frame at arch.sp. A new thread gets one that "returns" to
// arch_thread_entry (trap/entry.S), which calls thread_start(); when that returns, the registers at the top of the
// stack are loaded: user mode.
#include "arch/include/context.h"
#include "arch/include/setup.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/thread/fpu.h"
#include "cpu/asm_offsets.h"
#include "kernel/abi/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/table.h"

struct switch_frame {
    uint64_t r15, r14, r13, r12, bx, bp;
    uint64_t ip;
};

static_assert(offsetof(struct pt_regs, r15) == REGS_R15 && offsetof(struct pt_regs, r14) == REGS_R14 &&
              offsetof(struct pt_regs, r13) == REGS_R13 && offsetof(struct pt_regs, r12) == REGS_R12);
static_assert(offsetof(struct pt_regs, bp) == REGS_BP && offsetof(struct pt_regs, bx) == REGS_BX &&
              offsetof(struct pt_regs, r11) == REGS_R11 && offsetof(struct pt_regs, cx) == REGS_CX);
static_assert(offsetof(struct pt_regs, r10) == REGS_R10 &&
              offsetof(struct pt_regs, r9) == REGS_R9);
static_assert(offsetof(struct pt_regs, r8) == REGS_R8 && offsetof(struct pt_regs, ax) == REGS_AX &&
              offsetof(struct pt_regs, dx) == REGS_DX);
static_assert(offsetof(struct pt_regs, si) == REGS_SI && offsetof(struct pt_regs, di) == REGS_DI &&
              offsetof(struct pt_regs, orig_ax) == REGS_ORIG_AX);
static_assert(offsetof(struct pt_regs, ip) == REGS_IP && offsetof(struct pt_regs, cs) == REGS_CS &&
              offsetof(struct pt_regs, flags) == REGS_FLAGS);
static_assert(offsetof(struct pt_regs, sp) == REGS_SP && sizeof(struct pt_regs) == REGS_SIZE);
static_assert(offsetof(struct thread, arch) == 0 && offsetof(struct arch_thread, sp) == THREAD_SP);
static_assert(offsetof(struct thread, full_return) == THREAD_FULL_RETURN && THREAD_FULL_RETURN == THREAD_WORK + 4);
static_assert(offsetof(struct thread, work) == THREAD_WORK && WORK_TRACE == THREAD_WORK_TRACE);
static_assert(offsetof(struct tss, sp) == TSS_SP0 && TABLE_SIZE == SYSCALL_TABLE_SIZE);
static_assert(sizeof(((struct thread *)0)->work) == 4);

extern char arch_thread_entry[];
struct thread *arch_switch_stacks(struct thread *prev, struct thread *next);

static void prepare_stack(struct thread *thread, void (*entry)(void *), void *arg)
{
    char *regs = (char *)thread_user_regs(thread);
    struct switch_frame *frame = (struct switch_frame *)(regs - 8) - 1;
    *frame = (struct switch_frame){.r12 = (uintptr_t)entry, .r13 = (uintptr_t)arg, .ip = (uintptr_t)arch_thread_entry};
    thread->arch.sp = (uintptr_t)frame;
}

uintptr_t arch_thread_frame(const struct thread *thread)
{
    return ((const struct switch_frame *)thread->arch.sp)->bp;
}

void arch_thread_init_kernel(struct thread *thread, void (*entry)(void *), void *arg)
{
    memset(&thread->arch, 0, sizeof thread->arch);
    memset(thread_user_regs(thread), 0, sizeof(struct pt_regs));
    prepare_stack(thread, entry, arg);
}

static unsigned long current_fs_base(void)
{
    return cpu_has(X86_FSGSBASE) ? rdfsbase() : rdmsr(MSR_FS_BASE);
}

// Bases can change behind our back (WRFSBASE, WRGSBASE in user mode); the stored ones are those of a thread that does
// not run.
static void save_segments(struct arch_thread *prev)
{
    __asm__ volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3"
                     : "=m"(prev->ds), "=m"(prev->es), "=m"(prev->fs), "=m"(prev->gs));
    if (cpu_has(X86_FSGSBASE) || prev->fs)
        prev->fs_base = current_fs_base();
    if (cpu_has(X86_FSGSBASE) || prev->gs)
        prev->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

// Loading a selector into GS destroys the kernel's base: swap the user's in first. A selector that names nothing is
// replaced by 0.
static void load_selectors(const struct arch_thread *next)
{
    __asm__ volatile("movw %0, %%ds; movw %1, %%es; movw %2, %%fs" ::"m"(next->ds), "m"(next->es), "m"(next->fs));
    __asm__ volatile("swapgs; movw %0, %%gs; swapgs" ::"r"(next->gs) : "memory");
}

static unsigned loaded_selectors(void)
{
    uint16_t ds, es, fs, gs;
    __asm__ volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    return (unsigned)ds | es | fs | gs;
}

// prev null: a kernel thread, which left whatever the user thread before it had.
static void load_segments(const struct arch_thread *prev, const struct arch_thread *next)
{
    bool selectors = loaded_selectors() | next->ds | next->es | next->fs | next->gs;
    if (unlikely(selectors))
        load_selectors(next);
    if (cpu_has(X86_FSGSBASE))
        wrfsbase(next->fs_base);
    else if (!prev || prev->fs_base != next->fs_base || unlikely(selectors))
        wrmsr(MSR_FS_BASE, next->fs_base);
    if (!prev || prev->gs_base != next->gs_base || unlikely(selectors))
        wrmsr(MSR_KERNEL_GS_BASE, next->gs_base);
}

NOINLINE struct thread *arch_switch_to(struct thread *prev, struct thread *next)
{
    // Threads that never were in user mode have no such state, and leave that of others alone.
    if (prev->arch.fpu)
        save_segments(&prev->arch);
    fpu_switch(&prev->arch, &next->arch);
    if (next->arch.fpu)
        load_segments(prev->arch.fpu ? &prev->arch : nullptr, &next->arch);
    arch_set_current(next);
    struct thread *last = arch_switch_stacks(prev, next);
    compiler_barrier(); // work after the switch: never a tail call
    return last;
}

int arch_thread_init_user(struct thread *child, const struct pt_regs *regs, unsigned long stack, bool set_tls,
                          unsigned long tls)
{
    if (set_tls && tls >= USER_END) // loading a base that is not canonical is a fault of the kernel's
        return -EPERM;
    struct thread *parent = current_thread();
    memset(&child->arch, 0, sizeof child->arch);
    int err = fpu_create(&child->arch);
    if (err)
        return err;
    if (parent->arch.fpu) {
        fpu_save_current();
        memcpy(child->arch.fpu, parent->arch.fpu, fpu_area_size);
    }
    irq_flags_t flags = arch_irq_save();
    save_segments(&parent->arch);
    child->arch.ds = parent->arch.ds;
    child->arch.es = parent->arch.es;
    child->arch.fs = parent->arch.fs;
    child->arch.gs = parent->arch.gs;
    child->arch.fs_base = set_tls ? tls : parent->arch.fs_base;
    child->arch.gs_base = parent->arch.gs_base;
    arch_irq_restore(flags);

    struct pt_regs *to = thread_user_regs(child);
    *to = *regs;
    to->ax = 0;
    to->orig_ax = ~0UL;
    if (stack)
        to->sp = stack;
    prepare_stack(child, nullptr, nullptr);
    return 0;
}

void arch_thread_release(struct thread *thread)
{
    fpu_free(&thread->arch);
}

void arch_exec_reset(struct pt_regs *regs, unsigned long entry, unsigned long sp)
{
    struct arch_thread *arch = &current_thread()->arch;
    *regs = (struct pt_regs){.orig_ax = ~0UL,
                             .ip = entry,
                             .cs = SELECTOR_USER_CS,
                             .flags = X86_FLAGS_IF | X86_FLAGS_FIXED,
                             .sp = sp,
                             .ss = SELECTOR_USER_DS};
    if (!arch->fpu && fpu_create(arch)) // only the first process: it began as a kernel thread
        panic("no memory for the first process");
    fpu_unload_current();
    fpu_reset(arch->fpu);
    fpu_load_current();

    irq_flags_t flags = arch_irq_save();
    arch->ds = arch->es = arch->fs = arch->gs = 0;
    arch->fs_base = arch->gs_base = 0;
    load_selectors(arch);
    wrmsr(MSR_FS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    arch_irq_restore(flags);
    current_thread()->full_return = true;
}
