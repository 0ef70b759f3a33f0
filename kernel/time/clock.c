// kernel/time/clock.c — real time: an offset to the monotonic clock, set from the battery clock at boot and by clock_settime(2).
//
// Readers take the offset with one untorn load. Setting it is rare: a mutex, then timers on the real clock and timerfds are told.

#include "kernel/time/clock.h"

#include "kernel/abi/errno.h"
#include "kernel/abi/time.h"
#include "kernel/boot/init.h"
#include "kernel/sync/mutex.h"
#include "kernel/time/clock_internal.h"
#include "kernel/time/hrtimer.h"
#include "kernel/time/vdso_data.h"

#define COARSE_RESOLUTION (4 * NSEC_PER_MSEC)

ktime_t clock_realtime_offset_;
ALIGNED(4096) union vdso_page vdso_page = {.data = {.coarse_resolution = COARSE_RESOLUTION}};

static DEFINE_LOCK_CLASS(clock_set_class, "setting the clock", RANK_TIMER_USER);
static DEFINE_LOCK_CLASS(vdso_class, "vDSO data", RANK_HRTIMER);
static struct spinlock clock_set_lock = SPINLOCK_INIT(&clock_set_class); // offset and TAI as a pair
static struct spinlock vdso_lock = SPINLOCK_INIT(&vdso_class);
static irq_flags_t vdso_irq_flags; // guarded by vdso_lock
static int tai_offset;

void vdso_data_write_begin(void) NO_THREAD_SAFETY_ANALYSIS
{
    irq_flags_t flags = spin_lock_irqsave(&vdso_lock);
    vdso_irq_flags = flags;
    WRITE_ONCE(vdso_page.data.seq, vdso_page.data.seq + 1);
    smp_wmb();
}

// What the clocks showed at counter_base, from the parts.
static void find_starts(struct vdso_data *d)
{
    for (size_t i = 0; i < VDSO_CLOCKS; i++)
        d->start[i] = VDSO_ASK_KERNEL;
    if (d->clock_mode != CLOCK_MODE_COUNTER)
        return;
    int64_t monotonic = d->base_ns, realtime = monotonic + d->realtime_offset;
    d->start[CLOCK_MONOTONIC] = d->start[CLOCK_MONOTONIC_RAW] = d->start[CLOCK_MONOTONIC_COARSE] = monotonic;
    d->start[CLOCK_BOOTTIME] = monotonic;
    d->start[CLOCK_REALTIME] = d->start[CLOCK_REALTIME_COARSE] = realtime;
    d->start[CLOCK_TAI] = realtime + d->tai_offset * NSEC_PER_SEC;
}

void vdso_data_write_end(void) NO_THREAD_SAFETY_ANALYSIS
{
    irq_flags_t flags = vdso_irq_flags;
    find_starts(&vdso_page.data);
    store_release(&vdso_page.data.seq, vdso_page.data.seq + 1);
    spin_unlock_irqrestore(&vdso_lock, flags);
}

static void publish(void)
{
    vdso_data_write_begin();
    vdso_page.data.realtime_offset = clock_realtime_offset();
    vdso_page.data.tai_offset = tai_offset;
    vdso_data_write_end();
}

// As on Linux the clock has thirty years left to run.
#define SETTABLE_MAX (KTIME_MAX - 30 * 365 * 24 * 3600 * NSEC_PER_SEC)

int clock_set_realtime(ktime_t now)
{
    spin_lock(&clock_set_lock);
    ktime_t offset = now - clock_monotonic();
    bool valid = now >= 0 && offset >= 0 && now < SETTABLE_MAX;
    if (valid) {
        WRITE_ONCE(clock_realtime_offset_, offset);
        publish();
    }
    spin_unlock(&clock_set_lock);
    if (!valid)
        return -EINVAL;
    hrtimer_clock_was_set();
    timerfd_clock_was_set();
    return 0;
}

int clock_tai_offset(void)
{
    return READ_ONCE(tai_offset);
}

void clock_set_tai_offset(int seconds)
{
    spin_guard(&clock_set_lock);
    WRITE_ONCE(tai_offset, seconds);
    publish();
}

void clock_set_timezone(int minutes_west, int dst_time)
{
    vdso_data_write_begin();
    vdso_page.data.tz_minuteswest = minutes_west;
    vdso_page.data.tz_dsttime = dst_time;
    vdso_data_write_end();
}

struct timespec_k clock_now_ts(void)
{
    return ns_to_timespec(clock_realtime());
}

// Early, so that the initramfs' files already carry true times; without a battery clock the epoch it is.
static int clock_start(void)
{
    int64_t seconds;
    if (arch_rtc_read(&seconds) == 0 && seconds > 0) {
        WRITE_ONCE(clock_realtime_offset_, seconds * NSEC_PER_SEC - clock_monotonic());
        publish();
    }
    return 0;
}
INITCALL(core, clock_start);
