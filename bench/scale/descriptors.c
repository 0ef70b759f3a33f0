// bench/scale/descriptors.c — many descriptors: waiting for them, timers, pipes and socket pairs.
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bench/scale/scale.h"

static uint32_t count;
static int highest;
static struct pollfd *entries;
static unsigned long *bits;
static int set = -1, timer = -1;
static int (*pairs)[2];

void allow_files(uint32_t files)
{
    struct rlimit limit = {files + 64, files + 64};
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

// `size` idle eventfds, known to poll, select and epoll; the one in the middle has something to read.
static void grow_events(uint32_t size)
{
    allow_files(size);
    count = size;
    entries = calloc(size, sizeof *entries);
    bits = calloc((size + 256) / 64 + 1, sizeof *bits);
    set = epoll_create1(0);
    MUST(entries && bits && set >= 0);
    for (uint32_t i = 0; i < size; i++) {
        int fd = eventfd(i == size / 2, 0);
        MUST(fd >= 0);
        entries[i] = (struct pollfd){.fd = fd, .events = POLLIN};
        struct epoll_event interest = {.events = EPOLLIN, .data = {.fd = fd}};
        MUST(epoll_ctl(set, EPOLL_CTL_ADD, fd, &interest) == 0);
        bits[fd / 64] |= 1UL << fd % 64;
        highest = fd;
    }
}

static void poll_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_poll, (long)entries, count, 0) == 1);
}

static void select_body(uint64_t n)
{
    size_t bytes = ((size_t)highest / 64 + 1) * sizeof *bits;
    unsigned long *asked = malloc(bytes);
    MUST(asked != nullptr);
    struct timeval now = {};
    LOOP(n) {
        memcpy(asked, bits, bytes);
        MUST(raw6(SYS_select, highest + 1, (long)asked, 0, 0, (long)&now, 0) == 1);
    }
    free(asked);
}

static void epoll_body(uint64_t n)
{
    struct epoll_event ready[8];
    LOOP(n) MUST(raw4(SYS_epoll_wait, set, (long)ready, 8, 0) == 1);
}

// --- Timers: one is armed and disarmed while `size` others are armed, none of which is due. ---

static void arm(int fd, long seconds)
{
    struct itimerspec when = {.it_value = {.tv_sec = seconds}};
    MUST(raw4(SYS_timerfd_settime, fd, 0, (long)&when, 0) == 0);
}

static int make_timer(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    MUST(fd >= 0);
    return fd;
}

static void grow_timers(uint32_t size)
{
    allow_files(size);
    uint32_t random = 12345;
    for (uint32_t i = 0; i < size; i++) {
        random = random * 1103515245 + 12345;
        arm(make_timer(), 1000 + (random >> 16) % 10000);
    }
    timer = make_timer();
}

static void timer_body(uint64_t n)
{
    LOOP(n) {
        arm(timer, 5000);
        arm(timer, 0);
    }
}

// --- Pipes and socket pairs: a byte through each in turn. ---

static void grow_pipes(uint32_t size)
{
    allow_files(2 * size);
    count = size;
    pairs = calloc(size, sizeof *pairs);
    MUST(pairs != nullptr);
    for (uint32_t i = 0; i < size; i++)
        MUST(pipe(pairs[i]) == 0);
}

static void grow_sockets(uint32_t size)
{
    allow_files(2 * size);
    count = size;
    pairs = calloc(size, sizeof *pairs);
    MUST(pairs != nullptr);
    for (uint32_t i = 0; i < size; i++)
        MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
}

static void pairs_body(uint64_t n)
{
    char byte = 'k';
    LOOP(n) {
        int *pair = pairs[iteration % count];
        MUST(raw3(SYS_write, pair[1], (long)&byte, 1) == 1);
        MUST(raw3(SYS_read, pair[0], (long)&byte, 1) == 1);
    }
}

static const struct curve descriptor_list[] = {
    {"poll", "descriptors", grow_events, poll_body, nullptr, 20, SIZES(10, 100, 1000, 10000)},
    {"select", "descriptors", grow_events, select_body, nullptr, 20, SIZES(10, 100, 1000, 10000)},
    {"epoll", "descriptors", grow_events, epoll_body, nullptr, 500, SIZES(10, 100, 1000, 10000)},
    {"timer", "armed timers", grow_timers, timer_body, nullptr, 500, SIZES(10, 100, 1000, 10000, 100000)},
    {"pipe", "pipes", grow_pipes, pairs_body, nullptr, 1000, SIZES(1, 10, 100, 1000)},
    {"unix_socket", "pairs", grow_sockets, pairs_body, nullptr, 1000, SIZES(1, 10, 100, 1000)},
};

CURVES(descriptor);
