// kernel/sync/waitqueue.c — sleeping on a queue, and waking who sleeps there.
//
// Why no wake-up is lost: the sleeper enqueues and sets its state first, then looks at the condition, then calls schedule(). The waker changes
// the condition first and then looks at the queue. Whichever comes later sees the other. A wake-up between the look and schedule() sets
// the state back to running, and schedule() does not put a running thread to sleep.
//
// A sleeper's entry is taken out by the waker, after the thread was woken: the thread finds its entry either still linked, and takes the
// lock to unlink it, or properly unlinked and never touched again. Its stack frame may go right after.

#include "kernel/sync/waitqueue.h"

#include "kernel/abi/errno.h"
#include "kernel/sched/sched.h"

DEFINE_LOCK_CLASS_NESTED(waitqueue_lock_class, "wait queue", RANK_WAITQUEUE); // epoll's queue inside the queue of what it watches

void waitqueue_init(struct waitqueue *wq) NO_THREAD_SAFETY_ANALYSIS
{
    spin_init(&wq->lock, &waitqueue_lock_class);
    list_init(&wq->entries);
}

void wake_up_slow_(struct waitqueue *wq, uint32_t events, unsigned nr)
{
    spin_irq_guard(&wq->lock);
    struct wait_entry *entry, *next;
    list_for_each_entry_safe(entry, next, &wq->entries, link) {
        if (events && entry->events && !(events & entry->events))
            continue;
        uint32_t flags = entry->flags; // the callback may end the entry's life
        if (entry->callback(entry, events) && (flags & WAIT_EXCLUSIVE) && --nr == 0)
            break;
    }
}

// Unlinks so that the owner, looking without the lock, sees the entry unlinked only when we are done with it.
static void entry_unlink(struct wait_entry *entry)
{
    list_del_rcu(&entry->link);
    WRITE_ONCE(entry->link.prev, &entry->link);
    store_release(&entry->link.next, &entry->link);
}

static bool entry_linked(const struct wait_entry *entry)
{
    return load_acquire(&entry->link.next) != &entry->link || READ_ONCE(entry->link.prev) != &entry->link;
}

// Wakes the thread and, if this was what woke it, takes the entry out. A thread that something else woke first stays: the wake-up is
// offered to the next.
static bool wake_thread_callback(struct wait_entry *entry, uint32_t)
{
    if (!thread_wake(entry->thread, WAKE_NORMAL))
        return false;
    entry_unlink(entry);
    return true;
}

void wait_entry_init(struct wait_entry *entry)
{
    list_init(&entry->link);
    entry->callback = wake_thread_callback;
    entry->thread = current_thread();
    entry->flags = 0;
    entry->events = 0;
}

static void entry_link(struct waitqueue *wq, struct wait_entry *entry) REQUIRES(wq->lock)
{
    if (entry->flags & WAIT_EXCLUSIVE)
        list_add_tail(&entry->link, &wq->entries);
    else
        list_add(&entry->link, &wq->entries);
}

void waitqueue_add(struct waitqueue *wq, struct wait_entry *entry)
{
    spin_irq_guard(&wq->lock);
    entry_link(wq, entry);
}

void waitqueue_remove(struct waitqueue *wq, struct wait_entry *entry)
{
    spin_irq_guard(&wq->lock);
    if (entry_linked(entry))
        entry_unlink(entry);
}

void waitqueue_end(struct waitqueue *wq)
{
    spin_irq_guard(&wq->lock);
    struct wait_entry *entry, *next;
    list_for_each_entry_safe(entry, next, &wq->entries, link) {
        entry_unlink(entry);
        (void)entry->callback(entry, WAIT_QUEUE_ENDS);
    }
}

int prepare_to_wait(struct waitqueue *wq, struct wait_entry *entry, enum thread_state state)
{
    irq_flags_t flags = spin_lock_irqsave(&wq->lock);
    if (!entry_linked(entry))
        entry_link(wq, entry);
    set_current_state(state);
    spin_unlock_irqrestore(&wq->lock, flags);
    if (state == THREAD_UNINTERRUPTIBLE || state == THREAD_PARKED)
        return 0;
    return thread_signal_pending(current_thread(), state == THREAD_KILLABLE) ? -EINTR : 0;
}

int prepare_to_wait_exclusive(struct waitqueue *wq, struct wait_entry *entry, enum thread_state state)
{
    entry->flags |= WAIT_EXCLUSIVE;
    return prepare_to_wait(wq, entry, state);
}

void finish_wait(struct waitqueue *wq, struct wait_entry *entry)
{
    // Ours alone: nobody else acts on the state of a running thread, so no barrier is needed.
    WRITE_ONCE(current_thread()->state, THREAD_RUNNING);
    if (entry_linked(entry))
        waitqueue_remove(wq, entry);
}

void completion_init(struct completion *c)
{
    c->done = false;
    waitqueue_init(&c->wait);
}

// Everything under the lock: the waiter takes it too before it returns, so the completion may stand on its stack.
void complete(struct completion *c) NO_THREAD_SAFETY_ANALYSIS
{
    irq_flags_t flags = spin_lock_irqsave(&c->wait.lock);
    WRITE_ONCE(c->done, true);
    struct wait_entry *entry, *next;
    list_for_each_entry_safe(entry, next, &c->wait.entries, link)
        entry->callback(entry, 0);
    spin_unlock_irqrestore(&c->wait.lock, flags);
}

static bool completion_done(struct completion *c)
{
    spin_irq_guard(&c->wait.lock);
    return c->done;
}

void wait_for_completion(struct completion *c)
{
    might_sleep();
    wait_event(&c->wait, completion_done(c));
}

int wait_for_completion_killable(struct completion *c)
{
    might_sleep();
    return wait_event_killable(&c->wait, completion_done(c));
}
