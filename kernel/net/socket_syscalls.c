// kernel/net/socket_syscalls.c — the socket system calls: copy in, find the socket, act, copy out.

#include "kernel/abi/fcntl.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/net/socket.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/clock.h"
#include "kernel/vfs/file.h"

#define CONTROL_MAX 131072u // bytes of control messages: the default of net.core.optmem_max

extern const struct socket_family *const __socket_families_start[], *const __socket_families_end[];

static const struct socket_family *family_find(int family)
{
    for (const struct socket_family *const *f = __socket_families_start; f < __socket_families_end; f++)
        if ((*f)->family == family)
            return *f;
    return nullptr;
}

static int create(int family, int type, int protocol, struct socket **out)
{
    if (family < 0 || family >= AF_MAX)
        return -EAFNOSUPPORT;
    if (type < 0 || type > SOCK_SEQPACKET + 5)
        return -EINVAL;
    const struct socket_family *f = family_find(family);
    return f ? f->create(type, protocol, out) : -EAFNOSUPPORT;
}

SYSCALL3(socket, int, family, int, type, int, protocol)
{
    struct socket *s;
    struct file *file;
    int err = create(family, type & SOCK_TYPE_MASK, protocol, &s);
    if (!err)
        err = socket_file(s, type & SOCK_NONBLOCK, &file);
    return err ? err : fd_install_new(file, type & SOCK_CLOEXEC);
}

SYSCALL4(socketpair, int, family, int, type, int, protocol, int __user *, ufds)
{
    struct socket *a, *b;
    struct file *files[2];
    int err = create(family, type & SOCK_TYPE_MASK, protocol, &a);
    if (err)
        return err;
    if (!a->ops->pair)
        err = -EOPNOTSUPP;
    if (err || (err = create(family, type & SOCK_TYPE_MASK, protocol, &b))) {
        socket_put(a);
        return err;
    }
    if ((err = a->ops->pair(a, b))) {
        socket_put(a);
        socket_put(b);
        return err;
    }
    if ((err = socket_file(a, type & SOCK_NONBLOCK, &files[0]))) {
        socket_close(b);
        return err;
    }
    if ((err = socket_file(b, type & SOCK_NONBLOCK, &files[1]))) {
        file_put(files[0]);
        return err;
    }
    int fds[2];
    fds[0] = fd_reserve(0, type & SOCK_CLOEXEC);
    fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(0, type & SOCK_CLOEXEC);
    if (fds[1] >= 0 && !copy_to_user(ufds, fds, sizeof fds)) {
        fd_install(fds[0], files[0]);
        fd_install(fds[1], files[1]);
        return 0;
    }
    err = fds[1] < 0 ? fds[1] : -EFAULT;
    if (fds[0] >= 0)
        fd_release(fds[0]);
    if (fds[1] >= 0)
        fd_release(fds[1]);
    file_put(files[0]);
    file_put(files[1]);
    return err;
}

// The socket behind a descriptor. EBADF, ENOTSOCK.
static int socket_from(struct fd_ref f, struct socket **out)
{
    if (!f.file)
        return -EBADF;
    *out = socket_of_file(f.file);
    return *out ? 0 : -ENOTSOCK;
}

static int address_from_user(void *addr, const void __user *uaddr, int len)
{
    if (len < 0 || len > SOCKADDR_MAX)
        return -EINVAL;
    memset(addr, 0, SOCKADDR_MAX);
    return copy_from_user(addr, uaddr, (size_t)len) ? -EFAULT : 0;
}

// As much as fits is stored, and the full length is reported.
static int address_to_user(const void *addr, int len, void __user *uaddr, int __user *ulen)
{
    int room;
    if (get_user(room, ulen))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (copy_to_user(uaddr, addr, (size_t)min(room, len)) || put_user(len, ulen))
        return -EFAULT;
    return 0;
}

SYSCALL3(bind, int, fd, const void __user *, uaddr, int, len)
{
    uint8_t addr[SOCKADDR_MAX];
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (!err)
        err = address_from_user(addr, uaddr, len);
    return err ? err : s->ops->bind ? s->ops->bind(s, addr, len) : -EOPNOTSUPP;
}

SYSCALL3(connect, int, fd, const void __user *, uaddr, int, len)
{
    uint8_t addr[SOCKADDR_MAX];
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (!err)
        err = address_from_user(addr, uaddr, len);
    return err ? err : s->ops->connect ? s->ops->connect(s, addr, len, f.file->flags & O_NONBLOCK) : -EOPNOTSUPP;
}

SYSCALL2(listen, int, fd, int, backlog)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    return err ? err : s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
}

static int peer_to_user(struct socket *s, void __user *uaddr, int __user *ulen)
{
    uint8_t addr[SOCKADDR_MAX];
    int len = s->ops->getname(s, addr, true);
    // The other end may be gone already: it was there when it connected, so its address is the empty one.
    if (len < 0) {
        len = sizeof(uint16_t);
        *(uint16_t *)addr = (uint16_t)s->family;
    }
    return address_to_user(addr, len, uaddr, ulen);
}

// The file of an accepted connection. It is made first: a connection that was taken off the queue must not be lost for want of one.
static int accept_file(struct fd_ref f, void __user *uaddr, int __user *ulen, int flags, struct file **out)
{
    struct socket *s, *got;
    int err = socket_from(f, &s);
    if (err || (err = socket_file_alloc(flags & SOCK_NONBLOCK, out)))
        return err;
    err = s->ops->accept ? s->ops->accept(s, &got, f.file->flags & O_NONBLOCK) : -EOPNOTSUPP;
    if (!err) {
        socket_file_attach(*out, got);
        if (uaddr)
            err = peer_to_user(got, uaddr, ulen);
    }
    if (err)
        file_put(*out);
    return err;
}

static int do_accept(int listener, void __user *uaddr, int __user *ulen, int flags)
{
    FD_REF(f, listener);
    if (!f.file)
        return -EBADF;
    int fd = fd_reserve(0, flags & SOCK_CLOEXEC);
    if (fd < 0)
        return fd;
    struct file *file;
    int err = accept_file(f, uaddr, ulen, flags, &file);
    if (err) {
        fd_release(fd);
        return err;
    }
    fd_install(fd, file);
    return fd;
}

SYSCALL3(accept, int, fd, void __user *, uaddr, int __user *, ulen)
{
    return do_accept(fd, uaddr, ulen, 0);
}

SYSCALL4(accept4, int, fd, void __user *, uaddr, int __user *, ulen, int, flags)
{
    return do_accept(fd, uaddr, ulen, flags);
}

static int name_call(int fd, void __user *uaddr, int __user *ulen, bool peer)
{
    uint8_t addr[SOCKADDR_MAX];
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    int len = s->ops->getname(s, addr, peer);
    return len < 0 ? len : address_to_user(addr, len, uaddr, ulen);
}

SYSCALL3(getsockname, int, fd, void __user *, uaddr, int __user *, ulen)
{
    return name_call(fd, uaddr, ulen, false);
}

SYSCALL3(getpeername, int, fd, void __user *, uaddr, int __user *, ulen)
{
    return name_call(fd, uaddr, ulen, true);
}

SYSCALL2(shutdown, int, fd, int, how)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    return s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
}

SYSCALL5(setsockopt, int, fd, int, level, int, name, unsigned long, uvalue, int, len)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    if (len < 0)
        return -EINVAL;
    if (level == SOL_SOCKET)
        return socket_setsockopt(s, name, uvalue, len);
    return s->ops->setsockopt ? s->ops->setsockopt(s, level, name, uvalue, len) : s->family == AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
}

SYSCALL5(getsockopt, int, fd, int, level, int, name, unsigned long, uvalue, unsigned long, ulen)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    if (level == SOL_SOCKET)
        return socket_getsockopt(s, name, uvalue, ulen);
    return s->ops->getsockopt ? s->ops->getsockopt(s, level, name, uvalue, ulen) : s->family == AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
}

static void message_init(struct message *msg, struct file *file, unsigned flags)
{
    msg->name_len = 0;
    msg->flags = flags;
    msg->out_flags = 0;
    msg->nonblock = file->flags & O_NONBLOCK;
    msg->scm = (struct scm){};
    msg->control = INET_CONTROL_NONE;
}

static int control_from_user(struct socket *s, struct message *msg, unsigned long control, size_t len)
{
    if (len > INT32_MAX)
        return -ENOBUFS;
    if (len >= CONTROL_MAX)
        return -ENOMEM;
    return s->ops->take_control ? s->ops->take_control(s, msg, control, len) : scm_from_user(msg, control, len);
}

SYSCALL6(sendto, int, fd, unsigned long, buf, size_t, len, unsigned, flags, const void __user *, uaddr, int, addrlen)
{
    struct message msg __attribute__((uninitialized));
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    len = min(len, MAX_RW_COUNT);
    if (!user_range_ok(buf, len))
        return -EFAULT;
    message_init(&msg, f.file, flags);
    iov_iter_init_user(&msg.iter, buf, len);
    if (uaddr) {
        if ((err = address_from_user(msg.name, uaddr, addrlen)))
            return err;
        msg.name_len = addrlen;
    }
    ssize_t n = s->ops->sendmsg ? s->ops->sendmsg(s, &msg) : -EOPNOTSUPP;
    scm_destroy(&msg.scm);
    return n;
}

SYSCALL6(recvfrom, int, fd, unsigned long, buf, size_t, len, unsigned, flags, void __user *, uaddr, int __user *, ulen)
{
    struct message msg __attribute__((uninitialized));
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    len = min(len, MAX_RW_COUNT);
    if (!user_range_ok(buf, len))
        return -EFAULT;
    message_init(&msg, f.file, flags);
    iov_iter_init_user(&msg.iter, buf, len);
    ssize_t n = s->ops->recvmsg ? s->ops->recvmsg(s, &msg) : -EOPNOTSUPP;
    scm_destroy(&msg.scm);
    if (n >= 0 && uaddr && (err = address_to_user(msg.name, msg.name_len, uaddr, ulen)))
        return err;
    return n;
}

struct user_message { // a struct msghdr with its vector read in
    struct abi_msghdr hdr;
    struct iovec_k fast[IOV_FAST];
    struct iovec_k *heap;
};

static int import(struct user_message *um, struct message *msg, const struct abi_msghdr __user *uhdr)
{
    um->heap = nullptr;
    if (copy_from_user(&um->hdr, uhdr, sizeof um->hdr))
        return -EFAULT;
    if (um->hdr.iovlen > IOV_MAX)
        return -EMSGSIZE;
    if (um->hdr.namelen < 0)
        return -EINVAL;
    return iov_iter_import(&msg->iter, user_ptr(void, um->hdr.iov), um->hdr.iovlen, um->fast, &um->heap);
}

static ssize_t send_message(struct socket *s, struct file *file, const struct abi_msghdr __user *uhdr, unsigned flags)
{
    struct user_message um __attribute__((uninitialized));
    struct message msg __attribute__((uninitialized));
    message_init(&msg, file, flags);
    int err = import(&um, &msg, uhdr);
    if (!err && um.hdr.name && um.hdr.namelen) {
        msg.name_len = min(um.hdr.namelen, SOCKADDR_MAX);
        err = address_from_user(msg.name, user_ptr(void, um.hdr.name), msg.name_len);
    }
    if (!err && um.hdr.control && um.hdr.controllen)
        err = control_from_user(s, &msg, um.hdr.control, um.hdr.controllen);
    ssize_t n = err ? err : s->ops->sendmsg ? s->ops->sendmsg(s, &msg) : -EOPNOTSUPP;
    scm_destroy(&msg.scm);
    kfree(um.heap);
    return n;
}

static ssize_t receive_message(struct socket *s, struct file *file, struct abi_msghdr __user *uhdr, unsigned flags)
{
    struct user_message um __attribute__((uninitialized));
    struct message msg __attribute__((uninitialized));
    message_init(&msg, file, flags);
    int err = import(&um, &msg, uhdr);
    ssize_t n = err ? err : s->ops->recvmsg ? s->ops->recvmsg(s, &msg) : -EOPNOTSUPP;
    kfree(um.heap);
    if (n >= 0) {
        size_t used = scm_to_user(&msg, s, um.hdr.control, um.hdr.control ? um.hdr.controllen : 0, flags & MSG_CMSG_CLOEXEC);
        unsigned out = msg.out_flags | (flags & MSG_CMSG_CLOEXEC);
        if (um.hdr.name) {
            if (copy_to_user(user_ptr(void, um.hdr.name), msg.name, (size_t)min(um.hdr.namelen, msg.name_len)))
                n = -EFAULT;
        }
        if (n >= 0 &&
            (put_user(um.hdr.name ? msg.name_len : um.hdr.namelen, &uhdr->namelen) || put_user(used, &uhdr->controllen) || put_user(out, &uhdr->flags)))
            n = -EFAULT;
    }
    scm_destroy(&msg.scm);
    return n;
}

SYSCALL3(sendmsg, int, fd, const struct abi_msghdr __user *, uhdr, unsigned, flags)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    return err ? err : send_message(s, f.file, uhdr, flags);
}

SYSCALL3(recvmsg, int, fd, struct abi_msghdr __user *, uhdr, unsigned, flags)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    return err ? err : receive_message(s, f.file, uhdr, flags);
}

// Several messages: the first error counts only if nothing was done before it.
SYSCALL4(sendmmsg, int, fd, struct abi_mmsghdr __user *, uvec, unsigned, count, unsigned, flags)
{
    struct socket *s;
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    unsigned done = 0;
    for (count = min(count, (unsigned)IOV_MAX); done < count; done++) {
        ssize_t n = send_message(s, f.file, &uvec[done].hdr, flags);
        if (n < 0)
            return done ? (long)done : n;
        if (put_user((unsigned)n, &uvec[done].len))
            return done ? (long)done : -EFAULT;
    }
    return done;
}

static bool is_interruption(ssize_t err)
{
    return err == -EINTR || err == -ERESTARTSYS;
}

// An error after some messages is kept for the next call; the rest of the timeout is told.
static long received_some(struct socket *s, unsigned done, ssize_t err, struct timespec_k __user *utimeout, ktime_t deadline)
{
    if (err < 0 && err != -EAGAIN && !is_interruption(err))
        WRITE_ONCE(s->error, (int)err);
    if (!utimeout)
        return done;
    struct timespec_k left = ns_to_timespec(max(deadline - clock_monotonic(), (ktime_t)0));
    return copy_to_user(utimeout, &left, sizeof left) ? -EFAULT : (long)done;
}

SYSCALL5(recvmmsg, int, fd, struct abi_mmsghdr __user *, uvec, unsigned, count, unsigned, flags, struct timespec_k __user *, utimeout)
{
    struct socket *s;
    struct timespec_k ts;
    ktime_t deadline = KTIME_MAX;
    if (utimeout) {
        if (copy_from_user(&ts, utimeout, sizeof ts))
            return -EFAULT;
        if (!timespec_valid(ts))
            return -EINVAL;
        deadline = ktime_add_safe(clock_monotonic(), timespec_to_ns(ts));
    }
    FD_REF(f, fd);
    int err = socket_from(f, &s);
    if (err)
        return err;
    if (!(flags & MSG_ERRQUEUE) && READ_ONCE(s->error) && (err = socket_take_error(s)))
        return err;
    unsigned done = 0, each = flags & ~MSG_WAITFORONE;
    ssize_t n = 0;
    for (count = min(count, (unsigned)IOV_MAX); done < count; done++) {
        n = receive_message(s, f.file, &uvec[done].hdr, each);
        if (n >= 0 && put_user((unsigned)n, &uvec[done].len))
            n = -EFAULT;
        if (n < 0)
            break;
        if (flags & MSG_WAITFORONE)
            each |= MSG_DONTWAIT;
        if (clock_monotonic() >= deadline) { // checked after each message, as the manual page regrets
            done++;
            break;
        }
    }
    return done ? received_some(s, done, n, utimeout, deadline) : n;
}
