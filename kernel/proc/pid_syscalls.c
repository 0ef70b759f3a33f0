// kernel/proc/pid_syscalls.c — who am I: getpid(2), gettid(2), getppid(2), set_tid_address(2).

#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"

// getpid(2) is the thread group's id in the caller's own namespace, for leader and threads alike.
SYSCALL0(getpid)
{
    const struct pid *pid = current_process()->pid;
    return pid->numbers[pid->level].nr;
}

SYSCALL0(gettid)
{
    const struct pid *pid = current_task()->pid;
    return pid->numbers[pid->level].nr;
}

// 0 for the first process, and where the parent lives outside the caller's namespace.
SYSCALL0(getppid)
{
    rcu_read_lock();
    struct process *me = current_process(), *parent = READ_ONCE(me->parent);
    pid_t nr = parent == me ? 0 : pid_vnr(parent->pid);
    rcu_read_unlock();
    return nr;
}

SYSCALL1(set_tid_address, int __user *, tidptr)
{
    current_task()->clear_child_tid = tidptr;
    return pid_vnr(current_task()->pid);
}
