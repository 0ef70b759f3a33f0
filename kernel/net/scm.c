// kernel/net/scm.c — control messages: descriptors and credentials that travel with data. unix(7), cmsg(3).

#include "kernel/abi/fcntl.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/net/socket.h"
#include "kernel/net/unix.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/file.h"

void scm_destroy(struct scm *scm)
{
    if (scm->charged)
        unix_flight_end(scm);
    for (unsigned i = 0; i < scm->nr_files; i++)
        file_put(scm->files[i]);
    kfree(scm->files);
    pid_put(scm->pid);
    *scm = (struct scm){};
}

int scm_fill_creds(struct scm *scm)
{
    const struct cred *cred = current_cred();
    if (scm->pid)
        return 0;
    scm->pid = pid_get(current_process()->pid);
    scm->uid = cred->uid;
    scm->gid = cred->gid;
    return 0;
}

static int take_files(struct scm *scm, unsigned long at, size_t bytes)
{
    size_t n = bytes / sizeof(int);
    if (scm->nr_files + n > SCM_MAX_FD)
        return -EINVAL;
    if (!scm->files && !(scm->files = kmalloc(SCM_MAX_FD * sizeof *scm->files, ALLOC_KERNEL)))
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int fd;
        if (get_user(fd, user_ptr(int, at + i * sizeof fd)))
            return -EFAULT;
        struct file *file = files_lookup(current_task()->files, fd);
        if (!file)
            return -EBADF;
        scm->files[scm->nr_files++] = file;
    }
    return 0;
}

// Credentials that a sender states must be its own, unless it is privileged.
static int take_creds(struct scm *scm, unsigned long at, size_t bytes)
{
    struct abi_ucred ucred;
    const struct cred *cred = current_cred();
    if (bytes != sizeof ucred)
        return -EINVAL;
    if (copy_from_user(&ucred, user_ptr(void, at), sizeof ucred))
        return -EFAULT;
    bool uid_ok = ucred.uid == cred->uid || ucred.uid == cred->euid || ucred.uid == cred->suid || capable(CAP_SETUID);
    bool gid_ok = ucred.gid == cred->gid || ucred.gid == cred->egid || ucred.gid == cred->sgid || capable(CAP_SETGID);
    bool pid_ok = ucred.pid == pid_vnr(current_process()->pid) || capable(CAP_SYS_ADMIN);
    if (!uid_ok || !gid_ok || !pid_ok)
        return -EPERM;
    rcu_read_lock();
    struct pid *pid = pid_find(task_pid_ns(current_task()), ucred.pid);
    if (pid && !refcount_inc_not_zero(&pid->refs))
        pid = nullptr;
    rcu_read_unlock();
    if (!pid)
        return -ESRCH;
    pid_put(scm->pid);
    scm->pid = pid;
    scm->uid = ucred.uid;
    scm->gid = ucred.gid;
    return 0;
}

int scm_from_user(struct message *msg, unsigned long control, size_t len)
{
    for (size_t at = 0; len - at >= sizeof(struct abi_cmsghdr) && at < len;) {
        struct abi_cmsghdr h;
        if (copy_from_user(&h, user_ptr(void, control + at), sizeof h))
            return -EFAULT;
        if (h.len < sizeof h || h.len > len - at)
            return -EINVAL;
        if (h.level == SOL_SOCKET) {
            unsigned long data = control + at + sizeof h;
            int err = h.type == SCM_RIGHTS        ? take_files(&msg->scm, data, h.len - sizeof h)
                      : h.type == SCM_CREDENTIALS ? take_creds(&msg->scm, data, h.len - sizeof h)
                                                  : -EINVAL;
            if (err)
                return err;
        }
        at += CMSG_ALIGN(h.len);
    }
    return 0;
}

void put_cmsg(struct cmsg_out *out, int level, int type, const void *data, size_t size)
{
    struct abi_cmsghdr h = {.len = sizeof h + size, .level = level, .type = type};
    if (out->left < sizeof h) {
        *out->flags |= MSG_CTRUNC;
        return;
    }
    if (out->left < h.len) {
        *out->flags |= MSG_CTRUNC;
        h.len = out->left;
        size = h.len - sizeof h;
    }
    if (copy_to_user(user_ptr(void, out->at), &h, sizeof h) || copy_to_user(user_ptr(void, out->at + sizeof h), data, size))
        return;
    size_t step = min(CMSG_ALIGN(h.len), out->left);
    out->at += step;
    out->left -= step;
    out->used += step;
}

// As many descriptors as there is room for are installed; the rest are closed and MSG_CTRUNC says so.
static void put_files(struct cmsg_out *out, struct scm *scm, bool cloexec)
{
    struct abi_cmsghdr h = {.level = SOL_SOCKET, .type = SCM_RIGHTS};
    size_t room = out->left > sizeof h ? (out->left - sizeof h) / sizeof(int) : 0;
    unsigned n = 0;
    for (; n < scm->nr_files && n < room; n++) {
        int fd = fd_reserve(0, cloexec ? O_CLOEXEC : 0);
        if (fd < 0)
            break;
        if (put_user(fd, user_ptr(int, out->at + sizeof h + n * sizeof fd))) {
            fd_release(fd);
            break;
        }
        fd_install(fd, scm->files[n]);
    }
    for (unsigned i = n; i < scm->nr_files; i++)
        file_put(scm->files[i]);
    if (n < scm->nr_files)
        *out->flags |= MSG_CTRUNC;
    scm->nr_files = 0;
    if (!n)
        return;
    h.len = sizeof h + n * sizeof(int);
    if (copy_to_user(user_ptr(void, out->at), &h, sizeof h))
        return;
    size_t step = min(CMSG_ALIGN(h.len), out->left);
    out->at += step;
    out->left -= step;
    out->used += step;
}

size_t scm_to_user(struct message *msg, struct socket *s, unsigned long control, size_t len, bool cloexec)
{
    struct scm *scm = &msg->scm;
    struct cmsg_out out = {.at = control, .left = len, .flags = &msg->out_flags};
    if (s->passcred) {
        struct abi_ucred ucred = {.pid = scm->pid ? pid_vnr(scm->pid) : 0, .uid = scm->pid ? scm->uid : 65534, .gid = scm->pid ? scm->gid : 65534};
        put_cmsg(&out, SOL_SOCKET, SCM_CREDENTIALS, &ucred, sizeof ucred);
    }
    if (scm->nr_files)
        put_files(&out, scm, cloexec);
    if (s->ops->put_control)
        s->ops->put_control(s, msg, &out);
    return out.used;
}
