// arch/x86_64/trap/show_regs.c — registers on the console when something broke.
#include "arch/x86_64/cpu/msr.h"
#include "cpu/irqflags.h"
#include "cpu/ptrace.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"

#define R(field) ((unsigned long)regs->field)

void arch_show_regs(const struct pt_regs *regs)
{
    struct pt_regs here = {};
    if (!regs) {
        here.ip = (uint64_t)__builtin_return_address(0);
        here.bp = here.sp = (uint64_t)__builtin_frame_address(0);
        here.flags = arch_irq_flags();
        here.cs = SELECTOR_KERNEL_CS;
        regs = &here;
    }
    pr_emerg("rip %04lx:%016lx %pS\n", R(cs), R(ip), (void *)(regs_user_mode(regs) ? 0 : regs->ip));
    pr_emerg("rsp %04lx:%016lx flags %08lx orig_rax %lx\n", R(ss), R(sp), R(flags), R(orig_ax));
    pr_emerg("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", R(ax), R(bx), R(cx), R(dx));
    pr_emerg("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", R(si), R(di), R(bp), R(r8));
    pr_emerg("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", R(r9), R(r10), R(r11), R(r12));
    pr_emerg("r13 %016lx r14 %016lx r15 %016lx\n", R(r13), R(r14), R(r15));
    pr_emerg("cr0 %08lx cr2 %016lx cr3 %012lx cr4 %06lx gs %016lx\n", read_cr0(), read_cr2(), read_cr3(),
             read_cr4(), (unsigned long)rdmsr(MSR_GS_BASE));
}
