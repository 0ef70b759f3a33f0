// kernel/sync/spinlock.h — locks that spin: short sections, never sleeping. Taking one disables preemption.
//
// A lock that an interrupt handler also takes must be taken with the _irqsave form everywhere else. Free and uncontended costs one
// compare-and-exchange; waiters queue (spinlock.c tells how).
#pragma once

#include "arch/include/cpu.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/lock_class.h"
#include "kernel/sync/preempt.h"

struct CAPABILITY("spinlock") spinlock {
    uint32_t val; // low byte: taken; high half: tail of the queue of waiters. Owned by spinlock.c
#ifdef KERNEL_LOCK_CHECK
    const struct lock_class *class;
    unsigned owner_cpu; // CPU + 1; 0: free
#endif
};

#ifdef KERNEL_LOCK_CHECK
#define SPINLOCK_INIT(lock_class_ptr) {.class = (lock_class_ptr)}
// Provided by kernel/debug/lock_check.c: before the lock is waited for (a trylock: once it is taken), when it is held, before it is given up.
void lock_check_spin_acquire(struct spinlock *lock, bool trylock);
void lock_check_spin_acquired(struct spinlock *lock);
void lock_check_spin_release(struct spinlock *lock);
#else
#define SPINLOCK_INIT(lock_class_ptr) {.val = 0}
static inline void lock_check_spin_acquire(struct spinlock *, bool) {}
static inline void lock_check_spin_acquired(struct spinlock *) {}
static inline void lock_check_spin_release(struct spinlock *) {}
#endif

#define SPIN_TAKEN 1u

// Waits for a lock that was not free. Preemption is off.
void spin_lock_slow(struct spinlock *lock);

// A free lock of that class.
static inline void spin_init(struct spinlock *lock, [[maybe_unused]] const struct lock_class *class)
{
    *lock = (struct spinlock)SPINLOCK_INIT(class);
}

// The bare lock without preemption control: for the scheduler and code that has interrupts off already.
static inline void spin_lock_bare_(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    uint32_t free = 0;
    lock_check_spin_acquire(lock, false);
    if (unlikely(!__atomic_compare_exchange_n(&lock->val, &free, SPIN_TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
        spin_lock_slow(lock);
    lock_check_spin_acquired(lock);
}

static inline void spin_unlock_bare_(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    lock_check_spin_release(lock);
    __atomic_store_n((uint8_t *)&lock->val, 0, __ATOMIC_RELEASE);
}

// Where no interrupt handler takes the lock; preemption stays off until spin_unlock(). Any context but an NMI.
static inline void spin_lock(struct spinlock *lock) ACQUIRE(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    preempt_disable();
    spin_lock_bare_(lock);
}

// False, and preemption as before: somebody has it or waits for it.
[[nodiscard]] static inline bool spin_trylock(struct spinlock *lock) TRY_ACQUIRE(true, *lock) NO_THREAD_SAFETY_ANALYSIS
{
    uint32_t free = 0;
    preempt_disable();
    if (__atomic_compare_exchange_n(&lock->val, &free, SPIN_TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        lock_check_spin_acquire(lock, true);
        lock_check_spin_acquired(lock);
        return true;
    }
    preempt_enable();
    return false;
}

static inline void spin_unlock(struct spinlock *lock) RELEASE(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock_bare_(lock);
    preempt_enable();
}

// Returns whether interrupts were on, for spin_unlock_irqrestore().
[[nodiscard]] static inline irq_flags_t spin_lock_irqsave(struct spinlock *lock) ACQUIRE(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    irq_flags_t flags = arch_irq_save();
    preempt_disable();
    spin_lock_bare_(lock);
    return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags) RELEASE(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock_bare_(lock);
    arch_irq_restore(flags);
    preempt_enable();
}

// By anybody, at this moment.
static inline bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->val, __ATOMIC_RELAXED) & SPIN_TAKEN;
}

// Stops the kernel (fortress) if this CPU does not hold the lock; tells the analysis that it does.
#ifdef KERNEL_LOCK_CHECK
void spin_assert_held(const struct spinlock *lock) ASSERT_CAPABILITY(*lock);
#else
static inline void spin_assert_held([[maybe_unused]] const struct spinlock *lock) ASSERT_CAPABILITY(*lock) NO_THREAD_SAFETY_ANALYSIS
{
}
#endif

// Scoped: holds the lock until the end of the enclosing block.
static inline struct spinlock *spin_guard_take_(struct spinlock *lock) ASSERT_CAPABILITY(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock(lock);
    return lock;
}
static inline void spin_guard_drop_(struct spinlock **lock) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock(*lock);
}
#define spin_guard(lock) struct spinlock *UNIQUE(guard) CLEANUP(spin_guard_drop_) UNUSED = spin_guard_take_(lock)

// The same with interrupts off.
struct spin_irq_guard_ {
    struct spinlock *lock;
    irq_flags_t flags;
};
static inline struct spin_irq_guard_ spin_irq_guard_take_(struct spinlock *lock) ASSERT_CAPABILITY(*lock) NO_THREAD_SAFETY_ANALYSIS
{
    irq_flags_t flags = spin_lock_irqsave(lock);
    return (struct spin_irq_guard_){lock, flags};
}
static inline void spin_irq_guard_drop_(struct spin_irq_guard_ *guard) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock_irqrestore(guard->lock, guard->flags);
}
#define spin_irq_guard(lock) struct spin_irq_guard_ UNIQUE(guard) CLEANUP(spin_irq_guard_drop_) UNUSED = spin_irq_guard_take_(lock)
