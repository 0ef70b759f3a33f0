// kernel/sync/preempt.h — preemption control and atomic contexts.
//
// The count is a per-CPU word. At the moment of a context switch it is always exactly 1 (the run queue's lock), for every thread, so
// nothing has to be saved and no thread can hand a wrong count to the next. Non-zero: this CPU will not switch threads.
#pragma once

#include "kernel/base/percpu.h"

#define PREEMPT_HARDIRQ (1 << 16) // added while an interrupt handler runs
#define PREEMPT_NMI (1 << 20)

DECLARE_PER_CPU(int, preempt_count);
DECLARE_PER_CPU(bool, need_resched); // set by the scheduler: look for a better thread as soon as preemption is on again
DECLARE_PER_CPU(bool, rcu_idle);     // this CPU is idle and no interrupt has come: RCU need not wait for it
DECLARE_PER_CPU(bool, irq_from_user); // the interrupt being handled came from user mode

// Runs the scheduler if the count is zero and interrupts are on. Defined by sched.
void preempt_schedule(void);
// The same from the end of an interrupt: interrupts are off before and after.
void preempt_schedule_irq(void);
// An interrupt has ended this CPU's idleness: RCU has to count it again.
void rcu_leave_idle(void);

// Nests. What the scheduler wanted meanwhile happens in preempt_enable(); the _no_resched form leaves it for the next one, or for an interrupt.
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

// In a handler of an interrupt or an NMI: there is a current thread, but it is not the one that asks for anything.
static inline bool in_interrupt(void)
{
    return this_cpu_read(preempt_count) >= PREEMPT_HARDIRQ;
}

// True where the caller must not sleep.
static inline bool in_atomic(void)
{
    return this_cpu_read(preempt_count) != 0 || !arch_irqs_enabled();
}

// Around every interrupt handler (devices, timer, other CPUs), interrupts off. irq_exit() comes after the interrupt controller was told
// the end of the interrupt, for it may run another thread.
static inline void irq_enter(bool from_user)
{
    this_cpu_add(preempt_count, PREEMPT_HARDIRQ);
    this_cpu_write(irq_from_user, from_user);
    if (unlikely(this_cpu_read(rcu_idle)))
        rcu_leave_idle();
}

static inline void irq_exit(void)
{
    compiler_barrier();
    this_cpu_add(preempt_count, -PREEMPT_HARDIRQ);
    if (unlikely(this_cpu_read(need_resched)) && this_cpu_read(preempt_count) == 0)
        preempt_schedule_irq();
}

// Around a non-maskable interrupt's handler. It may not take locks, nor use RCU on an idle CPU.
static inline void nmi_enter(void)
{
    this_cpu_add(preempt_count, PREEMPT_NMI);
}

static inline void nmi_exit(void)
{
    compiler_barrier();
    this_cpu_add(preempt_count, -PREEMPT_NMI);
}

[[noreturn]] void might_sleep_failed(void) COLD;

// At the top of every function that may sleep: panics with a backtrace where preemption is off. (Interrupts being off is noticed by the
// scheduler when it does sleep: looking at the flag here would cost more than the whole fast path.)
static inline void might_sleep(void)
{
#ifndef KERNEL_NO_ASSERT
    if (unlikely(this_cpu_read(preempt_count) != 0))
        might_sleep_failed();
#endif
}
