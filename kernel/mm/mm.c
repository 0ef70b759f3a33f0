// kernel/mm/mm.c — address spaces: their lives.
//
// The theory of kernel/mm's user side:
//   * A VMA says what a range may be; page tables say what it is now. Entries exist only inside VMAs. Whoever changes
//     VMAs holds mm->sem for write; faults, populate and MADV_DONTNEED hold it for read and so may only turn entries on
//     or off inside one VMA, under the leaf table's lock.
//   * What an entry may hold: an anonymous page (PG_ANON, one reference for each entry that maps it; writable only
//     while it is the sole owner's or was when W was set), a cached page (a reference and a map_count; writable only in
//     a shared mapping), or a frame that is not counted ("special": the zero page, device memory).
//   * Copy-on-write: fork takes W off in both spaces and flushes the parent everywhere before either runs. A write
//     fault on an anonymous page with one reference sets W again; otherwise it copies. Nothing sets W on a page that
//     another space maps privately.
//   * Entries are cleared by the gather (gather.h), or replaced by copy-on-write (cow.c), which flushes before the old
//     page is let go.
//   * Other spaces' entries are touched only through a cache's interval tree (truncate, write-back, reclaim), under its
//     vma_lock.
// Lock order: mm->sem > invalidate_sem > page lock > cache->vma_lock > leaf lock, table_lock > cache->lock.
#include "kernel/mm/mm.h"
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/panic.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/mm_boot.h"
#include "kernel/mm/reclaim_cache.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/vma.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"

DEFINE_LOCK_CLASS_NESTED(mm_lock_class, "mm", RANK_MM); // fork: the parent's, then the child's
DEFINE_LOCK_CLASS(table_lock_class, "upper page tables", RANK_PAGE_TABLE);
static struct slab_cache *mm_cache RO_AFTER_INIT;

void address_space_init(void)
{
    mm_cache = slab_cache_create("mm", sizeof(struct mm), 64, 0, nullptr);
    vma_cache_init();
    page_cache_queues_init();
    if (!mm_cache)
        panic("mm: no memory for the first caches");
}

struct mm *mm_create(void)
{
    struct mm *mm = slab_alloc(mm_cache, ALLOC_ZERO);
    if (!mm)
        return nullptr;
    if (arch_mm_init(mm)) {
        slab_free(mm_cache, mm);
        return nullptr;
    }
    rwsem_init(&mm->sem, &mm_lock_class);
    spin_init(&mm->table_lock, &table_lock_class);
    refcount_set(&mm->users, 1);
    refcount_set(&mm->refs, 1);
    mm->dumpable = 1;
    return mm;
}

void mm_get(struct mm *mm)
{
    refcount_inc(&mm->refs);
}

void mm_put(struct mm *mm)
{
    if (!refcount_dec_and_test(&mm->refs))
        return;
    if (unlikely(!cpumask_empty(&mm->cpus)))
        mmu_leave(mm);
    arch_mm_destroy(mm);
    slab_free(mm_cache, mm);
}

bool mm_get_users_not_zero(struct mm *mm)
{
    return refcount_inc_not_zero(&mm->users);
}

// The last user has gone: nobody runs here, and nobody can start to.
static void mm_empty(struct mm *mm) NO_THREAD_SAFETY_ANALYSIS
{
    struct gather g;
    mmu_leave(mm);
    gather_begin(&g, mm);
    g.alone = true;
    uint64_t charged = 0;
    vaddr_t run = 0; // where the tables begin that were not looked at yet
    struct rb_node *first = rb_first(&mm->vmas);
    struct vma *vma = first ? rb_entry(first, struct vma, node) : nullptr, *next;
    for (; vma; vma = next) {
        next = vma->next;
        if (vma->cache) {
            // Off its cache's list first: from then on nobody walks the tables below it from outside.
            spin_lock(&vma->cache->vma_lock);
            interval_remove(vma);
            spin_unlock(&vma->cache->vma_lock);
        }
        if (vma->flags & VM_ACCOUNT)
            charged += vma_pages(vma);
        unmap_range(&g, vma->start, vma->end);
        // Neighbours in one leaf table are done together: nothing can be freed before the last of them.
        if (!run)
            run = vma->start;
        if (!next || next->start >= ALIGN_UP(vma->end, mmu_span(1))) {
            gather_free_tables(&g, run, vma->end, 0, next ? next->start : ~0UL);
            run = 0;
        }
        vma_free(vma);
    }
    gather_end(&g);
    mm->vmas.node = nullptr;
    mm->last_hit = nullptr;
    mm->nr_vmas = 0;
    if (unlikely(mm->locked_pages))
        mm_stat_add(MM_STAT_MLOCKED, -(int64_t)mm->locked_pages);
    if (charged)
        commit_release(charged);
}

uint32_t mm_emptying;

void mm_put_users(struct mm *mm)
{
    if (!refcount_dec_and_test(&mm->users))
        return;
    might_sleep();
    __atomic_add_fetch(&mm_emptying, 1, __ATOMIC_RELAXED);
    mm_empty(mm);
    __atomic_sub_fetch(&mm_emptying, 1, __ATOMIC_RELAXED);
    if (mm->exe_file) {
        inode_allow_write(mm->exe_file->inode); // it was denied while the program ran: ETXTBSY
        file_put(mm->exe_file);
    }
    mm->exe_file = nullptr;
    mm_put(mm);
}

struct file *mm_exe_file(struct mm *mm)
{
    read_guard(&mm->sem);
    return mm->exe_file ? file_get(mm->exe_file) : nullptr;
}
