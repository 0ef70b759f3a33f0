// arch/x86_64/include/cpu/thread.h — what a thread needs of this CPU: its stack pointer, FPU state, segments, last fault.
#pragma once

#include "kernel/base/types.h"

// First member of struct thread. Assembly knows the offsets that cpu/asm_offsets.h names; switch.c asserts them.
struct arch_thread {
    uintptr_t sp;            // while it does not run: of its struct switch_frame
    bool fpu_loaded;         // running: the CPU's registers are newer than *fpu. Else *fpu is the state
    bool fpu_busy;           // its own kernel code edits *fpu: neither saved nor loaded at a switch
    uint32_t fpu_cpu;        // the CPU that loaded *fpu last
    void *fpu;               // XSAVE area, 64-byte aligned; null for kernel threads
    unsigned long fs_base, gs_base;
    uint16_t ds, es, fs, gs; // user selectors, nearly always zero
    unsigned long fault_address, error_code, trap_number; // of the last exception in user mode, for signal frames
};
static_assert(sizeof(struct arch_thread) == 72);
