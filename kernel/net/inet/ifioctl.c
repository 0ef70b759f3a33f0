// kernel/net/inet/ifioctl.c — asking for and setting up network devices by ioctl(2): netdevice(7), rtnetlink's older brother.

#include "kernel/abi/socket.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/net/inet/netdev.h"
#include "kernel/proc/cred.h"
#include "arch/include/user_copy.h"

#define MTU_MIN 68 // RFC 791
#define FLAGS_SETTABLE (IFF_UP | IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI)

static struct netdev_address *address_of(struct netdev *dev, const char *label) REQUIRES(netdev_lock)
{
    struct netdev_address *a;
    list_for_each_entry(a, &dev->addresses, link)
    {
        if (!strcmp(a->label, label))
            return a;
    }
    return nullptr;
}

static struct abi_sockaddr_in inet_name(uint32_t addr)
{
    return (struct abi_sockaddr_in){.family = AF_INET, .addr = addr};
}

static uint32_t class_mask(uint32_t addr)
{
    uint32_t host = NTOHL(addr);
    return HTONL(!host ? 0 : !(host >> 31) ? 0xff000000 : host >> 30 == 2 ? 0xffff0000 : 0xffffff00);
}

static void fill_address(struct netdev *dev, struct netdev_address *a, const char *label, uint32_t addr)
{
    *a = (struct netdev_address){.local = addr, .peer = addr, .mask = class_mask(addr)};
    strlcpy(a->label, label, sizeof a->label);
    if (dev->flags & IFF_BROADCAST)
        a->broadcast = addr | ~a->mask;
}

// SIOCSIFADDR: the label's address, new or replaced; 0.0.0.0 takes it away. *spare is used for a new one; what is to be freed comes back in it.
static int set_address(struct netdev *dev, const char *label, uint32_t addr, struct netdev_address **spare) REQUIRES(netdev_lock)
{
    struct netdev_address *a = address_of(dev, label);
    if (NTOHL(addr) >> 28 >= 14)
        return -EINVAL; // multicast and reserved
    if (a && a->local == addr)
        return 0;
    if (!addr) {
        if (a)
            list_del(&a->link);
        kfree(*spare);
        *spare = a;
        return 0;
    }
    struct netdev_address *to = a ? a : *spare;
    struct list_head link = to->link;
    fill_address(dev, to, label, addr);
    to->link = link;
    if (!a) {
        list_add_tail(&to->link, &dev->addresses);
        *spare = nullptr;
    }
    return 0;
}

// A loopback device that goes up without any address gets 127.0.0.1/8.
static int set_flags(struct netdev *dev, const char *label, uint16_t flags, struct netdev_address **spare) REQUIRES(netdev_lock)
{
    if (strchr(label, ':')) { // an alias goes down by losing its address
        struct netdev_address *a = address_of(dev, label);
        if (!a)
            return -EADDRNOTAVAIL;
        if (!(flags & IFF_UP)) {
            list_del(&a->link);
            kfree(*spare);
            *spare = a;
        }
        return 0;
    }
    unsigned now = (dev->flags & ~FLAGS_SETTABLE) | (flags & FLAGS_SETTABLE);
    if ((now & IFF_UP) && (dev->flags & IFF_LOOPBACK) && list_empty(&dev->addresses)) {
        fill_address(dev, *spare, dev->name, HTONL(INADDR_LOOPBACK));
        list_add_tail(&(*spare)->link, &dev->addresses);
        *spare = nullptr;
    }
    WRITE_ONCE(dev->flags, now);
    return 0;
}

static int get_one(struct netdev *dev, unsigned cmd, struct abi_ifreq *req) REQUIRES(netdev_lock)
{
    struct netdev_address *a;
    switch (cmd) {
    case SIOCGIFFLAGS:
        // An operational device that is up runs.
        req->flags = (int16_t)(dev->flags | (dev->flags & IFF_UP ? IFF_RUNNING : 0));
        return 0;
    case SIOCGIFMETRIC:
        req->value = 0; // "unused" by Linux's manual too
        return 0;
    case SIOCGIFMTU:
        req->value = (int)dev->mtu;
        return 0;
    case SIOCGIFHWADDR:
        req->hwaddr = (struct abi_sockaddr){.family = dev->hw_type};
        return 0;
    case SIOCGIFINDEX:
        req->value = dev->index;
        return 0;
    case SIOCGIFTXQLEN:
        req->value = (int)dev->tx_queue_len;
        return 0;
    case SIOCGIFMAP:
        req->map = (struct abi_ifmap){};
        return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
        if (!(a = address_of(dev, req->name)))
            return -EADDRNOTAVAIL;
        req->addr = inet_name(cmd == SIOCGIFADDR ? a->local : cmd == SIOCGIFDSTADDR ? a->peer : cmd == SIOCGIFBRDADDR ? a->broadcast : a->mask);
        return 0;
    default:
        return cmd == SIOCGIFMEM ? -ENOTTY : -EINVAL; // SIOCGIFSLAVE, SIOCGIFPFLAGS: no device answers
    }
}

static bool mask_is_contiguous(uint32_t mask)
{
    uint32_t host = ~NTOHL(mask);
    return !(host & (host + 1));
}

static int set_one(struct netdev *dev, unsigned cmd, const struct abi_ifreq *req, struct netdev_address **spare) REQUIRES(netdev_lock)
{
    struct netdev_address *a = address_of(dev, req->name);
    switch (cmd) {
    case SIOCSIFFLAGS:
        return set_flags(dev, req->name, (uint16_t)req->flags, spare);
    case SIOCSIFMTU:
        if (req->value < MTU_MIN || (unsigned)req->value > dev->mtu_max)
            return -EINVAL;
        WRITE_ONCE(dev->mtu, (unsigned)req->value);
        return 0;
    case SIOCSIFTXQLEN:
        if (req->value < 0)
            return -EINVAL;
        dev->tx_queue_len = (unsigned)req->value;
        return 0;
    case SIOCSIFADDR:
        return req->addr.family != AF_INET ? -EINVAL : set_address(dev, req->name, req->addr.addr, spare);
    case SIOCSIFNETMASK:
    case SIOCSIFBRDADDR:
    case SIOCSIFDSTADDR:
        if (!a)
            return -EADDRNOTAVAIL;
        if (cmd == SIOCSIFBRDADDR)
            a->broadcast = req->addr.addr;
        else if (cmd == SIOCSIFNETMASK ? !mask_is_contiguous(req->addr.addr) : NTOHL(req->addr.addr) >> 28 >= 14)
            return -EINVAL;
        else if (cmd == SIOCSIFNETMASK)
            a->mask = req->addr.addr;
        else
            a->peer = req->addr.addr;
        return 0;
    default:
        return -EOPNOTSUPP; // no metric, map, memory or hardware address to set; lo keeps its name
    }
}

// SIOCGIFCONF: one entry for each address of a device, as many as fit; without a buffer, the size of all of them.
static int get_config(unsigned long arg)
{
    struct abi_ifconf conf;
    struct netdev *dev;
    struct netdev_address *a;
    size_t n = 0, room, total = 0;
    if (copy_from_user(&conf, user_ptr(void, arg), sizeof conf))
        return -EFAULT;
    if (conf.buf && conf.len < 0)
        return -EINVAL;
    room = conf.buf ? min((size_t)conf.len / sizeof(struct abi_ifreq), 64ul) : 0;
    struct abi_ifreq *list = kzalloc(max(room, 1ul) * sizeof *list, ALLOC_KERNEL);
    if (!list)
        return -ENOMEM;
    {
        spin_guard(&netdev_lock);
        list_for_each_entry(dev, &netdevs, link)
        {
            list_for_each_entry(a, &dev->addresses, link)
            {
                total++;
                if (n == room)
                    continue;
                strlcpy(list[n].name, a->label, IFNAMSIZ);
                list[n++].addr = inet_name(a->local);
            }
        }
    }
    conf.len = (int)((conf.buf ? n : total) * sizeof *list);
    bool failed = (n && copy_to_user(user_ptr(void, conf.buf), list, n * sizeof *list)) || copy_to_user(user_ptr(void, arg), &conf, sizeof conf);
    kfree(list);
    return failed ? -EFAULT : 0;
}

static int get_name(unsigned long arg)
{
    struct abi_ifreq req;
    if (copy_from_user(&req, user_ptr(void, arg), sizeof req))
        return -EFAULT;
    {
        spin_guard(&netdev_lock);
        struct netdev *dev = netdev_by_index(req.value);
        if (!dev)
            return -ENODEV;
        strlcpy(req.name, dev->name, IFNAMSIZ);
    }
    return copy_to_user(user_ptr(void, arg), &req, sizeof req) ? -EFAULT : 0;
}

// Routes are those of the addresses. Another would have to lead to a neighbour or through one, and lo has none.
static int change_route(bool add, unsigned long arg)
{
    struct abi_rtentry r;
    if (!capable(CAP_NET_ADMIN))
        return -EPERM;
    if (copy_from_user(&r, user_ptr(void, arg), sizeof r))
        return -EFAULT;
    if (r.dst.family != AF_INET)
        return -EAFNOSUPPORT;
    if (!(r.flags & RTF_HOST) && (!mask_is_contiguous(r.genmask.addr) || (r.dst.addr & ~r.genmask.addr)))
        return -EINVAL;
    if (r.dev) {
        char name[IFNAMSIZ] = {};
        if (copy_from_user(name, user_ptr(void, r.dev), sizeof name - 1))
            return -EFAULT;
        spin_guard(&netdev_lock);
        if (!netdev_find(name))
            return -ENODEV;
    }
    if (!add)
        return -ESRCH;
    return r.flags & RTF_GATEWAY ? -ENETUNREACH : r.dev ? -EOPNOTSUPP : -EINVAL;
}

static int device_request(unsigned cmd, unsigned long arg)
{
    struct abi_ifreq req;
    bool get = cmd == SIOCGIFFLAGS || cmd == SIOCGIFADDR || cmd == SIOCGIFDSTADDR || cmd == SIOCGIFBRDADDR || cmd == SIOCGIFNETMASK ||
               cmd == SIOCGIFMETRIC || cmd == SIOCGIFMEM || cmd == SIOCGIFMTU || cmd == SIOCGIFHWADDR || cmd == SIOCGIFSLAVE || cmd == SIOCGIFINDEX ||
               cmd == SIOCGIFPFLAGS || cmd == SIOCGIFTXQLEN || cmd == SIOCGIFMAP;
    if (copy_from_user(&req, user_ptr(void, arg), sizeof req))
        return -EFAULT;
    req.name[IFNAMSIZ - 1] = 0;
    if (!get && !capable(CAP_NET_ADMIN))
        return -EPERM;
    struct netdev_address *spare = get ? nullptr : kzalloc(sizeof *spare, ALLOC_KERNEL);
    if (!get && !spare)
        return -ENOMEM;
    int err;
    {
        spin_guard(&netdev_lock);
        struct netdev *dev = netdev_find(req.name);
        err = !dev ? -ENODEV : get ? get_one(dev, cmd, &req) : set_one(dev, cmd, &req, &spare);
    }
    kfree(spare);
    if (!err && get && copy_to_user(user_ptr(void, arg), &req, sizeof req))
        return -EFAULT;
    return err;
}

int netdev_ioctl(unsigned cmd, unsigned long arg, bool inet)
{
    switch (cmd) {
    case SIOCADDRT:
    case SIOCDELRT:
        return inet ? change_route(cmd == SIOCADDRT, arg) : -ENOTTY;
    case SIOCGIFNAME:
        return get_name(arg);
    case SIOCGIFCONF:
        return get_config(arg);
    case SIOCGIFADDR ... SIOCSIFNETMASK:
    case SIOCGIFPFLAGS:
        return inet ? device_request(cmd, arg) : -ENOTTY;
    case SIOCGIFFLAGS:
    case SIOCSIFFLAGS:
    case SIOCGIFMETRIC ... SIOCSIFNAME:
    case SIOCSIFHWADDR:
    case SIOCGIFHWADDR:
    case SIOCGIFSLAVE:
    case SIOCGIFINDEX:
    case SIOCGIFTXQLEN:
    case SIOCSIFTXQLEN:
    case SIOCGIFMAP:
    case SIOCSIFMAP:
        return device_request(cmd, arg);
    case SIOCDEVPRIVATE ... SIOCDEVPRIVATE + 15:
        return -EOPNOTSUPP; // no driver has requests of its own
    default:
        return -ENOTTY;
    }
}
