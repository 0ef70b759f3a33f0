// kernel/vfs/mount_ns.c — mount namespaces: the first one, copies, entering; pivot_root(2); /proc/PID/mounts, mountinfo and mountstats.
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount_internal.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/seq_file.h"

struct mount_namespace *init_mount_ns;

static struct mount_namespace *ns_alloc(void)
{
    struct mount_namespace *ns = kzalloc(sizeof *ns, ALLOC_KERNEL);
    if (!ns)
        return nullptr;
    refcount_set(&ns->refs, 1);
    list_init(&ns->mounts);
    waitqueue_init(&ns->poll_wq);
    ns->inum = namespace_inum();
    return ns;
}

struct mount_namespace *current_mount_ns(void)
{
    struct task *task = current_task();
    return task && task->ns ? task->ns->mnt : init_mount_ns;
}

struct mount_namespace *mount_ns_get(struct mount_namespace *ns)
{
    refcount_inc(&ns->refs);
    return ns;
}

// A thread that ends namespaces. Among the mounts of one may be the file of another, whose last reference goes with it, and so on: they stand in line here
// instead of on the stack.
struct ns_end {
    const struct thread *who;
    struct mount_namespace *next; // by next_ending; the thread's own
    struct list_head link;        // of all such threads: ends_lock
};

static DEFINE_LOCK_CLASS(ns_ends_class, "mount namespaces that end", RANK_FILES);
static struct spinlock ends_lock = SPINLOCK_INIT(&ns_ends_class);
static struct list_head ends GUARDED_BY(&ends_lock) = LIST_HEAD_INIT(ends);

// The entry of the current thread, if it is at it already; else `mine` becomes that.
static struct ns_end *end_begin(struct ns_end *mine)
{
    struct ns_end *e;
    spin_guard(&ends_lock);
    list_for_each_entry(e, &ends, link)
        if (e->who == mine->who)
            return e;
    list_add(&mine->link, &ends);
    return mine;
}

void mount_ns_put(struct mount_namespace *ns)
{
    if (!ns || !refcount_dec_and_test(&ns->refs))
        return;
    struct ns_end mine = {.who = current_thread()}, *end = end_begin(&mine);
    ns->next_ending = end->next;
    end->next = ns;
    if (end != &mine)
        return;
    while ((ns = mine.next)) {
        mine.next = ns->next_ending;
        down_write(&namespace_sem);
        mount_tree_drop(ns->root, false);
        namespace_unlock();
        kfree(ns);
    }
    spin_guard(&ends_lock);
    list_del(&mine.link);
}

uint64_t mount_ns_inum(const struct mount_namespace *ns)
{
    return ns->inum;
}

struct waitqueue *mount_ns_waitqueue(struct mount_namespace *ns, uint64_t *event)
{
    *event = load_acquire(&ns->event);
    return &ns->poll_wq;
}

// A working directory or root in the old tree leads to the same place in the copy.
static void move_place(struct fs_context *fs, bool root)
{
    struct path p;
    if (root)
        fs_context_root(fs, &p);
    else
        fs_context_cwd(fs, &p);
    if (p.mnt->copy) {
        struct path there = {p.mnt->copy, p.dentry};
        if (root)
            fs_context_set_root(fs, &there);
        else
            fs_context_set_cwd(fs, &there);
    }
    path_put(&p);
}

int mount_ns_copy(struct mount_namespace *from, struct fs_context *fs, struct mount_namespace **out)
{
    struct mount_namespace *ns = ns_alloc();
    if (!ns)
        return -ENOMEM;
    down_write(&namespace_sem);
    struct mount *tree = mount_copy_tree_noted(from->root, from->root->root, CLONE_MNT_UNBINDABLE);
    if (!tree) {
        namespace_unlock();
        kfree(ns);
        return -ENOMEM;
    }
    ns->root = tree;
    mount_tree_enter_ns(tree, ns);
    if (fs) {
        move_place(fs, true);
        move_place(fs, false);
    }
    mount_copy_forget(from->root);
    namespace_unlock();
    *out = ns;
    return 0;
}

void mount_ns_enter(struct mount_namespace *ns, struct fs_context *fs)
{
    down_read(&namespace_sem);
    struct path p = {mnt_get(ns->root), dget(ns->root->root)};
    up_read(&namespace_sem);
    path_descend_mounts(&p);
    fs_context_set_root(fs, &p);
    fs_context_set_cwd(fs, &p);
    path_put(&p);
}

extern struct fs_context kernel_fs_context;

void mount_init_root(void)
{
    mount_locks_init();
    const struct file_system_type *type = file_system_find("rootfs", 6);
    struct superblock *sb;
    ASSERT(type);
    int err = type->get_super(type, 0, "rootfs", nullptr, &sb);
    ASSERT(!err);
    struct mount *root = mount_new(sb, sb->root, "rootfs");
    init_mount_ns = ns_alloc();
    ASSERT(root && init_mount_ns);
    sb_put(sb);
    init_mount_ns->root = root;
    mount_tree_enter_ns(root, init_mount_ns);
    init_namespaces.mnt = init_mount_ns;
    struct path p = {root, root->root};
    fs_context_set_root(&kernel_fs_context, &p);
    fs_context_set_cwd(&kernel_fs_context, &p);
    struct fs_context *fs = current_fs_context();
    if (fs != &kernel_fs_context) { // the first task was made before there were files
        fs_context_set_root(fs, &p);
        fs_context_set_cwd(fs, &p);
    }
}

static int mount_root_initcall(void)
{
    mount_init_root();
    return 0;
}
INITCALL(subsys, mount_root_initcall);

// ---- pivot_root(2) --------------------------------------------------------------------------------------------------

static void follow_pivot(struct fs_context *fs, const struct path *old, const struct path *new_)
{
    struct path p;
    fs_context_root(fs, &p);
    if (p.mnt == old->mnt && p.dentry == old->dentry)
        fs_context_set_root(fs, new_);
    path_put(&p);
    fs_context_cwd(fs, &p);
    if (p.mnt == old->mnt && p.dentry == old->dentry)
        fs_context_set_cwd(fs, new_);
    path_put(&p);
}

// Every process whose root or working directory is the old root moves to the new one. Threads that do not share these with their leader follow too.
static void all_follow_pivot(const struct path *old, const struct path *new_)
{
    pid_t nr = 0;
    pid_t begun = 0;   // the process whose threads did not all find place
    unsigned from = 0; // so many of them are done
    for (;;) {
        struct fs_context *some[16], *last = nullptr;
        unsigned n = 0, at = 0;
        pid_t next = nr;
        rcu_read_lock();
        struct process *p = process_next(&init_pid_ns, &next);
        if (p) {
            struct task *t;
            if (next != begun)
                from = 0;
            for_each_thread_rcu(t, p) {
                if (n == ARRAY_SIZE(some))
                    break;
                if (at++ < from || READ_ONCE(t->fs) == last)
                    continue; // as most often: all threads share it
                if ((last = task_fs_get(t)))
                    some[n++] = last;
            }
        }
        rcu_read_unlock();
        if (!p)
            return;
        begun = next;
        from = n == ARRAY_SIZE(some) ? at : 0;
        nr = from ? nr : next;
        for (unsigned i = 0; i < n; i++) {
            follow_pivot(some[i], old, new_);
            fs_context_put(some[i]);
        }
    }
}

// The tree is root > new_ > put_old, each at or below the one before, so that what comes out of it is a tree again.
static int pivot_locked(struct path *root, struct path *new_, struct path *put_old)
{
    struct mount_namespace *ns = current_mount_ns();
    struct mount *rm = root->mnt, *nm = new_->mnt, *om = put_old->mnt;
    write_guard(&put_old->dentry->inode->sem); // against rmdir(2) of it
    if (d_unhashed(put_old->dentry) && !d_is_root(put_old->dentry))
        return -ENOENT;
    if (rm->ns != ns || nm->ns != ns || om->ns != ns)
        return -EINVAL;
    if (rm->parent->group_id || nm->parent->group_id || om->group_id)
        return -EINVAL;
    if (d_unhashed(new_->dentry) && !d_is_root(new_->dentry))
        return -ENOENT;
    if (nm == rm || om == rm)
        return -EBUSY;
    if (root->dentry != rm->root || new_->dentry != nm->root || rm->parent == rm || nm->parent == nm)
        return -EINVAL;
    if (!path_is_under_locked(put_old, new_) || !path_is_under_locked(new_, root))
        return -EINVAL;
    const struct mount_place places[] = {{rm, om, put_old->dentry}, {nm, rm->parent, rm->mountpoint}};
    mounts_place(places, ARRAY_SIZE(places));
    mount_ns_changed(ns);
    return 0;
}

int do_pivot_root(const struct pathname *new_name, const struct pathname *put_name)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    struct path new_, put_old, root;
    int err = path_lookup_at(AT_FDCWD, new_name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new_);
    if (err)
        return err;
    err = path_lookup_at(AT_FDCWD, put_name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &put_old);
    if (err) {
        path_put(&new_);
        return err;
    }
    fs_context_root(current_fs_context(), &root);
    down_write(&namespace_sem);
    if (put_old.mnt->ns == current_mount_ns()) // as in target_now()
        path_descend_mounts(&put_old);
    err = pivot_locked(&root, &new_, &put_old);
    namespace_unlock();
    if (!err)
        all_follow_pivot(&root, &new_);
    path_put(&root);
    path_put(&put_old);
    path_put(&new_);
    return err;
}

// ---- /proc/PID/mounts, mountinfo, mountstats: proc_pid_mountinfo(5) -------------------------------------------------

enum { SHOW_MOUNTS, SHOW_MOUNTINFO, SHOW_MOUNTSTATS };

static void show_sb_flags(struct seq_file *m, const struct superblock *sb)
{
    static const struct { unsigned flag; const char *text; } names[] = {
        {SB_SYNCHRONOUS, ",sync"}, {SB_DIRSYNC, ",dirsync"}, {SB_MANDLOCK, ",mand"}, {SB_LAZYTIME, ",lazytime"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (sb->flags & names[i].flag)
            seq_puts(m, names[i].text);
}

static void show_flags(struct seq_file *m, const struct mount *mnt, bool with_sb)
{
    static const struct { unsigned flag; const char *text; } names[] = {
        {MNT_NOSUID, ",nosuid"}, {MNT_NODEV, ",nodev"}, {MNT_NOEXEC, ",noexec"}, {MNT_NOATIME, ",noatime"},
        {MNT_NODIRATIME, ",nodiratime"}, {MNT_RELATIME, ",relatime"}, {MNT_NOSYMFOLLOW, ",nosymfollow"},
    };
    bool ro = mnt->flags & MNT_READONLY || (with_sb && mnt->sb->flags & SB_RDONLY);
    seq_puts(m, ro ? "ro" : "rw");
    if (with_sb)
        show_sb_flags(m, mnt->sb);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (mnt->flags & names[i].flag)
            seq_puts(m, names[i].text);
}

static void show_sb_options(struct seq_file *m, struct superblock *sb)
{
    if (sb->ops && sb->ops->show_options)
        sb->ops->show_options(m, sb);
}

static int dominating_group(const struct mount *mnt)
{
    for (const struct mount *up = mnt->master; up; up = up->master)
        if (up->group_id)
            return up->group_id;
    return 0;
}

static void show_mountinfo(struct seq_file *m, struct mount *mnt, const struct path *at, const struct path *root)
{
    struct superblock *sb = mnt->sb;
    seq_printf(m, "%d %d %u:%u ", mnt->id, mnt->parent->id, MAJOR(sb->dev), MINOR(sb->dev));
    seq_dentry(m, mnt->root, " \t\n\\");
    seq_putc(m, ' ');
    seq_path(m, at, root, " \t\n\\");
    seq_putc(m, ' ');
    show_flags(m, mnt, false);
    if (mnt->group_id)
        seq_printf(m, " shared:%d", mnt->group_id);
    if (mnt->master)
        seq_printf(m, " master:%d", dominating_group(mnt));
    if (mnt->unbindable)
        seq_puts(m, " unbindable");
    seq_printf(m, " - %s ", sb->type->name);
    seq_escape(m, mnt->source ? mnt->source : "none", " \t\n\\#");
    seq_puts(m, sb->flags & SB_RDONLY ? " ro" : " rw");
    show_sb_flags(m, sb);
    show_sb_options(m, sb);
    seq_putc(m, '\n');
}

static void show_one(struct seq_file *m, struct mount *mnt, const struct path *root, int which)
{
    struct path at = {mnt, mnt->root};
    if (!path_is_under_locked(&at, root))
        return; // outside a chroot; of a root within a mount so is that mount
    if (which == SHOW_MOUNTINFO) {
        show_mountinfo(m, mnt, &at, root);
        return;
    }
    const char *source = mnt->source ? mnt->source : "none";
    if (which == SHOW_MOUNTSTATS) {
        seq_puts(m, "device ");
        seq_escape(m, source, " \t\n\\#");
        seq_puts(m, " mounted on ");
        seq_path(m, &at, root, " \t\n\\");
        seq_printf(m, " with fstype %s\n", mnt->sb->type->name);
        return;
    }
    seq_escape(m, source, " \t\n\\#");
    seq_putc(m, ' ');
    seq_path(m, &at, root, " \t\n\\");
    seq_printf(m, " %s ", mnt->sb->type->name);
    show_flags(m, mnt, true);
    show_sb_options(m, mnt->sb);
    seq_puts(m, " 0 0\n");
}

void mounts_show(struct seq_file *m, struct mount_namespace *ns, const struct path *root, int which)
{
    down_read(&namespace_sem);
    struct mount *mnt;
    list_for_each_entry(mnt, &ns->mounts, ns_link)
        show_one(m, mnt, root, which);
    up_read(&namespace_sem);
}
