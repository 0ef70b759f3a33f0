// kernel/sync/rwsem.c — waiting for a reader/writer lock.
//
// Whoever can not have the lock at once stands in a list, and the lock is given, not fought for: the thread that makes it free calls
// rwsem_grant(), which counts the first waiter in (a writer, or all readers up to the next writer) before it wakes it. That is what makes the
// lock fair; a waiter that wakes up owns it already. While the list is not empty RWSEM_WAITERS sends every newcomer to the slow path.
// A reader counts itself before it looks; on the slow path it takes the count back under wait_lock, and grants anew, since its stray count may
// have kept a writer out.
// Locking: wait_lock guards the list and the RWSEM_WAITERS bit.

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"

struct rwsem_waiter {
    struct list_head link;
    struct thread *thread;
    bool writer;
    bool granted; // set last by the granter; the waiter's stack may be gone right after
};

void rwsem_init(struct rwsem *sem, [[maybe_unused]] const struct lock_class *class)
{
    *sem = (struct rwsem)RWSEM_INIT(*sem, class);
}

// Under wait_lock, so with preemption off: RCU keeps the thread's memory, even if it runs off and exits at once.
static void waiter_hand_over(struct rwsem_waiter *waiter)
{
    struct thread *thread = waiter->thread;
    list_del(&waiter->link);
    __atomic_store_n(&waiter->granted, true, __ATOMIC_RELEASE);
    thread_wake(thread, WAKE_NORMAL);
}

static void update_waiters_bit(struct rwsem *sem) REQUIRES(sem->wait_lock)
{
    if (list_empty(&sem->waiters))
        __atomic_fetch_and(&sem->count, ~RWSEM_WAITERS, __ATOMIC_RELAXED);
}

// Gives the lock to the first waiter, and if that is a reader to the readers behind it, as far as the count allows.
static void rwsem_grant(struct rwsem *sem) REQUIRES(sem->wait_lock)
{
    struct rwsem_waiter *first;
    while ((first = list_first_entry_or_null(&sem->waiters, struct rwsem_waiter, link))) {
        int64_t count = __atomic_load_n(&sem->count, __ATOMIC_RELAXED);
        if (first->writer) {
            if (count != RWSEM_WAITERS)
                break; // held, or a reader is just taking its stray count back and will call us
            if (!__atomic_compare_exchange_n(&sem->count, &count, RWSEM_WAITERS | RWSEM_WRITER, false, __ATOMIC_ACQUIRE,
                                             __ATOMIC_RELAXED))
                continue;
            WRITE_ONCE(sem->writer, first->thread);
            waiter_hand_over(first);
            break;
        }
        if (count & RWSEM_WRITER)
            break;
        __atomic_fetch_add(&sem->count, RWSEM_READER, __ATOMIC_ACQUIRE);
        waiter_hand_over(first);
    }
    update_waiters_bit(sem);
}

// Stands in the list until granted. wait_lock is held on entry, dropped on return. 0, or -EINTR and not granted.
static int rwsem_wait(struct rwsem *sem, struct rwsem_waiter *waiter, int kind) RELEASE(sem->wait_lock) NO_THREAD_SAFETY_ANALYSIS
{
    list_add_tail(&waiter->link, &sem->waiters);
    __atomic_fetch_or(&sem->count, RWSEM_WAITERS, __ATOMIC_RELAXED);
    rwsem_grant(sem);
    spin_unlock(&sem->wait_lock);
    for (;;) {
        set_current_state((enum thread_state)kind);
        if (__atomic_load_n(&waiter->granted, __ATOMIC_ACQUIRE))
            break;
        if (kind != THREAD_UNINTERRUPTIBLE && thread_signal_pending(current_thread(), kind == THREAD_KILLABLE)) {
            spin_guard(&sem->wait_lock);
            if (waiter->granted)
                break;
            list_del(&waiter->link);
            rwsem_grant(sem); // those behind may be readers that only we held back
            set_current_state(THREAD_RUNNING);
            return -EINTR;
        }
        schedule();
    }
    set_current_state(THREAD_RUNNING);
    return 0;
}

void down_read_slow_(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock(&sem->wait_lock);
    if (!(__atomic_load_n(&sem->count, __ATOMIC_ACQUIRE) & (RWSEM_WRITER | RWSEM_WAITERS))) {
        spin_unlock(&sem->wait_lock); // free by now: our count stands
        return;
    }
    __atomic_fetch_sub(&sem->count, RWSEM_READER, __ATOMIC_RELAXED);
    struct rwsem_waiter waiter = {.thread = current_thread()};
    (void)rwsem_wait(sem, &waiter, THREAD_UNINTERRUPTIBLE);
}

bool down_read_trylock(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS
{
    int64_t old = __atomic_load_n(&sem->count, __ATOMIC_RELAXED);
    do {
        if (old & (RWSEM_WRITER | RWSEM_WAITERS))
            return false;
    } while (!__atomic_compare_exchange_n(&sem->count, &old, old + RWSEM_READER, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    LOCK_CHECK_ACQUIRE_(sem, true, true);
    LOCK_CHECK_ACQUIRED_(sem, true);
    return true;
}

void up_read_slow_(struct rwsem *sem)
{
    spin_guard(&sem->wait_lock);
    rwsem_grant(sem);
}

int down_write_slow_(struct rwsem *sem, int kind) NO_THREAD_SAFETY_ANALYSIS
{
    struct rwsem_waiter waiter = {.thread = current_thread(), .writer = true};
    spin_lock(&sem->wait_lock);
    return rwsem_wait(sem, &waiter, kind);
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
    rwsem_grant(sem);
}

void downgrade_write(struct rwsem *sem)
{
    WRITE_ONCE(sem->writer, nullptr);
    int64_t now = __atomic_add_fetch(&sem->count, RWSEM_READER - RWSEM_WRITER, __ATOMIC_RELEASE);
    if (now & RWSEM_WAITERS) {
        spin_guard(&sem->wait_lock);
        rwsem_grant(sem);
    }
}
