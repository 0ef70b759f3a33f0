// bench/scale/main.c — the scaling benchmarks' init: curves, work on all CPUs, memory; then it powers off.
//
// Words of the kernel's command line:
//   scale_what=curves|cpus|memory   one of the three; curves unless said
//   scale_only=NAME,NAME            only these curves, or kinds of work
//   scale_cpus=N                    for cpus
// Lines: SCALE_START <what>, then SCALE <curve> <size> <iterations> <total_ns> <per_iteration_ns> or MEMORY <kind>
// <count> <bytes> <bytes_each>, SCALE_SKIP <name> <size> <why>, and SCALE_END.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/micro/clock.h"
#include "bench/micro/console.h"
#include "bench/scale/scale.h"

static const struct curve_family *const families[] = {&process_curves, &file_curves, &memory_curves, &descriptor_curves,
                                                      &thread_curves};

enum { SETTLE_SECONDS = 6 };

static const char *current = "all";
static uint32_t current_size;

void bench_fail(const char *condition)
{
    say("SCALE_SKIP %s %u %s: %s\n", current, current_size, condition, strerror(errno));
    _exit(1);
}

static void run_point(const struct curve *curve, uint32_t size)
{
    current = curve->name;
    current_size = size;
    int child = fork();
    if (child == 0) {
        MUST(chdir(BENCH_DIR) == 0);
        curve->grow(size);
        uint64_t n = curve->n;
        curve->body(n); // warm
        uint64_t from = now_ns();
        curve->body(n);
        uint64_t ns = now_ns() - from;
        if (curve->shrink)
            curve->shrink(size);
        say("SCALE %s %u %llu %llu %.1f\n", curve->name, size, (unsigned long long)n, (unsigned long long)ns,
            (double)ns / (double)n);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        say("SCALE_SKIP %s %u no process: %s\n", curve->name, size, strerror(errno));
    else if (WIFSIGNALED(status))
        say("SCALE_SKIP %s %u killed by signal %d\n", curve->name, size, WTERMSIG(status));
}

bool scale_wants(const char *name)
{
    const char *list = word("scale_only", "");
    char wrapped[512], wanted[64];
    snprintf(wrapped, sizeof wrapped, ",%s,", list);
    snprintf(wanted, sizeof wanted, ",%s,", name);
    return *list == '\0' || strstr(wrapped, wanted);
}

static void run_curves(void)
{
    for (size_t family = 0; family < sizeof families / sizeof families[0]; family++) {
        for (uint32_t i = 0; i < families[family]->count; i++) {
            const struct curve *curve = &families[family]->curves[i];
            for (const uint32_t *size = curve->sizes; scale_wants(curve->name) && *size; size++)
                run_point(curve, *size);
        }
    }
}

static void run(void)
{
    const char *what = word("scale_what", "curves");
    nanosleep(&(struct timespec){.tv_sec = SETTLE_SECONDS}, nullptr);
    say("SCALE_START %s\n", what);
    MUST(mkdir(BENCH_DIR, 0755) == 0 && chdir(BENCH_DIR) == 0);
    if (strcmp(what, "cpus") == 0)
        run_cpu_work((uint32_t)atoi(word("scale_cpus", "1")));
    else if (strcmp(what, "memory") == 0)
        run_memory_use();
    else
        run_curves();
    say("SCALE_END\n");
}

int main(void)
{
    mount_all("SCALE_SKIP");
    int child = fork();
    if (child == 0) {
        run();
        _exit(0);
    }
    for (int ended; (ended = wait(nullptr)) != child && (ended >= 0 || errno == EINTR);)
        ;
    reboot(RB_POWER_OFF);
    return 1; // process 1 ending is a panic, which no run survives
}
