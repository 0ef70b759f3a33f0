// kernel/drivers/log/log_stream.h — the kernel log as one stream that every reader shares: syslog(2) and /proc/kmsg.
#pragma once

#include "kernel/vfs/vfs.h"

// Takes lines off the stream ("<6>[    0.000000] text\n"), as many whole ones as fit; of one that does not fit alone the beginning, and the rest is next.
// Waits for the first unless `nonblock`. Bytes; -EAGAIN, -ERESTARTSYS, -EFAULT, -ENOMEM. The caller has checked log_may_read(false).
[[nodiscard]] ssize_t log_stream_read(struct iov_iter *to, bool nonblock);
uint32_t log_stream_poll(struct file *file, struct poll_table *pt); // readable while a record is there that nobody took
// Whether the current thread may look at the log (dmesg_restrict); `all_of_it`: the calls that leave the stream as it is. 0 or -EPERM.
[[nodiscard]] int log_may_read(bool all_of_it);
extern int sysctl_dmesg_restrict; // /proc/sys/kernel/dmesg_restrict
extern int sysctl_printk[4];      // /proc/sys/kernel/printk as it was set; the first number's own place is console_loglevel

uint64_t log_clear_seq(void); // the first record that dmesg -c has not cleared
// Readers sleep here for a new record.
extern struct waitqueue log_wq;
