// kernel/fs/proc/kmsg.c — /proc/kmsg: the log as one stream, each line read once by whoever reads first (proc_kmsg(5), syslog(2)).
#include "kernel/drivers/log/log_stream.h"
#include "kernel/fs/proc/tables.h"

static int kmsg_open(struct inode *, struct file *)
{
    return log_may_read(false);
}

static ssize_t kmsg_read(struct file *file, struct iov_iter *to, loff_t *, unsigned)
{
    return log_stream_read(to, file->flags & O_NONBLOCK);
}

const struct file_ops proc_kmsg_fops = {.open = kmsg_open, .read_iter = kmsg_read, .poll = log_stream_poll, .nonseekable = true};
