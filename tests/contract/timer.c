// tests/contract/timer.c — timers of every kind: timer_create(2), setitimer(2), alarm(2), timerfd_create(2).
#include "tests/contract/sigset.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static timer_t make_timer(clockid_t id, int signal, int value)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal, .sigev_value.sival_int = value};
    timer_t timer = nullptr;
    REQUIRE(timer_create(id, &event, &timer) == 0);
    return timer;
}

CASE(timer_sends_its_signal_with_value)
{
    sigset_t set = set_of(SIGRTMIN);
    block(SIGRTMIN);
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
    sigset_t set = set_of(SIGRTMIN);
    block(SIGRTMIN);
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
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
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
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
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
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
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
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
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

CASE(timer_that_is_disarmed_shows_no_period)
{
    struct itimerspec t = {.it_interval.tv_sec = 5}, got;
    struct itimerval old, periodic = {.it_interval.tv_sec = 5};
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGUSR1, 1), cpu = make_timer(CLOCK_PROCESS_CPUTIME_ID, SIGUSR1, 1);
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    EXPECT_EQ(timer_gettime(timer, &got), 0);
    EXPECT_EQ(got.it_interval.tv_sec, 0);
    EXPECT_EQ(setitimer(ITIMER_REAL, &periodic, nullptr), 0);
    EXPECT_EQ(getitimer(ITIMER_REAL, &old), 0);
    EXPECT_EQ(old.it_interval.tv_sec, 0);
    EXPECT_EQ(timer_settime(cpu, 0, &t, nullptr), 0);
    EXPECT_EQ(timer_gettime(cpu, &got), 0);
    EXPECT_EQ(got.it_interval.tv_sec, 0);
    EXPECT_EQ(setitimer(ITIMER_VIRTUAL, &periodic, nullptr), 0); // these do
    EXPECT_EQ(getitimer(ITIMER_VIRTUAL, &old), 0);
    EXPECT_EQ(old.it_interval.tv_sec, 5);
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    EXPECT_EQ(timerfd_settime(fd, 0, &t, nullptr), 0);
    EXPECT_EQ(timerfd_gettime(fd, &got), 0);
    EXPECT_EQ(got.it_interval.tv_sec, 5);
}

// Says that it is a timer's, and is not: it is taken as it was sent, and the timer does not notice.
CASE(timer_signal_that_was_forged_is_nobodys)
{
    sigset_t set = set_of(SIGRTMIN);
    block(SIGRTMIN);
    timer_t timer = make_timer(CLOCK_MONOTONIC, SIGRTMIN, 7);
    siginfo_t forged = {.si_signo = SIGRTMIN, .si_code = SI_TIMER}, info = {};
    forged.si_timerid = (int)(intptr_t)timer;
    forged.si_overrun = 77;
    REQUIRE(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &forged) == 0);
    struct itimerspec t = {.it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000};
    EXPECT_EQ(timer_settime(timer, 0, &t, nullptr), 0);
    sleep_ms(50);
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    EXPECT_EQ(info.si_overrun, 77);
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    EXPECT_EQ(info.si_value.sival_int, 7);
    EXPECT(info.si_overrun >= 40); // every period since it was set
}

CASE(itimer_goes_on_in_its_period_when_a_late_signal_is_taken)
{
    sigset_t set = set_of(SIGALRM);
    struct timespec limit = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    block(SIGALRM);
    struct itimerval t = {.it_value.tv_usec = 2000, .it_interval.tv_usec = 2000}, left;
    REQUIRE(setitimer(ITIMER_REAL, &t, nullptr) == 0);
    for (int i = 0; i < 30; i++) {
        sleep_ms(5 + i % 4);
        EXPECT_EQ(sigtimedwait(&set, nullptr, &limit), SIGALRM);
        EXPECT_EQ(getitimer(ITIMER_REAL, &left), 0);
        if (!is_pending(SIGALRM)) // else the next period has passed already
            EXPECT(left.it_value.tv_sec == 0 && left.it_value.tv_usec <= 2000);
    }
}

CASE(alarm_takes_all_seconds_there_are)
{
    int64_t start = now_ns();
    EXPECT_EQ(syscall(SYS_alarm, UINT_MAX), 0); // the C library has its own, by setitimer(2)
    unsigned left = (unsigned)syscall(SYS_alarm, 0);
    EXPECT(left == UINT_MAX || (left > UINT_MAX - 10 && now_ns() - start >= 500000000));
}

static int settime_far_ahead(int fd, bool armed)
{
    struct itimerspec t = {.it_value.tv_sec = armed ? clock_ns(CLOCK_REALTIME) / 1000000000 + 10000 : 0};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, nullptr);
}

CASE(timerfd_tells_that_the_clock_was_set_when_it_is_armed_next)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    uint64_t count;
    EXPECT_EQ(settime_far_ahead(fd, true), 0);
    step_realtime(10);
    EXPECT_EQ(poll_now(fd, POLLIN), POLLIN);
    EXPECT_EQ(settime_far_ahead(fd, false), 0); // to disarm it does not
    EXPECT_EQ(poll_now(fd, POLLIN), 0);
    EXPECT_ERRNO(settime_far_ahead(fd, true), ECANCELED);
    EXPECT_EQ(settime_far_ahead(fd, true), 0);
    EXPECT_ERRNO(read(fd, &count, 8), EAGAIN);
    step_realtime(-10);
    EXPECT_ERRNO(read(fd, &count, 8), ECANCELED);
    EXPECT_EQ(settime_far_ahead(fd, true), 0);
    fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    step_realtime(10);
    EXPECT_EQ(settime_far_ahead(fd, true), 0); // what was before it asked is none of its business
    step_realtime(-10);
}
