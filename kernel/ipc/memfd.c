// kernel/ipc/memfd.c — files without a name, in memory: memfd_create(2).
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/mount.h"

#define MEMFD_NAME_MAX (NAME_MAX - 6) // with "memfd:" a file name

static struct mount *memfd_mount RO_AFTER_INIT;

static int memfd_name(struct dentry *d, char *buf, size_t size)
{
    return scnprintf(buf, size, "/%s (deleted)", d->name.name);
}
static const struct dentry_ops memfd_dentry_ops = {.dynamic_name = memfd_name};

static int make(const char *name, unsigned flags, struct file **out)
{
    struct dentry *root = memfd_mount->root, *d = d_alloc(root, name, strlen(name));
    if (!d)
        return -ENOMEM;
    d_set_ops(d, &memfd_dentry_ops);
    struct inode *inode;
    int err = tmpfs_inode_create(memfd_mount->sb, nullptr, S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777), 0, &inode);
    if (!err) {
        inode->nlink = 0;
        if (flags & MFD_NOEXEC_SEAL)
            inode->seals = F_SEAL_EXEC;
        else if (flags & MFD_ALLOW_SEALING)
            inode->seals = 0;
        d_instantiate(d, inode);
        err = file_alloc(&(struct path){memfd_mount, d}, O_RDWR | O_LARGEFILE, inode->fops, out);
    }
    if (!err) {
        err = file_do_open(*out);
        if (err)
            file_put_sync(*out);
    }
    dput(d);
    return err;
}

SYSCALL2(memfd_create, const char __user *, uname, unsigned, flags)
{
    if ((flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) == (MFD_EXEC | MFD_NOEXEC_SEAL))
        return -EINVAL;
    char name[NAME_MAX + 1] = "memfd:";
    ssize_t len = strncpy_from_user(name + 6, uname, MEMFD_NAME_MAX + 1);
    if (len < 0)
        return len == -ENAMETOOLONG ? -EINVAL : len;
    struct file *file;
    int err = make(name, flags, &file);
    return err ? err : fd_install_new(file, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

static int memfd_get_super(const struct file_system_type *type, unsigned flags, const char *source, const char *options, struct superblock **out)
{
    return tmpfs_get_super(type, flags, source, options, out);
}
FILE_SYSTEM(memfd_type) = {.name = "memfd", .flags = FS_NO_USER_MOUNT, .get_super = memfd_get_super};

static int memfd_init(void)
{
    int err = mount_internal(&memfd_type, nullptr, &memfd_mount);
    ASSERT(!err);
    return 0;
}
INITCALL(subsys, memfd_init);
