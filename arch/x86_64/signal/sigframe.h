// arch/x86_64/signal/sigframe.h — what a signal handler finds on its stack: the layout that every x86-64 program for Linux knows.
#pragma once

#include "arch/x86_64/thread/fpu.h"
#include "kernel/abi/signal.h"

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2;
    uint64_t fpstate; // user address of struct fpu_area, or 0
    uint64_t reserved[8];
};
static_assert(sizeof(struct sigcontext) == 256);

struct ucontext {
    uint64_t flags;
    uint64_t link;
    struct abi_stack stack;
    struct sigcontext mcontext;
    uint64_t sigmask;
};
static_assert(sizeof(struct ucontext) == 304 && offsetof(struct ucontext, sigmask) == 296);

#define UC_FP_XSTATE 1UL         // fpstate is an XSAVE area, described in its software bytes
#define UC_SIGCONTEXT_SS 2UL     // ss is saved
#define UC_STRICT_RESTORE_SS 4UL // and must be right when restored

struct rt_sigframe {
    uint64_t return_address; // of the handler: the C library's restorer, which calls rt_sigreturn(2)
    struct ucontext uc;
    struct siginfo info;
};
static_assert(sizeof(struct rt_sigframe) == 440);

// In fpu_legacy.sw_reserved: how far the state goes beyond the 512 bytes that FXSAVE defines.
struct fpu_sw_bytes {
    uint32_t magic1, extended_size;
    uint64_t components;
    uint32_t state_size, padding[7];
};
static_assert(sizeof(struct fpu_sw_bytes) == sizeof(((struct fpu_legacy *)0)->sw_reserved));
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
#define FP_XSTATE_MAGIC2_SIZE 4u
