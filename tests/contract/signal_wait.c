// tests/contract/signal_wait.c — signals that are waited for: sigsuspend(2), sigtimedwait(2), signalfd(2).
#include "tests/contract/sigset.h"

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

CASE(sigsuspend_waits_with_another_mask)
{
    count_signal(SIGUSR1, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    EXPECT_ERRNO(sigsuspend(&none), EINTR);
    EXPECT_EQ(handled_signals, 1);
    EXPECT(is_blocked(SIGUSR1));
}

CASE(sigtimedwait_times_out_and_checks)
{
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
    struct timespec t = {.tv_nsec = 15000000}, bad = {.tv_nsec = -1}, zero = {};
    int64_t start = now_ns();
    EXPECT_ERRNO(sigtimedwait(&set, nullptr, &t), EAGAIN);
    EXPECT(now_ns() - start >= 15000000);
    EXPECT_ERRNO(sigtimedwait(&set, nullptr, &bad), EINVAL);
    raise(SIGUSR1);
    EXPECT_EQ(sigtimedwait(&set, nullptr, &zero), SIGUSR1);
    EXPECT_ERRNO(sigtimedwait(&set, nullptr, &zero), EAGAIN);
}

CASE(sigtimedwait_is_interrupted_by_other_handlers)
{
    count_signal(SIGUSR2, SA_RESTART);
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
    thread_t killer = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR2));
    struct timespec t = {.tv_sec = 8};
    errno = 0;
    EXPECT_EQ(syscall(SYS_rt_sigtimedwait, &set, nullptr, &t, 8), -1);
    EXPECT_EQ(errno, EINTR);
    join(killer);
}

CASE(sigtimedwait_accepts_nothing_that_kills)
{
    IN_CHILD(child)
    {
        sigset_t set = set_of(SIGTERM); // which is not blocked
        sigwaitinfo(&set, nullptr);
    }
    until_asleep(child);
    kill(child, SIGTERM);
    EXPECT_KILLED(child, SIGTERM);
}

CASE(sigtimedwait_does_not_see_what_is_ignored)
{
    sigset_t set = set_of(SIGURG);
    struct timespec t = {.tv_nsec = 200000000};
    thread_t sender = after_ms(20, kill_self, SIGURG);
    EXPECT_ERRNO(sigtimedwait(&set, nullptr, &t), EAGAIN);
    join(sender);
}

static void *fork_and_wait_for_the_signal(void *)
{
    sigset_t set = set_of(SIGCHLD);
    siginfo_t info = {};
    struct timespec t = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    pid_t tid = own_tid();
    block(SIGCHLD);
    until_asleep(getpid()); // the main thread has let signals in again, which pthread_create() keeps out
    IN_CHILD(child)
    {
        until_asleep(tid); // before, the main thread would take it to throw it away
        _exit(3);
    }
    EXPECT_EQ(sigtimedwait(&set, &info, &t), SIGCHLD);
    EXPECT_EQ(info.si_pid, child);
    EXPECT_EQ(info.si_status, 3);
    return nullptr;
}

// The main thread does not block it, and for itself would have it ignored.
CASE(sigchld_is_for_the_thread_that_forked)
{
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, fork_and_wait_for_the_signal, nullptr) == 0);
    pthread_join(thread, nullptr);
}

CASE(signalfd_reads_structures)
{
    sigset_t set = set_of(SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    REQUIRE(fd >= 0);
    struct signalfd_siginfo info[3] = {};
    EXPECT_ERRNO(read(fd, info, sizeof info), EAGAIN);
    raise(SIGUSR1);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 55});
    EXPECT_EQ(read(fd, info, sizeof info), 2 * sizeof info[0]);
    EXPECT_EQ(info[0].ssi_signo, SIGUSR1);
    EXPECT_EQ(info[0].ssi_pid, getpid());
    EXPECT_EQ(info[1].ssi_signo, SIGRTMIN);
    EXPECT_EQ(info[1].ssi_int, 55);
    EXPECT_ERRNO(read(fd, info, 10), EINVAL);
    EXPECT(!is_pending(SIGUSR1));
}

CASE(signalfd_wakes_poller_and_can_change_its_set)
{
    sigset_t set = set_of(SIGUSR1), other = set_of(SIGUSR2);
    block(SIGUSR1);
    block(SIGUSR2);
    int fd = signalfd(-1, &set, 0);
    thread_t killer = after_ms(20, kill_self, SIGUSR1);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(signalfd(fd, &other, 0), fd);
    EXPECT_EQ(poll(&p, 1, 0), 0);
    raise(SIGUSR2);
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_ERRNO(signalfd(0, &set, 0), EINVAL);
    EXPECT_ERRNO(signalfd(-1, &set, 1), EINVAL);
    join(killer);
}

CASE(signalfd_in_an_epoll_outlives_the_task_that_added_it)
{
    sigset_t set = set_of(SIGUSR1);
    block(SIGUSR1);
    int ep = epoll_create1(0), other = epoll_create1(0), fd = signalfd(-1, &set, SFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    IN_CHILD(child)
    {
        EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
        EXPECT_EQ(epoll_ctl(other, EPOLL_CTL_ADD, fd, &e), 0);
    }
    EXPECT_EXITED(child, 0);
    for (int i = 0; i < 20; i++) { // time goes by, and others take the memory that the child had
        IN_CHILD(another)
        {
            raise(SIGUSR1);
            sleep_ms(5);
        }
        EXPECT_EXITED(another, 0);
    }
    raise(SIGUSR1);
    EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, fd, nullptr), 0);
    EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
    struct signalfd_siginfo info;
    EXPECT_EQ(read(fd, &info, sizeof info), sizeof info);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
    thread_t killer = after_ms(20, kill_self, SIGUSR1);
    EXPECT_EQ(epoll_wait(ep, &e, 1, LONG_TIMEOUT_MS), 1);
    join(killer);
    close(other);
    close(ep);
}

static _Atomic pid_t acceptors[2];

static void *accept_one(void *tid)
{
    sigset_t set = set_of(SIGUSR1);
    struct timespec limit = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    sigaddset(&set, SIGUSR2);
    *(_Atomic pid_t *)tid = own_tid();
    EXPECT(sigtimedwait(&set, nullptr, &limit) > 0);
    return nullptr;
}

// Both come before the first waiter runs. It takes one; the other is the second's.
CASE(sigwait_gives_two_signals_to_two_waiters)
{
    pthread_t threads[2];
    cpu_set_t first;
    block(SIGUSR1);
    block(SIGUSR2);
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    REQUIRE(sched_setaffinity(0, sizeof first, &first) == 0);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, accept_one, (void *)&acceptors[i]), 0);
    for (int i = 0; i < 2; i++) {
        while (!acceptors[i])
            sched_yield();
        until_asleep(acceptors[i]);
    }
    struct sched_param p = {.sched_priority = 1};
    REQUIRE(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p) == 0);
    EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
    EXPECT_EQ(kill(getpid(), SIGUSR2), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], nullptr);
}

CASE_WITHIN(120, signal_storm_between_two_processes)
{
    enum { COUNT = 2000 };
    block(SIGRTMIN);
    sigset_t set = set_of(SIGRTMIN);
    pid_t parent = getpid();
    IN_CHILD(child)
    {
        for (int i = 0; i < COUNT; i++) {
            EXPECT_EQ(sigwaitinfo(&set, nullptr), SIGRTMIN);
            kill(parent, SIGRTMIN);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        kill(child, SIGRTMIN);
        EXPECT_EQ(sigwaitinfo(&set, nullptr), SIGRTMIN);
    }
    EXPECT_EXITED(child, 0);
}
