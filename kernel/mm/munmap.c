// kernel/mm/munmap.c — munmap(2): taking ranges away.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/table_share.h"

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
        if (vma_may_write_cache(vma)) // it may be written by until the last of it is flushed: F_SEAL_WRITE waits for that
            page_cache_expect_writable(vma->cache, 1);
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
        if (vma_may_write_cache(dead))
            page_cache_expect_writable(dead->cache, -1);
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
