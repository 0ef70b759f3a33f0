// kernel/drivers/mem/mem.c — /dev/null, /dev/zero, /dev/full: null(4), full(4).
#include "kernel/boot/init.h"
#include "kernel/drivers/mem/mem.h"
#include "kernel/mm/vma.h"

static ssize_t null_read(struct file *, struct iov_iter *, loff_t *, unsigned)
{
    return 0;
}

static ssize_t null_write(struct file *, struct iov_iter *from, loff_t *, unsigned)
{
    return (ssize_t)iov_iter_take_all(from);
}

static ssize_t zero_read(struct file *, struct iov_iter *to, loff_t *, unsigned)
{
    size_t total = 0;
    for (;;) {
        size_t n = zero_iter(to, min(iov_iter_count(to), (size_t)PAGE_SIZE));
        total += n;
        if (!n)
            return total ? (ssize_t)total : -EFAULT;
        if (!iov_iter_count(to) || (thread_signal_pending && thread_signal_pending(current_thread(), false)))
            break;
        cond_resched();
    }
    return (ssize_t)total;
}

static ssize_t full_write(struct file *, struct iov_iter *, loff_t *, unsigned)
{
    return -ENOSPC;
}

// A position that reading ignores: every lseek(2) ends at 0.
static loff_t null_llseek(struct file *file, loff_t, int)
{
    return file->pos = 0;
}

static int mmap_zero(struct file *, struct vma *vma)
{
    return vma_make_anonymous(vma);
}

const struct file_ops null_ops = {.read_iter = null_read, .write_iter = null_write, .llseek = null_llseek, .nowait = true};
// Private mappings are plain anonymous memory; shared ones share it among whom they are inherited by.
const struct file_ops zero_ops = {
    .read_iter = zero_read, .write_iter = null_write, .llseek = null_llseek, .mmap = mmap_zero, .nowait = true};
const struct file_ops full_ops = {.read_iter = zero_read, .write_iter = full_write, .llseek = null_llseek};

static struct device_class mem_class = {.name = "mem"};
static struct {
    struct char_device cdev;
    struct device device;
} devices[] = {
#define MEM_DEVICE(minor, text, node_mode, operations)                                                                 \
    {.cdev = {.major = MEM_MAJOR, .first_minor = minor, .nr_minors = 1, .name = "mem", .ops = operations},              \
     .device = {.name = text, .class = &mem_class, .devt = MKDEV(MEM_MAJOR, minor), .mode = node_mode}}
    MEM_DEVICE(3, "null", 0666, &null_ops),     MEM_DEVICE(5, "zero", 0666, &zero_ops),
    MEM_DEVICE(7, "full", 0666, &full_ops),     MEM_DEVICE(8, "random", 0666, &random_ops),
    MEM_DEVICE(9, "urandom", 0666, &urandom_ops), MEM_DEVICE(11, "kmsg", 0644, &kmsg_ops),
};

static int mem_init(void)
{
    int err = device_class_register(&mem_class);
    for (unsigned i = 0; !err && i < ARRAY_SIZE(devices); i++) {
        err = char_device_register(&devices[i].cdev);
        if (!err)
            err = device_add(&devices[i].device);
    }
    return err;
}
INITCALL(subsys, mem_init);
