// kernel/net/socket.h — sockets: what every family shares. socket(7).
//
// A socket is an object behind a file of the internal file system sockfs (S_IFSOCK, "socket:[inode]"). Families supply operations; buffers, time
// limits, errors and options of SOL_SOCKET are here. Life: references; the file holds one, peers and messages in flight may hold others. socket->lock
// (class socket, nested: see unix.c) guards the fields unless one says otherwise.
#pragma once

#include "kernel/abi/errno.h"
#include "kernel/abi/socket.h"
#include "kernel/base/refcount.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/waitqueue.h"
#include "kernel/vfs/fasync.h"
#include "kernel/vfs/iov.h"
#include "kernel/vfs/poll.h"

struct file;
struct inode;
struct pid;
struct socket;

// Control data on its way: descriptors and credentials.
struct scm {
    unsigned nr_files;
    struct file **files;      // with references
    struct user_account *charged; // while they are in flight: whose they are (unix_flight.c)
    struct pid *pid;          // of the sender, with a reference; null: none sent
    uid_t uid;
    gid_t gid;
};
void scm_destroy(struct scm *scm); // drops what it still holds; may be empty

struct inet_control { // send, AF_INET: chosen by control messages for this datagram
    int ifindex;              // 0: not chosen
    uint32_t src;             // network order; 0: not chosen
    uint8_t ttl;              // 0: not chosen
    int16_t tos;              // -1: not chosen
};
#define INET_CONTROL_NONE ((struct inet_control){.tos = -1})

struct message { // one sendmsg or recvmsg
    uint8_t name[SOCKADDR_MAX];
    int name_len;             // send: 0 means none. recv: out
    struct iov_iter iter;
    unsigned flags;           // MSG_*; recv: MSG_TRUNC, MSG_CTRUNC, MSG_EOR come back in out_flags
    unsigned out_flags;
    bool nonblock;
    struct scm scm;
    struct inet_control control;
    struct {                  // recv, AF_INET: about the datagram
        int ifindex;
        uint32_t dst;         // network order
        uint8_t ttl, tos;
    } inet;
};

struct cmsg_out { // where control messages go in user space
    unsigned long at;
    size_t left, used;
    unsigned *flags;
};
// Adds one, cut short (MSG_CTRUNC in *out->flags) where the room ends.
void put_cmsg(struct cmsg_out *out, int level, int type, const void *data, size_t size);

// Missing entries: -EOPNOTSUPP. Called without socket->lock.
struct socket_ops {
    int (*bind)(struct socket *s, const void *addr, int len);
    int (*connect)(struct socket *s, const void *addr, int len, bool nonblock);
    int (*listen)(struct socket *s, int backlog);
    int (*accept)(struct socket *s, struct socket **out, bool nonblock);
    int (*getname)(struct socket *s, void *addr, bool peer); // length, or -errno
    ssize_t (*sendmsg)(struct socket *s, struct message *msg);
    ssize_t (*recvmsg)(struct socket *s, struct message *msg);
    int (*shutdown)(struct socket *s, int how);
    uint32_t (*poll)(struct socket *s, struct file *file, struct poll_table *pt);
    int (*ioctl)(struct socket *s, unsigned cmd, unsigned long arg);
    int (*setsockopt)(struct socket *s, int level, int name, unsigned long uvalue, int len);
    int (*getsockopt)(struct socket *s, int level, int name, unsigned long uvalue, unsigned long ulen);
    // The sender's control messages, at a user address; missing: those of AF_UNIX.
    int (*take_control)(struct socket *s, struct message *msg, unsigned long control, size_t len);
    void (*put_control)(struct socket *s, const struct message *msg, struct cmsg_out *out); // the family's control messages with a received message
    int (*pair)(struct socket *a, struct socket *b);
    void (*close)(struct socket *s);                         // the file is gone; drops the family's own references
    void (*destroy)(struct socket *s);                       // last reference: frees the memory
};

struct socket {
    const struct socket_ops *ops;
    refcount_t refs;
    int family, type, protocol;
    struct mutex lock;
    struct waitqueue wq;
    struct fasync_list async;     // O_ASYNC
    bool tell_room;               // a sender found no room: POLL_OUT when there is some
    atomic_t readers_waiting;     // streams: threads asleep for data; nobody is signalled meanwhile
    int error;                    // SO_ERROR: reported once
    bool listening;
    unsigned shutdown;            // bit 0: no more receiving, bit 1: no more sending
    size_t rcvbuf, sndbuf;
    ktime_t rcvtimeo, sndtimeo;   // KTIME_MAX: for ever
    int rcvlowat;
    bool passcred, reuseaddr, reuseport, keepalive, broadcast, oobinline, debug, dontroute;
    struct abi_linger linger;
    int priority;
    struct inode *inode; // borrowed from the file: null before it has one and once ops->close() has run, which takes the socket out of every public table
    struct pid *peer_pid;         // SO_PEERCRED; lock, as the next three: a listener's may change
    uid_t peer_uid;
    gid_t peer_gid;
    const struct cred *peer_cred; // SO_PEERGROUPS
};
#define SOCKET_RCV_SHUTDOWN 1u
#define SOCKET_SND_SHUTDOWN 2u

// A family registers how its sockets are made. create: *out with one reference. -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM, -EPERM.
struct socket_family {
    int family;
    int (*create)(int type, int protocol, struct socket **out);
};
#define SOCKET_FAMILY(var)                                                                                             \
    static const struct socket_family var;                                                                             \
    static const struct socket_family *const CONCAT(socket_reg_, var) USED SECTION(".kernel.socket_families") = &var;  \
    static const struct socket_family var

extern size_t sysctl_wmem_default, sysctl_rmem_default, sysctl_wmem_max, sysctl_rmem_max; // /proc/sys/net/core
extern int sysctl_somaxconn;

// What all families have, in zeroed memory of the family's: one reference, the default buffer sizes, no time limits. `ops` stay for the socket's life.
void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type, int protocol);
static inline struct socket *socket_get(struct socket *s)
{
    refcount_inc(&s->refs);
    return s;
}
void socket_put(struct socket *s); // null allowed. The last one calls ops->destroy(): may sleep
// An open file over `s` (takes over the reference; on error closes it). flags: O_NONBLOCK. -ENFILE, -ENOMEM.
[[nodiscard]] int socket_file(struct socket *s, unsigned flags, struct file **out);
// The same in two steps, for those who may not fail once they have the socket: a file without one, which is only good for file_put(), and its socket.
[[nodiscard]] int socket_file_alloc(unsigned flags, struct file **out);
void socket_file_attach(struct file *file, struct socket *s);
void socket_close(struct socket *s); // ops->close and socket_put: for a socket that has no file
struct socket *socket_of_file(struct file *file); // borrowed, or null: not a socket
// Records the current task as what SO_PEERCRED of `s` tells, in place of what it told; or in a socket that tells nothing yet, what another tells.
// The socket's lock (that of both) is held, or nobody else can reach it.
void socket_set_peercred(struct socket *s);
void socket_copy_peercred(struct socket *to, const struct socket *from);
int socket_take_error(struct socket *s); // SO_ERROR as -errno, or 0; it is told once
// Whether those who asked for signals (O_ASYNC) get one for what has just changed. A reader that seems to wait, and then leaves without it, sends one itself.
static inline bool socket_signals(struct socket *s)
{
    if (likely(!s->async.first))
        return false;
    smp_mb(); // what changed is seen before we look for readers: who stops waiting looks in the other order
    return !atomic_read(&s->readers_waiting);
}
// Signals them: something to take (POLL_IN), an end (POLL_HUP).
static inline void socket_signal(struct socket *s, int code)
{
    if (unlikely(socket_signals(s)))
        fasync_notify(&s->async, code);
}
// Something to take has come: wakes who waits for it, and signals who asked for that.
static inline void socket_wake_readers(struct socket *s)
{
    bool tell = socket_signals(s); // asked before: who is woken waits no more
    wake_up_poll(&s->wq, EPOLLIN | EPOLLRDNORM);
    if (unlikely(tell))
        fasync_notify(&s->async, POLL_IN);
}
// The absolute deadline of an operation that may wait for `timeo`.
ktime_t socket_deadline(ktime_t timeo);
// What an interrupted wait returns: restartable without a time limit, -EINTR with one.
static inline int socket_interrupted(ktime_t timeo)
{
    return timeo == KTIME_MAX ? -ERESTARTSYS : -EINTR;
}

// scm.c: control messages to and from user space.
// Reads the sender's control messages (SCM_RIGHTS, SCM_CREDENTIALS) into msg->scm, which the caller destroys in any case. -EINVAL, -EBADF, -EPERM,
// -EFAULT, -ENOMEM …
[[nodiscard]] int scm_from_user(struct message *msg, unsigned long control, size_t len);
[[nodiscard]] int scm_fill_creds(struct scm *scm);             // of the current task
// Writes what came with a message to the user's control buffer; sets MSG_CTRUNC in msg->out_flags. Returns the bytes used.
size_t scm_to_user(struct message *msg, struct socket *s, unsigned long control, size_t len, bool cloexec);

// sockopt.c: SOL_SOCKET.
[[nodiscard]] int socket_setsockopt(struct socket *s, int name, unsigned long uvalue, int len);
[[nodiscard]] int socket_getsockopt(struct socket *s, int name, unsigned long uvalue, unsigned long ulen);
