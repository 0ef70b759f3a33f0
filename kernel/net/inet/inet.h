// kernel/net/inet/inet.h — AF_INET sockets: what UDP, raw and ping sockets share. ip(7).
//
// A socket is known by its number in its protocol's table: the local port (UDP), the identifier of its echo requests (ping) or the IP protocol (raw).
// The table's lock guards the numbers and addresses of every socket in it; a socket's own mutex guards its queue, and is taken first where both are
// needed. Tables hold no reference: a finder takes one or skips the socket; closing takes the socket out.
#pragma once

#include "kernel/net/inet/ip.h"
#include "kernel/net/socket.h"

#define INET_BUCKETS 64u

struct inet_table {
    struct spinlock lock;
    struct hlist_head buckets[INET_BUCKETS];
    unsigned sockets; // all that exist, in the table or not: atomic
};

struct inet_sock {
    struct socket s;                 // first
    struct inet_table *table;
    struct hlist_node hash;          // table->lock for this and the next ones
    bool hashed;
    uint32_t bound, src, dst;        // network order: what bind(2) set, the source to use, the peer
    uint16_t num;                    // host order; 0: none yet
    uint16_t peer_port;              // network order
    bool address_locked, port_locked, connected; // by bind(2), so that disconnecting leaves them
    // Set by options, read without a lock.
    int ttl;                         // -1: the default
    uint8_t tos, mtu_discover;
    bool hdrincl, freebind, recv_pktinfo, recv_ttl, recv_tos;
    uint32_t icmp_filter;            // raw ICMP: a set bit keeps out that type
    // s.lock
    struct list_head queue;          // of packets
    size_t queued_bytes;
    unsigned queued;
    bool closed;
    unsigned long drops;
};

// Of a socket of this family.
static inline struct inet_sock *inet_of(struct socket *s)
{
    return (struct inet_sock *)s;
}

extern struct inet_table udp_table, ping_table, raw_table;
extern const struct socket_ops udp_ops, ping_ops, raw_ops;
extern int sysctl_ip_local_port_range[2], sysctl_ping_group_range[2], sysctl_ip_unprivileged_port_start;

// The socket_ops that UDP, ping and raw sockets share. inet_connect() fixes the peer and never waits; AF_UNSPEC takes it away.
[[nodiscard]] int inet_bind(struct socket *s, const void *addr, int len);
[[nodiscard]] int inet_connect(struct socket *s, const void *addr, int len, bool nonblock);
int inet_getname(struct socket *s, void *addr, bool peer);
int inet_shutdown(struct socket *s, int how);
uint32_t inet_poll(struct socket *s, struct file *file, struct poll_table *pt);
int inet_ioctl(struct socket *s, unsigned cmd, unsigned long arg);
int inet_setsockopt(struct socket *s, int level, int name, unsigned long uvalue, int len);
int inet_getsockopt(struct socket *s, int level, int name, unsigned long uvalue, unsigned long ulen);
// What the sender's control messages ask for, into msg->control: IP_PKTINFO, IP_TTL, IP_TOS. -EINVAL for those that are unknown or malformed, -EFAULT.
[[nodiscard]] int inet_take_control(struct socket *s, struct message *msg, unsigned long control, size_t len);
void inet_put_control(struct socket *s, const struct message *msg, struct cmsg_out *out); // IP_PKTINFO, IP_TTL, IP_TOS, where the receiver asked for them
void inet_close(struct socket *s);
void inet_destroy(struct socket *s);

// Gives the socket a number if it has none: `want`, or a free one (0). -EADDRINUSE.
[[nodiscard]] int inet_take_number(struct inet_sock *u, uint16_t want);
static inline struct hlist_head *inet_bucket(struct inet_table *t, uint16_t num)
{
    return &t->buckets[num % INET_BUCKETS];
}
// The best socket for a datagram from src:sport (network order) to dst, number `num`; connected beats bound to an address beats any. With a reference, or null.
struct inet_sock *inet_find(struct inet_table *t, uint32_t dst, uint16_t num, uint32_t src, uint16_t sport);
// The `skip`th of all that match.
struct inet_sock *inet_find_nth(struct inet_table *t, uint32_t dst, uint16_t num, uint32_t src, uint16_t sport, unsigned skip);
// Puts `p` on the queue and wakes readers, or drops it when the socket's buffer is full. Takes it over.
void inet_deliver(struct inet_sock *u, struct packet *p);
// An ICMP error for the socket: kept for the next call if it is final and the socket is connected.
void inet_report(struct inet_sock *u, int err, bool hard);

struct inet_target { // of a send
    struct ip_params ip;
    struct route route;
    uint16_t port; // network order
};
// Where a message goes: its name or the peer. -EDESTADDRREQ, -EINVAL, -EAFNOSUPPORT, -ENETUNREACH, -EACCES (broadcast not allowed), -EPIPE, a pending error.
[[nodiscard]] int inet_target(struct inet_sock *u, const struct message *msg, struct inet_target *out);
// Takes the next datagram and copies what is behind `skip` bytes of its transport part (or, with `header`, the whole datagram).
ssize_t inet_receive(struct inet_sock *u, struct message *msg, size_t skip, bool header);
