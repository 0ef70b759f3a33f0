// kernel/fs/cgroup2/files.c — the control files of a group: cgroups(7).
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/fs/cgroup2/cgroup2.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/seq_file.h"

static bool not_root(const void *object)
{
    return ((const struct cgroup *)object)->parent;
}
static bool has_pids(const void *object)
{
    const struct cgroup *cg = object;
    return cg->parent && READ_ONCE(cg->pids_enabled);
}

// A descriptor that others were given carries the rights and the view of who opened it: file->cred, and the cgroup namespace, which file->version keeps.
static int keep_namespace(struct file *file)
{
    file->version = (uintptr_t)cgroup_ns_get(current_namespaces()->cgroup);
    return 0;
}
static struct cgroup_namespace *namespace_of(const struct file *file)
{
    return (struct cgroup_namespace *)(uintptr_t)file->version;
}
static void drop_namespace(struct file *file)
{
    cgroup_ns_put(namespace_of(file));
}

// With nsdelegate the root of a namespace is run from outside: from within, its limits cannot be changed, only its processes and what it hands down.
static int may_configure(const struct file *file, const struct cgroup *cg)
{
    const struct cgroup_namespace *ns = namespace_of(file);
    return cgroup_ns_delegate && ns != init_cgroup_ns && cgroup_ns_root(ns) == cg ? -EPERM : 0;
}

static bool is_below(const struct cgroup *cg, const struct cgroup *root)
{
    while (cg && cg != root)
        cg = cg->parent;
    return cg;
}

// ---- members --------------------------------------------------------------------------------------------------------

static int show_members(struct seq_file *m, struct cgroup *cg, bool threads)
{
    pid_t *ids;
    size_t n;
    int err = cgroup_members(cg, threads, &ids, &n);
    if (err)
        return err;
    for (size_t i = 0; i < n; i++)
        seq_printf(m, "%d\n", ids[i]);
    kfree(ids);
    return 0;
}
static int procs_show(struct seq_file *m, void *object)
{
    return show_members(m, object, false);
}
static int threads_show(struct seq_file *m, void *object)
{
    return show_members(m, object, true);
}

static struct cgroup *common_ancestor(struct cgroup *a, struct cgroup *b)
{
    while (a->depth > b->depth)
        a = a->parent;
    while (b->depth > a->depth)
        b = b->parent;
    while (a != b) {
        a = a->parent;
        b = b->parent;
    }
    return a;
}

// Moving a process needs the right to do so in the group that holds both ends: cgroups(7), delegation containment.
int cgroup_may_move(const struct cred *cred, const struct cgroup_namespace *ns, struct cgroup *from, struct cgroup *to)
{
    if (from != to) {
        int err = cgroup_may_write_procs(cred, common_ancestor(from, to));
        if (err)
            return err == -ENODEV ? err : -EACCES;
    }
    if (cgroup_ns_delegate && ns != init_cgroup_ns && (!is_below(from, cgroup_ns_root(ns)) || !is_below(to, cgroup_ns_root(ns))))
        return -ENOENT;
    return 0;
}

static struct task *task_of_text(char *text, int *err)
{
    int id;
    *err = parse_int(strstrip(text), 0, &id) || id < 0 ? -EINVAL : 0;
    if (*err)
        return nullptr;
    struct task *task = id ? task_find_get(id) : task_get(current_task()); // 0: the writer itself
    *err = task ? 0 : -ESRCH;
    return task;
}

static ssize_t procs_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    struct cgroup *cg = object;
    int err;
    struct task *task = task_of_text(text, &err);
    if (!task)
        return err;
    for (bool moved = true; moved && !err;) {
        struct cgroup *from;
        {
            mutex_guard(&cgroup_lock);
            from = cgroup_get(task->cgroup ? task->cgroup : cgroup_root);
        }
        err = cgroup_may_move(file->cred, namespace_of(file), from, cg);
        if (!err) {
            mutex_guard(&cgroup_lock); // moves hold it: what was checked is still so, or is checked again
            moved = task->cgroup && task->cgroup != from;
            if (!moved)
                err = cgroup_attach(cg, task->process);
        }
        cgroup_put(from);
    }
    task_put(task);
    return err ? err : (ssize_t)len;
}

// Single threads move within a threaded subtree only, and no group here can be made threaded.
static ssize_t threads_store(struct file *, void *object, char *text, size_t len, loff_t)
{
    int err;
    struct task *task = task_of_text(text, &err);
    if (!task)
        return err;
    err = READ_ONCE(task->cgroup) == object ? 0 : -EOPNOTSUPP;
    task_put(task);
    return err ? err : (ssize_t)len;
}

// ---- type, controllers, limits of the tree --------------------------------------------------------------------------

static int type_show(struct seq_file *m, void *)
{
    seq_puts(m, "domain\n");
    return 0;
}
static ssize_t type_store(struct file *, void *, char *text, size_t, loff_t)
{
    return strcmp(strstrip(text), "threaded") ? -EINVAL : -EOPNOTSUPP;
}

static int controllers_show(struct seq_file *m, void *object)
{
    const struct cgroup *cg = object;
    seq_puts(m, cg->pids_enabled ? "pids\n" : "");
    return 0;
}
static int subtree_control_show(struct seq_file *m, void *object)
{
    const struct cgroup *cg = object;
    seq_puts(m, cg->subtree_pids ? "pids\n" : "");
    return 0;
}

static ssize_t subtree_control_store(struct file *, void *object, char *text, size_t len, loff_t)
{
    struct cgroup *cg = object;
    char *rest = strstrip(text), *word;
    int want = -1; // pids: on, off, not named
    while ((word = strsep(&rest, " "))) {
        if (!*word)
            continue;
        if (strcmp(word + 1, "pids") || (*word != '+' && *word != '-'))
            return -EINVAL;
        want = *word == '+';
    }
    mutex_guard(&cgroup_lock);
    if (cg->dead)
        return -ENODEV;
    int err = want < 0 ? 0 : cgroup_set_subtree_pids(cg, want);
    return err ? err : (ssize_t)len;
}

static int show_limit(struct seq_file *m, int value)
{
    if (value == INT32_MAX)
        seq_puts(m, "max\n");
    else
        seq_printf(m, "%d\n", value);
    return 0;
}
static ssize_t store_limit(const struct file *file, struct cgroup *cg, int *limit, char *text, size_t len)
{
    int value = INT32_MAX, err = may_configure(file, cg);
    if (err)
        return err;
    text = strstrip(text);
    if (strcmp(text, "max")) {
        err = parse_int(text, 0, &value);
        if (err)
            return err;
        if (value < 0)
            return -ERANGE;
    }
    mutex_guard(&cgroup_lock);
    if (cg->dead)
        return -ENODEV;
    *limit = value;
    return (ssize_t)len;
}
static int max_depth_show(struct seq_file *m, void *object)
{
    return show_limit(m, ((struct cgroup *)object)->max_depth);
}
static ssize_t max_depth_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    return store_limit(file, object, &((struct cgroup *)object)->max_depth, text, len);
}
static int max_descendants_show(struct seq_file *m, void *object)
{
    return show_limit(m, ((struct cgroup *)object)->max_descendants);
}
static ssize_t max_descendants_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    return store_limit(file, object, &((struct cgroup *)object)->max_descendants, text, len);
}

// Removed groups that something still refers to are not counted: nothing in them can be used up.
static int stat_show(struct seq_file *m, void *object)
{
    seq_printf(m, "nr_descendants %u\nnr_dying_descendants 0\n", ((struct cgroup *)object)->nr_descendants);
    return 0;
}

// ---- events, freezing, killing --------------------------------------------------------------------------------------

// file->version is one more than the count of changes that the last read showed; before the first read everything is news.
static int events_show(struct seq_file *m, void *object)
{
    struct cgroup *cg = object;
    m->file->version = load_acquire(&cg->events_seq) + 1;
    seq_printf(m, "populated %d\nfrozen %d\n", cgroup_populated(cg), cgroup_frozen(cg));
    return 0;
}

static uint32_t events_poll(struct file *file, struct poll_table *pt)
{
    struct cgroup *cg = pseudo_object(file);
    poll_wait(file, &cg->events_wq, pt);
    bool news = READ_ONCE(cg->dead) || file->version != load_acquire(&cg->events_seq) + 1;
    return POLL_ALWAYS | (news ? EPOLLERR | EPOLLPRI : 0);
}

static int parse_switch(char *text, int *on)
{
    int err = parse_int(strstrip(text), 0, on);
    return err ? err : *on < 0 || *on > 1 ? -ERANGE : 0;
}

static int freeze_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%d\n", ((struct cgroup *)object)->freeze);
    return 0;
}
static ssize_t freeze_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    struct cgroup *cg = object;
    int on, err = parse_switch(text, &on);
    if (!err)
        err = may_configure(file, cg);
    if (err)
        return err;
    mutex_guard(&cgroup_lock);
    if (cg->dead)
        return -ENODEV;
    cgroup_set_freeze(cg, on);
    return (ssize_t)len;
}

static ssize_t kill_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    struct cgroup *cg = object;
    int one, err = parse_int(strstrip(text), 0, &one);
    if (!err && one != 1)
        err = -ERANGE;
    if (!err)
        err = may_configure(file, cg);
    if (err)
        return err;
    mutex_guard(&cgroup_lock);
    if (cg->dead)
        return -ENODEV;
    cgroup_kill(cg);
    return (ssize_t)len;
}

// ---- pids -----------------------------------------------------------------------------------------------------------

static int pids_current_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%lld\n", (long long)atomic_read(&((struct cgroup *)object)->pids_current));
    return 0;
}
static int pids_peak_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%lld\n", (long long)atomic_read(&((struct cgroup *)object)->pids_peak));
    return 0;
}
static int pids_max_show(struct seq_file *m, void *object)
{
    int64_t max = READ_ONCE(((struct cgroup *)object)->pids_max);
    if (max == CGROUP_PIDS_UNLIMITED)
        seq_puts(m, "max\n");
    else
        seq_printf(m, "%lld\n", (long long)max);
    return 0;
}
static ssize_t pids_max_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    struct cgroup *cg = object;
    int64_t max = CGROUP_PIDS_UNLIMITED;
    int err = may_configure(file, cg);
    if (err)
        return err;
    text = strstrip(text);
    if (strcmp(text, "max")) {
        err = parse_i64(text, 0, &max);
        if (err)
            return err;
        if (max < 0 || max > PID_MAX_LIMIT)
            return -EINVAL;
    }
    mutex_guard(&cgroup_lock);
    if (cg->dead || !cg->pids_enabled)
        return -ENODEV;
    WRITE_ONCE(cg->pids_max, max);
    return (ssize_t)len;
}

// How often a fork was refused: by the group's own limit (local), by that or one of a group below.
static int show_pids_events(struct seq_file *m, const atomic64_t *count)
{
    int64_t n = atomic_read(count);
    m->file->version = (uint64_t)n + 1;
    seq_printf(m, "max %lld\n", (long long)n);
    return 0;
}
static uint32_t poll_pids_events(struct file *file, struct poll_table *pt, struct cgroup *cg, const atomic64_t *count)
{
    poll_wait(file, &cg->events_wq, pt);
    bool news = READ_ONCE(cg->dead) || !has_pids(cg) || file->version != (uint64_t)atomic_read(count) + 1;
    return POLL_ALWAYS | (news ? EPOLLERR | EPOLLPRI : 0);
}
static int pids_events_show(struct seq_file *m, void *object)
{
    return show_pids_events(m, &((struct cgroup *)object)->pids_events_max);
}
static uint32_t pids_events_poll(struct file *file, struct poll_table *pt)
{
    struct cgroup *cg = pseudo_object(file);
    return poll_pids_events(file, pt, cg, &cg->pids_events_max);
}
static int pids_events_local_show(struct seq_file *m, void *object)
{
    return show_pids_events(m, &((struct cgroup *)object)->pids_events_local);
}
static uint32_t pids_events_local_poll(struct file *file, struct poll_table *pt)
{
    struct cgroup *cg = pseudo_object(file);
    return poll_pids_events(file, pt, cg, &cg->pids_events_local);
}

#define BY_OPENER .opened = keep_namespace, .closed = drop_namespace

const struct pseudo_entry cgroup_files[] = {
    {.name = "cgroup.controllers", .mode = 0444, .show = controllers_show},
    {.name = "cgroup.events", .mode = 0444, .show = events_show, .poll = events_poll, .visible = not_root},
    {.name = "cgroup.freeze", .mode = 0644, .show = freeze_show, .store = freeze_store, BY_OPENER, .visible = not_root},
    {.name = "cgroup.kill", .mode = 0200, .store = kill_store, BY_OPENER, .visible = not_root},
    {.name = "cgroup.max.depth", .mode = 0644, .show = max_depth_show, .store = max_depth_store, BY_OPENER},
    {.name = "cgroup.max.descendants", .mode = 0644, .show = max_descendants_show, .store = max_descendants_store, BY_OPENER},
    {.name = "cgroup.procs", .mode = 0644, .show = procs_show, .store = procs_store, BY_OPENER},
    {.name = "cgroup.stat", .mode = 0444, .show = stat_show},
    {.name = "cgroup.subtree_control", .mode = 0644, .show = subtree_control_show, .store = subtree_control_store},
    {.name = "cgroup.threads", .mode = 0644, .show = threads_show, .store = threads_store},
    {.name = "cgroup.type", .mode = 0644, .show = type_show, .store = type_store, .visible = not_root},
    {.name = "pids.current", .mode = 0444, .show = pids_current_show, .visible = has_pids},
    {.name = "pids.events", .mode = 0444, .show = pids_events_show, .poll = pids_events_poll, .visible = has_pids},
    {.name = "pids.events.local", .mode = 0444, .show = pids_events_local_show, .poll = pids_events_local_poll, .visible = has_pids},
    {.name = "pids.max", .mode = 0644, .show = pids_max_show, .store = pids_max_store, BY_OPENER, .visible = has_pids},
    {.name = "pids.peak", .mode = 0444, .show = pids_peak_show, .visible = has_pids},
    {},
};

// /proc/cgroups: the controllers, which hierarchy they are in (0: this one), in how many groups.
int cgroup_controllers_show(struct seq_file *m, void *)
{
    mutex_guard(&cgroup_lock);
    seq_printf(m, "#subsys_name\thierarchy\tnum_cgroups\tenabled\npids\t0\t%u\t1\n", cgroup_root->nr_descendants + 1);
    return 0;
}
