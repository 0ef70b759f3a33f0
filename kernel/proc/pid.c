// kernel/proc/pid.c — process ids and PID namespaces.
//
// A struct pid is one identity with a number in its own namespace and in each one above. A number is taken when the identity is
// made and given back when its task is reaped and no process group or session is named by it any more; references may keep the object itself longer (pidfd).
// Locking: ns->lock guards ids and counters. pid->tasks[] belong to process_tree_lock; lookups run under RCU.

#include "kernel/proc/pid.h"

#include "kernel/abi/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/task.h"

static DEFINE_LOCK_CLASS(pid_lock_class, "pid namespace", RANK_PID);

struct pid_namespace init_pid_ns = {
    .refs = REFCOUNT_INIT(1),
    .lock = SPINLOCK_INIT(&pid_lock_class),
    .next = 1,
    .inum = 0xeffffffcUL, // the well-known number of the first PID namespace
};

static uint64_t pid_max = PID_MAX_DEFAULT;

uint64_t pid_max_get(void)
{
    return READ_ONCE(pid_max);
}

int pid_max_set(uint64_t max)
{
    if (max < 301 || max > PID_MAX_LIMIT)
        return -EINVAL;
    WRITE_ONCE(pid_max, max);
    return 0;
}

static int number_take(struct pid_namespace *ns, struct pid *pid, pid_t wanted, pid_t *nr)
{
    // Numbers below 300 are used once only, by what boots first; later rounds begin above them.
    spin_irq_guard(&ns->lock);
    if (ns->dying)
        return -ENOMEM;
    uint64_t number;
    if (wanted) {
        if ((uint64_t)wanted >= READ_ONCE(pid_max))
            return -EINVAL;
        if (xa_load(&ns->ids, (uint64_t)wanted))
            return -EEXIST;
        if (wanted != 1 && !ns->reaper && ns->nr_pids == 0)
            return -EINVAL;
        int err = xa_store(&ns->ids, (uint64_t)wanted, pid, nullptr);
        if (err)
            return err;
        number = (uint64_t)wanted;
    } else {
        uint64_t last = READ_ONCE(pid_max) - 1;
        int err = ns->next > last ? -ENOSPC : xa_alloc(&ns->ids, ns->next, last, pid, &number);
        if (err == -ENOSPC)
            err = xa_alloc(&ns->ids, min((uint64_t)300, last), last, pid, &number);
        if (err)
            return err == -ENOSPC ? -EAGAIN : err;
        ns->next = number + 1;
    }
    ns->nr_pids++;
    ns->nr_tasks++;
    *nr = (pid_t)number;
    return 0;
}

// `made`: there was a whole identity. A namespace whose first one comes to nothing has lost its init, and takes no other.
static void number_give_back(struct pid_namespace *ns, pid_t nr, bool made)
{
    spin_irq_guard(&ns->lock);
    xa_erase(&ns->ids, (uint64_t)nr);
    ns->nr_pids--;
    if (!ns->nr_pids && !ns->reaper) {
        ns->next = 1;
        ns->dying |= made;
    }
}

// The task of a number is gone, or will not come to be.
static void number_without_task(struct pid_namespace *ns)
{
    bool dying;
    {
        spin_irq_guard(&ns->lock);
        ns->nr_tasks--;
        dying = ns->dying;
    }
    if (likely(!dying))
        return;
    // Its init waits to be alone.
    rcu_read_lock();
    struct process *init = READ_ONCE(ns->reaper);
    if (init)
        wake_up_all(&init->child_wq);
    rcu_read_unlock();
}

int pid_alloc(struct pid_namespace *ns, const pid_t *set_tid, unsigned nr_set, struct pid **out)
{
    if (nr_set > ns->level + 1)
        return -EINVAL;
    struct pid *pid = kzalloc(sizeof *pid + (ns->level + 1) * sizeof pid->numbers[0], ALLOC_KERNEL);
    if (!pid)
        return -ENOMEM;
    refcount_set(&pid->refs, 1);
    pid->level = ns->level;
    for (int type = 0; type < PID_TYPES; type++)
        list_init(&pid->tasks[type]);
    waitqueue_init(&pid->poll_wq);

    int err = 0, level = (int)ns->level;
    for (struct pid_namespace *at = ns; at; at = at->parent, level--) {
        unsigned depth = ns->level - (unsigned)level;
        pid_t wanted = depth < nr_set ? set_tid[depth] : 0;
        pid->numbers[level].ns = at;
        err = number_take(at, pid, wanted, &pid->numbers[level].nr);
        if (err)
            break;
    }
    if (err) {
        while (++level <= (int)ns->level) {
            number_without_task(pid->numbers[level].ns);
            number_give_back(pid->numbers[level].ns, pid->numbers[level].nr, false);
        }
        kfree(pid);
        return err;
    }
    pid_ns_get(ns);
    *out = pid;
    return 0;
}

static void without_task(struct pid *pid)
{
    for (unsigned level = 0; level <= pid->level; level++)
        number_without_task(pid->numbers[level].ns);
}

static void free_numbers(struct pid *pid)
{
    for (unsigned level = 0; level <= pid->level; level++)
        number_give_back(pid->numbers[level].ns, pid->numbers[level].nr, true);
    pid_put(pid);
}

void pid_free_numbers(struct pid *pid)
{
    without_task(pid);
    free_numbers(pid);
}

static bool names_members(struct pid *pid)
{
    return pid_task(pid, PID_PGRP) || pid_task(pid, PID_SESSION);
}

void pid_forget(struct pid *pid)
{
    pid_get(pid);
    without_task(pid);
    if (names_members(pid)) { // once it names none, none can be added
        spin_irq_guard(&process_tree_lock);
        pid->lingers = names_members(pid);
        if (pid->lingers)
            return; // pid_leave() has our reference
    }
    free_numbers(pid);
}

void pid_leave(struct pid *pid)
{
    if (likely(!pid->lingers) || names_members(pid))
        return;
    pid->lingers = false;
    free_numbers(pid);
}

struct pid *pid_get(struct pid *pid)
{
    refcount_inc(&pid->refs);
    return pid;
}

static void pid_free_rcu(struct rcu_head *head)
{
    struct pid *pid = container_of(head, struct pid, rcu);
    pid_ns_put(pid->numbers[pid->level].ns);
    kfree(pid);
}

void pid_put(struct pid *pid)
{
    if (pid && refcount_dec_and_test(&pid->refs))
        call_rcu(&pid->rcu, pid_free_rcu);
}

struct pid *pid_find(struct pid_namespace *ns, pid_t nr)
{
    return nr <= 0 ? nullptr : xa_load(&ns->ids, (uint64_t)nr);
}

struct task *pid_task(struct pid *pid, enum pid_type type)
{
    if (!pid)
        return nullptr;
    struct list_head *first = load_acquire(&pid->tasks[type].next);
    return first == &pid->tasks[type] ? nullptr : container_of(first, struct task, pid_links[type]);
}

pid_t pid_nr_ns(const struct pid *pid, const struct pid_namespace *ns)
{
    if (!pid || ns->level > pid->level || pid->numbers[ns->level].ns != ns)
        return 0;
    return pid->numbers[ns->level].nr;
}

pid_t pid_vnr(const struct pid *pid)
{
    struct task *task = current_task();
    return pid_nr_ns(pid, task ? task_pid_ns(task) : &init_pid_ns);
}

struct pid_namespace *task_pid_ns(const struct task *t)
{
    const struct pid *pid = t->pid;
    return pid->numbers[pid->level].ns;
}

static uint64_t next_inum = 0xf0000000UL;

uint64_t namespace_inum(void)
{
    return __atomic_fetch_add(&next_inum, 1, __ATOMIC_RELAXED);
}

int pid_ns_create(struct pid_namespace *parent, struct pid_namespace **out)
{
    if (parent->level + 1 >= PID_NS_LEVELS)
        return -ENOSPC;
    struct pid_namespace *ns = kzalloc(sizeof *ns, ALLOC_KERNEL);
    if (!ns)
        return -ENOMEM;
    refcount_set(&ns->refs, 1);
    spin_init(&ns->lock, &pid_lock_class);
    xa_init(&ns->ids);
    ns->level = parent->level + 1;
    ns->parent = pid_ns_get(parent);
    ns->next = 1;
    ns->inum = namespace_inum();
    *out = ns;
    return 0;
}

struct pid_namespace *pid_ns_get(struct pid_namespace *ns)
{
    refcount_inc(&ns->refs);
    return ns;
}

void pid_ns_put(struct pid_namespace *ns)
{
    while (ns && refcount_dec_and_test(&ns->refs)) {
        struct pid_namespace *parent = ns->parent;
        xa_destroy(&ns->ids);
        kfree_rcu(ns, rcu);
        ns = parent;
    }
}
