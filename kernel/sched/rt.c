// kernel/sched/rt.c — SCHED_FIFO and SCHED_RR: a list for each priority, the best one's first thread runs. sched(7).
//
// The running thread stays in its list, at the head. All under the run queue's lock.

#include "kernel/sched/run_queue.h"

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
    // A thread that was pushed aside while it ran (affinity, parameters) starts again at the tail, as sched(7) says.
    list_add_tail(&t->se.rt_link, &rq->rt.lists[slot]);
    rq->rt.bitmap[slot / 64] |= BIT(slot % 64);
    rq->rt.nr++;
    t->se.rr_left = SCHED_RR_SLICE;
}

void rt_dequeue(struct run_queue *rq, struct thread *t)
{
    unsigned slot = slot_of(t);
    list_del(&t->se.rt_link);
    if (list_empty(&rq->rt.lists[slot]))
        rq->rt.bitmap[slot / 64] &= ~BIT(slot % 64);
    rq->rt.nr--;
}

struct thread *rt_pick(struct run_queue *rq)
{
    const unsigned long *map = rq->rt.bitmap;
    if (!(map[0] | map[1]))
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

// The running thread used `delta` ns: a round-robin turn may be over.
void rt_tick(struct run_queue *rq, struct thread *t, uint64_t delta)
{
    if (t->params.policy != SCHED_RR)
        return;
    t->se.rr_left -= (int64_t)delta;
    if (t->se.rr_left > 0)
        return;
    t->se.rr_left = SCHED_RR_SLICE;
    struct list_head *list = &rq->rt.lists[slot_of(t)];
    if (list->next == &t->se.rt_link && list->prev == &t->se.rt_link)
        return; // alone
    rt_yield(rq, t);
    rq_resched(rq);
}

struct thread *rt_find_movable(struct run_queue *rq, unsigned cpu)
{
    for (unsigned slot = 0; slot < RT_PRIORITIES && rq->rt.nr; slot++) {
        struct thread *t;
        list_for_each_entry(t, &rq->rt.lists[slot], se.rt_link)
            if (t != rq->curr && cpumask_test(cpu, &t->affinity))
                return t;
    }
    return nullptr;
}
