// tests/contract/raw_socket.c — raw and ping sockets over loopback, and the interface's settings: raw(7), icmp(7), netdevice(7).
#include "tests/contract/harness.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <grp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {0x0100007f}};

static int control(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(fd >= 0);
    return fd;
}

static struct ifreq named(const char *name)
{
    struct ifreq r = {};
    strcpy(r.ifr_name, name);
    return r;
}

// --- Raw and ping sockets. ---

static uint16_t checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)bytes[i] | (uint32_t)(i + 1 < size ? bytes[i + 1] : 0) << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

struct echo {
    struct icmphdr header;
    char text[8];
};

static struct echo echo_request(uint16_t id, uint16_t sequence)
{
    struct echo e = {.header = {.type = ICMP_ECHO, .un.echo = {.id = id, .sequence = sequence}}, .text = "knockin"};
    e.header.checksum = checksum(&e, sizeof e);
    return e;
}

// The next message of this type that the socket gets; its IP header, then what follows.
static ssize_t next_of_type(int fd, int type, char *packet, size_t size, struct sockaddr_in *from)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, LONG_TIMEOUT_MS) == 1) {
        socklen_t length = sizeof *from;
        ssize_t n = recvfrom(fd, packet, size, 0, (struct sockaddr *)from, &length);
        if (n < (ssize_t)(sizeof(struct iphdr) + sizeof(struct icmphdr)) || packet[sizeof(struct iphdr)] == type)
            return n;
    }
    return -1;
}

CASE(raw_socket_gets_the_header_and_the_echo)
{
    char packet[256];
    struct sockaddr_in from = {};
    loopback_up();
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    REQUIRE(fd >= 0);
    struct echo request = echo_request(0x1234, 7);
    EXPECT_EQ(sendto(fd, &request, sizeof request, 0, (void *)&loopback, sizeof loopback), sizeof request);
    REQUIRE_EQ(next_of_type(fd, ICMP_ECHOREPLY, packet, sizeof packet, &from), sizeof(struct iphdr) + sizeof request);
    struct iphdr *ip = (void *)packet;
    struct echo *reply = (void *)(packet + sizeof *ip);
    EXPECT_EQ(ip->version, 4);
    EXPECT_EQ(ip->ihl, 5);
    EXPECT_EQ(ip->protocol, IPPROTO_ICMP);
    EXPECT_EQ(ntohs(ip->tot_len), sizeof *ip + sizeof request);
    EXPECT_EQ(ip->saddr, loopback.sin_addr.s_addr);
    EXPECT_EQ(checksum(ip, sizeof *ip), 0);
    EXPECT_EQ(reply->header.un.echo.id, 0x1234);
    EXPECT_EQ(reply->header.un.echo.sequence, 7);
    EXPECT_STR(reply->text, "knockin");
    EXPECT_EQ(checksum(reply, sizeof *reply), 0);
    EXPECT_EQ(from.sin_addr.s_addr, loopback.sin_addr.s_addr);
    EXPECT_EQ(from.sin_port, 0);
}

CASE(raw_socket_is_for_those_with_the_capability)
{
    IN_CHILD(child)
    {
        REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
        EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
        EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), EPERM);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
    EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, 256 + 70000), EINVAL);
}

CASE(raw_socket_filters_types_of_icmp)
{
    char packet[256];
    uint32_t filter = 1u << ICMP_ECHO, got = 0;
    socklen_t length = sizeof got;
    loopback_up();
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    EXPECT_EQ(setsockopt(fd, SOL_RAW, 1, &filter, sizeof filter), 0); // ICMP_FILTER: these types do not come
    EXPECT_EQ(getsockopt(fd, SOL_RAW, 1, &got, &length), 0);
    EXPECT_EQ(got, filter);
    struct echo request = echo_request(1, 1);
    EXPECT_EQ(sendto(fd, &request, sizeof request, 0, (void *)&loopback, sizeof loopback), sizeof request);
    EXPECT(recv(fd, packet, sizeof packet, 0) > 0);
    EXPECT_EQ(packet[sizeof(struct iphdr)], ICMP_ECHOREPLY); // and no request before it
    int other = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    EXPECT_ERRNO(setsockopt(other, SOL_RAW, 1, &filter, sizeof filter), EOPNOTSUPP);
}

CASE(raw_socket_with_a_header_of_its_own)
{
    loopback_up();
    struct {
        struct iphdr ip;
        char text[4];
    } packet = {.ip = {.version = 4, .ihl = 5, .ttl = 3, .protocol = 253, .daddr = loopback.sin_addr.s_addr}, .text = "own"};
    char got[64];
    int receiver = socket(AF_INET, SOCK_RAW, 253), sender = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), on = 0;
    socklen_t length = sizeof on;
    REQUIRE(receiver >= 0 && sender >= 0);
    EXPECT_EQ(getsockopt(sender, IPPROTO_IP, IP_HDRINCL, &on, &length), 0);
    EXPECT_EQ(on, 1); // that protocol only sends whole packets
    EXPECT_EQ(sendto(sender, &packet, sizeof packet, 0, (void *)&loopback, sizeof loopback), sizeof packet);
    REQUIRE_EQ(recv(receiver, got, sizeof got, 0), sizeof packet);
    struct iphdr *ip = (void *)got;
    EXPECT_EQ(ip->ttl, 3);
    EXPECT_EQ(ip->protocol, 253);
    EXPECT_EQ(ntohs(ip->tot_len), sizeof packet); // filled in
    EXPECT_EQ(ip->saddr, loopback.sin_addr.s_addr);
    EXPECT_EQ(checksum(ip, sizeof *ip), 0);
    EXPECT_STR(got + sizeof *ip, "own");
    EXPECT_ERRNO(sendto(sender, &packet, 10, 0, (void *)&loopback, sizeof loopback), EINVAL); // less than a header
    EXPECT_ERRNO(send(sender, &packet, sizeof packet, 0), EDESTADDRREQ);
}

CASE(raw_socket_bound_and_connected_takes_only_its_own)
{
    struct sockaddr_in elsewhere = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000002)}};
    char got[64];
    loopback_up();
    int bound = socket(AF_INET, SOCK_RAW, 253), peer = socket(AF_INET, SOCK_RAW, 253), sender = socket(AF_INET, SOCK_RAW, 253);
    EXPECT_EQ(bind(bound, (void *)&elsewhere, sizeof elsewhere), 0);
    EXPECT_EQ(connect(peer, (void *)&elsewhere, sizeof elsewhere), 0);
    EXPECT_EQ(sendto(sender, "one", 3, 0, (void *)&loopback, sizeof loopback), 3);
    EXPECT_EQ(sendto(sender, "two", 3, 0, (void *)&elsewhere, sizeof elsewhere), 3);
    EXPECT_EQ(recv(bound, got, sizeof got, 0), sizeof(struct iphdr) + 3);
    EXPECT(memcmp(got + sizeof(struct iphdr), "two", 3) == 0);
    EXPECT_ERRNO(recv(bound, got, sizeof got, MSG_DONTWAIT), EAGAIN);
    EXPECT_ERRNO(recv(peer, got, sizeof got, MSG_DONTWAIT), EAGAIN); // they came from 127.0.0.1
    struct sockaddr_in foreign = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a010203)}};
    EXPECT_ERRNO(bind(sender, (void *)&foreign, sizeof foreign), EADDRNOTAVAIL);
}

CASE(ping_socket_asks_and_is_answered)
{
    struct echo reply = {}, request = echo_request(0xffff, 9);
    struct sockaddr_in from = {}, name = {};
    socklen_t length = sizeof from;
    loopback_up();
    keep_setting("/proc/sys/net/ipv4/ping_group_range");
    EXPECT_EQ(write_text("/proc/sys/net/ipv4/ping_group_range", "0 100"), 0);
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    REQUIRE(fd >= 0);
    EXPECT_EQ(sendto(fd, &request, sizeof request, 0, (void *)&loopback, sizeof loopback), sizeof request);
    EXPECT_EQ(recvfrom(fd, &reply, sizeof reply, 0, (void *)&from, &length), sizeof reply);
    EXPECT_EQ(getsockname(fd, (void *)&name, &length), 0);
    EXPECT_EQ(reply.header.type, ICMP_ECHOREPLY);
    EXPECT_EQ(reply.header.un.echo.id, name.sin_port); // the socket's, not what was written
    EXPECT(name.sin_port != 0);
    EXPECT_EQ(reply.header.un.echo.sequence, 9);
    EXPECT_STR(reply.text, "knockin");
    EXPECT_EQ(from.sin_addr.s_addr, loopback.sin_addr.s_addr);
    request.header.type = ICMP_TIMESTAMP;
    EXPECT_ERRNO(sendto(fd, &request, sizeof request, 0, (void *)&loopback, sizeof loopback), EINVAL); // it only asks for echoes
    EXPECT_ERRNO(sendto(fd, &request, 4, 0, (void *)&loopback, sizeof loopback), EINVAL);
}

CASE(ping_socket_is_for_groups_in_the_range)
{
    keep_setting("/proc/sys/net/ipv4/ping_group_range");
    EXPECT_EQ(write_text("/proc/sys/net/ipv4/ping_group_range", "2000 2001"), 0);
    EXPECT_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES); // the capability does not help
    IN_CHILD(child)
    {
        gid_t groups[] = {5, 2001};
        REQUIRE(setgroups(2, groups) == 0 && setgid(1000) == 0 && setuid(1000) == 0);
        EXPECT(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(write_text("/proc/sys/net/ipv4/ping_group_range", "1 0"), 0);
    EXPECT_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES);
}

CASE(datagram_to_a_closed_port_is_refused)
{
    struct sockaddr_in nobody = loopback;
    nobody.sin_port = htons(9);
    char c;
    loopback_up();
    int fd = control();
    EXPECT_EQ(connect(fd, (void *)&nobody, sizeof nobody), 0);
    EXPECT_EQ(send(fd, "x", 1, 0), 1);
    EXPECT_ERRNO(recv(fd, &c, 1, 0), ECONNREFUSED); // the ICMP message came back
    EXPECT_ERRNO(recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN); // and was told once
}

// --- The interface. ---

CASE(interface_flags_go_up_and_down)
{
    int fd = control();
    struct ifreq r = named("lo");
    loopback_up();
    EXPECT_EQ(ioctl(fd, SIOCGIFFLAGS, &r), 0);
    EXPECT_EQ(r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_BROADCAST), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    r.ifr_flags = 0;
    EXPECT_EQ(ioctl(fd, SIOCSIFFLAGS, &r), 0);
    EXPECT_EQ(ioctl(fd, SIOCGIFFLAGS, &r), 0);
    EXPECT_EQ(r.ifr_flags & (IFF_UP | IFF_LOOPBACK), IFF_LOOPBACK); // what it is cannot be taken away
    loopback_up();
}

CASE(interface_tells_what_it_is)
{
    int fd = control();
    struct ifreq r = named("lo");
    loopback_up();
    EXPECT_EQ(ioctl(fd, SIOCGIFINDEX, &r), 0);
    EXPECT_EQ(r.ifr_ifindex, 1);
    EXPECT_EQ(ioctl(fd, SIOCGIFNAME, &r), 0);
    EXPECT_STR(r.ifr_name, "lo");
    EXPECT_EQ(ioctl(fd, SIOCGIFMTU, &r), 0);
    EXPECT_EQ(r.ifr_mtu, 65536);
    EXPECT_EQ(ioctl(fd, SIOCGIFHWADDR, &r), 0);
    EXPECT_EQ(r.ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
    EXPECT_EQ(ioctl(fd, SIOCGIFMETRIC, &r), 0);
    EXPECT_EQ(r.ifr_metric, 0);
    EXPECT_EQ(ioctl(fd, SIOCGIFTXQLEN, &r), 0);
    EXPECT_EQ(r.ifr_qlen, 1000);
    struct sockaddr_in *a = (void *)&r.ifr_addr;
    a->sin_family = AF_INET;
    EXPECT_EQ(ioctl(fd, SIOCGIFADDR, &r), 0);
    EXPECT_EQ(a->sin_addr.s_addr, loopback.sin_addr.s_addr);
    EXPECT_EQ(ioctl(fd, SIOCGIFNETMASK, &r), 0);
    EXPECT_EQ(a->sin_addr.s_addr, htonl(0xff000000));
    r.ifr_ifindex = 77;
    EXPECT_ERRNO(ioctl(fd, SIOCGIFNAME, &r), ENODEV);
    r = named("none0");
    EXPECT_ERRNO(ioctl(fd, SIOCGIFFLAGS, &r), ENODEV);
    EXPECT_ERRNO(ioctl(fd, SIOCGIFADDR, &r), ENODEV);
    EXPECT_ERRNO(ioctl(fd, SIOCGIFFLAGS, nullptr), EFAULT);
}

CASE(interface_list_has_those_with_addresses)
{
    int fd = control();
    struct ifreq list[4] = {};
    struct ifconf c = {.ifc_len = sizeof list, .ifc_req = list};
    loopback_up();
    EXPECT_EQ(ioctl(fd, SIOCGIFCONF, &c), 0);
    EXPECT_EQ(c.ifc_len, sizeof list[0]);
    EXPECT_STR(list[0].ifr_name, "lo");
    EXPECT_EQ(((struct sockaddr_in *)&list[0].ifr_addr)->sin_addr.s_addr, loopback.sin_addr.s_addr);
    c = (struct ifconf){.ifc_len = 0, .ifc_req = nullptr}; // how much there is
    EXPECT_EQ(ioctl(fd, SIOCGIFCONF, &c), 0);
    EXPECT_EQ(c.ifc_len, sizeof list[0]);
    c = (struct ifconf){.ifc_len = sizeof list[0] - 1, .ifc_req = list};
    EXPECT_EQ(ioctl(fd, SIOCGIFCONF, &c), 0);
    EXPECT_EQ(c.ifc_len, 0); // whole entries only
}

CASE(interface_addresses_can_be_set)
{
    int fd = control();
    struct ifreq r = named("lo:1");
    struct sockaddr_in *a = (void *)&r.ifr_addr, name = {.sin_family = AF_INET};
    loopback_up();
    a->sin_family = AF_INET;
    a->sin_addr.s_addr = htonl(0x0a090807);
    EXPECT_EQ(ioctl(fd, SIOCSIFADDR, &r), 0);
    a->sin_addr.s_addr = 0;
    EXPECT_EQ(ioctl(fd, SIOCGIFADDR, &r), 0);
    EXPECT_EQ(a->sin_addr.s_addr, htonl(0x0a090807));
    EXPECT_EQ(ioctl(fd, SIOCGIFNETMASK, &r), 0);
    EXPECT_EQ(a->sin_addr.s_addr, htonl(0xff000000)); // of its class
    name.sin_addr.s_addr = htonl(0x0a090807);
    EXPECT_EQ(bind(fd, (void *)&name, sizeof name), 0); // it is ours now
    a->sin_addr.s_addr = 0;
    EXPECT_EQ(ioctl(fd, SIOCSIFADDR, &r), 0);
    EXPECT_ERRNO(ioctl(fd, SIOCGIFADDR, &r), EADDRNOTAVAIL);
    EXPECT_ERRNO(bind(control(), (void *)&name, sizeof name), EADDRNOTAVAIL);
    a->sin_addr.s_addr = htonl(0xe0000001);
    EXPECT_ERRNO(ioctl(fd, SIOCSIFADDR, &r), EINVAL); // a group is no address of ours
}

CASE(interface_mtu_can_be_set)
{
    int fd = control();
    struct ifreq r = named("lo");
    loopback_up();
    r.ifr_mtu = 1500;
    EXPECT_EQ(ioctl(fd, SIOCSIFMTU, &r), 0);
    r.ifr_mtu = 0;
    EXPECT_EQ(ioctl(fd, SIOCGIFMTU, &r), 0);
    EXPECT_EQ(r.ifr_mtu, 1500);
    r.ifr_mtu = -1;
    EXPECT_ERRNO(ioctl(fd, SIOCSIFMTU, &r), EINVAL);
    r.ifr_mtu = 65536;
    EXPECT_EQ(ioctl(fd, SIOCSIFMTU, &r), 0);
}

CASE(interface_is_changed_by_those_with_the_capability)
{
    IN_CHILD(child)
    {
        struct ifreq r = named("lo");
        REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
        int fd = control();
        EXPECT_EQ(ioctl(fd, SIOCGIFFLAGS, &r), 0);
        EXPECT_ERRNO(ioctl(fd, SIOCSIFFLAGS, &r), EPERM);
        EXPECT_ERRNO(ioctl(fd, SIOCSIFMTU, &r), EPERM);
        EXPECT_ERRNO(ioctl(fd, SIOCSIFADDR, &r), EPERM);
        EXPECT_ERRNO(ioctl(fd, SIOCSIFHWADDR, &r), EPERM);
    }
    EXPECT_EXITED(child, 0);
}
