// kernel/proc/namespaces.h — the set of namespaces a task is in: namespaces(7). Immutable; unshare and setns make a new set.
#pragma once

#include "kernel/proc/pid.h"

struct mount_namespace;
struct cgroup_namespace;
struct ipc_namespace;
struct net_namespace;

#define UTS_LEN 65
struct uts_namespace {
    refcount_t refs;
    struct rwsem sem;
    char nodename[UTS_LEN], domainname[UTS_LEN]; // guarded by sem
    uint64_t inum;
};

struct namespaces {
    refcount_t refs;
    struct uts_namespace *uts;
    struct mount_namespace *mnt;
    struct pid_namespace *pid_for_children; // a task's own is its struct pid's deepest
    struct net_namespace *net;
    struct cgroup_namespace *cgroup;
};
struct namespaces *current_namespaces(void);
struct pid_namespace *task_pid_ns(const struct task *t);
// sysctl and sethostname(2): -EINVAL beyond 64 bytes. Wakes pollers of /proc/sys/kernel/hostname.
[[nodiscard]] int uts_set_nodename(const char *name, size_t len);
[[nodiscard]] int uts_set_domainname(const char *name, size_t len);
