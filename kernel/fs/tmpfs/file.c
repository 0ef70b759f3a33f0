// kernel/fs/tmpfs/file.c — tmpfs file content: the page cache itself, counted against the file system's size; fallocate(2).
#include "kernel/base/string.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/proc/signal.h"
#include "kernel/vfs/file.h"

static int tmpfs_charge(struct page_cache *cache, uint64_t)
{
    struct tmpfs_sb *ts = tmpfs_sb(cache->host->sb);
    uint64_t used = __atomic_load_n(&ts->used_blocks, __ATOMIC_RELAXED);
    do { // never above the limit, not even for a moment: another who charges then would fail for nothing
        if (ts->max_blocks && used >= ts->max_blocks)
            return -ENOSPC;
    } while (!__atomic_compare_exchange_n(&ts->used_blocks, &used, used + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    __atomic_fetch_add(&cache->host->blocks, PAGE_SIZE / 512, __ATOMIC_RELAXED);
    return 0;
}

static void tmpfs_uncharge(struct page_cache *cache, uint64_t pages)
{
    __atomic_fetch_sub(&tmpfs_sb(cache->host->sb)->used_blocks, pages, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&cache->host->blocks, pages * (PAGE_SIZE / 512), __ATOMIC_RELAXED);
}

const struct page_cache_ops tmpfs_cache_ops = {.charge = tmpfs_charge, .uncharge = tmpfs_uncharge};

static void zero_part(struct page_cache *cache, loff_t from, loff_t to)
{
    struct page *page = from < to ? page_cache_find(cache, (uint64_t)from >> PAGE_SHIFT) : nullptr;
    if (!page)
        return;
    memset((char *)page_address(page) + ((size_t)from & ~PAGE_MASK), 0, (size_t)(to - from));
    page_set_dirty(page);
    page_put(page);
}

static long punch_hole(struct inode *inode, loff_t offset, loff_t end)
{
    if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    uint64_t first = ALIGN_UP((uint64_t)offset, PAGE_SIZE), last = ALIGN_DOWN((uint64_t)end, PAGE_SIZE); // the first is one more than an offset at most
    write_guard(&inode->invalidate_sem);
    if (first > last) { // within one page
        zero_part(&inode->cache, offset, end);
        return 0;
    }
    zero_part(&inode->cache, offset, (loff_t)first);
    zero_part(&inode->cache, (loff_t)last, end);
    if (first < last)
        page_cache_remove_range(&inode->cache, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1);
    return 0;
}

static long tmpfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
    struct inode *inode = file->inode;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    loff_t end = offset + len;
    write_guard(&inode->sem);
    if (mode & FALLOC_FL_PUNCH_HOLE) {
        long err = punch_hole(inode, offset, end);
        return err ? err : file_modified(file);
    }
    int err = inode_new_size_ok(inode, end);
    if (err)
        return err;
    if (end > inode->size && inode->seals & F_SEAL_GROW)
        return -EPERM;
    struct tmpfs_sb *ts = tmpfs_sb(inode->sb);
    uint64_t first = (uint64_t)offset >> PAGE_SHIFT, last = DIV_ROUND_UP((uint64_t)end, PAGE_SIZE);
    if (ts->max_blocks && last - first > ts->max_blocks)
        return -ENOSPC;
    for (uint64_t i = first; i < last; i++) {
        err = fatal_signal_pending() ? -EINTR : page_cache_reserve(&inode->cache, i);
        if (err) {
            write_guard(&inode->invalidate_sem);
            if (i > first)
                page_cache_unreserve(&inode->cache, first, i - 1);
            return err;
        }
    }
    if (!(mode & FALLOC_FL_KEEP_SIZE) && end > inode->size)
        inode_set_size(inode, end);
    return file_modified(file);
}

const struct file_ops tmpfs_file_ops = {
    .read_iter = generic_read_iter,
    .write_iter = generic_write_iter,
    .mmap = generic_mmap,
    .llseek = generic_llseek,
    .fsync = noop_fsync,
    .fallocate = tmpfs_fallocate,
    .page_cached = true,
};
