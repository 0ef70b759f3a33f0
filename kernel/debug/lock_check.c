// kernel/debug/lock_check.c — finds locking mistakes before they become hangs; only in the fortress profile.
//
// What is checked at each acquisition:
//   * the lock is not held already by this thread or CPU;
//   * its rank is above those of all locks held (equal only within one class that allows nesting): kernel/sync/lock_class.h, LOCKS.md;
//   * a class once taken in an interrupt handler is never taken with interrupts on, in no order of events.
// Trying (trylock) can not hang, so only waiting is checked for rank. Each class complains once, with a backtrace.
//
// Spinlocks held are noted per CPU, since a thread that holds one stays there; the run queue's, taken by one thread and dropped by the next, too. Locks that
// sleep are noted in the thread. Locks taken inside an interrupt handler are compared among themselves only.

#ifdef KERNEL_LOCK_CHECK

#include "kernel/debug/lock_check.h"

#include "kernel/debug/finding.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"

#define SPIN_HELD_MAX 32

struct spin_held {
    const struct spinlock *lock;
    bool in_irq;
};

struct cpu_held {
    struct spin_held held[SPIN_HELD_MAX];
    unsigned nr;
    bool busy; // the checker itself is at work: what it takes is not checked
};

static DEFINE_PER_CPU(struct cpu_held, cpu_held);
unsigned lock_check_complaints;

static const char *class_name(const struct lock_class *class)
{
    return class ? class->name : "no class";
}

void lock_check_show(void)
{
    const struct cpu_held *cpu = this_cpu_ptr(&cpu_held);
    const struct thread *t = current_thread();
    for (unsigned i = cpu->nr; i--;)
        pr_finding("  spinlock %p \"%s\"%s\n", (const void *)cpu->held[i].lock, class_name(cpu->held[i].lock->class),
                   cpu->held[i].in_irq ? ", in interrupt" : "");
    for (unsigned i = t ? t->nr_held : 0; i--;)
        pr_finding("  %p \"%s\"%s\n", t->held[i].lock, class_name(t->held[i].class), t->held[i].shared ? ", shared" : "");
}

static void complain(const struct lock_class *class, const void *lock, const char *what)
{
    if (class && class->state) {
        if (class->state->reported)
            return;
        class->state->reported = true;
    }
    __atomic_fetch_add(&lock_check_complaints, 1, __ATOMIC_RELAXED);
    pr_finding("LOCK: %s: %p \"%s\" rank %d; held:\n", what, lock, class_name(class), class ? (int)class->rank : 0);
    lock_check_show();
    finding_end();
}

// Enters the checker; false: it is running on this CPU already. Interrupts are off until leave().
static bool enter(irq_flags_t *flags)
{
    *flags = arch_irq_save();
    struct cpu_held *cpu = this_cpu_ptr(&cpu_held);
    if (cpu->busy) {
        arch_irq_restore(*flags);
        return false;
    }
    cpu->busy = true;
    return true;
}

static void leave(irq_flags_t flags)
{
    this_cpu_ptr(&cpu_held)->busy = false;
    arch_irq_restore(flags);
}

static bool rank_wrong(const struct lock_class *held, const struct lock_class *wanted)
{
    if (!held || !wanted)
        return false;
    return held->rank > wanted->rank || (held->rank == wanted->rank && !(held == wanted && held->nest_ok));
}

static void check_order(const void *lock, const struct lock_class *class)
{
    const struct cpu_held *cpu = this_cpu_ptr(&cpu_held);
    const struct thread *t = current_thread();
    bool irq = in_interrupt();
    for (unsigned i = 0; i < cpu->nr; i++) {
        if (cpu->held[i].in_irq != irq)
            continue;
        if (cpu->held[i].lock == lock)
            complain(class, lock, "taken twice");
        else if (rank_wrong(cpu->held[i].lock->class, class))
            complain(class, lock, "against the order of ranks");
    }
    for (unsigned i = 0; !irq && t && i < t->nr_held; i++) {
        if (t->held[i].lock == lock)
            complain(class, lock, "taken twice");
        else if (rank_wrong(t->held[i].class, class))
            complain(class, lock, "against the order of ranks");
    }
}

static void check_irq_safety(const struct spinlock *lock, bool irqs_on)
{
    struct lock_class_state *state = lock->class ? lock->class->state : nullptr;
    if (!state)
        return;
    if (in_interrupt())
        state->used_in_irq = true;
    else if (irqs_on)
        state->used_irqs_on = true;
    if (state->used_in_irq && state->used_irqs_on)
        complain(lock->class, lock, "taken in interrupts, and with interrupts on");
}

void lock_check_spin_acquire(struct spinlock *lock, bool trylock)
{
    irq_flags_t flags;
    if (!enter(&flags))
        return;
    bool irqs_on = arch_irq_flags_enabled(flags);
    if (!trylock) {
        check_order(lock, lock->class);
        check_irq_safety(lock, irqs_on);
    }
    leave(flags);
}

void lock_check_spin_acquired(struct spinlock *lock)
{
    irq_flags_t flags;
    if (!enter(&flags))
        return;
    struct cpu_held *cpu = this_cpu_ptr(&cpu_held);
    lock->owner_cpu = this_cpu_id() + 1;
    if (cpu->nr < SPIN_HELD_MAX)
        cpu->held[cpu->nr++] = (struct spin_held){.lock = lock, .in_irq = in_interrupt()};
    leave(flags);
}

void lock_check_spin_release(struct spinlock *lock)
{
    irq_flags_t flags;
    if (!enter(&flags))
        return;
    struct cpu_held *cpu = this_cpu_ptr(&cpu_held);
    unsigned i = cpu->nr;
    while (i && cpu->held[i - 1].lock != lock)
        i--;
    if (i) {
        for (; i < cpu->nr; i++)
            cpu->held[i - 1] = cpu->held[i];
        cpu->nr--;
        lock->owner_cpu = 0;
    } else if (lock->owner_cpu != this_cpu_id() + 1) { // one that the checker's own output took is not in the list, but ours
        complain(lock->class, lock, "released, but not held here");
    }
    leave(flags);
}

void spin_assert_held(const struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    if (lock->owner_cpu != this_cpu_id() + 1)
        complain(lock->class, lock, "must be held here");
}

// -- locks that sleep ---------------------------------------------------------------------------------------------------------

void lock_check_acquire(const void *lock, const struct lock_class *class, bool trylock, bool)
{
    irq_flags_t flags;
    if (!enter(&flags))
        return;
    if (!trylock)
        check_order(lock, class);
    leave(flags);
}

void lock_check_acquired(const void *lock, const struct lock_class *class, bool shared)
{
    struct thread *t = current_thread();
    if (t && t->nr_held < ARRAY_SIZE(t->held))
        t->held[t->nr_held++] = (struct lock_held){.lock = lock, .class = class, .shared = shared};
}

void lock_check_release(const void *lock)
{
    struct thread *t = current_thread();
    if (!t)
        return; // before there are threads nothing was noted
    unsigned i = t->nr_held;
    while (i && t->held[i - 1].lock != lock)
        i--;
    if (!i) {
        complain(nullptr, lock, "released by a thread that does not hold it");
        return;
    }
    for (; i < t->nr_held; i++)
        t->held[i - 1] = t->held[i];
    t->nr_held--;
}

bool lock_check_held(const void *lock)
{
    const struct thread *t = current_thread();
    for (unsigned i = 0; i < t->nr_held; i++)
        if (t->held[i].lock == lock)
            return true;
    return false;
}

void lock_check_none_held(const char *where)
{
    preempt_disable();
    const struct thread *t = current_thread();
    if (t->nr_held || this_cpu_ptr(&cpu_held)->nr)
        complain(t->nr_held ? t->held[0].class : this_cpu_ptr(&cpu_held)->held[0].lock->class, nullptr, where);
    preempt_enable();
}

void lock_check_user_return(void)
{
    const struct thread *t = current_thread();
    int off = this_cpu_read(preempt_count);
    if (likely(!t->nr_held && !this_cpu_ptr(&cpu_held)->nr && !off))
        return;
    if (off) {
        static bool said;
        if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
            complain(nullptr, nullptr, "on the way to user mode, and preemption is off");
        return;
    }
    lock_check_none_held("held on the way to user mode");
}

#endif
