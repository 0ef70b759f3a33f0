// kernel/fs/proc/root.c — /proc itself: a folder for each process, self, thread-self, and the global tree.
#include "kernel/abi/dirent.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"

// Positions in the folder: 0 and 1 the dots, 2 self, 3 thread-self, FIRST_GLOBAL + n the global tree, FIRST_PID + number a process.
#define POS_SELF 2
#define POS_THREAD_SELF 3
#define FIRST_GLOBAL 4l
#define FIRST_PID (1l << 40)
#define INO_SELF 2
#define INO_THREAD_SELF 3

int64_t proc_number(const char *name, size_t len)
{
    int64_t n = 0;
    if (!len || len > 10 || (name[0] == '0' && len > 1))
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        n = n * 10 + (name[i] - '0');
    }
    return n;
}

bool proc_may_see(const struct proc_sb *ps, struct task *task, int limit)
{
    if (ps->hide_pid < limit)
        return true;
    if (ps->hide_pid != HIDEPID_NOT_PTRACEABLE && in_group(current_cred(), ps->gid))
        return true;
    return task_may_access(task, false) == 0;
}

// ---- self and thread-self: links that read differently for each reader ----------------------------------------------

static const char *self_text(struct inode *inode, bool thread, char **to_free)
{
    struct pid_namespace *ns = proc_sb(inode->sb)->ns;
    struct task *task = current_task();
    pid_t tgid = task ? pid_nr_ns(task->process->pid, ns) : 0, tid = task ? pid_nr_ns(task->pid, ns) : 0;
    char *text = tgid ? kmalloc(40, ALLOC_KERNEL) : nullptr;
    *to_free = text;
    if (!text)
        *to_free = (char *)(intptr_t)(tgid ? -ENOMEM : -ENOENT);
    else if (thread)
        snprintf(text, 40, "%d/task/%d", tgid, tid);
    else
        snprintf(text, 40, "%d", tgid);
    return text;
}

static const char *self_link(struct dentry *, struct inode *inode, char **to_free)
{
    return self_text(inode, false, to_free);
}
static const char *thread_self_link(struct dentry *, struct inode *inode, char **to_free)
{
    return self_text(inode, true, to_free);
}
static const struct inode_ops self_ops = {.get_link = self_link}, thread_self_ops = {.get_link = thread_self_link};

static int add_self(struct inode *dir, struct dentry *dentry, bool thread)
{
    struct inode *inode = inode_alloc(dir->sb);
    if (!inode)
        return -ENOMEM;
    inode->ino = thread ? INO_THREAD_SELF : INO_SELF;
    inode->mode = S_IFLNK | 0777;
    inode->ops = thread ? &thread_self_ops : &self_ops;
    d_add(dentry, inode);
    return 0;
}

// ---- processes ------------------------------------------------------------------------------------------------------

static int add_process(struct inode *dir, struct dentry *dentry, pid_t nr)
{
    struct proc_sb *ps = proc_sb(dir->sb);
    rcu_read_lock();
    struct task *task = pid_task_get(pid_find(ps->ns, nr), PID_THREAD);
    rcu_read_unlock();
    if (!task)
        return -ENOENT;
    static const struct proc_file process_folder = {.name = "", .mode = S_IFDIR | 0555, .ops = &proc_process_ops, .fops = &proc_dir_fops,
                                                    .entries = proc_process_files};
    int err = -ENOENT;
    if (proc_may_see(ps, task, HIDEPID_INVISIBLE)) {
        struct inode *inode = proc_inode_make(dir->sb, task->pid, &process_folder, false, INO_PROCESS, 0);
        err = proc_add(dentry, inode);
    }
    task_put(task);
    return err;
}

int proc_root_lookup(struct inode *dir, struct dentry *dentry, unsigned flags)
{
    const struct qstr *name = &dentry->name;
    int64_t nr = proc_number(name->name, name->len);
    if (nr >= 0)
        return nr <= PID_MAX_LIMIT ? add_process(dir, dentry, (pid_t)nr) : -ENOENT;
    if (name->len == 4 && !memcmp(name->name, "self", 4))
        return add_self(dir, dentry, false);
    if (name->len == 11 && !memcmp(name->name, "thread-self", 11))
        return add_self(dir, dentry, true);
    if (proc_sb(dir->sb)->only_pids)
        return -ENOENT;
    struct inode *inode;
    int err = pseudo_find_inode(dir->sb, proc_root_dir, name->name, name->len, &inode);
    if (err)
        return err;
    (void)flags;
    d_set_ops(dentry, &pseudo_dentry_ops);
    d_add(dentry, inode);
    return 0;
}

static bool emit_processes(struct file *file, struct dir_context *ctx)
{
    struct proc_sb *ps = proc_sb(file->inode->sb);
    for (;;) {
        pid_t nr = (pid_t)(ctx->pos - FIRST_PID);
        rcu_read_lock();
        struct process *p = process_next(ps->ns, &nr);
        struct task *leader = p ? process_leader_get(p) : nullptr;
        rcu_read_unlock();
        if (!p)
            return true;
        bool room = true;
        if (leader && proc_may_see(ps, leader, HIDEPID_INVISIBLE)) {
            char name[12];
            int len = snprintf(name, sizeof name, "%d", nr);
            room = ctx->emit(ctx, name, (size_t)len, FIRST_PID + nr, proc_ino(nr, false, INO_PROCESS, 0), DT_DIR);
        }
        task_put(leader);
        if (!room)
            return false;
        ctx->pos = FIRST_PID + nr;
    }
}

int proc_root_iterate(struct file *file, struct dir_context *ctx)
{
    if (!dir_emit_dots(file, ctx))
        return 0;
    if (ctx->pos == POS_SELF) {
        if (!ctx->emit(ctx, "self", 4, POS_SELF + 1, INO_SELF, DT_LNK))
            return 0;
        ctx->pos++;
    }
    if (ctx->pos == POS_THREAD_SELF) {
        if (!ctx->emit(ctx, "thread-self", 11, POS_THREAD_SELF + 1, INO_THREAD_SELF, DT_LNK))
            return 0;
        ctx->pos++;
    }
    if (ctx->pos < FIRST_PID) {
        if (!proc_sb(file->inode->sb)->only_pids && !pseudo_emit(proc_root_dir, ctx, FIRST_GLOBAL))
            return 0;
        ctx->pos = FIRST_PID;
    }
    emit_processes(file, ctx);
    return 0;
}
