// kernel/time/timerfd.c — timers as files: timerfd_create(2), timerfd_settime(2), timerfd_gettime(2).
//
// Reading gives the number of expirations since the last read. The timer counts the first one as it fires, and a periodic one then rests until
// somebody looks, which counts those that passed meanwhile and starts it again: while nobody reads, it costs nothing. The one counted at firing
// is not taken back should the clock be set back before the read. (Those counted at the look can then be "one less", as the next expiration
// lies ahead again: Linux subtracts it, and a read may return no bytes, which timerfd_create(2) says.)

#include "kernel/abi/fcntl.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/clock_internal.h"
#include "kernel/time/hrtimer.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/iov.h"
#include "kernel/vfs/poll.h"
#include "kernel/vfs/seq_file.h"

struct timerfd {
    struct waitqueue wq;        // its lock guards the fields below
    struct hrtimer timer;
    struct mutex change;        // one timerfd_settime() at a time
    int clockid, flags;         // flags of the last settime
    bool armed;                 // its hrtimer runs, or (resting) will when somebody looks
    bool resting;               // periodic, fired since somebody looked: `next` is the expiration that fired, which `ticks` counts
    bool may_cancel;            // set with TFD_TIMER_CANCEL_ON_SET
    bool cancelled;             // the clock was set while it was so, and nobody has been told; it counts as a tick too, so that the file is readable
    ktime_t next, interval;     // `next`: the expiration that the hrtimer waits for
    uint64_t ticks;             // what a read takes; not zero: readable
    struct list_head all_link;  // timerfds on the real clock: timerfd_list_lock
    bool listed;
};

static DEFINE_LOCK_CLASS(timerfd_list_class, "timerfd list", RANK_TIMER_USER);
static DEFINE_LOCK_CLASS(timerfd_change_class, "timerfd, changing", RANK_EPOLL);
static struct spinlock timerfd_list_lock = SPINLOCK_INIT(&timerfd_list_class);
static LIST_HEAD(timerfd_list);

static bool on_real_clock(const struct timerfd *t)
{
    return t->clockid == CLOCK_REALTIME || t->clockid == CLOCK_REALTIME_ALARM;
}

static ktime_t timer_now(const struct timerfd *t)
{
    return t->timer.clock == HRTIMER_REALTIME ? clock_realtime() : clock_monotonic();
}

static ktime_t timerfd_fired(struct hrtimer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    irq_flags_t flags = spin_lock_irqsave(&t->wq.lock);
    if (t->armed) { // else it is being set anew
        t->ticks++;
        t->armed = t->resting = t->interval != 0;
    }
    spin_unlock_irqrestore(&t->wq.lock, flags);
    wake_up_poll(&t->wq, EPOLLIN | EPOLLRDNORM);
    return KTIME_MAX;
}

// Real time has jumped: readers of timers that asked for it get ECANCELED.
void timerfd_clock_was_set(void)
{
    struct timerfd *t;
    spin_guard(&timerfd_list_lock);
    list_for_each_entry(t, &timerfd_list, all_link) {
        irq_flags_t flags = spin_lock_irqsave(&t->wq.lock);
        t->cancelled = true;
        t->ticks++;
        spin_unlock_irqrestore(&t->wq.lock, flags);
        wake_up_poll(&t->wq, EPOLLIN | EPOLLRDNORM);
    }
}

// How many expirations of a resting timer lie in the past; 0 after the clock was set back. wq.lock held.
static int64_t resting_expirations(const struct timerfd *t)
{
    ktime_t now = timer_now(t);
    return now < t->next ? 0 : (now - t->next) / t->interval + 1;
}

// Counts what passed while the timer rested, and starts it again.
static void timerfd_wake(struct timerfd *t) REQUIRES(t->wq.lock)
{
    if (!t->resting)
        return;
    int64_t passed = resting_expirations(t);
    t->resting = false;
    t->ticks += (uint64_t)passed - 1;
    t->next = ktime_add_safe(t->next, passed * t->interval);
    hrtimer_start(&t->timer, t->next);
}

// 0 and the count (zero if the clock was set back: timerfd_create(2)), -EAGAIN, -ECANCELED.
static int try_read(struct timerfd *t, uint64_t *count)
{
    spin_irq_guard(&t->wq.lock);
    if (t->cancelled && t->may_cancel) { // what had expired by the old clock says nothing any more
        t->cancelled = t->resting = false;
        t->ticks = 0;
        return -ECANCELED;
    }
    if (!t->ticks)
        return -EAGAIN;
    timerfd_wake(t);
    *count = t->ticks;
    t->ticks = 0;
    return 0;
}

static ssize_t timerfd_read(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct timerfd *t = file->private;
    uint64_t count;
    if (iov_iter_count(to) < sizeof count)
        return -EINVAL;
    bool wait = !(file->flags & O_NONBLOCK) && !(rw_flags & RW_NOWAIT);
    int err = try_read(t, &count);
    if (err == -EAGAIN && wait) {
        if (wait_event_interruptible(&t->wq, (err = try_read(t, &count)) != -EAGAIN))
            err = -ERESTARTSYS;
    }
    if (err)
        return err;
    if (!count)
        return wait ? 0 : -EAGAIN;
    return copy_to_iter(to, &count, sizeof count) == sizeof count ? (ssize_t)sizeof count : -EFAULT;
}

static uint32_t timerfd_poll(struct file *file, struct poll_table *pt)
{
    struct timerfd *t = file->private;
    poll_wait(file, &t->wq, pt);
    spin_irq_guard(&t->wq.lock);
    return t->ticks ? EPOLLIN | EPOLLRDNORM : 0;
}

static void timerfd_unlist(struct timerfd *t)
{
    spin_guard(&timerfd_list_lock);
    if (t->listed)
        list_del(&t->all_link);
    t->listed = false;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *t = file->private;
    timerfd_unlist(t);
    hrtimer_cancel(&t->timer);
    kfree(t);
}

static long timerfd_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
    struct timerfd *t = file->private;
    uint64_t ticks;
    if (cmd != TFD_IOC_SET_TICKS)
        return -ENOTTY;
    if (copy_from_user(&ticks, user_ptr(const void, arg), sizeof ticks))
        return -EFAULT;
    if (!ticks)
        return -EINVAL;
    irq_flags_t flags = spin_lock_irqsave(&t->wq.lock);
    bool cancelled = t->cancelled && t->may_cancel;
    t->cancelled &= !cancelled;
    if (!cancelled)
        t->ticks = ticks;
    spin_unlock_irqrestore(&t->wq.lock, flags);
    if (cancelled)
        return -ECANCELED;
    wake_up_poll(&t->wq, EPOLLIN | EPOLLRDNORM);
    return 0;
}

struct timerfd_time {
    ktime_t value, interval;
};

// wq.lock held.
static void timerfd_time_left(const struct timerfd *t, struct timerfd_time *out)
{
    *out = (struct timerfd_time){.interval = t->interval};
    if (!t->armed)
        return;
    ktime_t left = t->next - timer_now(t);
    if (left <= 0 && t->interval)
        left += (-left / t->interval + 1) * t->interval;
    out->value = max(left, (ktime_t)0);
}

static uint64_t pending_ticks(const struct timerfd *t)
{
    return t->ticks + (t->resting ? (uint64_t)resting_expirations(t) - 1 : 0);
}

static void timerfd_show(struct seq_file *m, struct file *file)
{
    struct timerfd *t = file->private;
    struct timerfd_time left;
    irq_flags_t flags = spin_lock_irqsave(&t->wq.lock);
    timerfd_time_left(t, &left);
    uint64_t ticks = pending_ticks(t);
    spin_unlock_irqrestore(&t->wq.lock, flags);
    struct timespec_k value = ns_to_timespec(left.value), interval = ns_to_timespec(left.interval);
    seq_printf(m, "clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%ld, %ld)\nit_interval: (%ld, %ld)\n", t->clockid,
               (unsigned long)ticks, (unsigned)t->flags, (long)value.tv_sec, (long)value.tv_nsec, (long)interval.tv_sec,
               (long)interval.tv_nsec);
}

static const struct file_ops timerfd_ops = {
    .read_iter = timerfd_read,
    .poll = timerfd_poll,
    .ioctl = timerfd_ioctl,
    .release = timerfd_release,
    .show_fdinfo = timerfd_show,
    .nonseekable = true,
};

SYSCALL2(timerfd_create, int, clockid, int, flags)
{
    bool alarm = clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
    if (!alarm && clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC && clockid != CLOCK_BOOTTIME)
        return -EINVAL;
    if (alarm && !capable(CAP_WAKE_ALARM))
        return -EPERM;
    struct timerfd *t = kzalloc(sizeof *t, ALLOC_KERNEL);
    if (!t)
        return -ENOMEM;
    waitqueue_init(&t->wq);
    mutex_init(&t->change, &timerfd_change_class);
    t->clockid = clockid;
    hrtimer_init(&t->timer, HRTIMER_MONOTONIC, timerfd_fired);
    struct file *file;
    int err = file_anon("[timerfd]", &timerfd_ops, t, O_RDWR | (unsigned)(flags & TFD_NONBLOCK), &file);
    if (err) {
        kfree(t);
        return err;
    }
    return fd_install_new(file, (unsigned)(flags & TFD_CLOEXEC));
}

static int timerfd_of(struct file *file, struct timerfd **out)
{
    if (!file)
        return -EBADF;
    if (file->ops != &timerfd_ops)
        return -EINVAL;
    *out = file->private;
    return 0;
}

// Puts it on or takes it off the list of those to be told when real time jumps.
static void timerfd_list_for_cancel(struct timerfd *t, bool wanted)
{
    spin_guard(&timerfd_list_lock);
    if (wanted && !t->listed)
        list_add(&t->all_link, &timerfd_list);
    else if (!wanted && t->listed)
        list_del(&t->all_link);
    t->listed = wanted;
}

static int timerfd_set(struct timerfd *t, int flags, const struct timerfd_time *new, struct timerfd_time *old)
{
    mutex_guard(&t->change);
    bool absolute = flags & TFD_TIMER_ABSTIME, real = absolute && on_real_clock(t);
    timerfd_list_for_cancel(t, real && flags & TFD_TIMER_CANCEL_ON_SET);
    irq_flags_t irq = spin_lock_irqsave(&t->wq.lock);
    timerfd_time_left(t, old);
    t->armed = t->resting = false; // a reader does not start it again
    spin_unlock_irqrestore(&t->wq.lock, irq);
    hrtimer_cancel(&t->timer);
    spin_irq_guard(&t->wq.lock);
    t->flags = flags;
    t->ticks = 0;
    t->interval = new->interval;
    t->may_cancel = real && flags & TFD_TIMER_CANCEL_ON_SET;
    hrtimer_init(&t->timer, real ? HRTIMER_REALTIME : HRTIMER_MONOTONIC, timerfd_fired);
    if (!new->value)
        return 0;
    t->next = absolute ? new->value : ktime_add_safe(clock_monotonic(), new->value);
    t->armed = true;
    hrtimer_start(&t->timer, t->next);
    // A program that sets its timer anew without having read learns here that the clock was set: timerfd_create(2).
    bool cancelled = t->cancelled && t->may_cancel;
    t->cancelled &= !cancelled;
    return cancelled ? -ECANCELED : 0;
}

static int timerfd_time_to_user(struct abi_itimerspec __user *uvalue, const struct timerfd_time *time)
{
    struct timespec_k value = ns_to_timespec(time->value), interval = ns_to_timespec(time->interval);
    struct abi_itimerspec out = {{interval.tv_sec, interval.tv_nsec}, {value.tv_sec, value.tv_nsec}};
    return copy_to_user(uvalue, &out, sizeof out) ? -EFAULT : 0;
}

SYSCALL4(timerfd_settime, int, fd, int, flags, const struct abi_itimerspec __user *, unew, struct abi_itimerspec __user *, uold)
{
    struct abi_itimerspec value;
    if (copy_from_user(&value, unew, sizeof value))
        return -EFAULT;
    struct timespec_k v = {value.value.tv_sec, value.value.tv_nsec}, i = {value.interval.tv_sec, value.interval.tv_nsec};
    if (!timespec_valid(v) || !timespec_valid(i))
        return -EINVAL;
    FD_REF(ref, fd);
    struct timerfd *t;
    int err = timerfd_of(ref.file, &t);
    if (err)
        return err;
    struct timerfd_time new = {timespec_to_ns(v), timespec_to_ns(i)}, old;
    err = timerfd_set(t, flags, &new, &old);
    if (err)
        return err;
    return uold && timerfd_time_to_user(uold, &old) ? -EFAULT : 0;
}

SYSCALL2(timerfd_gettime, int, fd, struct abi_itimerspec __user *, uvalue)
{
    FD_REF(ref, fd);
    struct timerfd *t;
    int err = timerfd_of(ref.file, &t);
    if (err)
        return err;
    struct timerfd_time left;
    irq_flags_t flags = spin_lock_irqsave(&t->wq.lock);
    timerfd_wake(t);
    timerfd_time_left(t, &left);
    spin_unlock_irqrestore(&t->wq.lock, flags);
    return timerfd_time_to_user(uvalue, &left);
}
