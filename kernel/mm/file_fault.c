// kernel/mm/file_fault.c — faults in mappings of a page cache, private and shared.
//
// Read faults map what is cached in the FAULT_AROUND pages about the address at one go. Cached pages are read-only in
// private mappings; in shared ones they are writable at once where dirt need not be tracked (memory-only content), else
// after the first write (cow.c). The cache's invalidate_sem, held for read, keeps truncation away between the look at
// the size and the new entry.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"

#define FAULT_AROUND 16u

static uint64_t pages_in(const struct page_cache *cache)
{
    return cache->size ? ((uint64_t)__atomic_load_n(cache->size, __ATOMIC_RELAXED) + PAGE_SIZE - 1) >> PAGE_SHIFT : 0;
}

static pte_t entry_for(const struct vma *vma, struct page *page, bool write)
{
    pte_t e = mmu_mk_young(mmu_entry(page_to_pfn(page), vma->prot));
    if ((vma->flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
        return e;
    if (write)
        return mmu_mk_writable(mmu_mk_dirty(e));
    return page_cache_is_memory(vma->cache) ? mmu_mk_writable(e) : e;
}

static void count_rss(const struct vma *vma, int64_t n)
{
    __atomic_fetch_add(page_cache_is_memory(vma->cache) ? &vma->mm->rss_shmem : &vma->mm->rss_file, n,
                       __ATOMIC_RELAXED);
}

// Maps the cached pages around `addr`, under RCU and the leaf lock: nothing here sleeps. True if addr's own entry is
// filled now.
static bool map_around(struct vma *vma, vaddr_t addr, struct leaf leaf)
{
    struct page_cache *cache = vma->cache;
    vaddr_t window = FAULT_AROUND * PAGE_SIZE, start = max(ALIGN_DOWN(addr, window), vma->start);
    uint64_t first = vma_index(vma, start), limit = pages_in(cache);
    vaddr_t end = min(ALIGN_DOWN(addr, window) + window, vma->end);
    if (first >= limit)
        return false;
    if ((end - start) >> PAGE_SHIFT > limit - first)
        end = start + ((limit - first) << PAGE_SHIFT);
    pte_t *e = leaf.entry - ((addr - start) >> PAGE_SHIFT);
    unsigned mapped = 0;
    leaf_lock(leaf.table);
    rcu_read_lock();
    for (vaddr_t at = start; at < end; at += PAGE_SIZE, e++, first++) {
        if (mmu_read(e))
            continue;
        struct page *page = xa_load(&cache->pages, first);
        if (!page || (page_flags(page) & (PG_UPTODATE | PG_LOCKED)) != PG_UPTODATE ||
            !refcount_inc_not_zero(&page->refs))
            continue;
        if (unlikely(xa_load(&cache->pages, first) != page)) {
            page_put(page);
            continue;
        }
        page_mapped(page);
        mmu_set(e, entry_for(vma, page, false));
        mapped++;
    }
    leaf.table->table_entries += mapped;
    bool done = mmu_read(leaf.entry);
    rcu_read_unlock();
    leaf_unlock(leaf.table);
    if (mapped)
        count_rss(vma, mapped);
    return done;
}

// Maps a page for good; takes over its reference.
static void install_cached(struct vma *vma, struct leaf leaf, struct page *page, bool write)
{
    leaf_lock(leaf.table);
    bool empty = !mmu_read(leaf.entry);
    if (empty) {
        page_mapped(page);
        mmu_set(leaf.entry, entry_for(vma, page, write));
        leaf.table->table_entries++;
    }
    leaf_unlock(leaf.table);
    if (empty)
        count_rss(vma, 1);
    else
        page_put(page);
}

// A private copy of a cached page.
static enum fault_result install_copy(struct vma *vma, struct leaf leaf, struct page *page)
{
    struct page *copy = anon_page_alloc(0);
    if (!copy)
        return FAULT_OOM;
    mmu_copy_page(page_address(copy), page_address(page));
    vma->has_anon = true;
    leaf_lock(leaf.table);
    bool empty = !mmu_read(leaf.entry);
    if (empty) {
        mmu_set(leaf.entry, private_entry(vma, copy));
        leaf.table->table_entries++;
    }
    leaf_unlock(leaf.table);
    if (empty)
        __atomic_fetch_add(&vma->mm->rss_anon, 1, __ATOMIC_RELAXED);
    else
        page_put(copy);
    return FAULT_RETRY;
}

static enum fault_result fault_one(struct vma *vma, vaddr_t addr, struct leaf leaf, bool write)
{
    struct page_cache *cache = vma->cache;
    uint64_t index = vma_index(vma, addr);
    if (index >= pages_in(cache))
        return FAULT_SIGBUS;
    struct page *page = page_cache_find(cache, index);
    if (!page || !(page_flags(page) & PG_UPTODATE)) {
        if (page)
            page_put(page);
        if (cache->ops && cache->ops->read_page) {
            mm_stat_add(MM_STAT_MAJOR_FAULTS, 1);
            if (current_task()) {
                current_task()->maj_flt++;
                current_task()->min_flt--;
            }
        }
        int err = page_cache_get(cache, index, &page);
        if (err)
            return err == -ENOMEM ? FAULT_OOM : err == -EINTR ? FAULT_RETRY : FAULT_SIGBUS;
    }
    if (write && !(vma->flags & VM_SHARED)) {
        enum fault_result result = install_copy(vma, leaf, page);
        page_put(page);
        return result;
    }
    if (write) {
        page_set_dirty(page);
        if (cache->host)
            inode_touch(cache->host, true, true);
    }
    install_cached(vma, leaf, page, write);
    return FAULT_RETRY;
}

enum fault_result fault_file(struct vma *vma, vaddr_t addr, struct leaf leaf, bool write)
{
    struct rwsem *sem = vma->cache->invalidate_sem;
    down_read(sem);
    enum fault_result result = FAULT_RETRY;
    if (write || vma->flags & VM_RAND_READ || !map_around(vma, addr, leaf))
        result = fault_one(vma, addr, leaf, write);
    up_read(sem);
    return result;
}
