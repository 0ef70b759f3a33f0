// kernel/vfs/seq_file.c — text files made when they are read.
//
// The buffer holds whole records; a read takes from it and, when it is empty, makes the next records until it has something. A record that does not fit
// makes the buffer twice as big and is made again. `index` is the position of the next record to be made, read_pos the file offset that the start of
// the unread text has; a read at another offset begins from the first record and skips.
#include "kernel/vfs/seq_file.h"

#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/path_text.h"

static DEFINE_LOCK_CLASS(seq_file_class, "seq file", (enum lock_rank)(RANK_NONE + 5));

#define SEQ_MAX (1u << 26)

int seq_open(struct file *file, const struct seq_ops *ops, void *private)
{
    struct seq_file *m = kzalloc(sizeof *m, ALLOC_KERNEL);
    if (!m)
        return -ENOMEM;
    mutex_init(&m->lock, &seq_file_class);
    m->ops = ops;
    m->file = file;
    m->private = private;
    file->private = m;
    file->mode &= ~FMODE_PWRITE;
    return 0;
}

struct single {
    int (*show)(struct seq_file *m, void *private);
    void *private;
};

static void *single_start(struct seq_file *m, loff_t *pos)
{
    return *pos == 0 ? m : nullptr;
}
static void *single_next(struct seq_file *, void *, loff_t *pos)
{
    ++*pos;
    return nullptr;
}
static int single_show(struct seq_file *m, void *)
{
    struct single *s = m->single;
    return s->show(m, s->private);
}
static const struct seq_ops single_ops = {.start = single_start, .next = single_next, .show = single_show};

int seq_open_single(struct file *file, int (*show)(struct seq_file *m, void *private), void *private)
{
    struct single *s = kmalloc(sizeof *s, ALLOC_KERNEL);
    if (!s)
        return -ENOMEM;
    *s = (struct single){show, private};
    int err = seq_open(file, &single_ops, private);
    if (err)
        kfree(s);
    else
        seq_of(file)->single = s;
    return err;
}

void seq_release(struct file *file)
{
    struct seq_file *m = file->private;
    if (!m)
        return;
    kvfree(m->buf);
    kfree(m->single);
    kfree(m);
}

static int make_room(struct seq_file *m)
{
    size_t size = m->size ? m->size * 2 : PAGE_SIZE;
    if (size > SEQ_MAX)
        return -ENOMEM;
    char *bigger = kvmalloc(size, ALLOC_KERNEL);
    if (!bigger)
        return -ENOMEM;
    kvfree(m->buf);
    m->buf = bigger;
    m->size = size;
    return 0;
}

// Fills the empty buffer with records from m->index on, at least one if there is one; `want` is how much is worth making. 0 or -errno.
static int fill(struct seq_file *m, size_t want)
{
    if (!m->buf) {
        int err = make_room(m);
        if (err)
            return err;
    }
again:
    m->count = m->from = 0;
    loff_t pos = m->index;
    int err = 0;
    void *record = m->ops->start(m, &pos);
    while (record) {
        if ((intptr_t)record < 0 && (intptr_t)record > -4096) {
            err = (int)(intptr_t)record;
            break;
        }
        size_t before = m->count;
        m->overflow = false;
        err = m->ops->show(m, record);
        if (err < 0)
            break;
        if (err == SEQ_SKIP || m->overflow)
            m->count = before;
        if (m->overflow && err != SEQ_SKIP) {
            if (before)
                break; // this one again, next time
            if (m->ops->stop)
                m->ops->stop(m, record);
            err = make_room(m);
            if (err)
                return err;
            goto again;
        }
        err = 0;
        loff_t old = pos;
        record = m->ops->next(m, record, &pos);
        if (pos == old)
            pos++;
        m->index = pos;
        if (m->count >= want)
            break;
    }
    if (m->ops->stop)
        m->ops->stop(m, record);
    return err;
}

// Makes everything again from the first record and throws away `offset` bytes.
static int rewind_to(struct seq_file *m, loff_t offset)
{
    m->index = 0;
    m->count = m->from = 0;
    m->read_pos = 0;
    while (m->read_pos < offset) {
        if (m->from == m->count) {
            int err = fill(m, PAGE_SIZE);
            if (err)
                return err;
            if (m->count == 0)
                return 0;
        }
        size_t skip = (size_t)min((loff_t)(m->count - m->from), offset - m->read_pos);
        m->from += skip;
        m->read_pos += (loff_t)skip;
    }
    return 0;
}

ssize_t seq_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    struct seq_file *m = file->private;
    mutex_guard(&m->lock);
    int err = 0;
    if (*pos == 0 || *pos != m->read_pos)
        err = rewind_to(m, *pos);
    ssize_t done = 0;
    while (!err && iov_iter_count(to)) {
        if (m->from == m->count) {
            if (done)
                break; // one batch of records at a time, as Linux gives
            err = fill(m, iov_iter_count(to));
            if (err || m->count == 0)
                break;
        }
        size_t n = min(m->count - m->from, iov_iter_count(to)), copied = copy_to_iter(to, m->buf + m->from, n);
        m->from += copied;
        done += (ssize_t)copied;
        if (copied < n)
            err = -EFAULT;
    }
    if (!done)
        return err;
    *pos += done;
    m->read_pos = *pos;
    return done;
}

// ---- writing text ---------------------------------------------------------------------------------------------------

void seq_write(struct seq_file *m, const void *data, size_t len)
{
    if (m->size - m->count < len) {
        m->overflow = true;
        return;
    }
    memcpy(m->buf + m->count, data, len);
    m->count += len;
}

void seq_puts(struct seq_file *m, const char *s)
{
    seq_write(m, s, strlen(s));
}

void seq_putc(struct seq_file *m, char c)
{
    if (m->count == m->size)
        m->overflow = true;
    else
        m->buf[m->count++] = c;
}

void seq_pad(struct seq_file *m, size_t start, size_t width)
{
    // What overflowed before is not in count, so the text may be short for ever: only the room ends this.
    size_t len = m->count - start;
    if (len >= width)
        return;
    size_t blanks = min(width - len, m->size - m->count);
    memset(m->buf + m->count, ' ', blanks);
    m->count += blanks;
    if (len + blanks < width)
        m->overflow = true;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t room = m->size - m->count;
    int len = vsnprintf(m->buf + m->count, room, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= room)
        m->overflow = true;
    else
        m->count += (size_t)len;
}

void seq_escape(struct seq_file *m, const char *s, const char *esc)
{
    for (; *s; s++) {
        if (strchr(esc, *s)) {
            char octal[4] = {'\\', (char)('0' + ((unsigned char)*s >> 6)), (char)('0' + (*s >> 3 & 7)), (char)('0' + (*s & 7))};
            seq_write(m, octal, 4);
        } else {
            seq_putc(m, *s);
        }
    }
}

// A path may be longer than PATH_MAX, which only limits what a call takes. What does not fit into the room there is means that the file's buffer has to grow,
// and the path's grows with it.
static void put_path(struct seq_file *m, const struct path *path, const struct path *root, struct dentry *dentry, const char *esc)
{
    size_t size = max(m->size - m->count, (size_t)PATH_MAX);
    char *buf = kvmalloc(size, ALLOC_KERNEL), *text = nullptr;
    if (!buf)
        return;
    int err = !path ? dentry_to_text(dentry, buf, size, &text)
              : root ? path_to_text_root(path, root, buf, size, &text)
                     : path_to_text(path, buf, size, &text);
    if (err)
        m->overflow = true;
    else
        seq_escape(m, text, esc);
    kvfree(buf);
}

void seq_path(struct seq_file *m, const struct path *path, const struct path *root, const char *esc)
{
    put_path(m, path, root, nullptr, esc);
}

void seq_dentry(struct seq_file *m, struct dentry *dentry, const char *esc)
{
    put_path(m, nullptr, nullptr, dentry, esc);
}
