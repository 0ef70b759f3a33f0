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

// A timer whose signal nobody takes (it is blocked, or ignored) is looked at no more often than this, ns: no program gets an interrupt storm for nothing.
#define UNTAKEN_PERIOD (4 * NSEC_PER_MSEC)

// Waits for a CPU clock to reach `expires`. Armed, it hangs in the tree of that clock, of the process or the thread; the tick looks. The lock is
// that of the timers of the process whose clock, or whose thread's, it is.
struct cpu_timer {
    struct rb_node node;
    struct list_head due;   // taken off, about to be fired
    struct cpu_clock clock; // with references
    uint64_t expires;       // ns on that clock
    // Interrupts off, no lock held, already idle. May arm it again.
    void (*fire)(struct cpu_timer *timer);
    bool armed;             // in the tree
    unsigned firing;        // on how many CPUs it is between being taken off and the end of fire(), which may have armed it again; atomic
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
    bool real_fired;              // since it was set, or its signal was last taken: the next expiration may have been put off
    struct itimer_cpu virtual, prof;
    struct rb_root_cached cpu_timers[CPU_TIMER_CLOCKS]; // of the whole process
    struct xarray posix;          // id -> struct posix_timer
    uint64_t next_id;
    bool closed;                  // the process has ended: nothing can be armed any more
};

// The current process's, or null without memory.
[[nodiscard]] struct timers_user *timers_get_current(void);
// Of any process; null: no memory.
[[nodiscard]] struct timers_user *timers_get(struct process *process);

// itimer.c: SIGALRM is being taken; the lock is held.
void itimer_real_taken(struct timers_user *timers);

// cpu_timer.c
// Fires at once if it is due `now`, which its clock shows. -ENOMEM, -ESRCH.
[[nodiscard]] int cpu_timer_start(struct cpu_timer *timer, uint64_t expires, uint64_t now);
[[nodiscard]] int cpu_timer_again(struct cpu_timer *timer, uint64_t expires); // from its fire(): the next tick looks
void cpu_timers_disarm(struct timers_user *timers);                           // all of the process's clocks; its lock is held
bool cpu_timer_cancel(struct cpu_timer *timer);                             // waits for its fire(); true: was armed
// clock_nanosleep(2) on a CPU clock. 0, -EINTR, -EINVAL, -ESRCH, -ENOMEM; *left is what the clock still lacks.
[[nodiscard]] int cpu_clock_sleep(int clockid, ktime_t deadline, ktime_t *left);

// posix_timer.c
void posix_timers_delete_all(struct timers_user *timers); // waits for those that are firing

// The clock of ITIMER_PROF (prof: user and system time) or of ITIMER_VIRTUAL (user time alone), in ns.
uint64_t process_virtual_time(struct process *p, bool prof);
