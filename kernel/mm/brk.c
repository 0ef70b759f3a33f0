// kernel/mm/brk.c — brk(2): the heap.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mapping.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/rlimit.h"

static int brk_grow(struct mm *mm, vaddr_t from, vaddr_t to) NO_THREAD_SAFETY_ANALYSIS
{
    unsigned long flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT | mm->def_flags;
    uint64_t pages = (to - from) >> PAGE_SHIFT;
    if (from < vm_mmap_min_addr && !capable(CAP_SYS_RAWIO))
        return -EPERM;
    if (!vma_range_free(mm, from, to + PAGE_SIZE) || !may_expand(mm, flags, pages) || mm->data_pages + pages > rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
        return -ENOMEM;
    if (mm->def_flags & VM_LOCKED && !may_lock(mm, pages))
        return -EAGAIN;
    if (commit_charge(pages))
        return -ENOMEM;
    mm_account(mm, flags, false, (int64_t)pages);
    if (vma_extend(mm, from, to, flags, from >> PAGE_SHIFT))
        return 0;
    struct vma *vma = mm->nr_vmas < vm_max_map_count ? vma_alloc(mm) : nullptr;
    if (!vma) {
        mm_account(mm, flags, false, -(int64_t)pages);
        commit_release(pages);
        return -ENOMEM;
    }
    vma->start = from;
    vma->end = to;
    vma->flags = flags;
    vma->pgoff = from >> PAGE_SHIFT;
    vma->prot = mmu_user_prot(true, false);
    vma_link(mm, vma);
    return 0;
}

static bool brk_locked(struct mm *mm, vaddr_t brk)
{
    if (brk < mm->start_brk || brk >= MMU_USER_END)
        return false;
    uint64_t limit = rlimit(RLIMIT_DATA);
    if (limit != RLIM_INFINITY && brk - mm->start_brk + (mm->end_data - mm->start_data) > limit)
        return false;
    vaddr_t from = ALIGN_UP(mm->brk, PAGE_SIZE), to = ALIGN_UP(brk, PAGE_SIZE);
    if (to < from && unmap_locked(mm, to, from))
        return false;
    if (to > from && brk_grow(mm, from, to))
        return false;
    mm->brk = brk;
    return true;
}

vaddr_t mm_brk(struct mm *mm, vaddr_t brk)
{
    if (down_write_killable(&mm->sem))
        return mm->brk;
    vaddr_t old = mm->brk;
    bool grown = brk_locked(mm, brk) && brk > old;
    vaddr_t now = mm->brk;
    bool locked = (mm->def_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
    up_write(&mm->sem);
    if (grown && locked && mm_populate(mm, old & PAGE_MASK, now - (old & PAGE_MASK))) {
        // The break stands; what is missing comes with the first touch.
    }
    return now;
}
