// tests/contract/unix_full.c — AF_UNIX sockets whose peer has no room: buffers, queues of datagrams, backlogs, no free descriptor.
#include "tests/contract/unix_socket.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>

CASE(unix_full_backlog_is_eagain_for_nonblocking)
{
    int l = bound(SOCK_STREAM, "s"), fails = 0;
    REQUIRE(listen(l, 1) == 0);
    for (int i = 0; i < 5; i++) {
        int c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect_to(c, "s") != 0) {
            EXPECT_EQ(errno, EAGAIN);
            fails++;
        }
    }
    EXPECT_EQ(fails, 3); // backlog + 1 fit
}

CASE(unix_full_buffer_blocks_and_wakes_the_sender)
{
    int fds[2];
    char block[4096] = {};
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    long sent = 0;
    for (ssize_t n; (n = write(fds[0], block, sizeof block)) > 0;)
        sent += n;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT(sent >= 65536);
    EXPECT_EQ(poll_now(fds[0], POLLOUT), 0);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, 0), 0);
    IN_CHILD(child)
    {
        close(fds[0]);
        long got = 0;
        for (ssize_t n; (n = read(fds[1], block, sizeof block)) > 0;)
            got += n;
        EXPECT_EQ(got, sent + 100000);
    }
    close(fds[1]);
    char *big = calloc(1, 100000);
    EXPECT_EQ(write(fds[0], big, 100000), 100000);
    close(fds[0]);
    EXPECT_EXITED(child, 0);
}

// --- A receiver whose queue is full. ---

// A datagram socket that is connected to `name`, whose queue it has filled; it does not block.
static int filler_of(const char *name)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    REQUIRE(connect_to(fd, name) == 0);
    while (send(fd, "x", 1, 0) == 1)
        ;
    REQUIRE_EQ(errno, EAGAIN);
    return fd;
}

static int watched(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    int ep = epoll_create1(EPOLL_CLOEXEC);
    REQUIRE(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
    return ep;
}

static uint32_t ready(int ep, int timeout)
{
    struct epoll_event event = {};
    return epoll_wait(ep, &event, 1, timeout) == 1 ? event.events : 0;
}

CASE(unix_datagram_writable_edge_comes_when_the_receiver_reads)
{
    char c;
    int r = bound(SOCK_DGRAM, "r"), s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    REQUIRE(connect_to(s, "r") == 0);
    int ep = watched(s, EPOLLOUT | EPOLLET);
    EXPECT_EQ(ready(ep, 0), EPOLLOUT);
    while (send(s, "x", 1, 0) == 1)
        ;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(ready(ep, 0), 0);
    EXPECT_EQ(poll_now(s, POLLOUT), 0);
    EXPECT_EQ(read(r, &c, 1), 1);
    EXPECT_EQ(ready(ep, LONG_TIMEOUT_MS), EPOLLOUT);
    EXPECT_EQ(poll_now(s, POLLOUT), POLLOUT);
}

CASE(unix_datagram_poll_follows_a_reconnect_to_the_new_receiver)
{
    char c;
    bound(SOCK_DGRAM, "old");
    int new = bound(SOCK_DGRAM, "new");
    int s = filler_of("old");
    filler_of("new");
    int ep = watched(s, EPOLLOUT);
    EXPECT_EQ(ready(ep, 0), 0);
    EXPECT_EQ(connect_to(s, "new"), 0);
    EXPECT_EQ(ready(ep, 0), 0); // full as well
    EXPECT_EQ(read(new, &c, 1), 1);
    EXPECT_EQ(ready(ep, LONG_TIMEOUT_MS), EPOLLOUT);
}

// A log daemon goes while its client waits for room in an epoll set: the client's set forgets the daemon's queue with the daemon.
CASE(unix_datagram_receiver_may_go_while_its_sender_is_polled)
{
    for (int i = 0; i < 200; i++) {
        int r = bound(SOCK_DGRAM, "log"), s = filler_of("log");
        int ep = watched(s, EPOLLOUT);
        EXPECT_EQ(ready(ep, 0), 0);
        close(r);
        EXPECT_EQ(ready(ep, LONG_TIMEOUT_MS), EPOLLOUT); // there is nothing to wait for
        EXPECT_ERRNO(send(s, "x", 1, 0), ECONNREFUSED);
        EXPECT_ERRNO(send(s, "x", 1, 0), ENOTCONN);
        EXPECT_EQ(ready(ep, 0), EPOLLOUT);
        int again = bound(SOCK_DGRAM, "@log"); // the memory that went is used again
        close(s);
        close(ep);
        close(again);
        unlink("log");
    }
}

// The receiver will not send any more, which is nothing to a sender: it waits for room, and a signal ends that.
CASE(unix_datagram_sender_sleeps_for_a_receiver_that_only_stopped_sending)
{
    int r = bound(SOCK_DGRAM, "r"), s = filler_of("r");
    EXPECT_EQ(shutdown(r, SHUT_WR), 0);
    REQUIRE(fcntl(s, F_SETFL, 0) == 0);
    count_signal(SIGUSR1, 0);
    thread_t signaller = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(send(s, "x", 1, 0), EINTR);
    join(signaller);
    EXPECT_EQ(handled_signals, 1);
}

static void stop_sending(long fd)
{
    until_asleep(getpid());
    EXPECT_EQ(shutdown((int)fd, SHUT_WR), 0);
}

CASE(unix_sender_without_room_is_woken_by_its_own_shutdown)
{
    int fds[2];
    char block[1024] = {};
    make_pair(SOCK_DGRAM, fds);
    REQUIRE(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    while (send(fds[0], block, sizeof block, 0) > 0)
        ;
    REQUIRE_EQ(errno, EAGAIN);
    REQUIRE(fcntl(fds[0], F_SETFL, 0) == 0);
    thread_t other = after_ms(0, stop_sending, fds[0]);
    EXPECT_ERRNO(send(fds[0], block, sizeof block, MSG_NOSIGNAL), EPIPE);
    join(other);
}

static void close_other_end(long fd)
{
    until_asleep(getpid());
    EXPECT_EQ(close((int)fd), 0);
}

CASE(unix_sender_without_room_is_told_that_its_peer_left_data_unread)
{
    int fds[2];
    char block[4096] = {};
    make_pair(SOCK_STREAM, fds);
    REQUIRE(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    for (size_t n = sizeof block; n; n /= 2)
        while (send(fds[0], block, n, 0) > 0)
            ;
    REQUIRE_EQ(errno, EAGAIN);
    REQUIRE(fcntl(fds[0], F_SETFL, 0) == 0);
    thread_t other = after_ms(0, close_other_end, fds[1]);
    EXPECT_ERRNO(send(fds[0], block, sizeof block, MSG_NOSIGNAL), ECONNRESET);
    join(other);
    EXPECT_ERRNO(send(fds[0], block, sizeof block, MSG_NOSIGNAL), EPIPE);
}

static _Atomic pid_t waiter_tid;

// A thread that tells who it is and then waits in the kernel, as it does when this returns.
static pthread_t start_waiter(void *(*run)(void *), int *fd)
{
    pthread_t waiter;
    waiter_tid = 0;
    REQUIRE(pthread_create(&waiter, nullptr, run, fd) == 0);
    while (!waiter_tid)
        sched_yield();
    until_asleep(waiter_tid);
    return waiter;
}

static void *connect_second(void *fd)
{
    waiter_tid = own_tid();
    EXPECT_ERRNO(connect_to(*(int *)fd, "s"), ECONNREFUSED);
    return nullptr;
}

// It hears of that when there would be room.
CASE(unix_connect_that_waited_for_backlog_is_refused_by_a_listener_that_receives_no_more)
{
    int l = bound(SOCK_STREAM, "s");
    REQUIRE(listen(l, 0) == 0);
    int first = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(first, "s"), 0);
    pthread_t waiter = start_waiter(connect_second, &second);
    EXPECT_EQ(shutdown(l, SHUT_RD), 0);
    EXPECT(accept(l, nullptr, nullptr) >= 0);
    pthread_join(waiter, nullptr);
    EXPECT_ERRNO(accept(l, nullptr, nullptr), EINVAL);
}

static void *connect_in_turn(void *fd)
{
    waiter_tid = own_tid();
    EXPECT_EQ(connect_to(*(int *)fd, "s"), 0);
    return nullptr;
}

CASE(unix_connect_that_waits_for_backlog_goes_on_when_it_grows)
{
    int l = bound(SOCK_STREAM, "s"), first = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(listen(l, 0) == 0);
    EXPECT_EQ(connect_to(first, "s"), 0);
    for (int backlog = 1; backlog <= 20; backlog++) {
        int next = socket(AF_UNIX, SOCK_STREAM, 0);
        pthread_t waiter = start_waiter(connect_in_turn, &next);
        EXPECT_EQ(listen(l, backlog), 0);
        pthread_join(waiter, nullptr);
    }
}

static void *poll_for_room(void *fd)
{
    waiter_tid = own_tid();
    struct pollfd p = {.fd = *(int *)fd, .events = POLLOUT};
    EXPECT_EQ(poll(&p, 1, -1), 1); // a time limit would look once more at its end, and hide that nobody was woken
    return nullptr;
}

static atomic_bool enough;

static void *look_for_room(void *fd)
{
    while (!enough)
        poll_now(*(int *)fd, POLLOUT);
    return nullptr;
}

CASE(unix_datagram_poller_hears_of_room_though_others_look_for_it_too)
{
    enum { LOOKERS = 3, STORM_SECONDS = 3 };
    char c;
    int r = bound(SOCK_DGRAM, "r"), s = filler_of("r");
    pthread_t lookers[LOOKERS], waiter;
    for (int i = 0; i < LOOKERS; i++)
        REQUIRE(pthread_create(&lookers[i], nullptr, look_for_room, &s) == 0);
    for (int64_t end = now_ns() + STORM_SECONDS * INT64_C(1000000000); now_ns() < end;) {
        waiter = start_waiter(poll_for_room, &s);
        EXPECT_EQ(read(r, &c, 1), 1);
        pthread_join(waiter, nullptr);
        EXPECT_EQ(send(s, "x", 1, 0), 1);
    }
    enough = true;
    for (int i = 0; i < LOOKERS; i++)
        pthread_join(lookers[i], nullptr);
}

// --- accept(2) and what stands in its way. ---

CASE(accept_without_a_free_descriptor_keeps_the_connection)
{
    char c;
    int l = listener(SOCK_STREAM, "s"), client = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(client, "s"), 0);
    struct rlimit old, none = {(rlim_t)client + 1, (rlim_t)client + 1};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &old) == 0);
    none.rlim_max = old.rlim_max;
    for (int fd = 0; fd <= client; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            dup2(l, fd);
    }
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    EXPECT_ERRNO(accept(l, nullptr, nullptr), EMFILE);
    EXPECT_ERRNO(accept(0, nullptr, nullptr), EMFILE); // before anything is asked about the descriptor but whether it is open
    EXPECT_ERRNO(accept(client + 1, nullptr, nullptr), EBADF);
    EXPECT_EQ(poll_now(l, POLLIN), POLLIN);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &old) == 0);
    int server = accept(l, nullptr, nullptr);
    REQUIRE(server >= 0);
    EXPECT_EQ(send(client, "x", 1, MSG_NOSIGNAL), 1);
    EXPECT_EQ(read(server, &c, 1), 1);
    EXPECT_ERRNO(accept(client, nullptr, nullptr), EINVAL);
    int next = dup(server);
    close(next);
    EXPECT_ERRNO(accept4(l, nullptr, nullptr, 1), EINVAL);
    EXPECT_EQ(dup(server), next); // the refused ones have given their descriptor back
}
