// kernel/time/vdso_data.h — the page of numbers that the vDSO reads to tell the time without a system call. Mapped read-only into every process.
//
// A reader takes seq (even), reads, and checks that seq is still the same.
//     monotonic ns = base_ns + ((counter - counter_base) * rate >> 32)      (128-bit product)
//     real time = monotonic + realtime_offset;  TAI = real time + tai_offset seconds
// counter is the CPU's own (time stamp counter). The coarse clocks are the same values. `start` has these sums ready, by number of the
// clock; it is so far below zero that the time is as well where only the kernel can tell (CLOCK_MODE_SYSCALL, other clocks).
#pragma once

#include "kernel/base/types.h"

enum { CLOCK_MODE_SYSCALL = 0, CLOCK_MODE_COUNTER = 1 };
#define VDSO_CLOCKS 12 // numbers of clock_gettime(2) below this one are looked up
#define VDSO_ASK_KERNEL INT64_MIN

struct vdso_data {
    uint32_t seq;
    uint32_t clock_mode;      // arch
    uint64_t counter_base;    // arch
    int64_t base_ns;          // arch
    uint64_t rate;            // arch: ns per count, 32.32 fixed point
    int64_t realtime_offset;  // clock.c, ns
    int64_t tai_offset;       // clock.c, s
    int64_t coarse_resolution; // ns, what clock_getres(2) says of the coarse clocks
    int32_t tz_minuteswest, tz_dsttime;
    int64_t start[VDSO_CLOCKS]; // ns the clock showed at counter_base; vdso_data_write_end() computes it
};

// The page, page aligned.
union vdso_page {
    struct vdso_data data;
    uint8_t bytes[4096];
};
extern union vdso_page vdso_page;

// Around every change of the data, by arch and clock.c; one at a time. Readers retry, and the end recomputes `start`.
void vdso_data_write_begin(void);
void vdso_data_write_end(void);
