// kernel/sched/sched_access.h — who may change whose scheduling: shared by the system calls about it.
#pragma once

#include "kernel/abi/sched.h"
#include "kernel/abi/time.h"
#include "kernel/proc/task.h"
#include "kernel/sched/run_queue.h"


// Whether the caller's effective user is the task's real or effective one.
static inline bool sched_same_owner(const struct task *task)
{
    uid_t me = current_cred()->euid;
    rcu_read_lock();
    const struct cred *theirs = rcu_dereference(task->cred);
    bool same = me == theirs->euid || me == theirs->uid;
    rcu_read_unlock();
    return same;
}

// Whether RLIMIT_NICE lets the task have this nice value without privilege.
static inline bool sched_nice_allowed(const struct task *task, int nice)
{
    return (uint64_t)(20 - nice) <= READ_ONCE(task->process->rlimits[RLIMIT_NICE].cur);
}
