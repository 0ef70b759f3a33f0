// tests/contract/message.c — several messages in one call, connections with flags, waits with masks: sendmmsg(2), recvmmsg(2), accept4(2),
// pselect6 and epoll_pwait.
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>

static void datagrams(int pair[2])
{
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
}

enum { BATCH = 4 };

static char texts[BATCH][8];
static struct iovec parts[BATCH];
static struct mmsghdr batch[BATCH];

// The C library's sendmmsg calls sendmsg for each.
static long send_batch(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    return syscall(SYS_sendmmsg, fd, messages, count, flags);
}

static void prepare_batch(void)
{
    for (int i = 0; i < BATCH; i++) {
        snprintf(texts[i], sizeof texts[i], "number%d", i);
        parts[i] = (struct iovec){texts[i], 7};
        batch[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}, .msg_len = 99};
    }
}

CASE(sendmmsg_sends_in_order_and_tells_lengths)
{
    int pair[2];
    char got[8] = {};
    datagrams(pair);
    prepare_batch();
    parts[1].iov_len = 3;
    EXPECT_EQ(send_batch(pair[0], batch, BATCH, 0), BATCH);
    EXPECT_EQ(batch[0].msg_len, 7);
    EXPECT_EQ(batch[1].msg_len, 3);
    EXPECT_EQ(recv(pair[1], got, sizeof got, 0), 7);
    EXPECT_STR(got, "number0");
    EXPECT_EQ(recv(pair[1], got, sizeof got, 0), 3);
    EXPECT_EQ(send_batch(pair[0], batch, 0, 0), 0);
}

CASE(sendmmsg_error_after_some_gives_their_number)
{
    int pair[2];
    datagrams(pair);
    prepare_batch();
    parts[2].iov_base = (void *)8;
    EXPECT_EQ(send_batch(pair[0], batch, BATCH, 0), 2);
    EXPECT_EQ(batch[2].msg_len, 99);
    parts[0].iov_base = (void *)8;
    EXPECT_ERRNO(send_batch(pair[0], batch, BATCH, 0), EFAULT); // the first
    EXPECT_ERRNO(send_batch(pair[0], (void *)8, 1, 0), EFAULT);
    EXPECT_ERRNO(send_batch(999, batch, 1, 0), EBADF);
    EXPECT_ERRNO(send_batch(open("/dev/null", O_RDWR), batch, 1, 0), ENOTSOCK);
}

CASE(sendmmsg_takes_1024_at_most)
{
    int pair[2];
    static struct mmsghdr many[1030];
    static struct iovec part = {"x", 1};
    int room = 4 << 20; // for all of them, if it were for the buffer alone
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    REQUIRE(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) == 0);
    for (int i = 0; i < 1030; i++)
        many[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    EXPECT_EQ(send_batch(pair[0], many, 1030, MSG_DONTWAIT), 1024);
    EXPECT_EQ(many[1023].msg_len, 1);
    EXPECT_EQ(many[1024].msg_len, 0);
    EXPECT_EQ(send_batch(pair[0], many, 6, MSG_DONTWAIT), 6); // there is room left
}

CASE(recvmmsg_takes_what_is_there)
{
    int pair[2];
    datagrams(pair);
    prepare_batch();
    EXPECT_EQ(send_batch(pair[0], batch, 3, 0), 3);
    memset(texts, 0, sizeof texts);
    EXPECT_EQ(recvmmsg(pair[1], batch, BATCH, MSG_DONTWAIT, nullptr), 3);
    EXPECT_STR(texts[2], "number2");
    EXPECT_EQ(batch[2].msg_len, 7);
    EXPECT_ERRNO(recvmmsg(pair[1], batch, BATCH, MSG_DONTWAIT, nullptr), EAGAIN);
    EXPECT_EQ(send_batch(pair[0], batch, 2, 0), 2);
    EXPECT_EQ(recvmmsg(pair[1], batch, BATCH, MSG_WAITFORONE, nullptr), 2); // waits for the first only
    EXPECT_EQ(recvmmsg(pair[1], batch, 0, 0, nullptr), 0);
}

CASE(recvmmsg_tells_of_truncation_and_flags)
{
    int pair[2];
    datagrams(pair);
    prepare_batch();
    EXPECT_EQ(send_batch(pair[0], batch, 2, 0), 2);
    parts[0].iov_len = 3;
    EXPECT_EQ(recvmmsg(pair[1], batch, 2, 0, nullptr), 2);
    EXPECT_EQ(batch[0].msg_len, 3);
    EXPECT_EQ(batch[0].msg_hdr.msg_flags & MSG_TRUNC, MSG_TRUNC);
    EXPECT_EQ(batch[1].msg_hdr.msg_flags & MSG_TRUNC, 0);
}

CASE(recvmmsg_timeout_is_looked_at_after_each_message)
{
    int pair[2];
    struct timespec none = {}, bad = {.tv_nsec = 1000000000};
    datagrams(pair);
    prepare_batch();
    EXPECT_EQ(send_batch(pair[0], batch, 3, 0), 3);
    EXPECT_EQ(recvmmsg(pair[1], batch, BATCH, 0, &none), 1); // the time was over after the first
    struct timespec seconds = {.tv_sec = 20};
    EXPECT_EQ(recvmmsg(pair[1], batch, 2, 0, &seconds), 2);
    EXPECT(seconds.tv_sec < 20 && seconds.tv_sec >= 5); // what is left
    EXPECT_ERRNO(recvmmsg(pair[1], batch, 1, 0, &bad), EINVAL);
    bad = (struct timespec){.tv_sec = -1};
    EXPECT_ERRNO(recvmmsg(pair[1], batch, 1, 0, &bad), EINVAL);
    EXPECT_ERRNO(recvmmsg(pair[1], batch, 1, 0, (void *)8), EFAULT);
    EXPECT_ERRNO(recvmmsg(999, batch, 1, 0, nullptr), EBADF);
}

CASE(recvmmsg_error_after_some_comes_with_the_next_call)
{
    int pair[2];
    datagrams(pair);
    prepare_batch();
    EXPECT_EQ(send_batch(pair[0], batch, 3, 0), 3);
    parts[1].iov_base = (void *)8;
    EXPECT_EQ(recvmmsg(pair[1], batch, 3, MSG_DONTWAIT, nullptr), 1);
    int error = 0;
    socklen_t length = sizeof error;
    EXPECT_EQ(getsockopt(pair[1], SOL_SOCKET, SO_ERROR, &error, &length), 0);
    EXPECT_EQ(error, EFAULT);
}

// --- accept4. ---

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};

static int listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 5) == 0);
    return fd;
}

static int connected(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

CASE(accept4_sets_the_flags_of_the_new_descriptor)
{
    int fd = listener();
    for (int flags = 0; flags < 4; flags++) {
        close(connected());
        int got = accept4(fd, nullptr, nullptr, (flags & 1 ? SOCK_CLOEXEC : 0) | (flags & 2 ? SOCK_NONBLOCK : 0));
        REQUIRE(got >= 0);
        EXPECT_EQ(fcntl(got, F_GETFD), flags & 1 ? FD_CLOEXEC : 0);
        EXPECT_EQ(fcntl(got, F_GETFL) & O_NONBLOCK, flags & 2 ? O_NONBLOCK : 0);
        close(got);
    }
    EXPECT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    EXPECT_ERRNO(accept4(fd, nullptr, nullptr, 0), EAGAIN);
    connected();
    int got = accept4(fd, nullptr, nullptr, 0);
    EXPECT_EQ(fcntl(got, F_GETFL) & O_NONBLOCK, 0); // not inherited
}

CASE(accept4_errors)
{
    int fd = listener(), pair[2];
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    EXPECT_ERRNO(accept4(999, nullptr, nullptr, 0), EBADF);
    EXPECT_ERRNO(accept4(open("/dev/null", O_RDWR), nullptr, nullptr, 0), ENOTSOCK);
    EXPECT_ERRNO(accept4(fd, nullptr, nullptr, SOCK_DGRAM), EINVAL);
    EXPECT_ERRNO(accept4(socket(AF_UNIX, SOCK_STREAM, 0), nullptr, nullptr, 0), EINVAL); // it does not listen
    datagrams(pair);
    EXPECT_ERRNO(accept4(pair[0], nullptr, nullptr, 0), EOPNOTSUPP);
    connected();
    EXPECT(accept4(fd, (void *)&name, &length, 0) >= 0);
    EXPECT_EQ(length, sizeof(sa_family_t)); // a peer without a name
    connected();
    length = (socklen_t)-1;
    EXPECT_ERRNO(accept4(fd, (void *)&name, &length, 0), EINVAL);
}

CASE(accept4_at_the_limit_of_descriptors_keeps_the_connection)
{
    int fd = listener(), client = connected();
    struct rlimit limit, full;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    full = limit;
    full.rlim_cur = (rlim_t)client + 1;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &full) == 0);
    EXPECT_ERRNO(accept4(fd, nullptr, nullptr, 0), EMFILE);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT(accept4(fd, nullptr, nullptr, SOCK_NONBLOCK) >= 0);
}

// --- Waits. ---

struct mask_argument {
    const void *set;
    size_t size;
};

static long select_call(int nfds, void *readable, void *timeout, const void *mask)
{
    return syscall(SYS_pselect6, nfds, readable, nullptr, nullptr, timeout, mask);
}

CASE(pselect6_checks_its_arguments)
{
    fd_set set;
    uint64_t none = 0;
    struct timespec zero = {}, bad = {.tv_nsec = -1};
    struct mask_argument good = {&none, 8}, wrong = {&none, 4}, empty = {nullptr, 99};
    FD_ZERO(&set);
    EXPECT_EQ(select_call(0, nullptr, &zero, nullptr), 0);
    EXPECT_EQ(select_call(0, nullptr, &zero, &good), 0);
    EXPECT_EQ(select_call(0, nullptr, &zero, &empty), 0); // without a mask its size does not matter
    EXPECT_ERRNO(select_call(0, nullptr, &zero, &wrong), EINVAL);
    EXPECT_ERRNO(select_call(0, nullptr, &zero, (void *)8), EFAULT);
    EXPECT_ERRNO(select_call(-1, &set, &zero, nullptr), EINVAL);
    EXPECT_ERRNO(select_call(0, nullptr, &bad, nullptr), EINVAL);
    EXPECT_ERRNO(select_call(0, nullptr, (void *)8, nullptr), EFAULT);
    EXPECT_ERRNO(select_call(1, (void *)8, &zero, nullptr), EFAULT);
    FD_SET(60, &set);
    EXPECT_ERRNO(select_call(61, &set, &zero, nullptr), EBADF);
}

CASE(pselect6_leaves_the_rest_of_the_timeout)
{
    int fds[2];
    fd_set set;
    REQUIRE(pipe(fds) == 0);
    write_byte(fds[1]);
    struct timespec t = {.tv_sec = 20}, past = {.tv_nsec = 3000000};
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    EXPECT_EQ(select_call(fds[0] + 1, &set, &t, nullptr), 1);
    EXPECT(FD_ISSET(fds[0], &set));
    EXPECT(t.tv_sec < 20 && t.tv_sec >= 5);
    int64_t start = now_ns();
    EXPECT_EQ(select_call(0, nullptr, &past, nullptr), 0);
    EXPECT(now_ns() - start >= 3000000);
    EXPECT_EQ(past.tv_sec, 0);
    EXPECT_EQ(past.tv_nsec, 0);
}

CASE(epoll_pwait_checks_its_arguments)
{
    struct epoll_event event;
    uint64_t none = 0;
    int fd = epoll_create1(0);
    EXPECT_EQ(syscall(SYS_epoll_pwait, fd, &event, 1, 0, nullptr, 0ul), 0);
    EXPECT_EQ(syscall(SYS_epoll_pwait, fd, &event, 1, 0, &none, 8ul), 0);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, fd, &event, 1, 0, &none, 4ul), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, fd, &event, 1, 0, (void *)8, 8ul), EFAULT);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, fd, &event, 0, 0, nullptr, 8ul), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, fd, &event, -1, 0, nullptr, 8ul), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, 999, &event, 1, 0, nullptr, 8ul), EBADF);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait, 0, &event, 1, 0, nullptr, 8ul), EINVAL);
}

CASE(epoll_pwait2_has_a_timeout_of_nanoseconds)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5};
    struct timespec zero = {}, little = {.tv_nsec = 1500000}, bad = {.tv_nsec = 1000000000};
    int fds[2], fd = epoll_create1(0);
    REQUIRE(pipe(fds) == 0 && epoll_ctl(fd, EPOLL_CTL_ADD, fds[0], &event) == 0);
    EXPECT_EQ(syscall(SYS_epoll_pwait2, fd, &event, 1, &zero, nullptr, 0ul), 0);
    int64_t start = now_ns();
    EXPECT_EQ(syscall(SYS_epoll_pwait2, fd, &event, 1, &little, nullptr, 0ul), 0);
    EXPECT(now_ns() - start >= 1500000);
    EXPECT_EQ(little.tv_nsec, 1500000); // it is not written
    EXPECT_ERRNO(syscall(SYS_epoll_pwait2, fd, &event, 1, &bad, nullptr, 0ul), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait2, fd, &event, 1, (void *)8, nullptr, 0ul), EFAULT);
    EXPECT_ERRNO(syscall(SYS_epoll_pwait2, fd, &event, 0, &zero, nullptr, 0ul), EINVAL);
    write_byte(fds[1]);
    EXPECT_EQ(syscall(SYS_epoll_pwait2, fd, &event, 1, nullptr, nullptr, 0ul), 1);
    EXPECT_EQ(event.data.u64, 5);
}
