// tests/contract/clock.c — clocks, sleeping, timers of every kind: clock_gettime(2), nanosleep(2), timer_create(2), timerfd(2), setitimer(2).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>

static int64_t clock_ns(clockid_t id)
{
    struct timespec t = {.tv_sec = -1};
    EXPECT_EQ(clock_gettime(id, &t), 0);
    EXPECT(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

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

static timer_t make_timer(clockid_t id, int signal, int value)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal, .sigev_value.sival_int = value};
    timer_t timer = nullptr;
    REQUIRE(timer_create(id, &event, &timer) == 0);
    return timer;
}

CASE(timer_sends_its_signal_with_value)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGRTMIN, 4711);
    struct itimerspec t = {.it_value.tv_nsec = 10000000};
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    siginfo_t info = {};
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    EXPECT_EQ(info.si_code, SI_TIMER);
    EXPECT_EQ(info.si_value.sival_int, 4711);
    EXPECT_EQ(info.si_overrun, 0);
    EXPECT_EQ(timer_gettime(timer, &t), 0);
    EXPECT_EQ(t.it_value.tv_nsec, 0);
    EXPECT_EQ(timer_delete(timer), 0);
    EXPECT_ERRNO(syscall(SYS_timer_delete, 12345), EINVAL);
}

CASE(timer_counts_overruns_of_a_blocked_signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGRTMIN, 1);
    struct itimerspec t = {.it_value.tv_nsec = 5000000, .it_interval.tv_nsec = 5000000};
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    sleep_ms(60);
    siginfo_t info = {};
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    EXPECT(info.si_overrun >= 5);
    EXPECT_EQ(timer_getoverrun(timer), info.si_overrun);
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN); // and it goes on
}

CASE(timer_s_place_in_the_signal_queue_is_its_own)
{
    IN_CHILD(child)
    {
        struct rlimit none = {0, 1}, one = {1, 1};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 7};
        struct itimerspec t = {.it_value.tv_nsec = 1000000};
        siginfo_t info = {};
        sigset_t set;
        timer_t timer;
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        REQUIRE(setuid(4712) == 0 && setrlimit(RLIMIT_SIGPENDING, &none) == 0);
        EXPECT_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EAGAIN);
        REQUIRE(setrlimit(RLIMIT_SIGPENDING, &one) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
        EXPECT_ERRNO(sigqueue(getpid(), SIGRTMIN + 1, event.sigev_value), EAGAIN); // the timer has the only place
        for (int i = 0; i < 2; i++) {
            EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
            EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
            EXPECT_EQ(info.si_code, SI_TIMER);
            EXPECT_EQ(info.si_value.sival_int, 7);
        }
        EXPECT_EQ(timer_delete(timer), 0);
        EXPECT_EQ(sigqueue(getpid(), SIGRTMIN + 1, event.sigev_value), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(timer_signal_is_queued_beside_the_same_of_kill)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGUSR1, 1);
    struct itimerspec t = {.it_value.tv_nsec = 1000000};
    siginfo_t info = {};
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    sleep_ms(30);
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    EXPECT_EQ(info.si_code, SI_USER);
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    EXPECT_EQ(info.si_code, SI_TIMER);
}

CASE(timer_absolute_past_fires_at_once)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    timer_t timer = make_timer(CLOCK_REALTIME, SIGUSR1, 1);
    struct itimerspec t = {.it_value.tv_sec = 1};
    EXPECT_EQ(timer_settime(timer, TIMER_ABSTIME, &t, nullptr), 0);
    EXPECT_EQ(sigwaitinfo(&set, nullptr), SIGUSR1);
}

CASE(timer_settime_returns_the_old_setting)
{
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGUSR1, 1);
    struct itimerspec t = {.it_value.tv_sec = 100, .it_interval.tv_sec = 7}, old;
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    t = (struct itimerspec){};
    EXPECT_EQ(timer_settime(timer, 0, &t, &old), 0);
    EXPECT(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
    EXPECT_EQ(old.it_interval.tv_sec, 7);
    t.it_value.tv_nsec = -1;
    EXPECT_ERRNO(timer_settime(timer, 0, &t, nullptr), EINVAL);
}

CASE(timer_is_not_inherited_by_fork)
{
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGUSR1, 1);
    IN_CHILD(child)
    {
        struct itimerspec t;
        EXPECT_ERRNO(timer_gettime(timer, &t), EINVAL);
    }
    EXPECT_EXITED(child, 0);
}

CASE(timer_create_checks)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
    EXPECT_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event = (struct sigevent){.sigev_notify = 77, .sigev_signo = SIGUSR1};
    EXPECT_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    EXPECT_ERRNO(timer_create(100, nullptr, &timer), EINVAL);
}

CASE(timer_calls_refuse_numbers_that_are_no_timers)
{
    struct itimerspec value = {};
    EXPECT_ERRNO(syscall(SYS_timer_gettime, 4711, &value), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_settime, 4711, 0, &value, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_getoverrun, 4711), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_delete, 4711), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_delete, -1), EINVAL);
}

static atomic_int timer_attempts;
static atomic_bool attempts_over;

// Sets the timer that is being created just now; how often there was one.
static void *set_early(void *first)
{
    struct itimerspec t = {.it_value.tv_sec = 1000};
    long found = 0;
    while (!attempts_over)
        found += syscall(SYS_timer_settime, (int)(intptr_t)first + timer_attempts, 0, &t, nullptr) == 0;
    return (void *)found;
}

// Keeps the address space busy, so that looking at a bad pointer takes its time.
static void *map_and_unmap(void *)
{
    while (!attempts_over) {
        void *p = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        munmap(p, 1 << 20);
    }
    return nullptr;
}

CASE(timer_whose_number_can_not_be_told_is_never_found)
{
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGUSR1, 1);
    pthread_t setter, mapper;
    REQUIRE(pthread_create(&setter, nullptr, set_early, (void *)((intptr_t)timer + 1)) == 0);
    REQUIRE(pthread_create(&mapper, nullptr, map_and_unmap, nullptr) == 0);
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < 300000000) {
        EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, nullptr, (void *)8), EFAULT);
        timer_attempts++;
    }
    attempts_over = true;
    void *found = nullptr;
    EXPECT_EQ(pthread_join(setter, &found), 0);
    EXPECT_EQ(pthread_join(mapper, nullptr), 0);
    EXPECT_EQ((long)found, 0);
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int id = -1;
    EXPECT_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
    EXPECT_EQ(id, (int)(intptr_t)timer + 1 + timer_attempts); // these were the numbers tried
}

CASE(timer_of_process_cpu_time)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    timer_t timer = make_timer(CLOCK_PROCESS_CPUTIME_ID, SIGUSR1, 1);
    struct itimerspec t = {.it_value.tv_nsec = 20000000};
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    struct timespec zero = {};
    int got;
    do
        got = sigtimedwait(&set, nullptr, &zero); // works while it asks
    while (got < 0);
    EXPECT_EQ(got, SIGUSR1);
    EXPECT(clock_ns(CLOCK_PROCESS_CPUTIME_ID) >= 20000000);
}

static atomic_int sleeper_tid;

static void *sleep_on(void *)
{
    sleeper_tid = own_tid();
    for (;;)
        pause();
}

// Nobody uses any of that time: it does not come to pass, it is past.
CASE(timer_of_past_processor_time_fires_at_once)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    struct itimerspec t = {.it_value.tv_nsec = 1};
    struct timespec wait = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    pthread_t sleeper;
    clockid_t clock;
    REQUIRE(pthread_create(&sleeper, nullptr, sleep_on, nullptr) == 0);
    REQUIRE(pthread_getcpuclockid(sleeper, &clock) == 0);
    while (!sleeper_tid)
        sched_yield();
    until_asleep(sleeper_tid);
    clockid_t ids[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, clock};
    for (int i = 0; i < 3; i++) {
        timer_t timer = make_timer(ids[i], SIGUSR1, i);
        EXPECT_EQ(timer_settime(timer, TIMER_ABSTIME, &t, nullptr), 0);
        siginfo_t info = {};
        EXPECT_EQ(sigtimedwait(&set, &info, &wait), SIGUSR1);
        EXPECT_EQ(info.si_value.sival_int, i);
        EXPECT_EQ(timer_delete(timer), 0);
    }
    EXPECT_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &t.it_value, nullptr), 0);
}

CASE(itimer_real_sends_sigalrm)
{
    sigset_t alarms, none;
    sigemptyset(&none);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    count_signal(SIGALRM, 0);
    sigprocmask(SIG_BLOCK, &alarms, nullptr); // it may come before we wait
    struct itimerval t = {.it_value.tv_usec = 20000}, old;
    EXPECT_EQ(setitimer(ITIMER_REAL, &t, nullptr), 0);
    EXPECT_ERRNO(sigsuspend(&none), EINTR);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(getitimer(ITIMER_REAL, &old), 0);
    EXPECT_EQ(old.it_value.tv_usec, 0);
    EXPECT_ERRNO(setitimer(9, &t, nullptr), EINVAL);
    t.it_value.tv_usec = 1000000;
    EXPECT_ERRNO(setitimer(ITIMER_REAL, &t, nullptr), EINVAL);
}

CASE(itimer_interval_repeats)
{
    count_signal(SIGALRM, 0);
    struct itimerval t = {.it_value.tv_usec = 5000, .it_interval.tv_usec = 5000};
    EXPECT_EQ(setitimer(ITIMER_REAL, &t, nullptr), 0);
    while (handled_signals < 5)
        pause();
    EXPECT_EQ(last_signal, SIGALRM);
}

CASE(itimer_virtual_and_prof_count_cpu_time)
{
    count_signal(SIGVTALRM, 0);
    count_signal(SIGPROF, 0);
    struct itimerval t = {.it_value.tv_usec = 10000};
    EXPECT_EQ(setitimer(ITIMER_VIRTUAL, &t, nullptr), 0);
    EXPECT_EQ(setitimer(ITIMER_PROF, &t, nullptr), 0);
    while (handled_signals < 2)
        ;
    EXPECT_EQ(handled_signals, 2);
}

// What is left of an alarm, which is told in whole seconds, rounded.
static void expect_alarm_left(unsigned seconds, int64_t set_at)
{
    unsigned left = alarm(0);
    EXPECT(left == seconds || (left < seconds && left + 10 > seconds && now_ns() - set_at >= 500000000));
}

CASE(alarm_returns_remaining_seconds)
{
    int64_t start = now_ns();
    EXPECT_EQ(alarm(100), 0);
    expect_alarm_left(100, start);
    EXPECT_EQ(alarm(0), 0);
}

CASE(alarm_survives_exec_but_not_fork)
{
    int64_t start = now_ns();
    alarm(1000);
    IN_CHILD(child)
    {
        EXPECT_EQ(alarm(0), 0);
    }
    EXPECT_EXITED(child, 0);
    expect_alarm_left(1000, start);
}

CASE(timerfd_counts_expirations)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    REQUIRE(fd >= 0);
    uint64_t count = 0;
    EXPECT_ERRNO(read(fd, &count, 8), EAGAIN);
    struct itimerspec t = {.it_value.tv_nsec = 5000000, .it_interval.tv_nsec = 5000000};
    EXPECT_EQ(timerfd_settime(fd, 0, &t, nullptr), 0);
    sleep_ms(60);
    EXPECT_EQ(read(fd, &count, 8), 8);
    EXPECT(count >= 8);
    EXPECT_ERRNO(read(fd, &count, 4), EINVAL);
}

CASE(timerfd_wakes_poller)
{
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    struct itimerspec t = {.it_value.tv_nsec = 20000000};
    EXPECT_EQ(timerfd_settime(fd, 0, &t, nullptr), 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    uint64_t count = 0;
    EXPECT_EQ(read(fd, &count, 8), 8);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(poll(&p, 1, 0), 0);
}

CASE(timerfd_settime_and_gettime)
{
    int fd = timerfd_create(CLOCK_BOOTTIME, 0);
    struct itimerspec t = {.it_value.tv_sec = 50, .it_interval.tv_sec = 3}, old, now;
    EXPECT_EQ(timerfd_settime(fd, 0, &t, nullptr), 0);
    EXPECT_EQ(timerfd_gettime(fd, &now), 0);
    EXPECT(now.it_value.tv_sec >= 40 && now.it_value.tv_sec <= 50);
    EXPECT_EQ(now.it_interval.tv_sec, 3);
    t = (struct itimerspec){};
    EXPECT_EQ(timerfd_settime(fd, 0, &t, &old), 0);
    EXPECT_EQ(old.it_interval.tv_sec, 3);
    EXPECT_EQ(timerfd_gettime(fd, &now), 0);
    EXPECT_EQ(now.it_value.tv_sec, 0);
}

CASE(timerfd_checks_arguments)
{
    EXPECT_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    EXPECT_ERRNO(timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0), EINVAL);
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec t = {.it_value.tv_nsec = 1000000000};
    EXPECT_ERRNO(timerfd_settime(fd, 0, &t, nullptr), EINVAL);
    EXPECT_ERRNO(timerfd_settime(fd, 0x100, &(struct itimerspec){}, nullptr), EINVAL);
    EXPECT_ERRNO(timerfd_settime(0, 0, &(struct itimerspec){}, nullptr), EINVAL);
    EXPECT_ERRNO(write(fd, &t, 8), EINVAL);
}

CASE(timerfd_absolute_cancel_on_clock_set)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec t = {.it_value.tv_sec = now.tv_sec + 10000};
    EXPECT_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, nullptr), 0);
    clock_gettime(CLOCK_REALTIME, &now);
    EXPECT_EQ(clock_settime(CLOCK_REALTIME, &now), 0);
    uint64_t count;
    EXPECT_ERRNO(read(fd, &count, 8), ECANCELED);
}

static void step_realtime(int seconds)
{
    struct timespec now;
    REQUIRE(clock_gettime(CLOCK_REALTIME, &now) == 0);
    now.tv_sec += seconds;
    EXPECT_EQ(clock_settime(CLOCK_REALTIME, &now), 0);
}

// A timer at an absolute real time a moment ahead, when it has expired and the clock was then set back.
static int expired_before_the_clock_was_set_back(int flags, time_t interval)
{
    int fd = timerfd_create(CLOCK_REALTIME, flags);
    int64_t soon = clock_ns(CLOCK_REALTIME) + 10000000;
    struct itimerspec t = {.it_value = {soon / 1000000000, soon % 1000000000}, .it_interval.tv_sec = interval};
    EXPECT_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, nullptr), 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    step_realtime(-1000);
    EXPECT_EQ(poll(&p, 1, 0), 1);
    return fd;
}

CASE(timerfd_expiration_is_not_lost_when_the_clock_is_set_back)
{
    int fd = expired_before_the_clock_was_set_back(TFD_NONBLOCK, 0);
    uint64_t count = 0;
    EXPECT_EQ(read(fd, &count, 8), 8);
    EXPECT_EQ(count, 1);
    EXPECT_ERRNO(read(fd, &count, 8), EAGAIN);
    step_realtime(1000);
    EXPECT_ERRNO(read(fd, &count, 8), EAGAIN); // once is enough
}

// The expiration lies ahead again, and comes again.
static void comes_again_when_the_clock_is_right(int fd)
{
    struct itimerspec left;
    EXPECT_EQ(timerfd_gettime(fd, &left), 0);
    EXPECT(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, 0), 0);
    step_realtime(1000);
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    uint64_t count = 0;
    EXPECT_EQ(read(fd, &count, 8), 8);
    EXPECT_EQ(count, 1);
}

// timerfd_create(2): "may cause read(2) to unblock, but return a value of 0 (i.e., no bytes read)".
CASE(timerfd_periodic_reads_nothing_when_the_clock_is_set_back)
{
    int fd = expired_before_the_clock_was_set_back(0, 3600);
    uint64_t count = 0;
    EXPECT_EQ(read(fd, &count, 8), 0);
    comes_again_when_the_clock_is_right(fd);
    fd = expired_before_the_clock_was_set_back(TFD_NONBLOCK, 3600);
    EXPECT_ERRNO(read(fd, &count, 8), EAGAIN);
    comes_again_when_the_clock_is_right(fd);
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

CASE(setitimer_with_a_period_without_end)
{
    static const int64_t periods[] = {INT64_MAX, INT64_MAX / 1000000000, 9223372036};
    signal(SIGALRM, SIG_IGN);
    for (unsigned i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        struct itimerval timer = {.it_value.tv_usec = 1, .it_interval.tv_sec = periods[i]}, got;
        EXPECT_EQ(setitimer(ITIMER_REAL, &timer, nullptr), 0);
        sleep_ms(5);
        EXPECT_EQ(getitimer(ITIMER_REAL, &got), 0);
    }
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
