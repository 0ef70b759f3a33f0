// tests/contract/unix_rights.c — open files that travel through AF_UNIX sockets, and the circles they make: unix(7), cmsg(3).
#include "tests/contract/unix_socket.h"

#include <sys/resource.h>
#include <sys/uio.h>

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

CASE(unix_rights_and_bytes_stay_when_a_receive_faults)
{
    int fds[2], flags;
    char control[CMSG_SPACE(sizeof(int))], text[8];
    struct iovec v = {(void *)8, 1}, half[] = {{text, 2}, {(void *)8, 2}};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(send_descriptor(fds[0], 0), 1);
    EXPECT_ERRNO(recvmsg(fds[1], &m, 0), EFAULT);
    EXPECT(receive_descriptor(fds[1], 0, CMSG_SPACE(sizeof(int)), &flags) >= 0);
    EXPECT_EQ(write(fds[0], "abcd", 4), 4);
    EXPECT_ERRNO(readv(fds[1], half, 2), EFAULT);
    EXPECT_EQ(read(fds[1], text, sizeof text), 4);
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

CASE(unix_stream_peek_stops_at_descriptors_and_shows_them)
{
    int fds[2];
    make_pair(SOCK_STREAM, fds);
    EXPECT_EQ(write(fds[0], "a", 1), 1);
    EXPECT_EQ(send_descriptor(fds[0], 0), 1);
    EXPECT_EQ(write(fds[0], "c", 1), 1);
    char text[16] = {};
    for (int i = 0; i < 2; i++) { // then they are received, and it is the same
        char control[CMSG_SPACE(sizeof(int))] = {};
        struct iovec v = {text, sizeof text};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        EXPECT_EQ(recvmsg(fds[1], &m, i == 0 ? MSG_PEEK : 0), 2);
        EXPECT(memcmp(text, "aD", 2) == 0);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        REQUIRE(c && c->cmsg_type == SCM_RIGHTS);
        EXPECT_EQ(c->cmsg_len, CMSG_LEN(sizeof(int)));
        int fd = -1;
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        EXPECT_EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
    }
    EXPECT_EQ(read(fds[1], text, sizeof text), 1);
    EXPECT_EQ(text[0], 'c');
}
