// kernel/net/inet/raw.c — raw sockets: raw(7). They see every datagram of their protocol, header and all, before the protocol itself does.

#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"

// A header that the sender made: what it left open is filled in, the destination is the message's.
static int check_header(struct packet *p, const struct inet_target *to)
{
    struct ip_header *ip = packet_ip(p);
    if (p->len < sizeof *ip || (ip->version_ihl & 15) * 4u > p->len || (ip->version_ihl & 15) < 5)
        return -EINVAL;
    if (!ip->src)
        ip->src = to->ip.src;
    p->hdrincl = true;
    return 0;
}

static ssize_t raw_sendmsg(struct socket *s, struct message *msg)
{
    struct inet_sock *u = inet_of(s);
    struct inet_target to;
    size_t len = iov_iter_count(&msg->iter);
    if (len > UINT16_MAX)
        return -EMSGSIZE;
    if (msg->flags & (MSG_OOB | MSG_MORE))
        return -EOPNOTSUPP;
    int err = inet_target(u, msg, &to);
    if (err)
        return err;
    bool whole = u->hdrincl;
    if (whole ? len < sizeof(struct ip_header) : len > UINT16_MAX - sizeof(struct ip_header))
        return whole ? -EINVAL : -EMSGSIZE;
    struct packet *p = packet_alloc(whole ? len - sizeof(struct ip_header) : len);
    if (!p)
        return -ENOBUFS;
    if (copy_from_iter(&msg->iter, whole ? (void *)p->data : packet_transport(p), len) != len)
        err = -EFAULT;
    else if (whole)
        err = check_header(p, &to);
    if (err) {
        packet_free(p);
        return err;
    }
    err = ip_send(p, &to.route, &to.ip);
    return err ? err : (ssize_t)len;
}

static ssize_t raw_recvmsg(struct socket *s, struct message *msg)
{
    return inet_receive(inet_of(s), msg, 0, true);
}

static bool filtered(const struct inet_sock *u, const struct packet *p)
{
    if (u->s.protocol != IPPROTO_ICMP)
        return false;
    if (p->len <= p->transport)
        return true;
    uint8_t type = p->data[p->transport];
    return type < 32 && u->icmp_filter >> type & 1;
}

bool raw_receive(const struct packet *p)
{
    const struct ip_header *ip = (const struct ip_header *)p->data;
    struct inet_sock *u;
    bool any = false;
    if (!READ_ONCE(raw_table.sockets))
        return false;
    for (unsigned n = 0; (u = inet_find_nth(&raw_table, ip->dst, ip->protocol, ip->src, 0, n)); n++) {
        struct packet *copy = filtered(u, p) ? nullptr : packet_copy(p);
        if (copy)
            inet_deliver(u, copy);
        socket_put(&u->s);
        any = true;
    }
    return any;
}

void raw_error(const struct ip_header *ip, int err, bool hard)
{
    struct inet_sock *u;
    if (!READ_ONCE(raw_table.sockets))
        return;
    for (unsigned n = 0; (u = inet_find_nth(&raw_table, ip->src, ip->protocol, ip->dst, 0, n)); n++) {
        inet_report(u, err, hard);
        socket_put(&u->s);
    }
}

const struct socket_ops raw_ops = {
    .bind = inet_bind,
    .connect = inet_connect,
    .getname = inet_getname,
    .sendmsg = raw_sendmsg,
    .recvmsg = raw_recvmsg,
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
