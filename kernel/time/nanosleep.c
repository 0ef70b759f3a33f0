// kernel/time/nanosleep.c — nanosleep(2), clock_nanosleep(2), and restart_syscall(2), which goes on with what a signal without handler interrupted.
//
// A relative sleep is turned into an absolute deadline at once; a restart continues to the same deadline, so that sleeps do not grow.

#include "kernel/proc/task.h"
#include "kernel/sched/run_queue.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/clock_internal.h"
#include "kernel/time/user_timers.h"
#include "kernel/time/user_timespec.h"

// The deadline by which the sleep ends, on one of the hrtimer clocks, and where to tell what is left.
struct sleep_request {
    int clockid;
    ktime_t deadline;
    bool relative;
    struct abi_timespec __user *remain;
};

// 0: time is over. -EINTR: a signal.
static int sleep_on_clock(enum hrtimer_clock clock, ktime_t deadline)
{
    struct thread *t = current_thread();
    ktime_t slack = current_timer_slack();
    for (;;) {
        set_current_state(THREAD_INTERRUPTIBLE);
        if (thread_signal_pending(t, false)) {
            WRITE_ONCE(t->state, THREAD_RUNNING);
            return -EINTR;
        }
        if (schedule_until_clock(clock, deadline, slack))
            return 0;
        if (deadline <= (clock == HRTIMER_REALTIME ? clock_realtime() : clock_monotonic())) {
            WRITE_ONCE(t->state, THREAD_RUNNING);
            return 0;
        }
    }
}

static int sleep_until(int clockid, ktime_t deadline)
{
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
        return sleep_on_clock(HRTIMER_REALTIME, deadline);
    case CLOCK_TAI:
        return sleep_on_clock(HRTIMER_REALTIME, deadline - clock_tai_offset() * NSEC_PER_SEC);
    default:
        return sleep_on_clock(HRTIMER_MONOTONIC, deadline);
    }
}

static long sleep_restart(struct restart_block *block);

// What an interrupted sleep returns: an absolute one just begins again, a relative one tells what is left and leaves its deadline for a restart.
static long sleep_interrupted(const struct sleep_request *r, ktime_t left)
{
    if (!r->relative)
        return -ERESTARTNOHAND;
    if (r->remain && timespec_to_user(r->remain, max(left, (ktime_t)0)))
        return -EFAULT;
    struct restart_block *block = &current_task()->restart;
    *block = (struct restart_block){.fn = sleep_restart, .deadline = r->deadline, .clock = r->clockid, .arg = {user_addr(r->remain)}};
    return -ERESTART_RESTARTBLOCK;
}

static long do_sleep(const struct sleep_request *r)
{
    if (clockid_is_cpu(r->clockid)) {
        ktime_t left = 0;
        int err = cpu_clock_sleep(r->clockid, r->deadline, &left);
        return err == -EINTR ? sleep_interrupted(r, left) : err;
    }
    if (!sleep_until(r->clockid, r->deadline))
        return 0;
    ktime_t now = 0;
    (void)clock_read(r->clockid, &now);
    return sleep_interrupted(r, r->deadline - now);
}

static long sleep_restart(struct restart_block *block)
{
    struct sleep_request r = {.clockid = block->clock, .deadline = block->deadline, .relative = true,
                              .remain = user_ptr(struct abi_timespec, block->arg[0])};
    return do_sleep(&r);
}

SYSCALL2(nanosleep, const struct abi_timespec __user *, request, struct abi_timespec __user *, remain)
{
    ktime_t span;
    int err = timespec_from_user(&span, request);
    if (err)
        return err;
    struct sleep_request r = {.clockid = CLOCK_MONOTONIC, .deadline = ktime_add_safe(clock_monotonic(), span), .relative = true, .remain = remain};
    return do_sleep(&r);
}

// Which clocks can be slept on: not raw and coarse ones, nor the thread's own CPU clock, which stands still meanwhile
// (named by its number of a thread it is -EINVAL).
static int sleep_clock_check(int clockid)
{
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_THREAD_CPUTIME_ID:
        return -EOPNOTSUPP;
    default:
        return clockid < 0 ? 0 : -EINVAL;
    }
}

SYSCALL4(clock_nanosleep, int, clockid, int, flags, const struct abi_timespec __user *, request, struct abi_timespec __user *, remain)
{
    int err = sleep_clock_check(clockid);
    ktime_t time, now = 0;
    if (!err)
        err = timespec_from_user(&time, request);
    if (!err && (clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM) && !capable(CAP_WAKE_ALARM))
        err = -EPERM;
    if (err)
        return err;
    bool relative = !(flags & TIMER_ABSTIME);
    if (clockid_is_cpu(clockid)) {
        struct cpu_clock clock;
        err = cpu_clock_find(clockid, &clock);
        if (err)
            return err;
        if (clock.task == current_task())
            err = -EINVAL;
        now = (ktime_t)cpu_clock_read(&clock);
        cpu_clock_put(&clock);
    } else if (relative && (clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_TAI)) {
        clockid = CLOCK_MONOTONIC; // setting the clock does not change how long a relative sleep is
        now = clock_monotonic();
    } else if (relative) {
        err = clock_read(clockid, &now);
    }
    if (err)
        return err;
    struct sleep_request r = {.clockid = clockid, .deadline = relative ? ktime_add_safe(now, time) : time, .relative = relative, .remain = remain};
    return do_sleep(&r);
}

SYSCALL0(restart_syscall)
{
    struct restart_block *block = &current_task()->restart;
    long (*fn)(struct restart_block *) = block->fn;
    if (!fn)
        return -EINTR;
    block->fn = nullptr;
    return fn(block);
}
