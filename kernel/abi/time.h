// kernel/abi/time.h — clocks and timers as user space sees them: clock_gettime(2), setitimer(2), timer_create(2), timerfd_create(2), adjtimex(2).
#pragma once

#include "kernel/abi/resource.h" // struct abi_timeval
#include "kernel/abi/signal.h"   // union sigval
#include "kernel/base/types.h"

struct abi_timespec {
    int64_t tv_sec, tv_nsec;
};
static_assert(sizeof(struct abi_timespec) == 16);

struct abi_timezone {
    int tz_minuteswest, tz_dsttime;
};

struct abi_itimerspec {
    struct abi_timespec interval, value;
};
static_assert(sizeof(struct abi_itimerspec) == 32);

struct abi_itimerval {
    struct abi_timeval interval, value;
};
static_assert(sizeof(struct abi_itimerval) == 32);

enum {
    CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3, CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_REALTIME_ALARM = 8, CLOCK_BOOTTIME_ALARM = 9, CLOCK_TAI = 11,
};
#define TIMER_ABSTIME 1

// A process's or thread's CPU clock: its id, inverted, above three bits. clock_getcpuclockid(3), pthread_getcpuclockid(3).
#define CPUCLOCK_PER_THREAD 4
#define CPUCLOCK_TYPE 3
enum { CPUCLOCK_PROF, CPUCLOCK_VIRT, CPUCLOCK_SCHED, CLOCKFD };

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

// struct sigevent: 64 bytes.
struct abi_sigevent {
    union sigval value;
    int signo, notify;
    union {
        int tid; // SIGEV_THREAD_ID
        char space[48];
    };
};
static_assert(sizeof(struct abi_sigevent) == 64 && offsetof(struct abi_sigevent, tid) == 16);
enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD = 2, SIGEV_THREAD_ID = 4 };

#define TFD_NONBLOCK 04000
#define TFD_CLOEXEC 02000000
#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2
#define TFD_IOC_SET_TICKS 0x40085400u

struct abi_timex {
    uint32_t modes, pad0_;
    int64_t offset, freq, maxerror, esterror;
    int32_t status, pad1_;
    int64_t constant, precision, tolerance;
    struct abi_timeval time;
    int64_t tick, ppsfreq, jitter;
    int32_t shift, pad2_;
    int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
    int32_t tai;
    int32_t reserved_[11];
};
static_assert(sizeof(struct abi_timex) == 208 && offsetof(struct abi_timex, time) == 72 && offsetof(struct abi_timex, tai) == 160);
enum {
    ADJ_OFFSET = 0x0001, ADJ_FREQUENCY = 0x0002, ADJ_MAXERROR = 0x0004, ADJ_ESTERROR = 0x0008, ADJ_STATUS = 0x0010, ADJ_TIMECONST = 0x0020,
    ADJ_TAI = 0x0080, ADJ_SETOFFSET = 0x0100, ADJ_MICRO = 0x1000, ADJ_NANO = 0x2000, ADJ_TICK = 0x4000, ADJ_OFFSET_SINGLESHOT = 0x8001,
    ADJ_OFFSET_SS_READ = 0xa001,
};
#define STA_UNSYNC 0x0040
#define STA_NANO 0x2000
#define STA_SETTABLE 0x00ff // the bits ADJ_STATUS may change
#define TIME_OK 0
#define TIME_ERROR 5

// struct tms of times(2), in clock ticks.
struct abi_tms {
    int64_t utime, stime, cutime, cstime;
};
#define USER_HZ 100
