// kernel/sync/mutex.h — a sleeping lock with one holder. Threads only, never in interrupts.
//
// Free and uncontended, each operation is one atomic instruction, here; the waiting is in mutex.c.
#pragma once

#include "kernel/base/list.h"
#include "kernel/sync/spinlock.h"

struct thread;

struct CAPABILITY("mutex") mutex {
    uintptr_t owner; // the holder's struct thread, or 0; low bits: MUTEX_WAITERS, MUTEX_HANDOFF
    struct spinlock wait_lock;
    struct list_head waiters; // first come, first in the list: wait_lock
#ifdef KERNEL_LOCK_CHECK
    const struct lock_class *class;
#endif
};

#define MUTEX_WAITERS 1ul // somebody sleeps: unlocking goes the slow way
#define MUTEX_HANDOFF 2ul // the first waiter was overtaken once: the next unlock gives it the lock
#define MUTEX_FLAGS 3ul

#ifdef KERNEL_LOCK_CHECK
// Provided by kernel/debug/lock_check.c. Before waiting, after getting, before giving up a lock that sleeps.
void lock_check_acquire(const void *lock, const struct lock_class *class, bool trylock, bool shared);
void lock_check_acquired(const void *lock, const struct lock_class *class, bool shared);
void lock_check_release(const void *lock);
bool lock_check_held(const void *lock);
#define LOCK_CHECK_ACQUIRE_(lock, trylock, shared) lock_check_acquire((lock), (lock)->class, (trylock), (shared))
#define LOCK_CHECK_ACQUIRED_(lock, shared) lock_check_acquired((lock), (lock)->class, (shared))
#define LOCK_CHECK_RELEASE_(lock) lock_check_release(lock)
#else
#define LOCK_CHECK_ACQUIRE_(lock, trylock, shared) ((void)0)
#define LOCK_CHECK_ACQUIRED_(lock, shared) ((void)0)
#define LOCK_CHECK_RELEASE_(lock) ((void)0)
#endif

// A free mutex of that class; its memory may be zeroed or not.
void mutex_init(struct mutex *lock, const struct lock_class *class);

// The waiting halves. `kind` is an enum thread_state: how the sleep may be ended. 0 or -EINTR.
[[nodiscard]] int mutex_lock_slow(struct mutex *lock, int kind);
void mutex_unlock_slow(struct mutex *lock);

static inline bool mutex_try_fast_(struct mutex *lock)
{
    uintptr_t free = 0;
    return __atomic_compare_exchange_n(&lock->owner, &free, (uintptr_t)arch_current(), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void mutex_lock_uninterruptible_(struct mutex *lock); // mutex_lock() when it was not free

// Waits, uninterruptibly, until the lock is the current thread's. It must not be so already.
static inline void mutex_lock(struct mutex *lock) ACQUIRE(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    might_sleep();
    LOCK_CHECK_ACQUIRE_(lock, false, false);
    if (unlikely(!mutex_try_fast_(lock)))
        mutex_lock_uninterruptible_(lock);
    LOCK_CHECK_ACQUIRED_(lock, false);
}
// As mutex_lock, but a signal ends the wait: 0 or -EINTR (killable: only a fatal one).
[[nodiscard]] int mutex_lock_interruptible(struct mutex *lock) TRY_ACQUIRE(0, *lock);
[[nodiscard]] int mutex_lock_killable(struct mutex *lock) TRY_ACQUIRE(0, *lock);

// Takes the lock if that needs no waiting; false: somebody has it, or waits for it. Never sleeps, but threads only: the owner is the current thread.
[[nodiscard]] static inline bool mutex_trylock(struct mutex *lock) TRY_ACQUIRE(true, *lock) NO_THREAD_SAFETY_ANALYSIS
{
    if (!mutex_try_fast_(lock))
        return false;
    LOCK_CHECK_ACQUIRE_(lock, true, false);
    LOCK_CHECK_ACQUIRED_(lock, false);
    return true;
}

// The lock may not be freed by the next holder while this call has not returned: who frees an object does so when no one can be in here.
static inline void mutex_unlock(struct mutex *lock) RELEASE(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    uintptr_t mine = (uintptr_t)arch_current();
    LOCK_CHECK_RELEASE_(lock);
    if (unlikely(!__atomic_compare_exchange_n(&lock->owner, &mine, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
        mutex_unlock_slow(lock);
}

// By anybody. mutex_assert_held() is for one's own: it stops the kernel, in the fortress profile, if another or nobody holds it.
static inline bool mutex_is_locked(const struct mutex *lock)
{
    return (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) & ~MUTEX_FLAGS) != 0;
}
void mutex_assert_held(const struct mutex *lock) ASSERT_CAPABILITY(*lock);

// Static initialiser.
#ifdef KERNEL_LOCK_CHECK
#define MUTEX_INIT(name, lock_class_ptr)                                                                               \
    {.wait_lock = SPINLOCK_INIT(&mutex_wait_class), .waiters = LIST_HEAD_INIT((name).waiters), .class = (lock_class_ptr)}
#else
#define MUTEX_INIT(name, lock_class_ptr) {.wait_lock = SPINLOCK_INIT(&mutex_wait_class), .waiters = LIST_HEAD_INIT((name).waiters)}
#endif
extern const struct lock_class mutex_wait_class;

static inline struct mutex *mutex_guard_take_(struct mutex *lock) ASSERT_CAPABILITY(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(lock);
    return lock;
}
static inline void mutex_guard_drop_(struct mutex **lock) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_unlock(*lock);
}
#define mutex_guard(lock) struct mutex *UNIQUE(guard) CLEANUP(mutex_guard_drop_) UNUSED = mutex_guard_take_(lock)
