// kernel/proc/exit.c — the end of threads and processes: exit(2), exit_group(2).
//
// A thread gives back what it holds, from the outside in: timers and robust futexes while its memory is still there, then memory, the session's terminal,
// files, file-system context; then, under process_tree_lock, its place in the tree. A thread that is not the leader is released at once. The leader stays
// as a zombie until the last other thread is gone and the parent has waited; process->state says which: ALIVE -> ZOMBIE -> DEAD, each step once and under
// the lock.

#include "kernel/abi/clone.h"
#include "kernel/ipc/futex.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/task_work.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/process_timers.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"

void (*tty_session_leader_exit)(struct process *leader);

void pid_attach(struct task *task, enum pid_type type, struct pid *pid)
{
    list_add_tail_rcu(&task->pid_links[type], &pid->tasks[type]);
}

void pid_detach(struct task *task, enum pid_type type)
{
    list_del_init(&task->pid_links[type]);
}

bool pgrp_is_orphaned(struct pid *pgrp, struct process *ignore)
{
    struct task *leader;
    list_for_each_entry(leader, &pgrp->tasks[PID_PGRP], pid_links[PID_PGRP])
    {
        struct process *p = leader->process;
        if (p == ignore || p->state != PROCESS_ALIVE || p->parent == init_process)
            continue;
        if (p->parent->pgrp != pgrp && p->parent->session == p->session)
            return false;
    }
    return true;
}

bool pgrp_has_stopped(struct pid *pgrp)
{
    struct task *leader;
    list_for_each_entry(leader, &pgrp->tasks[PID_PGRP], pid_links[PID_PGRP])
    {
        if (READ_ONCE(leader->process->stop_flags) & STOP_STOPPED)
            return true;
    }
    return false;
}

// A stopped job that loses its last link to a living shell is told to hang up, and to go on so that it can.
static void kill_orphaned_pgrp(struct pid *pgrp, struct process *ignore) REQUIRES(process_tree_lock)
{
    if (!pgrp_is_orphaned(pgrp, ignore) || !pgrp_has_stopped(pgrp))
        return;
    struct siginfo info;
    siginfo_init_kernel(&info, SIGHUP);
    signal_send_pgrp_locked(pgrp, SIGHUP, &info);
    siginfo_init_kernel(&info, SIGCONT);
    signal_send_pgrp_locked(pgrp, SIGCONT, &info);
}

// Who adopts the children of `dying`: the nearest living subreaper above it, else the init of its PID namespace.
static struct process *find_reaper(struct process *dying) REQUIRES(process_tree_lock)
{
    struct process *init = task_pid_ns(dying->leader)->reaper;
    if (dying->has_child_subreaper && init != dying)
        for (struct process *p = dying->parent; p && p != init && p != p->parent; p = p->parent)
            if (p->is_subreaper && p->state == PROCESS_ALIVE && !p->group_exit &&
                task_pid_ns(p->leader) == task_pid_ns(dying->leader))
                return p;
    return init && init != dying ? init : init_process;
}

static struct task *living_thread(struct process *p) REQUIRES(process_tree_lock)
{
    struct task *t;
    for_each_thread(t, p)
        if (!t->exiting)
            return t;
    return nullptr;
}

// prctl(2), PR_SET_PDEATHSIG: each thread of the child that asked for it hears that its parent thread is gone, if the parent, who is the caller, may send
// that at all.
static void tell_parent_died(struct process *child) REQUIRES(process_tree_lock)
{
    struct task *t;
    for_each_thread(t, child)
        if (t->pdeath_signal && may_signal(t, t->pdeath_signal))
            signal_send_near(t, t->pdeath_signal, nullptr);
}

// A thread ends, its process lives: what it forked belongs to another thread from now on.
static void hand_over_children(struct task *task) REQUIRES(process_tree_lock)
{
    struct process *child;
    if (!task->had_children || list_empty(&task->process->children))
        return; // most threads only work: they need not look through what the others forked
    struct task *heir = living_thread(task->process); // none: the last thread is about to find a reaper for them
    if (heir)
        heir->had_children = true;
    bool changed = false;
    list_for_each_entry(child, &task->process->children, sibling)
    {
        if (child->parent_thread != task)
            continue;
        child->parent_thread = heir;
        changed = true;
        if (heir)
            tell_parent_died(child);
    }
    if (changed)
        wake_up_all(&task->process->child_wq);
}

static void reparent_children(struct process *dying, struct list_head *reap) REQUIRES(process_tree_lock)
{
    if (list_empty(&dying->children))
        return;
    struct process *reaper = find_reaper(dying), *child, *next;
    struct task *heir = living_thread(reaper);
    if (heir)
        heir->had_children = true;
    list_for_each_entry_safe(child, next, &dying->children, sibling)
    {
        struct process *old = child->parent;
        child->parent = process_get(reaper);
        list_move_tail(&child->sibling, &reaper->children);
        process_put(old);
        child->parent_thread = heir;
        child->exit_signal = SIGCHLD;
        tell_parent_died(child);
        if (child->state == PROCESS_ZOMBIE && process_notify_exit(child)) {
            child->state = PROCESS_DEAD;
            child->auto_reaped = true;
            list_del_init(&child->sibling);
            list_add_tail(&child->sibling, reap);
        }
        if (child->pgrp != dying->pgrp && child->session == dying->session)
            kill_orphaned_pgrp(child->pgrp, nullptr);
    }
}

bool process_notify_exit(struct process *p)
{
    struct process *parent = p->parent;
    bool reap = false;
    // A signal that the parent's former program chose, maybe a deadly one, is not for the present one: clone(2).
    int sig = p->parent_execs == READ_ONCE(parent->execs) ? p->exit_signal : SIGCHLD;
    irq_flags_t flags;
    struct sighand *sighand = sighand_lock(parent->leader, &flags);
    if (sighand) {
        const struct k_sigaction *action = &sighand->action[SIGCHLD - 1];
        if (sig == SIGCHLD && (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT))) {
            reap = true; // POSIX: children of one who does not care become no zombies
            if (action->handler == SIG_IGN)
                sig = 0;
        }
        sighand_unlock(sighand, flags);
    }
    if (sig > 0) {
        signal_notify_parent(p, sig, p->exit_code & 0x7f ? (p->exit_code & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED,
                             p->exit_code & 0x7f ? p->exit_code & 0x7f : p->exit_code >> 8 & 0xff);
    }
    wake_up_all(&parent->child_wq);
    return reap;
}

static void account_dead_thread(struct process *p, struct task *task)
{
    uint64_t utime, stime;
    thread_times(&task->thread, &utime, &stime);
    p->dead_utime += utime;
    p->dead_stime += stime;
    p->dead_min_flt += task->min_flt;
    p->dead_maj_flt += task->maj_flt;
    p->dead_nvcsw += task->thread.nvcsw;
    p->dead_nivcsw += task->thread.nivcsw;
    p->dead_rchar += task->io_rchar;
    p->dead_wchar += task->io_wchar;
    p->dead_syscr += task->io_syscr;
    p->dead_syscw += task->io_syscw;
}

// Takes a dead thread out of everything that can be looked up. Its sighand goes: no signal reaches it any more.
void thread_unlink_dead(struct task *task)
{
    pid_detach(task, PID_THREAD);
    seq_write_begin(&task->process->threads_seq);
    list_del_rcu(&task->thread_link);
    account_dead_thread(task->process, task);
    seq_write_end(&task->process->threads_seq);
    irq_flags_t flags;
    struct sighand *sighand = sighand_lock(task, &flags);
    sigpending_flush(&task->pending);
    store_release(&task->sighand, nullptr); // after what made another thread the leader: leader_lock()
    sighand_unlock(sighand, flags);
    sighand_put(sighand);
}

void thread_forget_dead(struct task *task)
{
    pid_forget(task->pid); // its reference is put with the structure
    cgroup_release(task);
    atomic_dec(&((struct cred *)task->cred)->user->processes);
    threads_uncount();
    task_put(task);
}

static void add_children_usage(struct process *parent, struct process *child)
{
    parent->children_utime += child->dead_utime + child->children_utime;
    parent->children_stime += child->dead_stime + child->children_stime;
    parent->children_min_flt += child->dead_min_flt + child->children_min_flt;
    parent->children_maj_flt += child->dead_maj_flt + child->children_maj_flt;
    parent->children_nvcsw += child->dead_nvcsw + child->children_nvcsw;
    parent->children_nivcsw += child->dead_nivcsw + child->children_nivcsw;
    parent->dead_rchar += child->dead_rchar;
    parent->dead_wchar += child->dead_wchar;
    parent->dead_syscr += child->dead_syscr;
    parent->dead_syscw += child->dead_syscw;
    uint64_t rss = max(child->max_rss, child->children_max_rss);
    parent->children_max_rss = max(parent->children_max_rss, rss);
}

void process_release(struct process *p)
{
    struct task *leader = p->leader;
    struct process *parent;
    {
        spin_irq_guard(&process_tree_lock);
        parent = p->parent;
        thread_unlink_dead(leader);
        if (!p->auto_reaped)
            add_children_usage(parent, p);
        list_del_init(&p->sibling);
        pid_detach(leader, PID_PROCESS);
        pid_detach(leader, PID_PGRP);
        pid_detach(leader, PID_SESSION);
        pid_leave(p->pgrp);
        pid_leave(p->session);
        sigpending_flush(&p->shared_pending);
        struct pid_namespace *ns = task_pid_ns(leader);
        if (ns->reaper == p)
            ns->reaper = nullptr;
        rcu_assign_pointer(p->leader, nullptr); // whoever holds the process only does not reach a task that goes
    }
    wake_up_all(&p->pid->poll_wq); // pidfds: it is gone
    process_put(parent);
    thread_forget_dead(leader);
    process_put(p);
}

// The init of a PID namespace takes all its members with it.
static void kill_namespace(struct process *init)
{
    struct pid_namespace *ns = task_pid_ns(init->leader);
    {
        // In one step with the looking, so that a fork either sees that it is too late (publish()) or its child is seen here.
        spin_irq_guard(&process_tree_lock);
        {
            spin_guard(&ns->lock);
            ns->dying = true;
        }
        pid_t nr = 1;
        struct process *p;
        while ((p = process_next(ns, &nr)))
            (void)signal_send_member(p, SIGKILL, nullptr);
    }
    // Every member ends as a zombie child of ours, or of a parent elsewhere that reaps it; until only our own threads are left: the leader, and this one
    // if it is another. Numbers without a task are not waited for: our own group or session may be named by one, or that of somebody outside.
    unsigned own = current_task() == init->leader ? 1 : 2;
    for (;;) {
        struct process *zombie = nullptr;
        wait_event(&init->child_wq, (zombie = claim_any_zombie(init)) || READ_ONCE(ns->nr_tasks) <= own);
        if (!zombie)
            break;
        process_release(zombie);
    }
}

void thread_tell_joiner(struct task *task)
{
    int __user *word = task->clear_child_tid;
    task->clear_child_tid = nullptr;
    if (word && refcount_read(&task->thread.mm->users) > 1 && !put_user(0, word))
        futex_wake_user(word, 1);
}

static void exit_memory(struct task *task)
{
    struct mm *mm = task->thread.mm;
    if (!mm)
        return;
    uint64_t rss = mm_hiwater_rss(mm);
    task->process->max_rss = max(task->process->max_rss, rss);
    futex_exit_robust(task);
    thread_tell_joiner(task);
    {
        spin_guard(&task->alloc_lock);
        thread_set_mm(nullptr);
    }
    vfork_release(task);
    mm_put_users(mm);
}

static void exit_files(struct task *task)
{
    struct files *files;
    struct fs_context *fs;
    {
        spin_guard(&task->alloc_lock);
        files = task->files;
        fs = task->fs;
        task->files = nullptr;
        task->fs = nullptr;
    }
    if (files)
        files_put(files);
    if (fs)
        fs_context_leave(fs);
}

static void exit_namespaces(struct task *task)
{
    struct namespaces *ns;
    {
        spin_guard(&task->alloc_lock);
        ns = task->ns;
        task->ns = nullptr;
    }
    namespaces_put(ns);
}

// All threads have left: the process is a zombie, or nobody's concern any more (true: release it).
static bool become_zombie(struct process *p, struct list_head *reap) REQUIRES(process_tree_lock)
{
    reparent_children(p, reap);
    if (p->parent && p->parent->pgrp != p->pgrp && p->parent->session == p->session)
        kill_orphaned_pgrp(p->pgrp, p);
    p->state = PROCESS_ZOMBIE;
    p->exit_code = p->reboot_status ? p->reboot_status : p->group_exit_code;
    wake_up_all(&p->pid->poll_wq);
    bool auto_reap = process_notify_exit(p);
    if (auto_reap) {
        p->auto_reaped = true;
        p->state = PROCESS_DEAD;
    }
    return auto_reap;
}

// A thread's last act in the tree. The last to come here, whichever that is, tells the parent: not before may the process be reaped, for
// process_release() takes the leader along. True: release it.
static bool leave_tree(struct task *task, struct list_head *reap) REQUIRES(process_tree_lock)
{
    struct process *p = task->process;
    if (task == p->leader)
        p->nr_zombie_threads = 1; // it stays in the list
    else
        thread_unlink_dead(task);
    if (p->group_exec_task)
        wake_up_all(&p->exit_wq);
    bool auto_reap = false;
    if (p->nr_zombie_threads && list_is_singular(&p->threads))
        auto_reap = become_zombie(p, reap);
    else
        hand_over_children(task);
    wake_up_all(&task->pid->poll_wq);
    return auto_reap;
}

void do_exit(int code)
{
    struct task *task = current_task();
    struct process *p = task->process;
    ASSERT(!in_atomic());
    task->exit_code = code;
    bool last, stopped;
    {
        spin_irq_guard(&process_tree_lock);
        spin_guard(&task->sighand->lock);
        task->exiting = true;
        last = --p->nr_threads == 0;
        if (last && !p->group_exit) // each thread called exit(2): the process ends with the last one's status
            group_exit_begin(p, code);
        stopped = group_stop_leave(task);
        if (!p->group_exit)
            signal_hand_over(task, ~task->blocked);
    }
    if (stopped)
        group_stop_tell_parent(p, CLD_STOPPED, p->stop_sig);
    if (last) {
        if (p == init_process)
            panic("init has exited (status 0x%x)", p->group_exit ? p->group_exit_code : code);
        process_timers_exit(p);
    }
    exit_memory(task);
    // Before the files: the terminal's last close would take it from the session, and nobody would tell the foreground group.
    if (last && p->session_leader && tty_session_leader_exit)
        tty_session_leader_exit(p);
    exit_files(task);
    exit_namespaces(task);
    cgroup_exit(task);
    task_work_run(); // last closes; from here on task_work_add() refuses
    // That waits for members that others reap, who may wait for what we have given back.
    if (last && task_pid_ns(p->leader)->reaper == p)
        kill_namespace(p);

    LIST_HEAD(reap);
    bool release;
    struct task *leader;
    {
        spin_irq_guard(&process_tree_lock);
        release = leave_tree(task, &reap);
        leader = p->leader;
    }
    while (!list_empty(&reap)) {
        struct process *zombie = list_first_entry(&reap, struct process, sibling);
        list_del_init(&zombie->sibling);
        process_release(zombie);
    }
    if (task != leader)
        thread_forget_dead(task);
    if (release)
        process_release(p);
    thread_exit();
}

void do_group_exit(int code)
{
    struct task *task = current_task();
    struct process *p = task->process;
    {
        spin_irq_guard(&task->sighand->lock);
        if (p->group_exit) {
            code = p->group_exit_code; // another thread was first
        } else {
            group_exit_begin(p, code);
            signal_kill_others(p, task);
        }
    }
    do_exit(code);
}

// exit(2): this thread only.
SYSCALL1(exit, int, status)
{
    do_exit((status & 0xff) << 8);
}

// exit_group(2)
SYSCALL1(exit_group, int, status)
{
    do_group_exit((status & 0xff) << 8);
}

static void add_up_times(struct process *p, uint64_t *utime, uint64_t *stime)
{
    *utime = p->dead_utime;
    *stime = p->dead_stime;
    struct task *t;
    for_each_thread_rcu(t, p)
    {
        uint64_t u, s;
        thread_times(&t->thread, &u, &s);
        *utime += u;
        *stime += s;
    }
}

unsigned process_threads(struct process *p)
{
    spin_irq_guard(&process_tree_lock);
    return p->nr_threads + (p->leader && p->leader->exiting);
}

// The tree's lock is for the unlucky: the tick asks for it, and programs with many threads do.
void process_times(struct process *p, uint64_t *utime, uint64_t *stime)
{
    bool torn;
    {
        rcu_read_lock();
        uint32_t seq = seq_read_begin(&p->threads_seq);
        add_up_times(p, utime, stime);
        torn = seq_read_retry(&p->threads_seq, seq);
        rcu_read_unlock();
    }
    if (likely(!torn))
        return;
    spin_irq_guard(&process_tree_lock);
    add_up_times(p, utime, stime);
}

// The parent's completion lives on its stack: it is reached and cut only under the child's alloc_lock.
void vfork_release(struct task *task)
{
    spin_guard(&task->alloc_lock);
    struct completion *done = task->vfork_done;
    task->vfork_done = nullptr;
    if (done)
        complete(done);
}

void vfork_abandon(struct pid *pid, struct completion *done)
{
    rcu_read_lock();
    struct task *child = pid_task(pid, PID_THREAD);
    if (child) {
        spin_guard(&child->alloc_lock);
        if (child->vfork_done == done)
            child->vfork_done = nullptr;
    }
    rcu_read_unlock();
}
