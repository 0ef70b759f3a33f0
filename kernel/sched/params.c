// kernel/sched/params.c — changing a thread's policy, nice value, priority and affinity.

#include "kernel/abi/errno.h"
#include "kernel/sched/run_queue.h"

static bool params_valid(const struct sched_params *p)
{
    switch (p->policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        return p->rt_priority >= 1 && p->rt_priority <= 99;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
        return p->rt_priority == 0 && p->nice >= -20 && p->nice <= 19;
    default:
        return false;
    }
}

// What is to be different; the rest stays as it is when the lock has been taken.
struct change {
    const struct sched_params *params; // all of them, if they still are what permission was judged by
    const struct sched_params *judged;
    const int *nice;
    const uint64_t *slice;
};

static bool same_params(const struct sched_params *a, const struct sched_params *b)
{
    return a->policy == b->policy && a->nice == b->nice && a->rt_priority == b->rt_priority && a->reset_on_fork == b->reset_on_fork;
}

// Whether the thread's place among the waiting does not depend on what changes: sched(7) wants that it keeps it then.
static bool keeps_place(const struct thread *t, const struct sched_params *new, uint64_t slice)
{
    if (new->policy != t->params.policy || new->rt_priority != t->params.rt_priority)
        return false;
    return policy_is_rt(new->policy) || (new->nice == t->params.nice && slice == t->se.slice);
}

// Takes the thread off its queue, changes it, and puts it back; a running one stays running, unless a better one waits now. A real-time one whose priority
// is lowered comes first among those of the new one. False: it is not any more what was judged.
static bool apply(struct thread *t, const struct change *change)
{
    spin_irq_guard(&t->wake_lock);
    if (change->params && !same_params(&t->params, change->judged))
        return false;
    struct sched_params new = change->params ? *change->params : t->params;
    uint64_t slice = change->slice ? *change->slice : t->se.slice;
    if (change->nice)
        new.nice = (int8_t)*change->nice;
    struct run_queue *rq = thread_rq_lock(t);
    bool queued = t->on_rq && !keeps_place(t, &new, slice), lowered = new.rt_priority && new.rt_priority < t->params.rt_priority;
    rq_update_clock(rq);
    rq_account(rq);
    if (queued)
        rq_dequeue(rq, t);
    t->params = new;
    t->se.slice = slice;
    fair_reweight(rq, t);
    if (queued) {
        rq_enqueue(rq, t);
        if (lowered)
            rt_to_front(rq, t);
        if (rq->curr == t)
            rq_resched(rq);
        else
            rq_check_preempt(rq, t);
    }
    rq_unlock(rq);
    return true;
}

int sched_set_params(struct thread *t, const struct sched_params *judged, const struct sched_params *params)
{
    if (!params_valid(params))
        return -EINVAL;
    return apply(t, &(struct change){.params = params, .judged = judged}) ? 0 : -EAGAIN;
}

void sched_set_slice(struct thread *t, uint64_t slice)
{
    (void)apply(t, &(struct change){.slice = &slice});
}

void sched_set_nice(struct thread *t, int nice)
{
    nice = clamp(nice, -20, 19);
    (void)apply(t, &(struct change){.nice = &nice});
}

// A waiting thread is moved at once. A running one leaves when its CPU next picks a thread, which is asked for; the caller waits for that, so
// that the thread runs on allowed CPUs only when this returns.
int sched_set_affinity(struct thread *t, const struct cpumask *mask)
{
    struct cpumask usable = {{mask->bits[0] & cpu_online_mask.bits[0]}};
    if (cpumask_empty(&usable))
        return -EINVAL;
    irq_flags_t flags = spin_lock_irqsave(&t->wake_lock);
    struct run_queue *rq = thread_rq_lock(t); // under which another CPU looks at the mask and takes the thread over
    t->affinity = *mask;
    bool off = !cpumask_test(t->cpu, mask), running = off && rq->curr == t, queued = off && t->on_rq && !running;
    if (running) {
        rq_resched(rq);
    } else if (queued) {
        rq_update_clock(rq);
        rq_account(rq);
        rq_dequeue(rq, t);
    }
    rq_unlock(rq);
    if (queued) {
        rq = cpu_rq(sched_select_cpu(t));
        rq_lock(rq);
        rq_update_clock(rq);
        rq_enqueue(rq, t);
        rq_check_preempt(rq, t);
        rq_unlock(rq);
    }
    spin_unlock_irqrestore(&t->wake_lock, flags); // a thread that moves itself is rescheduled right here
    // The mask that counts is the thread's own: somebody else may have set another one meanwhile.
    while (running && t != current_thread() && READ_ONCE(t->on_cpu) && !(READ_ONCE(t->affinity.bits[0]) & BIT(READ_ONCE(t->cpu))))
        sleep_ns(50 * NSEC_PER_USEC);
    return 0;
}

ktime_t sched_rr_interval(const struct thread *t)
{
    if (t->params.policy == SCHED_FIFO)
        return 0;
    if (t->params.policy == SCHED_RR)
        return SCHED_RR_SLICE;
    return t->se.slice ? (ktime_t)t->se.slice : SCHED_SLICE_DEFAULT;
}
