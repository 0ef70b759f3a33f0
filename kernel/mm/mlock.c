// kernel/mm/mlock.c — mlock(2). There is no swap: a locked page stays because file pages that are
// mapped by a locked VMA are not taken by reclaim's unmapping for long (they fault back), and anonymous ones always
// stay. What locking does is fill the range and count it.
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/madvise.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/populate.h"
#include "kernel/mm/table_share.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/rlimit.h"

static unsigned long with_lock(const struct vma *vma, unsigned long lock_flags)
{
    if (vma->flags & (VM_PFNMAP | VM_SPECIAL))
        return vma->flags;
    return (vma->flags & ~(unsigned long)(VM_LOCKED | VM_LOCKONFAULT)) | lock_flags;
}

static void set_lock(struct vma *vma, unsigned long lock_flags)
{
    unsigned long flags = with_lock(vma, lock_flags);
    if (flags == vma->flags)
        return;
    vma_set_flags(vma, flags);
    vma_merge(vma);
}

static int lock_range(struct mm *mm, vaddr_t start, vaddr_t end, unsigned long lock_flags)
{
    for (vaddr_t at = start; at < end;) {
        struct vma *vma = vma_find(mm, at);
        if (!vma || vma->start > at)
            return -ENOMEM;
        vaddr_t stop = min(vma->end, end);
        if (with_lock(vma, lock_flags) != vma->flags) {
            int err = vma_cut(mm, at, stop);
            if (err)
                return err;
            set_lock(vma_find(mm, at), lock_flags);
        }
        at = stop;
    }
    return 0;
}

// Pages of the range that are locked already and so do not count against the limit again.
static uint64_t locked_in(struct mm *mm, vaddr_t start, vaddr_t end)
{
    uint64_t pages = 0;
    for (struct vma *vma = vma_find(mm, start); vma && vma->start < end; vma = vma->next)
        if (vma->flags & VM_LOCKED)
            pages += (min(vma->end, end) - max(vma->start, start)) >> PAGE_SHIFT;
    return pages;
}

static int posix_error(int err) // mlock(2) reports faults as ENOMEM, lack of memory as EAGAIN
{
    return err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
}

int mm_mlock(struct mm *mm, vaddr_t start, size_t len, unsigned long lock_flags)
{
    if (lock_flags && !rlimit(RLIMIT_MEMLOCK) && !capable(CAP_IPC_LOCK))
        return -EPERM;
    vaddr_t end = ALIGN_UP(start + len, PAGE_SIZE);
    start &= PAGE_MASK;
    if (end == start)
        return 0;
    int err = down_write_killable(&mm->sem);
    if (err)
        return err;
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    if (lock_flags && !may_lock(mm, pages) && !may_lock(mm, pages - locked_in(mm, start, end)))
        err = -ENOMEM;
    else if (end < start)
        err = -EINVAL; // it wraps
    else
        err = lock_range(mm, start, end, lock_flags);
    up_write(&mm->sem);
    if (err || !lock_flags || lock_flags & VM_LOCKONFAULT)
        return err;
    return posix_error(mm_populate(mm, start, end - start));
}

int mm_mlockall(struct mm *mm, unsigned mcl) NO_THREAD_SAFETY_ANALYSIS
{
    if (mcl && !rlimit(RLIMIT_MEMLOCK) && !capable(CAP_IPC_LOCK))
        return -EPERM;
    int err = down_write_killable(&mm->sem);
    if (err)
        return err;
    unsigned long lock_flags = VM_LOCKED | (mcl & MCL_ONFAULT ? VM_LOCKONFAULT : 0);
    if (mcl & MCL_CURRENT && mm->total_pages > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT && !capable(CAP_IPC_LOCK)) {
        up_write(&mm->sem);
        return -ENOMEM;
    }
    mm->def_flags &= ~(unsigned long)(VM_LOCKED | VM_LOCKONFAULT);
    if (mcl & MCL_FUTURE)
        mm->def_flags |= lock_flags;
    struct vma *vma;
    vaddr_t at = 0;
    while ((!mcl || mcl & MCL_CURRENT) && (vma = vma_find(mm, at))) {
        at = vma->end; // set_lock() may join VMAs: go on by address
        set_lock(vma, mcl ? lock_flags : 0);
    }
    up_write(&mm->sem);
    if (!(mcl & MCL_CURRENT) || mcl & MCL_ONFAULT)
        return 0;
    // Whatever can be made present; holes and unreadable parts do not matter here.
    err = mm_read_lock_own(mm, 0, MMU_USER_END);
    if (err)
        return err;
    for (vma = vma_find(mm, 0); vma && err != -EINTR; vma = vma->next)
        err = populate_locked(mm, vma->start, vma->end, POPULATE_LOCK);
    up_read(&mm->sem);
    return err == -EINTR ? err : 0;
}
