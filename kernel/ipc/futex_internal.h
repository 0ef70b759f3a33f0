// kernel/ipc/futex_internal.h — what the futex files share: keys, buckets, waiters.
#pragma once

#include "arch/include/user_copy.h"
#include "kernel/abi/futex.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/task.h"
#include "kernel/time/hrtimer.h"

// All waiters whose keys hash alike.
struct futex_bucket {
    struct spinlock lock;
    uint32_t nr;             // waiters here or about to be: atomic, so that a wake-up with nobody waiting takes no lock
    struct list_head waiters; // in order of arrival: lock
} CACHELINE_ALIGNED;

struct futex_waiter {
    struct list_head link;
    struct futex_bucket *bucket; // null: woken. Changes under the bucket's lock, at a requeue under both
    struct mm_futex_key key;
    uint32_t bitset;
    struct thread *thread;
};

struct futex_deadline {
    ktime_t at;              // absolute; KTIME_MAX: none
    enum hrtimer_clock clock;
};

// The key of a word. Private: of this address space only, no look at its mappings. -EINVAL (not aligned), -EFAULT.
[[nodiscard]] int futex_key_get(const uint32_t __user *uaddr, bool private, bool write, struct mm_futex_key *key);
// Where its waiters are; two keys are the same word if futex_key_equal() says so.
struct futex_bucket *futex_bucket_of(const struct mm_futex_key *key);

static inline bool futex_key_equal(const struct mm_futex_key *a, const struct mm_futex_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

// The acting halves of the calls: futex(2). `private`: FUTEX_PRIVATE_FLAG. -EINVAL, -EFAULT.
// Sleeps while *uaddr is `expected`: 0 woken, -EAGAIN it is not, -ETIMEDOUT, -ERESTARTSYS or -ERESTART_RESTARTBLOCK.
[[nodiscard]] long futex_wait(uint32_t __user *uaddr, bool private, uint32_t expected, const struct futex_deadline *deadline, uint32_t bitset);
// Wakes up to `nr` whose bitset meets this one; how many.
[[nodiscard]] long futex_wake(uint32_t __user *uaddr, bool private, int nr, uint32_t bitset);
// compare: null, or the value *uaddr must have (-EAGAIN). Returns woken plus requeued.
[[nodiscard]] long futex_requeue(uint32_t __user *uaddr, uint32_t __user *uaddr2, bool private, int nr_wake, int nr_requeue, const uint32_t *compare);
// FUTEX_WAKE_OP: changes *uaddr2, wakes those of uaddr, and those of uaddr2 where its old value says so; how many. -ENOSYS: unknown `op`.
[[nodiscard]] long futex_wake_op(uint32_t __user *uaddr, uint32_t __user *uaddr2, bool private, int nr_wake, int nr_wake2, uint32_t op);
