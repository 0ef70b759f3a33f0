// kernel/proc/namespaces.h — the set of namespaces a task is in: namespaces(7). Immutable; unshare and setns make a new set.
#pragma once

#include "kernel/abi/resource.h"
#include "kernel/proc/pid.h"
#include "kernel/sync/rwsem.h"
#include "kernel/sync/seqcount.h"

struct cgroup;
struct mount_namespace;
struct cgroup_namespace;
struct file;
struct fs_context;
struct task;

#define UTS_LEN 65
struct uts_namespace {
    refcount_t refs;
    struct rwsem sem;
    seqcount_t seq;
    struct abi_utsname name; // as uname(2) gives it; nodename and domainname are guarded by sem, or read under seq
    uint64_t inum;
};

struct namespaces {
    refcount_t refs;
    struct uts_namespace *uts;
    struct mount_namespace *mnt;
    struct pid_namespace *pid_for_children; // a task's own is its struct pid's deepest
    struct cgroup_namespace *cgroup;
};
extern struct uts_namespace init_uts_ns;
extern struct namespaces init_namespaces;
struct namespaces *current_namespaces(void); // borrowed; the first set in kernel threads
struct namespaces *namespaces_get(struct namespaces *ns);
void namespaces_put(struct namespaces *ns); // null allowed. The last one may sleep
// clone(2): shares the current set or makes a new one as the CLONE_NEW* bits say; `fs` is the child's (a new mount namespace moves its root and cwd).
// -ENOMEM, -EPERM …
[[nodiscard]] int namespaces_clone(uint64_t flags, struct fs_context *fs, struct namespaces **out);
struct uts_namespace *uts_ns_get(struct uts_namespace *ns);
void uts_ns_put(struct uts_namespace *ns);
// Cgroup namespaces: kernel/proc/cgroup.c.
struct cgroup_namespace *cgroup_ns_get(struct cgroup_namespace *ns);
void cgroup_ns_put(struct cgroup_namespace *ns);
[[nodiscard]] int cgroup_ns_create(struct cgroup_namespace **out); // rooted at the current task's group
uint64_t cgroup_ns_inum(const struct cgroup_namespace *ns); // its number in /proc/PID/ns
struct cgroup *cgroup_ns_root(const struct cgroup_namespace *ns); // borrowed
extern struct cgroup_namespace *init_cgroup_ns;
// Kinds of namespaces as setns(2) and /proc/PID/ns name them.
struct namespace_ref { // what an open /proc/PID/ns file holds
    unsigned long kind;    // CLONE_NEWUTS, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWCGROUP
    void *ns;
};
// From /proc/PID/ns/<name>: the reference (counted) of a task; -EINVAL for a kind that does not exist here.
[[nodiscard]] int namespace_ref_of(struct task *t, unsigned long kind, bool for_children, struct namespace_ref *out, uint64_t *inum);
void namespace_ref_put(struct namespace_ref *ref); // the reference that namespace_ref_of() gave
// Set by kernel/fs/proc: what namespace an open file stands for; false: not a namespace file.
extern bool (*namespace_of_file)(struct file *file, struct namespace_ref *out);
// Parts of a set that are used by its owner; a set is replaced as a whole by its own task.
// sysctl and sethostname(2): -EINVAL beyond 64 bytes. Wakes pollers of /proc/sys/kernel/hostname.
[[nodiscard]] int uts_set_nodename(const char *name, size_t len);
[[nodiscard]] int uts_set_domainname(const char *name, size_t len);
