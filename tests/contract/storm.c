// tests/contract/storm.c — threads that begin together and end after a while.
#include "tests/contract/storm.h"

static void (*storm_round)(int number);
static pthread_barrier_t start_line;
static int64_t storm_end;
static _Thread_local uint32_t random_state;

unsigned storm_random(unsigned bound)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % bound;
}

static void *run_rounds(void *opaque)
{
    int number = (int)(intptr_t)opaque;
    random_state = (uint32_t)number * 2654435761u + 1;
    pthread_barrier_wait(&start_line);
    do
        storm_round(number);
    while (now_ns() < storm_end);
    return nullptr;
}

void storm(void (*round)(int number))
{
    pthread_t threads[STORM_THREADS];
    storm_round = round;
    storm_end = now_ns() + (int64_t)STORM_MS * 1000000;
    REQUIRE_EQ(pthread_barrier_init(&start_line, nullptr, STORM_THREADS), 0);
    for (intptr_t i = 0; i < STORM_THREADS; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, run_rounds, (void *)i), 0);
    for (int i = 0; i < STORM_THREADS; i++)
        REQUIRE_EQ(pthread_join(threads[i], nullptr), 0);
}
