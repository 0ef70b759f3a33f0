// bench/micro/ipc.c — pipes, sockets, events, and the processes that talk through them.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/micro/bench.h"

static int ends[2] = {-1, -1}; // a pipe's read and write end, or a socket pair
static int event = -1, set = -1;
static char page[4096];

static void close_ends(void)
{
    MUST(close(ends[0]) == 0 && close(ends[1]) == 0);
}

// --- Within one process. ---

static void make_pipe(void)
{
    MUST(pipe(ends) == 0);
}

static void pipe_body(uint64_t n)
{
    LOOP(n) {
        MUST(raw3(SYS_write, ends[1], (long)page, sizeof page) == sizeof page);
        MUST(raw3(SYS_read, ends[0], (long)page, sizeof page) == sizeof page);
    }
}

static void socketpair_body(uint64_t n)
{
    int pair[2];
    LOOP(n) {
        MUST(raw4(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (long)pair) == 0);
        MUST(raw3(SYS_close, pair[0], 0, 0) == 0);
        MUST(raw3(SYS_close, pair[1], 0, 0) == 0);
    }
}

static void make_event(void)
{
    event = eventfd(0, EFD_CLOEXEC);
    MUST(event >= 0);
}

static void close_event(void)
{
    MUST(close(event) == 0);
}

static void eventfd_body(uint64_t n)
{
    uint64_t value = 1;
    LOOP(n) {
        MUST(raw3(SYS_write, event, (long)&value, sizeof value) == sizeof value);
        MUST(raw3(SYS_read, event, (long)&value, sizeof value) == sizeof value);
    }
}

static void open_null(void)
{
    event = open("/dev/null", O_RDWR | O_CLOEXEC);
    MUST(event >= 0);
}

static void poll_body(uint64_t n)
{
    struct pollfd entry = {.fd = event, .events = POLLIN};
    LOOP(n) MUST(raw3(SYS_poll, (long)&entry, 1, 0) == 1);
}

// --- epoll: one idle descriptor, and one active among a thousand. ---

enum { MANY = 1000 };

static int many[MANY];

static void add(int fd)
{
    struct epoll_event interest = {.events = EPOLLIN, .data = {.fd = fd}};
    MUST(epoll_ctl(set, EPOLL_CTL_ADD, fd, &interest) == 0);
}

static void make_epoll(void)
{
    set = epoll_create1(EPOLL_CLOEXEC);
    MUST(set >= 0);
    make_event();
    add(event);
}

static void close_epoll(void)
{
    close_event();
    MUST(close(set) == 0);
}

static void epoll_wait_body(uint64_t n)
{
    struct epoll_event ready[8];
    LOOP(n) MUST(raw4(SYS_epoll_wait, set, (long)ready, 8, 0) == 0);
}

static void make_epoll_1000(void)
{
    struct rlimit files = {MANY + 64, MANY + 64};
    MUST(setrlimit(RLIMIT_NOFILE, &files) == 0);
    set = epoll_create1(EPOLL_CLOEXEC);
    MUST(set >= 0);
    for (int i = 0; i < MANY; i++) {
        many[i] = eventfd(i == MANY / 2, EFD_CLOEXEC); // one has something to read
        MUST(many[i] >= 0);
        add(many[i]);
    }
}

static void epoll_1000_body(uint64_t n)
{
    struct epoll_event ready[8];
    LOOP(n) MUST(raw4(SYS_epoll_wait, set, (long)ready, 8, -1) == 1);
}

static void close_epoll_1000(void)
{
    for (int i = 0; i < MANY; i++)
        MUST(close(many[i]) == 0);
    MUST(close(set) == 0);
}

// --- A ring of processes: a byte goes round, each reads it from its own pipe and writes it to the next one's. This
// process is one of them. ---

enum { RING_MAX = 64 };

static int ring[RING_MAX][2], ring_pid[RING_MAX], ring_size;

static void pass_on(int from, int to)
{
    char byte;
    while (raw3(SYS_read, from, (long)&byte, 1) == 1)
        MUST(raw3(SYS_write, to, (long)&byte, 1) == 1);
    _exit(0);
}

static void make_ring(int size)
{
    ring_size = size;
    for (int i = 0; i < size; i++)
        MUST(pipe(ring[i]) == 0);
    for (int i = 1; i < size; i++) {
        ring_pid[i] = must_fork();
        if (ring_pid[i] != 0)
            continue;
        int from = ring[i][0], to = ring[(i + 1) % size][1];
        for (int other = 0; other < size; other++) {
            for (int end = 0; end < 2; end++) {
                if (ring[other][end] != from && ring[other][end] != to)
                    close(ring[other][end]);
            }
        }
        pass_on(from, to);
    }
}

static void make_ring_2(void)
{
    make_ring(2);
}

static void make_ring_8(void)
{
    make_ring(8);
}

static void make_ring_64(void)
{
    make_ring(64);
}

// n rounds of the ring.
static void go_round(uint64_t n)
{
    char byte = 'k';
    LOOP(n) {
        MUST(raw3(SYS_write, ring[1][1], (long)&byte, 1) == 1);
        MUST(raw3(SYS_read, ring[0][0], (long)&byte, 1) == 1);
    }
}

static void pipe_pingpong_body(uint64_t n)
{
    go_round(n);
}

// One iteration is one switch, from a process of the ring to the next.
static void context_switch_body(uint64_t n)
{
    MUST(n % (uint64_t)ring_size == 0);
    go_round(n / (uint64_t)ring_size);
}

static void end_ring(void)
{
    for (int i = 0; i < ring_size; i++)
        MUST(close(ring[i][0]) == 0 && close(ring[i][1]) == 0);
    for (int i = 1; i < ring_size; i++)
        must_reap(ring_pid[i]);
}

// --- Two processes at the ends of a socket pair. ---

static int peer;

static void make_socket_peer(void)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    peer = must_fork();
    if (peer == 0) {
        close(ends[0]);
        pass_on(ends[1], ends[1]);
    }
}

static void unix_socket_pingpong_body(uint64_t n)
{
    char byte = 'k';
    LOOP(n) {
        MUST(raw3(SYS_write, ends[0], (long)&byte, 1) == 1);
        MUST(raw3(SYS_read, ends[0], (long)&byte, 1) == 1);
    }
}

static void end_socket_peer(void)
{
    close_ends();
    must_reap(peer);
}

static const struct bench ipc_benches[] = {
    {"pipe", make_pipe, pipe_body, close_ends, 1000, 4, 50},
    {"socketpair", nullptr, socketpair_body, nullptr, 500, 2, 20},
    {"eventfd", make_event, eventfd_body, close_event, 2000, 3, 50},
    {"poll", open_null, poll_body, close_event, 5000, 3, 40},
    {"epoll_wait", make_epoll, epoll_wait_body, close_epoll, 5000, 3, 40},
    {"epoll_1000", make_epoll_1000, epoll_1000_body, close_epoll_1000, 2000, 3, 20},
    {"pipe_pingpong", make_ring_2, pipe_pingpong_body, end_ring, 500, 2, 20},
    {"unix_socket_pingpong", make_socket_peer, unix_socket_pingpong_body, end_socket_peer, 500, 2, 20},
    {"context_switch_2", make_ring_2, context_switch_body, end_ring, 1024, 2, 20},
    {"context_switch_8", make_ring_8, context_switch_body, end_ring, 1024, 2, 20},
    {"context_switch_64", make_ring_64, context_switch_body, end_ring, 1024, 2, 20},
};

FAMILY(ipc);
