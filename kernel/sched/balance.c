// kernel/sched/balance.c — which CPU: where a woken thread goes, and how waiting threads move to CPUs with less to do.
//
//   * Waking: the CPU it ran on last if that is idle, else any idle CPU it may use, else the less busy of its last CPU and the waker's.
//   * A CPU about to idle takes a waiting thread from an overloaded one (two or more runnable).
//   * The tick of an overloaded CPU wakes up an idle one to do so, and every 32 ms pushes a thread to a CPU that has at least two fewer.
// A CPU with one thread never has to look around: whoever is overloaded does the work. The masks are hints, checked under the locks.

#include "kernel/sched/run_queue.h"

#define PUSH_TICKS 8

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

static unsigned least_loaded(unsigned long bits)
{
    unsigned best = (unsigned)__builtin_ctzl(bits), least = ~0u;
    for (; bits; bits &= bits - 1) {
        unsigned cpu = (unsigned)__builtin_ctzl(bits), load = READ_ONCE(cpu_rq(cpu)->nr_running);
        if (load < least) {
            least = load;
            best = cpu;
        }
    }
    return best;
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
        return least_loaded(allowed);
    unsigned long two = allowed & (BIT(last) | BIT(here));
    return least_loaded(two ? two : allowed);
}

// A thread that waits on `from` and may run on `cpu`, or null.
static struct thread *find_movable(struct run_queue *from, unsigned cpu)
{
    struct thread *t = rt_find_movable(from, cpu);
    return t ? t : fair_find_movable(from, cpu);
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

static void push_one(struct run_queue *rq, struct run_queue *to)
{
    struct run_queue *first = rq->cpu < to->cpu ? rq : to, *second = first == rq ? to : rq;
    rq_lock(first);
    rq_lock(second);
    if (rq->nr_running >= to->nr_running + 2) {
        rq_update_clock(rq);
        rq_update_clock(to);
        rq_account(rq);
        struct thread *t = find_movable(rq, to->cpu);
        if (t) {
            move(rq, to, t);
            rq_check_preempt(to, t);
        }
    }
    rq_unlock(second);
    rq_unlock(first);
}

void balance_tick(struct run_queue *rq)
{
    if (READ_ONCE(rq->nr_running) < 2)
        return;
    unsigned long idle = READ_ONCE(sched_idle_mask.bits[0]) & READ_ONCE(cpu_online_mask.bits[0]);
    if (idle) {
        struct run_queue *helper = cpu_rq(next_bit_from(idle, rq->cpu));
        rq_lock(helper);
        rq_resched(helper); // it will look for work before it idles again
        rq_unlock(helper);
    }
    if (++rq->tick_count % PUSH_TICKS)
        return;
    unsigned cpu = least_loaded(READ_ONCE(cpu_online_mask.bits[0]));
    if (cpu != rq->cpu && READ_ONCE(cpu_rq(cpu)->nr_running) + 2 <= READ_ONCE(rq->nr_running))
        push_one(rq, cpu_rq(cpu));
}
