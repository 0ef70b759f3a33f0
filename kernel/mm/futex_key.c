// kernel/mm/futex_key.c — what makes two futex words the same: futex(2). Private memory is known by (space, address),
// shared memory by (cache, offset).
#include "kernel/abi/errno.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/vma.h"
#include "kernel/vfs/file.h"

int mm_futex_key(struct mm *mm, vaddr_t addr, bool write, struct mm_futex_key *key)
{
    *key = (struct mm_futex_key){};
    if (addr >= MMU_USER_END)
        return -EFAULT;
    read_guard(&mm->sem);
    struct vma *vma = vma_find(mm, addr);
    unsigned long needed = write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC;
    if (!vma || vma->start > addr || !(vma->flags & needed))
        return -EFAULT;
    if (!(vma->flags & VM_SHARED) || !vma->cache) {
        key->object = mm;
        key->offset = addr;
        return 0;
    }
    key->object = vma->cache;
    key->offset = (vma_index(vma, addr & PAGE_MASK) << PAGE_SHIFT) + (addr & (PAGE_SIZE - 1));
    if (vma->file)
        key->file = file_get(vma->file);
    else
        key->shared_memory = shared_memory_get(vma);
    return 0;
}

void mm_futex_key_put(struct mm_futex_key *key)
{
    if (key->file)
        file_put(key->file);
    shared_memory_put(key->shared_memory);
    *key = (struct mm_futex_key){};
}
