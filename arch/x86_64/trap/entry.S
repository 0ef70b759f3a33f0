// arch/x86_64/trap/entry.S — every way into the kernel and out of it: SYSCALL, exceptions, interrupts, NMI.
//
// Rules that hold for all of them:
//   * The GS base is the user's in user mode and the per-CPU base in the kernel. Entries from user mode swap it; what
//   can strike
//     between a mode change and the swap (NMI, #DF, #MC, #DB) reads and sets the base itself (paranoid).
//   * Direction flag and AC are clear before any C code runs; SYSCALL clears them by its flag mask.
//   * Entries from user mode start at the top of the thread's kernel stack, so its struct pt_regs is always in the same
//   place.
//   * The way out to user mode looks for work once, with interrupts off, so that nothing can arrive in between.
//   * Before C code runs, the interrupted instruction pointer and frame pointer are pushed like a call would, so that
//   backtraces
//     cross the entry. Interrupts run on a stack of their own.
#include "cpu/asm_offsets.h"
#include "cpu/smap.h"

#define KERNEL_CS 0x10
#define USER_DS 0x2b
#define USER_CS 0x33
#define CPU_NUMBER_SELECTOR 0x7b
#define MSR_GS_BASE 0xc0000101
#define LINK 24 // bytes below pt_regs: padding, interrupted ip, interrupted bp

// Below an orig_ax slot and rdi.
.macro PUSH_REST
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro POP_REGS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $8, %rsp
.endm

.macro LINK_FRAME
    subq $8, %rsp
    pushq (REGS_IP + 8)(%rsp)
    pushq %rbp
    movq %rsp, %rbp
.endm

// The callee-saved registers, into a struct pt_regs at `at`(%rsp).
.macro SAVE_CALLEE_SAVED at
    movq %rbx, (REGS_BX + \at)(%rsp)
    movq %rbp, (REGS_BP + \at)(%rsp)
    movq %r12, (REGS_R12 + \at)(%rsp)
    movq %r13, (REGS_R13 + \at)(%rsp)
    movq %r14, (REGS_R14 + \at)(%rsp)
    movq %r15, (REGS_R15 + \at)(%rsp)
.endm

    .text
// ---- SYSCALL: rax number, rdi rsi rdx r10 r8 r9 arguments, rcx return address, r11 flags ----------------------------
// Most calls need no more of the user's registers than C code destroys, so only these are saved. The others still hold
// the user's values when the call returns, and are saved only if somebody is going to look: signals, tracing, fork. Once
// a call has replaced the user's registers (THREAD_FULL_RETURN), those in memory are the ones that count.
    .balign 64
    .globl arch_syscall_entry
arch_syscall_entry:
    swapgs
    movq %rsp, %gs:arch_syscall_user_sp(%rip)
    movq %gs:(arch_tss + TSS_SP0)(%rip), %rsp
    pushq $USER_DS
    pushq %gs:arch_syscall_user_sp(%rip)
    pushq %r11
    pushq $USER_CS
    pushq %rcx
    pushq %rax
    pushq %rdi
    pushq %rsi
    pushq %rdx
    subq $(REGS_DX + 8), %rsp
    movq %r8, (REGS_R8 + 8)(%rsp)
    movq %r9, (REGS_R9 + 8)(%rsp)
    movq %r10, (REGS_R10 + 8)(%rsp)
    sti
    movq %gs:arch_current_thread(%rip), %r11
    testl $THREAD_WORK_TRACE, THREAD_WORK(%r11)
    jnz syscall_traced
    cmpl $TABLE_SIZE, %eax
    jae syscall_unknown
    andl $(TABLE_SIZE - 1), %eax          // also for a mispredicted bound
    leaq syscall_table(%rip), %r11
    movq %r10, %rcx
    call *(%r11, %rax, 8)
syscall_leave:
    cli
#ifdef KERNEL_LOCK_CHECK
    movq %rax, (REGS_AX + 8)(%rsp)
    call lock_check_user_return
    movq (REGS_AX + 8)(%rsp), %rax
#endif
    movq %gs:arch_current_thread(%rip), %rcx
    cmpq $0, THREAD_WORK(%rcx)            // and THREAD_FULL_RETURN, which lies behind it
    jne syscall_slow
    cmpb $0, %gs:need_resched(%rip)
    jne syscall_slow
    movq (REGS_R10 + 8)(%rsp), %r10
    movq (REGS_R9 + 8)(%rsp), %r9
    movq (REGS_R8 + 8)(%rsp), %r8
    movq (REGS_DX + 8)(%rsp), %rdx
    movq (REGS_SI + 8)(%rsp), %rsi
    movq (REGS_DI + 8)(%rsp), %rdi
    movq (REGS_FLAGS + 8)(%rsp), %r11
    movq (REGS_IP + 8)(%rsp), %rcx        // as SYSCALL left it: canonical, since no page ends at the hole
    movq (REGS_SP + 8)(%rsp), %rsp
    swapgs
    sysretq

syscall_unknown:
    movq $-38, %rax                       // -ENOSYS
    jmp syscall_leave

syscall_traced:
    SAVE_CALLEE_SAVED 8
    leaq 8(%rsp), %rdi
    call syscall_dispatch_traced
    movq (REGS_AX + 8)(%rsp), %rax
    jmp syscall_leave

syscall_slow:
    cmpl $0, THREAD_FULL_RETURN(%rcx)
    jne 1f
    movq %rax, (REGS_AX + 8)(%rsp)
    movq (REGS_IP + 8)(%rsp), %rdx        // where SYSCALL put them
    movq (REGS_FLAGS + 8)(%rsp), %rsi
    movq %rdx, (REGS_CX + 8)(%rsp)
    movq %rsi, (REGS_R11 + 8)(%rsp)
    SAVE_CALLEE_SAVED 8
1:  leaq 8(%rsp), %rdi
    call arch_exit_to_user
    addq $8, %rsp
    POP_REGS
    swapgs
    iretq

// ---- SYSCALL from a 32-bit code segment, which some CPUs take to a place of its own: there are no such calls. The user's
// stack and GS base are still in place, and stay.
    .balign 16
    .globl arch_syscall_entry32
arch_syscall_entry32:
    movl $-38, %eax                       // -ENOSYS
    sysretl

// The calls whose child starts with all of the caller's registers. Called by syscall_dispatch_traced() they find them saved.
.macro COPIES_REGISTERS call
    .globl arch_sys_\call
arch_sys_\call:
    leaq syscall_leave(%rip), %r11
    cmpq %r11, (%rsp)
    jne sys_\call
    movq (REGS_IP + 16)(%rsp), %rcx
    movq %rcx, (REGS_CX + 16)(%rsp)
    movq (REGS_FLAGS + 16)(%rsp), %rcx
    movq %rcx, (REGS_R11 + 16)(%rsp)
    SAVE_CALLEE_SAVED 16
    movq %r10, %rcx
    jmp sys_\call
.endm

    COPIES_REGISTERS clone
    COPIES_REGISTERS clone3
    COPIES_REGISTERS fork
    COPIES_REGISTERS vfork

// ---- the first instructions of every new thread: see thread/switch.S --------------------------------------------------
// rax: the thread that ran before; r12, r13: entry function and argument. rsp is 8 below pt_regs.
    .globl arch_thread_entry
arch_thread_entry:
    xorl %ebp, %ebp
    movq %rax, %rdi
    testq %r12, %r12
    jnz 1f
    call schedule_tail
    leaq 8(%rsp), %rdi                    // a forked thread: to user mode
    jmp arch_return_to_user
1:  movq %r12, %rsi
    movq %r13, %rdx
    call thread_start                     // does not return
    ud2

// [[noreturn]] void arch_return_to_user(struct pt_regs *regs): drops the kernel stack below regs.
    .globl arch_return_to_user
arch_return_to_user:
    movq %rdi, %rsp
    movq %gs:arch_current_thread(%rip), %rcx
    movl $0, THREAD_FULL_RETURN(%rcx)     // as every return with all registers does

// rsp: pt_regs of user mode, interrupts on or off.
return_to_user:
    cli
#ifdef KERNEL_LOCK_CHECK
    subq $8, %rsp
    call lock_check_user_return
    addq $8, %rsp
#endif
    movq %gs:arch_current_thread(%rip), %rcx
    cmpl $0, THREAD_WORK(%rcx)
    jne 2f
    cmpb $0, %gs:need_resched(%rip)
    jne 2f
1:  POP_REGS
    swapgs
    iretq
2:  movq %rsp, %rdi
    subq $8, %rsp
    call arch_exit_to_user
    addq $8, %rsp
    jmp 1b

// ---- exceptions -----------------------------------------------------------------------------------------------------
exception_common:                         // edi: vector; rdi's slot and the error code are pushed
    cld
    CLAC
    PUSH_REST
    testb $3, REGS_CS(%rsp)
    jz exception_swapped
    swapgs
exception_swapped:
    movl %edi, %esi
    movq %rsp, %rdi
    LINK_FRAME
    call arch_exception
exception_return:
    leaq LINK(%rbp), %rsp
    testb $3, REGS_CS(%rsp)
    jnz return_to_user
    POP_REGS
    iretq

page_fault_common:                        // the same, straight to its handler
    cld
    CLAC
    PUSH_REST
    testb $3, REGS_CS(%rsp)
    jz 1f
    swapgs
1:  movq %cr2, %rsi                       // before anything can fault again
    movq %rsp, %rdi
    LINK_FRAME
    call arch_page_fault
    jmp exception_return

// ---- interrupts -----------------------------------------------------------------------------------------------------
interrupt_common:
    cld
    CLAC
    PUSH_REST
    testb $3, REGS_CS(%rsp)
    jz 1f
    swapgs
1:  movl %edi, %esi
    movq %rsp, %rdi
    LINK_FRAME
    movq %gs:arch_irq_stack_top(%rip), %rsp
    call arch_interrupt
    movq %rbp, %rsp
    testb $3, (LINK + REGS_CS)(%rsp)
    jz 2f
    addq $LINK, %rsp
    jmp return_to_user
2:  cmpb $0, %gs:need_resched(%rip)
    je 3f
    cmpl $0, %gs:preempt_count(%rip)
    jne 3f
    testb $2, (LINK + REGS_FLAGS + 1)(%rsp) // IF: do not preempt code that had interrupts off
    jz 3f
    call preempt_schedule_irq
3:  addq $LINK, %rsp
    POP_REGS
    iretq

// ---- on stacks of their own (IST): NMI, #DF, #MC, #DB ---------------------------------------------------------------
paranoid_common:
    cld
    CLAC
    PUSH_REST
    movl %edi, %r12d
    testb $3, REGS_CS(%rsp)
    jz 1f
    cmpl $1, %edi                         // #DB of user code goes the ordinary way: it sends a signal
    je debug_from_user
1:  movl $MSR_GS_BASE, %ecx
    rdmsr
    movl %eax, %r13d
    movl %edx, %r14d
    movl $CPU_NUMBER_SELECTOR, %eax
    lsll %eax, %eax
    leaq percpu_offset(%rip), %rdx
    movq (%rdx, %rax, 8), %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    movl %r12d, %esi
    movq %rsp, %rdi
    LINK_FRAME
    call arch_exception_ist
    leaq LINK(%rbp), %rsp
    movl $MSR_GS_BASE, %ecx
    movl %r13d, %eax
    movl %r14d, %edx
    wrmsr
    POP_REGS
    iretq

debug_from_user:
    swapgs
    movq %rsp, %rsi
    movq %gs:(arch_tss + TSS_SP0)(%rip), %rdi
    subq $REGS_SIZE, %rdi
    movq %rdi, %rsp
    movl $(REGS_SIZE / 8), %ecx
    rep movsq
    movl %r12d, %edi
    jmp exception_swapped

// ---- the 256 stubs, 16 bytes apart ----------------------------------------------------------------------------------
.macro STUB vector, common, has_error=0
    .balign 16
    .if \has_error == 0
    pushq $-1                             // no error code: and orig_ax says that this is no system call
    .endif
    pushq %rdi
    movl $\vector, %edi
    jmp \common
.endm

    .balign 16
    .globl arch_idt_stubs
arch_idt_stubs:
    STUB 0, exception_common
    STUB 1, paranoid_common
    STUB 2, paranoid_common
    STUB 3, exception_common
    STUB 4, exception_common
    STUB 5, exception_common
    STUB 6, exception_common
    STUB 7, exception_common
    STUB 8, paranoid_common, 1
    STUB 9, exception_common
    STUB 10, exception_common, 1
    STUB 11, exception_common, 1
    STUB 12, exception_common, 1
    STUB 13, exception_common, 1
    STUB 14, page_fault_common, 1
    STUB 15, exception_common
    STUB 16, exception_common
    STUB 17, exception_common, 1
    STUB 18, paranoid_common
    STUB 19, exception_common
    STUB 20, exception_common
    STUB 21, exception_common, 1
.set vector, 22
.rept 10
    STUB vector, exception_common
    .set vector, vector + 1
.endr
.rept 224
    STUB vector, interrupt_common
    .set vector, vector + 1
.endr
    .section .note.GNU-stack, "", @progbits
