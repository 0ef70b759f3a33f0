// kernel/sched/rt.c — SCHED_FIFO and SCHED_RR: a list for each priority, the best one's first thread runs. sched(7).
//
// The running thread stays in its list, at the head. All under the run queue's lock.
//
// Bandwidth: a real-time thread that never sleeps would take its CPU away from everybody else for ever, the administrator's shell included. So
// time that fair threads wait while real-time ones run is counted, and once it is `runtime` in a `period` the fair ones go first for what is left of
// the period: 50 ms of each second by default. Where no fair thread waits nothing is taken from anybody.

#include "kernel/sched/run_queue.h"

#include "kernel/abi/errno.h"

static int period_us = 1000000, runtime_us = 950000; // proc_sys_kernel(5), sched_rt_period_us, sched_rt_runtime_us

void rt_queue_init(struct rt_queue *rt)
{
    for (unsigned i = 0; i < RT_PRIORITIES; i++)
        list_init(&rt->lists[i]);
}

static unsigned slot_of(const struct thread *t)
{
    return RT_PRIORITIES - 1 - t->params.rt_priority;
}

void rt_enqueue(struct run_queue *rq, struct thread *t)
{
    unsigned slot = slot_of(t);
    // A thread that was pushed aside while it ran (affinity, another policy, a higher priority) starts again at the tail, as sched(7) says.
    list_add_tail(&t->se.rt_link, &rq->rt.lists[slot]);
    rq->rt.bitmap[slot / 64] |= BIT(slot % 64);
    WRITE_ONCE(rq->rt.nr, rq->rt.nr + 1);
    t->se.rr_left = SCHED_RR_SLICE;
}

void rt_to_front(struct run_queue *rq, struct thread *t)
{
    list_del(&t->se.rt_link);
    list_add(&t->se.rt_link, &rq->rt.lists[slot_of(t)]);
}

void rt_dequeue(struct run_queue *rq, struct thread *t)
{
    unsigned slot = slot_of(t);
    list_del(&t->se.rt_link);
    if (list_empty(&rq->rt.lists[slot]))
        rq->rt.bitmap[slot / 64] &= ~BIT(slot % 64);
    WRITE_ONCE(rq->rt.nr, rq->rt.nr - 1);
}

struct thread *rt_pick(struct run_queue *rq)
{
    const unsigned long *map = rq->rt.bitmap;
    if (likely(!(map[0] | map[1])))
        return nullptr;
    unsigned slot = map[0] ? (unsigned)__builtin_ctzl(map[0]) : 64 + (unsigned)__builtin_ctzl(map[1]);
    return list_first_entry(&rq->rt.lists[slot], struct thread, se.rt_link);
}

void rt_yield(struct run_queue *rq, struct thread *t)
{
    list_move_tail(&t->se.rt_link, &rq->rt.lists[slot_of(t)]);
}

bool rt_preempts(const struct thread *t, const struct thread *curr)
{
    return !thread_is_rt(curr) || t->params.rt_priority > curr->params.rt_priority;
}

// -- bandwidth ----------------------------------------------------------------------------------------------------------------

void sched_rt_bandwidth(int *period, int *runtime)
{
    *period = READ_ONCE(period_us);
    *runtime = READ_ONCE(runtime_us);
}

int sched_rt_set_bandwidth(int period, int runtime)
{
    if (period < 1 || runtime < -1 || runtime > period)
        return -EINVAL;
    WRITE_ONCE(period_us, period);
    WRITE_ONCE(runtime_us, runtime);
    return 0;
}

static void new_period(struct rt_queue *rt, ktime_t start)
{
    rt->period_start = start;
    rt->used = 0;
    rt->throttled = false;
}

static bool period_over(const struct run_queue *rq)
{
    return rq->clock - rq->rt.period_start >= READ_ONCE(period_us) * NSEC_PER_USEC;
}

static void charge_bandwidth(struct run_queue *rq, uint64_t delta)
{
    struct rt_queue *rt = &rq->rt;
    int runtime = READ_ONCE(runtime_us);
    if (!rq->fair.nr || runtime < 0)
        return;
    if (period_over(rq))
        new_period(rt, rq->clock - (ktime_t)delta);
    rt->used += delta;
    if (rt->used >= (uint64_t)runtime * NSEC_PER_USEC && !rt->throttled) {
        rt->throttled = true;
        rq_resched(rq);
    }
}

bool rt_throttled(struct run_queue *rq)
{
    if (unlikely(rq->rt.throttled) && period_over(rq))
        new_period(&rq->rt, rq->clock); // nobody ran since who would have noticed
    return rq->rt.throttled;
}

void rt_unthrottle(struct run_queue *rq)
{
    if (!period_over(rq) && READ_ONCE(runtime_us) >= 0)
        return;
    new_period(&rq->rt, rq->clock);
    if (rq->rt.nr)
        rq_resched(rq);
}

// The running thread used `delta` ns: a round-robin turn may be over.
static void charge_turn(struct run_queue *rq, struct thread *t, uint64_t delta)
{
    t->se.rr_left -= (int64_t)delta;
    if (t->se.rr_left > 0)
        return;
    t->se.rr_left = SCHED_RR_SLICE;
    struct list_head *list = &rq->rt.lists[slot_of(t)];
    if (list_is_singular(list))
        return;
    rt_yield(rq, t);
    rq_resched(rq);
}

void rt_charge(struct run_queue *rq, struct thread *t, uint64_t delta)
{
    charge_bandwidth(rq, delta);
    if (t->params.policy == SCHED_RR)
        charge_turn(rq, t, delta);
}

// -- for balancing ------------------------------------------------------------------------------------------------------------

static unsigned first_slot(const struct rt_queue *rt)
{
    unsigned long low = READ_ONCE(rt->bitmap[0]), high = READ_ONCE(rt->bitmap[1]);
    return low ? (unsigned)__builtin_ctzl(low) : high ? 64 + (unsigned)__builtin_ctzl(high) : RT_PRIORITIES;
}

unsigned rt_top_priority(const struct run_queue *rq)
{
    unsigned slot = first_slot(&rq->rt);
    return slot == RT_PRIORITIES ? 0 : RT_PRIORITIES - 1 - slot;
}

struct thread *rt_find_movable(struct run_queue *rq, unsigned cpu, unsigned priority)
{
    unsigned tries = 1000; // interrupts are off: some microseconds, although all before the one that may move may be bound to their CPU
    for (unsigned slot = first_slot(&rq->rt); slot + priority < RT_PRIORITIES - 1; slot++) {
        struct thread *t;
        list_for_each_entry(t, &rq->rt.lists[slot], se.rt_link)
        {
            if (t != rq->curr && cpumask_test(cpu, &t->affinity))
                return t;
            if (!--tries)
                return nullptr;
        }
    }
    return nullptr;
}
