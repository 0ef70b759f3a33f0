// arch/x86_64/thread/switch.S — exchanges the kernel stacks of two threads. struct switch_frame (switch.c) is what it pushes.
#include "cpu/asm_offsets.h"

    .text
// struct thread *arch_switch_stacks(struct thread *prev, struct thread *next): interrupts off. Returns prev on next's stack.
    .balign 16
    .globl arch_switch_stacks
arch_switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, THREAD_SP(%rdi)
    movq THREAD_SP(%rsi), %rsp
    movq %rdi, %rax
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    retq
    .section .note.GNU-stack, "", @progbits
