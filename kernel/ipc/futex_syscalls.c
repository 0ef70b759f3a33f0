// kernel/ipc/futex_syscalls.c — futex(2), futex_wait(2), futex_wake(2) and the arguments they share.
//
// The operations with priority inheritance are not here: they answer -ENOSYS, as Linux does where it is built without them, and C libraries
// then refuse to make such mutexes.

#include "kernel/ipc/futex_internal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/user_timespec.h"

// The timeout of a waiting operation. For FUTEX_WAIT it is relative, for the others absolute.
static int deadline_from_user(struct futex_deadline *deadline, const struct abi_timespec __user *utimeout, bool relative, bool real)
{
    *deadline = (struct futex_deadline){.at = KTIME_MAX, .clock = real ? HRTIMER_REALTIME : HRTIMER_MONOTONIC};
    if (!utimeout)
        return 0;
    ktime_t time;
    int err = timespec_from_user(&time, utimeout);
    if (err)
        return err;
    if (relative) // how long it is does not depend on what the clock is set to
        *deadline = (struct futex_deadline){.at = ktime_add_safe(clock_monotonic(), time), .clock = HRTIMER_MONOTONIC};
    else
        deadline->at = min(time, KTIME_MAX - 1);
    return 0;
}

SYSCALL6(futex, uint32_t __user *, uaddr, int, op, uint32_t, val, unsigned long, arg4, uint32_t __user *, uaddr2, uint32_t, val3)
{
    int command = op & FUTEX_CMD_MASK;
    bool private = op & FUTEX_PRIVATE_FLAG;
    struct futex_deadline deadline;
    if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) {
        int err = deadline_from_user(&deadline, user_ptr(const struct abi_timespec, arg4), command == FUTEX_WAIT, op & FUTEX_CLOCK_REALTIME);
        if (err)
            return err;
    }
    if (op & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET) // not FUTEX_WAIT: its timeout is relative (so Linux since 5.14)
        return -ENOSYS;
    switch (command) {
    case FUTEX_WAIT:
        return futex_wait(uaddr, private, val, &deadline, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET:
        return futex_wait(uaddr, private, val, &deadline, val3);
    case FUTEX_WAKE:
        return futex_wake(uaddr, private, (int)val, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(uaddr, private, (int)val, val3);
    case FUTEX_REQUEUE:
        return futex_requeue(uaddr, uaddr2, private, (int)val, (int)arg4, nullptr);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(uaddr, uaddr2, private, (int)val, (int)arg4, &val3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(uaddr, uaddr2, private, (int)val, (int)arg4, val3);
    default:
        return -ENOSYS;
    }
}

// The flags of the newer calls: only 32-bit words, on no particular NUMA node.
static int flags_check(unsigned flags)
{
    return (flags & FUTEX2_SIZE_MASK) == FUTEX2_SIZE_U32 ? 0 : -EINVAL;
}

SYSCALL4(futex_wake, uint32_t __user *, uaddr, unsigned long, mask, int, nr, unsigned, flags)
{
    int err = flags_check(flags);
    if (err)
        return err;
    if (mask > UINT32_MAX)
        return -EINVAL;
    return nr <= 0 ? 0 : futex_wake(uaddr, flags & FUTEX2_PRIVATE, nr, (uint32_t)mask);
}

SYSCALL6(futex_wait, uint32_t __user *, uaddr, unsigned long, val, unsigned long, mask, unsigned, flags, const struct abi_timespec __user *, utimeout,
         int, clockid)
{
    int err = flags_check(flags);
    if (err)
        return err;
    if (val > UINT32_MAX || mask > UINT32_MAX || (utimeout && clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC))
        return -EINVAL;
    struct futex_deadline deadline;
    err = deadline_from_user(&deadline, utimeout, false, clockid == CLOCK_REALTIME);
    if (err)
        return err;
    long result = futex_wait(uaddr, flags & FUTEX2_PRIVATE, (uint32_t)val, &deadline, (uint32_t)mask);
    return result == -ERESTART_RESTARTBLOCK ? -ERESTARTSYS : result; // the timeout is a point in time: the same call again waits until then
}
