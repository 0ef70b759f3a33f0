// tests/contract/mapping.c — mmap, munmap, mprotect, mremap, madvise, msync, mincore, mlock, brk: what is mapped, shared, copied, refused.
#include "tests/contract/harness.h"

#include <linux/mman.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/resource.h>

enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

static sigjmp_buf escape;

static void on_fault(int signal)
{
    siglongjmp(escape, signal);
}

// The signal an access brings, or 0.
static int try_read(const volatile char *p)
{
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    int got = sigsetjmp(escape, 1);
    if (got == 0)
        (void)*p;
    return got;
}

static int try_write(volatile char *p)
{
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    int got = sigsetjmp(escape, 1);
    if (got == 0)
        *p = 1;
    return got;
}

static char *map(size_t length)
{
    char *p = mmap(nullptr, length, RW, ANON, -1, 0);
    REQUIRE(p != MAP_FAILED);
    return p;
}

static int file_of(size_t pages)
{
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd >= 0);
    for (size_t i = 0; i < pages; i++) {
        char block[PAGE];
        memset(block, (int)('a' + i), sizeof block);
        REQUIRE(write(fd, block, sizeof block) == sizeof block);
    }
    return fd;
}

CASE(mmap_anonymous_is_zero_and_writable)
{
    char *p = map(10 * PAGE);
    bool zero = true;
    for (int i = 0; i < 10 * PAGE; i++)
        zero &= p[i] == 0;
    EXPECT(zero);
    memset(p, 1, 10 * PAGE);
    EXPECT_EQ((uintptr_t)p % PAGE, 0);
    EXPECT_EQ(munmap(p, 10 * PAGE), 0);
    EXPECT_EQ(try_read(p), SIGSEGV);
}

CASE(mmap_checks_arguments)
{
    int fd = file_of(1);
    EXPECT_ERRNO(mmap(nullptr, 0, RW, ANON, -1, 0), EINVAL);
    EXPECT_ERRNO(mmap(nullptr, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL); // neither shared nor private
    EXPECT_ERRNO(syscall(SYS_mmap, 0L, (long)PAGE, (long)PROT_READ, (long)MAP_PRIVATE, (long)fd, 1L), EINVAL);
    EXPECT_ERRNO(syscall(SYS_mmap, 1L, (long)PAGE, (long)RW, (long)(ANON | MAP_FIXED), -1L, 0L), EINVAL);
    EXPECT_ERRNO(syscall(SYS_mmap, 0L, -4096L, (long)RW, (long)ANON, -1L, 0L), ENOMEM);
    EXPECT_ERRNO(syscall(SYS_mmap, 0x7ffffffff000L, (long)PAGE, (long)RW, (long)(ANON | MAP_FIXED), -1L, 0L), ENOMEM);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0), ENODEV);
    int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
    EXPECT_ERRNO(mmap(nullptr, PAGE, RW, MAP_SHARED, r, 0), EACCES);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_SHARED, w, 0), EACCES);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, w, 0), EACCES);
    EXPECT(mmap(nullptr, PAGE, RW, MAP_PRIVATE, r, 0) != MAP_FAILED);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, r, 0), EOPNOTSUPP);
}

CASE(mmap_fixed_replaces_and_noreplace_does_not)
{
    char *p = map(3 * PAGE);
    memset(p, 7, 3 * PAGE);
    EXPECT(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE);
    EXPECT_EQ(p[0], 7);
    EXPECT_EQ(p[PAGE], 0);
    EXPECT_EQ(p[2 * PAGE], 7);
    EXPECT_ERRNO(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    munmap(p, 3 * PAGE);
    EXPECT(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p);
}

CASE(mmap_hint_is_used_when_free)
{
    char *p = map(PAGE);
    munmap(p, PAGE);
    EXPECT(mmap(p, PAGE, RW, ANON, -1, 0) == p);
    char *q = mmap(p, PAGE, RW, ANON, -1, 0); // taken: somewhere else
    EXPECT(q != p && q != MAP_FAILED);
}

CASE(mmap_low_addresses_are_refused_to_users)
{
    IN_CHILD(child)
    {
        setuid(1000);
        EXPECT_ERRNO(mmap(nullptr, PAGE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(mmap_shared_file_and_read_write_are_one)
{
    int fd = file_of(2);
    char *p = mmap(nullptr, 2 * PAGE, RW, MAP_SHARED, fd, 0), c;
    EXPECT_EQ(p[PAGE], 'b');
    p[5] = 'X';
    EXPECT_EQ(pread(fd, &c, 1, 5), 1);
    EXPECT_EQ(c, 'X');
    EXPECT_EQ(pwrite(fd, "Y", 1, PAGE + 5), 1);
    EXPECT_EQ(p[PAGE + 5], 'Y');
    char *q = mmap(nullptr, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
    EXPECT_EQ(q[5], 'Y');
}

CASE(mmap_private_file_copies_on_write)
{
    int fd = file_of(1);
    char *p = mmap(nullptr, PAGE, RW, MAP_PRIVATE, fd, 0), c;
    EXPECT_EQ(pwrite(fd, "1", 1, 0), 1);
    EXPECT_EQ(p[0], '1'); // not copied yet
    p[1] = '2';
    EXPECT_EQ(pread(fd, &c, 1, 1), 1);
    EXPECT_EQ(c, 'a');
    EXPECT_EQ(pwrite(fd, "3", 1, 0), 1);
    EXPECT_EQ(p[0], '1'); // copied
}

CASE(mmap_keeps_the_file_after_close_and_unlink)
{
    int fd = file_of(1);
    char *p = mmap(nullptr, PAGE, RW, MAP_SHARED, fd, 0);
    close(fd);
    unlink("f");
    EXPECT_EQ(p[0], 'a');
    p[0] = 'z';
    EXPECT_EQ(p[0], 'z');
}

CASE(mmap_truncated_file_is_sigbus_and_comes_back_zero)
{
    int fd = file_of(2);
    char *p = mmap(nullptr, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    EXPECT_EQ(p[PAGE], 'b');
    EXPECT_EQ(ftruncate(fd, 100), 0);
    EXPECT_EQ(try_read(p + PAGE), SIGBUS);
    EXPECT_EQ(p[99], 'a');
    EXPECT_EQ(p[100], 0);
    EXPECT_EQ(ftruncate(fd, 2 * PAGE), 0);
    EXPECT_EQ(try_read(p + PAGE), 0);
    EXPECT_EQ(p[PAGE], 0);
}

CASE(mmap_private_copy_goes_with_truncation)
{
    int fd = file_of(2);
    char *p = mmap(nullptr, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
    p[PAGE] = 'm';
    EXPECT_EQ(ftruncate(fd, 0), 0);
    EXPECT_EQ(try_read(p + PAGE), SIGBUS); // even the private page
}

CASE(mmap_shared_is_shared_over_fork_and_private_is_not)
{
    char *s = mmap(nullptr, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *p = map(PAGE);
    IN_CHILD(child)
    {
        s[0] = 1;
        p[0] = 1;
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(s[0], 1);
    EXPECT_EQ(p[0], 0);
}

CASE(mmap_noexec_and_exec_pages)
{
    unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; // mov $42, %eax; ret
    char *p = map(PAGE);
    memcpy(p, code, sizeof code);
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(escape, 1) == 0) {
        ((int (*)(void))(void *)p)();
        EXPECT(false); // no-execute is kept
    }
    EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    EXPECT_EQ(((int (*)(void))(void *)p)(), 42);
}

CASE(mmap_address_space_limit)
{
    struct rlimit limit = {.rlim_cur = 64 << 20, .rlim_max = 64 << 20};
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    EXPECT_ERRNO(mmap(nullptr, 128 << 20, RW, ANON, -1, 0), ENOMEM);
    EXPECT(mmap(nullptr, 1 << 20, RW, ANON, -1, 0) != MAP_FAILED);
}

CASE(mmap_populate_fills_pages)
{
    char *p = mmap(nullptr, 8 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);
    unsigned char in_core[8] = {};
    EXPECT_EQ(mincore(p, 8 * PAGE, in_core), 0);
    for (int i = 0; i < 8; i++)
        EXPECT_EQ(in_core[i] & 1, 1);
}

CASE(mmap_grows_down_stack_area)
{
    char *p = mmap(nullptr, 64 * PAGE, PROT_NONE, ANON, -1, 0);
    munmap(p, 64 * PAGE);
    char *top = mmap(p + 63 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    REQUIRE(top != MAP_FAILED);
    EXPECT_EQ(try_write(top - PAGE), 0);
    EXPECT_EQ(try_write(top - 2 * PAGE), 0);
}

CASE(munmap_in_the_middle_splits)
{
    char *p = map(5 * PAGE);
    memset(p, 3, 5 * PAGE);
    EXPECT_EQ(munmap(p + 2 * PAGE, PAGE), 0);
    EXPECT_EQ(p[PAGE], 3);
    EXPECT_EQ(try_read(p + 2 * PAGE), SIGSEGV);
    EXPECT_EQ(p[3 * PAGE], 3);
    EXPECT_EQ(munmap(p, 5 * PAGE), 0); // a hole inside is no error
    EXPECT_EQ(munmap(p, PAGE), 0);
    EXPECT_ERRNO(munmap(p + 1, PAGE), EINVAL);
    EXPECT_ERRNO(munmap(p, 0), EINVAL);
    EXPECT_ERRNO(munmap((void *)0x8000000000000000, PAGE), EINVAL);
}

CASE(mprotect_changes_access)
{
    char *p = map(3 * PAGE);
    memset(p, 1, 3 * PAGE);
    EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
    EXPECT_EQ(try_write(p), 0);
    EXPECT_EQ(try_write(p + PAGE), SIGSEGV);
    EXPECT_EQ(try_read(p + PAGE), 0);
    EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
    EXPECT_EQ(try_read(p + PAGE), SIGSEGV);
    EXPECT_EQ(mprotect(p, 3 * PAGE, RW), 0);
    EXPECT_EQ(try_write(p + PAGE), 0);
    EXPECT_EQ(p[PAGE + 1], 1); // what was inside stayed
}

CASE(mprotect_errors)
{
    char *p = map(3 * PAGE);
    EXPECT_ERRNO(syscall(SYS_mprotect, p + 1, (long)PAGE, RW), EINVAL); // musl's function rounds
    EXPECT_ERRNO(mprotect(p, PAGE, 0x100), EINVAL);
    EXPECT_EQ(mprotect(p, 0, RW), 0);
    munmap(p + PAGE, PAGE);
    EXPECT_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
    EXPECT_EQ(try_write(p), SIGSEGV); // the part before the hole was changed
    file_of(1);
    char *r = mmap(nullptr, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
    EXPECT_ERRNO(mprotect(r, PAGE, RW), EACCES);
}

CASE(pkey_calls_check_their_arguments)
{
    char *area = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_ERRNO(syscall(SYS_pkey_alloc, 0, 4), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pkey_free, 16), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pkey_free, -1), EINVAL);
    EXPECT_EQ(syscall(SYS_pkey_mprotect, area, PAGE, PROT_READ | PROT_WRITE, -1), 0); // no key: as mprotect
    area[0] = 1;
    EXPECT_ERRNO(syscall(SYS_pkey_mprotect, area, PAGE, PROT_READ, 16), EINVAL);
}

CASE(mprotect_after_fork_keeps_copy_on_write)
{
    char *p = map(PAGE);
    p[0] = 1;
    IN_CHILD(child)
    {
        EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
        EXPECT_EQ(mprotect(p, PAGE, RW), 0);
        p[0] = 2;
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(p[0], 1);
}

CASE(mremap_grows_in_place_or_moves)
{
    char *p = map(8 * PAGE);
    memset(p, 5, 8 * PAGE);
    EXPECT(mremap(p, 8 * PAGE, 2 * PAGE, 0) == p); // shrinks
    EXPECT_EQ(try_read(p + 2 * PAGE), SIGSEGV);
    EXPECT(mremap(p, 2 * PAGE, 4 * PAGE, 0) == p); // the room is free
    EXPECT_EQ(p[3 * PAGE], 0);
    EXPECT_EQ(p[0], 5);
    REQUIRE(mmap(p + 4 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0) == p + 4 * PAGE);
    EXPECT_ERRNO(mremap(p, 4 * PAGE, 6 * PAGE, 0), ENOMEM);
    char *q = mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED);
    EXPECT(q != p);
    EXPECT_EQ(q[PAGE], 5);
    EXPECT_EQ(q[5 * PAGE], 0);
    EXPECT_EQ(try_read(p), SIGSEGV);
}

CASE(mremap_fixed_and_dontunmap)
{
    char *p = map(2 * PAGE), *to = map(2 * PAGE);
    memset(p, 6, 2 * PAGE);
    EXPECT(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    EXPECT_EQ(to[PAGE], 6);
    EXPECT_EQ(try_read(p), SIGSEGV);
    char *q = mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, nullptr); // the hint is always given: glibc hands on what is there
    REQUIRE(q != MAP_FAILED);
    EXPECT_EQ(q[0], 6);
    EXPECT_EQ(to[0], 0); // still mapped, empty
}

CASE(mremap_errors)
{
    char *p = map(2 * PAGE);
    EXPECT_ERRNO(mremap(p + 1, PAGE, PAGE, 0), EINVAL);
    EXPECT_ERRNO(mremap(p, PAGE, 0, 0), EINVAL);
    EXPECT_ERRNO(mremap(p, PAGE, PAGE, 0x80), EINVAL);
    EXPECT_ERRNO(mremap(p, 2 * PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
    EXPECT_ERRNO(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL); // overlap
    munmap(p + PAGE, PAGE);
    EXPECT_ERRNO(mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), EFAULT);
    EXPECT_ERRNO(mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

// mremap(2) itself: the C library hands on a new address only with MREMAP_FIXED, and refuses some lengths by itself.
static long remap(char *old, size_t old_length, size_t length, int flags, char *new)
{
    return syscall(SYS_mremap, old, old_length, length, flags, new);
}

CASE(mremap_of_more_than_there_is)
{
    char *p = map(2 * PAGE), *beyond = (char *)(1UL << 62);
    EXPECT_ERRNO(remap(p, PAGE, 1UL << 62, MREMAP_MAYMOVE, nullptr), ENOMEM);
    EXPECT_ERRNO(remap(p, 1UL << 62, 1UL << 63, MREMAP_MAYMOVE, nullptr), EFAULT);
    EXPECT_ERRNO(remap(p, 1UL << 62, PAGE, MREMAP_MAYMOVE, nullptr), EINVAL); // the rest is to be unmapped
    EXPECT_ERRNO(remap(beyond, PAGE, 2 * PAGE, MREMAP_MAYMOVE, nullptr), EFAULT);
    EXPECT_ERRNO(remap(beyond, PAGE, PAGE, 0, nullptr), EFAULT);
    EXPECT_ERRNO(remap(p, PAGE, 1UL << 62, MREMAP_MAYMOVE | MREMAP_FIXED, p + 8 * PAGE), EINVAL);
    EXPECT_ERRNO(remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, p + 1), EINVAL);
    EXPECT_ERRNO(remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, p + PAGE), EINVAL); // overlap
    p[0] = p[PAGE] = 1;                                                                             // nothing was taken away
}

CASE(mremap_old_size_zero_doubles_a_shared_mapping)
{
    char *p = mmap(nullptr, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED);
    p[3] = 9;
    EXPECT_EQ(q[3], 9);
    EXPECT_ERRNO(mremap(map(PAGE), 0, PAGE, MREMAP_MAYMOVE), EINVAL); // a private one
}

CASE(madvise_dontneed_drops_pages)
{
    char *p = map(3 * PAGE);
    memset(p, 8, 3 * PAGE);
    EXPECT_EQ(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
    EXPECT_EQ(p[0], 8);
    EXPECT_EQ(p[PAGE], 0);
    EXPECT_EQ(p[2 * PAGE], 8);
    int fd = file_of(1);
    char *f = mmap(nullptr, PAGE, RW, MAP_PRIVATE, fd, 0);
    f[0] = 'Q';
    EXPECT_EQ(madvise(f, PAGE, MADV_DONTNEED), 0);
    EXPECT_EQ(f[0], 'a'); // the file's page again
}

CASE(madvise_errors_and_hints)
{
    char *p = map(2 * PAGE);
    EXPECT_EQ(madvise(p, PAGE, MADV_NORMAL), 0);
    EXPECT_EQ(madvise(p, PAGE, MADV_SEQUENTIAL), 0);
    EXPECT_EQ(madvise(p, PAGE, MADV_WILLNEED), 0);
    EXPECT_EQ(madvise(p, PAGE, MADV_FREE), 0);
    EXPECT_EQ(madvise(p, 0, MADV_DONTNEED), 0);
    EXPECT_ERRNO(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
    EXPECT_ERRNO(madvise(p, PAGE, 777), EINVAL);
    munmap(p + PAGE, PAGE);
    EXPECT_ERRNO(madvise(p, 2 * PAGE, MADV_DONTNEED), ENOMEM);
}

CASE(madvise_fork_advice)
{
    char *gone = map(PAGE), *wiped = map(PAGE);
    memset(gone, 1, PAGE);
    memset(wiped, 1, PAGE);
    EXPECT_EQ(madvise(gone, PAGE, MADV_DONTFORK), 0);
    EXPECT_EQ(madvise(wiped, PAGE, MADV_WIPEONFORK), 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(wiped[0], 0);
        EXPECT_EQ(try_read(gone), SIGSEGV);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(wiped[0], 1);
    EXPECT_EQ(gone[0], 1);
}

CASE(madvise_remove_punches_a_hole_in_the_file)
{
    int fd = file_of(2);
    char *p = mmap(nullptr, 2 * PAGE, RW, MAP_SHARED, fd, 0), c = 1;
    EXPECT_EQ(madvise(p, PAGE, MADV_REMOVE), 0);
    EXPECT_EQ(p[0], 0);
    EXPECT_EQ(pread(fd, &c, 1, 10), 1);
    EXPECT_EQ(c, 0);
    EXPECT_EQ(p[PAGE], 'b');
}

CASE(madvise_populate)
{
    char *p = map(4 * PAGE);
    unsigned char in_core[4] = {};
    EXPECT_EQ(madvise(p, 4 * PAGE, 23), 0); // MADV_POPULATE_WRITE
    EXPECT_EQ(mincore(p, 4 * PAGE, in_core), 0);
    EXPECT_EQ(in_core[3] & 1, 1);
    EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
    EXPECT_ERRNO(madvise(p, PAGE, 23), EINVAL);
}

CASE(mincore_tells_untouched_pages)
{
    char *p = map(4 * PAGE);
    unsigned char in_core[4] = {9, 9, 9, 9};
    p[2 * PAGE] = 1;
    EXPECT_EQ(mincore(p, 4 * PAGE, in_core), 0);
    EXPECT_EQ(in_core[0] & 1, 0);
    EXPECT_EQ(in_core[2] & 1, 1);
    EXPECT_ERRNO(mincore(p + 1, PAGE, in_core), EINVAL);
    EXPECT_ERRNO(mincore(p, 4 * PAGE, (void *)8), EFAULT);
    munmap(p, 4 * PAGE);
    EXPECT_ERRNO(mincore(p, PAGE, in_core), ENOMEM);
}

CASE(msync_flags)
{
    int fd = file_of(1);
    char *p = mmap(nullptr, PAGE, RW, MAP_SHARED, fd, 0);
    p[0] = 'S';
    EXPECT_EQ(msync(p, PAGE, MS_SYNC), 0);
    EXPECT_EQ(msync(p, PAGE, MS_ASYNC | MS_INVALIDATE), 0);
    EXPECT_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    EXPECT_ERRNO(msync(p, PAGE, 0x80), EINVAL);
    EXPECT_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
    munmap(p, PAGE);
    EXPECT_ERRNO(msync(p, PAGE, MS_SYNC), ENOMEM);
}

CASE(msync_and_mincore_check_their_range)
{
    unsigned char present[2];
    char *area = mmap(nullptr, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_ERRNO(msync(area + 1, PAGE, MS_SYNC), EINVAL);
    EXPECT_ERRNO(msync(area, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    EXPECT_EQ(msync(area, 2 * PAGE, MS_ASYNC), 0);
    EXPECT_ERRNO(mincore(area + 1, PAGE, present), EINVAL);
    REQUIRE(munmap(area + PAGE, PAGE) == 0);
    EXPECT_ERRNO(msync(area, 2 * PAGE, MS_SYNC), ENOMEM);
    EXPECT_ERRNO(mincore(area, 2 * PAGE, present), ENOMEM);
    EXPECT_ERRNO(mincore(area, -1ul, present), ENOMEM);
}

CASE(mmap_32bit_fills_its_gigabyte)
{
    enum { MOST = 40 };
    const size_t size = 32 << 20;
    const uintptr_t first = 0x40000000, last = 0x80000000;
    char *got[MOST];
    unsigned n = 0;
    while (n < MOST && (got[n] = mmap(nullptr, size, PROT_NONE, ANON | MAP_32BIT, -1, 0)) != MAP_FAILED)
        n++;
    EXPECT_EQ(errno, ENOMEM);
    REQUIRE(n >= 24 && n <= 32);
    for (unsigned i = 0; i < n; i++)
        EXPECT((uintptr_t)got[i] >= first && (uintptr_t)got[i] + size <= last);
    // One hole that is big enough, between others that are not.
    char *hole = got[n / 2];
    EXPECT_EQ(munmap(got[n / 4] + size / 2, PAGE), 0);
    EXPECT_EQ(munmap(got[n - 2] + size / 2, size / 4), 0);
    EXPECT_EQ(munmap(hole, size), 0);
    EXPECT(mmap(nullptr, size, PROT_NONE, ANON | MAP_32BIT, -1, 0) == hole);
    EXPECT_ERRNO(mmap(nullptr, size, PROT_NONE, ANON | MAP_32BIT, -1, 0), ENOMEM);
}

CASE(mlock_limits_and_locked_pages)
{
    char *p = map(4 * PAGE);
    unsigned char in_core[4] = {};
    EXPECT_EQ(mlock(p, 4 * PAGE), 0);
    EXPECT_EQ(mincore(p, 4 * PAGE, in_core), 0);
    EXPECT_EQ(in_core[1] & 1, 1);
    EXPECT_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
    EXPECT_EQ(munlock(p, 4 * PAGE), 0);
    EXPECT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
    EXPECT_ERRNO(mlockall(0), EINVAL);
    EXPECT_EQ(mlockall(MCL_CURRENT), 0);
    EXPECT_EQ(munlockall(), 0);
    IN_CHILD(child)
    {
        struct rlimit limit = {.rlim_cur = 2 * PAGE, .rlim_max = 2 * PAGE};
        setrlimit(RLIMIT_MEMLOCK, &limit);
        setuid(1000);
        EXPECT_EQ(mlock(p, 2 * PAGE), 0);
        EXPECT_ERRNO(mlock(p, 4 * PAGE), ENOMEM);
    }
    EXPECT_EXITED(child, 0);
    munmap(p + PAGE, PAGE);
    EXPECT_ERRNO(mlock(p, 4 * PAGE), ENOMEM);
}

CASE(mlock_of_memory_that_may_not_be_touched)
{
    char *p = mmap(nullptr, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_ERRNO(mlock(p, PAGE), ENOMEM);
    EXPECT_EQ(munlock(p, PAGE), 0);
}

CASE(mlock_refuses_ranges_that_wrap)
{
    char *p = map(PAGE);
    EXPECT_ERRNO(mlock(p, -(size_t)p), EINVAL);
    EXPECT_ERRNO(mlock(p, -(size_t)PAGE), EINVAL);
    EXPECT_ERRNO(syscall(SYS_mlock2, p, -(size_t)PAGE, 0), EINVAL);
    EXPECT_ERRNO(munlock(p, -(size_t)PAGE), EINVAL);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_ERRNO(mlock(p, -(size_t)PAGE), ENOMEM); // beyond the limit comes first
        EXPECT_ERRNO(munlock(p, -(size_t)PAGE), EINVAL);
    }
    EXPECT_EXITED(child, 0);
}

CASE(mlock2_may_lock_pages_as_they_come)
{
    unsigned char present[2];
    char *area = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(syscall(SYS_mlock2, area, 2 * PAGE, 1), 0);
    EXPECT_EQ(mincore(area, 2 * PAGE, present), 0);
    EXPECT(!(present[0] & 1) && !(present[1] & 1));
    area[0] = 1;
    EXPECT_EQ(mincore(area, 2 * PAGE, present), 0);
    EXPECT((present[0] & 1) && !(present[1] & 1));
    EXPECT_ERRNO(madvise(area, PAGE, MADV_DONTNEED), EINVAL); // locked
    EXPECT_EQ(syscall(SYS_mlock2, area, 2 * PAGE, 0), 0);
    EXPECT_EQ(mincore(area, 2 * PAGE, present), 0);
    EXPECT((present[0] & 1) && (present[1] & 1));
    REQUIRE(munmap(area + PAGE, PAGE) == 0);
    EXPECT_ERRNO(syscall(SYS_mlock2, area, 2 * PAGE, 0), ENOMEM);
    EXPECT_EQ(munlock(area, PAGE), 0);
}

static long status_number(const char *label)
{
    const char *line = strstr(file_text("/proc/self/status"), label);
    long value = -1;
    REQUIRE(line && sscanf(line + strlen(label), "%ld", &value) == 1);
    return value;
}

CASE(mlockall_locks_what_is_and_what_comes)
{
    EXPECT_ERRNO(mlockall(0), EINVAL);
    EXPECT_ERRNO(mlockall(4), EINVAL); // MCL_ONFAULT alone
    EXPECT_ERRNO(mlockall(8), EINVAL);
    EXPECT_EQ(mlockall(MCL_CURRENT), 0);
    long locked = status_number("\nVmLck:");
    EXPECT(locked > 0);
    char *p = mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(status_number("\nVmLck:"), locked); // what comes later is not
    EXPECT_EQ(mlockall(MCL_FUTURE), 0);
    char *q = mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char present[16] = {};
    EXPECT_EQ(mincore(q, 16 * PAGE, present), 0);
    for (int i = 0; i < 16; i++)
        EXPECT_EQ(present[i] & 1, 1); // it is in memory untouched
    EXPECT_EQ(munlockall(), 0);
    EXPECT_EQ(status_number("\nVmLck:"), 0);
    EXPECT_EQ(munmap(p, 16 * PAGE), 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(mlockall(MCL_CURRENT), 0);
        IN_CHILD(grandchild)
        {
            EXPECT_EQ(status_number("\nVmLck:"), 0); // not inherited
        }
        EXPECT_EXITED(grandchild, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(brk_grows_shrinks_and_refuses)
{
    char *start = (char *)syscall(SYS_brk, 0);
    EXPECT_EQ(syscall(SYS_brk, start + 3 * PAGE), (long)(start + 3 * PAGE));
    start[2 * PAGE] = 4;
    EXPECT_EQ(start[2 * PAGE + 1], 0);
    EXPECT_EQ(syscall(SYS_brk, start + PAGE), (long)(start + PAGE));
    EXPECT_EQ(syscall(SYS_brk, start + 3 * PAGE), (long)(start + 3 * PAGE));
    EXPECT_EQ(start[2 * PAGE], 0); // fresh pages
    EXPECT_EQ(syscall(SYS_brk, 4096L), (long)(start + 3 * PAGE)); // refused: the old break
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    EXPECT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
    EXPECT_EQ(syscall(SYS_brk, start + (64 << 20)), (long)(start + 3 * PAGE));
}

CASE(brk_does_not_run_over_a_mapping)
{
    char *start = (char *)syscall(SYS_brk, 0);
    char *wall = (char *)(((uintptr_t)start + 16 * PAGE) & ~(uintptr_t)(PAGE - 1));
    REQUIRE(mmap(wall, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == wall);
    wall[0] = 1;
    EXPECT_EQ(syscall(SYS_brk, wall + 4 * PAGE), (long)start);
    EXPECT_EQ(wall[0], 1);
}

CASE(stack_grows_to_its_limit)
{
    IN_CHILD(child)
    {
        volatile char *p = __builtin_frame_address(0);
        for (int i = 0; i < 1000; i++)
            EXPECT_EQ(try_write(p - i * PAGE), 0); // about 4 MiB of 8
    }
    EXPECT_EXITED(child, 0);
}

static char *hammered;
static volatile bool stop;

static void *touch_all(void *)
{
    while (!stop) {
        for (int i = 0; i < 16; i++)
            ((volatile char *)hammered)[i * PAGE] += 1;
        sched_yield();
    }
    return nullptr;
}

CASE_WITHIN(120, memory_calls_while_other_threads_touch)
{
    hammered = map(16 * PAGE);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, touch_all, nullptr), 0);
    for (int i = 0; i < 30; i++) {
        EXPECT_EQ(madvise(hammered, 16 * PAGE, MADV_DONTNEED), 0);
        char *p = map(4 * PAGE);
        p[0] = 1;
        EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
        EXPECT_EQ(munmap(p, 4 * PAGE), 0);
        if (i % 10 == 0) {
            IN_CHILD(child)
            {
                hammered[0] = 1;
            }
            EXPECT_EXITED(child, 0);
        }
    }
    stop = true;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], nullptr);
}

CASE_WITHIN(120, memory_is_given_back)
{
    // A hundred times 16 MiB in a guest of 1 GiB: what is unmapped and what ended processes held is free again.
    for (int i = 0; i < 100; i++) {
        IN_CHILD(child)
        {
            char *p = map(16 << 20);
            for (size_t at = 0; at < 16 << 20; at += PAGE)
                p[at] = 1;
        }
        EXPECT_EXITED(child, 0);
    }
}

CASE(membarrier_commands)
{
    EXPECT(syscall(SYS_membarrier, 0, 0, 0) >= 0);
    EXPECT_ERRNO(syscall(SYS_membarrier, 8, 0, 0), EPERM); // private expedited without registration
    EXPECT_EQ(syscall(SYS_membarrier, 16, 0, 0), 0);
    EXPECT_EQ(syscall(SYS_membarrier, 8, 0, 0), 0);
    EXPECT_ERRNO(syscall(SYS_membarrier, 1 << 20, 0, 0), EINVAL);
}
