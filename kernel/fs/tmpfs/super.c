// kernel/fs/tmpfs/super.c — tmpfs superblocks: options, limits, statfs; also the root file system that the initramfs is unpacked into.
#include "kernel/abi/statfs.h"
#include "kernel/base/string.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/seq_file.h"

static uint64_t half_of_memory(void) // pages
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    return mem.total / 2;
}

// size=: bytes with k, m, g, or a percentage of memory. In pages, rounded up.
static int parse_size_option(const char *value, uint64_t *pages)
{
    const char *end;
    uint64_t n;
    if (parse_size(value, &end, &n))
        return -EINVAL;
    if (*end == '%') {
        struct mem_counts mem;
        mem_counts_read(&mem);
        n = n * mem.total / 100;
        end++;
    } else {
        n = DIV_ROUND_UP(n, PAGE_SIZE);
    }
    *pages = n;
    return *end ? -EINVAL : 0;
}

static int parse_count(const char *value, uint64_t *out)
{
    const char *end;
    return parse_size(value, &end, out) || *end ? -EINVAL : 0;
}

static int parse_option(struct tmpfs_sb *ts, const char *key, const char *value)
{
    uint32_t n;
    if (!strcmp(key, "size")) {
        ts->default_blocks = false;
        return parse_size_option(value, &ts->max_blocks);
    }
    if (!strcmp(key, "nr_blocks")) {
        ts->default_blocks = false;
        return parse_count(value, &ts->max_blocks);
    }
    if (!strcmp(key, "nr_inodes")) {
        ts->default_inodes = false;
        return parse_count(value, &ts->max_inodes) || ts->max_inodes > UINT64_MAX / TMPFS_INODE_BYTES ? -EINVAL : 0;
    }
    if (!strcmp(key, "mode")) {
        if (parse_u32(value, 8, &n))
            return -EINVAL;
        ts->mode = n & 07777;
        return 0;
    }
    if (!strcmp(key, "uid"))
        return parse_u32(value, 10, &ts->uid) ? -EINVAL : 0;
    if (!strcmp(key, "gid"))
        return parse_u32(value, 10, &ts->gid) ? -EINVAL : 0;
    if (!strcmp(key, "inode64") || !strcmp(key, "noswap"))
        return 0; // inode numbers are wide and nothing is ever swapped
    return -EINVAL;
}

static int parse_options(struct tmpfs_sb *ts, const char *options)
{
    char key[32], value[64];
    while (mount_option_next(&options, key, sizeof key, value, sizeof value)) {
        int err = parse_option(ts, key, value);
        if (err)
            return err;
    }
    return 0;
}

static int tmpfs_remount(struct superblock *sb, unsigned, const char *options)
{
    struct tmpfs_sb *ts = tmpfs_sb(sb), changed = *ts;
    int err = parse_options(&changed, options);
    if (err)
        return err;
    if ((changed.max_blocks && changed.max_blocks < ts->used_blocks) || (changed.max_inodes && changed.max_inodes * TMPFS_INODE_BYTES < ts->used_inode_bytes))
        return -EINVAL;
    if ((!ts->max_blocks && changed.max_blocks) || (!ts->max_inodes && changed.max_inodes))
        return -EINVAL; // nothing was counted until now
    WRITE_ONCE(ts->max_blocks, changed.max_blocks);
    WRITE_ONCE(ts->max_inodes, changed.max_inodes);
    ts->default_blocks = changed.default_blocks;
    ts->default_inodes = changed.default_inodes;
    ts->mode = changed.mode;
    ts->uid = changed.uid;
    ts->gid = changed.gid;
    return 0;
}

static int tmpfs_statfs(struct dentry *dentry, struct kstatfs *out)
{
    struct tmpfs_sb *ts = tmpfs_sb(dentry->sb);
    out->type = dentry->sb->magic;
    out->bsize = out->frsize = PAGE_SIZE;
    out->namelen = NAME_MAX;
    if (ts->max_blocks) {
        out->blocks = ts->max_blocks;
        out->bfree = out->bavail = ts->max_blocks - min(ts->max_blocks, READ_ONCE(ts->used_blocks));
    }
    if (ts->max_inodes) {
        out->files = ts->max_inodes;
        out->ffree = ts->max_inodes - min(ts->max_inodes, DIV_ROUND_UP(READ_ONCE(ts->used_inode_bytes), TMPFS_INODE_BYTES));
    }
    return 0;
}

static void tmpfs_show_options(struct seq_file *m, struct superblock *sb)
{
    struct tmpfs_sb *ts = tmpfs_sb(sb);
    if (!ts->default_blocks)
        seq_printf(m, ",size=%lluk", (unsigned long long)ts->max_blocks * (PAGE_SIZE / 1024));
    if (!ts->default_inodes)
        seq_printf(m, ",nr_inodes=%llu", (unsigned long long)ts->max_inodes);
    if (ts->mode != 01777)
        seq_printf(m, ",mode=%03o", ts->mode);
    if (ts->uid)
        seq_printf(m, ",uid=%u", ts->uid);
    if (ts->gid)
        seq_printf(m, ",gid=%u", ts->gid);
    seq_puts(m, ",inode64");
}

static void tmpfs_put_super(struct superblock *sb)
{
    kfree(sb->private);
    sb->private = nullptr;
}

static const struct superblock_ops tmpfs_super_ops = {
    .alloc_inode = tmpfs_alloc_inode,
    .free_inode = tmpfs_free_inode,
    .evict_inode = tmpfs_evict_inode,
    .put_super = tmpfs_put_super,
    .statfs = tmpfs_statfs,
    .remount = tmpfs_remount,
    .show_options = tmpfs_show_options,
    .keep_dentries = true,
};

int tmpfs_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *options, struct superblock **out)
{
    struct tmpfs_sb *ts = kzalloc(sizeof *ts, ALLOC_KERNEL);
    if (!ts)
        return -ENOMEM;
    const struct cred *cred = current_cred();
    *ts = (struct tmpfs_sb){.mode = 01777, .uid = cred->fsuid, .gid = cred->fsgid, .default_blocks = true, .default_inodes = true};
    if (!(flags & SB_KERNMOUNT))
        ts->max_blocks = ts->max_inodes = half_of_memory();
    int err = parse_options(ts, options);
    if (err) {
        kfree(ts);
        return err;
    }
    struct superblock *sb = sb_alloc(type, flags | SB_POSIXACL);
    if (!sb) {
        kfree(ts);
        return -ENOMEM;
    }
    sb->ops = &tmpfs_super_ops;
    sb->private = ts;
    sb->magic = TMPFS_MAGIC;
    struct inode *root;
    err = tmpfs_inode_create(sb, nullptr, ts->mode | S_IFDIR, 0, &root);
    if (!err) {
        root->uid = ts->uid;
        root->gid = ts->gid;
        sb->root = d_alloc_root(root);
        err = sb->root ? 0 : -ENOMEM;
    }
    if (err) {
        sb_put(sb);
        return err;
    }
    *out = sb;
    return 0;
}
FILE_SYSTEM(tmpfs_type) = {.name = "tmpfs", .flags = FS_USERNS_MOUNT, .get_super = tmpfs_get_super};

// As on Linux, with tmpfs' own defaults: the root directory has mode 1777 until something in the initramfs says otherwise.
FILE_SYSTEM(rootfs_type) = {.name = "rootfs", .flags = FS_NO_USER_MOUNT, .get_super = tmpfs_get_super};
