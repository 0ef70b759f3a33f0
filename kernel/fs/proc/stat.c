// kernel/fs/proc/stat.c — stat, statm and status of a process or thread: proc_pid_stat(5), proc_pid_statm(5), proc_pid_status(5).
#include "kernel/base/cpumask.h"
#include "kernel/base/string.h"
#include "kernel/drivers/tty/tty.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/seq_file.h"

#define USER_HZ 100 // clock ticks that user space counts in

static const struct pid_namespace *ns_of(const struct seq_file *m)
{
    return proc_sb(m->file->inode->sb)->ns;
}

static unsigned long long ticks(uint64_t ns)
{
    return ns / (NSEC_PER_SEC / USER_HZ);
}

// A thread's name with what would break a line escaped: status has lines. stat shows it as it is.
static void put_name(struct seq_file *m, const struct task *task)
{
    for (unsigned i = 0; i < THREAD_NAME_SIZE && task->thread.name[i]; i++) {
        char c = task->thread.name[i];
        if (c == '\n' || c == '\\')
            seq_putc(m, '\\');
        seq_putc(m, c == '\n' ? 'n' : c);
    }
}

// The letter, and the word that status puts behind it.
static const char *state_text(const struct task *task)
{
    if (task->process->leader == task && task->process->state != PROCESS_ALIVE)
        return task->process->state == PROCESS_ZOMBIE ? "Z (zombie)" : "X (dead)";
    switch (READ_ONCE(task->thread.state)) {
    case THREAD_RUNNING:
        return "R (running)";
    case THREAD_INTERRUPTIBLE:
        return "S (sleeping)";
    case THREAD_KILLABLE:
        return READ_ONCE(task->in_freezer) ? "S (sleeping)" : "D (disk sleep)";
    case THREAD_UNINTERRUPTIBLE:
        return "D (disk sleep)";
    case THREAD_STOPPED:
        return "T (stopped)";
    case THREAD_PARKED:
        return "P (parked)";
    case THREAD_DEAD:
        break;
    }
    return "Z (zombie)";
}

struct tree_facts { // what process_tree_lock guards
    pid_t ppid, pgrp, session, tty_pgrp;
    dev_t tty;
    unsigned threads;
    uint64_t min_flt, maj_flt, cmin_flt, cmaj_flt;
};

static void read_tree(const struct pid_namespace *ns, struct task *task, bool whole, struct tree_facts *f)
{
    struct process *p = task->process;
    *f = (struct tree_facts){.tty_pgrp = -1};
    spin_irq_guard(&process_tree_lock);
    f->ppid = p->parent && p->parent != p ? pid_nr_ns(p->parent->pid, ns) : 0;
    f->pgrp = pid_nr_ns(p->pgrp, ns);
    f->session = pid_nr_ns(p->session, ns);
    if (p->tty) {
        f->tty = p->tty->device.devt;
        f->tty_pgrp = p->tty->pgrp ? pid_nr_ns(p->tty->pgrp, ns) : -1;
    }
    f->threads = p->nr_threads + (p->leader && p->leader->exiting);
    f->cmin_flt = p->children_min_flt;
    f->cmaj_flt = p->children_maj_flt;
    if (!whole) {
        f->min_flt = task->min_flt;
        f->maj_flt = task->maj_flt;
        return;
    }
    f->min_flt = p->dead_min_flt;
    f->maj_flt = p->dead_maj_flt;
    struct task *t;
    for_each_thread(t, p)
    {
        f->min_flt += t->min_flt;
        f->maj_flt += t->maj_flt;
    }
}

struct signal_facts { // what the sighand lock guards
    uint64_t pending, shared, blocked, ignored, caught;
    unsigned queued;
};

static void read_signals(struct task *task, struct signal_facts *f) NO_THREAD_SAFETY_ANALYSIS
{
    *f = (struct signal_facts){};
    irq_flags_t flags;
    struct sighand *sh = sighand_lock(task, &flags);
    if (!sh)
        return;
    f->pending = task->pending.set;
    f->shared = task->process->shared_pending.set;
    f->blocked = task->blocked;
    for (unsigned i = 0; i < NSIG; i++) {
        if (sh->action[i].handler == SIG_IGN)
            f->ignored |= 1ul << i;
        else if (sh->action[i].handler != SIG_DFL)
            f->caught |= 1ul << i;
    }
    sighand_unlock(sh, flags);
}

static unsigned user_dev(dev_t dev) // as stat(2) packs it, in 32 bits
{
    return (MINOR(dev) & 0xff) | MAJOR(dev) << 8 | (MINOR(dev) & ~0xffu) << 12;
}

// What other systems' flags of a task say of ours: its addresses are random (unless it ends), it is ending, and no program has run in it since it was made.
static unsigned stat_flags(const struct task *task, bool has_memory)
{
    enum { EXITING = 0x4, FORKED = 0x40, RANDOM = 0x400000 };
    const struct process *p = task->process;
    bool execed = READ_ONCE(p->has_execed) && p->leader == task; // which the thread that calls execve(2) becomes
    return RANDOM | (!has_memory ? EXITING : 0) | (execed ? 0 : FORKED);
}

static long stat_priority(const struct thread *t)
{
    return t->params.policy == 1 || t->params.policy == 2 ? -1 - t->params.rt_priority : 20 + t->params.nice;
}

static int show_stat(struct seq_file *m, struct task *task, bool whole)
{
    const struct pid_namespace *ns = ns_of(m);
    struct process *p = task->process;
    const struct thread *th = &task->thread;
    struct tree_facts tree;
    struct signal_facts sig;
    read_tree(ns, task, whole, &tree);
    read_signals(task, &sig);
    uint64_t utime, stime;
    if (whole)
        process_times(p, &utime, &stime);
    else
        thread_times(&task->thread, &utime, &stime);
    struct mm *mm = task_mm_get(task);
    bool may_look = task_may_access(task, false) == 0, addresses = mm && may_look;

    seq_printf(m, "%d (", pid_nr_ns(proc_inode(m->file->inode)->pid, ns));
    for (unsigned i = 0; i < THREAD_NAME_SIZE && th->name[i]; i++)
        seq_putc(m, th->name[i]);
    seq_printf(m, ") %c %d %d %d %d %d %u", state_text(task)[0], tree.ppid, tree.pgrp, tree.session, (int)user_dev(tree.tty), tree.tty_pgrp,
               stat_flags(task, mm));
    seq_printf(m, " %llu %llu %llu %llu", (unsigned long long)tree.min_flt, (unsigned long long)tree.cmin_flt, (unsigned long long)tree.maj_flt,
               (unsigned long long)tree.cmaj_flt);
    seq_printf(m, " %llu %llu %llu %llu", ticks(utime), ticks(stime), ticks(p->children_utime), ticks(p->children_stime));
    seq_printf(m, " %ld %d %u 0 %llu", stat_priority(th), th->params.nice, tree.threads, ticks((uint64_t)(whole ? p->start_boottime : th->start_time)));
    seq_printf(m, " %llu %llu %llu", mm ? (unsigned long long)mm->total_pages * PAGE_SIZE : 0, mm ? (unsigned long long)mm_rss(mm) : 0,
               (unsigned long long)READ_ONCE(p->rlimits[RLIMIT_RSS].cur));
    // Without the right to look inside, addresses read as 0; of exec's text borders, as 1.
    seq_printf(m, " %lu %lu %lu 0 0", addresses ? (unsigned long)mm->start_code : mm ? 1ul : 0ul, addresses ? (unsigned long)mm->end_code : mm ? 1ul : 0ul,
               addresses ? (unsigned long)mm->start_stack : 0ul);
    seq_printf(m, " %lu %lu %lu %lu", (unsigned long)(sig.pending & 0x7fffffff), (unsigned long)(sig.blocked & 0x7fffffff),
               (unsigned long)(sig.ignored & 0x7fffffff), (unsigned long)(sig.caught & 0x7fffffff));
    bool asleep = may_look && READ_ONCE(th->state) != THREAD_RUNNING && (!whole || tree.threads < 2);
    seq_printf(m, " %d 0 0 %d %u %u %u 0 0 0", asleep, task == p->leader ? p->exit_signal : -1, th->cpu, th->params.rt_priority, th->params.policy);
    if (addresses)
        seq_printf(m, " %lu %lu %lu %lu %lu %lu %lu", (unsigned long)mm->start_data, (unsigned long)mm->end_data, (unsigned long)mm->start_brk,
                   (unsigned long)mm->arg_start, (unsigned long)mm->arg_end, (unsigned long)mm->env_start, (unsigned long)mm->env_end);
    else
        seq_puts(m, " 0 0 0 0 0 0 0");
    seq_printf(m, " %d\n", may_look ? (whole && p->state != PROCESS_ALIVE ? p->exit_code : task->exit_code) : 0);
    if (mm)
        mm_put_users(mm);
    return 0;
}

int proc_stat_process(struct seq_file *m, struct task *task)
{
    return show_stat(m, task, true);
}
int proc_stat_thread(struct seq_file *m, struct task *task)
{
    return show_stat(m, task, false);
}

int proc_statm(struct seq_file *m, struct task *task)
{
    struct mm *mm = task_mm_get(task);
    if (!mm) {
        seq_puts(m, "0 0 0 0 0 0 0\n");
        return 0;
    }
    uint64_t text = (ALIGN_UP(mm->end_code, PAGE_SIZE) - ALIGN_DOWN(mm->start_code, PAGE_SIZE)) / PAGE_SIZE;
    int64_t shared = READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_shmem);
    seq_printf(m, "%llu %llu %lld %llu 0 %llu 0\n", (unsigned long long)mm->total_pages, (unsigned long long)mm_rss(mm), (long long)max(shared, 0l),
               (unsigned long long)text, (unsigned long long)(mm->data_pages + mm->stack_pages));
    mm_put_users(mm);
    return 0;
}

// ---- status ---------------------------------------------------------------------------------------------------------

static void show_ids(struct seq_file *m, struct task *task)
{
    const struct pid_namespace *ns = ns_of(m);
    struct process *p = task->process;
    struct fs_context *fs = task_fs_get(task);
    if (fs) {
        seq_printf(m, "Umask:\t%04o\n", fs->umask);
        fs_context_put(fs);
    }
    struct tree_facts tree;
    read_tree(ns, task, false, &tree);
    seq_printf(m, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", state_text(task), pid_nr_ns(p->pid, ns), pid_nr_ns(task->pid, ns),
               tree.ppid);
    const struct cred *cred = task_cred_get(task);
    seq_printf(m, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", cred->uid, cred->euid, cred->suid, cred->fsuid, cred->gid, cred->egid, cred->sgid,
               cred->fsgid);
    struct files *files = task_files_get(task);
    unsigned fds = files ? files_max(files) : 0;
    if (files)
        files_release(files);
    seq_printf(m, "FDSize:\t%u\nGroups:\t", fds);
    for (unsigned i = 0; i < cred->ngroups; i++)
        seq_printf(m, "%s%u", i ? " " : "", cred->groups[i]);
    seq_puts(m, " \n");
    cred_put(cred);
}

// The id in each namespace from the mount's down to the task's own; 0 where it has none.
static void show_ns_line(struct seq_file *m, const char *name, const struct pid *pid, const struct pid *own)
{
    seq_puts(m, name);
    for (unsigned level = ns_of(m)->level; level <= own->level; level++)
        seq_printf(m, "\t%d", pid_nr_ns(pid, own->numbers[level].ns));
    seq_putc(m, '\n');
}

static void show_ns_ids(struct seq_file *m, struct task *task)
{
    struct process *p = task->process;
    struct pid *pgrp, *session;
    {
        spin_irq_guard(&process_tree_lock);
        pgrp = pid_get(p->pgrp);
        session = pid_get(p->session);
    }
    show_ns_line(m, "NStgid:", p->pid, task->pid);
    show_ns_line(m, "NSpid:", task->pid, task->pid);
    show_ns_line(m, "NSpgid:", pgrp, task->pid);
    show_ns_line(m, "NSsid:", session, task->pid);
    seq_puts(m, "Kthread:\t0\n");
    pid_put(pgrp);
    pid_put(session);
}

static void show_memory(struct seq_file *m, struct mm *mm)
{
    uint64_t kb = PAGE_SIZE / 1024, text = (ALIGN_UP(mm->end_code, PAGE_SIZE) - ALIGN_DOWN(mm->start_code, PAGE_SIZE)) / 1024;
    uint64_t exec = mm->exec_pages * kb;
    text = min(text, exec);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"VmPeak:", max(mm->hiwater_vm, mm->total_pages) * kb},
        {"VmSize:", mm->total_pages * kb},
        {"VmLck:", mm->locked_pages * kb},
        {"VmPin:", 0},
        {"VmHWM:", mm_hiwater_rss(mm) * kb},
        {"VmRSS:", mm_rss(mm) * kb},
        {"RssAnon:", (uint64_t)max(READ_ONCE(mm->rss_anon), 0l) * kb},
        {"RssFile:", (uint64_t)max(READ_ONCE(mm->rss_file), 0l) * kb},
        {"RssShmem:", (uint64_t)max(READ_ONCE(mm->rss_shmem), 0l) * kb},
        {"VmData:", mm->data_pages * kb},
        {"VmStk:", mm->stack_pages * kb},
        {"VmExe:", text},
        {"VmLib:", exec - text},
        {"VmPTE:", READ_ONCE(mm->table_pages) * kb},
        {"VmSwap:", 0},
        {"HugetlbPages:", 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s\t%8llu kB\n", rows[i].name, (unsigned long long)rows[i].value);
    seq_puts(m, "CoreDumping:\t0\nTHP_enabled:\t0\n");
}

static void show_signals(struct seq_file *m, struct task *task)
{
    struct signal_facts sig;
    read_signals(task, &sig);
    const struct cred *cred = task_cred_get(task);
    seq_printf(m, "SigQ:\t%d/%llu\n", atomic_read(&cred->user->sigpending), (unsigned long long)READ_ONCE(task->process->rlimits[RLIMIT_SIGPENDING].cur));
    seq_printf(m, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n", (unsigned long long)sig.pending,
               (unsigned long long)sig.shared, (unsigned long long)sig.blocked, (unsigned long long)sig.ignored, (unsigned long long)sig.caught);
    seq_printf(m, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n", (unsigned long long)cred->cap_inheritable,
               (unsigned long long)cred->cap_permitted, (unsigned long long)cred->cap_effective, (unsigned long long)cred->cap_bounding,
               (unsigned long long)cred->cap_ambient);
    cred_put(cred);
}

static void show_cpus(struct seq_file *m, const struct cpumask *mask)
{
    unsigned long bits = mask->bits[0] & cpu_possible_mask.bits[0];
    if (nr_cpus > 32)
        seq_printf(m, "Cpus_allowed:\t%0*lx,%08lx\n", (int)((nr_cpus - 32 + 3) / 4), bits >> 32, bits & 0xffffffff);
    else
        seq_printf(m, "Cpus_allowed:\t%0*lx\n", (int)((nr_cpus + 3) / 4), bits);
    seq_puts(m, "Cpus_allowed_list:\t");
    bool first = true;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (!(bits >> cpu & 1))
            continue;
        unsigned last = cpu;
        while (last + 1 < MAX_CPUS && bits >> (last + 1) & 1)
            last++;
        seq_printf(m, last > cpu ? "%s%u-%u" : "%s%u", first ? "" : ",", cpu, last);
        first = false;
        cpu = last;
    }
    seq_puts(m, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

int proc_status(struct seq_file *m, struct task *task)
{
    seq_puts(m, "Name:\t");
    put_name(m, task);
    seq_putc(m, '\n');
    show_ids(m, task);
    show_ns_ids(m, task);
    struct mm *mm = task_mm_get(task);
    if (mm) {
        show_memory(m, mm);
        mm_put_users(mm);
    }
    seq_printf(m, "Threads:\t%u\n", process_threads(task->process));
    show_signals(m, task);
    seq_printf(m, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", task->no_new_privs);
    show_cpus(m, &task->thread.affinity);
    seq_printf(m, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n", (unsigned long long)task->thread.nvcsw,
               (unsigned long long)task->thread.nivcsw);
    return 0;
}
