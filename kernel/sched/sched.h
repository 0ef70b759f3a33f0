// kernel/sched/sched.h — the scheduler: fair (EEVDF), real-time, idle; per-CPU run queues.
#pragma once

#include "kernel/sched/thread.h"

// Gives up the CPU: to a better thread, or to any if the state is a sleeping one. Preemption on, no spinlock held.
void schedule(void);
int schedule_until(ktime_t deadline);
void sched_yield_current(void); // sched_yield(2)

// Changes policy, nice, priority; -EINVAL for values out of range. Permission is the caller's business.
[[nodiscard]] int sched_set_params(struct thread *t, const struct sched_params *params);
void sched_set_nice(struct thread *t, int nice);
// Restricts `t` to `mask` (at least one online CPU in it, else -EINVAL) and moves it away if need be. May sleep.
[[nodiscard]] int sched_set_affinity(struct thread *t, const struct cpumask *mask);
ktime_t sched_rr_interval(const struct thread *t);

// Time on CPU so far, in ns, including the running slice.
uint64_t thread_runtime(const struct thread *t);
void thread_times(const struct thread *t, uint64_t *utime, uint64_t *stime);

// Sleep with no event: absolute monotonic deadline. 0 or -EINTR.
int sleep_until_interruptible(ktime_t deadline);
void sleep_ns(ktime_t span); // uninterruptible

// Load averages of 1, 5, 15 minutes, fixed point with 11 fraction bits (FSHIFT); running threads, all threads.
void sched_loadavg(unsigned long avg[3]);
unsigned sched_nr_running(void);
uint64_t sched_context_switches(void);
struct cpu_times {
    uint64_t user, nice, system, idle, iowait, irq, softirq, steal; // ns
};
void sched_cpu_times(unsigned cpu, struct cpu_times *out);

// Called by boot: sched_init() once on CPU 0, smp_secondary_main() on each other CPU after its arch set-up.
void sched_init(void);
[[noreturn]] void smp_secondary_main(void);
[[noreturn]] void sched_idle_loop(void);
// By the interrupt exit path.
void sched_resched_interrupt(void);

// Runs fn(arg) on every CPU in the mask (the caller's too if it is in) with interrupts off, and waits. Preemption on, interrupts on.
void smp_call_function(const struct cpumask *mask, void (*fn)(void *), void *arg);
void smp_call_function_interrupt(void);

// Deferred work: runs fn in a kernel thread (per-CPU worker). A work item may be queued again after it has started. Any context.
struct work_item {
    struct list_head link;
    void (*fn)(struct work_item *);
    uint32_t queued;
};
void work_queue(struct work_item *item, void (*fn)(struct work_item *));
