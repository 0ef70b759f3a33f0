// tests/unit/kernel_double.c — what kernel/base asks of the rest of the kernel, played by the host: an end, memory,
// grace periods.
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/rcu.h"
#include "tests/unit/kernel_double.h"
#include "tests/unit/tap.h"

unsigned double_warnings, double_objects;
int double_allocations_left = -1;

void warn_at([[maybe_unused]] const char *file, [[maybe_unused]] int line, [[maybe_unused]] const char *what)
{
    double_warnings++;
}

void printk([[maybe_unused]] enum log_level level, [[maybe_unused]] const char *format, ...) {}

void assert_failed(const char *file, int line, const char *what)
{
    tap_fail(file, line, "assertion failed: %s", what);
    __builtin_trap();
}

void panic(const char *format, ...)
{
    tap_fail(__FILE__, __LINE__, "panic: %s", format);
    __builtin_trap();
}

struct slab_cache {
    size_t size;
};

struct slab_cache *slab_cache_create([[maybe_unused]] const char *name, size_t size, [[maybe_unused]] size_t align,
                                     [[maybe_unused]] unsigned flags, [[maybe_unused]] void (*ctor)(void *))
{
    struct slab_cache *cache = tap_alloc(sizeof *cache);
    cache->size = size;
    return cache;
}

void *slab_alloc(struct slab_cache *cache, [[maybe_unused]] unsigned flags)
{
    if (double_allocations_left == 0)
        return nullptr;
    if (double_allocations_left > 0)
        double_allocations_left--;
    double_objects++;
    return tap_alloc(cache->size);
}

void slab_free([[maybe_unused]] struct slab_cache *cache, void *object)
{
    double_objects--;
    tap_free(object);
}

void *kvmalloc(size_t size, [[maybe_unused]] unsigned flags)
{
    return tap_alloc(size);
}

void kvfree(void *p)
{
    tap_free(p);
}

// Nobody reads meanwhile: every grace period is over at once.
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
    fn(head);
}
