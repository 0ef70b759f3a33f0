// kernel/proc/internal.h — what the files of kernel/proc share among themselves.
#pragma once

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/proc/task.h"

// -- task.c: memory for one, zeroed but for what is told; null: no memory
void proc_init_caches(void);                          // boot, once, before the first of them
[[nodiscard]] struct task *task_alloc(void);          // set up to be freed by its last thread_put()
void task_free_unborn(struct task *task);             // one whose thread was not set up: else thread_put() frees it
[[nodiscard]] struct process *process_alloc(void);    // one reference, lists empty, no member

// -- the process tree; process_tree_lock held
// Puts a task into the list of those whose process, group or session (`type`) `pid` is, and takes it out again. References are the caller's business.
void pid_attach(struct task *task, enum pid_type type, struct pid *pid) REQUIRES(process_tree_lock);
void pid_detach(struct task *task, enum pid_type type) REQUIRES(process_tree_lock);
bool pgrp_has_stopped(struct pid *pgrp) REQUIRES(process_tree_lock); // is a member of the group stopped by a signal?
// To every member, without asking for permission. 0 if one could be sent it; -ESRCH: the group is empty.
int signal_send_pgrp_locked(struct pid *pgrp, int sig, const struct siginfo *info) REQUIRES(process_tree_lock);

// -- signals
// What signals do that nobody handles, where it is not to kill: signal(7).
#define SIG_STOPS (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
#define SIG_DEFAULT_IGNORE (sigmask(SIGCHLD) | sigmask(SIGCONT) | sigmask(SIGURG) | sigmask(SIGWINCH))
// What the program's own instructions bring about.
#define SIG_SYNCHRONOUS (sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGTRAP) | sigmask(SIGFPE) | sigmask(SIGSYS))

// Signals sent to many processes (a group, kill(-1)) reach a fork under way as well: the child has what came after it began. A signal to the
// parent alone does not disturb it. process->forks: sighand->lock; `set`: process_tree_lock too, so publish() has it complete.
struct fork_signals {
    struct list_head link;
    uint64_t set;
};
[[nodiscard]] int signal_fork_begin(struct fork_signals *fork); // -ERESTARTNOINTR: something is pending, that goes first
void signal_fork_end(struct fork_signals *fork);      // the child is published, or will not be: nothing is collected any more
// As signal_send_process(), for one of many.
int signal_send_member(struct process *process, int sig, const struct siginfo *info) REQUIRES(process_tree_lock);
[[nodiscard]] struct sighand *sighand_alloc(void);    // one reference, every action the default; null: no memory
void sighand_put(struct sighand *sighand);            // freed after a grace period
void sigqueue_init(void);                             // boot, once
// The queues of pending signals, the sighand lock held. Adding leaves the bit to the caller; false: the user has more than `limit`, or no memory.
bool sigpending_add(struct sigpending *pending, struct user_account *user, uint64_t limit, const struct siginfo *info);
// With memory from signal_reserve(): can not fail. One that still stands in a queue stays as it is.
void sigpending_add_reserved(struct sigpending *pending, struct sigqueue *reserved, const struct siginfo *info);
bool sigpending_remove(struct sigpending *pending, uint64_t set); // forgets the signals of `set`; whether there were any
void sigpending_flush(struct sigpending *pending);    // forgets all
void signal_recalc(struct task *task);                // sighand lock held: sets or clears WORK_SIGNAL
void signal_hand_over(struct task *task, uint64_t set); // process-wide signals of `set` will not be taken by `task`: wakes who does; sighand lock held
void signal_kill_others(struct process *p, struct task *except); // SIGKILL for every other thread; sighand lock held
void signal_notify_parent(struct process *p, int sig, int code, int status); // `sig` with p's numbers and times
int sigaction_flush_for_exec(struct task *task);      // handlers become default

// -- group_stop.c; sighand lock held, but for the last two
void group_stop_begin(struct task *task, int sig);    // the current thread dequeued a stop signal, and nothing undid that
void group_stop_inherit(const struct task *task, struct task *thread); // `thread`, new beside the current `task`, takes part in what `task` has to
void group_stop_undo(struct task *task);              // SIGCONT, SIGKILL: the thread has nothing to stop for
bool group_stop_leave(struct task *task);             // it exits, nr_threads is without it; true: the process has stopped by that, tell the parent
void group_stop_take_part(struct task *task);         // the current thread stops, until it is continued or killed
// The parent's SIGCHLD, unless it asked not to be told (SA_NOCLDSTOP); its waiters are woken in any case.
void group_stop_tell_parent(struct process *p, int cause, int status);

// -- exit and wait
void thread_unlink_dead(struct task *task) REQUIRES(process_tree_lock); // out of the thread list and the id table
// The current thread leaves its memory, by exit or exec: zeroes CLONE_CHILD_CLEARTID's word, on which a joiner sleeps, if others have that memory.
void thread_tell_joiner(struct task *task);
void thread_forget_dead(struct task *task);           // then, without the lock: its number and the tree's reference
void process_release(struct process *p);              // a zombie is reaped: out of the tree, numbers given back
bool process_notify_exit(struct process *p) REQUIRES(process_tree_lock); // true: nobody waits, reap it now

struct process *claim_any_zombie(struct process *parent); // a zombie child that now is the caller's to release, or null

// -- fork.c
void threads_count_init(void);                        // the first one
void namespaces_init(void);                           // boot: those of the first process
void threads_uncount(void);                           // one that was counted is gone, or was not made
// A killed vfork parent leaves: cuts the child's pointer to the completion on our stack, or waits until the child is through with it.
void vfork_abandon(struct pid *child, struct completion *done);
void vfork_release(struct task *task);                // exec or exit: the parent may go on
// The process is going to end with `code`: that it had stopped or been continued is nobody's concern any more. sighand lock held.
void group_exit_begin(struct process *p, int code);
void signals_init(void);                              // boot: the caches of signal.c
void signal_hooks_init(void);                         // boot: sleeps that a signal ends ask us
// Takes one signal of `set` that is pending for the task or its process, the task's own first; false: none. sighand lock held.
bool signal_dequeue_locked(struct task *task, uint64_t set, struct siginfo *info);
void signal_forget_locked(uint64_t set); // pending signals that became ignored, of the current process; sighand lock held
void signal_forget_timers(struct task *task);          // exec: the signals of its POSIX timers go with them
// rt_sigqueueinfo(2): with si_signo set to `sig`. -EFAULT. siginfo_may_send(): others may not be told that the kernel or kill(2) sent it.
[[nodiscard]] int siginfo_from_user(struct siginfo *info, const void __user *uinfo, int sig);
int signal_kill_pgrp(struct pid *pgrp, int sig, const struct siginfo *info); // each member that the current thread may signal; -EPERM: none
bool siginfo_may_send(const struct siginfo *info, bool to_self);
