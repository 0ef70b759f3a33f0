// kernel/net/unix_data.c — data through AF_UNIX sockets: streams, datagrams, sequenced packets.
//
// A message is one buffer with its control data. A stream is a queue of them that readers consume in part, never joining data of different senders'
// credentials or descriptors in one read. Datagrams and packets are taken whole.

#include "kernel/abi/fcntl.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/net/unix.h"
#include "kernel/proc/task.h"
#include "kernel/time/clock.h"
#include "kernel/vfs/file.h"

#define STREAM_PIECE (32 * 1024ul - sizeof(struct unix_msg))
#define MESSAGE_SPARE 32ul // the largest datagram is that much smaller than the send buffer

int sysctl_unix_max_dgram_qlen = UNIX_DGRAM_QUEUE;

void unix_msg_free(struct unix_msg *m)
{
    struct unix_sock *from = m->from;
    size_t after = (size_t)atomic_sub_return(&from->wmem, (int64_t)m->charge), before = after + m->charge;
    if (before * 4 > from->s.sndbuf)
        wake_up_poll(&from->s.wq, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
    if (unlikely(READ_ONCE(from->s.tell_room)) && after * 4 <= from->s.sndbuf && xchg(&from->s.tell_room, false))
        fasync_notify(&from->s.async, POLL_OUT);
    unix_put(from);
    scm_destroy(&m->scm);
    kvfree(m);
}

// What a message counts against SO_SNDBUF: its memory and bookkeeping in allocation units, so that many small ones are no way around the limit. The
// numbers give about as many messages as Linux's buffers hold.
static size_t charge_of(size_t len)
{
    size_t size = 512;
    while (size < PAGE_SIZE && size < len + 320)
        size *= 2;
    return 256 + (size < len + 320 ? ALIGN_UP(len + 320, PAGE_SIZE) : size);
}

static struct unix_msg *new_message(struct unix_sock *from, size_t len)
{
    struct unix_msg *m = kvmalloc(sizeof *m + len, ALLOC_KERNEL);
    if (!m)
        return nullptr;
    *m = (struct unix_msg){.from = unix_of(socket_get(&from->s)), .len = len, .charge = charge_of(len)};
    (void)atomic_add_return(&from->wmem, (int64_t)m->charge);
    return m;
}

static bool has_room(const struct unix_sock *u)
{
    return (size_t)atomic_read(&u->wmem) < u->s.sndbuf;
}

// Waits until the sender's own buffer has room.
static int wait_for_room(struct unix_sock *u, bool nonblock, ktime_t deadline)
{
    while (!has_room(u)) {
        int err;
        bool ended = load_acquire(&u->s.shutdown) & SOCKET_SND_SHUTDOWN; // before its reason is looked for, which comes first
        if (READ_ONCE(u->s.error) && (err = socket_take_error(&u->s)))
            return err;
        if (ended)
            return -EPIPE;
        if (u->s.async.first && !xchg(&u->s.tell_room, true))
            continue; // look again: a reader that made room just now told nobody
        if (nonblock)
            return -EAGAIN;
        err = wait_event_interruptible_timeout(&u->s.wq, has_room(u) || (READ_ONCE(u->s.shutdown) & SOCKET_SND_SHUTDOWN) || READ_ONCE(u->s.error), deadline);
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : socket_interrupted(u->s.sndtimeo);
    }
    return 0;
}

static void raise_pipe(const struct message *msg)
{
    if (!(msg->flags & MSG_NOSIGNAL))
        signal_send_thread(current_task(), SIGPIPE, nullptr);
}

// Credentials go along when either side asked for them.
static void attach_creds(struct message *msg, struct unix_sock *u, struct unix_sock *peer)
{
    if (u->s.passcred || peer->s.passcred)
        (void)scm_fill_creds(&msg->scm);
}

// -- streams and connected packets
static ssize_t send_connected(struct unix_sock *u, struct message *msg)
{
    size_t total = iov_iter_count(&msg->iter), sent = 0;
    bool packet = u->s.type == SOCK_SEQPACKET;
    struct unix_sock *peer = unix_peer_get(u);
    int err = 0;
    if (!peer) {
        if (!(u->s.shutdown & SOCKET_SND_SHUTDOWN) || packet)
            return -ENOTCONN;
        raise_pipe(msg);
        return -EPIPE;
    }
    if (packet)
        err = unix_autobind(u);
    attach_creds(msg, u, peer);
    if (!err && msg->scm.nr_files)
        err = unix_flight_begin(&msg->scm);
    if (!err && packet && total > u->s.sndbuf - MESSAGE_SPARE)
        err = -EMSGSIZE;
    while (!err && (sent < total || (packet && !sent))) {
        if ((READ_ONCE(u->s.shutdown) & SOCKET_SND_SHUTDOWN)) {
            err = -EPIPE;
            break;
        }
        if ((err = wait_for_room(u, msg->nonblock || (msg->flags & MSG_DONTWAIT), socket_deadline(u->s.sndtimeo)))) // of each piece, as on Linux
            break;
        if (READ_ONCE(u->s.error) && (err = socket_take_error(&u->s)))
            break;
        size_t part = packet ? total : min(min(total - sent, STREAM_PIECE), max(u->s.sndbuf / 2, PAGE_SIZE));
        struct unix_msg *m = new_message(u, part);
        if (!m) {
            err = -ENOMEM;
            break;
        }
        if (copy_from_iter(&msg->iter, m->data, part) != part) {
            unix_msg_free(m);
            err = -EFAULT;
            break;
        }
        if (!sent) { // control data goes with the first byte
            m->scm = msg->scm;
            msg->scm = (struct scm){};
            if (u->s.passcred || peer->s.passcred) {
                msg->scm.pid = m->scm.pid ? pid_get(m->scm.pid) : nullptr;
                msg->scm.uid = m->scm.uid;
                msg->scm.gid = m->scm.gid;
            }
        } else if (msg->scm.pid) {
            m->scm = (struct scm){.pid = pid_get(msg->scm.pid), .uid = msg->scm.uid, .gid = msg->scm.gid};
        }
        {
            mutex_guard(&peer->s.lock);
            if (peer->state == UNIX_CLOSED || (peer->s.shutdown & SOCKET_RCV_SHUTDOWN))
                err = -EPIPE;
            else {
                list_add_tail(&m->link, &peer->queue);
                peer->queued++;
                peer->queued_bytes += part;
            }
        }
        if (err) {
            unix_msg_free(m);
            break;
        }
        socket_wake_readers(&peer->s);
        sent += part;
        if (packet)
            break;
    }
    unix_put(peer);
    if (sent || (packet && !err))
        return (ssize_t)sent;
    if (err == -EPIPE && !packet) // only streams signal
        raise_pipe(msg);
    return err;
}

// -- datagrams
static int dgram_target(struct unix_sock *u, const struct message *msg, struct unix_sock **out)
{
    int err = msg->name_len ? unix_check_address(msg->name, msg->name_len) : READ_ONCE(u->peer) ? 0 : -ENOTCONN;
    if (!err)
        err = unix_autobind(u);
    if (err)
        return err;
    if (msg->name_len)
        return unix_find((const void *)msg->name, msg->name_len, SOCK_DGRAM, out);
    *out = unix_peer_get(u);
    return *out ? 0 : -ENOTCONN;
}

bool unix_has_place(const struct unix_sock *to, const struct unix_sock *u)
{
    return READ_ONCE(to->queued) <= (unsigned)READ_ONCE(sysctl_unix_max_dgram_qlen) || to == u || READ_ONCE(to->peer) == u;
}

static void forget_peer(struct unix_sock *u, struct unix_sock *peer)
{
    LIST_HEAD(lost);
    {
        mutex_guard(&u->s.lock);
        if (u->peer != peer)
            return;
        (void)unix_part(u, nullptr, &lost);
    }
    unix_parted(u, peer, &lost);
}

static ssize_t send_dgram(struct unix_sock *u, struct message *msg)
{
    size_t len = iov_iter_count(&msg->iter);
    bool nonblock = msg->nonblock || (msg->flags & MSG_DONTWAIT);
    ktime_t deadline = socket_deadline(u->s.sndtimeo);
    if (u->s.shutdown & SOCKET_SND_SHUTDOWN)
        return -EPIPE;
    if (len > u->s.sndbuf - MESSAGE_SPARE)
        return -EMSGSIZE;
    struct unix_sock *to;
    int err = dgram_target(u, msg, &to);
    if (err)
        return err;
    attach_creds(msg, u, to);
    struct unix_msg *m = nullptr;
    if (msg->scm.nr_files)
        err = unix_flight_begin(&msg->scm);
    if (!err)
        err = wait_for_room(u, nonblock, deadline);
    if (!err && READ_ONCE(u->s.error))
        err = socket_take_error(&u->s);
    if (!err && !(m = new_message(u, len)))
        err = -ENOMEM;
    if (!err && copy_from_iter(&msg->iter, m->data, len) != len)
        err = -EFAULT;
    while (!err) {
        {
            mutex_guard(&to->s.lock);
            if (to->state == UNIX_CLOSED)
                err = -ECONNREFUSED;
            else if (to->s.shutdown & SOCKET_RCV_SHUTDOWN)
                err = -EPIPE;
            else if (to->peer && to->peer != u)
                err = -EPERM; // connected elsewhere
            else if (unix_has_place(to, u)) {
                m->scm = msg->scm;
                msg->scm = (struct scm){};
                list_add_tail(&m->link, &to->queue);
                to->queued++;
                to->queued_bytes += len;
                m = nullptr;
                break;
            }
        }
        if (err)
            break;
        if (nonblock) {
            if (unix_has_place_or_tells(to, u))
                continue;
            err = -EAGAIN;
            break;
        }
        // Each part of the condition is one that the tests above end on: else this would turn without sleeping.
        err = wait_event_interruptible_timeout(
            &to->room, unix_has_place(to, u) || (READ_ONCE(to->s.shutdown) & SOCKET_RCV_SHUTDOWN) || READ_ONCE(to->peer), deadline);
        if (err)
            err = err == -ETIMEDOUT ? -EAGAIN : socket_interrupted(u->s.sndtimeo);
    }
    if (m)
        unix_msg_free(m);
    if (!err)
        socket_wake_readers(&to->s);
    else if (err == -ECONNREFUSED && !msg->name_len)
        forget_peer(u, to); // told once; from now on there is no peer
    unix_put(to);
    return err ? err : (ssize_t)len;
}

ssize_t unix_sendmsg(struct socket *s, struct message *msg)
{
    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (s->type == SOCK_DGRAM)
        return send_dgram(unix_of(s), msg);
    if (msg->name_len && s->type == SOCK_STREAM)
        return unix_of(s)->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    return send_connected(unix_of(s), msg);
}

// Waits until there is something to take, or nothing will ever come. 1: there is; 0: end of file.
static int wait_for_data(struct unix_sock *u, bool nonblock, ktime_t deadline)
{
    bool stream = u->s.type == SOCK_STREAM;
    for (;;) {
        // In this order: a peer that sends, then closes, between two looks must not end the stream before its data. Packets come after an error.
        bool ended = load_acquire(&u->s.shutdown) & SOCKET_RCV_SHUTDOWN;
        bool failed = load_acquire(&u->s.error);
        int err = failed && !stream ? socket_take_error(&u->s) : 0;
        if (!err && READ_ONCE(u->queued))
            return 1;
        if (!err && failed)
            err = socket_take_error(&u->s);
        if (err)
            return err;
        if (ended)
            return 0;
        if (nonblock)
            return -EAGAIN;
        if (stream)
            atomic_inc(&u->s.readers_waiting);
        err = wait_event_interruptible_timeout(
            &u->s.wq, READ_ONCE(u->queued) || READ_ONCE(u->s.error) || (READ_ONCE(u->s.shutdown) & SOCKET_RCV_SHUTDOWN), deadline);
        if (stream)
            atomic_dec(&u->s.readers_waiting);
        if (stream && err && READ_ONCE(u->queued))
            socket_signal(&u->s, POLL_IN); // it came while we seemed to wait for it
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : socket_interrupted(u->s.rcvtimeo);
    }
}

// What is looked at without the message: of a stream's first one with its credentials, as take_scm() takes them.
static int copy_scm_for_peek(struct scm *to, const struct scm *from, bool have)
{
    if (!have)
        *to = (struct scm){.pid = from->pid ? pid_get(from->pid) : nullptr, .uid = from->uid, .gid = from->gid};
    if (!from->nr_files)
        return 0;
    if (!(to->files = kmalloc(SCM_MAX_FD * sizeof *to->files, ALLOC_KERNEL)))
        return -ENOMEM;
    for (; to->nr_files < from->nr_files; to->nr_files++)
        to->files[to->nr_files] = file_get(from->files[to->nr_files]);
    return 0;
}

// The sender is named as it is called when the message is received, though it may have been bound only after it was sent.
static void copy_name(struct message *msg, const struct unix_sock *sender)
{
    const struct unix_address *a = load_acquire(&sender->address);
    if (a) {
        msg->name_len = a->len;
        memcpy(msg->name, &a->name, (size_t)a->len);
    }
}

static void take_off(struct unix_sock *u, struct unix_msg *m) REQUIRES(u->s.lock)
{
    list_del(&m->link);
    u->queued--;
    u->queued_bytes -= m->len - m->consumed;
    if (u->s.type == SOCK_DGRAM)
        wake_up_all(&u->room);
}

static ssize_t recv_packet(struct unix_sock *u, struct message *msg)
{
    bool nonblock = msg->nonblock || (msg->flags & MSG_DONTWAIT), peek = msg->flags & MSG_PEEK;
    ktime_t deadline = socket_deadline(u->s.rcvtimeo);
    struct unix_msg *m;
    for (;;) {
        int ready = wait_for_data(u, nonblock, deadline);
        if (ready <= 0)
            return ready;
        mutex_guard(&u->s.lock);
        m = list_first_entry_or_null(&u->queue, struct unix_msg, link);
        if (!m)
            continue; // another reader was quicker
        size_t want = iov_iter_count(&msg->iter), part = min(want, m->len);
        if (copy_to_iter(&msg->iter, m->data, part) != part)
            return -EFAULT;
        if (m->len > want)
            msg->out_flags |= MSG_TRUNC;
        copy_name(msg, m->from);
        ssize_t result = (ssize_t)(msg->flags & MSG_TRUNC ? m->len : part);
        if (peek) {
            int err = copy_scm_for_peek(&msg->scm, &m->scm, false);
            return err ? err : result;
        }
        take_off(u, m);
        msg->scm = m->scm;
        m->scm = (struct scm){};
        unix_msg_free(m);
        return result;
    }
}

static bool same_sender(const struct scm *a, const struct scm *b)
{
    return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

// Credentials are those of the first message read from; descriptors may come with a later one, which then is the last.
static void take_scm(struct scm *to, struct scm *from, bool have)
{
    if (!have)
        *to = (struct scm){.pid = from->pid ? pid_get(from->pid) : nullptr, .uid = from->uid, .gid = from->gid};
    if (!from->files)
        return;
    kfree(to->files); // an array without descriptors, if there is one
    to->nr_files = from->nr_files;
    to->files = from->files;
    to->charged = from->charged;
    from->nr_files = 0;
    from->files = nullptr;
    from->charged = nullptr;
}

static ssize_t recv_stream(struct unix_sock *u, struct message *msg)
{
    bool nonblock = msg->nonblock || (msg->flags & MSG_DONTWAIT), peek = msg->flags & MSG_PEEK;
    size_t want = iov_iter_count(&msg->iter), got = 0;
    size_t least = msg->flags & MSG_WAITALL ? want : min(want, (size_t)u->s.rcvlowat);
    ktime_t deadline = socket_deadline(u->s.rcvtimeo);
    bool have_scm = false, stop = false;
    if (!want) { // nothing is taken, but an empty queue is waited for
        int ready = wait_for_data(u, nonblock, deadline);
        return min(ready, 0);
    }
    while (got < want && !stop) {
        int ready = got >= least && got ? (READ_ONCE(u->queued) ? 1 : 0) : wait_for_data(u, nonblock, deadline);
        if (ready < 0)
            return got ? (ssize_t)got : ready;
        if (!ready)
            break;
        mutex_guard(&u->s.lock);
        struct unix_msg *m, *next;
        bool any = false;
        list_for_each_entry_safe(m, next, &u->queue, link)
        {
            any = true;
            if (have_scm && u->s.passcred && !same_sender(&msg->scm, &m->scm)) {
                stop = true; // another sender's: another read's
                break;
            }
            size_t part = min(want - got, m->len - m->consumed);
            if (copy_to_iter(&msg->iter, m->data + m->consumed, part) != part)
                return got ? (ssize_t)got : -EFAULT; // of this message neither bytes nor descriptors are taken
            if (!peek)
                take_scm(&msg->scm, &m->scm, have_scm);
            else if (copy_scm_for_peek(&msg->scm, &m->scm, have_scm))
                return -ENOMEM;
            if (!got)
                copy_name(msg, m->from); // of what is read together, the first
            have_scm = true;
            got += part;
            if (!peek) {
                m->consumed += part;
                u->queued_bytes -= part;
                if (m->consumed == m->len) {
                    take_off(u, m);
                    unix_msg_free(m);
                }
            }
            if (got == want || msg->scm.nr_files)
                break;
        }
        if (any && (peek || msg->scm.nr_files))
            break;
    }
    return (ssize_t)got;
}

ssize_t unix_recvmsg(struct socket *s, struct message *msg)
{
    if (msg->flags & (MSG_OOB | MSG_ERRQUEUE))
        return msg->flags & MSG_OOB ? -EOPNOTSUPP : -EAGAIN;
    struct unix_sock *u = unix_of(s);
    // A listener's queue holds connections, not data.
    if (s->type != SOCK_DGRAM && READ_ONCE(u->state) != UNIX_CONNECTED)
        return s->type == SOCK_SEQPACKET ? -ENOTCONN : -EINVAL;
    ssize_t n = s->type == SOCK_STREAM ? recv_stream(u, msg) : recv_packet(u, msg);
    if (msg->scm.charged)
        unix_flight_end(&msg->scm); // they have arrived
    else if (msg->scm.nr_files)
        unix_flight_barrier();
    return n;
}
