// kernel/abi/resource.h — getrusage(2), times(2), sysinfo(2), uname(2) structures, and prctl(2) numbers.
#pragma once

#include "kernel/base/types.h"

struct abi_timeval {
    int64_t tv_sec, tv_usec;
};

static inline void set_timeval(struct abi_timeval *tv, uint64_t ns)
{
    tv->tv_sec = (int64_t)(ns / NSEC_PER_SEC);
    tv->tv_usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

struct abi_rusage {
    struct abi_timeval utime, stime;
    int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
static_assert(sizeof(struct abi_rusage) == 144);
#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1

struct abi_sysinfo {
    int64_t uptime;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
};
static_assert(sizeof(struct abi_sysinfo) == 112);

struct abi_utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct abi_rlimit {
    uint64_t cur, max;
};

enum {
    PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_GET_UNALIGN = 5, PR_GET_KEEPCAPS = 7, PR_SET_KEEPCAPS = 8,
    PR_GET_TIMING = 13, PR_SET_TIMING = 14, PR_SET_NAME = 15, PR_GET_NAME = 16, PR_GET_SECCOMP = 21, PR_SET_SECCOMP = 22, PR_CAPBSET_READ = 23,
    PR_CAPBSET_DROP = 24, PR_GET_TSC = 25, PR_SET_TSC = 26, PR_GET_SECUREBITS = 27, PR_SET_SECUREBITS = 28, PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30, PR_TASK_PERF_EVENTS_DISABLE = 31, PR_TASK_PERF_EVENTS_ENABLE = 32, PR_MCE_KILL = 33, PR_MCE_KILL_GET = 34, PR_SET_MM = 35,
    PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER = 37, PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39, PR_GET_TID_ADDRESS = 40,
    PR_SET_THP_DISABLE = 41, PR_GET_THP_DISABLE = 42, PR_CAP_AMBIENT = 47, PR_GET_SPECULATION_CTRL = 52, PR_SET_SPECULATION_CTRL = 53,
    PR_SET_IO_FLUSHER = 57, PR_GET_IO_FLUSHER = 58, PR_SET_SYSCALL_USER_DISPATCH = 59, PR_SCHED_CORE = 62, PR_SET_MDWE = 65, PR_GET_MDWE = 66,
    PR_SET_MEMORY_MERGE = 67, PR_GET_MEMORY_MERGE = 68, PR_SET_VMA = 0x53564d41,
};
enum { PR_CAP_AMBIENT_IS_SET = 1, PR_CAP_AMBIENT_RAISE = 2, PR_CAP_AMBIENT_LOWER = 3, PR_CAP_AMBIENT_CLEAR_ALL = 4 };

// securebits: capabilities(7)
#define SECBIT_NOROOT 1u
#define SECBIT_NO_SETUID_FIXUP 4u
#define SECBIT_KEEP_CAPS 16u
#define SECBIT_NO_CAP_AMBIENT_RAISE 64u
#define SECBIT_ALL 0xffu
