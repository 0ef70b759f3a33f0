// kernel/proc/cred.c — credentials: immutable once published, replaced as a whole by their own thread; readers of others use RCU.

#include "kernel/proc/cred.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"

#define CAP_ALL ((1UL << (CAP_LAST + 1)) - 1)
#define ACCOUNT_BUCKETS 64u

static DEFINE_LOCK_CLASS(account_lock_class, "user accounts", RANK_PID);
static struct spinlock accounts_lock = SPINLOCK_INIT(&account_lock_class);
static struct hlist_head accounts[ACCOUNT_BUCKETS] GUARDED_BY(&accounts_lock);
static struct user_account root_account = {.refs = REFCOUNT_INIT(1)};

struct cred init_cred = {
    .refs = REFCOUNT_INIT(2), // never freed
    .cap_permitted = CAP_ALL,
    .cap_effective = CAP_ALL,
    .cap_bounding = CAP_ALL,
    .user = &root_account,
};

struct user_account *user_account_get(uid_t uid)
{
    if (uid == 0) {
        refcount_inc(&root_account.refs);
        return &root_account;
    }
    struct user_account *fresh = kzalloc(sizeof *fresh, ALLOC_KERNEL);
    spin_irq_guard(&accounts_lock);
    struct hlist_head *bucket = &accounts[uid % ACCOUNT_BUCKETS];
    struct user_account *account;
    hlist_for_each_entry(account, bucket, hash)
    {
        if (account->uid == uid) {
            refcount_inc(&account->refs);
            kfree(fresh);
            return account;
        }
    }
    if (fresh) {
        fresh->uid = uid;
        refcount_set(&fresh->refs, 1);
        hlist_add_head(&fresh->hash, bucket);
    }
    return fresh;
}

void user_account_put(struct user_account *account)
{
    if (account == &root_account) {
        (void)refcount_dec_and_test(&account->refs);
        return;
    }
    {
        spin_irq_guard(&accounts_lock);
        if (!refcount_dec_and_test(&account->refs))
            return;
        hlist_del_init_rcu(&account->hash);
    }
    kfree(account);
}

const struct cred *current_cred(void)
{
    struct task *task = current_task();
    return task ? task->cred : &init_cred;
}

bool cred_capable(const struct cred *cred, int cap)
{
    return cred->cap_effective >> cap & 1;
}

bool capable(int cap)
{
    return cred_capable(current_cred(), cap);
}

bool in_group(const struct cred *cred, gid_t gid)
{
    if (cred->fsgid == gid)
        return true;
    unsigned low = 0, high = cred->ngroups;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (cred->groups[mid] == gid)
            return true;
        if (cred->groups[mid] < gid)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

struct cred *cred_prepare(void)
{
    const struct cred *old = current_cred();
    struct cred *cred = kmalloc(sizeof *cred, ALLOC_KERNEL);
    if (!cred)
        return nullptr;
    *cred = *old;
    refcount_set(&cred->refs, 1);
    if (old->ngroups) {
        cred->groups = kvmalloc(old->ngroups * sizeof *cred->groups, ALLOC_KERNEL);
        if (!cred->groups) {
            kfree(cred);
            return nullptr;
        }
        memcpy(cred->groups, old->groups, old->ngroups * sizeof *cred->groups);
    }
    refcount_inc(&cred->user->refs);
    return cred;
}

void cred_commit(struct cred *cred)
{
    spin_guard(&current_task()->alloc_lock);
    cred_commit_locked(cred);
}

void cred_commit_locked(struct cred *cred)
{
    struct task *task = current_task();
    const struct cred *old = task->cred;
    if (cred->euid != old->euid || cred->egid != old->egid || cred->fsuid != old->fsuid || cred->fsgid != old->fsgid ||
        (cred->cap_permitted & ~old->cap_permitted)) {
        // What it may touch has changed: others must not look into it through /proc, nor a dead parent signal it.
        if (task->thread.mm)
            task->thread.mm->dumpable = 0;
        task->pdeath_signal = 0;
    }
    if (cred->user != old->user) {
        atomic_inc(&cred->user->processes);
        atomic_dec(&old->user->processes);
    }
    rcu_assign_pointer(task->cred, cred);
    cred_put(old);
}

static void cred_free(struct rcu_head *head)
{
    struct cred *cred = container_of(head, struct cred, rcu);
    user_account_put(cred->user);
    kvfree(cred->groups);
    kfree(cred);
}

void cred_put(const struct cred *shared)
{
    struct cred *cred = (struct cred *)shared;
    if (cred && refcount_dec_and_test(&cred->refs))
        call_rcu(&cred->rcu, cred_free);
}

bool over_nproc(const struct cred *cred)
{
    return cred->uid != 0 && (uint64_t)atomic_read(&cred->user->processes) > rlimit(RLIMIT_NPROC);
}
