// kernel/time/user_timers.h — the timers of a process: interval timers, POSIX timers, and what waits for CPU time. setitimer(2), timer_create(2).
//
// struct timers_user is made when a process first asks for a timer, and lives until the process structure goes. Its lock (RANK_TIMER_USER,
// interrupts off) guards all its fields and those of its timers. Signals are sent with it dropped.
#pragma once

#include "kernel/base/xarray.h"
#include "kernel/proc/task.h"
#include "kernel/sync/mutex.h"
#include "kernel/time/clock_internal.h"
#include "kernel/time/hrtimer.h"

// Waits for a CPU clock to reach `expires`. Hangs in the timers of the process whose clock it is; the tick looks.
struct cpu_timer {
    struct list_head link;  // in cpu_timers, or in a list of those that are due; empty: idle
    struct cpu_clock clock; // with references
    uint64_t expires;       // ns on that clock
    // From the tick's interrupt, no lock held, already idle. May arm it again.
    void (*fire)(struct cpu_timer *timer);
    bool firing;            // between being taken off and the end of fire()
};

struct itimer_cpu { // ITIMER_VIRTUAL, ITIMER_PROF: ns on the process's clock; 0: off
    uint64_t expires, interval;
};

struct timers_user {
    struct mutex change;          // held while a POSIX timer is stopped, changed or deleted; outside lock
    struct spinlock lock;
    struct process *process;
    struct hrtimer real;          // ITIMER_REAL
    ktime_t real_interval;
    struct itimer_cpu virtual, prof;
    struct list_head cpu_timers;
    struct xarray posix;          // id -> struct posix_timer
    uint64_t next_id;
    bool closed;                  // the process has ended: nothing can be armed any more
};

// The current process's, or null without memory.
[[nodiscard]] struct timers_user *timers_get_current(void);
// Of any process; null: no memory.
[[nodiscard]] struct timers_user *timers_get(struct process *process);

// cpu_timer.c
[[nodiscard]] int cpu_timer_arm(struct cpu_timer *timer, uint64_t expires); // -ENOMEM, -ESRCH
bool cpu_timer_cancel(struct cpu_timer *timer);                             // waits for its fire(); true: was armed
[[nodiscard]] int cpu_clock_sleep(int clockid, ktime_t deadline, ktime_t *left);

// posix_timer.c
void posix_timers_delete_all(struct timers_user *timers);

uint64_t process_virtual_time(struct process *p, bool prof);
