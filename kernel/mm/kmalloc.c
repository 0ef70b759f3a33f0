// kernel/mm/kmalloc.c — memory of any size: slab caches up to half a page, whole pages above, vmalloc where a block would be too big.
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/debug/asan/asan.h"
#include "kernel/mm/slab_boot.h"
#include "kernel/mm/vmalloc.h"

#define KMALLOC_MAX_SMALL 2048u

static const uint16_t class_sizes[] = {8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048};
static const char *const class_names[] = {"kmalloc-8",   "kmalloc-16",  "kmalloc-32",  "kmalloc-48",   "kmalloc-64",
                                          "kmalloc-96",  "kmalloc-128", "kmalloc-192", "kmalloc-256",  "kmalloc-384",
                                          "kmalloc-512", "kmalloc-768", "kmalloc-1k",  "kmalloc-1536", "kmalloc-2k"};
static struct slab_cache *class_of[KMALLOC_MAX_SMALL / 8 + 1]; // by size rounded up to eights
static struct slab_cache *classes[ARRAY_SIZE(class_sizes)];

static unsigned order_of(size_t size)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < size)
        order++;
    return order;
}

// Where memory is checked, what is behind the size that was asked for is out of bounds.
static ALWAYS_INLINE void *exactly(void *object, size_t size)
{
#ifdef KERNEL_ASAN
    if (object)
        asan_mark_object(object, size, ksize(object));
#else
    (void)size;
#endif
    return object;
}

void *kmalloc(size_t size, unsigned flags)
{
    if (likely(size <= KMALLOC_MAX_SMALL && !(flags & ALLOC_DMA32)))
        return exactly(slab_alloc(class_of[(size + 7) / 8], flags), size);
    if (size > PAGE_SIZE << MAX_ORDER)
        return nullptr;
    struct page *page = page_alloc(order_of(size), flags);
    return page ? exactly(page_address(page), size) : nullptr;
}

void *kcalloc(size_t n, size_t size, unsigned flags)
{
    size_t bytes;
    return __builtin_mul_overflow(n, size, &bytes) ? nullptr : kmalloc(bytes, flags | ALLOC_ZERO);
}

static unsigned block_order(const struct page *page)
{
    return page->flags & PG_HEAD ? page->order : 0;
}

size_t ksize(const void *object)
{
    const struct page *page = virt_to_page(object);
    return page->flags & PG_SLAB ? slab_object_size(page->slab) : PAGE_SIZE << block_order(page);
}

void kfree(void *object)
{
    if (!object)
        return;
    struct page *page = virt_to_page(object);
    if (likely(page->flags & PG_SLAB))
        slab_free(page->slab, object);
    else
        page_free(page, block_order(page));
}

void *krealloc(void *old, size_t size, unsigned flags)
{
    if (!old)
        return kmalloc(size, flags);
    size_t had = ksize(old);
    // Shrinking by more than half moves, so that a big block is not kept for little.
    if (size <= had && size >= had / 2)
        return exactly(old, size);
    had = asan_valid_size(old, had);
    void *fresh = kmalloc(size, flags & ~ALLOC_ZERO);
    if (!fresh)
        return nullptr;
    memcpy(fresh, old, min(had, size));
    if (flags & ALLOC_ZERO && size > had)
        memset((char *)fresh + had, 0, size - had);
    kfree(old);
    return fresh;
}

void *kvmalloc(size_t size, unsigned flags)
{
    void *object = size <= 2 * PAGE_SIZE ? kmalloc(size, flags) : kmalloc(size, flags | ALLOC_NOWARN | ALLOC_NORETRY);
    return object || size <= PAGE_SIZE || flags & ALLOC_ATOMIC ? object : vmalloc(size, flags);
}

void kvfree(void *object)
{
    if (is_vmalloc_addr(object))
        vfree(object);
    else
        kfree(object);
}

char *kstrdup(const char *s, unsigned flags)
{
    size_t size = strlen(s) + 1;
    char *copy = kmalloc(size, flags & ~ALLOC_ZERO);
    if (copy)
        memcpy(copy, s, size);
    return copy;
}

void kmalloc_init(void)
{
    unsigned c = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(class_sizes); i++) {
        size_t align = class_sizes[i] & (class_sizes[i] - 1) ? 16 : class_sizes[i] < 64 ? class_sizes[i] : 64;
        classes[i] = slab_cache_create(class_names[i], class_sizes[i], align, 0, nullptr);
        if (!classes[i])
            panic("mm: no memory for the kmalloc caches");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(class_of); i++) {
        while (class_sizes[c] < i * 8)
            c++;
        class_of[i] = classes[c];
    }
}
