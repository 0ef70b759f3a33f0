// kernel/vfs/poll_wait.c — listening on many wait queues at once.
#include "kernel/vfs/poll_wait.h"

#include "arch/include/user_copy.h"
#include "kernel/abi/personality.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"

struct poll_page {
    struct poll_page *next;
    unsigned nr;
    struct poll_entry entries[(PAGE_SIZE - 16) / sizeof(struct poll_entry)];
};

uint32_t file_poll(struct file *file, struct poll_table *pt)
{
    return file->ops->poll ? file->ops->poll(file, pt) : POLL_ALWAYS;
}

static bool poll_wake(struct wait_entry *wait, uint32_t)
{
    struct poll_waiter *w = container_of(wait, struct poll_entry, wait)->owner;
    store_release(&w->triggered, true);
    return thread_wake(w->thread, WAKE_NORMAL);
}

static struct poll_entry *entry_new(struct poll_waiter *w)
{
    if (w->nr < POLL_EMBEDDED)
        return &w->embedded[w->nr++];
    if (!w->more || w->more->nr == ARRAY_SIZE(w->more->entries)) {
        struct poll_page *page = kmalloc(sizeof *page, ALLOC_KERNEL);
        if (!page)
            return nullptr;
        page->next = w->more;
        page->nr = 0;
        w->more = page;
    }
    return &w->more->entries[w->more->nr++];
}

static void poll_listen(struct poll_table *pt, struct file *file, struct waitqueue *wq)
{
    struct poll_waiter *w = container_of(pt, struct poll_waiter, pt);
    struct poll_entry *e = entry_new(w);
    if (!e) {
        w->err = -ENOMEM;
        return;
    }
    *e = (struct poll_entry){.wait = {.callback = poll_wake, .events = pt->events}, .wq = wq, .file = file_get(file), .owner = w};
    waitqueue_add(wq, &e->wait);
}

void poll_waiter_init(struct poll_waiter *w)
{
    w->pt.queue = poll_listen;
    w->pt.events = 0;
    w->thread = current_thread();
    w->triggered = false;
    w->err = 0;
    w->nr = 0;
    w->more = nullptr;
}

static void entry_drop(struct poll_entry *e)
{
    waitqueue_remove(e->wq, &e->wait);
    file_put(e->file);
}

void poll_waiter_free(struct poll_waiter *w)
{
    for (unsigned i = 0; i < w->nr; i++)
        entry_drop(&w->embedded[i]);
    while (w->more) {
        struct poll_page *page = w->more;
        for (unsigned i = 0; i < page->nr; i++)
            entry_drop(&page->entries[i]);
        w->more = page->next;
        kfree(page);
    }
}

int poll_waiter_sleep(struct poll_waiter *w, ktime_t deadline)
{
    int err = 0;
    if (signal_pending())
        return -EINTR;
    set_current_state(THREAD_INTERRUPTIBLE);
    if (!load_acquire(&w->triggered) && !signal_pending()) {
        if (deadline == KTIME_MAX)
            schedule();
        else
            err = schedule_until(deadline);
    }
    set_current_state(THREAD_RUNNING);
    // What is triggered from here on is looked at in the next round.
    if (__atomic_exchange_n(&w->triggered, false, __ATOMIC_SEQ_CST))
        return 0;
    return signal_pending() ? -EINTR : err;
}

int deadline_from_user(const void __user *uts, bool microseconds, ktime_t *deadline)
{
    *deadline = KTIME_MAX;
    if (!uts)
        return 0;
    struct timespec_k ts;
    if (copy_from_user(&ts, uts, sizeof ts))
        return -EFAULT;
    if (microseconds) {
        // select(2) takes any number of microseconds and carries.
        if (ts.tv_sec < 0 || ts.tv_nsec < 0)
            return -EINVAL;
        ts.tv_sec = ts.tv_sec > INT64_MAX - ts.tv_nsec / 1000000 ? INT64_MAX : ts.tv_sec + ts.tv_nsec / 1000000;
        ts.tv_nsec = ts.tv_nsec % 1000000 * 1000;
    }
    if (!timespec_valid(ts))
        return -EINVAL;
    ktime_t span = timespec_to_ns(ts);
    *deadline = span ? ktime_add_safe(clock_monotonic(), span) : 0;
    return 0;
}

long poll_finish(long n, void __user *uts, bool microseconds, ktime_t deadline)
{
    bool told = true;
    if (deadline && deadline != KTIME_MAX) {
        ktime_t now = clock_monotonic();
        struct timespec_k left = ns_to_timespec(deadline > now ? deadline - now : 0);
        if (microseconds)
            left.tv_nsec /= 1000;
        told = !(current_task()->personality & STICKY_TIMEOUTS) && !copy_to_user(uts, &left, sizeof left);
    }
    return n == -EINTR && told ? -ERESTARTNOHAND : n;
}

int temporary_mask_from_user(const void __user *mask, size_t size)
{
    uint64_t set;
    if (!mask)
        return 0;
    if (size != sizeof set)
        return -EINVAL;
    if (copy_from_user(&set, mask, sizeof set))
        return -EFAULT;
    sigmask_set_temporary(set & ~SIG_KERNEL_ONLY);
    return 0;
}
