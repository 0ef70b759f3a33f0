// kernel/net/inet/udp.c — UDP: RFC 768, udp(7). Checksums are left out (0), as the protocol allows: the only device is lo.

#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"

#define UDP_MAX (UINT16_MAX - sizeof(struct ip_header) - sizeof(struct udp_header))

static ssize_t udp_sendmsg(struct socket *s, struct message *msg)
{
    struct inet_sock *u = inet_of(s);
    struct inet_target to;
    size_t len = iov_iter_count(&msg->iter);
    if (!READ_ONCE(u->num) && inet_take_number(u, 0))
        return -EAGAIN;
    if (len > UINT16_MAX)
        return -EMSGSIZE;
    if (msg->flags & (MSG_OOB | MSG_MORE)) // nothing is urgent in a datagram; collecting one in pieces is not there
        return -EOPNOTSUPP;
    int err = inet_target(u, msg, &to);
    if (err)
        return err;
    if (len > UDP_MAX)
        return -EMSGSIZE;
    struct packet *p = packet_alloc(sizeof(struct udp_header) + len);
    if (!p)
        return -ENOBUFS;
    struct udp_header *udp = packet_transport(p);
    *udp = (struct udp_header){.src = HTONS(u->num), .dst = to.port, .len = HTONS(sizeof *udp + len)};
    if (copy_from_iter(&msg->iter, udp + 1, len) != len) {
        packet_free(p);
        return -EFAULT;
    }
    err = ip_send(p, &to.route, &to.ip);
    return err ? err : (ssize_t)len;
}

static ssize_t udp_recvmsg(struct socket *s, struct message *msg)
{
    return inet_receive(inet_of(s), msg, sizeof(struct udp_header), false);
}

// To every socket that listens; the last one gets the packet itself.
static void receive_broadcast(struct packet *p, const struct ip_header *ip, const struct udp_header *udp)
{
    struct inet_sock *u, *next;
    unsigned n = 0;
    u = inet_find_nth(&udp_table, ip->dst, NTOHS(udp->dst), ip->src, udp->src, n++);
    for (; u; u = next) {
        next = inet_find_nth(&udp_table, ip->dst, NTOHS(udp->dst), ip->src, udp->src, n++);
        struct packet *copy = packet_copy(p);
        if (copy)
            inet_deliver(u, copy);
        socket_put(&u->s);
    }
    packet_free(p);
}

void udp_receive(struct packet *p)
{
    const struct ip_header *ip = packet_ip(p);
    const struct udp_header *udp = packet_transport(p);
    size_t len = packet_transport_len(p);
    if (len < sizeof *udp || NTOHS(udp->len) < sizeof *udp || NTOHS(udp->len) > len) {
        atomic_inc(&p->dev->rx.errors);
        packet_free(p);
        return;
    }
    p->len = p->transport + NTOHS(udp->len);
    if (route_is_broadcast(ip->dst)) {
        receive_broadcast(p, ip, udp);
        return;
    }
    struct inet_sock *u = inet_find(&udp_table, ip->dst, NTOHS(udp->dst), ip->src, udp->src);
    if (u) {
        inet_deliver(u, p);
        socket_put(&u->s);
        return;
    }
    icmp_send_error(p, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH);
    packet_free(p);
}

void udp_error(const struct ip_header *ip, const void *transport, int err, bool hard)
{
    const struct udp_header *udp = transport;
    // The quoted datagram went from us: its source is our side.
    struct inet_sock *u = inet_find(&udp_table, ip->src, NTOHS(udp->src), ip->dst, udp->dst);
    if (u) {
        inet_report(u, err, hard);
        socket_put(&u->s);
    }
}

const struct socket_ops udp_ops = {
    .bind = inet_bind,
    .connect = inet_connect,
    .getname = inet_getname,
    .sendmsg = udp_sendmsg,
    .recvmsg = udp_recvmsg,
    .shutdown = inet_shutdown,
    .poll = inet_poll,
    .ioctl = inet_ioctl,
    .setsockopt = inet_setsockopt,
    .getsockopt = inet_getsockopt,
    .take_control = inet_take_control,
    .put_control = inet_put_control,
    .close = inet_close,
    .destroy = inet_destroy,
};
