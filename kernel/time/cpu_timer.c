// kernel/time/cpu_timer.c — what happens when CPU time is used up: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU, timers and sleeps on CPU clocks.
//
// The tick of each CPU calls cpu_time_tick() for the user thread it finds running. A process without any such timer costs a few loads
// there. So the granularity is the tick's, 4 ms, as on Linux with its default clock.
//
// Armed timers stand in a tree by expiry for each clock: all time and user time, of the process and of each thread. A tick reads each clock that
// has timers once, and looks at the first ones of its tree only, however many there are. It fires a limited number; the rest is late by a tick.

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/boot/init.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"
#include "kernel/time/user_timers.h"

uint64_t process_virtual_time(struct process *p, bool prof)
{
    uint64_t utime, stime;
    process_times(p, &utime, &stime);
    return prof ? utime + stime : utime;
}

// -- timers -------------------------------------------------------------------------------------------------------------------

#define FIRED_AT_ONCE 20 // for each clock: so long interrupts are off

static struct cpu_timer *timer_of(struct rb_node *node)
{
    return rb_entry(node, struct cpu_timer, node);
}

static struct rb_root_cached *tree_of(struct timers_user *timers, const struct cpu_clock *clock)
{
    struct rb_root_cached *trees = clock->task ? clock->task->cpu_timers : timers->cpu_timers;
    return &trees[clock->type == CPUCLOCK_VIRT];
}

static void disarm(struct rb_root_cached *tree, struct cpu_timer *timer)
{
    rb_erase_cached(tree, &timer->node, nullptr);
    timer->armed = false;
}

static void tree_insert(struct rb_root_cached *tree, struct cpu_timer *timer)
{
    struct rb_node **link = &tree->root.node, *parent = nullptr;
    bool leftmost = true;
    while (*link) {
        parent = *link;
        if (timer->expires < timer_of(parent)->expires) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_link_node(&timer->node, parent, link);
    rb_insert_cached(tree, &timer->node, leftmost, nullptr);
    timer->armed = true;
}

int cpu_timer_again(struct cpu_timer *timer, uint64_t expires)
{
    struct timers_user *timers = timers_get(timer->clock.process);
    if (!timers)
        return -ENOMEM;
    spin_irq_guard(&timers->lock);
    if (timers->closed)
        return -ESRCH;
    struct rb_root_cached *tree = tree_of(timers, &timer->clock);
    if (timer->armed)
        disarm(tree, timer);
    timer->expires = expires;
    tree_insert(tree, timer);
    return 0;
}

bool cpu_timer_cancel(struct cpu_timer *timer)
{
    struct timers_user *timers = READ_ONCE(timer->clock.process->timers);
    if (!timers)
        return false;
    for (;;) {
        irq_flags_t flags = spin_lock_irqsave(&timers->lock);
        bool firing = __atomic_load_n(&timer->firing, __ATOMIC_ACQUIRE), armed = timer->armed;
        if (armed && !firing)
            disarm(tree_of(timers, &timer->clock), timer);
        spin_unlock_irqrestore(&timers->lock, flags);
        if (!firing)
            return armed;
        cpu_relax();
    }
}

// Timers on clocks of single threads are their own process's, whose threads cancel those they sleep on, and whose end deletes the rest.
void cpu_timers_disarm(struct timers_user *timers)
{
    for (unsigned i = 0; i < CPU_TIMER_CLOCKS; i++)
        while (timers->cpu_timers[i].leftmost)
            disarm(&timers->cpu_timers[i], timer_of(timers->cpu_timers[i].leftmost));
}

static void take_due(struct timers_user *timers, struct rb_root_cached *tree, uint64_t now, struct list_head *due)
{
    spin_irq_guard(&timers->lock);
    for (unsigned n = 0; n < FIRED_AT_ONCE && tree->leftmost; n++) {
        struct cpu_timer *timer = timer_of(tree->leftmost);
        if (timer->expires > now)
            return;
        disarm(tree, timer);
        __atomic_fetch_add(&timer->firing, 1, __ATOMIC_RELAXED); // keeps a canceller from freeing it meanwhile
        list_add_tail(&timer->due, due);
    }
}

// Fires what is due on a clock that shows `now`; interrupts off. Clocks are read without the timers' lock: they take the process tree's, which
// ranks outside.
static void fire_due(struct timers_user *timers, struct rb_root_cached *tree, uint64_t now)
{
    LIST_HEAD(due);
    struct cpu_timer *timer, *next;
    take_due(timers, tree, now, &due);
    list_for_each_entry_safe(timer, next, &due, due) {
        timer->fire(timer);
        __atomic_fetch_sub(&timer->firing, 1, __ATOMIC_RELEASE);
    }
}

// A clock that stands still has no tick to find out that the timer is due already.
int cpu_timer_start(struct cpu_timer *timer, uint64_t expires, uint64_t now)
{
    int err = cpu_timer_again(timer, expires);
    if (err || now < expires)
        return err;
    struct timers_user *timers = timer->clock.process->timers;
    irq_flags_t flags = arch_irq_save();
    fire_due(timers, tree_of(timers, &timer->clock), now);
    arch_irq_restore(flags);
    return 0;
}

static bool trees_used(const struct rb_root_cached *trees)
{
    return READ_ONCE(trees[0].leftmost) || READ_ONCE(trees[1].leftmost);
}

static void fire_both(struct timers_user *timers, struct rb_root_cached *trees, uint64_t utime, uint64_t stime)
{
    if (READ_ONCE(trees[0].leftmost))
        fire_due(timers, &trees[0], utime + stime);
    if (READ_ONCE(trees[1].leftmost))
        fire_due(timers, &trees[1], utime);
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
    err = cpu_timer_start(&s.timer, (uint64_t)deadline, cpu_clock_read(&s.timer.clock));
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
    it->expires = it->interval ? min(it->expires + it->interval, (uint64_t)KTIME_MAX) : 0; // from when it was due, not from this tick
    return true;
}

// RLIMIT_CPU, looked at anew in each tick (so setrlimit(2) has nothing to tell us): SIGXCPU at the soft limit and each second after, SIGKILL at the
// hard one: getrlimit(2).
static void cpu_limit_check(struct task *task, uint64_t total)
{
    struct rlimit_k *limit = &task->process->rlimits[RLIMIT_CPU];
    uint64_t seconds = total / NSEC_PER_SEC, soft = READ_ONCE(limit->cur), hard = READ_ONCE(limit->max);
    if (hard != RLIM_INFINITY && seconds >= hard) {
        signal_send_kernel_near(task, SIGKILL);
    } else if (seconds >= soft) {
        signal_send_kernel_near(task, SIGXCPU);
        WRITE_ONCE(limit->cur, seconds + 1);
    }
}

// RLIMIT_RTTIME: what a real-time thread uses without ever going to sleep. SIGXCPU at the soft limit and each second after, SIGKILL at the hard one.
static void rt_limit_check(struct thread *t)
{
    struct task *task = task_of(t);
    struct rlimit_k *limit = &task->process->rlimits[RLIMIT_RTTIME];
    if (task->rt_sleeps != t->nvcsw || !task->rt_since) {
        task->rt_sleeps = t->nvcsw;
        task->rt_since = thread_runtime(t);
        return;
    }
    uint64_t used = (thread_runtime(t) - task->rt_since) / NSEC_PER_USEC, soft = READ_ONCE(limit->cur), hard = READ_ONCE(limit->max);
    if (hard != RLIM_INFINITY && used >= hard) {
        signal_send_kernel_near(task, SIGKILL);
    } else if (used >= soft) {
        signal_send_kernel_near(task, SIGXCPU);
        WRITE_ONCE(limit->cur, soft + 1000000);
    }
}

// The signals are first of all for the thread that the tick met: it used the time.
static void process_time_tick(struct task *task, struct timers_user *timers, bool limited, bool interval)
{
    uint64_t utime, stime;
    process_times(task->process, &utime, &stime);
    if (limited)
        cpu_limit_check(task, utime + stime);
    if (interval && itimer_cpu_due(timers, &timers->virtual, utime))
        signal_send_kernel_near(task, SIGVTALRM);
    if (interval && itimer_cpu_due(timers, &timers->prof, utime + stime))
        signal_send_kernel_near(task, SIGPROF);
    if (timers)
        fire_both(timers, timers->cpu_timers, utime, stime);
}

static void cpu_time_tick(struct thread *t, bool)
{
    struct task *task = task_of(t);
    struct process *p = task->process;
    if (unlikely(READ_ONCE(p->rlimits[RLIMIT_RTTIME].cur) != RLIM_INFINITY) && t->params.rt_priority)
        rt_limit_check(t);
    struct timers_user *timers = READ_ONCE(p->timers);
    bool limited = READ_ONCE(p->rlimits[RLIMIT_CPU].cur) != RLIM_INFINITY;
    bool interval = timers && (READ_ONCE(timers->virtual.expires) || READ_ONCE(timers->prof.expires));
    if (limited || interval || (timers && trees_used(timers->cpu_timers)))
        process_time_tick(task, timers, limited, interval);
    if (timers && trees_used(task->cpu_timers)) {
        uint64_t utime, stime;
        thread_times(t, &utime, &stime);
        fire_both(timers, task->cpu_timers, utime, stime);
    }
}

static int cpu_timer_init(void)
{
    sched_tick_hook = cpu_time_tick;
    return 0;
}
INITCALL(core, cpu_timer_init);
