// kernel/fs/sysfs/devices.c — a folder for each device that drivers/base knows, and the links that lead to it.
//
// A device is gone for good when its driver's device_remove() returns: the folder is dead by then, and device_sem has waited for those who were just reading
// one of its files.
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/device.h"
#include "kernel/fs/sysfs/sysfs.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/rwsem.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

DEFINE_LOCK_CLASS(device_files_class, "device files", (enum lock_rank)(RANK_NONE + 6));
static struct rwsem device_sem; // read: a device's attribute is being used; write: a device goes

struct device_folder {
    struct pseudo_dir *dir;
    struct device *dev;
    struct rcu_head rcu;
    struct pseudo_entry entries[]; // uevent, dev, the driver's attributes
};

static bool gone(const struct file *file)
{
    return READ_ONCE(pseudo_inode(file->inode)->dir->dead);
}

// ---- files ----------------------------------------------------------------------------------------------------------

static int dev_show(struct seq_file *m, void *object)
{
    const struct device_folder *f = object;
    read_guard(&device_sem);
    if (gone(m->file))
        return -ENODEV;
    seq_printf(m, "%u:%u\n", MAJOR(f->dev->devt), MINOR(f->dev->devt));
    return 0;
}

static int uevent_show(struct seq_file *m, void *object)
{
    const struct device_folder *f = object;
    read_guard(&device_sem);
    if (gone(m->file))
        return -ENODEV;
    const struct device *dev = f->dev;
    if (dev->devt) {
        umode_t mode = dev->mode;
        if (dev->class && dev->class->node_mode && dev->class->node_mode(dev))
            mode = dev->class->node_mode(dev);
        seq_printf(m, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", MAJOR(dev->devt), MINOR(dev->devt), dev->name);
        if (mode && mode != 0600) // what a node has that nobody said anything of
            seq_printf(m, "DEVMODE=0%o\n", mode & 07777);
    }
    if (dev->uevent)
        dev->uevent(dev, m);
    return 0;
}

static size_t word_length(const char *s)
{
    size_t n = 0;
    while ((s[n] >= '0' && s[n] <= '9') || (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z'))
        n++;
    return n;
}

// What may follow an action: " UUID", then any number of " KEY=VALUE".
static bool is_event_detail(const char *s)
{
    static const uint8_t groups[] = {8, 4, 4, 4, 12};
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        if (*s++ != (i ? '-' : ' ') || strspn(s, "0123456789abcdefABCDEF") < groups[i])
            return false;
        s += groups[i];
    }
    while (*s == ' ') {
        size_t key = word_length(++s);
        if (!key || s[key] != '=')
            return false;
        s += key + 1;
        size_t value = word_length(s);
        if (!value)
            return false;
        s += value;
    }
    return !*s;
}

// Asks for an event as if the device had just come, changed or gone. There is no one here who could hear of it, so that what is asked is only checked.
static ssize_t uevent_store(struct file *file, void *, char *text, size_t len, loff_t)
{
    static const char *const actions[] = {"add", "bind", "change", "move", "offline", "online", "remove", "unbind"};
    if (gone(file))
        return -ENODEV;
    size_t end = len && text[len - 1] == '\n' ? len - 1 : len;
    if (memchr(text, 0, end))
        return -EINVAL;
    text[end] = 0;
    size_t word = strcspn(text, " ");
    for (unsigned i = 0; i < ARRAY_SIZE(actions); i++)
        if (strlen(actions[i]) == word && !memcmp(actions[i], text, word))
            return !text[word] || is_event_detail(text + word) ? (ssize_t)len : -EINVAL;
    return -EINVAL;
}

static int attr_show(struct seq_file *m, void *object)
{
    const struct device_folder *f = object;
    const struct device_attr *attr = pseudo_entry(m->file)->data;
    char *buf = kmalloc(PAGE_SIZE, ALLOC_KERNEL);
    if (!buf)
        return -ENOMEM;
    ssize_t n = -ENODEV;
    {
        read_guard(&device_sem);
        if (!gone(m->file))
            n = attr->show(f->dev, buf, PAGE_SIZE);
    }
    if (n > 0)
        seq_write(m, buf, (size_t)n);
    kfree(buf);
    return n < 0 ? (int)n : 0;
}

static ssize_t attr_store(struct file *file, void *object, char *text, size_t len, loff_t)
{
    const struct device_folder *f = object;
    const struct device_attr *attr = pseudo_entry(file)->data;
    read_guard(&device_sem);
    return gone(file) ? -ENODEV : attr->store(f->dev, text, len);
}

static int bytes_open(struct inode *, struct file *file)
{
    return gone(file) ? -ENODEV : file->mode & FMODE_WRITE ? -EACCES : 0;
}

// A file of bytes: what they are depends on where, and on who opened it.
static ssize_t bytes_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    const struct device_folder *f = pseudo_object(file);
    const struct device_attr *attr = pseudo_entry(file)->data;
    char *buf = kmalloc(PAGE_SIZE, ALLOC_KERNEL);
    if (!buf)
        return -ENOMEM;
    ssize_t n = -ENODEV;
    {
        read_guard(&device_sem);
        if (!gone(file))
            n = attr->read(f->dev, file->cred, buf, min(iov_iter_count(to), PAGE_SIZE), *pos);
    }
    if (n > 0) {
        size_t copied = copy_to_iter(to, buf, (size_t)n);
        n = copied ? (ssize_t)copied : -EFAULT;
        *pos += (loff_t)copied;
    }
    kfree(buf);
    return n;
}
static const struct file_ops bytes_fops = {.open = bytes_open, .read_iter = bytes_read, .llseek = pseudo_sized_llseek, .fsync = noop_fsync};

// ---- folders --------------------------------------------------------------------------------------------------------

static struct device_folder *folder_of(const struct device *dev)
{
    return (struct device_folder *)(uintptr_t)dev->sysfs;
}

static void folder_free(void *object)
{
    struct device_folder *f = object;
    kfree_rcu(f, rcu);
}

// A device's name with '/' as '!': "pts/0" is one name here.
static const char *flat_name(const struct device *dev, char buf[48])
{
    strlcpy(buf, dev->name, 48);
    for (char *c = buf; *c; c++)
        if (*c == '/')
            *c = '!';
    return buf;
}

static struct device_folder *folder_make(struct device *dev)
{
    unsigned n = 0;
    while (dev->attrs && dev->attrs[n].name)
        n++;
    struct device_folder *f = kzalloc(sizeof *f + (n + 3) * sizeof f->entries[0], ALLOC_KERNEL);
    if (!f)
        return nullptr;
    f->dev = dev;
    struct pseudo_entry *e = f->entries;
    *e++ = (struct pseudo_entry){.name = "uevent", .mode = 0644, .show = uevent_show, .store = uevent_store};
    if (dev->devt)
        *e++ = (struct pseudo_entry){.name = "dev", .mode = 0444, .show = dev_show};
    for (unsigned i = 0; i < n; i++) {
        const struct device_attr *a = &dev->attrs[i];
        *e++ = (struct pseudo_entry){.name = a->name,
                                     .mode = a->mode,
                                     .show = a->show ? attr_show : nullptr,
                                     .store = a->store ? attr_store : nullptr,
                                     .fops = a->read ? &bytes_fops : nullptr,
                                     .size = a->size ? a->size(dev) : 0,
                                     .data = a};
    }
    return f;
}

// Where the device's folder goes: below its parent, or among those of its class that have none.
static struct pseudo_dir *place_of(const struct device *dev)
{
    if (dev->parent && dev->parent->sysfs) {
        struct pseudo_dir *parent = pseudo_get(folder_of(dev->parent)->dir);
        if (!dev->class || (dev->parent->class && dev->parent->class == dev->class))
            return parent;
        // A class's devices stand together in a folder of its name: pci0000:00/…/tty/ttyS4.
        struct pseudo_dir *group = pseudo_find(parent, dev->class->name, strlen(dev->class->name));
        if (!group && pseudo_mkdir(parent, dev->class->name, nullptr, nullptr, &group))
            group = nullptr;
        pseudo_put(parent);
        return group;
    }
    char path[64];
    if (dev->class)
        snprintf(path, sizeof path, "devices/virtual/%s", dev->class->name);
    else
        snprintf(path, sizeof path, "devices");
    return sysfs_folder(path);
}

// The text of a link at depth `depth` below the root to `dir`.
static char *link_text(const struct pseudo_dir *dir, unsigned depth)
{
    size_t size = depth * 3; // each name brings its slash, the last one the NUL
    for (const struct pseudo_dir *d = dir; d->parent; d = d->parent)
        size += strlen(d->name) + 1;
    char *text = kmalloc(size, ALLOC_KERNEL);
    if (!text)
        return nullptr;
    char *at = text + size - 1;
    *at = 0;
    for (const struct pseudo_dir *d = dir; d->parent; d = d->parent) {
        size_t len = strlen(d->name);
        at -= len;
        memcpy(at, d->name, len);
        if (d->parent->parent)
            *--at = '/';
    }
    while (depth--) {
        at -= 3;
        memcpy(at, "../", 3);
    }
    return text;
}

static unsigned depth_of(const struct pseudo_dir *dir)
{
    unsigned n = 0;
    for (; dir->parent; dir = dir->parent)
        n++;
    return n;
}

static int link_from(struct pseudo_dir *from, const char *name, const struct pseudo_dir *to)
{
    char *text = from ? link_text(to, depth_of(from)) : nullptr;
    int err = text ? pseudo_symlink(from, name, text) : -ENOMEM;
    kfree(text);
    return err;
}

static int link_in(const char *folder, const char *name, const struct pseudo_dir *to)
{
    struct pseudo_dir *from = sysfs_folder(folder);
    int err = link_from(from, name, to);
    pseudo_put(from);
    return err;
}

static void unlink_in(const char *folder, const char *name)
{
    struct pseudo_dir *from = sysfs_folder(folder);
    if (from)
        pseudo_remove_named(from, name);
    pseudo_put(from);
}

// All links to a device: for each, `fn` gets the folder and the name in it.
static int each_link(const struct device *dev, int (*fn)(const char *folder, const char *name, const struct pseudo_dir *to), const struct pseudo_dir *to)
{
    char folder[80], name[24], flat[48];
    int err = 0;
    flat_name(dev, flat);
    if (dev->class) {
        snprintf(folder, sizeof folder, "class/%s", dev->class->name);
        err = fn(folder, flat, to);
    }
    if (!err && dev->bus) {
        snprintf(folder, sizeof folder, "bus/%s/devices", dev->bus);
        err = fn(folder, flat, to);
    }
    if (!err && dev->devt) {
        snprintf(name, sizeof name, "%u:%u", MAJOR(dev->devt), MINOR(dev->devt));
        err = fn(dev->block ? "dev/block" : "dev/char", name, to);
    }
    return err;
}

static int unlink_one(const char *folder, const char *name, const struct pseudo_dir *)
{
    unlink_in(folder, name);
    return 0;
}

static int add_folder(struct device *dev)
{
    struct device_folder *f = folder_make(dev);
    struct pseudo_dir *place = f ? place_of(dev) : nullptr;
    char flat[48];
    int err = place ? pseudo_mkdir(place, flat_name(dev, flat), f->entries, f, &f->dir) : -ENOMEM;
    pseudo_put(place);
    if (err) {
        kfree(f);
        return err;
    }
    f->dir->release = folder_free;
    dev->sysfs = (uintptr_t)f;
    err = each_link(dev, link_in, f->dir);
    char folder[64];
    if (!err && dev->class) {
        snprintf(folder, sizeof folder, "class/%s", dev->class->name);
        struct pseudo_dir *to = sysfs_folder(folder);
        err = to ? link_from(f->dir, "subsystem", to) : -ENOMEM;
        pseudo_put(to);
    } else if (!err && dev->bus) {
        snprintf(folder, sizeof folder, "bus/%s", dev->bus);
        struct pseudo_dir *to = sysfs_folder(folder);
        err = to ? link_from(f->dir, "subsystem", to) : -ENOMEM;
        pseudo_put(to);
    }
    if (!err && dev->parent && dev->parent->sysfs && dev->class)
        err = link_from(f->dir, "device", folder_of(dev->parent)->dir);
    return err;
}

static void device_changed(struct device *dev, bool present)
{
    if (present) {
        int err = add_folder(dev);
        if (err)
            pr_warn("sysfs: no folder for %s (error %d)\n", dev->name, -err);
        return;
    }
    struct device_folder *f = folder_of(dev);
    if (!f)
        return;
    each_link(dev, unlink_one, nullptr);
    struct pseudo_dir *dir = f->dir;
    pseudo_remove(dir);
    dev->sysfs = 0;
    down_write(&device_sem); // nobody is in one of its files any more
    up_write(&device_sem);
    pseudo_put(dir);
}

static int sysfs_devices_init(void)
{
    rwsem_init(&device_sem, &device_files_class);
    device_set_notifier(device_changed);
    return 0;
}
INITCALL(fs, sysfs_devices_init);
