// kernel/net/socket.c — sockets as files: sockfs, reading and writing, polling, closing.

#include "kernel/net/socket.h"

#include "kernel/abi/fcntl.h"
#include "kernel/abi/ioctl.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/time/clock.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/mount.h"

#define SOCKFS_MAGIC 0x534f434b
#define BUFFER_DEFAULT 212992

static DEFINE_LOCK_CLASS_NESTED(socket_class, "socket", RANK_SOCKET);
size_t sysctl_wmem_default = BUFFER_DEFAULT, sysctl_rmem_default = BUFFER_DEFAULT, sysctl_wmem_max = BUFFER_DEFAULT, sysctl_rmem_max = BUFFER_DEFAULT;
int sysctl_somaxconn = SOMAXCONN;

static struct mount *sock_mount RO_AFTER_INIT;

void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type, int protocol)
{
    s->ops = ops;
    refcount_set(&s->refs, 1);
    s->family = family;
    s->type = type;
    s->protocol = protocol;
    mutex_init(&s->lock, &socket_class);
    waitqueue_init(&s->wq);
    s->rcvbuf = sysctl_rmem_default;
    s->sndbuf = sysctl_wmem_default;
    s->rcvtimeo = s->sndtimeo = KTIME_MAX;
    s->rcvlowat = 1;
}

void socket_put(struct socket *s)
{
    if (!s || !refcount_dec_and_test(&s->refs))
        return;
    pid_put(s->peer_pid);
    cred_put(s->peer_cred);
    s->ops->destroy(s);
}

void socket_close(struct socket *s)
{
    if (s->ops->close)
        s->ops->close(s);
    WRITE_ONCE(s->inode, nullptr); // peers and messages may keep the socket longer
    socket_put(s);
}

void socket_set_peercred(struct socket *s)
{
    const struct cred *cred = current_cred();
    pid_put(s->peer_pid);
    cred_put(s->peer_cred);
    s->peer_pid = pid_get(current_process()->pid);
    s->peer_uid = cred->euid;
    s->peer_gid = cred->egid;
    s->peer_cred = cred_get(cred);
}

void socket_copy_peercred(struct socket *to, const struct socket *from)
{
    to->peer_pid = from->peer_pid ? pid_get(from->peer_pid) : nullptr;
    to->peer_uid = from->peer_uid;
    to->peer_gid = from->peer_gid;
    to->peer_cred = from->peer_cred ? cred_get(from->peer_cred) : nullptr;
}

int socket_take_error(struct socket *s)
{
    return xchg(&s->error, 0);
}

ktime_t socket_deadline(ktime_t timeo)
{
    return timeo == KTIME_MAX ? KTIME_MAX : ktime_add_safe(clock_monotonic(), timeo);
}

static ssize_t sock_read_iter(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct socket *s = file->private;
    struct message msg __attribute__((uninitialized));
    msg.name_len = 0;
    msg.flags = msg.out_flags = 0;
    msg.nonblock = (file->flags & O_NONBLOCK) || (rw_flags & RW_NOWAIT);
    msg.scm = (struct scm){};
    msg.iter = *to;
    if (to->iov == &to->single)
        msg.iter.iov = &msg.iter.single;
    if (!s->ops->recvmsg)
        return -EOPNOTSUPP;
    ssize_t n = s->ops->recvmsg(s, &msg);
    if (n > 0)
        iov_iter_advance(to, min((size_t)n, iov_iter_count(to)));
    scm_destroy(&msg.scm); // descriptors that came along are lost: they were not asked for
    return n;
}

static ssize_t sock_write_iter(struct file *file, struct iov_iter *from, loff_t *, unsigned rw_flags)
{
    struct socket *s = file->private;
    struct message msg __attribute__((uninitialized));
    msg.name_len = 0;
    msg.flags = msg.out_flags = 0;
    msg.nonblock = (file->flags & O_NONBLOCK) || (rw_flags & RW_NOWAIT);
    msg.scm = (struct scm){};
    msg.control = INET_CONTROL_NONE;
    msg.iter = *from;
    if (from->iov == &from->single)
        msg.iter.iov = &msg.iter.single;
    if (!s->ops->sendmsg)
        return -EOPNOTSUPP;
    ssize_t n = s->ops->sendmsg(s, &msg);
    scm_destroy(&msg.scm);
    if (n > 0)
        iov_iter_advance(from, (size_t)n);
    return n;
}

static uint32_t sock_poll(struct file *file, struct poll_table *pt)
{
    struct socket *s = file->private;
    return s->ops->poll(s, file, pt);
}

static long sock_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
    struct socket *s = file->private;
    int who;
    switch (cmd) {
    case FIOSETOWN:
    case SIOCSPGRP:
        return get_user(who, user_ptr(int, arg)) ? -EFAULT : file_owner_set(file, who);
    case FIOGETOWN:
    case SIOCGPGRP:
        return put_user(file_owner_get(file), user_ptr(int, arg));
    }
    return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
}

static void sock_release(struct file *file)
{
    struct socket *s = file->private;
    if (s) // else one was never attached
        socket_close(s);
}

static int sock_fasync(struct file *file, int fd, bool on)
{
    struct socket *s = file->private;
    return fasync_update(&s->async, file, fd, on);
}

static const struct file_ops socket_file_ops = {
    .read_iter = sock_read_iter,
    .write_iter = sock_write_iter,
    .poll = sock_poll,
    .ioctl = sock_ioctl,
    .release = sock_release,
    .fasync = sock_fasync,
    .nonseekable = true,
};

struct socket *socket_of_file(struct file *file)
{
    return file->ops == &socket_file_ops ? file->private : nullptr;
}

static int sock_name(struct dentry *d, char *buf, size_t size)
{
    return scnprintf(buf, size, "socket:[%llu]", (unsigned long long)d->inode->ino);
}
static const struct dentry_ops sock_dentry_ops = {.dynamic_name = sock_name};

int socket_file_alloc(unsigned flags, struct file **out)
{
    struct inode *inode = inode_alloc(sock_mount->sb);
    if (!inode)
        return -ENFILE;
    inode_init_owner(inode, nullptr, S_IFSOCK | 0777);
    struct dentry *d = d_alloc_anon(inode, &sock_dentry_ops);
    if (!d) {
        iput(inode);
        return -ENFILE;
    }
    struct path path = {sock_mount, d};
    int err = file_alloc(&path, O_RDWR | (flags & O_NONBLOCK), &socket_file_ops, out);
    dput(d);
    return err;
}

void socket_file_attach(struct file *file, struct socket *s)
{
    file->private = s;
    WRITE_ONCE(s->inode, file->inode);
}

int socket_file(struct socket *s, unsigned flags, struct file **out)
{
    int err = socket_file_alloc(flags, out);
    if (err)
        socket_close(s);
    else
        socket_file_attach(*out, s);
    return err;
}

static int sockfs_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *, struct superblock **out)
{
    return sb_create_nameless(type, flags, SOCKFS_MAGIC, nullptr, out);
}
FILE_SYSTEM(sockfs_type) = {.name = "sockfs", .flags = FS_NO_USER_MOUNT, .get_super = sockfs_get_super};

static int socket_init_fs(void)
{
    int err = mount_internal(&sockfs_type, nullptr, &sock_mount);
    ASSERT(!err);
    return 0;
}
INITCALL(subsys, socket_init_fs);
