// kernel/fs/proc/super.c — procfs superblocks: one for each mount, bound to the PID namespace of who mounted it.
#include "kernel/abi/statfs.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

#define PROC_SUPER_MAGIC 0x9fa0

static struct slab_cache *inode_slab RO_AFTER_INIT;

static struct inode *alloc_inode(struct superblock *)
{
    struct proc_inode *pi = slab_alloc(inode_slab, ALLOC_ZERO);
    return pi ? &pi->base.vfs : nullptr;
}

static void free_inode(struct inode *inode)
{
    slab_free(inode_slab, proc_inode(inode));
}

static void evict_inode(struct inode *inode)
{
    pid_put(proc_inode(inode)->pid);
    pseudo_evict_inode(inode);
}

static void put_super(struct superblock *sb)
{
    struct proc_sb *ps = proc_sb(sb);
    if (ps) {
        pid_ns_put(ps->ns);
        kfree(ps);
    }
}

static int parse_hide_pid(const char *value, int *out)
{
    static const struct {
        const char *text;
        int value;
    } names[] = {{"0", HIDEPID_OFF},           {"off", HIDEPID_OFF},           {"1", HIDEPID_NO_ACCESS},           {"noaccess", HIDEPID_NO_ACCESS},
                 {"2", HIDEPID_INVISIBLE}, {"invisible", HIDEPID_INVISIBLE}, {"4", HIDEPID_NOT_PTRACEABLE}, {"ptraceable", HIDEPID_NOT_PTRACEABLE}};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(value, names[i].text)) {
            *out = names[i].value;
            return 0;
        }
    return -EINVAL;
}

static int parse_options(struct proc_sb *ps, const char *options)
{
    char key[32], value[32];
    while (mount_option_next(&options, key, sizeof key, value, sizeof value)) {
        int err = -EINVAL;
        if (!strcmp(key, "hidepid")) {
            err = parse_hide_pid(value, &ps->hide_pid);
        } else if (!strcmp(key, "gid")) {
            err = parse_u32(value, 10, &ps->gid);
        } else if (!strcmp(key, "subset") && !strcmp(value, "pid")) {
            ps->only_pids = true;
            err = 0;
        }
        if (err)
            return -EINVAL;
    }
    return 0;
}

static int remount(struct superblock *sb, unsigned, const char *options)
{
    struct proc_sb changed = *proc_sb(sb);
    int err = parse_options(&changed, options);
    if (!err)
        *proc_sb(sb) = changed;
    return err;
}

static void show_options(struct seq_file *m, struct superblock *sb)
{
    static const char *const names[] = {"off", "noaccess", "invisible", "", "ptraceable"};
    const struct proc_sb *ps = proc_sb(sb);
    if (ps->gid)
        seq_printf(m, ",gid=%u", ps->gid);
    if (ps->hide_pid)
        seq_printf(m, ",hidepid=%s", names[ps->hide_pid]);
    if (ps->only_pids)
        seq_puts(m, ",subset=pid");
}

static const struct superblock_ops proc_super_ops = {
    .alloc_inode = alloc_inode,
    .free_inode = free_inode,
    .evict_inode = evict_inode,
    .put_super = put_super,
    .statfs = pseudo_statfs,
    .remount = remount,
    .show_options = show_options,
};

static int root_getattr(const struct path *path, struct kstat *stat, uint32_t, unsigned)
{
    generic_getattr(path->dentry->inode, stat);
    // A link for each process, as other systems count it.
    stat->nlink += proc_sb(path->dentry->sb)->ns->nr_pids;
    return 0;
}

static const struct inode_ops proc_root_ops = {.lookup = proc_root_lookup, .getattr = root_getattr};
static const struct file_ops proc_root_fops = {.iterate = proc_root_iterate, .llseek = endless_llseek, .fsync = noop_fsync};

static int proc_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *options, struct superblock **out)
{
    struct proc_sb *ps = kzalloc(sizeof *ps, ALLOC_KERNEL);
    if (!ps)
        return -ENOMEM;
    int err = parse_options(ps, options);
    if (err) {
        kfree(ps);
        return err;
    }
    struct task *task = current_task();
    ps->ns = pid_ns_get(task ? task_pid_ns(task) : &init_pid_ns);
    struct superblock *sb;
    err = pseudo_super_make(type, flags, PROC_SUPER_MAGIC, &proc_super_ops, proc_root_dir, &sb);
    if (err) {
        pid_ns_put(ps->ns);
        kfree(ps);
        return err;
    }
    sb->private = ps;
    sb->blocksize = 1024;
    struct inode *root = sb->root->inode;
    root->ino = 1;
    root->mode = S_IFDIR | 0555;
    root->ops = &proc_root_ops;
    root->fops = &proc_root_fops;
    *out = sb;
    return 0;
}
FILE_SYSTEM(proc_type) = {.name = "proc", .flags = FS_USERNS_MOUNT, .get_super = proc_get_super};

static int proc_inodes_init(void)
{
    inode_slab = slab_cache_create("proc_inode", sizeof(struct proc_inode), 64, 0, nullptr);
    ASSERT(inode_slab);
    return 0;
}
INITCALL(core, proc_inodes_init);
