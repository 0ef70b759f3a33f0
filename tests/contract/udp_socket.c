// tests/contract/udp_socket.c — datagrams over loopback and their control messages: ip(7), udp(7), cmsg(3).
#include "tests/contract/harness.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { LO_INDEX = 1 };

// A UDP socket on a free port of 127.0.0.1.
static int udp(struct sockaddr_in *name)
{
    socklen_t length = sizeof *name;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    REQUIRE(fd >= 0 && bind(fd, (void *)name, sizeof *name) == 0 && getsockname(fd, (void *)name, &length) == 0);
    return fd;
}

// Sends "x" with one control message.
static ssize_t send_with(int fd, const struct sockaddr_in *to, int level, int type, const void *data, size_t size)
{
    _Alignas(struct cmsghdr) char control[256] = {};
    struct iovec part = {"x", 1};
    struct msghdr m = {
        .msg_name = (void *)to, .msg_namelen = sizeof *to, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(size)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), data, size);
    return sendmsg(fd, &m, 0);
}

// Receives one byte and the value of the control message asked for; -1: it did not come.
static int receive_value(int fd, int type, struct sockaddr_in *from)
{
    _Alignas(struct cmsghdr) char control[256];
    char c;
    struct iovec part = {&c, 1};
    struct msghdr m = {
        .msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    REQUIRE(recvmsg(fd, &m, MSG_DONTWAIT) == 1);
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wsign-compare" // musl's CMSG_NXTHDR
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
#pragma clang diagnostic pop
        if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == type)
            return type == IP_TOS ? *(uint8_t *)CMSG_DATA(h) : *(int *)CMSG_DATA(h);
    }
    return -1;
}

CASE(udp_datagrams_arrive_whole_with_their_source)
{
    struct sockaddr_in a, b, from;
    loopback_up();
    int x = udp(&a), y = udp(&b);
    char text[8] = {};
    socklen_t length = sizeof from;
    EXPECT_EQ(sendto(x, "hello", 5, 0, (void *)&b, sizeof b), 5);
    EXPECT_EQ(sendto(x, "", 0, 0, (void *)&b, sizeof b), 0);
    EXPECT_EQ(recvfrom(y, text, 2, MSG_TRUNC, (void *)&from, &length), 5);
    EXPECT_EQ(from.sin_port, a.sin_port);
    EXPECT_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_EQ(recv(y, text, sizeof text, 0), 0);
    EXPECT_ERRNO(recv(y, text, sizeof text, MSG_DONTWAIT), EAGAIN);
}

CASE(udp_connected_socket_hears_that_nobody_listens)
{
    struct sockaddr_in a, b;
    loopback_up();
    int x = udp(&a), y = udp(&b);
    close(y);
    EXPECT_EQ(connect(x, (void *)&b, sizeof b), 0);
    EXPECT_EQ(send(x, "x", 1, 0), 1);
    char c;
    EXPECT_ERRNO(recv(x, &c, 1, 0), ECONNREFUSED);
}

CASE(udp_control_time_to_live)
{
    struct sockaddr_in a, b, from;
    loopback_up();
    int x = udp(&a), y = udp(&b), on = 1, value = 7;
    EXPECT_EQ(setsockopt(y, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    EXPECT_EQ(send_with(x, &b, IPPROTO_IP, IP_TTL, &value, sizeof value), 1);
    EXPECT_EQ(receive_value(y, IP_TTL, &from), 7);
    EXPECT_EQ(sendto(x, "x", 1, 0, (void *)&b, sizeof b), 1); // only that one
    EXPECT_EQ(receive_value(y, IP_TTL, &from), 64);
    value = 0;
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_TTL, &value, sizeof value), EINVAL);
    value = 256;
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_TTL, &value, sizeof value), EINVAL);
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_TTL, "\7", 1), EINVAL);
}

CASE(udp_control_type_of_service)
{
    struct sockaddr_in a, b, from;
    loopback_up();
    int x = udp(&a), y = udp(&b), on = 1, value = 0x10;
    EXPECT_EQ(setsockopt(y, IPPROTO_IP, IP_RECVTOS, &on, sizeof on), 0);
    EXPECT_EQ(send_with(x, &b, IPPROTO_IP, IP_TOS, &value, sizeof value), 1);
    EXPECT_EQ(receive_value(y, IP_TOS, &from), 0x10);
    EXPECT_EQ(send_with(x, &b, IPPROTO_IP, IP_TOS, "\x08", 1), 1);
    EXPECT_EQ(receive_value(y, IP_TOS, &from), 8);
    value = 256;
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_TOS, &value, sizeof value), EINVAL);
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_TOS, "\0\0", 2), EINVAL);
}

CASE(udp_control_source_and_device)
{
    struct sockaddr_in a, b, from;
    loopback_up();
    int y = udp(&b), on = 1;
    a = (struct sockaddr_in){.sin_family = AF_INET};
    int x = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(bind(x, (void *)&a, sizeof a) == 0);
    EXPECT_EQ(setsockopt(y, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f000005)};
    EXPECT_EQ(send_with(x, &b, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), 1);
    EXPECT_EQ(receive_value(y, IP_PKTINFO, &from), LO_INDEX); // the first field is the device
    EXPECT_EQ(from.sin_addr.s_addr, htonl(0x7f000005));
    info = (struct in_pktinfo){.ipi_ifindex = LO_INDEX};
    EXPECT_EQ(send_with(x, &b, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), 1);
    EXPECT_EQ(receive_value(y, IP_PKTINFO, &from), LO_INDEX);
    info.ipi_ifindex = 77;
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), ENODEV);
    info = (struct in_pktinfo){.ipi_spec_dst.s_addr = htonl(0x0a000001)};
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), ENETUNREACH);
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, IP_PKTINFO, &info, sizeof info - 1), EINVAL);
}

CASE(udp_control_messages_are_checked)
{
    struct sockaddr_in a, b;
    loopback_up();
    int x = udp(&a), zero = 0;
    (void)udp(&b);
    EXPECT_ERRNO(send_with(x, &b, IPPROTO_IP, 77, &zero, sizeof zero), EINVAL);
    EXPECT_ERRNO(send_with(x, &b, SOL_SOCKET, 77, &zero, sizeof zero), EINVAL);
    EXPECT_EQ(send_with(x, &b, SOL_SOCKET, SCM_RIGHTS, &zero, sizeof zero), 1); // has no meaning here
    EXPECT_EQ(send_with(x, &b, 99, 1, &zero, sizeof zero), 1);                  // another level's
    _Alignas(struct cmsghdr) char control[64] = {};
    struct iovec part = {"x", 1};
    struct msghdr m = {.msg_name = &b, .msg_namelen = sizeof b, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 32};
    struct cmsghdr *c = (void *)control;
    c->cmsg_len = 8;
    EXPECT_ERRNO(sendmsg(x, &m, 0), EINVAL);
    c->cmsg_len = 40; // beyond the end
    EXPECT_ERRNO(sendmsg(x, &m, 0), EINVAL);
    m.msg_controllen = 8; // too short for any
    EXPECT_EQ(sendmsg(x, &m, 0), 1);
    m.msg_controllen = 1 << 20; // above net.core.optmem_max
    EXPECT_ERRNO(sendmsg(x, &m, 0), ENOMEM);
}

CASE(udp_end_of_receiving_comes_without_control_messages)
{
    int on = 1;
    char byte;
    _Alignas(struct cmsghdr) char control[256];
    struct iovec part = {&byte, 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on), 0);
    EXPECT_ERRNO(shutdown(fd, SHUT_RD), ENOTCONN); // and receiving is shut down all the same
    EXPECT_EQ(recvmsg(fd, &m, 0), 0);
    EXPECT_EQ(m.msg_controllen, 0);
}
