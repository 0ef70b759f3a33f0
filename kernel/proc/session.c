// kernel/proc/session.c — sessions and process groups: credentials(7), setpgid(2), setsid(2).

#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/syscall/syscall.h"

static void change_pgrp(struct process *p, struct pid *pgrp) REQUIRES(process_tree_lock)
{
    struct pid *old = p->pgrp;
    if (old == pgrp)
        return;
    pid_detach(p->leader, PID_PGRP);
    p->pgrp = pid_get(pgrp);
    pid_attach(p->leader, PID_PGRP, pgrp);
    pid_leave(old);
    pid_put(old);
}

// setpgid(2)
SYSCALL2(setpgid, pid_t, upid, pid_t, upgid)
{
    if (upgid < 0)
        return -EINVAL;
    struct process *me = current_process();
    struct pid_namespace *ns = task_pid_ns(current_task());
    spin_irq_guard(&process_tree_lock);
    struct process *p = me;
    if (upid) {
        struct task *t = pid_task(pid_find(ns, upid), PID_THREAD);
        if (!t)
            return -ESRCH;
        p = t->process;
        if (p->leader != t)
            return -EINVAL;
    }
    if (p != me) {
        if (p->parent != me)
            return -ESRCH;
        if (p->session != me->session)
            return -EPERM;
        if (p->has_execed)
            return -EACCES;
    }
    if (p->session_leader)
        return -EPERM;
    struct pid *pgrp = p->pid;
    if (upgid && upgid != pid_nr_ns(p->pid, ns)) {
        pgrp = pid_find(ns, upgid);
        struct task *member = pgrp ? pid_task(pgrp, PID_PGRP) : nullptr;
        if (!member || member->process->session != me->session)
            return -EPERM;
    }
    change_pgrp(p, pgrp);
    return 0;
}

// setsid(2)
SYSCALL0(setsid)
{
    struct process *me = current_process();
    spin_irq_guard(&process_tree_lock);
    if (me->session_leader || pid_task(me->pid, PID_PGRP))
        return -EPERM; // a group with our number exists: it would span two sessions
    change_pgrp(me, me->pid);
    struct pid *old = me->session;
    pid_detach(me->leader, PID_SESSION);
    me->session = pid_get(me->pid);
    pid_attach(me->leader, PID_SESSION, me->session);
    pid_leave(old);
    pid_put(old);
    me->session_leader = true;
    me->tty = nullptr;
    return pid_vnr(me->pid);
}

static long id_of(pid_t upid, bool session)
{
    rcu_read_lock();
    long result = -ESRCH;
    struct process *p = current_process();
    if (upid) {
        struct task *t = pid_task(pid_find(task_pid_ns(current_task()), upid), PID_THREAD);
        p = t ? t->process : nullptr;
    }
    if (p)
        result = pid_vnr(session ? p->session : p->pgrp);
    rcu_read_unlock();
    return result;
}

SYSCALL1(getpgid, pid_t, upid)
{
    return id_of(upid, false);
}

SYSCALL0(getpgrp)
{
    return id_of(0, false);
}

SYSCALL1(getsid, pid_t, upid)
{
    return id_of(upid, true);
}
