// kernel/fs/proc/fd.c — fd/ and fdinfo/ (proc_pid_fd(5), proc_pid_fdinfo(5)), and task/ (proc_pid_task(5)).
#include "kernel/abi/dirent.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/file_lock.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/seq_file.h"

static struct file *file_of(struct task *task, int fd)
{
    struct files *files = task_files_get(task);
    struct file *file = files ? files_lookup(files, fd) : nullptr;
    if (files)
        files_release(files);
    return file;
}

static int fd_follow(struct dentry *d, struct path *out)
{
    struct task *task = proc_task(d->inode);
    if (!task)
        return -ENOENT;
    // Asked twice: an execve() in between makes a program accessible, and its close-on-exec files are not meant by that.
    int err = task_may_access(task, false) ? -EACCES : 0;
    struct file *file = err ? nullptr : file_of(task, proc_inode(d->inode)->fd);
    if (!err)
        err = task_may_access(task, false) ? -EACCES : file ? 0 : -ENOENT;
    if (!err) {
        *out = file->path;
        path_get(out);
    }
    if (file)
        file_put(file);
    task_put(task);
    return err;
}

static const struct inode_ops fd_link_ops = {.follow_magic = fd_follow};
static const struct proc_file fd_link = {.name = "", .mode = S_IFLNK, .ops = &fd_link_ops};
static const struct proc_file fdinfo_file = {.name = "", .mode = S_IFREG | 0444, .flags = PROC_ACCESS};

static int fd_lookup_as(struct inode *dir, struct dentry *dentry, bool info)
{
    int64_t fd = proc_number(dentry->name.name, dentry->name.len);
    struct task *task = fd >= 0 && fd < (1l << 28) ? proc_task(dir) : nullptr;
    if (!task)
        return -ENOENT;
    struct file *file = file_of(task, (int)fd);
    int err = -ENOENT;
    if (file) {
        const struct proc_inode *pi = proc_inode(dir);
        struct inode *inode = proc_inode_make(dir->sb, pi->pid, info ? &fdinfo_file : &fd_link, pi->thread, info ? INO_FDINFO : INO_FD, (unsigned)fd);
        if (inode && !info) {
            // The permissions tell how it is open.
            inode->mode = S_IFLNK | (file->mode & FMODE_READ ? 0500 : 0) | (file->mode & FMODE_WRITE ? 0300 : 0);
            inode->size = 64;
        }
        err = proc_add(dentry, inode);
        file_put(file);
    }
    task_put(task);
    return err;
}

static int fd_lookup(struct inode *dir, struct dentry *dentry, unsigned)
{
    return fd_lookup_as(dir, dentry, false);
}
static int fdinfo_lookup(struct inode *dir, struct dentry *dentry, unsigned)
{
    return fd_lookup_as(dir, dentry, true);
}

// Its own threads may always look.
static int fd_permission(struct inode *inode, unsigned mask)
{
    int err = generic_permission(inode, mask);
    if (!err)
        return 0;
    struct task *task = proc_task(inode);
    if (task && current_task() && task->process == current_process())
        err = 0;
    task_put(task);
    return err;
}

// What files a process has open is for those who may look into it, whatever the folder's mode says.
static int fdinfo_permission(struct inode *inode, unsigned mask)
{
    struct task *task = proc_task(inode);
    if (!task)
        return -ESRCH;
    int err = task_may_access(task, false) ? -EACCES : generic_permission(inode, mask);
    task_put(task);
    return err;
}

static int fd_getattr(const struct path *path, struct kstat *stat, uint32_t, unsigned)
{
    generic_getattr(path->dentry->inode, stat);
    struct task *task = proc_task(path->dentry->inode);
    struct files *files = task ? task_files_get(task) : nullptr;
    if (files) {
        stat->size = files_count(files);
        files_release(files);
    }
    task_put(task);
    return task ? 0 : -ENOENT;
}

static int fd_iterate(struct file *dir, struct dir_context *ctx)
{
    const struct proc_inode *pi = proc_inode(dir->inode);
    bool info = pi->what->ops == &proc_fdinfo_dir_ops;
    struct task *task = proc_task(dir->inode);
    if (!task)
        return -ENOENT;
    struct files *files = task_files_get(task);
    task_put(task);
    pid_t nr = pid_nr_ns(pi->pid, proc_sb(dir->inode->sb)->ns);
    if (dir_emit_dots(dir, ctx) && files) {
        int fd;
        while ((fd = files_next(files, (int)(ctx->pos - 2))) >= 0) {
            char name[12];
            int len = snprintf(name, sizeof name, "%d", fd);
            ino_t ino = proc_ino(nr, pi->thread, info ? INO_FDINFO : INO_FD, (unsigned)fd);
            if (!ctx->emit(ctx, name, (size_t)len, fd + 3, ino, info ? DT_REG : DT_LNK))
                break;
            ctx->pos = fd + 3;
        }
    }
    if (files)
        files_release(files);
    return 0;
}

const struct inode_ops proc_fd_dir_ops = {.lookup = fd_lookup, .permission = fd_permission, .getattr = fd_getattr, .setattr = proc_setattr};
const struct inode_ops proc_fdinfo_dir_ops = {.lookup = fdinfo_lookup, .permission = fdinfo_permission, .setattr = proc_setattr};
const struct file_ops proc_fd_dir_fops = {.iterate = fd_iterate, .llseek = endless_llseek, .fsync = noop_fsync};

int proc_fdinfo_show(struct seq_file *m, struct task *task, int fd)
{
    struct files *files = task_files_get(task);
    struct file *file = files ? files_lookup(files, fd) : nullptr;
    if (file) {
        seq_printf(m, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n", (long long)file->pos, file->flags | (files_cloexec(files, fd) ? O_CLOEXEC : 0),
                   file->path.mnt ? file->path.mnt->id : 0, file->inode ? (unsigned long long)file->inode->ino : 0);
        file_locks_show(m, file, files, proc_sb(m->file->inode->sb)->ns);
        if (file->ops->show_fdinfo)
            file->ops->show_fdinfo(m, file);
        file_put(file);
    }
    if (files)
        files_release(files);
    return file ? 0 : -ENOENT;
}

// ---- task/ ----------------------------------------------------------------------------------------------------------

static const struct proc_file thread_folder = {.name = "", .mode = S_IFDIR | 0555, .entries = proc_thread_files};

static int task_lookup(struct inode *dir, struct dentry *dentry, unsigned)
{
    int64_t nr = proc_number(dentry->name.name, dentry->name.len);
    struct task *leader = nr > 0 && nr <= PID_MAX_LIMIT ? proc_task(dir) : nullptr;
    if (!leader)
        return -ENOENT;
    rcu_read_lock();
    struct task *task = pid_task_get(pid_find(proc_sb(dir->sb)->ns, (pid_t)nr), PID_THREAD);
    rcu_read_unlock();
    int err = task && task->process == leader->process ? proc_add(dentry, proc_inode_make(dir->sb, task->pid, &thread_folder, true, INO_THREAD, 0)) : -ENOENT;
    task_put(task);
    task_put(leader);
    return err;
}

#define THREADS_AT_ONCE 32u

// The thread that was shown last, if it is still there. dir->version notes its number, and at which position that was.
static const struct task *shown_last(const struct file *dir, const struct dir_context *ctx, struct process *p)
{
    if (dir->version >> 32 != (uint64_t)ctx->pos)
        return nullptr;
    const struct task *t, *last = pid_task(pid_find(proc_sb(dir->inode->sb)->ns, (pid_t)(uint32_t)dir->version), PID_THREAD);
    for_each_thread_rcu(t, p)
    {
        if (t == last)
            return last;
    }
    return nullptr;
}

// The threads behind the one that was shown last, or else from the position's place of the list on: up to THREADS_AT_ONCE of them, with references. How many.
static unsigned threads_next(const struct file *dir, const struct dir_context *ctx, struct process *p, struct task *found[THREADS_AT_ONCE])
{
    unsigned nr = 0;
    struct task *t;
    rcu_read_lock();
    const struct task *last = shown_last(dir, ctx, p);
    loff_t skip = last ? 0 : ctx->pos - 2;
    for_each_thread_rcu(t, p)
    {
        if (last) {
            if (t == last)
                last = nullptr;
            continue;
        }
        if (skip-- > 0)
            continue;
        if (!refcount_inc_not_zero(&t->thread.refs))
            continue; // on its way out of the list
        found[nr++] = t;
        if (nr == THREADS_AT_ONCE)
            break;
    }
    rcu_read_unlock();
    return nr;
}

static bool emit_thread(struct file *dir, struct dir_context *ctx, const struct task *t)
{
    char name[12];
    pid_t nr = pid_nr_ns(t->pid, proc_sb(dir->inode->sb)->ns);
    int len = snprintf(name, sizeof name, "%d", nr);
    if (!ctx->emit(ctx, name, (size_t)len, ctx->pos + 1, proc_ino(nr, true, INO_THREAD, 0), DT_DIR))
        return false;
    dir->version = (uint64_t)++ctx->pos << 32 | (uint32_t)nr;
    return true;
}

static int task_iterate(struct file *dir, struct dir_context *ctx)
{
    struct task *leader = proc_task(dir->inode);
    if (!leader)
        return -ENOENT;
    struct task *found[THREADS_AT_ONCE] __attribute__((uninitialized));
    bool room = dir_emit_dots(dir, ctx);
    for (unsigned nr; room && (nr = threads_next(dir, ctx, leader->process, found));) {
        for (unsigned i = 0; i < nr; i++) {
            room = room && emit_thread(dir, ctx, found[i]);
            task_put(found[i]);
        }
    }
    task_put(leader);
    return 0;
}

static int task_getattr(const struct path *path, struct kstat *stat, uint32_t, unsigned)
{
    generic_getattr(path->dentry->inode, stat);
    struct task *task = proc_task(path->dentry->inode);
    if (task)
        stat->nlink += process_threads(task->process);
    task_put(task);
    return 0;
}

const struct inode_ops proc_task_dir_ops = {.lookup = task_lookup, .getattr = task_getattr, .setattr = proc_setattr};
const struct file_ops proc_task_dir_fops = {.iterate = task_iterate, .llseek = endless_llseek, .fsync = noop_fsync};
