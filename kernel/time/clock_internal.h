// kernel/time/clock_internal.h — what the files of kernel/time share among themselves.
#pragma once

#include "kernel/abi/time.h"
#include "kernel/time/clock.h"

struct process;
struct task;

// timerfd.c: real time has jumped.
void timerfd_clock_was_set(void);
// clock.c
void clock_set_tai_offset(int seconds);
void clock_set_timezone(int minutes_west, int dst_time); // settimeofday(2): only gettimeofday(2) tells it

// cpu_clock.c: CPU-time clocks, static and of other processes and threads. They take references, which cpu_clock_put() drops.
struct cpu_clock {
    struct process *process;
    struct task *task; // null: the whole process
    int type;          // CPUCLOCK_PROF, _VIRT, _SCHED
};
// -EINVAL: not a CPU clock, or nobody there.
[[nodiscard]] int cpu_clock_find(int clockid, struct cpu_clock *out);
void cpu_clock_put(struct cpu_clock *clock);
uint64_t cpu_clock_read(const struct cpu_clock *clock); // ns
static inline bool clockid_is_cpu(int clockid)
{
    return clockid < 0 || clockid == CLOCK_PROCESS_CPUTIME_ID || clockid == CLOCK_THREAD_CPUTIME_ID;
}

// clock_syscalls.c: a clock that is not a CPU clock. -EINVAL.
[[nodiscard]] int clock_read(int clockid, ktime_t *ns);
