// kernel/net/unix.h — AF_UNIX sockets: unix(7). Shared by the parts of this family.
//
// Addresses: a pathname socket is bound to an inode (S_IFSOCK) and found through inode->sock; an abstract one is in a hash of exact names (length counts, the
// leading NUL too). Both tables hold no reference: a socket takes itself out when it is closed, and a finder takes a reference or fails.
//
// Locks: each socket's own mutex guards its receive queue, peer and state. A sender reads its peer under its own lock, takes a reference, drops the lock,
// and then locks the receiver. Two are locked at once by connect(2), which takes the client, then the listener, and by the collector of descriptors in
// flight, which takes a listener, then a connection on its queue that nobody else can reach. Buffer space is counted at the sender (`wmem`, atomic) and
// given back when the message is freed.
#pragma once

#include "kernel/base/list.h"
#include "kernel/net/socket.h"
#include "kernel/vfs/vfs.h"

struct unix_address { // immutable
    refcount_t refs;
    int len;          // with the family
    struct abi_sockaddr_un name;
};

struct unix_msg {
    struct list_head link;
    struct unix_sock *from;       // whose wmem is charged, and whose name the receiver is told; a reference
    struct scm scm;
    size_t len, consumed, charge;
    char data[];
};

struct unix_sock;
struct unix_pending { // on a listener's queue: the server's end of a connection that waits for accept
    struct list_head link;
    struct unix_sock *server;
};

struct unix_sock {
    struct socket s;              // first
    struct list_head all;         // every socket of the family that is not closed: unix_for_each()'s lock
    struct unix_address *address; // s.lock for writing; set once (store_release: who receives reads the sender's without)
    struct path path;             // of a pathname socket: keeps the inode
    struct hlist_node hash;       // abstract names: names_lock
    struct unix_sock *peer;       // a reference; changed by unix_set_peer() only
    enum { UNIX_UNCONNECTED, UNIX_LISTENING, UNIX_CONNECTED, UNIX_CLOSED } state;
    struct list_head queue;       // of unix_msg; for a listener of unix_pending
    size_t queued_bytes;
    unsigned queued, backlog;
    atomic64_t wmem;
    struct waitqueue room;        // senders wait here for this receiver's queue to shrink
    // Tells s.wq when the peer has room: those who poll this socket listen on its own queue only, as the peer may go before they do. Linked on peer->room
    // (s.lock; the callback unlinks it) at most while it is the peer: unix_set_peer() takes it out.
    struct wait_entry relay;
    // Being sent itself, by descriptor: unix_flight.c, under its lock.
    unsigned in_flight;           // times
    struct list_head flying;      // while there are any
    struct file *file;            // the same: borrowed from those who carry it
    unsigned outside;             // the collector's count of references that come from elsewhere
    bool candidate;
};

// Of a socket of this family. unix_put(): null allowed.
static inline struct unix_sock *unix_of(struct socket *s)
{
    return (struct unix_sock *)s;
}
static inline void unix_put(struct unix_sock *u)
{
    if (u)
        socket_put(&u->s);
}

// unix.c: changes the peer (`peer`'s reference is taken over); returns the old one, whose reference is the caller's.
[[nodiscard]] struct unix_sock *unix_set_peer(struct unix_sock *u, struct unix_sock *peer) REQUIRES(u->s.lock);
// A datagram socket turns from its peer to `peer` (as above) or to nobody: what it has not received goes to `lost`. Returns the old peer, and both are
// handed to unix_parted() without the lock: what is lost is freed, those who waited for its place are woken, and an old peer that is connected to `u` is told.
[[nodiscard]] struct unix_sock *unix_part(struct unix_sock *u, struct unix_sock *peer, struct list_head *lost) REQUIRES(u->s.lock);
void unix_parted(struct unix_sock *u, struct unix_sock *old, struct list_head *lost);
// Calls fn for every socket of the family, under a spinlock.
void unix_for_each(void (*fn)(struct unix_sock *u, void *arg), void *arg);
int unix_count(void); // of the family's sockets

// unix_flight.c: descriptors in messages that are not yet received. No socket's lock held.
// Counts the descriptors of a message that is about to be queued. -ETOOMANYREFS above RLIMIT_NOFILE.
[[nodiscard]] int unix_flight_begin(struct scm *scm);
void unix_flight_end(struct scm *scm); // they arrived, or are dropped
// Before descriptors that were only looked at (MSG_PEEK) reach user space: waits until no collector counts on their being in flight.
void unix_flight_barrier(void);
// A socket was released: circles may have lost their last outside reference. Cheap while no socket is in flight.
void unix_flight_collect(void);

// unix_name.c
[[nodiscard]] int unix_bind(struct socket *s, const void *addr, int len);
// A socket that asks for credentials (SO_PASSCRED) and has no name gets an automatic one before it connects or sends packets. -ENOMEM, -ENOSPC.
[[nodiscard]] int unix_autobind(struct unix_sock *u);
// The socket that an address leads to, with a reference. -ECONNREFUSED, -ENOENT and other errors of path lookup, -EPROTOTYPE, -EACCES.
[[nodiscard]] int unix_find(const struct abi_sockaddr_un *name, int len, int type, struct unix_sock **out);
void unix_unbind(struct unix_sock *u); // its name is free, or its node leads nowhere; may sleep
[[nodiscard]] int unix_check_address(const void *addr, int len); // 0 or -EINVAL
void unix_address_put(struct unix_address *a); // null allowed

// unix_data.c
ssize_t unix_sendmsg(struct socket *s, struct message *msg);
ssize_t unix_recvmsg(struct socket *s, struct message *msg);
void unix_msg_free(struct unix_msg *m);               // gives its sender the room back, and wakes it
struct unix_sock *unix_peer_get(struct unix_sock *u); // with a reference, or null
// Whether a datagram from u finds place in `to`'s queue. Two that are connected to each other have no limit but their buffers'.
bool unix_has_place(const struct unix_sock *to, const struct unix_sock *u);
// The same, and if there is none, u's queue is woken when there is, once for all who have asked: as long as `to` is u's peer.
bool unix_has_place_or_tells(struct unix_sock *to, struct unix_sock *u);
#define UNIX_DGRAM_QUEUE 10
extern int sysctl_unix_max_dgram_qlen;
