// kernel/net/inet/ip.h — IPv4 datagrams on their way: RFC 791. ip(7).
//
// A packet is one datagram with its header, in one buffer and owned by one holder: the sender, the device, then the socket whose queue it is on. A device that
// loops back delivers in the sender's thread, so no lock of a socket may be held over ip_send(). There is no forwarding and no fragmentation: what is larger
// than the device's mtu is refused with -EMSGSIZE, fragments that arrive are dropped.
#pragma once

#include "kernel/abi/inet.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/net/inet/netdev.h"

struct packet {
    struct list_head link;
    struct netdev *dev;    // that it came in by
    size_t len;            // of the datagram
    size_t transport;      // offset of what follows the IP header
    size_t charge;         // memory, as counted against SO_RCVBUF
    bool hdrincl;          // the sender made the header
    _Alignas(8) uint8_t data[];
};

// The header, what is behind it, and how many bytes that is.
static inline struct ip_header *packet_ip(struct packet *p)
{
    return (struct ip_header *)p->data;
}
static inline void *packet_transport(struct packet *p)
{
    return p->data + p->transport;
}
static inline size_t packet_transport_len(const struct packet *p)
{
    return p->len - p->transport;
}

// With room for an IP header and `len` bytes behind it. Null: no memory.
[[nodiscard]] struct packet *packet_alloc(size_t len);
[[nodiscard]] struct packet *packet_copy(const struct packet *p); // of a whole datagram; null: no memory
void packet_free(struct packet *p);

struct ip_params { // what goes into a header
    uint32_t src, dst;
    uint8_t protocol, ttl, tos;
    bool dont_fragment;
};
#define IP_DEFAULT_TTL 64
extern int sysctl_ip_default_ttl;

// Completes the header and hands `p` (taken over) to the route's device. -EMSGSIZE, -ENETDOWN.
[[nodiscard]] int ip_send(struct packet *p, const struct route *route, const struct ip_params *params);
// A datagram came in: checked, then given to raw sockets and its protocol. Takes `p` over.
void ip_receive(struct packet *p);
// RFC 1071: the ones' complement sum, folded and inverted; of data with a right checksum it is 0.
uint16_t ip_checksum(const void *data, size_t len);

// Protocols. Each takes `p` over.
void udp_receive(struct packet *p);
void icmp_receive(struct packet *p);
void ping_receive(struct packet *p);         // an echo reply
bool raw_receive(const struct packet *p);    // gives copies to raw sockets; whether there was one
// An ICMP error about the datagram that socket-less or failed delivery has seen; not about broadcasts, errors or fragments (RFC 1122, 3.2.2).
void icmp_send_error(const struct packet *about, uint8_t type, uint8_t code);
// An ICMP error came in about a datagram of ours with this header and the first 8 bytes behind it.
void udp_error(const struct ip_header *ip, const void *transport, int err, bool hard);
void ping_error(const struct ip_header *ip, const void *transport, int err, bool hard);
void raw_error(const struct ip_header *ip, int err, bool hard);
