// tests/contract/unix_socket.c — AF_UNIX sockets: unix(7), socketpair(2), sendmsg(2), recvmsg(2), shutdown(2), getsockopt(2).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static void make_pair(int type, int fds[2])
{
    REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
}

static socklen_t address(struct sockaddr_un *a, const char *name)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(a->sun_path, name, length);
    if (name[0] == '@') { // abstract
        a->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static int bound(int type, const char *name)
{
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, type, 0);
    REQUIRE(fd >= 0);
    socklen_t length = address(&a, name);
    REQUIRE(bind(fd, (void *)&a, length) == 0);
    return fd;
}

static int connect_to(int fd, const char *name)
{
    struct sockaddr_un a;
    socklen_t length = address(&a, name);
    return connect(fd, (void *)&a, length);
}

static int listener(int type, const char *name)
{
    int fd = bound(type, name);
    REQUIRE(listen(fd, 5) == 0);
    return fd;
}

static short poll_now(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    poll(&p, 1, 0);
    return p.revents;
}

CASE(unix_stream_pair_carries_bytes_both_ways)
{
    int fds[2];
    char text[8] = {};
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(write(fds[0], "abc", 3), 3);
    EXPECT_EQ(write(fds[0], "def", 3), 3);
    EXPECT_EQ(read(fds[1], text, 6), 6);
    EXPECT_STR(text, "abcdef");
    EXPECT_EQ(send(fds[1], "x", 1, 0), 1);
    EXPECT_EQ(recv(fds[0], text, 8, 0), 1);
}

CASE(unix_datagram_and_seqpacket_keep_boundaries)
{
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        int fds[2];
        char text[8] = {};
        make_pair(types[i], fds);
        EXPECT_EQ(write(fds[0], "abc", 3), 3);
        EXPECT_EQ(write(fds[0], "defg", 4), 4);
        EXPECT_EQ(recv(fds[1], text, 8, MSG_PEEK), 3);
        EXPECT_EQ(read(fds[1], text, 8), 3);
        EXPECT_EQ(read(fds[1], text, 2), 2); // the rest is lost
        EXPECT_ERRNO(recv(fds[1], text, 8, MSG_DONTWAIT), EAGAIN);
        EXPECT_EQ(write(fds[0], "defg", 4), 4);
        EXPECT_EQ(recv(fds[1], text, 1, MSG_TRUNC), 4); // the true length
    }
}

CASE(socket_and_socketpair_errors)
{
    int fds[2];
    EXPECT_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
    EXPECT_ERRNO(socket(AF_UNIX, SOCK_STREAM, 7), EPROTONOSUPPORT);
    EXPECT_ERRNO(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
    EXPECT_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 9, fds), EPROTONOSUPPORT);
    EXPECT_ERRNO(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8), EFAULT);
    EXPECT_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100000, 0), EINVAL);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT(fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_ERRNO(listen(0, 1), ENOTSOCK);
    EXPECT_ERRNO(listen(999, 1), EBADF);
    EXPECT_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
    EXPECT_ERRNO(read(fd, fds, 4), EINVAL); // not connected
    EXPECT_ERRNO(write(fd, fds, 4), ENOTCONN);
}

CASE(unix_bind_makes_a_socket_file)
{
    umask(022);
    int fd = bound(SOCK_STREAM, "s");
    struct stat s;
    EXPECT_EQ(lstat("s", &s), 0);
    EXPECT_EQ(s.st_mode, S_IFSOCK | 0755);
    EXPECT_ERRNO(open("s", O_RDWR), ENXIO);
    struct sockaddr_un a;
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_ERRNO(bind(other, (void *)&a, address(&a, "s")), EADDRINUSE);
    EXPECT_ERRNO(bind(fd, (void *)&a, address(&a, "t")), EINVAL); // bound already
    EXPECT_ERRNO(bind(other, (void *)&a, address(&a, "none/s")), ENOENT);
    EXPECT_ERRNO(bind(other, (void *)&a, 1), EINVAL);
    a.sun_family = AF_INET;
    EXPECT_ERRNO(bind(other, (void *)&a, sizeof a), EINVAL);
    close(fd);
    EXPECT_EQ(lstat("s", &s), 0); // the name stays
    EXPECT_ERRNO(connect_to(other, "s"), ECONNREFUSED);
}

CASE(unix_connect_and_accept)
{
    int l = listener(SOCK_STREAM, "s");
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(c, "s"), 0);
    EXPECT_EQ(write(c, "early", 5), 5); // before accept
    struct sockaddr_un peer;
    socklen_t length = sizeof peer;
    int s = accept4(l, (void *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    REQUIRE(s >= 0);
    EXPECT_EQ(length, 2); // the client has no name
    EXPECT_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    char text[8] = {};
    EXPECT_EQ(read(s, text, 8), 5);
    EXPECT_STR(text, "early");
    length = sizeof peer;
    EXPECT_EQ(getpeername(c, (void *)&peer, &length), 0);
    EXPECT_STR(peer.sun_path, "s");
    EXPECT_EQ(length, 4);
    EXPECT_ERRNO(connect_to(c, "s"), EISCONN);
    EXPECT_ERRNO(accept4(l, nullptr, nullptr, 1), EINVAL);
    EXPECT_ERRNO(accept(c, nullptr, nullptr), EINVAL);
}

CASE(unix_connect_errors)
{
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_ERRNO(connect_to(c, "none"), ENOENT);
    make_file("f", "");
    EXPECT_ERRNO(connect_to(c, "f"), ECONNREFUSED);
    bound(SOCK_STREAM, "quiet");
    EXPECT_ERRNO(connect_to(c, "quiet"), ECONNREFUSED); // nobody listens
    bound(SOCK_DGRAM, "dgram");
    EXPECT_ERRNO(connect_to(c, "dgram"), EPROTOTYPE);
    EXPECT_ERRNO(connect_to(c, "@nothing"), ECONNREFUSED);
    struct sockaddr_un peer;
    socklen_t length = sizeof peer;
    EXPECT_ERRNO(getpeername(c, (void *)&peer, &length), ENOTCONN);
}

CASE(unix_connect_needs_write_permission)
{
    listener(SOCK_STREAM, "s");
    chmod("s", 0700);
    IN_CHILD(child)
    {
        setuid(1000);
        EXPECT_ERRNO(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "s"), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

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

CASE(unix_debug_option_is_root_s_and_kept)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), on = 1, off = 0;
    socklen_t len = sizeof on;
    EXPECT_EQ(setsockopt(s, SOL_SOCKET, SO_DEBUG, &on, sizeof on), 0);
    on = 0;
    EXPECT_EQ(getsockopt(s, SOL_SOCKET, SO_DEBUG, &on, &len), 0);
    EXPECT_EQ(on, 1);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    EXPECT_ERRNO(setsockopt(s, SOL_SOCKET, SO_DEBUG, &on, sizeof on), EACCES);
    EXPECT_EQ(setsockopt(s, SOL_SOCKET, SO_DEBUG, &off, sizeof off), 0);
}

CASE(unix_abstract_names)
{
    char text[8];
    int l = listener(SOCK_STREAM, "@kevlar-contract"), c = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = {};
    socklen_t length = sizeof a;
    EXPECT_EQ(getsockname(l, (void *)&a, &length), 0);
    EXPECT_EQ(length, 2 + strlen("@kevlar-contract"));
    EXPECT_EQ(a.sun_path[0], 0);
    EXPECT(memcmp(a.sun_path + 1, "kevlar-contract", 15) == 0);
    EXPECT_ERRNO(connect_to(c, "@kevlar"), ECONNREFUSED); // the whole name counts
    EXPECT_EQ(connect_to(c, "@kevlar-contract"), 0);
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_ERRNO(bind(other, (void *)&a, address(&a, "@kevlar-contract")), EADDRINUSE);
    close(l);
    EXPECT_EQ(bind(other, (void *)&a, address(&a, "@kevlar-contract")), 0); // gone with its socket
    EXPECT_ERRNO(read(c, text, 8), ECONNRESET); // it was never accepted
}

CASE(unix_autobind_gives_a_name)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    EXPECT_EQ(bind(fd, (void *)&a, sizeof(sa_family_t)), 0);
    socklen_t length = sizeof a;
    EXPECT_EQ(getsockname(fd, (void *)&a, &length), 0);
    EXPECT_EQ(length, 8); // family, a zero byte, five hex digits
}

CASE(unix_getsockname_truncates_and_tells_the_length)
{
    int fd = bound(SOCK_STREAM, "somename");
    char small[6];
    memset(small, '#', sizeof small);
    socklen_t length = 4;
    EXPECT_EQ(getsockname(fd, (void *)small, &length), 0);
    EXPECT_EQ(length, 11);
    EXPECT_EQ(small[2], 's');
    EXPECT_EQ(small[4], '#');
    length = (socklen_t)-1;
    EXPECT_ERRNO(getsockname(fd, (void *)small, &length), EINVAL);
}

CASE(unix_close_is_end_of_file_and_epipe)
{
    int fds[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(write(fds[1], "x", 1), 1);
    close(fds[1]);
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(read(fds[0], &c, 1), 0);
    EXPECT_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    count_signal(SIGPIPE, 0);
    EXPECT_ERRNO(write(fds[0], "x", 1), EPIPE);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(poll_now(fds[0], POLLIN | POLLOUT) & (POLLHUP | POLLIN), POLLHUP | POLLIN);
}

CASE(unix_close_with_unread_data_is_a_reset)
{
    int fds[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(write(fds[0], "x", 1), 1);
    close(fds[1]);
    EXPECT_ERRNO(read(fds[0], &c, 1), ECONNRESET);
    EXPECT_EQ(read(fds[0], &c, 1), 0);
}

CASE(unix_shutdown_each_direction)
{
    int fds[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(shutdown(fds[0], SHUT_WR), 0);
    EXPECT_ERRNO(write(fds[0], "x", 1), EPIPE);
    EXPECT_EQ(read(fds[1], &c, 1), 0);
    EXPECT_EQ(poll_now(fds[1], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
    EXPECT_EQ(write(fds[1], "y", 1), 1); // the other direction lives
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(shutdown(fds[0], SHUT_RD), 0);
    EXPECT_ERRNO(write(fds[1], "z", 1), EPIPE);
    EXPECT_ERRNO(shutdown(fds[0], 9), EINVAL);
}

CASE(unix_shutdown_wakes_reader)
{
    int fds[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    thread_t closer = after_ms(20, close_fd, fds[1]);
    EXPECT_EQ(read(fds[0], &c, 1), 0);
    join(closer);
}

CASE(unix_write_wakes_poller)
{
    int fds[2];
    make_pair(SOCK_DGRAM, fds);
    thread_t writer = after_ms(20, write_byte, fds[1]);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    join(writer);
}

static void connect_later(long type)
{
    EXPECT_EQ(connect_to(socket(AF_UNIX, (int)type, 0), "s"), 0);
}

CASE(unix_accept_waits_and_listener_polls)
{
    int l = listener(SOCK_SEQPACKET, "s");
    EXPECT_EQ(poll_now(l, POLLIN), 0);
    thread_t client = after_ms(20, connect_later, SOCK_SEQPACKET);
    EXPECT(accept(l, nullptr, nullptr) >= 0);
    join(client);
    client = after_ms(20, connect_later, SOCK_SEQPACKET);
    struct pollfd p = {.fd = l, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    join(client);
    EXPECT_EQ(fcntl(l, F_SETFL, O_NONBLOCK), 0);
    EXPECT(accept(l, nullptr, nullptr) >= 0);
    EXPECT_ERRNO(accept(l, nullptr, nullptr), EAGAIN);
}

CASE(unix_datagram_addresses)
{
    int server = bound(SOCK_DGRAM, "srv"), client = bound(SOCK_DGRAM, "cli"), nameless = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un a;
    char text[16] = {};
    socklen_t length = address(&a, "srv");
    EXPECT_EQ(sendto(client, "hello", 5, 0, (void *)&a, length), 5);
    length = sizeof a;
    EXPECT_EQ(recvfrom(server, text, 16, 0, (void *)&a, &length), 5);
    EXPECT_STR(a.sun_path, "cli");
    EXPECT_EQ(sendto(server, "back", 4, 0, (void *)&a, length), 4);
    EXPECT_EQ(recv(client, text, 16, 0), 4);
    length = address(&a, "srv");
    EXPECT_EQ(sendto(nameless, "x", 1, 0, (void *)&a, length), 1);
    length = sizeof a;
    EXPECT_EQ(recvfrom(server, text, 16, 0, (void *)&a, &length), 1);
    EXPECT_EQ(length, 0);
    EXPECT_ERRNO(send(nameless, "x", 1, 0), ENOTCONN);
    EXPECT_EQ(connect_to(nameless, "srv"), 0);
    EXPECT_EQ(send(nameless, "x", 1, 0), 1);
    close(server);
    EXPECT_ERRNO(send(nameless, "x", 1, 0), ECONNREFUSED);
}

CASE(unix_datagram_to_a_connected_socket_of_others_is_eperm)
{
    int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b"), c = socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(connect_to(a, "b"), 0);
    EXPECT_ERRNO(connect_to(c, "a"), EPERM); // a talks to b only
    EXPECT(b >= 0);
}

// Sends one byte and a descriptor.
static ssize_t send_descriptor(int socket, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {};
    struct iovec v = {"D", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(socket, &m, 0);
}

static int receive_descriptor(int socket, int flags, size_t room, int *message_flags)
{
    char control[CMSG_SPACE(sizeof(int))] = {}, byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    EXPECT_EQ(recvmsg(socket, &m, flags), 1);
    *message_flags = m.msg_flags;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fd = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

CASE(unix_rights_pass_an_open_file)
{
    int fds[2], flags;
    make_pair(SOCK_STREAM, fds);
    make_file("f", "abc");
    int file = open("f", O_RDONLY);
    EXPECT_EQ(send_descriptor(fds[0], file), 1);
    char c;
    EXPECT_EQ(read(file, &c, 1), 1);
    close(file);
    int got = receive_descriptor(fds[1], MSG_CMSG_CLOEXEC, CMSG_SPACE(sizeof(int)), &flags);
    REQUIRE(got >= 0);
    EXPECT_EQ(read(got, &c, 1), 1);
    EXPECT_EQ(c, 'b'); // the offset is shared
    EXPECT_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(flags & MSG_CTRUNC, 0);
}

CASE(unix_rights_without_room_are_dropped_and_told)
{
    int fds[2], data[2], flags;
    char c;
    make_pair(SOCK_DGRAM, fds);
    REQUIRE(pipe(data) == 0);
    EXPECT_EQ(send_descriptor(fds[0], data[1]), 1);
    close(data[1]);
    EXPECT_EQ(receive_descriptor(fds[1], 0, 0, &flags), -1);
    EXPECT_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
    EXPECT_EQ(read(data[0], &c, 1), 0); // closed, not leaked
    EXPECT_ERRNO(send_descriptor(fds[0], 999), EBADF);
}

CASE(unix_rights_in_flight_are_freed_with_the_socket)
{
    int fds[2], data[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    REQUIRE(pipe(data) == 0);
    EXPECT_EQ(send_descriptor(fds[0], data[1]), 1);
    close(data[1]);
    close(fds[0]);
    close(fds[1]);
    EXPECT_EQ(read(data[0], &c, 1), 0);
}

CASE(unix_sockets_that_hold_each_other_are_collected)
{
    int fds[2], data[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    REQUIRE(pipe(data) == 0);
    EXPECT_EQ(send_descriptor(fds[0], data[1]), 1);
    EXPECT_EQ(send_descriptor(fds[0], fds[0]), 1); // a circle
    EXPECT_EQ(send_descriptor(fds[0], fds[1]), 1);
    close(data[1]);
    close(fds[0]);
    close(fds[1]);
    close(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(read(data[0], &c, 1), 0);
}

CASE(unix_circle_that_can_still_be_reached_is_kept)
{
    int a[2], b[2], flags;
    char c;
    make_pair(SOCK_STREAM, a);
    make_pair(SOCK_STREAM, b);
    EXPECT_EQ(send_descriptor(b[0], b[1]), 1); // b[1] waits in its own queue …
    EXPECT_EQ(send_descriptor(a[0], b[1]), 1); // … and in that of a[1], which is open
    EXPECT_EQ(write(b[0], "z", 1), 1);
    close(b[1]);
    for (int i = 0; i < 20; i++)
        close(socket(AF_UNIX, SOCK_STREAM, 0));
    sleep_ms(50);
    int got = receive_descriptor(a[1], 0, CMSG_SPACE(sizeof(int)), &flags);
    REQUIRE(got >= 0);
    int inner = receive_descriptor(got, 0, CMSG_SPACE(sizeof(int)), &flags);
    REQUIRE(inner >= 0);
    close(got);
    EXPECT_EQ(read(inner, &c, 1), 1);
    EXPECT_EQ(c, 'z');
}

CASE(unix_circle_through_a_connection_never_accepted_is_collected)
{
    int data[2], l = listener(SOCK_STREAM, "l"), c = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;
    REQUIRE(pipe(data) == 0);
    REQUIRE(connect_to(c, "l") == 0);
    EXPECT_EQ(send_descriptor(c, data[1]), 1);
    EXPECT_EQ(send_descriptor(c, l), 1); // the listener waits in the queue of its own connection
    close(data[1]);
    close(c);
    close(l);
    close(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(read(data[0], &byte, 1), 0);
}

CASE(unix_long_chain_of_sockets_in_flight_is_freed)
{
    enum { CHAIN = 200 };
    int data[2], previous[2], next[2];
    char c;
    REQUIRE(pipe(data) == 0);
    make_pair(SOCK_DGRAM, previous);
    EXPECT_EQ(send_descriptor(previous[0], data[1]), 1);
    close(data[1]);
    for (int i = 0; i < CHAIN; i++) { // each pair carries the one before it
        make_pair(SOCK_DGRAM, next);
        EXPECT_EQ(send_descriptor(next[0], previous[0]), 1);
        EXPECT_EQ(send_descriptor(next[0], previous[1]), 1);
        close(previous[0]);
        close(previous[1]);
        memcpy(previous, next, sizeof next);
    }
    close(previous[0]);
    close(previous[1]);
    EXPECT_EQ(read(data[0], &c, 1), 0);
}

CASE(unix_descriptors_in_flight_are_limited)
{
    int fds[2], flags;
    make_pair(SOCK_DGRAM, fds);
    IN_CHILD(child)
    {
        struct rlimit few = {8, 8};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
        REQUIRE(setgid(4321) == 0 && setuid(4321) == 0);
        for (int i = 0; i < 9; i++) // one more than the limit is let through
            EXPECT_EQ(send_descriptor(fds[0], 0), 1);
        EXPECT_ERRNO(send_descriptor(fds[0], 0), ETOOMANYREFS);
        EXPECT_EQ(write(fds[0], "x", 1), 1); // without descriptors it may send
        close(receive_descriptor(fds[1], 0, CMSG_SPACE(sizeof(int)), &flags));
        EXPECT_EQ(send_descriptor(fds[0], 0), 1);
        EXPECT_ERRNO(send_descriptor(fds[0], 0), ETOOMANYREFS);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(send_descriptor(fds[0], 0), 1); // root is not limited by another's
}

static void *circles(void *)
{
    for (int i = 0; i < 300; i++) {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
            break;
        EXPECT_EQ(send_descriptor(fds[0], fds[0]), 1);
        EXPECT_EQ(send_descriptor(fds[0], fds[1]), 1);
        close(fds[0]);
        close(fds[1]);
    }
    return nullptr;
}

CASE(unix_circles_made_by_threads_while_others_receive)
{
    int fds[2], flags;
    pthread_t t[2];
    make_pair(SOCK_STREAM, fds);
    for (int i = 0; i < 2; i++)
        REQUIRE(pthread_create(&t[i], nullptr, circles, nullptr) == 0);
    for (int i = 0; i < 500; i++) {
        int sent = socket(AF_UNIX, SOCK_STREAM, 0);
        EXPECT_EQ(send_descriptor(fds[0], sent), 1);
        close(sent);
        int looked = i & 1 ? receive_descriptor(fds[1], MSG_PEEK, CMSG_SPACE(sizeof(int)), &flags) : -1;
        int got = receive_descriptor(fds[1], 0, CMSG_SPACE(sizeof(int)), &flags);
        REQUIRE(got >= 0);
        EXPECT_EQ(fcntl(got, F_GETFD), 0);
        close(got);
        if (looked >= 0)
            close(looked);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], nullptr);
}

CASE(unix_stream_read_stops_at_descriptors)
{
    int fds[2], flags;
    char text[8] = {};
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(write(fds[0], "ab", 2), 2);
    EXPECT_EQ(send_descriptor(fds[0], 0), 1);
    EXPECT_EQ(write(fds[0], "cd", 2), 2);
    EXPECT_EQ(read(fds[1], text, 2), 2);
    EXPECT(receive_descriptor(fds[1], 0, CMSG_SPACE(sizeof(int)), &flags) >= 0);
    EXPECT_EQ(read(fds[1], text, 8), 2);
    EXPECT_EQ(text[0], 'c');
}

CASE(unix_peercred_and_passcred)
{
    int fds[2], on = 1;
    make_pair(SOCK_STREAM, fds);
    struct ucred cred = {};
    socklen_t length = sizeof cred;
    EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &cred, &length), 0);
    EXPECT_EQ(cred.pid, getpid());
    EXPECT_EQ(cred.uid, getuid());
    EXPECT_EQ(length, sizeof cred);
    EXPECT_EQ(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    IN_CHILD(child)
    {
        setgid(55);
        setuid(66);
        EXPECT_EQ(write(fds[0], "x", 1), 1);
    }
    EXPECT_EXITED(child, 0);
    char control[CMSG_SPACE(sizeof cred)] = {}, byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    EXPECT_EQ(recvmsg(fds[1], &m, 0), 1);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    REQUIRE(c);
    EXPECT_EQ(c->cmsg_type, SCM_CREDENTIALS);
    memcpy(&cred, CMSG_DATA(c), sizeof cred);
    EXPECT_EQ(cred.pid, child);
    EXPECT_EQ(cred.uid, 66);
    EXPECT_EQ(cred.gid, 55);
}

CASE(unix_peercred_of_a_listener_is_the_one_who_listened)
{
    int l = bound(SOCK_STREAM, "s");
    IN_CHILD(child)
    {
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        while (connect_to(c, "s") != 0)
            sleep_ms(2);
        struct ucred cred = {};
        socklen_t length = sizeof cred;
        EXPECT_EQ(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &length), 0);
        EXPECT_EQ(cred.pid, getppid());
        char byte;
        EXPECT_EQ(read(c, &byte, 1), 1);
    }
    REQUIRE(listen(l, 1) == 0);
    int s = accept(l, nullptr, nullptr);
    struct ucred cred = {};
    socklen_t length = sizeof cred;
    EXPECT_EQ(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cred, &length), 0);
    EXPECT_EQ(cred.pid, child);
    write_byte(s);
    EXPECT_EXITED(child, 0);
}

CASE(socket_options_tell_what_it_is)
{
    int fds[2], value = -1;
    make_pair(SOCK_SEQPACKET, fds);
    socklen_t length = sizeof value;
    EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &length), 0);
    EXPECT_EQ(value, SOCK_SEQPACKET);
    EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
    EXPECT_EQ(value, AF_UNIX);
    EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
    EXPECT_EQ(value, 0);
    EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_ERROR, &value, &length), 0);
    EXPECT_EQ(value, 0);
    EXPECT_ERRNO(getsockopt(fds[0], SOL_SOCKET, 9999, &value, &length), ENOPROTOOPT);
    EXPECT_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, 2), EINVAL);
    EXPECT_ERRNO(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &length), ENOTSOCK);
    value = 20000;
    EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value), 0);
    EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, &length), 0);
    EXPECT_EQ(value, 40000); // doubled: socket(7)
}

CASE(socket_receive_timeout)
{
    int fds[2];
    char c;
    make_pair(SOCK_STREAM, fds);
    struct timeval t = {.tv_usec = 20000};
    EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    int64_t start = now_ns();
    EXPECT_ERRNO(read(fds[0], &c, 1), EAGAIN);
    EXPECT(now_ns() - start >= 15000000);
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

CASE(unix_message_flags)
{
    int fds[2];
    char text[8] = {};
    make_pair(SOCK_STREAM, fds);
    EXPECT_ERRNO(recv(fds[0], text, 8, MSG_DONTWAIT), EAGAIN);
    EXPECT_EQ(write(fds[1], "abcd", 4), 4);
    EXPECT_EQ(recv(fds[0], text, 2, MSG_PEEK), 2);
    EXPECT_EQ(recv(fds[0], text, 8, 0), 4);
    thread_t writer = after_ms(20, write_byte, fds[1]);
    EXPECT_EQ(write(fds[1], "ab", 2), 2);
    EXPECT_EQ(recv(fds[0], text, 3, MSG_WAITALL), 3);
    join(writer);
    int bytes = -1;
    EXPECT_EQ(write(fds[0], "abcd", 4), 4);
    EXPECT_EQ(ioctl(fds[1], FIONREAD, &bytes), 0);
    EXPECT_EQ(bytes, 4);
}

CASE(sendmmsg_and_recvmmsg)
{
    int fds[2];
    make_pair(SOCK_DGRAM, fds);
    struct iovec out[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    struct mmsghdr messages[3] = {};
    for (int i = 0; i < 3; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
    EXPECT_EQ(sendmmsg(fds[0], messages, 3, 0), 3);
    EXPECT_EQ(messages[2].msg_len, 3);
    char text[5][8] = {};
    struct iovec in[5];
    struct mmsghdr got[5] = {};
    for (int i = 0; i < 5; i++) {
        in[i] = (struct iovec){text[i], 8};
        got[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    }
    EXPECT_EQ(recvmmsg(fds[1], got, 5, MSG_DONTWAIT, nullptr), 3);
    EXPECT_EQ(got[1].msg_len, 2);
    EXPECT_STR(text[2], "ccc");
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

static void *connect_second(void *fd)
{
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
    pthread_t waiter;
    REQUIRE(pthread_create(&waiter, nullptr, connect_second, &second) == 0);
    EXPECT_EQ(shutdown(l, SHUT_RD), 0);
    EXPECT(accept(l, nullptr, nullptr) >= 0);
    pthread_join(waiter, nullptr);
    EXPECT_ERRNO(accept(l, nullptr, nullptr), EINVAL);
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

// --- /proc/net/unix. ---

static bool listed(ino_t inode)
{
    char line[256], wanted[32];
    snprintf(wanted, sizeof wanted, " %llu", (unsigned long long)inode);
    FILE *f = fopen("/proc/net/unix", "r");
    REQUIRE(f);
    bool found = false;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        size_t length = strlen(line);
        found |= length > strlen(wanted) && strcmp(line + length - strlen(wanted), wanted) == 0;
    }
    fclose(f);
    return found;
}

CASE(unix_closed_end_of_a_pair_is_not_listed_while_the_other_lives)
{
    struct stat s[2];
    int fds[2];
    make_pair(SOCK_STREAM, fds);
    REQUIRE(fstat(fds[0], &s[0]) == 0 && fstat(fds[1], &s[1]) == 0);
    EXPECT(listed(s[0].st_ino));
    EXPECT(listed(s[1].st_ino));
    close(fds[0]);
    EXPECT(!listed(s[0].st_ino));
    EXPECT(listed(s[1].st_ino));
}
