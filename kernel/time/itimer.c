// kernel/time/itimer.c — interval timers: getitimer(2), setitimer(2), alarm(2); and the life of a process's timers.

#include "kernel/abi/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/process_timers.h"
#include "kernel/time/user_timers.h"

static DEFINE_LOCK_CLASS(timers_class, "process timers", RANK_TIMER_USER);
static DEFINE_LOCK_CLASS(timers_change_class, "process timers, changing", RANK_TIMER_CHANGE);

static bool alarm_pending(const struct timers_user *timers)
{
    return READ_ONCE(timers->process->shared_pending.set) & sigmask(SIGALRM);
}

// ITIMER_REAL is due. The next period is counted from the one that ended, so that it does not drift. A signal that nobody takes (it is blocked, or
// ignored) is no reason for more than a few interrupts; whoever takes it late sets the timer right.
static ktime_t real_fired(struct hrtimer *timer)
{
    struct timers_user *timers = container_of(timer, struct timers_user, real);
    bool taken = !alarm_pending(timers);
    WRITE_ONCE(timers->real_fired, true);
    signal_send_kernel(timers->process, SIGALRM);
    taken &= alarm_pending(timers);
    ktime_t interval = READ_ONCE(timers->real_interval), now = clock_monotonic();
    if (!interval)
        return KTIME_MAX;
    ktime_t earliest = now + (taken ? 1 : UNTAKEN_PERIOD), next = ktime_add_safe(timer->deadline, interval);
    if (next < earliest) // some are left out; the others stay where they are
        next = timer->deadline + (ktime_t)DIV_ROUND_UP(earliest - timer->deadline, interval) * interval;
    return next;
}

// It may be running on another CPU at this moment, between its signal and the next deadline: then ours is the one that counts.
void itimer_real_taken(struct timers_user *timers)
{
    ktime_t interval = timers->real_interval, due = timers->real.deadline, now = clock_monotonic();
    if (!READ_ONCE(timers->real_fired) || !interval)
        return;
    WRITE_ONCE(timers->real_fired, false);
    ktime_t next = due > now ? due - (due - now - 1) / interval * interval : ktime_add_safe(due, ((now - due) / interval + 1) * interval);
    if (next != due)
        hrtimer_start(&timers->real, next);
}

struct timers_user *timers_get(struct process *process)
{
    struct timers_user *timers = load_acquire(&process->timers);
    if (timers)
        return timers;
    timers = kzalloc(sizeof *timers, ALLOC_KERNEL);
    if (!timers)
        return nullptr;
    mutex_init(&timers->change, &timers_change_class);
    spin_init(&timers->lock, &timers_class);
    timers->process = process;
    hrtimer_init(&timers->real, HRTIMER_MONOTONIC, real_fired);
    xa_init(&timers->posix);
    struct timers_user *old = nullptr;
    if (try_cmpxchg(&process->timers, &old, timers))
        return timers;
    kfree(timers);
    return old;
}

struct timers_user *timers_get_current(void)
{
    return timers_get(current_process());
}

void process_timers_exit(struct process *p)
{
    struct timers_user *timers = load_acquire(&p->timers);
    if (!timers)
        return;
    irq_flags_t flags = spin_lock_irqsave(&timers->lock);
    timers->closed = true;
    timers->real_interval = 0;
    timers->virtual = timers->prof = (struct itimer_cpu){0};
    cpu_timers_disarm(timers);
    spin_unlock_irqrestore(&timers->lock, flags);
    hrtimer_cancel(&timers->real);
    posix_timers_delete_all(timers);
}

void process_timers_exec(struct process *p)
{
    struct timers_user *timers = load_acquire(&p->timers);
    if (timers)
        posix_timers_delete_all(timers);
}

void process_timers_free(struct process *p)
{
    struct timers_user *timers = p->timers;
    if (!timers)
        return;
    xa_destroy(&timers->posix);
    kfree(timers);
    p->timers = nullptr;
}

// -- the calls ----------------------------------------------------------------------------------------------------------------

struct itimer_ns {
    ktime_t value, interval;
};

static void itimer_read(struct process *p, int which, struct itimer_ns *out)
{
    *out = (struct itimer_ns){0};
    struct timers_user *timers = load_acquire(&p->timers);
    if (!timers)
        return;
    if (which == ITIMER_REAL) {
        out->value = hrtimer_active(&timers->real) ? max(hrtimer_remaining(&timers->real), NSEC_PER_USEC) : 0;
        out->interval = READ_ONCE(timers->real_interval);
        return;
    }
    ktime_t now = (ktime_t)process_virtual_time(p, which == ITIMER_PROF);
    spin_irq_guard(&timers->lock);
    const struct itimer_cpu *it = which == ITIMER_PROF ? &timers->prof : &timers->virtual;
    out->value = it->expires ? max((ktime_t)it->expires - now, NSEC_PER_USEC) : 0;
    out->interval = (ktime_t)it->interval;
}

// False: it is just firing on another CPU; try again. (Not waited for under the lock: it may wait for one that waits for ours.)
static bool itimer_real_set(struct timers_user *timers, const struct itimer_ns *new)
{
    spin_irq_guard(&timers->lock);
    if (hrtimer_try_cancel(&timers->real) < 0)
        return false;
    WRITE_ONCE(timers->real_interval, new->value ? new->interval : 0);
    WRITE_ONCE(timers->real_fired, false);
    if (new->value && !timers->closed)
        hrtimer_start(&timers->real, ktime_add_safe(clock_monotonic(), new->value));
    return true;
}

static int itimer_set(struct process *p, int which, const struct itimer_ns *new)
{
    if (!new->value && !READ_ONCE(p->timers))
        return 0;
    struct timers_user *timers = timers_get(p);
    if (!timers)
        return -ENOMEM;
    if (which == ITIMER_REAL) {
        while (!itimer_real_set(timers, new))
            cpu_relax();
        return 0;
    }
    uint64_t now = process_virtual_time(p, which == ITIMER_PROF);
    spin_irq_guard(&timers->lock);
    struct itimer_cpu *it = which == ITIMER_PROF ? &timers->prof : &timers->virtual;
    it->expires = new->value ? now + (uint64_t)new->value : 0;
    it->interval = (uint64_t)new->interval;
    return 0;
}

static struct abi_timeval ns_to_timeval(ktime_t ns)
{
    return (struct abi_timeval){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000};
}

static int itimer_to_user(struct abi_itimerval __user *uvalue, const struct itimer_ns *it)
{
    struct abi_itimerval value = {ns_to_timeval(it->interval), ns_to_timeval(it->value)};
    return copy_to_user(uvalue, &value, sizeof value) ? -EFAULT : 0;
}

SYSCALL2(getitimer, int, which, struct abi_itimerval __user *, value)
{
    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    struct itimer_ns it;
    itimer_read(current_process(), which, &it);
    return itimer_to_user(value, &it);
}

static bool timeval_valid(struct abi_timeval tv)
{
    return tv.tv_sec >= 0 && tv.tv_usec >= 0 && tv.tv_usec < 1000000;
}

static ktime_t timeval_to_ns(struct abi_timeval tv)
{
    return timespec_to_ns((struct timespec_k){tv.tv_sec, tv.tv_usec * 1000});
}

SYSCALL3(setitimer, int, which, const struct abi_itimerval __user *, unew, struct abi_itimerval __user *, uold)
{
    struct abi_itimerval value = {0}; // a null pointer stops the timer, as Linux does with a complaint
    if (unew && copy_from_user(&value, unew, sizeof value))
        return -EFAULT;
    if (which < ITIMER_REAL || which > ITIMER_PROF || !timeval_valid(value.value) || !timeval_valid(value.interval))
        return -EINVAL;
    struct process *p = current_process();
    struct itimer_ns old, new = {timeval_to_ns(value.value), timeval_to_ns(value.interval)};
    itimer_read(p, which, &old);
    int err = itimer_set(p, which, &new);
    return err ? err : uold ? itimer_to_user(uold, &old) : 0;
}

SYSCALL1(alarm, unsigned, seconds)
{
    struct process *p = current_process();
    struct itimer_ns old, new = {.value = (ktime_t)seconds * NSEC_PER_SEC};
    itimer_read(p, ITIMER_REAL, &old);
    (void)itimer_set(p, ITIMER_REAL, &new); // alarm(2) has no way to fail
    // Rounded to the nearest second, but never to zero while it was armed.
    ktime_t left = (old.value + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
    return old.value && !left ? 1 : left;
}
