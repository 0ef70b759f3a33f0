// kernel/mm/msync.c — msync(2).
#include "kernel/abi/errno.h"
#include "kernel/mm/madvise.h"
#include "kernel/mm/mapping.h"
#include "kernel/vfs/file.h"

int mm_msync(struct mm *mm, vaddr_t start, size_t len, unsigned flags) NO_THREAD_SAFETY_ANALYSIS
{
    if (start & ~PAGE_MASK || (flags & MS_ASYNC && flags & MS_SYNC))
        return -EINVAL;
    vaddr_t end = start + ALIGN_UP(len, PAGE_SIZE);
    if (end < start || (len && end == start))
        return -ENOMEM;
    int unmapped = 0;
    down_read(&mm->sem);
    for (vaddr_t at = start; at < end;) {
        struct vma *vma = vma_find(mm, at);
        if (!vma || vma->start >= end) {
            unmapped = -ENOMEM;
            break;
        }
        if (vma->start > at) {
            unmapped = -ENOMEM;
            at = vma->start;
        }
        vaddr_t stop = min(vma->end, end);
        if (flags & MS_INVALIDATE && vma->flags & VM_LOCKED) {
            unmapped = -EBUSY;
            break;
        }
        if (flags & MS_SYNC && vma->file && vma->flags & VM_SHARED && vma->file->ops->fsync) {
            struct file *file = file_get(vma->file);
            loff_t from = (loff_t)(vma_index(vma, at) << PAGE_SHIFT), to = from + (loff_t)(stop - at) - 1;
            up_read(&mm->sem);
            int err = file->ops->fsync(file, from, to, true);
            file_put(file);
            if (err)
                return err;
            down_read(&mm->sem);
        }
        at = stop;
    }
    up_read(&mm->sem);
    return unmapped;
}
