// kernel/net/inet/netdev.c — the list of network devices; lo, which receives what it sends; routes by address.

#include "kernel/net/inet/netdev.h"

#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/net/inet/ip.h"

static DEFINE_LOCK_CLASS(netdev_class, "network devices", RANK_FILES);
struct spinlock netdev_lock = SPINLOCK_INIT(&netdev_class);
struct list_head netdevs = LIST_HEAD_INIT(netdevs);

void netdev_register(struct netdev *dev)
{
    spin_guard(&netdev_lock);
    list_init(&dev->addresses);
    dev->index = list_empty(&netdevs) ? 1 : list_last_entry(&netdevs, struct netdev, link)->index + 1;
    list_add_tail(&dev->link, &netdevs);
}

struct netdev *netdev_find(const char *name)
{
    size_t len = strnlen(name, IFNAMSIZ);
    const char *colon = strchr(name, ':');
    if (colon)
        len = (size_t)(colon - name);
    struct netdev *dev;
    list_for_each_entry(dev, &netdevs, link)
    {
        if (strlen(dev->name) == len && !memcmp(dev->name, name, len))
            return dev;
    }
    return nullptr;
}

struct netdev *netdev_by_index(int index)
{
    struct netdev *dev;
    list_for_each_entry(dev, &netdevs, link)
    {
        if (dev->index == index)
            return dev;
    }
    return nullptr;
}

int netdev_transmit(struct netdev *dev, struct packet *p)
{
    if (READ_ONCE(dev->flags) & IFF_UP)
        return dev->ops->transmit(dev, p);
    atomic_inc(&dev->tx.dropped);
    packet_free(p);
    return -ENETDOWN;
}

// -- routes. An address of a device that is up is ours; on a loopback device its whole network is.
static bool covers(const struct netdev *dev, const struct netdev_address *a, uint32_t dst)
{
    return dst == a->local || ((dev->flags & IFF_LOOPBACK) && !((dst ^ a->local) & a->mask));
}

// The broadcast address of a network that has room for one: RFC 919.
static bool is_broadcast_of(const struct netdev_address *a, uint32_t dst)
{
    return NTOHL(a->mask) < 0xfffffffe && dst == (a->local | ~a->mask);
}

int route_lookup(uint32_t dst, struct route *out)
{
    struct netdev *dev;
    struct netdev_address *a, *best = nullptr;
    spin_guard(&netdev_lock);
    list_for_each_entry(dev, &netdevs, link)
    {
        if (!(dev->flags & IFF_UP))
            continue;
        list_for_each_entry(a, &dev->addresses, link)
        {
            bool broadcast = is_broadcast_of(a, dst);
            // The narrowest network wins, an exact address before all, the first of equals.
            if (!broadcast && (!covers(dev, a, dst) || (best && best->local != dst && a->local != dst && NTOHL(a->mask) <= NTOHL(best->mask)) ||
                               (best && best->local == dst)))
                continue;
            *out = (struct route){.dev = dev, .src = a->local, .type = broadcast ? ROUTE_BROADCAST : ROUTE_LOCAL};
            if (broadcast)
                return 0;
            best = a;
        }
    }
    return best ? 0 : -ENETUNREACH;
}

bool route_is_local(uint32_t addr)
{
    struct route r;
    return !route_lookup(addr, &r) && r.type == ROUTE_LOCAL;
}

bool route_is_broadcast(uint32_t addr)
{
    struct route r;
    return addr == INADDR_BROADCAST || (!route_lookup(addr, &r) && r.type == ROUTE_BROADCAST);
}

// -- lo
static int loopback_transmit(struct netdev *dev, struct packet *p)
{
    int64_t bytes = (int64_t)p->len;
    atomic_inc(&dev->tx.packets);
    atomic_add_relaxed(&dev->tx.bytes, bytes);
    atomic_inc(&dev->rx.packets);
    atomic_add_relaxed(&dev->rx.bytes, bytes);
    p->dev = dev;
    ip_receive(p);
    return 0;
}

static const struct netdev_ops loopback_ops = {.transmit = loopback_transmit};
struct netdev loopback_device = {
    .name = "lo",
    .flags = IFF_LOOPBACK,
    .mtu = 65536,
    .mtu_max = INT32_MAX,
    .tx_queue_len = 1000,
    .hw_type = ARPHRD_LOOPBACK,
    .ops = &loopback_ops,
};

static int loopback_init(void)
{
    netdev_register(&loopback_device);
    return 0;
}
INITCALL(subsys, loopback_init);
