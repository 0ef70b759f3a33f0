// kernel/net/inet/netdev.h — network devices and their IPv4 addresses: netdevice(7). One device so far: lo.
//
// Devices are registered at boot and stay. netdev_lock guards their names, flags, sizes and addresses; counters are atomic.
#pragma once

#include "kernel/abi/errno.h"
#include "kernel/abi/inet.h"
#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "kernel/sync/spinlock.h"

struct packet;
struct netdev;

struct netdev_ops {
    // Sends a datagram and takes it over. Called without locks, the device up. Thread context. 0, or -errno: it was dropped.
    int (*transmit)(struct netdev *dev, struct packet *p);
};

struct netdev_stats {
    atomic64_t packets, bytes, errors, dropped;
};

struct netdev {
    struct list_head link;
    char name[IFNAMSIZ];
    int index;             // from 1
    unsigned flags;        // IFF_*
    unsigned mtu, mtu_max; // bytes of an IP datagram
    unsigned tx_queue_len;
    uint16_t hw_type;      // ARPHRD_*
    const struct netdev_ops *ops;
    struct list_head addresses; // of struct netdev_address, the first one is the primary
    struct netdev_stats rx, tx;
};

struct netdev_address { // all in network byte order
    struct list_head link;
    char label[IFNAMSIZ];       // the device's name, or name:alias
    uint32_t local, peer, mask, broadcast;
};

extern struct spinlock netdev_lock;
extern struct list_head netdevs GUARDED_BY(&netdev_lock);
extern struct netdev loopback_device;

void netdev_register(struct netdev *dev); // gives it its index
struct netdev *netdev_find(const char *name) REQUIRES(netdev_lock); // without ":alias"; null: none
struct netdev *netdev_by_index(int index) REQUIRES(netdev_lock);    // null: none
// Sends through a device that is up; takes over `p`. -ENETDOWN.
int netdev_transmit(struct netdev *dev, struct packet *p);

// The requests of netdevice(7) on a socket of any family; -ENOTTY: none of them.
// inet: also those of addresses and routes, which only AF_INET sockets know.
[[nodiscard]] int netdev_ioctl(unsigned cmd, unsigned long arg, bool inet);

// Where a destination leads, by the addresses of devices that are up and the routes added with SIOCADDRT.
struct route {
    struct netdev *dev;
    uint32_t src;   // the address to send from
    enum { ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_UNICAST } type;
};
[[nodiscard]] int route_lookup(uint32_t dst, struct route *out); // -ENETUNREACH
bool route_is_local(uint32_t addr);                              // an address of ours
bool route_is_broadcast(uint32_t addr);                          // of a network that we are in, or 255.255.255.255
