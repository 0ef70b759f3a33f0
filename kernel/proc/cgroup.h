// kernel/proc/cgroup.h — control groups, version 2, as processes meet them: cgroups(7). The file system is kernel/fs/cgroup2.
#pragma once

#include "kernel/base/types.h"

struct cgroup;
struct file;
struct namespaces;
struct process;
struct seq_file;
struct task;

extern struct cgroup *cgroup_root; // exists from boot

// clone(2): charges the pids controller of the target group (the parent's, or that of `cgroup_fd` where it is >= 0: CLONE_INTO_CGROUP) and stores it with a reference in
// child->cgroup. -EAGAIN at pids.max, -EBADF, -EOPNOTSUPP (a domain that can not hold processes). May sleep.
[[nodiscard]] int cgroup_can_fork(struct task *child, int cgroup_fd);
// Undoes it where clone fails later.
void cgroup_cancel_fork(struct task *child);
// The child is visible now: it joins its group's list (and is frozen there if the group is).
void cgroup_post_fork(struct task *child);
// The task leaves its group for good: wakes cgroup.events when the group became empty. Called once, from do_exit().
void cgroup_exit(struct task *task);
// The task waits in the freezer until thawed or killed; from exit_to_user_work() with WORK_FREEZE.
void cgroup_freeze_wait(struct task *task);
// /proc/PID/cgroup, relative to the reader's cgroup namespace.
void cgroup_show(struct seq_file *m, struct task *task);
