// kernel/time/posix_timer.c — timers by number: timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2).
//
// A timer has at most one signal in the queue. While it is there further expirations are only counted (overruns); when it is taken, the count goes
// into its siginfo and the next expiration sends again. Nobody taking the signals must not cost much: meanwhile the timer looks only every
// few milliseconds, however short its period.
//
// Everything under the lock of the process's timers; it is dropped to send. timers->change, a mutex, is held over whole calls that stop,
// change or delete a timer, since stopping may have to wait for a callback that wants the lock.

#include "kernel/abi/errno.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/user_timers.h"

struct posix_timer {
    struct timers_user *owner;
    int id, clockid, notify, signo;
    union sigval value;
    struct task *target;     // SIGEV_THREAD_ID; with a reference
    struct sigqueue *signal; // reserved: a full queue loses none of its signals
    bool published;          // the user knows its number; until then it is its creator's alone, and nobody finds it
    bool cpu;                // on a CPU clock: cpu_timer, else hrtimer
    bool armed;
    bool queued;             // its signal was sent and not yet taken
    ktime_t next, interval;  // next expiration not yet counted, on the timer's clock
    int64_t overrun;         // expirations since the one that sent the queued signal
    int overrun_last;        // of the last signal taken
    struct hrtimer hrtimer;
    struct cpu_timer cpu_timer;
};

static ktime_t timer_now(const struct posix_timer *t)
{
    if (t->cpu)
        return (ktime_t)cpu_clock_read(&t->cpu_timer.clock);
    return t->hrtimer.clock == HRTIMER_REALTIME ? clock_realtime() : clock_monotonic();
}

// Counts the expirations up to `now`; how many there were.
static int64_t count_expirations(struct posix_timer *t, ktime_t now)
{
    if (!t->armed || now < t->next)
        return 0;
    if (!t->interval) {
        t->armed = false;
        return 1;
    }
    int64_t n = (now - t->next) / t->interval + 1;
    t->next = ktime_add_safe(t->next, n * t->interval);
    return n;
}

// Whether the signal sent last is no longer in any queue: it was ignored, or flushed.
static bool signal_vanished(const struct posix_timer *t)
{
    irq_flags_t flags;
    struct task *task = t->target ? t->target : rcu_dereference(t->owner->process->leader);
    struct sighand *sighand = task ? sighand_lock(task, &flags) : nullptr;
    if (!sighand)
        return false;
    bool pending = signal_reserved_pending(t->signal);
    sighand_unlock(sighand, flags);
    return !pending;
}

static void send_signal(const struct posix_timer *t)
{
    struct siginfo info = {.si_signo = t->signo, .si_code = SI_TIMER, .timer = {.id = t->id, .value = t->value}};
    (void)signal_send_reserved(t->owner->process, t->target, t->signal, &info);
}

// From the interrupt, no lock held. Returns the next deadline, or KTIME_MAX.
static ktime_t expired(struct posix_timer *t)
{
    bool vanished = READ_ONCE(t->queued) && signal_vanished(t);
    ktime_t now = timer_now(t);
    irq_flags_t flags = spin_lock_irqsave(&t->owner->lock);
    bool waiting = t->queued && !vanished, send = false;
    int64_t n = count_expirations(t, now);
    if (n && waiting) {
        t->overrun += n;
    } else if (n) {
        t->overrun = n - 1;
        send = t->queued = t->notify != SIGEV_NONE;
    }
    ktime_t next = t->armed ? t->next : KTIME_MAX;
    if (t->armed && (waiting || vanished || t->notify == SIGEV_NONE))
        next = max(next, now + UNTAKEN_PERIOD);
    spin_unlock_irqrestore(&t->owner->lock, flags);
    if (send)
        send_signal(t);
    return next;
}

static ktime_t hrtimer_fired(struct hrtimer *timer)
{
    return expired(container_of(timer, struct posix_timer, hrtimer));
}

static void cpu_timer_fired(struct cpu_timer *timer)
{
    ktime_t next = expired(container_of(timer, struct posix_timer, cpu_timer));
    if (next != KTIME_MAX)
        (void)cpu_timer_again(timer, (uint64_t)next); // fails only when the clock's process is gone, and then it stands still
}

// The timer with that number, or null. The caller holds timers->lock; with timers->change held too the timer stays when the lock is dropped.
static struct posix_timer *timer_lookup(struct timers_user *timers, int id) REQUIRES(timers->lock)
{
    struct posix_timer *t = id >= 0 ? xa_load(&timers->posix, (uint64_t)id) : nullptr;
    return t && t->published ? t : nullptr;
}

// A timer's signal is being taken by the current process; its sighand lock is held.
static void signal_taken(struct siginfo *info, bool posix_timer)
{
    struct timers_user *timers = load_acquire(&current_process()->timers);
    if (!timers)
        return;
    spin_irq_guard(&timers->lock);
    if (!posix_timer) {
        itimer_real_taken(timers);
        return;
    }
    struct posix_timer *t = timer_lookup(timers, info->timer.id);
    if (!t || !t->queued || t->signo != info->si_signo)
        return;
    if (!t->cpu)
        t->overrun += count_expirations(t, timer_now(t));
    t->overrun_last = info->timer.overrun = (int)min(t->overrun, (int64_t)INT32_MAX);
    t->overrun = 0;
    t->queued = false;
    if (t->armed && !t->cpu)
        hrtimer_start(&t->hrtimer, t->next); // it may have been looking less often
}

// -- creating and finding -----------------------------------------------------------------------------------------------------

static int timer_clock_check(int clockid)
{
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return 0;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return capable(CAP_WAKE_ALARM) ? 0 : -EPERM;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
        return -EOPNOTSUPP;
    default:
        return clockid < 0 ? 0 : -EINVAL;
    }
}

// Takes over what the user asked for; a reference on the target thread.
static int timer_set_event(struct posix_timer *t, const struct abi_sigevent *event)
{
    t->notify = event->notify;
    t->signo = event->signo;
    t->value = event->value;
    if (event->notify == SIGEV_NONE)
        return 0;
    if (event->signo < 1 || event->signo > NSIG)
        return -EINVAL;
    switch (event->notify) {
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
        return 0;
    case SIGEV_SIGNAL | SIGEV_THREAD_ID: {
        struct task *target = task_find_get(event->tid);
        if (target && target->process == current_process()) {
            t->target = target;
            return 0;
        }
        if (target)
            task_put(target);
        return -EINVAL;
    }
    default:
        return -EINVAL;
    }
}

static void timer_free(struct posix_timer *t)
{
    if (t->target)
        task_put(t->target);
    if (t->cpu)
        cpu_clock_put(&t->cpu_timer.clock);
    if (t->signal)
        signal_unreserve(t->signal);
    kfree(t);
}

static int timer_make(int clockid, const struct abi_sigevent *event, struct posix_timer **out)
{
    struct timers_user *timers = timers_get_current();
    struct posix_timer *t = timers ? kzalloc(sizeof *t, ALLOC_KERNEL) : nullptr;
    if (!t)
        return -EAGAIN;
    t->owner = timers;
    t->clockid = clockid;
    hrtimer_init(&t->hrtimer, HRTIMER_MONOTONIC, hrtimer_fired);
    t->cpu_timer.fire = cpu_timer_fired;
    t->signal = signal_reserve();
    int err = t->signal ? timer_set_event(t, event) : -EAGAIN;
    if (!err && clockid_is_cpu(clockid)) {
        err = cpu_clock_find(clockid, &t->cpu_timer.clock);
        t->cpu = !err;
    }
    if (err)
        timer_free(t);
    else
        *out = t;
    return err;
}

// Finds the timer a number. Only its creator knows of it so far.
static int timer_number(struct posix_timer *t)
{
    uint64_t id;
    spin_irq_guard(&t->owner->lock);
    int err = xa_alloc_cyclic(&t->owner->posix, 0, INT32_MAX, &t->owner->next_id, t, &id);
    if (!err)
        t->id = (int)id;
    return err ? -EAGAIN : 0;
}

static void timer_publish(struct posix_timer *t)
{
    spin_irq_guard(&t->owner->lock);
    t->published = true;
}

static void timer_unnumber(struct posix_timer *t)
{
    spin_irq_guard(&t->owner->lock);
    (void)xa_erase(&t->owner->posix, (uint64_t)t->id);
}

// The number is told first and works after: a timer that can be found can no longer be taken back without stopping it.
SYSCALL3(timer_create, int, clockid, const struct abi_sigevent __user *, uevent, int __user *, uid)
{
    struct abi_sigevent event = {.signo = SIGALRM};
    if (uevent && copy_from_user(&event, uevent, sizeof event))
        return -EFAULT;
    int err = timer_clock_check(clockid);
    struct posix_timer *t;
    if (!err)
        err = timer_make(clockid, &event, &t);
    if (err)
        return err;
    err = timer_number(t);
    if (!err) {
        if (!uevent)
            t->value.sival_ptr = (unsigned)t->id;
        if (!put_user(t->id, uid)) {
            timer_publish(t);
            return 0;
        }
        err = -EFAULT;
        timer_unnumber(t);
    }
    timer_free(t);
    return err;
}

// Stops a timer that nobody finds any more, and frees it.
static void timer_destroy(struct posix_timer *t)
{
    hrtimer_cancel(&t->hrtimer);
    if (t->cpu)
        (void)cpu_timer_cancel(&t->cpu_timer);
    timer_free(t);
}

static void timer_take_out(struct timers_user *timers, struct posix_timer *t) REQUIRES(timers->lock)
{
    (void)xa_erase(&timers->posix, (uint64_t)t->id);
    t->armed = false; // a callback that is under way will not go on
    t->notify = SIGEV_NONE;
}

static struct posix_timer *timer_take_out_first(struct timers_user *timers)
{
    uint64_t first = 0;
    spin_irq_guard(&timers->lock);
    struct posix_timer *t = xa_find(&timers->posix, &first, INT32_MAX);
    if (t)
        timer_take_out(timers, t);
    return t;
}

// The process's last thread calls it, so none is being created.
void posix_timers_delete_all(struct timers_user *timers)
{
    mutex_guard(&timers->change);
    struct posix_timer *t;
    while ((t = timer_take_out_first(timers)))
        timer_destroy(t);
}

SYSCALL1(timer_delete, int, id)
{
    struct timers_user *timers = load_acquire(&current_process()->timers);
    if (!timers)
        return -EINVAL;
    mutex_guard(&timers->change);
    irq_flags_t flags = spin_lock_irqsave(&timers->lock);
    struct posix_timer *t = timer_lookup(timers, id);
    if (t)
        timer_take_out(timers, t);
    spin_unlock_irqrestore(&timers->lock, flags);
    if (!t)
        return -EINVAL;
    timer_destroy(t);
    return 0;
}

// The same for one who holds only timers->change.
static struct posix_timer *timer_find(struct timers_user *timers, int id)
{
    spin_irq_guard(&timers->lock);
    return timer_lookup(timers, id);
}

// -- setting and asking -------------------------------------------------------------------------------------------------------

struct timer_ns {
    ktime_t value, interval;
};

// `now` is the time on the timer's clock, read under the lock where that can be: no expiration has been counted since, which would show more
// than an interval to go.
static void timer_read(const struct posix_timer *t, ktime_t now, struct timer_ns *out)
{
    out->interval = t->interval;
    out->value = 0;
    if (!t->armed)
        return;
    ktime_t left = t->next - now;
    if (left <= 0 && t->interval)
        left += (-left / t->interval + 1) * t->interval;
    // One-shot and due, but not yet delivered: the least there is. With no signal it simply shows zero.
    out->value = left > 0 ? left : t->notify == SIGEV_NONE ? 0 : 1;
}

static void timer_ns_to_abi(const struct timer_ns *t, struct abi_itimerspec *out)
{
    struct timespec_k interval = ns_to_timespec(t->interval), value = ns_to_timespec(t->value);
    *out = (struct abi_itimerspec){{interval.tv_sec, interval.tv_nsec}, {value.tv_sec, value.tv_nsec}};
}

static int timer_get(int id, struct timer_ns *out)
{
    struct timers_user *timers = load_acquire(&current_process()->timers);
    if (!timers)
        return -EINVAL;
    mutex_guard(&timers->change);
    struct posix_timer *t = timer_find(timers, id);
    if (!t)
        return -EINVAL;
    ktime_t cpu_now = t->cpu ? timer_now(t) : 0; // CPU clocks have locks of their own
    spin_irq_guard(&timers->lock);
    timer_read(t, t->cpu ? cpu_now : timer_now(t), out);
    return 0;
}

SYSCALL2(timer_gettime, int, id, struct abi_itimerspec __user *, uvalue)
{
    struct timer_ns current;
    int err = timer_get(id, &current);
    if (err)
        return err;
    struct abi_itimerspec value;
    timer_ns_to_abi(&current, &value);
    return copy_to_user(uvalue, &value, sizeof value) ? -EFAULT : 0;
}

SYSCALL1(timer_getoverrun, int, id)
{
    struct timers_user *timers = load_acquire(&current_process()->timers);
    if (!timers)
        return -EINVAL;
    spin_irq_guard(&timers->lock);
    const struct posix_timer *t = timer_lookup(timers, id);
    return t ? t->overrun_last : -EINVAL;
}

// Arms a timer that was stopped. A relative time on the real clock runs on the monotonic one: setting the clock does not change it. TAI is real
// time a few seconds away.
static void timer_arm(struct posix_timer *t, bool absolute, ktime_t now, const struct timer_ns *new)
{
    t->armed = new->value != 0;
    t->interval = t->armed ? new->interval : 0;
    t->overrun = 0;
    t->overrun_last = 0;
    t->queued = false;
    if (!t->armed)
        return;
    if (t->cpu) {
        t->next = absolute ? new->value : ktime_add_safe(now, new->value);
        return;
    }
    bool real = absolute && (t->clockid == CLOCK_REALTIME || t->clockid == CLOCK_REALTIME_ALARM || t->clockid == CLOCK_TAI);
    hrtimer_init(&t->hrtimer, real ? HRTIMER_REALTIME : HRTIMER_MONOTONIC, hrtimer_fired);
    t->next = absolute ? new->value : ktime_add_safe(clock_monotonic(), new->value);
    if (t->clockid == CLOCK_TAI && absolute)
        t->next -= clock_tai_offset() * NSEC_PER_SEC;
    hrtimer_start(&t->hrtimer, t->next);
}

// Stops the timer for good before it is changed: nobody arms one that is not `armed`.
static int timer_set(int id, bool absolute, const struct timer_ns *new, struct timer_ns *old)
{
    struct timers_user *timers = load_acquire(&current_process()->timers);
    if (!timers)
        return -EINVAL;
    mutex_guard(&timers->change);
    struct posix_timer *t = timer_find(timers, id);
    if (!t)
        return -EINVAL;
    ktime_t cpu_now = t->cpu ? timer_now(t) : 0;
    irq_flags_t flags = spin_lock_irqsave(&timers->lock);
    ktime_t now = t->cpu ? cpu_now : timer_now(t);
    timer_read(t, now, old);
    t->armed = false;
    spin_unlock_irqrestore(&timers->lock, flags);
    hrtimer_cancel(&t->hrtimer);
    if (t->cpu)
        (void)cpu_timer_cancel(&t->cpu_timer);
    flags = spin_lock_irqsave(&timers->lock);
    timer_arm(t, absolute, now, new);
    bool arm_cpu = t->cpu && t->armed;
    uint64_t expires = (uint64_t)t->next;
    spin_unlock_irqrestore(&timers->lock, flags);
    return arm_cpu && cpu_timer_start(&t->cpu_timer, expires, (uint64_t)now) == -ENOMEM ? -EAGAIN : 0;
}

SYSCALL4(timer_settime, int, id, int, how, const struct abi_itimerspec __user *, unew, struct abi_itimerspec __user *, uold)
{
    struct abi_itimerspec value;
    if (!unew)
        return -EINVAL;
    if (copy_from_user(&value, unew, sizeof value))
        return -EFAULT;
    struct timespec_k v = {value.value.tv_sec, value.value.tv_nsec}, i = {value.interval.tv_sec, value.interval.tv_nsec};
    if (!timespec_valid(v) || !timespec_valid(i))
        return -EINVAL;
    struct timer_ns old, new = {timespec_to_ns(v), timespec_to_ns(i)};
    int err = timer_set(id, how & TIMER_ABSTIME, &new, &old);
    if (err || !uold)
        return err;
    timer_ns_to_abi(&old, &value);
    return copy_to_user(uold, &value, sizeof value) ? -EFAULT : 0;
}

static int posix_timer_init(void)
{
    timer_signal_taken = signal_taken;
    return 0;
}
INITCALL(core, posix_timer_init);
