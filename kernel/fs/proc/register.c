// kernel/fs/proc/register.c — the global tree: its folders, and adding files to them.
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/fs/proc/tables.h"

struct pseudo_dir *proc_root_dir, *proc_sys_dir, *proc_net_dir;

// The folder of that path below `dir`, with a reference, made where it is missing; null: no memory.
static struct pseudo_dir *folder_get(struct pseudo_dir *dir, const char *path)
{
    pseudo_get(dir);
    while (dir && *path) {
        size_t len = strcspn(path, "/");
        struct pseudo_dir *child = pseudo_find(dir, path, len);
        if (!child) {
            char name[32];
            strlcpy(name, path, min(len + 1, sizeof name));
            if (pseudo_mkdir(dir, name, nullptr, nullptr, &child))
                child = nullptr;
            else
                child->mode = 0555;
        }
        pseudo_put(dir);
        dir = child;
        path += len + (path[len] == '/');
    }
    return dir;
}

int proc_register(const char *folder, const struct pseudo_entry *entries)
{
    bool net = str_starts(folder, "net") && (!folder[3] || folder[3] == '/');
    struct pseudo_dir *dir = net ? folder_get(proc_net_dir, folder + 3 + (folder[3] == '/')) : folder_get(proc_root_dir, folder);
    if (!dir)
        return -ENOMEM;
    int err = pseudo_table_add(dir, entries);
    pseudo_put(dir);
    return err;
}

// Owner and mode of what is in /proc/sys are fixed.
static int sys_setattr(struct dentry *dentry, struct iattr *attr)
{
    return attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : pseudo_setattr(dentry, attr);
}

// Whose effective id is root's has the owner's permissions and no more, whatever the capabilities are; no file is a program.
static int sys_permission(struct inode *inode, unsigned mask)
{
    const struct cred *cred = current_cred();
    umode_t mode = inode->mode;
    if (cred->euid == 0)
        mode >>= 6;
    else if (cred->egid == 0 || in_group(cred, 0))
        mode >>= 3;
    unsigned wanted = mask & (MAY_READ | MAY_WRITE | MAY_EXEC);
    return wanted & ~(unsigned)mode || (mask & MAY_EXEC && S_ISREG(inode->mode)) ? -EACCES : 0;
}
static const struct inode_ops proc_sys_dir_ops = {.lookup = pseudo_lookup, .permission = sys_permission, .setattr = sys_setattr};
static const struct inode_ops proc_sys_file_ops = {.permission = sys_permission, .setattr = sys_setattr};

// What has to be there for the rest of boot.
static void must(int err)
{
    if (err)
        panic("procfs: no memory for its tree");
}

static int proc_tree_init(void)
{
    proc_root_dir = pseudo_root(proc_global_files, nullptr);
    proc_net_dir = pseudo_root(nullptr, nullptr);
    must(proc_root_dir && proc_net_dir ? pseudo_mkdir(proc_root_dir, "sys", nullptr, nullptr, &proc_sys_dir) : -ENOMEM);
    proc_root_dir->lenient = proc_net_dir->lenient = true;
    proc_sys_dir->ops = &proc_sys_dir_ops;
    proc_sys_dir->file_inode_ops = &proc_sys_file_ops;
    proc_sys_dir->file_fops = &pseudo_sized_fops;
    proc_root_dir->mode = proc_net_dir->mode = proc_sys_dir->mode = 0555;
    must(proc_register("sys/kernel", proc_sys_kernel_files));
    must(proc_register("sys/kernel/random", proc_sys_random_files));
    must(proc_register("sys/vm", proc_sys_vm_files));
    must(proc_register("sys/fs", proc_sys_fs_files));
    must(proc_register("sys/fs/epoll", proc_sys_fs_epoll_files));
    must(proc_register("sys/fs/inotify", proc_sys_fs_inotify_files));
    return 0;
}
INITCALL(subsys, proc_tree_init);
