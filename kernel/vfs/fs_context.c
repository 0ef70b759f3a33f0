// kernel/vfs/fs_context.c — the working directory, root and umask of a process: clone(2) CLONE_FS, chdir(2), chroot(2), umask(2).
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

static DEFINE_LOCK_CLASS(fs_context_class, "fs context", RANK_FILES);

struct fs_context kernel_fs_context = {
    .refs = REFCOUNT_INIT(1),
    .lock = SPINLOCK_INIT(&fs_context_class),
    .umask = 022,
};

struct fs_context *current_fs_context(void)
{
    struct task *task = current_task();
    return likely(task && task->fs) ? task->fs : &kernel_fs_context;
}

struct fs_context *fs_context_copy(struct fs_context *from)
{
    if (!from)
        from = &kernel_fs_context;
    struct fs_context *fs = kzalloc(sizeof *fs, ALLOC_KERNEL);
    if (!fs)
        return nullptr;
    refcount_set(&fs->refs, 1);
    atomic_set(&fs->users, 1);
    spin_init(&fs->lock, &fs_context_class);
    spin_guard(&from->lock);
    fs->root = from->root;
    fs->cwd = from->cwd;
    fs->umask = from->umask;
    path_get(&fs->root);
    path_get(&fs->cwd);
    return fs;
}

void fs_context_put(struct fs_context *fs)
{
    if (!fs || !refcount_dec_and_test(&fs->refs))
        return;
    path_put(&fs->root);
    path_put(&fs->cwd);
    kfree(fs);
}

void fs_context_share(struct fs_context *fs)
{
    refcount_inc(&fs->refs);
    atomic_inc(&fs->users);
}

void fs_context_leave(struct fs_context *fs)
{
    atomic_dec(&fs->users);
    fs_context_put(fs);
}

void fs_context_root(struct fs_context *fs, struct path *out)
{
    spin_guard(&fs->lock);
    *out = fs->root;
    path_get(out);
}

void fs_context_cwd(struct fs_context *fs, struct path *out)
{
    spin_guard(&fs->lock);
    *out = fs->cwd;
    path_get(out);
}

static void replace(struct fs_context *fs, struct path *slot, const struct path *path)
{
    path_get(path);
    spin_lock(&fs->lock);
    struct path old = *slot;
    seq_write_begin(&fs->seq);
    *slot = *path;
    seq_write_end(&fs->seq);
    spin_unlock(&fs->lock);
    if (old.mnt)
        path_put(&old);
}

void fs_context_set_root(struct fs_context *fs, const struct path *path)
{
    replace(fs, &fs->root, path);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *path)
{
    replace(fs, &fs->cwd, path);
}

void path_get(const struct path *path)
{
    if (path->mnt)
        mnt_get(path->mnt);
    if (path->dentry)
        dget(path->dentry);
}

void path_put(const struct path *path)
{
    dput(path->dentry);
    if (path->mnt)
        mnt_put(path->mnt);
}
