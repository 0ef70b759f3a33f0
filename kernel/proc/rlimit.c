// kernel/proc/rlimit.c — getrlimit(2), setrlimit(2), prlimit(2).

#include "kernel/abi/resource.h"
#include "kernel/proc/internal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"

static int do_prlimit(struct process *p, unsigned resource, const struct rlimit_k *new, struct rlimit_k *old)
{
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (new && new->cur > new->max)
        return -EINVAL;
    if (new && resource == RLIMIT_NOFILE && new->max > (uint64_t)READ_ONCE(sysctl_nr_open))
        return -EPERM;
    spin_guard(&p->rlimit_lock);
    struct rlimit_k *limit = &p->rlimits[resource];
    if (old)
        *old = *limit;
    if (!new)
        return 0;
    if (new->max > limit->max && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    *limit = *new;
    return 0;
}

SYSCALL2(getrlimit, unsigned, resource, struct abi_rlimit __user *, ulimit)
{
    struct rlimit_k old;
    int err = do_prlimit(current_process(), resource, nullptr, &old);
    if (err)
        return err;
    struct abi_rlimit out = {old.cur, old.max};
    return copy_to_user(ulimit, &out, sizeof out) ? -EFAULT : 0;
}

SYSCALL2(setrlimit, unsigned, resource, const struct abi_rlimit __user *, ulimit)
{
    struct abi_rlimit in;
    if (copy_from_user(&in, ulimit, sizeof in))
        return -EFAULT;
    struct rlimit_k new = {in.cur, in.max};
    return do_prlimit(current_process(), resource, &new, nullptr);
}

// Another process's limits: the ids of both must be one, or CAP_SYS_RESOURCE.
static int may_change(struct process *p)
{
    if (p == current_process() || capable(CAP_SYS_RESOURCE))
        return 0;
    struct task *leader = process_leader_get(p);
    if (!leader)
        return -ESRCH;
    const struct cred *mine = current_cred(), *theirs = task_cred_get(leader);
    bool same = mine->uid == theirs->euid && mine->uid == theirs->suid && mine->uid == theirs->uid && mine->gid == theirs->egid &&
                mine->gid == theirs->sgid && mine->gid == theirs->gid;
    cred_put(theirs);
    task_put(leader);
    return same ? 0 : -EPERM;
}

SYSCALL4(prlimit64, pid_t, upid, unsigned, resource, const struct abi_rlimit __user *, unew, struct abi_rlimit __user *, uold)
{
    struct abi_rlimit in;
    if (unew && copy_from_user(&in, unew, sizeof in))
        return -EFAULT;
    struct process *p = upid ? process_of_thread_get(upid) : process_get(current_process());
    if (!p)
        return -ESRCH;
    struct rlimit_k new = {}, old = {};
    if (unew)
        new = (struct rlimit_k){in.cur, in.max};
    int err = may_change(p);
    if (!err)
        err = do_prlimit(p, resource, unew ? &new : nullptr, &old);
    process_put(p);
    struct abi_rlimit out = {old.cur, old.max};
    return err ? err : uold && copy_to_user(uold, &out, sizeof out) ? -EFAULT : 0;
}
