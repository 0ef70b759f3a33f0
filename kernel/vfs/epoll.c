// kernel/vfs/epoll.c — epoll instances: epoll(7).
//
// An item is a (file, descriptor) pair in an instance's tree. It listens on the file's wait queues; when one calls, the item goes on the ready list in
// constant time and a sleeper in epoll_wait is woken. epoll_wait takes items off the list first and asks the file afterwards, so an event that comes in
// between puts the item back. A level-triggered item that was reported goes back at once: the next wait asks it again.
//
// Locks: ep->mutex (nested: an instance may watch another) holds items still; ep->lock, taken in any context inside a wait queue's lock, guards the ready list.
// teardown_mutex lets the end of a file and the end of an instance agree on who removes an item.
#include "kernel/mm/stat.h"
#include "kernel/vfs/epoll_internal.h"

#include "kernel/abi/poll.h"
#include "kernel/boot/init.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/poll_wait.h"
#include "kernel/vfs/seq_file.h"

static DEFINE_LOCK_CLASS(epoll_teardown_class, "epoll teardown", (enum lock_rank)(RANK_EPOLL - 2));
static DEFINE_LOCK_CLASS_NESTED(epoll_class, "epoll", RANK_EPOLL);
static DEFINE_LOCK_CLASS(epoll_ready_class, "epoll ready list", (enum lock_rank)(RANK_WAITQUEUE + 1));

#define PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

static struct mutex teardown_mutex = MUTEX_INIT(teardown_mutex, &epoll_teardown_class);
uint64_t sysctl_epoll_max_user_watches;

// ---- events come in -------------------------------------------------------------------------------------------------

static void make_ready(struct epoll_item *item)
{
    struct epoll *ep = item->ep;
    spin_irq_guard(&ep->lock);
    if (list_empty(&item->ready_link))
        list_add_tail(&item->ready_link, &ep->ready);
    WRITE_ONCE(ep->available, true);
}

static bool any_ready(const struct epoll *ep)
{
    return READ_ONCE(ep->available);
}

static bool epoll_wake(struct wait_entry *wait, uint32_t events)
{
    if (unlikely(events & WAIT_QUEUE_ENDS)) {
        store_release(&container_of(wait, struct epoll_listener, wait)->wq, nullptr);
        return false;
    }
    struct epoll_item *item = container_of(wait, struct epoll_listener, wait)->item;
    struct epoll *ep = item->ep;
    uint32_t wanted = READ_ONCE(item->events);
    if (!(wanted & ~PRIVATE_BITS) || (events && !(events & wanted)))
        return false;
    make_ready(item);
    bool somebody = waitqueue_active(&ep->wait);
    wake_up(&ep->wait);
    wake_up_nr(&ep->poll_wq, EPOLLIN | EPOLLRDNORM, ~0u);
    // An exclusive wake-up is used up only if one sleeps here who will deal with it.
    return wanted & EPOLLEXCLUSIVE ? somebody : true;
}

struct item_table {
    struct poll_table pt; // first
    struct epoll_item *item;
};

static void item_listen(struct poll_table *pt, struct file *, struct waitqueue *wq)
{
    struct epoll_item *item = container_of(pt, struct item_table, pt)->item;
    struct epoll_listener *l = &item->first;
    if (item->first_used && !(l = kmalloc(sizeof *l, ALLOC_KERNEL))) {
        item->no_memory = true;
        return;
    }
    item->first_used = true;
    *l = (struct epoll_listener){.wait = {.callback = epoll_wake}, .wq = wq, .item = item, .next = item->listeners};
    if (item->events & EPOLLEXCLUSIVE)
        l->wait.flags = WAIT_EXCLUSIVE;
    list_init(&l->wait.link);
    item->listeners = l;
    waitqueue_add(wq, &l->wait);
}

// ---- items: ep->mutex held ------------------------------------------------------------------------------------------

static int item_order(const struct epoll_item *item, const struct file *file, int fd)
{
    if (item->file != file)
        return file < item->file ? -1 : 1;
    return fd - item->fd;
}

static struct epoll_item *item_find(struct epoll *ep, struct file *file, int fd)
{
    for (struct rb_node *n = ep->items.node; n;) {
        struct epoll_item *item = rb_entry(n, struct epoll_item, node);
        int order = item_order(item, file, fd);
        if (!order)
            return item;
        n = order < 0 ? n->left : n->right;
    }
    return nullptr;
}

static void item_insert(struct epoll *ep, struct epoll_item *item)
{
    struct rb_node **link = &ep->items.node, *parent = nullptr;
    while (*link) {
        parent = *link;
        link = item_order(rb_entry(parent, struct epoll_item, node), item->file, item->fd) < 0 ? &parent->left : &parent->right;
    }
    rb_link_node(&item->node, parent, link);
    rb_insert(&ep->items, &item->node, nullptr);
}

static void stop_listening(struct epoll_listener *l)
{
    rcu_read_lock();
    struct waitqueue *wq = load_acquire(&l->wq);
    if (wq)
        waitqueue_remove(wq, &l->wait);
    rcu_read_unlock();
}

static void item_remove(struct epoll *ep, struct epoll_item *item)
{
    for (struct epoll_listener *l = item->listeners, *next; l; l = next) {
        next = l->next;
        stop_listening(l);
        if (l != &item->first)
            kfree(l);
    }
    spin_lock(&epoll_links_lock);
    list_del_init(&item->file_link);
    spin_unlock(&epoll_links_lock);
    rb_erase(&ep->items, &item->node, nullptr);
    irq_flags_t irq = spin_lock_irqsave(&ep->lock);
    list_del_init(&item->ready_link);
    WRITE_ONCE(ep->available, ep->scanning || !list_empty(&ep->ready));
    spin_unlock_irqrestore(&ep->lock, irq);
    atomic_dec(&ep->user->epoll_watches);
    kfree_rcu(item, rcu);
}

// What of an item's events holds now. 0 also where its file is at its end.
static uint32_t item_poll(struct epoll_item *item, struct poll_table *pt)
{
    if (!refcount_inc_not_zero(&item->file->refs))
        return 0;
    uint32_t events = file_poll(item->file, pt) & item->events & ~PRIVATE_BITS;
    file_put(item->file);
    return events;
}

static void wake_if(struct epoll *ep, bool ready)
{
    if (!ready)
        return;
    wake_up(&ep->wait);
    wake_up_nr(&ep->poll_wq, EPOLLIN | EPOLLRDNORM, ~0u);
}

// ---- adding and changing --------------------------------------------------------------------------------------------

static struct epoll_item *item_make(struct epoll *ep)
{
    struct epoll_item *item = kzalloc(sizeof *item, ALLOC_KERNEL);
    if (item)
        atomic_inc(&ep->user->epoll_watches);
    return item;
}

// nested: epoll_nest_mutex is held, as it has to be where this makes paths longer than one link; else, if it does, EPOLL_NEEDS_NESTING.
static int item_add(struct epoll *ep, struct file *file, int fd, const struct abi_epoll_event *event, bool nested)
{
    // Who links this instance under another from now on finds the item through it: ep->mutex is held.
    if (!nested && !list_empty(&ep->file->epoll_links))
        return EPOLL_NEEDS_NESTING;
    if ((uint64_t)atomic_read(&ep->user->epoll_watches) >= READ_ONCE(sysctl_epoll_max_user_watches))
        return -ENOSPC;
    struct epoll_item *item = item_make(ep);
    if (!item)
        return -ENOMEM;
    item->ep = ep;
    item->file = file;
    item->fd = fd;
    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    list_init(&item->ready_link);
    item_insert(ep, item);
    spin_lock(&epoll_links_lock);
    list_add_tail(&item->file_link, &file->epoll_links);
    spin_unlock(&epoll_links_lock);
    if (nested && !epoll_paths_fit(file)) {
        item_remove(ep, item);
        return -EINVAL;
    }
    struct item_table table = {.pt = {.queue = item_listen, .events = item->events}, .item = item};
    uint32_t now = item_poll(item, &table.pt);
    if (item->no_memory) {
        item_remove(ep, item);
        return -ENOMEM;
    }
    if (now)
        make_ready(item);
    wake_if(ep, now);
    return 0;
}

static int item_modify(struct epoll *ep, struct epoll_item *item, const struct abi_epoll_event *event)
{
    if (item->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    WRITE_ONCE(item->events, event->events | EPOLLERR | EPOLLHUP);
    item->data = event->data;
    smp_mb(); // against a callback that has just looked at the old events
    uint32_t now = item_poll(item, nullptr);
    if (now)
        make_ready(item);
    wake_if(ep, now);
    return 0;
}

static void epoll_free(struct epoll *ep)
{
    user_account_put(ep->user);
    kfree(ep);
}

// ---- the instance as a file -----------------------------------------------------------------------------------------

static struct epoll_item *next_ready(struct epoll *ep, struct list_head *list)
{
    spin_irq_guard(&ep->lock);
    struct epoll_item *item = list_first_entry_or_null(list, struct epoll_item, ready_link);
    if (item)
        list_del_init(&item->ready_link);
    return item;
}

static void take_all_ready(struct epoll *ep, struct list_head *to)
{
    spin_irq_guard(&ep->lock);
    list_splice_tail_init(&ep->ready, to);
    ep->scanning = true;
    WRITE_ONCE(ep->available, true);
}

// What is left of a scan goes back in front of what came meanwhile. Whether anything is ready.
static bool give_back(struct epoll *ep, struct list_head *rest)
{
    spin_irq_guard(&ep->lock);
    list_splice_tail_init(&ep->ready, rest);
    list_splice_tail_init(rest, &ep->ready);
    ep->scanning = false;
    WRITE_ONCE(ep->available, !list_empty(&ep->ready));
    return ep->available;
}

// Readable when an item is really ready; those that are not any more leave the list here. Another thread's scan is waited for: it may have the only one.
static uint32_t epoll_poll(struct file *file, struct poll_table *pt)
{
    struct epoll *ep = file->private;
    poll_wait(file, &ep->poll_wq, pt);
    if (!any_ready(ep))
        return 0;
    uint32_t mask = 0;
    LIST_HEAD(scan);
    mutex_lock(&ep->mutex);
    take_all_ready(ep, &scan);
    struct epoll_item *item;
    while (!mask && (item = next_ready(ep, &scan))) {
        if (item_poll(item, nullptr)) {
            mask = EPOLLIN | EPOLLRDNORM;
            make_ready(item);
        }
    }
    give_back(ep, &scan);
    mutex_unlock(&ep->mutex);
    return mask;
}

static void epoll_release(struct file *file)
{
    struct epoll *ep = file->private;
    mutex_lock(&teardown_mutex);
    mutex_lock(&ep->mutex);
    for (struct rb_node *n; (n = rb_first(&ep->items));)
        item_remove(ep, rb_entry(n, struct epoll_item, node));
    mutex_unlock(&ep->mutex);
    mutex_unlock(&teardown_mutex);
    epoll_free(ep);
}

void epoll_file_gone(struct file *file)
{
    mutex_guard(&teardown_mutex);
    for (;;) {
        spin_lock(&epoll_links_lock);
        struct epoll_item *item = list_first_entry_or_null(&file->epoll_links, struct epoll_item, file_link);
        spin_unlock(&epoll_links_lock);
        if (!item)
            return;
        struct epoll *ep = item->ep;
        mutex_lock(&ep->mutex);
        if (!list_empty(&file->epoll_links) && list_first_entry(&file->epoll_links, struct epoll_item, file_link) == item)
            item_remove(ep, item);
        mutex_unlock(&ep->mutex);
    }
}

static void epoll_fdinfo(struct seq_file *m, struct file *file)
{
    struct epoll *ep = file->private;
    mutex_guard(&ep->mutex);
    for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
        struct epoll_item *item = rb_entry(n, struct epoll_item, node);
        struct inode *inode = item->file->inode;
        seq_printf(m, "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%x\n", item->fd, item->events, (unsigned long long)item->data,
                   (long long)item->file->pos, (unsigned long long)inode->ino, inode->sb->dev);
    }
}

const struct file_ops epoll_file_ops = {
    .poll = epoll_poll,
    .release = epoll_release,
    .show_fdinfo = epoll_fdinfo,
    .nonseekable = true,
};

// ---- system calls ---------------------------------------------------------------------------------------------------

static long epoll_make(unsigned flags)
{
    struct epoll *ep = kzalloc(sizeof *ep, ALLOC_KERNEL);
    if (!ep)
        return -ENOMEM;
    ep->user = current_cred()->user;
    refcount_inc(&ep->user->refs);
    mutex_init(&ep->mutex, &epoll_class);
    spin_init(&ep->lock, &epoll_ready_class);
    list_init(&ep->ready);
    waitqueue_init(&ep->wait);
    waitqueue_init(&ep->poll_wq);
    struct file *file;
    int err = file_anon("[eventpoll]", &epoll_file_ops, ep, O_RDWR | flags, &file);
    if (err) {
        epoll_free(ep);
        return err;
    }
    ep->file = file;
    return fd_install_new(file, flags);
}

// Items of one user may keep up to a twenty-fifth of memory: epoll(7).
static int epoll_init(void)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    sysctl_epoll_max_user_watches = mem.total / 25 * PAGE_SIZE / sizeof(struct epoll_item);
    return 0;
}
INITCALL(subsys, epoll_init);

SYSCALL1(epoll_create, int, size)
{
    return size <= 0 ? -EINVAL : epoll_make(0);
}

SYSCALL1(epoll_create1, int, flags)
{
    return (unsigned)flags & ~O_CLOEXEC ? -EINVAL : epoll_make((unsigned)flags);
}

static int check_exclusive(int op, const struct abi_epoll_event *event, struct file *target)
{
    const uint32_t ok = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
    if (op == EPOLL_CTL_DEL || !(event->events & EPOLLEXCLUSIVE))
        return 0;
    return op == EPOLL_CTL_MOD || epoll_of(target) || event->events & ~ok ? -EINVAL : 0;
}

static int control(struct epoll *ep, int op, struct file *target, int fd, const struct abi_epoll_event *event, bool nested)
{
    mutex_guard(&ep->mutex);
    struct epoll_item *item = item_find(ep, target, fd);
    switch (op) {
    case EPOLL_CTL_ADD:
        return item ? -EEXIST : item_add(ep, target, fd, event, nested);
    case EPOLL_CTL_MOD:
        return item ? item_modify(ep, item, event) : -ENOENT;
    case EPOLL_CTL_DEL:
        if (!item)
            return -ENOENT;
        item_remove(ep, item);
        return 0;
    }
    return -EINVAL;
}

SYSCALL4(epoll_ctl, int, epfd, int, op, int, fd, struct abi_epoll_event __user *, uevent)
{
    struct abi_epoll_event event = {};
    if (op != EPOLL_CTL_DEL && copy_from_user(&event, uevent, sizeof event))
        return -EFAULT;
    FD_REF(e, epfd);
    if (!e.file)
        return -EBADF;
    FD_REF(t, fd);
    if (!t.file)
        return -EBADF;
    if (!t.file->ops->poll)
        return -EPERM;
    struct epoll *ep = epoll_of(e.file);
    if (!ep || e.file == t.file)
        return -EINVAL;
    int err = check_exclusive(op, &event, t.file);
    if (err)
        return err;
    if (op != EPOLL_CTL_ADD || !epoll_of(t.file)) {
        err = control(ep, op, t.file, fd, &event, false);
        if (err != EPOLL_NEEDS_NESTING)
            return err;
    }
    mutex_guard(&epoll_nest_mutex);
    err = epoll_of(t.file) ? epoll_check_nesting(ep, epoll_of(t.file)) : 0;
    return err ? err : control(ep, op, t.file, fd, &event, true);
}

static long send_events(struct epoll *ep, struct abi_epoll_event __user *out, int max)
{
    LIST_HEAD(scan);
    int n = 0;
    long err = 0;
    mutex_lock(&ep->mutex);
    take_all_ready(ep, &scan);
    struct epoll_item *item;
    while (n < max && (item = next_ready(ep, &scan))) {
        struct abi_epoll_event event = {.events = item_poll(item, nullptr), .data = item->data};
        if (!event.events)
            continue;
        if (copy_to_user(&out[n], &event, sizeof event)) {
            make_ready(item);
            err = -EFAULT;
            break;
        }
        n++;
        if (item->events & EPOLLONESHOT)
            WRITE_ONCE(item->events, item->events & PRIVATE_BITS);
        else if (!(item->events & EPOLLET))
            make_ready(item);
    }
    bool more = give_back(ep, &scan);
    mutex_unlock(&ep->mutex);
    if (more)
        wake_up(&ep->wait);
    return n ? n : err;
}

// One sleep: 0, -ETIMEDOUT, -EINTR.
static int wait_ready(struct epoll *ep, ktime_t deadline)
{
    struct wait_entry entry;
    wait_entry_init(&entry);
    entry.flags |= WAIT_EXCLUSIVE;
    int err = prepare_to_wait(&ep->wait, &entry, THREAD_INTERRUPTIBLE);
    if (!any_ready(ep) && !err) {
        if (deadline == KTIME_MAX)
            schedule();
        else
            err = schedule_until(deadline);
    }
    finish_wait(&ep->wait, &entry);
    return any_ready(ep) ? 0 : err;
}

static long do_wait(int epfd, struct abi_epoll_event __user *out, int max, ktime_t deadline)
{
    if (max <= 0 || max > INT32_MAX / (int)sizeof *out)
        return -EINVAL;
    if (!user_range_ok(user_addr(out), (size_t)max * sizeof *out))
        return -EFAULT;
    FD_REF(e, epfd);
    if (!e.file)
        return -EBADF;
    struct epoll *ep = epoll_of(e.file);
    if (!ep)
        return -EINVAL;
    for (bool timed_out = deadline == 0;;) {
        if (any_ready(ep)) {
            long n = send_events(ep, out, max);
            if (n)
                return n;
        }
        if (timed_out)
            return 0;
        int err = wait_ready(ep, deadline);
        if (err == -EINTR)
            return -EINTR;
        timed_out = err == -ETIMEDOUT;
    }
}

static ktime_t deadline_ms(int timeout)
{
    return timeout < 0 ? KTIME_MAX : timeout ? ktime_add_safe(clock_monotonic(), timeout * NSEC_PER_MSEC) : 0;
}

SYSCALL4(epoll_wait, int, epfd, struct abi_epoll_event __user *, out, int, max, int, timeout)
{
    return do_wait(epfd, out, max, deadline_ms(timeout));
}

static long wait_masked(int epfd, struct abi_epoll_event __user *out, int max, ktime_t deadline, const void __user *mask, size_t mask_size)
{
    int err = temporary_mask_from_user(mask, mask_size);
    if (err)
        return err;
    long n = do_wait(epfd, out, max, deadline);
    if (mask && n != -EINTR)
        sigmask_restore_temporary();
    return n;
}

SYSCALL6(epoll_pwait, int, epfd, struct abi_epoll_event __user *, out, int, max, int, timeout, const void __user *, mask, size_t, mask_size)
{
    return wait_masked(epfd, out, max, deadline_ms(timeout), mask, mask_size);
}

SYSCALL6(epoll_pwait2, int, epfd, struct abi_epoll_event __user *, out, int, max, const void __user *, uts, const void __user *, mask, size_t, mask_size)
{
    ktime_t deadline;
    int err = deadline_from_user(uts, false, &deadline);
    return err ? err : wait_masked(epfd, out, max, deadline, mask, mask_size);
}
