// kernel/proc/task.h — user threads (struct task) and thread groups (struct process): what clone(2) makes and exit(2) ends.
//
// A task is one thread that user space sees; it embeds the scheduler's struct thread. A process is a thread group with what its threads
// share: id, parent, children, signals sent to all, limits, timers, job control, accounting.
// process_tree_lock (RANK_PROCESS_TREE, spinlock, interrupts off) guards parents, children, groups, sessions, thread lists, exit states. Readers may use RCU.
#pragma once

#include "kernel/proc/cred.h"
#include "kernel/proc/pid.h"
#include "kernel/proc/rlimit.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task_work.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/seqcount.h"

struct cgroup;
struct file;
struct files;
struct fs_context;
struct mm;
struct namespaces;
struct tty;

struct restart_block { // what restart_syscall(2) continues
    long (*fn)(struct restart_block *);
    ktime_t deadline;
    unsigned long arg[4];
    int clock;
};

#define CPU_TIMER_CLOCKS 2 // CPU clocks of a process or thread: all its time, its user time

struct task {
    struct thread thread;            // first
    struct process *process;
    struct pid *pid;                 // its thread id
    struct list_head thread_link;    // process->threads
    struct files *files;             // own pointer; shared by CLONE_FILES. Written by itself under `alloc_lock`
    struct fs_context *fs;
    struct namespaces *ns;
    struct sighand *sighand;         // guarded by process_tree_lock for lifetime; RCU-freed
    struct sigpending pending;
    uint64_t blocked, saved_blocked; // signal masks; real: sighand->lock
    uint64_t sigwait_set;            // what a sigtimedwait of this thread accepts even where it is blocked: sighand->lock
    unsigned long altstack_sp;       // sigaltstack(2)
    size_t altstack_size;
    unsigned altstack_flags;
    const struct cred *cred;         // RCU; replaced by its own thread only
    struct spinlock alloc_lock;      // mm, files, fs, cred as others look at them
    int __user *clear_child_tid;     // set_tid_address(2)
    int __user *set_child_tid;       // CLONE_CHILD_SETTID: written on the first way to user mode
    void __user *robust_list;
    size_t robust_list_len;
    struct completion *vfork_done;
    struct restart_block restart;
    int exit_code;                   // wait(2) form
    int pdeath_signal;
    struct list_head pid_links[PID_TYPES];
    struct list_head task_work;      // callbacks to run before user mode: work_lock
    struct spinlock work_lock;
    bool work_closed;                // exiting: nothing can be added any more
    struct cgroup *cgroup;
    struct list_head cgroup_link;
    unsigned cgroup_kills;           // of its group when it was made
    bool cgroup_killed;              // which was killed before it joined
    uint64_t min_flt, maj_flt;
    uint64_t io_rchar, io_wchar, io_syscr, io_syscw;
    unsigned long personality;
    bool no_new_privs, exiting, trace_syscalls;
    bool had_children;               // was some process's parent_thread: process_tree_lock
    bool over_nproc;                 // became a user over its limit, and has not forked or execed since
    bool stop_dequeued;              // took a stop signal and has not begun the stop yet; SIGCONT and SIGKILL clear it: sighand->lock
    bool stop_pending;               // has still to take part in a group stop: sighand->lock
    bool frozen;                     // counts as frozen: in the cgroup freezer, stopped, or waiting for a vfork child
    bool in_freezer;                 // the first of these
    uint8_t sync_fault;              // a forced signal that is delivered before any other; 0: none
    uint64_t timer_slack, default_timer_slack; // ns; the default is what the parent had: PR_SET_TIMERSLACK
    uint64_t rt_sleeps, rt_since;    // RLIMIT_RTTIME: times it slept, and its run time then, as the last tick saw it: time/cpu_timer.c
    struct rb_root_cached cpu_timers[CPU_TIMER_CLOCKS]; // armed on its own clocks: process->timers->lock; time/cpu_timer.c
    void *futex_wait;                // owned by ipc/futex.c
    struct rcu_head rcu;
};

// Bits of process->stop_flags.
#define STOP_STOPPED 1u          // every thread has stopped
#define STOP_CONTINUED 2u        // SIGCONT came and no wait(WCONTINUED) has told yet
#define STOP_REPORTED 4u         // a wait(WSTOPPED) has told the parent

enum process_state { PROCESS_ALIVE, PROCESS_ZOMBIE, PROCESS_DEAD };

struct process {
    refcount_t refs;
    struct pid *pid, *pgrp, *session;  // pgrp and session under process_tree_lock
    // A reference to a process does not hold its leader (the leader holds the process). RCU: null once the process was reaped, another task after an exec.
    // It is not null for the process's own threads, under the lock of a member's sighand, and under process_tree_lock where the process was found in the tree.
    struct task *leader;
    struct list_head threads;
    unsigned nr_threads;               // live
    struct process *parent;            // real parent
    struct task *parent_thread;        // the thread of `parent` it belongs to: __WNOTHREAD, PR_SET_PDEATHSIG. It has had_children. process_tree_lock
    struct list_head children, sibling;
    struct waitqueue child_wq;         // wait4 sleeps here
    enum process_state state;
    int exit_code;
    int exit_signal;                   // to the parent; 0 none (clone)
    unsigned execs, parent_execs;      // programs run so far; what the parent's count was when it made this child
    bool group_exit;
    bool auto_reaped;                  // the parent ignores its children: no usage is added to it. process_tree_lock
    int group_exit_code;
    struct task *group_exec_task;
    struct sigpending shared_pending;  // sighand->lock
    unsigned stop_flags;               // STOP_*: sighand->lock
    int stop_sig;                      // what stops the group
    int stop_count;                    // how many threads are stop_pending; at 0 all of them have stopped: sighand->lock
    struct list_head forks;            // struct fork_signals of its threads: sighand->lock
    int notify_cont;                   // what to tell the parent of a SIGCONT: CLD_CONTINUED, CLD_STOPPED (the stop was not complete), 0 nothing. sighand->lock
    bool is_subreaper, has_child_subreaper;
    bool session_leader;
    bool has_execed;                   // setpgid(2): a parent moves its child only before this
    int reboot_status;                 // init of a nested namespace: what reboot(2) makes of its exit status
    struct tty *tty;                   // controlling terminal, shared by the session: tty's lock
    struct pid *hung_up_pgrp;          // a session leader whose terminal was hung up: its foreground group, which hears of the leader's end. process_tree_lock
    struct spinlock rlimit_lock;
    struct rlimit_k rlimits[RLIM_NLIMITS]; // rlimit_lock
    seqcount_t threads_seq;                // a thread's times move from the list to the sums below: process_tree_lock
    uint64_t dead_utime, dead_stime;       // of threads that ended
    uint64_t children_utime, children_stime;
    uint64_t dead_rchar, dead_wchar, dead_syscr, dead_syscw; // of threads that ended and children that were waited for: /proc/PID/io
    uint64_t dead_min_flt, dead_maj_flt, dead_nvcsw, dead_nivcsw, children_min_flt, children_maj_flt, children_nvcsw, children_nivcsw;
    uint64_t max_rss, children_max_rss;
    int16_t oom_score_adj, oom_score_adj_min; // what is set, and the least that is set without CAP_SYS_RESOURCE: proc_pid_oom_score_adj(5)
    struct timers_user *timers;            // interval and POSIX timers; lazily made
    ktime_t start_boottime;
    struct waitqueue exit_wq;              // exec waits for its siblings here
    unsigned nr_zombie_threads;            // exited but not yet released: a dead leader
    struct rcu_head rcu;
};

// The task that a thread is; null: a kernel thread.
static inline struct task *task_of(const struct thread *thread)
{
    return thread->kernel_thread ? nullptr : container_of((struct thread *)thread, struct task, thread);
}
static inline struct task *current_task(void) // null in kernel threads
{
    return task_of(current_thread());
}
static inline struct process *current_process(void)
{
    return current_task()->process;
}

extern struct spinlock process_tree_lock;
// Whether no member of the group has a parent in another group of the same session: its stopped jobs have nobody to continue them (setpgid(2)).
bool pgrp_is_orphaned(struct pid *pgrp, struct process *ignore) REQUIRES(process_tree_lock);
extern struct process *init_process;

static inline struct task *task_get(struct task *t)
{
    refcount_inc(&t->thread.refs);
    return t;
}
void task_put(struct task *t); // null allowed; freed after a grace period
static inline struct process *process_get(struct process *p)
{
    refcount_inc(&p->refs);
    return p;
}
void process_put(struct process *p); // null allowed; freed after a grace period

// By id in the current thread's namespace, with a reference, or null.
[[nodiscard]] struct task *task_find_get(pid_t tid);
[[nodiscard]] struct process *process_find_get(pid_t tgid);
[[nodiscard]] struct process *process_of_thread_get(pid_t tid); // of any of its threads, as kill(2) and its like take it
[[nodiscard]] struct task *pid_task_get(struct pid *pid, enum pid_type type); // the first of that role
// The leader of a process, with a reference; null: it has been reaped.
[[nodiscard]] struct task *process_leader_get(struct process *p);
// Every process / thread of a process, under rcu_read_lock(): the next with id > nr in `ns`.
struct process *process_next(struct pid_namespace *ns, pid_t *nr);
#define for_each_thread(t, p) list_for_each_entry(t, &(p)->threads, thread_link)
#define for_each_thread_rcu(t, p) list_for_each_entry_rcu(t, &(p)->threads, thread_link)

struct mm *task_mm_get(struct task *t);          // users reference or null
struct mm *process_mm_get(struct process *p);    // the same, of whichever thread still has it
struct files *task_files_get(struct task *t);    // to look at: files_release(); null: it is exiting
struct fs_context *task_fs_get(struct task *t); // a reference or null
const struct cred *task_cred_get(struct task *t); // a reference
// The ptrace access check (proc files, process_vm_readv …): 0 or -EPERM. First take hold of what is wanted (memory, a file, a path), then ask: an execve() in
// between gives the task more rights, never less to protect, so that one who asks first may get what the answer did not mean.
int task_may_access(struct task *t, bool attach);
// The memory of a task that task_may_access() allows, with a users reference in *out: 0, -EPERM, or -ESRCH where there is none (a kernel thread, a zombie). An
// execve() may also make memory accessible that was not (after setuid(2)), so the memory is the one that the answer was about.
[[nodiscard]] int task_mm_access(struct task *t, bool attach, struct mm **out);
void process_times(struct process *p, uint64_t *utime, uint64_t *stime); // all threads, living and dead
unsigned process_threads(struct process *p); // as /proc counts them: a leader that has ended stays one until it is reaped

// How much later than asked the current thread may be woken, ns: PR_SET_TIMERSLACK. Real-time threads are punctual.
static inline ktime_t current_timer_slack(void)
{
    const struct task *task = current_task();
    return task->thread.params.rt_priority ? 0 : (ktime_t)min(READ_ONCE(task->timer_slack), (uint64_t)INT64_MAX);
}

// -- life
[[noreturn]] void do_exit(int code);              // this thread; wait(2) form of the status
[[noreturn]] void do_group_exit(int code);        // the whole process; the code of the first thread to say so counts
// What is left to do before user mode, and the one place where it is done: arch calls it with interrupts on while thread->work is non-zero.
void exit_to_user_work(struct pt_regs *regs);

// Set by drivers/tty: the controlling terminal is taken from the session when its leader exits (SIGHUP and SIGCONT to the foreground group).
extern void (*tty_session_leader_exit)(struct process *leader);
