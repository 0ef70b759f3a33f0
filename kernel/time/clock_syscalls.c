// kernel/time/clock_syscalls.c — asking for and setting the time: clock_gettime(2), clock_settime(2), clock_getres(2), gettimeofday(2),
// settimeofday(2), time(2), times(2), adjtimex(2).

#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/clock_internal.h"
#include "kernel/time/user_timespec.h"
#include "kernel/time/vdso_data.h"

int clock_read(int clockid, ktime_t *ns)
{
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
        *ns = clock_realtime();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW: // nothing steers the clock, so raw is the same
    case CLOCK_MONOTONIC_COARSE:
        *ns = clock_monotonic();
        return 0;
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *ns = clock_boottime();
        return 0;
    case CLOCK_TAI:
        *ns = clock_realtime() + clock_tai_offset() * NSEC_PER_SEC;
        return 0;
    default:
        return -EINVAL;
    }
}

static int clock_or_cpu_read(int clockid, ktime_t *ns)
{
    if (!clockid_is_cpu(clockid))
        return clock_read(clockid, ns);
    struct cpu_clock clock;
    int err = cpu_clock_find(clockid, &clock);
    if (err)
        return err;
    *ns = (ktime_t)cpu_clock_read(&clock);
    cpu_clock_put(&clock);
    return 0;
}

SYSCALL2(clock_gettime, int, clockid, struct abi_timespec __user *, tp)
{
    ktime_t ns;
    int err = clock_or_cpu_read(clockid, &ns);
    return err ? err : timespec_to_user(tp, ns);
}

SYSCALL2(clock_getres, int, clockid, struct abi_timespec __user *, res)
{
    ktime_t ns;
    int err = clock_or_cpu_read(clockid, &ns); // only for the check
    if (err)
        return err;
    bool coarse = clockid == CLOCK_REALTIME_COARSE || clockid == CLOCK_MONOTONIC_COARSE;
    return res ? timespec_to_user(res, coarse ? vdso_page.data.coarse_resolution : 1) : 0;
}

SYSCALL2(clock_settime, int, clockid, const struct abi_timespec __user *, tp)
{
    ktime_t now;
    if (clockid < 0) { // a CPU clock by number: there is no setting it
        struct abi_timespec unused;
        if (copy_from_user(&unused, tp, sizeof unused))
            return -EFAULT;
        int err = clock_or_cpu_read(clockid, &now);
        return err ? err : -EPERM;
    }
    if (clockid != CLOCK_REALTIME)
        return -EINVAL;
    int err = timespec_from_user(&now, tp);
    if (err)
        return err;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    return clock_set_realtime(now);
}

SYSCALL2(gettimeofday, struct abi_timeval __user *, utv, struct abi_timezone __user *, utz)
{
    if (utv) {
        struct timespec_k now = ns_to_timespec(clock_realtime());
        struct abi_timeval tv = {now.tv_sec, now.tv_nsec / 1000};
        if (copy_to_user(utv, &tv, sizeof tv))
            return -EFAULT;
    }
    if (utz) {
        struct abi_timezone tz = {READ_ONCE(vdso_page.data.tz_minuteswest), READ_ONCE(vdso_page.data.tz_dsttime)};
        if (copy_to_user(utz, &tz, sizeof tz))
            return -EFAULT;
    }
    return 0;
}

// The first call that gives a time zone and no time would, in Linux, shift a local-time clock to UTC ("warp"). Our battery clock is read as UTC, and
// hwclock --systz on such a machine sets the zone with zero minutes west; any other warp is done as asked.
SYSCALL2(settimeofday, const struct abi_timeval __user *, utv, const struct abi_timezone __user *, utz)
{
    static bool warped;
    struct abi_timeval tv;
    struct abi_timezone tz;
    if (utv && copy_from_user(&tv, utv, sizeof tv))
        return -EFAULT;
    if (utv && (tv.tv_usec < 0 || tv.tv_usec > 1000000))
        return -EINVAL;
    if (utz && copy_from_user(&tz, utz, sizeof tz))
        return -EFAULT;
    if (utv && (tv.tv_sec < 0 || tv.tv_usec == 1000000))
        return -EINVAL;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    if (utz) {
        if (tz.tz_minuteswest > 15 * 60 || tz.tz_minuteswest < -15 * 60)
            return -EINVAL;
        clock_set_timezone(tz.tz_minuteswest, tz.tz_dsttime);
        bool first = !__atomic_exchange_n(&warped, true, __ATOMIC_RELAXED);
        if (first && !utv && tz.tz_minuteswest)
            return clock_set_realtime(clock_realtime() + tz.tz_minuteswest * 60 * NSEC_PER_SEC);
    }
    return utv ? clock_set_realtime(timespec_to_ns((struct timespec_k){tv.tv_sec, tv.tv_usec * 1000})) : 0;
}

SYSCALL1(time, int64_t __user *, tloc)
{
    int64_t now = clock_realtime() / NSEC_PER_SEC;
    if (tloc && put_user(now, tloc))
        return -EFAULT;
    return now;
}

SYSCALL1(times, struct abi_tms __user *, buf)
{
    const int64_t tick = NSEC_PER_SEC / USER_HZ;
    if (buf) {
        struct process *p = current_process();
        uint64_t utime, stime;
        process_times(p, &utime, &stime);
        struct abi_tms tms = {(int64_t)utime / tick, (int64_t)stime / tick, (int64_t)READ_ONCE(p->children_utime) / tick,
                              (int64_t)READ_ONCE(p->children_stime) / tick};
        if (copy_to_user(buf, &tms, sizeof tms))
            return -EFAULT;
    }
    return clock_boottime() / tick;
}

// -- adjtimex: the clock is never slewed, so offsets and frequencies other than "none" are refused; stepping, TAI and the figures that NTP
// daemons keep in the kernel are real.

static struct {
    int64_t maxerror, esterror, constant;
    int status;
} ntp = {.maxerror = 16000000, .esterror = 16000000, .constant = 2, .status = STA_UNSYNC};
static DEFINE_LOCK_CLASS(ntp_class, "clock discipline", RANK_TIMER_USER);
static struct spinlock ntp_lock = SPINLOCK_INIT(&ntp_class);

static int timex_step(const struct abi_timex *tx)
{
    int64_t unit = tx->modes & ADJ_NANO ? 1 : 1000, fraction = tx->time.tv_usec;
    if (fraction < 0 || fraction >= NSEC_PER_SEC / unit)
        return -EINVAL;
    ktime_t step, now;
    if (__builtin_mul_overflow(tx->time.tv_sec, NSEC_PER_SEC, &step) || __builtin_add_overflow(step, fraction * unit, &step) ||
        __builtin_add_overflow(clock_realtime(), step, &now))
        return -EINVAL;
    return clock_set_realtime(now);
}

static int timex_apply(const struct abi_timex *tx)
{
    if (tx->modes & (ADJ_TICK | 0x8000) || (tx->modes & ADJ_OFFSET && tx->offset) || (tx->modes & ADJ_FREQUENCY && tx->freq))
        return -EINVAL;
    if (tx->modes & ADJ_SETOFFSET) {
        int err = timex_step(tx);
        if (err)
            return err;
    }
    if (tx->modes & ADJ_TAI && tx->constant >= 0 && tx->constant < 65536)
        clock_set_tai_offset((int)tx->constant);
    spin_guard(&ntp_lock);
    if (tx->modes & ADJ_STATUS)
        ntp.status = (ntp.status & ~STA_SETTABLE) | (tx->status & STA_SETTABLE);
    if (tx->modes & ADJ_NANO)
        ntp.status |= STA_NANO;
    if (tx->modes & ADJ_MICRO)
        ntp.status &= ~STA_NANO;
    if (tx->modes & ADJ_MAXERROR)
        ntp.maxerror = tx->maxerror;
    if (tx->modes & ADJ_ESTERROR)
        ntp.esterror = tx->esterror;
    if (tx->modes & ADJ_TIMECONST)
        ntp.constant = tx->constant;
    return 0;
}

static long do_adjtimex(struct abi_timex __user *utx)
{
    struct abi_timex tx;
    if (copy_from_user(&tx, utx, sizeof tx))
        return -EFAULT;
    if (tx.modes && tx.modes != ADJ_OFFSET_SS_READ) {
        if (!capable(CAP_SYS_TIME))
            return -EPERM;
        int err = timex_apply(&tx);
        if (err)
            return err;
    }
    struct timespec_k now = ns_to_timespec(clock_realtime());
    spin_lock(&ntp_lock);
    int status = ntp.status;
    tx = (struct abi_timex){.modes = tx.modes, .maxerror = ntp.maxerror, .esterror = ntp.esterror, .status = status, .constant = ntp.constant,
                            .precision = 1, .tolerance = 32768000, .tick = 10000, .tai = clock_tai_offset(),
                            .time = {now.tv_sec, status & STA_NANO ? now.tv_nsec : now.tv_nsec / 1000}};
    spin_unlock(&ntp_lock);
    if (copy_to_user(utx, &tx, sizeof tx))
        return -EFAULT;
    return status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

SYSCALL1(adjtimex, struct abi_timex __user *, utx)
{
    return do_adjtimex(utx);
}

SYSCALL2(clock_adjtime, int, clockid, struct abi_timex __user *, utx)
{
    if (clockid != CLOCK_REALTIME) {
        ktime_t ns;
        int err = clock_or_cpu_read(clockid, &ns);
        return err ? err : -EOPNOTSUPP;
    }
    return do_adjtimex(utx);
}
