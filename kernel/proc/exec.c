// kernel/proc/exec.c — execve(2), execveat(2): everything about replacing a program that does not depend on its format.

#include "kernel/proc/exec.h"

#include "arch/include/context.h"
#include "kernel/abi/clone.h"
#include "kernel/abi/fcntl.h"
#include "kernel/abi/personality.h"
#include "kernel/abi/resource.h"
#include "kernel/boot/init.h"
#include "kernel/ipc/futex.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/process_timers.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

int exec_open(int dirfd, const struct pathname *name, unsigned lookup_flags, struct file **out)
{
    struct path path;
    int err = path_lookup_at(dirfd, name, lookup_flags, &path);
    if (err)
        return err;
    struct inode *inode = path.dentry->inode;
    struct file *file = nullptr;
    if (S_ISLNK(inode->mode))
        err = -ELOOP; // AT_SYMLINK_NOFOLLOW
    else if (!S_ISREG(inode->mode) || mnt_is_noexec(path.mnt))
        err = -EACCES;
    if (!err)
        err = inode_permission(inode, MAY_EXEC | MAY_OPEN);
    if (!err)
        err = inode_deny_write(inode);
    if (!err) {
        err = file_alloc(&path, O_RDONLY, inode->fops, &file);
        if (!err)
            err = file_do_open(file);
        if (err) {
            inode_allow_write(inode);
            if (file)
                file_put(file);
        } else {
            inotify_file(file, IN_OPEN);
        }
    }
    path_put(&path);
    *out = file;
    return err;
}

void exec_close(struct file *file)
{
    inode_allow_write(file->inode);
    file_put(file);
}

int exec_read(struct file *file, void *buf, size_t size, loff_t pos)
{
    ssize_t got = file_read(file, buf, size, &pos);
    return got < 0 ? (int)got : (size_t)got == size ? 0 : -EIO;
}

static int read_head(struct binary *bin)
{
    loff_t pos = 0;
    memset(bin->head, 0, sizeof bin->head);
    ssize_t got = file_read(bin->file, bin->head, sizeof bin->head, &pos);
    bin->head_size = got < 0 ? 0 : (size_t)got;
    return got < 0 ? (int)got : 0;
}

// -- threads: execve(2), "all threads other than the calling thread are destroyed"; the caller becomes the leader.
static void take_over_leadership(struct task *task, struct task *leader) REQUIRES(process_tree_lock)
{
    struct process *p = task->process;
    // The two swap thread ids: the process keeps its number, and the id of the calling thread dies with the old leader.
    pid_detach(task, PID_THREAD);
    struct pid *pid = task->pid;
    task->pid = leader->pid;
    leader->pid = pid;
    // In place, for lookups and walks under RCU: at any moment the number and the group have the one or the other.
    for (int type = 0; type < PID_TYPES; type++)
        list_replace_rcu(&leader->pid_links[type], &task->pid_links[type]);
    list_init(&leader->pid_links[PID_THREAD]); // nothing is found by the other id any more
    wake_up_all(&pid->poll_wq);
    store_release(&p->leader, task);
    p->nr_zombie_threads = 0;
}

// The others are past their last action: what they shared with us is ours alone, and the leader's structure can give us its identity.
static bool is_alone(const struct task *task)
{
    const struct process *p = task->process;
    spin_irq_guard(&process_tree_lock);
    struct task *t;
    for_each_thread(t, p)
        if (t != task && !(t == p->leader && p->nr_zombie_threads))
            return false;
    return true;
}

static int end_other_threads(struct task *task)
{
    struct process *p = task->process;
    {
        spin_irq_guard(&process_tree_lock);
        spin_guard(&task->sighand->lock);
        if (p->group_exit || p->group_exec_task)
            return -EAGAIN;
        p->group_exec_task = task;
        signal_kill_others(p, task);
    }
    int err = wait_event_killable(&p->exit_wq, is_alone(task));
    struct task *leader = nullptr;
    {
        spin_irq_guard(&process_tree_lock);
        if (!err && p->leader != task) {
            leader = p->leader;
            take_over_leadership(task, leader);
            thread_unlink_dead(leader);
        }
        p->group_exec_task = nullptr;
    }
    if (leader)
        thread_forget_dead(leader);
    return err ? -EINTR : 0;
}

static int become_single(void)
{
    struct task *task = current_task();
    struct process *p = task->process;
    // What memory there may be need for is taken first: an exec that fails for it leaves the threads alone.
    struct sighand *own = nullptr, *old = task->sighand;
    if (refcount_read(&old->refs) > 1 && !(own = sighand_alloc()))
        return -ENOMEM;
    int err = p->leader != task || !is_alone(task) ? end_other_threads(task) : 0;
    // Signal actions shared with another process (CLONE_SIGHAND without CLONE_THREAD) become our own copy.
    if (!err && own && refcount_read(&old->refs) > 1) {
        {
            spin_irq_guard(&process_tree_lock);
            spin_guard(&old->lock);
            memcpy(own->action, old->action, sizeof own->action);
            rcu_assign_pointer(task->sighand, own);
        }
        own = old;
    }
    if (own)
        sighand_put(own);
    return err;
}

// The new memory and the new identity appear together: whoever took hold of the former and then asks task_may_access() is judged by the latter.
static void replace_mm(struct binary *bin)
{
    struct task *task = current_task();
    struct mm *old = task->thread.mm;
    const struct cred *new = bin->cred;
    bool readable = !inode_permission(bin->file->inode, MAY_READ);
    if (bin->secure)
        task->pdeath_signal = 0;
    futex_exec_release(task);
    thread_tell_joiner(task);
    {
        spin_guard(&task->alloc_lock);
        thread_set_mm(bin->mm);
        // Others may look into it only if it is what its user could read, and runs as that user alone, with nothing gained (cred_commit()).
        bin->mm->dumpable = readable && new->euid == new->uid && new->egid == new->gid;
        cred_commit_locked(bin->cred);
    }
    bin->cred = nullptr;
    vfork_release(task);
    if (old) {
        uint64_t rss = mm_hiwater_rss(old);
        task->process->max_rss = max(task->process->max_rss, rss);
        mm_put_users(old);
    }
}

// Who gains privileges by this does not let its caller choose how its memory is laid out.
static void lower_stack_limit(struct binary *bin)
{
    struct process *p = current_process();
    spin_guard(&p->rlimit_lock);
    p->rlimits[RLIMIT_STACK].cur = min(p->rlimits[RLIMIT_STACK].cur, (uint64_t)STACK_LIMIT_DEFAULT);
    bin->layout.stack_rlimit = p->rlimits[RLIMIT_STACK].cur;
}

int binary_commit(struct binary *bin)
{
    struct task *task = current_task();
    bool threads = !is_alone(task);
    int err = become_single();
    if (!err && (err = files_unshare(&task->files)))
        bin->maimed = threads;
    if (err)
        return err;
    struct mm *mm = bin->mm;
    if (inode_deny_write(bin->file->inode) == 0) // never fails: it is denied while we hold it open
        mm->exe_file = file_get(bin->file);
    exec_settle_cred(bin);
    if (bin->secure)
        lower_stack_limit(bin);
    files_close_on_exec(task->files); // before anybody may look into the new program who could not into the old one
    replace_mm(bin);
    bin->committed = true;

    process_timers_exec(task->process);
    signal_forget_timers(task);
    sigaction_flush_for_exec(task);
    task->altstack_sp = task->altstack_size = 0;
    task->altstack_flags = 2; // SS_DISABLE
    task->robust_list = nullptr;
    task->restart.fn = nullptr;
    task->process->exit_signal = SIGCHLD;
    WRITE_ONCE(task->process->execs, task->process->execs + 1);
    task->process->has_execed = true;
    task->personality &= ~(unsigned long)(bin->personality_clear | READ_IMPLIES_EXEC); // the latter never passes to a 64-bit program
    const char *slash = strrchr(bin->path, '/');
    strlcpy_pad(task->thread.name, slash ? slash + 1 : bin->path, THREAD_NAME_SIZE);
    return 0;
}

static int load(struct binary *bin, struct pt_regs *regs)
{
    for (;;) {
        int err = read_head(bin);
        if (err)
            return err;
        err = script_load(bin);
        if (!err)
            continue; // with the interpreter
        if (err != -ENOEXEC)
            return err;
        if ((err = exec_prepare_cred(bin)))
            return err;
        unsigned long persona = current_task()->personality & ~(unsigned long)bin->personality_clear;
        bin->layout.randomise = !(persona & ADDR_NO_RANDOMIZE) && sysctl_randomize_va_space;
        bin->layout.bottom_up = persona & ADDR_COMPAT_LAYOUT;
        return elf_load(bin, regs);
    }
}

static void binary_free(struct binary *bin)
{
    if (bin->file)
        exec_close(bin->file);
    if (bin->mm && !bin->committed)
        mm_put_users(bin->mm);
    if (bin->cred)
        cred_put(bin->cred);
    args_free(&bin->args);
    kfree(bin->path);
    kfree(bin->interp);
    kfree(bin);
}

int do_execve(const struct exec_request *req, struct pt_regs *regs)
{
    struct binary *bin = kzalloc(sizeof *bin, ALLOC_KERNEL);
    if (!bin) {
        exec_close(req->file);
        return -ENOMEM;
    }
    bin->file = req->file;
    bin->path_closes = req->path_closes;
    int err = 0;
    if (!(bin->path = kstrdup(req->path, ALLOC_KERNEL)) || !(bin->interp = kstrdup(req->path, ALLOC_KERNEL)) || !(bin->mm = mm_create()))
        err = -ENOMEM;
    if (!err)
        err = args_collect(&bin->args, req);
    bin->layout.stack_rlimit = rlimit(RLIMIT_STACK);
    if (!err)
        err = load(bin, regs);
    if (err && (bin->committed || bin->maimed)) {
        // There is nothing left to return to, and no handler either.
        signal_force(SIGSEGV, SI_KERNEL, 0);
        err = 0;
    }
    binary_free(bin);
    return err;
}

int sysctl_randomize_va_space = 2;

static int parse_norandmaps(const char *) // as on Linux, a value behind it means nothing
{
    sysctl_randomize_va_space = 0;
    return 0;
}
CMDLINE_PARAM("norandmaps", parse_norandmaps);

static long exec_common(int dirfd, const char __user *upath, unsigned long argv, unsigned long envp, int flags)
{
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    struct task *task = current_task();
    if (task->over_nproc && over_nproc(task->cred))
        return -EAGAIN;
    task->over_nproc = false;
    unsigned lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
    if (flags & AT_EMPTY_PATH)
        lookup |= LOOKUP_EMPTY;
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, lookup);
    if (err)
        return err;
    struct file *file;
    if ((err = exec_open(dirfd, &name, lookup, &file)))
        return err;
    // Relative to a descriptor there is no path that leads to it: /dev/fd/N/PATH is what Linux shows.
    char *made = nullptr;
    if (dirfd != AT_FDCWD && name.text[0] != '/') {
        size_t size = name.len + 24;
        if (!(made = kmalloc(size, ALLOC_KERNEL))) {
            exec_close(file);
            return -ENOMEM;
        }
        snprintf(made, size, name.len ? "/dev/fd/%d/%s" : "/dev/fd/%d", dirfd, name.text);
    }
    struct exec_request req = {.file = file, .path = made ? made : name.text, .argv = argv, .envp = envp};
    req.path_closes = made && files_cloexec(current_task()->files, dirfd);
    err = do_execve(&req, current_regs());
    kfree(made);
    return err;
}

SYSCALL3(execve, const char __user *, path, unsigned long, argv, unsigned long, envp)
{
    return exec_common(AT_FDCWD, path, argv, envp, 0);
}

SYSCALL5(execveat, int, dirfd, const char __user *, path, unsigned long, argv, unsigned long, envp, int, flags)
{
    return exec_common(dirfd, path, argv, envp, flags);
}
