// kernel/base/refcount.c — what happens when a reference count is misused.
#include "kernel/base/refcount.h"

#include "kernel/base/panic.h"
#include "kernel/base/printk.h"

#ifdef KERNEL_FORTRESS
#define REPORTS_MAX 32u
#else
#define REPORTS_MAX 1u
#endif

// From here on the object is never freed; who holds it wrongly may go on, and nobody's memory changes under him.
void refcount_bad(refcount_t *ref, const char *what)
{
    static unsigned reports;
    unsigned value = __atomic_exchange_n(&ref->v, REFCOUNT_SATURATED, __ATOMIC_RELAXED);
    if (__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED) >= REPORTS_MAX)
        return;
    pr_warn("refcount: the count at %px was about %u\n", (void *)ref, value);
    warn_at(__FILE_NAME__, __LINE__, what);
}
