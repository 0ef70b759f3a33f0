// kernel/debug/list_check.c — a list whose neighbours do not point at each other stops the fortress kernel there and then.
#ifdef KERNEL_CHECK_LISTS

#include "kernel/base/list.h"
#include "kernel/base/panic.h"

void list_bad(const struct list_head *node, const struct list_head *prev, const struct list_head *next, const char *what)
{
    panic("list: %s: node %px between %px (next %px) and %px (prev %px)", what, (const void *)node, (const void *)prev,
          (const void *)prev->next, (const void *)next, (const void *)next->prev);
}

#endif
