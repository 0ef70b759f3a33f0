// tests/contract/small_process.c — calls that ask or set one thing of a process: ids, capabilities, times, random numbers, locks of memory, scheduling.
#include "tests/contract/harness.h"

#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>

static long status_number(const char *label)
{
    const char *line = strstr(file_text("/proc/self/status"), label);
    long value = -1;
    REQUIRE(line && sscanf(line + strlen(label), "%ld", &value) == 1);
    return value;
}

// --- Ids. ---

CASE(ids_are_told_each_by_its_call)
{
    REQUIRE(setresgid(1001, 1002, 1003) == 0 && setresuid(2001, 2002, 2003) == 0);
    EXPECT_EQ(getuid(), 2001);
    EXPECT_EQ(geteuid(), 2002);
    EXPECT_EQ(getgid(), 1001);
    EXPECT_EQ(getegid(), 1002);
    IN_CHILD(child)
    {
        EXPECT_EQ(getuid(), 2001);
        EXPECT_EQ(geteuid(), 2002);
        EXPECT_EQ(getgid(), 1001);
        EXPECT_EQ(getegid(), 1002);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setregid_moves_the_saved_id_along)
{
    gid_t real, effective, saved;
    EXPECT_EQ(syscall(SYS_setregid, 1001, 1002), 0);
    REQUIRE(getresgid(&real, &effective, &saved) == 0);
    EXPECT(real == 1001 && effective == 1002 && saved == 1002); // the real one was set
    EXPECT_EQ(syscall(SYS_setregid, -1, 1001), 0);
    REQUIRE(getresgid(&real, &effective, &saved) == 0);
    EXPECT(real == 1001 && effective == 1001 && saved == 1002); // equal to the real one: saved stays
    EXPECT_EQ(syscall(SYS_setregid, -1, -1), 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(syscall(SYS_setregid, 1002, -1), EPERM); // only real or effective may become real
        EXPECT_ERRNO(syscall(SYS_setregid, -1, 5), EPERM);
        EXPECT_EQ(syscall(SYS_setregid, -1, 1002), 0); // the saved one may become effective
        REQUIRE(getresgid(&real, &effective, &saved) == 0);
        EXPECT(real == 1001 && effective == 1002 && saved == 1002);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setfsuid_and_setfsgid_tell_the_old_one)
{
    struct stat s;
    EXPECT_EQ(setfsuid(1000), 0);
    EXPECT_EQ(setfsuid((uid_t)-1), 1000); // no id: asks only
    EXPECT_EQ(setfsgid(2000), 0);
    EXPECT_EQ(setfsgid((gid_t)-1), 2000);
    EXPECT_EQ(geteuid(), 0);
    EXPECT_EQ(chmod(".", 0777), -1); // no longer the owner
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(setfsuid(0), 1000);
    EXPECT_EQ(chmod(".", 0777), 0);
    EXPECT_EQ(setfsuid(1000), 0);
    make_file("f", "");
    EXPECT_EQ(stat("f", &s), 0);
    EXPECT(s.st_uid == 1000 && s.st_gid == 2000);
    EXPECT_EQ(seteuid(0), 0); // takes it along
    EXPECT_EQ(setfsuid((uid_t)-1), 0);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1001, 1002) == 0);
        EXPECT_EQ(setfsuid(5), 1001);
        EXPECT_EQ(setfsuid(1002), 1001); // 5 was not one of ours
        EXPECT_EQ(setfsuid((uid_t)-1), 1002);
    }
    EXPECT_EXITED(child, 0);
}

CASE(capget_and_capset_versions_and_processes)
{
    struct __user_cap_header_struct header = {.version = 0x1234};
    struct __user_cap_data_struct data[2] = {};
    EXPECT_EQ(syscall(SYS_capget, &header, nullptr), 0); // a question for the version
    EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.version = 0x1234;
    EXPECT_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.version = 0x1234;
    EXPECT_ERRNO(syscall(SYS_capset, &header, data), EINVAL);
    header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_1, 0};
    EXPECT_EQ(syscall(SYS_capget, &header, data), 0);
    EXPECT_EQ(data[0].effective, UINT32_MAX);
    EXPECT_EQ(data[1].effective, 0); // that version has 32
    header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, -1};
    EXPECT_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    header.pid = 0x3ffffff;
    EXPECT_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
    header.pid = getppid();
    EXPECT_EQ(syscall(SYS_capget, &header, data), 0);
    EXPECT_ERRNO(syscall(SYS_capset, &header, data), EPERM); // only its own
    EXPECT_ERRNO(syscall(SYS_capget, (void *)8, data), EFAULT);
}

CASE(capset_only_takes_away)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2], wanted[2];
    REQUIRE(syscall(SYS_capget, &header, data) == 0);
    memcpy(wanted, data, sizeof wanted);
    wanted[0].permitted &= ~(1u << CAP_SYS_TIME);
    EXPECT_ERRNO(syscall(SYS_capset, &header, wanted), EPERM); // effective is more than permitted
    wanted[0].effective &= ~(1u << CAP_SYS_TIME);
    EXPECT_EQ(syscall(SYS_capset, &header, wanted), 0);
    EXPECT_ERRNO(syscall(SYS_capset, &header, data), EPERM); // not to be had again
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    EXPECT_ERRNO(clock_settime(CLOCK_REALTIME, &now), EPERM);
    REQUIRE(syscall(SYS_capget, &header, data) == 0);
    EXPECT_EQ(data[0].effective & 1u << CAP_SYS_TIME, 0);
}

// --- What the system tells. ---

CASE(getrandom_fills_and_checks)
{
    static unsigned char a[1 << 16], b[sizeof a];
    unsigned counts[256] = {};
    EXPECT_EQ(getrandom(a, sizeof a, 0), sizeof a);
    EXPECT_EQ(getrandom(b, sizeof b, 4), sizeof b); // GRND_INSECURE
    EXPECT(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++)
        counts[a[i]]++;
    for (int i = 0; i < 256; i++)
        EXPECT(counts[i] > 100 && counts[i] < 500); // 256 of each, give or take
    EXPECT_EQ(getrandom(a, 0, 0), 0);
    EXPECT_EQ(getrandom(a, 16, GRND_RANDOM | GRND_NONBLOCK), 16);
    EXPECT_ERRNO(getrandom(a, 16, GRND_RANDOM | 4), EINVAL);
    EXPECT_ERRNO(getrandom(a, 16, 8), EINVAL);
    EXPECT_ERRNO(getrandom((void *)8, 16, 0), EFAULT);
    unsigned char *childs = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(childs != MAP_FAILED);
    IN_CHILD(child)
    {
        EXPECT_EQ(getrandom(childs, 32, 0), 32);
    }
    EXPECT_EQ(getrandom(a, 32, 0), 32);
    EXPECT_EXITED(child, 0);
    EXPECT(memcmp(a, childs, 32) != 0); // each goes on with other numbers
}

CASE(sysinfo_agrees_with_proc)
{
    struct sysinfo s;
    unsigned long total = 0;
    REQUIRE(sysinfo(&s) == 0);
    REQUIRE(sscanf(file_text("/proc/meminfo"), "MemTotal: %lu", &total) == 1);
    EXPECT_EQ(s.totalram * s.mem_unit / 1024, total);
    EXPECT(s.freeram < s.totalram && s.procs > 1);
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    EXPECT((long)s.uptime <= boot.tv_sec + 1 && (long)s.uptime + 5 >= boot.tv_sec);
    EXPECT_ERRNO(sysinfo((void *)8), EFAULT);
}

CASE(times_count_children_when_they_are_waited_for)
{
    struct tms before, between, after;
    clock_t start = times(&before);
    REQUIRE(start != (clock_t)-1);
    IN_CHILD(child)
    {
        struct timespec spent;
        do
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
        while (spent.tv_sec == 0 && spent.tv_nsec < 60000000);
    }
    siginfo_t info;
    REQUIRE(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    times(&between);
    EXPECT_EQ(between.tms_cutime + between.tms_cstime, before.tms_cutime + before.tms_cstime);
    EXPECT_EXITED(child, 0);
    clock_t end = times(&after);
    EXPECT(after.tms_cutime + after.tms_cstime >= before.tms_cutime + before.tms_cstime + 5); // 100 a second
    EXPECT(end >= start + 5);
    EXPECT(times(nullptr) >= end);
    EXPECT_ERRNO(syscall(SYS_times, (void *)8), EFAULT);
}

// --- Memory that stays. ---

CASE(mlockall_locks_what_is_and_what_comes)
{
    EXPECT_ERRNO(mlockall(0), EINVAL);
    EXPECT_ERRNO(mlockall(4), EINVAL); // MCL_ONFAULT alone
    EXPECT_ERRNO(mlockall(8), EINVAL);
    EXPECT_EQ(mlockall(MCL_CURRENT), 0);
    long locked = status_number("\nVmLck:");
    EXPECT(locked > 0);
    char *p = mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(status_number("\nVmLck:"), locked); // what comes later is not
    EXPECT_EQ(mlockall(MCL_FUTURE), 0);
    char *q = mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char present[16] = {};
    EXPECT_EQ(mincore(q, 16 * PAGE, present), 0);
    for (int i = 0; i < 16; i++)
        EXPECT_EQ(present[i] & 1, 1); // it is in memory untouched
    EXPECT_EQ(munlockall(), 0);
    EXPECT_EQ(status_number("\nVmLck:"), 0);
    EXPECT_EQ(munmap(p, 16 * PAGE), 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(mlockall(MCL_CURRENT), 0);
        IN_CHILD(grandchild)
        {
            EXPECT_EQ(status_number("\nVmLck:"), 0); // not inherited
        }
        EXPECT_EXITED(grandchild, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(mlockall_of_users_has_a_limit)
{
    struct rlimit none = {}, little = {.rlim_cur = PAGE, .rlim_max = PAGE};
    IN_CHILD(child)
    {
        REQUIRE(setrlimit(RLIMIT_MEMLOCK, &little) == 0 && setuid(1000) == 0);
        EXPECT_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
        REQUIRE(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
        EXPECT_ERRNO(mlockall(MCL_CURRENT), EPERM);
        EXPECT_EQ(munlockall(), 0);
    }
    EXPECT_EXITED(child, 0);
}

// --- Scheduling and threads. ---

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
    uint64_t room;
};

CASE(sched_getattr_sizes_and_errors)
{
    struct attributes a = {.room = 99};
    EXPECT_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
    EXPECT_EQ(a.size, 56); // what the kernel knows
    EXPECT_EQ(a.room, 99); // and no more is written
    EXPECT_EQ(a.policy, SCHED_OTHER);
    EXPECT_EQ(a.nice, 0);
    EXPECT_EQ(syscall(SYS_sched_getattr, getppid(), &a, 48, 0), 0);
    EXPECT_EQ(a.size, 48);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &a, 47, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &a, 5000, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &a, sizeof a, 1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, -1, &a, sizeof a, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0x3ffffff, &a, sizeof a, 0), ESRCH);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, nullptr, sizeof a, 0), EINVAL);
    REQUIRE(setpriority(PRIO_PROCESS, 0, 7) == 0);
    EXPECT_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
    EXPECT_EQ(a.nice, 7);
}

CASE(sched_rr_get_interval_errors_and_policies)
{
    struct timespec t = {.tv_sec = 5};
    struct sched_param one = {.sched_priority = 1};
    EXPECT_ERRNO(sched_rr_get_interval(-1, &t), EINVAL);
    EXPECT_ERRNO(sched_rr_get_interval(0x3ffffff, &t), ESRCH);
    EXPECT_ERRNO(syscall(SYS_sched_rr_get_interval, 0, (void *)8), EFAULT);
    REQUIRE(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &one) == 0);
    EXPECT_EQ(syscall(SYS_sched_rr_get_interval, 0, &t), 0);
    EXPECT(t.tv_sec == 0 && t.tv_nsec == 0); // first in, first out: no slices
    REQUIRE(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &one) == 0);
    EXPECT_EQ(syscall(SYS_sched_rr_get_interval, 0, &t), 0);
    EXPECT(t.tv_sec == 0 && t.tv_nsec == 100000000);
}

static int tid_word = 1;

static void *set_own_address(void *)
{
    EXPECT_EQ(syscall(SYS_set_tid_address, &tid_word), own_tid());
    syscall(SYS_exit, 0); // past the C library
    return nullptr;
}

CASE(set_tid_address_is_zeroed_and_woken_at_the_end)
{
    pthread_t thread;
    EXPECT_EQ(syscall(SYS_set_tid_address, nullptr), getpid());
    REQUIRE_EQ(pthread_create(&thread, nullptr, set_own_address, nullptr), 0);
    struct timespec limit = {.tv_sec = 5};
    while (__atomic_load_n(&tid_word, __ATOMIC_SEQ_CST) != 0)
        EXPECT(syscall(SYS_futex, &tid_word, FUTEX_WAIT, 1, &limit, nullptr, 0) == 0 || errno == EAGAIN);
}
