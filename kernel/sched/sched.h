// kernel/sched/sched.h — the scheduler: fair (EEVDF), real-time, idle; per-CPU run queues.
#pragma once

#include "kernel/sched/thread.h"
#include "kernel/time/hrtimer.h"

#define SCHED_TICK (4 * NSEC_PER_MSEC)         // a CPU that is not idle looks after its threads this often
#define SCHED_SLICE_DEFAULT (3 * NSEC_PER_MSEC) // a fair turn
#define SCHED_RR_SLICE (100 * NSEC_PER_MSEC)

// Gives up the CPU: to a better thread, or to any if the state is a sleeping one. Preemption on, no spinlock held.
void schedule(void);
// schedule() in a sleeping state that the caller has set, until woken or until `deadline` on the monotonic clock (KTIME_MAX: none). 0: woken;
// -ETIMEDOUT: the deadline woke it.
int schedule_until(ktime_t deadline);
// The same for a deadline on either clock, that may be missed by up to `slack` ns to spare an interrupt.
int schedule_until_clock(enum hrtimer_clock clock, ktime_t deadline, ktime_t slack);
void sched_yield_current(void); // sched_yield(2)

struct symbol;
// The function that a sleeping thread (with a reference) waits in, into *out. False: it does not sleep, or its stack tells of none. Thread context.
bool thread_wchan(struct thread *t, struct symbol *out);

// Changes policy, nice, priority; -EINVAL for values out of range, -EAGAIN if what they were is not `judged` any more: the caller has looked at that and
// found that it may be changed so.
[[nodiscard]] int sched_set_params(struct thread *t, const struct sched_params *judged, const struct sched_params *params);
// setpriority(2): values beyond -20 .. 19 become the nearest of these.
void sched_set_nice(struct thread *t, int nice);
// Restricts `t` to `mask` (at least one online CPU in it, else -EINVAL) and moves it away if need be. May sleep.
[[nodiscard]] int sched_set_affinity(struct thread *t, const struct cpumask *mask);
// The length of turns a fair thread asks for, in ns (0: the default): sched_setattr(2), sched_runtime.
void sched_set_slice(struct thread *t, uint64_t slice);
// sched_rr_get_interval(2): the length of a turn, 0 for SCHED_FIFO.
ktime_t sched_rr_interval(const struct thread *t);

// How much of each period of how many microseconds real-time threads may run while fair ones wait (-1: all of it). -EINVAL.
void sched_rt_bandwidth(int *period_us, int *runtime_us);
[[nodiscard]] int sched_rt_set_bandwidth(int period_us, int runtime_us);

// Time on CPU so far, in ns, including the running slice.
uint64_t thread_runtime(struct thread *t);
// The same divided into user and system time as the tick saw them (ns; the sum is exact, the parts are sampled). Neither ever goes back.
void thread_times(struct thread *t, uint64_t *utime, uint64_t *stime);
// For user threads, in each tick that finds one running, from the interrupt: CPU-time limits and timers. Set by kernel/time.
extern void (*sched_tick_hook)(struct thread *t, bool user_mode);

// A better thread may be waiting: in long loops of kernel threads, where sleeping is allowed.
static inline void cond_resched(void)
{
    if (unlikely(this_cpu_read(need_resched)))
        preempt_schedule();
}

// Sleep with no event: absolute monotonic deadline. 0 when it has passed, or -EINTR.
[[nodiscard]] int sleep_until_interruptible(ktime_t deadline);
void sleep_ns(ktime_t span); // uninterruptible

// Load averages of 1, 5, 15 minutes, fixed point with 11 fraction bits (FSHIFT).
void sched_loadavg(unsigned long avg[3]);
unsigned sched_nr_running(void); // on a CPU or waiting for one
uint64_t sched_context_switches(void); // since boot, of all CPUs
struct cpu_times {
    uint64_t user, nice, system, idle, iowait, irq, softirq, steal; // ns
};
void sched_cpu_times(unsigned cpu, struct cpu_times *out); // since boot, by one CPU; /proc/stat

// Called by boot. sched_init(): once on CPU 0, in boot_thread, before anything may sleep or make threads. From then on boot_thread may make
// kernel threads, but may not sleep itself, and ends in sched_idle_loop(), which turns interrupts on.
void sched_init(void);
[[noreturn]] void sched_idle_loop(void);
// For each other CPU: arch_smp_boot() (in a thread) calls sched_prepare_secondary() and gets the idle thread on whose stack the CPU is to
// start (null: no memory); the CPU makes it its current thread and calls smp_secondary_main(), which puts it into cpu_online_mask.
[[nodiscard]] struct thread *sched_prepare_secondary(unsigned cpu);
[[noreturn]] void smp_secondary_main(void);
// What the reschedule interrupt does (between irq_enter() and irq_exit(); the switch itself happens in irq_exit()).
void sched_resched_interrupt(void);
// Also called from that interrupt, which anybody may send to itself (arch_send_resched()) to be called back as soon as interrupts are on: for what
// happens where no lock may be taken. Set once, by the log's readers.
extern void (*sched_deferred_hook)(void);

// Runs fn(arg) on every CPU in the mask (the caller's too if it is in) with interrupts off, and waits. Preemption on, interrupts on.
void smp_call_function(const struct cpumask *mask, void (*fn)(void *), void *arg);
void smp_call_function_interrupt(void); // what that interrupt does, between irq_enter() and irq_exit()

// Deferred work: runs fn in a kernel thread (per-CPU worker), where it may sleep. Queued while it is queued it runs once; it may be queued again
// after it has started, and belongs to whoever queued it by then. Any context.
struct work_item {
    struct list_head link;
    void (*fn)(struct work_item *);
    uint32_t queued;
};
void work_queue(struct work_item *item, void (*fn)(struct work_item *));
// The same in the worker of a certain CPU, which is online. Items of one worker run in order.
void work_queue_on(unsigned cpu, struct work_item *item, void (*fn)(struct work_item *));
