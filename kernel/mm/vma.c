// kernel/mm/vma.c — the tree of VMAs.
//
// mm->vmas is a red-black tree by address; neighbours are linked too. Every node keeps the widest gap that lies
// directly below a VMA of its subtree (subtree_gap), so that free space is found without visiting all. Only what lies
// below mmap_base counts, where mmap looks, so that the search goes straight down. A VMA's gap depends on its lower
// neighbour's end: whoever moves an end, links or unlinks updates the neighbour above as well; that happens here and
// nowhere else. pgoff belongs to `start` and moves with it.
#include "kernel/mm/vma.h"
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/vfs/file.h"

static struct slab_cache *vma_cache RO_AFTER_INIT;

void vma_cache_init(void)
{
    vma_cache = slab_cache_create("vma", sizeof(struct vma), 8, 0, nullptr);
}

struct vma *vma_alloc(struct mm *mm)
{
    struct vma *vma = slab_alloc(vma_cache, ALLOC_ZERO);
    if (vma)
        vma->mm = mm;
    return vma;
}

struct vma *vma_duplicate(const struct vma *vma, struct mm *mm)
{
    struct vma *copy = slab_alloc(vma_cache, ALLOC_KERNEL);
    if (!copy)
        return nullptr;
    *copy = *vma;
    copy->mm = mm;
    copy->prev = copy->next = nullptr;
    if (copy->file)
        file_get(copy->file);
    if (copy->anon_name)
        refcount_inc(&copy->anon_name->refs);
    if (copy->ops && copy->ops->open)
        copy->ops->open(copy);
    return copy;
}

void anon_name_put(struct anon_name *name)
{
    if (name && refcount_dec_and_test(&name->refs))
        kfree(name);
}

void vma_free(struct vma *vma)
{
    if (vma->ops && vma->ops->close)
        vma->ops->close(vma);
    if (vma->file)
        file_put(vma->file);
    anon_name_put(vma->anon_name);
    slab_free(vma_cache, vma);
}

// ---- the tree -------------------------------------------------------------------------------------------------------

static vaddr_t gap_below(const struct vma *vma)
{
    vaddr_t end = vma->prev ? vma->prev->end : 0, start = min(vma_start_gap(vma), vma->mm->mmap_base);
    return start > end ? start - end : 0;
}

static bool gap_update(struct rb_node *node)
{
    struct vma *vma = rb_entry(node, struct vma, node);
    vaddr_t gap = gap_below(vma);
    if (node->left)
        gap = max(gap, rb_entry(node->left, struct vma, node)->subtree_gap);
    if (node->right)
        gap = max(gap, rb_entry(node->right, struct vma, node)->subtree_gap);
    bool changed = gap != vma->subtree_gap;
    vma->subtree_gap = gap;
    return changed;
}

// From `vma` upwards, as far as anything changes.
static void gap_propagate(struct vma *vma)
{
    if (!vma)
        return;
    for (struct rb_node *node = &vma->node; node && gap_update(node); node = rb_parent(node))
        ;
}

struct vma *vma_find(struct mm *mm, vaddr_t addr) NO_THREAD_SAFETY_ANALYSIS
{
    struct vma *best = READ_ONCE(mm->last_hit);
    if (best && best->start <= addr && addr < best->end)
        return best;
    best = nullptr;
    struct rb_node *node = mm->vmas.node;
    while (node) {
        struct vma *vma = rb_entry(node, struct vma, node);
        if (addr < vma->end) {
            best = vma;
            if (addr >= vma->start)
                break;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    if (best)
        WRITE_ONCE(mm->last_hit, best);
    return best;
}

struct vma *vma_next(struct vma *vma)
{
    return vma->next;
}

void vma_link_after(struct mm *mm, struct vma *vma, struct vma *prev) NO_THREAD_SAFETY_ANALYSIS
{
    // The place: right child of prev, or, where that is taken, leftmost in it; without prev, leftmost of all.
    struct rb_node *parent = prev ? &prev->node : nullptr, **at = prev ? &prev->node.right : &mm->vmas.node;
    while (*at) {
        parent = *at;
        at = &parent->left;
    }
    struct vma *next;
    if (prev) {
        next = prev->next;
        prev->next = vma;
    } else {
        next = parent ? rb_entry(parent, struct vma, node) : nullptr;
    }
    vma->prev = prev;
    vma->next = next;
    if (next)
        next->prev = vma;
    else
        mm->highest = vma;
    rb_link_node(&vma->node, parent, at);
    // The neighbour's gap has shrunk: its ancestors must know before rotations move them.
    gap_update(&vma->node);
    if (parent)
        gap_propagate(rb_entry(parent, struct vma, node));
    gap_propagate(next);
    rb_insert(&mm->vmas, &vma->node, gap_update);
    mm->nr_vmas++;
    if (vma->cache) {
        spin_lock(&vma->cache->vma_lock);
        interval_insert(vma);
        spin_unlock(&vma->cache->vma_lock);
    }
}

// Takes `n` VMAs off the list at *next (linked by address) and makes them a balanced subtree. All levels but the last
// are full, since halves differ by one at most; the nodes of the last, at `red_depth`, are red.
static struct rb_node *build_subtree(struct vma **next, unsigned n, unsigned depth, unsigned red_depth)
{
    if (!n)
        return nullptr;
    struct rb_node *left = build_subtree(next, n / 2, depth + 1, red_depth);
    struct vma *vma = *next;
    *next = vma->next;
    struct rb_node *node = &vma->node, *right = build_subtree(next, n - n / 2 - 1, depth + 1, red_depth);
    node->left = left;
    node->right = right;
    rb_set_parent_color(node, nullptr, depth != red_depth);
    vaddr_t gap = gap_below(vma);
    if (left) {
        rb_set_parent_color(left, node, depth + 1 != red_depth);
        gap = max(gap, rb_entry(left, struct vma, node)->subtree_gap);
    }
    if (right) {
        rb_set_parent_color(right, node, depth + 1 != red_depth);
        gap = max(gap, rb_entry(right, struct vma, node)->subtree_gap);
    }
    vma->subtree_gap = gap;
    return node;
}

void vma_build_tree(struct mm *mm, struct vma *first, unsigned n) NO_THREAD_SAFETY_ANALYSIS
{
    unsigned levels = n ? 32 - (unsigned)__builtin_clz(n) : 0; // nodes on the longest path
    bool full = !(n & (n + 1));
    mm->vmas.node = build_subtree(&first, n, 0, full ? ~0u : levels - 1);
    mm->nr_vmas = n;
    struct rb_node *last = rb_last(&mm->vmas);
    mm->highest = last ? rb_entry(last, struct vma, node) : nullptr;
}

void vma_link(struct mm *mm, struct vma *vma) NO_THREAD_SAFETY_ANALYSIS
{
    struct vma *prev = nullptr;
    for (struct rb_node *node = mm->vmas.node; node;) {
        struct vma *at = rb_entry(node, struct vma, node);
        if (at->start < vma->start) {
            prev = at;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    vma_link_after(mm, vma, prev);
}

void vma_unlink(struct vma *vma) NO_THREAD_SAFETY_ANALYSIS
{
    struct mm *mm = vma->mm;
    if (vma->cache) {
        spin_lock(&vma->cache->vma_lock);
        interval_remove(vma);
        spin_unlock(&vma->cache->vma_lock);
    }
    struct vma *next = vma->next;
    rb_erase(&mm->vmas, &vma->node, gap_update);
    if (vma->prev)
        vma->prev->next = next;
    if (next)
        next->prev = vma->prev;
    else
        mm->highest = vma->prev;
    gap_propagate(next);
    mm->nr_vmas--;
    if (mm->last_hit == vma)
        mm->last_hit = nullptr;
}

void vma_resize(struct vma *vma, vaddr_t start, vaddr_t end) NO_THREAD_SAFETY_ANALYSIS
{
    struct page_cache *cache = vma->cache;
    if (cache) {
        spin_lock(&cache->vma_lock);
        interval_remove(vma);
    }
    vma->pgoff += (uint64_t)((int64_t)(start - vma->start) >> PAGE_SHIFT);
    vma->start = start;
    vma->end = end;
    if (cache) {
        interval_insert(vma);
        spin_unlock(&cache->vma_lock);
    }
    gap_propagate(vma);
    gap_propagate(vma->next);
}

// ---- split, merge ---------------------------------------------------------------------------------------------------

int vma_split(struct vma *vma, vaddr_t addr, struct vma **upper) NO_THREAD_SAFETY_ANALYSIS
{
    if (vma->mm->nr_vmas >= vm_max_map_count)
        return -ENOMEM;
    struct vma *high = vma_duplicate(vma, vma->mm);
    if (!high)
        return -ENOMEM;
    high->start = addr;
    high->pgoff = vma_index(vma, addr);
    vma_link_after(vma->mm, high, vma); // before the lower part gives it up: see interval_insert()
    vma_resize(vma, vma->start, addr);
    if (upper)
        *upper = high;
    return 0;
}

int vma_cut(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find(mm, start);
    if (vma && vma->start < start) {
        int err = vma_split(vma, start, nullptr);
        if (err)
            return err;
    }
    vma = vma_find(mm, end - 1);
    if (vma && vma->start < end && vma->end > end)
        return vma_split(vma, end, nullptr);
    return 0;
}

static bool same_name(const struct anon_name *a, const struct anon_name *b)
{
    return a == b || (a && b && !strcmp(a->text, b->text));
}

// May `low` and `high`, which touch, be one? VMAs with operations of their own are never joined: their owner counts them.
static bool mergeable(const struct vma *low, const struct vma *high)
{
    return low->end == high->start && low->flags == high->flags && low->file == high->file &&
           low->cache == high->cache && low->pgoff + vma_pages(low) == high->pgoff &&
           same_name(low->anon_name, high->anon_name) && !low->ops && !high->ops && !(low->flags & (VM_PFNMAP | VM_SPECIAL));
}

// `low` takes over the range of `high`.
static struct vma *join(struct vma *low, struct vma *high)
{
    vaddr_t end = high->end;
    low->has_anon |= high->has_anon;
    vma_resize(low, low->start, end); // before the upper part goes: see interval_insert()
    vma_unlink(high);
    vma_free(high);
    return low;
}

struct vma *vma_merge(struct vma *vma)
{
    if (vma->prev && mergeable(vma->prev, vma))
        vma = join(vma->prev, vma);
    if (vma->next && mergeable(vma, vma->next))
        vma = join(vma, vma->next);
    return vma;
}

// Could new private anonymous memory with these flags be a part of `vma`?
static bool extensible(const struct vma *vma, unsigned long flags)
{
    return vma->flags == flags && !vma->file && !vma->cache && !vma->ops && !vma->anon_name;
}

struct vma *vma_extend(struct mm *mm, vaddr_t start, vaddr_t end, unsigned long flags, uint64_t pgoff)
{
    if (!start)
        return nullptr;
    struct vma *low = vma_find(mm, start - 1);
    if (!low || flags & (VM_PFNMAP | VM_SPECIAL))
        return nullptr;
    struct vma *high = low->start >= end ? low : low->next;
    if (low->end == start && extensible(low, flags) && low->pgoff + vma_pages(low) == pgoff) {
        vma_resize(low, low->start, end);
        if (high && mergeable(low, high))
            join(low, high);
        return low;
    }
    if (high && high->start == end && extensible(high, flags) &&
        pgoff + ((end - start) >> PAGE_SHIFT) == high->pgoff) {
        vma_resize(high, start, high->end);
        return high;
    }
    return nullptr;
}

// ---- counts ---------------------------------------------------------------------------------------------------------

void mm_account(struct mm *mm, unsigned long flags, bool file, int64_t pages)
{
    mm->total_pages += (uint64_t)pages;
    if (flags & (VM_GROWSDOWN | VM_STACK))
        mm->stack_pages += (uint64_t)pages;
    else if ((flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
        mm->data_pages += (uint64_t)pages;
    else if (file && flags & VM_EXEC)
        mm->exec_pages += (uint64_t)pages;
    if (unlikely(flags & VM_LOCKED)) {
        mm->locked_pages += (uint64_t)pages;
        mm_stat_add(MM_STAT_MLOCKED, pages);
    }
    if (pages < 0)
        mm->hiwater_vm = max(mm->hiwater_vm, mm->total_pages - (uint64_t)pages);
}

void vma_set_flags(struct vma *vma, unsigned long flags)
{
    int64_t pages = (int64_t)vma_pages(vma);
    mm_account(vma->mm, vma->flags, vma->file != nullptr, -pages);
    mm_account(vma->mm, flags, vma->file != nullptr, pages);
    if ((vma->flags ^ flags) & (VM_READ | VM_WRITE | VM_EXEC))
        vma->prot = mmu_user_prot(flags & (VM_READ | VM_WRITE | VM_EXEC), flags & VM_EXEC);
    vma->flags = flags;
}

// ---- free space -----------------------------------------------------------------------------------------------------

bool vma_range_free(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *next = vma_find(mm, start);
    return !next || end <= vma_start_gap(next);
}

static vaddr_t gap_in_subtree(const struct rb_node *node)
{
    return node ? rb_entry(node, struct vma, node)->subtree_gap : 0;
}

vaddr_t vma_find_gap_high(struct mm *mm, size_t len, vaddr_t low, vaddr_t high) NO_THREAD_SAFETY_ANALYSIS
{
    if (high < low || high - low < len)
        return 0;
    // Above the last VMA first.
    vaddr_t end = mm->highest ? mm->highest->end : 0;
    if (max(end, low) <= high - len)
        return high - len;
    // Then the gaps below VMAs, highest first: right subtree, own gap, left subtree; whole subtrees that have none are skipped.
    struct rb_node *node = mm->vmas.node;
    if (gap_in_subtree(node) < len)
        return 0;
    bool from_right = false; // the right subtree of `node` is done
    while (node) {
        struct vma *vma = rb_entry(node, struct vma, node);
        if (!from_right && gap_in_subtree(node->right) >= len && vma->start < high) {
            node = node->right;
            continue;
        }
        from_right = false;
        vaddr_t gap_end = min(vma_start_gap(vma), high), gap_start = max(vma->prev ? vma->prev->end : 0, low);
        if (gap_end >= gap_start && gap_end - gap_start >= len)
            return gap_end - len;
        if (vma->start <= low)
            return 0;
        if (gap_in_subtree(node->left) >= len) {
            node = node->left;
            continue;
        }
        // Up, to the first node whose right subtree this was.
        for (;;) {
            struct rb_node *child = node;
            node = rb_parent(node);
            if (!node)
                return 0;
            if (node->right == child) {
                from_right = true;
                break;
            }
        }
    }
    return 0;
}

// The same from below, within the part of the address space of which subtrees know their gaps (below mmap_base), under
// some VMA.
static vaddr_t gap_low_in_tree(struct mm *mm, size_t len, vaddr_t low, vaddr_t high) NO_THREAD_SAFETY_ANALYSIS
{
    struct rb_node *node = mm->vmas.node;
    if (gap_in_subtree(node) < len)
        return 0;
    bool from_left = false; // the left subtree of `node` is done
    while (node) {
        struct vma *vma = rb_entry(node, struct vma, node);
        if (!from_left && gap_in_subtree(node->left) >= len && vma->start > low) {
            node = node->left;
            continue;
        }
        from_left = false;
        vaddr_t below = vma->prev ? vma->prev->end : 0, gap_start = max(below, low),
                gap_end = min(vma_start_gap(vma), high);
        if (gap_end >= gap_start && gap_end - gap_start >= len)
            return gap_start;
        if (below >= high)
            return 0;
        if (gap_in_subtree(node->right) >= len) {
            node = node->right;
            continue;
        }
        // Up, to the first node whose left subtree this was.
        for (;;) {
            struct rb_node *child = node;
            node = rb_parent(node);
            if (!node)
                return 0;
            if (node->left == child) {
                from_left = true;
                break;
            }
        }
    }
    return 0;
}

vaddr_t vma_find_gap_low(struct mm *mm, size_t len, vaddr_t low, vaddr_t high) NO_THREAD_SAFETY_ANALYSIS
{
    if (high < low || high - low < len)
        return 0;
    vaddr_t at = low, base = min(mm->mmap_base, high);
    if (base > low) {
        if (base - low >= len && (at = gap_low_in_tree(mm, len, low, base)))
            return at;
        // What is left begins with the gap in which mmap_base lies; few VMAs are above.
        const struct vma *next = vma_find(mm, base), *prev = next ? next->prev : mm->highest;
        at = max(low, prev ? prev->end : 0);
    }
    struct vma *next = vma_find(mm, at);
    for (; at <= high - len; next = next->next) {
        if (!next || at + len <= vma_start_gap(next))
            return at;
        at = max(at, next->end);
    }
    return 0;
}
