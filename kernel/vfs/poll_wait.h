// kernel/vfs/poll_wait.h — the waiting half of poll(2) and select(2): one thread listening on many queues.
#pragma once

#include "kernel/vfs/file.h"

#define POLL_EMBEDDED 8u

struct poll_entry {
    struct wait_entry wait;
    struct waitqueue *wq;
    struct file *file;      // with a reference while we listen
    struct poll_waiter *owner;
};

struct poll_waiter {
    struct poll_table pt;   // first for container_of; queue is null once everyone is listened to
    struct thread *thread;
    bool triggered;
    int err;                // -ENOMEM
    unsigned nr;
    struct poll_page *more;
    struct poll_entry embedded[POLL_EMBEDDED];
};

// The readiness of `file` for a waiter that wants to hear of `wanted`.
static inline uint32_t poll_waiter_ask(struct poll_waiter *w, struct file *file, uint32_t wanted)
{
    w->pt.events = wanted;
    return file->ops->poll ? file->ops->poll(file, &w->pt) : POLL_ALWAYS;
}

void poll_waiter_init(struct poll_waiter *w); // of the current thread, listening to nothing yet
void poll_waiter_free(struct poll_waiter *w); // stops listening
// Sleeps until a queue calls or until the deadline (KTIME_MAX: none). 0, -ETIMEDOUT, -EINTR.
[[nodiscard]] int poll_waiter_sleep(struct poll_waiter *w, ktime_t deadline);

// A user time-out as an absolute deadline; nothing for a null pointer. 0, -EFAULT, -EINVAL.
[[nodiscard]] int deadline_from_user(const void __user *uts, bool microseconds, ktime_t *deadline);
// The end of a call with result n that deadline_from_user() gave its deadline: writes back what is left, if there was any. -EINTR becomes -ERESTARTNOHAND,
// unless what is left could not be told (or, by STICKY_TIMEOUTS, is not), as the call would begin with the whole time again.
long poll_finish(long n, void __user *uts, bool microseconds, ktime_t deadline);
// The mask for the length of a call: 0, -EINVAL (size), -EFAULT.
[[nodiscard]] int temporary_mask_from_user(const void __user *mask, size_t size);
