// kernel/vfs/poll_syscalls.c — poll(2), ppoll(2).
//
// The first round registers on every object's queue; from then on (or once something is ready) objects are only asked. Errors and hang-ups are reported
// whether asked for or not; a descriptor that is not open is POLLNVAL, a negative one is left out.
#include "kernel/abi/poll.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/rlimit.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/poll_wait.h"

static ALWAYS_INLINE bool poll_one(struct abi_pollfd *p, const struct fd_view *view, struct poll_waiter *w)
{
    uint32_t mask = 0;
    if (likely(p->fd >= 0)) {
        struct fd_ref f = fd_view_get(view, p->fd);
        mask = EPOLLNVAL;
        if (likely(f.file)) {
            uint32_t wanted = (uint16_t)p->events | EPOLLERR | EPOLLHUP;
            mask = poll_waiter_ask(w, f.file, wanted) & wanted;
            fd_put(f);
        }
    }
    p->revents = (int16_t)mask;
    return mask != 0;
}

static long poll_loop(struct abi_pollfd *fds, unsigned nr, struct poll_waiter *w, ktime_t deadline)
{
    if (deadline == 0)
        w->pt.queue = nullptr;
    bool timed_out = deadline == 0;
    for (;;) {
        long ready = 0;
        struct fd_view view = fd_view();
        for (struct abi_pollfd *p = fds; p < fds + nr; p++) {
            if (poll_one(p, &view, w)) {
                ready++;
                w->pt.queue = nullptr; // there is a result: nobody needs to call us any more
            }
        }
        w->pt.queue = nullptr;
        if (ready)
            return ready;
        if (w->err)
            return w->err;
        if (timed_out)
            return signal_pending() ? -EINTR : 0; // a mask for the length of the call lets signals in, also where nothing is waited for
        int err = poll_waiter_sleep(w, deadline);
        if (err == -EINTR)
            return -EINTR;
        timed_out = err == -ETIMEDOUT; // one more look
    }
}

// Only the results go back: the rest of an entry may be another thread's to change.
static int revents_to_user(struct abi_pollfd __user *ufds, const struct abi_pollfd *fds, unsigned nr)
{
    if (!user_range_ok(user_addr(ufds), nr * sizeof *ufds))
        return -EFAULT;
    arch_user_open();
    for (unsigned i = 0; i < nr; i++)
        put_user_open(fds[i].revents, &ufds[i].revents, fault);
    arch_user_close();
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}

static long do_poll(struct abi_pollfd __user *ufds, unsigned nr, ktime_t deadline)
{
    struct abi_pollfd few[16] __attribute__((uninitialized)), *fds = few;
    if (nr > rlimit(RLIMIT_NOFILE))
        return -EINVAL;
    if (nr > ARRAY_SIZE(few) && !(fds = kvmalloc(nr * sizeof *fds, ALLOC_KERNEL)))
        return -ENOMEM;
    long n = -EFAULT;
    if (!copy_from_user(fds, ufds, nr * sizeof *fds)) {
        struct poll_waiter w __attribute__((uninitialized));
        poll_waiter_init(&w);
        n = poll_loop(fds, nr, &w, deadline);
        poll_waiter_free(&w);
        if (n >= 0 && revents_to_user(ufds, fds, nr))
            n = -EFAULT;
    }
    if (fds != few)
        kvfree(fds);
    return n;
}

static long poll_restart(struct restart_block *r)
{
    long n = do_poll(user_ptr(struct abi_pollfd, r->arg[0]), (unsigned)r->arg[1], r->deadline);
    if (n != -EINTR)
        return n;
    r->fn = poll_restart; // once more: whoever restarts takes it away
    return -ERESTART_RESTARTBLOCK;
}

SYSCALL3(poll, struct abi_pollfd __user *, ufds, unsigned, nr, int, timeout_ms)
{
    ktime_t deadline = timeout_ms < 0 ? KTIME_MAX : timeout_ms ? ktime_add_safe(clock_monotonic(), timeout_ms * NSEC_PER_MSEC) : 0;
    long n = do_poll(ufds, nr, deadline);
    if (n != -EINTR)
        return n;
    struct restart_block *r = &current_task()->restart;
    r->fn = poll_restart;
    r->deadline = deadline;
    r->arg[0] = user_addr(ufds);
    r->arg[1] = nr;
    return -ERESTART_RESTARTBLOCK;
}

SYSCALL5(ppoll, struct abi_pollfd __user *, ufds, unsigned, nr, void __user *, uts, const void __user *, mask, size_t, mask_size)
{
    ktime_t deadline;
    int err = deadline_from_user(uts, false, &deadline);
    if (!err)
        err = temporary_mask_from_user(mask, mask_size);
    if (err)
        return err;
    long n = do_poll(ufds, nr, deadline);
    if (mask && n != -EINTR)
        sigmask_restore_temporary();
    return poll_finish(n, uts, false, deadline);
}
