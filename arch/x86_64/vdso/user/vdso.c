// arch/x86_64/vdso/user/vdso.c — user-space code that the kernel maps into every process: vdso(7). Time without
// entering the kernel.
//
// Built as a shared object of its own, position independent and without relocations. The page of numbers it reads lies
// right before its ELF header.
#include <stdbool.h>
#include <stddef.h>

#include "kernel/time/vdso_data.h"

#define EXPORT __attribute__((visibility("default"), used))
#define USER_CLOCK_REALTIME 0
#define USER_CLOCK_MONOTONIC 1
#define USER_CLOCK_MONOTONIC_RAW 4
#define USER_CLOCK_REALTIME_COARSE 5
#define USER_CLOCK_MONOTONIC_COARSE 6
#define USER_CLOCK_BOOTTIME 7
#define USER_CLOCK_TAI 11
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
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

enum base { BASE_MONOTONIC, BASE_REALTIME, BASE_TAI };

// Nanoseconds on the clock; false where only the kernel knows.
static inline bool read_clock(enum base base, int64_t *ns)
{
    const volatile struct vdso_data *d = page();
    uint32_t seq;
    int64_t now;
    do {
        while ((seq = d->seq) & 1)
            __asm__ volatile("pause" ::: "memory");
        __asm__ volatile("" ::: "memory"); // loads are not reordered with loads on this CPU
        if (d->clock_mode != CLOCK_MODE_COUNTER)
            return false;
        int64_t ticks = (int64_t)(counter() - d->counter_base);
        now = d->base_ns + (ticks < 0 ? 0 : (int64_t)((unsigned __int128)(uint64_t)ticks * d->rate >> 32));
        if (base != BASE_MONOTONIC)
            now += d->realtime_offset;
        if (base == BASE_TAI)
            now += d->tai_offset * NS_PER_S;
        __asm__ volatile("" ::: "memory");
    } while (d->seq != seq);
    *ns = now;
    return true;
}

static inline bool base_of(int clock, enum base *base)
{
    switch (clock) {
    case USER_CLOCK_REALTIME:
    case USER_CLOCK_REALTIME_COARSE:
        *base = BASE_REALTIME;
        return true;
    case USER_CLOCK_MONOTONIC:
    case USER_CLOCK_MONOTONIC_RAW:
    case USER_CLOCK_MONOTONIC_COARSE:
    case USER_CLOCK_BOOTTIME:
        *base = BASE_MONOTONIC;
        return true;
    case USER_CLOCK_TAI:
        *base = BASE_TAI;
        return true;
    default:
        return false;
    }
}

// Real time is never before 1970, so that division rounds the right way.
EXPORT int __vdso_clock_gettime(int clock, struct timespec *ts)
{
    enum base base;
    int64_t ns;
    if (!base_of(clock, &base) || !read_clock(base, &ns))
        return (int)syscall2(NR_CLOCK_GETTIME, clock, (long)ts);
    ts->tv_sec = (int64_t)((uint64_t)ns / NS_PER_S);
    ts->tv_nsec = (int64_t)((uint64_t)ns % NS_PER_S);
    return 0;
}

EXPORT int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
    int64_t ns;
    if (!read_clock(BASE_REALTIME, &ns))
        return (int)syscall2(NR_GETTIMEOFDAY, (long)tv, (long)tz);
    if (tv) {
        tv->tv_sec = (int64_t)((uint64_t)ns / NS_PER_S);
        tv->tv_usec = (int64_t)((uint64_t)ns % NS_PER_S / 1000);
    }
    if (tz) {
        tz->tz_minuteswest = page()->tz_minuteswest;
        tz->tz_dsttime = page()->tz_dsttime;
    }
    return 0;
}

EXPORT int64_t __vdso_time(int64_t *out)
{
    int64_t ns;
    if (!read_clock(BASE_REALTIME, &ns))
        return syscall2(NR_TIME, (long)out, 0);
    int64_t seconds = (int64_t)((uint64_t)ns / NS_PER_S);
    if (out)
        *out = seconds;
    return seconds;
}

EXPORT int __vdso_clock_getres(int clock, struct timespec *ts)
{
    enum base base;
    if (!base_of(clock, &base))
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
