// kernel/sched/tick.c — the tick: every 4 ms a CPU that is not idle looks after its running thread.
//
// It is a timer like any other, and stops by itself when it finds the CPU idle; the scheduler starts it again when there is work. So an
// idle CPU sleeps undisturbed, and a switch costs nothing here as long as the CPU stays busy.

#include "kernel/sched/run_queue.h"

void (*sched_tick_hook)(struct thread *t, bool user_mode);

static ktime_t sched_tick(struct hrtimer *timer)
{
    struct run_queue *rq = container_of(timer, struct run_queue, tick);
    bool user = this_cpu_read(irq_from_user);
    rq_lock(rq);
    rq_update_clock(rq);
    struct thread *curr = rq->curr;
    bool idle = curr == rq->idle;
    ktime_t now = rq->clock;
    if (idle) {
        rq->tick_armed = false;
    } else {
        rq_account(rq);
        if (unlikely(rq->rt.throttled))
            rt_unthrottle(rq);
        sched_times_tick(rq, curr, user);
    }
    rq_unlock(rq);
    if (!idle)
        loadavg_tick(now); // what the tick itself wakes is not the load
    rcu_check_interrupt();
    if (idle)
        return KTIME_MAX;
    if (!curr->kernel_thread && sched_tick_hook)
        sched_tick_hook(curr, user);
    if (nr_cpus > 1)
        balance_tick(rq, now);
    return now + SCHED_TICK;
}

void sched_tick_init(struct run_queue *rq)
{
    hrtimer_init(&rq->tick, HRTIMER_MONOTONIC, sched_tick);
}

void sched_tick_start(struct run_queue *rq)
{
    rq->tick_armed = true;
    hrtimer_start(&rq->tick, rq->clock + SCHED_TICK);
}
