// kernel/net/proc_net.c — /proc/net and /proc/sys/net: proc_pid_net(5), proc_sys_net(5).

#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/net/inet/inet.h"
#include "kernel/net/unix.h"
#include "kernel/vfs/seq_file.h"

static unsigned long long count(const atomic64_t *a)
{
    return (unsigned long long)atomic_read(a);
}

static int dev_show(struct seq_file *m, void *)
{
    struct netdev *dev;
    seq_puts(m, "Inter-|   Receive                                                |  Transmit\n"
                " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n");
    spin_guard(&netdev_lock);
    list_for_each_entry(dev, &netdevs, link)
    {
        seq_printf(m, "%6s: %7llu %7llu %4llu %4llu    0     0          0         0", dev->name, count(&dev->rx.bytes), count(&dev->rx.packets),
                   count(&dev->rx.errors), count(&dev->rx.dropped));
        seq_printf(m, " %8llu %7llu %4llu %4llu    0     0       0          0\n", count(&dev->tx.bytes), count(&dev->tx.packets), count(&dev->tx.errors),
                   count(&dev->tx.dropped));
    }
    return 0;
}

// Routes other than those of our own addresses: there are none.
static int route_show(struct seq_file *m, void *)
{
    seq_printf(m, "%-127s\n", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
    return 0;
}

static unsigned long long number_of(const struct inode *inode)
{
    return inode ? inode->ino : 0;
}

// A line's count of references: the file, what is on its way, peers, and one for the table that the line is about. Our tables hold no counted reference, but
// other systems' do, and that is what readers know the number as.
static unsigned references(const struct socket *s)
{
    return refcount_read(&s->refs) + 1;
}

#define INET_HEADING "sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

// `narrow`: bucket numbers of four places, and lines that end where they end.
static void show_table(struct seq_file *m, struct inet_table *t, bool narrow)
{
    struct inet_sock *u;
    spin_guard(&t->lock);
    for (unsigned i = 0; i < INET_BUCKETS; i++) {
        hlist_for_each_entry(u, &t->buckets[i], hash)
        {
            const struct inode *inode = READ_ONCE(u->s.inode); // null once it is being closed
            size_t before = m->count;
            seq_printf(m, "%*u: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000 %5u        0 %llu %u 0000000000000000 %lu", narrow ? 4 : 5, i,
                       u->bound, u->num, u->dst, NTOHS(u->peer_port), u->connected ? 1 : 7, 0u, (unsigned)u->queued_bytes, inode ? inode->uid : 0,
                       number_of(inode), references(&u->s), u->drops);
            if (!narrow)
                seq_pad(m, before, 127);
            seq_putc(m, '\n');
        }
    }
}

static int udp_show(struct seq_file *m, void *)
{
    seq_printf(m, "%-127s\n", "   " INET_HEADING " ref pointer drops");
    show_table(m, &udp_table, false);
    return 0;
}

static int raw_show(struct seq_file *m, void *)
{
    seq_puts(m, "  " INET_HEADING " ref pointer drops\n");
    show_table(m, &raw_table, true);
    return 0;
}

static int icmp_show(struct seq_file *m, void *)
{
    seq_printf(m, "%-127s\n", "  " INET_HEADING " ref pointer drops");
    show_table(m, &ping_table, false);
    return 0;
}

// No connection can be made and no neighbour looked for, as there is no TCP and no Ethernet: the tables are empty.
static int tcp_show(struct seq_file *m, void *)
{
    seq_printf(m, "%-149s\n", "  " INET_HEADING);
    return 0;
}
static int arp_show(struct seq_file *m, void *)
{
    seq_puts(m, "IP address       HW type     Flags       HW address            Mask     Device\n");
    return 0;
}

// The states of sockets in general. A connection that waits for accept(2) has no file yet.
static unsigned unix_state(const struct unix_sock *u)
{
    enum { SS_UNCONNECTED = 1, SS_CONNECTING, SS_CONNECTED };
    if (u->state != UNIX_CONNECTED)
        return SS_UNCONNECTED;
    return READ_ONCE(u->s.inode) ? SS_CONNECTED : SS_CONNECTING;
}

static void unix_line(struct unix_sock *u, void *arg)
{
    enum { SO_ACCEPTCON_FLAG = 1 << 16 };
    struct seq_file *m = arg;
    bool listening = u->state == UNIX_LISTENING;
    seq_printf(m, "%016d: %08X 00000000 %08X %04X %02X %5llu", 0, references(&u->s), listening ? SO_ACCEPTCON_FLAG : 0, u->s.type, unix_state(u),
               number_of(READ_ONCE(u->s.inode)));
    if (u->address) {
        int len = u->address->len - (int)offsetof(struct abi_sockaddr_un, path);
        const char *path = u->address->name.path;
        seq_putc(m, ' ');
        if (*path)
            len--; // the NUL at its end is not shown; an abstract name's first one is an @
        for (int i = 0; i < len; i++)
            seq_putc(m, path[i] ? path[i] : '@');
    }
    seq_putc(m, '\n');
}

static int unix_show(struct seq_file *m, void *)
{
    seq_puts(m, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    unix_for_each(unix_line, m);
    return 0;
}

static unsigned sockets_of(const struct inet_table *t)
{
    return READ_ONCE(t->sockets);
}

// Pages of what its sockets have received and nobody has read.
static uint64_t queued_pages(struct inet_table *t)
{
    uint64_t bytes = 0;
    struct inet_sock *u;
    spin_guard(&t->lock);
    for (unsigned i = 0; i < INET_BUCKETS; i++)
        hlist_for_each_entry(u, &t->buckets[i], hash) bytes += READ_ONCE(u->queued_bytes);
    return bytes / PAGE_SIZE;
}

static int sockstat_show(struct seq_file *m, void *)
{
    unsigned udp = sockets_of(&udp_table), raw = sockets_of(&raw_table);
    seq_printf(m, "sockets: used %u\n", udp + raw + sockets_of(&ping_table) + (unsigned)unix_count());
    // Zeros: protocols there are none of; fragments, which are not put together.
    seq_puts(m, "TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n");
    seq_printf(m, "UDP: inuse %u mem %llu\n", udp, (unsigned long long)queued_pages(&udp_table));
    seq_printf(m, "UDPLITE: inuse 0\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n", raw);
    return 0;
}

static void count_streams(struct unix_sock *u, void *arg)
{
    *(unsigned *)arg += u->s.type == SOCK_STREAM;
}

// The letters: what a protocol does itself, from closing to the table of its numbers. Disconnecting is connecting to nobody. `ops` null: its family does the
// work, all but the closing.
static void protocol_line(struct seq_file *m, const char *name, size_t size, unsigned sockets, int64_t memory, const struct socket_ops *ops)
{
    static const struct socket_ops none = {};
    const struct socket_ops *o = ops ? ops : &none;
    const bool has[] = {!ops || o->close, o->connect, o->connect, o->accept, o->ioctl, false, o->destroy, o->shutdown, o->setsockopt,
                        o->getsockopt, o->sendmsg, o->recvmsg, o->bind, false, ops, ops, ops, false};
    seq_printf(m, "%-9s %4zu %6u  %6lld   NI  %6u   no   %-10s", name, size, sockets, (long long)memory, 0u, "kernel");
    for (unsigned i = 0; i < ARRAY_SIZE(has); i++)
        seq_printf(m, "  %c", has[i] ? 'y' : 'n');
    seq_putc(m, '\n');
}

static int protocols_show(struct seq_file *m, void *)
{
    unsigned streams = 0, all = (unsigned)unix_count();
    unix_for_each(count_streams, &streams);
    seq_puts(m, "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em\n");
    protocol_line(m, "UNIX-STREAM", sizeof(struct unix_sock), streams, -1, nullptr);
    protocol_line(m, "UNIX", sizeof(struct unix_sock), all - min(all, streams), -1, nullptr);
    protocol_line(m, "PING", sizeof(struct inet_sock), sockets_of(&ping_table), -1, &ping_ops);
    protocol_line(m, "RAW", sizeof(struct inet_sock), sockets_of(&raw_table), -1, &raw_ops);
    protocol_line(m, "UDP", sizeof(struct inet_sock), sockets_of(&udp_table), (int64_t)queued_pages(&udp_table), &udp_ops);
    return 0;
}

static const struct pseudo_entry net_files[] = {
    {.name = "dev", .mode = 0444, .show = dev_show},
    {.name = "route", .mode = 0444, .show = route_show},
    {.name = "arp", .mode = 0444, .show = arp_show},
    {.name = "tcp", .mode = 0444, .show = tcp_show},
    {.name = "udp", .mode = 0444, .show = udp_show},
    {.name = "raw", .mode = 0444, .show = raw_show},
    {.name = "icmp", .mode = 0444, .show = icmp_show},
    {.name = "unix", .mode = 0444, .show = unix_show},
    {.name = "sockstat", .mode = 0444, .show = sockstat_show},
    {.name = "protocols", .mode = 0444, .show = protocols_show},
    {},
};

static const struct pseudo_entry core_files[] = {
    SYSCTL_INT("somaxconn", 0644, &sysctl_somaxconn, 0, INT32_MAX),
    SYSCTL_U64("rmem_default", 0644, &sysctl_rmem_default, 2304, INT32_MAX),
    SYSCTL_U64("rmem_max", 0644, &sysctl_rmem_max, 2304, INT32_MAX),
    SYSCTL_U64("wmem_default", 0644, &sysctl_wmem_default, 4608, INT32_MAX),
    SYSCTL_U64("wmem_max", 0644, &sysctl_wmem_max, 4608, INT32_MAX),
    {},
};

static const struct pseudo_entry unix_files[] = {SYSCTL_INT("max_dgram_qlen", 0644, &sysctl_unix_max_dgram_qlen, 0, INT32_MAX), {}};

// Two numbers that change as one: "low high". Whether they may be swapped is the file's business.
static ssize_t store_pair(const char *text, size_t len, loff_t pos, int64_t out[static 2])
{
    char words[2][12] = {};
    size_t at = 0;
    if (pos)
        return -EINVAL;
    for (unsigned i = 0; i < 2; i++) {
        size_t n = 0;
        while (at < len && (text[at] == ' ' || text[at] == '\t'))
            at++;
        while (at < len && text[at] >= '0' && text[at] <= '9' && n < sizeof words[0] - 1)
            words[i][n++] = text[at++];
        if (parse_i64(words[i], 10, &out[i]))
            return -EINVAL;
    }
    while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || !text[at]))
        at++;
    return at == len ? (ssize_t)len : -EINVAL;
}

static ssize_t port_range_store(struct file *, void *, char *text, size_t len, loff_t pos)
{
    int64_t pair[2];
    ssize_t n = store_pair(text, len, pos, pair);
    if (n < 0 || pair[0] < 1 || pair[1] > 65535 || pair[0] > pair[1] || pair[0] < sysctl_ip_unprivileged_port_start)
        return n < 0 ? n : -EINVAL;
    WRITE_ONCE(sysctl_ip_local_port_range[0], (int)pair[0]);
    WRITE_ONCE(sysctl_ip_local_port_range[1], (int)pair[1]);
    return n;
}

// Group ids; a first one above the second lets nobody in and is kept as 1 0.
static ssize_t ping_range_store(struct file *, void *, char *text, size_t len, loff_t pos)
{
    int64_t pair[2];
    ssize_t n = store_pair(text, len, pos, pair);
    if (n < 0 || pair[0] > INT32_MAX || pair[1] > INT32_MAX)
        return n < 0 ? n : -EINVAL;
    bool nobody = pair[0] > pair[1];
    WRITE_ONCE(sysctl_ping_group_range[0], nobody ? 1 : (int)pair[0]);
    WRITE_ONCE(sysctl_ping_group_range[1], nobody ? 0 : (int)pair[1]);
    return n;
}

static const struct pseudo_entry ipv4_files[] = {
    {.name = "ip_local_port_range", .mode = 0644, .show = sysctl_int_show, .store = port_range_store,
     .data = &(const struct sysctl){.value = sysctl_ip_local_port_range, .count = 2}},
    {.name = "ping_group_range", .mode = 0644, .show = sysctl_int_show, .store = ping_range_store,
     .data = &(const struct sysctl){.value = sysctl_ping_group_range, .count = 2}},
    SYSCTL_INT("ip_default_ttl", 0644, &sysctl_ip_default_ttl, 1, 255),
    SYSCTL_INT("ip_unprivileged_port_start", 0644, &sysctl_ip_unprivileged_port_start, 0, 65535),
    {},
};

static int proc_net_init(void)
{
    int err = proc_register("net", net_files);
    if (!err)
        err = proc_register("sys/net/core", core_files);
    if (!err)
        err = proc_register("sys/net/unix", unix_files);
    return err ? err : proc_register("sys/net/ipv4", ipv4_files);
}
INITCALL(fs, proc_net_init);
