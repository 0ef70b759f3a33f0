// kernel/proc/wait.c — wait4(2), waitid(2): zombies are claimed by one waiter each (ZOMBIE -> DEAD under process_tree_lock).

#include "kernel/abi/clone.h"
#include "kernel/abi/resource.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/pidfd.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"

struct wait_request {
    struct pid *pid;   // with P_PID (process), P_PGID (group); else null
    int type;          // P_*
    unsigned options;
    bool nonblock;     // a nonblocking pidfd
};

struct wait_result {
    struct process *zombie; // to be released after the copy-out, unless WNOWAIT
    pid_t pid;
    uid_t uid;
    int cause;  // CLD_*
    int status; // exit status or signal
    int code;   // wait4's form
    struct abi_rusage usage;
};

// Of a child with the children it waited for; a zombie has its leader as the only thread left.
static void usage_of(const struct process *p, struct abi_rusage *u) REQUIRES(process_tree_lock)
{
    uint64_t utime = p->dead_utime + p->children_utime, stime = p->dead_stime + p->children_stime;
    uint64_t max_rss = max(p->max_rss, p->children_max_rss);
    *u = (struct abi_rusage){
        .minflt = (int64_t)(p->dead_min_flt + p->children_min_flt),
        .majflt = (int64_t)(p->dead_maj_flt + p->children_maj_flt),
        .nvcsw = (int64_t)(p->dead_nvcsw + p->children_nvcsw),
        .nivcsw = (int64_t)(p->dead_nivcsw + p->children_nivcsw),
    };
    struct task *t;
    for_each_thread(t, p)
    {
        uint64_t own_utime, own_stime;
        thread_times(&t->thread, &own_utime, &own_stime);
        utime += own_utime;
        stime += own_stime;
        u->minflt += (int64_t)t->min_flt;
        u->majflt += (int64_t)t->maj_flt;
        u->nvcsw += (int64_t)t->thread.nvcsw;
        u->nivcsw += (int64_t)t->thread.nivcsw;
        // Of a zombie the process has it already. For one that only stopped: others hold the lock with interrupts on, and an interrupt of theirs
        // may want the tree lock, so it is not waited for.
        if (p->state == PROCESS_ALIVE && spin_trylock(&t->alloc_lock)) {
            if (t->thread.mm)
                max_rss = max(max_rss, (uint64_t)mm_hiwater_rss(t->thread.mm));
            spin_unlock(&t->alloc_lock);
        }
    }
    u->maxrss = (int64_t)(max_rss * (PAGE_SIZE / 1024));
    set_timeval(&u->utime, utime);
    set_timeval(&u->stime, stime);
}

// Whether the child may be an answer, now or later. One that has ended is none, and never will be, to who asks for stops only.
static bool wanted(const struct wait_request *req, const struct process *child)
{
    if (child->state == PROCESS_DEAD || (child->state == PROCESS_ZOMBIE && !(req->options & WEXITED)))
        return false;
    if (req->type == P_PID && child->pid != req->pid)
        return false;
    if (req->type == P_PGID && child->pgrp != req->pid)
        return false;
    if (req->options & __WNOTHREAD && child->parent_thread != current_task())
        return false;
    // Children made by clone with another exit signal are asked for by __WCLONE or __WALL only.
    bool clone_child = child->exit_signal != SIGCHLD;
    return (req->options & __WALL) || clone_child == !!(req->options & __WCLONE);
}

static void describe(struct wait_result *res, struct process *child, int cause, int status, int code)
{
    res->pid = pid_vnr(child->pid);
    res->uid = child->leader->cred->uid;
    res->cause = cause;
    res->status = status;
    res->code = code;
}

// Looks at one child; true when it is the answer.
static bool try_child(const struct wait_request *req, struct process *child, struct wait_result *res) REQUIRES(process_tree_lock)
{
    if (child->state == PROCESS_ZOMBIE) {
        int code = child->exit_code, sig = code & 0x7f;
        describe(res, child, sig ? (code & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED, sig ? sig : code >> 8 & 0xff, code);
        usage_of(child, &res->usage);
        if (!(req->options & WNOWAIT)) {
            child->state = PROCESS_DEAD;
            res->zombie = child;
        }
        return true;
    }
    if (child->state != PROCESS_ALIVE)
        return false;
    irq_flags_t flags;
    struct sighand *sighand = sighand_lock(child->leader, &flags);
    if (!sighand)
        return false;
    bool found = false;
    if ((req->options & WSTOPPED) && (child->stop_flags & (STOP_STOPPED | STOP_REPORTED)) == STOP_STOPPED) {
        describe(res, child, CLD_STOPPED, child->stop_sig, child->stop_sig << 8 | 0x7f);
        if (!(req->options & WNOWAIT))
            child->stop_flags |= STOP_REPORTED;
        found = true;
    } else if ((req->options & WCONTINUED) && (child->stop_flags & STOP_CONTINUED)) {
        describe(res, child, CLD_CONTINUED, SIGCONT, 0xffff);
        if (!(req->options & WNOWAIT))
            child->stop_flags &= ~STOP_CONTINUED;
        found = true;
    }
    sighand_unlock(sighand, flags);
    if (found)
        usage_of(child, &res->usage);
    return found;
}

// One look at all eligible children. 1: *res is the answer; 0: there are some, none ready; -ECHILD.
static int look(const struct wait_request *req, struct wait_result *res)
{
    struct process *me = current_process(), *child;
    bool any = false;
    spin_irq_guard(&process_tree_lock);
    if (req->type == P_PID) { // the common case needs no search
        struct task *leader = pid_task(req->pid, PID_PROCESS);
        child = leader ? leader->process : nullptr;
        if (!child || child->parent != me || !wanted(req, child))
            return -ECHILD;
        return try_child(req, child, res);
    }
    list_for_each_entry(child, &me->children, sibling)
    {
        if (!wanted(req, child))
            continue;
        any = true;
        if (try_child(req, child, res))
            return 1;
    }
    return any ? 0 : -ECHILD;
}

struct process *claim_any_zombie(struct process *parent)
{
    struct process *child;
    spin_irq_guard(&process_tree_lock);
    list_for_each_entry(child, &parent->children, sibling)
    {
        if (child->state == PROCESS_ZOMBIE) {
            child->state = PROCESS_DEAD;
            return child;
        }
    }
    return nullptr;
}

static int do_wait(const struct wait_request *req, struct wait_result *res)
{
    struct process *me = current_process();
    int found = look(req, res);
    if (found == 0 && !(req->options & WNOHANG)) {
        if (req->nonblock)
            return -EAGAIN;
        int err = wait_event_interruptible(&me->child_wq, (found = look(req, res)) != 0);
        if (err)
            return -ERESTARTSYS;
    }
    return found;
}

// wait4(2)
SYSCALL4(wait4, pid_t, upid, int __user *, ustatus, int, options, void __user *, uusage)
{
    if (upid == INT32_MIN)
        return -ESRCH;
    struct wait_request req = {.type = P_ALL, .options = (unsigned)options | WEXITED};
    rcu_read_lock();
    if (upid > 0) {
        req.type = P_PID;
        req.pid = pid_find(task_pid_ns(current_task()), upid);
    } else if (upid < -1) {
        req.type = P_PGID;
        req.pid = pid_find(task_pid_ns(current_task()), -upid);
    } else if (upid == 0) {
        req.type = P_PGID;
        req.pid = current_process()->pgrp;
    }
    if (req.pid && !refcount_inc_not_zero(&req.pid->refs))
        req.pid = nullptr;
    rcu_read_unlock();
    if (req.type != P_ALL && !req.pid)
        return -ECHILD;

    struct wait_result res = {};
    int found = do_wait(&req, &res);
    pid_put(req.pid);
    if (found <= 0)
        return found;
    if (res.zombie)
        process_release(res.zombie);
    if (ustatus && put_user(res.code, ustatus))
        return -EFAULT;
    if (uusage && copy_to_user(uusage, &res.usage, sizeof res.usage))
        return -EFAULT;
    return res.pid;
}

static int waitid_target(int type, pid_t id, struct wait_request *req)
{
    switch (type) {
    case P_ALL:
        return 0;
    case P_PID:
    case P_PGID:
        if (id < (type == P_PID))
            return -EINVAL;
        rcu_read_lock();
        req->pid = id ? pid_find(task_pid_ns(current_task()), id) : current_process()->pgrp;
        if (req->pid && !refcount_inc_not_zero(&req->pid->refs))
            req->pid = nullptr;
        rcu_read_unlock();
        return req->pid ? 0 : -ECHILD;
    case P_PIDFD: {
        if (id < 0)
            return -EINVAL;
        FD_REF(f, id);
        struct pid *pid = f.file ? pidfd_pid(f.file) : nullptr;
        if (!pid)
            return -EBADF;
        req->pid = pid_get(pid);
        req->type = P_PID;
        req->nonblock = f.file->flags & PIDFD_NONBLOCK;
        return 0;
    }
    default:
        return -EINVAL;
    }
}

// waitid(2)
SYSCALL5(waitid, int, type, pid_t, id, void __user *, uinfo, int, options, void __user *, uusage)
{
    if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    struct wait_request req = {.type = type, .options = (unsigned)options};
    int err = waitid_target(type, id, &req);
    if (err)
        return err;
    struct wait_result res = {};
    int found = do_wait(&req, &res);
    pid_put(req.pid);
    if (found < 0)
        return found;
    if (res.zombie)
        process_release(res.zombie);
    // Only these fields are written, as the manual page and programs expect: nothing found gives zeroes.
    struct siginfo info = {};
    if (found) {
        info.si_signo = SIGCHLD;
        info.si_code = res.cause;
        info.child.pid = res.pid;
        info.child.uid = res.uid;
        info.child.status = res.status;
    }
    if (uusage && found && copy_to_user(uusage, &res.usage, sizeof res.usage))
        return -EFAULT;
    if (uinfo && copy_to_user(uinfo, &info, offsetof(struct siginfo, child.status) + sizeof info.child.status))
        return -EFAULT;
    return 0;
}
