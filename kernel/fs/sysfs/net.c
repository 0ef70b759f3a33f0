// kernel/fs/sysfs/net.c — class/net: the network devices, their settings to look at (netdevice(7) changes them), and what they counted.
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/device.h"
#include "kernel/fs/sysfs/sysfs.h"
#include "kernel/mm/slab.h"
#include "kernel/net/inet/netdev.h"
#include "kernel/vfs/seq_file.h"

static struct device_class net_class = {.name = "net"};

static bool is_up(const struct netdev *net)
{
    return READ_ONCE(net->flags) & IFF_UP;
}

#define NET_ATTR(field, format, value)                                                                                                                 \
    static ssize_t field##_show(struct device *dev, char *buf, size_t size)                                                                            \
    {                                                                                                                                                  \
        const struct netdev *net = dev->private;                                                                                                       \
        return scnprintf(buf, size, format "\n", value);                                                                                               \
    }
NET_ATTR(ifindex, "%d", net->index)
NET_ATTR(type, "%u", net->hw_type)
NET_ATTR(mtu, "%u", READ_ONCE(net->mtu))
NET_ATTR(flags, "0x%x", READ_ONCE(net->flags))
NET_ATTR(tx_queue_len, "%u", READ_ONCE(net->tx_queue_len))
// A device that only loops back cannot know of a link's state.
NET_ATTR(operstate, "%s", is_up(net) ? "unknown" : "down")

static ssize_t address_show(struct device *, char *buf, size_t size)
{
    return scnprintf(buf, size, "00:00:00:00:00:00\n"); // no kind of device here has another
}

static ssize_t carrier_show(struct device *dev, char *buf, size_t size)
{
    return is_up(dev->private) ? scnprintf(buf, size, "1\n") : -EINVAL;
}

static const struct device_attr net_attrs[] = {
    {.name = "address", .mode = 0444, .show = address_show},
    {.name = "carrier", .mode = 0444, .show = carrier_show},
    {.name = "flags", .mode = 0444, .show = flags_show},
    {.name = "ifindex", .mode = 0444, .show = ifindex_show},
    {.name = "mtu", .mode = 0444, .show = mtu_show},
    {.name = "operstate", .mode = 0444, .show = operstate_show},
    {.name = "tx_queue_len", .mode = 0444, .show = tx_queue_len_show},
    {.name = "type", .mode = 0444, .show = type_show},
    {},
};

static void net_uevent(const struct device *dev, struct seq_file *m)
{
    const struct netdev *net = dev->private;
    seq_printf(m, "INTERFACE=%s\nIFINDEX=%d\n", net->name, net->index);
}

// An entry's data is where in the device its counter is.
static int count_show(struct seq_file *m, void *object)
{
    const char *net = object;
    seq_printf(m, "%llu\n", (unsigned long long)atomic_read((const atomic64_t *)(net + (uintptr_t)pseudo_entry(m->file)->data)));
    return 0;
}
#define COUNT(way, what)                                                                                                                               \
    {.name = #way "_" #what, .mode = 0444, .show = count_show, .data = (const void *)offsetof(struct netdev, way.what)}
static const struct pseudo_entry statistics_files[] = {
    COUNT(rx, bytes), COUNT(rx, dropped), COUNT(rx, errors), COUNT(rx, packets), COUNT(tx, bytes), COUNT(tx, dropped), COUNT(tx, errors),
    COUNT(tx, packets), {},
};

static int add_netdev(struct netdev *net)
{
    struct device *dev = kzalloc(sizeof *dev, ALLOC_KERNEL);
    if (!dev)
        return -ENOMEM;
    *dev = (struct device){.name = net->name, .class = &net_class, .attrs = net_attrs, .uevent = net_uevent, .private = net};
    int err = device_add(dev);
    if (err) {
        kfree(dev);
        return err;
    }
    char folder[64];
    snprintf(folder, sizeof folder, "devices/virtual/net/%s/statistics", net->name);
    return sysfs_register(folder, statistics_files, net);
}

// Network devices are numbered from 1, and stay.
static struct netdev *next_netdev(const struct netdev *last)
{
    spin_guard(&netdev_lock);
    return netdev_by_index(last ? last->index + 1 : 1);
}

static int sysfs_net_init(void)
{
    int err = device_class_register(&net_class);
    for (struct netdev *net = next_netdev(nullptr); net && !err; net = next_netdev(net))
        err = add_netdev(net);
    return err;
}
INITCALL(late, sysfs_net_init);
