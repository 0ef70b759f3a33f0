// kernel/proc/signal_syscalls.c — the system calls about signals: copy in, check, act, copy out.

#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/clock.h"

#define SA_KNOWN (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND)

// rt_sigaction(2)
SYSCALL4(rt_sigaction, int, sig, const struct abi_sigaction __user *, unew, struct abi_sigaction __user *, uold, size_t, sigsetsize)
{
    struct abi_sigaction new __attribute__((uninitialized)), old __attribute__((uninitialized)); // used only where they were filled
    if (sigsetsize != sizeof(uint64_t))
        return -EINVAL;
    if (unew && copy_from_user(&new, unew, sizeof new))
        return -EFAULT;
    if (sig < 1 || sig > NSIG || (unew && (SIG_KERNEL_ONLY & sigmask(sig))))
        return -EINVAL;
    struct task *task = current_task();
    {
        spin_irq_guard(&task->sighand->lock);
        struct k_sigaction *action = &task->sighand->action[sig - 1];
        old = (struct abi_sigaction){action->handler, action->flags, action->restorer, action->mask};
        if (unew) {
            *action = (struct k_sigaction){new.handler, new.flags & SA_KNOWN, new.restorer, new.mask & ~SIG_KERNEL_ONLY};
            // What was pending and is ignored now is forgotten.
            if (new.handler == SIG_IGN || (new.handler == SIG_DFL && (SIG_DEFAULT_IGNORE & sigmask(sig))))
                signal_forget_locked(sigmask(sig));
        }
    }
    if (uold && copy_to_user(uold, &old, sizeof old))
        return -EFAULT;
    return 0;
}

// rt_sigprocmask(2)
SYSCALL4(rt_sigprocmask, int, how, const uint64_t __user *, unew, uint64_t __user *, uold, size_t, sigsetsize)
{
    if (sigsetsize != sizeof(uint64_t))
        return -EINVAL;
    uint64_t old = current_task()->blocked, set;
    if (unew) {
        if (get_user(set, unew))
            return -EFAULT;
        switch (how) {
        case SIG_BLOCK:
            set |= old;
            break;
        case SIG_UNBLOCK:
            set = old & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        sigmask_set(set);
    }
    return uold && put_user(old, uold) ? -EFAULT : 0;
}

// rt_sigpending(2): at most sigsetsize bytes of the set are stored.
SYSCALL2(rt_sigpending, void __user *, uset, size_t, sigsetsize)
{
    if (sigsetsize > sizeof(uint64_t))
        return -EINVAL;
    struct task *task = current_task();
    uint64_t set = signal_pending_set(task) & task->blocked;
    return copy_to_user(uset, &set, sigsetsize) ? -EFAULT : 0;
}

// rt_sigreturn(2)
SYSCALL0(rt_sigreturn)
{
    struct pt_regs *regs = current_regs();
    uint64_t mask;
    if (arch_signal_frame_pop(regs, &mask)) {
        signal_force(SIGSEGV, SI_KERNEL, 0);
        return 0;
    }
    regs_forget_syscall(regs);
    current_task()->restart.fn = nullptr; // what was interrupted is over: its program saw a handler
    sigmask_set(mask);
    return regs_return(regs); // the dispatcher stores it where it already is
}

// rt_sigsuspend(2)
SYSCALL2(rt_sigsuspend, const uint64_t __user *, umask, size_t, sigsetsize)
{
    uint64_t mask;
    if (sigsetsize != sizeof(uint64_t))
        return -EINVAL;
    if (get_user(mask, umask))
        return -EFAULT;
    sigmask_set_temporary(mask);
    while (!signal_pending()) {
        set_current_state(THREAD_INTERRUPTIBLE);
        if (!signal_pending())
            schedule();
        set_current_state(THREAD_RUNNING);
    }
    return -ERESTARTNOHAND;
}

// pause(2)
SYSCALL0(pause)
{
    while (!signal_pending()) {
        set_current_state(THREAD_INTERRUPTIBLE);
        if (!signal_pending())
            schedule();
        set_current_state(THREAD_RUNNING);
    }
    return -ERESTARTNOHAND;
}

static int sigwait(uint64_t set, ktime_t deadline, struct siginfo *info)
{
    struct task *task = current_task();
    for (;;) {
        int err;
        {
            spin_irq_guard(&task->sighand->lock);
            if (signal_dequeue_locked(task, set, info)) {
                task->sigwait_set = 0;
                return info->si_signo;
            }
            task->sigwait_set = set; // senders deliver to us even though we block it
            set_current_state(THREAD_INTERRUPTIBLE);
            // Under the lock, where it is exact: who slept with WORK_SIGNAL set, and nothing behind it any more, would not be chosen by a sender.
            err = deadline == 0 ? -ETIMEDOUT : signal_pending() ? -EINTR : 0;
        }
        if (!err)
            err = schedule_until(deadline);
        set_current_state(THREAD_RUNNING);
        spin_irq_guard(&task->sighand->lock);
        task->sigwait_set = 0;
        bool found = signal_dequeue_locked(task, set, info);
        signal_hand_over(task, set); // more than one may have come for us, and others wait as well
        if (found)
            return info->si_signo;
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
}

// rt_sigtimedwait(2)
SYSCALL4(rt_sigtimedwait, const uint64_t __user *, uset, struct siginfo __user *, uinfo, const struct timespec_k __user *, utimeout, size_t, sigsetsize)
{
    uint64_t set;
    ktime_t deadline = KTIME_MAX;
    if (sigsetsize != sizeof(uint64_t))
        return -EINVAL;
    if (get_user(set, uset))
        return -EFAULT;
    if (utimeout) {
        struct timespec_k ts;
        if (copy_from_user(&ts, utimeout, sizeof ts))
            return -EFAULT;
        if (!timespec_valid(ts))
            return -EINVAL;
        ktime_t span = timespec_to_ns(ts);
        deadline = span ? ktime_add_safe(clock_monotonic(), span) : 0;
    }
    struct siginfo info;
    int sig = sigwait(set & ~SIG_KERNEL_ONLY, deadline, &info);
    if (sig > 0 && uinfo && copy_to_user(uinfo, &info, sizeof info))
        return -EFAULT;
    return sig;
}

// kill(2): one process, a group, or all.
static int kill_all(int sig)
{
    // Every process of the namespace but its init and the caller's own, and what they are just forking.
    struct pid_namespace *ns = task_pid_ns(current_task());
    int result = -ESRCH;
    pid_t nr = 1;
    struct process *p;
    spin_irq_guard(&process_tree_lock);
    while ((p = process_next(ns, &nr))) {
        if (p == current_process())
            continue;
        int err = may_signal(p->leader, sig) ? signal_send_member(p, sig, nullptr) : -EPERM;
        if (err != -EPERM || result == -ESRCH)
            result = err == -EPERM ? 0 : err; // that some may not be signalled is no error here
    }
    return result;
}

int signal_kill_pgrp(struct pid *pgrp, int sig, const struct siginfo *info)
{
    if (!pgrp)
        return -ESRCH;
    int result = -ESRCH;
    struct task *leader;
    spin_irq_guard(&process_tree_lock);
    list_for_each_entry(leader, &pgrp->tasks[PID_PGRP], pid_links[PID_PGRP])
    {
        int err = may_signal(leader, sig) ? signal_send_member(leader->process, sig, info) : -EPERM;
        if (!err || result == -ESRCH)
            result = err;
    }
    return result;
}

// The process that a thread with this number belongs to; that thread is asked for permission, and takes the signal if it may.
static int kill_one(pid_t tid, int sig, const struct siginfo *info)
{
    struct task *t = task_find_get(tid);
    if (t) {
        int err = may_signal(t, sig) ? signal_send_near(t, sig, info) : -EPERM;
        task_put(t);
        if (err != -ESRCH)
            return err;
    }
    struct process *p = process_of_thread_get(tid); // also in the midst of an exec, when a leader has no number
    if (!p)
        return -ESRCH;
    int err = signal_kill_process(p, sig, info);
    process_put(p);
    return err;
}

SYSCALL2(kill, pid_t, upid, int, sig)
{
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    if (upid == -1)
        return kill_all(sig);
    if (upid == INT32_MIN)
        return -ESRCH;
    if (upid <= 0) {
        rcu_read_lock();
        struct pid *pgrp = upid ? pid_find(task_pid_ns(current_task()), -upid) : current_process()->pgrp;
        if (pgrp && !refcount_inc_not_zero(&pgrp->refs))
            pgrp = nullptr;
        rcu_read_unlock();
        int err = signal_kill_pgrp(pgrp, sig, nullptr);
        pid_put(pgrp);
        return err;
    }
    return kill_one(upid, sig, nullptr);
}

// One thread; tgid 0: whatever its process is (tkill).
static int send_to_thread(pid_t tgid, pid_t tid, int sig, const struct siginfo *info)
{
    struct task *t = task_find_get(tid);
    if (!t)
        return -ESRCH;
    int err;
    if (tgid && pid_vnr(t->process->pid) != tgid) {
        err = -ESRCH;
    } else if (!may_signal(t, sig)) {
        err = -EPERM;
    } else {
        struct siginfo own = {.si_signo = sig, .si_code = SI_TKILL};
        own.rt.pid = pid_nr_ns(current_process()->pid, task_pid_ns(t));
        own.rt.uid = current_cred()->uid;
        err = signal_send_thread(t, sig, info ? info : &own);
    }
    task_put(t);
    return err;
}

SYSCALL2(tkill, pid_t, tid, int, sig)
{
    return tid <= 0 || sig < 0 || sig > NSIG ? -EINVAL : send_to_thread(0, tid, sig, nullptr);
}

SYSCALL3(tgkill, pid_t, tgid, pid_t, tid, int, sig)
{
    return tgid <= 0 || tid <= 0 || sig < 0 || sig > NSIG ? -EINVAL : send_to_thread(tgid, tid, sig, nullptr);
}

int siginfo_from_user(struct siginfo *info, const void __user *uinfo, int sig)
{
    if (copy_from_user(info, uinfo, sizeof *info))
        return -EFAULT;
    info->si_signo = sig;
    return 0;
}

// Nobody may pretend to be the kernel or kill() to another process.
bool siginfo_may_send(const struct siginfo *info, bool to_self)
{
    return to_self || (info->si_code < 0 && info->si_code != SI_TKILL);
}

// rt_sigqueueinfo(2)
SYSCALL3(rt_sigqueueinfo, pid_t, tgid, int, sig, const void __user *, uinfo)
{
    struct siginfo info;
    int err = siginfo_from_user(&info, uinfo, sig);
    if (err)
        return err;
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    return siginfo_may_send(&info, tgid == pid_vnr(current_task()->pid)) ? kill_one(tgid, sig, &info) : -EPERM;
}

// rt_tgsigqueueinfo(2)
SYSCALL4(rt_tgsigqueueinfo, pid_t, tgid, pid_t, tid, int, sig, const void __user *, uinfo)
{
    struct siginfo info;
    int err = siginfo_from_user(&info, uinfo, sig);
    if (err)
        return err;
    if (tgid <= 0 || tid <= 0 || sig < 0 || sig > NSIG)
        return -EINVAL;
    if (!siginfo_may_send(&info, tid == pid_vnr(current_task()->pid)))
        return -EPERM;
    return send_to_thread(tgid, tid, sig, &info);
}

// sigaltstack(2)
SYSCALL2(sigaltstack, const struct abi_stack __user *, unew, struct abi_stack __user *, uold)
{
    struct task *task = current_task();
    unsigned long sp = regs_sp(current_regs());
    bool on_stack = !(task->altstack_flags & SS_AUTODISARM) && task->altstack_size && sp > task->altstack_sp &&
                    sp - task->altstack_sp <= task->altstack_size;
    struct abi_stack old = {
        .sp = task->altstack_sp,
        .size = task->altstack_size,
        .flags = (int)((task->altstack_size ? (on_stack ? SS_ONSTACK : 0) : SS_DISABLE) | (task->altstack_flags & SS_AUTODISARM)),
    };
    if (unew) {
        struct abi_stack new;
        if (copy_from_user(&new, unew, sizeof new))
            return -EFAULT;
        unsigned mode = (unsigned)new.flags & ~SS_AUTODISARM;
        if (on_stack)
            return -EPERM;
        if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
            return -EINVAL;
        if (mode == SS_DISABLE)
            new.sp = new.size = 0;
        else if (new.size < MINSIGSTKSZ)
            return -ENOMEM;
        task->altstack_sp = new.sp;
        task->altstack_size = new.size;
        task->altstack_flags = (unsigned)new.flags;
    }
    return uold && copy_to_user(uold, &old, sizeof old) ? -EFAULT : 0;
}
