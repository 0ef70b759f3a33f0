// kernel/drivers/log/kmsg.c — /dev/kmsg: the log record by record, each reader with a position of its own; writing adds a record. The format is that of
// Linux's Documentation/ABI/testing/dev-kmsg: "prio,sequence,microseconds,flag;text".
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/log/log_stream.h"
#include "kernel/drivers/mem/mem.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"

#define WRITE_MAX 1024u
#define LINE_SIZE (LOG_RECORD_MAX * 4 + 64) // each byte may become \xNN
#define FACILITY_USER 1u
#define SEEK_SET 0
#define SEEK_END 2
#define SEEK_DATA 3

DEFINE_LOCK_CLASS(kmsg_class, "kmsg reader", (enum lock_rank)(RANK_TTY + 1));

struct kmsg_reader {
    struct mutex lock;
    uint64_t seq;           // next record: lock
    char text[LOG_RECORD_MAX];
    char line[LINE_SIZE];
};

static int kmsg_open(struct inode *, struct file *file)
{
    if (!(file->mode & FMODE_READ))
        return 0;
    int err = log_may_read(true);
    if (err)
        return err;
    struct kmsg_reader *r = kmalloc(sizeof *r, ALLOC_KERNEL);
    if (!r)
        return -ENOMEM;
    mutex_init(&r->lock, &kmsg_class);
    r->seq = log_first_seq();
    file->private = r;
    return 0;
}

static void kmsg_release(struct file *file)
{
    kfree(file->private);
}

static size_t format(struct kmsg_reader *r, const struct log_record *record)
{
    size_t n = (size_t)scnprintf(r->line, LINE_SIZE, "%u,%llu,%llu,-;", record->facility << 3 | record->level, (unsigned long long)record->seq,
                                 (unsigned long long)record->time / 1000);
    for (size_t i = 0; i < record->size; i++) {
        uint8_t c = (uint8_t)r->text[i];
        if (c < ' ' || c >= 127 || c == '\\')
            n += (size_t)scnprintf(r->line + n, LINE_SIZE - n, "\\x%02x", c);
        else
            r->line[n++] = (char)c;
    }
    r->line[n++] = '\n';
    return n;
}

static ssize_t read_one(struct kmsg_reader *r, struct iov_iter *to) REQUIRES(r->lock)
{
    struct log_record record;
    int err = log_read(&r->seq, &record, r->text, sizeof r->text);
    if (err)
        return err;
    size_t n = format(r, &record);
    if (n > iov_iter_count(to))
        return -EINVAL;
    if (copy_to_iter(to, r->line, n) < n)
        return -EFAULT;
    r->seq++;
    return (ssize_t)n;
}

static ssize_t kmsg_read(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct kmsg_reader *r = file->private;
    for (;;) {
        if (mutex_lock_interruptible(&r->lock))
            return -ERESTARTSYS;
        ssize_t n = read_one(r, to);
        mutex_unlock(&r->lock);
        if (n != -EAGAIN || file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT)
            return n;
        if (wait_event_interruptible(&log_wq, READ_ONCE(r->seq) < log_next_seq()))
            return -ERESTARTSYS;
    }
}

static ssize_t kmsg_write(struct file *, struct iov_iter *from, loff_t *, unsigned)
{
    size_t size = iov_iter_count(from);
    if (size > WRITE_MAX)
        return -EINVAL;
    char *text = kmalloc(size + 1, ALLOC_KERNEL);
    if (!text)
        return -ENOMEM;
    if (copy_from_iter(from, text, size) < size) {
        kfree(text);
        return -EFAULT;
    }
    text[size] = 0;
    unsigned priority = 0, facility = FACILITY_USER;
    enum log_level level = (enum log_level)default_message_loglevel;
    char *at = text;
    if (*at == '<') { // <N>: level and facility
        char *digit = at + 1;
        while (*digit >= '0' && *digit <= '9' && priority < 100000)
            priority = priority * 10 + (unsigned)(*digit++ - '0');
        if (digit > at + 1 && *digit == '>') {
            level = (enum log_level)(priority & 7);
            facility = priority >> 3 ? priority >> 3 & 0xff : FACILITY_USER;
            at = digit + 1;
        }
    }
    log_store(level, facility, at, size - (size_t)(at - text));
    kfree(text);
    return (ssize_t)size;
}

static loff_t kmsg_llseek(struct file *file, loff_t offset, int whence)
{
    struct kmsg_reader *r = file->private;
    if (!r)
        return -EBADF;
    if (offset)
        return -ESPIPE;
    mutex_guard(&r->lock);
    switch (whence) {
    case SEEK_SET:
        r->seq = log_first_seq();
        return 0;
    case SEEK_DATA:
        r->seq = max(log_clear_seq(), log_first_seq());
        return 0;
    case SEEK_END:
        r->seq = log_next_seq();
        return 0;
    }
    return -EINVAL;
}

static uint32_t kmsg_poll(struct file *file, struct poll_table *pt)
{
    struct kmsg_reader *r = file->private;
    if (!r)
        return EPOLLERR | EPOLLNVAL;
    poll_wait(file, &log_wq, pt);
    uint64_t seq = READ_ONCE(r->seq);
    if (seq >= log_next_seq())
        return 0;
    return EPOLLIN | EPOLLRDNORM | (seq < log_first_seq() ? EPOLLERR | EPOLLPRI : 0);
}

const struct file_ops kmsg_ops = {
    .read_iter = kmsg_read, .write_iter = kmsg_write, .llseek = kmsg_llseek, .poll = kmsg_poll, .open = kmsg_open, .release = kmsg_release};
