// kernel/proc/pid.h — process ids: one struct pid per number set, seen through each enclosing PID namespace: pid_namespaces(7).
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/refcount.h"
#include "kernel/base/xarray.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/waitqueue.h"

struct task;
struct process;

enum pid_type { PID_THREAD, PID_PROCESS, PID_PGRP, PID_SESSION, PID_TYPES };
#define PID_MAX_DEFAULT 32768
#define PID_MAX_LIMIT 4194304
#define PID_NS_LEVELS 32

struct pid_namespace {
    refcount_t refs;
    unsigned level;
    struct pid_namespace *parent;
    struct xarray ids;          // number -> struct pid; guarded by lock for writers, RCU for readers
    struct spinlock lock;
    uint64_t next;
    unsigned nr_pids;           // numbers in use
    unsigned nr_tasks;          // those that have a task, or get one: the others still name a group or session
    struct process *reaper;     // its init
    bool dying;                 // init has exited: no new pids
    uint64_t inum;
    struct rcu_head rcu;
};

struct pid {
    refcount_t refs;
    unsigned level;
    struct list_head tasks[PID_TYPES]; // users of it in each role: guarded by process_tree_lock, readable under RCU
    struct waitqueue poll_wq;          // pidfd
    bool lingers;                      // its task is gone, but a group or session still has the number: process_tree_lock
    struct rcu_head rcu;
    struct {
        pid_t nr;
        struct pid_namespace *ns;
    } numbers[];                       // level + 1 of them
};

// A struct pid with one reference and a number in `ns` and each of its parents: the next free ones, or those of set_tid (clone3(2): innermost first).
// -EINVAL (no such number, too many), -EEXIST, -EAGAIN (none free), -ENOMEM (also: the namespace's init is gone).
[[nodiscard]] int pid_alloc(struct pid_namespace *ns, const pid_t *set_tid, unsigned nr_set, struct pid **out);
void pid_free_numbers(struct pid *pid); // of an identity that gets no task; drops a reference too; others keep the object
// The task whose identity it is was reaped: the numbers are free, unless they still name a process group or session. No lock held.
void pid_forget(struct pid *pid);
// A member left the group or session `pid` (process_tree_lock held): if it was the last one and the leader is gone, the number is free.
void pid_leave(struct pid *pid);
struct pid *pid_get(struct pid *pid);
void pid_put(struct pid *pid); // null allowed; freed after a grace period
// Lookups under rcu_read_lock().
struct pid *pid_find(struct pid_namespace *ns, pid_t nr);
struct task *pid_task(struct pid *pid, enum pid_type type); // the first in that role, borrowed; null: none, or `pid` is
// The number as seen from a namespace; 0 where it has none there.
pid_t pid_nr_ns(const struct pid *pid, const struct pid_namespace *ns);
pid_t pid_vnr(const struct pid *pid); // from the current thread's namespace
struct pid_namespace *task_pid_ns(const struct task *t); // the namespace its own number is in
extern struct pid_namespace init_pid_ns;

// A child namespace; its first pid is 1. -ENOSPC beyond PID_NS_LEVELS, -ENOMEM.
[[nodiscard]] int pid_ns_create(struct pid_namespace *parent, struct pid_namespace **out);
struct pid_namespace *pid_ns_get(struct pid_namespace *ns);
void pid_ns_put(struct pid_namespace *ns);
// A fresh inode number for a namespace of any kind (namespaces(7), /proc/PID/ns).
uint64_t namespace_inum(void);
// kernel.pid_max: numbers are below it. -EINVAL outside 301 .. PID_MAX_LIMIT.
uint64_t pid_max_get(void);
[[nodiscard]] int pid_max_set(uint64_t max);
