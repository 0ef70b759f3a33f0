// kernel/fs/proc/mounts.c — mounts, mountinfo and mountstats of a process: proc_pid_mountinfo(5). Pollable: EPOLLERR | EPOLLPRI once after each change.
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/namespaces.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/seq_file.h"

// What the file shows is settled when it is opened: that process's namespace and root at that time.
struct mounts_file {
    struct mount_namespace *ns;
    struct path root;
    int which;
};

static int mounts_seq_show(struct seq_file *m, void *private)
{
    struct mounts_file *mf = private;
    mounts_show(m, mf->ns, &mf->root, mf->which);
    return 0;
}

static int open_as(struct inode *inode, struct file *file, int which)
{
    struct task *task = proc_task(inode);
    if (!task)
        return -ESRCH;
    struct mounts_file *mf = kzalloc(sizeof *mf, ALLOC_KERNEL);
    struct fs_context *fs = task_fs_get(task);
    int err = mf ? -EINVAL : -ENOMEM;
    if (mf && fs) {
        {
            spin_guard(&task->alloc_lock);
            if (task->ns)
                mf->ns = mount_ns_get(task->ns->mnt);
        }
        mf->which = which;
        if (mf->ns) {
            fs_context_root(fs, &mf->root);
            err = seq_open_single(file, mounts_seq_show, mf);
            if (!err)
                (void)mount_ns_waitqueue(mf->ns, &file->version);
            else
                path_put(&mf->root);
        }
    }
    if (err && mf) {
        if (mf->ns)
            mount_ns_put(mf->ns);
        kfree(mf);
    }
    if (fs)
        fs_context_put(fs);
    task_put(task);
    return err;
}

static int mounts_open(struct inode *inode, struct file *file)
{
    return open_as(inode, file, 0);
}
static int mountinfo_open(struct inode *inode, struct file *file)
{
    return open_as(inode, file, 1);
}
static int mountstats_open(struct inode *inode, struct file *file)
{
    return open_as(inode, file, 2);
}

static void mounts_release(struct file *file)
{
    struct mounts_file *mf = seq_of(file) ? seq_of(file)->private : nullptr;
    if (mf) {
        path_put(&mf->root);
        mount_ns_put(mf->ns);
        kfree(mf);
    }
    seq_release(file);
}

static uint32_t mounts_poll(struct file *file, struct poll_table *pt)
{
    struct mounts_file *mf = seq_of(file)->private;
    uint64_t now;
    struct waitqueue *wq = mount_ns_waitqueue(mf->ns, &now);
    poll_wait(file, wq, pt);
    (void)mount_ns_waitqueue(mf->ns, &now);
    uint32_t ready = EPOLLIN | EPOLLRDNORM;
    if (__atomic_exchange_n(&file->version, now, __ATOMIC_RELAXED) != now)
        ready |= EPOLLERR | EPOLLPRI;
    return ready;
}

#define MOUNTS_OPS(opener)                                                                                             \
    {.open = (opener), .read_iter = seq_read_iter, .llseek = endless_llseek, .release = mounts_release, .poll = mounts_poll}
const struct file_ops proc_mounts_fops = MOUNTS_OPS(mounts_open), proc_mountinfo_fops = MOUNTS_OPS(mountinfo_open),
                      proc_mountstats_fops = MOUNTS_OPS(mountstats_open);
