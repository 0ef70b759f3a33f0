// kernel/vfs/file.c — open file descriptions: making them, opening by the kind of inode, the last release.
#include "kernel/vfs/file.h"

#include "kernel/abi/statfs.h"
#include "kernel/base/assert.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/device.h"
#include "kernel/ipc/pipe.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"
#include "kernel/proc/task_work.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/epoll.h"
#include "kernel/vfs/fasync.h"
#include "kernel/vfs/file_lock.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

static DEFINE_LOCK_CLASS(file_pos_class, "file position", RANK_FILE_POS);
static DEFINE_LOCK_CLASS(file_release_class, "deferred file release", RANK_FILES);

static struct slab_cache *file_slab RO_AFTER_INIT;
static atomic64_t nr_files;
uint64_t sysctl_file_max = INT64_MAX;

static const struct file_ops no_ops = {.nonseekable = true};

uint64_t file_count(void)
{
    return (uint64_t)atomic_read(&nr_files);
}

static void set_ops(struct file *file, const struct file_ops *ops)
{
    file->ops = ops ? ops : &no_ops;
    file->mode &= ~(FMODE_PREAD | FMODE_PWRITE | FMODE_LSEEK);
    if (!file->ops->nonseekable)
        file->mode |= FMODE_PREAD | FMODE_PWRITE | (file->ops->llseek ? FMODE_LSEEK : 0);
}

int file_alloc(const struct path *path, unsigned flags, const struct file_ops *ops, struct file **out)
{
    if (unlikely((uint64_t)atomic_read(&nr_files) >= sysctl_file_max) && !capable(CAP_SYS_ADMIN)) {
        pr_warn_once("VFS: file-max limit %llu reached\n", (unsigned long long)sysctl_file_max);
        return -ENFILE;
    }
    struct file *file = slab_alloc(file_slab, ALLOC_ZERO);
    if (!file)
        return -ENFILE;
    refcount_set(&file->refs, 1);
    mutex_init(&file->pos_lock, &file_pos_class);
    list_init(&file->epoll_links);
    file->path = *path;
    path_get(path);
    file->inode = path->dentry->inode;
    file->cred = cred_get(current_cred());
    file->flags = flags;
    unsigned access = flags & O_ACCMODE;
    file->mode =
        flags & O_PATH ? FMODE_PATH : (access == O_RDONLY || access == O_RDWR ? FMODE_READ : 0) | (access == O_WRONLY || access == O_RDWR ? FMODE_WRITE : 0);
    set_ops(file, ops);
    atomic_add_relaxed(&nr_files, 1);
    *out = file;
    return 0;
}

static int take_writer(struct file *file)
{
    umode_t mode = file->inode->mode;
    if (!(file->mode & FMODE_WRITE) || !(S_ISREG(mode) || S_ISDIR(mode)))
        return 0;
    int err = inode_get_write(file->inode);
    if (err)
        return err;
    err = mnt_want_write(file->path.mnt);
    if (err) {
        inode_put_write(file->inode);
        return err;
    }
    file->mode |= FMODE_WRITER;
    return 0;
}

int file_do_open(struct file *file)
{
    struct inode *inode = file->inode;
    if (file->mode & FMODE_PATH) {
        set_ops(file, nullptr);
        return 0;
    }
    int err;
    const struct file_ops *known = nullptr; // those that `mode` was set for, before open took from it
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
        file->mode |= FMODE_ATOMIC_POS;
        err = take_writer(file);
        if (err)
            break;
        set_ops(file, inode->fops);
        known = file->ops;
        err = file->ops->open ? file->ops->open(inode, file) : 0;
        break;
    case S_IFCHR:
        err = char_device_open(inode, file);
        break;
    case S_IFBLK:
        err = block_device_open(inode, file);
        break;
    case S_IFIFO:
        err = fifo_open(inode, file);
        break;
    default:
        err = -ENXIO; // sockets; links never come here
    }
    if (err) {
        file->ops = &no_ops; // nothing was opened: nothing to release
        return err;
    }
    if (file->ops != known)
        set_ops(file, file->ops);
    if (file->flags & O_DIRECT && !file->ops->page_cached && !S_ISFIFO(inode->mode))
        return -EINVAL;
    return 0;
}

static void file_free_rcu(struct rcu_head *head)
{
    slab_free(file_slab, container_of(head, struct file, rcu));
}

static void file_release(struct file *file)
{
    if (INOTIFY_USED && file->ops != &no_ops)
        inotify_file(file, file->mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    if (unlikely(!list_empty(&file->epoll_links)))
        epoll_file_gone(file);
    if (unlikely(file->inode && file->inode->locks))
        file_locks_release(file);
    if (unlikely(file->flags & O_ASYNC) && file->ops->fasync)
        file->ops->fasync(file, -1, false);
    if (file->ops->release)
        file->ops->release(file);
    if (file->mode & FMODE_WRITER) {
        inode_put_write(file->inode);
        mnt_drop_write(file->path.mnt);
    }
    if (unlikely(file->owner))
        file_owner_free(file);
    path_put(&file->path);
    cred_put(file->cred);
    atomic_sub_relaxed(&nr_files, 1);
    call_rcu(&file->rcu, file_free_rcu);
}

static void release_from_task_work(struct task_work *work)
{
    file_release(container_of(work, struct file, release_work));
}

// Files whose last reference went in a kernel thread or an interrupt wait here for a worker.
static struct spinlock waiting_lock = SPINLOCK_INIT(&file_release_class);
static LIST_HEAD(waiting);

static void release_waiting(struct work_item *)
{
    for (;;) {
        irq_flags_t irq = spin_lock_irqsave(&waiting_lock);
        struct file *file = list_first_entry_or_null(&waiting, struct file, release_work.link);
        if (file)
            list_del(&file->release_work.link);
        spin_unlock_irqrestore(&waiting_lock, irq);
        if (!file)
            return;
        file_release(file);
    }
}
static struct work_item release_work;

void file_put(struct file *file)
{
    if (!refcount_dec_and_test(&file->refs))
        return;
    struct task *task = in_interrupt() ? nullptr : current_task();
    if (task && task_work_add(task, &file->release_work, release_from_task_work) == 0)
        return;
    irq_flags_t irq = spin_lock_irqsave(&waiting_lock);
    list_add_tail(&file->release_work.link, &waiting);
    spin_unlock_irqrestore(&waiting_lock, irq);
    work_queue(&release_work, release_waiting);
}

void file_put_sync(struct file *file)
{
    if (refcount_dec_and_test(&file->refs))
        file_release(file);
}

int file_close(struct file *file, struct files *owner)
{
    int err = 0;
    if (file->ops->flush)
        err = file->ops->flush(file);
    if (unlikely(file->inode && file->inode->locks) && !(file->mode & FMODE_PATH))
        file_locks_close(file, owner);
    file_put_sync(file);
    return err;
}

// ---- anonymous files ------------------------------------------------------------------------------------------------

static struct mount *anon_mount RO_AFTER_INIT;
static struct inode *anon_inode RO_AFTER_INIT;

static int anon_name(struct dentry *d, char *buf, size_t size)
{
    return scnprintf(buf, size, "anon_inode:%s", (const char *)d->private);
}
static const struct dentry_ops anon_dentry_ops = {.dynamic_name = anon_name};

int file_anon(const char *name, const struct file_ops *ops, void *private, unsigned flags, struct file **out)
{
    struct dentry *d = d_alloc_anon(iget(anon_inode), &anon_dentry_ops);
    if (!d) {
        iput(anon_inode);
        return -ENOMEM;
    }
    d->private = (void *)name;
    int err = file_alloc(&(struct path){anon_mount, d}, flags & ~O_CLOEXEC, ops, out);
    dput(d);
    if (!err)
        (*out)->private = private;
    return err;
}

static int anon_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *, struct superblock **out)
{
    return sb_create_nameless(type, flags, ANON_INODE_FS_MAGIC, nullptr, out);
}
FILE_SYSTEM(anon_inode_type) = {.name = "anon_inodefs", .flags = FS_NO_USER_MOUNT, .get_super = anon_get_super};

static int anon_init(void)
{
    int err = mount_internal(&anon_inode_type, nullptr, &anon_mount);
    ASSERT(!err);
    anon_inode = inode_alloc(anon_mount->sb);
    ASSERT(anon_inode);
    anon_inode->mode = 0600;
    return 0;
}
INITCALL(subsys, anon_init);

static int file_init(void)
{
    file_slab = slab_cache_create("file", sizeof(struct file), 64, 0, nullptr);
    ASSERT(file_slab);
    return 0;
}
INITCALL(core, file_init);
