// kernel/proc/pidfd.c — processes as file descriptors: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).

#include "kernel/abi/clone.h"
#include "kernel/abi/fcntl.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/pidfd.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/seq_file.h"

static void pidfd_release(struct file *file)
{
    pid_put(file->private);
}

// Readable once the process (or, for PIDFD_THREAD, the thread) has ended; hung up as well once it was reaped.
static uint32_t pidfd_poll(struct file *file, struct poll_table *pt)
{
    struct pid *pid = file->private;
    poll_wait(file, &pid->poll_wq, pt);
    uint32_t events = 0;
    rcu_read_lock();
    struct task *t = pid_task(pid, file->flags & PIDFD_THREAD ? PID_THREAD : PID_PROCESS);
    if (!t)
        events = EPOLLIN | EPOLLRDNORM | EPOLLHUP;
    else if (file->flags & PIDFD_THREAD ? t->exiting : t->process->state != PROCESS_ALIVE)
        events = EPOLLIN | EPOLLRDNORM;
    rcu_read_unlock();
    return events;
}

static void pidfd_show(struct seq_file *m, struct file *file)
{
    struct pid *pid = file->private;
    rcu_read_lock();
    bool alive = pid_task(pid, PID_THREAD);
    rcu_read_unlock();
    seq_printf(m, "Pid:\t%d\nNSpid:\t%d\n", alive ? pid_vnr(pid) : -1, alive ? pid_vnr(pid) : -1);
}

static const struct file_ops pidfd_ops = {
    .release = pidfd_release,
    .poll = pidfd_poll,
    .show_fdinfo = pidfd_show,
    .nonseekable = true,
};

struct pid *(*pid_of_folder)(struct file *file);

struct pid *pidfd_pid(struct file *file)
{
    return file->ops == &pidfd_ops ? file->private : nullptr;
}

struct task *pidfd_task_get(struct pid *pid)
{
    struct task *task = pid_task_get(pid, PID_PROCESS);
    return task ? task : pid_task_get(pid, PID_THREAD);
}

int pidfd_create(struct pid *pid, unsigned flags, struct file **out)
{
    int err = file_anon("[pidfd]", &pidfd_ops, pid, O_RDWR | flags, out);
    if (!err)
        pid_get(pid);
    return err;
}

SYSCALL2(pidfd_open, pid_t, upid, unsigned, flags)
{
    if (upid <= 0)
        return -EINVAL;
    rcu_read_lock();
    struct pid *pid = pid_find(task_pid_ns(current_task()), upid);
    bool leader = pid && pid_task(pid, PID_PROCESS);
    bool thread = pid && pid_task(pid, PID_THREAD);
    if (pid && !refcount_inc_not_zero(&pid->refs))
        pid = nullptr;
    rcu_read_unlock();
    if (!pid)
        return -ESRCH;
    int err = (flags & PIDFD_THREAD ? thread : leader) ? 0 : -EINVAL;
    struct file *file;
    if (!err && !(err = pidfd_create(pid, flags, &file)))
        err = fd_install_new(file, O_CLOEXEC);
    pid_put(pid);
    return err;
}

SYSCALL4(pidfd_send_signal, int, fd, int, sig, const void __user *, uinfo, unsigned, flags)
{
    if (flags & (flags - 1))
        return -EINVAL;
    FD_REF(f, fd);
    struct pid *pid = f.file ? pidfd_pid(f.file) : nullptr;
    if (!pid && f.file && pid_of_folder)
        pid = pid_of_folder(f.file); // from before there were pidfds
    if (!pid)
        return -EBADF;
    if (!pid_vnr(pid)) // not of our PID namespace, nor of one below it
        return -EINVAL;
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    struct siginfo info;
    if (uinfo) {
        if (copy_from_user(&info, uinfo, sizeof info))
            return -EFAULT;
        if (info.si_signo != sig)
            return -EINVAL;
        if (!siginfo_may_send(&info, pid == current_task()->pid && !(flags & PIDFD_SIGNAL_PROCESS_GROUP)))
            return -EPERM;
    }
    bool to_thread = flags & PIDFD_SIGNAL_THREAD || (!flags && (f.file->flags & PIDFD_THREAD));
    if (flags & PIDFD_SIGNAL_PROCESS_GROUP)
        return signal_kill_pgrp(pid, sig, uinfo ? &info : nullptr);
    struct task *t = to_thread ? pid_task_get(pid, PID_THREAD) : pidfd_task_get(pid);
    if (!t)
        return -ESRCH;
    int err;
    if (!uinfo && to_thread) {
        info = (struct siginfo){.si_signo = sig, .si_code = SI_TKILL};
        info.rt.pid = pid_nr_ns(current_process()->pid, task_pid_ns(t));
        info.rt.uid = current_cred()->uid;
    }
    if (!may_signal(t, sig))
        err = -EPERM;
    else if (to_thread)
        err = signal_send_thread(t, sig, &info);
    else
        err = signal_send_near(t, sig, uinfo ? &info : nullptr);
    task_put(t);
    return err;
}

SYSCALL3(pidfd_getfd, int, fd, int, targetfd, unsigned, flags)
{
    if (flags)
        return -EINVAL;
    FD_REF(f, fd);
    struct pid *pid = f.file ? pidfd_pid(f.file) : nullptr;
    if (!pid)
        return -EBADF;
    struct task *task = pidfd_task_get(pid);
    if (!task)
        return -ESRCH;
    // Asked twice: before, lest an execve() in between gives us what the program was about to close; after, as for everything that is taken hold of first.
    int result = task_may_access(task, true);
    struct files *files = result ? nullptr : task_files_get(task);
    struct file *file = files ? files_lookup(files, targetfd) : nullptr;
    if (!result)
        result = task_may_access(task, true);
    if (result && file)
        file_put(file);
    if (!result)
        result = !files ? -ESRCH : !file ? -EBADF : fd_install_new(file, O_CLOEXEC);
    if (files)
        files_release(files);
    task_put(task);
    return result;
}
