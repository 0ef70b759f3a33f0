// kernel/net/inet/control.c — control messages of AF_INET sockets: what a sender may choose for one datagram, and what a receiver is told. ip(7), cmsg(3).

#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"

#define CMSG_LEN(size) (sizeof(struct abi_cmsghdr) + (size))

// An int, or for IP_TOS one byte as well.
static int value_from_user(const struct abi_cmsghdr *h, unsigned long data, bool byte_allowed, int *out)
{
    uint8_t byte;
    if (h->len == CMSG_LEN(sizeof *out))
        return get_user(*out, user_ptr(int, data)) ? -EFAULT : 0;
    if (!byte_allowed || h->len != CMSG_LEN(1))
        return -EINVAL;
    if (get_user(byte, user_ptr(uint8_t, data)))
        return -EFAULT;
    *out = byte;
    return 0;
}

static int take_ip(struct inet_control *c, const struct abi_cmsghdr *h, unsigned long data)
{
    struct abi_in_pktinfo info;
    int value, err;
    switch (h->type) {
    case IP_PKTINFO:
        if (h->len != CMSG_LEN(sizeof info))
            return -EINVAL;
        if (copy_from_user(&info, user_ptr(void, data), sizeof info))
            return -EFAULT;
        if (info.ifindex)
            c->ifindex = info.ifindex;
        c->src = info.spec_dst;
        return 0;
    case IP_TTL:
        if ((err = value_from_user(h, data, false, &value)))
            return err;
        if (value < 1 || value > 255)
            return -EINVAL;
        c->ttl = (uint8_t)value;
        return 0;
    case IP_TOS:
        if ((err = value_from_user(h, data, true, &value)))
            return err;
        if (value < 0 || value > 255)
            return -EINVAL;
        c->tos = (int16_t)value;
        return 0;
    default:
        return -EINVAL;
    }
}

int inet_take_control(struct socket *s, struct message *msg, unsigned long control, size_t len)
{
    for (size_t at = 0; at < len && len - at >= sizeof(struct abi_cmsghdr);) {
        struct abi_cmsghdr h;
        if (copy_from_user(&h, user_ptr(void, control + at), sizeof h))
            return -EFAULT;
        if (h.len < sizeof h || h.len > len - at)
            return -EINVAL;
        int err = 0;
        if (h.level == SOL_IP)
            err = take_ip(&msg->control, &h, control + at + sizeof h);
        else if (h.level == SOL_SOCKET) // what AF_UNIX gives a meaning is passed over
            err = h.type == SCM_RIGHTS || h.type == SCM_CREDENTIALS ? 0 : -EINVAL;
        else if (h.level == SOL_UDP && s->protocol == IPPROTO_UDP)
            err = -EINVAL; // UDP_SEGMENT is not there
        if (err)
            return err;
        at += CMSG_ALIGN(h.len);
    }
    return 0;
}

void inet_put_control(struct socket *s, const struct message *msg, struct cmsg_out *out)
{
    const struct inet_sock *u = inet_of(s);
    if (!msg->name_len)
        return; // nothing was received: there is nothing to tell of it
    if (u->recv_pktinfo) {
        struct abi_in_pktinfo info = {.ifindex = msg->inet.ifindex, .addr = msg->inet.dst, .spec_dst = msg->inet.dst};
        put_cmsg(out, SOL_IP, IP_PKTINFO, &info, sizeof info);
    }
    if (u->recv_ttl) {
        int ttl = msg->inet.ttl;
        put_cmsg(out, SOL_IP, IP_TTL, &ttl, sizeof ttl);
    }
    if (u->recv_tos)
        put_cmsg(out, SOL_IP, IP_TOS, &msg->inet.tos, sizeof msg->inet.tos);
}
