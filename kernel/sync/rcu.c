// kernel/sync/rcu.c — grace periods.
//
// A reader runs with preemption off. So a CPU is surely outside any reader that began earlier once it
//   * switches threads, or
//   * takes an interrupt (timer, or one sent for the purpose) while preemption is on, in the kernel or in user mode, or
//   * is idle and not in an interrupt handler (rcu_idle).
// One thread, "rcu", runs the grace periods. It marks the CPUs that owe a quiescent state, gives them a moment to pass one by themselves
// unless somebody waits in synchronize_rcu(), and then interrupts those still missing. With one CPU online the thread's running is
// itself the proof, and synchronize_rcu() returns at once.
//
// Callbacks are collected per CPU, in order, and wait for company: the first one starts a timer, and only when that fires (or very many
// are there) is a grace period asked for. Afterwards the batch runs in that CPU's worker.
//
// Locking: each CPU's lists have a lock (interrupts off), for the rcu thread takes them from afar. The counters of grace periods are
// written by the rcu thread only.

#include "kernel/sync/rcu.h"

#include "kernel/base/cpumask.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/waitqueue.h"
#include "kernel/time/hrtimer.h"

#define RCU_BATCH_DELAY (4 * NSEC_PER_MSEC)   // a callback waits this long for others
#define RCU_PATIENCE (3 * NSEC_PER_MSEC)      // time given to CPUs before they are interrupted
#define RCU_MANY 2048                         // callbacks on a CPU that do not wait any longer
#define KFREE_OFFSET_LIMIT 4096               // an fn below it is no function: kfree_rcu_()

struct rcu_list {
    struct rcu_head *first, **last;
};

struct rcu_cpu {
    struct spinlock lock;
    struct rcu_list fresh;   // not yet in a grace period
    struct rcu_list waiting; // in the running one
    struct rcu_list ready;   // to be run by the worker
    unsigned nr_fresh;
    bool ready_to_use;
    struct hrtimer timer;
    struct work_item work;
};

static DEFINE_LOCK_CLASS(rcu_cpu_class, "rcu lists", RANK_RCU);
static DEFINE_LOCK_CLASS(rcu_barrier_class, "rcu barrier", RANK_NAMESPACE);
static DEFINE_PER_CPU(struct rcu_cpu, rcu_cpus);
static DEFINE_PER_CPU(bool, rcu_owes); // this CPU has to report a quiescent state
DEFINE_PER_CPU(bool, rcu_idle);

static struct cpumask rcu_missing;        // CPUs the running grace period waits for
static struct waitqueue rcu_thread_wq = WAITQUEUE_INIT(rcu_thread_wq);
static struct waitqueue rcu_done_wq = WAITQUEUE_INIT(rcu_done_wq);
static uint64_t rcu_started, rcu_completed; // grace periods
static uint64_t rcu_wanted;                 // somebody waits for this one; atomic maximum
static bool rcu_batch_due;
static struct thread *rcu_thread;

static void list_reset(struct rcu_list *list)
{
    list->first = nullptr;
    list->last = &list->first;
}

static void list_append(struct rcu_list *to, struct rcu_list *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    list_reset(from);
}

static unsigned online_cpus(void)
{
    return (unsigned)__builtin_popcountl(READ_ONCE(cpu_online_mask.bits[0]));
}

static void rcu_wake_for_batch(void)
{
    WRITE_ONCE(rcu_batch_due, true);
    wake_up(&rcu_thread_wq);
}

static ktime_t rcu_batch_timer(struct hrtimer *)
{
    rcu_wake_for_batch();
    return KTIME_MAX;
}

static void rcu_cpu_prepare(struct rcu_cpu *rc)
{
    spin_init(&rc->lock, &rcu_cpu_class);
    list_reset(&rc->fresh);
    list_reset(&rc->waiting);
    list_reset(&rc->ready);
    hrtimer_init(&rc->timer, HRTIMER_MONOTONIC, rcu_batch_timer);
    rc->ready_to_use = true;
}

void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
    head->next = nullptr;
    head->fn = fn;
    irq_flags_t flags = arch_irq_save();
    struct rcu_cpu *rc = this_cpu_ptr(&rcu_cpus);
    if (unlikely(!rc->ready_to_use))
        rcu_cpu_prepare(rc);
    spin_lock(&rc->lock);
    *rc->fresh.last = head;
    rc->fresh.last = &head->next;
    unsigned nr = ++rc->nr_fresh;
    spin_unlock(&rc->lock);
    if (nr == 1 && rcu_thread)
        hrtimer_start(&rc->timer, clock_monotonic() + RCU_BATCH_DELAY);
    else if (nr == RCU_MANY && rcu_thread)
        rcu_wake_for_batch();
    arch_irq_restore(flags);
}

void kfree_rcu_(struct rcu_head *head, void *ptr)
{
    call_rcu(head, (void (*)(struct rcu_head *))((uintptr_t)head - (uintptr_t)ptr));
}

// Runs a CPU's callbacks that have had their grace period; in its worker, so in order.
static void rcu_run_ready(struct work_item *work)
{
    struct rcu_cpu *rc = container_of(work, struct rcu_cpu, work);
    irq_flags_t flags = spin_lock_irqsave(&rc->lock);
    struct rcu_head *head = rc->ready.first;
    list_reset(&rc->ready);
    spin_unlock_irqrestore(&rc->lock, flags);
    while (head) {
        struct rcu_head *next = head->next;
        uintptr_t fn = (uintptr_t)head->fn;
        if (fn < KFREE_OFFSET_LIMIT)
            kfree((char *)head - fn);
        else
            head->fn(head);
        head = next;
    }
}

// -- quiescent states ---------------------------------------------------------------------------------------------------------

static void rcu_report(void)
{
    this_cpu_write(rcu_owes, false);
    unsigned long bit = BIT(this_cpu_id());
    if (__atomic_and_fetch(&rcu_missing.bits[0], ~bit, __ATOMIC_SEQ_CST) == 0)
        wake_up(&rcu_thread_wq);
}

void rcu_note_switch(void)
{
    if (unlikely(this_cpu_read(rcu_owes)))
        rcu_report();
}

void rcu_check_interrupt(void)
{
    if (likely(!this_cpu_read(rcu_owes)))
        return;
    if (this_cpu_read(preempt_count) == PREEMPT_HARDIRQ)
        rcu_report();
    else
        this_cpu_write(need_resched, true); // in a reader or under a lock: the scheduler runs right after it
}

void rcu_enter_idle(void)
{
    this_cpu_write(rcu_idle, true);
    smp_mb();
}

void rcu_leave_idle(void)
{
    this_cpu_write(rcu_idle, false);
    smp_mb();
}

// -- the rcu thread -----------------------------------------------------------------------------------------------------------

// CPUs still missing that are idle right now need not be waited for; the others are interrupted.
static void rcu_chase(bool interrupt)
{
    unsigned cpu;
    struct cpumask missing = {{__atomic_load_n(&rcu_missing.bits[0], __ATOMIC_SEQ_CST)}};
    for_each_cpu(cpu, &missing) {
        if (__atomic_load_n(&per_cpu(rcu_idle, cpu), __ATOMIC_SEQ_CST))
            __atomic_and_fetch(&rcu_missing.bits[0], ~BIT(cpu), __ATOMIC_SEQ_CST);
        else if (interrupt)
            arch_send_resched(cpu);
    }
}

static void rcu_grace_period(bool urgent)
{
    unsigned cpu;
    preempt_disable(); // this CPU is in this thread, so in no reader
    unsigned self = this_cpu_id();
    struct cpumask mask = cpu_online_mask;
    mask.bits[0] &= ~BIT(self);
    __atomic_store_n(&rcu_missing.bits[0], mask.bits[0], __ATOMIC_SEQ_CST);
    for_each_cpu(cpu, &mask)
        __atomic_store_n(&per_cpu(rcu_owes, cpu), true, __ATOMIC_SEQ_CST);
    rcu_chase(urgent);
    preempt_enable();
    while (__atomic_load_n(&rcu_missing.bits[0], __ATOMIC_SEQ_CST)) {
        if (wait_event_parked_timeout(&rcu_thread_wq, __atomic_load_n(&rcu_missing.bits[0], __ATOMIC_SEQ_CST) == 0,
                                      clock_monotonic() + RCU_PATIENCE))
            rcu_chase(true);
    }
}

static void rcu_take_fresh(void)
{
    unsigned cpu;
    for_each_online_cpu(cpu) {
        struct rcu_cpu *rc = per_cpu_ptr(&rcu_cpus, cpu);
        if (!READ_ONCE(rc->ready_to_use))
            continue;
        spin_irq_guard(&rc->lock);
        list_append(&rc->waiting, &rc->fresh);
        rc->nr_fresh = 0;
    }
}

static void rcu_hand_out(void)
{
    unsigned cpu;
    for_each_online_cpu(cpu) {
        struct rcu_cpu *rc = per_cpu_ptr(&rcu_cpus, cpu);
        if (!READ_ONCE(rc->ready_to_use) || !rc->waiting.first) // waiting: this thread's alone
            continue;
        irq_flags_t flags = spin_lock_irqsave(&rc->lock);
        list_append(&rc->ready, &rc->waiting);
        spin_unlock_irqrestore(&rc->lock, flags);
        work_queue_on(cpu, &rc->work, rcu_run_ready);
    }
}

static bool rcu_urgent(void)
{
    return __atomic_load_n(&rcu_wanted, __ATOMIC_SEQ_CST) > rcu_completed;
}

static void rcu_main(void *)
{
    for (;;) {
        wait_event_parked(&rcu_thread_wq, READ_ONCE(rcu_batch_due) || rcu_urgent());
        bool urgent = rcu_urgent();
        WRITE_ONCE(rcu_batch_due, false);
        rcu_take_fresh();
        __atomic_store_n(&rcu_started, rcu_started + 1, __ATOMIC_SEQ_CST);
        rcu_grace_period(urgent);
        __atomic_store_n(&rcu_completed, rcu_started, __ATOMIC_SEQ_CST);
        wake_up_all(&rcu_done_wq);
        rcu_hand_out();
    }
}

void synchronize_rcu(void)
{
    might_sleep();
    if (!rcu_thread || online_cpus() == 1) {
        compiler_barrier(); // we run, so no reader does
        return;
    }
    smp_mb(); // the caller's change is seen by all before we see which grace period is the last that may have missed it
    // A grace period that is running may have begun before the caller's change: the one after it is the right one.
    uint64_t target = __atomic_load_n(&rcu_started, __ATOMIC_SEQ_CST) + 1;
    uint64_t wanted = __atomic_load_n(&rcu_wanted, __ATOMIC_SEQ_CST);
    while (wanted < target && !try_cmpxchg(&rcu_wanted, &wanted, target))
        ;
    wake_up(&rcu_thread_wq);
    wait_event(&rcu_done_wq, __atomic_load_n(&rcu_completed, __ATOMIC_SEQ_CST) >= target);
}

// -- rcu_barrier --------------------------------------------------------------------------------------------------------------

static struct mutex rcu_barrier_mutex = MUTEX_INIT(rcu_barrier_mutex, &rcu_barrier_class);
static struct rcu_head rcu_barrier_heads[MAX_CPUS];
static atomic_t rcu_barrier_left;
static struct waitqueue rcu_barrier_wq = WAITQUEUE_INIT(rcu_barrier_wq);

static void rcu_barrier_callback(struct rcu_head *)
{
    if (atomic_dec_and_test(&rcu_barrier_left))
        wake_up_all(&rcu_barrier_wq);
}

// A callback behind all the others on every CPU.
void rcu_barrier(void)
{
    unsigned cpu;
    mutex_guard(&rcu_barrier_mutex);
    atomic_set(&rcu_barrier_left, 1);
    for_each_online_cpu(cpu) {
        struct rcu_cpu *rc = per_cpu_ptr(&rcu_cpus, cpu);
        if (!READ_ONCE(rc->ready_to_use))
            continue;
        atomic_inc(&rcu_barrier_left);
        struct rcu_head *head = &rcu_barrier_heads[cpu];
        *head = (struct rcu_head){.fn = rcu_barrier_callback};
        spin_irq_guard(&rc->lock);
        *rc->fresh.last = head;
        rc->fresh.last = &head->next;
        rc->nr_fresh++;
    }
    rcu_barrier_callback(nullptr);
    rcu_wake_for_batch();
    wait_event(&rcu_barrier_wq, atomic_read_acquire(&rcu_barrier_left) == 0);
}

static int rcu_init(void)
{
    int err = kthread_create(rcu_main, nullptr, "rcu", &rcu_thread);
    if (err)
        return err;
    sched_set_nice(rcu_thread, -20); // as the workers
    rcu_wake_for_batch();            // what came before the thread
    return 0;
}
INITCALL(core, rcu_init);
