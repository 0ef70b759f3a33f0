// tests/contract/fork_memory.c — memory after fork: each process keeps its own view of big private memory, whatever the others do to theirs.
//
// The areas are big and aligned, so that a kernel which shares page tables or huge pages between parent and child has to take them apart again.
#include "tests/contract/harness.h"

#include <sched.h>
#include <sys/uio.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum { MIB = 1 << 20, SPAN = 2 * MIB, AREA = 8 * MIB, PAGES = AREA / PAGE };

// An aligned area in which page i holds i + salt.
static char *filled(unsigned salt)
{
    char *all = mmap(nullptr, AREA + SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(all != MAP_FAILED);
    char *area = (char *)(((uintptr_t)all + SPAN - 1) & -(uintptr_t)SPAN);
    for (unsigned i = 0; i < PAGES; i++)
        *(unsigned *)(area + (size_t)i * PAGE) = i + salt;
    return area;
}

static void put(char *area, unsigned page, unsigned value)
{
    *(unsigned *)(area + (size_t)page * PAGE) = value;
}

static unsigned get(const char *area, unsigned page)
{
    return *(const volatile unsigned *)(area + (size_t)page * PAGE);
}

// How many pages of [from, to) do not hold index + salt.
static unsigned wrong(const char *area, unsigned from, unsigned to, unsigned salt)
{
    unsigned n = 0;
    for (unsigned i = from; i < to; i++)
        n += get(area, i) != i + salt;
    return n;
}

static void finish(pid_t child)
{
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

CASE(fork_memory_writes_stay_apart)
{
    char *area = filled(1);
    int go[2], done[2];
    REQUIRE(pipe(go) == 0 && pipe(done) == 0);
    char c = 0;
    pid_t child = fork();
    if (child == 0) {
        EXPECT_EQ(wrong(area, 0, PAGES, 1), 0);
        for (unsigned i = 0; i < PAGES; i += 3)
            put(area, i, 7);
        EXPECT_EQ(write(done[1], &c, 1), 1);
        EXPECT_EQ(read(go[0], &c, 1), 1);
        for (unsigned i = 0; i < PAGES; i++)
            if (get(area, i) != (i % 3 ? i + 1 : 7))
                EXPECT_EQ(get(area, i), i % 3 ? i + 1 : 7);
        _exit(0);
    }
    EXPECT_EQ(read(done[0], &c, 1), 1);
    EXPECT_EQ(wrong(area, 0, PAGES, 1), 0);
    for (unsigned i = 0; i < PAGES; i++)
        put(area, i, i + 50);
    EXPECT_EQ(write(go[1], &c, 1), 1);
    finish(child);
    EXPECT_EQ(wrong(area, 0, PAGES, 50), 0);
}

CASE(fork_memory_of_generations)
{
    char *area = filled(0);
    for (unsigned generation = 1; generation <= 6; generation++) {
        pid_t child = fork();
        if (child) {
            // The parent changes its own copy while the younger ones run.
            for (unsigned i = generation; i < PAGES; i += 7)
                put(area, i, 0);
            finish(child);
            for (unsigned i = generation; i < PAGES; i += 7)
                if (get(area, i) != 0)
                    EXPECT_EQ(get(area, i), 0);
            if (generation > 1)
                _exit(0);
            return;
        }
        EXPECT_EQ(wrong(area, 0, PAGES, (generation - 1) * 1000), 0);
        for (unsigned i = 0; i < PAGES; i++)
            put(area, i, i + generation * 1000);
    }
    _exit(0);
}

CASE(fork_memory_child_outlives_its_parent)
{
    char *area = filled(3);
    int result[2];
    REQUIRE(pipe(result) == 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            while (getppid() == parent)
                sched_yield();
            unsigned bad = wrong(area, 0, PAGES, 3);
            for (unsigned i = 0; i < PAGES; i++)
                put(area, i, i + 4);
            bad += wrong(area, 0, PAGES, 4);
            EXPECT_EQ(write(result[1], &bad, sizeof bad), sizeof bad);
        }
        _exit(0);
    }
    finish(child);
    unsigned bad = 1;
    close(result[1]);
    EXPECT_EQ(read(result[0], &bad, sizeof bad), sizeof bad);
    EXPECT_EQ(bad, 0);
    EXPECT_EQ(wrong(area, 0, PAGES, 3), 0);
}

CASE(fork_memory_child_changes_its_mappings)
{
    char *area = filled(9);
    pid_t child = fork();
    if (child == 0) {
        // Parts of tables: half a megabyte away, the middle read-only, a part given up, a part moved.
        EXPECT_EQ(munmap(area + SPAN / 4, SPAN / 4), 0);
        EXPECT_EQ(mprotect(area + SPAN, SPAN / 2, PROT_READ), 0);
        EXPECT_EQ(mprotect(area + SPAN, SPAN / 2, PROT_READ | PROT_WRITE), 0);
        EXPECT_EQ(madvise(area + 2 * SPAN, SPAN / 2, MADV_DONTNEED), 0);
        char *moved = mremap(area + 3 * SPAN, SPAN, 2 * SPAN, MREMAP_MAYMOVE);
        REQUIRE(moved != MAP_FAILED);
        unsigned span = SPAN / PAGE;
        EXPECT_EQ(wrong(area, 0, span / 4, 9), 0);
        EXPECT_EQ(wrong(area, span / 2, 2 * span, 9), 0);
        for (unsigned i = 0; i < span / 2; i++)
            if (get(area, 2 * span + i) != 0)
                EXPECT_EQ(get(area, 2 * span + i), 0);
        EXPECT_EQ(wrong(area, 2 * span + span / 2, 3 * span, 9), 0);
        for (unsigned i = 0; i < span; i++) {
            if (get(moved, i) != 3 * span + i + 9)
                EXPECT_EQ(get(moved, i), 3 * span + i + 9);
            put(moved, i, 1);
        }
        for (unsigned i = span / 2; i < 3 * span; i++)
            put(area, i, 2);
        EXPECT_EQ(munmap(area + SPAN, SPAN), 0);
        _exit(0);
    }
    finish(child);
    EXPECT_EQ(wrong(area, 0, PAGES, 9), 0);
}

CASE(fork_memory_unmapped_whole)
{
    for (unsigned round = 0; round < 20; round++) {
        char *area = filled(round);
        pid_t child = fork();
        if (child == 0) {
            EXPECT_EQ(wrong(area, 0, PAGES, round), 0);
            _exit(0);
        }
        EXPECT_EQ(munmap(area, AREA), 0);
        finish(child);
    }
}

CASE(fork_memory_written_by_the_kernel)
{
    char *area = filled(5);
    int data[2];
    REQUIRE(pipe(data) == 0);
    pid_t child = fork();
    if (child == 0) {
        unsigned value = 77;
        for (unsigned i = 0; i < PAGES; i += 100) {
            EXPECT_EQ(write(data[1], &value, sizeof value), sizeof value);
            EXPECT_EQ(read(data[0], area + (size_t)i * PAGE, sizeof value), sizeof value);
            EXPECT_EQ(get(area, i), 77);
        }
        pause();
        _exit(0);
    }
    usleep(20000);
    unsigned value = 99, seen = 0;
    struct iovec mine = {&value, sizeof value}, theirs = {area + SPAN + 5 * PAGE, sizeof value};
    EXPECT_EQ(process_vm_writev(child, &mine, 1, &theirs, 1, 0), sizeof value);
    mine.iov_base = &seen;
    EXPECT_EQ(process_vm_readv(child, &mine, 1, &theirs, 1, 0), sizeof value);
    EXPECT_EQ(seen, 99);
    EXPECT_EQ(wrong(area, 0, PAGES, 5), 0);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

CASE(fork_memory_counts_as_resident)
{
    char *area = filled(2);
    pid_t child = fork();
    if (child == 0) {
        long size = 0, resident = 0;
        FILE *f = fopen("/proc/self/statm", "r");
        REQUIRE(f != nullptr);
        EXPECT_EQ(fscanf(f, "%ld %ld", &size, &resident), 2);
        fclose(f);
        EXPECT(resident >= PAGES && resident < PAGES + 2000);
        unsigned char in_core[PAGES];
        EXPECT_EQ(mincore(area, AREA, in_core), 0);
        for (unsigned i = 0; i < PAGES; i++)
            if (!(in_core[i] & 1))
                EXPECT_EQ(in_core[i], 1);
        EXPECT_EQ(munmap(area, AREA), 0);
        f = fopen("/proc/self/statm", "r");
        REQUIRE(f != nullptr);
        EXPECT_EQ(fscanf(f, "%ld %ld", &size, &resident), 2);
        fclose(f);
        EXPECT(resident < PAGES);
        _exit(0);
    }
    finish(child);
}

static char *busy_area;
static volatile bool busy_stop;

static void *write_on(void *slot)
{
    unsigned from = (unsigned)(uintptr_t)slot;
    for (unsigned n = 0; !busy_stop; n++)
        for (unsigned i = from; i < PAGES; i += 4) {
            put(busy_area, i, n);
            if (get(busy_area, i) != n) {
                EXPECT_EQ(get(busy_area, i), n);
                return nullptr;
            }
        }
    return nullptr;
}

CASE(fork_memory_under_writing_threads)
{
    busy_area = filled(0);
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(pthread_create(&threads[i], nullptr, write_on, (void *)(uintptr_t)i) == 0);
    for (unsigned round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            // A snapshot: nothing in it may change any more.
            static unsigned first[PAGES];
            for (unsigned i = 0; i < PAGES; i++)
                first[i] = get(busy_area, i);
            for (unsigned pass = 0; pass < 4; pass++)
                for (unsigned i = 0; i < PAGES; i++)
                    if (get(busy_area, i) != first[i])
                        EXPECT_EQ(get(busy_area, i), first[i]);
            for (unsigned i = 0; i < PAGES; i += 5)
                put(busy_area, i, round);
            _exit(0);
        }
        finish(child);
    }
    busy_stop = true;
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], nullptr);
    EXPECT_EQ(wrong(busy_area, 3, 4, 0), 0);
}

// Lengths that reach far beyond what user space has, where tables of user space may be shared.
CASE(fork_memory_asked_for_beyond_its_end)
{
    char *area = filled(5), *kernel = (char *)0xffff800000000000;
    int go[2];
    char c;
    REQUIRE(pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(go[1]);
        _exit(read(go[0], &c, 1) == 0 && wrong(area, 0, PAGES, 5) == 0 ? 0 : 1);
    }
    close(go[0]);
    REQUIRE(munmap(area + AREA, PAGE) == 0); // of what aligning left over
    EXPECT_ERRNO(madvise(kernel, 0x7ffffffff000, MADV_DONTNEED), ENOMEM);
    EXPECT_ERRNO(madvise(kernel, 0x7ffffffff000, MADV_POPULATE_READ), ENOMEM);
    EXPECT_ERRNO(madvise(area + AREA - PAGE, 0xffffff0000000000 - (size_t)area, MADV_WILLNEED), ENOMEM);
    EXPECT_ERRNO(mprotect(kernel, 0x7ffffffff000, PROT_READ), ENOMEM);
    EXPECT_ERRNO(mprotect(area, 0xffffff0000000000 - (size_t)area, PROT_READ | PROT_WRITE), ENOMEM);
    EXPECT_EQ(wrong(area, 0, PAGES, 5), 0);
    put(area, 9, 0);
    close(go[1]);
    finish(child);
}
