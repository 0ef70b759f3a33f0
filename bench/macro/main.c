// bench/macro/main.c — process 1 of the macro benchmarks: runs each piece of work and writes its lines.
//
// A piece of work is a pair of shell functions in works.sh, NAME_prepare and NAME_run; both run in a folder of their own on tmpfs, by Debian's
// bash, and only the second is timed. The kernel's command line says what to do, by words that reach init's environment:
//   bench_only=NAME,NAME      only these
// Lines: as those of bench/micro/main.c, with one iteration each: BENCH_INIT, BENCH_START wall COUNT, BENCH, BENCH_TSC, BENCH_SKIP, BENCH_END.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/micro/clock.h"
#include "bench/micro/console.h"

static const char WORKS[] = "/guest/works.sh";
static const char NAMES[] = "/guest/works.list"; // one name a line, in the order they run

// Runs one function of works.sh. Process 1 also reaps what the work leaves behind. Returns whether it exited with 0.
static bool run_phase(const char *name, const char *phase)
{
    int child = fork();
    if (child == 0) {
        execl("/usr/bin/bash", "bash", WORKS, name, phase, nullptr);
        _exit(127);
    }
    if (child < 0)
        return false;
    int status = -1;
    for (int ended; (ended = wait(&status)) != child;) {
        if (ended < 0 && errno != EINTR)
            return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void run_work(const char *name)
{
    if (!run_phase(name, "prepare")) {
        say("BENCH_SKIP %s its preparation failed\n", name);
        return;
    }
    uint64_t tsc = now_tsc(), ns = now_ns();
    bool done = run_phase(name, "run");
    ns = now_ns() - ns;
    tsc = now_tsc() - tsc;
    run_phase(name, "remove");
    if (done)
        say("BENCH %s 1 %llu %llu.0\nBENCH_TSC %s %llu\n", name, (unsigned long long)ns, (unsigned long long)ns, name, (unsigned long long)tsc);
    else
        say("BENCH_SKIP %s it failed\n", name);
}

static void run_all(const char *only)
{
    char names[64][32];
    unsigned count = 0;
    FILE *list = fopen(NAMES, "re");
    while (list && count < 64 && fscanf(list, "%31s", names[count]) == 1)
        count += listed(only, names[count]);
    if (list)
        fclose(list);
    struct utsname kernel;
    uname(&kernel);
    say("BENCH_START wall %u\nBENCH_KERNEL %s %s %s\n", count, kernel.sysname, kernel.release, kernel.version);
    for (unsigned i = 0; i < count; i++)
        run_work(names[i]);
    say("BENCH_END\n");
}

int main(void)
{
    static const struct {
        const char *type, *path, *options;
    } mounts[] = {
        {"proc", "/proc", nullptr},
        {"sysfs", "/sys", nullptr},
        {"devtmpfs", "/dev", "mode=0755"},
        {"tmpfs", "/tmp", "mode=1777"},
    };
    uint64_t started = now_tsc();
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        if (mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, mounts[i].options) != 0)
            say("BENCH_SKIP all mount %s: %s\n", mounts[i].path, strerror(errno));
    }
    say("BENCH_INIT %llu\n", (unsigned long long)started);
    setenv("PATH", "/usr/sbin:/usr/bin", 1);
    setenv("HOME", "/root", 1);
    setenv("LC_ALL", "C", 1);
    run_all(word("bench_only", ""));
    reboot(RB_POWER_OFF);
    return 1; // process 1 ending is a panic, which no run survives
}
