// tests/contract/storm_memory.c — one address space, changed by several threads at once: mmap, mremap, mprotect, munmap, brk, madvise.
#include "tests/contract/storm.h"

enum { PAGES = 16, RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

static int scratch;
static char *region; // PAGES pages that are fought for, between two that nobody may touch

static void check_maps(void)
{
    static _Thread_local char text[16384];
    ssize_t used = 0, n;
    int fd = open("/proc/self/maps", O_RDONLY);
    REQUIRE(fd >= 0);
    while (used < (ssize_t)sizeof text - 1 && (n = read(fd, text + used, sizeof text - 1 - (size_t)used)) > 0)
        used += n;
    close(fd);
    text[used] = '\0';
    unsigned long last = 0, start, end;
    for (char *line = text; sscanf(line, "%lx-%lx", &start, &end) == 2;) {
        EXPECT(start >= last && end > start); // ascending, and none over another
        last = end;
        line = strchr(line, '\n');
        if (!line++)
            break;
    }
    EXPECT(last != 0);
}

static void change_region(int number)
{
    size_t first = storm_random(PAGES), count = 1 + storm_random((unsigned)(PAGES - first)), to = storm_random(PAGES);
    char *at = region + first * PAGE;
    size_t length = count * PAGE;
    int access = (int)storm_random(4); // of PROT_READ, PROT_WRITE
    switch (storm_random(number == 0 ? 8 : 7)) {
    case 0:
    case 1:
        EXPECT(mmap(at, length, access, ANON | MAP_FIXED, -1, 0) == at);
        break;
    case 2:
        EXPECT_EQ(munmap(at, length), 0);
        break;
    case 3:
        EXPECT(mprotect(at, length, access) == 0 || errno == ENOMEM);
        break;
    case 4:
        EXPECT(madvise(at, length, MADV_DONTNEED) == 0 || errno == ENOMEM);
        break;
    case 5: {
        char *target = region + to * PAGE;
        char *got = mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
        EXPECT(got == target || (got == MAP_FAILED && (errno == EFAULT || (errno == EINVAL && target == at))));
        break;
    }
    case 6: // the kernel reads there, if anyone may
        EXPECT(pwrite(scratch, at, 1, 0) == 1 || errno == EFAULT);
        break;
    default:
        check_maps();
        break;
    }
}

CASE(storm_mappings_at_the_same_addresses)
{
    char *all = mmap(nullptr, (PAGES + 2) * PAGE, RW, ANON, -1, 0);
    REQUIRE(all != MAP_FAILED);
    memset(all, 'g', PAGE);
    memset(all + (PAGES + 1) * PAGE, 'g', PAGE);
    region = all + PAGE;
    scratch = open("scratch", O_RDWR | O_CREAT, 0600);
    REQUIRE(scratch >= 0);
    storm(change_region);
    for (int i = 0; i < PAGE; i++)
        REQUIRE(all[i] == 'g' && all[(PAGES + 1) * PAGE + i] == 'g');
    REQUIRE(mmap(region, PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0) == region);
    for (int i = 0; i < PAGES * PAGE; i++)
        REQUIRE_EQ(region[i], 0);
    check_maps();
}

static char *first_break;

static void move_break(int number)
{
    char *target = first_break + (1 + storm_random(PAGES)) * PAGE;
    char *now = (char *)syscall(SYS_brk, target);
    EXPECT(now >= first_break + PAGE && now <= first_break + PAGES * PAGE);
    EXPECT_EQ(((uintptr_t)now - (uintptr_t)first_break) % PAGE, 0);
    volatile char *own = first_break + number; // below what anyone gives back
    *own = (char)(*own + 1);
    EXPECT_EQ(*own, (char)(number + 1));
    *own = (char)number;
}

CASE(storm_break_moved_by_all)
{
    IN_CHILD(child)
    {
        first_break = (char *)(((uintptr_t)syscall(SYS_brk, 0) + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
        REQUIRE((char *)syscall(SYS_brk, first_break + PAGE) == first_break + PAGE);
        for (int i = 0; i < STORM_THREADS; i++)
            first_break[i] = (char)i;
        storm(move_break);
        EXPECT((char *)syscall(SYS_brk, first_break + PAGE) == first_break + PAGE);
        EXPECT((char *)syscall(SYS_brk, first_break + 2 * PAGE) == first_break + 2 * PAGE);
        for (int i = 0; i < PAGE; i++)
            EXPECT_EQ(first_break[PAGE + i], 0);
    }
    EXPECT_EXITED(child, 0);
}

static atomic_ulong *counter;

// The page is dropped while others count in it: it is zero again or goes on, but no count comes back from an older page.
static void count_or_drop(int number)
{
    if (number == 0) {
        EXPECT_EQ(madvise(counter, PAGE, MADV_DONTNEED), 0);
        sched_yield();
        return;
    }
    for (int i = 0; i < 200; i++) {
        unsigned long before = atomic_fetch_add(&counter[number * 8], 1), after = counter[number * 8];
        EXPECT(after == before + 1 || after == 0);
    }
}

CASE(storm_pages_dropped_under_writers)
{
    counter = mmap(nullptr, PAGE, RW, ANON, -1, 0);
    REQUIRE(counter != MAP_FAILED);
    storm(count_or_drop);
}

static int file;

// A shared mapping is cut off and comes back while it is written through the file: a read sees what was written, or zero.
static void write_map_or_cut(int number)
{
    if (number == 0) {
        EXPECT_EQ(ftruncate(file, 0), 0);
        EXPECT_EQ(ftruncate(file, 2 * PAGE), 0);
    } else if (number == 1) {
        EXPECT_EQ(pwrite(file, "ssssssss", 8, PAGE), 8);
    } else {
        char *p = mmap(nullptr, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
        REQUIRE(p != MAP_FAILED);
        char seen[8] = {};
        ssize_t n = pread(file, seen, sizeof seen, PAGE);
        EXPECT(n == 0 || (n == 8 && (seen[0] == 's' || seen[0] == 0)));
        EXPECT_EQ(munmap(p, 2 * PAGE), 0);
    }
}

CASE(storm_a_mapped_file_is_cut_and_written)
{
    file = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(file >= 0);
    storm(write_map_or_cut);
    struct stat s;
    EXPECT_EQ(ftruncate(file, 0), 0);
    EXPECT_EQ(fstat(file, &s), 0);
    EXPECT_EQ(s.st_blocks, 0); // nothing is left behind the end
}

static _Thread_local char *window; // onto the file's first page, a mapping of each thread's own

// A page is punched out of a file under those who write to it through mappings that were read-only a moment ago.
static void punch_or_write(int number)
{
    if (number == 0) {
        EXPECT_EQ(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0);
        return;
    }
    if (!window)
        window = mmap(nullptr, PAGE, RW, MAP_SHARED, file, 0);
    REQUIRE(window != MAP_FAILED);
    EXPECT_EQ(mprotect(window, PAGE, PROT_READ), 0);
    char seen = ((volatile char *)window)[number];
    EXPECT(seen == 0 || seen == (char)number);
    EXPECT_EQ(mprotect(window, PAGE, RW), 0);
    ((volatile char *)window)[number] = (char)number;
}

CASE(storm_a_mapped_page_is_punched_and_written)
{
    file = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(file >= 0 && ftruncate(file, PAGE) == 0);
    storm(punch_or_write);
    struct stat s;
    EXPECT_EQ(ftruncate(file, 0), 0);
    EXPECT_EQ(fstat(file, &s), 0);
    EXPECT_EQ(s.st_blocks, 0);
}

static int own_memory;
static _Thread_local char written;

// Each thread writes a byte of its own, as a debugger does, to a page that nobody may write.
static void force_a_byte(int number)
{
    written++;
    EXPECT_EQ(pwrite(own_memory, &written, 1, (off_t)(uintptr_t)(region + number)), 1);
    EXPECT_EQ(((volatile char *)region)[number], written);
}

CASE(storm_forced_writes_of_one_page)
{
    own_memory = open("/proc/self/mem", O_RDWR);
    region = mmap(nullptr, PAGE, RW, ANON, -1, 0);
    REQUIRE(own_memory >= 0 && region != MAP_FAILED);
    region[0] = 0;
    EXPECT_EQ(mprotect(region, PAGE, PROT_READ), 0);
    storm(force_a_byte);
}
