// kernel/fs/pseudo/file.c — opening, reading and writing the files of the tables.
#include "kernel/fs/pseudo/internal.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

// With its folder, or alone: what an entry is about may end before the folder's object does.
static bool gone(const struct file *file)
{
    const struct pseudo_dir *dir = pseudo_inode(file->inode)->dir;
    const struct pseudo_entry *entry = pseudo_entry(file);
    return READ_ONCE(dir->dead) || (entry->visible && !entry->visible(dir->object));
}

static int show(struct seq_file *m, void *object)
{
    return gone(m->file) ? -ENODEV : pseudo_entry(m->file)->show(m, object);
}

static int pseudo_open(struct inode *inode, struct file *file)
{
    const struct pseudo_entry *entry = pseudo_inode(inode)->entry;
    if (gone(file))
        return -ENODEV;
    // The administrator's permissions know no bounds, but what no one can do is not opened for.
    if (!pseudo_inode(inode)->dir->lenient && ((file->mode & FMODE_WRITE && !entry->store) || (file->mode & FMODE_READ && !entry->show)))
        return -EACCES;
    int err = entry->opened ? entry->opened(file) : 0;
    if (err || !entry->show || !(file->mode & FMODE_READ))
        return err;
    err = seq_open_single(file, show, pseudo_inode(inode)->dir->object);
    if (err && entry->closed)
        entry->closed(file);
    if (!err)
        file->mode |= FMODE_PWRITE; // a setting is written anywhere, though a seq file is not
    return err;
}

static void pseudo_release(struct file *file)
{
    const struct pseudo_entry *entry = pseudo_entry(file);
    if (entry->closed)
        entry->closed(file);
    seq_release(file);
}

static ssize_t pseudo_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags)
{
    return file->private ? seq_read_iter(file, to, pos, rw_flags) : -EINVAL;
}

static ssize_t pseudo_write(struct file *file, struct iov_iter *from, loff_t *pos, unsigned)
{
    const struct pseudo_entry *entry = pseudo_entry(file);
    size_t len = min(iov_iter_count(from), PAGE_SIZE - 1);
    if (!entry->store)
        return file->ops == &pseudo_sized_fops ? -EINVAL : -EIO;
    if (gone(file))
        return -ENODEV;
    char *text = kmalloc(len + 1, ALLOC_KERNEL);
    if (!text)
        return -ENOMEM;
    ssize_t done = -EFAULT;
    if (copy_from_iter(from, text, len) == len) {
        text[len] = 0;
        done = entry->store(file, pseudo_object(file), text, len, *pos);
        if (done > 0)
            *pos += done;
    }
    kfree(text);
    return done;
}

static uint32_t pseudo_poll(struct file *file, struct poll_table *pt)
{
    const struct pseudo_entry *entry = pseudo_entry(file);
    return entry->poll ? entry->poll(file, pt) : POLL_ALWAYS;
}

loff_t pseudo_sized_llseek(struct file *file, loff_t offset, int whence)
{
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return generic_llseek(file, offset, whence);
    loff_t size = inode_size(file->inode); // all of it counts as data, though no page holds any
    if (offset < 0 || offset >= size)
        return -ENXIO;
    return generic_llseek(file, whence == SEEK_DATA ? offset : size, SEEK_SET);
}

#define PSEUDO_FILE(seek)                                                                                                                              \
    {                                                                                                                                                  \
        .open = pseudo_open, .read_iter = pseudo_read, .write_iter = pseudo_write, .poll = pseudo_poll, .llseek = (seek), .release = pseudo_release,   \
        .fsync = noop_fsync                                                                                                                            \
    }
const struct file_ops pseudo_file_fops = PSEUDO_FILE(endless_llseek);
const struct file_ops pseudo_sized_fops = PSEUDO_FILE(pseudo_sized_llseek);
