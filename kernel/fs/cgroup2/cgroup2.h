// kernel/fs/cgroup2/cgroup2.h — control groups as folders: cgroups(7). Between the parts of this folder.
#pragma once

#include "kernel/fs/pseudo/pseudo.h"
#include "kernel/proc/cgroup.h"

extern const struct pseudo_entry cgroup_files[];
int cgroup_controllers_show(struct seq_file *m, void *); // /proc/cgroups
extern bool cgroup_ns_delegate; // mount option nsdelegate: cgroup namespaces are borders of delegation

static inline struct cgroup *cgroup_of_dir(const struct pseudo_dir *dir)
{
    return dir->object;
}
// 0 where one with these credentials may write cgroup.procs of the group; else -EACCES.
[[nodiscard]] int cgroup_may_write_procs(const struct cred *cred, struct cgroup *cg);
// May one with these credentials, in this namespace, move a process from the one to the other? -EACCES, -ENODEV, -ENOENT (one is outside the namespace, which
// delegates).
[[nodiscard]] int cgroup_may_move(const struct cred *cred, const struct cgroup_namespace *ns, struct cgroup *from, struct cgroup *to);
