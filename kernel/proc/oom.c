// kernel/proc/oom.c — who dies when memory has run out: the process that frees most, corrected by oom_score_adj. proc_pid_oom_score_adj(5).

#include "kernel/base/printk.h"
#include "kernel/boot/init.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/zone.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/oom.h"
#include "kernel/time/clock.h"

#define OOM_SCORE_ADJ_MIN (-1000)

// What killing all users of `mm` would free, in pages, shifted by an adjustment in thousandths of all memory; 0: not to be killed.
static uint64_t badness_of(const struct mm *mm, int adj, uint64_t total)
{
    if (adj == OOM_SCORE_ADJ_MIN)
        return 0;
    int64_t points = (int64_t)(mm_rss(mm) + READ_ONCE(mm->table_pages)) + adj * (int64_t)total / 1000;
    return points > 0 ? (uint64_t)points : 1;
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

// The last one killed: its memory (the structure only), and until when nobody else is killed because it is about to give that back. Guarded by `deciding`.
static struct mm *victim;
static ktime_t victim_until;
static uint32_t deciding;
uint64_t oom_kills;

#define VICTIM_PATIENCE (5 * NSEC_PER_SEC)

// Whether what the last victim has is worth waiting for. One that holds it for too long, for it may wait for another in its turn, is left out from then on.
static bool victim_gives_way(void)
{
    if (!victim)
        return false;
    bool empty = !READ_ONCE(victim->nr_vmas);
    if (!empty && clock_monotonic() < victim_until)
        return true;
    victim->oom_passed_over = true;
    mm_put(victim);
    victim = nullptr;
    return empty; // just now: whoever asks may find it enough
}

struct candidate {
    struct process *process; // with a reference, as its memory
    struct mm *mm;
    uint64_t points;
    int adj;
};

static void candidate_put(const struct candidate *c)
{
    if (c->mm)
        mm_put_users(c->mm);
    if (c->process)
        process_put(c->process);
}

// The parent of a process that exists still, with a reference.
static struct process *parent_get(struct process *p)
{
    spin_irq_guard(&process_tree_lock);
    struct process *parent = p->leader ? p->parent : nullptr;
    if (parent)
        refcount_inc(&parent->refs);
    return parent;
}

// Whether `mm` is another's, who waits for it: a vfork child's. To kill who only borrows it frees nothing, and the other is judged by itself.
static bool is_borrowed(struct process *p, const struct mm *mm)
{
    struct task *leader = process_leader_get(p);
    bool in_vfork = leader && READ_ONCE(leader->vfork_done);
    if (leader)
        task_put(leader);
    struct candidate parent = {.process = in_vfork ? parent_get(p) : nullptr};
    if (parent.process)
        parent.mm = process_mm_get(parent.process);
    bool borrowed = mm && parent.mm == mm;
    candidate_put(&parent);
    return borrowed;
}

// Who frees most. *dying: another that was chosen before still has memory.
static struct candidate choose(bool *dying)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    struct candidate worst = {};
    struct process *p;
    pid_t nr = 0;
    *dying = false;
    while ((p = next_process_get(&nr))) {
        struct candidate c = {.process = p, .mm = p == init_process ? nullptr : process_mm_get(p), .adj = READ_ONCE(p->oom_score_adj)};
        if (c.mm && c.mm->oom_passed_over)
            *dying = true;
        else if (c.mm && !is_borrowed(p, c.mm))
            c.points = badness_of(c.mm, c.adj, mem.total);
        bool worse = c.points > worst.points;
        candidate_put(worse ? &worst : &c);
        if (worse)
            worst = c;
    }
    return worst;
}

// Memory comes free when all have gone that use it: a vfork child and its parent, say. Who is never to be killed is not killed for that either.
static void kill_sharers(const struct candidate *worst)
{
    struct process *p;
    pid_t nr = 0;
    while ((p = next_process_get(&nr))) {
        struct candidate c = {.process = p, .mm = p == worst->process || p == init_process ? nullptr : process_mm_get(p)};
        if (c.mm == worst->mm && READ_ONCE(p->oom_score_adj) != OOM_SCORE_ADJ_MIN)
            signal_send_kernel(p, SIGKILL);
        candidate_put(&c);
    }
}

static bool kill_worst(void)
{
    bool dying;
    struct candidate worst = choose(&dying);
    if (!worst.process)
        return dying || READ_ONCE(mm_emptying);
    if (!READ_ONCE(worst.process->group_exit)) { // else it goes by itself
        struct task *leader = process_leader_get(worst.process);
        pr_err("out of memory: killing process %d (%s), %lu KiB in use, score adjustment %d\n", pid_nr_ns(worst.process->pid, &init_pid_ns),
               leader ? leader->thread.name : "", worst.points * (PAGE_SIZE / 1024), worst.adj);
        task_put(leader);
        oom_kills++;
        signal_send_kernel(worst.process, SIGKILL);
    }
    kill_sharers(&worst);
    mm_get(worst.mm);
    victim = worst.mm;
    victim_until = clock_monotonic() + VICTIM_PATIENCE;
    candidate_put(&worst);
    return true;
}

// One decides at a time, and looks once more whether it must: between its own failure to find memory and now another may have died of the same want.
static bool make_room(void)
{
    const struct task *task = current_task();
    if (task && task->exiting)
        return false; // it is about to give its own memory back, and is not waited for by itself
    if (xchg(&deciding, 1))
        return true;
    bool hope = victim_gives_way() || page_alloc_has_room() || kill_worst();
    store_release(&deciding, 0);
    return hope;
}

static int oom_init(void)
{
    oom_kill_hook = make_room;
    return 0;
}
INITCALL(subsys, oom_init);
