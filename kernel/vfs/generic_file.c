// kernel/vfs/generic_file.c — files whose content is the page cache: read, write, seek, mmap, truncate.
#include "kernel/base/string.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/rlimit.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"

// A page that was never written reads as zeroes and is not made, or counted as used, for that, where the file system has nothing to read it from.
static int page_for_read(struct page_cache *cache, uint64_t index, struct page **out)
{
    *out = page_cache_find(cache, index);
    if (*out && __atomic_load_n(&(*out)->flags, __ATOMIC_ACQUIRE) & PG_UPTODATE)
        return 0;
    if (*out)
        page_put(*out);
    *out = nullptr;
    return cache->ops && cache->ops->read_page ? page_cache_get(cache, index, out) : 0;
}

ssize_t generic_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    struct inode *inode = file->inode;
    ssize_t done = 0;
    int err = 0;
    loff_t at = *pos;
    while (iov_iter_count(to)) {
        loff_t size = inode_size(inode);
        if (at >= size)
            break;
        size_t offset = (size_t)at & ~PAGE_MASK;
        size_t n = min(min(PAGE_SIZE - offset, iov_iter_count(to)), (size_t)(size - at));
        struct page *page;
        err = page_for_read(&inode->cache, (uint64_t)at >> PAGE_SHIFT, &page);
        if (err)
            break;
        size_t copied;
        if (page) {
            copied = copy_to_iter(to, (char *)page_address(page) + offset, n);
            page_put(page);
        } else {
            copied = zero_iter(to, n);
        }
        at += (loff_t)copied;
        done += (ssize_t)copied;
        if (copied < n) {
            err = -EFAULT;
            break;
        }
    }
    *pos = at;
    inode_accessed(file);
    return done ? done : err;
}

ssize_t generic_page_at(struct file *file, loff_t pos, struct page **page, size_t *offset)
{
    struct inode *inode = file->inode;
    loff_t size = inode_size(inode);
    if (pos >= size)
        return 0;
    int err = page_for_read(&inode->cache, (uint64_t)pos >> PAGE_SHIFT, page);
    if (err)
        return err;
    if (!*page) {
        *page = zero_page;
        page_get(zero_page);
    }
    *offset = (size_t)pos & ~PAGE_MASK;
    return (ssize_t)min(PAGE_SIZE - *offset, (size_t)(size - pos));
}

// RLIMIT_FSIZE and the file system's limit: how many of `count` bytes may be written at `pos`; -EFBIG for none.
static ssize_t write_limit(struct inode *inode, loff_t pos, size_t count)
{
    uint64_t limit = rlimit(RLIMIT_FSIZE);
    if (limit != RLIM_INFINITY) {
        if ((uint64_t)pos >= limit) {
            signal_send_thread(current_task(), SIGXFSZ, nullptr);
            return -EFBIG;
        }
        count = min(count, (size_t)(limit - (uint64_t)pos));
    }
    if (pos >= inode->sb->max_bytes)
        return -EFBIG;
    return (ssize_t)min(count, (size_t)(inode->sb->max_bytes - pos));
}

int file_modified(struct file *file)
{
    unsigned kill = inode_privileges_to_kill(file->inode);
    if (unlikely(kill)) {
        struct iattr attr = {.valid = kill};
        int err = setattr_locked(file->path.dentry, &attr);
        if (err)
            return err;
    }
    inode_touch(file->inode, true, true);
    return 0;
}

static ssize_t write_page(struct inode *inode, struct iov_iter *from, loff_t at, size_t n)
{
    if (inode->flags & I_SEALABLE && inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_GROW)) {
        if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) || at + (loff_t)n > inode->size)
            return -EPERM;
    }
    uint64_t index = (uint64_t)at >> PAGE_SHIFT;
    struct page *page = page_cache_find(&inode->cache, index);
    if (!page || !(page_flags(page) & PG_UPTODATE)) {
        if (page)
            page_put(page);
        if (!iov_iter_fault_in(from, 1)) // no page is made for nothing
            return -EFAULT;
        int err = page_cache_get(&inode->cache, index, &page);
        if (err)
            return err;
    }
    size_t copied = copy_from_iter(from, (char *)page_address(page) + ((size_t)at & ~PAGE_MASK), n);
    if (copied) {
        page_set_dirty(page);
        if (at + (loff_t)copied > inode->size)
            __atomic_store_n(&inode->size, at + (loff_t)copied, __ATOMIC_RELEASE);
    }
    page_put(page);
    return copied ? (ssize_t)copied : -EFAULT;
}

static ssize_t write_locked(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags)
{
    struct inode *inode = file->inode;
    bool append = rw_flags & RW_APPEND || (file->flags & O_APPEND && !(rw_flags & RW_NOAPPEND));
    loff_t at = append ? inode->size : *pos;
    ssize_t room = write_limit(inode, at, iov_iter_count(from));
    if (room < 0)
        return room;
    int err = file_modified(file);
    if (err)
        return err;
    ssize_t done = 0, n = 0;
    while (done < room) {
        size_t piece = min(PAGE_SIZE - ((size_t)at & ~PAGE_MASK), (size_t)(room - done));
        n = write_page(inode, from, at, piece);
        if (n < 0)
            break;
        at += n;
        done += n;
        if ((size_t)n < piece) {
            n = -EFAULT;
            break;
        }
        if (unlikely(fatal_signal_pending()) && current_task()) {
            n = -EINTR;
            break;
        }
    }
    if (!done)
        return n;
    *pos = at;
    return done;
}

ssize_t generic_write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags)
{
    ssize_t n;
    {
        write_guard(&file->inode->sem);
        n = write_locked(file, from, pos, rw_flags);
    }
    if (n > 0 && (rw_flags & (RW_SYNC | RW_DSYNC) || file->flags & O_DSYNC) && file->ops->fsync) {
        int err = file->ops->fsync(file, *pos - n, *pos - 1, !(rw_flags & RW_SYNC) && (file->flags & O_SYNC) != O_SYNC);
        if (err)
            return err;
    }
    return n;
}

static loff_t seek_data_or_hole(struct inode *inode, loff_t offset, bool data)
{
    loff_t size = inode_size(inode);
    if (offset < 0 || offset >= size)
        return -ENXIO;
    struct page_cache *cache = &inode->cache;
    if (cache->ops && cache->ops->read_page)
        return data ? offset : size; // this file system does not tell holes
    uint64_t index = (uint64_t)offset >> PAGE_SHIFT, present = page_cache_next(cache, index);
    if (data) {
        if (present == UINT64_MAX || present << PAGE_SHIFT >= (uint64_t)size)
            return -ENXIO;
        return max(offset, (loff_t)(present << PAGE_SHIFT));
    }
    while (present == index && (loff_t)(index << PAGE_SHIFT) < size)
        present = page_cache_next(cache, ++index);
    return min(max(offset, (loff_t)(index << PAGE_SHIFT)), size);
}

loff_t endless_llseek(struct file *file, loff_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += file->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

loff_t generic_llseek(struct file *file, loff_t offset, int whence)
{
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        if (__builtin_add_overflow(offset, file->pos, &offset))
            return -EINVAL;
        break;
    case SEEK_END:
        if (__builtin_add_overflow(offset, inode_size(file->inode), &offset))
            return -EINVAL;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        offset = seek_data_or_hole(file->inode, offset, whence == SEEK_DATA);
        if (offset < 0)
            return offset;
        break;
    default:
        return -EINVAL;
    }
    if (offset < 0 || offset > file->inode->sb->max_bytes)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

int generic_mmap(struct file *file, struct vma *vma)
{
    struct inode *inode = file->inode;
    if (vma->flags & VM_SHARED && inode->flags & I_SEALABLE && READ_ONCE(inode->seals) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
        if (vma->flags & VM_WRITE)
            return -EPERM;
        vma->flags &= ~(unsigned long)VM_MAYWRITE;
    }
    inode_accessed(file);
    return 0; // kernel/mm serves it from inode->cache
}

void inode_set_size(struct inode *inode, loff_t size)
{
    loff_t old = inode->size;
    __atomic_store_n(&inode->size, size, __ATOMIC_RELEASE);
    if (size > old)
        return; // at the same size what was allocated beyond it goes: fallocate(2)
    down_write(&inode->invalidate_sem);
    page_cache_remove_range(&inode->cache, DIV_ROUND_UP((uint64_t)size, PAGE_SIZE), UINT64_MAX);
    page_cache_zero_tail(&inode->cache, (uint64_t)size);
    up_write(&inode->invalidate_sem);
}

int noop_fsync(struct file *, loff_t, loff_t, bool)
{
    return 0; // memory is all there is
}
