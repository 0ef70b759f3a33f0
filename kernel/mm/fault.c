// kernel/mm/fault.c — page faults: from an address to an entry in the page table, or to a reason why not.
//
// Order of questions: is there a VMA (or a stack to grow); does it allow the access; is there an entry already (then it
// is about permission: cow.c); else make one, by kind of memory. Outcomes are exactly those of enum fault_result.
// FAULT_RETRY also when another thread was faster.
#include "kernel/mm/fault.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/table_share.h"
#include "kernel/proc/rlimit.h"
#include "kernel/proc/task.h"

#define ANON_AHEAD_MAX 16u // 64 KiB

void pagefault_disable(void)
{
    current_thread()->pagefault_disabled++;
    compiler_barrier();
}

void pagefault_enable(void)
{
    compiler_barrier();
    current_thread()->pagefault_disabled--;
}

bool pagefault_disabled(void)
{
    return current_thread()->pagefault_disabled != 0;
}

static enum fault_result fault_errno(int err)
{
    switch (err) {
    case 0:
    case -EAGAIN:
    case -EINTR:
        return FAULT_RETRY;
    case -ENOMEM:
        return FAULT_OOM;
    default:
        return FAULT_SIGBUS;
    }
}

// Puts `value` into an empty entry. False: somebody else has filled it.
static inline bool install(struct leaf leaf, pte_t value)
{
    leaf_lock(leaf.table);
    bool empty = !mmu_read(leaf.entry);
    if (likely(empty)) {
        mmu_set(leaf.entry, value);
        leaf.table->table_entries++;
    }
    leaf_unlock(leaf.table);
    return empty;
}

struct page *anon_page_alloc(unsigned extra_flags)
{
    struct page *page = page_alloc(0, ALLOC_USER | extra_flags);
    if (likely(page)) {
        page->flags = PG_ANON | PG_UPTODATE;
        mm_stat_add(MM_STAT_ANON, 1);
    }
    return page;
}

// How many pages behind this one a program that fills memory from one end to the other is going to touch next. What it
// has touched just before tells: never more than half as much again.
static unsigned pages_ahead(const struct vma *vma, vaddr_t addr, struct leaf leaf)
{
    unsigned index = mmu_index(addr, 0);
    const pte_t *e = leaf.entry;
    if (index < 8 || !mmu_read(e - 1) || !mmu_read(e - 2) || !mmu_read(e - 4) || !mmu_read(e - 8) ||
        vma->flags & (VM_RAND_READ | VM_LOCKONFAULT | VM_GROWSDOWN))
        return 0;
    unsigned n = index >= 32 && mmu_read(e - 16) && mmu_read(e - 32) ? ANON_AHEAD_MAX : 4;
    return min(n, min(MMU_ENTRIES - 1 - index, (unsigned)((vma->end - addr - 1) >> PAGE_SHIFT)));
}

// Maps zeroed pages behind `addr`, up to the first entry that is taken: one lock and one fault for all of them. Only
// with memory that is to be had easily.
static void fill_ahead(struct vma *vma, struct leaf leaf, unsigned n)
{
    struct page *pages[ANON_AHEAD_MAX];
    unsigned got = 0, used = 0;
    while (got < n && (pages[got] = anon_page_alloc(ALLOC_ZERO | ALLOC_NORETRY | ALLOC_NOWARN)))
        got++;
    leaf_lock(leaf.table);
    while (used < got && !mmu_read(leaf.entry + 1 + used)) {
        mmu_set(leaf.entry + 1 + used, private_entry(vma, pages[used]));
        used++;
    }
    leaf.table->table_entries += used;
    leaf_unlock(leaf.table);
    __atomic_fetch_add(&vma->mm->rss_anon, used, __ATOMIC_RELAXED);
    while (used < got)
        page_put(pages[used++]);
}

static enum fault_result fault_anon(struct vma *vma, vaddr_t addr, struct leaf leaf, bool write)
{
    vma->has_anon = true;
    if (!write) {
        install(leaf, mmu_mk_special(mmu_mk_young(mmu_entry(page_to_pfn(zero_page), vma->prot))));
        return FAULT_RETRY;
    }
    struct page *page = anon_page_alloc(ALLOC_ZERO);
    if (!page)
        return FAULT_OOM;
    if (unlikely(!install(leaf, private_entry(vma, page)))) {
        page_put(page);
        return FAULT_RETRY;
    }
    __atomic_fetch_add(&vma->mm->rss_anon, 1, __ATOMIC_RELAXED);
    unsigned ahead = pages_ahead(vma, addr, leaf);
    if (ahead)
        fill_ahead(vma, leaf, ahead);
    return FAULT_RETRY;
}

static enum fault_result fault_special(struct vma *vma, vaddr_t addr, struct leaf leaf, bool write)
{
    struct vm_fault vmf = {.vma = vma, .address = addr, .pgoff = vma_index(vma, addr), .write = write};
    int err = vma->ops->fault(&vmf);
    if (err)
        return fault_errno(err);
    pte_t e;
    if (vma->flags & VM_PFNMAP)
        e = mmu_mk_special(mmu_entry(vmf.pfn, vma->prot));
    else
        e = mmu_entry(page_to_pfn(vmf.page), vma->prot);
    if ((vma->flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED))
        e = mmu_mk_writable(e);
    if (!install(leaf, mmu_mk_young(e)) && !(vma->flags & VM_PFNMAP))
        page_put(vmf.page);
    return FAULT_RETRY;
}

// Another thread is about to replace the entry (cow.c). Where the VMA allows nothing every entry looks so, and a
// debugger's write must not wait for what may never come: replacing works from there too.
static inline bool is_parked(const struct vma *vma, pte_t e)
{
    return !mmu_accessible(e) && mmu_accessible(vma->prot);
}

enum fault_result fault_in(struct vma *vma, vaddr_t addr, bool write)
{
    if (unlikely(vma->mm->shared_tables) && table_is_shared(vma->mm, addr))
        return FAULT_SHARED;
    struct leaf leaf = table_get(vma->mm, addr);
    if (unlikely(!leaf.entry))
        return FAULT_OOM;
    pte_t e = mmu_read(leaf.entry);
    if (unlikely(e)) {
        if (write && !mmu_writable(e) && !is_parked(vma, e))
            return fault_write_protected(vma, addr, leaf, e);
        mmu_flush_page_local(addr); // somebody was faster, or this CPU remembered an older, stricter entry
        return FAULT_RETRY;
    }
    if (vma->cache)
        return fault_file(vma, addr, leaf, write);
    if (vma->ops && vma->ops->fault)
        return fault_special(vma, addr, leaf, write);
    return fault_anon(vma, addr, leaf, write);
}

int stack_expand(struct vma *vma, vaddr_t addr)
{
    struct mm *mm = vma->mm;
    vaddr_t start = addr & PAGE_MASK;
    if (start >= vma->start)
        return 0;
    if (start < vm_mmap_min_addr || vma->end - start > rlimit(RLIMIT_STACK))
        return -ENOMEM;
    // The guard gap to whatever lies below; another growing stack may touch.
    const struct vma *below = vma->prev;
    if (below && below->flags & (VM_READ | VM_WRITE | VM_EXEC) && !(below->flags & VM_GROWSDOWN) &&
        start < below->end + STACK_GUARD_GAP)
        return -ENOMEM;
    if (below && start < below->end)
        return -ENOMEM;
    uint64_t pages = (vma->start - start) >> PAGE_SHIFT;
    if (mm->total_pages + pages > rlimit(RLIMIT_AS) >> PAGE_SHIFT)
        return -ENOMEM;
    if (vma->flags & VM_LOCKED && !may_lock(mm, pages))
        return -ENOMEM;
    if (vma->flags & VM_ACCOUNT && commit_charge(pages))
        return -ENOMEM;
    mm_account(mm, vma->flags, false, (int64_t)pages);
    vma_resize(vma, start, vma->end);
    return 0;
}

static inline bool access_allowed(const struct vma *vma, enum fault_access access)
{
    if (access == FAULT_WRITE)
        return vma->flags & VM_WRITE;
    if (access == FAULT_EXEC)
        return vma->flags & VM_EXEC;
    return vma->flags & (VM_READ | VM_WRITE | VM_EXEC); // page tables need not tell them apart
}

// Faults that change more than an entry: a stack that grows, a leaf table that is shared with another space.
static enum fault_result fault_exclusive(struct mm *mm, vaddr_t addr, enum fault_access access)
{
    down_write(&mm->sem);
    struct vma *vma = vma_find(mm, addr);
    enum fault_result result = FAULT_SEGV_MAPERR;
    if (vma && (addr >= vma->start || (vma->flags & VM_GROWSDOWN && stack_expand(vma, addr) == 0))) {
        if (!access_allowed(vma, access))
            result = FAULT_SEGV_ACCERR;
        else
            result = table_own(mm, addr) ? FAULT_OOM : fault_in(vma, addr & PAGE_MASK, access == FAULT_WRITE);
    }
    up_write(&mm->sem);
    return result;
}

enum fault_result mm_fault(struct mm *mm, vaddr_t addr, enum fault_access access, bool user_mode)
{
    if (unlikely(!mm || addr >= MMU_USER_END || (!user_mode && (pagefault_disabled() || in_atomic()))))
        return FAULT_SEGV_MAPERR;
    this_cpu_inc(mm_stat[MM_STAT_FAULTS]);
    if (user_mode)
        current_task()->min_flt++; // fault_one() moves those that read a file to maj_flt
    down_read(&mm->sem);
    struct vma *vma = vma_find(mm, addr);
    enum fault_result result;
    if (unlikely(!vma || addr < vma->start)) {
        bool grows = vma && vma->flags & VM_GROWSDOWN;
        up_read(&mm->sem);
        return grows ? fault_exclusive(mm, addr, access) : FAULT_SEGV_MAPERR;
    }
    if (unlikely(!access_allowed(vma, access)))
        result = FAULT_SEGV_ACCERR;
    else
        result = fault_in(vma, addr & PAGE_MASK, access == FAULT_WRITE);
    up_read(&mm->sem);
    return likely(result != FAULT_SHARED) ? result : fault_exclusive(mm, addr, access);
}
