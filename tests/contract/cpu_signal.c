// tests/contract/cpu_signal.c — which thread hears of processor time that was used: setitimer(2).
#include "tests/contract/harness.h"

#include <stdatomic.h>
#include <sys/time.h>

static _Atomic pid_t burner;
static atomic_int in_burner, elsewhere;
static atomic_bool burnt;

static void note_profile(int)
{
    if (own_tid() == burner)
        in_burner++;
    else
        elsewhere++;
}

static void *burn(void *)
{
    burner = own_tid();
    while (!burnt)
        ;
    return nullptr;
}

CASE(itimer_prof_signals_the_thread_that_runs)
{
    signal(SIGPROF, note_profile);
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, burn, nullptr), 0);
    while (!burner)
        sched_yield();
    struct itimerval t = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000};
    EXPECT_EQ(setitimer(ITIMER_PROF, &t, nullptr), 0);
    for (int64_t end = now_ns() + (int64_t)LONG_TIMEOUT_MS * 1000000; in_burner + elsewhere < 20 && now_ns() < end;)
        sleep_ms(50);
    EXPECT_EQ(setitimer(ITIMER_PROF, &(struct itimerval){}, nullptr), 0);
    burnt = true;
    pthread_join(thread, nullptr);
    EXPECT(in_burner + elsewhere >= 20);
    EXPECT(in_burner > 4 * elsewhere); // who looks computes a little, too
}
