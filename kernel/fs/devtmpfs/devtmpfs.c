// kernel/fs/devtmpfs/devtmpfs.c — /dev as the kernel keeps it: a memory file system of which there is one instance, with a node for every device.
//
// It exists from boot, mounted anywhere or not; each mount(2) shows the same instance, so what is in it survives being unmounted. Nodes made here are
// marked in inode->private; only those go when their device goes.
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/device.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/vfs/dcache.h"

static struct superblock *instance RO_AFTER_INIT;
static char made_by_kernel; // its address is the mark

static int devtmpfs_get_super(const struct file_system_type *, unsigned flags, const char *, const char *options, struct superblock **out)
{
    if (!instance)
        return -ENODEV;
    if (options && *options) {
        int err = instance->ops->remount(instance, flags, options);
        if (err)
            return err;
    }
    *out = sb_get(instance);
    return 0;
}
FILE_SYSTEM(devtmpfs_type) = {.name = "devtmpfs", .get_super = devtmpfs_get_super};

// The entry of `name` in the locked directory, perhaps negative, with a reference; null: no memory.
static struct dentry *entry(struct dentry *dir, const char *name, size_t len)
{
    struct dentry *d = d_lookup(dir, name, len);
    if (d)
        return d;
    d = d_alloc(dir, name, len);
    if (d)
        d_add(d, nullptr);
    return d;
}

// The folder of a node name like "input/event0", with a reference; *name moves behind the last slash.
static struct dentry *folder_of(const char **name, bool make)
{
    struct dentry *dir = dget(instance->root);
    for (const char *slash; (slash = strchr(*name, '/')); *name = slash + 1) {
        down_write(&dir->inode->sem);
        struct dentry *sub = entry(dir, *name, (size_t)(slash - *name));
        if (sub && !sub->inode && make && dir->inode->ops->mkdir(dir->inode, sub, S_IFDIR | 0755) == 0)
            sub->inode->private = &made_by_kernel;
        up_write(&dir->inode->sem);
        dput(dir);
        if (!sub || !sub->inode) {
            if (sub)
                dput(sub);
            return nullptr;
        }
        dir = sub;
    }
    return dir;
}

static int node_make(const char *name, umode_t mode, dev_t devt)
{
    struct dentry *dir = folder_of(&name, true);
    if (!dir)
        return -ENOMEM;
    down_write(&dir->inode->sem);
    struct dentry *d = entry(dir, name, strlen(name));
    int err = !d ? -ENOMEM : d->inode ? -EEXIST : dir->inode->ops->mknod(dir->inode, d, mode, devt);
    if (!err) {
        d->inode->private = &made_by_kernel;
        d->inode->uid = 0;
        d->inode->gid = 0;
    }
    up_write(&dir->inode->sem);
    if (d)
        dput(d);
    dput(dir);
    return err;
}

static void node_remove(const char *name, dev_t devt)
{
    struct dentry *dir = folder_of(&name, false);
    if (!dir)
        return;
    down_write(&dir->inode->sem);
    struct dentry *d = d_lookup(dir, name, strlen(name));
    if (d && d->inode && d->inode->private == &made_by_kernel && d->inode->rdev == devt && dir->inode->ops->unlink(dir->inode, d) == 0)
        d_delete(d);
    up_write(&dir->inode->sem);
    if (d)
        dput(d);
    dput(dir);
}

static void device_changed(struct device *dev, bool present)
{
    if (!dev->devt)
        return;
    if (!present) {
        node_remove(dev->name, dev->devt);
        return;
    }
    umode_t mode = dev->mode ? dev->mode : 0600;
    if (dev->class && dev->class->node_mode && dev->class->node_mode(dev))
        mode = dev->class->node_mode(dev);
    int err = node_make(dev->name, mode | (dev->block ? S_IFBLK : S_IFCHR), dev->devt);
    if (err)
        pr_warn("devtmpfs: no node for %s (error %d)\n", dev->name, -err);
}

static int devtmpfs_init(void)
{
    int err = tmpfs_get_super(&devtmpfs_type, 0, "devtmpfs", "mode=0755", &instance);
    if (!err)
        device_set_notifier(device_changed);
    return err;
}
INITCALL(fs, devtmpfs_init);
