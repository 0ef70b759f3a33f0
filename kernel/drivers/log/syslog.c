// kernel/drivers/log/syslog.c — syslog(2), and the stream behind it and /proc/kmsg.
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/log/log_stream.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"

#define LINE_MAX (LOG_RECORD_MAX + 64) // a formatted record

enum {
    SYSLOG_CLOSE, SYSLOG_OPEN, SYSLOG_READ, SYSLOG_READ_ALL, SYSLOG_READ_CLEAR, SYSLOG_CLEAR, SYSLOG_CONSOLE_OFF, SYSLOG_CONSOLE_ON,
    SYSLOG_CONSOLE_LEVEL, SYSLOG_SIZE_UNREAD, SYSLOG_SIZE_BUFFER,
};

int sysctl_dmesg_restrict;
struct waitqueue log_wq = WAITQUEUE_INIT(log_wq);

DEFINE_LOCK_CLASS(stream_class, "log stream", (enum lock_rank)(RANK_TTY + 1));
static struct mutex stream_lock = MUTEX_INIT(stream_lock, &stream_class);
static uint64_t stream_seq;  // next record of the stream: stream_lock
static size_t stream_partial; // bytes of its line that have been taken already: stream_lock
static uint64_t clear_seq;   // dmesg -c: records before it are not shown again
static int saved_loglevel = -1;
int sysctl_printk[4] = {7, LOG_WARNING, 1, 7};

// ---- waking readers. A record may be made inside any lock: then the wake-up is left to an interrupt that this CPU sends itself ------------------------

static bool wake_pending;

static void wake_later(void)
{
    if (READ_ONCE(wake_pending) && xchg(&wake_pending, false))
        wake_up_all(&log_wq);
}

static void record_made(void)
{
    if (!in_atomic()) {
        wake_up_all(&log_wq);
    } else if (this_cpu_read(preempt_count) < PREEMPT_NMI && !xchg(&wake_pending, true)) {
        arch_send_resched(this_cpu_id());
    }
}

static int syslog_init(void)
{
    sched_deferred_hook = wake_later;
    log_notify = record_made;
    return 0;
}
INITCALL(device, syslog_init);

// ---- the stream -----------------------------------------------------------------------------------------------------

uint64_t log_clear_seq(void)
{
    return READ_ONCE(clear_seq);
}

int log_may_read(bool all_of_it)
{
    if (all_of_it && !READ_ONCE(sysctl_dmesg_restrict))
        return 0;
    return capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

// The record *seq, or the first one after it that is still there, as a line. Its length; 0: none yet. *seq moves to it.
static size_t line_at(uint64_t *seq, char *line)
{
    struct log_record record;
    char *text = line + LINE_MAX;
    int err;
    while ((err = log_read(seq, &record, text, LOG_RECORD_MAX)) == -EPIPE)
        ;
    return err ? 0 : log_format(&record, text, true, line, LINE_MAX);
}

static char *line_buffer(void) // for line_at(): the line, and behind it the bare text
{
    return kmalloc(LINE_MAX + LOG_RECORD_MAX, ALLOC_KERNEL);
}

// The stream's next line; stream_partial says how much of it has been taken. Its length; 0: none yet.
static size_t next_line(char *line) REQUIRES(stream_lock)
{
    uint64_t seq = stream_seq;
    size_t n = line_at(&stream_seq, line);
    if (stream_seq != seq)
        stream_partial = 0; // the line that was begun is gone
    return n;
}

static ssize_t take_lines(struct iov_iter *to, char *line) REQUIRES(stream_lock)
{
    size_t total = 0, n;
    while (iov_iter_count(to) && (n = next_line(line))) {
        size_t rest = n - stream_partial, part = min(rest, iov_iter_count(to));
        if (part < rest && total)
            break;
        if (copy_to_iter(to, line + stream_partial, part) < part)
            return total ? (ssize_t)total : -EFAULT;
        total += part;
        stream_partial += part;
        if (part == rest) {
            stream_partial = 0;
            stream_seq++;
        }
    }
    return (ssize_t)total;
}

ssize_t log_stream_read(struct iov_iter *to, bool nonblock)
{
    char *line = line_buffer();
    if (!line)
        return -ENOMEM;
    ssize_t n;
    for (;;) {
        mutex_lock(&stream_lock);
        n = take_lines(to, line);
        mutex_unlock(&stream_lock);
        if (n || !iov_iter_count(to))
            break;
        if (nonblock) {
            n = -EAGAIN;
            break;
        }
        if (wait_event_interruptible(&log_wq, READ_ONCE(stream_seq) < log_next_seq())) {
            n = -ERESTARTSYS;
            break;
        }
    }
    kfree(line);
    return n;
}

uint32_t log_stream_poll(struct file *file, struct poll_table *pt)
{
    poll_wait(file, &log_wq, pt);
    return READ_ONCE(stream_seq) < log_next_seq() ? EPOLLIN | EPOLLRDNORM : 0;
}

// ---- syslog(2) ------------------------------------------------------------------------------------------------------

// The newest lines that fit into `size` bytes, of those since the last clearing.
static long read_all(unsigned long buf, size_t size, bool clear)
{
    char *line = line_buffer();
    if (!line)
        return -ENOMEM;
    uint64_t end = log_next_seq(), seq = max(READ_ONCE(clear_seq), log_first_seq());
    size_t total = 0, n;
    for (uint64_t at = seq; at < end && (n = line_at(&at, line)); at++)
        total += n;
    for (; total > size && seq < end && (n = line_at(&seq, line)); seq++)
        total -= n;
    long result = 0;
    for (; seq < end && (n = line_at(&seq, line)) && (size_t)result + n <= size; seq++) {
        if (copy_to_user(user_ptr(char, buf + (unsigned long)result), line, n)) {
            result = -EFAULT;
            break;
        }
        result += (long)n;
    }
    kfree(line);
    if (clear && result >= 0)
        WRITE_ONCE(clear_seq, end);
    return result;
}

static long unread_size(void)
{
    char *line = line_buffer();
    if (!line)
        return -ENOMEM;
    long total = 0;
    size_t n;
    mutex_lock(&stream_lock);
    uint64_t end = log_next_seq();
    (void)next_line(line);
    for (uint64_t seq = stream_seq; seq < end && (n = line_at(&seq, line)); seq++)
        total += (long)n;
    total -= (long)stream_partial;
    mutex_unlock(&stream_lock);
    kfree(line);
    return total;
}

static long read_stream(unsigned long buf, int len)
{
    struct iov_iter to;
    iov_iter_init_user(&to, buf, (size_t)len);
    return log_stream_read(&to, false);
}

static void console_off(void)
{
    if (saved_loglevel < 0)
        saved_loglevel = console_loglevel;
    console_loglevel = READ_ONCE(sysctl_printk[2]);
}

static void console_on(void)
{
    if (saved_loglevel >= 0)
        console_loglevel = saved_loglevel;
    saved_loglevel = -1;
}

SYSCALL3(syslog, int, type, unsigned long, buf, int, len)
{
    if (type < SYSLOG_CLOSE || type > SYSLOG_SIZE_BUFFER)
        return log_may_read(false) ?: -EINVAL;
    int err = log_may_read(type == SYSLOG_READ_ALL || type == SYSLOG_SIZE_BUFFER);
    if (err)
        return err;
    if (type == SYSLOG_READ || type == SYSLOG_READ_ALL || type == SYSLOG_READ_CLEAR) {
        if (!buf || len < 0)
            return -EINVAL;
        if (!len)
            return 0;
        if (!user_range_ok(buf, (size_t)len))
            return -EFAULT;
    }
    switch (type) {
    case SYSLOG_READ:
        return read_stream(buf, len);
    case SYSLOG_READ_ALL:
    case SYSLOG_READ_CLEAR:
        return read_all(buf, (size_t)len, type == SYSLOG_READ_CLEAR);
    case SYSLOG_CLEAR:
        WRITE_ONCE(clear_seq, log_next_seq());
        return 0;
    case SYSLOG_CONSOLE_OFF:
        console_off();
        return 0;
    case SYSLOG_CONSOLE_ON:
        console_on();
        return 0;
    case SYSLOG_CONSOLE_LEVEL:
        if (len < 1 || len > LOG_DEBUG + 1)
            return -EINVAL;
        console_loglevel = max(len, READ_ONCE(sysctl_printk[2]));
        saved_loglevel = -1;
        return 0;
    case SYSLOG_SIZE_UNREAD:
        return unread_size();
    case SYSLOG_SIZE_BUFFER:
        return (long)log_buffer_size();
    }
    return 0; // SYSLOG_CLOSE, SYSLOG_OPEN: nothing to do, as the manual says
}
