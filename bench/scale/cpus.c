// bench/scale/cpus.c — the same work on every CPU at once.
//
// Where instructions are counted, the time is the sum over all CPUs: what a CPU spends waiting for another one's lock
// shows, and the profiler (//bench:locks) tells how much of it that is.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/micro/clock.h"
#include "bench/micro/console.h"
#include "bench/scale/scale.h"

static void file_work(uint64_t n)
{
    char name[32];
    snprintf(name, sizeof name, BENCH_DIR "/w%d", getpid());
    LOOP(n) {
        int fd = open(name, O_RDWR | O_CREAT, 0644);
        MUST(fd >= 0);
        MUST(write(fd, name, sizeof name) == sizeof name);
        MUST(close(fd) == 0);
        MUST(unlink(name) == 0);
    }
}

static void memory_work(uint64_t n)
{
    LOOP(n) {
        char *at = mmap(nullptr, 16 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(at != MAP_FAILED);
        for (int page = 0; page < 16; page++)
            ((volatile char *)at)[page << 12] = 1;
        MUST(munmap(at, 16 << 12) == 0);
    }
}

static void fork_work(uint64_t n)
{
    LOOP(n) {
        int child = must_fork();
        if (child == 0)
            _exit(0);
        must_reap(child);
    }
}

static void socket_work(uint64_t n)
{
    int pair[2];
    char byte = 'k';
    LOOP(n) {
        MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        MUST(write(pair[0], &byte, 1) == 1 && read(pair[1], &byte, 1) == 1);
        MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
    }
}

static const struct {
    const char *name;
    void (*body)(uint64_t n);
    uint64_t n;
} works[] = {
    {"cpu_files", file_work, 200},
    {"cpu_memory", memory_work, 100},
    {"cpu_fork", fork_work, 30},
    {"cpu_sockets", socket_work, 200},
};

// A worker for each CPU, bound to it. All wait for the gun: a pipe that is closed.
void run_cpu_work(uint32_t cpus)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (!scale_wants(works[i].name))
            continue;
        int gun[2];
        MUST(pipe(gun) == 0);
        int *workers = calloc(cpus, sizeof *workers);
        MUST(workers != nullptr);
        for (uint32_t cpu = 0; cpu < cpus; cpu++) {
            workers[cpu] = must_fork();
            if (workers[cpu] != 0)
                continue;
            cpu_set_t own;
            CPU_ZERO(&own);
            CPU_SET(cpu, &own);
            MUST(sched_setaffinity(0, sizeof own, &own) == 0);
            char byte;
            close(gun[1]);
            MUST(read(gun[0], &byte, 1) == 0);
            works[i].body(works[i].n);
            _exit(0);
        }
        bench_pass_begins();
        uint64_t from = now_ns();
        close(gun[1]);
        for (uint32_t cpu = 0; cpu < cpus; cpu++)
            must_reap(workers[cpu]);
        bench_pass_ends();
        uint64_t ns = now_ns() - from, done = works[i].n * cpus;
        close(gun[0]);
        free(workers);
        say("SCALE %s %u %llu %llu %.1f\n", works[i].name, cpus, (unsigned long long)done, (unsigned long long)ns,
            (double)ns / (double)done);
    }
}
