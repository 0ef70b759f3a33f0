// kernel/mm/cow.c — writes to pages that are mapped read-only: sole owner again, a private copy, or the first write to a shared file page.
//
// Replacing an entry that other CPUs may hold: (1) make it inaccessible under the leaf lock, keeping its frame; (2)
// flush without the lock; (3) put the new entry if the old one is still there. Faults in between find a present,
// inaccessible entry and try again. So no CPU can read the old page after another has written to the new one. Where
// no other CPU has the space loaded once the entry is inaccessible, all three are done under the lock: who loads it
// from then on finds the new entry or waits.
#include "kernel/abi/errno.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/populate.h"
#include "kernel/vfs/dcache.h"

// The old page's accounts after its entry was replaced by an anonymous page.
static void account_replaced(struct mm *mm, struct page *old)
{
    if (!old) {
        __atomic_fetch_add(&mm->rss_anon, 1, __ATOMIC_RELAXED);
        return;
    }
    uint32_t flags = page_flags(old);
    if (!(flags & PG_ANON)) {
        if (old->map_count) {
            __atomic_fetch_sub(flags & PG_SHMEM ? &mm->rss_shmem : &mm->rss_file, 1, __ATOMIC_RELAXED);
            page_unmapped(old);
        }
        __atomic_fetch_add(&mm->rss_anon, 1, __ATOMIC_RELAXED);
    }
    page_put(old);
}

// Replaces the entry `seen` by `fresh` in the three steps; afterwards no CPU reads through the old one. False: it has
// changed meanwhile.
static bool replace(struct vma *vma, vaddr_t addr, struct leaf leaf, pte_t seen, pte_t fresh)
{
    pte_t parked = mmu_entry(mmu_pfn(seen), mmu_user_prot(false, false));
    if (mmu_special(seen))
        parked = mmu_mk_special(parked);
    leaf_lock(leaf.table);
    bool same = mmu_read(leaf.entry) == seen, local = false;
    if (same) {
        mmu_set(leaf.entry, parked);
        local = mmu_is_local(vma->mm);
    }
    if (local) {
        mmu_set(leaf.entry, fresh);
        mmu_flush_page_local(addr); // before another thread of the space can run here
    }
    leaf_unlock(leaf.table);
    if (!same || local)
        return same;
    mmu_flush_range(vma->mm, addr, addr + PAGE_SIZE);
    leaf_lock(leaf.table);
    same = mmu_read(leaf.entry) == parked;
    if (same)
        mmu_set(leaf.entry, fresh);
    leaf_unlock(leaf.table);
    // The parked entry may be another thread's, after the page had come back to its place for a moment: that one has not flushed yet.
    if (same)
        mmu_flush_range(vma->mm, addr, addr + PAGE_SIZE);
    return same;
}

// The page that the entry `seen` names, with a reference that keeps it from being reused when truncation or another
// thread clears the entry; null: it is another entry by now.
static struct page *page_get_seen(struct leaf leaf, pte_t seen)
{
    struct page *page = nullptr;
    leaf_lock(leaf.table);
    if (mmu_read(leaf.entry) == seen) {
        page = pfn_to_page(mmu_pfn(seen));
        page_get(page);
    }
    leaf_unlock(leaf.table);
    return page;
}

static enum fault_result copy_page(struct vma *vma, vaddr_t addr, struct leaf leaf, pte_t seen)
{
    bool zero = mmu_special(seen);
    struct page *old = nullptr, *page = anon_page_alloc(zero ? ALLOC_ZERO : 0);
    if (!page)
        return FAULT_OOM;
    if (!zero) {
        old = page_get_seen(leaf, seen);
        if (!old) {
            page_put(page);
            return FAULT_RETRY;
        }
        mmu_copy_page(page_address(page), page_address(old));
    }
    vma->has_anon = true;
    if (replace(vma, addr, leaf, seen, private_entry(vma, page)))
        account_replaced(vma->mm, old);
    else
        page_put(page);
    if (old)
        page_put(old);
    return FAULT_RETRY;
}

// Sets W on the entry if it is still what was seen. Never where the VMA does not let the program write: a debugger's
// write comes here when the last to share a page has just gone, and needs no more than that.
static enum fault_result make_writable(const struct vma *vma, vaddr_t addr, struct leaf leaf, pte_t seen)
{
    if (!(vma->flags & VM_WRITE))
        return FAULT_RETRY;
    leaf_lock(leaf.table);
    // A private page is looked at again now that the entry can not let it go: it may have been another's page meanwhile.
    if (mmu_read(leaf.entry) == seen && (vma->flags & VM_SHARED || page_is_private(seen)))
        mmu_set(leaf.entry, mmu_mk_writable(mmu_mk_dirty(seen)));
    leaf_unlock(leaf.table);
    mmu_flush_page_local(addr);
    return FAULT_RETRY;
}

// Notes the write to a page of a file. False: the entry names another page by now, or none.
static bool dirty_shared(struct page_cache *cache, struct leaf leaf, pte_t seen)
{
    struct page *page = page_get_seen(leaf, seen);
    if (!page)
        return false;
    page_set_dirty(page);
    if (cache->host)
        inode_touch(cache->host, true, true);
    page_put(page);
    return true;
}

enum fault_result fault_write_protected(struct vma *vma, vaddr_t addr, struct leaf leaf, pte_t seen)
{
    if (mmu_special(seen)) {
        if (vma->flags & VM_SHARED && vma->flags & VM_PFNMAP)
            return make_writable(vma, addr, leaf, seen);
        return vma->flags & VM_PFNMAP ? FAULT_SIGBUS : copy_page(vma, addr, leaf, seen);
    }
    if (vma->flags & VM_SHARED) {
        if (vma->cache && !dirty_shared(vma->cache, leaf, seen))
            return FAULT_RETRY;
        return make_writable(vma, addr, leaf, seen);
    }
    // The only reference is this entry's own, and only this space could make another: it is ours to write.
    if (page_is_private(seen))
        return make_writable(vma, addr, leaf, seen);
    return copy_page(vma, addr, leaf, seen);
}
