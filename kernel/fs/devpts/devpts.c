// kernel/fs/devpts/devpts.c — the file system of pseudo-terminal nodes.
//
// Each mount makes an instance with numbers of its own, and a ptmx node in its root. The dentries are the file system. A node's inode points at its
// terminal; nodes_lock guards that pointer against the removal of the node.
#include "kernel/base/string.h"
#include "kernel/base/xarray.h"
#include "kernel/fs/devpts/devpts.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/seq_file.h"

#define DEVPTS_MAGIC 0x1cd1
#define PTY_NUMBERS (1u << 20)
#define PTMX_DEV MKDEV(5, 2)

struct devpts {
    bool uid_set, gid_set;
    uid_t uid;
    gid_t gid;
    umode_t mode, ptmx_mode;
    uint32_t max;
    struct xarray numbers;  // numbers_lock
    struct dentry *ptmx;
};

DEFINE_LOCK_CLASS(devpts_class, "devpts", RANK_SUPERBLOCK);
static struct mutex numbers_lock = MUTEX_INIT(numbers_lock, &devpts_class);
static struct mutex nodes_lock = MUTEX_INIT(nodes_lock, &devpts_class);
int sysctl_pty_max = 4096;
static atomic_t pty_count;

int devpts_pty_count(void)
{
    return atomic_read(&pty_count);
}

// ---- options --------------------------------------------------------------------------------------------------------

static int parse_option(struct devpts *d, const char *key, const char *value)
{
    uint32_t n;
    if (!strcmp(key, "newinstance") && !*value)
        return 0; // what every mount is
    if (!strcmp(key, "uid") || !strcmp(key, "gid") || !strcmp(key, "max")) {
        if (parse_u32(value, 10, &n))
            return -EINVAL;
        if (*key == 'u') {
            d->uid = n;
            d->uid_set = true;
        } else if (*key == 'g') {
            d->gid = n;
            d->gid_set = true;
        } else {
            if (n > PTY_NUMBERS)
                return -EINVAL;
            d->max = n;
        }
        return 0;
    }
    if (!strcmp(key, "mode") || !strcmp(key, "ptmxmode")) {
        if (parse_u32(value, 8, &n))
            return -EINVAL;
        *(*key == 'm' ? &d->mode : &d->ptmx_mode) = n & 07777;
        return 0;
    }
    return -EINVAL;
}

static int parse_options(struct devpts *d, const char *options)
{
    char key[16], value[24];
    *d = (struct devpts){.mode = 0600, .max = PTY_NUMBERS, .numbers = d->numbers, .ptmx = d->ptmx};
    while (mount_option_next(&options, key, sizeof key, value, sizeof value)) {
        int err = parse_option(d, key, value);
        if (err)
            return err;
    }
    return 0;
}

static int devpts_remount(struct superblock *sb, unsigned, const char *options)
{
    struct devpts *d = sb->private, wanted = *d;
    int err = parse_options(&wanted, options);
    if (err)
        return err;
    mutex_guard(&numbers_lock);
    wanted.numbers = d->numbers;
    *d = wanted;
    d->ptmx->inode->mode = S_IFCHR | d->ptmx_mode;
    return 0;
}

static void devpts_show_options(struct seq_file *m, struct superblock *sb)
{
    struct devpts *d = sb->private;
    if (d->uid_set)
        seq_printf(m, ",uid=%u", d->uid);
    if (d->gid_set)
        seq_printf(m, ",gid=%u", d->gid);
    seq_printf(m, ",mode=%03o,ptmxmode=%03o", d->mode, d->ptmx_mode);
    if (d->max < PTY_NUMBERS)
        seq_printf(m, ",max=%u", d->max);
}

// ---- nodes ----------------------------------------------------------------------------------------------------------

static int devpts_dir_lookup(struct inode *, struct dentry *dentry, unsigned)
{
    d_add(dentry, nullptr); // what is there is in the dentry cache
    return 0;
}

static const struct inode_ops dir_ops = {.lookup = devpts_dir_lookup};
static const struct inode_ops node_ops;

static struct inode *node_inode(struct superblock *sb, umode_t mode, dev_t devt)
{
    struct inode *inode = inode_alloc(sb);
    if (!inode)
        return nullptr;
    inode->mode = mode;
    inode->rdev = devt;
    inode->ops = &node_ops;
    return inode;
}

// With a reference to the new, hashed entry of the locked root.
static struct dentry *node_add(struct dentry *root, const char *name, struct inode *inode)
{
    struct dentry *d = d_lookup(root, name, strlen(name));
    if (d) {
        d_instantiate(d, inode); // somebody has looked for the name before
        return d;
    }
    d = d_alloc(root, name, strlen(name));
    if (d)
        d_add(d, inode);
    return d;
}

int devpts_node_add(struct superblock *sb, unsigned number, dev_t devt, void *tty, struct dentry **out)
{
    struct devpts *dp = sb->private;
    struct inode *inode = node_inode(sb, S_IFCHR | dp->mode, devt);
    if (!inode)
        return -ENOMEM;
    const struct cred *cred = current_cred();
    inode->uid = dp->uid_set ? dp->uid : cred->fsuid;
    inode->gid = dp->gid_set ? dp->gid : cred->fsgid;
    inode->private = tty;
    char name[12];
    snprintf(name, sizeof name, "%u", number);
    down_write(&sb->root->inode->sem);
    *out = node_add(sb->root, name, inode);
    up_write(&sb->root->inode->sem);
    if (*out)
        return 0;
    iput(inode);
    return -ENOMEM;
}

void devpts_node_remove(struct dentry *node)
{
    struct inode *root = node->sb->root->inode, *inode = node->inode;
    mutex_lock(&nodes_lock);
    inode->private = nullptr;
    mutex_unlock(&nodes_lock);
    down_write(&root->sem);
    inode_set_nlink_drop(inode);
    d_delete(node);
    up_write(&root->sem);
    dput(node);
}

void *devpts_lookup(struct inode *inode, void *(*get)(void *tty))
{
    if (inode->sb->magic != DEVPTS_MAGIC)
        return nullptr;
    mutex_guard(&nodes_lock);
    return inode->private ? get(inode->private) : nullptr;
}

int devpts_number_alloc(struct superblock *sb, unsigned *number)
{
    struct devpts *d = sb->private;
    if (atomic_inc_return(&pty_count) > READ_ONCE(sysctl_pty_max)) {
        atomic_dec(&pty_count);
        return -ENOSPC;
    }
    mutex_guard(&numbers_lock);
    uint64_t index;
    int err = d->max ? xa_alloc(&d->numbers, 0, d->max - 1, d, &index) : -ENOSPC;
    if (err)
        atomic_dec(&pty_count);
    else
        *number = (unsigned)index;
    return err;
}

void devpts_number_free(struct superblock *sb, unsigned number)
{
    struct devpts *d = sb->private;
    mutex_guard(&numbers_lock);
    xa_erase(&d->numbers, number);
    atomic_dec(&pty_count);
}

// ---- instances ------------------------------------------------------------------------------------------------------

int devpts_find(struct file *file, struct path *out)
{
    struct dentry *ptmx = file->path.dentry;
    *out = (struct path){mnt_get(file->path.mnt), nullptr};
    if (ptmx->sb->magic == DEVPTS_MAGIC) {
        out->dentry = dget(ptmx->sb->root);
        return 0;
    }
    struct dentry *parent = dget_parent(ptmx);
    out->dentry = d_lookup(parent, "pts", 3);
    dput(parent);
    if (!out->dentry) {
        mnt_put(out->mnt);
        return -ENOENT;
    }
    path_descend_mounts(out);
    if (out->dentry->sb->magic == DEVPTS_MAGIC && out->dentry == out->dentry->sb->root)
        return 0;
    path_put(out);
    return -ENODEV;
}

static void devpts_put_super(struct superblock *sb)
{
    struct devpts *d = sb->private;
    if (d)
        xa_destroy(&d->numbers);
    kfree(d);
    sb->private = nullptr;
}

static const struct superblock_ops super_ops = {
    .put_super = devpts_put_super, .remount = devpts_remount, .show_options = devpts_show_options, .keep_dentries = true};

static int fill(struct superblock *sb)
{
    struct devpts *d = sb->private;
    struct inode *root = inode_alloc(sb);
    if (!root)
        return -ENOMEM;
    root->mode = S_IFDIR | 0755;
    root->nlink = 2;
    root->ops = &dir_ops;
    root->fops = &dcache_dir_ops;
    sb->root = d_alloc_root(root);
    if (!sb->root)
        return -ENOMEM;
    struct inode *inode = node_inode(sb, S_IFCHR | d->ptmx_mode, PTMX_DEV);
    if (!inode)
        return -ENOMEM;
    down_write(&root->sem);
    d->ptmx = node_add(sb->root, "ptmx", inode);
    up_write(&root->sem);
    if (!d->ptmx) {
        iput(inode);
        return -ENOMEM;
    }
    dput(d->ptmx); // the table holds it, as long as the instance lives
    return 0;
}

static int devpts_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *options, struct superblock **out)
{
    struct devpts *d = kzalloc(sizeof *d, ALLOC_KERNEL);
    if (!d)
        return -ENOMEM;
    xa_init(&d->numbers);
    int err = parse_options(d, options);
    struct superblock *sb = err ? nullptr : sb_alloc(type, flags);
    if (!sb) {
        kfree(d);
        return err ? err : -ENOMEM;
    }
    sb->ops = &super_ops;
    sb->private = d;
    sb->magic = DEVPTS_MAGIC;
    err = fill(sb);
    if (err) {
        sb_put(sb);
        return err;
    }
    *out = sb;
    return 0;
}
FILE_SYSTEM(devpts_type) = {.name = "devpts", .flags = FS_USERNS_MOUNT, .get_super = devpts_get_super};
