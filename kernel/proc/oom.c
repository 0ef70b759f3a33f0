// kernel/proc/oom.c — who dies when memory has run out: the process that frees most, corrected by oom_score_adj. proc_pid_oom_score_adj(5).

#include "kernel/base/printk.h"
#include "kernel/boot/init.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/oom.h"

#define OOM_SCORE_ADJ_MIN (-1000)

// What killing `p` would free, in pages, shifted by its adjustment (*adj_out, may be null) in thousandths of all memory; 0: not to be killed.
static uint64_t badness_pages(struct process *p, uint64_t total, int *adj_out)
{
    struct mm *mm = process_mm_get(p);
    if (!mm)
        return 0;
    int adj = READ_ONCE(p->oom_score_adj);
    if (adj_out)
        *adj_out = adj;
    int64_t points = adj == OOM_SCORE_ADJ_MIN ? 0 : (int64_t)(mm_rss(mm) + mm->table_pages) + adj * (int64_t)total / 1000;
    mm_put_users(mm);
    return points > 0 ? (uint64_t)points : adj == OOM_SCORE_ADJ_MIN ? 0 : 1;
}

unsigned oom_score(struct process *p)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    uint64_t score = badness_pages(p, mem.total, nullptr) * 1000 / mem.total;
    return (unsigned)min(score, (uint64_t)2000);
}

// The next process after `nr`, with a reference taken outside of RCU's reach for the walk: reading a process's memory counts may sleep when it is the
// last user.
static struct process *next_process_get(pid_t *nr)
{
    rcu_read_lock();
    struct process *p;
    while ((p = process_next(&init_pid_ns, nr)) && !refcount_inc_not_zero(&p->refs))
        ;
    rcu_read_unlock();
    return p;
}

static bool kill_worst(void)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    struct process *worst = nullptr, *p;
    uint64_t most = 0;
    pid_t nr = 0;
    int worst_adj = 0;
    while ((p = next_process_get(&nr))) {
        int adj = 0;
        uint64_t points = p == init_process || p->group_exit ? 0 : badness_pages(p, mem.total, &adj);
        // One that is dying already gives its memory back soon: no second victim meanwhile.
        if (p != init_process && p->group_exit && p->state == PROCESS_ALIVE) {
            process_put(p);
            if (worst)
                process_put(worst);
            return true;
        }
        if (points > most) {
            most = points;
            if (worst)
                process_put(worst);
            worst = p;
            worst_adj = adj;
        } else {
            process_put(p);
        }
    }
    if (!worst)
        return false;
    struct task *leader = process_leader_get(worst);
    pr_err("out of memory: killing process %d (%s), %lu KiB in use, score adjustment %d\n", pid_nr_ns(worst->pid, &init_pid_ns),
           leader ? leader->thread.name : "", most * (PAGE_SIZE / 1024), worst_adj);
    signal_send_kernel(worst, SIGKILL);
    task_put(leader);
    process_put(worst);
    return true;
}

static int oom_init(void)
{
    oom_kill_hook = kill_worst;
    return 0;
}
INITCALL(subsys, oom_init);
