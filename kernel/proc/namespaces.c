// kernel/proc/namespaces.c — sets of namespaces; UTS names; unshare(2), setns(2).
//
// A task's set is immutable while others may look at it: unshare and setns build a new one and swap the pointer under alloc_lock.

#include "kernel/proc/namespaces.h"

#include "arch/include/elf.h"
#include "kernel/abi/clone.h"
#include "kernel/boot/version.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/pidfd.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount.h"

#define NAMESPACE_FLAGS (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP)

static DEFINE_LOCK_CLASS(uts_lock_class, "uts namespace", RANK_NAMESPACE);

struct uts_namespace init_uts_ns = {
    .refs = REFCOUNT_INIT(1),
    .name = {.sysname = KERNEL_SYSNAME,
             .nodename = "(none)",
             .release = KERNEL_RELEASE,
             .version = KERNEL_VERSION,
             .machine = ARCH_MACHINE,
             .domainname = "(none)"},
    .inum = 0xeffffffeUL,
};
struct namespaces init_namespaces = {.refs = REFCOUNT_INIT(1), .uts = &init_uts_ns, .pid_for_children = &init_pid_ns};
bool (*namespace_of_file)(struct file *file, struct namespace_ref *out);
void (*uts_changed)(void);

void namespaces_init(void)
{
    rwsem_init(&init_uts_ns.sem, &uts_lock_class);
    init_namespaces.cgroup = init_cgroup_ns;
}

struct namespaces *current_namespaces(void)
{
    struct task *task = current_task();
    return task && task->ns ? task->ns : &init_namespaces;
}

struct namespaces *namespaces_get(struct namespaces *ns)
{
    refcount_inc(&ns->refs);
    return ns;
}

void namespaces_put(struct namespaces *ns)
{
    if (!ns || !refcount_dec_and_test(&ns->refs))
        return;
    uts_ns_put(ns->uts);
    mount_ns_put(ns->mnt);
    pid_ns_put(ns->pid_for_children);
    cgroup_ns_put(ns->cgroup);
    kfree(ns);
}

struct uts_namespace *uts_ns_get(struct uts_namespace *ns)
{
    refcount_inc(&ns->refs);
    return ns;
}

void uts_ns_put(struct uts_namespace *ns)
{
    if (refcount_dec_and_test(&ns->refs))
        kfree(ns);
}

static int uts_ns_copy(struct uts_namespace *from, struct uts_namespace **out)
{
    struct uts_namespace *ns = kzalloc(sizeof *ns, ALLOC_KERNEL);
    if (!ns)
        return -ENOMEM;
    refcount_set(&ns->refs, 1);
    rwsem_init(&ns->sem, &uts_lock_class);
    ns->inum = namespace_inum();
    read_guard(&from->sem);
    ns->name = from->name;
    *out = ns;
    return 0;
}

static int uts_set(char *field, const char *name, size_t len)
{
    if (len >= UTS_LEN)
        return -EINVAL;
    struct uts_namespace *uts = current_namespaces()->uts;
    {
        write_guard(&uts->sem);
        preempt_disable();
        seq_write_begin(&uts->seq);
        memset(field, 0, UTS_LEN);
        memcpy(field, name, len);
        seq_write_end(&uts->seq);
        preempt_enable();
    }
    if (uts_changed)
        uts_changed();
    return 0;
}

int uts_set_nodename(const char *name, size_t len)
{
    return uts_set(current_namespaces()->uts->name.nodename, name, len);
}

int uts_set_domainname(const char *name, size_t len)
{
    return uts_set(current_namespaces()->uts->name.domainname, name, len);
}

// A new set: what `flags` names is new, the rest is shared with `from`.
static int build_set(struct namespaces *from, uint64_t flags, struct fs_context *fs, struct namespaces **out)
{
    struct namespaces *ns = kzalloc(sizeof *ns, ALLOC_KERNEL);
    if (!ns)
        return -ENOMEM;
    refcount_set(&ns->refs, 1);
    int err = 0;
    if (flags & CLONE_NEWUTS)
        err = uts_ns_copy(from->uts, &ns->uts);
    else
        ns->uts = uts_ns_get(from->uts);
    if (err)
        goto no_uts;
    if ((flags & CLONE_NEWPID) && from->pid_for_children != task_pid_ns(current_task()))
        err = -EINVAL; // unshared once already: a second one would have a level without a member
    else if (flags & CLONE_NEWPID)
        err = pid_ns_create(from->pid_for_children, &ns->pid_for_children);
    else
        ns->pid_for_children = pid_ns_get(from->pid_for_children);
    if (err)
        goto no_pid;
    if (flags & CLONE_NEWCGROUP)
        err = cgroup_ns_create(&ns->cgroup);
    else
        ns->cgroup = cgroup_ns_get(from->cgroup);
    if (err)
        goto no_cgroup;
    // Last, as it moves the root and directory in `fs`.
    if (flags & CLONE_NEWNS)
        err = mount_ns_copy(from->mnt, fs, &ns->mnt);
    else
        ns->mnt = mount_ns_get(from->mnt);
    if (err)
        goto no_mnt;
    *out = ns;
    return 0;

no_mnt:
    cgroup_ns_put(ns->cgroup);
no_cgroup:
    pid_ns_put(ns->pid_for_children);
no_pid:
    uts_ns_put(ns->uts);
no_uts:
    kfree(ns);
    return err;
}

int namespaces_clone(uint64_t flags, struct fs_context *fs, struct namespaces **out)
{
    struct namespaces *mine = current_task()->ns;
    if (!(flags & NAMESPACE_FLAGS)) {
        *out = namespaces_get(mine);
        return 0;
    }
    return build_set(mine, flags, fs, out);
}

static void switch_set(struct namespaces *ns)
{
    struct task *task = current_task();
    struct namespaces *old = task->ns;
    {
        spin_guard(&task->alloc_lock);
        task->ns = ns;
    }
    namespaces_put(old);
}

// unshare(2)
SYSCALL1(unshare, unsigned long, flags)
{
    struct task *task = current_task();
    const unsigned long known = CLONE_THREAD | CLONE_FS | CLONE_NEWNS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWUTS |
                                CLONE_NEWPID | CLONE_NEWCGROUP;
    if (flags & ~known)
        return -EINVAL;
    if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && task->process->nr_threads > 1)
        return -EINVAL;
    if ((flags & (CLONE_SIGHAND | CLONE_VM)) && refcount_read(&task->thread.mm->users) > 1)
        return -EINVAL;
    if ((flags & NAMESPACE_FLAGS) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (flags & CLONE_NEWNS)
        flags |= CLONE_FS;

    struct fs_context *fs = nullptr;
    if ((flags & CLONE_FS) && atomic_read(&task->fs->users) > 1 && !(fs = fs_context_copy(task->fs)))
        return -ENOMEM;
    // A copy of the mounts takes the root and the working directory along, so it comes last: what can fail before leaves nothing behind but a
    // table of descriptors that is the caller's own.
    struct namespaces *ns = nullptr;
    int err = flags & CLONE_FILES ? files_unshare(&task->files) : 0;
    if (!err && flags & NAMESPACE_FLAGS)
        err = build_set(task->ns, flags, fs ? fs : task->fs, &ns);
    if (err) {
        if (fs)
            fs_context_put(fs);
        return err;
    }
    if (fs) {
        struct fs_context *old = task->fs;
        {
            spin_guard(&task->alloc_lock);
            task->fs = fs;
        }
        fs_context_leave(old);
    }
    if (ns)
        switch_set(ns);
    return 0;
}

int namespace_ref_of(struct task *t, unsigned long kind, bool for_children, struct namespace_ref *out, uint64_t *inum)
{
    spin_guard(&t->alloc_lock);
    if (!t->ns)
        return -ESRCH;
    out->kind = kind;
    switch (kind) {
    case CLONE_NEWUTS:
        out->ns = uts_ns_get(t->ns->uts);
        *inum = t->ns->uts->inum;
        return 0;
    case CLONE_NEWNS:
        out->ns = mount_ns_get(t->ns->mnt);
        *inum = mount_ns_inum(t->ns->mnt);
        return 0;
    case CLONE_NEWCGROUP:
        out->ns = cgroup_ns_get(t->ns->cgroup);
        *inum = cgroup_ns_inum(t->ns->cgroup);
        return 0;
    case CLONE_NEWPID: {
        struct pid_namespace *ns = for_children ? t->ns->pid_for_children : task_pid_ns(t);
        out->ns = pid_ns_get(ns);
        *inum = ns->inum;
        return 0;
    }
    default:
        return -EINVAL;
    }
}

void namespace_ref_put(struct namespace_ref *ref)
{
    switch (ref->kind) {
    case CLONE_NEWUTS:
        uts_ns_put(ref->ns);
        break;
    case CLONE_NEWNS:
        mount_ns_put(ref->ns);
        break;
    case CLONE_NEWCGROUP:
        cgroup_ns_put(ref->ns);
        break;
    case CLONE_NEWPID:
        pid_ns_put(ref->ns);
        break;
    }
}

// Puts one namespace into `ns`, a set in the making, if the current task may become a member of it.
static int enter(struct namespaces *ns, const struct namespace_ref *ref)
{
    struct task *task = current_task();
    switch (ref->kind) {
    case CLONE_NEWUTS:
        uts_ns_put(ns->uts);
        ns->uts = uts_ns_get(ref->ns);
        return 0;
    case CLONE_NEWNS:
        if (!capable(CAP_SYS_CHROOT))
            return -EPERM;
        if (atomic_read(&task->fs->users) > 1)
            return -EINVAL; // its root and directory would move under others
        mount_ns_put(ns->mnt);
        ns->mnt = mount_ns_get(ref->ns);
        return 0;
    case CLONE_NEWCGROUP:
        cgroup_ns_put(ns->cgroup);
        ns->cgroup = cgroup_ns_get(ref->ns);
        return 0;
    case CLONE_NEWPID: {
        // Only into the own namespace or one below it.
        struct pid_namespace *at = ref->ns;
        while (at->level > task_pid_ns(task)->level)
            at = at->parent;
        if (at != task_pid_ns(task))
            return -EINVAL;
        pid_ns_put(ns->pid_for_children);
        ns->pid_for_children = pid_ns_get(ref->ns);
        return 0;
    }
    default:
        return -EINVAL;
    }
}

// Enters all of `kinds` that the process of `leader` is in, or none.
static int enter_those_of(struct namespaces *ns, struct task *leader, unsigned long kinds)
{
    static const unsigned long order[] = {CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWPID, CLONE_NEWNS};
    int err = task_may_access(leader, false);
    for (size_t i = 0; i < ARRAY_SIZE(order) && !err; i++) {
        struct namespace_ref ref;
        uint64_t inum;
        if (!(kinds & order[i]) || (err = namespace_ref_of(leader, order[i], false, &ref, &inum)))
            continue;
        err = enter(ns, &ref);
        namespace_ref_put(&ref);
    }
    return err;
}

// setns(2): by a /proc/PID/ns file, or several at once by a pidfd.
SYSCALL2(setns, int, fd, int, nstype)
{
    struct task *task = current_task();
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    struct namespace_ref ref = {};
    struct task *whose = nullptr;
    struct namespaces *ns = nullptr;
    int err = 0;
    unsigned long kinds = (unsigned)nstype;
    if (namespace_of_file && namespace_of_file(f.file, &ref)) {
        if (kinds && kinds != ref.kind)
            err = -EINVAL;
        kinds = ref.kind;
    } else {
        struct pid *pid = pidfd_pid(f.file);
        if (!pid || !kinds || (kinds & ~NAMESPACE_FLAGS))
            return -EINVAL;
        if (!(whose = pidfd_task_get(pid)))
            return -ESRCH;
    }
    if (!err && !capable(CAP_SYS_ADMIN))
        err = -EPERM;
    if (!err)
        err = build_set(task->ns, 0, task->fs, &ns);
    if (!err)
        err = whose ? enter_those_of(ns, whose, kinds) : enter(ns, &ref);
    if (!err) {
        if (kinds & CLONE_NEWNS)
            mount_ns_enter(ns->mnt, task->fs);
        switch_set(ns);
    } else if (ns) {
        namespaces_put(ns);
    }
    if (whose)
        task_put(whose);
    else
        namespace_ref_put(&ref);
    return err;
}
