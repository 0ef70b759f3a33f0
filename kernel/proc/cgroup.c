// kernel/proc/cgroup.c — the tree of control groups, membership, freezing and killing.

#include "kernel/proc/cgroup.h"

#include "kernel/base/printk.h"
#include "kernel/base/sort.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/seq_file.h"

static DEFINE_LOCK_CLASS(cgroup_class, "cgroup tree", RANK_CGROUP);
static DEFINE_LOCK_CLASS(cgroup_tasks_class, "cgroup tasks", RANK_PROCESS_TREE + 1);
struct mutex cgroup_lock = MUTEX_INIT(cgroup_lock, &cgroup_class);
static struct spinlock tasks_lock = SPINLOCK_INIT(&cgroup_tasks_class);
static uint64_t next_id = 1;

struct cgroup *cgroup_root;
int (*cgroup_of_file)(struct file *file, struct cgroup *from, struct cgroup **out);
void (*cgroup_tell_watchers)(struct cgroup *cg, uint32_t files);

static void group_init(struct cgroup *cg)
{
    refcount_set(&cg->refs, 1);
    list_init(&cg->sibling);
    list_init(&cg->children);
    list_init(&cg->tasks);
    waitqueue_init(&cg->events_wq);
    waitqueue_init(&cg->thaw_wq);
    cg->pids_max = CGROUP_PIDS_UNLIMITED;
    cg->max_depth = cg->max_descendants = INT32_MAX;
    cg->id = next_id++;
}

void cgroup_put(struct cgroup *cg)
{
    while (cg && refcount_dec_and_test(&cg->refs)) {
        struct cgroup *parent = cg->parent;
        kfree(cg->name);
        kfree_rcu(cg, rcu);
        cg = parent;
    }
}

static void tell_watchers(struct work_item *item)
{
    struct cgroup *cg = container_of(item, struct cgroup, tell_work);
    cgroup_tell_watchers(cg, xchg(&cg->untold, 0));
    cgroup_put(cg);
}

// The file tells something new. Watches take locks that the places where this happens can not; a worker sees to them.
static void file_changed(struct cgroup *cg, enum cgroup_file file)
{
    wake_up_all(&cg->events_wq);
    if (INOTIFY_USED && !__atomic_fetch_or(&cg->untold, file, __ATOMIC_SEQ_CST)) {
        cgroup_get(cg);
        work_queue(&cg->tell_work, tell_watchers);
    }
}

static void event(struct cgroup *cg) REQUIRES(tasks_lock)
{
    cg->events_seq++;
    file_changed(cg, CGROUP_FILE_EVENTS);
}

// Whether `cg` is frozen follows from its members and children; what changes goes up.
static void update_frozen(struct cgroup *cg) REQUIRES(tasks_lock)
{
    for (; cg; cg = cg->parent) {
        bool now = cg->frozen_by && cg->nr_frozen_tasks == cg->nr_tasks && cg->nr_frozen_children == cg->nr_children;
        if (now == cg->frozen)
            return;
        WRITE_ONCE(cg->frozen, now);
        event(cg);
        if (cg->parent)
            cg->parent->nr_frozen_children += now ? 1u : -1u;
    }
}

static bool room_for_child(const struct cgroup *parent)
{
    int depth = 1;
    for (const struct cgroup *at = parent; at; at = at->parent, depth++)
        if (depth > at->max_depth || at->nr_descendants >= (unsigned)at->max_descendants)
            return false;
    return true;
}

int cgroup_create(struct cgroup *parent, const char *name, struct cgroup **out)
{
    if (parent->dead)
        return -ENODEV;
    if (!room_for_child(parent))
        return -EAGAIN;
    struct cgroup *cg = kzalloc(sizeof *cg, ALLOC_KERNEL);
    if (!cg)
        return -ENOMEM;
    if (!(cg->name = kstrdup(name, ALLOC_KERNEL))) {
        kfree(cg);
        return -ENOMEM;
    }
    group_init(cg);
    cg->parent = cgroup_get(parent);
    cg->depth = parent->depth + 1;
    cg->pids_enabled = parent->subtree_pids;
    list_add_tail(&cg->sibling, &parent->children);
    for (struct cgroup *at = parent; at; at = at->parent)
        at->nr_descendants++;
    spin_irq_guard(&tasks_lock);
    cg->frozen_by = parent->frozen_by;
    parent->nr_children++;
    cg->frozen = cg->frozen_by;
    parent->nr_frozen_children += cg->frozen;
    update_frozen(parent);
    *out = cg;
    return 0;
}

int cgroup_remove(struct cgroup *cg)
{
    if (!list_empty(&cg->children))
        return -EBUSY;
    {
        spin_irq_guard(&tasks_lock);
        if (cg->nr_tasks)
            return -EBUSY;
        cg->dead = true;
        cg->parent->nr_children--;
        cg->parent->nr_frozen_children -= cg->frozen;
        update_frozen(cg->parent);
    }
    list_del_init(&cg->sibling);
    for (struct cgroup *at = cg->parent; at; at = at->parent)
        at->nr_descendants--;
    wake_up_all(&cg->events_wq);
    cgroup_put(cg);
    return 0;
}

// One more or one less reason for `cg` to be populated; the news goes up as far as it changes anything.
static void change_populated(struct cgroup *cg, bool up) REQUIRES(tasks_lock)
{
    for (; cg; cg = cg->parent) {
        bool before = cg->nr_populated;
        cg->nr_populated += up ? 1u : -1u;
        if (before == !!cg->nr_populated)
            return;
        event(cg);
    }
}

bool cgroup_populated(const struct cgroup *cg)
{
    return READ_ONCE(cg->nr_populated);
}

bool cgroup_frozen(const struct cgroup *cg)
{
    return READ_ONCE(cg->frozen);
}

static void join(struct cgroup *cg, struct task *task) REQUIRES(tasks_lock)
{
    list_add_tail(&task->cgroup_link, &cg->tasks);
    cg->nr_tasks++;
    cg->nr_frozen_tasks += task->frozen;
    change_populated(cg, true);
    if (cg->frozen_by)
        thread_set_work(&task->thread, WORK_FREEZE);
    update_frozen(cg);
}

static void leave(struct cgroup *cg, struct task *task) REQUIRES(tasks_lock)
{
    list_del_init(&task->cgroup_link);
    cg->nr_tasks--;
    if (task->frozen)
        cg->nr_frozen_tasks--;
    change_populated(cg, false);
    update_frozen(cg);
}

// -- pids: counted in every group from the member's up to the root, limited where the controller is enabled
static void pids_uncharge(struct cgroup *cg, struct cgroup *stop)
{
    for (; cg != stop; cg = cg->parent)
        (void)atomic_sub_return(&cg->pids_current, 1);
}

// Beyond the limit too: of one that moves. cgroups(7).
static void pids_charge_anyway(struct cgroup *cg)
{
    for (; cg; cg = cg->parent)
        (void)atomic_add_return(&cg->pids_current, 1);
}

static int pids_charge(struct cgroup *cg)
{
    for (struct cgroup *at = cg; at; at = at->parent) {
        int64_t now = atomic_add_return(&at->pids_current, 1);
        if (now > READ_ONCE(at->pids_max)) {
            (void)atomic_add_return(&at->pids_events_local, 1);
            file_changed(at, CGROUP_FILE_PIDS_EVENTS_LOCAL);
            for (struct cgroup *up = at; up; up = up->parent) {
                (void)atomic_add_return(&up->pids_events_max, 1);
                file_changed(up, CGROUP_FILE_PIDS_EVENTS);
            }
            pids_uncharge(cg, at->parent);
            return -EAGAIN;
        }
        int64_t peak = atomic_read(&at->pids_peak);
        while (now > peak && !atomic_try_cmpxchg(&at->pids_peak, &peak, now))
            ;
    }
    return 0;
}

static struct cgroup *own_cgroup_get(void)
{
    struct task *task = current_task();
    spin_irq_guard(&tasks_lock);
    return cgroup_get(task && task->cgroup ? task->cgroup : cgroup_root);
}

// CLONE_INTO_CGROUP: checked with the group the caller is in, which then stays so. The descriptor may be O_PATH: it only names the group.
static int lock_target(struct task *child, int cgroup_fd, struct cgroup **out) NO_THREAD_SAFETY_ANALYSIS
{
    FD_REF_RAW(f, cgroup_fd);
    if (!f.file || !cgroup_of_file)
        return -EBADF;
    for (;;) {
        struct cgroup *from = own_cgroup_get(), *to;
        int err = cgroup_of_file(f.file, from, &to);
        if (!err && child->process == current_process() && to != from)
            err = -EOPNOTSUPP;
        if (err) {
            cgroup_put(from);
            return err;
        }
        mutex_lock(&cgroup_lock);
        bool same = current_task()->cgroup == from;
        cgroup_put(from);
        if (same) {
            err = to->dead ? -ENODEV : to->parent && to->subtree_pids ? -EBUSY : 0;
            if (err)
                mutex_unlock(&cgroup_lock);
            else
                *out = cgroup_get(to);
            return err;
        }
        mutex_unlock(&cgroup_lock);
    }
}

int cgroup_can_fork(struct task *child, int cgroup_fd) NO_THREAD_SAFETY_ANALYSIS
{
    struct cgroup *cg = nullptr;
    int err = 0;
    if (cgroup_fd >= 0)
        err = lock_target(child, cgroup_fd, &cg);
    else
        cg = own_cgroup_get();
    if (err)
        return err;
    err = pids_charge(cg);
    if (err) {
        if (cgroup_fd >= 0)
            mutex_unlock(&cgroup_lock);
        cgroup_put(cg);
        return err;
    }
    child->cgroup = cg;
    child->cgroup_kills = READ_ONCE(cg->kills);
    return 0;
}

void cgroup_cancel_fork(struct task *child, int cgroup_fd) NO_THREAD_SAFETY_ANALYSIS
{
    if (cgroup_fd >= 0)
        mutex_unlock(&cgroup_lock);
    pids_uncharge(child->cgroup, nullptr);
    cgroup_put(child->cgroup);
    child->cgroup = nullptr;
}

void cgroup_post_fork(struct task *child, int cgroup_fd)
{
    spin_irq_guard(&tasks_lock);
    struct task *parent = current_task(); // null for the first process
    struct cgroup *old = child->cgroup, *now = parent ? parent->cgroup : old;
    child->cgroup_killed = old->kills != child->cgroup_kills;
    if (cgroup_fd < 0 && now != old) {
        child->cgroup_killed |= fatal_signal_pending(); // the new group may have been killed before the child was in it
        child->cgroup = cgroup_get(now);
        pids_uncharge(old, nullptr);
        pids_charge_anyway(now);
        cgroup_put(old);
    }
    join(child->cgroup, child);
}

void cgroup_fork_end(struct task *child, int cgroup_fd) NO_THREAD_SAFETY_ANALYSIS
{
    if (cgroup_fd >= 0)
        mutex_unlock(&cgroup_lock);
    // Whoever killed the group did not see the child in it yet.
    if (child->cgroup_killed)
        signal_send_process(child->process, SIGKILL, nullptr);
}

// task->cgroup stays as it is from here on, with its reference until the structure goes: /proc of a zombie tells it, and its charge is there.
void cgroup_exit(struct task *task)
{
    spin_irq_guard(&tasks_lock);
    leave(task->cgroup, task);
}

void cgroup_release(struct task *task)
{
    pids_uncharge(task->cgroup, nullptr);
}

int cgroup_attach(struct cgroup *cg, struct process *p)
{
    if (cg->dead)
        return -ENODEV;
    if (cg->parent && cg->subtree_pids)
        return -EBUSY;
    spin_irq_guard(&process_tree_lock);
    if (p->state != PROCESS_ALIVE)
        return -ESRCH;
    struct task *t;
    for_each_thread(t, p)
    {
        struct cgroup *old;
        {
            spin_guard(&tasks_lock);
            old = t->cgroup;
            if (old == cg || list_empty(&t->cgroup_link))
                continue;
            leave(old, t);
            t->cgroup = cgroup_get(cg);
            join(cg, t);
        }
        pids_uncharge(old, nullptr);
        pids_charge_anyway(cg);
        if (cg->frozen_by) {
            thread_set_work(&t->thread, WORK_FREEZE | WORK_SIGNAL);
            if (!thread_wake(&t->thread, WAKE_SIGNAL))
                thread_kick(&t->thread);
        }
        wake_up_all(&old->thaw_wq);
        cgroup_put(old);
    }
    return 0;
}

// -- the freezer: a group is frozen by itself or by any ancestor
// The group that comes after `cg` in the tree below `top`, parents first; null after the last. A loop, as the tree may be deep.
static struct cgroup *next_below(const struct cgroup *top, struct cgroup *cg) REQUIRES(cgroup_lock)
{
    if (!list_empty(&cg->children))
        return list_first_entry(&cg->children, struct cgroup, sibling);
    for (; cg != top; cg = cg->parent)
        if (cg->sibling.next != &cg->parent->children)
            return container_of(cg->sibling.next, struct cgroup, sibling);
    return nullptr;
}

static void refreeze_one(struct cgroup *cg, int change) REQUIRES(cgroup_lock)
{
    {
        spin_irq_guard(&tasks_lock);
        bool before = cg->frozen_by;
        cg->frozen_by = (unsigned)((int)cg->frozen_by + change);
        struct task *t;
        if (!before && cg->frozen_by) {
            list_for_each_entry(t, &cg->tasks, cgroup_link)
            {
                thread_set_work(&t->thread, WORK_FREEZE | WORK_SIGNAL);
                if (!thread_wake(&t->thread, WAKE_SIGNAL))
                    thread_kick(&t->thread);
            }
        }
        update_frozen(cg);
    }
    wake_up_all(&cg->thaw_wq);
}

void cgroup_set_freeze(struct cgroup *cg, bool on)
{
    if (cg->freeze == on)
        return;
    cg->freeze = on;
    for (struct cgroup *at = cg; at; at = next_below(cg, at))
        refreeze_one(at, on ? 1 : -1);
}

static void mark_frozen(struct task *task, bool on)
{
    spin_irq_guard(&tasks_lock);
    struct cgroup *cg = task->cgroup;
    if (task->frozen == on)
        return;
    task->frozen = on;
    cg->nr_frozen_tasks += on ? 1u : -1u;
    update_frozen(cg);
}

void cgroup_enter_frozen(struct task *task)
{
    mark_frozen(task, true);
}

void cgroup_leave_frozen(struct task *task)
{
    spin_irq_guard(&tasks_lock);
    if (task->cgroup->frozen_by) {
        thread_set_work(&task->thread, WORK_FREEZE | WORK_SIGNAL);
        return;
    }
    task->frozen = false;
    task->cgroup->nr_frozen_tasks--;
}

void cgroup_freeze_wait(struct task *task)
{
    WRITE_ONCE(task->in_freezer, true); // before anything else: who hears that it is frozen may kill it, and so may who does not
    thread_clear_work(&task->thread, WORK_FREEZE);
    for (;;) {
        struct cgroup *cg;
        {
            spin_irq_guard(&tasks_lock);
            cg = task->cgroup;
            if (!cg->frozen_by)
                break;
            cgroup_get(cg);
        }
        mark_frozen(task, true);
        int err = wait_event_killable(&cg->thaw_wq, !READ_ONCE(cg->frozen_by) || READ_ONCE(task->cgroup) != cg);
        cgroup_put(cg);
        if (err)
            break;
    }
    WRITE_ONCE(task->in_freezer, false);
    mark_frozen(task, false);
}

static void kill_one(struct cgroup *cg)
{
    rcu_read_lock();
    {
        spin_irq_guard(&tasks_lock);
        cg->kills++;
        struct task *t;
        list_for_each_entry(t, &cg->tasks, cgroup_link)
        {
            if (t == t->process->leader || t->process->leader->exiting)
                signal_send_process(t->process, SIGKILL, nullptr); // the writer's: an init of its own namespace is spared
        }
    }
    rcu_read_unlock();
}

void cgroup_kill(struct cgroup *cg)
{
    for (struct cgroup *at = cg; at; at = next_below(cg, at))
        kill_one(at);
}

int cgroup_set_subtree_pids(struct cgroup *cg, bool on)
{
    struct cgroup *child;
    if (cg->subtree_pids == on)
        return 0;
    if (on) {
        if (cg->parent && !cg->pids_enabled)
            return -ENOENT;
        if (cg->parent && cg->nr_tasks)
            return -EBUSY;
    } else {
        list_for_each_entry(child, &cg->children, sibling)
        {
            if (child->subtree_pids)
                return -EBUSY;
        }
    }
    cg->subtree_pids = on;
    list_for_each_entry(child, &cg->children, sibling)
    {
        child->pids_enabled = on;
        if (on)
            continue;
        WRITE_ONCE(child->pids_max, CGROUP_PIDS_UNLIMITED);
        wake_up_all(&child->events_wq); // who polls pids.events hears that it is gone
    }
    return 0;
}

// -- namespaces and paths
struct cgroup_namespace {
    refcount_t refs;
    struct cgroup *root;
    uint64_t inum;
};

static struct cgroup_namespace first_namespace = {.refs = REFCOUNT_INIT(1), .inum = 0xeffffffbUL};
struct cgroup_namespace *init_cgroup_ns = &first_namespace;

struct cgroup_namespace *cgroup_ns_get(struct cgroup_namespace *ns)
{
    refcount_inc(&ns->refs);
    return ns;
}

void cgroup_ns_put(struct cgroup_namespace *ns)
{
    if (refcount_dec_and_test(&ns->refs)) {
        cgroup_put(ns->root);
        kfree(ns);
    }
}

int cgroup_ns_create(struct cgroup_namespace **out)
{
    struct cgroup_namespace *ns = kzalloc(sizeof *ns, ALLOC_KERNEL);
    if (!ns)
        return -ENOMEM;
    refcount_set(&ns->refs, 1);
    ns->inum = namespace_inum();
    spin_irq_guard(&tasks_lock);
    ns->root = cgroup_get(current_task()->cgroup);
    *out = ns;
    return 0;
}

uint64_t cgroup_ns_inum(const struct cgroup_namespace *ns)
{
    return ns->inum;
}

struct cgroup *cgroup_ns_root(const struct cgroup_namespace *ns)
{
    return ns->root;
}

static bool is_below(const struct cgroup *cg, const struct cgroup *root)
{
    while (cg && cg != root)
        cg = cg->parent;
    return cg;
}

int cgroup_path(struct cgroup *cg, char *buf, size_t size)
{
    struct cgroup *root = current_namespaces()->cgroup->root;
    size_t used = 0;
    // Groups outside the namespace are named by going up from its root.
    while (!is_below(cg, root)) {
        root = root->parent;
        used += (size_t)scnprintf(buf + used, size - used, "/..");
    }
    // The rest is written from its end.
    char *at = buf + size - 1;
    *at = 0;
    for (; cg != root; cg = cg->parent) {
        size_t len = strlen(cg->name);
        if ((size_t)(at - buf) < used + len + 1)
            return -ENAMETOOLONG;
        at -= len;
        memcpy(at, cg->name, len);
        *--at = '/';
    }
    if (!*at && !used)
        *--at = '/';
    memmove(buf + used, at, strlen(at) + 1);
    return 0;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return x < y ? -1 : x > y;
}

int cgroup_members(struct cgroup *cg, bool threads, pid_t **out, size_t *nr)
{
    pid_t *ids = nullptr;
    size_t room, n;
    for (room = 64;; room = n + 64) {
        ids = kmalloc(room * sizeof *ids, ALLOC_KERNEL);
        if (!ids)
            return -ENOMEM;
        n = 0;
        {
            spin_irq_guard(&tasks_lock);
            struct task *t;
            list_for_each_entry(t, &cg->tasks, cgroup_link)
            {
                if (n < room)
                    ids[n] = pid_vnr(threads ? t->pid : t->process->pid);
                n++;
            }
        }
        if (n <= room)
            break;
        kfree(ids);
    }
    sort(ids, n, sizeof *ids, compare_pids);
    // A process is named once, however many threads it has.
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (threads || !kept || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    *out = ids;
    *nr = kept;
    return 0;
}

void cgroup_show(struct seq_file *m, struct task *task)
{
    struct cgroup *cg;
    {
        spin_irq_guard(&tasks_lock);
        cg = cgroup_get(task->cgroup ? task->cgroup : cgroup_root);
    }
    char *buf = kmalloc(4096, ALLOC_KERNEL);
    if (buf && !cgroup_path(cg, buf, 4096))
        seq_printf(m, "0::%s%s\n", buf, cg->dead ? " (deleted)" : "");
    kfree(buf);
    cgroup_put(cg);
}

static int cgroup_init(void)
{
    cgroup_root = kzalloc(sizeof *cgroup_root, ALLOC_KERNEL);
    if (!cgroup_root)
        panic("no memory for the root control group");
    group_init(cgroup_root);
    cgroup_root->pids_enabled = true;
    first_namespace.root = cgroup_get(cgroup_root);
    return 0;
}
INITCALL(core, cgroup_init);
