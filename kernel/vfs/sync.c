// kernel/vfs/sync.c — fsync(2), fdatasync(2), sync(2), syncfs(2), sync_file_range(2).
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"

static long do_fsync(int fd, bool data_only)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    return f.file->ops->fsync ? f.file->ops->fsync(f.file, 0, INT64_MAX, data_only) : -EINVAL;
}

SYSCALL1(fsync, int, fd)
{
    return do_fsync(fd, false);
}

SYSCALL1(fdatasync, int, fd)
{
    return do_fsync(fd, true);
}

SYSCALL0(sync)
{
    sync_all_superblocks(true);
    return 0;
}

SYSCALL1(syncfs, int, fd)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    struct superblock *sb = f.file->path.dentry->sb;
    return sb->ops && sb->ops->sync ? sb->ops->sync(sb, true) : 0; // memory-only: there is nothing to be written
}

SYSCALL4(sync_file_range, int, fd, loff_t, offset, loff_t, len, unsigned, flags)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    loff_t end;
    if (flags & ~7u || offset < 0 || len < 0 || __builtin_add_overflow(offset, len, &end))
        return -EINVAL;
    umode_t mode = f.file->inode->mode;
    if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
        return -ESPIPE;
    struct page_cache *cache = &f.file->inode->cache;
    if (!flags || !f.file->ops->page_cached || page_cache_is_memory(cache))
        return 0;
    return page_cache_write_back(cache, (uint64_t)offset >> PAGE_SHIFT, len ? (uint64_t)(end - 1) >> PAGE_SHIFT : UINT64_MAX);
}
