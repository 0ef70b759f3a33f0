// kernel/net/inet/inet.c — the AF_INET family: making, naming, connecting, closing. ip(7).

#include "kernel/net/inet/inet.h"

#include "kernel/abi/fcntl.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/vfs.h"

int sysctl_ip_local_port_range[2] = {32768, 60999};
int sysctl_ping_group_range[2] = {1, 0}; // nobody
int sysctl_ip_unprivileged_port_start = 1024;

static struct inet_sock *make(const struct socket_ops *ops, struct inet_table *table, int type, int protocol)
{
    struct inet_sock *u = kzalloc(sizeof *u, ALLOC_KERNEL);
    if (!u)
        return nullptr;
    socket_init(&u->s, ops, AF_INET, type, protocol);
    list_init(&u->queue);
    u->table = table;
    u->ttl = -1;
    u->mtu_discover = IP_PMTUDISC_WANT;
    __atomic_add_fetch(&table->sockets, 1, __ATOMIC_RELAXED);
    return u;
}

// Whether one of the caller's groups may make ping sockets: icmp(7), ping_group_range.
static bool may_ping(void)
{
    const struct cred *cred = current_cred();
    gid_t low = (gid_t)READ_ONCE(sysctl_ping_group_range[0]), high = (gid_t)READ_ONCE(sysctl_ping_group_range[1]);
    if (cred->egid >= low && cred->egid <= high)
        return true;
    for (unsigned i = 0; i < cred->ngroups; i++)
        if (cred->groups[i] >= low && cred->groups[i] <= high)
            return true;
    return false;
}

static int create(int type, int protocol, struct socket **out)
{
    struct inet_sock *u;
    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return -EINVAL;
    if (type == SOCK_DGRAM) {
        if (protocol == IPPROTO_ICMP) {
            if (!may_ping())
                return -EACCES;
            u = make(&ping_ops, &ping_table, type, protocol);
        } else if (!protocol || protocol == IPPROTO_UDP) {
            u = make(&udp_ops, &udp_table, type, IPPROTO_UDP);
        } else {
            return -EPROTONOSUPPORT;
        }
    } else if (type == SOCK_RAW) {
        if (!protocol)
            return -EPROTONOSUPPORT;
        if (!capable(CAP_NET_RAW))
            return -EPERM;
        u = make(&raw_ops, &raw_table, type, protocol);
    } else {
        return -ESOCKTNOSUPPORT;
    }
    if (!u)
        return -ENOMEM;
    if (type == SOCK_RAW) {
        u->hdrincl = protocol == IPPROTO_RAW;
        int err = inet_take_number(u, (uint16_t)protocol);
        if (err) {
            socket_put(&u->s);
            return err;
        }
    }
    *out = &u->s;
    return 0;
}

int inet_bind(struct socket *s, const void *addr, int len)
{
    struct inet_sock *u = inet_of(s);
    const struct abi_sockaddr_in *in = addr;
    if (len < (int)sizeof *in)
        return -EINVAL;
    if (in->family != AF_INET && (in->family != AF_UNSPEC || in->addr))
        return -EAFNOSUPPORT;
    bool broadcast = in->addr && route_is_broadcast(in->addr);
    if (in->addr && !u->freebind && !broadcast && !route_is_local(in->addr))
        return -EADDRNOTAVAIL;
    uint16_t port = NTOHS(in->port);
    bool raw = s->type == SOCK_RAW;
    if (!raw && s->protocol == IPPROTO_UDP && port && port < READ_ONCE(sysctl_ip_unprivileged_port_start) && !capable(CAP_NET_BIND_SERVICE))
        return -EACCES;
    mutex_guard(&s->lock);
    if (!raw && u->num)
        return -EINVAL;
    {
        spin_guard(&u->table->lock);
        u->bound = in->addr;
        u->src = broadcast ? 0 : in->addr;
    }
    int err = raw ? 0 : inet_take_number(u, port);
    spin_guard(&u->table->lock);
    if (err) {
        u->bound = u->src = 0;
        return err;
    }
    u->address_locked = in->addr;
    u->port_locked = port;
    return 0;
}

// AF_UNSPEC dissolves the association; what bind(2) chose stays.
static void disconnect(struct inet_sock *u)
{
    spin_guard(&u->table->lock);
    u->dst = 0;
    u->peer_port = 0;
    u->connected = false;
    if (!u->address_locked)
        u->bound = u->src = 0;
    if (!u->port_locked && u->s.type != SOCK_RAW && u->hashed) {
        hlist_del_init_rcu(&u->hash);
        u->hashed = false;
        u->num = 0;
    }
}

int inet_connect(struct socket *s, const void *addr, int len, bool)
{
    struct inet_sock *u = inet_of(s);
    const struct abi_sockaddr_in *in = addr;
    struct route route;
    if (len < (int)sizeof in->family)
        return -EINVAL;
    mutex_guard(&s->lock);
    if (in->family == AF_UNSPEC) {
        disconnect(u);
        return 0;
    }
    if (!u->num && inet_take_number(u, 0))
        return -EAGAIN;
    if (len < (int)sizeof *in)
        return -EINVAL;
    if (in->family != AF_INET)
        return -EAFNOSUPPORT;
    uint32_t dst = in->addr ? in->addr : HTONL(INADDR_LOOPBACK);
    int err = route_lookup(dst, &route);
    if (err)
        return err;
    if (route.type == ROUTE_BROADCAST && !s->broadcast)
        return -EACCES;
    spin_guard(&u->table->lock);
    if (!u->src)
        u->src = route.src;
    if (!u->bound)
        u->bound = route.src;
    u->dst = dst;
    u->peer_port = in->port;
    u->connected = true;
    return 0;
}

int inet_getname(struct socket *s, void *addr, bool peer)
{
    struct inet_sock *u = inet_of(s);
    struct abi_sockaddr_in *in = addr;
    spin_guard(&u->table->lock);
    if (peer && (!u->connected || !u->peer_port))
        return -ENOTCONN;
    *in = (struct abi_sockaddr_in){.family = AF_INET, .port = peer ? u->peer_port : HTONS(u->num), .addr = peer ? u->dst : u->bound ? u->bound : u->src};
    return sizeof *in;
}

// Without a peer it is an error, and yet readers are told: so Linux does it for datagram sockets.
int inet_shutdown(struct socket *s, int how)
{
    static const unsigned bits[] = {SOCKET_RCV_SHUTDOWN, SOCKET_SND_SHUTDOWN, SOCKET_RCV_SHUTDOWN | SOCKET_SND_SHUTDOWN};
    {
        mutex_guard(&s->lock);
        s->shutdown |= bits[how];
    }
    wake_up_all(&s->wq);
    return READ_ONCE(inet_of(s)->connected) ? 0 : -ENOTCONN;
}

uint32_t inet_poll(struct socket *s, struct file *file, struct poll_table *pt)
{
    poll_wait(file, &s->wq, pt);
    uint32_t events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND; // what is sent has left before send(2) returns
    unsigned down = READ_ONCE(s->shutdown);
    if (READ_ONCE(s->error))
        events |= EPOLLERR;
    if (down & SOCKET_RCV_SHUTDOWN)
        events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
    if (down == (SOCKET_RCV_SHUTDOWN | SOCKET_SND_SHUTDOWN))
        events |= EPOLLHUP;
    if (READ_ONCE(inet_of(s)->queued))
        events |= EPOLLIN | EPOLLRDNORM;
    return events;
}

int inet_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    struct inet_sock *u = inet_of(s);
    int value = 0; // SIOCOUTQ: nothing waits to be sent
    if (cmd == SIOCINQ) {
        mutex_guard(&s->lock);
        struct packet *first = list_first_entry_or_null(&u->queue, struct packet, link);
        if (first)
            value = (int)(s->type == SOCK_RAW ? first->len : packet_transport_len(first) - (s->protocol == IPPROTO_UDP ? sizeof(struct udp_header) : 0));
    } else if (cmd != SIOCOUTQ) {
        return netdev_ioctl(cmd, arg, true);
    }
    return put_user(value, user_ptr(int, arg)) ? -EFAULT : 0;
}

void inet_close(struct socket *s)
{
    struct inet_sock *u = inet_of(s);
    LIST_HEAD(left);
    {
        spin_guard(&u->table->lock);
        if (u->hashed)
            hlist_del_init_rcu(&u->hash);
        u->hashed = false;
    }
    {
        mutex_guard(&s->lock);
        u->closed = true;
        u->queued = 0;
        list_splice_tail_init(&u->queue, &left);
    }
    while (!list_empty(&left)) {
        struct packet *p = list_first_entry(&left, struct packet, link);
        list_del(&p->link);
        packet_free(p);
    }
}

void inet_destroy(struct socket *s)
{
    struct inet_sock *u = inet_of(s);
    if (u->hashed)
        inet_close(s); // never had a file
    __atomic_sub_fetch(&u->table->sockets, 1, __ATOMIC_RELAXED);
    kfree(u);
}

SOCKET_FAMILY(inet_family) = {.family = AF_INET, .create = create};
