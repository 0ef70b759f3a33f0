// kernel/vfs/super.c — superblocks, file-system types, the parsing of mount options.
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/seq_file.h"

static DEFINE_LOCK_CLASS(sb_inodes_class, "superblock inodes", RANK_SUPERBLOCK);
static DEFINE_LOCK_CLASS(sb_rename_class, "superblock rename", RANK_RENAME);
static DEFINE_LOCK_CLASS(sb_list_class, "superblock list", RANK_MOUNT);

// Between these the linker collects what FILE_SYSTEM() registers.
extern const struct file_system_type *const __file_systems_start[], *const __file_systems_end[];

static struct mutex all_lock = MUTEX_INIT(all_lock, &sb_list_class);
static LIST_HEAD(all);
static unsigned long anon_devs[64]; // minors of major 0; all_lock
static uint64_t anon_overflow;

static dev_t anon_dev_take(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(anon_devs); i++) {
        if (!~anon_devs[i])
            continue;
        unsigned bit = (unsigned)__builtin_ctzl(~anon_devs[i]);
        if (i == 0 && bit == 0) { // 0:0 is no device
            anon_devs[0] |= 1;
            i--;
            continue;
        }
        anon_devs[i] |= 1UL << bit;
        return MKDEV(0, i * 64 + bit);
    }
    // Beyond four thousand live ones numbers come from a counter and are not used again.
    return MKDEV(0, ARRAY_SIZE(anon_devs) * 64 + anon_overflow++ % (0xfffff - ARRAY_SIZE(anon_devs) * 64));
}

static void anon_dev_give(dev_t dev)
{
    if (MINOR(dev) < ARRAY_SIZE(anon_devs) * 64)
        anon_devs[MINOR(dev) / 64] &= ~(1UL << MINOR(dev) % 64);
}

struct superblock *sb_alloc(const struct file_system_type *type, unsigned flags)
{
    struct superblock *sb = kzalloc(sizeof *sb, ALLOC_KERNEL);
    if (!sb)
        return nullptr;
    sb->type = type;
    sb->flags = flags;
    sb->blocksize = PAGE_SIZE;
    sb->max_bytes = INT64_MAX;
    sb->time_gran = 1;
    refcount_set(&sb->refs, 1);
    refcount_set(&sb->memory_refs, 1);
    mutex_init(&sb->rename_mutex, &sb_rename_class);
    spin_init(&sb->inodes_lock, &sb_inodes_class);
    list_init(&sb->inodes);
    list_init(&sb->mounts);
    mutex_guard(&all_lock);
    sb->dev = anon_dev_take();
    list_add_tail(&sb->all_link, &all);
    return sb;
}

int sb_create_nameless(const struct file_system_type *type, unsigned flags, uint64_t magic, const struct superblock_ops *ops, struct superblock **out)
{
    struct superblock *sb = sb_alloc(type, flags | SB_KERNMOUNT);
    if (!sb)
        return -ENOMEM;
    sb->magic = magic;
    sb->ops = ops;
    struct inode *inode = inode_alloc(sb);
    sb->root = inode ? d_alloc_root(inode) : nullptr;
    if (!sb->root) {
        sb_put(sb);
        return -ENOMEM;
    }
    inode->mode = S_IFDIR | 0700;
    *out = sb;
    return 0;
}

void sb_get_memory(struct superblock *sb)
{
    refcount_inc(&sb->memory_refs);
}

void sb_put_memory(struct superblock *sb)
{
    if (refcount_dec_and_test(&sb->memory_refs))
        kfree(sb);
}

void sb_put(struct superblock *sb)
{
    if (!sb || !refcount_dec_and_test(&sb->refs))
        return;
    inotify_superblock_gone(sb);
    if (sb->root) {
        d_invalidate_children(sb->root);
        dcache_wait_for_shrinker(sb);
        dput(sb->root); // the last reference to it
        sb->root = nullptr;
    }
    if (sb->ops && sb->ops->put_super)
        sb->ops->put_super(sb);
    {
        mutex_guard(&all_lock);
        list_del(&sb->all_link);
        anon_dev_give(sb->dev);
    }
    sb_put_memory(sb);
}

// sync(2): every superblock in turn, each held while it works.
void sync_all_superblocks(bool wait)
{
    struct superblock *sb, *prev = nullptr;
    mutex_lock(&all_lock);
    list_for_each_entry(sb, &all, all_link) {
        if (!sb->ops || !sb->ops->sync || !refcount_inc_not_zero(&sb->refs))
            continue;
        mutex_unlock(&all_lock);
        sb_put(prev);
        prev = sb;
        sb->ops->sync(sb, wait);
        mutex_lock(&all_lock);
    }
    mutex_unlock(&all_lock);
    sb_put(prev);
}

const struct file_system_type *file_system_find(const char *name, size_t len)
{
    for (const struct file_system_type *const *t = __file_systems_start; t < __file_systems_end; t++)
        if (strlen((*t)->name) == len && !memcmp((*t)->name, name, len))
            return *t;
    return nullptr;
}

void file_systems_show(struct seq_file *m)
{
    for (const struct file_system_type *const *t = __file_systems_start; t < __file_systems_end; t++)
        if (!((*t)->flags & FS_NO_USER_MOUNT))
            seq_printf(m, "%s\t%s\n", (*t)->flags & FS_REQUIRES_DEV ? "" : "nodev", (*t)->name);
}

bool mount_option_next(const char **options, char *key, size_t key_size, char *value, size_t value_size)
{
    const char *s = *options;
    while (s && *s == ',')
        s++;
    if (!s || !*s)
        return false;
    size_t len = strcspn(s, ","), key_len = strcspn(s, "=,");
    *options = s + len;
    strlcpy(key, s, min(key_size, key_len + 1));
    value[0] = 0;
    if (key_len < len)
        strlcpy(value, s + key_len + 1, min(value_size, len - key_len));
    return true;
}
