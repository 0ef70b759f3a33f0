// tests/unit/tap.c — runs the registered tests and reports; the exit status is 1 if one failed.
#include "tests/unit/tap.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct tap_test *first, **last = &first;
static int failures;

void tap_register(struct tap_test *test)
{
    *last = test;
    last = &test->next;
}

void tap_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    failures++;
    printf("# %s:%d: ", file, line);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

void *tap_alloc(size_t size)
{
    void *p = calloc(1, size);
    if (!p)
        abort();
    return p;
}

void tap_free(void *p)
{
    free(p);
}

enum { PAGE = 4096 };

// What stands on the page before the memory.
struct guarded {
    size_t whole;
};

void *tap_alloc_guarded(size_t size, size_t align)
{
    size_t content = (size + PAGE - 1) / PAGE * PAGE, whole = PAGE + content + PAGE;
    uint8_t *area = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED || mprotect(area + PAGE + content, PAGE, PROT_NONE))
        abort();
    ((struct guarded *)area)->whole = whole;
    if (mprotect(area, PAGE, PROT_READ))
        abort();
    return area + PAGE + ((content - size) & ~(align - 1));
}

void tap_free_guarded(void *p)
{
    if (!p)
        return;
    // It begins on the first page of its content (or, being empty, where that would be): the record's page is the one before.
    struct guarded *area = (struct guarded *)(((uintptr_t)p & ~(uintptr_t)(PAGE - 1)) - PAGE);
    munmap(area, area->whole);
}

uint64_t tap_random(void)
{
    static uint64_t state = 0x853c49e6748fea9bull;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

bool tap_same_text(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

int main(void)
{
    setvbuf(stdout, nullptr, _IONBF, 0);
    int count = 0, failed = 0;
    for (struct tap_test *t = first; t; t = t->next)
        count++;
    printf("TAP version 14\n1..%d\n", count);
    count = 0;
    for (struct tap_test *t = first; t; t = t->next) {
        failures = 0;
        t->run();
        printf("%sok %d - %s\n", failures ? "not " : "", ++count, t->name);
        failed += failures != 0;
    }
    return failed || !count;
}
