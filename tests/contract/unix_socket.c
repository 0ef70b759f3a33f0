// tests/contract/unix_socket.c — AF_UNIX sockets: unix(7), socketpair(2), sendmsg(2), recvmsg(2), shutdown(2), getsockopt(2).
#include "tests/contract/unix_socket.h"

#include <sys/ioctl.h>

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

struct connecting {
    int fd;
    const char *to;
};

static void *connect_often(void *arg)
{
    struct connecting *c = arg;
    for (int i = 0; i < 2000; i++)
        EXPECT_ERRNO(connect_to(c->fd, c->to), ECONNREFUSED);
    return nullptr;
}

CASE(unix_connect_to_itself_or_to_each_other_without_a_listener_is_refused)
{
    int x = bound(SOCK_STREAM, "x"), y = bound(SOCK_STREAM, "y");
    EXPECT_ERRNO(connect_to(x, "x"), ECONNREFUSED);
    pthread_t other;
    REQUIRE(pthread_create(&other, nullptr, connect_often, &(struct connecting){x, "y"}) == 0);
    connect_often(&(struct connecting){y, "x"});
    pthread_join(other, nullptr);
    REQUIRE(listen(x, 1) == 0);
    EXPECT_ERRNO(connect_to(x, "x"), EINVAL); // one that listens connects to nobody
    EXPECT_EQ(connect_to(y, "x"), 0);
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

CASE(unix_accept_waits_at_a_listener_that_only_stopped_sending)
{
    int l = listener(SOCK_STREAM, "s");
    struct timeval limit = {.tv_usec = 20000};
    EXPECT_EQ(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    EXPECT_EQ(shutdown(l, SHUT_WR), 0);
    EXPECT_ERRNO(accept(l, nullptr, nullptr), EAGAIN);
    EXPECT_EQ(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "s"), 0);
    EXPECT(accept(l, nullptr, nullptr) >= 0);
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

static int pending_error(int fd)
{
    int error = -1;
    socklen_t length = sizeof error;
    EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
    return error;
}

static int disconnect(int fd)
{
    return connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
}

CASE(unix_datagram_socket_that_leaves_its_peer_loses_what_it_has_not_read)
{
    int fds[2];
    char c;
    make_pair(SOCK_DGRAM, fds);
    EXPECT_EQ(write(fds[1], "x", 1), 1);
    EXPECT_EQ(disconnect(fds[0]), 0);
    EXPECT_ERRNO(recv(fds[0], &c, 1, MSG_DONTWAIT), EAGAIN);
    EXPECT_EQ(poll_now(fds[1], POLLIN), POLLERR);
    EXPECT_EQ(pending_error(fds[1]), ECONNRESET);
    EXPECT_EQ(pending_error(fds[1]), 0);
    EXPECT_EQ(write(fds[1], "y", 1), 1); // which still is connected to it
    EXPECT_EQ(recv(fds[0], &c, 1, MSG_DONTWAIT), 1);
}

CASE(unix_datagram_reset_comes_before_what_is_sent_or_received)
{
    int fds[2];
    char c;
    make_pair(SOCK_DGRAM, fds);
    EXPECT_EQ(write(fds[0], "1", 1), 1);
    EXPECT_EQ(write(fds[1], "x", 1), 1);
    EXPECT_EQ(disconnect(fds[0]), 0);
    EXPECT_ERRNO(recv(fds[1], &c, 1, MSG_DONTWAIT), ECONNRESET);
    EXPECT_EQ(recv(fds[1], &c, 1, MSG_DONTWAIT), 1);
    make_pair(SOCK_DGRAM, fds);
    EXPECT_EQ(write(fds[1], "x", 1), 1);
    EXPECT_EQ(disconnect(fds[0]), 0);
    EXPECT_ERRNO(write(fds[1], "y", 1), ECONNRESET);
    EXPECT_EQ(write(fds[1], "y", 1), 1);
}

CASE(unix_datagram_first_peer_loses_nothing_and_one_sided_ones_are_not_told)
{
    int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b");
    struct sockaddr_un to;
    char c;
    bound(SOCK_DGRAM, "c");
    EXPECT_EQ(sendto(b, "x", 1, 0, (void *)&to, address(&to, "a")), 1);
    EXPECT_EQ(connect_to(a, "b"), 0);
    EXPECT_EQ(connect_to(a, "b"), 0); // the same one
    EXPECT_EQ(recv(a, &c, 1, MSG_DONTWAIT | MSG_PEEK), 1);
    EXPECT_EQ(connect_to(a, "c"), 0);
    EXPECT_ERRNO(recv(a, &c, 1, MSG_DONTWAIT), EAGAIN);
    EXPECT_EQ(pending_error(b), 0);
}

static void recv_names(int fd, const char *name)
{
    struct sockaddr_un from = {};
    socklen_t length = sizeof from;
    char c;
    EXPECT_EQ(recvfrom(fd, &c, 1, 0, (void *)&from, &length), 1);
    EXPECT_EQ(length, offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
    EXPECT_STR(from.sun_path, name);
}

CASE(unix_connected_receiver_is_told_the_senders_name)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        int l = listener(types[i], "srv"), client = bound(types[i], "cli");
        REQUIRE(connect_to(client, "srv") == 0);
        int server = accept(l, nullptr, nullptr);
        REQUIRE(server >= 0);
        EXPECT_EQ(write(client, "x", 1), 1);
        EXPECT_EQ(write(server, "y", 1), 1);
        recv_names(server, "cli");
        recv_names(client, "srv");
        unlink("srv");
        unlink("cli");
    }
}

CASE(unix_sender_is_called_as_it_is_when_the_message_is_received)
{
    int server = bound(SOCK_DGRAM, "srv"), client = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un a;
    REQUIRE(connect_to(client, "srv") == 0);
    EXPECT_EQ(write(client, "x", 1), 1);
    EXPECT_EQ(bind(client, (void *)&a, address(&a, "late")), 0);
    recv_names(server, "late");
}

static int asking_for_credentials(int type)
{
    int fd = socket(AF_UNIX, type, 0), on = 1;
    REQUIRE(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    return fd;
}

static socklen_t name_length(int fd)
{
    struct sockaddr_un a;
    socklen_t length = sizeof a;
    REQUIRE(getsockname(fd, (void *)&a, &length) == 0);
    return length;
}

CASE(unix_socket_that_asks_for_credentials_gets_a_name_when_it_sends_or_connects)
{
    enum { FAMILY_ONLY = 2, AUTOMATIC = 8 };
    int server = bound(SOCK_DGRAM, "srv"), client = asking_for_credentials(SOCK_DGRAM), fds[2], on = 1;
    struct sockaddr_un a;
    char text[8];
    listener(SOCK_STREAM, "l");
    EXPECT_EQ(name_length(client), FAMILY_ONLY);
    EXPECT_EQ(sendto(client, "x", 1, 0, (void *)&a, address(&a, "srv")), 1);
    socklen_t length = sizeof a;
    EXPECT_EQ(recvfrom(server, text, sizeof text, 0, (void *)&a, &length), 1);
    EXPECT_EQ(length, AUTOMATIC);
    EXPECT_EQ(sendto(server, "back", 4, 0, (void *)&a, length), 4);
    EXPECT_EQ(recv(client, text, sizeof text, MSG_DONTWAIT), 4);
    client = asking_for_credentials(SOCK_DGRAM);
    EXPECT_EQ(disconnect(client), 0);
    EXPECT_EQ(name_length(client), FAMILY_ONLY);
    EXPECT_EQ(connect_to(client, "srv"), 0);
    EXPECT_EQ(name_length(client), AUTOMATIC);
    client = asking_for_credentials(SOCK_STREAM);
    EXPECT_EQ(connect_to(client, "l"), 0);
    EXPECT_EQ(name_length(client), AUTOMATIC);
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        make_pair(types[i], fds);
        EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
        EXPECT_EQ(write(fds[0], "x", 1), 1);
        EXPECT_EQ(name_length(fds[0]), types[i] == SOCK_STREAM ? FAMILY_ONLY : AUTOMATIC);
    }
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

CASE(unix_peercred_of_a_listener_is_the_one_who_listened_last)
{
    int l = listener(SOCK_STREAM, "s"), c = socket(AF_UNIX, SOCK_STREAM, 0);
    IN_CHILD(child)
    {
        REQUIRE(setgid(55) == 0 && setuid(66) == 0);
        EXPECT_EQ(listen(l, 1), 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(connect_to(c, "s"), 0);
    struct ucred cred = {};
    socklen_t length = sizeof cred;
    EXPECT_EQ(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &length), 0);
    EXPECT_EQ(cred.pid, child);
    EXPECT_EQ(cred.uid, 66);
    EXPECT_EQ(cred.gid, 55);
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
    struct timeval t = {.tv_usec = 200000};
    EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    int64_t start = now_ns();
    EXPECT_ERRNO(read(fds[0], &c, 1), EAGAIN);
    EXPECT(now_ns() - start >= 150000000);
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
