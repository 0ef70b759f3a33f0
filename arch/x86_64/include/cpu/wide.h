// arch/x86_64/include/cpu/wide.h — clearing pages through a vector register.
//
// On a CPU without fast string instructions (ERMS) but with AVX, 32 bytes at a time are better than REP STOSQ's eight. Not
// so for copies: under emulation what is loaded to be stored again takes twice as long through such a register.
// The register is the user's: it is set aside on the stack and put back, with preemption off meanwhile, since a switch
// of threads would keep it for some threads and not for others. An interrupt in between may do the same again.
#pragma once

#define WIDE_MIN 512 // bytes from which it pays
#define WIDE_STEP 256

#ifdef __ASSEMBLER__
.macro WIDE_BEGIN
    incl %gs:preempt_count(%rip)
    subq $32, %rsp
    vmovdqu %ymm0, (%rsp)
.endm

// Whoever leaves looks at need_resched.
.macro WIDE_END
    vmovdqu (%rsp), %ymm0
    addq $32, %rsp
    decl %gs:preempt_count(%rip)
.endm
#endif
