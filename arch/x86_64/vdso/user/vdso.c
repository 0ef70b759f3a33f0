// arch/x86_64/vdso/user/vdso.c — user-space code that the kernel maps into every process: vdso(7). Time without entering the kernel.
//
// Built as a shared object of its own, position independent and without relocations. The page of numbers it reads lies
// right before its ELF header.
#include <stdbool.h>
#include <stddef.h>

#include "kernel/time/vdso_data.h"

#define EXPORT __attribute__((visibility("default"), used))
#define USER_CLOCK_REALTIME 0
#define USER_CLOCK_REALTIME_COARSE 5
#define USER_CLOCK_MONOTONIC_COARSE 6
#define NS_PER_S 1000000000

struct timespec {
    int64_t tv_sec, tv_nsec;
};
struct timeval {
    int64_t tv_sec, tv_usec;
};
struct timezone {
    int tz_minuteswest, tz_dsttime;
};

enum { NR_GETTIMEOFDAY = 96, NR_TIME = 201, NR_CLOCK_GETTIME = 228, NR_CLOCK_GETRES = 229 };

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static inline const volatile struct vdso_data *page(void)
{
    return (const volatile struct vdso_data *)(__ehdr_start - sizeof(union vdso_page));
}

static inline long syscall2(long nr, long a, long b)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

static inline uint64_t counter(void)
{
    uint64_t low, high; // RDTSC clears their upper halves
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return high << 32 | low;
}

// Nanoseconds on the clock; negative where only the kernel knows.
static inline int64_t read_clock(unsigned clock)
{
    const volatile struct vdso_data *d = page();
    uint32_t seq;
    int64_t now;
    do {
        seq = d->seq & ~1u; // an odd one, in the middle of a change, will not be found again
        __asm__ volatile("" ::: "memory"); // loads are not reordered with loads on this CPU
        uint64_t ticks, base = d->counter_base;
        if (__builtin_sub_overflow(counter(), base, &ticks))
            return -1; // this CPU's counter is a little behind
        now = d->start[clock] + (int64_t)((unsigned __int128)ticks * d->rate >> 32);
        __asm__ volatile("" ::: "memory");
    } while (__builtin_expect(d->seq != seq, false));
    return now;
}

static inline uint64_t whole_seconds(int64_t ns)
{
    // ns / 10^9, for any that is not negative: a product with 2^93 / 10^9, rounded up.
    return (uint64_t)((unsigned __int128)(uint64_t)ns * 0x89705f4136b4a598 >> 93);
}

static __attribute__((noinline)) int ask_kernel(int clock, struct timespec *ts)
{
    return (int)syscall2(NR_CLOCK_GETTIME, clock, (long)ts);
}

EXPORT int __vdso_clock_gettime(int clock, struct timespec *ts)
{
    int64_t ns = (unsigned)clock < VDSO_CLOCKS ? read_clock((unsigned)clock) : -1;
    if (__builtin_expect(ns < 0, false))
        return ask_kernel(clock, ts);
    ts->tv_sec = (int64_t)whole_seconds(ns);
    ts->tv_nsec = ns - ts->tv_sec * NS_PER_S;
    return 0;
}

EXPORT int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
    int64_t ns = read_clock(USER_CLOCK_REALTIME);
    if (ns < 0)
        return (int)syscall2(NR_GETTIMEOFDAY, (long)tv, (long)tz);
    if (tv) {
        tv->tv_sec = (int64_t)whole_seconds(ns);
        tv->tv_usec = (ns - tv->tv_sec * NS_PER_S) / 1000;
    }
    if (tz) {
        tz->tz_minuteswest = page()->tz_minuteswest;
        tz->tz_dsttime = page()->tz_dsttime;
    }
    return 0;
}

EXPORT int64_t __vdso_time(int64_t *out)
{
    int64_t ns = read_clock(USER_CLOCK_REALTIME);
    if (ns < 0)
        return syscall2(NR_TIME, (long)out, 0);
    int64_t seconds = (int64_t)whole_seconds(ns);
    if (out)
        *out = seconds;
    return seconds;
}

EXPORT int __vdso_clock_getres(int clock, struct timespec *ts)
{
    if ((unsigned)clock >= VDSO_CLOCKS || page()->start[clock] == VDSO_ASK_KERNEL)
        return (int)syscall2(NR_CLOCK_GETRES, clock, (long)ts);
    if (ts) {
        bool coarse = clock == USER_CLOCK_REALTIME_COARSE || clock == USER_CLOCK_MONOTONIC_COARSE;
        ts->tv_sec = 0;
        ts->tv_nsec = coarse ? page()->coarse_resolution : 1;
    }
    return 0;
}

// The limit of a segment that is there for this: cpu/ptrace.h. One node.
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, [[maybe_unused]] void *unused)
{
    unsigned number;
    __asm__ volatile("lsll %1, %0" : "=r"(number) : "r"(0x7b));
    if (cpu)
        *cpu = number & 0xfff;
    if (node)
        *node = 0;
    return 0;
}

// The names without prefix are what programs linked against the object itself would use.
extern __typeof__(__vdso_clock_gettime) clock_gettime
    __attribute__((weak, alias("__vdso_clock_gettime"), visibility("default")));
extern __typeof__(__vdso_gettimeofday) gettimeofday
    __attribute__((weak, alias("__vdso_gettimeofday"), visibility("default")));
extern __typeof__(__vdso_time) time __attribute__((weak, alias("__vdso_time"), visibility("default")));
extern __typeof__(__vdso_clock_getres) clock_getres
    __attribute__((weak, alias("__vdso_clock_getres"), visibility("default")));
extern __typeof__(__vdso_getcpu) getcpu __attribute__((weak, alias("__vdso_getcpu"), visibility("default")));
