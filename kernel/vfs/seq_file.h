// kernel/vfs/seq_file.h — text files whose content is made when they are read: one buffer that grows, records, any read size, seek and pread.
#pragma once

#include "kernel/vfs/vfs.h"

struct seq_ops;
struct seq_file {
    char *buf;
    size_t size, count, from;
    loff_t index, read_pos;
    struct mutex lock;
    const struct seq_ops *ops;
    struct file *file;
    void *private;  // the opener's
    void *single;   // owned by seq_open_single()
    bool overflow;
};

// Records in order: start(pos) and next() give the record or null at the end, or -errno as a pointer; show prints one; stop (may be missing) releases
// locks, and is called with what ended the round. show returns 0, -errno or SEQ_SKIP: the record is left out. Where the buffer was too small it is
// called again for the same record.
struct seq_ops {
    void *(*start)(struct seq_file *m, loff_t *pos);
    void *(*next)(struct seq_file *m, void *record, loff_t *pos);
    void (*stop)(struct seq_file *m, void *record);
    int (*show)(struct seq_file *m, void *record);
};
#define SEQ_SKIP 1

// For file->open: makes file->private a seq_file, and the file one without pwrite(2). `private` is the caller's to free. -ENOMEM.
[[nodiscard]] int seq_open(struct file *file, const struct seq_ops *ops, void *private);
// The whole file by one function, which gets `private`. -ENOMEM.
[[nodiscard]] int seq_open_single(struct file *file, int (*show)(struct seq_file *m, void *private), void *private);
// The file_ops of such a file: read_iter, and release. Reads: bytes, 0 at the end, -EFAULT, -ENOMEM, or what a record's function answered.
ssize_t seq_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags);
void seq_release(struct file *file);
static inline struct seq_file *seq_of(struct file *file)
{
    return file->private;
}

// For `show`: append to the buffer. What does not fit is left out, and the record is made again with more room.
void seq_printf(struct seq_file *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
void seq_puts(struct seq_file *m, const char *s);
void seq_putc(struct seq_file *m, char c);
void seq_write(struct seq_file *m, const void *data, size_t len);
// Blanks until the text from `start` (an earlier m->count) on has `width` bytes; none if it has them already.
void seq_pad(struct seq_file *m, size_t start, size_t width);
// The text of a path as seen from `root` (null: from the current one), with the characters of `esc` as octal escapes: " \t\n\\" in mount tables.
void seq_path(struct seq_file *m, const struct path *path, const struct path *root, const char *esc);
void seq_dentry(struct seq_file *m, struct dentry *dentry, const char *esc); // within its superblock
void seq_escape(struct seq_file *m, const char *s, const char *esc); // any text so
