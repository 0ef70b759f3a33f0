// tests/contract/poll.c — poll, ppoll, select, pselect, epoll, eventfd: what is ready, who is woken, how often.
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static void make_pipe(int fds[2])
{
    REQUIRE(pipe(fds) == 0);
}

static int make_epoll(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);
    REQUIRE(ep >= 0);
    return ep;
}

static int epoll_add(int ep, int fd, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

CASE(poll_timeout_waits_that_long)
{
    int fds[2];
    make_pipe(fds);
    struct pollfd p = {.fd = fds[0], .events = POLLIN, .revents = 77};
    int64_t start = now_ns();
    EXPECT_EQ(poll(&p, 1, 50), 0);
    EXPECT(now_ns() - start >= 50000000);
    EXPECT_EQ(p.revents, 0);
}

CASE(poll_write_wakes_poller)
{
    int fds[2];
    make_pipe(fds);
    thread_t writer = after_ms(20, write_byte, fds[1]);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(p.revents, POLLIN);
    join(writer);
}

CASE(poll_ignores_negative_descriptors)
{
    struct pollfd p[2] = {{.fd = -1, .events = POLLIN, .revents = 5}, {.fd = -100, .events = POLLOUT}};
    EXPECT_EQ(poll(p, 2, 0), 0);
    EXPECT_EQ(p[0].revents, 0);
}

CASE(poll_closed_descriptor_is_pollnval)
{
    struct pollfd p = {.fd = 999, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, -1), 1);
    EXPECT_EQ(p.revents, POLLNVAL);
}

CASE(poll_regular_file_is_always_ready)
{
    make_file("f", "x");
    struct pollfd p = {.fd = open("f", O_RDWR), .events = POLLIN | POLLOUT | POLLPRI};
    EXPECT_EQ(poll(&p, 1, -1), 1);
    EXPECT_EQ(p.revents, POLLIN | POLLOUT);
}

CASE(poll_signal_interrupts_even_with_sa_restart)
{
    count_signal(SIGUSR1, SA_RESTART);
    thread_t killer = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(poll(nullptr, 0, LONG_TIMEOUT_MS), EINTR);
    join(killer);
}

CASE(poll_rejects_bad_arguments)
{
    EXPECT_ERRNO(poll((void *)8, 1, 0), EFAULT);
    EXPECT_ERRNO(syscall(SYS_poll, nullptr, 0x7fffffff, 0), EINVAL); // above RLIMIT_NOFILE
}

CASE(ppoll_mask_lets_pending_signal_in)
{
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    count_signal(SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    raise(SIGUSR1);
    EXPECT_EQ(handled_signals, 0);
    EXPECT_ERRNO(ppoll(nullptr, 0, nullptr, &none), EINTR);
    EXPECT_EQ(handled_signals, 1);
    sigset_t now;
    sigprocmask(SIG_SETMASK, nullptr, &now);
    EXPECT(sigismember(&now, SIGUSR1)); // the old mask is back
}

CASE(ppoll_mask_lets_pending_signal_in_without_waiting)
{
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    count_signal(SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    struct timespec zero = {};
    raise(SIGUSR1);
    EXPECT_ERRNO(ppoll(nullptr, 0, &zero, &none), EINTR);
    EXPECT_EQ(handled_signals, 1);
    raise(SIGUSR1);
    EXPECT_ERRNO(pselect(0, nullptr, nullptr, nullptr, &zero, &none), EINTR);
    EXPECT_EQ(handled_signals, 2);
    raise(SIGUSR1);
    EXPECT_EQ(ppoll(nullptr, 0, &zero, &set), 0);
    struct pollfd ready = {.fd = eventfd(1, 0), .events = POLLIN};
    EXPECT_EQ(ppoll(&ready, 1, &zero, &none), 1); // there is a result: no signal is let in
    EXPECT_EQ(handled_signals, 2);
}

CASE(ppoll_rejects_bad_times)
{
    struct timespec bad = {.tv_sec = 0, .tv_nsec = 1000000000}, negative = {.tv_sec = -1};
    EXPECT_ERRNO(ppoll(nullptr, 0, &bad, nullptr), EINVAL);
    EXPECT_ERRNO(ppoll(nullptr, 0, &negative, nullptr), EINVAL);
    struct timespec t = {};
    EXPECT_ERRNO(syscall(SYS_ppoll, nullptr, 0, &t, &t, 5), EINVAL); // size of the signal set
}

CASE(ppoll_raw_call_updates_the_timeout)
{
    struct timespec t = {.tv_sec = 5};
    int fds[2];
    make_pipe(fds);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    thread_t writer = after_ms(30, write_byte, fds[1]);
    EXPECT_EQ(syscall(SYS_ppoll, &p, 1, &t, nullptr, 8), 1);
    EXPECT(t.tv_sec < 5);
    join(writer);
}

CASE(select_reports_sets_and_count)
{
    int fds[2];
    make_pipe(fds);
    write_byte(fds[1]);
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(fds[0], &readable);
    FD_SET(fds[1], &readable);
    FD_SET(fds[1], &writable);
    struct timeval zero = {};
    EXPECT_EQ(select(fds[1] + 1, &readable, &writable, nullptr, &zero), 2);
    EXPECT(FD_ISSET(fds[0], &readable));
    EXPECT(!FD_ISSET(fds[1], &readable));
    EXPECT(FD_ISSET(fds[1], &writable));
}

CASE(select_closed_descriptor_is_ebadf)
{
    fd_set set;
    FD_ZERO(&set);
    int gone = dup(0);
    close(gone);
    FD_SET(gone, &set);
    struct timeval zero = {};
    EXPECT_ERRNO(select(gone + 1, &set, nullptr, nullptr, &zero), EBADF);
    EXPECT_ERRNO(select(-1, nullptr, nullptr, nullptr, &zero), EINVAL);
}

CASE(select_hangup_counts_as_readable)
{
    int fds[2];
    make_pipe(fds);
    close(fds[1]);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    EXPECT_EQ(select(fds[0] + 1, &set, nullptr, nullptr, nullptr), 1);
}

CASE(select_timeout_clears_sets_and_remaining_time)
{
    int fds[2];
    make_pipe(fds);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    struct timeval t = {.tv_usec = 20000};
    EXPECT_EQ(syscall(SYS_select, fds[0] + 1, &set, nullptr, nullptr, &t), 0);
    EXPECT(!FD_ISSET(fds[0], &set));
    EXPECT_EQ(t.tv_sec, 0);
    EXPECT_EQ(t.tv_usec, 0);
}

CASE(pselect_mask_lets_pending_signal_in)
{
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    count_signal(SIGUSR2, 0);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    raise(SIGUSR2);
    EXPECT_ERRNO(pselect(0, nullptr, nullptr, nullptr, nullptr, &none), EINTR);
    EXPECT_EQ(handled_signals, 1);
}

CASE(epoll_create_checks_arguments)
{
    EXPECT_ERRNO(epoll_create1(1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
    int ep = make_epoll();
    EXPECT_EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
    int old = (int)syscall(SYS_epoll_create, 1);
    EXPECT(old >= 0);
    EXPECT_EQ(fcntl(old, F_GETFD), 0);
}

CASE(epoll_level_triggered_reports_until_read)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN), 0);
    struct epoll_event e[4];
    EXPECT_EQ(epoll_wait(ep, e, 4, 0), 0);
    write_byte(fds[1]);
    EXPECT_EQ(epoll_wait(ep, e, 4, 0), 1);
    EXPECT_EQ(epoll_wait(ep, e, 4, 0), 1);
    EXPECT_EQ(e[0].events, EPOLLIN);
    EXPECT_EQ(e[0].data.fd, fds[0]);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(epoll_wait(ep, e, 4, 0), 0);
}

CASE(epoll_edge_triggered_reports_each_write_once)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN | EPOLLET), 0);
    struct epoll_event e;
    write_byte(fds[1]);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
    write_byte(fds[1]); // the first byte is still unread: a new edge all the same
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 20), 0);
}

CASE(epoll_oneshot_waits_to_be_armed_again)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN | EPOLLONESHOT), 0);
    struct epoll_event e;
    write_byte(fds[1]);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
    write_byte(fds[1]);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
    e = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 0x123456789abcdef};
    EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &e), 0);
    e = (struct epoll_event){};
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
    EXPECT_EQ(e.data.u64, 0x123456789abcdef);
}

CASE(epoll_ctl_errors)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    struct epoll_event e = {.events = EPOLLIN};
    EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], nullptr), ENOENT);
    EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &e), ENOENT);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN), 0);
    EXPECT_ERRNO(epoll_add(ep, fds[0], EPOLLIN), EEXIST);
    EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], nullptr), 0);
    EXPECT_ERRNO(epoll_add(ep, 999, EPOLLIN), EBADF);
    EXPECT_ERRNO(epoll_add(999, fds[0], EPOLLIN), EBADF);
    EXPECT_ERRNO(epoll_add(ep, ep, EPOLLIN), EINVAL);
    EXPECT_ERRNO(epoll_add(fds[0], fds[1], EPOLLIN), EINVAL);
    EXPECT_ERRNO(epoll_ctl(ep, 9, fds[0], &e), EINVAL);
    EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], (void *)8), EFAULT);
    make_file("f", "");
    int file = open("f", O_RDWR);
    EXPECT_ERRNO(epoll_add(ep, file, EPOLLIN), EPERM); // regular files cannot be watched
}

CASE(epoll_wait_errors)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    struct epoll_event e;
    EXPECT_ERRNO(epoll_wait(ep, &e, 0, 0), EINVAL);
    EXPECT_ERRNO(epoll_wait(ep, &e, -1, 0), EINVAL);
    EXPECT_ERRNO(epoll_wait(fds[0], &e, 1, 0), EINVAL);
    EXPECT_ERRNO(epoll_wait(999, &e, 1, 0), EBADF);
    EXPECT_EQ(epoll_add(ep, fds[1], EPOLLOUT), 0);
    EXPECT_ERRNO(epoll_wait(ep, (void *)8, 1, 0), EFAULT);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1); // the event was not lost
}

CASE(epoll_wait_is_woken_and_times_out)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN), 0);
    struct epoll_event e;
    int64_t start = now_ns();
    EXPECT_EQ(epoll_wait(ep, &e, 1, 30), 0);
    EXPECT(now_ns() - start >= 30000000);
    thread_t writer = after_ms(20, write_byte, fds[1]);
    EXPECT_EQ(epoll_wait(ep, &e, 1, LONG_TIMEOUT_MS), 1);
    join(writer);
}

CASE(epoll_wait_by_its_number)
{
    int queue = epoll_create1(0), pair[2];
    REQUIRE(pipe(pair) == 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 99}, got[2];
    REQUIRE(epoll_ctl(queue, EPOLL_CTL_ADD, pair[0], &event) == 0);
    EXPECT_EQ(syscall(SYS_epoll_wait, queue, got, 2, 0), 0);
    write_byte(pair[1]);
    EXPECT_EQ(syscall(SYS_epoll_wait, queue, got, 2, -1), 1);
    EXPECT_EQ(got[0].data.u64, 99);
    EXPECT_ERRNO(syscall(SYS_epoll_wait, queue, got, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_wait, queue, got, -1, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_wait, queue, (void *)8, 1, 0), EFAULT);
}

CASE(epoll_closing_the_file_removes_it)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN), 0);
    write_byte(fds[1]);
    int copy = dup(fds[0]);
    close(fds[0]);
    struct epoll_event e;
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1); // the open file lives in the copy
    close(copy);
    EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
}

CASE(epoll_can_be_polled_and_nested)
{
    int inner = make_epoll(), outer = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(inner, fds[0], EPOLLIN), 0);
    EXPECT_EQ(epoll_add(outer, inner, EPOLLIN), 0);
    EXPECT_ERRNO(epoll_add(inner, outer, EPOLLIN), ELOOP);
    struct pollfd p = {.fd = outer, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, 0), 0);
    thread_t writer = after_ms(20, write_byte, fds[1]);
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    struct epoll_event e;
    EXPECT_EQ(epoll_wait(outer, &e, 1, 0), 1);
    EXPECT_EQ(e.data.fd, inner);
    join(writer);
}

CASE(epoll_hangup_is_reported_unasked)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], 0), 0);
    close(fds[1]);
    struct epoll_event e;
    EXPECT_EQ(epoll_wait(ep, &e, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(e.events, EPOLLHUP);
}

CASE(epoll_rounds_are_fair)
{
    int ep = make_epoll();
    int seen[8] = {}, readers[8];
    for (int i = 0; i < 8; i++) {
        int fds[2];
        make_pipe(fds);
        write_byte(fds[1]);
        readers[i] = fds[0];
        EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN), 0);
    }
    for (int round = 0; round < 4; round++) {
        struct epoll_event e[2];
        EXPECT_EQ(epoll_wait(ep, e, 2, 0), 2);
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < 8; i++)
                seen[i] += readers[i] == e[k].data.fd;
        }
    }
    for (int i = 0; i < 8; i++)
        EXPECT_EQ(seen[i], 1);
}

CASE(epoll_pwait_mask_and_size)
{
    int ep = make_epoll();
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    count_signal(SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    raise(SIGUSR1);
    struct epoll_event e;
    EXPECT_EQ(epoll_wait(ep, &e, 1, 10), 0);
    EXPECT_ERRNO(epoll_pwait(ep, &e, 1, LONG_TIMEOUT_MS, &none), EINTR);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, ep, &e, 1, 0, &none, 3), EINVAL);
}

CASE(epoll_pwait2_takes_nanoseconds)
{
    int ep = make_epoll();
    struct epoll_event e;
    struct timespec t = {.tv_nsec = 5000000};
    int64_t start = now_ns();
    EXPECT_EQ(syscall(SYS_epoll_pwait2, ep, &e, 1, &t, nullptr, 8), 0);
    EXPECT(now_ns() - start >= 5000000);
    t.tv_nsec = 2000000000;
    EXPECT_ERRNO(syscall(SYS_epoll_pwait2, ep, &e, 1, &t, nullptr, 8), EINVAL);
}

CASE(epoll_exclusive_wakes_a_waiter)
{
    int ep = make_epoll(), fds[2];
    make_pipe(fds);
    EXPECT_EQ(epoll_add(ep, fds[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &e), EINVAL);
    EXPECT_ERRNO(epoll_add(ep, fds[1], EPOLLOUT | EPOLLONESHOT | EPOLLEXCLUSIVE), EINVAL);
    thread_t writer = after_ms(20, write_byte, fds[1]);
    EXPECT_EQ(epoll_wait(ep, &e, 1, LONG_TIMEOUT_MS), 1);
    join(writer);
}

CASE(eventfd_counts_and_resets)
{
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    REQUIRE(fd >= 0);
    uint64_t value = 4;
    EXPECT_EQ(write(fd, &value, 8), 8);
    EXPECT_EQ(read(fd, &value, 8), 8);
    EXPECT_EQ(value, 7);
    EXPECT_ERRNO(read(fd, &value, 8), EAGAIN);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

CASE(eventfd_semaphore_gives_ones)
{
    int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    uint64_t value = 0;
    EXPECT_EQ(read(fd, &value, 8), 8);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(read(fd, &value, 8), 8);
    EXPECT_ERRNO(read(fd, &value, 8), EAGAIN);
}

CASE(eventfd_limits)
{
    int fd = eventfd(0, EFD_NONBLOCK);
    uint64_t value = UINT64_MAX;
    EXPECT_ERRNO(write(fd, &value, 8), EINVAL);
    value = UINT64_MAX - 1;
    EXPECT_EQ(write(fd, &value, 8), 8);
    value = 1;
    EXPECT_ERRNO(write(fd, &value, 8), EAGAIN);
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLIN);
    EXPECT_ERRNO(read(fd, &value, 4), EINVAL);
    EXPECT_ERRNO(write(fd, &value, 7), EINVAL);
    EXPECT_ERRNO(eventfd(0, 0x40), EINVAL);
}

CASE(calls_without_flags_make_plain_descriptors)
{
    uint64_t set = 1ul << (SIGUSR1 - 1), three = 0;
    long fds[] = {syscall(SYS_epoll_create, 1), syscall(SYS_eventfd, 3), syscall(SYS_signalfd, -1, &set, 8)};
    for (int i = 0; i < 3; i++) {
        REQUIRE(fds[i] >= 0);
        EXPECT_EQ(fcntl((int)fds[i], F_GETFD), 0);
        EXPECT_EQ(fcntl((int)fds[i], F_GETFL) & O_NONBLOCK, 0);
    }
    EXPECT_EQ(read((int)fds[1], &three, 8), 8);
    EXPECT_EQ(three, 3);
    EXPECT_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_create, -1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_signalfd, -1, &set, 4), EINVAL);
}

CASE(calls_with_flags_make_descriptors_that_close_at_exec)
{
    uint64_t set = 1ul << (SIGUSR1 - 1), count = 0;
    long fds[] = {syscall(SYS_eventfd2, 2, O_CLOEXEC | O_NONBLOCK | 1), syscall(SYS_signalfd4, -1, &set, 8, O_CLOEXEC | O_NONBLOCK)};
    for (int i = 0; i < 2; i++) {
        REQUIRE(fds[i] >= 0);
        EXPECT_EQ(fcntl((int)fds[i], F_GETFD), FD_CLOEXEC);
        EXPECT(fcntl((int)fds[i], F_GETFL) & O_NONBLOCK);
    }
    EXPECT_EQ(read((int)fds[0], &count, 8), 8);
    EXPECT_EQ(count, 1); // a semaphore
    char info[128];
    EXPECT_ERRNO(read((int)fds[1], info, sizeof info), EAGAIN);
    EXPECT_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
}

static void add_one(long fd)
{
    uint64_t one = 1;
    EXPECT_EQ(write((int)fd, &one, 8), 8);
}

CASE(eventfd_write_wakes_reader)
{
    int fd = eventfd(0, 0);
    thread_t writer = after_ms(20, add_one, fd);
    uint64_t value = 0;
    EXPECT_EQ(read(fd, &value, 8), 8);
    EXPECT_EQ(value, 1);
    join(writer);
}

CASE(eventfd_edge_triggers_on_every_write)
{
    int ep = make_epoll(), fd = eventfd(0, EFD_NONBLOCK);
    EXPECT_EQ(epoll_add(ep, fd, EPOLLIN | EPOLLET), 0);
    struct epoll_event e;
    for (int i = 0; i < 3; i++) {
        add_one(fd);
        EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
        EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
    }
}

// --- Several who look at one instance. ---

static _Atomic bool looking;

static void *look_again_and_again(void *ep)
{
    struct epoll_event e;
    while (looking)
        EXPECT_EQ(epoll_wait((int)(intptr_t)ep, &e, 1, 0), 1);
    return nullptr;
}

// A scan of the ready list takes it away for a moment, in which the instance must not seem to have nothing.
CASE(epoll_stays_ready_while_another_thread_looks)
{
    int ep = make_epoll(), outer = make_epoll(), fds[2];
    pthread_t other;
    struct epoll_event e;
    make_pipe(fds);
    write_byte(fds[1]);
    REQUIRE(epoll_add(ep, fds[0], EPOLLIN) == 0);
    REQUIRE(epoll_add(outer, ep, EPOLLIN) == 0);
    looking = true;
    REQUIRE(pthread_create(&other, nullptr, look_again_and_again, (void *)(intptr_t)ep) == 0);
    int missed = 0;
    for (int i = 0; i < 1000; i++) {
        struct pollfd p = {.fd = ep, .events = POLLIN};
        missed += poll(&p, 1, 0) != 1;
        missed += epoll_wait(ep, &e, 1, 0) != 1;
        missed += epoll_wait(outer, &e, 1, 0) != 1;
    }
    looking = false;
    pthread_join(other, nullptr);
    EXPECT_EQ(missed, 0);
}

// --- How much may be watched. ---

// One event would wake somebody along every path: there may be 500 of two instances.
CASE(epoll_paths_through_one_instance_are_limited)
{
    int inner = make_epoll(), outer[501], fds[2];
    make_pipe(fds);
    REQUIRE(epoll_add(inner, fds[0], EPOLLIN) == 0);
    for (int i = 0; i < 500; i++)
        REQUIRE(epoll_add(outer[i] = make_epoll(), inner, EPOLLIN) == 0);
    outer[500] = make_epoll();
    EXPECT_ERRNO(epoll_add(outer[500], inner, EPOLLIN), EINVAL);
    EXPECT_EQ(epoll_add(inner, fds[1], EPOLLOUT), 0); // 500 of its own
    EXPECT_EQ(epoll_ctl(outer[0], EPOLL_CTL_DEL, inner, nullptr), 0);
    EXPECT_EQ(epoll_add(outer[500], inner, EPOLLIN), 0);
    struct epoll_event e;
    write_byte(fds[1]);
    EXPECT_EQ(epoll_wait(outer[500], &e, 1, 0), 1);
}

CASE(epoll_paths_are_counted_when_a_file_is_added_below)
{
    int inner = make_epoll(), fds[2];
    make_pipe(fds);
    for (int i = 0; i < 501; i++)
        REQUIRE(epoll_add(make_epoll(), inner, EPOLLIN) == 0); // there is no file yet
    EXPECT_ERRNO(epoll_add(inner, fds[0], EPOLLIN), EINVAL);
    EXPECT_ERRNO(epoll_ctl(inner, EPOLL_CTL_DEL, fds[0], nullptr), ENOENT);
}

CASE(epoll_levels_do_not_multiply)
{
    enum { LEVELS = 5, WIDTH = 8 };
    int at[LEVELS][WIDTH], fds[2], refused = 0;
    make_pipe(fds);
    for (int level = LEVELS; level-- > 0;) {
        for (int i = 0; i < WIDTH; i++) {
            at[level][i] = make_epoll();
            for (int k = 0; k < (level == LEVELS - 1 ? 1 : WIDTH); k++) {
                if (epoll_add(at[level][i], level == LEVELS - 1 ? fds[0] : at[level + 1][k], EPOLLIN) == 0)
                    continue;
                EXPECT_EQ(errno, EINVAL);
                refused++;
            }
        }
    }
    EXPECT(refused > 0);
    write_byte(fds[1]);
    struct epoll_event e;
    EXPECT_EQ(epoll_wait(at[LEVELS - 1][0], &e, 1, 0), 1);
}

CASE(epoll_watches_of_a_user_are_limited)
{
    static const char *const file = "/proc/sys/fs/epoll/max_user_watches";
    keep_setting(file);
    EXPECT(strtoull(file_text(file), nullptr, 10) > 1000);
    REQUIRE(write_text(file, "2") == 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(54321) == 0);
        int one = make_epoll(), two = make_epoll(), fds[2];
        make_pipe(fds);
        EXPECT_EQ(epoll_add(one, fds[0], EPOLLIN), 0);
        EXPECT_EQ(epoll_add(two, fds[0], EPOLLIN), 0);
        EXPECT_ERRNO(epoll_add(one, fds[1], EPOLLOUT), ENOSPC);
        EXPECT_ERRNO(epoll_add(one, fds[0], EPOLLIN), EEXIST);
        close(two);
        EXPECT_EQ(epoll_add(one, fds[1], EPOLLOUT), 0);
        EXPECT_EQ(epoll_ctl(one, EPOLL_CTL_DEL, fds[1], nullptr), 0);
        EXPECT_EQ(epoll_add(one, fds[1], EPOLLOUT), 0);
    }
    EXPECT_EXITED(child, 0);
}
