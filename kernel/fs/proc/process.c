// kernel/fs/proc/process.c — inodes of a process's folder: which task they are about, who owns them, how long they stay good.
#include "kernel/abi/dirent.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/pidfd.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/namei.h"

struct task *proc_task(const struct inode *inode)
{
    return pid_task_get(proc_inode(inode)->pid, PID_THREAD);
}

// The number says what it is: the process, the role, the place in the table (or the descriptor).
ino_t proc_ino(pid_t nr, bool thread, enum proc_ino_kind kind, unsigned n)
{
    return (ino_t)(nr + 1) << 32 | (ino_t)(kind + (thread ? 4 : 0)) << 28 | n;
}

void proc_owner(struct task *task, const struct proc_file *what, struct inode *inode)
{
    rcu_read_lock();
    const struct cred *cred = rcu_dereference(task->cred);
    uid_t uid = cred->euid;
    gid_t gid = cred->egid;
    rcu_read_unlock();
    bool dumpable;
    {
        spin_guard(&task->alloc_lock);
        dumpable = task->thread.mm && task->thread.mm->dumpable == 1;
    }
    // The folders themselves show whose process it is, whatever may be dumped: proc_pid(5).
    if (inode->mode != (S_IFDIR | 0555) && !dumpable)
        uid = gid = 0;
    if (what->flags & PROC_ALWAYS_ROOT)
        uid = gid = 0;
    WRITE_ONCE(inode->uid, uid);
    WRITE_ONCE(inode->gid, gid);
}

// The folders of processes and threads have, besides what is in their tables, net.
static bool has_net(const struct proc_file *table)
{
    return table == proc_process_files || table == proc_thread_files;
}

static unsigned count_folders(const struct proc_file *table)
{
    unsigned n = has_net(table);
    for (const struct proc_file *f = table; f && f->name; f++)
        n += S_ISDIR(f->mode);
    return n;
}

struct inode *proc_inode_make(struct superblock *sb, struct pid *pid, const struct proc_file *what, bool thread, enum proc_ino_kind kind, unsigned n)
{
    struct task *task = pid_task_get(pid, PID_THREAD);
    struct inode *inode = task ? inode_alloc(sb) : nullptr;
    if (inode) {
        struct proc_inode *pi = proc_inode(inode);
        pi->pid = pid_get(pid);
        pi->what = what;
        pi->thread = thread;
        pi->fd = kind == INO_FD || kind == INO_FDINFO ? (int)n : -1;
        inode->ino = proc_ino(pid_nr_ns(pid, proc_sb(sb)->ns), thread, kind, n);
        inode->mode = what->mode;
        inode->ops = what->ops ? what->ops : S_ISLNK(what->mode) ? &proc_link_ops : S_ISDIR(what->mode) ? &proc_dir_ops : &proc_file_ops_inode;
        inode->fops = what->fops ? what->fops : S_ISDIR(what->mode) ? &proc_dir_fops : &proc_file_fops;
        if (S_ISDIR(what->mode))
            inode->nlink = 2 + count_folders(what->entries);
        if (has_net(what->entries))
            inode->flags |= I_IMMUTABLE; // the folder of a process or thread
        proc_owner(task, what, inode);
    }
    task_put(task);
    return inode;
}

int proc_add(struct dentry *dentry, struct inode *inode)
{
    if (!inode)
        return -ENOENT;
    d_set_ops(dentry, &proc_dentry_ops);
    d_add(dentry, inode);
    return 0;
}

// ---- dentries -------------------------------------------------------------------------------------------------------

static bool fd_open(struct task *task, int fd)
{
    struct files *files = task_files_get(task);
    if (!files)
        return false;
    bool open = files_next(files, fd) == fd;
    files_release(files);
    return open;
}

static int revalidate(struct dentry *d, unsigned flags)
{
    struct inode *inode = READ_ONCE(d->inode);
    if (flags & LOOKUP_RCU)
        return -ECHILD; // owners are looked up with references
    if (!inode)
        return 0;
    struct proc_inode *pi = proc_inode(inode);
    struct task *task = proc_task(inode);
    if (!task)
        return 0;
    proc_owner(task, pi->what, inode);
    int good = pi->fd < 0 || fd_open(task, pi->fd);
    task_put(task);
    return good;
}

// An entry that nobody uses goes at once: it would hold the ids of a process that may be gone.
static bool keep(const struct dentry *)
{
    return false;
}

const struct dentry_ops proc_dentry_ops = {.revalidate = revalidate, .keep = keep};

// ---- folders of fixed content ---------------------------------------------------------------------------------------

static const struct proc_file *table_of(const struct inode *dir)
{
    return proc_inode(dir)->what->entries;
}

int proc_table_lookup(struct inode *dir, struct dentry *dentry, const struct proc_file *table)
{
    struct proc_inode *pi = proc_inode(dir);
    for (const struct proc_file *f = table; f->name; f++) {
        if (strncmp(f->name, dentry->name.name, dentry->name.len) || f->name[dentry->name.len])
            continue;
        unsigned n = (unsigned)(f - table) + 1 + ((unsigned)pi->what->data << 8);
        return proc_add(dentry, proc_inode_make(dir->sb, pi->pid, f, pi->thread, pi->thread ? INO_THREAD : INO_PROCESS, n));
    }
    return -ENOENT;
}

bool proc_table_emit(struct file *file, struct dir_context *ctx, const struct proc_file *table)
{
    struct proc_inode *pi = proc_inode(file->inode);
    pid_t nr = pid_nr_ns(pi->pid, proc_sb(file->inode->sb)->ns);
    if (!dir_emit_dots(file, ctx))
        return false;
    unsigned n = 0;
    for (const struct proc_file *f = table; f->name; f++, n++) {
        if (ctx->pos > (loff_t)n + 2)
            continue;
        ino_t ino = proc_ino(nr, pi->thread, pi->thread ? INO_THREAD : INO_PROCESS, n + 1 + ((unsigned)pi->what->data << 8));
        if (!ctx->emit(ctx, f->name, strlen(f->name), (loff_t)n + 3, ino, (f->mode & S_IFMT) >> 12))
            return false;
        ctx->pos = (loff_t)n + 3;
    }
    return true;
}

// ---- net/: the same for all processes, as there is one network namespace. Its entries go as soon as nobody uses them, like all that is below a process.

static int net_revalidate(struct dentry *d, unsigned flags)
{
    return pseudo_dentry_ops.revalidate(d, flags);
}
static const struct dentry_ops net_dentry_ops = {.revalidate = net_revalidate, .keep = keep};
static const struct inode_ops net_dir_ops;

static int net_add(struct dentry *dentry, struct inode *inode)
{
    if (S_ISDIR(inode->mode))
        inode->ops = &net_dir_ops;
    d_set_ops(dentry, &net_dentry_ops);
    d_add(dentry, inode);
    return 0;
}

static int net_lookup(struct inode *dir, struct dentry *dentry, unsigned)
{
    struct inode *inode;
    int err = pseudo_find_inode(dir->sb, pseudo_inode(dir)->dir, dentry->name.name, dentry->name.len, &inode);
    return err ? err : net_add(dentry, inode);
}
static const struct inode_ops net_dir_ops = {.lookup = net_lookup, .setattr = proc_setattr};

static int dir_lookup(struct inode *dir, struct dentry *dentry, unsigned)
{
    const struct qstr *name = &dentry->name;
    if (has_net(table_of(dir)))
        if (name->len == 3 && !memcmp(name->name, "net", 3)) {
            struct inode *inode = pseudo_inode_make(dir->sb, proc_net_dir, nullptr);
            if (!inode)
                return -ENOMEM;
            inode->uid = dir->uid;
            inode->gid = dir->gid;
            return net_add(dentry, inode);
        }
    return proc_table_lookup(dir, dentry, table_of(dir));
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
    const struct proc_file *table = table_of(file->inode);
    struct task *task = proc_task(file->inode);
    if (!task)
        return -ENOENT;
    task_put(task);
    if (!proc_table_emit(file, ctx, table) || !has_net(table))
        return 0;
    unsigned n = 0;
    while (table[n].name)
        n++;
    if (ctx->pos <= (loff_t)n + 2 && ctx->emit(ctx, "net", 3, (loff_t)n + 3, proc_net_dir->ino, DT_DIR))
        ctx->pos = (loff_t)n + 3;
    return 0;
}

// hidepid: only what is needed to see that the number is taken.
static int process_permission(struct inode *inode, unsigned mask)
{
    const struct proc_sb *ps = proc_sb(inode->sb);
    struct task *task = proc_task(inode);
    if (!task)
        return -ESRCH;
    bool see = proc_may_see(ps, task, HIDEPID_NO_ACCESS);
    task_put(task);
    if (!see)
        return ps->hide_pid == HIDEPID_INVISIBLE ? -ENOENT : -EPERM;
    return generic_permission(inode, mask);
}

int proc_setattr(struct dentry *dentry, struct iattr *attr)
{
    if (attr->valid & ATTR_MODE)
        return -EPERM; // modes of a process's files follow from what they are
    int err = setattr_prepare(dentry, attr);
    if (!err) {
        attr->valid &= ~ATTR_SIZE;
        setattr_copy(dentry->inode, attr);
    }
    return err;
}

const struct inode_ops proc_process_ops = {.lookup = dir_lookup, .permission = process_permission, .setattr = proc_setattr};
const struct inode_ops proc_dir_ops = {.lookup = dir_lookup, .setattr = proc_setattr};
const struct file_ops proc_dir_fops = {.iterate = dir_iterate, .llseek = endless_llseek, .fsync = noop_fsync};
const struct inode_ops proc_file_ops_inode = {.setattr = proc_setattr};

// ---- magic links of the tables --------------------------------------------------------------------------------------

static int follow(struct dentry *d, struct path *out)
{
    struct task *task = proc_task(d->inode);
    if (!task)
        return -ENOENT;
    const struct proc_file *what = proc_inode(d->inode)->what;
    int err = what->data ? proc_ns_link(task, out, what->data & ~1ul, what->data & 1) : what->link(task, out);
    if (task_may_access(task, false)) {
        if (!err)
            path_put(out);
        err = -EACCES;
    }
    task_put(task);
    return err;
}

const struct inode_ops proc_link_ops = {.follow_magic = follow, .setattr = proc_setattr};

// ---- as descriptors of processes: a thread's folder below task/ is none ---------------------------------------------

static struct pid *pid_of(struct file *file)
{
    return file->inode && file->inode->ops == &proc_process_ops ? proc_inode(file->inode)->pid : nullptr;
}

static int proc_folders_init(void)
{
    pid_of_folder = pid_of;
    return 0;
}
INITCALL(fs, proc_folders_init);
