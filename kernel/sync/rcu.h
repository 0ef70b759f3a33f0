// kernel/sync/rcu.h — read-copy-update: readers pay nothing, writers wait for all readers that may still see the old version.
//
// Readers do not sleep and are not preempted (rcu_read_lock() disables preemption). A grace period has passed when every online CPU
// has been through a quiescent state: user mode, idle, or a context switch.
#pragma once

#include "kernel/sync/preempt.h"

struct rcu_head {
    struct rcu_head *next;
    void (*fn)(struct rcu_head *);
};

// Nests. What was found between the two is there until the last rcu_read_unlock(). Any context but an NMI on an idle CPU.
static inline void rcu_read_lock(void)
{
    preempt_disable();
}

static inline void rcu_read_unlock(void)
{
    preempt_enable();
}

// Calls fn(head) after a grace period, in a thread (it may take mutexes briefly but should not wait long). Any context.
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *));
// kfree() of the object `ptr` that contains `head`, after a grace period.
void kfree_rcu_(struct rcu_head *head, void *ptr);
#define kfree_rcu(ptr, member) kfree_rcu_(&(ptr)->member, (ptr))
// Waits for a grace period. May sleep.
void synchronize_rcu(void);
// Waits until all callbacks queued so far have run. May sleep.
void rcu_barrier(void);

#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

// By the scheduler. At each switch of threads, before it takes its lock; in the timer's and the reschedule interrupt; around the idle CPU's
// sleep, interrupts off.
void rcu_note_switch(void);
void rcu_check_interrupt(void);
void rcu_enter_idle(void);
void rcu_leave_idle(void);
