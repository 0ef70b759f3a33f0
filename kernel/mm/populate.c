// kernel/mm/populate.c — faulting pages in before they are touched: mlock, MAP_POPULATE, MADV_POPULATE, and copies to
// and from other processes' memory.
#include "kernel/mm/populate.h"
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/table_share.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/mutex.h"

static bool being_killed(void)
{
    return thread_signal_pending && thread_signal_pending(current_thread(), true);
}

static int result_errno(enum fault_result result)
{
    return result == FAULT_OOM ? -ENOMEM : -EFAULT;
}

// Resolves one page for reading or writing; the entry is good when this returns 0. Copy-on-write happens even where the
// VMA forbids writing.
static int make_present(struct vma *vma, vaddr_t addr, bool write)
{
    for (;;) {
        struct leaf leaf = table_find(vma->mm, addr);
        pte_t e = leaf.entry ? mmu_read(leaf.entry) : 0;
        if (e && (!write || mmu_writable(e) || (!(vma->flags & VM_WRITE) && page_is_private(e))))
            return 0;
        enum fault_result result = fault_in(vma, addr, write);
        if (result != FAULT_RETRY)
            return result_errno(result);
        if (being_killed())
            return -EINTR;
    }
}

bool page_is_private(pte_t e)
{
    const struct page *page = mmu_special(e) ? nullptr : pfn_to_page(mmu_pfn(e));
    return page && page_flags(page) & PG_ANON && refcount_read(&page->refs) == 1;
}

int populate_locked(struct mm *mm, vaddr_t start, vaddr_t end, int mode)
{
    for (vaddr_t addr = start; addr < end; addr += PAGE_SIZE) {
        struct vma *vma = vma_find(mm, addr);
        if (!vma || vma->start > addr)
            return -ENOMEM;
        if (vma->flags & (VM_PFNMAP | VM_SPECIAL)) {
            if (mode != POPULATE_LOCK)
                return -EINVAL;
            addr = vma->end - PAGE_SIZE;
            continue;
        }
        // Locking takes its own copies of private pages, but does not dirty shared files.
        bool write =
            mode == POPULATE_WRITE || (mode == POPULATE_LOCK && (vma->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
        unsigned long needed = write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC;
        if (!(vma->flags & needed))
            return mode == POPULATE_LOCK ? -EFAULT : -EINVAL;
        int err = make_present(vma, addr, write);
        if (err)
            return err;
    }
    return 0;
}

int mm_populate(struct mm *mm, vaddr_t start, size_t len) NO_THREAD_SAFETY_ANALYSIS
{
    vaddr_t end = ALIGN_UP(start + len, PAGE_SIZE);
    int err = mm_read_lock_own(mm, start & PAGE_MASK, end);
    if (err)
        return err;
    err = populate_locked(mm, start & PAGE_MASK, end, POPULATE_LOCK);
    up_read(&mm->sem);
    return err;
}

// The page at `addr` with a reference, after breaking copy-on-write for a write; mm->sem held. `force` may write where
// VM_MAYWRITE allows it.
static int pin_locked(struct mm *mm, vaddr_t addr, bool write, bool force, struct page **out)
{
    struct vma *vma = vma_find(mm, addr);
    if (!vma || vma->start > addr || vma->flags & VM_PFNMAP)
        return -EFAULT;
    unsigned long needed = write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC;
    if (!(vma->flags & needed)) {
        // A debugger may read and may patch private text, never a shared mapping that is not writable.
        if (!force || !(vma->flags & (write ? VM_MAYWRITE : VM_MAYREAD)) || (write && vma->flags & VM_SHARED))
            return -EFAULT;
    }
    for (;;) {
        int err = make_present(vma, addr & PAGE_MASK, write);
        if (err)
            return err;
        struct leaf leaf = table_find(mm, addr);
        if (!leaf.entry)
            continue;
        leaf_lock(leaf.table);
        pte_t e = mmu_read(leaf.entry);
        bool good = e && (!write || mmu_writable(e) || page_is_private(e));
        struct page *page = good ? pfn_to_page(mmu_pfn(e)) : nullptr;
        if (page)
            page_get(page);
        leaf_unlock(leaf.table);
        if (page) {
            *out = page;
            return 0;
        }
    }
}

// The same with the lock taken.
static int pin(struct mm *mm, vaddr_t addr, bool write, bool force, struct page **out) NO_THREAD_SAFETY_ANALYSIS
{
    int err = mm_read_lock_own(mm, addr & PAGE_MASK, (addr & PAGE_MASK) + PAGE_SIZE);
    if (err)
        return err;
    err = pin_locked(mm, addr, write, force, out);
    up_read(&mm->sem);
    return err;
}

int mm_pin_page(struct mm *mm, vaddr_t addr, bool write, struct page **out)
{
    return pin(mm, addr, write, false, out);
}

// Within one page, and with the lock held over the copy: else a fork and a write of the process's own could put another page there meanwhile, and what we
// write would be nobody's. `buf` is the kernel's.
static int access_page(struct mm *mm, vaddr_t addr, void *buf, size_t len, bool write, bool force) NO_THREAD_SAFETY_ANALYSIS
{
    struct page *page;
    int err = mm_read_lock_own(mm, addr & PAGE_MASK, (addr & PAGE_MASK) + PAGE_SIZE);
    if (err)
        return err;
    err = pin_locked(mm, addr, write, force, &page);
    if (!err) {
        char *at = (char *)page_address(page) + (addr & ~PAGE_MASK);
        if (write) {
            memcpy(at, buf, len);
            if (page_flags(page) & PG_CACHE)
                page_set_dirty(page);
        } else {
            memcpy(buf, at, len);
        }
        page_put(page);
    }
    up_read(&mm->sem);
    return err;
}

// Of two that write by force to one page, which is read-only, the second would take the first one's reference for another user and put a copy in its place
// that lacks what the first is about to write.
static DEFINE_LOCK_CLASS(forced_class, "forced writes", RANK_MM - 1);
static struct mutex forced_lock = MUTEX_INIT(forced_lock, &forced_class);

static int force_page(struct mm *mm, vaddr_t addr, void *buf, size_t len)
{
    if (mutex_lock_killable(&forced_lock))
        return -EINTR;
    int err = access_page(mm, addr, buf, len, true, true);
    mutex_unlock(&forced_lock);
    return err;
}

ssize_t mm_access(struct mm *mm, vaddr_t addr, void *buf, size_t len, bool write, bool force)
{
    size_t done = 0;
    if (addr >= MMU_USER_END)
        return -EIO;
    len = min(len, MMU_USER_END - addr);
    while (done < len) {
        size_t offset = (addr + done) & (PAGE_SIZE - 1), part = min(PAGE_SIZE - offset, len - done);
        char *at = (char *)buf + done;
        int err = write && force ? force_page(mm, addr + done, at, part) : access_page(mm, addr + done, at, part, write, force);
        if (err)
            return done ? (ssize_t)done : err == -EFAULT ? -EIO : err;
        done += part;
    }
    return (ssize_t)done;
}
