// kernel/time/clock.h — the clocks: monotonic since boot, real time (with its offset and its jumps), CPU clocks elsewhere.
#pragma once

#include "arch/include/cpu.h"
#include "kernel/base/types.h"

struct timespec_k {
    int64_t tv_sec;
    int64_t tv_nsec;
};

// Real time minus monotonic time; read without a lock, written by clock.c only.
extern ktime_t clock_realtime_offset_;

// ns on CLOCK_MONOTONIC (boot = small positive). Any context.
static inline ktime_t clock_monotonic(void)
{
    return arch_clock_ns();
}
// CLOCK_BOOTTIME: the same here as long as the machine does not sleep.
static inline ktime_t clock_boottime(void)
{
    return arch_clock_ns();
}
// CLOCK_REALTIME = monotonic + this offset.
static inline ktime_t clock_realtime_offset(void)
{
    return READ_ONCE(clock_realtime_offset_);
}
// ns since 1970 UTC. Any context.
static inline ktime_t clock_realtime(void)
{
    return arch_clock_ns() + clock_realtime_offset();
}
// Sets real time; timers on the real clock are re-evaluated, timerfd TFD_TIMER_CANCEL_ON_SET cancelled. -EINVAL if it is negative, or would
// make the machine's start lie before 1970. May sleep.
[[nodiscard]] int clock_set_realtime(ktime_t now);
// International atomic time minus UTC, in seconds: adjtimex(2).
int clock_tai_offset(void);
// What file systems stamp with.
struct timespec_k clock_now_ts(void);

static inline struct timespec_k ns_to_timespec(ktime_t ns)
{
    int64_t sec = ns / NSEC_PER_SEC, rem = ns % NSEC_PER_SEC;
    return rem < 0 ? (struct timespec_k){sec - 1, rem + NSEC_PER_SEC} : (struct timespec_k){sec, rem};
}

// Saturates at KTIME_MAX; the caller has checked 0 <= tv_nsec < 1e9 and tv_sec >= 0.
static inline ktime_t timespec_to_ns(struct timespec_k ts)
{
    return ts.tv_sec >= KTIME_MAX / NSEC_PER_SEC ? KTIME_MAX : ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

// What a program may give as a span or a point in time: not negative, nanoseconds below a second.
static inline bool timespec_valid(struct timespec_k ts)
{
    return ts.tv_sec >= 0 && ts.tv_nsec >= 0 && ts.tv_nsec < NSEC_PER_SEC;
}

// KTIME_MAX instead of an overflow.
static inline ktime_t ktime_add_safe(ktime_t a, ktime_t b)
{
    ktime_t sum;
    return __builtin_add_overflow(a, b, &sum) ? KTIME_MAX : sum;
}
