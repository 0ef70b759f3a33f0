// kernel/drivers/base/device.h — from device numbers to drivers, and from drivers to nodes in /dev and folders in /sys.
#pragma once

#include "kernel/vfs/vfs.h"

struct device;

// A range of character device numbers and what opening one of them does. `open` in ops finds the minor in inode->rdev.
struct char_device {
    struct list_head link;
    unsigned major, first_minor, nr_minors;
    const char *name;              // as in /proc/devices
    const struct file_ops *ops;
    void *private;
};
// -EBUSY where the range overlaps another. Boot or thread context.
[[nodiscard]] int char_device_register(struct char_device *cdev);
void char_device_unregister(struct char_device *cdev); // no open finds it any more; files that are open stay. May sleep
// The VFS's open of a character node: installs ops and calls ops->open; -ENXIO where nothing is registered.
int char_device_open(struct inode *inode, struct file *file);
int block_device_open(struct inode *inode, struct file *file); // no block driver yet: -ENXIO
void devices_show(struct seq_file *m);                         // /proc/devices

struct device_class {
    const char *name;              // "tty", "mem", "misc" …: /sys/class/NAME
    umode_t (*node_mode)(const struct device *dev);
    struct list_head link, devices;
};
struct device_attr {
    const char *name;
    umode_t mode;
    ssize_t (*show)(struct device *dev, char *buf, size_t size);          // at most a page
    ssize_t (*store)(struct device *dev, const char *buf, size_t len);
    // A file of bytes instead, `size` of them: up to `count` (a page at most) from `pos` on, as far as `opener` may see them; 0 at the end.
    ssize_t (*read)(struct device *dev, const struct cred *opener, char *buf, size_t count, loff_t pos);
    loff_t (*size)(const struct device *dev);
};
struct device {
    const char *name;              // "ttyS0"
    struct device *parent;         // /sys/devices/...; null: virtual/CLASS
    struct device_class *class;    // may be null
    const char *bus;               // "pci", "virtio", … or null
    dev_t devt;                    // 0: no node
    bool block;
    umode_t mode;                  // of the node in devtmpfs; 0: 0600
    const struct device_attr *attrs; // ended by a null name
    void (*uevent)(const struct device *dev, struct seq_file *m); // what its bus or class adds to the lines of its uevent file; may be null
    void *private;
    struct list_head link, children, sibling, class_link; // owned by device.c
    uint64_t sysfs;                // owned by fs/sysfs
};
// Adds to the device tree, makes the devtmpfs node and the sysfs folder (also for those added before these file systems were up).
[[nodiscard]] int device_add(struct device *dev);
void device_remove(struct device *dev); // takes its node and its folder away
#define MISC_MAJOR 10u                        // character devices that are one of a kind
void misc_devices_show(struct seq_file *m);   // /proc/misc
// For good, before its first device. -EEXIST.
[[nodiscard]] int device_class_register(struct device_class *class);
// Walks all devices (devtmpfs and sysfs populate themselves with it); also called for each later addition (present = true) or removal.
void device_set_notifier(void (*fn)(struct device *dev, bool present));
