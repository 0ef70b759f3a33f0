// kernel/sync/spinlock.h — locks that spin: short sections, never sleeping. Taking one disables preemption.
//
// A lock that an interrupt handler also takes must be taken with the _irqsave form everywhere else.
#pragma once

#include "arch/include/cpu.h"
#include "kernel/sync/lock_class.h"
#include "kernel/sync/preempt.h"

struct CAPABILITY("spinlock") spinlock {
    uint32_t val; // owned by spinlock.c
#ifdef KERNEL_LOCK_CHECK
    const struct lock_class *class;
    unsigned owner_cpu;
#endif
};

#ifdef KERNEL_LOCK_CHECK
#define SPINLOCK_INIT(lock_class_ptr) {.class = (lock_class_ptr)}
#else
#define SPINLOCK_INIT(lock_class_ptr) {.val = 0}
#endif

void spin_init(struct spinlock *lock, const struct lock_class *class);
void spin_lock(struct spinlock *lock) ACQUIRE(*lock);
[[nodiscard]] bool spin_trylock(struct spinlock *lock) TRY_ACQUIRE(true, *lock);
void spin_unlock(struct spinlock *lock) RELEASE(*lock);
[[nodiscard]] irq_flags_t spin_lock_irqsave(struct spinlock *lock) ACQUIRE(*lock);
void spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags) RELEASE(*lock);
bool spin_is_locked(const struct spinlock *lock);
// Stops the kernel (fortress) if this CPU does not hold the lock; tells the analysis that it does.
void spin_assert_held(const struct spinlock *lock) ASSERT_CAPABILITY(*lock);

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
