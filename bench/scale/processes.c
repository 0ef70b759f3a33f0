// bench/scale/processes.c — fork and exec with many processes alive.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/scale/scale.h"

static int *sleepers;

static void grow_processes(uint32_t size)
{
    sleepers = calloc(size, sizeof *sleepers);
    MUST(sleepers != nullptr);
    for (uint32_t i = 0; i < size; i++) {
        sleepers[i] = must_fork();
        if (sleepers[i] == 0) {
            for (;;)
                pause();
        }
    }
}

static void shrink_processes(uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        kill(sleepers[i], SIGKILL);
    for (uint32_t i = 0; i < size; i++)
        MUST(waitpid(sleepers[i], nullptr, 0) == sleepers[i]);
}

static void fork_body(uint64_t n)
{
    LOOP(n) {
        int child = must_fork();
        if (child == 0)
            _exit(0);
        must_reap(child);
    }
}

static void exec_body(uint64_t n)
{
    LOOP(n) {
        int child = must_fork();
        if (child == 0) {
            execl("/bench/true", "true", nullptr);
            _exit(127);
        }
        must_reap(child);
    }
}

static const struct curve process_list[] = {
    {"fork", "processes", grow_processes, fork_body, shrink_processes, 50, SIZES(10, 100, 1000, 10000)},
    {"exec", "processes", grow_processes, exec_body, shrink_processes, 30, SIZES(10, 100, 1000, 10000)},
};

CURVES(process);
