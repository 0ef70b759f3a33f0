// kernel/sched/times.c — where the time went: per thread, per CPU, and the load average.
//
// How long a thread ran is exact: the clock is read at each switch. How that divides into user and system time is sampled by the tick, as Linux
// does by default; reading the clock at each entry to and exit from the kernel would cost every system call for a number few look at. The
// samples are scaled so that the two parts add up to the exact sum.

#include "kernel/sched/run_queue.h"

static DEFINE_LOCK_CLASS(load_class, "load average", RANK_HRTIMER);

void sched_times_tick(struct run_queue *rq, struct thread *t, bool user)
{
    if (user) {
        t->user_ticks += SCHED_TICK;
        if (t->params.nice > 0)
            rq->busy_nice += SCHED_TICK;
        else
            rq->busy_user += SCHED_TICK;
    } else {
        t->system_ticks += SCHED_TICK;
        rq->busy_system += SCHED_TICK;
    }
}

static uint64_t scale(uint64_t part, uint64_t whole, uint64_t sum)
{
    uint64_t product;
    if (!whole)
        return 0;
    if (likely(!__builtin_mul_overflow(part, sum, &product)))
        return product / whole;
    return (uint64_t)((unsigned __int128)part * sum / whole); // from seconds on; a longer division
}

uint64_t thread_runtime(struct thread *t)
{
    irq_flags_t flags = arch_irq_save(); // which is as good as preemption off
    struct run_queue *rq = thread_rq_lock(t);
    uint64_t sum = t->se.sum_exec;
    if (rq->curr == t) {
        int64_t running = clock_monotonic() - t->se.exec_start;
        if (running > 0)
            sum += (uint64_t)running;
    }
    rq_unlock(rq);
    arch_irq_restore(flags);
    return sum;
}

void thread_times(struct thread *t, uint64_t *utime, uint64_t *stime)
{
    uint64_t sum = thread_runtime(t);
    spin_irq_guard(&t->wake_lock);
    uint64_t user = t->user_ticks, system = t->system_ticks, u, s;
    if (t->kernel_thread || (!user && system)) {
        s = sum;
        u = 0;
    } else if (!system) {
        u = sum;
        s = 0;
    } else {
        s = scale(system, user + system, sum);
        u = sum - s;
    }
    // What was said once is not taken back: the other part gets the rest.
    if (s < t->stime) {
        s = t->stime;
        u = sum > s ? sum - s : 0;
    }
    if (u < t->utime) {
        u = t->utime;
        s = max(t->stime, sum > u ? sum - u : 0);
    }
    t->utime = u;
    t->stime = s;
    *utime = u;
    *stime = s;
}

void sched_cpu_times(unsigned cpu, struct cpu_times *out)
{
    *out = (struct cpu_times){0};
    if (!cpumask_test(cpu, &cpu_online_mask))
        return;
    struct run_queue *rq = cpu_rq(cpu);
    uint64_t idle = thread_runtime(rq->idle), alive = (uint64_t)clock_monotonic() - rq->idle_since_boot;
    uint64_t user = READ_ONCE(rq->busy_user), nice = READ_ONCE(rq->busy_nice), system = READ_ONCE(rq->busy_system);
    uint64_t busy = alive > idle ? alive - idle : 0, seen = user + nice + system;
    out->idle = idle;
    out->user = scale(user, seen, busy);
    out->nice = scale(nice, seen, busy);
    out->system = busy - min(busy, out->user + out->nice);
    // The next sample shifts the parts a little; none of them goes back.
    irq_flags_t flags = arch_irq_save();
    rq_lock(rq);
    out->user = rq->told_user = max(out->user, rq->told_user);
    out->nice = rq->told_nice = max(out->nice, rq->told_nice);
    out->system = rq->told_system = max(out->system, rq->told_system);
    rq_unlock(rq);
    arch_irq_restore(flags);
}

unsigned sched_nr_running(void)
{
    unsigned cpu, sum = 0;
    for_each_online_cpu(cpu)
        sum += READ_ONCE(cpu_rq(cpu)->nr_running);
    return sum;
}

uint64_t sched_context_switches(void)
{
    unsigned cpu;
    uint64_t sum = 0;
    for_each_online_cpu(cpu)
        sum += READ_ONCE(cpu_rq(cpu)->switches);
    return sum;
}

// -- load average -------------------------------------------------------------------------------------------------------------
// Exponentially damped averages of the number of threads that run, are runnable or sleep uninterruptibly, over 1, 5 and 15 minutes, sampled
// every 5 seconds: proc_loadavg(5). The sample is taken by the first tick after its time. While no CPU ticks, all are idle: the samples
// missed are caught up with a count of zero. Who reads the averages runs, and a tick with it: a sample that has just become due is left to that.

#define FSHIFT 11
#define FIXED_1 (1ul << FSHIFT)
#define LOAD_PERIOD (5 * NSEC_PER_SEC)
#define LOAD_TICK_LATE (100 * NSEC_PER_MSEC) // later than a tick ever is

// exp(-5 s / n min) in fixed point.
static const unsigned long load_decay[3] = {1884, 2014, 2037};
static unsigned long loads[3];
static ktime_t load_next = LOAD_PERIOD;
static struct spinlock load_lock = SPINLOCK_INIT(&load_class);

static unsigned long active_threads(void)
{
    unsigned cpu;
    int64_t sum = 0;
    for_each_online_cpu(cpu)
        sum += READ_ONCE(cpu_rq(cpu)->nr_running) + READ_ONCE(cpu_rq(cpu)->nr_uninterruptible);
    return sum > 0 ? (unsigned long)sum : 0;
}

static void load_sample(unsigned long active)
{
    for (unsigned i = 0; i < 3; i++) {
        unsigned long load = loads[i] * load_decay[i] + active * FIXED_1 * (FIXED_1 - load_decay[i]);
        if (active * FIXED_1 >= loads[i])
            load += FIXED_1 - 1; // so that it can reach the value it tends to
        loads[i] = load / FIXED_1;
    }
}

static void load_catch_up(ktime_t now, unsigned long active)
{
    spin_irq_guard(&load_lock);
    unsigned missed = 0;
    for (; load_next <= now && missed < 1000; load_next += LOAD_PERIOD, missed++)
        load_sample(load_next + LOAD_PERIOD <= now ? 0 : active);
    if (load_next <= now)
        load_next = now + LOAD_PERIOD;
}

void loadavg_tick(ktime_t now)
{
    if (now >= READ_ONCE(load_next))
        load_catch_up(now, active_threads());
}

void sched_loadavg(unsigned long avg[3])
{
    ktime_t missed = clock_monotonic() - LOAD_TICK_LATE;
    if (missed >= READ_ONCE(load_next))
        load_catch_up(missed, 0);
    spin_irq_guard(&load_lock);
    for (unsigned i = 0; i < 3; i++)
        avg[i] = loads[i];
}
