// kernel/time/cpu_clock.c — CPU-time clocks: of the caller, and of any process or thread by number: clock_getcpuclockid(3).

#include "kernel/abi/errno.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"
#include "kernel/time/clock_internal.h"

int cpu_clock_find(int clockid, struct cpu_clock *out)
{
    if (clockid == CLOCK_PROCESS_CPUTIME_ID) {
        *out = (struct cpu_clock){.process = process_get(current_process()), .type = CPUCLOCK_SCHED};
        return 0;
    }
    if (clockid == CLOCK_THREAD_CPUTIME_ID) {
        *out = (struct cpu_clock){.process = process_get(current_process()), .task = task_get(current_task()), .type = CPUCLOCK_SCHED};
        return 0;
    }
    if (clockid >= 0 || (clockid & CPUCLOCK_TYPE) == CLOCKFD)
        return -EINVAL;
    pid_t id = (pid_t)~(clockid >> 3);
    int type = clockid & CPUCLOCK_TYPE;
    if (clockid & CPUCLOCK_PER_THREAD) { // only threads of the caller's own process
        struct task *task = id ? task_find_get(id) : task_get(current_task());
        if (!task)
            return -EINVAL;
        if (task->process != current_process()) {
            task_put(task);
            return -EINVAL;
        }
        *out = (struct cpu_clock){.process = process_get(task->process), .task = task, .type = type};
        return 0;
    }
    struct process *process = id ? process_find_get(id) : process_get(current_process());
    if (!process)
        return -EINVAL;
    *out = (struct cpu_clock){.process = process, .type = type};
    return 0;
}

void cpu_clock_put(struct cpu_clock *clock)
{
    if (clock->task)
        task_put(clock->task);
    process_put(clock->process);
}

uint64_t cpu_clock_read(const struct cpu_clock *clock)
{
    uint64_t utime, stime;
    if (clock->task && clock->type == CPUCLOCK_SCHED)
        return thread_runtime(&clock->task->thread);
    if (clock->task)
        thread_times(&clock->task->thread, &utime, &stime);
    else
        process_times(clock->process, &utime, &stime);
    return clock->type == CPUCLOCK_VIRT ? utime : utime + stime;
}
