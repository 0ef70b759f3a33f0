// kernel/mm/shared_memory.c — shared anonymous memory: mmap(MAP_SHARED | MAP_ANONYMOUS). A page cache that belongs to
// no file and lives as long as a VMA (or a futex key) refers to it. Pages are born zeroed and charged to the commit
// account as a whole when the object is made.
#include "arch/include/mmu.h"
#include "kernel/abi/errno.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vma.h"
#include "kernel/sync/rwsem.h"

struct shared_memory {
    struct page_cache cache;
    struct rwsem invalidate_sem;
    refcount_t refs;
    loff_t size;
    uint64_t charged; // pages
    ino_t ino;
};

DEFINE_LOCK_CLASS(shared_memory_invalidate_class, "shared memory invalidation", RANK_INVALIDATE);
static const struct page_cache_ops no_ops;
static uint64_t next_ino = 1;

static struct shared_memory *of(const struct vma *vma)
{
    return vma->cache && !vma->cache->host ? container_of(vma->cache, struct shared_memory, cache) : nullptr;
}

bool vma_is_shared_memory(const struct vma *vma)
{
    return of(vma) != nullptr;
}

ino_t shared_memory_ino(const struct vma *vma)
{
    return of(vma)->ino;
}

void *shared_memory_get(struct vma *vma)
{
    struct shared_memory *object = of(vma);
    if (object)
        refcount_inc(&object->refs);
    return object;
}

void shared_memory_put(void *p)
{
    struct shared_memory *object = p;
    if (!object || !refcount_dec_and_test(&object->refs))
        return;
    page_cache_destroy(&object->cache);
    commit_release(object->charged);
    kfree(object);
}

static void shared_memory_open(struct vma *vma)
{
    refcount_inc(&of(vma)->refs);
}

static void shared_memory_close(struct vma *vma)
{
    shared_memory_put(of(vma));
}

static const struct vma_ops shared_memory_ops = {.open = shared_memory_open, .close = shared_memory_close};

int shared_memory_attach(struct vma *vma)
{
    struct shared_memory *object = kzalloc(sizeof *object, ALLOC_KERNEL);
    if (!object)
        return -ENOMEM;
    uint64_t pages = vma_pages(vma);
    if (!(vma->flags & VM_NORESERVE)) {
        int err = commit_charge(pages);
        if (err) {
            kfree(object);
            return err;
        }
        object->charged = pages;
    }
    rwsem_init(&object->invalidate_sem, &shared_memory_invalidate_class);
    page_cache_init(&object->cache, nullptr, &no_ops, &object->invalidate_sem);
    object->cache.size = &object->size;
    object->size = (loff_t)(pages << PAGE_SHIFT);
    object->ino = __atomic_add_fetch(&next_ino, 1, __ATOMIC_RELAXED);
    refcount_set(&object->refs, 1);
    vma->cache = &object->cache;
    vma->ops = &shared_memory_ops;
    vma->pgoff = 0;
    return 0;
}

int vma_make_anonymous(struct vma *vma)
{
    vma->cache = nullptr;
    vma->ops = nullptr;
    if (vma->flags & VM_SHARED)
        return shared_memory_attach(vma);
    return 0;
}
