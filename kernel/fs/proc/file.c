// kernel/fs/proc/file.c — opening, reading and writing a process's one-function files.
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

static int show(struct seq_file *m, void *)
{
    const struct proc_inode *pi = proc_inode(m->file->inode);
    struct task *task = proc_task(m->file->inode);
    if (!task)
        return pi->fd >= 0 ? -ENOENT : -ESRCH;
    int err = pi->fd >= 0 ? proc_fdinfo_show(m, task, pi->fd) : pi->what->show(m, task);
    // Asked at each read, and after it: the process may have become another's since the file was opened. What fails is thrown away.
    if (pi->what->flags & PROC_ACCESS && task_may_access(task, false))
        err = -EACCES;
    task_put(task);
    return err;
}

static int may_open(struct inode *inode, unsigned flags)
{
    struct task *task = proc_task(inode);
    struct mm *mm = nullptr;
    if (!task)
        return -ESRCH;
    int err = flags & PROC_MEMORY ? task_mm_access(task, false, &mm) : task_may_access(task, false);
    if (mm)
        mm_put_users(mm);
    task_put(task);
    return err == -EPERM ? -EACCES : err;
}

static int proc_open(struct inode *inode, struct file *file)
{
    const struct proc_file *what = proc_inode(inode)->what;
    bool readable = what->show || proc_inode(inode)->fd >= 0;
    int err = what->flags & PROC_ACCESS ? may_open(inode, what->flags) : 0;
    if (!err && what->flags & PROC_ADMIN_WRITES && file->mode & FMODE_WRITE && !capable(CAP_SYS_ADMIN))
        err = -EACCES;
    if (err)
        return err;
    err = readable && file->mode & FMODE_READ ? seq_open_single(file, show, nullptr) : 0;
    // Where Linux has a seq file pwrite(2) is ESPIPE, whatever the file is opened for.
    if (what->flags & PROC_PLAIN)
        file->mode |= FMODE_PWRITE;
    else if (readable)
        file->mode &= ~FMODE_PWRITE;
    return err;
}

static ssize_t proc_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags)
{
    return file->private ? seq_read_iter(file, to, pos, rw_flags) : -EINVAL;
}

static ssize_t proc_write(struct file *file, struct iov_iter *from, loff_t *pos, unsigned)
{
    const struct proc_file *what = proc_inode(file->inode)->what;
    size_t len = min(iov_iter_count(from), PAGE_SIZE - 1);
    if (!what->store)
        return -EINVAL;
    char *text = kmalloc(len + 1, ALLOC_KERNEL);
    if (!text)
        return -ENOMEM;
    ssize_t done = -EFAULT;
    if (copy_from_iter(from, text, len) == len) {
        text[len] = 0;
        struct task *task = proc_task(file->inode);
        done = task ? what->store(task, text, len) : -ESRCH;
        task_put(task);
        if (done > 0)
            *pos += done;
    }
    kfree(text);
    return done;
}

const struct file_ops proc_file_fops = {
    .open = proc_open,
    .read_iter = proc_read,
    .write_iter = proc_write,
    .llseek = endless_llseek,
    .release = seq_release,
};
