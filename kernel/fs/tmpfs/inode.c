// kernel/fs/tmpfs/inode.c — tmpfs inodes: making and removing names, attributes.
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/acl.h"

DEFINE_LOCK_CLASS(tmpfs_xattr_class, "tmpfs xattr", (enum lock_rank)(RANK_INODE + 1));

static struct slab_cache *inode_slab RO_AFTER_INIT;

struct inode *tmpfs_alloc_inode(struct superblock *)
{
    struct tmpfs_inode *ti = slab_alloc(inode_slab, ALLOC_ZERO);
    if (!ti)
        return nullptr;
    list_init(&ti->xattrs);
    rwsem_init(&ti->xattr_sem, &tmpfs_xattr_class);
    return &ti->vfs;
}

void tmpfs_free_inode(struct inode *inode)
{
    slab_free(inode_slab, tmpfs_inode(inode));
}

void tmpfs_evict_inode(struct inode *inode)
{
    tmpfs_uncharge_inodes(tmpfs_sb(inode->sb), TMPFS_INODE_BYTES);
    tmpfs_xattrs_free(tmpfs_inode(inode));
}

bool tmpfs_charge_inodes(struct tmpfs_sb *ts, uint64_t bytes)
{
    uint64_t max = READ_ONCE(ts->max_inodes);
    if (__atomic_add_fetch(&ts->used_inode_bytes, bytes, __ATOMIC_RELAXED) <= max * TMPFS_INODE_BYTES || !max)
        return true;
    tmpfs_uncharge_inodes(ts, bytes);
    return false;
}

void tmpfs_uncharge_inodes(struct tmpfs_sb *ts, uint64_t bytes)
{
    __atomic_fetch_sub(&ts->used_inode_bytes, bytes, __ATOMIC_RELAXED);
}

int tmpfs_inode_create(struct superblock *sb, const struct inode *dir, umode_t mode, dev_t rdev, struct inode **out)
{
    if (!tmpfs_charge_inodes(tmpfs_sb(sb), TMPFS_INODE_BYTES))
        return -ENOSPC;
    struct inode *inode = inode_alloc(sb);
    if (!inode) {
        tmpfs_uncharge_inodes(tmpfs_sb(sb), TMPFS_INODE_BYTES);
        return -ENOMEM;
    }
    inode_init_owner(inode, dir, mode);
    switch (mode & S_IFMT) {
    case S_IFREG:
        inode->ops = &tmpfs_file_inode_ops;
        inode->fops = &tmpfs_file_ops;
        inode->cache.ops = &tmpfs_cache_ops;
        inode->flags |= I_SEALABLE;
        inode->seals = F_SEAL_SEAL;
        break;
    case S_IFDIR:
        inode->ops = &tmpfs_dir_ops;
        inode->fops = &dcache_dir_ops;
        inode->nlink = 2;
        inode->size = 2 * TMPFS_DIRENT_SIZE;
        break;
    case S_IFLNK:
        inode->ops = &tmpfs_link_inode_ops;
        break;
    default:
        inode->ops = &tmpfs_special_inode_ops;
        inode->rdev = rdev;
    }
    *out = inode;
    return 0;
}

// ---- names. The directory is locked for write -----------------------------------------------------------------------

static void dir_grow(struct inode *dir, int names)
{
    __atomic_store_n(&dir->size, dir->size + names * TMPFS_DIRENT_SIZE, __ATOMIC_RELAXED);
    inode_touch(dir, true, true);
}

static int tmpfs_lookup(struct inode *, struct dentry *dentry, unsigned)
{
    d_add(dentry, nullptr); // what is there is in the dentry cache
    return 0;
}

// For a name in `dir`, with what its default access control list gives.
static int new_inode(struct inode *dir, umode_t mode, dev_t rdev, struct inode **out)
{
    int err = tmpfs_inode_create(dir->sb, dir, mode, rdev, out);
    if (!err && (err = acl_inherit(dir, *out)))
        iput(*out);
    return err;
}

static int tmpfs_mknod(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t rdev)
{
    struct inode *inode;
    int err = new_inode(dir, mode, rdev, &inode);
    if (err)
        return err;
    d_instantiate(dentry, inode);
    dir_grow(dir, 1);
    return 0;
}

static int tmpfs_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    return tmpfs_mknod(dir, dentry, mode, 0);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    int err = tmpfs_mknod(dir, dentry, mode, 0);
    if (!err)
        dir->nlink++;
    return err;
}

static int tmpfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
    size_t len = strlen(target);
    char *text = kmalloc(len + 1, ALLOC_KERNEL);
    if (!text)
        return -ENOMEM;
    memcpy(text, target, len + 1);
    struct inode *inode;
    int err = tmpfs_inode_create(dir->sb, dir, S_IFLNK | 0777, 0, &inode);
    if (err) {
        kfree(text);
        return err;
    }
    inode->link = text;
    inode->size = (loff_t)len;
    d_instantiate(dentry, inode);
    dir_grow(dir, 1);
    return 0;
}

static int tmpfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
    struct inode *inode = old->inode;
    if (inode->nlink && !tmpfs_charge_inodes(tmpfs_sb(inode->sb), TMPFS_INODE_BYTES))
        return -ENOSPC;
    inode->nlink++;
    inode_touch(inode, false, true);
    d_instantiate(dentry, iget(inode));
    dir_grow(dir, 1);
    return 0;
}

// A name of a file goes; the first and last is charged with the inode.
static void drop_link(struct inode *inode)
{
    if (inode->nlink > 1)
        tmpfs_uncharge_inodes(tmpfs_sb(inode->sb), TMPFS_INODE_BYTES);
    inode_set_nlink_drop(inode);
}

static int tmpfs_unlink(struct inode *dir, struct dentry *dentry)
{
    drop_link(dentry->inode);
    dir_grow(dir, -1);
    return 0;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *dentry)
{
    if (d_has_positive_children(dentry))
        return -ENOTEMPTY;
    dentry->inode->nlink = 0;
    inode_touch(dentry->inode, false, true);
    inode_set_nlink_drop(dir);
    dir_grow(dir, -1);
    return 0;
}

static int tmpfs_tmpfile(struct inode *dir, struct file *file, umode_t mode)
{
    struct inode *inode;
    int err = new_inode(dir, mode, 0, &inode);
    if (err)
        return err;
    inode->nlink = 0;
    d_instantiate(file->path.dentry, inode);
    return 0;
}

// A character device 0:0 under the name that `old` is about to leave: union file systems read it as "deleted here". Until the VFS has moved `old`,
// both have the name.
static int add_whiteout(struct inode *dir, struct dentry *old)
{
    struct dentry *d = d_alloc(old->parent, old->name.name, old->name.len);
    if (!d)
        return -ENOMEM;
    struct inode *inode;
    int err = tmpfs_inode_create(dir->sb, dir, S_IFCHR, 0, &inode);
    if (!err) {
        d_add(d, inode);
        dir->size += TMPFS_DIRENT_SIZE;
    }
    dput(d);
    return err;
}

static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new_, unsigned flags)
{
    struct inode *inode = old->inode, *target = new_->inode;
    bool is_dir = S_ISDIR(inode->mode), target_is_dir = target && S_ISDIR(target->mode);
    if (flags & RENAME_EXCHANGE) {
        if (is_dir != target_is_dir && old_dir != new_dir) {
            old_dir->nlink += target_is_dir - is_dir;
            new_dir->nlink += is_dir - target_is_dir;
        }
        inode_touch(target, false, true);
    } else {
        if (target_is_dir && d_has_positive_children(new_))
            return -ENOTEMPTY;
        int err = flags & RENAME_WHITEOUT ? add_whiteout(old_dir, old) : 0;
        if (err)
            return err;
        if (target_is_dir) {
            target->nlink = 0;
            new_dir->nlink--;
        } else if (target) {
            drop_link(target);
        }
        if (is_dir) {
            old_dir->nlink--;
            new_dir->nlink++;
        }
        old_dir->size -= TMPFS_DIRENT_SIZE;
        new_dir->size += target ? 0 : TMPFS_DIRENT_SIZE;
    }
    inode_touch(old_dir, true, true);
    inode_touch(new_dir, true, true);
    inode_touch(inode, false, true);
    return 0;
}

// ---- attributes -----------------------------------------------------------------------------------------------------

static int tmpfs_setattr(struct dentry *dentry, struct iattr *attr)
{
    struct inode *inode = dentry->inode;
    int err = setattr_prepare(dentry, attr);
    if (err)
        return err;
    if (attr->valid & ATTR_SIZE) {
        if (!S_ISREG(inode->mode))
            return -EINVAL;
        if ((attr->size < inode->size && inode->seals & F_SEAL_SHRINK) || (attr->size > inode->size && inode->seals & F_SEAL_GROW))
            return -EPERM;
        bool other = attr->size != inode->size;
        if (other || inode->cache.nr_pages)
            inode_set_size(inode, attr->size);
        if (other)
            inode_touch(inode, true, true);
    }
    if (attr->valid & ATTR_MODE && inode->seals & F_SEAL_EXEC && (attr->mode ^ inode->mode) & 0111)
        return -EPERM;
    setattr_copy(inode, attr);
    return 0;
}

const struct inode_ops tmpfs_dir_ops = {
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .mkdir = tmpfs_mkdir,
    .mknod = tmpfs_mknod,
    .symlink = tmpfs_symlink,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
    .tmpfile = tmpfs_tmpfile,
    .setattr = tmpfs_setattr,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .listxattr = tmpfs_listxattr,
    .removexattr = tmpfs_removexattr,
};

#define TMPFS_ATTR_OPS                                                                                                 \
    .setattr = tmpfs_setattr, .getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, .listxattr = tmpfs_listxattr,      \
    .removexattr = tmpfs_removexattr
const struct inode_ops tmpfs_file_inode_ops = {TMPFS_ATTR_OPS};
const struct inode_ops tmpfs_link_inode_ops = {TMPFS_ATTR_OPS};
const struct inode_ops tmpfs_special_inode_ops = {TMPFS_ATTR_OPS};

static int tmpfs_init(void)
{
    inode_slab = slab_cache_create("tmpfs_inode", sizeof(struct tmpfs_inode), 64, 0, nullptr);
    ASSERT(inode_slab);
    return 0;
}
INITCALL(core, tmpfs_init);
