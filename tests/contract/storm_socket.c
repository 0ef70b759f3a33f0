// tests/contract/storm_socket.c — pipes, sockets and epoll, with several threads at each end.
#include "tests/contract/storm.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

// --- Every message reaches one reader, whole. ---

static int reading_end, writing_end;
static atomic_long sent, received, sent_count, received_count;

// Two threads write numbers, two read them, never more than there are.
static void write_or_read_numbers(int number)
{
    if (number < 2) {
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t value = storm_random(1 << 20);
            atomic_fetch_add(&sent, value);
            EXPECT_EQ(write(writing_end, &value, sizeof value), sizeof value);
            atomic_fetch_add(&sent_count, 1);
        }
        return;
    }
    for (int i = 0; i < 16; i++) {
        uint32_t value = 0;
        ssize_t n = read(reading_end, &value, sizeof value);
        if (n < 0) {
            EXPECT_EQ(errno, EAGAIN);
            continue;
        }
        EXPECT_EQ(n, sizeof value);
        atomic_fetch_add(&received, value);
        atomic_fetch_add(&received_count, 1);
    }
}

static void read_the_rest(void)
{
    uint32_t value;
    while (read(reading_end, &value, sizeof value) == sizeof value) {
        received += value;
        received_count++;
    }
    EXPECT_EQ(errno, EAGAIN);
    EXPECT(sent_count > 0);
    EXPECT_EQ(received_count, sent_count);
    EXPECT_EQ(received, sent);
}

// Reads what the writers wait for room for, until they have all ended.
static void *relieve_writers(void *stop)
{
    while (!*(atomic_bool *)stop) {
        uint32_t value;
        if (read(reading_end, &value, sizeof value) == sizeof value) {
            atomic_fetch_add(&received, value);
            atomic_fetch_add(&received_count, 1);
        } else {
            sched_yield();
        }
    }
    return nullptr;
}

static void pass_numbers(int from, int to)
{
    static atomic_bool stop;
    pthread_t reader;
    reading_end = to;
    writing_end = from;
    REQUIRE(fcntl(reading_end, F_SETFL, O_NONBLOCK) == 0);
    REQUIRE_EQ(pthread_create(&reader, nullptr, relieve_writers, &stop), 0);
    storm(write_or_read_numbers);
    stop = true;
    pthread_join(reader, nullptr);
    read_the_rest();
}

CASE(storm_pipe_gives_each_number_to_one_reader)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    pass_numbers(fds[1], fds[0]);
}

CASE(storm_datagrams_reach_one_reader_each)
{
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
    pass_numbers(fds[1], fds[0]);
}

CASE(storm_packets_reach_one_reader_each)
{
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
    pass_numbers(fds[1], fds[0]);
}

// --- Connections. ---

static int listener;
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};

static void *accept_numbers(void *)
{
    for (;;) {
        uint32_t value = 0;
        int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            EXPECT_EQ(errno, EINVAL); // shut down: the end
            return nullptr;
        }
        EXPECT_EQ(recv(fd, &value, sizeof value, MSG_WAITALL), sizeof value);
        atomic_fetch_add(&received, value);
        atomic_fetch_add(&received_count, 1);
        EXPECT_EQ(send(fd, &value, sizeof value, 0), sizeof value);
        EXPECT_EQ(close(fd), 0);
    }
}

static void connect_and_send(int)
{
    uint32_t value = storm_random(1 << 20), back = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    EXPECT_EQ(send(fd, &value, sizeof value, 0), sizeof value);
    EXPECT_EQ(recv(fd, &back, sizeof back, MSG_WAITALL), sizeof back);
    EXPECT_EQ(back, value);
    atomic_fetch_add(&sent, value);
    atomic_fetch_add(&sent_count, 1);
    EXPECT_EQ(close(fd), 0);
}

CASE(storm_each_connection_is_accepted_once)
{
    pthread_t acceptors[2];
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 2) == 0);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&acceptors[i], nullptr, accept_numbers, nullptr), 0);
    storm(connect_and_send);
    EXPECT_EQ(shutdown(listener, SHUT_RDWR), 0); // wakes both
    for (int i = 0; i < 2; i++)
        pthread_join(acceptors[i], nullptr);
    EXPECT_EQ(received_count, sent_count);
    EXPECT_EQ(received, sent);
}

// One name, abstract or of a file, and one UDP port: one socket has it.
static void bind_connect_listen(int number)
{
    static atomic_int owners[2];
    bool internet = storm_random(2);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0storm.socket"};
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons(40123), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *a = internet ? (struct sockaddr *)&port : (struct sockaddr *)&name;
    socklen_t length = internet ? sizeof port : sizeof name;
    int fd = socket(internet ? AF_INET : AF_UNIX, internet ? SOCK_DGRAM : SOCK_STREAM, 0);
    REQUIRE(fd >= 0);
    if (storm_random(3) == 0) {
        int result = connect(fd, a, length); // may wait in the backlog for ever, but nobody is asked to accept
        EXPECT(result == 0 || errno == ECONNREFUSED);
    } else if (bind(fd, a, length) == 0) {
        EXPECT_EQ(atomic_exchange(&owners[internet], number + 1), 0);
        if (!internet)
            EXPECT_EQ(listen(fd, 64), 0);
        sched_yield();
        EXPECT_EQ(atomic_exchange(&owners[internet], 0), number + 1);
    } else {
        EXPECT_EQ(errno, EADDRINUSE);
    }
    EXPECT_EQ(close(fd), 0);
}

CASE(storm_a_name_is_bound_by_one_socket)
{
    loopback_up();
    storm(bind_connect_listen);
}

// --- epoll. ---

enum { STOP_DATA = 1, ONESHOT_DATA = 2, OTHER_DATA = 3 };

static int queue, oneshot, stopper, other_fds[2];
static atomic_long delivered;

static void *wait_for_events(void *)
{
    struct epoll_event event;
    for (;;) {
        REQUIRE_EQ(epoll_wait(queue, &event, 1, LONG_TIMEOUT_MS), 1);
        if (event.data.u64 == STOP_DATA)
            return nullptr;
        EXPECT_EQ(event.data.u64, ONESHOT_DATA); // the other one is never ready
        atomic_fetch_add(&delivered, 1);
    }
}

static atomic_long armed;

static void arm_add_and_remove(int number)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = ONESHOT_DATA}, other = {.events = EPOLLIN, .data.u64 = OTHER_DATA};
    if (number == 0) {
        long before = delivered;
        EXPECT_EQ(epoll_ctl(queue, EPOLL_CTL_MOD, oneshot, &event), 0);
        atomic_fetch_add(&armed, 1);
        for (int64_t end = now_ns() + (int64_t)LONG_TIMEOUT_MS * 1000000; delivered == before && now_ns() < end;)
            sched_yield();
        EXPECT_EQ(delivered, before + 1); // to one of the two, and not again
        return;
    }
    if (number == 1) {
        EXPECT_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, other_fds[0], &other), 0);
        EXPECT_ERRNO(epoll_ctl(queue, EPOLL_CTL_ADD, other_fds[0], &other), EEXIST);
        EXPECT_EQ(epoll_ctl(queue, EPOLL_CTL_DEL, other_fds[0], nullptr), 0);
        EXPECT_ERRNO(epoll_ctl(queue, EPOLL_CTL_DEL, other_fds[0], nullptr), ENOENT);
        return;
    }
    int fd = eventfd(0, EFD_NONBLOCK); // closing it takes it out
    EXPECT_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, fd, &other), 0);
    EXPECT_EQ(close(fd), 0);
}

CASE(storm_one_waiter_gets_a_oneshot_event)
{
    pthread_t waiters[2];
    struct epoll_event event = {.events = 0, .data.u64 = ONESHOT_DATA}, end = {.events = EPOLLIN, .data.u64 = STOP_DATA};
    queue = epoll_create1(0);
    oneshot = eventfd(1, 0); // always readable
    stopper = eventfd(0, 0);
    REQUIRE(queue >= 0 && oneshot >= 0 && stopper >= 0 && pipe(other_fds) == 0);
    REQUIRE(epoll_ctl(queue, EPOLL_CTL_ADD, oneshot, &event) == 0);
    REQUIRE(epoll_ctl(queue, EPOLL_CTL_ADD, stopper, &end) == 0);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&waiters[i], nullptr, wait_for_events, nullptr), 0);
    storm(arm_add_and_remove);
    uint64_t one = 1;
    EXPECT_EQ(write(stopper, &one, sizeof one), sizeof one);
    for (int i = 0; i < 2; i++)
        pthread_join(waiters[i], nullptr);
    EXPECT_EQ(delivered, armed);
}
