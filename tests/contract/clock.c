// tests/contract/clock.c — clocks, sleeping, processor time: clock_gettime(2), nanosleep(2), getrusage(2), adjtimex(2).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>

CASE(clock_monotonic_never_goes_back)
{
    int64_t last = clock_ns(CLOCK_MONOTONIC);
    bool forward = true;
    for (int i = 0; i < 20000; i++) {
        int64_t t = clock_ns(CLOCK_MONOTONIC);
        forward &= t >= last;
        last = t;
    }
    EXPECT(forward);
}

CASE(clock_system_call_and_vdso_agree)
{
    for (clockid_t id = CLOCK_REALTIME; id <= CLOCK_MONOTONIC; id++) {
        for (int i = 0; i < 100; i++) {
            struct timespec a, b;
            int64_t first = clock_ns(id);
            EXPECT_EQ(syscall(SYS_clock_gettime, id, &a), 0);
            int64_t second = a.tv_sec * 1000000000LL + a.tv_nsec;
            clock_gettime(id, &b);
            EXPECT(first <= second);
            EXPECT(second <= b.tv_sec * 1000000000LL + b.tv_nsec);
        }
    }
}

CASE(clock_ids_have_times_and_resolutions)
{
    static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                                    CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
                                    CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM, CLOCK_TAI};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct timespec resolution = {.tv_sec = -1};
        if (ids[i] != CLOCK_REALTIME_ALARM && ids[i] != CLOCK_BOOTTIME_ALARM) { // those want a clock chip that wakes the machine
            EXPECT(clock_ns(ids[i]) > 0);
            EXPECT_EQ(clock_getres(ids[i], &resolution), 0);
            EXPECT_EQ(resolution.tv_sec, 0);
            EXPECT(resolution.tv_nsec > 0);
        }
    }
    struct timespec t;
    EXPECT_ERRNO(clock_gettime(100, &t), EINVAL);
    EXPECT_ERRNO(clock_getres(100, &t), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8), EFAULT);
}

CASE(clock_high_resolution_is_one_nanosecond)
{
    struct timespec t = {};
    EXPECT_EQ(clock_getres(CLOCK_MONOTONIC, &t), 0);
    EXPECT_EQ(t.tv_nsec, 1);
}

CASE(clock_realtime_is_of_this_century)
{
    int64_t s = clock_ns(CLOCK_REALTIME) / 1000000000;
    EXPECT(s > 1600000000);
    struct timeval tv;
    EXPECT_EQ(gettimeofday(&tv, nullptr), 0);
    EXPECT(tv.tv_sec >= s && tv.tv_sec - s <= 5);
    EXPECT(time(nullptr) >= tv.tv_sec - 1 && time(nullptr) - s <= 10); // the C library's may be that of the last tick
}

CASE(clock_realtime_can_be_set)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t boot = clock_ns(CLOCK_MONOTONIC);
    t.tv_sec += 100000;
    EXPECT_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
    int64_t set = clock_ns(CLOCK_REALTIME) / 1000000000;
    EXPECT(set >= t.tv_sec && set - t.tv_sec <= 20);
    EXPECT(clock_ns(CLOCK_MONOTONIC) - boot < 20000000000); // that one does not jump
    t.tv_sec -= 100000;
    EXPECT_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
    EXPECT_ERRNO(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
    t.tv_nsec = 1000000000;
    EXPECT_ERRNO(clock_settime(CLOCK_REALTIME, &t), EINVAL);
}

CASE(time_and_gettimeofday_agree)
{
    struct timeval tv;
    struct timezone zone;
    long seconds = 0;
    EXPECT_EQ(syscall(SYS_gettimeofday, &tv, &zone), 0);
    EXPECT(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    EXPECT_EQ(zone.tz_minuteswest, 0);
    long got = syscall(SYS_time, &seconds);
    EXPECT_EQ(got, seconds);
    EXPECT(got - tv.tv_sec <= 10);
    EXPECT_EQ(syscall(SYS_gettimeofday, nullptr, nullptr), 0);
}

CASE(settimeofday_checks_and_keeps_the_zone)
{
    struct timeval wrong = {1, 1000000};
    EXPECT_ERRNO(syscall(SYS_settimeofday, &wrong, nullptr), EINVAL);
    wrong = (struct timeval){1, -1};
    EXPECT_ERRNO(syscall(SYS_settimeofday, &wrong, nullptr), EINVAL);
    struct timezone far = {.tz_minuteswest = 15 * 60 + 1};
    EXPECT_ERRNO(syscall(SYS_settimeofday, nullptr, &far), EINVAL);
    EXPECT_EQ(syscall(SYS_settimeofday, nullptr, nullptr), 0);
    struct timeval now, after;
    REQUIRE(gettimeofday(&now, nullptr) == 0);
    EXPECT_EQ(syscall(SYS_settimeofday, &now, nullptr), 0);
    gettimeofday(&after, nullptr);
    EXPECT(after.tv_sec - now.tv_sec <= 10);
    IN_CHILD(child)
    {
        EXPECT(setuid(65534) == 0);
        EXPECT_ERRNO(syscall(SYS_settimeofday, &now, nullptr), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(clock_cpu_time_counts_work_not_sleep)
{
    int64_t slept_for = INT64_MAX;
    for (int i = 0; i < 3 && slept_for >= 300000000; i++) { // a virtual processor that the host takes away is as one that works
        int64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        sleep_ms(400);
        slept_for = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
    }
    EXPECT(slept_for < 300000000);
    int64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID), until = now_ns() + 50000000;
    while (now_ns() < until)
        ;
    EXPECT(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before > 1000000);
}

CASE(nanosleep_sleeps_and_checks)
{
    struct timespec t = {.tv_nsec = 15000000}, bad = {.tv_nsec = 1000000000}, negative = {.tv_sec = -1};
    int64_t start = now_ns();
    EXPECT_EQ(nanosleep(&t, nullptr), 0);
    EXPECT(now_ns() - start >= 15000000);
    EXPECT_ERRNO(nanosleep(&bad, nullptr), EINVAL);
    EXPECT_ERRNO(nanosleep(&negative, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_nanosleep, (void *)8, nullptr), EFAULT);
}

CASE(nanosleep_tells_the_rest_when_interrupted)
{
    count_signal(SIGUSR1, SA_RESTART); // no restart after a handler, whatever the flag
    thread_t killer = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    struct timespec t = {.tv_sec = 5}, rest = {};
    EXPECT_ERRNO(nanosleep(&t, &rest), EINTR);
    EXPECT(rest.tv_sec >= 0 && rest.tv_sec < 5 && (rest.tv_sec || rest.tv_nsec));
    join(killer);
}

CASE(nanosleep_goes_on_after_stop_and_continue)
{
    IN_CHILD(child)
    {
        struct timespec t = {.tv_sec = 2};
        int64_t start = now_ns();
        EXPECT_EQ(nanosleep(&t, nullptr), 0);
        EXPECT(now_ns() - start >= 2000000000);
    }
    until_asleep(child);
    kill(child, SIGSTOP);
    int status;
    EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
    kill(child, SIGCONT);
    EXPECT_EXITED(child, 0);
}

CASE(clock_nanosleep_until_a_time)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t until = t.tv_sec * 1000000000LL + t.tv_nsec + 20000000;
    t.tv_sec = until / 1000000000;
    t.tv_nsec = until % 1000000000;
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr), 0);
    EXPECT(now_ns() >= until);
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr), 0); // past: returns at once
    EXPECT_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, nullptr), EINVAL);
    EXPECT_EQ(clock_nanosleep(100, 0, &t, nullptr), EINVAL);
}

CASE(clock_nanosleep_on_the_own_cpu_clock)
{
    struct timespec t = {.tv_nsec = 1};
    EXPECT_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, nullptr), EOPNOTSUPP);
    clockid_t own = (clockid_t)(~(unsigned)own_tid() << 3 | 6); // by its number
    EXPECT_ERRNO(syscall(SYS_clock_nanosleep, own, 0, &t, nullptr), EINVAL);
}

CASE(times_and_getrusage_count_processor_time)
{
    struct tms t;
    struct rusage usage;
    int64_t until = now_ns() + 60000000;
    while (now_ns() < until)
        ;
    EXPECT(times(&t) != (clock_t)-1);
    EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    EXPECT(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec > 5000);
    EXPECT(usage.ru_minflt > 0);
    EXPECT_ERRNO(getrusage(77, &usage), EINVAL);
}

CASE(clock_of_processor_time_is_not_set)
{
    struct timespec t = {.tv_sec = 1};
    clockid_t own = (clockid_t)(~(unsigned)own_tid() << 3 | 6), nobody = (clockid_t)(~0x3ffffffu << 3 | 6);
    EXPECT_ERRNO(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &t), EINVAL);
    EXPECT_ERRNO(clock_settime(CLOCK_THREAD_CPUTIME_ID, &t), EINVAL);
    EXPECT_ERRNO(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clock_settime, own, &t), EPERM);
    EXPECT_ERRNO(syscall(SYS_clock_settime, own, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_clock_settime, nobody, &t), EINVAL);
}

static atomic_bool sleeper_is_up, slept;

static void *sleep_with_endless_slack(void *)
{
    struct timespec t = {.tv_sec = 2};
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/timerslack_ns", own_tid());
    EXPECT_EQ(write_text(path, "9223372036854775808"), 0);
    sleeper_is_up = true;
    nanosleep(&t, nullptr);
    slept = true;
    return nullptr;
}

// Whoever may be woken as late as you like holds up nobody else on the same processor.
CASE(clock_slack_beyond_all_numbers_delays_its_own_thread_only)
{
    cpu_set_t one;
    pthread_t sleeper;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    REQUIRE(pthread_create(&sleeper, nullptr, sleep_with_endless_slack, nullptr) == 0);
    while (!sleeper_is_up)
        sched_yield();
    EXPECT_EQ(poll(nullptr, 0, 20), 0);
    EXPECT(!slept);
}

CASE(clock_is_not_set_to_the_end_of_its_range)
{
    struct timespec far = {.tv_sec = 9223372036}, farther = {.tv_sec = INT64_MAX / 2};
    struct timex step = {.modes = ADJ_SETOFFSET, .time.tv_sec = 9223372036 - 1000}, leap = {.modes = ADJ_SETOFFSET, .time.tv_sec = INT64_MAX};
    EXPECT_ERRNO(clock_settime(CLOCK_REALTIME, &far), EINVAL);
    EXPECT_ERRNO(clock_settime(CLOCK_REALTIME, &farther), EINVAL);
    EXPECT_ERRNO(adjtimex(&step), EINVAL);
    EXPECT_ERRNO(adjtimex(&leap), EINVAL);
}

CASE(children_time_is_added_when_they_are_waited_for)
{
    IN_CHILD(child)
    {
        int64_t until = now_ns() + 100000000;
        while (now_ns() < until)
            ;
    }
    struct rusage before, after;
    getrusage(RUSAGE_CHILDREN, &before);
    EXPECT_EXITED(child, 0);
    getrusage(RUSAGE_CHILDREN, &after);
    EXPECT_EQ(before.ru_utime.tv_usec + before.ru_stime.tv_usec, 0);
    EXPECT(after.ru_utime.tv_usec + after.ru_stime.tv_usec > 1000);
}

CASE(times_count_children_when_they_are_waited_for)
{
    struct tms before, between, after;
    clock_t start = times(&before);
    REQUIRE(start != (clock_t)-1);
    IN_CHILD(child)
    {
        struct timespec spent;
        do
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
        while (spent.tv_sec == 0 && spent.tv_nsec < 60000000);
    }
    siginfo_t info;
    REQUIRE(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    times(&between);
    EXPECT_EQ(between.tms_cutime + between.tms_cstime, before.tms_cutime + before.tms_cstime);
    EXPECT_EXITED(child, 0);
    clock_t end = times(&after);
    EXPECT(after.tms_cutime + after.tms_cstime >= before.tms_cutime + before.tms_cstime + 5); // 100 a second
    EXPECT(end >= start + 5);
    EXPECT(times(nullptr) >= end);
    EXPECT_ERRNO(syscall(SYS_times, (void *)8), EFAULT);
}

// A reaper that ignores its children does not pay for those it inherits either.
CASE(children_time_is_not_added_when_nobody_waits)
{
    struct rusage usage;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGCHLD, SIG_IGN);
    IN_CHILD(parent)
    {
        signal(SIGCHLD, SIG_DFL);
        IN_CHILD(child)
        {
            int64_t until = now_ns() + 100000000;
            while (now_ns() < until)
                ;
        }
        siginfo_t info;
        REQUIRE(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0); // it stays a zombie
    }
    EXPECT_ERRNO(wait(nullptr), ECHILD); // when all are gone
    getrusage(RUSAGE_CHILDREN, &usage);
    EXPECT_EQ(usage.ru_utime.tv_sec, 0);
    EXPECT_EQ(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec, 0);
}

CASE(clock_of_another_process_and_thread)
{
    clockid_t id;
    EXPECT_EQ(clock_getcpuclockid(getpid(), &id), 0);
    EXPECT(clock_ns(id) > 0);
    EXPECT_EQ(clock_getcpuclockid(999999, &id), ESRCH);
    EXPECT_EQ(pthread_getcpuclockid(pthread_self(), &id), 0);
    EXPECT(clock_ns(id) > 0);
}

CASE(adjtimex_reads_the_state)
{
    struct timex t = {};
    EXPECT(adjtimex(&t) >= 0);
    EXPECT(t.tick >= 9000 && t.tick <= 11000);
    EXPECT_EQ(clock_adjtime(CLOCK_REALTIME, &t) >= 0, 1);
}
