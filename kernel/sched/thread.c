// kernel/sched/thread.c — making threads and ending them.

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/debug/lock_check.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stack.h"
#include "kernel/sched/run_queue.h"

static DEFINE_LOCK_CLASS(thread_class, "thread wake-up", RANK_THREAD);

struct thread boot_thread = {
    .state = THREAD_RUNNING,
    .kernel_thread = true,
    .on_cpu = true,
    .wake_lock = SPINLOCK_INIT(&thread_class),
    .refs = REFCOUNT_INIT(1),
    .affinity = {{1}},
    .name = "idle/0",
};

static void set_name(struct thread *t, const char *name)
{
    size_t i = 0;
    for (; name[i] && i < THREAD_NAME_SIZE - 1; i++)
        t->name[i] = name[i];
    t->name[i] = '\0';
}

// All but the stack.
static void thread_init_fields(struct thread *t, const char *name)
{
    const struct thread *parent = current_thread();
    set_name(t, name);
    spin_init(&t->wake_lock, &thread_class);
    refcount_set(&t->refs, 1);
    t->state = THREAD_PARKED; // until thread_wake_new()
    t->cpu = this_cpu_id(); // a hint
    t->rq = cpu_rq(t->cpu);
    t->start_time = clock_monotonic();
    t->params = parent->params;
    if (t->params.reset_on_fork) {
        if (policy_is_rt(t->params.policy))
            t->params.policy = SCHED_OTHER;
        t->params.rt_priority = 0;
        t->params.nice = max(t->params.nice, (int8_t)0);
        t->params.reset_on_fork = false;
    }
    t->affinity = parent->affinity;
    t->se.slice = parent->se.slice;
    fair_init_new(t);
}

int thread_init(struct thread *thread, const char *name)
{
    thread->stack = stack_alloc();
    if (!thread->stack)
        return -ENOMEM;
    thread_init_fields(thread, name);
    return 0;
}

static void kthread_release(struct thread *t)
{
    kfree(t);
}

static struct thread *kthread_alloc(const char *name)
{
    struct thread *t = kzalloc(sizeof *t, ALLOC_KERNEL);
    if (!t)
        return nullptr;
    if (thread_init(t, name)) {
        kfree(t);
        return nullptr;
    }
    t->kernel_thread = true;
    t->release = kthread_release;
    t->params = (struct sched_params){0};
    t->se.slice = 0;
    fair_init_new(t);
    t->affinity = (struct cpumask){{~0ul}};
    return t;
}

int kthread_prepare(void (*fn)(void *), void *arg, const char *name, unsigned cpu, struct thread **out)
{
    struct thread *t = kthread_alloc(name);
    if (!t)
        return -ENOMEM;
    if (cpu < MAX_CPUS)
        t->affinity = (struct cpumask){{BIT(cpu)}};
    arch_thread_init_kernel(t, fn, arg);
    *out = t;
    return 0;
}

int kthread_create(void (*fn)(void *), void *arg, const char *name, struct thread **out)
{
    struct thread *t;
    int err = kthread_prepare(fn, arg, name, MAX_CPUS, &t);
    if (err)
        return err;
    if (out)
        *out = t;
    thread_wake_new(t);
    return 0;
}

struct thread *thread_create_idle(unsigned cpu)
{
    char name[THREAD_NAME_SIZE] = "idle/";
    size_t n = 5;
    if (cpu >= 10)
        name[n++] = (char)('0' + cpu / 10);
    name[n] = (char)('0' + cpu % 10);
    struct thread *t = kthread_alloc(name);
    if (t)
        t->state = THREAD_RUNNING;
    return t;
}

void thread_exit(void)
{
    struct thread *t = current_thread();
    lock_check_none_held("held by a thread that ends");
    set_current_state(THREAD_DEAD);
    schedule();
    ASSERT(t == nullptr); // nobody wakes the dead
    __builtin_unreachable();
}

static void thread_release(struct rcu_head *head)
{
    struct thread *t = container_of(head, struct thread, rcu);
    if (t->stack) { // it never ran: finish_switch() gives these back for one that did
        arch_thread_release(t);
        stack_free(t->stack);
    }
    if (t->release)
        t->release(t);
}

void thread_put(struct thread *t)
{
    if (refcount_dec_and_test(&t->refs))
        call_rcu(&t->rcu, thread_release);
}
