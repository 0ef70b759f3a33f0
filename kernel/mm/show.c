// kernel/mm/show.c — VMAs as text: /proc/PID/maps, smaps and smaps_rollup (proc(5)); names of anonymous memory.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/page_table.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/table_share.h"
#include "kernel/vfs/seq_file.h"

struct usage { // bytes
    uint64_t rss, pss, pss_dirty, pss_anon, pss_shmem, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous, locked;
};

// `spaces`: how many have the table in common.
static void count_page(struct usage *u, pte_t e, uint64_t spaces)
{
    const struct page *page = pfn_to_page(mmu_pfn(e));
    bool anon = page_flags(page) & PG_ANON, dirty = mmu_dirty(e) || page_flags(page) & PG_DIRTY;
    uint64_t users = anon ? refcount_read(&page->refs) + spaces - 1 : (uint64_t)max(page->map_count, 1);
    uint64_t part = PAGE_SIZE / max(users, 1ul);
    u->rss += PAGE_SIZE;
    u->pss += part;
    if (dirty)
        u->pss_dirty += part;
    if (anon)
        u->pss_anon += part;
    else if (page_flags(page) & PG_SHMEM)
        u->pss_shmem += part;
    if (mmu_young(e))
        u->referenced += PAGE_SIZE;
    if (anon)
        u->anonymous += PAGE_SIZE;
    if (users > 1)
        *(dirty ? &u->shared_dirty : &u->shared_clean) += PAGE_SIZE;
    else
        *(dirty ? &u->private_dirty : &u->private_clean) += PAGE_SIZE;
}

// The entries of a VMA whose tables are the space's own; what other CPUs hold of them is the caller's business.
static void make_old(struct vma *vma)
{
    for (vaddr_t at = vma->start; (at = table_skip_holes(vma->mm, at, vma->end)) < vma->end; at += PAGE_SIZE) {
        struct leaf leaf = table_find(vma->mm, at);
        leaf_lock(leaf.table);
        pte_t e = mmu_read(leaf.entry);
        if (e && !mmu_special(e) && mmu_young(e))
            mmu_set(leaf.entry, mmu_mk_old(mmu_get_and_clear(leaf.entry))); // in two steps, so that a dirty bit set meanwhile is carried over
        leaf_unlock(leaf.table);
    }
}

int mm_forget_references(struct mm *mm, bool anonymous, bool of_files)
{
    struct vma *vma;
    int err = down_write_killable(&mm->sem);
    if (err)
        return err;
    for_each_vma(vma, mm)
    {
        if (!(vma->file ? of_files : anonymous))
            continue;
        err = table_own_range(mm, vma->start, vma->end);
        if (err)
            break;
        make_old(vma);
    }
    mmu_flush_mm(mm);
    up_write(&mm->sem);
    return err;
}

// Adds what is there of the VMA.
static void measure(struct vma *vma, struct usage *u)
{
    uint64_t pss = u->pss;
    for (vaddr_t at = vma->start; (at = table_skip_holes(vma->mm, at, vma->end)) < vma->end; at += PAGE_SIZE) {
        struct leaf leaf = table_find(vma->mm, at);
        leaf_lock(leaf.table);
        pte_t e = mmu_read(leaf.entry);
        if (e && !mmu_special(e))
            count_page(u, e, (unsigned)leaf.table->map_count + 1);
        leaf_unlock(leaf.table);
    }
    if (vma->flags & VM_LOCKED)
        u->locked += u->pss - pss;
}

// The last column: a path, or what the memory is for.
static void show_name(struct seq_file *m, struct vma *vma)
{
    const char *name = nullptr;
    if (vma->file) {
        seq_putc(m, ' ');
        seq_path(m, &vma->file->path, nullptr, "\n");
        return;
    }
    if (vma->ops && vma->ops->name)
        name = vma->ops->name(vma);
    if (!name && vma_is_shared_memory(vma))
        name = "/dev/zero (deleted)";
    if (!name && vma->start < ALIGN_UP(vma->mm->brk, PAGE_SIZE) && vma->end > vma->mm->start_brk && !vma->cache)
        name = "[heap]";
    if (!name && vma->start <= vma->mm->start_stack && vma->end >= vma->mm->start_stack)
        name = "[stack]";
    if (name) {
        seq_putc(m, ' ');
        seq_puts(m, name);
    } else if (vma->anon_name) {
        seq_printf(m, " [anon:%s]", vma->anon_name->text);
    }
}

static bool has_name(const struct vma *vma)
{
    return vma->file || (vma->ops && vma->ops->name) || vma_is_shared_memory(vma) || vma->anon_name ||
           (vma->start < ALIGN_UP(vma->mm->brk, PAGE_SIZE) && vma->end > vma->mm->start_brk && !vma->cache) ||
           (vma->start <= vma->mm->start_stack && vma->end >= vma->mm->start_stack);
}

static void show_line(struct seq_file *m, struct vma *vma)
{
    dev_t dev = 0;
    ino_t ino = 0;
    uint64_t offset = 0;
    if (vma->file) {
        dev = vma->file->inode->sb->dev;
        ino = vma->file->inode->ino;
        offset = vma->pgoff << PAGE_SHIFT;
    } else if (vma_is_shared_memory(vma)) {
        dev = MKDEV(0, 1);
        ino = shared_memory_ino(vma);
        offset = vma->pgoff << PAGE_SHIFT;
    }
    size_t before = m->count;
    seq_printf(m, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long)vma->start, (unsigned long)vma->end,
               vma->flags & VM_READ ? 'r' : '-', vma->flags & VM_WRITE ? 'w' : '-', vma->flags & VM_EXEC ? 'x' : '-',
               vma->flags & VM_SHARED ? 's' : 'p', (unsigned long long)offset, MAJOR(dev), MINOR(dev),
               (unsigned long long)ino);
    if (has_name(vma)) {
        seq_pad(m, before, 72);
        show_name(m, vma);
    }
    seq_putc(m, '\n');
}

// A shared mapping of a file that is not open for writing is not shared in fact, but may be.
static void show_flags(struct seq_file *m, const struct vma *vma)
{
    static const unsigned long may_share = 1ul << 63; // ours alone
    static const struct {
        unsigned long flag;
        char text[4];
    } names[] = {
        {VM_READ, "rd "},       {VM_WRITE, "wr "},    {VM_EXEC, "ex "},      {VM_SHARED, "sh "},
        {VM_MAYREAD, "mr "},    {VM_MAYWRITE, "mw "}, {VM_MAYEXEC, "me "},   {may_share, "ms "},
        {VM_GROWSDOWN, "gd "},  {VM_PFNMAP, "pf "},   {VM_LOCKED, "lo "},    {VM_SEQ_READ, "sr "},
        {VM_RAND_READ, "rr "},  {VM_DONTFORK, "dc "}, {VM_ACCOUNT, "ac "},   {VM_NORESERVE, "nr "},
        {VM_WIPEONFORK, "wf "}, {VM_DONTDUMP, "dd "},
    };
    unsigned long flags = vma->flags | (vma->flags & VM_SHARED ? may_share : 0);
    if (vma->file && !(vma->file->mode & FMODE_WRITE))
        flags &= ~(unsigned long)VM_SHARED;
    seq_puts(m, "VmFlags: ");
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & names[i].flag)
            seq_puts(m, names[i].text);
    seq_putc(m, '\n');
}

static void show_amount(struct seq_file *m, const char *name, uint64_t bytes)
{
    seq_printf(m, "%s %*llu kB\n", name, (int)(23 - strlen(name)), (unsigned long long)bytes / 1024);
}

static void show_usage(struct seq_file *m, const struct usage *u, bool rollup)
{
    show_amount(m, "Rss:", u->rss);
    show_amount(m, "Pss:", u->pss);
    show_amount(m, "Pss_Dirty:", u->pss_dirty);
    if (rollup) {
        show_amount(m, "Pss_Anon:", u->pss_anon);
        show_amount(m, "Pss_File:", u->pss - u->pss_anon - u->pss_shmem);
        show_amount(m, "Pss_Shmem:", u->pss_shmem);
    }
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        {"Shared_Clean:", u->shared_clean},
        {"Shared_Dirty:", u->shared_dirty},
        {"Private_Clean:", u->private_clean},
        {"Private_Dirty:", u->private_dirty},
        {"Referenced:", u->referenced},
        {"Anonymous:", u->anonymous},
        {"KSM:", 0},
        {"LazyFree:", 0},
        {"AnonHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FilePmdMapped:", 0},
        {"Shared_Hugetlb:", 0},
        {"Private_Hugetlb:", 0},
        {"Swap:", 0},
        {"SwapPss:", 0},
        {"Locked:", u->locked},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        show_amount(m, rows[i].name, rows[i].bytes);
}

void vma_show(struct seq_file *m, struct vma *vma, bool smaps)
{
    show_line(m, vma);
    if (!smaps)
        return;
    struct usage u = {};
    measure(vma, &u);
    show_amount(m, "Size:", vma->end - vma->start);
    show_amount(m, "KernelPageSize:", PAGE_SIZE);
    show_amount(m, "MMUPageSize:", PAGE_SIZE);
    show_usage(m, &u, false);
    seq_puts(m, "THPeligible:           0\n");
    show_flags(m, vma);
}

void mm_show_rollup(struct seq_file *m, struct mm *mm)
{
    struct usage u = {};
    vaddr_t first = 0, last = 0;
    struct vma *vma;
    down_read(&mm->sem);
    for_each_vma(vma, mm)
    {
        if (!last)
            first = vma->start;
        last = vma->end;
        measure(vma, &u);
    }
    up_read(&mm->sem);
    size_t before = m->count;
    seq_printf(m, "%08lx-%08lx ---p 00000000 00:00 0 ", (unsigned long)first, (unsigned long)last);
    seq_pad(m, before, 73);
    seq_puts(m, "[rollup]\n");
    show_usage(m, &u, true);
}

int mm_set_anon_name(struct mm *mm, vaddr_t addr, size_t len, const char *text)
{
    vaddr_t end = ALIGN_UP(addr + len, PAGE_SIZE);
    if (addr & ~PAGE_MASK || end < addr)
        return -EINVAL;
    struct anon_name *name = nullptr;
    if (text) {
        name = kmalloc(sizeof *name + strlen(text) + 1, ALLOC_KERNEL);
        if (!name)
            return -ENOMEM;
        refcount_set(&name->refs, 1);
        strlcpy(name->text, text, strlen(text) + 1);
    }
    int err = 0, unmapped = 0;
    down_write(&mm->sem);
    for (vaddr_t at = addr; at < end && !err;) {
        struct vma *vma = vma_find(mm, at);
        if (!vma || vma->start >= end) {
            unmapped = -ENOMEM;
            break;
        }
        if (vma->start > at) {
            unmapped = -ENOMEM;
            at = vma->start;
        }
        vaddr_t stop = min(vma->end, end);
        if (vma->file)
            err = -EBADF;
        else if (!(err = vma_cut(mm, at, stop))) {
            vma = vma_find(mm, at);
            anon_name_put(vma->anon_name);
            vma->anon_name = name;
            if (name)
                refcount_inc(&name->refs);
            vma_merge(vma);
        }
        at = stop;
    }
    up_write(&mm->sem);
    anon_name_put(name);
    return err ? err : unmapped;
}
