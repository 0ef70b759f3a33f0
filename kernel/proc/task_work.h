// kernel/proc/task_work.h — work that another part of the kernel leaves for a task to do on its own way back to user mode (or while it exits).
#pragma once

#include "kernel/base/list.h"

struct task;

struct task_work {
    struct list_head link;
    void (*fn)(struct task_work *);
};
// Queues work for `t`; any context. -ESRCH if it is too late: the task no longer returns to user mode.
[[nodiscard]] int task_work_add(struct task *t, struct task_work *work, void (*fn)(struct task_work *));
void task_work_run(void); // what task_work_add() has left for the current task
