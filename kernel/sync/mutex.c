// kernel/sync/mutex.c — waiting for a mutex.
//
// The owner word says everything: 0 free, else the holder's thread, with two flags in its low bits. The flags change only under wait_lock;
// the thread part is taken by compare-and-exchange by anyone who sees it empty, and emptied by the holder.
//   * A newcomer first watches the holder: while it is running on another CPU the lock will probably be free before a sleep would pay.
//   * Then it stands in the list and sleeps. Unlocking with waiters empties the thread part and wakes the first, which has to compete.
//   * A first waiter that lost once sets MUTEX_HANDOFF; the next unlock then makes it the owner itself. So nobody starves.
// Locking: wait_lock guards the list and the flags. It ranks just outside the scheduler's own locks.

#include "kernel/sync/mutex.h"

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/sched/sched.h"

DEFINE_LOCK_CLASS(mutex_wait_class, "mutex waiters", RANK_WAITQUEUE);

// How often the holder is watched before sleeping. Bounded, because a holder that "runs" may be a virtual CPU that its host does not run, and even
// be waiting for the very processor we spin on.
#define SPIN_LIMIT 300

struct mutex_waiter {
    struct list_head link;
    struct thread *thread;
};

void mutex_init(struct mutex *lock, [[maybe_unused]] const struct lock_class *class)
{
    *lock = (struct mutex)MUTEX_INIT(*lock, class);
}

void mutex_assert_held([[maybe_unused]] const struct mutex *lock) NO_THREAD_SAFETY_ANALYSIS
{
    DEBUG_ASSERT((READ_ONCE(lock->owner) & ~MUTEX_FLAGS) == (uintptr_t)current_thread());
}

// Takes the lock if its thread part is empty, keeping the flags; or notices that it was handed to us.
static bool mutex_try(struct mutex *lock)
{
    uintptr_t me = (uintptr_t)current_thread();
    uintptr_t old = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
    do {
        if ((old & ~MUTEX_FLAGS) == me) {
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
            return true;
        }
        // With a hand-over announced the lock is the first waiter's; it takes it here too if the unlock came before the announcement.
        if (old & ~MUTEX_FLAGS)
            return false;
    } while (!__atomic_compare_exchange_n(&lock->owner, &old, me | old, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

// Watches the holder for as long as it runs. True: got the lock. Threads are freed by RCU, so looking at the holder is safe here.
static bool mutex_spin(struct mutex *lock)
{
    if (nr_cpus == 1)
        return false;
    bool taken = false;
    preempt_disable();
    for (unsigned patience = SPIN_LIMIT; patience; patience--) {
        uintptr_t owner = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
        if (owner & MUTEX_HANDOFF)
            break;
        const struct thread *holder = (const struct thread *)(owner & ~MUTEX_FLAGS);
        if (!holder) {
            taken = mutex_try(lock);
            if (taken)
                break;
        } else if (!__atomic_load_n(&holder->on_cpu, __ATOMIC_RELAXED)) {
            break;
        }
        if (this_cpu_read(need_resched))
            break;
        cpu_relax();
    }
    preempt_enable();
    return taken;
}

// Takes the waiter out; the last one clears the flags.
static void mutex_leave_queue(struct mutex *lock, struct mutex_waiter *waiter) REQUIRES(lock->wait_lock)
{
    bool first = lock->waiters.next == &waiter->link;
    list_del(&waiter->link);
    uintptr_t clear = list_empty(&lock->waiters) ? MUTEX_FLAGS : first ? MUTEX_HANDOFF : 0;
    if (clear)
        __atomic_fetch_and(&lock->owner, ~clear, __ATOMIC_RELAXED);
}

int mutex_lock_slow(struct mutex *lock, int kind)
{
    // Later on, finding ourselves the owner means that the lock was handed to us.
    DEBUG_ASSERT((READ_ONCE(lock->owner) & ~MUTEX_FLAGS) != (uintptr_t)current_thread());
    if (mutex_spin(lock))
        return 0;
    struct mutex_waiter waiter = {.thread = current_thread()};
    int err = 0;
    spin_lock(&lock->wait_lock);
    list_add_tail(&waiter.link, &lock->waiters);
    __atomic_fetch_or(&lock->owner, MUTEX_WAITERS, __ATOMIC_RELAXED);
    for (bool overtaken = false; !mutex_try(lock); overtaken = true) {
        if (kind != THREAD_UNINTERRUPTIBLE && thread_signal_pending(current_thread(), kind == THREAD_KILLABLE)) {
            err = -EINTR;
            break;
        }
        if (overtaken && lock->waiters.next == &waiter.link)
            __atomic_fetch_or(&lock->owner, MUTEX_HANDOFF, __ATOMIC_RELAXED);
        set_current_state((enum thread_state)kind);
        spin_unlock(&lock->wait_lock);
        // An unlock or a signal from here on finds our state set and undoes it: schedule() then returns at once.
        if (kind == THREAD_UNINTERRUPTIBLE || !thread_signal_pending(current_thread(), kind == THREAD_KILLABLE))
            schedule();
        set_current_state(THREAD_RUNNING);
        spin_lock(&lock->wait_lock);
    }
    mutex_leave_queue(lock, &waiter);
    // Giving up while the lock is free: the wake-up meant for us goes to the next.
    if (err && !list_empty(&lock->waiters) && !(lock->owner & ~MUTEX_FLAGS))
        thread_wake(list_first_entry(&lock->waiters, struct mutex_waiter, link)->thread, WAKE_NORMAL);
    spin_unlock(&lock->wait_lock);
    return err;
}

void mutex_lock_uninterruptible_(struct mutex *lock)
{
    (void)mutex_lock_slow(lock, THREAD_UNINTERRUPTIBLE);
}

static int mutex_lock_kind(struct mutex *lock, int kind)
{
    might_sleep();
    LOCK_CHECK_ACQUIRE_(lock, false, false);
    int err = mutex_try_fast_(lock) ? 0 : mutex_lock_slow(lock, kind);
    if (!err)
        LOCK_CHECK_ACQUIRED_(lock, false);
    return err;
}

int mutex_lock_interruptible(struct mutex *lock) NO_THREAD_SAFETY_ANALYSIS
{
    return mutex_lock_kind(lock, THREAD_INTERRUPTIBLE);
}

int mutex_lock_killable(struct mutex *lock) NO_THREAD_SAFETY_ANALYSIS
{
    return mutex_lock_kind(lock, THREAD_KILLABLE);
}

void mutex_unlock_slow(struct mutex *lock)
{
    ASSERT((READ_ONCE(lock->owner) & ~MUTEX_FLAGS) == (uintptr_t)current_thread());
    spin_lock(&lock->wait_lock);
    struct mutex_waiter *first = list_first_entry_or_null(&lock->waiters, struct mutex_waiter, link);
    uintptr_t flags = READ_ONCE(lock->owner) & MUTEX_FLAGS; // steady: wait_lock
    uintptr_t next = first && (flags & MUTEX_HANDOFF) ? (uintptr_t)first->thread | MUTEX_WAITERS : flags & MUTEX_WAITERS;
    __atomic_store_n(&lock->owner, next, __ATOMIC_RELEASE);
    if (first)
        thread_wake(first->thread, WAKE_NORMAL);
    spin_unlock(&lock->wait_lock);
}
