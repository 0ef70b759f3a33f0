// kernel/sched/work.c — deferred work: a list and a worker thread for each CPU.
//
// Items run one after another, in the order they were queued, with interrupts and preemption on; they may sleep, but what stands behind them
// waits meanwhile, so long waits belong into threads of their own.

#include "kernel/base/assert.h"
#include "kernel/boot/init.h"
#include "kernel/debug/lock_check.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sync/waitqueue.h"

struct worker {
    struct spinlock lock; // interrupts off
    struct list_head items;
    bool ready;
    struct thread *thread;
};

static DEFINE_LOCK_CLASS(worker_class, "work list", RANK_RCU); // just inside the scheduler: waking happens with it dropped
static DEFINE_PER_CPU(struct worker, workers);

static void worker_prepare(struct worker *w)
{
    spin_init(&w->lock, &worker_class);
    list_init(&w->items);
    w->ready = true;
}

static void queue_on(struct worker *w, struct work_item *item, void (*fn)(struct work_item *))
{
    if (__atomic_exchange_n(&item->queued, 1, __ATOMIC_ACQ_REL))
        return;
    item->fn = fn;
    irq_flags_t flags = spin_lock_irqsave(&w->lock);
    list_add_tail(&item->link, &w->items);
    spin_unlock_irqrestore(&w->lock, flags);
    if (w->thread)
        thread_wake(w->thread, BIT(THREAD_PARKED));
}

void work_queue(struct work_item *item, void (*fn)(struct work_item *))
{
    irq_flags_t flags = arch_irq_save();
    struct worker *w = this_cpu_ptr(&workers);
    if (unlikely(!w->ready)) // before the scheduler is up, on CPU 0
        worker_prepare(w);
    queue_on(w, item, fn);
    arch_irq_restore(flags);
}

void work_queue_on(unsigned cpu, struct work_item *item, void (*fn)(struct work_item *))
{
    queue_on(per_cpu_ptr(&workers, cpu), item, fn);
}

static struct work_item *worker_next(struct worker *w)
{
    spin_irq_guard(&w->lock);
    struct work_item *item = list_first_entry_or_null(&w->items, struct work_item, link);
    if (item)
        list_del(&item->link);
    return item;
}

static void worker_main(void *arg)
{
    struct worker *w = arg;
    for (;;) {
        set_current_state(THREAD_PARKED);
        struct work_item *item = worker_next(w);
        if (!item) {
            schedule();
            continue;
        }
        set_current_state(THREAD_RUNNING);
        __atomic_store_n(&item->queued, 0, __ATOMIC_RELEASE); // from here on it may be queued again, or freed by its function
        item->fn(item);
        DEBUG_ASSERT(!in_atomic());
        lock_check_none_held("held after a work item");
        cond_resched();
    }
}

int sched_worker_prepare(unsigned cpu)
{
    struct worker *w = per_cpu_ptr(&workers, cpu);
    char name[THREAD_NAME_SIZE] = "worker/";
    size_t n = 7;
    if (cpu >= 10)
        name[n++] = (char)('0' + cpu / 10);
    name[n] = (char)('0' + cpu % 10);
    if (!w->ready)
        worker_prepare(w);
    int err = kthread_prepare(worker_main, w, name, cpu, &w->thread);
    if (!err)
        sched_set_nice(w->thread, -20); // what it frees must not grow faster than it comes to free it, however many threads make more
    return err;
}

void sched_worker_start(unsigned cpu)
{
    thread_wake_new(per_cpu_ptr(&workers, cpu)->thread);
}

static int work_init(void)
{
    int err = sched_worker_prepare(0);
    if (!err)
        sched_worker_start(0);
    return err;
}
INITCALL(core, work_init);
