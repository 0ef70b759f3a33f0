// bench/micro/syscalls.c — single system calls on the process itself, /dev/null and /dev/zero.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/micro/bench.h"

static int device = -1; // /dev/null or /dev/zero
static char page[4096];

static void open_null(void)
{
    device = open("/dev/null", O_RDWR | O_CLOEXEC);
    MUST(device >= 0);
}

static void open_zero(void)
{
    device = open("/dev/zero", O_RDWR | O_CLOEXEC);
    MUST(device >= 0);
}

static void close_device(void)
{
    MUST(close(device) == 0);
}

static void getpid_body(uint64_t n)
{
    LOOP(n) MUST(raw0(SYS_getpid) > 0);
}

static void gettid_body(uint64_t n)
{
    LOOP(n) MUST(raw0(SYS_gettid) > 0);
}

static void getuid_body(uint64_t n)
{
    LOOP(n) MUST(raw0(SYS_getuid) == 0);
}

static void clock_gettime_body(uint64_t n)
{
    struct timespec now;
    LOOP(n) MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
}

static void uname_body(uint64_t n)
{
    struct utsname name;
    LOOP(n) MUST(raw3(SYS_uname, (long)&name, 0, 0) == 0);
}

static void getpriority_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_getpriority, PRIO_PROCESS, 0, 0) == 20);
}

static void sched_yield_body(uint64_t n)
{
    LOOP(n) MUST(raw0(SYS_sched_yield) == 0);
}

static void read_null_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_read, device, (long)page, 1) == 0);
}

static void write_null_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_write, device, (long)page, 1) == 1);
}

static void read_zero_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_read, device, (long)page, sizeof page) == sizeof page);
}

static void pread_body(uint64_t n)
{
    LOOP(n) MUST(raw4(SYS_pread64, device, (long)page, 512, 0) == 512);
}

static void writev_body(uint64_t n)
{
    struct iovec parts[3] = {{page, 64}, {page + 64, 64}, {page + 128, 128}};
    LOOP(n) MUST(raw3(SYS_writev, device, (long)parts, 3) == 256);
}

static void dup_close_body(uint64_t n)
{
    LOOP(n) {
        long fd = raw3(SYS_dup, device, 0, 0);
        MUST(fd >= 0);
        MUST(raw3(SYS_close, fd, 0, 0) == 0);
    }
}

static void fcntl_getfl_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_fcntl, device, F_GETFL, 0) >= 0);
}

static void fstat_body(uint64_t n)
{
    struct stat status;
    LOOP(n) MUST(raw3(SYS_fstat, device, (long)&status, 0) == 0);
}

static void lseek_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_lseek, device, 0, SEEK_SET) == 0);
}

// --- Signals. ---

// The kernel's struct sigaction, which is not libc's.
struct kernel_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

static void sigaction_body(uint64_t n)
{
    struct kernel_sigaction set = {.handler = SIG_IGN}, old;
    LOOP(n) MUST(raw4(SYS_rt_sigaction, SIGUSR2, (long)&set, (long)&old, sizeof set.mask) == 0);
}

static void sigprocmask_body(uint64_t n)
{
    unsigned long set = 1UL << (SIGUSR1 - 1), old;
    LOOP(n) MUST(raw4(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, (long)&old, sizeof set) == 0);
}

static volatile uint64_t delivered;

static void count_delivery(int signal)
{
    (void)signal;
    delivered++;
}

static void catch_usr1(void)
{
    struct sigaction action = {.sa_handler = count_delivery};
    MUST(sigaction(SIGUSR1, &action, nullptr) == 0);
    delivered = 0;
}

static void signal_delivery_body(uint64_t n)
{
    long pid = getpid(), tid = raw0(SYS_gettid);
    LOOP(n) MUST(raw3(SYS_tgkill, pid, tid, SIGUSR1) == 0);
    MUST(delivered == n);
}

static void waitid_body(uint64_t n)
{
    siginfo_t info;
    LOOP(n) MUST(raw6(SYS_waitid, P_ALL, 0, (long)&info, WNOHANG | WEXITED, 0, 0) == -ECHILD);
}

static const struct bench syscalls_benches[] = {
    {"getpid", nullptr, getpid_body, nullptr, 10000, 5, 20},
    {"gettid", nullptr, gettid_body, nullptr, 10000, 5, 20},
    {"getuid", nullptr, getuid_body, nullptr, 10000, 5, 20},
    {"clock_gettime", nullptr, clock_gettime_body, nullptr, 10000, 5, 20},
    {"uname", nullptr, uname_body, nullptr, 10000, 3, 20},
    {"getpriority", nullptr, getpriority_body, nullptr, 10000, 3, 20},
    {"sched_yield", nullptr, sched_yield_body, nullptr, 10000, 2, 20},
    {"read_null", open_null, read_null_body, close_device, 10000, 3, 20},
    {"write_null", open_null, write_null_body, close_device, 10000, 3, 20},
    {"read_zero", open_zero, read_zero_body, close_device, 10000, 2, 10},
    {"pread", open_zero, pread_body, close_device, 10000, 2, 10},
    {"writev", open_null, writev_body, close_device, 10000, 2, 10},
    {"dup_close", open_null, dup_close_body, close_device, 10000, 2, 10},
    {"fcntl_getfl", open_null, fcntl_getfl_body, close_device, 10000, 3, 20},
    {"fstat", open_null, fstat_body, close_device, 10000, 2, 10},
    {"lseek", open_zero, lseek_body, close_device, 10000, 3, 20},
    {"sigaction", nullptr, sigaction_body, nullptr, 10000, 3, 20},
    {"sigprocmask", nullptr, sigprocmask_body, nullptr, 10000, 3, 20},
    {"signal_delivery", catch_usr1, signal_delivery_body, nullptr, 1000, 5, 20},
    {"waitid", nullptr, waitid_body, nullptr, 10000, 2, 10},
};

FAMILY(syscalls);
