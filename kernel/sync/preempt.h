// kernel/sync/preempt.h — preemption control and atomic contexts.
//
// The count lives in a per-CPU word that the context switch saves into and loads from the thread: cheap to change and never
// inherited by the next thread. Non-zero: this CPU will not switch threads. Interrupt handlers run with it raised.
#pragma once

#include "kernel/base/percpu.h"

#define PREEMPT_HARDIRQ (1 << 16) // added while an interrupt handler runs
#define PREEMPT_NMI (1 << 20)

DECLARE_PER_CPU(int, preempt_count);
DECLARE_PER_CPU(bool, need_resched); // set by the scheduler: look for a better thread as soon as preemption is on again

// Runs the scheduler if need_resched is set and the count is zero and interrupts are on. Defined by sched.
void preempt_schedule(void);

static inline void preempt_disable(void)
{
    this_cpu_inc(preempt_count);
    compiler_barrier();
}

static inline void preempt_enable_no_resched(void)
{
    compiler_barrier();
    this_cpu_dec(preempt_count);
}

static inline void preempt_enable(void)
{
    preempt_enable_no_resched();
    if (unlikely(this_cpu_read(need_resched)) && this_cpu_read(preempt_count) == 0)
        preempt_schedule();
}

static inline bool in_interrupt(void)
{
    return this_cpu_read(preempt_count) >= PREEMPT_HARDIRQ;
}

// True where the caller must not sleep.
static inline bool in_atomic(void)
{
    return this_cpu_read(preempt_count) != 0 || !arch_irqs_enabled();
}

// Checked at the top of every function that may sleep (all profiles but performance): panics with a backtrace in an atomic context.
void might_sleep(void);
