// bench/scale/scale.h — a curve: one operation's cost as its world grows.
//
// Every point of a curve has a process of its own: grow() makes a world of `size`, once; body() does the operation.
// What grow() made ends with the process, or is taken away by shrink() if it outlives it (other processes, files).
#pragma once
#include <stdint.h>

#include "bench/micro/bench.h"

struct curve {
    const char *name;
    const char *what; // what `size` counts
    void (*grow)(uint32_t size);
    void (*body)(uint64_t n);
    void (*shrink)(uint32_t size); // may be null
    uint32_t n;                    // iterations
    const uint32_t *sizes;         // ends with 0
};

struct curve_family {
    const struct curve *curves;
    uint32_t count;
};

extern const struct curve_family process_curves, file_curves, memory_curves, descriptor_curves, thread_curves;

// The family of the array `title`_list.
#define CURVES(title)                                                                                                  \
    const struct curve_family title##_curves = {title##_list, sizeof title##_list / sizeof title##_list[0]}

#define SIZES(...)                                                                                                     \
    (const uint32_t[])                                                                                                 \
    {                                                                                                                  \
        __VA_ARGS__, 0                                                                                                 \
    }

// Raises the limit of open files to `files` and a few more.
void allow_files(uint32_t files);

// Whether the command line asks for this curve or kind of work: scale_only=NAME,NAME, or all of them.
bool scale_wants(const char *name);

// Work on all CPUs at once (cpus.c): one line for each kind of work.
void run_cpu_work(uint32_t cpus);

// What one process, thread, file … costs in memory (memory_use.c): one line each.
void run_memory_use(void);
