// bench/micro/main.c — runs the benchmarks and writes their lines.
//
//   bench [NAME...]     all, or those named
//
// As process 1 it is the system's init: it mounts what the benchmarks need, runs them in a child and powers off; the
// kernel's command line then says what to do, by words that reach init's environment:
//   bench_clock=icount|wall   how many passes (icount: virtual time is the number of guest instructions)
//   bench_only=NAME,NAME      only these
//   bench_settle=SECONDS      how long the machine is left alone first; 6 unless said
//   bench_kallsyms=1          nothing is measured: /proc/kallsyms is written to QEMU's debug console
//
// Lines: BENCH_INIT <TSC at process 1's first instructions>, BENCH_START <clock> <number of benchmarks>, then for each
//   BENCH <name> <iterations> <total_ns> <per_iteration_ns> and BENCH_TSC <name> <ticks>, or BENCH_SKIP <name> <why>
// and BENCH_END. A loop costs three instructions an iteration, and looking at the clock twice a pass about 160;
// neither is subtracted.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/micro/bench.h"
#include "bench/micro/clock.h"
#include "bench/micro/console.h"

static const struct family *const families[] = {
    &syscalls_family, &files_family, &memory_family, &processes_family, &ipc_family, &threads_family, &programs_family,
};

static const char *current = "none"; // the benchmark of this process

void bench_fail(const char *condition)
{
    say("BENCH_SKIP %s %s: %s\n", current, condition, strerror(errno));
    _exit(1);
}

struct result {
    uint64_t iterations, ns, ticks;
};

static void run_pass(const struct bench *bench, struct result *result, bool counted)
{
    if (bench->setup)
        bench->setup();
    if (counted)
        bench_pass_begins();
    uint64_t tsc = now_tsc(), ns = now_ns();
    bench->body(bench->n);
    result->ns += now_ns() - ns;
    result->ticks += now_tsc() - tsc;
    result->iterations += bench->n;
    if (counted)
        bench_pass_ends();
    if (bench->teardown)
        bench->teardown();
}

static void run_bench(const struct bench *bench, bool icount)
{
    current = bench->name;
    MUST(chdir(BENCH_DIR) == 0);
    struct result warm = {}, result = {};
    run_pass(bench, &warm, false);
    for (uint32_t passes = icount ? bench->icount_passes : bench->wall_passes; passes > 0; passes--)
        run_pass(bench, &result, true);
    empty_folder(BENCH_DIR);
    say("BENCH %s %llu %llu %.1f\nBENCH_TSC %s %llu\n", bench->name, (unsigned long long)result.iterations,
        (unsigned long long)result.ns, (double)result.ns / (double)result.iterations, bench->name,
        (unsigned long long)result.ticks);
}

// Runs a benchmark in a process of its own. One that is killed is reported and the rest goes on.
static void run_apart(const struct bench *bench, bool icount)
{
    int child = fork();
    if (child == 0) {
        run_bench(bench, icount);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        say("BENCH_SKIP %s no process: %s\n", bench->name, strerror(errno));
    else if (WIFSIGNALED(status))
        say("BENCH_SKIP %s killed by signal %d\n", bench->name, WTERMSIG(status));
}

static void run_all(const char *only)
{
    bool icount = strcmp(word("bench_clock", "wall"), "icount") == 0;
    unsigned count = 0;
    for (size_t family = 0; family < sizeof families / sizeof families[0]; family++) {
        for (size_t i = 0; i < families[family]->count; i++)
            count += listed(only, families[family]->benches[i].name);
    }
    nanosleep(&(struct timespec){.tv_sec = atoi(word("bench_settle", "6"))}, nullptr);
    struct utsname name;
    uname(&name);
    say("BENCH_START %s %u\nBENCH_KERNEL %s %s %s\n", icount ? "icount" : "wall", count, name.sysname, name.release,
        name.version);
    if (mkdir(BENCH_DIR, 0755) != 0 && errno != EEXIST)
        say("BENCH_SKIP all " BENCH_DIR ": %s\n", strerror(errno));
    for (size_t family = 0; family < sizeof families / sizeof families[0]; family++) {
        for (size_t i = 0; i < families[family]->count; i++) {
            const struct bench *bench = &families[family]->benches[i];
            if (listed(only, bench->name))
                run_apart(bench, icount);
        }
    }
    rmdir(BENCH_DIR);
    say("BENCH_END\n");
}

// --- The kernel's symbols, for a profiler. The serial port would take minutes for them; QEMU's debug console takes a
// byte for an instruction. ---

enum { DEBUG_CONSOLE = 0xE9 };

static void write_kallsyms(void)
{
    FILE *symbols = fopen("/proc/kallsyms", "re");
    if (!symbols || ioperm(DEBUG_CONSOLE, 1, 1) != 0) {
        say("BENCH_SKIP all /proc/kallsyms or port 0x%X: %s\n", (unsigned)DEBUG_CONSOLE, strerror(errno));
        return;
    }
    char line[512];
    while (fgets(line, sizeof line, symbols)) {
        unsigned long address;
        char type;
        if (sscanf(line, "%lx %c", &address, &type) != 2 || !strchr("tTwW", type) || strchr(line, '['))
            continue; // data, and modules
        for (const char *at = line; *at; at++)
            outb((unsigned char)*at, DEBUG_CONSOLE);
    }
    say("BENCH_END\n");
}

// --- As init. ---

static int init_main(uint64_t started)
{
    mount_all("BENCH_SKIP");
    say("BENCH_INIT %llu\n", (unsigned long long)started);
    int child = fork();
    if (child == 0) {
        setenv("PATH", "/bin:/sbin", 1);
        if (*word("bench_kallsyms", ""))
            write_kallsyms();
        else
            run_all(word("bench_only", ""));
        _exit(0);
    }
    for (int ended; (ended = wait(nullptr)) != child && (ended >= 0 || errno == EINTR);)
        ;
    reboot(RB_POWER_OFF);
    return 1; // process 1 ending is a panic, which no run survives
}

int main(int argc, char **argv)
{
    uint64_t started = now_tsc();
    if (getpid() == 1)
        return init_main(started);
    static char only[4096];
    for (int i = 1; i < argc; i++) {
        strncat(only, ",", sizeof only - strlen(only) - 1);
        strncat(only, argv[i], sizeof only - strlen(only) - 1);
    }
    run_all(argc > 1 ? only + 1 : "");
    return 0;
}
