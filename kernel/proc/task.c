// kernel/proc/task.c — finding tasks and processes, and the lives of their structures.
//
// A task structure lives while its thread reference count does (the scheduler holds one until the last switch, the process tree another until it is reaped),
// plus an RCU grace period. A process structure lives while one of its tasks, its children or a finder holds it.

#include "kernel/proc/task.h"

#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/time/process_timers.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"

static DEFINE_LOCK_CLASS(process_tree_class, "process tree", RANK_PROCESS_TREE);
static DEFINE_LOCK_CLASS(rlimit_class, "resource limits", RANK_FILES);
struct spinlock process_tree_lock = SPINLOCK_INIT(&process_tree_class);
struct process *init_process;

static struct slab_cache *task_cache, *process_cache;

void proc_init_caches(void)
{
    task_cache = slab_cache_create("task", sizeof(struct task), 64, 0, nullptr);
    process_cache = slab_cache_create("process", sizeof(struct process), 64, 0, nullptr);
    if (!task_cache || !process_cache)
        panic("no memory for the first process");
}

// Called by thread_put() after a grace period.
static void task_release(struct thread *thread)
{
    struct task *task = container_of(thread, struct task, thread);
    cgroup_put(task->cgroup);
    cred_put(task->cred);
    process_put(task->process);
    pid_put(task->pid);
    slab_free(task_cache, task);
}

struct task *task_alloc(void)
{
    struct task *task = slab_alloc(task_cache, ALLOC_KERNEL | ALLOC_ZERO);
    if (task)
        task->thread.release = task_release;
    return task;
}

void task_free_unborn(struct task *task)
{
    slab_free(task_cache, task);
}

void task_put(struct task *t)
{
    if (t)
        thread_put(&t->thread);
}

struct process *process_alloc(void)
{
    struct process *p = slab_alloc(process_cache, ALLOC_KERNEL | ALLOC_ZERO);
    if (!p)
        return nullptr;
    refcount_set(&p->refs, 1);
    spin_init(&p->rlimit_lock, &rlimit_class);
    list_init(&p->threads);
    list_init(&p->children);
    list_init(&p->sibling);
    list_init(&p->forks);
    list_init(&p->shared_pending.queue);
    waitqueue_init(&p->child_wq);
    waitqueue_init(&p->exit_wq);
    return p;
}

static void process_free(struct rcu_head *head)
{
    slab_free(process_cache, container_of(head, struct process, rcu));
}

void process_put(struct process *p)
{
    if (p && refcount_dec_and_test(&p->refs)) {
        pid_put(p->pid);
        pid_put(p->pgrp);
        pid_put(p->session);
        pid_put(p->hung_up_pgrp);
        process_timers_free(p);
        call_rcu(&p->rcu, process_free);
    }
}

struct task *task_find_get(pid_t tid)
{
    rcu_read_lock();
    struct task *task = pid_task_get(pid_find(task_pid_ns(current_task()), tid), PID_THREAD);
    rcu_read_unlock();
    return task;
}

struct task *pid_task_get(struct pid *pid, enum pid_type type)
{
    rcu_read_lock();
    struct task *task;
    do
        task = pid_task(pid, type); // one without references has left its number, in exec to another task: look again
    while (task && !refcount_inc_not_zero(&task->thread.refs));
    rcu_read_unlock();
    return task;
}

struct process *process_find_get(pid_t tgid)
{
    rcu_read_lock();
    struct task *leader = pid_task(pid_find(task_pid_ns(current_task()), tgid), PID_PROCESS);
    struct process *p = leader ? leader->process : nullptr;
    if (p && !refcount_inc_not_zero(&p->refs))
        p = nullptr;
    rcu_read_unlock();
    return p;
}

struct task *process_leader_get(struct process *p)
{
    rcu_read_lock();
    struct task *leader;
    do
        leader = rcu_dereference(p->leader); // as above: exec has put another in its place meanwhile
    while (leader && !refcount_inc_not_zero(&leader->thread.refs));
    rcu_read_unlock();
    return leader;
}

struct process *process_of_thread_get(pid_t tid)
{
    struct task *task = task_find_get(tid);
    struct process *p = task ? process_get(task->process) : nullptr;
    task_put(task);
    return p;
}

struct process *process_next(struct pid_namespace *ns, pid_t *nr)
{
    uint64_t index = (uint64_t)*nr + 1;
    struct pid *pid;
    while ((pid = xa_find(&ns->ids, &index, PID_MAX_LIMIT))) {
        struct task *task = pid_task(pid, PID_PROCESS);
        if (task) {
            *nr = (pid_t)index;
            return task->process;
        }
        index++;
    }
    return nullptr;
}

struct mm *task_mm_get(struct task *t)
{
    spin_guard(&t->alloc_lock);
    struct mm *mm = t->thread.mm;
    return mm && mm_get_users_not_zero(mm) ? mm : nullptr;
}

struct mm *process_mm_get(struct process *p)
{
    struct mm *mm = nullptr;
    struct task *t;
    rcu_read_lock();
    for_each_thread_rcu(t, p)
        if ((mm = task_mm_get(t)))
            break;
    rcu_read_unlock();
    return mm;
}

struct files *task_files_get(struct task *t)
{
    spin_guard(&t->alloc_lock);
    return t->files ? files_hold(t->files) : nullptr;
}

struct fs_context *task_fs_get(struct task *t)
{
    spin_guard(&t->alloc_lock);
    if (t->fs)
        refcount_inc(&t->fs->refs);
    return t->fs;
}

const struct cred *task_cred_get(struct task *t)
{
    rcu_read_lock();
    const struct cred *cred;
    do {
        cred = rcu_dereference(t->cred);
    } while (!refcount_inc_not_zero(&((struct cred *)cred)->refs));
    rcu_read_unlock();
    return cred;
}

int task_may_access(struct task *t, bool attach)
{
    if (t->process == current_process())
        return 0;
    const struct cred *mine = current_cred();
    rcu_read_lock();
    const struct cred *theirs = rcu_dereference(t->cred);
    // ptrace(2): file-system ids for looking, real ids for attaching; the target's three ids must all be that one.
    uid_t uid = attach ? mine->uid : mine->fsuid;
    gid_t gid = attach ? mine->gid : mine->fsgid;
    bool same = uid == theirs->uid && uid == theirs->euid && uid == theirs->suid && gid == theirs->gid && gid == theirs->egid &&
                gid == theirs->sgid;
    bool subset = (theirs->cap_permitted & ~mine->cap_permitted) == 0;
    rcu_read_unlock();
    if (capable(CAP_SYS_PTRACE))
        return 0;
    if (!same || !subset)
        return -EPERM;
    spin_guard(&t->alloc_lock);
    return t->thread.mm && t->thread.mm->dumpable != 1 ? -EPERM : 0;
}

int task_mm_access(struct task *t, bool attach, struct mm **out)
{
    for (;;) {
        struct mm *mm = task_mm_get(t);
        if (!mm)
            return -ESRCH;
        int err = task_may_access(t, attach);
        bool same;
        {
            spin_guard(&t->alloc_lock);
            same = t->thread.mm == mm; // it never comes back to one that it has left
        }
        if (!err && same) {
            *out = mm;
            return 0;
        }
        mm_put_users(mm);
        if (err)
            return err;
    }
}

struct rlimit_k rlimits(unsigned resource)
{
    struct task *task = current_task();
    if (!task)
        return (struct rlimit_k){RLIM_INFINITY, RLIM_INFINITY};
    return (struct rlimit_k){READ_ONCE(task->process->rlimits[resource].cur), READ_ONCE(task->process->rlimits[resource].max)};
}

uint64_t rlimit(unsigned resource)
{
    struct task *task = current_task();
    return task ? READ_ONCE(task->process->rlimits[resource].cur) : RLIM_INFINITY;
}
