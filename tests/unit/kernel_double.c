// tests/unit/kernel_double.c — what kernel/base asks of the rest of the kernel, played by the host: an end, memory, grace periods.
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/rcu.h"
#include "tests/unit/kernel_double.h"
#include "tests/unit/tap.h"

unsigned double_warnings, double_objects, double_buffers, double_errors;
const char *double_error_text;
int double_allocations_left = -1;

void warn_at([[maybe_unused]] const char *file, [[maybe_unused]] int line, [[maybe_unused]] const char *what)
{
    double_warnings++;
}

void printk(enum log_level level, const char *format, ...)
{
    if (level > LOG_ERR)
        return;
    double_errors++;
    const char *first = strchr(format, '%');
    double_error_text = format;
    if (first && first[1] == 's') {
        __builtin_va_list args;
        __builtin_va_start(args, format);
        double_error_text = __builtin_va_arg(args, const char *);
        __builtin_va_end(args);
    }
}

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

static bool may_allocate(void)
{
    if (double_allocations_left == 0)
        return false;
    if (double_allocations_left > 0)
        double_allocations_left--;
    return true;
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
    if (!may_allocate())
        return nullptr;
    double_objects++;
    return tap_alloc(cache->size);
}

void slab_free([[maybe_unused]] struct slab_cache *cache, void *object)
{
    double_objects--;
    tap_free(object);
}

// Each stands before a page that can not be touched, and is not clear unless that was asked for.
void *kvmalloc(size_t size, unsigned flags)
{
    if (!may_allocate())
        return nullptr;
    double_buffers++;
    char *p = tap_alloc_guarded(size, 16);
    if (!(flags & ALLOC_ZERO))
        __builtin_memset(p, 0xa5, size);
    return p;
}

void kvfree(void *p)
{
    if (p)
        double_buffers--;
    tap_free_guarded(p);
}

void *kmalloc(size_t size, unsigned flags)
{
    return kvmalloc(size, flags);
}

void kfree(void *object)
{
    kvfree(object);
}

// Nobody reads meanwhile: every grace period is over at once.
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
    fn(head);
}
