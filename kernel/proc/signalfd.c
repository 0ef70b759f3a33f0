// kernel/proc/signalfd.c — signals read from a descriptor: signalfd(2).

#include "kernel/abi/fcntl.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/seq_file.h"

struct signalfd {
    uint64_t set; // written atomically by signalfd4() on an existing descriptor
};

static void fill_poll(struct abi_signalfd_siginfo *out, const struct siginfo *info)
{
    out->ssi_band = (uint32_t)info->poll.band;
    out->ssi_fd = info->poll.fd;
}

static void fill(struct abi_signalfd_siginfo *out, const struct siginfo *info)
{
    *out = (struct abi_signalfd_siginfo){
        .ssi_signo = (uint32_t)info->si_signo,
        .ssi_errno = info->si_errno,
        .ssi_code = info->si_code,
    };
    switch (info->si_signo) {
    case SIGCHLD:
        if (info->si_code > 0 && info->si_code < SI_KERNEL) {
            out->ssi_pid = (uint32_t)info->child.pid;
            out->ssi_uid = info->child.uid;
            out->ssi_status = info->child.status;
            out->ssi_utime = (uint64_t)info->child.utime;
            out->ssi_stime = (uint64_t)info->child.stime;
            return;
        }
        break;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
        if (info->si_code > 0 && info->si_code < SI_KERNEL) {
            out->ssi_addr = info->fault.addr;
            out->ssi_addr_lsb = (uint16_t)info->fault.addr_lsb;
            return;
        }
        break;
    case SIGSYS:
        break;
    default: // SIGIO, or what was chosen instead: fcntl(2), F_SETSIG
        if (info->si_code >= POLL_IN && info->si_code <= POLL_HUP) {
            fill_poll(out, info);
            return;
        }
    }
    if (info->si_code == SI_SIGIO) {
        fill_poll(out, info);
        return;
    }
    if (info->si_code == SI_TIMER) {
        out->ssi_tid = (uint32_t)info->timer.id;
        out->ssi_overrun = (uint32_t)info->timer.overrun;
        out->ssi_int = info->timer.value.sival_int;
        out->ssi_ptr = info->timer.value.sival_ptr;
        return;
    }
    out->ssi_pid = (uint32_t)info->rt.pid;
    out->ssi_uid = info->rt.uid;
    if (info->si_code < 0) {
        out->ssi_int = info->rt.value.sival_int;
        out->ssi_ptr = info->rt.value.sival_ptr;
    }
}

// Reads as many whole records as fit and are there; waits for the first unless nonblocking.
static ssize_t signalfd_read(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct signalfd *sfd = file->private;
    struct task *task = current_task();
    size_t done = 0;
    if (iov_iter_count(to) < sizeof(struct abi_signalfd_siginfo))
        return -EINVAL;
    while (iov_iter_count(to) >= sizeof(struct abi_signalfd_siginfo)) {
        struct siginfo info;
        uint64_t set = READ_ONCE(sfd->set);
        if (!signal_dequeue(task, set, &info)) {
            if (done)
                break;
            if ((file->flags & O_NONBLOCK) || (rw_flags & RW_NOWAIT))
                return -EAGAIN;
            if (wait_event_interruptible(&task->sighand->signalfd_wq, signal_pending_set(task) & READ_ONCE(sfd->set)))
                return -ERESTARTSYS;
            continue;
        }
        struct abi_signalfd_siginfo record;
        fill(&record, &info);
        if (copy_to_iter(to, &record, sizeof record) != sizeof record)
            return done ? (ssize_t)done : -EFAULT;
        done += sizeof record;
    }
    return (ssize_t)done;
}

static uint32_t signalfd_poll(struct file *file, struct poll_table *pt)
{
    struct signalfd *sfd = file->private;
    struct task *task = current_task();
    poll_wait(file, &task->sighand->signalfd_wq, pt);
    return signal_pending_set(task) & READ_ONCE(sfd->set) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void signalfd_release(struct file *file)
{
    kfree(file->private);
}

static void signalfd_show(struct seq_file *m, struct file *file)
{
    seq_printf(m, "sigmask:\t%016lx\n", ((struct signalfd *)file->private)->set);
}

static const struct file_ops signalfd_ops = {
    .read_iter = signalfd_read,
    .poll = signalfd_poll,
    .release = signalfd_release,
    .show_fdinfo = signalfd_show,
    .nonseekable = true,
};

static long do_signalfd(int fd, const uint64_t __user *uset, size_t size, int flags)
{
    uint64_t set;
    if (size != sizeof set)
        return -EINVAL;
    if (get_user(set, uset))
        return -EFAULT;
    set &= ~SIG_KERNEL_ONLY;
    if (fd == -1) {
        struct signalfd *sfd = kmalloc(sizeof *sfd, ALLOC_KERNEL);
        if (!sfd)
            return -ENOMEM;
        sfd->set = set;
        struct file *file;
        int err = file_anon("[signalfd]", &signalfd_ops, sfd, O_RDWR | (unsigned)flags, &file);
        if (err) {
            kfree(sfd);
            return err;
        }
        return fd_install_new(file, (unsigned)flags);
    }
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    if (f.file->ops != &signalfd_ops)
        return -EINVAL;
    WRITE_ONCE(((struct signalfd *)f.file->private)->set, set);
    wake_up_all(&current_task()->sighand->signalfd_wq);
    return fd;
}

SYSCALL3(signalfd, int, fd, const uint64_t __user *, uset, size_t, size)
{
    return do_signalfd(fd, uset, size, 0);
}

SYSCALL4(signalfd4, int, fd, const uint64_t __user *, uset, size_t, size, int, flags)
{
    return do_signalfd(fd, uset, size, flags);
}
