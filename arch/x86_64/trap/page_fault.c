// arch/x86_64/trap/page_fault.c — from the CPU's page fault to mm_fault(), and from its verdict to a retry, a fix-up or a signal.
#include "arch/include/user_copy.h"
#include "arch/x86_64/trap/trap.h"
#include "cpu/irqflags.h"
#include "kernel/base/panic.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/thread.h"

// Linux's oops texts tell these apart, because they mean different bugs.
static const char *describe(unsigned long address, unsigned error)
{
    if (error & PF_RESERVED)
        return "damaged page table entry";
    if (address < PAGE_SIZE)
        return "null pointer dereference";
    if (address < USER_END)
        return error & PF_FETCH ? "kernel executed user memory" : "kernel touched user memory without leave";
    return error & PF_FETCH   ? "jump to memory that can not be executed"
           : error & PF_WRITE ? "write to kernel memory"
                              : "read of kernel memory";
}

[[noreturn]] static void kernel_fault(struct pt_regs *regs, unsigned long address, unsigned error)
{
    const struct thread *t = arch_current();
    uintptr_t stack = t ? (uintptr_t)t->stack : 0;
    if (stack && address < stack && address >= stack - PAGE_SIZE)
        panic_regs(regs, "kernel stack overflow: guard page at %px", (void *)address);
    panic_regs(regs, "page fault at %px (error %#x): %s", (void *)address, error, describe(address, error));
}

// A fault of kernel code: only the copy routines may touch user memory.
static void fault_in_kernel(struct pt_regs *regs, unsigned long address, unsigned error)
{
    struct thread *t = arch_current();
    if (address >= USER_END || !t || !extable_covers(regs->ip))
        kernel_fault(regs, address, error);
    bool may_sleep = t->mm && !t->pagefault_disabled && this_cpu_read(preempt_count) == 0 && regs->flags & X86_FLAGS_IF;
    if (may_sleep && !(error & PF_RESERVED)) {
        arch_irq_enable();
        enum fault_result result = mm_fault(t->mm, address, error & PF_WRITE ? FAULT_WRITE : FAULT_READ, false);
        arch_irq_disable();
        if (result == FAULT_RETRY)
            return;
    }
    (void)extable_fixup(regs);
}

static void send_signal(struct thread *t, unsigned long address, unsigned error, int sig, int code)
{
    t->arch.fault_address = address;
    t->arch.error_code = error | PF_USER;
    t->arch.trap_number = TRAP_PF;
    signal_force(sig, code, address);
}

void arch_page_fault(struct pt_regs *regs, unsigned long address)
{
    unsigned error = (unsigned)regs->orig_ax;
    regs->orig_ax = ~0UL; // not a system call
    if (unlikely(!regs_user_mode(regs))) {
        fault_in_kernel(regs, address, error);
        return;
    }
    arch_irq_enable();
    struct thread *t = arch_current();
    if (unlikely(error & PF_RESERVED))
        panic_regs(regs, "page fault at %px (error %#x): %s", (void *)address, error, describe(address, error));
    if (unlikely(address >= USER_END)) {
        send_signal(t, address, error | PF_PRESENT, SIGSEGV, SEGV_MAPERR);
        return;
    }
    enum fault_access access = error & PF_FETCH ? FAULT_EXEC : error & PF_WRITE ? FAULT_WRITE : FAULT_READ;
    switch (mm_fault(t->mm, address, access, true)) {
    case FAULT_RETRY:
        return;
    case FAULT_SEGV_MAPERR:
        send_signal(t, address, error, SIGSEGV, SEGV_MAPERR);
        return;
    case FAULT_SEGV_ACCERR:
        send_signal(t, address, error, SIGSEGV, SEGV_ACCERR);
        return;
    case FAULT_SIGBUS:
        send_signal(t, address, error, SIGBUS, BUS_ADRERR);
        return;
    case FAULT_OOM: // try again when memory is freed, or die if it is by us
        fault_out_of_memory();
        return;
    case FAULT_SHARED: // not outside kernel/mm
        return;
    }
}
