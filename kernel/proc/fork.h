// kernel/proc/fork.h — making processes and threads: clone(2); how many there are, and may be.
#pragma once

#include "kernel/base/types.h"

struct pt_regs;

struct clone_request {
    uint64_t flags;           // CLONE_*
    int exit_signal;
    unsigned long stack, tls; // stack: the initial stack pointer, 0: the parent's
    int __user *pidfd, *child_tid, *parent_tid;
    const pid_t *set_tid;
    unsigned set_tid_size;
    int cgroup_fd;            // CLONE_INTO_CGROUP
};
[[nodiscard]] long do_clone(const struct clone_request *req, const struct pt_regs *regs); // the child's id or -errno

int threads_count(void);
void threads_limit_set(int max); // kernel.threads-max
int threads_limit_get(void);
uint64_t forks_total(void); // processes and threads ever made: /proc/stat
