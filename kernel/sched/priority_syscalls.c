// kernel/sched/priority_syscalls.c — nice values of threads, process groups and users: getpriority(2), setpriority(2).

#include "kernel/sched/sched_access.h"
#include "kernel/syscall/syscall.h"

// Something to do with each thread a call names.
struct each_thread {
    void (*fn)(struct each_thread *each, struct task *task);
    int nice;   // set: the wanted value
    int result; // get: the best (20 - nice) so far; set: 0 or the error
    bool found;
};

static void each_of_process(struct each_thread *each, struct process *process)
{
    struct task *task;
    for_each_thread_rcu(task, process)
    {
        each->found = true;
        each->fn(each, task);
    }
}

static void each_of_group(struct each_thread *each, pid_t who)
{
    rcu_read_lock();
    struct pid *group = who ? pid_find(task_pid_ns(current_task()), who) : current_process()->pgrp;
    if (group) {
        struct task *leader;
        spin_irq_guard(&process_tree_lock);
        list_for_each_entry(leader, &group->tasks[PID_PGRP], pid_links[PID_PGRP])
            each_of_process(each, leader->process);
    }
    rcu_read_unlock();
}

static void each_of_user(struct each_thread *each, uid_t uid)
{
    pid_t nr = 0;
    struct process *process;
    rcu_read_lock();
    while ((process = process_next(task_pid_ns(current_task()), &nr))) {
        const struct task *leader = rcu_dereference(process->leader);
        if (leader && rcu_dereference(leader->cred)->uid == uid)
            each_of_process(each, process);
    }
    rcu_read_unlock();
}

// -EINVAL for an unknown kind; -ESRCH when nothing was found.
static int for_each_named(struct each_thread *each, int which, int who)
{
    switch (which) {
    case PRIO_PROCESS: {
        if (!who) { // most often: no reference needed
            each->found = true;
            each->fn(each, current_task());
            break;
        }
        struct task *task = task_find_get(who);
        if (task) {
            each->found = true;
            each->fn(each, task);
            task_put(task);
        }
        break;
    }
    case PRIO_PGRP:
        each_of_group(each, who);
        break;
    case PRIO_USER:
        each_of_user(each, who ? (uid_t)who : current_cred()->uid);
        break;
    default:
        return -EINVAL;
    }
    return each->found ? 0 : -ESRCH;
}

static void note_nice(struct each_thread *each, struct task *task)
{
    each->result = max(each->result, 20 - task->thread.params.nice);
}

static void change_nice(struct each_thread *each, struct task *task)
{
    if (!sched_same_owner(task) && !capable(CAP_SYS_NICE))
        each->result = -EPERM;
    else if (each->nice < task->thread.params.nice && !sched_nice_allowed(task, each->nice) && !capable(CAP_SYS_NICE))
        each->result = -EACCES;
    else
        sched_set_nice(&task->thread, each->nice);
}

// 20 - nice, so that no value looks like an error; the C library turns it back.
SYSCALL2(getpriority, int, which, int, who)
{
    struct each_thread each = {.fn = note_nice};
    int err = for_each_named(&each, which, who);
    return err ? err : each.result;
}

SYSCALL3(setpriority, int, which, int, who, int, nice)
{
    struct each_thread each = {.fn = change_nice, .nice = clamp(nice, -20, 19)};
    int err = for_each_named(&each, which, who);
    return err ? err : each.result;
}
