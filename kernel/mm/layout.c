// kernel/mm/layout.c — the shape of a new address space: program low, heap behind it, mappings from below the stack downwards, stack on top.
//
// Random parts (personality(2) and kernel.randomize_va_space may switch them off): the stack's top within 16 GiB, the
// mapping base within 2^28 pages below the largest stack the limit allows, the heap's start within 32 MiB of the
// program's end.
#include "kernel/abi/errno.h"
#include "kernel/base/random.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mapping.h"
#include "kernel/proc/rlimit.h"

#include "arch/include/mmu.h"

#define STACK_RANDOM_PAGES (1UL << 22)
#define MMAP_RANDOM_PAGES (1UL << 28)
#define BRK_RANDOM_BYTES (32UL << 20)
#define STACK_FIRST_SIZE (132UL << 10)
#define STACK_GAP_MIN (128UL << 20)
#define STACK_GAP_MAX (MMU_USER_END / 6 * 5 & PAGE_MASK)

int mm_setup_layout(struct mm *mm, struct exec_layout *layout)
{
    vaddr_t top = MMU_USER_END;
    size_t slack = STACK_GUARD_GAP;
    if (layout->randomise) {
        top -= random_below(STACK_RANDOM_PAGES) << PAGE_SHIFT;
        slack += STACK_RANDOM_PAGES << PAGE_SHIFT;
    }
    uint64_t gap = layout->stack_rlimit > STACK_GAP_MAX ? STACK_GAP_MAX : layout->stack_rlimit + slack;
    gap = clamp(ALIGN_UP(gap, PAGE_SIZE), STACK_GAP_MIN, STACK_GAP_MAX);
    mm->mmap_base = MMU_USER_END - gap - (layout->randomise ? random_below(MMAP_RANDOM_PAGES) << PAGE_SHIFT : 0);
    if (layout->bottom_up)
        mm->mmap_bottom = LOW_MMAP_BASE + (layout->randomise ? random_below(MMAP_RANDOM_PAGES) << PAGE_SHIFT : 0);
    layout->stack_top = top;
    mm->start_stack = top;

    write_guard(&mm->sem);
    struct vma *vma = vma_alloc(mm);
    if (!vma)
        return -ENOMEM;
    vma->end = top;
    vma->start = top - STACK_FIRST_SIZE;
    vma->flags = VM_READ | VM_WRITE | (layout->exec_stack ? VM_EXEC : 0) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
                 VM_GROWSDOWN | VM_STACK | VM_ACCOUNT;
    vma->prot = mmu_user_prot(true, layout->exec_stack);
    vma->pgoff = vma->start >> PAGE_SHIFT;
    if (commit_charge(vma_pages(vma))) {
        vma_free(vma);
        return -ENOMEM;
    }
    vma_link(mm, vma);
    mm_account(mm, vma->flags, false, (int64_t)vma_pages(vma));
    return 0;
}

int mm_setup_brk(struct mm *mm, vaddr_t start, bool randomise)
{
    start = ALIGN_UP(start, PAGE_SIZE);
    if (randomise)
        start += random_below(BRK_RANDOM_BYTES) & PAGE_MASK;
    if (start >= MMU_USER_END)
        return -ENOMEM;
    mm->start_brk = mm->brk = start;
    return 0;
}
