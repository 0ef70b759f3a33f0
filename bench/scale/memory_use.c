// bench/scale/memory_use.c — what one of each thing costs in memory: free memory before and after making many.
//
// Of each kind as many are made before the measured ones: they pay for what all share, and for what the kernel keeps
// in stock.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/micro/console.h"
#include "bench/scale/scale.h"

enum { PAGE = 4096, STACK_BYTES = 64 << 10, SPARSE = 2 << 20, LEVEL_SECONDS = 3, LEVEL_BYTES = 128 << 10, LEVEL_TRIES = 20 };

// The sum of a file's figures that stand behind `format`.
static long sum_of(const char *path, const char *format)
{
    FILE *file = fopen(path, "re");
    MUST(file != nullptr);
    char line[256];
    long sum = 0, value;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, format, &value) == 1)
            sum += value;
    }
    fclose(file);
    return sum;
}

// Free memory, with the free pages that each CPU has at hand where those are not counted (Linux: 8 MiB and more).
static long free_now(void)
{
    long kib = sum_of("/proc/meminfo", "MemFree: %ld");
    MUST(kib > 0);
    return kib * 1024 + sum_of("/proc/zoneinfo", " count: %ld") * PAGE;
}

// Free memory once what is freed late has been freed: two looks agree.
static long free_bytes(void)
{
    long now = free_now(), before = 0;
    for (int try = 0; try < LEVEL_TRIES && labs(now - before) > LEVEL_BYTES; try++) {
        before = now;
        nanosleep(&(struct timespec){.tv_sec = LEVEL_SECONDS}, nullptr);
        now = free_now();
    }
    return now;
}

static void make_process(uint32_t i)
{
    (void)i;
    if (must_fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
}

static void *sleep_for_ever(void *argument)
{
    for (;;)
        pause();
    return argument;
}

static void make_thread(uint32_t i)
{
    (void)i;
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    MUST(pthread_attr_setstacksize(&small, STACK_BYTES) == 0);
    MUST(pthread_create(&thread, &small, sleep_for_ever, nullptr) == 0);
}

static void open_one(uint32_t i)
{
    (void)i;
    MUST(open("/dev/null", O_RDONLY) >= 0);
}

static void make_pipe(uint32_t i)
{
    int ends[2];
    (void)i;
    MUST(pipe(ends) == 0);
}

static void make_small_file(uint32_t i)
{
    static const char text[100];
    char name[32];
    snprintf(name, sizeof name, "s%u", i);
    make_file(name, text, sizeof text);
}

// --- Page tables: what touched pages cost beyond themselves, side by side and 2 MiB apart. ---

static char *area;
static size_t step;

static void touch_page(uint32_t i)
{
    ((volatile char *)area)[i * step] = 1;
}

static void map_area(uint32_t count, size_t apart)
{
    step = apart;
    area = mmap(nullptr, count * apart, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    MUST(area != MAP_FAILED);
    madvise(area, count * apart,
            MADV_NOHUGEPAGE); // refused where there are no huge pages: then there is nothing to turn off
}

static const struct {
    const char *name;
    void (*make)(uint32_t i);
    uint32_t count;
    size_t apart; // for page tables
} kinds[] = {
    // The big ones last: what they leave in the kernel's caches would hide what the small ones take.
    {"open_file", open_one, 20000, 0},
    {"pipe", make_pipe, 4000, 0},
    {"small_file", make_small_file, 10000, 0},
    {"page_table_dense", touch_page, 32768, PAGE},
    {"page_table_sparse", touch_page, 2000, SPARSE},
    {"idle_process", make_process, 1000, 0},
    {"thread", make_thread, 1000, 0},
};

void run_memory_use(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int child = must_fork();
        if (child == 0) {
            uint32_t count = kinds[i].count;
            allow_files(4 * count); // a pipe takes two
            if (kinds[i].apart)
                map_area(2 * count, kinds[i].apart);
            uint32_t number = 0;
            while (number < count)
                kinds[i].make(number++);
            long before = free_bytes();
            while (number < 2 * count)
                kinds[i].make(number++);
            long used = before - free_bytes() - (kinds[i].apart ? (long)count * PAGE : 0);
            say("MEMORY %s %u %ld %.1f\n", kinds[i].name, count, used, (double)used / count);
            empty_folder(BENCH_DIR);
            _exit(0);
        }
        must_reap(child);
    }
}
