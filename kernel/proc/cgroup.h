// kernel/proc/cgroup.h — control groups, version 2: the tree, membership, cgroup.kill, cgroup.freeze and the pids controller. cgroups(7).
//
// The file system (kernel/fs/cgroup2) gives the tree its files; processes meet it in fork and exit. A group has tasks of whole processes only (no
// threaded groups). Locks: cgroup_lock (mutex) for the tree's shape and for moving processes; tasks_lock (spinlock, cgroup.c) for lists and counts.
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "kernel/base/refcount.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/waitqueue.h"

struct cgroup_namespace;
struct file;
struct namespaces;
struct process;
struct seq_file;
struct task;

#define CGROUP_PIDS_UNLIMITED INT64_MAX

struct cgroup {
    refcount_t refs;
    struct cgroup *parent;          // null for the root; holds a reference
    struct list_head sibling, children;
    char *name;
    uint64_t id;
    unsigned depth;
    bool dead;                      // removed: no new members
    bool pids_enabled;              // the parent's cgroup.subtree_control names pids
    bool subtree_pids;              // own cgroup.subtree_control
    struct list_head tasks;         // tasks_lock
    unsigned nr_tasks;              // own members
    unsigned nr_populated;          // own members, plus children that are populated
    atomic64_t pids_current, pids_peak, pids_events_max, pids_events_local;
    int64_t pids_max;
    int max_depth, max_descendants; // cgroup.max.*; INT_MAX: no limit. cgroup_lock, as nr_descendants
    unsigned nr_descendants;
    bool freeze;                    // own cgroup.freeze
    bool frozen;                    // frozen_by, and all members and children are frozen: tasks_lock
    unsigned frozen_by;             // this group's and its ancestors' freeze, counted
    unsigned nr_frozen_tasks, nr_children, nr_frozen_children;
    unsigned kills;                 // counts cgroup.kill: a fork that one overtook kills its child
    struct waitqueue events_wq;     // cgroup.events changed
    uint64_t events_seq;
    struct work_item tell_work;     // tells who watches the files of `untold` (CGROUP_FILE_ bits, atomic): queued, with a reference, while there are any
    uint32_t untold;
    struct waitqueue thaw_wq;
    void *private;                  // the file system's folder
    struct rcu_head rcu;            // path walks without references ask the group which of its files there are
};

// Files that change by themselves: poll(2) and inotify(7) tell.
enum cgroup_file { CGROUP_FILE_EVENTS = 1, CGROUP_FILE_PIDS_EVENTS = 2, CGROUP_FILE_PIDS_EVENTS_LOCAL = 4 };

extern struct cgroup *cgroup_root; // exists from boot
extern struct mutex cgroup_lock;

static inline struct cgroup *cgroup_get(struct cgroup *cg)
{
    refcount_inc(&cg->refs);
    return cg;
}
// Null allowed. The last one frees the group after a grace period, and lets go of its parent.
void cgroup_put(struct cgroup *cg);

// -- for fork and exit
// clone(2): charges the pids controller of the target group (the parent's, or that of `cgroup_fd` where it is >= 0: CLONE_INTO_CGROUP, which holds
// cgroup_lock until cgroup_fork_end()) and stores it with a reference in child->cgroup. -EAGAIN at pids.max, -EBADF, -ENODEV (a removed group), -EOPNOTSUPP
// (a thread in another group than its process). May sleep.
[[nodiscard]] int cgroup_can_fork(struct task *child, int cgroup_fd);
// Undoes it where clone fails later.
void cgroup_cancel_fork(struct task *child, int cgroup_fd);
// The child becomes visible: in the same step, process_tree_lock held, it joins the list of its group (and is frozen there if the group is). That is where its
// parent is now, which may have been moved since; so a child is never left behind, nor in a group that is gone.
void cgroup_post_fork(struct task *child, int cgroup_fd);
// And then, without the lock: a kill of the group that missed the child is made good.
void cgroup_fork_end(struct task *child, int cgroup_fd);
// The task leaves its group for good: cgroup.events tells when the group became empty. Called once, from do_exit().
void cgroup_exit(struct task *task);
// It is reaped: the pids controller counts what has a number, the dead too. After cgroup_exit(), in the group that the task was in then.
void cgroup_release(struct task *task);
// The current task begins and ends a wait that no freezing reaches, and in which it is as good as frozen: stopped, or waiting for its vfork child. In a
// frozen group it stays counted when the wait ends, and goes into the freezer before user mode.
void cgroup_enter_frozen(struct task *task);
void cgroup_leave_frozen(struct task *task);
// The task waits in the freezer until thawed or killed; from exit_to_user_work() with WORK_FREEZE.
void cgroup_freeze_wait(struct task *task);

// Set by the file system: tells who watches these files of the group, or its folder, that they were modified. Called by a worker, without locks.
extern void (*cgroup_tell_watchers)(struct cgroup *cg, uint32_t files);

// -- for the file system; cgroup_lock held by the caller
// An empty group, with the tree's reference alone: *out borrows it. -EAGAIN: cgroup.max.depth or .descendants of an ancestor; -ENODEV removed, -ENOMEM.
[[nodiscard]] int cgroup_create(struct cgroup *parent, const char *name, struct cgroup **out) REQUIRES(cgroup_lock);
// -EBUSY while it has members or children.
[[nodiscard]] int cgroup_remove(struct cgroup *cg) REQUIRES(cgroup_lock);
// Moves all threads of a process. -EBUSY where controllers are distributed to children (no internal processes), -ENODEV removed, -ESRCH.
[[nodiscard]] int cgroup_attach(struct cgroup *cg, struct process *p) REQUIRES(cgroup_lock);
// cgroup.freeze: members go into the freezer on their way to user mode; events_wq is woken when the last one is there.
void cgroup_set_freeze(struct cgroup *cg, bool on) REQUIRES(cgroup_lock);
// SIGKILL for every process in the group and below it.
void cgroup_kill(struct cgroup *cg) REQUIRES(cgroup_lock);
// cgroup.subtree_control: distributes the pids controller to the children or takes it back. -EBUSY with members in a group that is not the root,
// -ENOENT where the parent does not give it.
[[nodiscard]] int cgroup_set_subtree_pids(struct cgroup *cg, bool on) REQUIRES(cgroup_lock);
bool cgroup_populated(const struct cgroup *cg); // members in it or below it
bool cgroup_frozen(const struct cgroup *cg); // all members below are in the freezer
// The ids of the members' processes (or threads) as the current thread's PID namespace has them, ascending, in a kmalloc'ed array of *nr. -ENOMEM.
[[nodiscard]] int cgroup_members(struct cgroup *cg, bool threads, pid_t **out, size_t *nr);
// CLONE_INTO_CGROUP: the group of an open folder, which the caller may put processes into; borrowed from the file. Set by the file system.
// -EBADF not a cgroup folder, -EACCES, -ENOENT (not to be moved there from `from`, the caller's own), -ENODEV removed, -EBUSY it distributes controllers.
extern int (*cgroup_of_file)(struct file *file, struct cgroup *from, struct cgroup **out);

// The path of `cg` as seen from the current cgroup namespace ("/", "/a/b", "/../x"). -ENAMETOOLONG.
[[nodiscard]] int cgroup_path(struct cgroup *cg, char *buf, size_t size);
// /proc/PID/cgroup.
void cgroup_show(struct seq_file *m, struct task *task);
