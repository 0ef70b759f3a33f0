// tests/contract/mapping_limit.c — where a mapping goes, what limits and rights refuse, and what a refusal leaves: mmap(2), mprotect(2), mincore(2).
#include "tests/contract/harness.h"

#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

CASE(mmap_hint_is_rounded_down_and_an_impossible_one_is_none)
{
    char *free_place = mmap(nullptr, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(munmap(free_place, 3 * PAGE) == 0);
    EXPECT(mmap(free_place + PAGE + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == free_place + PAGE);
    EXPECT((uintptr_t)mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) > 1ul << 32);
    EXPECT((uintptr_t)mmap((void *)-1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) > 1ul << 32);
}

CASE(mmap_anonymous_takes_any_offset)
{
    EXPECT(mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    EXPECT(syscall(SYS_mmap, nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0xfffffffffffff000ul) > 0);
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_ERRNO(syscall(SYS_mmap, nullptr, PAGE, PROT_READ, MAP_PRIVATE, fd, 0xfffffffffffff000ul), EOVERFLOW);
}

static int mappings_in(const char *from, size_t length)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    int count = 0;
    REQUIRE(f);
    while (fgets(line, sizeof line, f)) {
        uintptr_t start = strtoul(line, nullptr, 16);
        count += start >= (uintptr_t)from && start < (uintptr_t)from + length;
    }
    fclose(f);
    return count;
}

CASE(mprotect_that_is_refused_leaves_the_mapping_whole)
{
    char *p = mmap(nullptr, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rlimit old, low;
    REQUIRE(p != MAP_FAILED && getrlimit(RLIMIT_DATA, &old) == 0);
    low = (struct rlimit){.rlim_cur = PAGE, .rlim_max = old.rlim_max};
    REQUIRE(setrlimit(RLIMIT_DATA, &low) == 0);
    EXPECT_ERRNO(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE), ENOMEM);
    REQUIRE(setrlimit(RLIMIT_DATA, &old) == 0);
    EXPECT_EQ(mappings_in(p, 3 * PAGE), 1);
    EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
    EXPECT_EQ(mappings_in(p, 3 * PAGE), 3);
}

// Valgrind sets it so.
CASE(rlimit_data_of_zero_is_for_brk_alone)
{
    long end = syscall(SYS_brk, 0);
    struct rlimit old, zero;
    REQUIRE(getrlimit(RLIMIT_DATA, &old) == 0);
    zero = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    REQUIRE(setrlimit(RLIMIT_DATA, &zero) == 0);
    EXPECT(mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    char *p = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
    EXPECT_EQ(syscall(SYS_brk, end + PAGE), end);
}

// What moves has been promised already.
CASE(mremap_that_moves_is_charged_for_what_is_new)
{
    struct sysinfo machine;
    REQUIRE(sysinfo(&machine) == 0);
    size_t size = machine.totalram * machine.mem_unit / 10 * 6 & ~(size_t)(PAGE - 1), more = size / 6 * 11 & ~(size_t)(PAGE - 1);
    char *p = mmap(nullptr, size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    REQUIRE(mmap(p, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    char *moved = mremap(p, size, more, MREMAP_MAYMOVE);
    EXPECT(moved != MAP_FAILED && moved != p);
    EXPECT_EQ(munmap(moved, more), 0);
    for (int i = 0; i < 8; i++) { // and it is all given back
        p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(p != MAP_FAILED);
        moved = mremap(p, size, size / 2, 0);
        EXPECT(moved == p);
        EXPECT_EQ(munmap(p, size), 0);
    }
}

CASE(mincore_tells_of_a_file_who_may_write_it)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(ftruncate(fd, 2 * PAGE) == 0 && fchmod(fd, 0644) == 0);
    char *p = mmap(nullptr, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    unsigned char there[2] = {9, 9};
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(mincore(p, 2 * PAGE, there), 0);
    EXPECT(there[0] == 0 && there[1] == 0);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(mincore(p, 2 * PAGE, there), 0);
        EXPECT(there[0] == 1 && there[1] == 1);
    }
    EXPECT_EXITED(child, 0);
}

CASE(read_implies_exec_where_it_can)
{
    own_mount_namespace();
    REQUIRE(mkdir("noexec", 0755) == 0 && mount("t", "noexec", "tmpfs", MS_NOEXEC, nullptr) == 0);
    int fd = open("noexec/f", O_RDWR | O_CREAT, 0600);
    REQUIRE(fd >= 0 && ftruncate(fd, PAGE) == 0);
    REQUIRE(personality(READ_IMPLIES_EXEC) >= 0);
    char *p = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    EXPECT(p != MAP_FAILED);
    EXPECT_EQ(mprotect(p, PAGE, PROT_NONE), 0);
    EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
}

CASE(mapping_stays_whole_when_parts_become_what_they_are)
{
    enum { PAGES = 16 };
    char *p = mmap(nullptr, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    for (int i = 1; i < PAGES; i += 2) {
        EXPECT_EQ(munlock(p + i * PAGE, PAGE), 0);
        EXPECT_EQ(mprotect(p + i * PAGE, PAGE, PROT_READ), 0);
        EXPECT_EQ(madvise(p + i * PAGE, PAGE, MADV_NORMAL), 0);
    }
    EXPECT_EQ(mappings_in(p, PAGES * PAGE), 1);
    for (int i = 1; i < PAGES; i += 2)
        EXPECT_EQ(mlock(p + i * PAGE, PAGE), 0);
    EXPECT_EQ(mappings_in(p, PAGES * PAGE), PAGES);
    EXPECT_EQ(mlock(p, PAGES * PAGE), 0);
    EXPECT_EQ(mappings_in(p, PAGES * PAGE), 1);
}
