// kernel/mm/mremap.c — mremap(2): growing, shrinking and moving mappings; entries move, pages are not copied.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/table_share.h"

// Tables for all of [from, from + len) at `to`, so that nothing can fail once entries move. -ENOMEM.
static int make_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t len)
{
    vaddr_t end = from + len;
    for (vaddr_t at = from; (at = table_skip_holes(mm, at, end)) < end;) {
        // One source table meets up to two at the other place.
        vaddr_t stop = min(ALIGN_DOWN(at, mmu_span(1)) + mmu_span(1), end);
        if (!table_get(mm, at - from + to).entry || !table_get(mm, stop - PAGE_SIZE - from + to).entry)
            return -ENOMEM;
        at = stop;
    }
    return 0;
}

// Takes the program's access to the entries of the VMA away, on every CPU. They keep the rest, W too. Who touches one
// faults, and waits for mm->sem.
static void close_entries(struct vma *vma)
{
    vaddr_t at = vma->start;
    while ((at = table_skip_holes(vma->mm, at, vma->end)) < vma->end) {
        vaddr_t stop = min(ALIGN_DOWN(at, mmu_span(1)) + mmu_span(1), vma->end);
        struct leaf leaf = table_find(vma->mm, at);
        leaf_lock(leaf.table);
        for (pte_t *e = leaf.entry; at < stop; e++, at += PAGE_SIZE) {
            pte_t was = mmu_read(e) ? mmu_get_and_clear(e) : 0; // a dirty bit may arrive until now
            if (was)
                mmu_set(e, mmu_change_prot(was, mmu_user_prot(false, false)) | (was & mmu_mk_writable(0)));
        }
        leaf_unlock(leaf.table);
    }
    mmu_flush_range(vma->mm, vma->start, vma->end);
}

// The entries of one source table that go into one table. Both are locked together, and the cache's list of VMAs with
// them: a truncation finds each entry at one place or the other.
static void move_batch(struct vma *vma, vaddr_t from, vaddr_t to, unsigned n) NO_THREAD_SAFETY_ANALYSIS
{
    struct leaf src = table_find(vma->mm, from), dst = table_find(vma->mm, to);
    bool two = src.table != dst.table;
    unsigned moved = 0;
    if (vma->cache) {
        spin_lock(&vma->cache->vma_lock);
        vma->cache->vma_changes++;
    }
    leaf_lock(src.table);
    if (two)
        leaf_lock_second(dst.table);
    for (unsigned i = 0; i < n && moved < src.table->table_entries; i++) {
        pte_t e = mmu_read(src.entry + i) ? mmu_get_and_clear(src.entry + i) : 0;
        if (!e)
            continue;
        mmu_set(dst.entry + i, mmu_change_prot(e, vma->prot) | (e & mmu_mk_writable(0)));
        moved++;
    }
    src.table->table_entries -= moved;
    dst.table->table_entries += moved;
    if (two)
        leaf_unlock_second(dst.table);
    leaf_unlock(src.table);
    if (vma->cache)
        spin_unlock(&vma->cache->vma_lock);
}

// Moves entries of the first `len` bytes of the VMA to `to`, where make_tables() was. mm->sem is held for write: no
// fault and no other change runs; but truncation, write-back and reclaim do, where the VMA maps a file. One of these
// that finds an entry at its new place flushes that and frees the page, so no CPU may reach it through the old any
// more. Nobody takes entries of other memory away meanwhile: one flush afterwards does.
static void move_entries(struct vma *vma, vaddr_t to, size_t len)
{
    vaddr_t from = vma->start, end = from + len;
    if (vma->cache)
        close_entries(vma);
    for (vaddr_t at = from; (at = table_skip_holes(vma->mm, at, end)) < end;) {
        vaddr_t dst = at - from + to;
        vaddr_t part = min(end - at, min(mmu_span(1) - (at & (mmu_span(1) - 1)), mmu_span(1) - (dst & (mmu_span(1) - 1))));
        move_batch(vma, at, dst, (unsigned)(part >> PAGE_SHIFT));
        at += part;
    }
    if (!vma->cache)
        mmu_flush_range(vma->mm, from, end);
}

// Moves the whole VMA (already cut to size) to `to`, `new_len` bytes long there. With `keep` the old VMA stays, empty
// (MREMAP_DONTUNMAP).
static int move_vma(struct vma *vma, vaddr_t to, size_t new_len, bool keep)
{
    struct mm *mm = vma->mm;
    vaddr_t from = vma->start;
    size_t old_len = vma->end - vma->start, moved = min(old_len, new_len);
    uint64_t pages = new_len >> PAGE_SHIFT, old_pages = old_len >> PAGE_SHIFT;
    // What moves is charged already; only what is new, or stays behind, is not.
    bool accounted = vma->flags & VM_ACCOUNT;
    uint64_t extra = keep ? pages : pages - min(pages, old_pages);
    if (accounted) {
        int err = commit_charge(extra);
        if (err)
            return err;
    }
    struct vma *copy = vma_duplicate(vma, mm);
    if (!copy) {
        if (accounted)
            commit_release(extra);
        return -ENOMEM;
    }
    copy->start = to;
    copy->end = to + new_len;
    if (!copy->file && !copy->cache && !copy->ops)
        copy->pgoff = to >> PAGE_SHIFT;
    vma_link(mm, copy);
    mm_account(mm, copy->flags, copy->file != nullptr, (int64_t)pages);
    int err = make_tables(mm, from, to, moved);
    if (!err && copy->ops && copy->ops->mremap)
        err = copy->ops->mremap(copy);
    if (err) {
        if (accounted) {
            copy->flags &= ~(unsigned long)VM_ACCOUNT;
            commit_release(extra);
        }
        int undone = unmap_locked(mm, to, to + new_len);
        return undone ? undone : err;
    }
    move_entries(vma, to, moved);
    if (keep) {
        if (vma->flags & VM_LOCKED)
            vma_set_flags(vma, vma->flags & ~(unsigned long)(VM_LOCKED | VM_LOCKONFAULT));
        vma_merge(copy);
        return 0;
    }
    if (accounted) { // the copy's now
        vma->flags &= ~(unsigned long)VM_ACCOUNT;
        commit_release(old_pages - min(pages, old_pages));
    }
    err = unmap_locked(mm, from, from + old_len);
    if (!err)
        vma_merge(copy);
    return err;
}

// The VMA that contains all of the old range, if it may be resized so.
static int check_old(struct mm *mm, vaddr_t old, size_t old_len, size_t new_len, unsigned flags, struct vma **out)
{
    struct vma *vma = vma_find(mm, old);
    if (!vma || vma->start > old)
        return -EFAULT;
    if (!old_len && !(vma->flags & VM_SHARED))
        return -EINVAL; // duplicating works for shared mappings only
    if (flags & MREMAP_DONTUNMAP && vma->flags & (VM_PFNMAP | VM_SPECIAL))
        return -EINVAL;
    if (old_len > vma->end - old)
        return -EFAULT;
    *out = vma;
    if (new_len <= old_len)
        return 0;
    if (vma->flags & (VM_PFNMAP | VM_SPECIAL))
        return -EFAULT;
    if (vma_index(vma, old) + (new_len >> PAGE_SHIFT) < vma_index(vma, old))
        return -EINVAL;
    uint64_t more = (new_len - old_len) >> PAGE_SHIFT;
    if (vma->flags & VM_LOCKED && !may_lock(mm, more))
        return -EAGAIN;
    return may_expand(mm, vma->flags, more) ? 0 : -ENOMEM;
}

// Cuts the VMA to the old range and moves it; shared mappings with old_len 0 are duplicated instead.
static long move_range(struct mm *mm, vaddr_t old, size_t old_len, vaddr_t to, size_t new_len, bool keep)
    NO_THREAD_SAFETY_ANALYSIS
{
    if (mm->nr_vmas + 3 > vm_max_map_count)
        return -ENOMEM;
    struct vma *vma = vma_find(mm, old);
    if (!old_len) {
        struct vma *copy = vma_duplicate(vma, mm);
        if (!copy)
            return -ENOMEM;
        copy->pgoff = vma_index(vma, old);
        copy->start = to;
        copy->end = to + new_len;
        vma_link(mm, copy);
        mm_account(mm, copy->flags, copy->file != nullptr, (int64_t)vma_pages(copy));
        return (long)to;
    }
    int err = vma_cut(mm, old, old + old_len);
    if (!err)
        err = table_own_range(mm, old, old + old_len);
    if (!err)
        err = move_vma(vma_find(mm, old), to, new_len, keep);
    return err ? err : (long)to;
}

// Of what lies behind `old`, only as much as the new length stays. `old` is in a VMA.
static int unmap_tail(struct mm *mm, vaddr_t old, size_t old_len, size_t new_len)
{
    return old_len > MMU_USER_END - old ? -EINVAL : unmap_locked(mm, old + new_len, old + old_len);
}

static long remap_to(struct mm *mm, vaddr_t old, size_t old_len, size_t new_len, unsigned flags, vaddr_t new_addr)
{
    struct vma *vma;
    if (new_addr & ~PAGE_MASK || new_len > MMU_USER_END || new_addr > MMU_USER_END - new_len)
        return -EINVAL;
    if (old + old_len > new_addr && new_addr + new_len > old)
        return -EINVAL;
    if (flags & MREMAP_FIXED) {
        if (new_addr < vm_mmap_min_addr)
            return -EPERM;
        int err = unmap_locked(mm, new_addr, new_addr + new_len);
        if (err)
            return err;
    }
    if (old_len > new_len) {
        int err = unmap_tail(mm, old, old_len, new_len);
        if (err)
            return err;
        old_len = new_len;
    }
    int err = check_old(mm, old, old_len, new_len, flags, &vma);
    if (err)
        return err;
    if (flags & MREMAP_DONTUNMAP && !may_expand(mm, vma->flags, old_len >> PAGE_SHIFT))
        return -ENOMEM;
    long to =
        flags & MREMAP_FIXED ? (long)new_addr : find_place(mm, flags & MREMAP_DONTUNMAP ? new_addr : 0, new_len, 0);
    return to < 0 ? to : move_range(mm, old, old_len, (vaddr_t)to, new_len, flags & MREMAP_DONTUNMAP);
}

// Grows in place if there is room behind.
static int grow_in_place(struct mm *mm, struct vma *vma, size_t more)
{
    if (more > MMU_USER_END - vma->end || !vma_range_free(mm, vma->end, vma->end + more))
        return -ENOMEM;
    if (vma->flags & VM_ACCOUNT && commit_charge(more >> PAGE_SHIFT))
        return -ENOMEM;
    mm_account(mm, vma->flags, vma->file != nullptr, (int64_t)(more >> PAGE_SHIFT));
    vma_resize(vma, vma->start, vma->end + more);
    vma_merge(vma);
    return 0;
}

static long remap_locked(struct mm *mm, vaddr_t old, size_t old_len, size_t new_len, unsigned flags, vaddr_t new_addr)
{
    struct vma *vma = vma_find(mm, old);
    if (!vma || vma->start > old)
        return -EFAULT;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        return remap_to(mm, old, old_len, new_len, flags, new_addr);
    if (old_len >= new_len) {
        int err = old_len > new_len ? unmap_tail(mm, old, old_len, new_len) : 0;
        return err ? err : (long)old;
    }
    int err = check_old(mm, old, old_len, new_len, flags, &vma);
    if (err)
        return err;
    if (old_len && vma->end == old + old_len && !grow_in_place(mm, vma, new_len - old_len))
        return (long)old;
    if (!(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    long to = find_place(mm, 0, new_len, 0);
    return to < 0 ? to : move_range(mm, old, old_len, (vaddr_t)to, new_len, false);
}

long mm_mremap(struct mm *mm, vaddr_t old, size_t old_len, size_t new_len, unsigned flags, vaddr_t new_addr)
{
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if (flags & MREMAP_DONTUNMAP && (ALIGN_UP(old_len, PAGE_SIZE) != ALIGN_UP(new_len, PAGE_SIZE)))
        return -EINVAL;
    if (old & ~PAGE_MASK)
        return -EINVAL;
    old_len = ALIGN_UP(old_len, PAGE_SIZE);
    new_len = ALIGN_UP(new_len, PAGE_SIZE);
    if (!new_len)
        return -EINVAL;
    int err = down_write_killable(&mm->sem);
    if (err)
        return err;
    long result = remap_locked(mm, old, old_len, new_len, flags, new_addr);
    const struct vma *vma = result >= 0 ? vma_find(mm, (vaddr_t)result) : nullptr;
    bool locked = vma && new_len > old_len && (vma->flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
    up_write(&mm->sem);
    if (locked && mm_populate(mm, (vaddr_t)result, new_len)) {
        // Moved all the same; missing pages come when touched.
    }
    return result;
}
