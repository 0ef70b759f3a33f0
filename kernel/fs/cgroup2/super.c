// kernel/fs/cgroup2/super.c — the one cgroup2 superblock; making and removing groups as folders; cgroup namespaces at mount(2).
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/cgroup2/cgroup2.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/namespaces.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/seq_file.h"
#include "kernel/vfs/walk.h"

#define CGROUP2_SUPER_MAGIC 0x63677270

static struct superblock *instance RO_AFTER_INIT;
bool cgroup_ns_delegate;

static void release_group(void *object)
{
    cgroup_put(object);
}

// ---- folders --------------------------------------------------------------------------------------------------------

static int cg_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    struct pseudo_dir *parent = pseudo_inode(dir)->dir;
    char name[NAME_MAX + 1];
    memcpy(name, dentry->name.name, dentry->name.len);
    name[dentry->name.len] = 0;
    if (strchr(name, '\n'))
        return -EINVAL; // /proc/PID/cgroup is read by lines
    mutex_guard(&cgroup_lock);
    struct cgroup *cg;
    int err = cgroup_create(cgroup_of_dir(parent), name, &cg);
    if (err)
        return err;
    struct pseudo_dir *made;
    err = pseudo_mkdir(parent, name, cgroup_files, cgroup_get(cg), &made);
    if (err) {
        cgroup_put(cg);
        (void)cgroup_remove(cg);
        return err;
    }
    // Folder and files belong to their maker: who may make a group may also run it.
    const struct cred *cred = current_cred();
    made->release = release_group;
    made->mode = mode & 01777;
    made->uid = made->file_uid = cred->fsuid;
    made->gid = made->file_gid = cred->fsgid;
    cg->private = made;
    struct inode *inode = pseudo_inode_make(dir->sb, made, nullptr);
    if (!inode) {
        pseudo_remove(made);
        pseudo_put(made);
        cg->private = nullptr;
        (void)cgroup_remove(cg);
        return -ENOMEM;
    }
    pseudo_put(made);
    d_instantiate(dentry, inode);
    dir->nlink++;
    inode_touch(dir, true, true);
    return 0;
}

static int cg_rmdir(struct inode *dir, struct dentry *dentry)
{
    struct pseudo_dir *folder = pseudo_inode(dentry->inode)->dir;
    {
        mutex_guard(&cgroup_lock);
        struct cgroup *cg = cgroup_of_dir(folder);
        if (cg->dead)
            return -ENODEV;
        int err = cgroup_remove(cg);
        if (err)
            return err;
        cg->private = nullptr;
        pseudo_remove(folder);
    }
    d_invalidate_children(dentry);
    dentry->inode->nlink = 0;
    dir->nlink--;
    inode_touch(dir, true, true);
    return 0;
}

static const struct inode_ops cgroup_dir_ops = {.lookup = pseudo_lookup, .mkdir = cg_mkdir, .rmdir = cg_rmdir, .setattr = pseudo_setattr};

// ---- who may move processes -----------------------------------------------------------------------------------------

int cgroup_may_write_procs(const struct cred *cred, struct cgroup *cg)
{
    struct pseudo_dir *folder;
    {
        mutex_guard(&cgroup_lock);
        folder = cg->private ? pseudo_get(cg->private) : nullptr;
    }
    if (!folder)
        return -ENODEV;
    struct inode *inode;
    int err = pseudo_find_inode(instance, folder, "cgroup.procs", 12, &inode);
    if (!err) {
        err = inode_permission_of(cred, inode, MAY_WRITE);
        iput(inode);
    }
    pseudo_put(folder);
    return err;
}

static int group_of_file(struct file *file, struct cgroup *from, struct cgroup **out)
{
    if (!file->inode || file->inode->sb != instance || !S_ISDIR(file->inode->mode))
        return -EBADF;
    struct cgroup *cg = cgroup_of_dir(pseudo_inode(file->inode)->dir);
    if (cg->dead)
        return -ENODEV;
    int err = cgroup_may_write_procs(current_cred(), cg);
    if (!err)
        err = cgroup_may_move(current_cred(), current_namespaces()->cgroup, from, cg);
    if (err)
        return err;
    if (cg->parent && cg->subtree_pids)
        return -EBUSY; // processes live in leaves
    *out = cg;
    return 0;
}

// ---- mounting -------------------------------------------------------------------------------------------------------

// In the order in which they are shown. But for the first they are kept only, for whoever looks: those about memory are for a controller that is not here,
// and groups change as quickly without favordynmods. pids_localevents is refused: it asks for another count than is kept.
static const char *const option_names[] = {"nsdelegate", "favordynmods", "memory_localevents", "memory_recursiveprot", "memory_hugetlb_accounting"};
enum { OPTION_NSDELEGATE = BIT(0) };
static unsigned options_on;

static int parse_options(const char *options, unsigned *on)
{
    char key[32], value[32];
    while (mount_option_next(&options, key, sizeof key, value, sizeof value)) {
        unsigned i = 0;
        while (i < ARRAY_SIZE(option_names) && strcmp(key, option_names[i]))
            i++;
        if (i == ARRAY_SIZE(option_names) || *value)
            return -EINVAL;
        *on |= BIT(i);
    }
    return 0;
}

// Options count when they come from the first cgroup namespace; from inside another they are checked and ignored.
static int set_options(const char *options)
{
    unsigned on = 0;
    int err = parse_options(options, &on);
    if (!err && current_namespaces()->cgroup == init_cgroup_ns) {
        WRITE_ONCE(options_on, on);
        WRITE_ONCE(cgroup_ns_delegate, on & OPTION_NSDELEGATE);
    }
    return err;
}

static int cg_remount(struct superblock *, unsigned, const char *options)
{
    return set_options(options);
}

static void cg_show_options(struct seq_file *m, struct superblock *)
{
    unsigned on = READ_ONCE(options_on);
    for (unsigned i = 0; i < ARRAY_SIZE(option_names); i++)
        if (on & BIT(i))
            seq_printf(m, ",%s", option_names[i]);
}

// A mount made in a cgroup namespace shows the groups from that namespace's root on.
static struct dentry *below(struct dentry *parent, const struct cgroup *cg)
{
    const struct qstr name = {.name = cg->name, .len = (uint32_t)strlen(cg->name), .hash = d_name_hash(parent, cg->name, strlen(cg->name))};
    int err = 0;
    down_write(&parent->inode->sem);
    struct dentry *d = lookup_locked(parent, &name, 0, &err);
    up_write(&parent->inode->sem);
    if (d && !d->inode) {
        dput(d);
        d = nullptr;
    }
    return d;
}

// The same if it is in the cache.
static struct dentry *cached_below(struct dentry *parent, const struct cgroup *cg)
{
    struct dentry *d = d_lookup(parent, cg->name, strlen(cg->name));
    if (d && !d->inode) {
        dput(d);
        d = nullptr;
    }
    return d;
}

// Null: no memory, or the group is being removed, or `step` found none. From the top down, by a list: groups may be nested deeper than a kernel stack.
static struct dentry *dentry_of(const struct cgroup *cg, struct dentry *(*step)(struct dentry *parent, const struct cgroup *cg))
{
    unsigned depth = 0;
    for (const struct cgroup *up = cg; up->parent; up = up->parent)
        depth++;
    const struct cgroup **line = kmalloc((depth + 1) * sizeof *line, ALLOC_KERNEL);
    if (!line)
        return nullptr;
    for (unsigned i = depth; i > 0; cg = cg->parent)
        line[--i] = cg;
    struct dentry *d = dget(instance->root);
    for (unsigned i = 0; i < depth && d; i++) {
        struct dentry *parent = d;
        d = step(parent, line[i]);
        dput(parent);
    }
    kfree(line);
    return d;
}

// A file that is watched, or is known in a folder that is, has its entry in the cache.
static void tell_watchers(struct cgroup *cg, uint32_t files)
{
    static const char *const names[] = {"cgroup.events", "pids.events", "pids.events.local"}; // by the bits of enum cgroup_file
    struct dentry *folder = dentry_of(cg, cached_below);
    if (folder && pseudo_inode(folder->inode)->dir->object == cg) { // and not a new group of that name
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
            struct dentry *d = files & BIT(i) ? d_lookup(folder, names[i], strlen(names[i])) : nullptr;
            if (!d)
                continue;
            inotify_dentry(d, IN_MODIFY);
            dput(d);
        }
    }
    if (folder)
        dput(folder);
}

static struct dentry *cg_mount_root(struct superblock *)
{
    return dentry_of(cgroup_ns_root(current_namespaces()->cgroup), below);
}

static const struct superblock_ops cgroup2_super_ops = {
    .alloc_inode = pseudo_alloc_inode,
    .free_inode = pseudo_free_inode,
    .evict_inode = pseudo_evict_inode,
    .statfs = pseudo_statfs,
    .remount = cg_remount,
    .show_options = cg_show_options,
    .mount_root = cg_mount_root,
};

static int cgroup2_get_super(const struct file_system_type *, unsigned, const char *, const char *options, struct superblock **out)
{
    int err = instance ? set_options(options) : -ENODEV;
    if (!err)
        *out = sb_get(instance);
    return err;
}
FILE_SYSTEM(cgroup2_type) = {.name = "cgroup2", .flags = FS_USERNS_MOUNT, .get_super = cgroup2_get_super};

static int cgroup2_init(void)
{
    struct pseudo_dir *root = pseudo_root(cgroup_files, cgroup_root);
    if (!root)
        panic("no memory for the folder of control groups");
    root->ops = &cgroup_dir_ops;
    root->file_fops = &pseudo_sized_fops;
    root->lenient = true;
    root->mode = 0555;
    cgroup_root->private = root;
    cgroup_of_file = group_of_file;
    cgroup_tell_watchers = tell_watchers;
    return pseudo_super_make(&cgroup2_type, 0, CGROUP2_SUPER_MAGIC, &cgroup2_super_ops, root, &instance);
}
INITCALL(subsys, cgroup2_init);

static int cgroup2_proc_init(void)
{
    static const struct pseudo_entry proc_files[] = {{.name = "cgroups", .mode = 0444, .show = cgroup_controllers_show}, {}};
    return proc_register("", proc_files);
}
INITCALL(fs, cgroup2_proc_init);
