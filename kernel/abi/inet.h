// kernel/abi/inet.h — IPv4 as user space sees it: ip(7), udp(7), raw(7), icmp(7), netdevice(7), and the headers on the wire (RFC 791, 768, 792).
#pragma once

#include "kernel/base/types.h"

// Numbers in network byte order are named so where they stand; these convert.
#define HTONS(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define HTONL(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))
#define NTOHS(x) HTONS(x)
#define NTOHL(x) HTONL(x)

#define INADDR_ANY 0u
#define INADDR_BROADCAST 0xffffffffu
#define INADDR_LOOPBACK 0x7f000001u // host order

enum { IPPROTO_IP = 0, IPPROTO_ICMP = 1, IPPROTO_UDP = 17, IPPROTO_RAW = 255 };
#define IPPROTO_MAX 263

#define SOL_IP 0
#define SOL_UDP 17
#define SOL_RAW 255
enum {
    IP_TOS = 1, IP_TTL = 2, IP_HDRINCL = 3, IP_PKTINFO = 8, IP_MTU_DISCOVER = 10, IP_RECVTTL = 12, IP_RECVTOS = 13, IP_MTU = 14, IP_FREEBIND = 15,
};
enum { IP_PMTUDISC_DONT, IP_PMTUDISC_WANT, IP_PMTUDISC_DO, IP_PMTUDISC_PROBE };
#define ICMP_FILTER 1

struct abi_sockaddr_in {
    uint16_t family;
    uint16_t port; // network order
    uint32_t addr; // network order
    uint8_t zero[8];
};
static_assert(sizeof(struct abi_sockaddr_in) == 16);

struct abi_in_pktinfo {
    int ifindex;
    uint32_t spec_dst, addr;
};
static_assert(sizeof(struct abi_in_pktinfo) == 12);

struct ip_header {
    uint8_t version_ihl, tos;
    uint16_t total, id, fragment; // network order
    uint8_t ttl, protocol;
    uint16_t checksum;
    uint32_t src, dst;            // network order
};
static_assert(sizeof(struct ip_header) == 20);
#define IP_DF 0x4000u // in fragment, host order
#define IP_MF 0x2000u
#define IP_OFFSET_MASK 0x1fffu

struct udp_header {
    uint16_t src, dst, len, checksum; // network order
};
static_assert(sizeof(struct udp_header) == 8);

struct icmp_header {
    uint8_t type, code;
    uint16_t checksum, id, sequence; // network order
};
static_assert(sizeof(struct icmp_header) == 8);
enum { ICMP_ECHOREPLY = 0, ICMP_DEST_UNREACH = 3, ICMP_ECHO = 8 };
enum { ICMP_NET_UNREACH = 0, ICMP_HOST_UNREACH = 1, ICMP_PROT_UNREACH = 2, ICMP_PORT_UNREACH = 3, ICMP_FRAG_NEEDED = 4 };

// -- netdevice(7)
#define IFNAMSIZ 16
#define IFF_UP 0x1u
#define IFF_BROADCAST 0x2u
#define IFF_DEBUG 0x4u
#define IFF_LOOPBACK 0x8u
#define IFF_POINTOPOINT 0x10u
#define IFF_NOTRAILERS 0x20u
#define IFF_RUNNING 0x40u
#define IFF_NOARP 0x80u
#define IFF_PROMISC 0x100u
#define IFF_ALLMULTI 0x200u
#define IFF_MULTICAST 0x1000u
#define ARPHRD_LOOPBACK 772

struct abi_ifmap {
    unsigned long mem_start, mem_end;
    uint16_t base_addr;
    uint8_t irq, dma, port, pad_[3];
};

struct abi_sockaddr {
    uint16_t family;
    uint8_t data[14];
};

struct abi_ifreq {
    char name[IFNAMSIZ];
    union {
        struct abi_sockaddr_in addr;
        struct abi_sockaddr hwaddr;
        int16_t flags;
        int value;
        struct abi_ifmap map;
        char newname[IFNAMSIZ];
    };
};
static_assert(sizeof(struct abi_ifreq) == 40);

struct abi_ifconf {
    int len, pad_;
    unsigned long buf;
};
static_assert(sizeof(struct abi_ifconf) == 16);

struct abi_rtentry {
    unsigned long pad1_;
    struct abi_sockaddr_in dst, gateway, genmask;
    uint16_t flags;
    int16_t pad2_;
    unsigned long pad3_, pad4_;
    int16_t metric;
    unsigned long dev; // a string
    unsigned long mtu, window;
    uint16_t irtt;
};
static_assert(sizeof(struct abi_rtentry) == 120 && offsetof(struct abi_rtentry, metric) == 80);
#define RTF_UP 1u
#define RTF_GATEWAY 2u
#define RTF_HOST 4u
#define RTF_REJECT 0x200u

enum {
    SIOCADDRT = 0x890b, SIOCDELRT = 0x890c, SIOCGIFNAME = 0x8910, SIOCGIFCONF = 0x8912, SIOCGIFFLAGS = 0x8913, SIOCSIFFLAGS = 0x8914, SIOCGIFADDR = 0x8915,
    SIOCSIFADDR = 0x8916, SIOCGIFDSTADDR = 0x8917, SIOCSIFDSTADDR = 0x8918, SIOCGIFBRDADDR = 0x8919, SIOCSIFBRDADDR = 0x891a, SIOCGIFNETMASK = 0x891b,
    SIOCSIFNETMASK = 0x891c, SIOCGIFMETRIC = 0x891d, SIOCSIFMETRIC = 0x891e, SIOCGIFMEM = 0x891f, SIOCSIFMEM = 0x8920, SIOCGIFMTU = 0x8921,
    SIOCSIFMTU = 0x8922, SIOCSIFNAME = 0x8923, SIOCSIFHWADDR = 0x8924, SIOCGIFHWADDR = 0x8927, SIOCGIFSLAVE = 0x8929, SIOCGIFINDEX = 0x8933,
    SIOCGIFPFLAGS = 0x8935, SIOCGIFTXQLEN = 0x8942, SIOCSIFTXQLEN = 0x8943, SIOCGIFMAP = 0x8970, SIOCSIFMAP = 0x8971, SIOCDEVPRIVATE = 0x89f0,
};
