// arch/x86_64/signal/frame.c — signal frames: signal(7), sigreturn(2), sigaltstack(2), and restarting system calls.
//
// From high to low addresses: 128 bytes the ABI lets leaf functions use below the stack pointer (not on a fresh
// alternate stack), the floating-point state (64-byte aligned), struct rt_sigframe placed so that the stack pointer is
// as after a call: 8 below a multiple of 16.
#include "arch/include/elf.h"
#include "arch/include/user_copy.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/signal/fpstate.h"
#include "arch/x86_64/signal/sigframe.h"
#include "cpu/ptrace.h"
#include "kernel/base/string.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"

#define RED_ZONE 128
#define FPSTATE_ALIGN 64
#define FRAME_ALIGN 16
// What a handler or a returning program may choose.
#define FLAGS_USER                                                                                                     \
    (X86_FLAGS_CF | X86_FLAGS_PF | X86_FLAGS_AF | X86_FLAGS_ZF | X86_FLAGS_SF | X86_FLAGS_TF | X86_FLAGS_DF |          \
     X86_FLAGS_OF | X86_FLAGS_RF | X86_FLAGS_AC)

static bool within_altstack(const struct task *task, unsigned long sp)
{
    return sp > task->altstack_sp && sp - task->altstack_sp <= task->altstack_size;
}

static bool on_altstack(const struct task *task, unsigned long sp)
{
    return !(task->altstack_flags & SS_AUTODISARM) && within_altstack(task, sp);
}

// Where frame and floating-point state go; false if the alternate stack is too small for them.
static bool place_frame(const struct task *task, const struct pt_regs *regs, const struct k_sigaction *action,
                        unsigned long *frame, unsigned long *fpstate)
{
    unsigned long sp = regs->sp - RED_ZONE;
    bool nested = on_altstack(task, regs->sp), entering = false;
    if (action->flags & SA_ONSTACK && task->altstack_size && !nested) {
        sp = task->altstack_sp + task->altstack_size;
        entering = true;
    }
    *fpstate = ALIGN_DOWN(sp - sigframe_fpstate_size(), FPSTATE_ALIGN);
    *frame = ALIGN_DOWN(*fpstate - sizeof(struct rt_sigframe), FRAME_ALIGN) - 8;
    return !(nested || entering) || within_altstack(task, *frame);
}

// Straight into user memory, a word at a time: a frame in the kernel first would be written twice and copied.
#define PUT(member, value) put_user_open((value), user_ptr(uint64_t, at + offsetof(struct rt_sigframe, member)), fault)

static int write_frame(unsigned long at, const struct pt_regs *regs, const struct ksignal *sig, uint64_t oldmask,
                       unsigned long fpstate)
{
    const struct task *task = current_task();
    const struct arch_thread *arch = &task->thread.arch;
    if (!user_range_ok(at, sizeof(struct rt_sigframe)))
        return -EFAULT;
    arch_user_open();
    PUT(return_address, sig->action.restorer);
    PUT(uc.flags, (cpu_has(X86_XSAVE) ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS);
    PUT(uc.link, 0);
    PUT(uc.stack.sp, task->altstack_sp);
    PUT(uc.stack.flags, task->altstack_flags); // and the padding behind them
    PUT(uc.stack.size, task->altstack_size);
    PUT(uc.mcontext.r8, regs->r8);
    PUT(uc.mcontext.r9, regs->r9);
    PUT(uc.mcontext.r10, regs->r10);
    PUT(uc.mcontext.r11, regs->r11);
    PUT(uc.mcontext.r12, regs->r12);
    PUT(uc.mcontext.r13, regs->r13);
    PUT(uc.mcontext.r14, regs->r14);
    PUT(uc.mcontext.r15, regs->r15);
    PUT(uc.mcontext.di, regs->di);
    PUT(uc.mcontext.si, regs->si);
    PUT(uc.mcontext.bp, regs->bp);
    PUT(uc.mcontext.bx, regs->bx);
    PUT(uc.mcontext.dx, regs->dx);
    PUT(uc.mcontext.ax, regs->ax);
    PUT(uc.mcontext.cx, regs->cx);
    PUT(uc.mcontext.sp, regs->sp);
    PUT(uc.mcontext.ip, regs->ip);
    PUT(uc.mcontext.flags, regs->flags);
    PUT(uc.mcontext.cs, (uint64_t)(uint16_t)regs->cs | (uint64_t)(uint16_t)regs->ss << 48); // gs and fs between are zero
    PUT(uc.mcontext.err, arch->error_code);
    PUT(uc.mcontext.trapno, arch->trap_number);
    PUT(uc.mcontext.oldmask, oldmask);
    PUT(uc.mcontext.cr2, arch->fault_address);
    PUT(uc.mcontext.fpstate, fpstate);
    PUT(uc.mcontext.reserved[0], 0);
    PUT(uc.mcontext.reserved[1], 0);
    PUT(uc.mcontext.reserved[2], 0);
    PUT(uc.mcontext.reserved[3], 0);
    PUT(uc.mcontext.reserved[4], 0);
    PUT(uc.mcontext.reserved[5], 0);
    PUT(uc.mcontext.reserved[6], 0);
    PUT(uc.mcontext.reserved[7], 0);
    PUT(uc.sigmask, oldmask);
    arch_user_close();
    if (sig->action.flags & SA_SIGINFO &&
        copy_to_user(user_ptr(void, at + offsetof(struct rt_sigframe, info)), &sig->info, sizeof sig->info))
        return -EFAULT;
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}
#undef PUT

int arch_signal_frame_push(struct pt_regs *regs, struct ksignal *sig, uint64_t oldmask)
{
    struct task *task = current_task();
    unsigned long frame, fpstate;
    if (!(sig->action.flags & SA_RESTORER) || !place_frame(task, regs, &sig->action, &frame, &fpstate))
        return -EFAULT;
    int err = write_frame(frame, regs, sig, oldmask, fpstate);
    if (!err)
        err = sigframe_fpstate_push(fpstate);
    if (err)
        return err;
    regs->di = (uint64_t)sig->sig;
    regs->si = frame + offsetof(struct rt_sigframe, info);
    regs->dx = frame + offsetof(struct rt_sigframe, uc);
    regs->ax = 0; // a handler without prototype takes variable arguments: no vector registers used
    regs->ip = sig->action.handler;
    regs->sp = frame;
    regs->cs = SELECTOR_USER_CS;
    regs->ss = SELECTOR_USER_DS;
    regs->flags &= ~(X86_FLAGS_DF | X86_FLAGS_RF | X86_FLAGS_TF);
    task->thread.full_return = true;
    if (task->altstack_flags & SS_AUTODISARM) {
        task->altstack_sp = task->altstack_size = 0;
        task->altstack_flags = SS_DISABLE;
    }
    return 0;
}

static bool selectors_ok(const struct ucontext *uc)
{
    const struct sigcontext *sc = &uc->mcontext;
    unsigned cs = sc->cs | 3u, ss = sc->ss | 3u;
    return (cs == SELECTOR_USER_CS || cs == SELECTOR_USER32_CS) && (ss == SELECTOR_USER_DS || !(uc->flags & UC_STRICT_RESTORE_SS));
}

static void load_sigcontext(struct pt_regs *regs, const struct sigcontext *sc)
{
    uint64_t flags = (regs->flags & ~FLAGS_USER) | (sc->flags & FLAGS_USER);
    *regs = (struct pt_regs){
        .r8 = sc->r8,
        .r9 = sc->r9,
        .r10 = sc->r10,
        .r11 = sc->r11,
        .r12 = sc->r12,
        .r13 = sc->r13,
        .r14 = sc->r14,
        .r15 = sc->r15,
        .di = sc->di,
        .si = sc->si,
        .bp = sc->bp,
        .bx = sc->bx,
        .dx = sc->dx,
        .ax = sc->ax,
        .cx = sc->cx,
        .sp = sc->sp,
        .ip = (sc->cs | 3u) == SELECTOR_USER32_CS ? (uint32_t)sc->ip : sc->ip, // beyond, IRET would not be the program's fault but ours
        .flags = flags,
        .cs = sc->cs | 3u, // selectors_ok(): one of the two
        .ss = SELECTOR_USER_DS,
        .orig_ax = ~0UL,
    };
}

// As sigaltstack(2) would with the stack pointer just restored; what it would refuse is ignored.
static void restore_altstack(struct task *task, const struct abi_stack *stack, unsigned long sp)
{
    unsigned mode = (unsigned)stack->flags & ~SS_AUTODISARM;
    if (on_altstack(task, sp) || (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE))
        return;
    if (mode != SS_DISABLE && stack->size < MINSIGSTKSZ)
        return;
    task->altstack_sp = mode == SS_DISABLE ? 0 : stack->sp;
    task->altstack_size = mode == SS_DISABLE ? 0 : stack->size;
    task->altstack_flags = (unsigned)stack->flags;
}

int arch_signal_frame_pop(struct pt_regs *regs, uint64_t *mask)
{
    struct task *task = current_task();
    unsigned long frame = regs->sp - 8; // the handler's return took the address off
    struct ucontext uc __attribute__((uninitialized));
    if (copy_from_user(&uc, user_ptr(void, frame + offsetof(struct rt_sigframe, uc)), sizeof uc))
        return -EFAULT;
    if (!selectors_ok(&uc))
        return -EFAULT;
    load_sigcontext(regs, &uc.mcontext);
    task->thread.full_return = true;
    int err = sigframe_fpstate_pop(uc.mcontext.fpstate);
    if (err)
        return err;
    restore_altstack(task, &uc.stack, regs->sp);
    *mask = uc.sigmask;
    return 0;
}

void arch_syscall_restart(struct pt_regs *regs)
{
    const unsigned syscall_length = 2;
    regs->ax = regs->orig_ax;
    regs->ip -= syscall_length;
}

void arch_syscall_restart_block(struct pt_regs *regs)
{
    const unsigned restart_syscall_nr = 219;
    arch_syscall_restart(regs);
    regs->ax = restart_syscall_nr;
}

// What Linux tells for the same state: frame, padding, and room for the frames of 32-bit programs, which it counts for everybody.
unsigned long arch_min_sigstack(void)
{
    enum : size_t { frame_and_padding = 928 };
    static_assert(frame_and_padding > sizeof(struct rt_sigframe) + FRAME_ALIGN + FPSTATE_ALIGN + RED_ZONE);
    return ALIGN_UP(frame_and_padding + sigframe_fpstate_size(), (size_t)FRAME_ALIGN);
}
