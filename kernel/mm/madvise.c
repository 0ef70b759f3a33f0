// kernel/mm/madvise.c — madvise(2): advice that changes what memory holds, advice that changes VMAs, and advice that is only a hint.
#include "kernel/mm/madvise.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/populate.h"
#include "kernel/mm/table_share.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/vfs/file.h"

// Contents given up: anonymous memory reads as zeros again, file mappings as the file. MADV_FREE may do so at any time,
// also at once.
static int dont_need(struct vma *vma, vaddr_t start, vaddr_t end, int advice)
{
    if (vma->flags & VM_PFNMAP || (vma->flags & VM_LOCKED && advice != MADV_DONTNEED_LOCKED))
        return -EINVAL;
    if (advice == MADV_FREE && (vma->cache || vma->ops))
        return -EINVAL;
    struct gather g;
    gather_begin(&g, vma->mm);
    unmap_range(&g, start, end);
    gather_end(&g);
    return 0;
}

// Brings file pages into the cache.
static int will_need(struct vma *vma, vaddr_t start, vaddr_t end)
{
    if (!vma->cache || !vma->cache->host)
        return vma->file && !vma->cache ? -EBADF : 0;
    uint64_t last = min(vma_index(vma, end - 1), ((uint64_t)*vma->cache->size + PAGE_SIZE - 1) >> PAGE_SHIFT);
    for (uint64_t index = vma_index(vma, start); vma->cache->ops && vma->cache->ops->read_page && index < last;
         index++) {
        struct page *page;
        if (page_cache_get(vma->cache, index, &page))
            break; // only advice
        page_put(page);
    }
    return 0;
}

// A hole in the file under a shared mapping that is or can be made writable. mm->sem is dropped meanwhile: the file system takes its own locks.
static int punch_hole(struct vma *vma, vaddr_t start, vaddr_t end, bool *dropped) NO_THREAD_SAFETY_ANALYSIS
{
    struct mm *mm = vma->mm;
    if (vma->flags & VM_LOCKED || !vma->cache)
        return -EINVAL;
    if ((vma->flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE))
        return -EACCES;
    uint64_t first = vma_index(vma, start), last = vma_index(vma, end - 1);
    *dropped = true;
    if (vma_is_shared_memory(vma)) {
        struct page_cache *cache = vma->cache;
        void *keep = shared_memory_get(vma);
        up_read(&mm->sem);
        down_write(cache->invalidate_sem);
        page_cache_remove_range(cache, first, last);
        up_write(cache->invalidate_sem);
        shared_memory_put(keep);
        down_read(&mm->sem);
        return 0;
    }
    struct file *file = file_get(vma->file);
    up_read(&mm->sem);
    int err = -EOPNOTSUPP;
    const int keep_size_punch = 0x01 | 0x02; // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
    if (file->ops->fallocate)
        err = (int)file->ops->fallocate(file, keep_size_punch, (loff_t)(first << PAGE_SHIFT),
                                        (loff_t)((last - first + 1) << PAGE_SHIFT));
    file_put(file);
    down_read(&mm->sem);
    return err;
}

// The flags after advice of the kind that VMAs remember.
static int advised_flags(const struct vma *vma, int advice, unsigned long *flags)
{
    unsigned long f = vma->flags;
    switch (advice) {
    case MADV_NORMAL:
        f &= ~(unsigned long)(VM_RAND_READ | VM_SEQ_READ);
        break;
    case MADV_SEQUENTIAL:
        f = (f & ~(unsigned long)VM_RAND_READ) | VM_SEQ_READ;
        break;
    case MADV_RANDOM:
        f = (f & ~(unsigned long)VM_SEQ_READ) | VM_RAND_READ;
        break;
    case MADV_DONTFORK:
        f |= VM_DONTFORK;
        break;
    case MADV_DOFORK:
        if (f & VM_PFNMAP)
            return -EINVAL;
        f &= ~(unsigned long)VM_DONTFORK;
        break;
    case MADV_WIPEONFORK:
        if (vma->file || f & VM_SHARED || vma->ops)
            return -EINVAL;
        f |= VM_WIPEONFORK;
        break;
    case MADV_KEEPONFORK:
        f &= ~(unsigned long)VM_WIPEONFORK;
        break;
    case MADV_DONTDUMP:
        f |= VM_DONTDUMP;
        break;
    case MADV_DODUMP:
        if (f & VM_PFNMAP)
            return -EINVAL;
        f &= ~(unsigned long)VM_DONTDUMP;
        break;
    }
    *flags = f;
    return 0;
}

static bool changes_vma(int advice)
{
    return (advice >= MADV_NORMAL && advice <= MADV_SEQUENTIAL) || advice == MADV_DONTFORK || advice == MADV_DOFORK ||
           (advice >= MADV_DONTDUMP && advice <= MADV_KEEPONFORK);
}

static bool changes_content(int advice)
{
    switch (advice) {
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return true;
    default:
        return false; // huge pages and page merging: not built, EINVAL as on a Linux without them
    }
}

static int act(struct vma *vma, vaddr_t start, vaddr_t end, int advice, bool *dropped)
{
    switch (advice) {
    case MADV_WILLNEED:
        return will_need(vma, start, end);
    case MADV_REMOVE:
        return punch_hole(vma, start, end, dropped);
    case MADV_COLD:
    case MADV_PAGEOUT:
        // Hints for reclaim: entries of clean file pages go, so that the pages age; private memory has nowhere to go.
        if (vma->flags & (VM_LOCKED | VM_PFNMAP))
            return -EINVAL;
        return vma->cache && vma->flags & VM_SHARED ? dont_need(vma, start, end, MADV_DONTNEED) : 0;
    default:
        return dont_need(vma, start, end, advice);
    }
}

// Advice about content, VMA by VMA, mm->sem held for read. Holes: the rest is done, -ENOMEM at the end.
static int advise_content(struct mm *mm, vaddr_t start, vaddr_t end, int advice)
{
    int unmapped = 0;
    for (vaddr_t at = start; at < end;) {
        struct vma *vma = vma_find(mm, at);
        if (!vma || vma->start >= end)
            return -ENOMEM;
        if (vma->start > at) {
            unmapped = -ENOMEM;
            at = vma->start;
        }
        vaddr_t stop = min(vma->end, end);
        bool dropped = false;
        int err = act(vma, at, stop, advice, &dropped);
        if (err)
            return err;
        at = stop;
    }
    return unmapped;
}

static int advise_vmas(struct mm *mm, vaddr_t start, vaddr_t end, int advice)
{
    int unmapped = 0;
    for (vaddr_t at = start; at < end;) {
        struct vma *vma = vma_find(mm, at);
        if (!vma || vma->start >= end)
            return -ENOMEM;
        if (vma->start > at) {
            unmapped = -ENOMEM;
            at = vma->start;
        }
        vaddr_t stop = min(vma->end, end);
        unsigned long flags;
        int err = advised_flags(vma, advice, &flags);
        if (err)
            return err;
        if (flags != vma->flags) {
            err = vma_cut(mm, at, stop);
            if (err)
                return err == -ENOMEM ? -EAGAIN : err;
            vma = vma_find(mm, at);
            vma_set_flags(vma, flags);
            vma_merge(vma);
        }
        at = stop;
    }
    return unmapped;
}

int mm_madvise(struct mm *mm, vaddr_t start, size_t len, int advice) NO_THREAD_SAFETY_ANALYSIS
{
    if (!changes_vma(advice) && !changes_content(advice))
        return -EINVAL;
    if (start & ~PAGE_MASK)
        return -EINVAL;
    size_t rounded = ALIGN_UP(len, PAGE_SIZE);
    if (len && !rounded)
        return -EINVAL;
    vaddr_t end = start + rounded;
    if (end < start)
        return -EINVAL;
    if (end == start)
        return 0;
    if (changes_vma(advice)) {
        int err = down_write_killable(&mm->sem);
        if (err)
            return err;
        err = advise_vmas(mm, start, end, advice);
        up_write(&mm->sem);
        return err;
    }
    int err = mm_read_lock_own(mm, start, end);
    if (err)
        return err;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        err = populate_locked(mm, start, end, advice == MADV_POPULATE_WRITE ? POPULATE_WRITE : POPULATE_READ);
    else
        err = advise_content(mm, start, end, advice);
    up_read(&mm->sem);
    return err;
}
