// kernel/net/inet/transfer.c — what sending and receiving have in common for all AF_INET sockets.

#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"

static bool device_exists(int index)
{
    spin_guard(&netdev_lock);
    return netdev_by_index(index) != nullptr;
}

int inet_target(struct inet_sock *u, const struct message *msg, struct inet_target *out)
{
    const struct abi_sockaddr_in *in = (const void *)msg->name;
    uint32_t dst, src;
    if (msg->name_len) {
        if (msg->name_len < (int)sizeof *in)
            return -EINVAL;
        // Raw and UDP sockets take AF_UNSPEC for AF_INET; ping sockets do not.
        if (in->family != AF_INET && (in->family != AF_UNSPEC || u->table == &ping_table))
            return -EAFNOSUPPORT;
        if (u->table == &udp_table && !in->port)
            return -EINVAL;
        dst = in->addr;
        out->port = in->port;
        src = READ_ONCE(u->src);
    } else {
        spin_guard(&u->table->lock);
        if (!u->connected)
            return -EDESTADDRREQ;
        dst = u->dst;
        src = u->src;
        out->port = u->peer_port;
    }
    if (!dst)
        dst = HTONL(INADDR_LOOPBACK);
    int err = route_lookup(dst, &out->route);
    if (msg->control.ifindex && (err || out->route.dev->index != msg->control.ifindex))
        return device_exists(msg->control.ifindex) ? -ENETUNREACH : -ENODEV;
    if (err)
        return err;
    if (msg->control.src) {
        if (!route_is_local(msg->control.src))
            return -ENETUNREACH;
        src = msg->control.src;
    }
    if (out->route.type == ROUTE_BROADCAST && !u->s.broadcast)
        return -EACCES;
    out->ip = (struct ip_params){.src = src ? src : out->route.src, .dst = dst, .protocol = (uint8_t)u->s.protocol, .tos = u->tos,
                                 .ttl = (uint8_t)(u->ttl < 0 ? sysctl_ip_default_ttl : u->ttl), .dont_fragment = u->mtu_discover != IP_PMTUDISC_DONT};
    if (msg->control.ttl)
        out->ip.ttl = msg->control.ttl;
    if (msg->control.tos >= 0)
        out->ip.tos = (uint8_t)msg->control.tos;
    if (READ_ONCE(u->s.error) && (err = socket_take_error(&u->s)))
        return err;
    return READ_ONCE(u->s.shutdown) & SOCKET_SND_SHUTDOWN ? -EPIPE : 0;
}

// 1: there is something, 0: receiving was shut down. What woke us another reader may have taken.
static int wait_for_packet(struct inet_sock *u, bool nonblock, ktime_t deadline)
{
    for (;;) {
        int err = READ_ONCE(u->s.error) ? socket_take_error(&u->s) : 0;
        if (err)
            return err;
        if (READ_ONCE(u->queued))
            return 1;
        if (nonblock)
            return -EAGAIN;
        if (READ_ONCE(u->s.shutdown) & SOCKET_RCV_SHUTDOWN)
            return 0;
        err = wait_event_interruptible_timeout(
            &u->s.wq, READ_ONCE(u->queued) || READ_ONCE(u->s.error) || (READ_ONCE(u->s.shutdown) & SOCKET_RCV_SHUTDOWN), deadline);
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : socket_interrupted(u->s.rcvtimeo);
    }
}

static void fill_name(const struct inet_sock *u, struct message *msg, struct packet *p)
{
    struct abi_sockaddr_in in = {.family = AF_INET, .addr = packet_ip(p)->src};
    if (u->table == &udp_table)
        in.port = ((const struct udp_header *)packet_transport(p))->src;
    memcpy(msg->name, &in, sizeof in);
    msg->name_len = sizeof in;
}

static ssize_t hand_out(struct inet_sock *u, struct message *msg, struct packet *p, size_t skip, bool header)
{
    const uint8_t *from = header ? p->data : (const uint8_t *)packet_transport(p) + skip;
    size_t len = header ? p->len : packet_transport_len(p) - skip, part = min(len, iov_iter_count(&msg->iter));
    if (copy_to_iter(&msg->iter, from, part) != part)
        return -EFAULT;
    if (part < len)
        msg->out_flags |= MSG_TRUNC;
    fill_name(u, msg, p);
    msg->inet.ifindex = p->dev->index;
    msg->inet.dst = packet_ip(p)->dst;
    msg->inet.ttl = packet_ip(p)->ttl;
    msg->inet.tos = packet_ip(p)->tos;
    return (ssize_t)(msg->flags & MSG_TRUNC ? len : part);
}

ssize_t inet_receive(struct inet_sock *u, struct message *msg, size_t skip, bool header)
{
    if ((msg->flags & MSG_OOB) && u->table != &udp_table) // which takes no notice of it
        return -EOPNOTSUPP;
    if (msg->flags & MSG_ERRQUEUE)
        return -EAGAIN; // IP_RECVERR is not there: the queue is always empty
    bool nonblock = msg->nonblock || (msg->flags & MSG_DONTWAIT);
    ktime_t deadline = socket_deadline(u->s.rcvtimeo);
    for (;;) {
        int ready = wait_for_packet(u, nonblock, deadline);
        if (ready <= 0)
            return ready;
        struct packet *p;
        {
            mutex_guard(&u->s.lock);
            p = list_first_entry_or_null(&u->queue, struct packet, link);
            if (!p)
                continue; // another reader was quicker
            if (msg->flags & MSG_PEEK)
                return hand_out(u, msg, p, skip, header);
            list_del(&p->link);
            u->queued--;
            u->queued_bytes -= p->charge;
        }
        ssize_t n = hand_out(u, msg, p, skip, header);
        packet_free(p);
        return n;
    }
}
