// kernel/base/refcount.c — what happens when a reference count is misused.
#include "kernel/base/refcount.h"

#include "kernel/base/panic.h"

void refcount_bad(refcount_t *ref, const char *what)
{
    __atomic_store_n(&ref->v, REFCOUNT_SATURATED, __ATOMIC_RELAXED);
    static bool said;
    if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        warn_at("refcount.c", 0, what);
}
