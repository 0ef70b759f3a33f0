// bench/micro/memory.c — mappings, page faults and the break.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/micro/bench.h"

enum { PAGE = 4096 };

static char *area;
static int file = -1;

static char *map_anonymous(size_t size)
{
    char *at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(at != MAP_FAILED);
    return at;
}

// --- mmap_fault: one first touch of each page of a fresh mapping. ---

enum { FAULT_PAGES = 4096, FAULT_BYTES = FAULT_PAGES * PAGE };

static void map_16mib(void)
{
    area = map_anonymous(FAULT_BYTES);
}

static void mmap_fault_body(uint64_t n)
{
    LOOP(n)((volatile char *)area)[iteration * PAGE] = 1;
}

static void unmap_16mib(void)
{
    MUST(munmap(area, FAULT_BYTES) == 0);
}

static void mmap_munmap_body(uint64_t n)
{
    LOOP(n) {
        long at = raw6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(at > 0);
        MUST(raw3(SYS_munmap, at, PAGE, 0) == 0);
    }
}

static void map_page(void)
{
    area = map_anonymous(PAGE);
    area[0] = 1;
}

static void unmap_page(void)
{
    MUST(munmap(area, PAGE) == 0);
}

static void mprotect_body(uint64_t n)
{
    LOOP(n) {
        MUST(raw3(SYS_mprotect, (long)area, PAGE, PROT_READ) == 0);
        MUST(raw3(SYS_mprotect, (long)area, PAGE, PROT_READ | PROT_WRITE) == 0);
    }
}

static void brk_body(uint64_t n)
{
    long here = raw3(SYS_brk, 0, 0, 0);
    LOOP(n) {
        MUST(raw3(SYS_brk, here + PAGE, 0, 0) == here + PAGE);
        MUST(raw3(SYS_brk, here, 0, 0) == here);
    }
}

// --- mmap_read_cached: map a 1 MiB file that is in memory, read a byte of each page, unmap. ---

enum { CACHED_BYTES = 1 << 20 };

static void make_cached(void)
{
    char *bytes = map_anonymous(CACHED_BYTES);
    memset(bytes, 'k', CACHED_BYTES);
    make_file("cached", bytes, CACHED_BYTES);
    MUST(munmap(bytes, CACHED_BYTES) == 0);
    file = open("cached", O_RDONLY | O_CLOEXEC);
    MUST(file >= 0);
}

static void mmap_read_cached_body(uint64_t n)
{
    LOOP(n) {
        volatile const char *at = mmap(nullptr, CACHED_BYTES, PROT_READ, MAP_PRIVATE, file, 0);
        MUST(at != MAP_FAILED);
        for (size_t offset = 0; offset < CACHED_BYTES; offset += PAGE)
            MUST(at[offset] == 'k');
        MUST(munmap((void *)at, CACHED_BYTES) == 0);
    }
}

static void close_cached(void)
{
    MUST(close(file) == 0 && unlink("cached") == 0);
}

static const struct bench memory_benches[] = {
    {"mmap_fault", map_16mib, mmap_fault_body, unmap_16mib, FAULT_PAGES, 2, 20},
    {"mmap_munmap", nullptr, mmap_munmap_body, nullptr, 1000, 2, 20},
    {"mprotect", map_page, mprotect_body, unmap_page, 1000, 2, 20},
    {"brk", nullptr, brk_body, nullptr, 1000, 2, 20},
    {"mmap_read_cached", make_cached, mmap_read_cached_body, close_cached, 20, 3, 10},
};

FAMILY(memory);
