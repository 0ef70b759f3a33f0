// kernel/mm/mincore.c — mincore(2).
#include "kernel/abi/errno.h"
#include "kernel/mm/madvise.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/page_table.h"

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
    read_guard(&mm->sem);
    for (size_t i = 0; i < pages; i++) {
        struct vma *vma = vma_find(mm, start + i * PAGE_SIZE);
        if (!vma || vma->start > start + i * PAGE_SIZE)
            return -ENOMEM;
        out[i] = resident(vma, start + i * PAGE_SIZE);
    }
    return 0;
}
