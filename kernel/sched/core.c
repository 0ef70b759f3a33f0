// kernel/sched/core.c — switching threads and waking them.
//
// A thread is in one of these situations (`state` is what it does, on_rq and on_cpu where it is):
//
//     situation                       state        on_rq  on_cpu   changed by
//     runs                            any          yes    yes      itself
//     runnable, waits for the CPU     any          yes    no       the run queue's lock
//     goes to sleep (in schedule())   not RUNNING  no     yes      its CPU, run queue's lock
//     sleeps                          not RUNNING  no     no       its waker, wake_lock
//
// A running thread sets its own state to a sleeping one, looks at its condition, and calls schedule(), which takes it off the queue only if
// the state is still a sleeping one. A waker sets the state to RUNNING; a thread that is on a queue needs nothing else. Otherwise the waker
// waits until on_cpu is false, that is until its stack is no longer in use, and puts it on a queue. Wakers exclude each other by
// wake_lock, so a thread is queued once. A thread preempted between setting its state and schedule() stays on the queue.
//
// The run queue's lock is taken by schedule(), held across the switch and dropped by the next thread, in finish_switch(). At that
// moment the preempt count is 1, always. What a thread leaves behind (stack of the dead, lazily used address space) is
// cleaned up there as well, when its stack is surely not in use.
//
// Locks: wake_lock (RANK_THREAD), then the run queue's (RANK_RUNQUEUE; two of them: the second by trylock or in order of CPU number).

#include "kernel/sched/run_queue.h"

#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/stack.h"

DEFINE_LOCK_CLASS_NESTED(run_queue_class, "run queue", RANK_RUNQUEUE);
DEFINE_PER_CPU(struct run_queue, run_queues);
DEFINE_PER_CPU(int, preempt_count);
DEFINE_PER_CPU(bool, need_resched);
DEFINE_PER_CPU(bool, irq_from_user);
struct cpumask sched_idle_mask, sched_overload_mask;

static bool no_signal(const struct thread *, bool)
{
    return false;
}
bool (*thread_signal_pending)(const struct thread *t, bool fatal_only) = no_signal;

void might_sleep_failed(void)
{
    panic("sleeping with preemption off (count %#x)", (unsigned)this_cpu_read(preempt_count));
}

// -- the run queue ------------------------------------------------------------------------------------------------------------

struct run_queue *thread_rq_lock(struct thread *t)
{
    for (;;) {
        struct run_queue *rq = READ_ONCE(t->rq);
        rq_lock(rq);
        if (likely(t->rq == rq))
            return rq;
        rq_unlock(rq); // it was moved meanwhile
    }
}

void rq_account(struct run_queue *rq)
{
    struct thread *t = rq->curr;
    int64_t delta = rq->clock - t->se.exec_start;
    if (delta <= 0)
        return;
    t->se.exec_start = rq->clock;
    WRITE_ONCE(t->se.sum_exec, t->se.sum_exec + (uint64_t)delta);
    if (t == rq->idle || !t->on_rq)
        return;
    if (thread_is_rt(t))
        rt_charge(rq, t, (uint64_t)delta);
    else
        fair_charge(rq, t, (uint64_t)delta);
}

static void nr_running_changed(struct run_queue *rq, int by)
{
    WRITE_ONCE(rq->nr_running, rq->nr_running + (unsigned)by);
    if (nr_cpus == 1)
        return;
    if (by > 0 && rq->nr_running == 2)
        cpumask_set(rq->cpu, &sched_overload_mask);
    else if (by < 0 && rq->nr_running == 1)
        cpumask_clear(rq->cpu, &sched_overload_mask);
}

void rq_attach(struct run_queue *rq, struct thread *t)
{
    WRITE_ONCE(t->rq, rq);
    WRITE_ONCE(t->cpu, rq->cpu);
    if (thread_is_rt(t))
        rt_enqueue(rq, t);
    else
        fair_enqueue(rq, t);
    nr_running_changed(rq, 1);
}

void rq_detach(struct run_queue *rq, struct thread *t)
{
    if (thread_is_rt(t))
        rt_dequeue(rq, t);
    else
        fair_dequeue(rq, t);
    nr_running_changed(rq, -1);
}

void rq_enqueue(struct run_queue *rq, struct thread *t)
{
    rq_attach(rq, t);
    store_release(&t->on_rq, true);
}

void rq_dequeue(struct run_queue *rq, struct thread *t)
{
    rq_detach(rq, t);
    store_release(&t->on_rq, false);
}

void rq_resched(struct run_queue *rq)
{
    bool *flag = &per_cpu(need_resched, rq->cpu);
    if (READ_ONCE(*flag))
        return;
    WRITE_ONCE(*flag, true);
    if (rq->cpu != this_cpu_id())
        arch_send_resched(rq->cpu);
}

static bool preempts(struct run_queue *rq, struct thread *t, struct thread *curr)
{
    if (thread_is_rt(t))
        return rt_preempts(t, curr);
    return thread_is_rt(curr) ? rt_throttled(rq) : fair_preempts(rq, t, curr);
}

void rq_check_preempt(struct run_queue *rq, struct thread *t)
{
    struct thread *curr = rq->curr;
    if (curr == rq->idle) {
        rq_resched(rq);
        return;
    }
    rq_account(rq);
    if (preempts(rq, t, curr))
        rq_resched(rq);
}

// -- switching ----------------------------------------------------------------------------------------------------------------

// A runnable thread that may not or does not want to stay on its CPU: queue it elsewhere. A waker may have been faster, as its state may say that
// it was about to sleep; then it has run since, and may even be on its way between two CPUs again, where that switch's end will care for it.
static void requeue_elsewhere(struct thread *t)
{
    spin_lock(&t->wake_lock);
    if (t->migrating && !t->on_rq && !load_acquire(&t->on_cpu)) {
        t->migrating = false;
        struct run_queue *rq = cpu_rq(sched_select_cpu(t));
        rq_lock(rq);
        rq_update_clock(rq);
        rq_enqueue(rq, t);
        rq_check_preempt(rq, t);
        rq_unlock(rq);
    }
    spin_unlock(&t->wake_lock);
}

static void reap(struct thread *t)
{
    arch_thread_release(t);
    stack_free(t->stack);
    t->stack = nullptr;
    thread_put(t);
}

// In the thread that runs now, on behalf of the one before it. Interrupts off, the run queue locked, the preempt count 1 from schedule().
static void finish_switch(struct thread *prev)
{
    struct run_queue *rq = this_cpu_ptr(&run_queues);
    struct mm *mm = rq->drop_mm;
    rq->drop_mm = nullptr;
    bool migrating = prev->migrating, dead = prev->state == THREAD_DEAD && !prev->on_rq && !migrating;
    store_release(&prev->on_cpu, false); // from here on another CPU may run it
    rq_unlock(rq);
    if (unlikely(migrating))
        requeue_elsewhere(prev);
    if (unlikely(mm))
        mm_put(mm);
    if (unlikely(dead))
        reap(prev);
    preempt_enable_no_resched();
}

// Kernel threads have no address space of their own: they run on whatever is loaded, and hold a reference on it.
static void switch_mm(struct run_queue *rq, struct thread *prev, struct thread *next)
{
    if (!next->mm) {
        next->active_mm = prev->active_mm;
        if (prev->mm)
            mm_get(prev->mm);
        else
            prev->active_mm = nullptr; // its reference goes along
        return;
    }
    if (next->mm != prev->mm)
        arch_switch_mm(prev->active_mm, next->mm);
    next->active_mm = next->mm;
    if (!prev->mm) {
        rq->drop_mm = prev->active_mm;
        prev->active_mm = nullptr;
    }
}

static struct thread *pick_next(struct run_queue *rq, struct thread *prev)
{
    struct thread *next, *rt = rt_pick(rq), *fair = prev && !thread_is_rt(prev) ? prev : nullptr;
    if (unlikely(rt))
        return rt_throttled(rq) && (next = fair_pick(rq, fair)) ? next : rt;
    next = fair_pick(rq, fair);
    if (next)
        return next;
    if (nr_cpus > 1 && balance_pull_idle(rq))
        return pick_next(rq, nullptr);
    return rq->idle;
}

static void note_idle(struct run_queue *rq, struct thread *next)
{
    if (nr_cpus > 1) {
        if (next == rq->idle)
            cpumask_set(rq->cpu, &sched_idle_mask);
        else if (rq->curr == rq->idle)
            cpumask_clear(rq->cpu, &sched_idle_mask);
    }
    if (next != rq->idle && !rq->tick_armed)
        sched_tick_start(rq);
}

// Picks the best thread and switches to it. Interrupts off, preempt count zero, before and after. `preempted`: the current thread did
// not ask for it, so it stays runnable whatever its state says.
static NOINLINE void schedule_inner(bool preempted)
{
    rcu_note_switch();
    preempt_disable();
    struct run_queue *rq = this_cpu_ptr(&run_queues);
    rq_lock(rq);
    this_cpu_write(need_resched, false);
    rq_update_clock(rq);
    rq_account(rq);
    struct thread *prev = rq->curr;
    bool competes = prev != rq->idle, sleeps = !preempted && prev->state != THREAD_RUNNING;
    if (sleeps) {
        rq_dequeue(rq, prev);
        if (prev->state == THREAD_UNINTERRUPTIBLE) {
            prev->uninterruptible = true;
            rq->nr_uninterruptible++;
        }
        if (unlikely(thread_is_rt(prev)) && nr_cpus > 1)
            balance_pull_rt(rq);
        competes = false;
    } else if (competes && unlikely(!cpumask_test(rq->cpu, &prev->affinity))) {
        rq_dequeue(rq, prev);
        prev->migrating = true;
        competes = false;
    }
    struct thread *next = pick_next(rq, competes ? prev : nullptr);
    if (next == prev) {
        this_cpu_write(need_resched, false); // the accounting above may have asked for just this
        rq_unlock(rq);
        preempt_enable_no_resched();
        return;
    }
    if (sleeps)
        prev->nvcsw++;
    else
        prev->nivcsw++;
    if (competes && !thread_is_rt(prev)) {
        fair_put_running(rq, prev);
    } else if (competes && nr_cpus > 1 && balance_rt_leaves(rq, prev)) {
        rq_dequeue(rq, prev);
        prev->migrating = true;
    }
    if (next != rq->idle && !thread_is_rt(next))
        fair_set_running(rq, next);
    note_idle(rq, next);
    this_cpu_write(need_resched, false);
    next->se.exec_start = rq->clock;
    next->on_cpu = true;
    WRITE_ONCE(rq->curr, next);
    rq->switches++;
    switch_mm(rq, prev, next);
    prev = arch_switch_to(prev, next);
    finish_switch(prev);
}

void schedule(void)
{
    might_sleep();
    ASSERT(arch_irqs_enabled());
    arch_irq_disable();
    schedule_inner(false);
    arch_irq_enable();
    cond_resched();
}

NOINLINE void preempt_schedule(void)
{
    while (this_cpu_read(preempt_count) == 0 && this_cpu_read(need_resched) && arch_irqs_enabled()) {
        arch_irq_disable();
        schedule_inner(true);
        arch_irq_enable();
    }
}

NOINLINE void preempt_schedule_irq(void)
{
    do
        schedule_inner(true);
    while (this_cpu_read(need_resched));
}

void sched_yield_current(void)
{
    might_sleep();
    // Nobody to give way to: most calls. A thread that arrives just now asks for the CPU by itself (need_resched).
    if (READ_ONCE(this_cpu_ptr(&run_queues)->nr_running) <= 1)
        return;
    arch_irq_disable();
    struct run_queue *rq = this_cpu_ptr(&run_queues);
    rq_lock(rq);
    rq_update_clock(rq);
    rq_account(rq);
    if (thread_is_rt(rq->curr))
        rt_yield(rq, rq->curr);
    else
        fair_yield(rq, rq->curr);
    rq_unlock(rq);
    schedule_inner(true);
    arch_irq_enable();
}

void schedule_tail(struct thread *prev)
{
    finish_switch(prev);
    arch_irq_enable();
    cond_resched();
}

void thread_start(struct thread *prev, void (*entry)(void *), void *arg)
{
    schedule_tail(prev);
    entry(arg);
    thread_exit();
}

void thread_set_mm(struct mm *mm)
{
    struct thread *t = current_thread();
    struct mm *drop = nullptr;
    irq_flags_t flags = arch_irq_save();
    if (mm) {
        arch_switch_mm(t->active_mm, mm);
        if (!t->mm)
            drop = t->active_mm;
        t->mm = t->active_mm = mm;
    } else if (t->mm) {
        mm_get(t->mm);
        t->mm = nullptr;
    }
    arch_irq_restore(flags);
    if (drop)
        mm_put(drop);
}

// -- waking -------------------------------------------------------------------------------------------------------------------

// Puts a thread that is on no queue and no CPU on the queue that suits it. wake_lock held, interrupts off.
static void wake_enqueue(struct thread *t)
{
    struct run_queue *rq = cpu_rq(sched_select_cpu(t));
    rq_lock(rq);
    rq_update_clock(rq);
    WRITE_ONCE(t->state, THREAD_RUNNING);
    t->migrating = false; // if it was being moved, it is now
    if (t->uninterruptible) {
        t->uninterruptible = false;
        rq->nr_uninterruptible--;
    }
    rq_enqueue(rq, t);
    rq_check_preempt(rq, t);
    rq_unlock(rq);
}

// Its state becomes RUNNING if it is one of `states`. It may run at this moment and change that itself.
static bool make_running(struct thread *t, unsigned states)
{
    enum thread_state state = READ_ONCE(t->state);
    do {
        if (!(states & BIT(state)))
            return false;
    } while (!try_cmpxchg(&t->state, &state, THREAD_RUNNING));
    return true;
}

// The thread was seen on a queue: true if it still is, and it is decided whether it was woken.
static bool wake_queued(struct thread *t, unsigned states, bool *woken)
{
    struct run_queue *rq = thread_rq_lock(t);
    bool queued = t->on_rq;
    if (queued)
        *woken = make_running(t, states);
    rq_unlock(rq);
    return queued;
}

bool thread_wake(struct thread *t, unsigned states)
{
    irq_flags_t flags = spin_lock_irqsave(&t->wake_lock);
    bool woken = states & BIT(READ_ONCE(t->state));
    // Who is not bound to wait for us may have gone on by itself since, and even have stopped or ended: that is no sleep to wake it from.
    if (woken && !(load_acquire(&t->on_rq) && wake_queued(t, states, &woken))) {
        while (load_acquire(&t->on_cpu))
            cpu_relax();
        woken = states & BIT(READ_ONCE(t->state)); // off the queues nobody but a waker changes it
        if (woken)
            wake_enqueue(t);
    }
    spin_unlock_irqrestore(&t->wake_lock, flags);
    return woken;
}

void thread_wake_new(struct thread *t)
{
    irq_flags_t flags = spin_lock_irqsave(&t->wake_lock);
    wake_enqueue(t);
    spin_unlock_irqrestore(&t->wake_lock, flags);
}

void thread_kick(struct thread *t)
{
    preempt_disable();
    unsigned cpu = READ_ONCE(t->cpu);
    if (t != current_thread() && READ_ONCE(t->on_cpu) && cpu != this_cpu_id())
        arch_send_resched(cpu);
    preempt_enable();
}

// -- start-up and idling ------------------------------------------------------------------------------------------------------

static void run_queue_init(unsigned cpu, struct thread *idle)
{
    struct run_queue *rq = cpu_rq(cpu);
    spin_init(&rq->lock, &run_queue_class);
    rq->cpu = cpu;
    rq->curr = rq->idle = idle;
    rt_queue_init(&rq->rt);
    sched_tick_init(rq);
    idle->rq = rq;
    idle->cpu = cpu;
    idle->on_cpu = true;
    idle->affinity = (struct cpumask){{BIT(cpu)}};
    idle->se.weight = 0;
    rq_update_clock(rq);
    idle->se.exec_start = rq->clock;
    rq->idle_since_boot = (uint64_t)rq->clock;
}

void sched_init(void)
{
    run_queue_init(0, &boot_thread);
    smp_call_prepare(0);
    cpumask_set(0, &cpu_online_mask);
}

struct thread *sched_prepare_secondary(unsigned cpu)
{
    struct thread *idle = thread_create_idle(cpu);
    if (!idle)
        return nullptr;
    if (sched_worker_prepare(cpu)) {
        thread_put(idle);
        return nullptr;
    }
    run_queue_init(cpu, idle);
    smp_call_prepare(cpu);
    return idle;
}

void smp_secondary_main(void)
{
    struct run_queue *rq = this_cpu_ptr(&run_queues);
    rq_update_clock(rq);
    rq->idle->se.exec_start = rq->clock;
    cpumask_set(rq->cpu, &sched_idle_mask);
    cpumask_set(rq->cpu, &cpu_online_mask);
    sched_worker_start(rq->cpu);
    sched_idle_loop();
}

// The thread of a CPU that has nothing to do. It is never on a queue, and sleeps until an interrupt makes something runnable;
// usually the interrupt's exit has already switched to that.
void sched_idle_loop(void)
{
    for (;;) {
        arch_irq_disable();
        while (!this_cpu_read(need_resched)) {
            rcu_enter_idle();
            arch_idle();
            if (this_cpu_read(rcu_idle))
                rcu_leave_idle();
        }
        schedule_inner(true);
        arch_irq_enable();
    }
}

void (*sched_deferred_hook)(void);

void sched_resched_interrupt(void)
{
    rcu_check_interrupt();
    if (unlikely(sched_deferred_hook))
        sched_deferred_hook();
}
