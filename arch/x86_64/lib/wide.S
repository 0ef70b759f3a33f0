// arch/x86_64/lib/wide.S — clearing a page through a vector register: cpu/wide.h.
#include "cpu/wide.h"

#define PAGE_SIZE 4096

    .text
// void arch_clear_page_wide(void *rdi page)
    .balign 16
    .globl arch_clear_page_wide
arch_clear_page_wide:
    WIDE_BEGIN
    vpxor %ymm0, %ymm0, %ymm0
    movl $(PAGE_SIZE / WIDE_STEP), %ecx
1:
.set at, 0
.rept WIDE_STEP / 32
    vmovdqa %ymm0, at(%rdi)
    .set at, at + 32
.endr
    addq $WIDE_STEP, %rdi
    decl %ecx
    jnz 1b
    WIDE_END
    cmpb $0, %gs:need_resched(%rip)
    jne wide_preempt
    ret

// A better thread came while preemption was off.
    .globl wide_preempt
wide_preempt:
    cmpl $0, %gs:preempt_count(%rip)
    jne 1f
    jmp preempt_schedule                  // which looks whether interrupts are on
1:  ret
    .section .note.GNU-stack, "", @progbits
