// arch/x86_64/thread/fpu.h — x87, SSE, AVX registers of threads: kept in an XSAVE area in the standard format.
//
// The kernel itself never uses these registers. While a user thread runs they are its own (arch.fpu_loaded), and the
// area in memory is older; a switch writes them out at once and loads the next thread's only if this CPU does not still
// hold them.
#pragma once

#include "kernel/sched/thread.h"

// The layout both FXSAVE and XSAVE begin with: Intel SDM volume 1, 10.5.1 and 13.4.
struct fpu_legacy {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved0;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16];
    uint8_t reserved1[48];
    uint8_t sw_reserved[48]; // ours: the signal frame describes itself here
};
static_assert(sizeof(struct fpu_legacy) == 512);

struct fpu_area {
    struct fpu_legacy legacy;
    uint64_t xstate_bv, xcomp_bv, reserved[6];
    uint8_t extended[];
};

// Bytes of an area on this machine, and the state components it holds (XCR0; 3 without XSAVE).
extern uint32_t fpu_area_size;
extern uint64_t fpu_components;
// Bits of MXCSR that may be set.
extern uint32_t fpu_mxcsr_mask;

// Sets XCR0 on this CPU; the first call finds the size. Every CPU.
void fpu_enable(void);
// Once, when slab caches can be made.
void fpu_init(void);
// Gives a thread an area with the initial state. -ENOMEM.
[[nodiscard]] int fpu_create(struct arch_thread *arch);
void fpu_free(struct arch_thread *arch); // also where there is none
// Interrupts off, at a switch.
void fpu_switch(struct arch_thread *prev, struct arch_thread *next);
// Brings the current thread's whole area up to date with the registers, which stay loaded.
void fpu_save_current(void);
// From here the current thread's state is the area in memory, which may be edited; fpu_load_current() makes it live again.
void fpu_unload_current(void);
void fpu_load_current(void);
// Gives the current thread fresh registers, as a program finds them at its start; what they held is lost.
void fpu_load_initial(void);
// XSAVE of the current thread's registers to user memory, which is open (arch_user_open()), and XRSTOR of `components` from there, with the initial state
// for all others. -EFAULT: not writable; or not readable or refused by the CPU, and the registers hold anything: load something. XSAVE machines only.
[[nodiscard]] int fpu_xsave_user(struct fpu_area __user *area);
[[nodiscard]] int fpu_xrstor_user(const struct fpu_area __user *area, uint64_t components);
// Puts the initial state into an area.
void fpu_reset(struct fpu_area *area);
