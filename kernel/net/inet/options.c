// kernel/net/inet/options.c — options of SOL_IP and SOL_RAW: ip(7), raw(7). What is not listed is refused (-ENOPROTOOPT).

#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"

// An option's value: an int, or one byte where the caller gave only that much.
static int value_from_user(unsigned long uvalue, int len, int *out)
{
    uint8_t byte;
    *out = 0;
    if (len >= (int)sizeof *out)
        return get_user(*out, user_ptr(int, uvalue)) ? -EFAULT : 0;
    if (len >= 1) {
        if (get_user(byte, user_ptr(uint8_t, uvalue)))
            return -EFAULT;
        *out = byte;
    }
    return 0;
}

static bool is_icmp_filter(const struct inet_sock *u, int level, int name)
{
    return level == SOL_RAW && name == ICMP_FILTER && u->s.type == SOCK_RAW;
}

int inet_setsockopt(struct socket *s, int level, int name, unsigned long uvalue, int len)
{
    struct inet_sock *u = inet_of(s);
    int value;
    if (is_icmp_filter(u, level, name)) {
        if (s->protocol != IPPROTO_ICMP)
            return -EOPNOTSUPP;
        return copy_from_user(&u->icmp_filter, user_ptr(void, uvalue), min((size_t)len, sizeof u->icmp_filter)) ? -EFAULT : 0;
    }
    if (level != SOL_IP)
        return -ENOPROTOOPT;
    int err = value_from_user(uvalue, len, &value);
    if (err)
        return err;
    switch (name) {
    case IP_TOS:
        u->tos = (uint8_t)value;
        s->priority = (value & 0x18) == 0x18 ? 4 : value & 0x10 ? 6 : value & 0x08 ? 2 : 0; // of tc-prio(8)'s bands, by the type of service
        return 0;
    case IP_TTL:
        if (len < 1 || (value != -1 && (value < 1 || value > 255)))
            return -EINVAL;
        u->ttl = value;
        return 0;
    case IP_HDRINCL:
        if (s->type != SOCK_RAW)
            return -ENOPROTOOPT;
        u->hdrincl = value;
        return 0;
    case IP_MTU_DISCOVER:
        if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_PROBE)
            return -EINVAL;
        u->mtu_discover = (uint8_t)value;
        return 0;
    case IP_FREEBIND:
        if (len < 1)
            return -EINVAL;
        u->freebind = value;
        return 0;
    case IP_PKTINFO:
        u->recv_pktinfo = value;
        return 0;
    case IP_RECVTTL:
        u->recv_ttl = value;
        return 0;
    case IP_RECVTOS:
        u->recv_tos = value;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

// IP_MTU: of the way to the peer.
static int path_mtu(struct inet_sock *u)
{
    struct route route;
    if (!READ_ONCE(u->connected))
        return -ENOTCONN;
    int err = route_lookup(READ_ONCE(u->dst), &route);
    return err ? -ENOTCONN : (int)min(route.dev->mtu, 65535u);
}

int inet_getsockopt(struct socket *s, int level, int name, unsigned long uvalue, unsigned long ulen)
{
    struct inet_sock *u = inet_of(s);
    int value, len;
    if (get_user(len, user_ptr(int, ulen)))
        return -EFAULT;
    if (len < 0)
        return -EINVAL;
    if (is_icmp_filter(u, level, name)) {
        if (s->protocol != IPPROTO_ICMP)
            return -EOPNOTSUPP;
        value = (int)u->icmp_filter;
    } else if (level != SOL_IP) {
        return -ENOPROTOOPT;
    } else {
        switch (name) {
        case IP_TOS:
            value = u->tos;
            break;
        case IP_TTL:
            value = u->ttl < 0 ? sysctl_ip_default_ttl : u->ttl;
            break;
        case IP_HDRINCL:
            value = u->hdrincl;
            break;
        case IP_MTU_DISCOVER:
            value = u->mtu_discover;
            break;
        case IP_MTU:
            if ((value = path_mtu(u)) < 0)
                return value;
            break;
        case IP_FREEBIND:
            value = u->freebind;
            break;
        case IP_PKTINFO:
            value = u->recv_pktinfo;
            break;
        case IP_RECVTTL:
            value = u->recv_ttl;
            break;
        case IP_RECVTOS:
            value = u->recv_tos;
            break;
        default:
            return -ENOPROTOOPT;
        }
    }
    // A caller with room for less than an int gets one byte, if the value fits into it.
    if (len < (int)sizeof value && len > 0 && value >= 0 && value <= 255) {
        uint8_t byte = (uint8_t)value;
        len = 1;
        return put_user(len, user_ptr(int, ulen)) || copy_to_user(user_ptr(void, uvalue), &byte, 1) ? -EFAULT : 0;
    }
    len = min(len, (int)sizeof value);
    return put_user(len, user_ptr(int, ulen)) || copy_to_user(user_ptr(void, uvalue), &value, (size_t)len) ? -EFAULT : 0;
}
