// kernel/sync/rwsem.c — waiting for a reader/writer lock.
//
// Whoever can not have the lock at once first watches a while: a writer that is running on another CPU will probably be through before a sleep
// would pay. Then it stands in a list and sleeps. The thread that makes the lock free wakes the first writer, or all readers up to the next
// writer; they take the lock themselves, so that a thread already awake can use it in the time the sleeper needs to come. A first waiter that was
// overtaken so sets RWSEM_HANDOFF: nobody overtakes it again, and the next release counts it in before waking it.
//
// A reader counts itself before it looks; on the slow path it takes the count back. Its stray count may have kept a writer out meanwhile, so taking it
// back is a release like any other.
//
// Locking: wait_lock guards the list and the two waiter bits of the count.

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/rwsem.h"

// How often a waiter looks at the lock before it sleeps. Bounded also where the writer runs: that may be a virtual CPU that its host does not
// run at all now.
#define SPIN_LIMIT 300

struct rwsem_waiter {
    struct list_head link;
    struct thread *thread;
    bool writer;
    bool granted; // wait_lock
};

void rwsem_init(struct rwsem *sem, [[maybe_unused]] const struct lock_class *class)
{
    *sem = (struct rwsem)RWSEM_INIT(*sem, class);
}

// One attempt with the bits of `barred` forbidden.
static bool try_take(struct rwsem *sem, bool writer, int64_t barred)
{
    int64_t old = __atomic_load_n(&sem->count, __ATOMIC_RELAXED);
    barred |= RWSEM_WRITER;
    do {
        if (old & barred || (writer && old >= RWSEM_READER))
            return false;
    } while (!__atomic_compare_exchange_n(&sem->count, &old, old + (writer ? RWSEM_WRITER : RWSEM_READER), true, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    if (writer)
        WRITE_ONCE(sem->writer, current_thread());
    return true;
}

// Watches the lock for as long as its writer runs. Threads are freed by RCU, so looking at the writer is safe with preemption off.
static bool spin(struct rwsem *sem, bool writer)
{
    if (nr_cpus == 1)
        return false;
    bool taken = false;
    preempt_disable();
    for (unsigned patience = SPIN_LIMIT; patience && !this_cpu_read(need_resched); patience--) {
        int64_t count = __atomic_load_n(&sem->count, __ATOMIC_RELAXED);
        if (count & RWSEM_HANDOFF)
            break;
        taken = try_take(sem, writer, RWSEM_HANDOFF);
        if (taken)
            break;
        const struct thread *owner = READ_ONCE(sem->writer);
        if (count & RWSEM_WRITER && owner && !__atomic_load_n(&owner->on_cpu, __ATOMIC_RELAXED))
            break;
        cpu_relax();
    }
    preempt_enable();
    return taken;
}

static void leave_queue(struct rwsem *sem, struct rwsem_waiter *waiter) REQUIRES(sem->wait_lock)
{
    bool first = sem->waiters.next == &waiter->link;
    list_del(&waiter->link);
    int64_t clear = list_empty(&sem->waiters) ? RWSEM_WAITERS | RWSEM_HANDOFF : first ? RWSEM_HANDOFF : 0;
    if (clear)
        __atomic_fetch_and(&sem->count, ~clear, __ATOMIC_RELAXED);
}

// The lock may have become free: hands it to, or wakes, who is first, and if that is a reader those behind it up to a writer. The threads'
// memory is safe: preemption is off, so this is an RCU reader.
static void wake_first(struct rwsem *sem) REQUIRES(sem->wait_lock)
{
    struct rwsem_waiter *waiter = list_first_entry_or_null(&sem->waiters, struct rwsem_waiter, link), *next;
    if (!waiter)
        return;
    int64_t count = __atomic_load_n(&sem->count, __ATOMIC_RELAXED);
    if (count & RWSEM_WRITER || (waiter->writer && count >= RWSEM_READER))
        return;
    if (count & RWSEM_HANDOFF && !waiter->granted) {
        // No newcomer takes the lock now; only stray counts of readers come and go.
        if (waiter->writer) {
            int64_t alone = RWSEM_WAITERS | RWSEM_HANDOFF;
            if (!__atomic_compare_exchange_n(&sem->count, &alone, alone | RWSEM_WRITER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return;
            WRITE_ONCE(sem->writer, waiter->thread);
        } else {
            __atomic_fetch_add(&sem->count, RWSEM_READER, __ATOMIC_ACQUIRE);
        }
        waiter->granted = true;
    }
    if (waiter->writer) {
        thread_wake(waiter->thread, WAKE_NORMAL);
        return;
    }
    for (; !waiter->writer; waiter = next) {
        next = list_next_entry(waiter, link);
        thread_wake(waiter->thread, WAKE_NORMAL);
        if (&next->link == &sem->waiters)
            break;
    }
}

// Whether everyone in front of the waiter is a reader, so that a reader may go too.
static bool only_readers_before(const struct rwsem *sem, const struct rwsem_waiter *waiter)
{
    for (const struct list_head *pos = waiter->link.prev; pos != &sem->waiters; pos = pos->prev)
        if (LIST_ENTRY(pos, const struct rwsem_waiter, link)->writer)
            return false;
    return true;
}

static bool waiter_try(struct rwsem *sem, struct rwsem_waiter *waiter) REQUIRES(sem->wait_lock)
{
    if (waiter->granted)
        return true;
    bool first = sem->waiters.next == &waiter->link;
    if (waiter->writer ? !first : !only_readers_before(sem, waiter))
        return false;
    return try_take(sem, waiter->writer, first ? 0 : RWSEM_HANDOFF);
}

// Stands in the list until it has the lock. 0, or -EINTR and not taken.
static int wait_in_queue(struct rwsem *sem, bool writer, int kind) NO_THREAD_SAFETY_ANALYSIS
{
    struct rwsem_waiter waiter = {.thread = current_thread(), .writer = writer};
    int err = 0;
    spin_lock(&sem->wait_lock);
    list_add_tail(&waiter.link, &sem->waiters);
    __atomic_fetch_or(&sem->count, RWSEM_WAITERS, __ATOMIC_SEQ_CST);
    for (bool overtaken = false; !waiter_try(sem, &waiter); overtaken = true) {
        if (kind != THREAD_UNINTERRUPTIBLE && thread_signal_pending(waiter.thread, kind == THREAD_KILLABLE)) {
            err = -EINTR;
            break;
        }
        if (overtaken && sem->waiters.next == &waiter.link)
            __atomic_fetch_or(&sem->count, RWSEM_HANDOFF, __ATOMIC_SEQ_CST);
        set_current_state((enum thread_state)kind);
        // The bits are set: whoever releases from here on takes the slow way and finds us. Who released just before does not: look once more.
        if (waiter_try(sem, &waiter)) {
            set_current_state(THREAD_RUNNING);
            break;
        }
        spin_unlock(&sem->wait_lock);
        if (kind == THREAD_UNINTERRUPTIBLE || !thread_signal_pending(waiter.thread, kind == THREAD_KILLABLE))
            schedule();
        set_current_state(THREAD_RUNNING);
        spin_lock(&sem->wait_lock);
    }
    leave_queue(sem, &waiter);
    wake_first(sem); // readers behind a reader, or behind one that gave up
    spin_unlock(&sem->wait_lock);
    return err;
}

static void take_back_stray_count(struct rwsem *sem)
{
    int64_t left = __atomic_sub_fetch(&sem->count, RWSEM_READER, __ATOMIC_RELEASE);
    if ((left & ~RWSEM_HANDOFF) == RWSEM_WAITERS)
        up_read_slow_(sem);
}

void down_read_slow_(struct rwsem *sem)
{
    take_back_stray_count(sem);
    if (!spin(sem, false))
        (void)wait_in_queue(sem, false, THREAD_UNINTERRUPTIBLE);
}

bool down_read_trylock(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS
{
    if (!try_take(sem, false, RWSEM_WAITERS | RWSEM_HANDOFF))
        return false;
    LOCK_CHECK_ACQUIRE_(sem, true, true);
    LOCK_CHECK_ACQUIRED_(sem, true);
    return true;
}

void up_read_slow_(struct rwsem *sem)
{
    spin_guard(&sem->wait_lock);
    wake_first(sem);
}

int down_write_slow_(struct rwsem *sem, int kind)
{
    return spin(sem, true) ? 0 : wait_in_queue(sem, true, kind);
}

void down_write_uninterruptible_(struct rwsem *sem)
{
    (void)down_write_slow_(sem, THREAD_UNINTERRUPTIBLE);
}

int down_write_killable(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS
{
    might_sleep();
    LOCK_CHECK_ACQUIRE_(sem, false, false);
    int err = down_write_try_(sem) ? 0 : down_write_slow_(sem, THREAD_KILLABLE);
    if (!err)
        LOCK_CHECK_ACQUIRED_(sem, false);
    return err;
}

void up_write_slow_(struct rwsem *sem)
{
    spin_guard(&sem->wait_lock);
    __atomic_fetch_and(&sem->count, ~RWSEM_WRITER, __ATOMIC_RELEASE);
    wake_first(sem);
}

void downgrade_write(struct rwsem *sem)
{
    WRITE_ONCE(sem->writer, nullptr);
    int64_t now = __atomic_add_fetch(&sem->count, RWSEM_READER - RWSEM_WRITER, __ATOMIC_RELEASE);
    if (now & RWSEM_WAITERS) {
        spin_guard(&sem->wait_lock);
        wake_first(sem);
    }
}
