// kernel/net/sockopt.c — options of SOL_SOCKET: socket(7). What a socket here can not honour is refused, as Linux refuses it for families that lack it.

#include "kernel/abi/errno.h"
#include "kernel/abi/fcntl.h"
#include "kernel/abi/resource.h"
#include "kernel/base/string.h"
#include "kernel/net/socket.h"
#include "kernel/proc/pid.h"
#include "kernel/proc/pidfd.h"
#include "kernel/vfs/file.h"

#define BUFFER_MIN 2304
#define SNDBUF_MIN 4608

static int set_timeout(ktime_t *timeo, unsigned long uvalue, int len)
{
    struct abi_timeval tv;
    if (len < (int)sizeof tv)
        return -EINVAL;
    if (copy_from_user(&tv, user_ptr(void, uvalue), sizeof tv))
        return -EFAULT;
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0)
        *timeo = 0;
    else if (!tv.tv_sec && !tv.tv_usec)
        *timeo = KTIME_MAX;
    else
        *timeo = tv.tv_sec >= KTIME_MAX / NSEC_PER_SEC ? KTIME_MAX : tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC;
    return 0;
}

static int set_linger(struct socket *s, unsigned long uvalue, int len)
{
    struct abi_linger l;
    if (len < (int)sizeof l)
        return -EINVAL;
    if (copy_from_user(&l, user_ptr(void, uvalue), sizeof l))
        return -EFAULT;
    s->linger = l;
    return 0;
}

// The kernel keeps twice what is asked for, as socket(7) says: bookkeeping counts too.
static size_t buffer_size(int value, size_t max, size_t least, bool force)
{
    size_t size = value < 0 ? 0 : (size_t)value;
    size = min(size, force ? (size_t)INT32_MAX / 2 : min(max, (size_t)INT32_MAX / 2));
    return max(size * 2, least);
}

int socket_setsockopt(struct socket *s, int name, unsigned long uvalue, int len)
{
    int value = 0;
    if (name == SO_RCVTIMEO || name == SO_SNDTIMEO)
        return set_timeout(name == SO_RCVTIMEO ? &s->rcvtimeo : &s->sndtimeo, uvalue, len);
    if (name == SO_LINGER)
        return set_linger(s, uvalue, len);
    if (len < (int)sizeof value)
        return -EINVAL;
    if (get_user(value, user_ptr(int, uvalue)))
        return -EFAULT;
    mutex_guard(&s->lock);
    switch (name) {
    case SO_DEBUG:
        if (value && !capable(CAP_NET_ADMIN))
            return -EACCES;
        s->debug = value; // nothing of what is here tells more for it, nor does Linux's AF_UNIX
        return 0;
    case SO_REUSEADDR:
        s->reuseaddr = value;
        return 0;
    case SO_REUSEPORT:
        s->reuseport = value;
        return 0;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
    case SO_ACCEPTCONN:
        return -ENOPROTOOPT;
    case SO_DONTROUTE:
        s->dontroute = value;
        return 0;
    case SO_BROADCAST:
        s->broadcast = value;
        return 0;
    case SO_KEEPALIVE:
        s->keepalive = value;
        return 0;
    case SO_OOBINLINE:
        s->oobinline = value;
        return 0;
    case SO_PRIORITY:
        if ((value < 0 || value > 6) && !capable(CAP_NET_ADMIN))
            return -EPERM;
        s->priority = value;
        return 0;
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        if (!capable(CAP_NET_ADMIN))
            return -EPERM;
        [[fallthrough]];
    case SO_SNDBUF:
    case SO_RCVBUF:
        if (name == SO_SNDBUF || name == SO_SNDBUFFORCE)
            s->sndbuf = buffer_size(value, sysctl_wmem_max, SNDBUF_MIN, name == SO_SNDBUFFORCE);
        else
            s->rcvbuf = buffer_size(value, sysctl_rmem_max, BUFFER_MIN, name == SO_RCVBUFFORCE);
        wake_up_all(&s->wq);
        return 0;
    case SO_RCVLOWAT:
        s->rcvlowat = value < 0 ? INT32_MAX : value ? value : 1;
        return 0;
    case SO_PASSCRED:
        if (s->family != AF_UNIX)
            return -EOPNOTSUPP;
        s->passcred = value;
        return 0;
    case SO_TIMESTAMP:
        return value ? -ENOPROTOOPT : 0; // no message carries its time
    default:
        return -ENOPROTOOPT;
    }
}

static int put_value(unsigned long uvalue, unsigned long ulen, const void *value, int size)
{
    int len;
    if (get_user(len, user_ptr(int, ulen)))
        return -EFAULT;
    if (len < 0)
        return -EINVAL;
    len = min(len, size);
    if (copy_to_user(user_ptr(void, uvalue), value, (size_t)len) || put_user(len, user_ptr(int, ulen)))
        return -EFAULT;
    return 0;
}

static int put_timeout(ktime_t timeo, unsigned long uvalue, unsigned long ulen)
{
    struct abi_timeval tv = {};
    if (timeo != KTIME_MAX)
        tv = (struct abi_timeval){timeo / NSEC_PER_SEC, timeo % NSEC_PER_SEC / NSEC_PER_USEC};
    return put_value(uvalue, ulen, &tv, sizeof tv);
}

static struct abi_ucred peer_ucred(struct socket *s)
{
    mutex_guard(&s->lock);
    if (!s->peer_pid)
        return (struct abi_ucred){.uid = (uid_t)-1, .gid = (gid_t)-1};
    return (struct abi_ucred){.pid = pid_vnr(s->peer_pid), .uid = s->peer_uid, .gid = s->peer_gid};
}

static int put_groups(const struct cred *cred, unsigned long uvalue, unsigned long ulen)
{
    int len, size = (int)(cred->ngroups * sizeof(gid_t));
    if (get_user(len, user_ptr(int, ulen)))
        return -EFAULT;
    if (len < size)
        return put_user(size, user_ptr(int, ulen)) ? -EFAULT : -ERANGE;
    return put_value(uvalue, ulen, cred->groups, size);
}

static int peer_groups(struct socket *s, unsigned long uvalue, unsigned long ulen)
{
    const struct cred *cred;
    {
        mutex_guard(&s->lock);
        cred = s->peer_cred ? cred_get(s->peer_cred) : nullptr;
    }
    int err = cred ? put_groups(cred, uvalue, ulen) : -ENODATA;
    cred_put(cred);
    return err;
}

static int peer_pidfd(struct socket *s, unsigned long uvalue, unsigned long ulen)
{
    struct file *file;
    struct pid *pid;
    {
        mutex_guard(&s->lock);
        pid = s->peer_pid ? pid_get(s->peer_pid) : nullptr;
    }
    int err = pid ? pidfd_create(pid, 0, &file) : -ENODATA;
    pid_put(pid);
    if (err)
        return err;
    int fd = fd_reserve(0, O_CLOEXEC);
    if (fd >= 0) {
        err = put_value(uvalue, ulen, &fd, sizeof fd);
        if (!err) {
            fd_install(fd, file);
            return 0;
        }
        fd_release(fd);
    }
    file_put(file);
    return fd < 0 ? fd : err;
}

int socket_getsockopt(struct socket *s, int name, unsigned long uvalue, unsigned long ulen)
{
    int value;
    switch (name) {
    case SO_RCVTIMEO:
        return put_timeout(s->rcvtimeo, uvalue, ulen);
    case SO_SNDTIMEO:
        return put_timeout(s->sndtimeo, uvalue, ulen);
    case SO_LINGER:
        return put_value(uvalue, ulen, &s->linger, sizeof s->linger);
    case SO_PEERCRED: {
        struct abi_ucred ucred = peer_ucred(s);
        return put_value(uvalue, ulen, &ucred, sizeof ucred);
    }
    case SO_PEERGROUPS:
        return peer_groups(s, uvalue, ulen);
    case SO_PEERPIDFD:
        return peer_pidfd(s, uvalue, ulen);
    case SO_DEBUG:
        value = s->debug;
        break;
    case SO_REUSEADDR:
        value = s->reuseaddr;
        break;
    case SO_REUSEPORT:
        value = s->reuseport;
        break;
    case SO_TYPE:
        value = s->type;
        break;
    case SO_PROTOCOL:
        value = s->protocol;
        break;
    case SO_DOMAIN:
        value = s->family;
        break;
    case SO_ERROR:
        value = -socket_take_error(s);
        break;
    case SO_ACCEPTCONN:
        value = s->listening;
        break;
    case SO_DONTROUTE:
        value = s->dontroute;
        break;
    case SO_BROADCAST:
        value = s->broadcast;
        break;
    case SO_KEEPALIVE:
        value = s->keepalive;
        break;
    case SO_OOBINLINE:
        value = s->oobinline;
        break;
    case SO_PRIORITY:
        value = s->priority;
        break;
    case SO_SNDBUF:
        value = (int)s->sndbuf;
        break;
    case SO_RCVBUF:
        value = (int)s->rcvbuf;
        break;
    case SO_RCVLOWAT:
        value = s->rcvlowat;
        break;
    case SO_SNDLOWAT:
        value = 1;
        break;
    case SO_PASSCRED:
        value = s->passcred;
        break;
    case SO_TIMESTAMP:
        value = 0;
        break;
    default:
        return -ENOPROTOOPT;
    }
    return put_value(uvalue, ulen, &value, sizeof value);
}
