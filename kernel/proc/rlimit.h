// kernel/proc/rlimit.h — resource limits: getrlimit(2).
#pragma once

#include "kernel/base/types.h"

enum {
    RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS,
    RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIM_NLIMITS,
};
#define RLIM_INFINITY (~0UL)
#define STACK_LIMIT_DEFAULT (8UL << 20) // bytes: init's, and the most that a program which gains privileges inherits

struct rlimit_k {
    uint64_t cur, max;
};

// The current process's soft limit. Any context with a current task; infinity in kernel threads.
uint64_t rlimit(unsigned resource);
struct rlimit_k rlimits(unsigned resource); // with the hard limit; as above
