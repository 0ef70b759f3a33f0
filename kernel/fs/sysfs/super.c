// kernel/fs/sysfs/super.c — the one sysfs superblock, its fixed folders, and /sys/kernel.
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/init.h"
#include "kernel/fs/sysfs/sysfs.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

#define SYSFS_MAGIC 0x62656572

struct pseudo_dir *sysfs_root;
static struct superblock *instance RO_AFTER_INIT;

struct pseudo_dir *sysfs_folder(const char *path)
{
    struct pseudo_dir *dir = pseudo_get(sysfs_root);
    while (dir && *path) {
        size_t len = strcspn(path, "/");
        struct pseudo_dir *child = pseudo_find(dir, path, len);
        if (!child) {
            char name[64];
            strlcpy(name, path, min(len + 1, sizeof name));
            if (pseudo_mkdir(dir, name, nullptr, nullptr, &child))
                child = nullptr;
        }
        pseudo_put(dir);
        dir = child;
        path += len + (path[len] == '/');
    }
    return dir;
}

int sysfs_register(const char *folder, const struct pseudo_entry *entries, void *object)
{
    struct pseudo_dir *dir = sysfs_folder(folder);
    if (!dir)
        return -ENOMEM;
    if (!dir->object)
        dir->object = object;
    int err = pseudo_table_add(dir, entries);
    pseudo_put(dir);
    return err;
}

static const struct superblock_ops sysfs_super_ops = {
    .alloc_inode = pseudo_alloc_inode,
    .free_inode = pseudo_free_inode,
    .evict_inode = pseudo_evict_inode,
    .statfs = pseudo_statfs,
};

static int sysfs_get_super(const struct file_system_type *, unsigned, const char *, const char *options, struct superblock **out)
{
    if (options && *options)
        return -EINVAL;
    if (!instance)
        return -ENODEV;
    *out = sb_get(instance);
    return 0;
}
FILE_SYSTEM(sysfs_type) = {.name = "sysfs", .flags = FS_USERNS_MOUNT, .get_super = sysfs_get_super};

// ---- firmware/efi: there exactly when the machine was started by it -------------------------------------------------

static int word_size_show(struct seq_file *m, void *)
{
    seq_puts(m, "64\n");
    return 0;
}
static const struct pseudo_entry efi_files[] = {{.name = "fw_platform_size", .mode = 0444, .show = word_size_show}, {}};

static void must(int err)
{
    if (err)
        panic("sysfs: no memory for its tree");
}

static void must_folder(const char *path)
{
    struct pseudo_dir *dir = sysfs_folder(path);
    must(dir ? 0 : -ENOMEM);
    pseudo_put(dir);
}

static int sysfs_tree_init(void)
{
    // Those that stay empty while there is nothing of their kind are there all the same: programs list them.
    static const char *const folders[] = {"block",    "bus",       "class/block",     "class/net", "class/power_supply",
                                          "dev/char", "dev/block", "devices/virtual", "fs/cgroup", "kernel"};
    sysfs_root = pseudo_root(nullptr, nullptr);
    must(sysfs_root ? 0 : -ENOMEM);
    sysfs_root->mode = 0555;
    sysfs_root->file_fops = &pseudo_sized_fops;
    sysfs_root->file_size = PAGE_SIZE;
    for (unsigned i = 0; i < ARRAY_SIZE(folders); i++)
        must_folder(folders[i]);
    if (boot_info.efi_system_table)
        must(sysfs_register("firmware/efi", efi_files, nullptr));
    return pseudo_super_make(&sysfs_type, 0, SYSFS_MAGIC, &sysfs_super_ops, sysfs_root, &instance);
}
INITCALL(subsys, sysfs_tree_init);
