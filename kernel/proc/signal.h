// kernel/proc/signal.h — signals: signal(7), sigaction(2). Sets are uint64_t with bit sig - 1.
#pragma once

#include "kernel/abi/signal.h" // SIG*, SA_*, SI_*, struct siginfo as user space sees it, struct abi_sigaction, stack_t
#include "kernel/base/list.h"
#include "kernel/base/refcount.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/waitqueue.h"

struct task;
struct process;
struct pid;
struct pt_regs;

#define NSIG 64
#define sigmask(sig) (1UL << ((sig)-1))
#define SIG_KERNEL_ONLY (sigmask(SIGKILL) | sigmask(SIGSTOP)) // never blocked, caught or ignored

struct k_sigaction {
    unsigned long handler; // SIG_DFL 0, SIG_IGN 1, or user address
    unsigned long flags;   // SA_*
    unsigned long restorer;
    uint64_t mask;
};

// A signal on its way to a handler, as the frame builder gets it.
struct ksignal {
    int sig;
    struct siginfo info;
    struct k_sigaction action;
};

struct sigpending { // guarded by the process's sighand lock
    uint64_t set;
    struct list_head queue;
};

struct sighand { // shared by CLONE_SIGHAND
    refcount_t refs;
    struct spinlock lock; // RANK_SIGHAND, irqsave: guards actions, all pending sets and masks of the threads that share it
    struct k_sigaction action[NSIG];
    struct waitqueue signalfd_wq; // epoll's entries on it may outlive the tasks: waitqueue_end()
    struct rcu_head rcu;
};

// Locks the task's sighand, with RCU's help; null when the task is already released. Unlock with sighand_unlock().
struct sighand *sighand_lock(struct task *task, irq_flags_t *flags) NO_THREAD_SAFETY_ANALYSIS;
void sighand_unlock(struct sighand *sighand, irq_flags_t flags) NO_THREAD_SAFETY_ANALYSIS;

// Sends to one thread, a process, a process group; the caller has checked permission (see may_signal). info null: SI_USER of the current.
// Returns 0, -EAGAIN (queue full for a real-time signal), -ESRCH.
int signal_send_thread(struct task *task, int sig, const struct siginfo *info);
int signal_send_process(struct process *process, int sig, const struct siginfo *info);
void signal_send_kernel(struct process *process, int sig); // from nobody: SI_KERNEL
// The same, for the process of `task`, which takes it if it may: the thread that was named, or that used the time. The caller holds a reference or is it.
int signal_send_near(struct task *task, int sig, const struct siginfo *info);
void signal_send_kernel_near(struct task *task, int sig);
int signal_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info);
void siginfo_init_kernel(struct siginfo *info, int sig); // SI_KERNEL
bool may_signal(const struct task *target, int sig);     // kill(2) permission of the current thread. The caller holds the task or RCU
// Both: -EPERM if the current thread may not.
int signal_kill_process(struct process *process, int sig, const struct siginfo *info);

// A place in the queues that its owner keeps, so that a signal of its always finds room: timer_create(2). Charged to the current user; null if that
// is over RLIMIT_SIGPENDING, or for want of memory. The owner belongs to the current process, also when it gives the place back; a signal that is
// pending in it then stays so. Sent (to `task`, or if null to the process, whose running thread comes first) while it is pending it stays as it is.
struct sigqueue;
[[nodiscard]] struct sigqueue *signal_reserve(void);
void signal_unreserve(struct sigqueue *reserved);
int signal_send_reserved(struct process *process, struct task *task, struct sigqueue *reserved, const struct siginfo *info);
bool signal_reserved_pending(const struct sigqueue *reserved); // sighand lock held

// A synchronous fault of the current thread: cannot be blocked or ignored (then it kills).
void signal_force(int sig, int code, unsigned long addr);
// Delivers what is pending to the current thread on its way to user mode: runs default actions, stops, dies, or sets up a handler's frame.
void signal_deliver(struct pt_regs *regs);
// Sleeps that a signal ended: what to return; the exit path turns these into EINTR or a restart. They never reach user mode.
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

bool signal_pending(void);        // the current thread has a signal to deliver
bool fatal_signal_pending(void); // one that ends it
// ppoll, pselect, epoll_pwait, sigsuspend: installs a temporary mask that exit-to-user restores after delivery.
void sigmask_set_temporary(uint64_t mask);
void sigmask_restore_temporary(void); // when no signal was seen
// Changes the current thread's mask and recomputes what is pending.
void sigmask_set(uint64_t mask);
// Accepts one signal of `set` (sigtimedwait, signalfd); true if there was one.
bool signal_dequeue(struct task *task, uint64_t set, struct siginfo *info);
uint64_t signal_pending_set(struct task *task); // sigpending(2), with those of the whole process
// Set by kernel/time: the current process takes a POSIX timer's own signal, whose overrun count is filled in, or a SIGALRM. It may arm the next period.
// sighand lock held.
extern void (*timer_signal_taken)(struct siginfo *info, bool posix_timer);
