// kernel/fs/proc/task_files.c — the tables of a process's and a thread's folder, and the small files in them.
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/debug/symbols.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/table.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/seq_file.h"

// ---- links ----------------------------------------------------------------------------------------------------------

int proc_link_exe(struct task *task, struct path *out)
{
    struct mm *mm = task_mm_get(task);
    struct file *exe = mm ? mm_exe_file(mm) : nullptr;
    if (exe) {
        *out = exe->path;
        path_get(out);
        file_put(exe);
    }
    if (mm)
        mm_put_users(mm);
    return exe ? 0 : -ENOENT;
}

static int fs_link(struct task *task, struct path *out, bool root)
{
    struct fs_context *fs = task_fs_get(task);
    if (!fs)
        return -ENOENT;
    if (root)
        fs_context_root(fs, out);
    else
        fs_context_cwd(fs, out);
    fs_context_put(fs);
    return 0;
}
int proc_link_cwd(struct task *task, struct path *out)
{
    return fs_link(task, out, false);
}
int proc_link_root(struct task *task, struct path *out)
{
    return fs_link(task, out, true);
}

// ---- comm, personality, wchan, cgroup -------------------------------------------------------------------------------

static int comm_show(struct seq_file *m, struct task *task)
{
    char name[THREAD_NAME_SIZE];
    strlcpy(name, task->thread.name, sizeof name);
    seq_printf(m, "%s\n", name);
    return 0;
}

// A thread may name itself and its siblings; 15 bytes are kept, as they are.
static ssize_t comm_store(struct task *task, char *text, size_t len)
{
    if (task->process != current_process())
        return -EINVAL;
    strlcpy_pad(task->thread.name, text, THREAD_NAME_SIZE);
    return (ssize_t)len;
}

static int personality_show(struct seq_file *m, struct task *task)
{
    seq_printf(m, "%08lx\n", task->personality);
    return 0;
}

// The function it sleeps in, without a newline; 0 where it runs, or for those who may not look.
static int wchan_show(struct seq_file *m, struct task *task)
{
    struct symbol place;
    if (task_may_access(task, false) || !thread_wchan(&task->thread, &place))
        seq_putc(m, '0');
    else
        seq_puts(m, place.name);
    return 0;
}

static int cgroup_file_show(struct seq_file *m, struct task *task)
{
    cgroup_show(m, task);
    return 0;
}

// ---- limits ---------------------------------------------------------------------------------------------------------

static void put_limit(struct seq_file *m, uint64_t value)
{
    if (value == RLIM_INFINITY)
        seq_printf(m, "%-20s ", "unlimited");
    else
        seq_printf(m, "%-20llu ", (unsigned long long)value);
}

static int limits_show(struct seq_file *m, struct task *task)
{
    static const struct {
        const char *name, *unit;
    } rows[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = {"Max cpu time", "seconds"},           [RLIMIT_FSIZE] = {"Max file size", "bytes"},
        [RLIMIT_DATA] = {"Max data size", "bytes"},           [RLIMIT_STACK] = {"Max stack size", "bytes"},
        [RLIMIT_CORE] = {"Max core file size", "bytes"},      [RLIMIT_RSS] = {"Max resident set", "bytes"},
        [RLIMIT_NPROC] = {"Max processes", "processes"},      [RLIMIT_NOFILE] = {"Max open files", "files"},
        [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},    [RLIMIT_AS] = {"Max address space", "bytes"},
        [RLIMIT_LOCKS] = {"Max file locks", "locks"},         [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},   [RLIMIT_NICE] = {"Max nice priority", nullptr},
        [RLIMIT_RTPRIO] = {"Max realtime priority", nullptr}, [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
    seq_printf(m, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        seq_printf(m, "%-25s ", rows[i].name);
        put_limit(m, READ_ONCE(task->process->rlimits[i].cur));
        put_limit(m, READ_ONCE(task->process->rlimits[i].max));
        if (rows[i].unit)
            seq_printf(m, "%-10s", rows[i].unit);
        seq_putc(m, '\n');
    }
    return 0;
}

// ---- the out-of-memory killer's view: proc_pid_oom_score_adj(5) -----------------------------------------------------

static int oom_score_show(struct seq_file *m, struct task *task)
{
    struct mm *mm = task->process == init_process ? nullptr : process_mm_get(task->process); // init is never taken
    int64_t score = 0, adj = READ_ONCE(task->process->oom_score_adj);
    if (mm) {
        struct mem_counts mem;
        mem_counts_read(&mem);
        int64_t total = (int64_t)max(mem.total, 1ul);
        int64_t points = (int64_t)(mm_rss(mm) + mm->table_pages) + adj * (total / 1000);
        // From 0 to 1333, with 666 for no memory at all and no adjustment.
        score = adj == -1000 ? 0 : max((1000 + points * 1000 / total) * 2 / 3, 0l);
        mm_put_users(mm);
    }
    seq_printf(m, "%lld\n", (long long)score);
    return 0;
}

static int oom_score_adj_show(struct seq_file *m, struct task *task)
{
    seq_printf(m, "%d\n", READ_ONCE(task->process->oom_score_adj));
    return 0;
}

// The old scale: -17 .. 15.
static int oom_adj_show(struct seq_file *m, struct task *task)
{
    int adj = READ_ONCE(task->process->oom_score_adj);
    seq_printf(m, "%d\n", adj == 1000 ? 15 : adj * 17 / 1000);
    return 0;
}

// Below `least` only with the capability.
static int set_oom_adj(struct process *p, int adj, int least)
{
    if (adj < least && !capable(CAP_SYS_RESOURCE))
        return -EACCES;
    WRITE_ONCE(p->oom_score_adj, (int16_t)adj);
    return 0;
}

// -ERANGE: no int.
static int parse_number(char *text, int low, int high, int *out)
{
    int err = parse_int(strstrip(text), 0, out);
    return !err && (*out < low || *out > high) ? -EINVAL : err;
}

static ssize_t oom_score_adj_store(struct task *task, char *text, size_t len)
{
    int adj, err = parse_number(text, -1000, 1000, &adj);
    if (!err)
        err = set_oom_adj(task->process, adj, READ_ONCE(task->process->oom_score_adj_min));
    if (!err && capable(CAP_SYS_RESOURCE))
        WRITE_ONCE(task->process->oom_score_adj_min, (int16_t)adj);
    return err ? err : (ssize_t)len;
}

static ssize_t oom_adj_store(struct task *task, char *text, size_t len)
{
    int adj, err = parse_number(text, -17, 15, &adj);
    if (!err)
        err = set_oom_adj(task->process, adj == 15 ? 1000 : adj * 1000 / 17, READ_ONCE(task->process->oom_score_adj));
    return err ? err : (ssize_t)len;
}

// ---- accounting -----------------------------------------------------------------------------------------------------

static int io_show(struct seq_file *m, struct task *task)
{
    struct process *p = task->process;
    uint64_t rchar = task->io_rchar, wchar = task->io_wchar, syscr = task->io_syscr, syscw = task->io_syscw;
    if (!proc_inode(m->file->inode)->thread) {
        struct task *t;
        spin_irq_guard(&process_tree_lock);
        rchar = p->dead_rchar, wchar = p->dead_wchar, syscr = p->dead_syscr, syscw = p->dead_syscw;
        for_each_thread(t, p)
        {
            rchar += t->io_rchar;
            wchar += t->io_wchar;
            syscr += t->io_syscr;
            syscw += t->io_syscw;
        }
    }
    seq_printf(m, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n", (unsigned long long)rchar,
               (unsigned long long)wchar, (unsigned long long)syscr, (unsigned long long)syscw);
    return 0;
}

// Time on the CPU in ns, time spent waiting for one (not measured: 0), turns.
static int schedstat_show(struct seq_file *m, struct task *task)
{
    seq_printf(m, "%llu 0 %llu\n", (unsigned long long)thread_runtime(&task->thread), (unsigned long long)(task->thread.nvcsw + task->thread.nivcsw));
    return 0;
}

static int sched_show(struct seq_file *m, struct task *task)
{
    struct thread *th = &task->thread;
    uint64_t run = thread_runtime(th);
    seq_printf(m, "%s (%d, #threads: %u)\n", th->name, pid_vnr(task->pid), process_threads(task->process));
    seq_puts(m, "-------------------------------------------------------------------\n");
    seq_printf(m, "%-45s:%21llu.%06llu\n", "se.sum_exec_runtime", (unsigned long long)run / 1000000, (unsigned long long)run % 1000000);
    seq_printf(m, "%-45s:%21llu.%06llu\n", "se.vruntime", (unsigned long long)th->se.vruntime / 1000000, (unsigned long long)th->se.vruntime % 1000000);
    seq_printf(m, "%-45s:%21llu\n", "nr_switches", (unsigned long long)(th->nvcsw + th->nivcsw));
    seq_printf(m, "%-45s:%21llu\n", "nr_voluntary_switches", (unsigned long long)th->nvcsw);
    seq_printf(m, "%-45s:%21llu\n", "nr_involuntary_switches", (unsigned long long)th->nivcsw);
    seq_printf(m, "%-45s:%21u\n", "se.load.weight", th->se.weight);
    seq_printf(m, "%-45s:%21u\n", "policy", th->params.policy);
    seq_printf(m, "%-45s:%21d\n", "prio", th->params.rt_priority ? 99 - th->params.rt_priority : 120 + th->params.nice);
    return 0;
}

static int timerslack_show(struct seq_file *m, struct task *task)
{
    if (task != current_task() && !capable(CAP_SYS_NICE))
        return -EPERM;
    seq_printf(m, "%llu\n", (unsigned long long)task->timer_slack);
    return 0;
}

static ssize_t timerslack_store(struct task *task, char *text, size_t len)
{
    uint64_t slack;
    int err = parse_u64(text, 10, &slack);
    if (err)
        return err;
    if (task != current_task() && !capable(CAP_SYS_NICE))
        return -EPERM;
    WRITE_ONCE(task->timer_slack, slack ? slack : task->default_timer_slack); // 0: the default again
    return (ssize_t)len;
}

// ---- user namespace: there is the first one, in which every id is itself --------------------------------------------

static int id_map_show(struct seq_file *m, struct task *)
{
    seq_printf(m, "%10u %10u %10u\n", 0u, 0u, ~0u);
    return 0;
}
static ssize_t id_map_store(struct task *, char *, size_t)
{
    return -EPERM; // the first namespace's map cannot be written: user_namespaces(7)
}
static int setgroups_show(struct seq_file *m, struct task *)
{
    seq_puts(m, "allow\n");
    return 0;
}
// Group ids are mapped in the first namespace, so that setgroups(2) can no longer be taken away.
static ssize_t setgroups_store(struct task *, char *text, size_t len)
{
    size_t end = strlen(text);
    while (end && (text[end - 1] == ' ' || (text[end - 1] >= '\t' && text[end - 1] <= '\r')))
        text[--end] = 0;
    if (!strcmp(text, "deny"))
        return -EPERM;
    return strcmp(text, "allow") ? -EINVAL : (ssize_t)len;
}

// ---- the system-call tracer: writing 1 traces the process and what it forks from then on, 0 ends it -----------------

static int trace_show(struct seq_file *m, struct task *task)
{
    seq_printf(m, "%d\n", READ_ONCE(task->trace_syscalls));
    return 0;
}

static ssize_t trace_store(struct task *task, char *text, size_t len)
{
    int on, err = parse_number(text, 0, 1, &on);
    if (err)
        return err;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    rcu_read_lock();
    struct task *t;
    for_each_thread_rcu(t, task->process)
        syscall_trace_set(t, on);
    rcu_read_unlock();
    return (ssize_t)len;
}

static ssize_t clear_refs_store(struct task *task, char *text, size_t len)
{
    int how, err = parse_number(text, 1, 5, &how);
    if (!err && how == 4)
        err = -EINVAL; // it is not noted what is written to from a moment on
    if (err)
        return err;
    struct mm *mm = task_mm_get(task);
    if (!mm)
        return (ssize_t)len; // it has ended
    // 5: the high-water mark of resident memory begins again at what is there now. The others: all pages, anonymous memory's, those of files.
    if (how == 5)
        WRITE_ONCE(mm->hiwater_rss, mm_rss(mm));
    else
        err = mm_forget_references(mm, how != 3, how != 2);
    mm_put_users(mm);
    return err ? err : (ssize_t)len;
}

// ---- children: proc_tid_children(5) ---------------------------------------------------------------------------------

static int children_show(struct seq_file *m, struct task *task)
{
    const struct pid_namespace *ns = proc_sb(m->file->inode->sb)->ns;
    const struct process *child;
    spin_irq_guard(&process_tree_lock);
    list_for_each_entry(child, &task->process->children, sibling)
    {
        if (child->parent_thread == task)
            seq_printf(m, "%d ", pid_nr_ns(child->pid, ns));
        if (m->overflow)
            break; // it is done again with more room: no time is to be lost under this lock
    }
    return 0;
}

#define COMMON_FILES(stat_show)                                                                                        \
    {.name = "fd", .mode = S_IFDIR | 0500, .ops = &proc_fd_dir_ops, .fops = &proc_fd_dir_fops},                         \
    {.name = "fdinfo", .mode = S_IFDIR | 0555, .ops = &proc_fdinfo_dir_ops, .fops = &proc_fd_dir_fops},                 \
    {.name = "ns", .mode = S_IFDIR | 0511, .entries = proc_ns_files, .data = 1},                                        \
    {.name = "environ", .mode = S_IFREG | 0400, .fops = &proc_environ_fops},                                            \
    {.name = "auxv", .mode = S_IFREG | 0400, .fops = &proc_auxv_fops},                                                  \
    {.name = "status", .mode = S_IFREG | 0444, .show = proc_status},                                                    \
    {.name = "personality", .mode = S_IFREG | 0400, .show = personality_show, .flags = PROC_ACCESS},                    \
    {.name = "limits", .mode = S_IFREG | 0444, .show = limits_show},                                                    \
    {.name = "sched", .mode = S_IFREG | 0444, .show = sched_show},                                                      \
    {.name = "comm", .mode = S_IFREG | 0644, .show = comm_show, .store = comm_store},                                   \
    {.name = "cmdline", .mode = S_IFREG | 0444, .fops = &proc_cmdline_fops},                                            \
    {.name = "stat", .mode = S_IFREG | 0444, .show = (stat_show)},                                                      \
    {.name = "statm", .mode = S_IFREG | 0444, .show = proc_statm},                                                      \
    {.name = "maps", .mode = S_IFREG | 0444, .fops = &proc_maps_fops},                                                  \
    {.name = "mem", .mode = S_IFREG | 0600, .fops = &proc_mem_fops},                                                    \
    {.name = "cwd", .mode = S_IFLNK | 0777, .link = proc_link_cwd},                                                     \
    {.name = "root", .mode = S_IFLNK | 0777, .link = proc_link_root},                                                   \
    {.name = "exe", .mode = S_IFLNK | 0777, .link = proc_link_exe},                                                     \
    {.name = "mounts", .mode = S_IFREG | 0444, .fops = &proc_mounts_fops},                                              \
    {.name = "mountinfo", .mode = S_IFREG | 0444, .fops = &proc_mountinfo_fops},                                        \
    {.name = "clear_refs", .mode = S_IFREG | 0200, .store = clear_refs_store, .flags = PROC_ACCESS},                    \
    {.name = "smaps", .mode = S_IFREG | 0444, .fops = &proc_smaps_fops},                                                \
    {.name = "smaps_rollup", .mode = S_IFREG | 0444, .show = proc_smaps_rollup, .flags = PROC_ACCESS | PROC_MEMORY},    \
    {.name = "wchan", .mode = S_IFREG | 0444, .show = wchan_show},                                                      \
    {.name = "schedstat", .mode = S_IFREG | 0444, .show = schedstat_show},                                              \
    {.name = "cgroup", .mode = S_IFREG | 0444, .show = cgroup_file_show},                                               \
    {.name = "oom_score", .mode = S_IFREG | 0444, .show = oom_score_show},                                              \
    {.name = "oom_adj", .mode = S_IFREG | 0644, .show = oom_adj_show, .store = oom_adj_store, .flags = PROC_PLAIN},     \
    {.name = "oom_score_adj", .mode = S_IFREG | 0644, .show = oom_score_adj_show, .store = oom_score_adj_store, .flags = PROC_PLAIN}, \
    {.name = "io", .mode = S_IFREG | 0400, .show = io_show, .flags = PROC_ACCESS},                                      \
    {.name = "uid_map", .mode = S_IFREG | 0644, .show = id_map_show, .store = id_map_store},                            \
    {.name = "gid_map", .mode = S_IFREG | 0644, .show = id_map_show, .store = id_map_store},                            \
    {.name = "projid_map", .mode = S_IFREG | 0644, .show = id_map_show, .store = id_map_store},                         \
    {.name = "setgroups", .mode = S_IFREG | 0644, .show = setgroups_show, .store = setgroups_store, .flags = PROC_ADMIN_WRITES}

const struct proc_file proc_process_files[] = {
    {.name = "task", .mode = S_IFDIR | 0555, .ops = &proc_task_dir_ops, .fops = &proc_task_dir_fops},
    COMMON_FILES(proc_stat_process),
    {.name = "mountstats", .mode = S_IFREG | 0400, .fops = &proc_mountstats_fops},
    {.name = "timerslack_ns", .mode = S_IFREG | 0666, .show = timerslack_show, .store = timerslack_store},
    {.name = "trace", .mode = S_IFREG | 0644, .show = trace_show, .store = trace_store, .flags = PROC_ALWAYS_ROOT},
    {},
};

const struct proc_file proc_thread_files[] = {
    COMMON_FILES(proc_stat_thread),
    {.name = "children", .mode = S_IFREG | 0444, .show = children_show},
    {},
};
