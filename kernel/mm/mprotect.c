// kernel/mm/mprotect.c — mprotect(2): new rights for a range; splits and joins VMAs, rewrites entries, flushes what became stricter.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/table_share.h"
#include "kernel/proc/rlimit.h"

// Entries never gain W here: the next write faults and finds out whether the page may be written in place (cow.c).
static void rewrite_entries(struct vma *vma, vaddr_t *first, vaddr_t *last)
{
    vaddr_t addr = vma->start;
    while ((addr = table_skip_holes(vma->mm, addr, vma->end)) < vma->end) {
        vaddr_t stop = min(ALIGN_DOWN(addr, mmu_span(1)) + mmu_span(1), vma->end);
        struct leaf leaf = table_find(vma->mm, addr);
        leaf_lock(leaf.table);
        unsigned left = leaf.table->table_entries ? MMU_ENTRIES : 0;
        for (pte_t *e = leaf.entry; left && addr < stop; e++, addr += PAGE_SIZE) {
            pte_t was = mmu_read(e);
            if (!was)
                continue;
            pte_t now = mmu_change_prot(was, vma->prot);
            // Private pages that could be written and still may: keep W, nothing changed about their owner.
            if (mmu_writable(was) && vma->flags & VM_WRITE)
                now = mmu_mk_writable(now);
            if (now == was)
                continue;
            // The old entry is taken out atomically, so that a dirty bit set meanwhile is carried over.
            was = mmu_get_and_clear(e);
            mmu_set(e, now | (was & mmu_mk_dirty(0)));
            *first = min(*first, addr);
            *last = addr + PAGE_SIZE;
        }
        leaf_unlock(leaf.table);
        addr = stop;
    }
}

static unsigned long flags_with(const struct vma *vma, unsigned long rwx)
{
    return (vma->flags & ~(unsigned long)(VM_READ | VM_WRITE | VM_EXEC)) | rwx;
}

// What it costs that `pages` of the VMA get the rights: RLIMIT_DATA counts memory as it becomes private and writable, and so does the commit account
// (*flag is VM_ACCOUNT then); RLIMIT_AS does not change.
static int charge_rights(const struct vma *vma, unsigned long rwx, uint64_t pages, unsigned long *flag)
{
    unsigned long flags = flags_with(vma, rwx);
    *flag = 0;
    if (!(rwx & VM_WRITE) || vma->flags & VM_WRITE)
        return 0;
    if (!(flags & (VM_SHARED | VM_GROWSDOWN | VM_STACK)) && !may_have_data(vma->mm, pages))
        return -ENOMEM;
    if (!vm_flags_accountable(flags) || vma->flags & VM_ACCOUNT)
        return 0;
    *flag = VM_ACCOUNT;
    return commit_charge(pages);
}

// The part [from, to) of a VMA gets the rights `rwx`. A refusal leaves the VMA whole.
static int protect_part(struct vma *vma, vaddr_t from, vaddr_t to, unsigned long rwx, vaddr_t *first, vaddr_t *last)
{
    struct mm *mm = vma->mm;
    uint64_t pages = (to - from) >> PAGE_SHIFT;
    unsigned long account;
    int err = charge_rights(vma, rwx, pages, &account);
    if (err)
        return err;
    err = vma_cut(mm, from, to);
    if (err) {
        if (account)
            commit_release(pages);
        return err;
    }
    vma = vma_find(mm, from);
    vma_set_flags(vma, flags_with(vma, rwx) | account);
    rewrite_entries(vma, first, last);
    vma_merge(vma);
    return 0;
}

static int protect_locked(struct mm *mm, vaddr_t start, vaddr_t end, unsigned prot)
{
    bool run = read_implies_exec(prot);
    struct vma *vma = vma_find(mm, start);
    if (!vma || (vma->start > start && !(prot & PROT_GROWSDOWN)))
        return -ENOMEM;
    if (prot & PROT_GROWSDOWN) {
        if (vma->start >= end)
            return -ENOMEM;
        if (!(vma->flags & VM_GROWSDOWN))
            return -EINVAL;
        start = vma->start;
    } else if (prot & PROT_GROWSUP) {
        return -EINVAL; // no memory grows upwards here
    }
    vaddr_t first = MMU_USER_END, last = 0, done = start;
    int err = table_own_range(mm, start, end);
    while (done < end && !err) {
        vma = vma_find(mm, done);
        if (!vma || vma->start > done) {
            err = -ENOMEM; // a hole; what lies before it is changed, as on Linux
            break;
        }
        unsigned long rwx = vm_flags_of_prot(prot) | (run && vma->flags & VM_MAYEXEC ? VM_EXEC : 0);
        // VM_MAYx is VM_x shifted: what the mapping can ever be given.
        if (rwx & ~(vma->flags >> 4 & (VM_READ | VM_WRITE | VM_EXEC))) {
            err = -EACCES;
            break;
        }
        vaddr_t stop = min(vma->end, end);
        if ((vma->flags & (VM_READ | VM_WRITE | VM_EXEC)) == rwx) {
            done = stop;
            continue;
        }
        err = protect_part(vma, done, stop, rwx, &first, &last);
        done = stop;
    }
    if (last > first)
        mmu_flush_range(mm, first, last);
    return err;
}

int mm_mprotect(struct mm *mm, vaddr_t addr, size_t len, unsigned prot)
{
    if ((prot & (PROT_GROWSDOWN | PROT_GROWSUP)) == (PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    if (addr & ~PAGE_MASK)
        return -EINVAL;
    if (!len)
        return 0;
    len = ALIGN_UP(len, PAGE_SIZE);
    if (!len || addr + len <= addr)
        return -ENOMEM;
    if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    int err = down_write_killable(&mm->sem);
    if (err)
        return err;
    err = protect_locked(mm, addr, addr + len, prot & ~PROT_SEM);
    up_write(&mm->sem);
    return err;
}
static_assert(VM_MAYREAD == VM_READ << 4 && VM_MAYWRITE == VM_WRITE << 4 && VM_MAYEXEC == VM_EXEC << 4);
