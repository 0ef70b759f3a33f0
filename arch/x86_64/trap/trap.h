// arch/x86_64/trap/trap.h — exceptions and their handling in C; entry.S calls these.
#pragma once

#include "arch/include/context.h"

enum { // Intel SDM volume 3, table 6-1
    TRAP_DE = 0,
    TRAP_DB = 1,
    TRAP_NMI = 2,
    TRAP_BP = 3,
    TRAP_OF = 4,
    TRAP_BR = 5,
    TRAP_UD = 6,
    TRAP_NM = 7,
    TRAP_DF = 8,
    TRAP_TS = 10,
    TRAP_NP = 11,
    TRAP_SS = 12,
    TRAP_GP = 13,
    TRAP_PF = 14,
    TRAP_MF = 16,
    TRAP_AC = 17,
    TRAP_MC = 18,
    TRAP_XM = 19,
};

// Error code of a page fault.
#define PF_PRESENT (1u << 0)
#define PF_WRITE (1u << 1)
#define PF_USER (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH (1u << 4)

// Continues at the place the exception table names for regs->ip; false if there is none.
bool extable_fixup(struct pt_regs *regs);
bool extable_covers(unsigned long ip); // does the exception table have a place for `ip`?
// Puts the table in order, once; it is writable then.
void extable_sort(void);

// Called on an NMI that nobody else claims; returns true if it was expected (a watchdog, a request for a backtrace).
// Null: none.
extern bool (*nmi_hook)(struct pt_regs *regs);

// From entry.S; interrupts off. By vector: ordinary exceptions; page faults, with CR2; those on stacks of their own. The last one before user mode:
// what is left to do there (exit_to_user_work()); interrupts are off again when it returns.
void arch_exception(struct pt_regs *regs, unsigned vector);
void arch_page_fault(struct pt_regs *regs, unsigned long address);
void arch_exception_ist(struct pt_regs *regs, unsigned vector);
void arch_exit_to_user(struct pt_regs *regs);
