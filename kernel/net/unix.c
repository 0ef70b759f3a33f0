// kernel/net/unix.c — AF_UNIX: making, connecting, accepting, closing. unix(7).

#include "kernel/net/unix.h"

#include "kernel/abi/fcntl.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/net/inet/netdev.h"
#include "kernel/proc/task.h"
#include "kernel/time/clock.h"

static const struct socket_ops unix_ops;
static atomic_t nr_unix;
static DEFINE_LOCK_CLASS(all_class, "unix sockets", RANK_FILES);
static struct spinlock all_lock = SPINLOCK_INIT(&all_class);
static struct list_head all_sockets GUARDED_BY(&all_lock) = LIST_HEAD_INIT(all_sockets);

int unix_count(void)
{
    return atomic_read(&nr_unix);
}

void unix_for_each(void (*fn)(struct unix_sock *u, void *arg), void *arg)
{
    struct unix_sock *u;
    spin_guard(&all_lock);
    list_for_each_entry(u, &all_sockets, all) fn(u, arg);
}

// The peer's queue has shrunk. Once: whoever finds it full again has the entry linked again.
static bool relay_wake(struct wait_entry *relay, uint32_t)
{
    struct unix_sock *u = container_of(relay, struct unix_sock, relay);
    list_del_init(&relay->link);
    wake_up_nr(&u->s.wq, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND, ~0u);
    return true;
}

struct unix_sock *unix_set_peer(struct unix_sock *u, struct unix_sock *peer)
{
    struct unix_sock *old = u->peer;
    if (old && old != peer)
        waitqueue_remove(&old->room, &u->relay);
    u->peer = peer;
    return old;
}

static void free_messages(struct list_head *list)
{
    while (!list_empty(list)) {
        struct unix_msg *m = list_first_entry(list, struct unix_msg, link);
        list_del(&m->link);
        unix_msg_free(m);
    }
}

static void take_queue(struct unix_sock *u, struct list_head *to) REQUIRES(u->s.lock)
{
    list_splice_tail_init(&u->queue, to);
    u->queued = 0;
    u->queued_bytes = 0;
}

struct unix_sock *unix_part(struct unix_sock *u, struct unix_sock *peer, struct list_head *lost)
{
    struct unix_sock *old = unix_set_peer(u, peer);
    u->state = peer ? UNIX_CONNECTED : UNIX_UNCONNECTED;
    if (old && old != peer)
        take_queue(u, lost);
    return old;
}

void unix_parted(struct unix_sock *u, struct unix_sock *old, struct list_head *lost)
{
    if (!list_empty(lost)) {
        free_messages(lost);
        wake_up_all(&u->room);
        bool tell;
        {
            mutex_guard(&old->s.lock);
            tell = old->peer == u;
            if (tell)
                WRITE_ONCE(old->s.error, -ECONNRESET);
        }
        if (tell) {
            wake_up_all(&old->s.wq);
            socket_signal(&old->s, POLL_ERR);
        }
    }
    unix_put(old);
}

static struct unix_sock *unix_alloc(int type)
{
    struct unix_sock *u = kzalloc(sizeof *u, ALLOC_KERNEL);
    if (!u)
        return nullptr;
    socket_init(&u->s, &unix_ops, AF_UNIX, type, 0);
    list_init(&u->queue);
    waitqueue_init(&u->room);
    list_init(&u->flying);
    list_init(&u->relay.link);
    u->relay.callback = relay_wake;
    atomic_inc(&nr_unix);
    spin_guard(&all_lock);
    list_add_tail(&u->all, &all_sockets);
    return u;
}

static int unix_create(int type, int protocol, struct socket **out)
{
    if (protocol && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == SOCK_RAW)
        type = SOCK_DGRAM; // historic: unix(7) has no raw sockets
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    struct unix_sock *u = unix_alloc(type);
    if (!u)
        return -ENOMEM;
    *out = &u->s;
    return 0;
}

static int unix_pair(struct socket *a, struct socket *b)
{
    struct unix_sock *x = unix_of(a), *y = unix_of(b);
    socket_set_peercred(a);
    socket_set_peercred(b);
    x->peer = unix_of(socket_get(b));
    y->peer = unix_of(socket_get(a));
    x->state = y->state = UNIX_CONNECTED;
    return 0;
}

static int unix_listen(struct socket *s, int backlog)
{
    struct unix_sock *u = unix_of(s);
    if (s->type != SOCK_STREAM && s->type != SOCK_SEQPACKET)
        return -EOPNOTSUPP;
    mutex_guard(&s->lock);
    if (!u->address)
        return -EINVAL;
    if (u->state != UNIX_UNCONNECTED && u->state != UNIX_LISTENING)
        return -EINVAL;
    u->state = UNIX_LISTENING;
    s->listening = true;
    unsigned limit = backlog < 0 || backlog > sysctl_somaxconn ? (unsigned)sysctl_somaxconn : (unsigned)backlog;
    bool grown = limit > u->backlog;
    WRITE_ONCE(u->backlog, limit);
    if (grown)
        wake_up_all(&u->room); // who waits looks at it without the lock
    socket_set_peercred(s); // what those who connect will see: who listened last
    return 0;
}

static int wait_for_backlog(struct unix_sock *listener, struct socket *client, bool nonblock, ktime_t deadline)
{
    if (nonblock)
        return -EAGAIN;
    int err = wait_event_interruptible_timeout(&listener->room,
                                               READ_ONCE(listener->queued) <= READ_ONCE(listener->backlog) ||
                                                   READ_ONCE(listener->state) != UNIX_LISTENING,
                                               deadline);
    return err == -ETIMEDOUT ? -EAGAIN : err ? socket_interrupted(client->sndtimeo) : 0;
}

static bool refuses(const struct unix_sock *listener)
{
    return READ_ONCE(listener->state) != UNIX_LISTENING || (READ_ONCE(listener->s.shutdown) & SOCKET_RCV_SHUTDOWN);
}

// Puts the server's end on the listener's queue, and notes at the client's who listens. 1: the queue is full.
static int enqueue(struct unix_sock *listener, struct unix_sock *client, struct unix_pending *pending)
{
    mutex_guard(&listener->s.lock);
    if (refuses(listener))
        return -ECONNREFUSED;
    if (listener->queued > listener->backlog)
        return 1;
    struct unix_sock *server = pending->server;
    if (listener->address) {
        refcount_inc(&listener->address->refs);
        server->address = listener->address;
    }
    server->s.passcred = listener->s.passcred;
    socket_copy_peercred(&client->s, &listener->s);
    list_add_tail(&pending->link, &listener->queue);
    listener->queued++;
    socket_wake_readers(&listener->s);
    return 0;
}

static int connect_stream(struct unix_sock *client, const struct abi_sockaddr_un *un, int len, bool nonblock)
{
    struct unix_sock *server = unix_alloc(client->s.type);
    struct unix_pending *pending = kmalloc(sizeof *pending, ALLOC_KERNEL);
    int err = server && pending ? 0 : -ENOMEM;
    ktime_t deadline = socket_deadline(client->s.sndtimeo);
    struct unix_sock *listener = nullptr;
    bool linked = false;
    while (!err) {
        if ((err = unix_find(un, len, client->s.type, &listener)))
            break;
        // Only a listener is locked inside its client, and one that listens is nobody's client: so no two wait for each other, and none for itself.
        if (READ_ONCE(listener->state) != UNIX_LISTENING) {
            err = -ECONNREFUSED;
            break;
        }
        {
            mutex_guard(&client->s.lock);
            if (client->state != UNIX_UNCONNECTED) {
                err = client->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
                break;
            }
            if (!linked) {
                // Both ends know each other before the server's can be seen by accept().
                server->peer = unix_of(socket_get(&client->s));
                server->state = UNIX_CONNECTED;
                socket_set_peercred(&server->s);
                pending->server = server;
                linked = true;
            }
            err = enqueue(listener, client, pending);
            if (!err) {
                client->peer = unix_of(socket_get(&server->s));
                client->state = UNIX_CONNECTED;
                wake_up_all(&client->s.wq);
                unix_put(listener);
                return 0;
            }
        }
        if (err == 1)
            err = wait_for_backlog(listener, &client->s, nonblock, deadline);
        unix_put(listener);
        listener = nullptr;
    }
    unix_put(listener);
    kfree(pending);
    if (server) {
        unix_put(server->peer);
        server->peer = nullptr;
        unix_put(server);
    }
    return err;
}

// A datagram socket may change or (AF_UNSPEC) drop its peer at any time; what it has not read by then it never will.
static int connect_dgram(struct unix_sock *u, const struct abi_sockaddr_un *un, int len)
{
    struct unix_sock *peer = nullptr;
    if (un->family != AF_UNSPEC) {
        int err = unix_check_address(un, len);
        if (!err)
            err = unix_autobind(u);
        if (!err)
            err = unix_find(un, len, u->s.type, &peer);
        if (err)
            return err;
        struct unix_sock *back = unix_peer_get(peer);
        bool ok = !back || back == u; // one that is connected elsewhere takes nothing from us
        unix_put(back);
        if (!ok) {
            unix_put(peer);
            return -EPERM;
        }
    }
    LIST_HEAD(lost);
    struct unix_sock *old;
    {
        mutex_guard(&u->s.lock);
        old = unix_part(u, peer, &lost);
    }
    unix_parted(u, old, &lost);
    wake_up_all(&u->s.wq);
    wake_up_all(&u->room); // we take nothing from others now, or from the new peer as much as it sends
    return 0;
}

static int unix_connect(struct socket *s, const void *addr, int len, bool nonblock)
{
    const struct abi_sockaddr_un *un = addr;
    if (len < (int)sizeof un->family)
        return -EINVAL;
    if (s->type == SOCK_DGRAM)
        return connect_dgram(unix_of(s), un, len);
    int err = unix_check_address(addr, len);
    if (!err)
        err = unix_autobind(unix_of(s));
    return err ? err : connect_stream(unix_of(s), un, len, nonblock);
}

static int unix_accept(struct socket *s, struct socket **out, bool nonblock)
{
    struct unix_sock *u = unix_of(s);
    if (s->type != SOCK_STREAM && s->type != SOCK_SEQPACKET)
        return -EOPNOTSUPP;
    ktime_t deadline = socket_deadline(s->rcvtimeo);
    for (;;) {
        {
            mutex_guard(&s->lock);
            if (u->state != UNIX_LISTENING)
                return -EINVAL;
            struct unix_pending *pending = list_first_entry_or_null(&u->queue, struct unix_pending, link);
            if (pending) {
                list_del(&pending->link);
                u->queued--;
                wake_up_all(&u->room);
                *out = &pending->server->s;
                kfree(pending);
                return 0;
            }
            if (s->shutdown & SOCKET_RCV_SHUTDOWN)
                return -EINVAL;
        }
        if (nonblock)
            return -EAGAIN;
        // Exactly what the tests above end on: what ended the wait alone would make this turn without sleeping.
        int err = wait_event_interruptible_timeout(&s->wq, READ_ONCE(u->queued) || refuses(u), deadline);
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : socket_interrupted(s->rcvtimeo);
    }
}

static int unix_getname(struct socket *s, void *addr, bool peer)
{
    struct unix_sock *u = unix_of(s), *of = u;
    if (peer && !(of = unix_peer_get(u)))
        return -ENOTCONN;
    struct abi_sockaddr_un *un = addr;
    int len = sizeof un->family;
    un->family = AF_UNIX;
    {
        mutex_guard(&of->s.lock);
        if (of->address) {
            len = of->address->len;
            memcpy(un, &of->address->name, (size_t)len);
        }
    }
    if (peer)
        unix_put(of);
    return len;
}

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
    mutex_guard(&u->s.lock);
    return u->peer ? unix_of(socket_get(&u->peer->s)) : nullptr;
}

static int unix_shutdown(struct socket *s, int how)
{
    struct unix_sock *u = unix_of(s), *peer = nullptr;
    static const unsigned bits[] = {SOCKET_RCV_SHUTDOWN, SOCKET_SND_SHUTDOWN, SOCKET_RCV_SHUTDOWN | SOCKET_SND_SHUTDOWN};
    {
        mutex_guard(&s->lock);
        s->shutdown |= bits[how];
        if (u->peer && s->type != SOCK_DGRAM)
            peer = unix_of(socket_get(&u->peer->s));
    }
    wake_up_all(&s->wq);
    wake_up_all(&u->room);
    if (peer) {
        // What we no longer send the peer can not receive, and the other way round.
        unsigned theirs = (bits[how] & SOCKET_RCV_SHUTDOWN ? SOCKET_SND_SHUTDOWN : 0) | (bits[how] & SOCKET_SND_SHUTDOWN ? SOCKET_RCV_SHUTDOWN : 0);
        {
            mutex_guard(&peer->s.lock);
            peer->s.shutdown |= theirs;
        }
        wake_up_all(&peer->s.wq);
        wake_up_all(&peer->room);
        socket_signal(&peer->s, how == SHUT_RDWR ? POLL_HUP : POLL_IN);
        unix_put(peer);
    }
    return 0;
}

// Room to send: a quarter of the buffer is free, so that a writer is not woken for every byte.
static bool writable(const struct unix_sock *u)
{
    return (size_t)atomic_read(&u->wmem) * 4 <= u->s.sndbuf;
}

bool unix_has_place_or_tells(struct unix_sock *to, struct unix_sock *u)
{
    if (unix_has_place(to, u))
        return true;
    mutex_guard(&u->s.lock);
    if (u->peer != to)
        return false;
    {
        spin_irq_guard(&to->room.lock);
        if (list_empty(&u->relay.link))
            list_add(&u->relay.link, &to->room.entries);
    }
    smp_mb(); // against a receiver that has made room and found nobody listening
    return unix_has_place(to, u); // the link stays all the same: another poller of u may count on it
}

static bool peer_has_place(struct unix_sock *u)
{
    struct unix_sock *peer = unix_peer_get(u);
    bool yes = !peer || unix_has_place_or_tells(peer, u);
    unix_put(peer);
    return yes;
}

static uint32_t unix_poll(struct socket *s, struct file *file, struct poll_table *pt)
{
    struct unix_sock *u = unix_of(s);
    poll_wait(file, &s->wq, pt);
    uint32_t events = 0;
    unsigned down = READ_ONCE(s->shutdown);
    if (READ_ONCE(s->error))
        events |= EPOLLERR;
    if (down == (SOCKET_RCV_SHUTDOWN | SOCKET_SND_SHUTDOWN))
        events |= EPOLLHUP;
    if (down & SOCKET_RCV_SHUTDOWN)
        events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
    if (READ_ONCE(u->queued))
        events |= EPOLLIN | EPOLLRDNORM;
    if (s->type != SOCK_DGRAM && READ_ONCE(u->state) == UNIX_UNCONNECTED)
        events |= EPOLLHUP;
    if (READ_ONCE(u->state) == UNIX_LISTENING)
        return events;
    if (writable(u) && (s->type != SOCK_DGRAM || peer_has_place(u)))
        events |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
    return events;
}

static int unix_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    struct unix_sock *u = unix_of(s);
    int value;
    switch (cmd) {
    case SIOCOUTQ:
        value = (int)atomic_read(&u->wmem);
        break;
    case SIOCINQ: {
        mutex_guard(&s->lock);
        if (u->state == UNIX_LISTENING)
            return -EINVAL;
        struct unix_msg *first = list_first_entry_or_null(&u->queue, struct unix_msg, link);
        value = s->type == SOCK_DGRAM ? (first ? (int)first->len : 0) : (int)u->queued_bytes;
        break;
    }
    default:
        return netdev_ioctl(cmd, arg, false);
    }
    return put_user(value, user_ptr(int, arg)) ? -EFAULT : 0;
}

// Closing: nobody finds or feeds it any more; the peer sees the end, or a reset if data was left unread or the connection was never accepted.
static void close_end(struct socket *s, bool unaccepted)
{
    struct unix_sock *u = unix_of(s), *peer;
    unix_unbind(u);
    LIST_HEAD(left);
    bool listener, unread;
    {
        mutex_guard(&u->s.lock);
        listener = u->state == UNIX_LISTENING;
        unread = unaccepted || (!listener && u->queued);
        u->state = UNIX_CLOSED;
        s->shutdown = SOCKET_RCV_SHUTDOWN | SOCKET_SND_SHUTDOWN;
        take_queue(u, &left);
        peer = unix_set_peer(u, nullptr);
    }
    {
        spin_guard(&all_lock);
        list_del_init(&u->all);
    }
    wake_up_all(&s->wq);
    wake_up_all(&u->room);
    if (peer && s->type != SOCK_DGRAM) {
        {
            mutex_guard(&peer->s.lock);
            if (unread)
                WRITE_ONCE(peer->s.error, -ECONNRESET);
            store_release(&peer->s.shutdown, SOCKET_RCV_SHUTDOWN | SOCKET_SND_SHUTDOWN); // last: a reader without the lock sees the reason with the end
        }
        wake_up_all(&peer->s.wq);
        wake_up_all(&peer->room);
        socket_signal(&peer->s, POLL_HUP);
    }
    unix_put(peer);
    while (listener && !list_empty(&left)) {
        struct unix_pending *pending = list_first_entry(&left, struct unix_pending, link);
        list_del(&pending->link);
        close_end(&pending->server->s, true);
        unix_put(pending->server);
        kfree(pending);
    }
    free_messages(&left);
}

static void unix_close(struct socket *s)
{
    close_end(s, false);
    unix_flight_collect();
}

static void unix_destroy(struct socket *s)
{
    struct unix_sock *u = unix_of(s);
    {
        spin_guard(&all_lock);
        list_del(&u->all); // one that was never opened was never closed
    }
    unix_address_put(u->address);
    atomic_dec(&nr_unix);
    kfree(u);
}

static const struct socket_ops unix_ops = {
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .getname = unix_getname,
    .sendmsg = unix_sendmsg,
    .recvmsg = unix_recvmsg,
    .shutdown = unix_shutdown,
    .poll = unix_poll,
    .ioctl = unix_ioctl,
    .pair = unix_pair,
    .close = unix_close,
    .destroy = unix_destroy,
};

SOCKET_FAMILY(unix_family) = {.family = AF_UNIX, .create = unix_create};
