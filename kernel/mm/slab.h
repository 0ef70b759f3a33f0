// kernel/mm/slab.h — small objects: typed caches with per-CPU magazines, and kmalloc over a set of them.
#pragma once

#include "kernel/mm/page.h"

struct slab_cache;

// A cache of objects of `size` bytes at `align` (0: 8). `ctor` (may be null) runs once when a page is carved, not at
// each allocation. SLAB_RCU: pages go back to the page allocator only after a grace period, so that lockless readers
// may look at a reused object (type-stable memory). Null: no memory. Caches are for good.
#define SLAB_RCU 1u
#define SLAB_RECLAIMABLE 2u // counted as SReclaimable
[[nodiscard]] struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                                   void (*ctor)(void *));
// An object, or null; sleeps as its flags allow. slab_free(): any context.
[[nodiscard]] void *slab_alloc(struct slab_cache *cache, unsigned alloc_flags);
void slab_free(struct slab_cache *cache, void *object);

// Any size; sizes above a page are whole pages. ALLOC_ZERO clears. kfree(nullptr) is allowed.
[[nodiscard]] void *kmalloc(size_t size, unsigned alloc_flags);
[[nodiscard]] static inline void *kzalloc(size_t size, unsigned alloc_flags)
{
    return kmalloc(size, alloc_flags | ALLOC_ZERO);
}
// nullptr also on overflow of n * size.
[[nodiscard]] void *kcalloc(size_t n, size_t size, unsigned alloc_flags);
// Perhaps at another place; the content stays as far as it fits. null: `old` is untouched. `old` may be null.
[[nodiscard]] void *krealloc(void *old, size_t size, unsigned alloc_flags);
void kfree(void *object);
// Large or small: kmalloc where that is cheap, vmalloc above. Freed with kvfree().
[[nodiscard]] void *kvmalloc(size_t size, unsigned alloc_flags);
void kvfree(void *object); // null allowed. May sleep
[[nodiscard]] char *kstrdup(const char *s, unsigned alloc_flags); // a copy to be kfree'd; null: no memory
size_t ksize(const void *object); // usable bytes

// For /proc/slabinfo: calls fn for each cache.
struct slab_info {
    const char *name;
    size_t object_size;
    uint64_t objects, active, pages;
};
void slab_for_each(void (*fn)(const struct slab_info *, void *arg), void *arg);
