// bench/scale/memory.c — an address space of many mappings.
#include <sys/mman.h>
#include <sys/syscall.h>

#include "bench/scale/scale.h"

enum { PAGE = 4096 };

static char *area;
static char *middle; // a writable page in the midst of them

// Neighbours differ in their protection, so that none is merged with another.
static void grow_mappings(uint32_t size)
{
    area = mmap(nullptr, (size_t)size * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(area != MAP_FAILED);
    for (uint32_t i = 0; i < size; i += 2)
        MUST(mprotect(area + (size_t)i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    middle = area + (size_t)(size / 2 & ~1U) * PAGE;
}

static void map_body(uint64_t n)
{
    LOOP(n) {
        long at = raw6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(at > 0);
        MUST(raw3(SYS_munmap, at, PAGE, 0) == 0);
    }
}

static void fault_body(uint64_t n)
{
    LOOP(n) {
        *(volatile char *)middle = 1;
        MUST(raw3(SYS_madvise, (long)middle, PAGE, MADV_DONTNEED) == 0);
    }
}

static const struct curve memory_list[] = {
    {"mmap_munmap", "mappings", grow_mappings, map_body, nullptr, 300, SIZES(10, 100, 1000, 10000, 30000)},
    {"fault", "mappings", grow_mappings, fault_body, nullptr, 300, SIZES(10, 100, 1000, 10000, 30000)},
};

CURVES(memory);
