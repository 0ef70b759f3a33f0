// kernel/proc/fork.c — clone(2), clone3(2), fork(2), vfork(2): each CLONE_ bit means one thing and is obeyed alone.

#include "kernel/abi/clone.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/pidfd.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"

static DEFINE_LOCK_CLASS(task_alloc_class, "task", RANK_FILES);
static DEFINE_LOCK_CLASS(task_work_class, "task work", RANK_FILES);
static atomic_t nr_threads;
static atomic64_t total_forks;
static int max_threads = 32768; // kernel.threads-max; set from memory at boot

int threads_count(void)
{
    return atomic_read(&nr_threads);
}

void threads_count_init(void)
{
    atomic_set(&nr_threads, 1);
}

void threads_limit_set(int max)
{
    WRITE_ONCE(max_threads, max);
}

int threads_limit_get(void)
{
    return READ_ONCE(max_threads);
}

uint64_t forks_total(void)
{
    return (uint64_t)atomic_read(&total_forks);
}

void threads_uncount(void)
{
    atomic_dec(&nr_threads);
}

// Combinations that clone(2) refuses.
static int check_flags(uint64_t flags)
{
    if ((flags & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS))
        return -EINVAL;
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_THREAD) && (flags & (CLONE_NEWPID | CLONE_NEWUSER)))
        return -EINVAL;
    if ((flags & CLONE_THREAD) && current_namespaces()->pid_for_children != task_pid_ns(current_task()))
        return -EINVAL;
    // The init of a PID namespace has no parent inside it to give its children to.
    if ((flags & CLONE_PARENT) && current_process() == task_pid_ns(current_task())->reaper)
        return -EINVAL;
    if ((flags & CLONE_PIDFD) && (flags & CLONE_DETACHED))
        return -EINVAL;
    if (flags & (CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWTIME | CLONE_NEWNET))
        return -EINVAL; // as a kernel built without these namespaces
    if ((flags & (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP)) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    return 0;
}

static int copy_mm(struct task *child, uint64_t flags)
{
    struct mm *mm = current_thread()->mm;
    if (flags & CLONE_VM) {
        mm_get_users(mm);
        child->thread.mm = mm;
        return 0;
    }
    return mm_fork(mm, &child->thread.mm);
}

static int copy_files(struct task *child, uint64_t flags)
{
    struct files *files = current_task()->files;
    if (flags & CLONE_FILES) {
        child->files = files_get(files);
        return 0;
    }
    return files_copy(files, &child->files);
}

static int copy_fs(struct task *child, uint64_t flags)
{
    struct fs_context *fs = current_task()->fs;
    if (flags & CLONE_FS) {
        fs_context_share(fs);
        child->fs = fs;
        return 0;
    }
    child->fs = fs_context_copy(fs);
    return child->fs ? 0 : -ENOMEM;
}

static int copy_sighand(struct task *child, uint64_t flags)
{
    struct sighand *parent = current_task()->sighand;
    if (flags & CLONE_SIGHAND) {
        refcount_inc(&parent->refs);
        child->sighand = parent;
        return 0;
    }
    struct sighand *sighand = sighand_alloc();
    if (!sighand)
        return -ENOMEM;
    {
        spin_irq_guard(&parent->lock);
        memcpy(sighand->action, parent->action, sizeof sighand->action);
    }
    if (flags & CLONE_CLEAR_SIGHAND)
        for (int i = 0; i < NSIG; i++)
            if (sighand->action[i].handler != SIG_IGN)
                sighand->action[i] = (struct k_sigaction){};
    child->sighand = sighand;
    return 0;
}

static int copy_process(struct task *child, uint64_t flags)
{
    struct process *parent = current_process();
    if (flags & CLONE_THREAD) {
        child->process = process_get(parent);
        return 0;
    }
    struct process *p = process_alloc();
    if (!p)
        return -ENOMEM;
    {
        spin_guard(&parent->rlimit_lock);
        memcpy(p->rlimits, parent->rlimits, sizeof p->rlimits);
    }
    p->start_boottime = clock_boottime();
    child->process = p;
    return 0;
}

// Things that are neither shared nor copied by a flag of their own.
static int copy_rest(struct task *child, uint64_t flags)
{
    struct task *parent = current_task();
    spin_init(&child->alloc_lock, &task_alloc_class);
    list_init(&child->pending.queue);
    list_init(&child->task_work);
    spin_init(&child->work_lock, &task_work_class);
    list_init(&child->cgroup_link);
    list_init(&child->thread_link);
    for (int type = 0; type < PID_TYPES; type++)
        list_init(&child->pid_links[type]);
    child->blocked = parent->blocked;
    child->personality = parent->personality;
    child->no_new_privs = parent->no_new_privs;
    child->timer_slack = child->default_timer_slack = parent->timer_slack;
    child->cred = cred_get(parent->cred);
    atomic_inc(&((struct cred *)child->cred)->user->processes);
    if ((flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
        child->altstack_sp = parent->altstack_sp;
        child->altstack_size = parent->altstack_size;
        child->altstack_flags = parent->altstack_flags;
    } else {
        child->altstack_flags = 2; // SS_DISABLE
    }
    if (parent->trace_syscalls) {
        child->trace_syscalls = true;
        thread_set_work(&child->thread, WORK_TRACE);
    }
    return 0;
}

static int check_limits(void)
{
    const struct cred *cred = current_cred();
    if ((uint64_t)atomic_read(&cred->user->processes) >= rlimit(RLIMIT_NPROC) && cred->uid != 0 && !capable(CAP_SYS_RESOURCE) &&
        !capable(CAP_SYS_ADMIN))
        return -EAGAIN;
    return atomic_read(&nr_threads) >= max_threads ? -EAGAIN : 0;
}

// Undoes what copying made, newest first. `child` never ran.
static void discard(struct task *child)
{
    if (child->pid)
        pid_free_numbers(child->pid);
    child->pid = nullptr;
    if (child->ns)
        namespaces_put(child->ns);
    if (child->fs)
        fs_context_leave(child->fs);
    if (child->files)
        files_put(child->files);
    if (child->thread.mm)
        mm_put_users(child->thread.mm);
    child->thread.mm = nullptr;
    if (child->sighand)
        sighand_put(child->sighand);
    child->sighand = nullptr;
    if (child->cred)
        atomic_dec(&((struct cred *)child->cred)->user->processes);
    threads_uncount();
    if (child->thread.stack) {
        thread_put(&child->thread);
        return;
    }
    cred_put(child->cred);
    process_put(child->process);
    task_free_unborn(child);
}

static int link_child(struct task *child, const struct clone_request *req, const struct fork_signals *missed) REQUIRES(process_tree_lock)
{
    struct process *me = current_process(), *p = child->process;
    spin_guard(&child->sighand->lock);
    if (fatal_signal_pending())
        return -ERESTARTNOINTR;
    if (req->flags & CLONE_THREAD) {
        if (p->group_exit || p->group_exec_task)
            return -ERESTARTNOINTR;
        p->nr_threads++;
        group_stop_inherit(current_task(), child);
        list_add_tail_rcu(&task_get(child)->thread_link, &p->threads); // thread_forget_dead() drops it
        pid_attach(child, PID_THREAD, child->pid);
        return 0;
    }
    struct process *parent = req->flags & CLONE_PARENT ? me->parent : me;
    if (child->pid->numbers[child->pid->level].ns->dying)
        return -ENOMEM;
    p->pid = pid_get(child->pid);
    p->pgrp = pid_get(me->pgrp);
    p->session = pid_get(me->session);
    p->tty = me->tty;
    p->leader = child;
    p->nr_threads = 1;
    p->parent = process_get(parent);
    p->parent_thread = req->flags & CLONE_PARENT ? me->parent_thread : current_task();
    current_task()->had_children |= !(req->flags & CLONE_PARENT);
    p->parent_execs = req->flags & CLONE_PARENT ? me->parent_execs : me->execs;
    p->exit_signal = req->flags & CLONE_PARENT ? me->exit_signal : req->exit_signal;
    struct pid_namespace *ns = task_pid_ns(child);
    if (!ns->reaper)
        ns->reaper = p;
    list_add_tail_rcu(&task_get(child)->thread_link, &p->threads); // thread_forget_dead() drops it
    list_add_tail(&process_get(p)->sibling, &parent->children); // the tree's own reference: process_release() drops it
    pid_attach(child, PID_THREAD, child->pid);
    pid_attach(child, PID_PROCESS, p->pid);
    pid_attach(child, PID_PGRP, p->pgrp);
    pid_attach(child, PID_SESSION, p->session);
    p->shared_pending.set = missed->set;
    p->has_child_subreaper = me->has_child_subreaper || me->is_subreaper;
    p->oom_score_adj = me->oom_score_adj;
    p->oom_score_adj_min = me->oom_score_adj_min;
    signal_recalc(child);
    return 0;
}

static int cgroup_fd(const struct clone_request *req)
{
    return req->flags & CLONE_INTO_CGROUP ? req->cgroup_fd : -1;
}

// Puts the child into the tree where everybody can see it. A signal that arrives for the whole group either sees the child or is in `missed`.
static int publish(struct task *child, const struct clone_request *req, const struct fork_signals *missed)
{
    spin_irq_guard(&process_tree_lock);
    int err = link_child(child, req, missed);
    if (!err)
        cgroup_post_fork(child, cgroup_fd(req));
    return err;
}

static int build(struct task *child, const struct clone_request *req, const struct pt_regs *regs)
{
    uint64_t flags = req->flags;
    int err = thread_init(&child->thread, current_thread()->name);
    if (!err)
        err = copy_rest(child, flags);
    if (!err)
        err = copy_process(child, flags);
    if (!err)
        err = copy_sighand(child, flags);
    if (!err)
        err = copy_files(child, flags);
    if (!err)
        err = copy_fs(child, flags);
    if (!err)
        err = namespaces_clone(flags, child->fs, &child->ns);
    if (!err)
        err = copy_mm(child, flags);
    if (!err)
        err = arch_thread_init_user(&child->thread, regs, req->stack, flags & CLONE_SETTLS, req->tls);
    if (!err)
        err = pid_alloc(child->ns->pid_for_children, req->set_tid, req->set_tid_size, &child->pid);
    return err;
}

long do_clone(const struct clone_request *req, const struct pt_regs *regs)
{
    if ((req->flags & CLONE_PIDFD) && (req->flags & CLONE_PARENT_SETTID) && req->pidfd == req->parent_tid)
        return -EINVAL;
    int err = check_flags(req->flags);
    if (err || (err = check_limits()))
        return err;
    current_task()->over_nproc = false;
    struct fork_signals signals;
    if ((err = signal_fork_begin(&signals)))
        return err;
    struct task *child = task_alloc();
    if (!child) {
        signal_fork_end(&signals);
        return -ENOMEM;
    }
    atomic_inc(&nr_threads);
    struct completion vfork;
    struct file *pidfile = nullptr;
    int pidfd = -1;
    if ((err = build(child, req, regs)))
        goto fail;
    if (req->flags & CLONE_PIDFD) {
        if ((err = pidfd_create(child->pid, req->flags & CLONE_THREAD ? PIDFD_THREAD : 0, &pidfile)))
            goto fail;
        if ((pidfd = fd_reserve(0, 02000000)) < 0) {
            err = pidfd;
            goto fail;
        }
        if (put_user(pidfd, req->pidfd)) {
            err = -EFAULT;
            goto fail;
        }
    }
    if ((err = cgroup_can_fork(child, cgroup_fd(req))))
        goto fail;
    if (req->flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = req->child_tid;
    if (req->flags & CLONE_VFORK) {
        completion_init(&vfork);
        child->vfork_done = &vfork;
    }
    if (req->flags & CLONE_CHILD_SETTID)
    {
        child->set_child_tid = req->child_tid;
        thread_set_work(&child->thread, WORK_NOTIFY);
    }
    if ((err = publish(child, req, &signals))) {
        cgroup_cancel_fork(child, cgroup_fd(req));
        goto fail;
    }
    signal_fork_end(&signals);
    cgroup_fork_end(child, cgroup_fd(req));
    pid_t nr = pid_vnr(child->pid);
    if (pidfile)
        fd_install(pidfd, pidfile);
    if ((req->flags & CLONE_PARENT_SETTID) && put_user(nr, req->parent_tid)) {
        // clone(2) has no way back here: the child exists, and its id is in the return value.
    }
    struct pid *pid = req->flags & CLONE_VFORK ? pid_get(child->pid) : nullptr;
    atomic_add_relaxed(&total_forks, 1);
    thread_wake_new(&child->thread);
    if (pid) {
        // The child borrows our memory until it execs or exits. If we are killed meanwhile, it must not complete into a dead frame.
        cgroup_enter_frozen(current_task());
        if (wait_for_completion_killable(&vfork))
            vfork_abandon(pid, &vfork);
        cgroup_leave_frozen(current_task());
        pid_put(pid);
    }
    return nr;

fail:
    if (pidfd >= 0)
        fd_release(pidfd);
    if (pidfile)
        file_put(pidfile);
    signal_fork_end(&signals);
    discard(child);
    return err;
}
