// kernel/proc/signal_queue.c — the queues of pending signals: what a signal says waits there until the signal is taken: sigqueue(3).
//
// A pending set is one bit for each signal and a queue of what came with them. An entry is charged to the receiver's user (RLIMIT_SIGPENDING).
// A POSIX timer owns one that it reserved when it was made, so its signal always finds room; taking the signal only takes such an entry out of
// the queue. All of it is guarded by the sighand lock of the process.

#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"

struct sigqueue {
    struct list_head link; // empty: in no queue
    struct siginfo info;
    struct user_account *user; // charged
    bool reserved;             // its owner frees it
};

static struct slab_cache *sigqueue_cache;

void sigqueue_init(void)
{
    sigqueue_cache = slab_cache_create("sigqueue", sizeof(struct sigqueue), 0, 0, nullptr);
    if (!sigqueue_cache)
        panic("no memory for signals");
}

// Null if the user has more than `limit` already, or for want of memory.
static struct sigqueue *queue_alloc(struct user_account *user, uint64_t limit, unsigned how)
{
    bool over = (uint64_t)atomic_add_return(&user->sigpending, 1) > limit;
    struct sigqueue *q = over ? nullptr : slab_alloc(sigqueue_cache, how);
    if (!q) {
        atomic_dec(&user->sigpending);
        return nullptr;
    }
    list_init(&q->link);
    q->user = user;
    q->reserved = false;
    refcount_inc(&user->refs);
    return q;
}

static void queue_free(struct sigqueue *q)
{
    atomic_dec(&q->user->sigpending);
    user_account_put(q->user);
    slab_free(sigqueue_cache, q);
}

static void take_out(struct sigqueue *q)
{
    list_del_init(&q->link);
    if (!q->reserved)
        queue_free(q);
}

bool sigpending_add(struct sigpending *pending, struct user_account *user, uint64_t limit, const struct siginfo *info)
{
    struct sigqueue *q = queue_alloc(user, limit, ALLOC_ATOMIC);
    if (!q)
        return false;
    q->info = *info;
    list_add_tail(&q->link, &pending->queue);
    return true;
}

void sigpending_add_reserved(struct sigpending *pending, struct sigqueue *q, const struct siginfo *info)
{
    if (!list_empty(&q->link))
        return;
    q->info = *info;
    list_add_tail(&q->link, &pending->queue);
}

void sigpending_flush(struct sigpending *pending)
{
    struct sigqueue *q, *next;
    list_for_each_entry_safe(q, next, &pending->queue, link)
        take_out(q);
    pending->set = 0;
}

bool sigpending_remove(struct sigpending *pending, uint64_t set)
{
    if (!(pending->set & set))
        return false;
    struct sigqueue *q, *next;
    list_for_each_entry_safe(q, next, &pending->queue, link)
    {
        if (sigmask(q->info.si_signo) & set)
            take_out(q);
    }
    pending->set &= ~set;
    return true;
}

// --- Reserved entries. ---

struct sigqueue *signal_reserve(void)
{
    struct sigqueue *q = queue_alloc(current_cred()->user, READ_ONCE(current_process()->rlimits[RLIMIT_SIGPENDING].cur), ALLOC_KERNEL);
    if (q)
        q->reserved = true;
    return q;
}

void signal_unreserve(struct sigqueue *q)
{
    spin_irq_guard(&current_task()->sighand->lock);
    q->reserved = false;
    if (list_empty(&q->link))
        queue_free(q);
}

bool signal_reserved_pending(const struct sigqueue *q)
{
    return !list_empty(&q->link);
}

// --- Taking. ---

// Takes the lowest pending signal of `set` out of one pending set. *reserved: it is of a POSIX timer, and not one that merely says so (rt_sigqueueinfo(2)).
static bool dequeue_from(struct sigpending *pending, uint64_t set, struct siginfo *info, bool *reserved)
{
    uint64_t ready = pending->set & set;
    if (!ready)
        return false;
    if (ready & SIG_SYNCHRONOUS) // what an instruction did comes before what others want
        ready &= SIG_SYNCHRONOUS;
    int sig = __builtin_ctzl(ready) + 1;
    struct sigqueue *q, *found = nullptr;
    bool more = false;
    list_for_each_entry(q, &pending->queue, link)
    {
        if (q->info.si_signo != sig)
            continue;
        if (found) {
            more = true;
            break;
        }
        found = q;
    }
    if (!more)
        pending->set &= ~sigmask(sig);
    if (found) {
        *info = found->info;
        *reserved = found->reserved;
        take_out(found);
    } else {
        *info = (struct siginfo){.si_signo = sig, .si_code = SI_USER};
    }
    return true;
}

bool signal_dequeue_locked(struct task *task, uint64_t set, struct siginfo *info)
{
    bool reserved = false;
    bool found = dequeue_from(&task->pending, set, info, &reserved) || dequeue_from(&task->process->shared_pending, set, info, &reserved);
    if (found && (reserved || info->si_signo == SIGALRM) && timer_signal_taken)
        timer_signal_taken(info, reserved);
    signal_recalc(task);
    return found;
}

void (*timer_signal_taken)(struct siginfo *info, bool posix_timer);

bool signal_dequeue(struct task *task, uint64_t set, struct siginfo *info)
{
    spin_irq_guard(&task->sighand->lock);
    return signal_dequeue_locked(task, set, info);
}

uint64_t signal_pending_set(struct task *task)
{
    spin_irq_guard(&task->sighand->lock);
    return task->pending.set | task->process->shared_pending.set;
}

void signal_forget_locked(uint64_t set)
{
    struct process *me = current_process();
    bool gone = sigpending_remove(&me->shared_pending, set);
    struct task *t;
    // Another thread's WORK_SIGNAL stays, with nothing behind it: that one may be on its way out with -ERESTARTSYS, which only the slow way understands.
    for_each_thread_rcu(t, me)
        gone |= sigpending_remove(&t->pending, set);
    if (gone)
        signal_recalc(current_task());
}

// What is left counts: a signal that something else sent as well stays pending.
static void forget_timers(struct sigpending *pending)
{
    uint64_t gone = 0, kept = 0;
    struct sigqueue *q, *next;
    list_for_each_entry_safe(q, next, &pending->queue, link)
    {
        if (q->info.si_code != SI_TIMER) {
            kept |= sigmask(q->info.si_signo);
            continue;
        }
        gone |= sigmask(q->info.si_signo);
        take_out(q);
    }
    pending->set &= ~(gone & ~kept);
}

void signal_forget_timers(struct task *task)
{
    spin_irq_guard(&task->sighand->lock);
    forget_timers(&task->pending);
    forget_timers(&task->process->shared_pending);
    signal_recalc(task);
}
