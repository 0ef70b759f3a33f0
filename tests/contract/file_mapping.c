// tests/contract/file_mapping.c — mappings of a file that change while the file does: holes punched, pages replaced.
//
// A page that left the file must leave every mapping too, however the mapping is being cut, joined, moved or forked at that moment. The
// races are bounded: so many rounds, each of which must end right.
#include "tests/contract/harness.h"

#include <linux/falloc.h>
#include <sched.h>
#include <setjmp.h>
#include <stdatomic.h>

enum { RW = PROT_READ | PROT_WRITE };

static int file_fd;
static char *area;
static atomic_int stop;

static void make_area(unsigned pages)
{
    file_fd = memfd_create("f", 0);
    REQUIRE(file_fd >= 0 && ftruncate(file_fd, pages * PAGE) == 0);
    area = mmap(nullptr, pages * PAGE, RW, MAP_SHARED, file_fd, 0);
    REQUIRE(area != MAP_FAILED);
}

static void punch(unsigned page)
{
    REQUIRE_EQ(fallocate(file_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page * PAGE, PAGE), 0);
}

static void *cut_and_join(void *)
{
    while (!stop) {
        EXPECT_EQ(mprotect(area + PAGE, PAGE, PROT_READ), 0);
        EXPECT_EQ(mprotect(area + PAGE, PAGE, RW), 0);
    }
    return nullptr;
}

CASE(file_mapping_being_cut_loses_punched_pages)
{
    make_area(4);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, cut_and_join, nullptr) == 0);
    volatile char *page = area + 2 * PAGE;
    int64_t end = now_ns() + 3000000000;
    for (int i = 0; i < 20000 && now_ns() < end; i++) {
        *page = 1;
        punch(2);
        REQUIRE_EQ(*page, 0);
    }
    stop = 1;
    pthread_join(thread, nullptr);
}

static char *_Atomic moving;
static atomic_int hold, held;

// Moves one page to and fro, and lets go of it when asked.
static void *move_about(void *places)
{
    char **place = places;
    for (int i = 0; !stop; i++) {
        if (hold) {
            held = 1;
            while (hold)
                sched_yield();
            held = 0;
        }
        (void)*(volatile char *)moving; // brings the page in
        char *to = mremap(moving, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place[i & 1]);
        REQUIRE(to == place[i & 1]);
        moving = to;
    }
    return nullptr;
}

CASE(file_mapping_being_moved_loses_punched_pages)
{
    make_area(1);
    // Two places in different page tables.
    char *room = mmap(nullptr, 8 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(room != MAP_FAILED);
    char *places[2] = {room, room + (6 << 20)};
    moving = area;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, move_about, places) == 0);
    int64_t end = now_ns() + 3000000000;
    for (int i = 1; i < 4000 && now_ns() < end; i++) {
        char value = (char)i;
        punch(0);
        REQUIRE_EQ(pwrite(file_fd, &value, 1, 0), 1);
        hold = 1;
        while (!held)
            sched_yield();
        REQUIRE_EQ(*(volatile char *)moving, value);
        hold = 0;
        while (held)
            sched_yield();
    }
    stop = 1;
    pthread_join(thread, nullptr);
}

enum { MANY = 100, MANY_PAGES = 70 };

CASE(file_mapping_many_times_over_loses_punched_pages)
{
    make_area(MANY_PAGES);
    char *maps[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        maps[i] = mmap(nullptr, MANY_PAGES * PAGE, PROT_READ, i % 3 ? MAP_SHARED : MAP_PRIVATE, file_fd, 0);
        REQUIRE(maps[i] != MAP_FAILED);
    }
    for (unsigned round = 1; round < 4; round++) {
        for (unsigned page = 0; page < MANY_PAGES; page++)
            area[page * PAGE] = (char)round;
        for (unsigned i = 0; i < MANY; i++)
            for (unsigned page = 0; page < MANY_PAGES; page++)
                REQUIRE_EQ(maps[i][page * PAGE], round);
        // All but the first and the last page, then one alone.
        REQUIRE_EQ(fallocate(file_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, (MANY_PAGES - 2) * PAGE), 0);
        punch(0);
        for (unsigned i = 0; i < MANY; i++)
            for (unsigned page = 0; page < MANY_PAGES; page++)
                REQUIRE_EQ(maps[i][page * PAGE], page == MANY_PAGES - 1 ? round : 0);
    }
}

enum { FORK_PAGES = 256 };

static void *replace_pages(void *)
{
    for (unsigned i = 0; !stop; i++) {
        unsigned page = i * 7 % FORK_PAGES;
        char value = 'f';
        punch(page);
        EXPECT_EQ(pwrite(file_fd, &value, 1, page * PAGE), 1);
    }
    return nullptr;
}

static long resident_pages(void)
{
    long size = 0, resident = 0;
    REQUIRE(sscanf(file_text("/proc/self/statm"), "%ld %ld", &size, &resident) == 2);
    return resident;
}

// A private mapping, every eighth page of it written to and so its own, while the file's pages are replaced.
CASE(file_mapping_is_forked_while_its_pages_are_replaced)
{
    make_area(FORK_PAGES);
    char *copy = mmap(nullptr, FORK_PAGES * PAGE, RW, MAP_PRIVATE, file_fd, 0);
    REQUIRE(copy != MAP_FAILED);
    for (unsigned i = 0; i < FORK_PAGES; i += 8)
        copy[i * PAGE] = 'p';
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, replace_pages, nullptr) == 0);
    int64_t end = now_ns() + 4000000000;
    for (int round = 0; round < 200 && now_ns() < end; round++) {
        for (unsigned i = 0; i < FORK_PAGES; i++)
            EXPECT(copy[i * PAGE] == (i % 8 ? 'f' : 'p') || (i % 8 && copy[i * PAGE] == 0));
        IN_CHILD(child)
        {
            for (unsigned i = 0; i < FORK_PAGES; i++)
                EXPECT(copy[i * PAGE] == (i % 8 ? 'f' : 'p') || (i % 8 && copy[i * PAGE] == 0));
            EXPECT_EQ(munmap(copy, FORK_PAGES * PAGE), 0);
            EXPECT_EQ(munmap(area, FORK_PAGES * PAGE), 0);
            EXPECT(resident_pages() < FORK_PAGES);
        }
        EXPECT_EXITED(child, 0);
    }
    stop = 1;
    pthread_join(thread, nullptr);
}

enum { SEALED_PAGES = 1024 };

static sigjmp_buf fault_seen;

static void on_fault(int)
{
    siglongjmp(fault_seen, 1);
}

// Writes to the last page, which goes last, until it is gone.
static void *write_until_it_is_gone(void *)
{
    if (!sigsetjmp(fault_seen, 1))
        for (volatile char *last = area + (SEALED_PAGES - 1) * PAGE;; held = 1)
            ++*last;
    return nullptr;
}

static void *unmap_it(void *)
{
    EXPECT_EQ(munmap(area, SEALED_PAGES * PAGE), 0);
    return nullptr;
}

CASE(memfd_seal_write_waits_for_a_mapping_that_is_going)
{
    REQUIRE(signal(SIGSEGV, on_fault) != SIG_ERR);
    for (int round = 0; round < 20; round++) {
        file_fd = memfd_create("f", MFD_ALLOW_SEALING);
        REQUIRE(file_fd >= 0 && ftruncate(file_fd, SEALED_PAGES * PAGE) == 0);
        area = mmap(nullptr, SEALED_PAGES * PAGE, RW, MAP_SHARED | MAP_POPULATE, file_fd, 0);
        REQUIRE(area != MAP_FAILED);
        pthread_t writer, unmapper;
        held = 0;
        REQUIRE(pthread_create(&writer, nullptr, write_until_it_is_gone, nullptr) == 0);
        while (!held)
            sched_yield();
        REQUIRE(pthread_create(&unmapper, nullptr, unmap_it, nullptr) == 0);
        while (fcntl(file_fd, F_ADD_SEALS, F_SEAL_WRITE) != 0)
            REQUIRE_EQ(errno, EBUSY);
        char first, again;
        REQUIRE_EQ(pread(file_fd, &first, 1, (SEALED_PAGES - 1) * PAGE), 1);
        for (int i = 0; i < 50; i++) {
            REQUIRE_EQ(pread(file_fd, &again, 1, (SEALED_PAGES - 1) * PAGE), 1);
            EXPECT_EQ(again, first);
        }
        pthread_join(unmapper, nullptr);
        pthread_join(writer, nullptr);
        close(file_fd);
    }
}
