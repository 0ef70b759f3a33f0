// kernel/mm/interval.c — which VMAs map which pages of a cache: a red-black tree by first page offset, each node
// knowing the greatest last page offset of its subtree, so that all VMAs that meet a range are found in O(log n + found).
#include "kernel/mm/vma.h"

static uint64_t last_of(const struct vma *vma)
{
    return vma->pgoff + vma_pages(vma) - 1;
}

static bool update_last(struct rb_node *node)
{
    struct vma *vma = rb_entry(node, struct vma, interval_node);
    uint64_t last = last_of(vma);
    if (node->left)
        last = max(last, rb_entry(node->left, struct vma, interval_node)->interval_last);
    if (node->right)
        last = max(last, rb_entry(node->right, struct vma, interval_node)->interval_last);
    bool changed = last != vma->interval_last;
    vma->interval_last = last;
    return changed;
}

void interval_insert(struct vma *vma)
{
    struct page_cache *cache = vma->cache;
    cache->vma_changes++;
    if (vma_may_write_cache(vma))
        cache->writable_maps++;
    struct rb_node **at = &cache->shared_vmas.node, *parent = nullptr;
    while (*at) {
        parent = *at;
        at = vma->pgoff < rb_entry(parent, struct vma, interval_node)->pgoff ? &parent->left : &parent->right;
    }
    rb_link_node(&vma->interval_node, parent, at);
    rb_insert(&cache->shared_vmas, &vma->interval_node, update_last);
}

void interval_remove(struct vma *vma)
{
    vma->cache->vma_changes++;
    if (vma_may_write_cache(vma))
        vma->cache->writable_maps--;
    rb_erase(&vma->cache->shared_vmas, &vma->interval_node, update_last);
}

// The leftmost VMA of the subtree that meets [first, last].
static struct vma *leftmost(struct rb_node *node, uint64_t first, uint64_t last)
{
    while (node) {
        struct vma *vma = rb_entry(node, struct vma, interval_node);
        if (node->left && rb_entry(node->left, struct vma, interval_node)->interval_last >= first) {
            node = node->left;
            continue;
        }
        if (vma->pgoff > last)
            return nullptr;
        if (last_of(vma) >= first)
            return vma;
        node = node->right;
    }
    return nullptr;
}

struct vma *interval_next(struct page_cache *cache, struct vma *after, uint64_t first, uint64_t last)
{
    if (!after)
        return leftmost(cache->shared_vmas.node, first, last);
    struct rb_node *node = &after->interval_node;
    struct vma *found = leftmost(node->right, first, last);
    if (found)
        return found;
    for (struct rb_node *up; (up = rb_parent(node)); node = up) {
        if (up->left != node)
            continue;
        struct vma *vma = rb_entry(up, struct vma, interval_node);
        if (vma->pgoff > last)
            return nullptr;
        if (last_of(vma) >= first)
            return vma;
        if ((found = leftmost(up->right, first, last)))
            return found;
    }
    return nullptr;
}
