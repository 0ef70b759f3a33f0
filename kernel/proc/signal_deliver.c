// kernel/proc/signal_deliver.c — the one way back to user mode: pending signals, job control, deferred work.
//
// Group stop: the thread that takes a stop signal marks every thread stop_pending and counts them; each, on its own way out, stops and counts down; the last one
// makes the process STOP_STOPPED and tells the parent. SIGCONT and SIGKILL undo it from the sender's side (signal.c).

#include "arch/include/user_copy.h"
#include "kernel/abi/clone.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/internal.h"
#include "kernel/sched/sched.h"

#define SIG_STOPS (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
#define SIG_DEFAULT_IGNORE (sigmask(SIGCHLD) | sigmask(SIGCONT) | sigmask(SIGURG) | sigmask(SIGWINCH))

// Tells the parent of a stop or a continue, unless it asked not to be told (SA_NOCLDSTOP); its waiters are woken in any case.
static void notify_job_control(struct process *p, int cause, int status)
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
    if (tell) {
        int saved = p->exit_signal;
        p->exit_signal = SIGCHLD;
        signal_notify_parent(p, cause, status);
        p->exit_signal = saved;
    }
    wake_up_all(&parent->child_wq);
}

// Marks every thread of the process; the current one stops in take_part_in_stop().
static void begin_group_stop(struct task *task, int sig)
{
    struct process *p = task->process;
    p->stop_sig = sig;
    p->stop_flags &= ~(STOP_CONTINUED | STOP_REPORTED);
    p->stop_count = 0;
    struct task *t;
    for_each_thread_rcu(t, p)
    {
        if (t->exiting || t->thread.state == THREAD_STOPPED)
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

static void take_part_in_stop(struct task *task)
{
    struct process *p = task->process;
    bool last = false;
    int sig;
    {
        spin_irq_guard(&task->sighand->lock);
        if (!task->stop_pending) {
            signal_recalc(task);
            return;
        }
        task->stop_pending = false;
        sig = p->stop_sig;
        if (--p->stop_count == 0) {
            p->stop_flags |= STOP_STOPPED;
            last = true;
        }
        signal_recalc(task);
        set_current_state(THREAD_STOPPED); // under the lock: a SIGCONT from now on wakes us
    }
    if (last) {
        // notify_job_control() takes locks but does not sleep, so the state stays.
        notify_job_control(p, CLD_STOPPED, sig);
    }
    schedule();
}

// A default stop of an orphaned group's member by the terminal would stop it for ever.
static bool stop_is_discarded(struct process *p, int sig)
{
    if (sig == SIGSTOP)
        return false;
    spin_irq_guard(&process_tree_lock);
    return pgrp_is_orphaned(p->pgrp, nullptr);
}

static bool is_protected_init(struct process *p)
{
    return p == task_pid_ns(p->leader)->reaper;
}

// The next signal to act upon, if any, with its action. Signals whose default or chosen action is nothing are consumed here.
static bool next_signal(struct task *task, struct ksignal *ks)
{
    struct process *p = task->process;
    for (;;) {
        bool continued = false, stop = false, die = false;
        int code = 0;
        {
            spin_irq_guard(&task->sighand->lock);
            if (p->group_exit || p->group_exec_task) {
                die = p->group_exit || p->group_exec_task != task;
                code = p->group_exit ? p->group_exit_code : SIGKILL;
            }
            if (!die && p->notify_continued) {
                p->notify_continued = false;
                continued = true;
            }
            stop = !die && task->stop_pending;
        }
        if (die) {
            if (p->group_exit)
                do_group_exit(code);
            do_exit(code);
        }
        if (continued)
            notify_job_control(p, CLD_CONTINUED, SIGCONT);
        if (stop) {
            take_part_in_stop(task);
            continue;
        }

        int stop_sig = 0, fatal = 0;
        {
            spin_irq_guard(&task->sighand->lock);
            uint64_t only = task->sync_fault ? sigmask(task->sync_fault) : ~0UL;
            task->sync_fault = 0;
            if (!signal_dequeue_locked(task, only & ~task->blocked, &ks->info) &&
                !signal_dequeue_locked(task, ~task->blocked, &ks->info))
                return false;
            ks->sig = ks->info.si_signo;
            struct k_sigaction *action = &task->sighand->action[ks->sig - 1];
            ks->action = *action;
            if (action->handler == SIG_IGN)
                continue;
            if (action->handler != SIG_DFL) {
                if (action->flags & SA_RESETHAND)
                    action->handler = SIG_DFL;
                return true;
            }
            if (SIG_DEFAULT_IGNORE & sigmask(ks->sig))
                continue;
            if (is_protected_init(p) && !(SIG_KERNEL_ONLY & sigmask(ks->sig)) && ks->info.si_code <= 0)
                continue;
            if (SIG_STOPS & sigmask(ks->sig))
                stop_sig = ks->sig;
            else
                fatal = ks->sig;
        }
        if (fatal)
            do_group_exit(fatal);
        if (stop_is_discarded(p, stop_sig))
            continue;
        spin_irq_guard(&task->sighand->lock);
        // SIGCONT or SIGKILL may have come while the lock was dropped.
        if (!p->group_exit && !((task->pending.set | p->shared_pending.set) & (sigmask(SIGCONT) | sigmask(SIGKILL))))
            begin_group_stop(task, stop_sig);
    }
}

// An interrupted system call: what becomes of it when a handler runs.
static void finish_call_for_handler(struct pt_regs *regs, const struct k_sigaction *action)
{
    switch (regs_return(regs)) {
    case -ERESTARTSYS:
        if (action->flags & SA_RESTART) {
            arch_syscall_restart(regs);
            return;
        }
        [[fallthrough]];
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK:
        regs_set_return(regs, -EINTR);
        return;
    case -ERESTARTNOINTR:
        arch_syscall_restart(regs);
        return;
    }
}

// …and when none does: it goes on as if nothing had happened.
static void finish_call_without_handler(struct pt_regs *regs)
{
    switch (regs_return(regs)) {
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
    case -ERESTARTNOHAND:
        arch_syscall_restart(regs);
        return;
    case -ERESTART_RESTARTBLOCK:
        arch_syscall_restart_block(regs);
        return;
    }
}

void signal_deliver(struct pt_regs *regs)
{
    struct task *task = current_task();
    struct ksignal ks;
    bool in_call = regs_syscall_nr(regs) >= 0;
    if (!next_signal(task, &ks)) {
        if (in_call)
            finish_call_without_handler(regs);
        regs_forget_syscall(regs);
        sigmask_restore_temporary();
        return;
    }
    if (in_call)
        finish_call_for_handler(regs, &ks.action);
    regs_forget_syscall(regs);
    uint64_t old = READ_ONCE(task->thread.work) & WORK_RESTORE_MASK ? task->saved_blocked : task->blocked;
    if (arch_signal_frame_push(regs, &ks, old)) {
        // No room for the frame: the program can not be told, so it ends. If it was SIGSEGV's own handler, the default action is forced.
        spin_irq_guard(&task->sighand->lock);
        if (ks.sig == SIGSEGV)
            task->sighand->action[SIGSEGV - 1] = (struct k_sigaction){};
    } else {
        thread_clear_work(&task->thread, WORK_RESTORE_MASK);
        uint64_t mask = task->blocked | ks.action.mask;
        if (!(ks.action.flags & SA_NODEFER))
            mask |= sigmask(ks.sig);
        sigmask_set(mask);
        return;
    }
    signal_force(SIGSEGV, SI_KERNEL, 0);
}

int task_work_add(struct task *t, struct task_work *work, void (*fn)(struct task_work *))
{
    work->fn = fn;
    spin_irq_guard(&t->work_lock);
    if (t->work_closed)
        return -ESRCH;
    list_add_tail(&work->link, &t->task_work);
    thread_set_work(&t->thread, WORK_NOTIFY);
    if (&t->thread != current_thread())
        thread_kick(&t->thread);
    return 0;
}

// Runs everything queued, in order, until nothing is left; an exiting task then takes no more.
void task_work_run(void)
{
    struct task *t = current_task();
    for (;;) {
        struct task_work *work;
        {
            spin_irq_guard(&t->work_lock);
            work = list_first_entry_or_null(&t->task_work, struct task_work, link);
            if (work) {
                list_del(&work->link);
            } else {
                thread_clear_work(&t->thread, WORK_NOTIFY);
                if (t->exiting)
                    t->work_closed = true;
                return;
            }
        }
        work->fn(work);
    }
}

static void notify_work(struct task *task)
{
    if (task->set_child_tid) {
        // clone(CLONE_CHILD_SETTID): the first time in user memory that is the child's own. A bad address is the program's loss, as in Linux.
        (void)put_user(pid_vnr(task->pid), task->set_child_tid);
        task->set_child_tid = nullptr;
    }
    task_work_run();
}

void exit_to_user_work(struct pt_regs *regs)
{
    struct task *task = current_task();
    uint32_t work;
    while ((work = load_acquire(&task->thread.work) & ~(uint32_t)WORK_TRACE) || this_cpu_read(need_resched)) {
        if ((work & WORK_RESCHED) || this_cpu_read(need_resched)) {
            thread_clear_work(&task->thread, WORK_RESCHED);
            schedule();
        }
        if (work & WORK_NOTIFY)
            notify_work(task);
        if (work & WORK_FREEZE)
            cgroup_freeze_wait(task);
        if (work & WORK_SIGNAL)
            signal_deliver(regs);
        else if (work & WORK_RESTORE_MASK)
            sigmask_restore_temporary();
    }
}
