// tests/contract/storm_socket.c — pipes, sockets and epoll, with several threads at each end.
#include "tests/contract/storm.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
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

// --- What was written before the last close is read before the end. ---

static void socket_ends(int fds[2], int type)
{
    REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
}

static void pipe_ends(int fds[2], int)
{
    REQUIRE(pipe(fds) == 0);
}

static void terminal_ends(int fds[2], int)
{
    int unlock = 0, number;
    char path[32];
    fds[0] = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
    REQUIRE(ioctl(fds[0], TIOCSPTLCK, &unlock) == 0 && ioctl(fds[0], TIOCGPTN, &number) == 0);
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    fds[1] = open(path, O_RDWR | O_NOCTTY);
    REQUIRE(fds[1] >= 0);
}

static void (*make_ends)(int fds[2], int type);
static int ends_type, ends[2][2];
static pthread_barrier_t pair_line[2];

// Of each two threads the even one makes the ends and reads, without waiting for the data, so that it looks while the other closes.
static void write_close_and_read(int number)
{
    int *fds = ends[number / 2], got = 0;
    char text[16];
    if (number % 2 == 0)
        make_ends(fds, ends_type);
    pthread_barrier_wait(&pair_line[number / 2]);
    if (number % 2) {
        EXPECT_EQ(write(fds[1], "last", 4), 4);
        EXPECT_EQ(close(fds[1]), 0);
    } else {
        ssize_t n;
        struct pollfd p = {.fd = fds[0], .events = POLLIN};
        REQUIRE(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
        do {
            poll(&p, 1, 0);
            EXPECT(got == 4 || (p.revents & (POLLIN | POLLHUP)) != POLLHUP); // with the data, not instead of it
            n = read(fds[0], text, sizeof text);
            got += n > 0 ? (int)n : 0;
        } while (n > 0 || (n < 0 && errno == EAGAIN));
        EXPECT(n == 0 || errno == EIO); // what a terminal says when its other end is closed
        EXPECT_EQ(got, 4);
        EXPECT_EQ(close(fds[0]), 0);
    }
    pthread_barrier_wait(&pair_line[number / 2]);
}

static void *write_and_close_or_read(void *number)
{
    for (int i = 0; i < 400; i++)
        write_close_and_read((int)(intptr_t)number);
    return nullptr;
}

static void close_after_writing(void (*make)(int fds[2], int type), int type)
{
    pthread_t threads[STORM_THREADS];
    make_ends = make;
    ends_type = type;
    for (int i = 0; i < STORM_THREADS / 2; i++)
        REQUIRE_EQ(pthread_barrier_init(&pair_line[i], nullptr, 2), 0);
    for (intptr_t i = 0; i < STORM_THREADS; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, write_and_close_or_read, (void *)i), 0);
    for (int i = 0; i < STORM_THREADS; i++)
        pthread_join(threads[i], nullptr);
}

CASE(storm_pipe_gives_its_last_data_before_the_end)
{
    close_after_writing(pipe_ends, 0);
}

CASE(storm_stream_gives_its_last_data_before_the_end)
{
    close_after_writing(socket_ends, SOCK_STREAM);
}

CASE(storm_packets_arrive_before_the_end)
{
    close_after_writing(socket_ends, SOCK_SEQPACKET);
}

CASE(storm_terminal_gives_its_last_data_before_the_end)
{
    own_mount_namespace();
    mkdir("/dev/pts", 0755);
    REQUIRE(mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666") == 0);
    close_after_writing(terminal_ends, 0);
}

// --- A FIFO's opener, its partner, and signals. ---

static atomic_int openers, fifo_rounds_left = 200;
static pthread_t opener;

static void *open_for_writing(void *)
{
    while (fifo_rounds_left > 0) {
        int fd = open("fifo", O_WRONLY);
        EXPECT(fd >= 0);
        atomic_fetch_add(&openers, 1);
        EXPECT_EQ(close(fd), 0);
    }
    return nullptr;
}

static void *disturb_opener(void *)
{
    for (unsigned i = 1; fifo_rounds_left > 0; i++) {
        pthread_kill(opener, SIGUSR1);
        if (i % 16)
            sched_yield();
        else
            sleep_ms(1);
    }
    return nullptr;
}

// Who opened for reading met a writer, so that one does not go back to wait, though a signal came too.
CASE(storm_fifo_is_opened_at_both_ends_or_none)
{
    pthread_t disturber;
    REQUIRE(mkfifo("fifo", 0600) == 0);
    count_signal(SIGUSR1, SA_RESTART);
    REQUIRE_EQ(pthread_create(&opener, nullptr, open_for_writing, nullptr), 0);
    REQUIRE_EQ(pthread_create(&disturber, nullptr, disturb_opener, nullptr), 0);
    for (; fifo_rounds_left > 0; fifo_rounds_left--) {
        int before = openers, fd = open("fifo", O_RDONLY);
        EXPECT(fd >= 0);
        for (int64_t end = now_ns() + (int64_t)LONG_TIMEOUT_MS * 1000000; openers == before && now_ns() < end;)
            sched_yield();
        REQUIRE(openers != before);
        EXPECT_EQ(close(fd), 0);
    }
    pthread_join(disturber, nullptr); // the opener may wait once more, for as long as the case lives
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
