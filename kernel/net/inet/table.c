// kernel/net/inet/table.c — numbers of AF_INET sockets: ports and their like; finding the receiver of a datagram; queues.

#include "kernel/base/hash.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/net/inet/inet.h"
#include "kernel/vfs/vfs.h"

static DEFINE_LOCK_CLASS(inet_table_class, "inet sockets", RANK_FILES);
struct inet_table udp_table = {.lock = SPINLOCK_INIT(&inet_table_class)};
struct inet_table ping_table = {.lock = SPINLOCK_INIT(&inet_table_class)};
struct inet_table raw_table = {.lock = SPINLOCK_INIT(&inet_table_class)};

// Two sockets may share a number if their addresses differ, or both allow it: SO_REUSEADDR, or SO_REUSEPORT by one user.
static bool conflicts(struct inet_table *t, const struct inet_sock *u, uint16_t num) REQUIRES(t->lock)
{
    struct inet_sock *o;
    hlist_for_each_entry(o, inet_bucket(t, num), hash)
    {
        if (o->num != num || (o->bound && u->bound && o->bound != u->bound))
            continue;
        bool same_user = o->s.inode && u->s.inode && o->s.inode->uid == u->s.inode->uid;
        if (!(o->s.reuseaddr && u->s.reuseaddr) && !(o->s.reuseport && u->s.reuseport && same_user))
            return true;
    }
    return false;
}

int inet_take_number(struct inet_sock *u, uint16_t want)
{
    struct inet_table *t = u->table;
    unsigned low = t == &udp_table ? (unsigned)READ_ONCE(sysctl_ip_local_port_range[0]) : 1,
             high = t == &udp_table ? (unsigned)READ_ONCE(sysctl_ip_local_port_range[1]) : 65535;
    unsigned span = high - low + 1, start = want ? 0 : (unsigned)random_below(span), tries = want ? 1 : span;
    spin_guard(&t->lock);
    if (u->num)
        return 0; // another thread was quicker
    for (unsigned i = 0; i < tries; i++) {
        uint16_t num = want ? want : (uint16_t)(low + (start + i) % span);
        if (t != &raw_table && conflicts(t, u, num))
            continue;
        u->num = num;
        u->hashed = true;
        hlist_add_head(&u->hash, inet_bucket(t, num));
        return 0;
    }
    return -EADDRINUSE;
}

// How well a socket fits; negative: not at all.
static int score(const struct inet_sock *u, uint32_t dst, uint16_t num, uint32_t src, uint16_t sport)
{
    if (u->num != num || (u->bound && u->bound != dst))
        return -1;
    // Only UDP tells peers apart by port.
    if (u->connected && (u->dst != src || (u->table == &udp_table && u->peer_port != sport)))
        return -1;
    return (u->connected ? 2 : 0) + (u->bound ? 1 : 0);
}

struct inet_sock *inet_find(struct inet_table *t, uint32_t dst, uint16_t num, uint32_t src, uint16_t sport)
{
    struct inet_sock *u, *best = nullptr;
    int best_score = -1;
    uint64_t group = 0, hash = hash_u64((uint64_t)src << 16 ^ sport, 32);
    spin_guard(&t->lock);
    hlist_for_each_entry(u, inet_bucket(t, num), hash)
    {
        int fit = score(u, dst, num, src, sport);
        if (fit < best_score || fit < 0)
            continue;
        if (fit > best_score) {
            best = u;
            best_score = fit;
            group = 1;
        } else if (u->s.reuseport && best->s.reuseport && hash % ++group == 0) {
            best = u; // equal members of a SO_REUSEPORT group share the senders among them
        }
    }
    return best && refcount_inc_not_zero(&best->s.refs) ? best : nullptr;
}

struct inet_sock *inet_find_nth(struct inet_table *t, uint32_t dst, uint16_t num, uint32_t src, uint16_t sport, unsigned skip)
{
    struct inet_sock *u;
    spin_guard(&t->lock);
    hlist_for_each_entry(u, inet_bucket(t, num), hash)
    {
        if (score(u, dst, num, src, sport) >= 0 && !skip--)
            return refcount_inc_not_zero(&u->s.refs) ? u : nullptr;
    }
    return nullptr;
}

void inet_deliver(struct inet_sock *u, struct packet *p)
{
    {
        mutex_guard(&u->s.lock);
        if (!u->closed && u->queued_bytes <= u->s.rcvbuf) {
            list_add_tail(&p->link, &u->queue);
            u->queued++;
            u->queued_bytes += p->charge;
            p = nullptr;
        } else {
            u->drops++;
        }
    }
    if (p)
        packet_free(p);
    else
        socket_wake_readers(&u->s);
}

void inet_report(struct inet_sock *u, int err, bool hard)
{
    if (!hard || !READ_ONCE(u->connected))
        return;
    WRITE_ONCE(u->s.error, err);
    wake_up_all(&u->s.wq);
    fasync_notify(&u->s.async, POLL_ERR);
}
