// kernel/mm/munmap.c — munmap(2) and brk(2): taking ranges away, and the heap.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/table_share.h"
#include "kernel/proc/rlimit.h"

// Shared leaf tables that a range of mapped memory has only a part of: copied while failing is still possible.
static int own_ends(struct mm *mm, vaddr_t start, vaddr_t end)
{
    int err = 0;
    vaddr_t last = ALIGN_DOWN(end - 1, mmu_span(1));
    if (start & (mmu_span(1) - 1))
        err = table_own(mm, start);
    if (!err && (last < start || end - last < mmu_span(1)))
        err = table_own(mm, end - 1);
    return err;
}

static int own_edges(struct mm *mm, vaddr_t start, vaddr_t end)
{
    int err = 0;
    for (struct vma *vma = vma_find(mm, start); vma && vma->start < end && !err; vma = vma->next)
        err = own_ends(mm, vma->start, vma->end);
    return err;
}

// [start, end) is one end of `vma`, not all of it: the VMA shrinks, and needs no other one for what goes.
static int unmap_end(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end)
{
    int err = unlikely(mm->shared_tables) ? own_ends(mm, start, end) : 0;
    if (err)
        return err;
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    vaddr_t floor = start, ceiling = end;
    if (vma->start == start) {
        floor = vma->prev ? vma->prev->end : 0;
        vma_resize(vma, end, vma->end);
    } else {
        ceiling = vma->next ? vma->next->start : ~0UL;
        vma_resize(vma, vma->start, start);
    }
    mm_account(mm, vma->flags, vma->file != nullptr, -(int64_t)pages);
    struct gather g;
    gather_begin(&g, mm);
    unmap_range(&g, start, end);
    gather_free_tables(&g, start, end, floor, ceiling);
    gather_end(&g);
    if (vma->flags & VM_ACCOUNT)
        commit_release(pages);
    return 0;
}

int unmap_locked(struct mm *mm, vaddr_t start, vaddr_t end)
{
    // A VMA whose owner counts its parts is cut; so is one with a hole in its midst.
    struct vma *whole = vma_find(mm, start);
    if (whole && whole->start <= start && end <= whole->end && (whole->start == start) != (whole->end == end) &&
        !whole->ops && !(whole->flags & (VM_PFNMAP | VM_SPECIAL)))
        return unmap_end(mm, whole, start, end);
    int err = vma_cut(mm, start, end);
    if (!err && unlikely(mm->shared_tables))
        err = own_edges(mm, start, end);
    if (err)
        return err;
    struct gather g;
    gather_begin(&g, mm);
    struct vma *vma = vma_find(mm, start), *dead = nullptr;
    if (!vma || vma->start >= end)
        return 0;
    vaddr_t floor = vma->prev ? vma->prev->end : 0, low = vma->start, high = low;
    uint64_t charged = 0;
    while (vma && vma->start < end) {
        struct vma *next = vma->next;
        int64_t pages = (int64_t)vma_pages(vma);
        high = vma->end;
        if (vma->flags & VM_ACCOUNT)
            charged += (uint64_t)pages;
        mm_account(mm, vma->flags, vma->file != nullptr, -pages);
        vma_unlink(vma);
        unmap_range(&g, vma->start, vma->end);
        vma->next = dead;
        dead = vma;
        vma = next;
    }
    gather_free_tables(&g, low, high, floor, vma ? vma->start : ~0UL);
    gather_end(&g);
    while (dead) {
        vma = dead->next;
        vma_free(dead);
        dead = vma;
    }
    if (charged)
        commit_release(charged);
    return 0;
}

int mm_munmap(struct mm *mm, vaddr_t addr, size_t len)
{
    if (addr & ~PAGE_MASK || !len || addr > MMU_USER_END || len > MMU_USER_END - addr)
        return -EINVAL;
    int err = down_write_killable(&mm->sem);
    if (err)
        return err;
    err = unmap_locked(mm, addr, ALIGN_UP(addr + len, PAGE_SIZE));
    up_write(&mm->sem);
    return err;
}

static int brk_grow(struct mm *mm, vaddr_t from, vaddr_t to) NO_THREAD_SAFETY_ANALYSIS
{
    unsigned long flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT | mm->def_flags;
    uint64_t pages = (to - from) >> PAGE_SHIFT;
    if (!vma_range_free(mm, from, to + PAGE_SIZE) || !may_expand(mm, flags, pages))
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
