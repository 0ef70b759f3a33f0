// kernel/drivers/base/char_device.c — the registry from character device numbers to drivers.
//
// Ranges hang on a hash by major number; opening looks under RCU. A range is not freed while files of it can be open: its owner lives as long as the kernel,
// or unregisters only when it has none.
#include "kernel/drivers/base/device.h"
#include "kernel/vfs/seq_file.h"

#define MAJOR_BUCKETS 64u

DEFINE_LOCK_CLASS(char_device_class, "char devices", (enum lock_rank)(RANK_FILE_POS + 2));
static struct mutex registry_lock = MUTEX_INIT(registry_lock, &char_device_class);
static struct list_head buckets[MAJOR_BUCKETS]; // registry_lock; readable under RCU

static struct list_head *bucket_of(unsigned major)
{
    struct list_head *b = &buckets[major % MAJOR_BUCKETS];
    if (!b->next)
        list_init(b); // first use, at boot
    return b;
}

static bool overlap(const struct char_device *a, const struct char_device *b)
{
    return a->major == b->major && a->first_minor < b->first_minor + b->nr_minors && b->first_minor < a->first_minor + a->nr_minors;
}

int char_device_register(struct char_device *cdev)
{
    mutex_guard(&registry_lock);
    struct char_device *other;
    list_for_each_entry(other, bucket_of(cdev->major), link)
        if (overlap(cdev, other))
            return -EBUSY;
    list_add_tail_rcu(&cdev->link, bucket_of(cdev->major));
    return 0;
}

void char_device_unregister(struct char_device *cdev)
{
    {
        mutex_guard(&registry_lock);
        list_del_rcu(&cdev->link);
    }
    synchronize_rcu();
}

static struct char_device *find(dev_t dev)
{
    struct list_head *b = &buckets[MAJOR(dev) % MAJOR_BUCKETS];
    struct char_device *c;
    if (!load_acquire(&b->next))
        return nullptr;
    list_for_each_entry_rcu(c, b, link)
        if (c->major == MAJOR(dev) && MINOR(dev) - c->first_minor < c->nr_minors)
            return c;
    return nullptr;
}

int char_device_open(struct inode *inode, struct file *file)
{
    rcu_read_lock();
    struct char_device *c = find(inode->rdev);
    rcu_read_unlock();
    if (!c)
        return -ENXIO;
    file->ops = c->ops;
    return c->ops->open ? c->ops->open(inode, file) : 0;
}

int block_device_open(struct inode *, struct file *)
{
    return -ENXIO; // no block driver registers anything
}

// In the order of major numbers; a name that several ranges of one major share is listed once.
void devices_show(struct seq_file *m)
{
    seq_puts(m, "Character devices:\n");
    mutex_guard(&registry_lock);
    for (unsigned major = 0; major < 512; major++) {
        const char *last = nullptr;
        struct char_device *c;
        list_for_each_entry(c, bucket_of(major), link) {
            if (c->major == major && c->name != last)
                seq_printf(m, "%3u %s\n", major, c->name);
            if (c->major == major)
                last = c->name;
        }
    }
    seq_puts(m, "\nBlock devices:\n");
}
