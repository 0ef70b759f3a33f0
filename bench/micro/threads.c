// bench/micro/threads.c — threads and futexes.
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "bench/micro/bench.h"

static void *nothing(void *argument)
{
    return argument;
}

static void thread_create_join_body(uint64_t n)
{
    LOOP(n) {
        pthread_t thread;
        MUST(pthread_create(&thread, nullptr, nothing, nullptr) == 0);
        MUST(pthread_join(thread, nullptr) == 0);
    }
}

// --- Two threads take turns: each sets the other's word, wakes it, and waits for its own. ---

static _Atomic uint32_t turn[2];
static _Atomic bool ending;
static pthread_t partner;

static void wait_turn(int who)
{
    while (atomic_load(&turn[who]) == 0)
        raw6(SYS_futex, (long)&turn[who], FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
    atomic_store(&turn[who], 0);
}

static void give_turn(int who)
{
    atomic_store(&turn[who], 1);
    MUST(raw6(SYS_futex, (long)&turn[who], FUTEX_WAKE_PRIVATE, 1, 0, 0, 0) >= 0);
}

static void *partner_main(void *argument)
{
    for (;;) {
        wait_turn(1);
        if (atomic_load(&ending))
            return argument;
        give_turn(0);
    }
}

static void start_partner(void)
{
    atomic_store(&ending, false);
    MUST(pthread_create(&partner, nullptr, partner_main, nullptr) == 0);
}

static void futex_pingpong_body(uint64_t n)
{
    LOOP(n) {
        give_turn(1);
        wait_turn(0);
    }
}

static void end_partner(void)
{
    atomic_store(&ending, true);
    give_turn(1);
    MUST(pthread_join(partner, nullptr) == 0);
}

static const struct bench threads_benches[] = {
    {"thread_create_join", nullptr, thread_create_join_body, nullptr, 100, 2, 20},
    {"futex_pingpong", start_partner, futex_pingpong_body, end_partner, 500, 2, 20},
};

FAMILY(threads);
