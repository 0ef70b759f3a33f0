// kernel/sched/thread.h — threads: what is scheduled. Kernel threads are just this; user threads embed it in struct task (kernel/proc).
//
// Life: thread_init() or kthread_prepare() -> (not yet run) -> thread_wake_new() -> running/sleeping ... -> thread_exit() -> dead -> reaped by the
// next thread's switch epilogue, which drops the stack; the structure goes when the last reference does.
#pragma once

#include "arch/include/context.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/list.h"
#include "kernel/base/rbtree.h"
#include "kernel/base/refcount.h"
#include "kernel/sched/thread_state.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/spinlock.h"

struct mm;
struct run_queue;

// Mapped between two guard pages. Checked code needs bigger frames.
#ifdef KERNEL_FORTRESS
#define KERNEL_STACK_SIZE (32 * 1024UL)
#else
#define KERNEL_STACK_SIZE (16 * 1024UL)
#endif
#define THREAD_NAME_SIZE 16             // with NUL: TASK_COMM_LEN

// Scheduling policies as in sched(7).
struct sched_params {
    uint8_t policy;      // SCHED_OTHER 0, FIFO 1, RR 2, BATCH 3, IDLE 5
    int8_t nice;         // -20 .. 19
    uint8_t rt_priority; // 1 .. 99 for FIFO and RR, else 0
    bool reset_on_fork;
};

struct sched_entity { // owned by kernel/sched, guarded by the run queue's lock
    struct rb_node node;      // by deadline, augmented with the subtree's least vruntime (EEVDF)
    struct list_head rt_link;
    uint64_t vruntime, deadline, min_vruntime; // virtual ns
    uint64_t slice;           // ns: how long a turn is asked for; 0: the default
    int64_t vlag;             // virtual ns owed to the thread (or by it) when it left the queue
    uint32_t weight;          // from nice; 1024 is nice 0
    ktime_t exec_start;       // since when its time on the CPU is not yet accounted
    uint64_t sum_exec;        // ns on CPU, ever
    int64_t rr_left;          // ns left of a SCHED_RR turn
};

// Kinds of work that wait for the way back to user mode; set with thread_set_work(), looked at by exit_to_user_work().
enum thread_work {
    WORK_SIGNAL = 1 << 0,     // signals may be pending: kernel/proc decides
    WORK_RESCHED = 1 << 1,
    WORK_RESTORE_MASK = 1 << 2, // sigsuspend, ppoll, …: put the saved mask back unless a handler runs
    WORK_TRACE = 1 << 3,      // the system-call tracer wants entry and exit
    WORK_FREEZE = 1 << 4,     // cgroup freezer
    WORK_NOTIFY = 1 << 5,     // deferred work (task_work: last fput, ...)
};

struct thread {
    struct arch_thread arch; // first: assembly knows its offset
    ALIGNED(8) uint32_t work; // enum thread_work; atomic
    uint32_t full_return;    // the CPU's: user registers were replaced, leave with all of them. The way out looks at it together with `work`
    enum thread_state state;
    bool on_cpu;             // its stack is in use; cleared by the next thread, after the switch
    bool on_rq;              // runnable: running or in its run queue
    bool kernel_thread;
    unsigned cpu;            // where it runs or ran last
    void *stack;             // lowest address of the kernel stack
    struct mm *mm;           // its address space; null for kernel threads
    struct mm *active_mm;    // what the CPU has loaded while it runs
    struct sched_params params;
    struct sched_entity se;
    struct cpumask affinity; // written under wake_lock and its run queue's lock, read under either
    struct run_queue *rq;    // the queue it is on or was on last
    struct spinlock wake_lock; // one waker, migrator or parameter change at a time
    bool migrating;          // left its run queue for another, by its affinity or to run sooner: the end of the switch puts it there
    bool uninterruptible;    // counted as such in the load average
    uint64_t user_ticks, system_ticks; // ns seen in each mode by the tick: how sum_exec splits (see thread_times())
    uint64_t utime, stime;   // what thread_times() said last: it never goes back
    uint64_t nvcsw, nivcsw;  // voluntary and involuntary context switches
    ktime_t start_time;      // monotonic
    int pagefault_disabled;  // depth of pagefault_disable()
    char name[THREAD_NAME_SIZE]; // written by its own thread only; readers copy
    refcount_t refs;
    struct rcu_head rcu;
    void (*release)(struct thread *); // frees the containing object, a grace period after refs dropped to zero
#ifdef KERNEL_LOCK_CHECK
    struct lock_held held[LOCK_HELD_MAX]; // sleeping locks it has; kernel/debug/lock_check.c
    unsigned nr_held;
#endif
};

// CPU 0 starts in it, and idles in it once the kernel is up.
extern struct thread boot_thread;

// The running thread.
static inline struct thread *current_thread(void)
{
    return arch_current();
}

// Prepares `thread` (zeroed memory, maybe inside a bigger object): stack, name, scheduling parameters inherited from the current thread. The
// caller then calls arch_thread_init_kernel() or arch_thread_init_user(), and thread_wake_new(). -ENOMEM.
[[nodiscard]] int thread_init(struct thread *thread, const char *name);
// Lets a thread that has never run take its first turn.
void thread_wake_new(struct thread *thread);
// The way into a new thread, right after the switch to it (arch, interrupts off): schedule_tail() ends the switch and turns interrupts on; a
// user thread then goes to user mode. A kernel thread enters thread_start(), which calls entry(arg) and, should that return, thread_exit().
void schedule_tail(struct thread *prev);
[[noreturn]] void thread_start(struct thread *prev, void (*entry)(void *), void *arg);

// Changes the current thread's address space: exec passes the new one (its `users` reference stays the caller's to count), exit passes
// null: the CPU keeps the old translations lazily, with a reference (mm_get) of the scheduler's own.
void thread_set_mm(struct mm *mm);

// Makes and starts a kernel thread. *out (may be null) borrows it: take a reference if it can end. -ENOMEM.
[[nodiscard]] int kthread_create(void (*fn)(void *), void *arg, const char *name, struct thread **out);
// The same, but not started (thread_wake_new() does), and for CPU `cpu` only where that is below MAX_CPUS.
[[nodiscard]] int kthread_prepare(void (*fn)(void *), void *arg, const char *name, unsigned cpu, struct thread **out);
// Ends the current thread. Everything else it owned was released before.
[[noreturn]] void thread_exit(void);
static inline struct thread *thread_get(struct thread *t)
{
    refcount_inc(&t->refs);
    return t;
}
// The last one frees the structure after a grace period. Any context.
void thread_put(struct thread *t);

// Bits of WORK_*. Another thread looks at them when it next passes; thread_kick() makes that soon.
static inline void thread_set_work(struct thread *t, uint32_t work)
{
    __atomic_fetch_or(&t->work, work, __ATOMIC_RELEASE);
}
static inline void thread_clear_work(struct thread *t, uint32_t work)
{
    __atomic_fetch_and(&t->work, ~work, __ATOMIC_ACQ_REL);
}

// Wakes `t` if its state is in `states` (a bit per enum thread_state); true if this call woke it. The only way a sleeping thread gets on a run
// queue. Any context.
bool thread_wake(struct thread *t, unsigned states);
#define WAKE_NORMAL (BIT(THREAD_INTERRUPTIBLE) | BIT(THREAD_KILLABLE) | BIT(THREAD_UNINTERRUPTIBLE) | BIT(THREAD_PARKED))
#define WAKE_SIGNAL BIT(THREAD_INTERRUPTIBLE)
#define WAKE_FATAL (BIT(THREAD_INTERRUPTIBLE) | BIT(THREAD_KILLABLE) | BIT(THREAD_STOPPED))
// Makes `t` pass through its exit-to-user path soon, whatever CPU it runs on.
void thread_kick(struct thread *t);

// Hooks that kernel/proc provides to the layers below, as plain function pointers set once at boot:
// does the current thread have a signal to deliver (fatal_only: a fatal one)?
extern bool (*thread_signal_pending)(const struct thread *t, bool fatal_only);

// Before looking at the condition that a wake-up stands for: the store is seen before what is read after it.
static inline void set_current_state(enum thread_state state)
{
    __atomic_store_n(&current_thread()->state, state, __ATOMIC_SEQ_CST);
}
