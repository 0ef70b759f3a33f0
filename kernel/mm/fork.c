// kernel/mm/fork.c — fork's copy of an address space: VMAs, and the page tables of those that have private pages.
//
// What can be faulted in again is not copied: shared mappings, and private file mappings none of whose pages was
// written (has_anon). Of the others every entry is copied, both sides lose W, and each page gains a reference; but whole
// leaf tables of big private memory are shared until somebody writes (table_share.h). The parent is flushed once, on
// every CPU, before its lock is let go.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/gather.h"
#include "kernel/mm/table_share.h"
#include "kernel/mm/vma.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"

struct copy_state {
    bool write_protected; // the parent lost a W: it must be flushed
    int64_t anon, file, shmem;
    unsigned nr_vmas; // copied; their tree is made at the end
};

// The child's VMAs of files are in their interval trees already, so a truncation may look at its tables: what it does
// to the parent's entry before this it has not to do here, what it does later it finds here (both locks are held, and
// the trees give it the parent's VMA first).
static void copy_leaf(struct copy_state *st, struct leaf from, struct leaf to, vaddr_t addr, vaddr_t end)
{
    leaf_lock(from.table);
    leaf_lock_second(to.table);
    unsigned left = from.table->table_entries, copied = 0;
    for (pte_t *src = from.entry, *dst = to.entry; addr < end && left; src++, dst++, addr += PAGE_SIZE) {
        pte_t e = mmu_read(src);
        if (!e)
            continue;
        if (mmu_writable(e)) {
            mmu_write_protect(src);
            e = mmu_mk_readonly(e);
            st->write_protected = true;
        }
        if (!mmu_special(e)) {
            struct page *page = pfn_to_page(mmu_pfn(e));
            page_get(page);
            uint32_t flags = page_flags(page);
            if (likely(flags & PG_ANON)) {
                st->anon++;
            } else if (page->map_count) {
                page_mapped(page);
                *(flags & PG_SHMEM ? &st->shmem : &st->file) += 1;
            }
        }
        mmu_set(dst, e);
        copied++;
    }
    to.table->table_entries += copied;
    leaf_unlock_second(to.table);
    leaf_unlock(from.table);
}

// Nothing but the VMA's private memory hangs below the table of [addr, stop), and enough of it.
static bool worth_sharing(const struct vma *vma, vaddr_t addr, vaddr_t stop, const struct page *table)
{
    return stop - addr == mmu_span(1) && !vma->cache && !vma->ops && !(vma->flags & VM_PFNMAP) &&
           table->table_entries >= TABLE_SHARE_MIN;
}

static int copy_tables(struct copy_state *st, struct vma *from, struct mm *to)
{
    vaddr_t addr = from->start;
    while ((addr = table_skip_holes(from->mm, addr, from->end)) < from->end) {
        vaddr_t stop = min(ALIGN_DOWN(addr, mmu_span(1)) + mmu_span(1), from->end);
        struct leaf src = table_find(from->mm, addr);
        if (worth_sharing(from, addr, stop, src.table)) {
            if (table_share(from->mm, to, addr, &st->anon))
                return -ENOMEM;
            st->write_protected = true;
        } else if (src.table->table_entries) {
            struct leaf dst = table_get(to, addr);
            if (!dst.entry)
                return -ENOMEM;
            copy_leaf(st, src, dst, addr, stop);
        }
        addr = stop;
    }
    return 0;
}

static void copy_fields(struct mm *to, struct mm *from)
{
    to->mmap_base = from->mmap_base;
    to->mmap_bottom = from->mmap_bottom;
    to->start_code = from->start_code;
    to->end_code = from->end_code;
    to->start_data = from->start_data;
    to->end_data = from->end_data;
    to->start_brk = from->start_brk;
    to->brk = from->brk;
    to->start_stack = from->start_stack;
    to->arg_start = from->arg_start;
    to->arg_end = from->arg_end;
    to->env_start = from->env_start;
    to->env_end = from->env_end;
    to->arch.vdso = from->arch.vdso;
    to->dumpable = from->dumpable;
    to->membarrier = from->membarrier;
    for (unsigned i = 0; i < sizeof to->auxv / sizeof to->auxv[0]; i++) {
        to->auxv[i] = from->auxv[i];
        if (!(i & 1) && !from->auxv[i])
            break; // AT_NULL
    }
    if (from->exe_file && inode_deny_write(from->exe_file->inode) == 0) // never fails: the parent denies it already
        to->exe_file = file_get(from->exe_file);
}

static bool must_copy(const struct vma *vma)
{
    if (vma->flags & (VM_WIPEONFORK | VM_SHARED))
        return false;
    return vma->has_anon || (!vma->cache && !vma->ops) || vma->flags & VM_PFNMAP;
}

// One VMA into the child, behind `prev`. *charged counts what must be given back if fork fails later.
static int copy_vma(struct copy_state *st, struct vma *vma, struct mm *child, struct vma **prev)
    NO_THREAD_SAFETY_ANALYSIS
{
    if (vma->flags & VM_ACCOUNT) {
        int err = commit_charge(vma_pages(vma));
        if (err)
            return err;
    }
    struct vma *copy = vma_duplicate(vma, child);
    if (!copy) {
        if (vma->flags & VM_ACCOUNT)
            commit_release(vma_pages(vma));
        return -ENOMEM;
    }
    copy->flags &= ~(unsigned long)(VM_LOCKED | VM_LOCKONFAULT);
    if (vma->flags & VM_WIPEONFORK)
        copy->has_anon = false;
    copy->prev = *prev;
    if (*prev)
        (*prev)->next = copy;
    *prev = copy;
    st->nr_vmas++;
    if (copy->cache) {
        spin_lock(&copy->cache->vma_lock);
        interval_insert(copy);
        spin_unlock(&copy->cache->vma_lock);
    }
    mm_account(child, copy->flags, copy->file != nullptr, (int64_t)vma_pages(copy));
    return must_copy(vma) ? copy_tables(st, vma, child) : 0;
}

int mm_fork(struct mm *parent, struct mm **out) NO_THREAD_SAFETY_ANALYSIS
{
    struct mm *child = mm_create();
    if (!child)
        return -ENOMEM;
    struct copy_state st = {};
    int err = down_write_killable(&parent->sem);
    if (err) {
        mm_put_users(child);
        return err;
    }
    copy_fields(child, parent);
    struct vma *prev = nullptr, *first = nullptr;
    for (struct vma *vma = vma_find(parent, 0); vma && !err; vma = vma->next) {
        if (vma->flags & VM_DONTFORK)
            continue;
        err = copy_vma(&st, vma, child, &prev);
        if (!first)
            first = prev;
    }
    vma_build_tree(child, first, st.nr_vmas);
    // Added, not set: a truncation may have taken entries of the child's away again.
    __atomic_fetch_add(&child->rss_anon, st.anon, __ATOMIC_RELAXED);
    __atomic_fetch_add(&child->rss_file, st.file, __ATOMIC_RELAXED);
    __atomic_fetch_add(&child->rss_shmem, st.shmem, __ATOMIC_RELAXED);
    child->hiwater_rss = mm_rss(child);
    child->hiwater_vm = child->total_pages;
    // Before either side runs on: nobody may still write through an old translation.
    if (st.write_protected)
        mmu_flush_mm(parent);
    up_write(&parent->sem);
    if (err) {
        mm_put_users(child);
        return err;
    }
    *out = child;
    return 0;
}
