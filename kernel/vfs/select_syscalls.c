// kernel/vfs/select_syscalls.c — select(2), pselect6(2).
#include "kernel/abi/poll.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/poll_wait.h"

#define READ_EVENTS (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define WRITE_EVENTS (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define EXCEPT_EVENTS EPOLLPRI
static const uint32_t set_events[3] = {READ_EVENTS, WRITE_EVENTS, EXCEPT_EVENTS};

struct select_sets {
    unsigned nr;              // descriptors
    size_t words;
    unsigned long *in, *out;  // three sets each: read, write, except
};

static int select_one(struct select_sets *s, unsigned fd, const struct fd_view *view, struct poll_waiter *w, long *ready)
{
    uint32_t wanted = 0;
    for (unsigned k = 0; k < 3; k++)
        if (test_bit(fd, s->in + k * s->words))
            wanted |= set_events[k];
    if (!wanted)
        return 0;
    struct fd_ref f = fd_view_get(view, (int)fd);
    if (!f.file)
        return -EBADF;
    uint32_t mask = poll_waiter_ask(w, f.file, wanted | EPOLLERR | EPOLLHUP);
    fd_put(f);
    for (unsigned k = 0; k < 3; k++) {
        if (mask & set_events[k] && test_bit(fd, s->in + k * s->words)) {
            s->out[k * s->words + fd / 64] |= 1UL << fd % 64;
            ++*ready;
            w->pt.queue = nullptr;
        }
    }
    return 0;
}

static long select_loop(struct select_sets *s, struct poll_waiter *w, ktime_t deadline)
{
    bool timed_out = deadline == 0;
    if (timed_out)
        w->pt.queue = nullptr;
    for (;;) {
        long ready = 0;
        struct fd_view view = fd_view();
        for (size_t word = 0; word < s->words; word++) {
            unsigned long any = s->in[word] | s->in[s->words + word] | s->in[2 * s->words + word];
            for (; any; any &= any - 1) {
                int err = select_one(s, (unsigned)(word * 64 + (unsigned)__builtin_ctzl(any)), &view, w, &ready);
                if (err)
                    return err;
            }
        }
        w->pt.queue = nullptr;
        if (ready)
            return ready;
        if (w->err)
            return w->err;
        if (timed_out)
            return signal_pending() ? -EINTR : 0;
        int err = poll_waiter_sleep(w, deadline);
        if (err == -EINTR)
            return -EINTR;
        timed_out = err == -ETIMEDOUT;
    }
}

static int sets_in(struct select_sets *s, void __user *const usets[3])
{
    size_t bytes = DIV_ROUND_UP(s->nr, 64u) * 8;
    for (unsigned k = 0; k < 3; k++) {
        unsigned long *set = s->in + k * s->words;
        if (usets[k] && copy_from_user(set, usets[k], bytes))
            return -EFAULT;
        if (s->nr % 64)
            set[s->nr / 64] &= ~(~0UL << s->nr % 64);
    }
    return 0;
}

static int sets_out(struct select_sets *s, void __user *const usets[3])
{
    size_t bytes = DIV_ROUND_UP(s->nr, 64u) * 8;
    for (unsigned k = 0; k < 3; k++)
        if (usets[k] && copy_to_user(usets[k], s->out + k * s->words, bytes))
            return -EFAULT;
    return 0;
}

static long do_select(int nr, void __user *const usets[3], ktime_t deadline)
{
    if (nr < 0)
        return -EINVAL;
    unsigned long few[6 * 2] __attribute__((uninitialized));
    struct select_sets s = {.nr = (unsigned)nr, .in = few};
    s.nr = min(s.nr, files_max(current_task()->files)); // bits beyond the table are not looked at: select(2)
    s.words = DIV_ROUND_UP(s.nr, 64u);
    if (s.words > 2 && !(s.in = kvmalloc(6 * s.words * sizeof(long), ALLOC_KERNEL)))
        return -ENOMEM;
    memset(s.in, 0, 6 * s.words * sizeof(long));
    s.out = s.in + 3 * s.words;
    long n = s.nr ? sets_in(&s, usets) : 0;
    if (!n) {
        struct poll_waiter w __attribute__((uninitialized));
        poll_waiter_init(&w);
        n = select_loop(&s, &w, deadline);
        poll_waiter_free(&w);
    }
    if (n >= 0 && s.nr) {
        int err = sets_out(&s, usets);
        n = err ? err : n;
    }
    if (s.in != few)
        kvfree(s.in);
    return n;
}

SYSCALL5(select, int, nr, void __user *, in, void __user *, out, void __user *, except, void __user *, utv)
{
    ktime_t deadline;
    int err = deadline_from_user(utv, true, &deadline);
    if (err)
        return err;
    long n = do_select(nr, (void __user *const[3]){in, out, except}, deadline);
    return poll_finish(n, utv, true, deadline);
}

SYSCALL6(pselect6, int, nr, void __user *, in, void __user *, out, void __user *, except, void __user *, uts, const void __user *, usig)
{
    struct abi_sigset_arg sig = {};
    if (usig && copy_from_user(&sig, usig, sizeof sig))
        return -EFAULT;
    ktime_t deadline;
    int err = deadline_from_user(uts, false, &deadline);
    if (!err)
        err = temporary_mask_from_user(user_ptr(void, sig.set), sig.size);
    if (err)
        return err;
    long n = do_select(nr, (void __user *const[3]){in, out, except}, deadline);
    if (sig.set && n != -EINTR)
        sigmask_restore_temporary();
    return poll_finish(n, uts, false, deadline);
}
