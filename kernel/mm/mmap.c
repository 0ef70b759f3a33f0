// kernel/mm/mmap.c — mmap(2): where a mapping goes, whether it may be, and making it.
#include "kernel/abi/errno.h"
#include "kernel/abi/personality.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mapping.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/mount.h"

#include "arch/include/mmu.h"

bool read_implies_exec(unsigned prot)
{
    return prot & PROT_READ && current_task() && current_task()->personality & READ_IMPLIES_EXEC;
}

static bool is_noexec(const struct file *file)
{
    return file && file->path.mnt && mnt_is_noexec(file->path.mnt);
}

bool may_have_data(const struct mm *mm, uint64_t pages)
{
    struct rlimit_k limit = rlimits(RLIMIT_DATA);
    // A soft limit of zero is brk(2)'s alone: Valgrind sets it.
    return mm->data_pages + pages <= (limit.cur ? limit.cur : limit.max) >> PAGE_SHIFT;
}

bool may_expand(const struct mm *mm, unsigned long flags, uint64_t pages)
{
    if (mm->total_pages + pages > rlimit(RLIMIT_AS) >> PAGE_SHIFT)
        return false;
    bool data = (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN | VM_STACK)) == VM_WRITE;
    return !data || may_have_data(mm, pages);
}

bool may_lock(const struct mm *mm, uint64_t pages)
{
    return mm->locked_pages + pages <= rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT || capable(CAP_IPC_LOCK);
}

long find_place(struct mm *mm, vaddr_t hint, size_t len, unsigned flags)
{
    if (len > MMU_USER_END)
        return -ENOMEM;
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (hint & ~PAGE_MASK)
            return -EINVAL;
        if (hint > MMU_USER_END - len)
            return -ENOMEM;
        if (hint < vm_mmap_min_addr && !capable(CAP_SYS_RAWIO))
            return -EPERM;
        if (flags & MAP_FIXED_NOREPLACE) {
            const struct vma *next = vma_find(mm, hint);
            if (next && next->start < hint + len)
                return -EEXIST;
        }
        return (long)hint;
    }
    hint &= PAGE_MASK;
    if (hint) {
        hint = max(hint, (vaddr_t)vm_mmap_min_addr);
        vaddr_t limit = flags & MAP_32BIT ? 0x80000000UL : MMU_USER_END;
        const struct vma *prev = vma_find(mm, hint - 1);
        bool clear = !prev || prev->start >= hint || prev->end <= hint;
        if (hint <= limit && len <= limit - hint && clear && vma_range_free(mm, hint, hint + len))
            return (long)hint;
    }
    vaddr_t at;
    if (flags & MAP_32BIT) {
        at = vma_find_gap_low(mm, len, 0x40000000UL, 0x80000000UL);
    } else {
        at = mm->mmap_bottom ? vma_find_gap_low(mm, len, mm->mmap_bottom, MMU_USER_END)
                             : vma_find_gap_high(mm, len, vm_mmap_min_addr, mm->mmap_base);
        if (!at)
            at = vma_find_gap_low(mm, len, LOW_MMAP_BASE, MMU_USER_END);
    }
    return at ? (long)at : -ENOMEM;
}

// What the file's open mode, its mount and the flags allow; adds to *vm_flags. 0 or -errno in the order of mmap(2).
static int check_file(struct file *file, unsigned prot, unsigned flags, unsigned long *vm_flags)
{
    switch (flags & MAP_TYPE) {
    case MAP_SHARED_VALIDATE:
        if (flags & ~MAP_KNOWN)
            return -EOPNOTSUPP;
        [[fallthrough]];
    case MAP_SHARED:
        if (prot & PROT_WRITE && !(file->mode & FMODE_WRITE))
            return -EACCES;
        *vm_flags |= VM_SHARED;
        if (!(file->mode & FMODE_WRITE))
            *vm_flags &= ~(unsigned long)VM_MAYWRITE;
        break;
    case MAP_PRIVATE:
        break;
    default:
        return -EINVAL;
    }
    if (!(file->mode & FMODE_READ))
        return -EACCES;
    if (is_noexec(file)) {
        if (prot & PROT_EXEC)
            return -EPERM;
        *vm_flags &= ~(unsigned long)VM_MAYEXEC;
    }
    if (!file->ops->mmap)
        return -ENODEV;
    return *vm_flags & VM_GROWSDOWN ? -EINVAL : 0;
}

static int check_anonymous(unsigned flags, unsigned long *vm_flags)
{
    switch (flags & MAP_TYPE) {
    case MAP_SHARED:
        if (*vm_flags & VM_GROWSDOWN)
            return -EINVAL;
        *vm_flags |= VM_SHARED;
        return 0;
    case MAP_PRIVATE:
        return 0;
    default:
        return -EINVAL;
    }
}

// Gives a fresh VMA its memory: the file's own way, its cache, or nothing yet.
static int attach(struct vma *vma, struct file *file)
{
    if (!file)
        return vma->flags & VM_SHARED ? shared_memory_attach(vma) : 0;
    vma->file = file_get(file);
    if (file->ops->page_cached)
        vma->cache = &file->inode->cache;
    int err = file->ops->mmap(file, vma);
    vma->prot |= mmu_user_prot(vma->flags & (VM_READ | VM_WRITE | VM_EXEC), vma->flags & VM_EXEC);
    if (!err && !vma->cache && !vma->ops)
        vma->pgoff = vma->start >> PAGE_SHIFT; // /dev/zero, private
    return err;
}

struct request {
    vaddr_t start, end;
    unsigned long vm_flags;
    struct file *file;
    uint64_t pgoff;
};

// Makes the mapping at a place that is decided. mm->sem held for write.
static int map_region(struct mm *mm, const struct request *r) NO_THREAD_SAFETY_ANALYSIS
{
    uint64_t pages = (r->end - r->start) >> PAGE_SHIFT;
    unsigned long vm_flags = r->vm_flags;
    if (!may_expand(mm, vm_flags, pages)) {
        // What MAP_FIXED replaces does not count twice.
        uint64_t replaced = 0;
        for (struct vma *old = vma_find(mm, r->start); old && old->start < r->end; old = old->next)
            replaced += (min(old->end, r->end) - max(old->start, r->start)) >> PAGE_SHIFT;
        if (!may_expand(mm, vm_flags, pages - min(replaced, pages)))
            return -ENOMEM;
    }
    const struct vma *in_way = vma_find(mm, r->start);
    if (in_way && in_way->start < r->end) {
        int err = unmap_locked(mm, r->start, r->end);
        if (err)
            return err;
    }
    if (vm_flags_accountable(vm_flags)) {
        int err = commit_charge(pages);
        if (err)
            return err;
        vm_flags |= VM_ACCOUNT;
    }
    // A mapping of a file is made even where it ends as a part of its neighbour: the file may refuse it, or allow less.
    if (!r->file && !(vm_flags & VM_SHARED) && vma_extend(mm, r->start, r->end, vm_flags, r->pgoff)) {
        mm_account(mm, vm_flags, false, (int64_t)pages);
        return 0;
    }
    bool sealable = r->file && r->file->inode->flags & I_SEALABLE && vm_flags & VM_SHARED && vm_flags & VM_MAYWRITE;
    if (sealable)
        page_cache_expect_writable(&r->file->inode->cache, 1);
    struct vma *vma = vma_alloc(mm);
    int err = -ENOMEM;
    if (vma && mm->nr_vmas < vm_max_map_count) {
        vma->start = r->start;
        vma->end = r->end;
        vma->flags = vm_flags;
        vma->pgoff = r->pgoff;
        vma->prot = r->file ? 0 : mmu_user_prot(vm_flags & (VM_READ | VM_WRITE | VM_EXEC), vm_flags & VM_EXEC);
        err = attach(vma, r->file);
    }
    if (!err)
        vma_link(mm, vma);
    if (sealable)
        page_cache_expect_writable(&r->file->inode->cache, -1);
    if (err) {
        if (vma) {
            if (vma->ops && vma->file)
                vma->ops = nullptr; // refused: what it set is not to be closed
            vma_free(vma);
        }
        if (vm_flags & VM_ACCOUNT)
            commit_release(pages);
        return err;
    }
    mm_account(mm, vma->flags, vma->file != nullptr, (int64_t)pages);
    vma_merge(vma);
    return 0;
}

static int map_locked(struct mm *mm, vaddr_t addr, size_t len, unsigned prot, unsigned flags, struct file *file,
                      uint64_t pgoff, long *out) NO_THREAD_SAFETY_ANALYSIS
{
    if (mm->nr_vmas > vm_max_map_count)
        return -ENOMEM;
    long place = find_place(mm, addr, len, flags);
    if (place < 0)
        return (int)place;
    unsigned long vm_flags = vm_flags_of_prot(prot) | mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
                             (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) | (flags & MAP_LOCKED ? VM_LOCKED : 0) |
                             (flags & MAP_SYNC ? VM_SYNC : 0);
    if (flags & MAP_LOCKED && !rlimit(RLIMIT_MEMLOCK) && !capable(CAP_IPC_LOCK))
        return -EPERM;
    if (vm_flags & VM_LOCKED && !may_lock(mm, len >> PAGE_SHIFT))
        return -EAGAIN;
    int err = file ? check_file(file, prot, flags, &vm_flags) : check_anonymous(flags, &vm_flags);
    if (err)
        return err;
    vm_flags &= ~(unsigned long)VM_SYNC;
    if (flags & MAP_NORESERVE && vm_overcommit_memory != 2)
        vm_flags |= VM_NORESERVE;
    struct request r = {.start = (vaddr_t)place, .end = (vaddr_t)place + len, .vm_flags = vm_flags, .file = file};
    r.pgoff = file ? pgoff : (vaddr_t)place >> PAGE_SHIFT;
    err = map_region(mm, &r);
    *out = place;
    return err;
}

long mm_mmap(struct mm *mm, vaddr_t addr, size_t len, unsigned prot, unsigned flags, struct file *file, uint64_t offset)
{
    if (!len || offset & ~PAGE_MASK)
        return -EINVAL;
    if (len > MMU_USER_END)
        return -ENOMEM;
    len = ALIGN_UP(len, PAGE_SIZE);
    if (file && (offset + len < offset || (int64_t)(offset + len) < 0))
        return -EOVERFLOW;
    // Huge pages: none are ever reserved. Sizes that the CPU does not have are not valid at all.
    if (flags & MAP_HUGETLB) {
        unsigned shift = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
        return file || (shift && shift != 21 && shift != 30) ? -EINVAL : -ENOMEM;
    }
    long place;
    if (down_write_killable(&mm->sem))
        return -EINTR;
    if (read_implies_exec(prot) && !is_noexec(file))
        prot |= PROT_EXEC;
    int err = map_locked(mm, addr, len, prot, flags, file, offset >> PAGE_SHIFT, &place);
    bool populate = !err && ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE || flags & MAP_LOCKED ||
                             (mm->def_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED);
    up_write(&mm->sem);
    if (err)
        return err;
    if (populate && mm_populate(mm, (vaddr_t)place, len)) {
        // As the manual says: the mapping stands even if not all of it could be made present.
    }
    return place;
}

long mm_map_special(struct mm *mm, vaddr_t addr, size_t len, unsigned long vm_flags, const struct vma_ops *ops,
                    void *private)
{
    len = ALIGN_UP(len, PAGE_SIZE);
    write_guard(&mm->sem);
    long place = find_place(mm, addr, len, 0);
    if (place < 0)
        return place;
    if (!may_expand(mm, vm_flags, len >> PAGE_SHIFT))
        return -ENOMEM;
    struct vma *vma = vma_alloc(mm);
    if (!vma)
        return -ENOMEM;
    vma->start = (vaddr_t)place;
    vma->end = vma->start + len;
    vma->flags = vm_flags;
    vma->ops = ops;
    vma->private = private;
    vma->prot = mmu_user_prot(vm_flags & (VM_READ | VM_WRITE | VM_EXEC), vm_flags & VM_EXEC);
    vma_link(mm, vma);
    mm_account(mm, vm_flags, false, (int64_t)vma_pages(vma));
    return place;
}
