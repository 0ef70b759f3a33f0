// kernel/sync/mutex.h — sleeping locks: one holder, or (rwsem) one writer or many readers. Threads only, never in interrupts.
#pragma once

#include "kernel/base/list.h"
#include "kernel/sync/spinlock.h"

struct thread;

struct CAPABILITY("mutex") mutex {
    struct thread *owner; // null: free. Low bit: there are waiters.
    struct spinlock wait_lock;
    struct list_head waiters;
#ifdef KERNEL_LOCK_CHECK
    const struct lock_class *class;
#endif
};

void mutex_init(struct mutex *lock, const struct lock_class *class);
void mutex_lock(struct mutex *lock) ACQUIRE(*lock);
// As mutex_lock, but a signal ends the wait: 0 or -EINTR (killable: only a fatal one).
[[nodiscard]] int mutex_lock_interruptible(struct mutex *lock) TRY_ACQUIRE(0, *lock);
[[nodiscard]] int mutex_lock_killable(struct mutex *lock) TRY_ACQUIRE(0, *lock);
[[nodiscard]] bool mutex_trylock(struct mutex *lock) TRY_ACQUIRE(true, *lock);
void mutex_unlock(struct mutex *lock) RELEASE(*lock);
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

// A fair reader/writer lock: a waiting writer holds back later readers.
struct CAPABILITY("rwsem") rwsem {
    int64_t count; // > 0: readers; -1: a writer
    struct thread *writer;
    struct spinlock wait_lock;
    struct list_head waiters;
#ifdef KERNEL_LOCK_CHECK
    const struct lock_class *class;
#endif
};

void rwsem_init(struct rwsem *sem, const struct lock_class *class);
void down_read(struct rwsem *sem) ACQUIRE_SHARED(*sem);
[[nodiscard]] bool down_read_trylock(struct rwsem *sem) __attribute__((try_acquire_shared_capability(true, *sem)));
void up_read(struct rwsem *sem) RELEASE_SHARED(*sem);
void down_write(struct rwsem *sem) ACQUIRE(*sem);
[[nodiscard]] int down_write_killable(struct rwsem *sem) TRY_ACQUIRE(0, *sem);
[[nodiscard]] bool down_write_trylock(struct rwsem *sem) TRY_ACQUIRE(true, *sem);
void up_write(struct rwsem *sem) RELEASE(*sem);
// Turns a write hold into a read hold without letting another writer in between.
void downgrade_write(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS;

static inline struct rwsem *rwsem_read_guard_take_(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS
{
    down_read(sem);
    return sem;
}
static inline void rwsem_read_guard_drop_(struct rwsem **sem) NO_THREAD_SAFETY_ANALYSIS
{
    up_read(*sem);
}
static inline struct rwsem *rwsem_write_guard_take_(struct rwsem *sem) ASSERT_CAPABILITY(*sem) NO_THREAD_SAFETY_ANALYSIS
{
    down_write(sem);
    return sem;
}
static inline void rwsem_write_guard_drop_(struct rwsem **sem) NO_THREAD_SAFETY_ANALYSIS
{
    up_write(*sem);
}
#define read_guard(sem) struct rwsem *UNIQUE(guard) CLEANUP(rwsem_read_guard_drop_) UNUSED = rwsem_read_guard_take_(sem)
#define write_guard(sem) struct rwsem *UNIQUE(guard) CLEANUP(rwsem_write_guard_drop_) UNUSED = rwsem_write_guard_take_(sem)
