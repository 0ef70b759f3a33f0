// kernel/vfs/fasync.c — signal-driven I/O: owners of open files, the lists of who wants to be told, and the telling. fcntl(2), sigaction(2).
#include "kernel/vfs/fasync.h"

#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/file.h"

static DEFINE_LOCK_CLASS(fasync_class, "fasync lists", RANK_FILES);

struct fasync_entry {
    struct fasync_entry *next;
    struct file *file; // borrowed: it takes itself off before it goes
    int fd;
    struct rcu_head rcu;
};

static struct spinlock fasync_lock = SPINLOCK_INIT(&fasync_class);

// ---- owners ---------------------------------------------------------------------------------------------------------

static void owner_free_rcu(struct rcu_head *head)
{
    struct file_owner *o = container_of(head, struct file_owner, rcu);
    pid_put(o->pid);
    kfree(o);
}

// Takes over the reference to pid, also on error.
static int replace_owner(struct file *file, int type, struct pid *pid, bool only_first)
{
    struct file_owner *fresh = kzalloc(sizeof *fresh, ALLOC_KERNEL);
    if (!fresh) {
        pid_put(pid);
        return -ENOMEM;
    }
    const struct cred *cred = current_cred();
    *fresh = (struct file_owner){.type = type, .pid = pid, .uid = cred->uid, .euid = cred->euid};
    spin_lock(&file->inode->lock);
    struct file_owner *old = file->owner;
    bool keep = only_first && old && old->pid;
    if (!keep) {
        fresh->sig = old ? old->sig : 0;
        rcu_assign_pointer(file->owner, fresh);
    }
    spin_unlock(&file->inode->lock);
    if (keep)
        old = fresh;
    if (old)
        call_rcu(&old->rcu, owner_free_rcu);
    return 0;
}

static int set_owner(struct file *file, int type, pid_t nr)
{
    rcu_read_lock();
    struct pid *pid = nr ? pid_find(task_pid_ns(current_task()), nr) : nullptr;
    if (pid && !refcount_inc_not_zero(&pid->refs))
        pid = nullptr;
    rcu_read_unlock();
    if (nr && !pid)
        return -ESRCH;
    return replace_owner(file, type, pid, false);
}

static int set_signal(struct file *file, unsigned long sig)
{
    if (sig > NSIG)
        return -EINVAL;
    struct file_owner *fresh = kzalloc(sizeof *fresh, ALLOC_KERNEL);
    if (!fresh)
        return -ENOMEM;
    spin_lock(&file->inode->lock);
    struct file_owner *old = file->owner;
    *fresh = (struct file_owner){.type = F_OWNER_PID};
    if (old) {
        *fresh = (struct file_owner){.type = old->type, .pid = old->pid, .uid = old->uid, .euid = old->euid};
        if (fresh->pid)
            pid_get(fresh->pid);
    }
    fresh->sig = (int)sig;
    rcu_assign_pointer(file->owner, fresh);
    spin_unlock(&file->inode->lock);
    if (old)
        call_rcu(&old->rcu, owner_free_rcu);
    return 0;
}

static enum pid_type role_of(int type)
{
    return type == F_OWNER_TID ? PID_THREAD : type == F_OWNER_PID ? PID_PROCESS : PID_PGRP;
}

// The owner's number as the caller sees it; 0: none, or gone.
static pid_t owner_nr(const struct file *file, int *type)
{
    rcu_read_lock();
    const struct file_owner *o = rcu_dereference(file->owner);
    pid_t nr = o && o->pid && pid_task(o->pid, role_of(o->type)) ? pid_vnr(o->pid) : 0;
    *type = o ? o->type : F_OWNER_PID;
    rcu_read_unlock();
    return nr;
}

int file_owner_set(struct file *file, int who)
{
    if (who == INT32_MIN)
        return -EINVAL;
    return who < 0 ? set_owner(file, F_OWNER_PGRP, -who) : set_owner(file, F_OWNER_PID, who);
}

int file_owner_get(const struct file *file)
{
    int type;
    pid_t nr = owner_nr(file, &type);
    return type == F_OWNER_PGRP ? -nr : nr;
}

int file_owner_default(struct file *file, int type, struct pid *pid)
{
    return replace_owner(file, type, pid_get(pid), true);
}

void file_owner_free(struct file *file)
{
    if (file->owner)
        call_rcu(&file->owner->rcu, owner_free_rcu);
    file->owner = nullptr;
}

static long set_owner_ex(struct file *file, unsigned long arg)
{
    struct abi_f_owner_ex o;
    if (copy_from_user(&o, user_ptr(void, arg), sizeof o))
        return -EFAULT;
    return o.type < F_OWNER_TID || o.type > F_OWNER_PGRP ? -EINVAL : set_owner(file, o.type, o.pid);
}

static long get_owner_ex(const struct file *file, unsigned long arg)
{
    struct abi_f_owner_ex o = {};
    o.pid = owner_nr(file, &o.type);
    return copy_to_user(user_ptr(void, arg), &o, sizeof o) ? -EFAULT : 0;
}

static int get_signal(const struct file *file)
{
    rcu_read_lock();
    const struct file_owner *o = rcu_dereference(file->owner);
    int sig = o ? o->sig : 0;
    rcu_read_unlock();
    return sig;
}

long file_owner_fcntl(struct file *file, int cmd, unsigned long arg)
{
    switch (cmd) {
    case F_SETOWN:
        return file_owner_set(file, (int)arg);
    case F_GETOWN:
        return file_owner_get(file);
    case F_SETOWN_EX:
        return set_owner_ex(file, arg);
    case F_GETOWN_EX:
        return get_owner_ex(file, arg);
    case F_SETSIG:
        return set_signal(file, arg);
    case F_GETSIG:
        return get_signal(file);
    }
    return -EINVAL;
}

// ---- telling --------------------------------------------------------------------------------------------------------

static const uint32_t bands[] = {
    [POLL_IN] = EPOLLIN | EPOLLRDNORM,
    [POLL_OUT] = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
    [POLL_MSG] = EPOLLIN | EPOLLRDNORM | EPOLLMSG,
    [POLL_ERR] = EPOLLERR,
    [POLL_PRI] = EPOLLPRI | EPOLLRDBAND,
    [POLL_HUP] = EPOLLHUP | EPOLLERR,
};

// Signals whose si_code has meanings of its own: with them it says SI_SIGIO.
static bool has_own_codes(int sig)
{
    return sig == SIGILL || sig == SIGFPE || sig == SIGSEGV || sig == SIGBUS || sig == SIGTRAP || sig == SIGCHLD || sig == SIGSYS;
}

static bool may_tell(const struct file_owner *o, const struct task *t)
{
    const struct cred *theirs = rcu_dereference(t->cred);
    return o->euid == 0 || o->euid == theirs->suid || o->euid == theirs->uid || o->uid == theirs->suid || o->uid == theirs->uid;
}

static int send(struct task *t, const struct file_owner *o, int sig, const struct siginfo *info)
{
    return o->type == F_OWNER_TID ? signal_send_thread(t, sig, info) : signal_send_process(t->process, sig, info);
}

static void tell(struct task *t, const struct file_owner *o, int fd, int code)
{
    if (!may_tell(o, t))
        return;
    struct siginfo info;
    if (o->sig) {
        info = (struct siginfo){.si_signo = o->sig, .si_code = has_own_codes(o->sig) ? SI_SIGIO : code};
        info.poll.band = bands[code];
        info.poll.fd = fd;
        if (send(t, o, o->sig, &info) != -EAGAIN)
            return;
        // The queue of real-time signals is full: SIGIO says that some were lost.
    }
    siginfo_init_kernel(&info, SIGIO);
    (void)send(t, o, SIGIO, &info);
}

static void tell_owner(const struct file_owner *o, int fd, int code)
{
    struct task *t;
    if (!o || !o->pid)
        return;
    if (o->type == F_OWNER_PGRP) {
        // Not under RCU alone: a member that leaves while we stand on it (setpgid(2), exec, the end) would lead us astray.
        spin_irq_guard(&process_tree_lock);
        list_for_each_entry(t, &o->pid->tasks[PID_PGRP], pid_links[PID_PGRP])
        {
            tell(t, o, fd, code);
        }
        return;
    }
    t = pid_task(o->pid, role_of(o->type));
    if (t)
        tell(t, o, fd, code);
}

void fasync_send_(struct fasync_list *list, int code)
{
    rcu_read_lock();
    for (struct fasync_entry *e = rcu_dereference(list->first); e; e = rcu_dereference(e->next))
        tell_owner(rcu_dereference(e->file->owner), READ_ONCE(e->fd), code);
    rcu_read_unlock();
}

// ---- the lists ------------------------------------------------------------------------------------------------------

static void entry_free_rcu(struct rcu_head *head)
{
    kfree(container_of(head, struct fasync_entry, rcu));
}

// The link that leads to the file's entry, or the one at the end.
static struct fasync_entry **find_link(struct fasync_list *list, const struct file *file) REQUIRES(fasync_lock)
{
    struct fasync_entry **link = &list->first;
    while (*link && (*link)->file != file)
        link = &(*link)->next;
    return link;
}

static void remove_entry(struct fasync_list *list, struct file *file)
{
    spin_guard(&fasync_lock);
    struct fasync_entry **link = find_link(list, file), *e = *link;
    __atomic_fetch_and(&file->flags, ~O_ASYNC, __ATOMIC_RELAXED);
    if (!e)
        return;
    rcu_assign_pointer(*link, e->next);
    call_rcu(&e->rcu, entry_free_rcu);
}

int fasync_update(struct fasync_list *list, struct file *file, int fd, bool on)
{
    if (!on) {
        remove_entry(list, file);
        return 0;
    }
    struct fasync_entry *fresh = kzalloc(sizeof *fresh, ALLOC_KERNEL);
    if (!fresh)
        return -ENOMEM;
    fresh->file = file;
    fresh->fd = fd;
    {
        spin_guard(&fasync_lock);
        struct fasync_entry **link = find_link(list, file);
        if (*link) {
            WRITE_ONCE((*link)->fd, fd);
        } else {
            rcu_assign_pointer(*link, fresh);
            fresh = nullptr;
        }
        __atomic_fetch_or(&file->flags, O_ASYNC, __ATOMIC_RELAXED);
    }
    kfree(fresh);
    return 0;
}

void fasync_forget_all(struct fasync_list *list)
{
    spin_guard(&fasync_lock);
    struct fasync_entry *e = list->first, *next;
    rcu_assign_pointer(list->first, nullptr);
    for (; e; e = next) {
        next = e->next;
        __atomic_fetch_and(&e->file->flags, ~O_ASYNC, __ATOMIC_RELAXED);
        call_rcu(&e->rcu, entry_free_rcu);
    }
}
