// bench/micro/processes.c — fork, exec and exit.
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/micro/bench.h"

static void fork_exit_body(uint64_t n)
{
    LOOP(n) {
        long child = raw0(SYS_fork);
        if (child == 0)
            raw3(SYS_exit_group, 0, 0, 0);
        MUST(child > 0);
        int status;
        MUST(raw4(SYS_wait4, child, (long)&status, 0, 0) == child && status == 0);
    }
}

// --- The same from a process with 64 MiB of touched memory. ---

enum { TOUCHED = 64 << 20 };

static char *touched;

static void touch_64mib(void)
{
    touched = mmap(nullptr, TOUCHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(touched != MAP_FAILED);
    memset(touched, 1, TOUCHED);
}

static void drop_64mib(void)
{
    MUST(munmap(touched, TOUCHED) == 0);
}

// --- Starting programs. ---

static void run(const char *program)
{
    int child = must_fork();
    if (child == 0) {
        execl(program, program, nullptr);
        _exit(127);
    }
    must_reap(child);
}

static void exec_true_body(uint64_t n)
{
    LOOP(n) run("/bench/true");
}

static void exec_dynamic_body(uint64_t n)
{
    LOOP(n) run("/bench/true_dynamic");
}

static const struct bench processes_benches[] = {
    {"fork_exit", nullptr, fork_exit_body, nullptr, 100, 2, 20},
    {"fork_64mib", touch_64mib, fork_exit_body, drop_64mib, 20, 2, 5},
    {"exec_true", nullptr, exec_true_body, nullptr, 50, 2, 10},
    {"exec_dynamic", nullptr, exec_dynamic_body, nullptr, 20, 2, 20},
};

FAMILY(processes);
