// kernel/sched/run_queue.h — private to kernel/sched: the per-CPU run queue and what its parts (fair, real-time, balance) offer core.c.
#pragma once

#include "kernel/abi/sched.h"
#include "kernel/base/percpu.h"
#include "kernel/sched/sched.h"
#include "kernel/time/hrtimer.h"

#define RT_PRIORITIES 100 // 1 .. 99 are used
#define NICE_0_WEIGHT 1024u

// Threads of the fair class that wait; the running one is not in the tree. See fair.c.
struct fair_queue {
    struct rb_root_cached tree;   // by deadline
    uint64_t min_vruntime;        // the base that keys are relative to; never goes back
    int64_t key_sum;              // sum over the tree of (vruntime - min_vruntime) * weight
    uint64_t weight_sum;          // over the tree; others read it without the lock as a hint
    unsigned nr;                  // in the tree
    uint64_t looked_at;           // deadline of the last thread that a search for a movable one looked at, where they are many
};

// Real-time threads, the running one included, at its priority's head. While fair threads wait, they run for at most the bandwidth's runtime
// in a period, and are *throttled* for the rest of it: fair threads go first, if there are any. See rt.c.
struct rt_queue {
    unsigned long bitmap[2];      // priorities that have threads; bit 99 - priority, so that the first bit set is the best; read as a hint too
    struct list_head lists[RT_PRIORITIES];
    unsigned nr;                  // others read it without the lock as a hint
    bool throttled;
    ktime_t period_start;         // of the period that `used` counts in
    uint64_t used;                // ns that fair threads had to wait for real-time ones
};

struct run_queue {
    struct spinlock lock;         // RANK_RUNQUEUE, interrupts off; guards everything below unless said otherwise
    unsigned cpu;
    unsigned nr_running;          // running or waiting; idle not counted. Others read it without the lock as a hint
    struct thread *curr, *idle;   // the idle thread's weight is 0. Under RCU others may look at the weight of curr
    ktime_t clock;                // as of the last rq_update_clock()
    struct fair_queue fair;
    struct rt_queue rt;
    struct mm *drop_mm;           // lazily used address space that the switch epilogue lets go
    int64_t nr_uninterruptible;   // sleepers that left here minus those that woke here: only the sum over all CPUs means something
    uint64_t switches;
    struct hrtimer tick;
    bool tick_armed;
    ktime_t next_push, next_rotation; // when its tick looks again whether another CPU has less to do
    uint64_t busy_user, busy_nice, busy_system; // ns as seen by the tick
    uint64_t told_user, told_nice, told_system; // what sched_cpu_times() has said of that
    uint64_t idle_since_boot;     // clock when this CPU came up: times before do not count
};

DECLARE_PER_CPU(struct run_queue, run_queues);
extern struct cpumask sched_idle_mask;     // CPUs that run their idle thread; a hint
extern struct cpumask sched_overload_mask; // CPUs with more than one runnable thread; a hint
extern const struct lock_class run_queue_class;

static inline struct run_queue *cpu_rq(unsigned cpu)
{
    return per_cpu_ptr(&run_queues, cpu);
}

static inline bool policy_is_rt(unsigned policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static inline bool thread_is_rt(const struct thread *t)
{
    return t->params.rt_priority != 0; // and only with these policies: params_valid()
}

// rq->clock is now; under its lock.
static inline void rq_update_clock(struct run_queue *rq)
{
    rq->clock = clock_monotonic();
}

// The lock of the run queue that `t` is on or was on last, held until rq_unlock(). Interrupts are off.
struct run_queue *thread_rq_lock(struct thread *t) NO_THREAD_SAFETY_ANALYSIS;
// One queue's lock, interrupts off; two are taken in the order of their CPUs.
static inline void rq_lock(struct run_queue *rq) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock_bare_(&rq->lock);
}
static inline void rq_unlock(struct run_queue *rq) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock_bare_(&rq->lock);
}
static inline bool rq_trylock(struct run_queue *rq) NO_THREAD_SAFETY_ANALYSIS
{
    uint32_t free = 0;
    if (!__atomic_compare_exchange_n(&rq->lock.val, &free, SPIN_TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    lock_check_spin_acquire(&rq->lock, true);
    lock_check_spin_acquired(&rq->lock);
    return true;
}

// core.c: all under the run queue's lock.
void rq_account(struct run_queue *rq);                            // charges the running thread for its time up to rq->clock
void rq_enqueue(struct run_queue *rq, struct thread *t);          // a thread that is not on any queue becomes runnable here
void rq_dequeue(struct run_queue *rq, struct thread *t);          // runnable, maybe running, no longer
void rq_attach(struct run_queue *rq, struct thread *t);           // as the two above, but on_rq stays: moving a waiting thread. Both
void rq_detach(struct run_queue *rq, struct thread *t);           // queues are locked, so that no waker takes it for a sleeper
void rq_resched(struct run_queue *rq);                            // its CPU picks anew soon
void rq_check_preempt(struct run_queue *rq, struct thread *t);    // `t` became runnable: is it better than what runs?

// fair.c
void fair_enqueue(struct run_queue *rq, struct thread *t);        // places it by its lag, into the tree (or as the running one)
void fair_dequeue(struct run_queue *rq, struct thread *t);        // notes its lag
void fair_charge(struct run_queue *rq, struct thread *t, uint64_t delta); // it ran for `delta` ns; asks for a new choice when its turn is over
struct thread *fair_pick(struct run_queue *rq, struct thread *curr); // curr: the running thread if it competes, else null
void fair_set_running(struct run_queue *rq, struct thread *t);    // out of the tree
void fair_put_running(struct run_queue *rq, struct thread *t);    // back into it
bool fair_preempts(struct run_queue *rq, struct thread *t, struct thread *curr); // `t` just came: is it to run instead of `curr`?
void fair_yield(struct run_queue *rq, struct thread *t); // the running thread's next turn comes later
void fair_reweight(struct run_queue *rq, struct thread *t);       // takes the weight from t->params; t is on no queue
void fair_init_new(struct thread *t); // a thread that has never run
// A waiting thread allowed on `cpu` and of a weight below `weight`, or null. It looks at a few only, but at others each time.
struct thread *fair_find_movable(struct run_queue *rq, unsigned cpu, uint64_t weight);

// rt.c
void rt_queue_init(struct rt_queue *rt);
void rt_enqueue(struct run_queue *rq, struct thread *t); // behind its equals; rt_dequeue() takes it out
void rt_dequeue(struct run_queue *rq, struct thread *t);
struct thread *rt_pick(struct run_queue *rq); // the best, which stays in its list; null: none
void rt_yield(struct run_queue *rq, struct thread *t); // behind its equals
void rt_to_front(struct run_queue *rq, struct thread *t); // before them
bool rt_preempts(const struct thread *t, const struct thread *curr); // `t`, real-time, just came: is it to run instead of `curr`?
void rt_charge(struct run_queue *rq, struct thread *t, uint64_t delta); // it ran for `delta` ns: the bandwidth, and the turn of SCHED_RR
bool rt_throttled(struct run_queue *rq);                          // fair threads go first; rq->clock is of now
void rt_unthrottle(struct run_queue *rq);                         // if its time has come; in each tick of a throttled queue
unsigned rt_top_priority(const struct run_queue *rq);             // of its threads; 0: none. A hint without the lock
// The best waiting thread allowed on `cpu` and of a priority above `priority`, or null.
struct thread *rt_find_movable(struct run_queue *rq, unsigned cpu, unsigned priority);

// balance.c
unsigned sched_select_cpu(struct thread *t);            // where to wake `t`; its wake_lock is held
bool balance_pull_idle(struct run_queue *rq);           // about to idle: takes a thread from an overloaded CPU. rq->lock held
void balance_pull_rt(struct run_queue *rq);             // a real-time thread went to sleep: takes one that waits elsewhere. rq->lock held
bool balance_rt_leaves(struct run_queue *rq, const struct thread *t); // a real-time thread must wait here: can it run elsewhere? rq->lock held
void balance_tick(struct run_queue *rq, ktime_t now);   // from the tick, no lock held, interrupts off

// times.c
void sched_times_tick(struct run_queue *rq, struct thread *t, bool user); // a tick found `t` running, in user mode or not
void loadavg_tick(ktime_t now); // in each tick: every five seconds it has something to do

// tick.c
void sched_tick_init(struct run_queue *rq); // boot of the CPU
void sched_tick_start(struct run_queue *rq); // the queue is idle no longer

// thread.c, work.c, smp_call.c
// Before CPU `cpu` runs threads: its idle thread (null: no memory), its worker (-ENOMEM), which begins when the CPU is up, and its list of calls.
struct thread *thread_create_idle(unsigned cpu);
int sched_worker_prepare(unsigned cpu);
void sched_worker_start(unsigned cpu);
void smp_call_prepare(unsigned cpu);
