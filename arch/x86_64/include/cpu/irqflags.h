// arch/x86_64/include/cpu/irqflags.h — this CPU's interrupt flag: RFLAGS.IF.
#pragma once

#include "kernel/base/types.h"

typedef unsigned long irq_flags_t; // RFLAGS as it was

#define X86_FLAGS_IF (1UL << 9)

static ALWAYS_INLINE irq_flags_t arch_irq_flags(void)
{
    irq_flags_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return flags;
}

static ALWAYS_INLINE void arch_irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static ALWAYS_INLINE void arch_irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static ALWAYS_INLINE irq_flags_t arch_irq_save(void)
{
    irq_flags_t flags = arch_irq_flags();
    arch_irq_disable();
    return flags;
}

static ALWAYS_INLINE void arch_irq_restore(irq_flags_t flags)
{
    if (flags & X86_FLAGS_IF)
        arch_irq_enable();
}

static ALWAYS_INLINE bool arch_irqs_enabled(void)
{
    return arch_irq_flags() & X86_FLAGS_IF;
}

// Whether interrupts were on when arch_irq_save() gave these flags.
static ALWAYS_INLINE bool arch_irq_flags_enabled(irq_flags_t flags)
{
    return flags & X86_FLAGS_IF;
}
