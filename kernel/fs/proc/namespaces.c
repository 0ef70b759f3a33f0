// kernel/fs/proc/namespaces.c — ns/: links to the namespaces a task is in, and the inodes they lead to: namespaces(7), ioctl_nsfs(2).
#include "kernel/abi/clone.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/namespaces.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/mount.h"

#define NSFS_MAGIC 0x6e736673
#define NS_GET_USERNS 0xb701
#define NS_GET_PARENT 0xb702
#define NS_GET_NSTYPE 0xb703
#define NS_GET_OWNER_UID 0xb704

static struct mount *nsfs_mount RO_AFTER_INIT;

struct ns_inode {
    struct inode vfs; // first
    struct namespace_ref ref;
};
static struct slab_cache *ns_slab RO_AFTER_INIT;

static struct ns_inode *ns_inode(const struct inode *inode)
{
    return container_of((struct inode *)inode, struct ns_inode, vfs);
}

static struct inode *alloc_inode(struct superblock *)
{
    struct ns_inode *ni = slab_alloc(ns_slab, ALLOC_ZERO);
    return ni ? &ni->vfs : nullptr;
}
static void free_inode(struct inode *inode)
{
    slab_free(ns_slab, ns_inode(inode));
}
static void evict_inode(struct inode *inode)
{
    if (ns_inode(inode)->ref.ns)
        namespace_ref_put(&ns_inode(inode)->ref);
}
// A mount keeps its namespace. One of a mount namespace must not keep itself, nor two each other: it is bound into older ones only, and no copy takes it along.
static bool may_bind(const struct dentry *dentry, bool copying)
{
    const struct namespace_ref *ref = &ns_inode(dentry->inode)->ref;
    return ref->kind != CLONE_NEWNS || (!copying && mount_ns_inum(ref->ns) > mount_ns_inum(current_task()->ns->mnt));
}

static const struct superblock_ops nsfs_super_ops = {
    .alloc_inode = alloc_inode, .free_inode = free_inode, .evict_inode = evict_inode, .statfs = pseudo_statfs, .may_bind = may_bind};

static const char *kind_name(unsigned long kind)
{
    switch (kind) {
    case CLONE_NEWUTS:
        return "uts";
    case CLONE_NEWNS:
        return "mnt";
    case CLONE_NEWPID:
        return "pid";
    default:
        return "cgroup";
    }
}

static int ns_name(struct dentry *d, char *buf, size_t size)
{
    return scnprintf(buf, size, "%s:[%llu]", kind_name(ns_inode(d->inode)->ref.kind), (unsigned long long)d->inode->ino);
}
static const struct dentry_ops ns_dentry_ops = {.dynamic_name = ns_name};
static const struct file_ops ns_fops;

// A place in nsfs for the namespace; takes the reference over.
static int ns_path(struct namespace_ref *ref, uint64_t inum, struct path *out)
{
    struct inode *inode = inode_alloc(nsfs_mount->sb);
    if (!inode) {
        namespace_ref_put(ref);
        return -ENOMEM;
    }
    ns_inode(inode)->ref = *ref;
    inode->ino = inum;
    inode->mode = S_IFREG | 0444;
    inode->flags |= I_IMMUTABLE; // to be opened for writing by nobody
    inode->fops = &ns_fops;
    struct dentry *d = d_alloc_anon(inode, &ns_dentry_ops);
    if (!d) {
        iput(inode);
        return -ENOMEM;
    }
    *out = (struct path){mnt_get(nsfs_mount), d};
    return 0;
}

int proc_ns_link(struct task *task, struct path *out, unsigned long kind, bool for_children)
{
    struct namespace_ref ref;
    uint64_t inum;
    int err = namespace_ref_of(task, kind, for_children, &ref, &inum);
    if (!err)
        return ns_path(&ref, inum, out);
    if (err != -ESRCH)
        return err;
    // It has ended and left its namespaces, except the one that its number, which a zombie still has, belongs to.
    struct pid_namespace *own = kind == CLONE_NEWPID && !for_children ? task_pid_ns(task) : nullptr;
    if (!own)
        return -ENOENT;
    ref = (struct namespace_ref){.kind = kind, .ns = pid_ns_get(own)};
    return ns_path(&ref, own->inum, out);
}

static bool of_file(struct file *file, struct namespace_ref *out)
{
    if (!file->inode || file->inode->fops != &ns_fops)
        return false;
    *out = ns_inode(file->inode)->ref;
    switch (out->kind) {
    case CLONE_NEWUTS:
        uts_ns_get(out->ns);
        break;
    case CLONE_NEWNS:
        mount_ns_get(out->ns);
        break;
    case CLONE_NEWPID:
        pid_ns_get(out->ns);
        break;
    case CLONE_NEWCGROUP:
        cgroup_ns_get(out->ns);
        break;
    }
    return true;
}

static long get_parent(const struct namespace_ref *ref)
{
    if (ref->kind != CLONE_NEWPID)
        return -EINVAL;
    struct pid_namespace *parent = ((struct pid_namespace *)ref->ns)->parent, *own = task_pid_ns(current_task());
    // Only what the caller's own namespace contains can be reached: ioctl_nsfs(2).
    struct pid_namespace *at = parent;
    while (at && at != own)
        at = at->parent;
    if (!at)
        return -EPERM;
    struct namespace_ref up = {.kind = CLONE_NEWPID, .ns = pid_ns_get(parent)};
    struct path path;
    int err = ns_path(&up, parent->inum, &path);
    if (err)
        return err;
    struct file *file;
    err = file_alloc(&path, O_RDONLY, &ns_fops, &file);
    dput(path.dentry);
    mnt_put(path.mnt);
    return err ? err : fd_install_new(file, O_CLOEXEC);
}

static long ns_ioctl(struct file *file, unsigned cmd, unsigned long)
{
    const struct namespace_ref *ref = &ns_inode(file->inode)->ref;
    switch (cmd) {
    case NS_GET_NSTYPE:
        return (long)ref->kind;
    case NS_GET_PARENT:
        return get_parent(ref);
    case NS_GET_USERNS:
        return -EPERM; // there is the first user namespace alone, and nothing of it to be had: it is beyond every caller's reach
    case NS_GET_OWNER_UID:
        return -EINVAL; // of user namespaces only
    default:
        return -ENOTTY;
    }
}
static const struct file_ops ns_fops = {.ioctl = ns_ioctl};

const struct proc_file proc_ns_files[] = {
    {.name = "cgroup", .mode = S_IFLNK | 0777, .data = CLONE_NEWCGROUP},
    {.name = "mnt", .mode = S_IFLNK | 0777, .data = CLONE_NEWNS},
    {.name = "pid", .mode = S_IFLNK | 0777, .data = CLONE_NEWPID},
    {.name = "pid_for_children", .mode = S_IFLNK | 0777, .data = CLONE_NEWPID | 1},
    {.name = "uts", .mode = S_IFLNK | 0777, .data = CLONE_NEWUTS},
    {},
};

static int nsfs_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *, struct superblock **out)
{
    return sb_create_nameless(type, flags, NSFS_MAGIC, &nsfs_super_ops, out);
}
FILE_SYSTEM(nsfs_type) = {.name = "nsfs", .flags = FS_NO_USER_MOUNT, .get_super = nsfs_get_super};

static int nsfs_init(void)
{
    ns_slab = slab_cache_create("nsfs_inode", sizeof(struct ns_inode), 64, 0, nullptr);
    ASSERT(ns_slab);
    int err = mount_internal(&nsfs_type, nullptr, &nsfs_mount);
    ASSERT(!err);
    namespace_of_file = of_file;
    return 0;
}
INITCALL(subsys, nsfs_init);
