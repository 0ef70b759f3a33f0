// kernel/sched/sleep.c — sleeping until a time: schedule() with a timer.

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/sched/sched.h"
#include "kernel/time/hrtimer.h"

struct sleep_timer {
    struct hrtimer timer;
    struct thread *thread;
    bool fired;
};

static ktime_t sleep_timer_fired(struct hrtimer *timer)
{
    struct sleep_timer *s = container_of(timer, struct sleep_timer, timer);
    WRITE_ONCE(s->fired, true);
    thread_wake(s->thread, WAKE_NORMAL);
    return KTIME_MAX;
}

int schedule_until_clock(enum hrtimer_clock clock, ktime_t deadline, ktime_t slack)
{
    if (deadline == KTIME_MAX) {
        schedule();
        return 0;
    }
    struct sleep_timer s = {.thread = current_thread()};
    hrtimer_init(&s.timer, clock, sleep_timer_fired);
    hrtimer_start_slack(&s.timer, deadline, slack);
    schedule();
    hrtimer_cancel(&s.timer);
    WRITE_ONCE(current_thread()->state, THREAD_RUNNING);
    return READ_ONCE(s.fired) ? -ETIMEDOUT : 0;
}

int schedule_until(ktime_t deadline)
{
    return schedule_until_clock(HRTIMER_MONOTONIC, deadline, 0);
}

int sleep_until_interruptible(ktime_t deadline)
{
    struct thread *t = current_thread();
    for (;;) {
        set_current_state(THREAD_INTERRUPTIBLE);
        if (thread_signal_pending(t, false)) {
            WRITE_ONCE(t->state, THREAD_RUNNING);
            return -EINTR;
        }
        if (schedule_until(deadline))
            return 0;
    }
}

void sleep_ns(ktime_t span)
{
    ktime_t deadline = ktime_add_safe(clock_monotonic(), span);
    do
        set_current_state(THREAD_UNINTERRUPTIBLE);
    while (!schedule_until(deadline));
}
