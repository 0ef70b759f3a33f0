// kernel/debug/asan/check.c — what instrumented code calls: before each access, and instead of memcpy and its kin.
#ifdef KERNEL_ASAN

#include "kernel/debug/asan/internal.h"

ASAN_OFF

#include "arch/include/user_copy.h"
#include "kernel/base/string.h"

static ALWAYS_INLINE void check(uintptr_t addr, size_t size, bool write, uintptr_t where)
{
    if (unlikely(!asan_ready) || unlikely(!size))
        return;
    if (likely(size <= ASAN_SCALE && addr % ASAN_SCALE + size <= ASAN_SCALE)) {
        const uint8_t *shadow = asan_shadow(addr);
        if (likely(!shadow || !*shadow))
            return;
        if (*shadow < ASAN_SCALE && addr % ASAN_SCALE + size <= *shadow)
            return;
        asan_report((const void *)addr, size, write, where);
    }
    if (unlikely(asan_first_bad(addr, size)))
        asan_report((const void *)addr, size, write, where);
}

#define RETURN_ADDRESS ((uintptr_t)__builtin_return_address(0))

#define ENTRY_POINTS(size)                                                                                             \
    void __asan_load##size##_noabort(uintptr_t addr);                                                                  \
    void __asan_store##size##_noabort(uintptr_t addr);                                                                 \
    void __asan_load##size(uintptr_t addr);                                                                            \
    void __asan_store##size(uintptr_t addr);                                                                           \
    void __asan_load##size##_noabort(uintptr_t addr)                                                                   \
    {                                                                                                                  \
        check(addr, size, false, RETURN_ADDRESS);                                                                      \
    }                                                                                                                  \
    void __asan_store##size##_noabort(uintptr_t addr)                                                                  \
    {                                                                                                                  \
        check(addr, size, true, RETURN_ADDRESS);                                                                       \
    }                                                                                                                  \
    void __asan_load##size(uintptr_t addr)                                                                             \
    {                                                                                                                  \
        check(addr, size, false, RETURN_ADDRESS);                                                                      \
    }                                                                                                                  \
    void __asan_store##size(uintptr_t addr)                                                                            \
    {                                                                                                                  \
        check(addr, size, true, RETURN_ADDRESS);                                                                       \
    }

ENTRY_POINTS(1)
ENTRY_POINTS(2)
ENTRY_POINTS(4)
ENTRY_POINTS(8)
ENTRY_POINTS(16)

// Accesses of other sizes.
#define ENTRY_POINT_N(name, write)                                                                                     \
    void name(uintptr_t addr, size_t size);                                                                            \
    void name(uintptr_t addr, size_t size)                                                                             \
    {                                                                                                                  \
        check(addr, size, write, RETURN_ADDRESS);                                                                      \
    }

ENTRY_POINT_N(__asan_loadN, false)
ENTRY_POINT_N(__asan_storeN, true)
ENTRY_POINT_N(__asan_loadN_noabort, false)
ENTRY_POINT_N(__asan_storeN_noabort, true)

// ---- global variables: the compiler's description of each ---------------------------------------------------------------

struct asan_global {
    uintptr_t start;
    size_t size, size_with_redzone;
    const char *name, *file;
    uintptr_t has_dynamic_init;
    const void *location;
    intptr_t odr_indicator;
};

void __asan_register_globals(const struct asan_global *globals, size_t n);
void __asan_unregister_globals(const struct asan_global *globals, size_t n);

void __asan_register_globals(const struct asan_global *globals, size_t n)
{
    for (const struct asan_global *g = globals; g < globals + n; g++) {
        size_t used = ALIGN_UP(g->size, (size_t)ASAN_SCALE);
        asan_unpoison((const void *)g->start, g->size);
        asan_poison((const void *)(g->start + used), g->size_with_redzone - used, ASAN_GLOBAL);
    }
}

void __asan_unregister_globals(const struct asan_global *globals, size_t n)
{
    for (const struct asan_global *g = globals; g < globals + n; g++)
        asan_unpoison((const void *)g->start, g->size_with_redzone);
}

// ---- whole blocks ---------------------------------------------------------------------------------------------------

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    check((uintptr_t)from, size, false, RETURN_ADDRESS);
    check((uintptr_t)to, size, true, RETURN_ADDRESS);
    return raw_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
    check((uintptr_t)from, size, false, RETURN_ADDRESS);
    check((uintptr_t)to, size, true, RETURN_ADDRESS);
    return raw_memmove(to, from, size);
}

void *memset(void *to, int byte, size_t size)
{
    check((uintptr_t)to, size, true, RETURN_ADDRESS);
    return raw_memset(to, byte, size);
}

int memcmp(const void *a, const void *b, size_t size)
{
    check((uintptr_t)a, size, false, RETURN_ADDRESS);
    check((uintptr_t)b, size, false, RETURN_ADDRESS);
    return raw_memcmp(a, b, size);
}

size_t raw_copy_from_user(void *to, const void __user *from, size_t size);
size_t raw_copy_to_user(void __user *to, const void *from, size_t size);

size_t copy_from_user(void *to, const void __user *from, size_t size)
{
    check((uintptr_t)to, size, true, RETURN_ADDRESS);
    return raw_copy_from_user(to, from, size);
}

size_t copy_to_user(void __user *to, const void *from, size_t size)
{
    check((uintptr_t)from, size, false, RETURN_ADDRESS);
    return raw_copy_to_user(to, from, size);
}

ASAN_ON

#endif
