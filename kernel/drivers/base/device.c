// kernel/drivers/base/device.c — the tree of devices and their classes. devtmpfs and sysfs watch it.
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/device.h"
#include "kernel/vfs/seq_file.h"

#define MAX_NOTIFIERS 4u // devtmpfs, sysfs, and room

// Outside the inode locks that the watchers take.
DEFINE_LOCK_CLASS(devices_class, "devices", (enum lock_rank)(RANK_EXEC + 1));
static struct mutex devices_lock = MUTEX_INIT(devices_lock, &devices_class);
static LIST_HEAD(devices); // all of them, in the order of device_add(): parents first. devices_lock
static LIST_HEAD(classes); // devices_lock
static void (*notifiers[MAX_NOTIFIERS])(struct device *dev, bool present);
static unsigned nr_notifiers;

int device_class_register(struct device_class *class)
{
    mutex_guard(&devices_lock);
    struct device_class *other;
    list_for_each_entry(other, &classes, link)
        if (!strcmp(other->name, class->name))
            return -EEXIST;
    list_init(&class->devices);
    list_add_tail(&class->link, &classes);
    return 0;
}

static void notify(struct device *dev, bool present)
{
    for (unsigned i = 0; i < nr_notifiers; i++)
        notifiers[i](dev, present);
}

int device_add(struct device *dev)
{
    mutex_guard(&devices_lock);
    struct device *other;
    list_for_each_entry(other, &devices, link)
        if (other->parent == dev->parent && other->class == dev->class && !strcmp(other->name, dev->name))
            return -EEXIST;
    list_init(&dev->children);
    list_add_tail(&dev->link, &devices);
    if (dev->parent)
        list_add_tail(&dev->sibling, &dev->parent->children);
    else
        list_init(&dev->sibling);
    if (dev->class)
        list_add_tail(&dev->class_link, &dev->class->devices);
    else
        list_init(&dev->class_link);
    notify(dev, true);
    return 0;
}

void device_remove(struct device *dev)
{
    mutex_guard(&devices_lock);
    notify(dev, false);
    list_del(&dev->link);
    list_del_init(&dev->sibling);
    list_del_init(&dev->class_link);
}

void misc_devices_show(struct seq_file *m)
{
    mutex_guard(&devices_lock);
    struct device *dev;
    list_for_each_entry(dev, &devices, link)
        if (MAJOR(dev->devt) == MISC_MAJOR && !dev->block)
            seq_printf(m, "%3u %s\n", MINOR(dev->devt), dev->name);
}

void device_set_notifier(void (*fn)(struct device *dev, bool present))
{
    mutex_guard(&devices_lock);
    if (nr_notifiers == MAX_NOTIFIERS)
        return;
    notifiers[nr_notifiers++] = fn;
    struct device *dev;
    list_for_each_entry(dev, &devices, link)
        fn(dev, true);
}
