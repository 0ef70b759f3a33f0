// kernel/time/user_timespec.h — struct timespec from and to user space.
#pragma once

#include "arch/include/user_copy.h"
#include "kernel/abi/errno.h"
#include "kernel/abi/time.h"
#include "kernel/time/clock.h"

// User structures. -EFAULT; -EINVAL for times that are not normalised or negative.
[[nodiscard]] static inline int timespec_from_user(ktime_t *ns, const struct abi_timespec __user *uts)
{
    struct abi_timespec ts;
    if (copy_from_user(&ts, uts, sizeof ts))
        return -EFAULT;
    struct timespec_k k = {ts.tv_sec, ts.tv_nsec};
    if (!timespec_valid(k))
        return -EINVAL;
    *ns = timespec_to_ns(k);
    return 0;
}

[[nodiscard]] static inline int timespec_to_user(struct abi_timespec __user *uts, ktime_t ns)
{
    struct timespec_k k = ns_to_timespec(ns);
    struct abi_timespec ts = {k.tv_sec, k.tv_nsec};
    return copy_to_user(uts, &ts, sizeof ts) ? -EFAULT : 0;
}
