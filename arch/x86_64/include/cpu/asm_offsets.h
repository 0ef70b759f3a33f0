// arch/x86_64/include/cpu/asm_offsets.h — numbers that assembly needs of C structures. arch/x86_64/thread/switch.c asserts each.
#pragma once

#define REGS_R15 0
#define REGS_R14 8
#define REGS_R13 16
#define REGS_R12 24
#define REGS_BP 32
#define REGS_BX 40
#define REGS_R11 48
#define REGS_R10 56
#define REGS_R9 64
#define REGS_R8 72
#define REGS_AX 80
#define REGS_CX 88
#define REGS_DX 96
#define REGS_SI 104
#define REGS_DI 112
#define REGS_ORIG_AX 120
#define REGS_IP 128
#define REGS_CS 136
#define REGS_FLAGS 144
#define REGS_SP 152
#define REGS_SIZE 168

#define THREAD_SP 0
#define THREAD_WORK 72
#define THREAD_FULL_RETURN 76
#define THREAD_WORK_TRACE 8

#define TSS_SP0 4
#define TABLE_SIZE 512 // SYSCALL_TABLE_SIZE
