// bench/micro/bench.h — what a benchmark is, and what its loops are written with.
//
// A benchmark is run in passes, each in this order: setup, the clock, body, the clock, teardown. The first pass of a
// run is a warm-up and is not counted. Every benchmark has a process of its own, so that none inherits the memory or
// the descriptors of another.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct bench {
    const char *name;
    void (*setup)(void);      // before each pass, outside the clock; may be null
    void (*body)(uint64_t n); // n iterations
    void (*teardown)(void);   // after each pass, outside the clock; may be null
    uint32_t n;               // iterations of a pass
    uint32_t icount_passes;   // passes where guest instructions are counted: any number gives the same answer
    uint32_t wall_passes;     // passes where time is measured: enough of them to rise above noise
};

// A family: one source file's benchmarks, in the order they run.
struct family {
    const char *name;
    const struct bench *benches;
    size_t count;
};

extern const struct family syscalls_family, files_family, memory_family, processes_family, ipc_family, threads_family,
    programs_family;

// The family of the array `title`_benches.
#define FAMILY(title)                                                                                                  \
    const struct family title##_family = {#title, title##_benches, sizeof title##_benches / sizeof title##_benches[0]}

// Ends the benchmark: it is reported as skipped, with the condition that did not hold and errno's text. Never returns.
[[noreturn]] void bench_fail(const char *condition);

// A benchmark counts only if its calls did what they should: every result is looked at, in the timed loops too.
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (__builtin_expect(!(condition), 0))                                                                         \
            bench_fail(#condition);                                                                                    \
    } while (0)

// The folder on tmpfs that is the current folder of every benchmark; empty at the beginning of each.
#define BENCH_DIR "/tmp/b"

// A system call without libc around it (libc may answer brk(), gettid() or getpid() by itself). Returns the kernel's
// word: -errno on error.
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long raw3(long nr, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static inline long raw4(long nr, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

static inline long raw0(long nr)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr) : "rcx", "r11", "memory");
    return result;
}

#define LOOP(n) for (uint64_t iteration = 0; iteration < (n); iteration++)

// Things several families need (support.c).

// Writes `size` bytes of `data` to a new file. Fails the benchmark on any error.
void make_file(const char *path, const void *data, size_t size);

// Removes everything in a folder, not the folder.
void empty_folder(const char *path);

// fork(), with a failure ending the benchmark. Buffered output must be empty.
int must_fork(void);

// Waits for a child, which must have exited with 0.
void must_reap(int child);

// The profiler looks for these two by name: what runs between them, in any process, is counted.
[[gnu::noinline]] void bench_pass_begins(void);
[[gnu::noinline]] void bench_pass_ends(void);
