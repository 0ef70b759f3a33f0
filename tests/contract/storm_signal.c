// tests/contract/storm_signal.c — signals, their actions, alternate stacks and timers, used by several threads at once.
#include "tests/contract/storm.h"

static _Thread_local volatile long handled_here;
static _Thread_local char *own_stack;

enum { STACK_SIZE = 32768 };

// --- The action, changed while signals are delivered. ---

// The handler and its mask belong together: the first comes with SIGUSR2 blocked, the second without.
static void expect_blocked(bool wanted)
{
    sigset_t now;
    sigprocmask(SIG_SETMASK, nullptr, &now);
    EXPECT_EQ(sigismember(&now, SIGUSR2), wanted);
    handled_here++;
}

static void on_first(int)
{
    expect_blocked(true);
}

static void on_second(int)
{
    expect_blocked(false);
}

static void set_first_or_second(bool first)
{
    struct sigaction action = {.sa_handler = first ? on_first : on_second}, old;
    if (first)
        sigaddset(&action.sa_mask, SIGUSR2);
    EXPECT_EQ(sigaction(SIGUSR1, &action, &old), 0);
    EXPECT((old.sa_handler == on_first && sigismember(&old.sa_mask, SIGUSR2) == 1)
           || (old.sa_handler == on_second && sigismember(&old.sa_mask, SIGUSR2) == 0));
}

static void change_or_send(int number)
{
    if (number == 0) {
        set_first_or_second(storm_random(2));
        return;
    }
    long before = handled_here;
    EXPECT_EQ(syscall(SYS_tgkill, getpid(), own_tid(), SIGUSR1), 0);
    EXPECT_EQ(handled_here, before + 1); // before the call returns, by one of the two
}

CASE(storm_actions_changed_while_signals_are_delivered)
{
    struct sigaction action = {.sa_handler = on_second};
    REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
    storm(change_or_send);
}

// --- Alternate stacks. ---

static void on_own_stack(int)
{
    char here;
    EXPECT(own_stack && &here >= own_stack && &here < own_stack + STACK_SIZE);
    handled_here++;
}

static void set_stack_and_send(int number)
{
    static char stacks[STORM_THREADS][2][STACK_SIZE];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr); // until own_stack says what the kernel has been told
    own_stack = stacks[number][storm_random(2)];
    stack_t stack = {.ss_sp = own_stack, .ss_size = STACK_SIZE}, got;
    EXPECT_EQ(sigaltstack(&stack, nullptr), 0);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    long before = handled_here;
    EXPECT_EQ(syscall(SYS_tgkill, getpid(), own_tid(), SIGUSR1), 0);
    EXPECT(handled_here > before);
    EXPECT_EQ(kill(getpid(), SIGUSR1), 0); // to any thread, on that thread's stack
    EXPECT_EQ(sigaltstack(nullptr, &got), 0);
    EXPECT(got.ss_sp == own_stack);
    sigprocmask(SIG_BLOCK, &set, nullptr); // it has a stack of its own only within rounds
}

CASE(storm_alternate_stacks_are_of_one_thread)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr); // the threads inherit it
    struct sigaction action = {.sa_handler = on_own_stack, .sa_flags = SA_ONSTACK};
    REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
    storm(set_stack_and_send);
}

// --- Queued signals: each goes to one of those who wait. ---

static atomic_long queued, queued_sum, taken, taken_sum;

static bool take_one(const struct timespec *timeout)
{
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    if (sigtimedwait(&set, &info, timeout) != SIGRTMIN) {
        EXPECT_EQ(errno, EAGAIN);
        return false;
    }
    EXPECT_EQ(info.si_code, SI_QUEUE);
    EXPECT_EQ(info.si_pid, getpid());
    atomic_fetch_add(&taken, 1);
    atomic_fetch_add(&taken_sum, info.si_value.sival_int);
    return true;
}

static void queue_or_take(int number)
{
    static const struct timespec moment = {.tv_nsec = 1000000}, none = {};
    if (number >= 2) {
        take_one(number == 2 ? &none : &moment);
        return;
    }
    union sigval value = {.sival_int = (int)storm_random(1 << 20)};
    if (sigqueue(getpid(), SIGRTMIN, value) == 0) {
        atomic_fetch_add(&queued, 1);
        atomic_fetch_add(&queued_sum, value.sival_int);
    } else {
        EXPECT_EQ(errno, EAGAIN); // the queue is full
        sched_yield();
    }
}

CASE(storm_queued_signals_are_taken_once)
{
    static const struct timespec none = {};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    storm(queue_or_take);
    while (take_one(&none))
        ;
    EXPECT(queued > 0);
    EXPECT_EQ(taken, queued);
    EXPECT_EQ(taken_sum, queued_sum);
}

// --- Timers. ---

static void on_timer(int, siginfo_t *info, void *)
{
    EXPECT_EQ(info->si_code, SI_TIMER);
    EXPECT_EQ(info->si_value.sival_int, 4711);
    handled_here++;
}

static void arm_and_delete(int)
{
    timer_t timer;
    struct itimerspec soon = {.it_value = {.tv_nsec = 20000}, .it_interval = {.tv_nsec = 50000}}, got;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 4711}};
    REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(timer_settime(timer, 0, &soon, nullptr), 0);
        EXPECT_EQ(timer_gettime(timer, &got), 0);
        EXPECT(got.it_value.tv_sec == 0 && got.it_value.tv_nsec > 0 && got.it_value.tv_nsec <= 50000);
        EXPECT_EQ(got.it_interval.tv_nsec, 50000);
        EXPECT(timer_getoverrun(timer) >= 0);
    }
    EXPECT_EQ(timer_delete(timer), 0);
    EXPECT_ERRNO(syscall(SYS_timer_gettime, (long)timer, &got) == -1 ? -1 : 0, EINVAL);
}

CASE(storm_timers_deleted_while_they_fire)
{
    struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
    REQUIRE(sigaction(SIGRTMIN, &action, nullptr) == 0);
    storm(arm_and_delete);
    long before = handled_here; // the signals are the process's, and this is its only thread now
    sleep_ms(20);               // longer than any of the timers took to fire
    EXPECT_EQ(handled_here, before);
}

static atomic_long shared_timer, deletions;
static pthread_barrier_t all_here;

static void delete_the_same(int number)
{
    struct itimerspec soon = {.it_value = {.tv_nsec = 10000}};
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int created = -1;
    if (number == 0) {
        REQUIRE(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &created) == 0);
        shared_timer = created;
        deletions = 0;
    }
    pthread_barrier_wait(&all_here);
    int timer = (int)shared_timer;
    EXPECT(syscall(SYS_timer_settime, timer, 0, &soon, nullptr) == 0 || errno == EINVAL);
    if (syscall(SYS_timer_delete, timer) == 0)
        atomic_fetch_add(&deletions, 1);
    else
        EXPECT_EQ(errno, EINVAL);
    pthread_barrier_wait(&all_here);
    EXPECT_EQ(deletions, 1);
    pthread_barrier_wait(&all_here);
}

static void delete_many(int number)
{
    for (int i = 0; i < 200; i++)
        delete_the_same(number);
    pthread_exit(nullptr); // one round each: the threads meet at the barrier
}

CASE(storm_a_timer_is_deleted_once)
{
    REQUIRE_EQ(pthread_barrier_init(&all_here, nullptr, STORM_THREADS), 0);
    storm(delete_many);
    EXPECT_EQ(deletions, 1);
}
