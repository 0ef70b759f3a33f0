// kernel/vfs/xattr.c — extended attributes: xattr(7), getxattr(2), setxattr(2), listxattr(2), removexattr(2) and their l and f forms.
#include "kernel/abi/capability.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/acl.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

#define XATTR_NAME_MAX 255u
#define XATTR_SIZE_MAX 65536u
#define XATTR_LIST_MAX 65536u

typedef long (*xattr_fn)(const struct path *path, void *arg);

static long on_path(const char __user *upath, unsigned lookup, xattr_fn fn, void *arg)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, 0);
    struct path p;
    if (!err)
        err = path_lookup_at(AT_FDCWD, &name, lookup, &p);
    if (err)
        return err;
    long n = fn(&p, arg);
    path_put(&p);
    return n;
}

static long on_fd(int fd, xattr_fn fn, void *arg)
{
    FD_REF(f, fd);
    return f.file ? fn(&f.file->path, arg) : -EBADF;
}

static int copy_name(char to[XATTR_NAME_MAX + 1], const char __user *name)
{
    ssize_t len = strncpy_from_user(to, name, XATTR_NAME_MAX + 1);
    if (len == 0 || len == -ENAMETOOLONG)
        return -ERANGE;
    return len < 0 ? (int)len : 0;
}

static int may_use(struct inode *inode, const char *name, bool write)
{
    if (write && inode->flags & (I_IMMUTABLE | I_APPEND))
        return -EPERM;
    if (str_starts(name, "security."))
        return write && !capable(strcmp(name, "security.capability") ? CAP_SYS_ADMIN : CAP_SETFCAP) ? -EPERM : 0;
    if (str_starts(name, "system."))
        return 0;
    if (str_starts(name, "trusted."))
        return capable(CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    if (str_starts(name, "user.")) {
        if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
            return write ? -EPERM : -ENODATA;
        if (write && S_ISDIR(inode->mode) && inode->mode & S_ISVTX && current_cred()->fsuid != inode->uid && !capable(CAP_FOWNER))
            return -EPERM;
    }
    return inode_permission(inode, write ? MAY_WRITE : MAY_READ);
}

// 0 where a file system may be asked for the name; a prefix alone is no name.
static int check_namespace(const char *name)
{
    static const char *const prefixes[] = {"user.", "trusted.", "security.", "system."};
    for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (str_starts(name, prefixes[i]))
            return name[strlen(prefixes[i])] ? 0 : -EINVAL;
    return -EOPNOTSUPP;
}

// ---- set ------------------------------------------------------------------------------------------------------------

struct set_args {
    char name[XATTR_NAME_MAX + 1];
    void *value;
    size_t size;
    int flags;
};

// security.capability must make sense when it is set. That of revision 3 for the first user namespace's root is one of revision 2.
static int check_file_caps(struct set_args *a)
{
    struct abi_vfs_cap_data *data = a->value;
    if (strcmp(a->name, XATTR_SECURITY_CAPABILITY) || !a->size)
        return 0;
    uint32_t revision = a->size >= sizeof data->magic ? data->magic & VFS_CAP_REVISION_MASK : 0;
    if ((revision != VFS_CAP_REVISION_2 && revision != VFS_CAP_REVISION_3) || a->size != vfs_cap_size(revision) ||
        data->magic & ~(VFS_CAP_REVISION_MASK | VFS_CAP_FLAGS_EFFECTIVE))
        return -EINVAL;
    if (!capable(CAP_SETFCAP))
        return -EPERM;
    if (revision == VFS_CAP_REVISION_3 && !data->rootid) {
        data->magic = VFS_CAP_REVISION_2 | (data->magic & VFS_CAP_FLAGS_EFFECTIVE);
        a->size = vfs_cap_size(VFS_CAP_REVISION_2);
    }
    return 0;
}

int inode_drop_file_caps(struct inode *inode)
{
    inode->flags &= ~I_FILE_CAPS;
    int err = inode->ops && inode->ops->removexattr ? inode->ops->removexattr(inode, XATTR_SECURITY_CAPABILITY) : 0;
    return err == -ENODATA ? 0 : err;
}

static int set_locked(struct inode *inode, const struct set_args *a)
{
    if (acl_is_xattr(a->name))
        return acl_xattr_set(inode, a->name, a->value, a->size);
    int err = may_use(inode, a->name, true);
    if (!err)
        err = check_namespace(a->name);
    if (err)
        return err;
    if (!inode->ops || !inode->ops->setxattr)
        return -EOPNOTSUPP;
    err = inode->ops->setxattr(inode, a->name, a->value, a->size, a->flags);
    if (!err && !strcmp(a->name, XATTR_SECURITY_CAPABILITY))
        inode->flags |= I_FILE_CAPS;
    return err;
}

static long set_one(const struct path *p, void *arg)
{
    struct set_args *a = arg;
    struct inode *inode = p->dentry->inode;
    int err = mnt_want_write(p->mnt);
    if (err)
        return err;
    err = check_file_caps(a);
    if (!err) {
        write_guard(&inode->sem);
        err = set_locked(inode, a);
    }
    if (!err)
        inotify_dentry(p->dentry, IN_ATTRIB);
    mnt_drop_write(p->mnt);
    return err;
}

static int set_args_init(struct set_args *a, const char __user *name, const void __user *value, size_t size, int flags)
{
    a->value = nullptr;
    a->size = size;
    a->flags = flags;
    int err = copy_name(a->name, name);
    if (err)
        return err;
    if (size > XATTR_SIZE_MAX)
        return -E2BIG;
    if (!size)
        return 0;
    a->value = kvmalloc(size, ALLOC_KERNEL);
    if (!a->value)
        return -ENOMEM;
    return copy_from_user(a->value, value, size) ? -EFAULT : 0;
}

#define SET_XATTR(target)                                                                                              \
    struct set_args a;                                                                                                 \
    long err = set_args_init(&a, name, value, size, flags);                                                            \
    if (!err)                                                                                                          \
        err = target;                                                                                                  \
    kvfree(a.value);                                                                                                   \
    return err

SYSCALL5(setxattr, const char __user *, path, const char __user *, name, const void __user *, value, size_t, size, int, flags)
{
    SET_XATTR(on_path(path, LOOKUP_FOLLOW, set_one, &a));
}

SYSCALL5(lsetxattr, const char __user *, path, const char __user *, name, const void __user *, value, size_t, size, int, flags)
{
    SET_XATTR(on_path(path, 0, set_one, &a));
}

SYSCALL5(fsetxattr, int, fd, const char __user *, name, const void __user *, value, size_t, size, int, flags)
{
    SET_XATTR(on_fd(fd, set_one, &a));
}

// ---- get ------------------------------------------------------------------------------------------------------------

struct get_args {
    const char __user *name;
    void __user *value;
    size_t size;
};

static long get_one(const struct path *p, void *arg)
{
    struct get_args *a = arg;
    struct inode *inode = p->dentry->inode;
    char name[XATTR_NAME_MAX + 1];
    int err = copy_name(name, a->name);
    bool acl = !err && acl_is_xattr(name);
    if (!err && !acl)
        err = may_use(inode, name, false);
    if (!err && !acl)
        err = check_namespace(name);
    if (err)
        return err;
    if (!acl && (!inode->ops || !inode->ops->getxattr))
        return -EOPNOTSUPP;
    size_t size = min(a->size, (size_t)XATTR_SIZE_MAX);
    char *buf = size ? kvmalloc(size, ALLOC_KERNEL) : nullptr;
    if (size && !buf)
        return -ENOMEM;
    ssize_t n = acl ? acl_xattr_get(inode, name, buf, size) : inode->ops->getxattr(inode, name, buf, size);
    if (n > 0 && size && copy_to_user(a->value, buf, (size_t)n))
        n = -EFAULT;
    kvfree(buf);
    return n;
}

SYSCALL4(getxattr, const char __user *, path, const char __user *, name, void __user *, value, size_t, size)
{
    return on_path(path, LOOKUP_FOLLOW, get_one, &(struct get_args){name, value, size});
}

SYSCALL4(lgetxattr, const char __user *, path, const char __user *, name, void __user *, value, size_t, size)
{
    return on_path(path, 0, get_one, &(struct get_args){name, value, size});
}

SYSCALL4(fgetxattr, int, fd, const char __user *, name, void __user *, value, size_t, size)
{
    return on_fd(fd, get_one, &(struct get_args){name, value, size});
}

// ---- list -----------------------------------------------------------------------------------------------------------

struct list_args {
    char __user *list;
    size_t size;
};

// Takes the names that the caller may not know of out of the list.
static size_t without_trusted(char *list, size_t len)
{
    size_t out = 0;
    for (size_t at = 0; at < len;) {
        size_t n = strlen(list + at) + 1;
        if (!str_starts(list + at, "trusted.")) {
            memmove(list + out, list + at, n);
            out += n;
        }
        at += n;
    }
    return out;
}

// The names of access control lists, then the file system's. size 0: only counts.
static ssize_t list_all(struct inode *inode, char *buf, size_t size)
{
    ssize_t lists = acl_xattr_list(inode, buf, size);
    if (lists < 0 || !inode->ops || !inode->ops->listxattr || (size && (size_t)lists == size))
        return lists;
    ssize_t others = inode->ops->listxattr(inode, size ? buf + lists : nullptr, size ? size - (size_t)lists : 0);
    return others < 0 ? others : lists + others;
}

// All names in memory of the list's size; it is measured again when it has grown meanwhile. Returns the size, with *buf to be freed if positive.
static ssize_t list_allocated(struct inode *inode, char **buf)
{
    for (;;) {
        ssize_t room = list_all(inode, nullptr, 0);
        if (room <= 0)
            return room;
        if (room > (ssize_t)XATTR_LIST_MAX)
            return -E2BIG;
        *buf = kvmalloc((size_t)room, ALLOC_KERNEL);
        if (!*buf)
            return -ENOMEM;
        ssize_t len = list_all(inode, *buf, (size_t)room);
        if (len > 0)
            return len;
        kvfree(*buf);
        if (len != -ERANGE)
            return len;
    }
}

static long list_one(const struct path *p, void *arg)
{
    struct list_args *a = arg;
    struct inode *inode = p->dentry->inode;
    char *buf;
    ssize_t len = list_allocated(inode, &buf);
    if (len <= 0)
        return len;
    if (len > 0 && !capable(CAP_SYS_ADMIN))
        len = (ssize_t)without_trusted(buf, (size_t)len);
    if (len > 0 && a->size) {
        if ((size_t)len > a->size)
            len = -ERANGE;
        else if (copy_to_user(a->list, buf, (size_t)len))
            len = -EFAULT;
    }
    kvfree(buf);
    return len;
}

SYSCALL3(listxattr, const char __user *, path, char __user *, list, size_t, size)
{
    return on_path(path, LOOKUP_FOLLOW, list_one, &(struct list_args){list, size});
}

SYSCALL3(llistxattr, const char __user *, path, char __user *, list, size_t, size)
{
    return on_path(path, 0, list_one, &(struct list_args){list, size});
}

SYSCALL3(flistxattr, int, fd, char __user *, list, size_t, size)
{
    return on_fd(fd, list_one, &(struct list_args){list, size});
}

// ---- remove ---------------------------------------------------------------------------------------------------------

static int remove_locked(struct inode *inode, const char *name)
{
    if (acl_is_xattr(name))
        return acl_xattr_set(inode, name, nullptr, 0);
    int err = may_use(inode, name, true);
    if (!err)
        err = check_namespace(name);
    if (err)
        return err;
    if (!inode->ops || !inode->ops->removexattr)
        return -EOPNOTSUPP;
    err = inode->ops->removexattr(inode, name);
    if (!err && !strcmp(name, XATTR_SECURITY_CAPABILITY))
        inode->flags &= ~I_FILE_CAPS;
    return err;
}

static long remove_one(const struct path *p, void *arg)
{
    const char *name = arg;
    struct inode *inode = p->dentry->inode;
    int err = mnt_want_write(p->mnt);
    if (err)
        return err;
    {
        write_guard(&inode->sem);
        err = remove_locked(inode, name);
    }
    if (!err)
        inotify_dentry(p->dentry, IN_ATTRIB);
    mnt_drop_write(p->mnt);
    return err;
}

#define REMOVE_XATTR(target)                                                                                           \
    char name[XATTR_NAME_MAX + 1];                                                                                     \
    int err = copy_name(name, uname);                                                                                  \
    return err ? err : target

SYSCALL2(removexattr, const char __user *, path, const char __user *, uname)
{
    REMOVE_XATTR(on_path(path, LOOKUP_FOLLOW, remove_one, name));
}

SYSCALL2(lremovexattr, const char __user *, path, const char __user *, uname)
{
    REMOVE_XATTR(on_path(path, 0, remove_one, name));
}

SYSCALL2(fremovexattr, int, fd, const char __user *, uname)
{
    REMOVE_XATTR(on_fd(fd, remove_one, name));
}
