// kernel/base/atomic.h — atomic integers over the compiler's builtins. Names say the ordering; none said means sequentially
// consistent, _relaxed none at all.
#pragma once

#include "kernel/base/types.h"

typedef struct {
    int v;
} atomic_t;

typedef struct {
    int64_t v;
} atomic64_t;

#define atomic_read(a) __atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define atomic_read_acquire(a) __atomic_load_n(&(a)->v, __ATOMIC_ACQUIRE)
#define atomic_set(a, x) __atomic_store_n(&(a)->v, (x), __ATOMIC_RELAXED)
#define atomic_set_release(a, x) __atomic_store_n(&(a)->v, (x), __ATOMIC_RELEASE)
#define atomic_add_relaxed(a, x) ((void)__atomic_fetch_add(&(a)->v, (x), __ATOMIC_RELAXED))
#define atomic_sub_relaxed(a, x) ((void)__atomic_fetch_sub(&(a)->v, (x), __ATOMIC_RELAXED))
#define atomic_inc(a) ((void)__atomic_fetch_add(&(a)->v, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(a) ((void)__atomic_fetch_sub(&(a)->v, 1, __ATOMIC_SEQ_CST))
#define atomic_add_return(a, x) __atomic_add_fetch(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_sub_return(a, x) __atomic_sub_fetch(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_inc_return(a) atomic_add_return(a, 1)
#define atomic_dec_and_test(a) (atomic_sub_return(a, 1) == 0)
#define atomic_fetch_or(a, x) __atomic_fetch_or(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_fetch_and(a, x) __atomic_fetch_and(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_xchg(a, x) __atomic_exchange_n(&(a)->v, (x), __ATOMIC_SEQ_CST)
// If *a == *expected, stores `desired` and returns true; else loads the value into *expected.
#define atomic_try_cmpxchg(a, expected, desired)                                                                       \
    __atomic_compare_exchange_n(&(a)->v, (expected), (desired), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)

// The same on plain scalars and pointers.
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, x) __atomic_store_n((p), (x), __ATOMIC_RELEASE)
#define xchg(p, x) __atomic_exchange_n((p), (x), __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, expected, desired)                                                                              \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

// Single bits of an array of longs.
static inline bool test_bit(unsigned nr, const unsigned long *map)
{
    return READ_ONCE(map[nr / 64]) >> (nr % 64) & 1;
}

// The bit as it was before.
static inline bool test_and_set_bit(unsigned nr, unsigned long *map)
{
    return __atomic_fetch_or(&map[nr / 64], 1UL << (nr % 64), __ATOMIC_SEQ_CST) >> (nr % 64) & 1;
}

static inline bool test_and_clear_bit(unsigned nr, unsigned long *map)
{
    return __atomic_fetch_and(&map[nr / 64], ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST) >> (nr % 64) & 1;
}

// Relaxed: for flags that order nothing.
static inline void set_bit(unsigned nr, unsigned long *map)
{
    (void)__atomic_fetch_or(&map[nr / 64], 1UL << (nr % 64), __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned nr, unsigned long *map)
{
    (void)__atomic_fetch_and(&map[nr / 64], ~(1UL << (nr % 64)), __ATOMIC_RELAXED);
}
