// arch/x86_64/trap/exceptions.c — all exceptions but the page fault: signals for user code, a fix-up or the end for the kernel.
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/smp/smp.h"
#include "arch/x86_64/thread/fpu.h"
#include "arch/x86_64/trap/trap.h"
#include "cpu/irqflags.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"

struct exception {
    const char *name;
    int sig, code;      // code SI_KERNEL: no address is told
    bool tells_address; // si_addr is the instruction's
};
static const struct exception exceptions[32] = {
    [TRAP_DE] = {"divide error", SIGFPE, FPE_INTDIV, true},
    [TRAP_DB] = {"debug", SIGTRAP, TRAP_TRACE, true},
    [TRAP_BP] = {"breakpoint", SIGTRAP, SI_KERNEL, false},
    [TRAP_OF] = {"overflow", SIGSEGV, SI_KERNEL, false},
    [TRAP_BR] = {"bound range exceeded", SIGSEGV, SI_KERNEL, false},
    [TRAP_UD] = {"invalid opcode", SIGILL, ILL_ILLOPN, true},
    [TRAP_NM] = {"device not available", SIGSEGV, SI_KERNEL, false},
    [9] = {"coprocessor segment overrun", SIGFPE, SI_KERNEL, false},
    [TRAP_TS] = {"invalid TSS", SIGSEGV, SI_KERNEL, false},
    [TRAP_NP] = {"segment not present", SIGBUS, SI_KERNEL, false},
    [TRAP_SS] = {"stack segment fault", SIGBUS, SI_KERNEL, false},
    [TRAP_GP] = {"general protection fault", SIGSEGV, SI_KERNEL, false},
    [TRAP_MF] = {"x87 error", SIGFPE, 0, true},
    [TRAP_AC] = {"alignment check", SIGBUS, BUS_ADRALN, false},
    [TRAP_XM] = {"SIMD error", SIGFPE, 0, true},
};

bool (*nmi_hook)(struct pt_regs *regs);

// Which of the unmasked floating-point exceptions it was: masks are set bits, in the order of the status bits.
static int fpu_signal_code(unsigned vector)
{
    fpu_save_current();
    const struct fpu_legacy *fpu = arch_current()->arch.fpu;
    unsigned raised = vector == TRAP_MF ? fpu->fsw & ~fpu->fcw : fpu->mxcsr & ~(fpu->mxcsr >> 7);
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)
        return FPE_FLTUND; // underflow and denormal
    return raised & 0x20 ? FPE_FLTRES : 0;
}

static void exception_in_user(struct pt_regs *regs, unsigned vector, unsigned long error)
{
    const struct exception *e = &exceptions[vector];
    struct arch_thread *arch = &arch_current()->arch;
    arch->trap_number = vector;
    arch->error_code = error;
    if (!e->sig) {
        signal_force(SIGILL, ILL_ILLOPN, regs->ip);
        return;
    }
    int code = e->code;
    if (vector == TRAP_MF || vector == TRAP_XM) {
        code = fpu_signal_code(vector);
        if (!code)
            return; // another handler has cleared it meanwhile
    }
    signal_force(e->sig, code, e->tells_address ? regs->ip : 0);
}

void arch_exception(struct pt_regs *regs, unsigned vector)
{
    unsigned long error = regs->orig_ax == ~0UL ? 0 : regs->orig_ax;
    regs->orig_ax = ~0UL;
    if (regs_user_mode(regs)) {
        arch_irq_enable();
        exception_in_user(regs, vector, error);
        return;
    }
    if (extable_fixup(regs))
        return;
    const char *name = exceptions[vector].name;
    panic_regs(regs, "%s in the kernel (vector %u, error %#lx)", name ? name : "unexpected exception", vector, error);
}

// A #DB in the kernel comes from a user's single-step or breakpoint set-up that leaked in: drop it.
static void debug_in_kernel(struct pt_regs *regs)
{
    unsigned long none = 0, status;
    __asm__ volatile("mov %%dr6, %0" : "=r"(status));
    __asm__ volatile("mov %0, %%dr7" ::"r"(none));
    __asm__ volatile("mov %0, %%dr6" ::"r"(none));
    regs->flags &= ~X86_FLAGS_TF;
    pr_warn_once("debug exception in the kernel at %px, status %#lx\n", (void *)regs->ip, status);
}

[[noreturn]] static void double_fault(struct pt_regs *regs)
{
    const struct thread *t = arch_current();
    uintptr_t low = t ? (uintptr_t)t->stack : 0;
    uintptr_t at = read_cr2();
    if (low && ((regs->sp < low && regs->sp >= low - PAGE_SIZE) || (at < low && at >= low - PAGE_SIZE)))
        panic_regs(regs, "kernel stack overflow of %s: sp %px, stack from %px", t->name, (void *)regs->sp, (void *)low);
    panic_regs(regs, "double fault, cr2 %px", (void *)at);
}

static void nmi(struct pt_regs *regs)
{
    if (smp_stop_requested())
        arch_halt();
    bool (*hook)(struct pt_regs *) = READ_ONCE(nmi_hook);
    if (hook && hook(regs))
        return;
    pr_warn("NMI on CPU %u for no known reason, at %pS\n", this_cpu_id(), (void *)regs->ip);
}

void arch_exception_ist(struct pt_regs *regs, unsigned vector)
{
    nmi_enter();
    switch (vector) {
    case TRAP_DB:
        debug_in_kernel(regs);
        break;
    case TRAP_NMI:
        nmi(regs);
        break;
    case TRAP_DF:
        double_fault(regs);
    default:
        panic_regs(regs, "machine check");
    }
    nmi_exit();
}

// Interrupts off; back with them off and nothing left to do. WORK_TRACE is for entries only and stays set.
void arch_exit_to_user(struct pt_regs *regs)
{
    struct thread *t = arch_current();
    for (;;) {
        uint32_t work = READ_ONCE(t->work) & ~(uint32_t)WORK_TRACE;
        if (work || this_cpu_read(need_resched)) {
            arch_irq_enable();
            if (this_cpu_read(need_resched))
                schedule();
            if (work)
                exit_to_user_work(regs);
            arch_irq_disable();
        } else if (unlikely((int64_t)(regs->ip << 16) >> 16 != (int64_t)regs->ip)) {
            arch_irq_enable(); // IRET would fault in the kernel: the fault is the program's
            regs->ip = 0;
            signal_force(SIGSEGV, SI_KERNEL, 0);
            arch_irq_disable();
        } else {
            break;
        }
    }
    t->full_return = false;
}
