// kernel/proc/cred_syscalls.c — user and group ids, supplementary groups, capabilities: credentials(7), capabilities(7).

#include "kernel/abi/resource.h"
#include "kernel/base/sort.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"
#include "kernel/syscall/syscall.h"

#define ID_UNCHANGED ((uid_t)-1)
#define NGROUPS_MAX 65536

SYSCALL0(getuid) { return current_cred()->uid; }
SYSCALL0(geteuid) { return current_cred()->euid; }
SYSCALL0(getgid) { return current_cred()->gid; }
SYSCALL0(getegid) { return current_cred()->egid; }

SYSCALL3(getresuid, uid_t __user *, r, uid_t __user *, e, uid_t __user *, s)
{
    const struct cred *c = current_cred();
    return put_user(c->uid, r) || put_user(c->euid, e) || put_user(c->suid, s) ? -EFAULT : 0;
}

SYSCALL3(getresgid, gid_t __user *, r, gid_t __user *, e, gid_t __user *, s)
{
    const struct cred *c = current_cred();
    return put_user(c->gid, r) || put_user(c->egid, e) || put_user(c->sgid, s) ? -EFAULT : 0;
}

// What a change of user ids does to the capability sets: capabilities(7), "Effect of user ID changes on capabilities".
static void fix_capabilities(const struct cred *old, struct cred *new)
{
    if (new->securebits & SECBIT_NO_SETUID_FIXUP)
        return;
    bool had_root = old->uid == 0 || old->euid == 0 || old->suid == 0;
    bool has_root = new->uid == 0 || new->euid == 0 || new->suid == 0;
    if (had_root && !has_root) {
        if (!(new->securebits & SECBIT_KEEP_CAPS))
            new->cap_permitted = new->cap_effective = 0;
        new->cap_ambient = 0;
    }
    if (old->euid == 0 && new->euid != 0)
        new->cap_effective = 0;
    if (old->euid != 0 && new->euid == 0)
        new->cap_effective = new->cap_permitted;
}

// Publishes new user ids, charging the new real user.
static int commit_uids(struct cred *new)
{
    const struct cred *old = current_cred();
    if (new->uid != old->uid) {
        struct user_account *account = user_account_get(new->uid);
        if (!account) {
            cred_put(new);
            return -ENOMEM;
        }
        user_account_put(new->user);
        new->user = account;
        // setuid(2) does not fail for RLIMIT_NPROC, as programs do not expect it; the execve(2) that follows does.
        current_task()->over_nproc = over_nproc(new);
    }
    fix_capabilities(old, new);
    cred_commit(new);
    return 0;
}

static bool is_one_of(uid_t id, uid_t a, uid_t b, uid_t c)
{
    return id == a || id == b || id == c;
}

SYSCALL1(setuid, uid_t, uid)
{
    if (uid == ID_UNCHANGED)
        return -EINVAL;
    const struct cred *old = current_cred();
    if (!capable(CAP_SETUID) && uid != old->uid && uid != old->suid)
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    if (capable(CAP_SETUID))
        new->uid = new->suid = uid;
    new->euid = new->fsuid = uid;
    return commit_uids(new);
}

SYSCALL2(setreuid, uid_t, ruid, uid_t, euid)
{
    const struct cred *old = current_cred();
    bool priv = capable(CAP_SETUID);
    if (ruid != ID_UNCHANGED && !priv && ruid != old->uid && ruid != old->euid)
        return -EPERM;
    if (euid != ID_UNCHANGED && !priv && !is_one_of(euid, old->uid, old->euid, old->suid))
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    if (ruid != ID_UNCHANGED)
        new->uid = ruid;
    if (euid != ID_UNCHANGED)
        new->euid = euid;
    if (ruid != ID_UNCHANGED || (euid != ID_UNCHANGED && euid != old->uid))
        new->suid = new->euid;
    new->fsuid = new->euid;
    return commit_uids(new);
}

SYSCALL3(setresuid, uid_t, ruid, uid_t, euid, uid_t, suid)
{
    const struct cred *old = current_cred();
    const uid_t wanted[] = {ruid, euid, suid};
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (wanted[i] != ID_UNCHANGED && !is_one_of(wanted[i], old->uid, old->euid, old->suid) && !capable(CAP_SETUID))
            return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    if (ruid != ID_UNCHANGED)
        new->uid = ruid;
    if (euid != ID_UNCHANGED)
        new->euid = euid;
    if (suid != ID_UNCHANGED)
        new->suid = suid;
    new->fsuid = new->euid;
    return commit_uids(new);
}

// setfsuid(2) always answers the previous value.
SYSCALL1(setfsuid, uid_t, uid)
{
    const struct cred *old = current_cred();
    uid_t previous = old->fsuid;
    if (uid == ID_UNCHANGED || uid == previous ||
        (!capable(CAP_SETUID) && !is_one_of(uid, old->uid, old->euid, old->suid)))
        return previous;
    struct cred *new = cred_prepare();
    if (!new)
        return previous;
    const uint64_t fs_caps = 1UL << CAP_CHOWN | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_DAC_READ_SEARCH | 1UL << CAP_FOWNER | 1UL << CAP_FSETID |
                             1UL << CAP_LINUX_IMMUTABLE | 1UL << CAP_MKNOD;
    new->fsuid = uid;
    if (!(new->securebits & SECBIT_NO_SETUID_FIXUP)) {
        if (previous == 0)
            new->cap_effective &= ~fs_caps;
        else if (uid == 0)
            new->cap_effective |= new->cap_permitted & fs_caps;
    }
    cred_commit(new);
    return previous;
}

SYSCALL1(setgid, gid_t, gid)
{
    if (gid == ID_UNCHANGED)
        return -EINVAL;
    const struct cred *old = current_cred();
    if (!capable(CAP_SETGID) && gid != old->gid && gid != old->sgid)
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    if (capable(CAP_SETGID))
        new->gid = new->sgid = gid;
    new->egid = new->fsgid = gid;
    cred_commit(new);
    return 0;
}

SYSCALL2(setregid, gid_t, rgid, gid_t, egid)
{
    const struct cred *old = current_cred();
    bool priv = capable(CAP_SETGID);
    if (rgid != ID_UNCHANGED && !priv && rgid != old->gid && rgid != old->egid)
        return -EPERM;
    if (egid != ID_UNCHANGED && !priv && !is_one_of(egid, old->gid, old->egid, old->sgid))
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    if (rgid != ID_UNCHANGED)
        new->gid = rgid;
    if (egid != ID_UNCHANGED)
        new->egid = egid;
    if (rgid != ID_UNCHANGED || (egid != ID_UNCHANGED && egid != old->gid))
        new->sgid = new->egid;
    new->fsgid = new->egid;
    cred_commit(new);
    return 0;
}

SYSCALL3(setresgid, gid_t, rgid, gid_t, egid, gid_t, sgid)
{
    const struct cred *old = current_cred();
    const gid_t wanted[] = {rgid, egid, sgid};
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (wanted[i] != ID_UNCHANGED && !is_one_of(wanted[i], old->gid, old->egid, old->sgid) && !capable(CAP_SETGID))
            return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    if (rgid != ID_UNCHANGED)
        new->gid = rgid;
    if (egid != ID_UNCHANGED)
        new->egid = egid;
    if (sgid != ID_UNCHANGED)
        new->sgid = sgid;
    new->fsgid = new->egid;
    cred_commit(new);
    return 0;
}

SYSCALL1(setfsgid, gid_t, gid)
{
    const struct cred *old = current_cred();
    gid_t previous = old->fsgid;
    if (gid == ID_UNCHANGED || gid == previous ||
        (!capable(CAP_SETGID) && !is_one_of(gid, old->gid, old->egid, old->sgid)))
        return previous;
    struct cred *new = cred_prepare();
    if (new) {
        new->fsgid = gid;
        cred_commit(new);
    }
    return previous;
}

SYSCALL2(getgroups, int, size, gid_t __user *, ulist)
{
    const struct cred *c = current_cred();
    if (size < 0 || (size && (unsigned)size < c->ngroups))
        return -EINVAL;
    if (size && c->ngroups && copy_to_user(ulist, c->groups, c->ngroups * sizeof *c->groups))
        return -EFAULT;
    return c->ngroups;
}

static int compare_gids(const void *a, const void *b)
{
    gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;
    return x < y ? -1 : x > y;
}

SYSCALL2(setgroups, size_t, size, const gid_t __user *, ulist)
{
    if (!capable(CAP_SETGID))
        return -EPERM;
    if (size > NGROUPS_MAX)
        return -EINVAL;
    gid_t *groups = nullptr;
    if (size) {
        if (!(groups = kvmalloc(size * sizeof *groups, ALLOC_KERNEL)))
            return -ENOMEM;
        if (copy_from_user(groups, ulist, size * sizeof *groups)) {
            kvfree(groups);
            return -EFAULT;
        }
        sort(groups, size, sizeof *groups, compare_gids);
    }
    struct cred *new = cred_prepare();
    if (!new) {
        kvfree(groups);
        return -ENOMEM;
    }
    kvfree(new->groups);
    new->groups = groups;
    new->ngroups = (unsigned)size;
    cred_commit(new);
    return 0;
}

// -- capget(2), capset(2): version 3 uses two 32-bit halves
#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u
struct cap_header {
    uint32_t version;
    int pid;
};
struct cap_half {
    uint32_t effective, permitted, inheritable;
};

// How many halves the caller's version has; for an unknown one the preferred version is written back.
static int cap_halves(struct cap_header __user *uheader, struct cap_header *header)
{
    if (copy_from_user(header, uheader, sizeof *header))
        return -EFAULT;
    switch (header->version) {
    case CAP_VERSION_1:
        return 1;
    case CAP_VERSION_2:
    case CAP_VERSION_3:
        return 2;
    default:
        return put_user(CAP_VERSION_3, &uheader->version) ? -EFAULT : -EINVAL;
    }
}

SYSCALL2(capget, struct cap_header __user *, uheader, struct cap_half __user *, udata)
{
    struct cap_header header;
    int halves = cap_halves(uheader, &header);
    if (halves < 0)
        return !udata && halves == -EINVAL ? 0 : halves;
    if (header.pid < 0)
        return -EINVAL;
    struct task *t = header.pid ? task_find_get(header.pid) : task_get(current_task());
    if (!t)
        return -ESRCH;
    const struct cred *c = task_cred_get(t);
    task_put(t);
    struct cap_half data[2];
    for (int i = 0; i < 2; i++)
        data[i] = (struct cap_half){(uint32_t)(c->cap_effective >> 32 * i), (uint32_t)(c->cap_permitted >> 32 * i),
                                    (uint32_t)(c->cap_inheritable >> 32 * i)};
    cred_put(c);
    return udata && copy_to_user(udata, data, (size_t)halves * sizeof data[0]) ? -EFAULT : 0;
}

SYSCALL2(capset, struct cap_header __user *, uheader, const struct cap_half __user *, udata)
{
    struct cap_header header;
    int halves = cap_halves(uheader, &header);
    if (halves < 0)
        return halves;
    if (header.pid && header.pid != pid_vnr(current_task()->pid))
        return -EPERM;
    struct cap_half data[2] = {};
    if (copy_from_user(data, udata, (size_t)halves * sizeof data[0]))
        return -EFAULT;
    const uint64_t all = (1UL << (CAP_LAST + 1)) - 1;
    uint64_t effective = (data[0].effective | (uint64_t)data[1].effective << 32) & all;
    uint64_t permitted = (data[0].permitted | (uint64_t)data[1].permitted << 32) & all;
    uint64_t inheritable = (data[0].inheritable | (uint64_t)data[1].inheritable << 32) & all;
    const struct cred *old = current_cred();
    if (!capable(CAP_SETPCAP) && (inheritable & ~(old->cap_inheritable | old->cap_permitted)))
        return -EPERM;
    if (inheritable & ~(old->cap_inheritable | old->cap_bounding))
        return -EPERM;
    if ((permitted & ~old->cap_permitted) || (effective & ~permitted))
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    new->cap_effective = effective;
    new->cap_permitted = permitted;
    new->cap_inheritable = inheritable;
    new->cap_ambient &= permitted & inheritable;
    cred_commit(new);
    return 0;
}
