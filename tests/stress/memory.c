// tests/stress/memory.c — work on address spaces: anonymous, shared and file memory.
#include "churn.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static char *map(size_t pages, int flags)
{
    char *memory = mmap(nullptr, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    if (memory == MAP_FAILED)
        _exit(1);
    return memory;
}

// Cut, protected, moved and given back piece by piece.
static void anonymous(void)
{
    size_t pages = 64 + pick(448);
    char *memory = map(pages, MAP_PRIVATE);
    memset(memory, 0x5a, pages * PAGE);
    CHECK(mprotect(memory + pages / 4 * PAGE, pages / 4 * PAGE, PROT_READ) == 0);
    CHECK(madvise(memory + pages / 2 * PAGE, PAGE, MADV_DONTNEED) == 0 && memory[pages / 2 * PAGE] == 0);
    CHECK(munmap(memory + (pages - 16) * PAGE, 8 * PAGE) == 0);
    char *moved = mremap(memory, 8 * PAGE, 32 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved[7 * PAGE] == 0x5a && moved[31 * PAGE] == 0);
    CHECK(munmap(moved, 32 * PAGE) == 0 && munmap(memory + 8 * PAGE, (pages - 8) * PAGE) == 0);
}

static void copied_on_write(void)
{
    size_t pages = 16 + pick(240);
    char *memory = map(pages, MAP_PRIVATE);
    for (size_t i = 0; i < pages; i++)
        memory[i * PAGE] = 1;
    pid_t child = fork_or_die();
    if (child == 0) {
        int sum = 0;
        for (size_t i = 0; i < pages; i += 1 + pick(3)) {
            sum += memory[i * PAGE] != 1;
            memory[i * PAGE] = 2;
        }
        _exit(sum != 0);
    }
    for (size_t i = 0; i < pages / 2; i++)
        memory[i * PAGE] = 3;
    expect_status(child, EXITED(0));
    CHECK(memory[0] == 3 && memory[(pages - 1) * PAGE] == 1);
    munmap(memory, pages * PAGE);
}

static void shared_anonymous(void)
{
    size_t pages = 1 + pick(64);
    char *memory = map(pages, MAP_SHARED);
    pid_t child = fork_or_die();
    if (child == 0) {
        for (size_t i = 0; i < pages; i++)
            memory[i * PAGE] = (char)i;
        _exit(0);
    }
    expect_status(child, EXITED(0));
    for (size_t i = 0; i < pages; i++)
        CHECK(memory[i * PAGE] == (char)i);
    munmap(memory, pages * PAGE);
}

// A file's pages by two kinds of mapping and by read, while it shrinks and grows.
static void file_pages(void)
{
    size_t pages = 4 + pick(60);
    int fd = memfd_create("churn", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)(pages * PAGE)) == 0);
    char *both = mmap(nullptr, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(nullptr, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(both != MAP_FAILED && own != MAP_FAILED);
    for (size_t i = 0; i < pages; i++)
        both[i * PAGE] = 'f';
    for (size_t i = 0; i < pages; i += 2)
        own[i * PAGE] = 'p';
    char byte = 0;
    CHECK(pread(fd, &byte, 1, (off_t)((pages - 1) * PAGE)) == 1 && byte == 'f');
    CHECK(own[0] == 'p' && own[PAGE] == 'f');
    CHECK(msync(both, pages * PAGE, MS_SYNC) == 0);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE) == 0 && both[PAGE] == 0);
    CHECK(ftruncate(fd, 2 * PAGE) == 0);
    pid_t child = fork_or_die();
    if (child == 0) {
        signal(SIGBUS, SIG_DFL);
        both[3 * PAGE] = 1;
        _exit(1);
    }
    expect_status(child, KILLED_BY(SIGBUS));
    munmap(both, pages * PAGE);
    close(fd);
    CHECK(own[0] == 'p');
    munmap(own, pages * PAGE);
}

// Many small mappings that can and that cannot be joined, and locked ones.
static void many_mappings(void)
{
    char *memory = map(64, MAP_PRIVATE);
    for (size_t i = 0; i < 64; i += 2)
        CHECK(mprotect(memory + i * PAGE, PAGE, PROT_READ) == 0);
    for (size_t i = 0; i < 64; i += 2)
        CHECK(mprotect(memory + i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(mlock(memory, 8 * PAGE) == 0);
    for (size_t i = 0; i < 64; i += 2)
        CHECK(munmap(memory + i * PAGE, PAGE) == 0);
    munmap(memory, 64 * PAGE);
    // The libc's own break does not move; the system call's does.
    char *old = (char *)syscall(SYS_brk, 0);
    CHECK((char *)syscall(SYS_brk, old + 32 * PAGE) == old + 32 * PAGE);
    memset(old, 1, 32 * PAGE);
    CHECK((char *)syscall(SYS_brk, old) == old);
}

const struct action memory_actions[] = {
    {"anonymous", anonymous},
    {"copied_on_write", copied_on_write},
    {"shared_anonymous", shared_anonymous},
    {"file_pages", file_pages},
    {"many_mappings", many_mappings},
    {},
};
