// kernel/mm/mincore.c — mincore(2).
#include "kernel/abi/errno.h"
#include "kernel/mm/madvise.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/page_table.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"

// What of somebody's file is in memory says what others do with it: only who owns it or may write it is told.
static bool may_know(const struct vma *vma)
{
    return !vma->file || inode_owner_or_capable(vma->file->inode) || inode_permission(vma->file->inode, MAY_WRITE) == 0;
}

// What the cache holds counts as resident, whether this process has it mapped or not.
static uint8_t resident(struct vma *vma, vaddr_t addr)
{
    struct leaf leaf = table_find(vma->mm, addr);
    if (leaf.entry && mmu_present(mmu_read(leaf.entry)))
        return 1;
    if (!vma->cache)
        return 0;
    struct page *page = page_cache_find(vma->cache, vma_index(vma, addr));
    if (!page)
        return 0;
    uint8_t is = !!(page_flags(page) & PG_UPTODATE);
    page_put(page);
    return is;
}

int mm_mincore(struct mm *mm, vaddr_t start, size_t pages, uint8_t *out)
{
    const struct vma *last = nullptr;
    bool known = false;
    read_guard(&mm->sem);
    for (size_t i = 0; i < pages; i++) {
        struct vma *vma = vma_find(mm, start + i * PAGE_SIZE);
        if (!vma || vma->start > start + i * PAGE_SIZE)
            return -ENOMEM;
        if (vma != last) {
            last = vma;
            known = may_know(vma);
        }
        out[i] = known ? resident(vma, start + i * PAGE_SIZE) : 1;
    }
    return 0;
}
