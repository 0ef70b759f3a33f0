// kernel/sync/rwsem.h — a sleeping lock with one writer or many readers. Threads only, never in interrupts.
//
// Free and uncontended, each operation is one atomic instruction, here; the waiting is in rwsem.c.
#pragma once

#include "kernel/base/list.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"

struct thread;

// A fair reader/writer lock: who has to wait is served in order, so a waiting writer holds back later readers; only a thread that is awake may
// overtake sleepers, and each of them once at most. A thread may not take it for reading twice: a writer between the two would wait for the
// first and hold back the second.
struct CAPABILITY("rwsem") rwsem {
    int64_t count; // RWSEM_WRITER, RWSEM_WAITERS, RWSEM_HANDOFF, and RWSEM_READER for each reader
    struct thread *writer; // who holds it for writing: waiters look whether it runs
    struct spinlock wait_lock;
    struct list_head waiters;
#ifdef KERNEL_LOCK_CHECK
    const struct lock_class *class;
#endif
};

#define RWSEM_WRITER 1ll
#define RWSEM_WAITERS 2ll
#define RWSEM_HANDOFF 4ll // the first waiter was overtaken once: the next release gives it the lock
#define RWSEM_READER 8ll

// Static initialiser.
#ifdef KERNEL_LOCK_CHECK
#define RWSEM_INIT(name, lock_class_ptr)                                                                               \
    {.wait_lock = SPINLOCK_INIT(&mutex_wait_class), .waiters = LIST_HEAD_INIT((name).waiters), .class = (lock_class_ptr)}
#else
#define RWSEM_INIT(name, lock_class_ptr) {.wait_lock = SPINLOCK_INIT(&mutex_wait_class), .waiters = LIST_HEAD_INIT((name).waiters)}
#endif

void rwsem_init(struct rwsem *sem, const struct lock_class *class);
// The waiting halves; `kind` is an enum thread_state, as for mutexes.
void down_read_slow_(struct rwsem *sem);
void up_read_slow_(struct rwsem *sem);
[[nodiscard]] int down_write_slow_(struct rwsem *sem, int kind);
void up_write_slow_(struct rwsem *sem);

// Waits, uninterruptibly, until the caller has it as one of the readers.
static inline void down_read(struct rwsem *sem) ACQUIRE_SHARED(*sem) NO_THREAD_SAFETY_ANALYSIS
{
    might_sleep();
    LOCK_CHECK_ACQUIRE_(sem, false, true);
    if (unlikely(__atomic_fetch_add(&sem->count, RWSEM_READER, __ATOMIC_ACQUIRE) & (RWSEM_READER - 1)))
        down_read_slow_(sem);
    LOCK_CHECK_ACQUIRED_(sem, true);
}

// Never sleeps. False: a writer holds it, or somebody waits for it.
[[nodiscard]] bool down_read_trylock(struct rwsem *sem) __attribute__((try_acquire_shared_capability(true, *sem)));

static inline void up_read(struct rwsem *sem) RELEASE_SHARED(*sem) NO_THREAD_SAFETY_ANALYSIS
{
    LOCK_CHECK_RELEASE_(sem);
    int64_t left = __atomic_sub_fetch(&sem->count, RWSEM_READER, __ATOMIC_RELEASE);
    if (unlikely((left & ~RWSEM_HANDOFF) == RWSEM_WAITERS))
        up_read_slow_(sem);
}

static inline bool down_write_try_(struct rwsem *sem)
{
    int64_t free = 0;
    if (!__atomic_compare_exchange_n(&sem->count, &free, RWSEM_WRITER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    WRITE_ONCE(sem->writer, arch_current());
    return true;
}

void down_write_uninterruptible_(struct rwsem *sem); // down_write() when it was not free

// Waits, uninterruptibly, until the caller has it alone.
static inline void down_write(struct rwsem *sem) ACQUIRE(*sem) NO_THREAD_SAFETY_ANALYSIS
{
    might_sleep();
    LOCK_CHECK_ACQUIRE_(sem, false, false);
    if (unlikely(!down_write_try_(sem)))
        down_write_uninterruptible_(sem);
    LOCK_CHECK_ACQUIRED_(sem, false);
}

// The same, but a fatal signal ends the wait: 0, or -EINTR and not taken.
[[nodiscard]] int down_write_killable(struct rwsem *sem) TRY_ACQUIRE(0, *sem);

// Never sleeps. False: somebody holds it, or waits for it.
[[nodiscard]] static inline bool down_write_trylock(struct rwsem *sem) TRY_ACQUIRE(true, *sem) NO_THREAD_SAFETY_ANALYSIS
{
    if (!down_write_try_(sem))
        return false;
    LOCK_CHECK_ACQUIRE_(sem, true, false);
    LOCK_CHECK_ACQUIRED_(sem, false);
    return true;
}

static inline void up_write(struct rwsem *sem) RELEASE(*sem) NO_THREAD_SAFETY_ANALYSIS
{
    int64_t mine = RWSEM_WRITER;
    LOCK_CHECK_RELEASE_(sem);
    WRITE_ONCE(sem->writer, nullptr);
    if (unlikely(!__atomic_compare_exchange_n(&sem->count, &mine, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
        up_write_slow_(sem);
}

// Turns a write hold into a read hold without letting another writer in between.
void downgrade_write(struct rwsem *sem) NO_THREAD_SAFETY_ANALYSIS;

// By anybody, for reading or writing.
static inline bool rwsem_is_locked(const struct rwsem *sem)
{
    return (__atomic_load_n(&sem->count, __ATOMIC_RELAXED) & ~(RWSEM_WAITERS | RWSEM_HANDOFF)) != 0;
}

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
