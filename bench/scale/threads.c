// bench/scale/threads.c — a ring of threads: each waits for its word, then wakes the next.
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "bench/scale/scale.h"

enum { STACK_BYTES = 64 << 10 };

static _Atomic uint32_t *turns;
static uint32_t threads;

static void wait_turn(uint32_t who)
{
    while (atomic_load(&turns[who]) == 0)
        raw6(SYS_futex, (long)&turns[who], FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
    atomic_store(&turns[who], 0);
}

static void give_turn(uint32_t who)
{
    atomic_store(&turns[who], 1);
    MUST(raw6(SYS_futex, (long)&turns[who], FUTEX_WAKE_PRIVATE, 1, 0, 0, 0) >= 0);
}

static void *member(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument;
    for (;;) {
        wait_turn(self);
        give_turn((self + 1) % threads);
    }
    return nullptr;
}

// This thread is number 0 of the ring.
static void grow_ring(uint32_t size)
{
    threads = size;
    turns = calloc(size, sizeof *turns);
    MUST(turns != nullptr);
    pthread_attr_t small;
    pthread_attr_init(&small);
    MUST(pthread_attr_setstacksize(&small, STACK_BYTES) == 0);
    for (uint32_t i = 1; i < size; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, &small, member, (void *)(uintptr_t)i) == 0);
    }
}

// An iteration is one wakeup; at least one whole round is made.
static void ring_body(uint64_t n)
{
    LOOP(n / threads) {
        give_turn(1 % threads);
        wait_turn(0);
    }
}

static const struct curve thread_list[] = {
    {"futex_ring", "threads", grow_ring, ring_body, nullptr, 4000, SIZES(2, 20, 200, 2000)},
};

CURVES(thread);
