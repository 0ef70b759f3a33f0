// kernel/proc/group_stop.c — job control of a whole process: it stops and continues as one: signal(7), wait(2).
//
// A stop signal is taken in two steps. A thread dequeues it and is marked stop_dequeued; it may have to let go of the lock then (is its group
// orphaned?); if the mark is still there, the stop begins: SIGCONT and SIGKILL, which undo a stop from the sender's side (signal.c), take the mark
// away. Every living thread is then stop_pending and counted; each, on its own way out, stops and is counted down; the last one makes the process
// STOP_STOPPED and tells the parent. A thread made meanwhile is counted in, one that exits is counted out, and may be the last.

#include "kernel/abi/clone.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/internal.h"
#include "kernel/sched/sched.h"

void group_stop_tell_parent(struct process *p, int cause, int status)
{
    spin_irq_guard(&process_tree_lock);
    irq_flags_t flags;
    struct process *parent = p->parent;
    struct sighand *sighand = sighand_lock(parent->leader, &flags);
    bool tell = false;
    if (sighand) {
        const struct k_sigaction *action = &sighand->action[SIGCHLD - 1];
        tell = action->handler != SIG_IGN && !(action->flags & SA_NOCLDSTOP);
        sighand_unlock(sighand, flags);
    }
    if (tell)
        signal_notify_parent(p, SIGCHLD, cause, status);
    wake_up_all(&parent->child_wq);
}

void group_stop_begin(struct task *task, int sig)
{
    struct process *p = task->process;
    if (!task->stop_dequeued || p->group_exit)
        return;
    task->stop_dequeued = false;
    if (task->stop_pending)
        return; // another thread's signal began one meanwhile
    p->stop_sig = sig;
    p->stop_flags &= ~(STOP_CONTINUED | STOP_REPORTED);
    struct task *t;
    for_each_thread_rcu(t, p)
    {
        if (t->exiting || t->stop_pending || t->thread.state == THREAD_STOPPED)
            continue;
        t->stop_pending = true;
        p->stop_count++;
        if (t != task) {
            thread_set_work(&t->thread, WORK_SIGNAL);
            if (!thread_wake(&t->thread, WAKE_SIGNAL))
                thread_kick(&t->thread);
        }
    }
}

void group_stop_inherit(const struct task *task, struct task *thread)
{
    if (!task->stop_pending)
        return;
    thread->stop_pending = true;
    task->process->stop_count++;
    thread_set_work(&thread->thread, WORK_SIGNAL);
}

void group_stop_undo(struct task *task)
{
    task->stop_dequeued = false;
    if (!task->stop_pending)
        return;
    task->stop_pending = false;
    task->process->stop_count--;
}

// The thread has stopped or is out of it. True: the others have stopped already, so the process has.
static bool count_down(struct task *task)
{
    struct process *p = task->process;
    task->stop_pending = false;
    if (--p->stop_count)
        return false;
    p->stop_flags |= STOP_STOPPED;
    return true;
}

bool group_stop_leave(struct task *task)
{
    if (task->stop_pending && task->process->nr_threads && !task->process->group_exit)
        return count_down(task);
    group_stop_undo(task);
    return false;
}

void group_stop_take_part(struct task *task)
{
    struct process *p = task->process;
    bool last;
    int sig;
    {
        spin_irq_guard(&task->sighand->lock);
        if (!task->stop_pending) {
            signal_recalc(task);
            return;
        }
        sig = p->stop_sig;
        last = count_down(task);
        signal_recalc(task);
        set_current_state(THREAD_STOPPED); // under the lock: a SIGCONT from now on wakes us
    }
    if (last)
        group_stop_tell_parent(p, CLD_STOPPED, sig); // takes locks but does not sleep, so the state stays
    cgroup_enter_frozen(task);
    schedule();
    cgroup_leave_frozen(task);
}
