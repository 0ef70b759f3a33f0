// kernel/proc/signal.c — sending signals: signal(7).
//
// A signal is pending for one thread or for the process. sighand->lock guards, for all threads that share it, the actions, both kinds of pending sets,
// the masks and the job-control flags. A sender under RCU finds the task's sighand and locks it (sighand_lock); after the task is released there is
// none. WORK_SIGNAL on a thread means: something deliverable may be there, or a stop or group exit wants it. It is set by senders under the lock and
// cleared only by signal_recalc() in the same way, so a sleeping thread that checks it after queueing itself loses no signal.

#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/sched/sched.h"

static struct slab_cache *sighand_cache;
static DEFINE_LOCK_CLASS(sighand_class, "signals", RANK_SIGHAND);

void signals_init(void)
{
    sighand_cache = slab_cache_create("sighand", sizeof(struct sighand), 64, SLAB_RCU, nullptr);
    if (!sighand_cache)
        panic("no memory for signals");
    sigqueue_init();
}

struct sighand *sighand_alloc(void)
{
    struct sighand *sighand = slab_alloc(sighand_cache, ALLOC_KERNEL);
    if (!sighand)
        return nullptr;
    refcount_set(&sighand->refs, 1);
    spin_init(&sighand->lock, &sighand_class);
    memset(sighand->action, 0, sizeof sighand->action);
    waitqueue_init(&sighand->signalfd_wq);
    return sighand;
}

static void sighand_free(struct rcu_head *head)
{
    slab_free(sighand_cache, container_of(head, struct sighand, rcu));
}

void sighand_put(struct sighand *sighand)
{
    if (!refcount_dec_and_test(&sighand->refs))
        return;
    waitqueue_end(&sighand->signalfd_wq);
    call_rcu(&sighand->rcu, sighand_free);
}

struct sighand *sighand_lock(struct task *task, irq_flags_t *flags)
{
    rcu_read_lock();
    for (;;) {
        struct sighand *sighand = rcu_dereference(task->sighand);
        if (!sighand)
            break;
        *flags = spin_lock_irqsave(&sighand->lock);
        if (likely(sighand == READ_ONCE(task->sighand))) {
            rcu_read_unlock();
            return sighand;
        }
        spin_unlock_irqrestore(&sighand->lock, *flags);
    }
    rcu_read_unlock();
    return nullptr;
}

void sighand_unlock(struct sighand *sighand, irq_flags_t flags)
{
    spin_unlock_irqrestore(&sighand->lock, flags);
}

void siginfo_init_kernel(struct siginfo *info, int sig)
{
    *info = (struct siginfo){.si_signo = sig, .si_code = SI_KERNEL};
}

static bool fatal_pending(const struct task *task)
{
    return task->pending.set & sigmask(SIGKILL);
}

static bool hook_signal_pending(const struct thread *thread, bool fatal_only)
{
    if (!(READ_ONCE(thread->work) & WORK_SIGNAL) || thread->kernel_thread)
        return false;
    return !fatal_only || fatal_pending(task_of(thread));
}

bool signal_pending(void)
{
    return READ_ONCE(current_thread()->work) & WORK_SIGNAL;
}

bool fatal_signal_pending(void)
{
    return signal_pending() && fatal_pending(current_task());
}

void signal_recalc(struct task *task)
{
    struct process *p = task->process;
    uint32_t work = READ_ONCE(task->thread.work);
    bool wanted = ((task->pending.set | p->shared_pending.set) & ~task->blocked) || task->stop_pending || task->sync_fault ||
                  p->notify_cont || work & WORK_FREEZE;
    if (wanted == !!(work & WORK_SIGNAL))
        return; // as most often: no atomic operation for it
    if (wanted) {
        thread_set_work(&task->thread, WORK_SIGNAL);
        return;
    }
    // The freezer sets both bits without our lock: what it set meanwhile stays.
    while (!(work & WORK_FREEZE) && !try_cmpxchg(&task->thread.work, &work, work & ~(uint32_t)WORK_SIGNAL))
        ;
}

static void wake_for_signal(struct task *task, bool fatal)
{
    thread_set_work(&task->thread, WORK_SIGNAL);
    if (!thread_wake(&task->thread, fatal ? WAKE_FATAL : WAKE_SIGNAL))
        thread_kick(&task->thread);
}

void group_exit_begin(struct process *p, int code)
{
    p->group_exit = true;
    p->group_exit_code = code;
    p->stop_flags = 0;
    p->notify_cont = 0;
}

void signal_kill_others(struct process *p, struct task *except)
{
    struct task *t;
    for_each_thread_rcu(t, p)
    {
        if (t == except || t->exiting)
            continue;
        group_stop_undo(t);
        t->pending.set |= sigmask(SIGKILL);
        wake_for_signal(t, true);
    }
}

// Whether the init of a PID namespace is protected: only what it handles reaches it from inside, and only SIGKILL and SIGSTOP from above.
static bool init_protected(struct process *p, int sig, const struct k_sigaction *action, bool from_above)
{
    if (p != task_pid_ns(p->leader)->reaper || action->handler != SIG_DFL)
        return false;
    return !(from_above && (sig == SIGKILL || sig == SIGSTOP));
}

static bool is_ignored(struct task *task, int sig, bool from_above)
{
    const struct k_sigaction *action = &task->sighand->action[sig - 1];
    // Blocked signals stay pending even if ignored now: the disposition may change before they are unblocked.
    if (task->blocked & sigmask(sig))
        return false;
    if (init_protected(task->process, sig, action, from_above))
        return true;
    return action->handler == SIG_IGN || (action->handler == SIG_DFL && (SIG_DEFAULT_IGNORE & sigmask(sig)));
}

// Stop signals and SIGCONT cancel each other when they are sent. SIGCONT also starts the stopped again, even where it is blocked or ignored.
static void cancel_opposites(struct process *p, int sig)
{
    struct task *t;
    if (SIG_STOPS & sigmask(sig)) {
        sigpending_remove(&p->shared_pending, sigmask(SIGCONT));
        for_each_thread_rcu(t, p)
            sigpending_remove(&t->pending, sigmask(SIGCONT));
        return;
    }
    if (sig != SIGCONT)
        return;
    bool stopping = p->stop_count;
    sigpending_remove(&p->shared_pending, SIG_STOPS);
    for_each_thread_rcu(t, p)
    {
        sigpending_remove(&t->pending, SIG_STOPS);
        group_stop_undo(t);
        thread_wake(&t->thread, BIT(THREAD_STOPPED));
    }
    if (p->stop_flags & STOP_STOPPED || stopping) {
        p->notify_cont = p->stop_flags & STOP_STOPPED ? CLD_CONTINUED : CLD_STOPPED; // told to the parent by the first thread that runs again
        p->stop_flags = (p->stop_flags & ~(STOP_STOPPED | STOP_REPORTED)) | STOP_CONTINUED;
        thread_set_work(&p->leader->thread, WORK_SIGNAL);
    }
}

static bool wants(struct task *t, int sig)
{
    if ((t->blocked & ~t->sigwait_set & sigmask(sig)) || t->exiting) // a thread in sigtimedwait accepts what it blocks
        return false;
    if (sig == SIGKILL)
        return true;
    // One that has a signal to take already takes this one as well, but only once it runs. In the freezer, or on its way there, none is taken, and any may be
    // chosen to die of one.
    uint32_t work = load_acquire(&t->thread.work);
    return t->thread.state != THREAD_STOPPED && (READ_ONCE(t->thread.on_cpu) || !(work & WORK_SIGNAL) || work & WORK_FREEZE || READ_ONCE(t->in_freezer));
}

// Whom a signal is for. Those of a group or kill(-1) are for TO_MANY: children in the making are meant too.
enum receivers { TO_THREAD, TO_PROCESS, TO_MANY };

int signal_fork_begin(struct fork_signals *fork)
{
    struct task *task = current_task();
    fork->set = 0;
    spin_irq_guard(&task->sighand->lock);
    signal_recalc(task);
    if (signal_pending())
        return -ERESTARTNOINTR;
    list_add(&fork->link, &task->process->forks);
    return 0;
}

void signal_fork_end(struct fork_signals *fork)
{
    spin_irq_guard(&current_task()->sighand->lock);
    list_del(&fork->link);
}

static void note_for_forks(struct process *p, int sig)
{
    struct fork_signals *fork;
    list_for_each_entry(fork, &p->forks, link)
    {
        fork->set &= ~(sig == SIGCONT ? SIG_STOPS : SIG_STOPS & sigmask(sig) ? sigmask(SIGCONT) : 0);
        fork->set |= sigmask(sig);
    }
}

// Who takes a process-wide signal: the main thread if it wants to, else any other.
static struct task *choose_thread(struct task *first, int sig, bool group)
{
    if (wants(first, sig))
        return first;
    if (!group)
        return nullptr;
    struct task *t;
    for_each_thread_rcu(t, first->process)
    {
        if (wants(t, sig))
            return t;
    }
    return nullptr;
}

static bool default_is_fatal(int sig)
{
    return !((SIG_DEFAULT_IGNORE | SIG_STOPS) & sigmask(sig));
}

static void complete_signal(struct task *task, int sig, bool group)
{
    struct process *p = task->process;
    if (waitqueue_active(&task->sighand->signalfd_wq))
        wake_up_all(&task->sighand->signalfd_wq);
    struct task *t = choose_thread(task, sig, group);
    if (!t)
        return;
    if (default_is_fatal(sig) && task->sighand->action[sig - 1].handler == SIG_DFL && !p->group_exit &&
        !(t->blocked & sigmask(sig)) && (sig == SIGKILL || !init_protected(p, sig, &task->sighand->action[sig - 1], false))) {
        // The whole process is going to die of it: begin now, so that no thread runs on for long.
        group_exit_begin(p, sig);
        signal_kill_others(p, nullptr);
        return;
    }
    wake_for_signal(t, sig == SIGKILL);
}

// Queues under the lock, in a place of its own or in the `reserved` one. `from_above`: the sender is in an ancestor PID namespace or the kernel itself.
static int send_locked(struct task *task, int sig, const struct siginfo *info, struct sigqueue *reserved, enum receivers to, bool from_above)
{
    struct process *p = task->process;
    bool group = to != TO_THREAD;
    if (p->group_exit && sig != SIGKILL)
        return 0;
    cancel_opposites(p, sig);
    if (is_ignored(task, sig, from_above))
        return 0;
    if (to == TO_MANY)
        note_for_forks(p, sig);
    struct sigpending *pending = group ? &p->shared_pending : &task->pending;
    if (!reserved && sig < SIGRTMIN && (pending->set & sigmask(sig)))
        return 0; // standard signals do not queue

    // Standard signals of the kernel itself are queued beyond the limit: their information matters and they are few.
    bool beyond = sig < SIGRTMIN && info->si_code >= 0;
    if (reserved) {
        sigpending_add_reserved(pending, reserved, info);
    } else if (sig != SIGKILL) {
        const struct cred *cred = rcu_dereference(task->cred);
        uint64_t limit = beyond ? UINT64_MAX : READ_ONCE(p->rlimits[RLIMIT_SIGPENDING].cur);
        if (!sigpending_add(pending, cred->user, limit, info) && sig >= SIGRTMIN && info->si_code != SI_USER)
            return -EAGAIN; // a real-time signal is queued or refused, never merged
    }
    pending->set |= sigmask(sig);
    complete_signal(task, sig, group);
    return 0;
}

// Locks the signals of a process's leader. exec may make another thread the leader, and release this one, just before.
static struct sighand *leader_lock(struct process *p, struct task **leader, irq_flags_t *flags) NO_THREAD_SAFETY_ANALYSIS
{
    for (;;) {
        *leader = load_acquire(&p->leader);
        if (!*leader)
            return nullptr;
        struct sighand *sighand = sighand_lock(*leader, flags);
        if (sighand || *leader == load_acquire(&p->leader))
            return sighand;
    }
}

// `task`: the thread, or null for `p` as a whole.
static int send(struct process *p, struct task *task, int sig, const struct siginfo *info, struct sigqueue *reserved, enum receivers to)
{
    struct siginfo own;
    struct task *sender = current_task();
    bool from_above = true;
    struct pid_namespace *ns = p->pid->numbers[p->pid->level].ns;
    if (!info) {
        own = (struct siginfo){.si_signo = sig, .si_code = SI_USER};
        if (sender) {
            own.rt.pid = pid_nr_ns(sender->process->pid, ns);
            own.rt.uid = sender->cred->uid;
            from_above = own.rt.pid == 0;
        }
        info = &own;
    } else if (sender && info->si_code != SI_KERNEL) {
        from_above = pid_nr_ns(sender->process->pid, ns) == 0;
    }
    if (reserved)
        from_above = false; // the process's own timer; whom its interrupt came upon means nothing
    irq_flags_t flags;
    rcu_read_lock();
    struct sighand *sighand = task ? sighand_lock(task, &flags) : leader_lock(p, &task, &flags);
    rcu_read_unlock(); // the lock keeps a grace period away as well
    if (!sighand)
        return -ESRCH;
    int err = sig ? send_locked(task, sig, info, reserved, to, from_above) : 0;
    sighand_unlock(sighand, flags);
    return err;
}

int signal_send_thread(struct task *task, int sig, const struct siginfo *info)
{
    return send(task->process, task, sig, info, nullptr, TO_THREAD);
}

// For the process, `task` first. One that has just ended, or was the leader before an exec, is as good as any.
static int send_near(struct task *task, int sig, const struct siginfo *info, struct sigqueue *reserved)
{
    int err = send(task->process, task, sig, info, reserved, TO_PROCESS);
    return err == -ESRCH ? send(task->process, nullptr, sig, info, reserved, TO_PROCESS) : err;
}

int signal_send_reserved(struct process *process, struct task *task, struct sigqueue *reserved, const struct siginfo *info)
{
    if (task)
        return send(process, task, info->si_signo, info, reserved, TO_THREAD);
    struct task *running = current_task();
    return running && running->process == process ? send_near(running, info->si_signo, info, reserved)
                                                  : send(process, nullptr, info->si_signo, info, reserved, TO_PROCESS);
}

int signal_send_process(struct process *process, int sig, const struct siginfo *info)
{
    return send(process, nullptr, sig, info, nullptr, TO_PROCESS);
}

int signal_send_near(struct task *task, int sig, const struct siginfo *info)
{
    return send_near(task, sig, info, nullptr);
}

void signal_send_kernel(struct process *process, int sig)
{
    struct siginfo info;
    siginfo_init_kernel(&info, sig);
    (void)signal_send_process(process, sig, &info);
}

void signal_send_kernel_near(struct task *task, int sig)
{
    struct siginfo info;
    siginfo_init_kernel(&info, sig);
    (void)signal_send_near(task, sig, &info);
}

int signal_send_member(struct process *process, int sig, const struct siginfo *info)
{
    return send(process, nullptr, sig, info, nullptr, TO_MANY);
}

int signal_send_pgrp_locked(struct pid *pgrp, int sig, const struct siginfo *info)
{
    struct task *leader;
    int result = -ESRCH;
    list_for_each_entry(leader, &pgrp->tasks[PID_PGRP], pid_links[PID_PGRP])
    {
        int err = signal_send_member(leader->process, sig, info);
        if (!err || result)
            result = err;
    }
    return result;
}

int signal_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info)
{
    if (!pgrp)
        return -ESRCH;
    spin_irq_guard(&process_tree_lock);
    return signal_send_pgrp_locked(pgrp, sig, info);
}

bool may_signal(const struct task *target, int sig)
{
    const struct cred *mine = current_cred();
    rcu_read_lock();
    const struct cred *theirs = rcu_dereference(target->cred);
    bool ok = mine->euid == theirs->suid || mine->euid == theirs->uid || mine->uid == theirs->suid || mine->uid == theirs->uid ||
              cred_capable(mine, CAP_KILL) || target->process == current_process();
    rcu_read_unlock();
    if (!ok && sig == SIGCONT) // a shell may continue its jobs whatever they run as
        ok = READ_ONCE(target->process->session) == READ_ONCE(current_process()->session);
    return ok;
}

int signal_kill_process(struct process *process, int sig, const struct siginfo *info)
{
    rcu_read_lock();
    struct task *leader = rcu_dereference(process->leader);
    int err = !leader ? -ESRCH : may_signal(leader, sig) ? signal_send_process(process, sig, info) : -EPERM;
    rcu_read_unlock();
    return err;
}

void signal_force(int sig, int code, unsigned long addr)
{
    struct task *task = current_task();
    struct siginfo info = {.si_signo = sig, .si_code = code};
    info.fault.addr = addr;
    spin_irq_guard(&task->sighand->lock);
    struct k_sigaction *action = &task->sighand->action[sig - 1];
    bool blocked = task->blocked & sigmask(sig);
    if (blocked || action->handler == SIG_IGN) {
        // It can be neither put off nor ignored: the instruction would fault for ever.
        *action = (struct k_sigaction){};
        task->blocked &= ~sigmask(sig);
    }
    sigpending_remove(&task->pending, sigmask(sig));
    (void)sigpending_add(&task->pending, current_cred()->user, UINT64_MAX, &info); // without room it comes without its story
    task->pending.set |= sigmask(sig);
    task->sync_fault = sig;
    thread_set_work(&task->thread, WORK_SIGNAL);
}

void signal_notify_parent(struct process *p, int sig, int code, int status)
{
    struct process *parent = p->parent;
    uint64_t utime = p->dead_utime, stime = p->dead_stime, u, s;
    thread_times(&p->leader->thread, &u, &s);
    struct siginfo info = {.si_signo = sig, .si_code = code};
    info.child.pid = pid_nr_ns(p->pid, task_pid_ns(parent->leader));
    info.child.uid = p->leader->cred->uid;
    info.child.status = status;
    info.child.utime = (int64_t)((utime + u) / (NSEC_PER_SEC / 100));
    info.child.stime = (int64_t)((stime + s) / (NSEC_PER_SEC / 100));
    // To the thread that made the child before any other: it is the one that may block SIGCHLD in order to wait for it.
    if (p->parent_thread)
        (void)signal_send_near(p->parent_thread, sig, &info);
    else
        (void)signal_send_process(parent, sig, &info);
}

void signal_hand_over(struct task *task, uint64_t set)
{
    set &= task->process->shared_pending.set;
    if (!set)
        return;
    struct task *t;
    for_each_thread_rcu(t, task->process)
    {
        uint64_t theirs = t == task || t->exiting ? 0 : set & (~t->blocked | t->sigwait_set);
        if (!theirs)
            continue;
        wake_for_signal(t, false);
        if (!(set &= ~theirs))
            return; // no more need to wake: who takes one hands on what is left
    }
}

void sigmask_set(uint64_t mask)
{
    struct task *task = current_task();
    mask &= ~SIG_KERNEL_ONLY;
    if (mask == task->blocked)
        return;
    spin_irq_guard(&task->sighand->lock);
    uint64_t newly = mask & ~task->blocked;
    task->blocked = mask;
    signal_recalc(task);
    signal_hand_over(task, newly);
}

void sigmask_set_temporary(uint64_t mask)
{
    struct task *task = current_task();
    task->saved_blocked = task->blocked;
    thread_set_work(&task->thread, WORK_RESTORE_MASK);
    sigmask_set(mask);
}

void sigmask_restore_temporary(void)
{
    struct task *task = current_task();
    if (!(READ_ONCE(task->thread.work) & WORK_RESTORE_MASK))
        return;
    thread_clear_work(&task->thread, WORK_RESTORE_MASK);
    sigmask_set(task->saved_blocked);
}

int sigaction_flush_for_exec(struct task *task)
{
    // Handlers are code that is gone; what is ignored stays ignored: execve(2).
    spin_irq_guard(&task->sighand->lock);
    for (int i = 0; i < NSIG; i++) {
        struct k_sigaction *action = &task->sighand->action[i];
        unsigned long handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL;
        *action = (struct k_sigaction){.handler = handler};
    }
    return 0;
}

void signal_hooks_init(void)
{
    thread_signal_pending = hook_signal_pending;
}
