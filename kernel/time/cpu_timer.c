// kernel/time/cpu_timer.c — what happens when CPU time is used up: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU, timers and sleeps on CPU clocks.
//
// The tick of each CPU calls cpu_time_tick() for the user thread it finds running. A process without any such timer costs two loads
// there. So the granularity is the tick's, 4 ms, as on Linux with its default clock.

#include "kernel/base/assert.h"
#include "kernel/boot/init.h"
#include "kernel/sched/sched.h"
#include "kernel/time/user_timers.h"

void process_times(struct process *p, uint64_t *utime, uint64_t *stime); // kernel/proc

uint64_t process_virtual_time(struct process *p, bool prof)
{
    uint64_t utime, stime;
    process_times(p, &utime, &stime);
    return prof ? utime + stime : utime;
}

// -- timers -------------------------------------------------------------------------------------------------------------------

int cpu_timer_arm(struct cpu_timer *timer, uint64_t expires)
{
    struct timers_user *timers = timers_get(timer->clock.process);
    if (!timers)
        return -ENOMEM;
    spin_irq_guard(&timers->lock);
    if (timers->closed)
        return -ESRCH;
    timer->expires = expires;
    if (list_empty(&timer->link))
        list_add(&timer->link, &timers->cpu_timers);
    return 0;
}

bool cpu_timer_cancel(struct cpu_timer *timer)
{
    struct timers_user *timers = READ_ONCE(timer->clock.process->timers);
    if (!timers)
        return false;
    for (;;) {
        irq_flags_t flags = spin_lock_irqsave(&timers->lock);
        bool firing = timer->firing, armed = !firing && !list_empty(&timer->link);
        if (armed)
            list_del_init(&timer->link);
        spin_unlock_irqrestore(&timers->lock, flags);
        if (!firing)
            return armed;
        cpu_relax();
    }
}

// Collects the timers that are due, then fires each with the lock dropped. `firing` keeps a canceller from freeing one meanwhile.
static void cpu_timers_check(struct timers_user *timers)
{
    LIST_HEAD(candidates);
    LIST_HEAD(due);
    struct cpu_timer *timer, *next;
    // Clocks are read without the timers' lock: they take the process tree's, which ranks outside.
    irq_flags_t flags = spin_lock_irqsave(&timers->lock);
    list_for_each_entry_safe(timer, next, &timers->cpu_timers, link) {
        timer->firing = true;
        list_move_tail(&timer->link, &candidates);
    }
    spin_unlock_irqrestore(&timers->lock, flags);
    list_for_each_entry_safe(timer, next, &candidates, link) {
        if (cpu_clock_read(&timer->clock) >= timer->expires)
            list_move_tail(&timer->link, &due);
    }
    flags = spin_lock_irqsave(&timers->lock);
    list_for_each_entry_safe(timer, next, &candidates, link) {
        list_move_tail(&timer->link, &timers->cpu_timers);
        timer->firing = false;
    }
    spin_unlock_irqrestore(&timers->lock, flags);
    list_for_each_entry_safe(timer, next, &due, link) {
        list_del_init(&timer->link);
        timer->fire(timer);
        store_release(&timer->firing, false);
    }
}

// -- sleeping on a CPU clock --------------------------------------------------------------------------------------------------

struct cpu_sleeper {
    struct cpu_timer timer;
    struct thread *thread;
    bool done;
};

static void cpu_sleeper_fire(struct cpu_timer *timer)
{
    struct cpu_sleeper *s = container_of(timer, struct cpu_sleeper, timer);
    WRITE_ONCE(s->done, true);
    thread_wake(s->thread, WAKE_NORMAL);
}

int cpu_clock_sleep(int clockid, ktime_t deadline, ktime_t *left)
{
    struct cpu_sleeper s = {.timer = {.fire = cpu_sleeper_fire}, .thread = current_thread()};
    int err = cpu_clock_find(clockid, &s.timer.clock);
    if (err)
        return err;
    list_init(&s.timer.link);
    err = cpu_timer_arm(&s.timer, (uint64_t)deadline);
    while (!err) {
        set_current_state(THREAD_INTERRUPTIBLE);
        if (READ_ONCE(s.done))
            break;
        if (thread_signal_pending(s.thread, false))
            err = -EINTR;
        else
            schedule();
    }
    set_current_state(THREAD_RUNNING);
    (void)cpu_timer_cancel(&s.timer);
    *left = deadline - (ktime_t)cpu_clock_read(&s.timer.clock);
    cpu_clock_put(&s.timer.clock);
    return err;
}

// -- the tick -----------------------------------------------------------------------------------------------------------------

// A virtual interval timer that is due: sets the next time; true if its signal is to be sent.
static bool itimer_cpu_due(struct timers_user *timers, struct itimer_cpu *it, uint64_t now)
{
    spin_irq_guard(&timers->lock);
    if (!it->expires || now < it->expires)
        return false;
    it->expires = it->interval ? now + it->interval : 0;
    return true;
}

// RLIMIT_CPU, looked at anew in each tick (so setrlimit(2) has nothing to tell us): SIGXCPU at the soft limit and each second after, SIGKILL at the hard one: getrlimit(2).
static void cpu_limit_check(struct process *p, uint64_t total)
{
    struct rlimit_k *limit = &p->rlimits[RLIMIT_CPU];
    uint64_t seconds = total / NSEC_PER_SEC, soft = READ_ONCE(limit->cur), hard = READ_ONCE(limit->max);
    if (hard != RLIM_INFINITY && seconds >= hard) {
        signal_send_kernel(p, SIGKILL);
    } else if (seconds >= soft) {
        signal_send_kernel(p, SIGXCPU);
        WRITE_ONCE(limit->cur, seconds + 1);
    }
}

// RLIMIT_RTTIME: what a real-time thread uses without ever going to sleep. SIGXCPU at the soft limit and each second after, SIGKILL at the hard one.
static void rt_limit_check(struct thread *t, struct process *p)
{
    struct task *task = task_of(t);
    struct rlimit_k *limit = &p->rlimits[RLIMIT_RTTIME];
    if (task->rt_sleeps != t->nvcsw || !task->rt_since) {
        task->rt_sleeps = t->nvcsw;
        task->rt_since = thread_runtime(t);
        return;
    }
    uint64_t used = (thread_runtime(t) - task->rt_since) / NSEC_PER_USEC, soft = READ_ONCE(limit->cur), hard = READ_ONCE(limit->max);
    if (hard != RLIM_INFINITY && used >= hard) {
        signal_send_kernel(p, SIGKILL);
    } else if (used >= soft) {
        signal_send_kernel(p, SIGXCPU);
        WRITE_ONCE(limit->cur, soft + 1000000);
    }
}

static void cpu_time_tick(struct thread *t, bool)
{
    struct process *p = task_of(t)->process;
    if (unlikely(READ_ONCE(p->rlimits[RLIMIT_RTTIME].cur) != RLIM_INFINITY) && t->params.rt_priority)
        rt_limit_check(t, p);
    struct timers_user *timers = READ_ONCE(p->timers);
    bool limited = READ_ONCE(p->rlimits[RLIMIT_CPU].cur) != RLIM_INFINITY;
    bool interval = timers && (READ_ONCE(timers->virtual.expires) || READ_ONCE(timers->prof.expires));
    if (limited || interval) {
        uint64_t utime, stime;
        process_times(p, &utime, &stime);
        if (limited)
            cpu_limit_check(p, utime + stime);
        if (interval && itimer_cpu_due(timers, &timers->virtual, utime))
            signal_send_kernel(p, SIGVTALRM);
        if (interval && itimer_cpu_due(timers, &timers->prof, utime + stime))
            signal_send_kernel(p, SIGPROF);
    }
    if (timers && !list_empty(&timers->cpu_timers))
        cpu_timers_check(timers);
}

static int cpu_timer_init(void)
{
    sched_tick_hook = cpu_time_tick;
    return 0;
}
INITCALL(core, cpu_timer_init);
