// kernel/proc/signal_deliver.c — the one way back to user mode: pending signals, job control, deferred work.

#include "arch/include/user_copy.h"
#include "kernel/abi/clone.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/task_work.h"
#include "kernel/sched/sched.h"

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
        bool stop = false, die = false;
        int continued = 0;
        int code = 0;
        {
            spin_irq_guard(&task->sighand->lock);
            if (p->group_exit || p->group_exec_task) {
                die = p->group_exit || p->group_exec_task != task;
                code = p->group_exit ? p->group_exit_code : SIGKILL;
            }
            if (!die && p->notify_cont) {
                continued = p->notify_cont;
                p->notify_cont = 0;
            }
            stop = !die && task->stop_pending;
        }
        if (die) {
            if (p->group_exit)
                do_group_exit(code);
            do_exit(code);
        }
        if (continued)
            group_stop_tell_parent(p, continued, continued == CLD_CONTINUED ? SIGCONT : 0);
        if (stop) {
            group_stop_take_part(task);
            continue;
        }

        int stop_sig = 0, fatal = 0;
        {
            spin_irq_guard(&task->sighand->lock);
            int forced = task->sync_fault;
            uint64_t only = forced ? sigmask(forced) : ~0UL;
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
            // An init dies of its own faults. SIGKILL and SIGSTOP are there only if sent from above; nothing else kills it, however long it was blocked.
            if (is_protected_init(p) && !(SIG_KERNEL_ONLY & sigmask(ks->sig)) && ks->sig != forced)
                continue;
            if (SIG_STOPS & sigmask(ks->sig)) {
                stop_sig = ks->sig;
                task->stop_dequeued = true;
            } else {
                fatal = ks->sig;
            }
        }
        if (fatal)
            do_group_exit(fatal);
        if (stop_is_discarded(p, stop_sig))
            continue;
        spin_irq_guard(&task->sighand->lock);
        group_stop_begin(task, stop_sig); // unless SIGCONT or SIGKILL came while the lock was dropped
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
