// kernel/debug/asan/pages.c — the content of free pages: filled when they are freed, looked at when they are handed out.
#ifdef KERNEL_ASAN

#include "kernel/debug/asan/internal.h"

ASAN_OFF

#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/mm/page.h"

#define FILL_WORD (ASAN_FREE_FILL * 0x0101010101010101UL)

void asan_pages_freed(void *start, size_t size)
{
    if (!asan_ready)
        return;
    raw_memset(start, ASAN_FREE_FILL, size);
    asan_poison(start, size, ASAN_PAGE_FILLED);
}

[[noreturn]] static void report(const uint64_t *at, const uint64_t *page)
{
    asan_ready = false;
    pr_emerg("ASAN: page written after it was freed: frame %#lx, byte %zu has %016lx\n",
             (unsigned long)page_to_pfn(virt_to_page(page)), (size_t)((const char *)at - (const char *)page), (unsigned long)*at);
    panic("address sanitiser: page written after it was freed");
}

static void check_fill(const uint64_t *page)
{
    for (const uint64_t *at = page; at < page + PAGE_SIZE / sizeof *at; at++)
        if (unlikely(*at != FILL_WORD))
            report(at, page);
}

void asan_pages_allocated(void *start, size_t size)
{
    // Each page tells whether it was filled: those that were never used since boot are not.
    for (char *page = start; page < (char *)start + size; page += PAGE_SIZE)
        if (asan_state(page) == ASAN_PAGE_FILLED)
            check_fill((const uint64_t *)page);
    asan_unpoison(start, size);
}

ASAN_ON

#endif
