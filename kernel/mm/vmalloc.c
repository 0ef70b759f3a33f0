// kernel/mm/vmalloc.c — kernel-virtual memory built of single pages: vmalloc, device mappings, kernel stacks. Each area
// is followed by an unmapped guard page (and so preceded by its neighbour's).
//
// The area between mmu_vmalloc_start and _end is cut into used areas and free extents (coalesced), each in a tree by
// address; the lowest extent that fits is taken, so that page tables are used again, and subtrees of extents know their
// largest to find it. vmalloc_mutex guards both. Freeing: unmap, flush every CPU, then free the pages; once for many
// areas. Stacks: each CPU keeps a few mapped ones ready; those given back beyond that hang on
// `dead_stacks` (linked through their own first word) for a worker.
#include "arch/include/mmu.h"
#include "kernel/base/panic.h"
#include "kernel/base/rbtree.h"
#include "kernel/debug/asan/asan.h"
#include "kernel/mm/mm_boot.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"

#define STACKS_KEPT 8u

struct vm_area {
    struct rb_node node;   // in `used` or `extents`
    struct list_head link; // of areas freed together
    vaddr_t start;
    size_t size;    // with the guard page
    size_t largest; // free extents: the greatest size of the subtree
    bool device;
};

DEFINE_LOCK_CLASS(vmalloc_lock_class, "vmalloc", RANK_PAGE_CACHE);
static struct mutex vmalloc_mutex = MUTEX_INIT(vmalloc_mutex, &vmalloc_lock_class);
static struct rb_root used GUARDED_BY(&vmalloc_mutex);
static struct rb_root extents GUARDED_BY(&vmalloc_mutex);

bool is_vmalloc_addr(const void *addr)
{
    return (vaddr_t)addr >= mmu_vmalloc_start && (vaddr_t)addr < mmu_vmalloc_end;
}

static struct vm_area *area_of(struct rb_node *node)
{
    return node ? rb_entry(node, struct vm_area, node) : nullptr;
}

static bool update_largest(struct rb_node *node)
{
    struct vm_area *extent = area_of(node);
    size_t largest = extent->size;
    if (node->left)
        largest = max(largest, area_of(node->left)->largest);
    if (node->right)
        largest = max(largest, area_of(node->right)->largest);
    bool changed = largest != extent->largest;
    extent->largest = largest;
    return changed;
}

static void area_insert(struct rb_root *root, struct vm_area *area, rb_augment_fn augment)
{
    struct rb_node **at = &root->node, *parent = nullptr;
    while (*at) {
        parent = *at;
        at = area->start < area_of(parent)->start ? &parent->left : &parent->right;
    }
    rb_link_node(&area->node, parent, at);
    rb_insert(root, &area->node, augment);
}

void vmalloc_init(void) NO_THREAD_SAFETY_ANALYSIS
{
    struct vm_area *all = kzalloc(sizeof *all, ALLOC_KERNEL);
    if (!all)
        panic("mm: no memory for vmalloc");
    all->start = mmu_vmalloc_start + PAGE_SIZE;
    all->size = mmu_vmalloc_end - all->start;
    area_insert(&extents, all, update_largest);
}

// The lowest free extent of at least `size` bytes, or null.
static struct vm_area *extent_find(size_t size) REQUIRES(vmalloc_mutex)
{
    struct rb_node *node = extents.node;
    if (!node || area_of(node)->largest < size)
        return nullptr;
    for (;;) {
        if (node->left && area_of(node->left)->largest >= size)
            node = node->left;
        else if (area_of(node)->size >= size)
            return area_of(node);
        else
            node = node->right; // it must be there
    }
}

// The lowest addresses that are free, in the tree of used ones.
static bool area_place(struct vm_area *area)
{
    mutex_guard(&vmalloc_mutex);
    struct vm_area *extent = extent_find(area->size);
    if (!extent)
        return false;
    area->start = extent->start;
    if (extent->size == area->size) {
        rb_erase(&extents, &extent->node, update_largest);
        kfree(extent);
    } else {
        extent->start += area->size; // stays before its next one
        extent->size -= area->size;
        rb_augment_path(&extent->node, update_largest);
    }
    area_insert(&used, area, nullptr);
    return true;
}

static void area_free(struct vm_area *area);

static struct vm_area *area_take(size_t size)
{
    struct vm_area *area = kzalloc(sizeof *area, ALLOC_KERNEL);
    if (!area)
        return nullptr;
    area->size = ALIGN_UP(size, PAGE_SIZE) + PAGE_SIZE;
    if (!area_place(area)) {
        kfree(area);
        return nullptr;
    }
    if (!asan_cover_vmalloc(area->start, area->size)) {
        area_free(area);
        return nullptr;
    }
    return area;
}

static struct vm_area *area_find(vaddr_t start) REQUIRES(vmalloc_mutex)
{
    struct rb_node *node = used.node;
    while (node) {
        struct vm_area *area = rb_entry(node, struct vm_area, node);
        if (area->start == start)
            return area;
        node = start < area->start ? node->left : node->right;
    }
    return nullptr;
}

// The area, which is in no tree now, becomes free address space.
static void area_give(struct vm_area *area) REQUIRES(vmalloc_mutex)
{
    area_insert(&extents, area, update_largest);
    struct vm_area *next = area_of(rb_next(&area->node)), *prev = area_of(rb_prev(&area->node));
    if (next && area->start + area->size == next->start) {
        rb_erase(&extents, &next->node, update_largest);
        area->size += next->size;
        rb_augment_path(&area->node, update_largest);
        kfree(next);
    }
    if (prev && prev->start + prev->size == area->start) {
        rb_erase(&extents, &area->node, update_largest);
        prev->size += area->size;
        rb_augment_path(&prev->node, update_largest);
        kfree(area);
    }
}

// Unmaps what is mapped of the areas, everywhere, then frees the pages.
static void areas_unmap(struct list_head *areas)
{
    LIST_HEAD(pages);
    vaddr_t low = mmu_vmalloc_end, high = mmu_vmalloc_start;
    struct vm_area *area;
    list_for_each_entry (area, areas, link) {
        for (vaddr_t va = area->start; va < area->start + area->size - PAGE_SIZE; va += PAGE_SIZE) {
            pte_t e = mmu_kernel_unmap(va);
            if (mmu_present(e) && !area->device)
                list_add(&pfn_to_page(mmu_pfn(e))->link, &pages);
        }
        low = min(low, area->start);
        high = max(high, area->start + area->size);
    }
    mmu_flush_kernel(low, high);
    while (!list_empty(&pages)) {
        struct page *page = list_first_entry(&pages, struct page, link);
        list_del(&page->link);
        page_free(page, 0);
        mm_stat_add(MM_STAT_VMALLOC, -1);
    }
}

static void areas_free(struct list_head *areas)
{
    struct vm_area *area;
    list_for_each_entry (area, areas, link)
        asan_poison((const void *)area->start, area->size - PAGE_SIZE, ASAN_VMALLOC_FREED);
    areas_unmap(areas);
    mutex_guard(&vmalloc_mutex);
    while (!list_empty(areas)) {
        area = list_first_entry(areas, struct vm_area, link);
        list_del(&area->link);
        rb_erase(&used, &area->node, nullptr);
        area_give(area);
    }
}

static void area_free(struct vm_area *area)
{
    LIST_HEAD(areas);
    list_add(&area->link, &areas);
    areas_free(&areas);
}

void *vmalloc(size_t size, unsigned flags)
{
    if (!size || size > mmu_vmalloc_end - mmu_vmalloc_start)
        return nullptr;
    struct vm_area *area = area_take(size);
    if (!area)
        return nullptr;
    for (vaddr_t va = area->start; va < area->start + area->size - PAGE_SIZE; va += PAGE_SIZE) {
        struct page *page = page_alloc(0, flags);
        if (page && mmu_kernel_map(va, page_to_phys(page), MMU_KERNEL_RW) == 0) {
            mm_stat_add(MM_STAT_VMALLOC, 1);
            continue;
        }
        if (page)
            page_free(page, 0);
        area_free(area);
        return nullptr;
    }
    asan_unpoison((const void *)area->start, size);
    return (void *)area->start;
}

static struct vm_area *area_at(void *addr)
{
    mutex_guard(&vmalloc_mutex);
    struct vm_area *area = area_find((vaddr_t)addr);
    if (!area)
        panic("mm: vfree of %px, which vmalloc did not give", addr);
    return area;
}

void vfree(void *addr)
{
    if (addr)
        area_free(area_at(addr));
}

void *ioremap(paddr_t pa, size_t size)
{
    size_t offset = pa & (PAGE_SIZE - 1);
    struct vm_area *area = area_take(offset + size);
    if (!area)
        return nullptr;
    area->device = true;
    for (vaddr_t va = area->start; va < area->start + area->size - PAGE_SIZE; va += PAGE_SIZE) {
        if (mmu_kernel_map(va, pa - offset + (va - area->start), MMU_KERNEL_DEVICE)) {
            area_free(area);
            return nullptr;
        }
    }
    asan_unpoison((const void *)area->start, area->size - PAGE_SIZE);
    return (char *)area->start + offset;
}

// ---- kernel stacks --------------------------------------------------------------------------------------------------

struct stack_cache {
    unsigned count;
    void *stacks[STACKS_KEPT];
};
static DEFINE_PER_CPU(struct stack_cache, stack_cache);
static void *dead_stacks; // atomic: a stack of stacks
static struct work_item dead_stacks_work;

void *stack_alloc(void)
{
    irq_flags_t irq = arch_irq_save();
    struct stack_cache *cache = this_cpu_ptr(&stack_cache);
    void *stack = cache->count ? cache->stacks[--cache->count] : nullptr;
    arch_irq_restore(irq);
    if (!stack) {
        stack = vmalloc(KERNEL_STACK_SIZE, ALLOC_KERNEL);
        if (stack)
            mm_stat_add(MM_STAT_STACKS, KERNEL_STACK_SIZE / PAGE_SIZE);
    } else {
        asan_unpoison(stack, KERNEL_STACK_SIZE);
    }
    return stack;
}

static void free_dead_stacks(struct work_item *work)
{
    (void)work;
    LIST_HEAD(areas);
    for (void *stack = xchg(&dead_stacks, nullptr); stack; stack = *(void **)stack) {
        list_add(&area_at(stack)->link, &areas);
        mm_stat_add(MM_STAT_STACKS, -(long)(KERNEL_STACK_SIZE / PAGE_SIZE));
    }
    if (!list_empty(&areas))
        areas_free(&areas); // one flush for all of them
}

void stack_free(void *stack)
{
    asan_poison((char *)stack + sizeof(void *), KERNEL_STACK_SIZE - sizeof(void *), ASAN_STACK_FREED);
    irq_flags_t irq = arch_irq_save();
    struct stack_cache *cache = this_cpu_ptr(&stack_cache);
    bool keep = cache->count < STACKS_KEPT;
    if (keep)
        cache->stacks[cache->count++] = stack;
    arch_irq_restore(irq);
    if (keep)
        return;
    asan_unpoison(stack, sizeof(void *)); // a dead function may have left its poison there
    void *head = READ_ONCE(dead_stacks);
    do
        *(void **)stack = head;
    while (!try_cmpxchg(&dead_stacks, &head, stack));
    work_queue(&dead_stacks_work, free_dead_stacks);
}
