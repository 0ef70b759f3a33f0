// kernel/net/inet/ping.c — ping sockets (SOCK_DGRAM, IPPROTO_ICMP): echo requests for users without privilege. icmp(7).
//
// The kernel owns the identifier: it is the socket's number, put into each request, and replies come to the socket that has it.

#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"

static ssize_t ping_sendmsg(struct socket *s, struct message *msg)
{
    struct inet_sock *u = inet_of(s);
    struct inet_target to;
    size_t len = iov_iter_count(&msg->iter);
    if (!READ_ONCE(u->num) && inet_take_number(u, 0))
        return -EAGAIN;
    if (len > UINT16_MAX - sizeof(struct ip_header))
        return -EMSGSIZE;
    if (len < sizeof(struct icmp_header))
        return -EINVAL;
    if (msg->flags & (MSG_OOB | MSG_MORE))
        return -EOPNOTSUPP;
    struct packet *p = packet_alloc(len);
    if (!p)
        return -ENOBUFS;
    struct icmp_header *icmp = packet_transport(p);
    int err = copy_from_iter(&msg->iter, icmp, len) != len ? -EFAULT : icmp->type != ICMP_ECHO || icmp->code ? -EINVAL : inet_target(u, msg, &to);
    if (err) {
        packet_free(p);
        return err;
    }
    icmp->id = HTONS(u->num);
    icmp->checksum = 0;
    icmp->checksum = ip_checksum(icmp, len);
    err = ip_send(p, &to.route, &to.ip);
    return err ? err : (ssize_t)len;
}

static ssize_t ping_recvmsg(struct socket *s, struct message *msg)
{
    return inet_receive(inet_of(s), msg, 0, false);
}

void ping_receive(struct packet *p)
{
    const struct ip_header *ip = packet_ip(p);
    const struct icmp_header *icmp = packet_transport(p);
    struct inet_sock *u = inet_find(&ping_table, ip->dst, NTOHS(icmp->id), ip->src, 0);
    if (!u) {
        packet_free(p);
        return;
    }
    inet_deliver(u, p);
    socket_put(&u->s);
}

void ping_error(const struct ip_header *ip, const void *transport, int err, bool hard)
{
    const struct icmp_header *icmp = transport;
    struct inet_sock *u = icmp->type == ICMP_ECHO ? inet_find(&ping_table, ip->src, NTOHS(icmp->id), ip->dst, 0) : nullptr;
    if (u) {
        inet_report(u, err, hard);
        socket_put(&u->s);
    }
}

const struct socket_ops ping_ops = {
    .bind = inet_bind,
    .connect = inet_connect,
    .getname = inet_getname,
    .sendmsg = ping_sendmsg,
    .recvmsg = ping_recvmsg,
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
