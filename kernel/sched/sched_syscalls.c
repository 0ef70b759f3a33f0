// kernel/sched/sched_syscalls.c — policies, priorities and affinity by system call: sched(7), sched_setscheduler(2), sched_setattr(2),
// sched_setaffinity(2), getcpu(2). Numbers are thread ids; 0 is the caller.

#include "kernel/sched/sched_access.h"

#include "kernel/syscall/syscall.h"

#define SLICE_MIN (100 * NSEC_PER_USEC)
#define SLICE_MAX (100 * NSEC_PER_MSEC)

static int find(pid_t pid, struct task **out)
{
    if (pid < 0)
        return -EINVAL;
    struct task *task = pid ? task_find_get(pid) : task_get(current_task());
    if (!task)
        return -ESRCH;
    *out = task;
    return 0;
}

// What a caller without CAP_SYS_NICE may change: sched(7), "Privileges and resource limits".
static bool change_allowed(struct task *task, const struct sched_params *old, const struct sched_params *new)
{
    if (!sched_same_owner(task) || (old->reset_on_fork && !new->reset_on_fork))
        return false;
    if (old->policy == SCHED_IDLE && new->policy != SCHED_IDLE && !sched_nice_allowed(task, old->nice))
        return false;
    if (policy_is_rt(new->policy)) {
        uint64_t limit = READ_ONCE(task->process->rlimits[RLIMIT_RTPRIO].cur);
        return (new->policy == old->policy || limit) && (new->rt_priority <= old->rt_priority || new->rt_priority <= limit);
    }
    return new->nice >= old->nice || sched_nice_allowed(task, new->nice);
}

// What a call asks for; KEEP leaves as it is.
#define KEEP INT32_MIN
struct request {
    int policy, reset_on_fork, priority;
    int nice; // means something for SCHED_OTHER and SCHED_BATCH
};

static bool policy_has_nice(unsigned policy)
{
    return policy == SCHED_OTHER || policy == SCHED_BATCH;
}

static int change_once(struct task *task, const struct request *r)
{
    struct sched_params old = task->thread.params, new = old;
    if (r->policy != KEEP)
        new.policy = (uint8_t)r->policy;
    if (r->reset_on_fork != KEEP)
        new.reset_on_fork = r->reset_on_fork;
    if (r->priority != KEEP)
        new.rt_priority = (uint8_t)r->priority;
    if (r->nice != KEEP && policy_has_nice(new.policy))
        new.nice = (int8_t)r->nice;
    if (policy_is_rt(new.policy) ? new.rt_priority < 1 : new.rt_priority != 0)
        return -EINVAL;
    if (!change_allowed(task, &old, &new) && !capable(CAP_SYS_NICE))
        return -EPERM;
    return sched_set_params(&task->thread, &old, &new);
}

static int change(struct task *task, const struct request *r)
{
    int err;
    do
        err = change_once(task, r);
    while (err == -EAGAIN); // somebody else changed it meanwhile
    return err;
}

static bool policy_known(int policy)
{
    return policy == SCHED_OTHER || policy_is_rt((unsigned)policy) || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static long set_scheduler(pid_t pid, int policy, const int __user *uparam)
{
    int priority;
    struct task *task;
    if (pid < 0 || !uparam)
        return -EINVAL;
    if (get_user(priority, uparam))
        return -EFAULT;
    int err = find(pid, &task);
    if (err)
        return err;
    struct request r = {.policy = KEEP, .reset_on_fork = KEEP, .priority = priority, .nice = KEEP};
    if (policy != KEEP) {
        r.policy = policy & ~SCHED_RESET_ON_FORK;
        r.reset_on_fork = !!(policy & SCHED_RESET_ON_FORK);
    }
    err = (policy != KEEP && !policy_known(r.policy)) || priority < 0 || priority > 99 ? -EINVAL : change(task, &r);
    task_put(task);
    return err;
}

SYSCALL3(sched_setscheduler, pid_t, pid, int, policy, const int __user *, param)
{
    return policy < 0 ? -EINVAL : set_scheduler(pid, policy, param);
}

SYSCALL2(sched_setparam, pid_t, pid, const int __user *, param)
{
    return set_scheduler(pid, KEEP, param);
}

SYSCALL1(sched_getscheduler, pid_t, pid)
{
    struct task *task;
    int err = find(pid, &task);
    if (err)
        return err;
    struct sched_params params = task->thread.params;
    task_put(task);
    return params.policy | (params.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

SYSCALL2(sched_getparam, pid_t, pid, int __user *, uparam)
{
    struct task *task;
    if (!uparam)
        return -EINVAL;
    int err = find(pid, &task);
    if (err)
        return err;
    int priority = task->thread.params.rt_priority;
    task_put(task);
    return put_user(priority, uparam) ? -EFAULT : 0;
}

// Reads a structure whose size the caller tells: what we do not know must be zero. -E2BIG tells the size we know in attr->size.
static int attr_from_user(struct abi_sched_attr *attr, struct abi_sched_attr __user *uattr)
{
    uint32_t size;
    *attr = (struct abi_sched_attr){0};
    if (get_user(size, &uattr->size))
        return -EFAULT;
    if (!size)
        size = SCHED_ATTR_SIZE_VER0;
    if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
        goto wrong_size;
    if (copy_from_user(attr, uattr, min((size_t)size, sizeof *attr)))
        return -EFAULT;
    for (size_t i = sizeof *attr; i < size; i++) {
        uint8_t byte;
        if (get_user(byte, (const uint8_t __user *)uattr + i))
            return -EFAULT;
        if (byte)
            goto wrong_size;
    }
    return 0;
wrong_size:
    return put_user(sizeof *attr, &uattr->size) ? -EFAULT : -E2BIG;
}

static int attr_check(const struct abi_sched_attr *attr)
{
    const uint64_t known = SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN | SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS |
                           SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
    if ((int)attr->policy < 0 || attr->flags & ~known || attr->priority > 99)
        return -EINVAL;
    if (attr->flags & (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX))
        return -EOPNOTSUPP; // as Linux built without them
    return attr->flags & SCHED_FLAG_KEEP_POLICY || policy_known((int)attr->policy) ? 0 : -EINVAL;
}

static int apply_attr(struct task *task, const struct abi_sched_attr *attr)
{
    bool keep_policy = attr->flags & SCHED_FLAG_KEEP_POLICY, keep_params = attr->flags & SCHED_FLAG_KEEP_PARAMS;
    struct request r = {
        .policy = keep_policy ? KEEP : (int)attr->policy,
        .reset_on_fork = keep_policy ? KEEP : !!(attr->flags & SCHED_FLAG_RESET_ON_FORK),
        .priority = keep_params ? KEEP : (int)attr->priority,
        .nice = keep_params ? KEEP : clamp(attr->nice, -20, 19),
    };
    int err = change(task, &r);
    if (!err && !keep_params && policy_has_nice(keep_policy ? task->thread.params.policy : attr->policy))
        sched_set_slice(&task->thread, attr->runtime ? clamp(attr->runtime, (uint64_t)SLICE_MIN, (uint64_t)SLICE_MAX) : 0);
    return err;
}

SYSCALL3(sched_setattr, pid_t, pid, struct abi_sched_attr __user *, uattr, unsigned, /* none */)
{
    struct abi_sched_attr attr;
    struct task *task;
    if (!uattr || pid < 0)
        return -EINVAL;
    int err = attr_from_user(&attr, uattr);
    if (!err)
        err = attr_check(&attr);
    if (!err)
        err = find(pid, &task);
    if (err)
        return err;
    err = apply_attr(task, &attr);
    task_put(task);
    return err;
}

SYSCALL4(sched_getattr, pid_t, pid, struct abi_sched_attr __user *, uattr, unsigned, size, unsigned, /* none */)
{
    struct task *task;
    if (!uattr || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0)
        return -EINVAL;
    int err = find(pid, &task);
    if (err)
        return err;
    struct sched_params params = task->thread.params;
    bool rt = policy_is_rt(params.policy);
    struct abi_sched_attr attr = {
        .size = min(size, (unsigned)sizeof attr),
        .policy = params.policy,
        .flags = params.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
        .nice = rt ? 0 : params.nice,
        .priority = params.rt_priority,
        .runtime = rt ? 0 : (uint64_t)sched_rr_interval(&task->thread),
    };
    task_put(task);
    return copy_to_user(uattr, &attr, attr.size) ? -EFAULT : 0;
}

SYSCALL0(sched_yield)
{
    sched_yield_current();
    return 0;
}

SYSCALL1(sched_get_priority_max, int, policy)
{
    if (policy_is_rt((unsigned)policy))
        return 99;
    return policy_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

SYSCALL1(sched_get_priority_min, int, policy)
{
    if (policy_is_rt((unsigned)policy))
        return 1;
    return policy_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

SYSCALL2(sched_rr_get_interval, pid_t, pid, struct abi_timespec __user *, utime)
{
    struct task *task;
    int err = find(pid, &task);
    if (err)
        return err;
    struct timespec_k interval = ns_to_timespec(sched_rr_interval(&task->thread));
    task_put(task);
    struct abi_timespec out = {interval.tv_sec, interval.tv_nsec};
    return copy_to_user(utime, &out, sizeof out) ? -EFAULT : 0;
}

SYSCALL3(sched_setaffinity, pid_t, pid, unsigned, len, const void __user *, umask)
{
    struct cpumask mask = {0};
    struct task *task;
    if (copy_from_user(&mask, umask, min((size_t)len, sizeof mask)))
        return -EFAULT;
    if (pid < 0)
        return -ESRCH;
    int err = find(pid, &task);
    if (err)
        return err;
    if (!sched_same_owner(task) && !capable(CAP_SYS_NICE))
        err = -EPERM;
    else
        err = sched_set_affinity(&task->thread, &mask);
    task_put(task);
    return err;
}

SYSCALL3(sched_getaffinity, pid_t, pid, unsigned, len, void __user *, umask)
{
    struct task *task;
    if (len * 8 < nr_cpus || len & (sizeof(unsigned long) - 1))
        return -EINVAL;
    if (pid < 0)
        return -ESRCH;
    int err = find(pid, &task);
    if (err)
        return err;
    struct cpumask mask = {{task->thread.affinity.bits[0] & cpu_online_mask.bits[0]}};
    task_put(task);
    size_t size = min((size_t)len, sizeof mask);
    return copy_to_user(umask, &mask, size) ? -EFAULT : (long)size;
}

SYSCALL3(getcpu, unsigned __user *, ucpu, unsigned __user *, unode, void __user *, cache)
{
    (void)cache; // unused since Linux 2.6.24
    unsigned cpu = READ_ONCE(current_thread()->cpu);
    if ((ucpu && put_user(cpu, ucpu)) || (unode && put_user(0u, unode)))
        return -EFAULT;
    return 0;
}
