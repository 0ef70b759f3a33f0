// tests/stress/channels.c — work that sends data between processes: pipes, sockets, descriptors in flight, readiness.
#include "churn.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define STREAM_BYTES (256u << 10)

static void pipe_stream(void)
{
    static char buffer[16384];
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = fork_or_die();
    if (child == 0) {
        close(ends[0]);
        for (size_t left = STREAM_BYTES; left;) {
            size_t piece = 1 + pick(sizeof buffer);
            ssize_t sent = write(ends[1], buffer, piece < left ? piece : left);
            if (sent <= 0)
                _exit(1);
            left -= (size_t)sent;
        }
        _exit(0);
    }
    close(ends[1]);
    size_t total = 0;
    for (ssize_t got; (got = read(ends[0], buffer, 1 + pick(sizeof buffer))) > 0;)
        total += (size_t)got;
    CHECK(total == STREAM_BYTES);
    close(ends[0]);
    expect_status(child, EXITED(0));
}

// The reader goes away in the middle: the writer is told by a signal, what was written is freed.
static void pipe_without_reader(void)
{
    int ends[2];
    char buffer[4096] = "";
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = fork_or_die();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        close(ends[0]);
        while (write(ends[1], buffer, sizeof buffer) > 0)
            ;
        _exit(1);
    }
    close(ends[1]);
    CHECK(read(ends[0], buffer, sizeof buffer) > 0);
    close(ends[0]);
    expect_status(child, KILLED_BY(SIGPIPE));
}

static void spliced(void)
{
    int file = memfd_create("churn", MFD_CLOEXEC), first[2], second[2];
    CHECK(ftruncate(file, 32768) == 0 && pipe2(first, O_CLOEXEC) == 0 && pipe2(second, O_CLOEXEC) == 0);
    off_t offset = 0;
    CHECK(sendfile(first[1], file, &offset, 16384) == 16384);
    CHECK(tee(first[0], second[1], 8192, 0) > 0);
    CHECK(splice(first[0], nullptr, second[1], nullptr, 4096, SPLICE_F_MOVE) > 0);
    CHECK(splice(second[0], nullptr, file, &offset, 4096, 0) > 0);
    close(file);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

static void send_descriptor(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    CHECK(sendmsg(socket, &message, MSG_NOSIGNAL) == 1);
}

// Descriptors are sent; some are received, some are thrown away by a plain read, some are in flight when all is closed.
static void descriptors_in_flight(void)
{
    int pair[2], ends[2], memory = memfd_create("churn", MFD_CLOEXEC);
    CHECK(socketpair(AF_UNIX, pick(2) ? SOCK_STREAM : SOCK_DGRAM, 0, pair) == 0 && pipe2(ends, O_CLOEXEC) == 0);
    for (int i = 0; i < 3; i++)
        send_descriptor(pair[0], i ? ends[i & 1] : memory);
    char byte;
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC) == 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int received = -1;
    if (header)
        memcpy(&received, CMSG_DATA(header), sizeof received);
    CHECK(received >= 0 && close(received) == 0);
    if (pick(2))
        CHECK(read(pair[1], &byte, 1) == 1);
    const int all[] = {pair[0], pair[1], ends[0], ends[1], memory};
    for (unsigned i = 0; i < 5; i++)
        close(all[i]);
}

static socklen_t own_name(struct sockaddr_un *name, const char *kind)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       (size_t)snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "churn.%s.%u", kind, worker));
}

// Connections that are accepted and used, accepted and dropped, and never accepted.
static void listener(void)
{
    struct sockaddr_un name;
    socklen_t length = own_name(&name, "listen");
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), clients[3];
    CHECK(bind(server, (struct sockaddr *)&name, length) == 0 && listen(server, 8) == 0);
    for (int i = 0; i < 3; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(connect(clients[i], (struct sockaddr *)&name, length) == 0);
        send_descriptor(clients[i], server);
    }
    int accepted = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    char buffer[16];
    CHECK(accepted >= 0);
    if (pick(2))
        CHECK(read(accepted, buffer, sizeof buffer) == 1);
    close(accepted);
    accepted = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    CHECK(read(accepted, buffer, sizeof buffer) == 1 && write(accepted, "ok", 2) == 2 && read(clients[1], buffer, sizeof buffer) == 2);
    close(accepted);
    // The third carries the listener itself: it is received, so that no circle is left (what collects circles is tested elsewhere).
    accepted = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    CHECK(read(accepted, buffer, sizeof buffer) == 1);
    close(accepted);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(late, (struct sockaddr *)&name, length) == 0);
    close(server);
    close(late);
}

static void datagrams(void)
{
    struct sockaddr_un name;
    socklen_t length = own_name(&name, "datagram");
    int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char buffer[1500] = "";
    CHECK(bind(receiver, (struct sockaddr *)&name, length) == 0);
    CHECK(connect(sender, (struct sockaddr *)&name, length) == 0);
    for (unsigned i = 0; i < 6; i++)
        CHECK(send(sender, buffer, 1 + pick(sizeof buffer), 0) > 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK(recv(receiver, buffer, sizeof buffer, 0) > 0);
    close(receiver);
    close(sender);

    int inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof local;
    CHECK(bind(inet, (struct sockaddr *)&local, size) == 0 && getsockname(inet, (struct sockaddr *)&local, &size) == 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK(sendto(inet, buffer, 1 + pick(1000), 0, (struct sockaddr *)&local, size) > 0);
    CHECK(recv(inet, buffer, sizeof buffer, 0) > 0);
    close(inet);
}

// Objects are watched, become ready, and are closed before and after what watches them.
static void readiness(void)
{
    int watcher = epoll_create1(EPOLL_CLOEXEC), counter = eventfd(0, EFD_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    int signals = signalfd(-1, &set, SFD_CLOEXEC), outer = epoll_create1(EPOLL_CLOEXEC);
    const int watched[] = {counter, timer, signals};
    for (unsigned i = 0; i < 3; i++)
        CHECK(epoll_ctl(watcher, EPOLL_CTL_ADD, watched[i], &(struct epoll_event){.events = EPOLLIN | (i ? 0 : EPOLLET)}) == 0);
    CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, watcher, &(struct epoll_event){.events = EPOLLIN}) == 0);
    timerfd_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = 100000}, nullptr);
    CHECK(eventfd_write(counter, 1) == 0);
    struct epoll_event events[4];
    CHECK(epoll_wait(watcher, events, 4, 60000) > 0 && epoll_wait(outer, events, 4, 60000) == 1);
    if (pick(2))
        close(watcher);
    for (unsigned i = 0; i < 3; i++)
        close(watched[i]);
    close(outer);
    if (fcntl(watcher, F_GETFD) >= 0)
        close(watcher);
}

const struct action channel_actions[] = {
    {"pipe_stream", pipe_stream},
    {"pipe_without_reader", pipe_without_reader},
    {"spliced", spliced},
    {"descriptors_in_flight", descriptors_in_flight},
    {"listener", listener},
    {"datagrams", datagrams},
    {"readiness", readiness},
    {},
};
