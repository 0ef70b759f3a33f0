// kernel/vfs/inotify.c — inotify descriptors: their queue of events, reading it, the system calls. inotify(7).
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify_internal.h"
#include "kernel/vfs/namei.h"

static DEFINE_LOCK_CLASS(inotify_class, "inotify", RANK_FILES);

int sysctl_inotify_max_queued_events = 16384, sysctl_inotify_max_user_instances = 128, sysctl_inotify_max_user_watches = 8192;

// ---- the queue ------------------------------------------------------------------------------------------------------

static struct inotify_event *event_new(int wd, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
    struct inotify_event *e = kmalloc(sizeof *e + len, ALLOC_ATOMIC);
    if (e) {
        *e = (struct inotify_event){.wd = wd, .mask = mask, .cookie = cookie, .name_len = (uint32_t)len};
        if (len)
            memcpy(e->name, name, len);
    }
    return e;
}

// Two equal ones in a row are one, but for the end of a watch.
static bool repeats_last(struct inotify_group *g, const struct inotify_event *e) REQUIRES(g->lock)
{
    if (list_empty(&g->events))
        return false;
    const struct inotify_event *last = LIST_ENTRY(g->events.prev, struct inotify_event, link);
    return !(last->mask & IN_IGNORED) && last->mask == e->mask && last->wd == e->wd && last->name_len == e->name_len &&
           !memcmp(last->name, e->name, e->name_len);
}

// False: it is not wanted on the queue.
static bool enqueue(struct inotify_group *g, struct inotify_event *e)
{
    spin_guard(&g->lock);
    if (!e || g->nr_events >= (unsigned)READ_ONCE(sysctl_inotify_max_queued_events)) {
        if (!list_empty(&g->overflow->link))
            return false;
        list_add_tail(&g->overflow->link, &g->events);
        WRITE_ONCE(g->nr_events, g->nr_events + 1);
        return false;
    }
    if (repeats_last(g, e))
        return false;
    list_add_tail(&e->link, &g->events);
    WRITE_ONCE(g->nr_events, g->nr_events + 1);
    return true;
}

void inotify_queue(struct inotify_group *g, int wd, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
    struct inotify_event *e = event_new(wd, mask, cookie, name, len);
    if (!enqueue(g, e))
        kfree(e);
    wake_up_poll(&g->wait, EPOLLIN | EPOLLRDNORM);
    fasync_notify(&g->async, POLL_IN);
}

static size_t size_of(const struct inotify_event *e)
{
    size_t name = e->name_len ? ALIGN_UP(e->name_len + 1, sizeof(struct abi_inotify_event)) : 0;
    return sizeof(struct abi_inotify_event) + name;
}

// Takes the first event if it fits into `room`. Null: there is none; -EINVAL in *err: it does not fit.
static struct inotify_event *take(struct inotify_group *g, size_t room, int *err)
{
    spin_guard(&g->lock);
    struct inotify_event *e = list_first_entry_or_null(&g->events, struct inotify_event, link);
    if (!e)
        return nullptr;
    if (size_of(e) > room) {
        *err = -EINVAL;
        return nullptr;
    }
    list_del_init(&e->link);
    WRITE_ONCE(g->nr_events, g->nr_events - 1);
    return e;
}

static bool hand_out(struct iov_iter *to, const struct inotify_event *e)
{
    size_t padded = size_of(e) - sizeof(struct abi_inotify_event);
    struct abi_inotify_event head = {e->wd, e->mask, e->cookie, (uint32_t)padded};
    if (copy_to_iter(to, &head, sizeof head) != sizeof head || copy_to_iter(to, e->name, e->name_len) != e->name_len)
        return false;
    return zero_iter(to, padded - e->name_len) == padded - e->name_len;
}

// ---- the descriptor -------------------------------------------------------------------------------------------------

static ssize_t inotify_read(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct inotify_group *g = file->private;
    ssize_t done = 0;
    for (;;) {
        int err = 0;
        struct inotify_event *e = take(g, iov_iter_count(to), &err);
        if (e) {
            ssize_t size = (ssize_t)size_of(e);
            bool ok = hand_out(to, e);
            if (e != g->overflow)
                kfree(e);
            if (!ok)
                return -EFAULT;
            done += size;
            continue;
        }
        if (done || err)
            return done ? done : err;
        if (file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT)
            return -EAGAIN;
        if (wait_event_interruptible(&g->wait, READ_ONCE(g->nr_events)))
            return -ERESTARTSYS;
    }
}

static uint32_t inotify_poll(struct file *file, struct poll_table *pt)
{
    struct inotify_group *g = file->private;
    poll_wait(file, &g->wait, pt);
    return READ_ONCE(g->nr_events) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long inotify_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
    struct inotify_group *g = file->private;
    if (cmd != FIONREAD)
        return -ENOTTY;
    int bytes = 0;
    {
        struct inotify_event *e;
        spin_guard(&g->lock);
        list_for_each_entry(e, &g->events, link) bytes += (int)size_of(e);
    }
    return put_user(bytes, user_ptr(int, arg));
}

void inotify_group_put(struct inotify_group *g)
{
    if (!refcount_dec_and_test(&g->refs))
        return;
    struct inotify_event *e, *next;
    list_for_each_entry_safe(e, next, &g->events, link)
    {
        list_del_init(&e->link);
        if (e != g->overflow)
            kfree(e);
    }
    kfree(g->overflow);
    user_account_put(g->user);
    kfree(g);
}

static void inotify_release(struct file *file)
{
    struct inotify_group *g = file->private;
    inotify_watches_drop(g);
    atomic_dec(&g->user->inotify_instances);
    inotify_group_put(g);
}

// There are no positions, and asking for one is no error.
static loff_t inotify_llseek(struct file *file, loff_t, int)
{
    return file->pos;
}

static int inotify_fasync(struct file *file, int fd, bool on)
{
    struct inotify_group *g = file->private;
    return fasync_update(&g->async, file, fd, on);
}

static void inotify_fdinfo(struct seq_file *m, struct file *file)
{
    inotify_watches_show(m, file->private);
}

static const struct file_ops inotify_ops = {
    .read_iter = inotify_read,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .release = inotify_release,
    .fasync = inotify_fasync,
    .show_fdinfo = inotify_fdinfo,
    .llseek = inotify_llseek,
};

static int group_create(struct inotify_group **out)
{
    struct user_account *user = current_cred()->user;
    if (atomic_inc_return(&user->inotify_instances) > READ_ONCE(sysctl_inotify_max_user_instances)) {
        atomic_dec(&user->inotify_instances);
        return -EMFILE;
    }
    struct inotify_group *g = kzalloc(sizeof *g, ALLOC_KERNEL);
    if (!g || !(g->overflow = kzalloc(sizeof *g->overflow, ALLOC_KERNEL))) {
        kfree(g);
        atomic_dec(&user->inotify_instances);
        return -ENOMEM;
    }
    refcount_set(&g->refs, 1);
    spin_init(&g->lock, &inotify_class);
    list_init(&g->events);
    list_init(&g->overflow->link);
    g->overflow->wd = -1;
    g->overflow->mask = IN_Q_OVERFLOW;
    waitqueue_init(&g->wait);
    refcount_inc(&user->refs);
    g->user = user;
    *out = g;
    return 0;
}

static long inotify_open(unsigned flags)
{
    struct inotify_group *g;
    struct file *file;
    int err = group_create(&g);
    if (err)
        return err;
    err = file_anon("inotify", &inotify_ops, g, O_RDONLY | (flags & IN_NONBLOCK), &file);
    if (err) {
        atomic_dec(&g->user->inotify_instances);
        inotify_group_put(g);
        return err;
    }
    return fd_install_new(file, flags & IN_CLOEXEC);
}

SYSCALL0(inotify_init)
{
    return inotify_open(0);
}

SYSCALL1(inotify_init1, unsigned, flags)
{
    return inotify_open(flags);
}

#define ADD_WATCH_FLAGS                                                                                                \
    (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR |  \
     IN_ONESHOT)

SYSCALL3(inotify_add_watch, int, fd, const char __user *, upath, uint32_t, mask)
{
    if (mask & ~ADD_WATCH_FLAGS || !mask)
        return -EINVAL;
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    if ((mask & (IN_MASK_ADD | IN_MASK_CREATE)) == (IN_MASK_ADD | IN_MASK_CREATE) || f.file->ops != &inotify_ops)
        return -EINVAL;
    PATHNAME(name);
    struct path p;
    int err = pathname_from_user(&name, upath, 0);
    if (!err)
        err = path_lookup_at(AT_FDCWD, &name, (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) | (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0), &p);
    if (err)
        return err;
    err = inode_permission(p.dentry->inode, MAY_READ);
    if (!err)
        err = inotify_watch_set(f.file->private, p.dentry->inode, mask);
    path_put(&p);
    return err;
}

SYSCALL2(inotify_rm_watch, int, fd, int, wd)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    return f.file->ops == &inotify_ops ? inotify_watch_remove(f.file->private, wd) : -EINVAL;
}

// Watches of one user may keep up to a hundredth of memory.
static int inotify_init(void)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    uint64_t watches = mem.total / 100 * PAGE_SIZE / (sizeof(struct inotify_watch) + 2 * sizeof(struct inode));
    sysctl_inotify_max_user_watches = (int)min(max(watches, (uint64_t)8192), (uint64_t)1048576);
    return 0;
}
INITCALL(subsys, inotify_init);
