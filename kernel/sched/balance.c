// kernel/sched/balance.c — which CPU: where a woken thread goes, and how waiting threads move to CPUs with less to do.
//
//   * Waking: the CPU it ran on last if that is idle, else any idle CPU it may use, else the less loaded of its last CPU and the waker's. A
//     real-time thread goes where the least important thread runs.
//   * A CPU about to idle takes a waiting thread from an overloaded one (two or more runnable).
//   * The tick of an overloaded CPU wakes up an idle one to do so, and every 32 ms pushes a thread to the least loaded CPU if they are more even
//     then. Where the difference is just one thread (three busy ones on two CPUs), it goes round: every 128 ms a thread moves on.
//   * Real-time threads do not wait where another CPU runs something less important: one that is preempted by another leaves, a CPU whose real-time thread
//     sleeps takes one that waits elsewhere, and the tick pushes what is left.
// Load is the sum of the weights of fair threads; a CPU with a real-time thread has no room for fair ones and counts as full.
// A CPU with one thread never has to look around: whoever is overloaded does the work. The masks are hints, checked under the locks.

#include "kernel/sched/run_queue.h"

#define PUSH_EVERY (32 * NSEC_PER_MSEC)
#define ROTATE_EVERY (128 * NSEC_PER_MSEC)
#define LOAD_FULL (1ull << 40) // more than any sum of weights

static unsigned long allowed_bits(const struct thread *t)
{
    return READ_ONCE(t->affinity.bits[0]) & READ_ONCE(cpu_online_mask.bits[0]);
}

// The first set bit at or after `from`, going round.
static unsigned next_bit_from(unsigned long bits, unsigned from)
{
    unsigned long after = bits & (~0ul << from);
    return (unsigned)__builtin_ctzl(after ? after : bits);
}

// Preemption off, which is as good as RCU.
static uint64_t load_of(const struct run_queue *rq)
{
    const struct thread *curr = READ_ONCE(rq->curr);
    return READ_ONCE(rq->fair.weight_sum) + READ_ONCE(curr->se.weight) + (READ_ONCE(rq->rt.nr) ? LOAD_FULL : 0);
}

// The first of the least loaded from `from` on, going round.
static unsigned least_loaded(unsigned long bits, unsigned from)
{
    unsigned best = next_bit_from(bits, from);
    uint64_t least = load_of(cpu_rq(best));
    for (bits &= ~BIT(best); bits; bits &= bits - 1) {
        unsigned cpu = (unsigned)__builtin_ctzl(bits);
        uint64_t load = load_of(cpu_rq(cpu));
        if (load < least || (load == least && cpu - from < best - from)) {
            least = load;
            best = cpu;
        }
    }
    return best;
}

// The CPU whose best real-time thread has the lowest priority, and one below `priority`; among equals `prefer`. MAX_CPUS: none.
static unsigned least_important(unsigned long bits, unsigned priority, unsigned prefer)
{
    unsigned best = MAX_CPUS, lowest = priority;
    for (; bits; bits &= bits - 1) {
        unsigned cpu = (unsigned)__builtin_ctzl(bits), top = rt_top_priority(cpu_rq(cpu));
        if (top < lowest || (top == lowest && cpu == prefer && best != MAX_CPUS)) {
            lowest = top;
            best = cpu;
        }
    }
    return best;
}

static unsigned select_cpu_rt(const struct thread *t, unsigned long allowed)
{
    unsigned cpu = least_important(allowed, t->params.rt_priority, t->cpu);
    if (cpu < MAX_CPUS)
        return cpu;
    return allowed & BIT(t->cpu) ? t->cpu : (unsigned)__builtin_ctzl(allowed);
}

unsigned sched_select_cpu(struct thread *t)
{
    if (nr_cpus == 1)
        return 0;
    unsigned long allowed = allowed_bits(t);
    if (!allowed)
        return t->cpu; // every CPU it may use is gone or not up yet: any will do
    unsigned last = t->cpu, here = this_cpu_id();
    unsigned long idle = allowed & READ_ONCE(sched_idle_mask.bits[0]);
    if (idle & BIT(last))
        return last;
    if (idle)
        return next_bit_from(idle, last);
    if (thread_is_rt(t))
        return select_cpu_rt(t, allowed);
    unsigned long two = allowed & (BIT(last) | BIT(here));
    unsigned cpu = least_loaded(two ? two : allowed, last);
    return likely(load_of(cpu_rq(cpu)) < LOAD_FULL) ? cpu : least_loaded(allowed, last);
}

// A thread that waits on `from` and may run on `cpu`, or null.
static struct thread *find_movable(struct run_queue *from, unsigned cpu)
{
    struct thread *t = rt_find_movable(from, cpu, 0);
    return t ? t : fair_find_movable(from, cpu, UINT64_MAX);
}

// Both locks held. The thread keeps its lag, and its state: it may be one that was preempted on its way to sleep.
static void move(struct run_queue *from, struct run_queue *to, struct thread *t)
{
    rq_detach(from, t);
    rq_attach(to, t);
}

bool balance_pull_idle(struct run_queue *rq)
{
    unsigned long busy = READ_ONCE(sched_overload_mask.bits[0]) & ~BIT(rq->cpu);
    if (!cpumask_test(rq->cpu, &cpu_online_mask))
        return false;
    for (unsigned tries = 4; busy && tries--;) {
        unsigned cpu = next_bit_from(busy, rq->cpu);
        busy &= ~BIT(cpu);
        struct run_queue *from = cpu_rq(cpu);
        if (!rq_trylock(from))
            continue; // its owner is just working on it; the next tick brings another chance
        struct thread *t = from->nr_running > 1 ? find_movable(from, rq->cpu) : nullptr;
        if (t)
            move(from, rq, t);
        rq_unlock(from);
        if (t)
            return true;
    }
    return false;
}

void balance_pull_rt(struct run_queue *rq)
{
    unsigned long busy = READ_ONCE(sched_overload_mask.bits[0]) & ~BIT(rq->cpu);
    for (; busy; busy &= busy - 1) {
        struct run_queue *from = cpu_rq((unsigned)__builtin_ctzl(busy));
        if (READ_ONCE(from->rt.nr) < 2 || !rq_trylock(from))
            continue;
        struct thread *t = rt_find_movable(from, rq->cpu, rt_top_priority(rq));
        if (t)
            move(from, rq, t);
        rq_unlock(from);
    }
}

bool balance_rt_leaves(struct run_queue *rq, const struct thread *t)
{
    if (rq->rt.throttled)
        return false; // to fair threads; the tick pushes it, and it keeps its place
    unsigned long others = allowed_bits(t) & ~BIT(t->cpu);
    return least_important(others, t->params.rt_priority, MAX_CPUS) < MAX_CPUS;
}

static void lock_two(struct run_queue *a, struct run_queue *b)
{
    rq_lock(a->cpu < b->cpu ? a : b);
    rq_lock(a->cpu < b->cpu ? b : a);
}

static void unlock_two(struct run_queue *a, struct run_queue *b)
{
    rq_unlock(a);
    rq_unlock(b);
}

static void push(struct run_queue *rq, struct run_queue *to, struct thread *t)
{
    rq_update_clock(rq);
    rq_update_clock(to);
    rq_account(rq);
    move(rq, to, t);
    rq_check_preempt(to, t);
}

// Real-time threads wait here: one goes where something less important runs.
static void push_rt(struct run_queue *rq)
{
    unsigned long others = READ_ONCE(cpu_online_mask.bits[0]) & ~BIT(rq->cpu);
    struct thread *t = nullptr;
    for (unsigned cpu; !t && (cpu = least_important(others, rt_top_priority(rq), MAX_CPUS)) < MAX_CPUS; others &= ~BIT(cpu)) {
        struct run_queue *to = cpu_rq(cpu);
        lock_two(rq, to);
        t = rt_find_movable(rq, cpu, rt_top_priority(to));
        if (t)
            push(rq, to, t);
        unlock_two(rq, to);
    }
}

// A thread lighter than the difference makes it smaller; one just as heavy turns it round, so that it is now the other CPU's turn to be crowded.
static void push_fair(struct run_queue *rq, struct run_queue *to, ktime_t now)
{
    lock_two(rq, to);
    uint64_t here = load_of(rq), there = load_of(to);
    struct thread *t = here > there ? fair_find_movable(rq, to->cpu, here - there) : nullptr;
    if (!t && here > there && now >= rq->next_rotation) {
        t = fair_find_movable(rq, to->cpu, here - there + 1);
        to->next_rotation = now + ROTATE_EVERY;
    }
    if (t)
        push(rq, to, t);
    unlock_two(rq, to);
}

void balance_tick(struct run_queue *rq, ktime_t now)
{
    if (READ_ONCE(rq->nr_running) < 2)
        return;
    unsigned long online = READ_ONCE(cpu_online_mask.bits[0]), idle = READ_ONCE(sched_idle_mask.bits[0]) & online;
    if (idle) {
        struct run_queue *helper = cpu_rq(next_bit_from(idle, rq->cpu));
        rq_lock(helper);
        rq_resched(helper); // it will look for work before it idles again
        rq_unlock(helper);
    }
    if (READ_ONCE(rq->rt.nr) > !rq->rt.throttled)
        push_rt(rq);
    if (now < rq->next_push)
        return;
    rq->next_push = now + PUSH_EVERY;
    struct run_queue *to = cpu_rq(least_loaded(online, (rq->cpu + 1) % MAX_CPUS));
    if (to != rq && load_of(to) < load_of(rq)) // its own load, read twice, may have grown between
        push_fair(rq, to, now);
}
