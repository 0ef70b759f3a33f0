// kernel/base/refcount.h — reference counts that saturate instead of wrapping: a leak is better than a use after free.
#pragma once

#include "kernel/base/atomic.h"

// A count in [1, SATURATED); once it reaches SATURATED it stays there for ever and the object is never freed.
typedef struct {
    unsigned v;
} refcount_t;

#define REFCOUNT_SATURATED 0xc0000000u
#define REFCOUNT_INIT(n) {(n)}

// Reports a misuse (increment of zero, decrement below zero, saturation) once and saturates. Defined in refcount.c.
COLD void refcount_bad(refcount_t *ref, const char *what);

// For an object that nobody else knows yet. refcount_read() is a hint, but for one who knows that the others are gone.
static inline void refcount_set(refcount_t *ref, unsigned n)
{
    __atomic_store_n(&ref->v, n, __ATOMIC_RELAXED);
}

static inline unsigned refcount_read(const refcount_t *ref)
{
    return __atomic_load_n(&ref->v, __ATOMIC_RELAXED);
}

// Takes one more reference; the caller already holds one.
static inline void refcount_inc(refcount_t *ref)
{
    unsigned old = __atomic_fetch_add(&ref->v, 1, __ATOMIC_RELAXED);
    if (unlikely(old == 0 || old >= REFCOUNT_SATURATED))
        refcount_bad(ref, "increment of a dead or saturated count");
}

// Takes a reference unless the object is already dying; for lookups under RCU.
[[nodiscard]] static inline bool refcount_inc_not_zero(refcount_t *ref)
{
    unsigned old = __atomic_load_n(&ref->v, __ATOMIC_RELAXED);
    do {
        if (old == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&ref->v, &old, old + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    if (unlikely(old >= REFCOUNT_SATURATED - 1))
        refcount_bad(ref, "increment of a saturated count");
    return true;
}

// Makes a count of exactly `n` zero for a while: nobody else holds a reference, and refcount_inc_not_zero() gives none until
// refcount_unfreeze().
[[nodiscard]] static inline bool refcount_freeze(refcount_t *ref, unsigned n)
{
    return __atomic_compare_exchange_n(&ref->v, &n, 0, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void refcount_unfreeze(refcount_t *ref, unsigned n)
{
    __atomic_store_n(&ref->v, n, __ATOMIC_RELEASE);
}

// Drops a reference; true tells that it was the last one and the caller must free the object.
[[nodiscard]] static inline bool refcount_dec_and_test(refcount_t *ref)
{
    unsigned old = __atomic_fetch_sub(&ref->v, 1, __ATOMIC_RELEASE);
    if (old == 1) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return true;
    }
    if (unlikely(old == 0 || old >= REFCOUNT_SATURATED))
        refcount_bad(ref, "decrement of a dead or saturated count");
    return false;
}
