// tests/contract/sched.c — scheduling calls and what they do: sched(7), sched_setaffinity(2), sched_setattr(2), getpriority(2).
#include "tests/contract/harness.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct attr { // sched_setattr(2); the C library has no wrapper
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

// musl's own refuse to work; the calls themselves are what is tested.
static long set_policy(pid_t pid, int policy, int priority)
{
    struct sched_param p = {.sched_priority = priority};
    return syscall(SYS_sched_setscheduler, pid, policy, &p);
}

static long get_policy(pid_t pid)
{
    return syscall(SYS_sched_getscheduler, pid);
}

CASE(sched_priority_ranges)
{
    EXPECT_EQ(sched_get_priority_min(SCHED_FIFO), 1);
    EXPECT_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    EXPECT_EQ(sched_get_priority_min(SCHED_RR), 1);
    EXPECT_EQ(sched_get_priority_max(SCHED_RR), 99);
    EXPECT_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    EXPECT_EQ(sched_get_priority_max(SCHED_BATCH), 0);
    EXPECT_EQ(sched_get_priority_max(SCHED_IDLE), 0);
    EXPECT_ERRNO(sched_get_priority_max(77), EINVAL);
    EXPECT_ERRNO(sched_get_priority_min(-1), EINVAL);
}

CASE(sched_policies_are_set_and_read)
{
    EXPECT_EQ(get_policy(0), SCHED_OTHER);
    EXPECT_EQ(set_policy(0, SCHED_FIFO, 7), 0);
    EXPECT_EQ(get_policy(0), SCHED_FIFO);
    struct sched_param p = {};
    EXPECT_EQ(syscall(SYS_sched_getparam, 0, &p), 0);
    EXPECT_EQ(p.sched_priority, 7);
    p.sched_priority = 9;
    EXPECT_EQ(syscall(SYS_sched_setparam, 0, &p), 0);
    EXPECT_EQ(set_policy(0, SCHED_RR, 3), 0);
    EXPECT_EQ(set_policy(0, SCHED_BATCH, 0), 0);
    EXPECT_EQ(get_policy(0), SCHED_BATCH);
    EXPECT_EQ(set_policy(0, SCHED_IDLE, 0), 0);
    EXPECT_EQ(set_policy(0, SCHED_OTHER, 0), 0);
}

CASE(sched_policy_errors)
{
    EXPECT_ERRNO(set_policy(0, SCHED_FIFO, 0), EINVAL);
    EXPECT_ERRNO(set_policy(0, SCHED_FIFO, 100), EINVAL);
    EXPECT_ERRNO(set_policy(0, SCHED_OTHER, 1), EINVAL);
    EXPECT_ERRNO(set_policy(0, 99, 0), EINVAL);
    EXPECT_ERRNO(set_policy(0x3ffffff, SCHED_OTHER, 0), ESRCH);
    EXPECT_ERRNO(set_policy(-1, SCHED_OTHER, 0), EINVAL);
    EXPECT_ERRNO(get_policy(-1), EINVAL);
    EXPECT_ERRNO(get_policy(0x3ffffff), ESRCH);
    EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_sched_getparam, 0, nullptr), EINVAL);
}

CASE(sched_attributes_are_set_and_read)
{
    struct attr a = {.size = 48, .policy = SCHED_OTHER, .nice = 7};
    EXPECT_EQ(syscall(SYS_sched_setattr, 0, &a, 0), 0);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 7);
    struct attr b = {};
    EXPECT_EQ(syscall(SYS_sched_getattr, 0, &b, sizeof b, 0), 0);
    EXPECT_EQ(b.size, 48);
    EXPECT_EQ(b.policy, SCHED_OTHER);
    EXPECT_EQ(b.nice, 7);
    a = (struct attr){.size = 48, .policy = SCHED_FIFO, .priority = 5};
    EXPECT_EQ(syscall(SYS_sched_setattr, 0, &a, 0), 0);
    EXPECT_EQ(get_policy(0), SCHED_FIFO);
    EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, nullptr, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &b, 40, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &b, sizeof b, 1), EINVAL);
    a.size = 20;
    EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
    EXPECT_EQ(a.size, 56); // what the kernel knows
    a = (struct attr){.size = 48, .policy = 99};
    EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
    a = (struct attr){.size = 48, .policy = SCHED_OTHER, .flags = 1ul << 40};
    EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
}

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

CASE(sched_reset_on_fork)
{
    EXPECT_EQ(set_policy(0, SCHED_FIFO | SCHED_RESET_ON_FORK, 5), 0);
    EXPECT_EQ(get_policy(0), SCHED_FIFO | SCHED_RESET_ON_FORK);
    IN_CHILD(child)
    {
        EXPECT_EQ(get_policy(0), SCHED_OTHER);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(set_policy(0, SCHED_FIFO, 5), 0);
    IN_CHILD(other)
    {
        EXPECT_EQ(get_policy(0), SCHED_FIFO);
    }
    EXPECT_EXITED(other, 0);
}

CASE(sched_round_robin_interval)
{
    struct timespec t = {};
    EXPECT_EQ(set_policy(0, SCHED_RR, 1), 0);
    EXPECT_EQ(syscall(SYS_sched_rr_get_interval, 0, &t), 0);
    EXPECT_EQ(t.tv_sec, 0);
    EXPECT_EQ(t.tv_nsec, 100000000);
    EXPECT_EQ(set_policy(0, SCHED_FIFO, 1), 0);
    EXPECT_EQ(syscall(SYS_sched_rr_get_interval, 0, &t), 0);
    EXPECT_EQ(t.tv_nsec, 0);
    EXPECT_ERRNO(syscall(SYS_sched_rr_get_interval, -1, &t), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_rr_get_interval, 0x3ffffff, &t), ESRCH);
    EXPECT_ERRNO(syscall(SYS_sched_rr_get_interval, 0, (void *)8), EFAULT);
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

CASE(sched_affinity_errors_and_sizes)
{
    unsigned long mask[16] = {};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    EXPECT(size >= 8 && size % 8 == 0); // the kernel's own size
    EXPECT_EQ(mask[0], ~0ul >> (64 - processors())); // the first so many
    EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 7, mask), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0x3ffffff, sizeof mask, mask), ESRCH);
    EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, sizeof mask, (void *)8), EFAULT);
    unsigned long none[16] = {}, far[16] = {[15] = 1ul << 63};
    EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof none, none), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof far, far), EINVAL);
    EXPECT_EQ(syscall(SYS_sched_setaffinity, 0, 1, mask), 0); // short masks are filled with zeros
    EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof mask, (void *)8), EFAULT);
}

CASE(getcpu_names_a_processor)
{
    unsigned cpu = 999, node = 999;
    EXPECT_EQ(syscall(SYS_getcpu, &cpu, &node, nullptr), 0);
    EXPECT((long)cpu < sysconf(_SC_NPROCESSORS_CONF));
    EXPECT_EQ(node, 0);
    EXPECT_EQ(syscall(SYS_getcpu, nullptr, nullptr, nullptr), 0);
}

CASE(sched_affinity_moves_to_the_chosen_processor)
{
    unsigned long all[16] = {};
    REQUIRE(syscall(SYS_sched_getaffinity, 0, sizeof all, all) > 0);
    for (unsigned cpu = 0; cpu < 64; cpu++) {
        if (!(all[0] & 1ul << cpu))
            continue;
        unsigned long one[16] = {1ul << cpu};
        EXPECT_EQ(syscall(SYS_sched_setaffinity, 0, sizeof one, one), 0);
        EXPECT_EQ(sched_getcpu(), (int)cpu);
        unsigned now = 99;
        EXPECT_EQ(syscall(SYS_getcpu, &now, nullptr, nullptr), 0);
        EXPECT_EQ(now, cpu);
        IN_CHILD(child)
        {
            EXPECT_EQ(sched_getcpu(), (int)cpu); // inherited
        }
        EXPECT_EXITED(child, 0);
    }
}

static void stay_on_first_processor(void)
{
    unsigned long one[16] = {1};
    REQUIRE(syscall(SYS_sched_setaffinity, 0, sizeof one, one) == 0);
}

// Counts in a child on the first processor until it is killed.
static pid_t hog(volatile unsigned long *count, int nice_value)
{
    IN_CHILD(child)
    {
        stay_on_first_processor();
        setpriority(PRIO_PROCESS, 0, nice_value);
        for (;;)
            (*count)++;
    }
    return child;
}

static int64_t cpu_time_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {};
    EXPECT_EQ(clock_getcpuclockid(pid, &clock), 0);
    EXPECT_EQ(clock_gettime(clock, &t), 0);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

// What two hogs of one processor get of it in a second and a half, once both are under way. Processor time, not work done:
// a busy host may take its processor away from the guest in anybody's turn.
static void share_processor(int nice_a, int nice_b, int64_t *time_a, int64_t *time_b)
{
    volatile unsigned long *counts = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t a = hog(&counts[0], nice_a), b = hog(&counts[64], nice_b);
    for (int i = 0; i < 1000 && !(counts[0] && counts[64]); i++)
        sleep_ms(10);
    unsigned long before_a = counts[0], before_b = counts[64];
    *time_a = -cpu_time_of(a);
    *time_b = -cpu_time_of(b);
    sleep_ms(1500);
    *time_a += cpu_time_of(a);
    *time_b += cpu_time_of(b);
    EXPECT(before_a > 0 && before_b > 0);
    EXPECT(counts[0] > before_a && counts[64] > before_b);
    kill(a, SIGKILL);
    kill(b, SIGKILL);
    EXPECT_KILLED(a, SIGKILL);
    EXPECT_KILLED(b, SIGKILL);
}

CASE(sched_equal_threads_share_a_processor)
{
    int64_t a, b;
    for (int tries = 0; tries < 3; tries++) { // a host that takes a processor away in somebody's turn charges it to him
        share_processor(0, 0, &a, &b);
        if (a < b * 2 && b < a * 2)
            break;
    }
    EXPECT(a < b * 2 && b < a * 2);
}

CASE(sched_nice_threads_get_less)
{
    int64_t a, b;
    for (int tries = 0; tries < 3; tries++) {
        share_processor(0, 10, &a, &b); // weights 1024 and 110
        if (a > b * 4)
            break;
    }
    EXPECT(a > b * 4);
    EXPECT(b > 0); // but not nothing
}

CASE(sched_real_time_thread_goes_first)
{
    volatile unsigned long *counts = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t a = hog(&counts[0], 0);
    stay_on_first_processor();
    REQUIRE(set_policy(0, SCHED_FIFO, 1) == 0);
    sleep_ms(5); // woken, we run at once
    unsigned long before = counts[0];
    for (int64_t start = now_ns(); now_ns() - start < 100000000;)
        ;
    EXPECT_EQ(counts[0], before);
    for (int i = 0; i < 500 && counts[0] == before; i++)
        sleep_ms(10);
    EXPECT(counts[0] > before);
    kill(a, SIGKILL);
    EXPECT_KILLED(a, SIGKILL);
}

CASE(sched_priority_of_groups_and_users)
{
    EXPECT_ERRNO(getpriority(9, 0), EINVAL);
    EXPECT_ERRNO(setpriority(9, 0, 0), EINVAL);
    EXPECT_ERRNO(getpriority(PRIO_PROCESS, 0x3ffffff), ESRCH);
    EXPECT_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20); // the call itself gives 20 - nice
    IN_CHILD(child)
    {
        setpgid(0, 0);
        IN_CHILD(inner)
        {
            pause();
        }
        EXPECT_EQ(setpriority(PRIO_PGRP, 0, 4), 0);
        EXPECT_EQ(getpriority(PRIO_PROCESS, inner), 4);
        EXPECT_EQ(setpriority(PRIO_PROCESS, inner, 2), 0);
        EXPECT_EQ(getpriority(PRIO_PGRP, 0), 2); // the best of them
        EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 99), 0);
        EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 19); // cut to the range
        kill(inner, SIGKILL);
        EXPECT_KILLED(inner, SIGKILL);
    }
    EXPECT_EXITED(child, 0);
}

CASE(sched_yield_lets_others_run)
{
    volatile int *flag = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    stay_on_first_processor();
    IN_CHILD(child)
    {
        *flag = 1;
    }
    int rounds = 0;
    while (!*flag && rounds < 1000000) {
        EXPECT_EQ(sched_yield(), 0);
        rounds++;
    }
    EXPECT_EQ(*flag, 1);
    EXPECT_EXITED(child, 0);
}

// --- Several processors: each case does the same with one, and shows there what is left of it. ---

static void stay_on(int cpu, int cpus)
{
    unsigned long mask[16] = {cpu < 0 ? ~0ul >> (64 - cpus) : 1ul << cpu};
    REQUIRE(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) == 0);
}

enum { MAX_HOGS = 160 };

// A set of children that do nothing but run, until they are killed.
struct hogs {
    int n;
    pid_t pid[MAX_HOGS];
    int64_t time[MAX_HOGS]; // on a processor, after measure()
};

static pid_t add_hog(struct hogs *hogs, int policy, int priority, int nice_value, int cpu)
{
    REQUIRE(hogs->n < MAX_HOGS);
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(child)
    {
        stay_on(cpu, processors());
        REQUIRE(setpriority(PRIO_PROCESS, 0, nice_value) == 0);
        write_byte(ready[1]); // before it may have to wait for its turn
        REQUIRE(set_policy(0, policy, priority) == 0);
        for (;;)
            __asm__ volatile("pause");
    }
    char byte;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    hogs->pid[hogs->n++] = child;
    return child;
}

static void release(const struct hogs *hogs, int cpus)
{
    unsigned long all[16] = {~0ul >> (64 - cpus)};
    for (int i = 0; i < hogs->n; i++)
        EXPECT_EQ(syscall(SYS_sched_setaffinity, hogs->pid[i], sizeof all, all), 0);
}

static void measure(struct hogs *hogs, int ms)
{
    for (int i = 0; i < hogs->n; i++)
        hogs->time[i] = -cpu_time_of(hogs->pid[i]);
    sleep_ms(ms);
    for (int i = 0; i < hogs->n; i++)
        hogs->time[i] += cpu_time_of(hogs->pid[i]);
}

static void end(const struct hogs *hogs)
{
    for (int i = 0; i < hogs->n; i++)
        kill(hogs->pid[i], SIGKILL);
    for (int i = 0; i < hogs->n; i++)
        EXPECT_KILLED(hogs->pid[i], SIGKILL);
}

// sched(7), "Limiting the CPU usage of real-time and deadline processes".
CASE(sched_real_time_hogs_leave_something_to_others)
{
    int cpus = processors();
    struct hogs hogs = {}, others = {};
    REQUIRE(set_policy(0, SCHED_FIFO, 50) == 0); // or we should never come to look
    for (int cpu = 0; cpu < cpus; cpu++)
        add_hog(&hogs, SCHED_FIFO, 10, 0, cpu);
    for (int cpu = 0; cpu < cpus; cpu++)
        add_hog(&others, SCHED_OTHER, 0, 0, cpu);
    int64_t before = cpu_time_of(others.pid[0]);
    for (int i = 0; i < 400 && cpu_time_of(others.pid[0]) == before; i++)
        sleep_ms(10);
    measure(&others, 3000);
    for (int i = 0; i < cpus; i++)
        EXPECT(others.time[i] > 0 && others.time[i] < 1000000000); // 5 % or so
    end(&others);
    end(&hogs);
}

CASE(sched_real_time_bandwidth_is_checked)
{
    char path[][40] = {"/proc/sys/kernel/sched_rt_period_us", "/proc/sys/kernel/sched_rt_runtime_us"};
    keep_setting(path[1]); // written back last: it may not be more than the other
    keep_setting(path[0]);
    EXPECT_STR(file_text(path[0]), "1000000\n");
    EXPECT_STR(file_text(path[1]), "950000\n");
    EXPECT_EQ(write_text(path[0], "0"), -EINVAL);
    EXPECT_EQ(write_text(path[1], "-2"), -EINVAL);
    EXPECT_EQ(write_text(path[1], "1000001"), -EINVAL); // more than the period
    EXPECT_EQ(write_text(path[0], "900000"), -EINVAL);  // less than the runtime
    EXPECT_STR(file_text(path[1]), "950000\n");
    EXPECT_EQ(write_text(path[1], "-1"), 0);
    EXPECT_STR(file_text(path[1]), "-1\n");
    EXPECT_EQ(write_text(path[0], "900000"), 0);
    EXPECT_EQ(write_text(path[0], "1000000"), 0);
    EXPECT_EQ(write_text(path[1], "950000"), 0);
}

CASE(sched_real_time_thread_goes_where_something_less_important_runs)
{
    int cpus = processors();
    struct hogs first = {}, fair = {}, moved = {};
    REQUIRE(set_policy(0, SCHED_FIFO, 99) == 0);
    for (int cpu = 0; cpu < cpus; cpu++)
        add_hog(&fair, SCHED_OTHER, 0, 0, cpu);
    add_hog(&moved, SCHED_FIFO, 20, 0, -1); // takes a processor from a fair one, and must leave it to one of the following
    for (int cpu = 0; cpu < cpus - 1; cpu++)
        add_hog(&first, SCHED_FIFO, 30, 0, cpu);
    // Once in a while Linux finds it a place only when the next period of the real-time threads' share begins.
    for (int i = 0; i < 30 && moved.time[0] < 50000000; i++)
        measure(&moved, 100);
    measure(&moved, 2000);
    EXPECT(moved.time[0] > 1200000000);
    end(&first);
    end(&moved);
    end(&fair);
}

CASE(sched_fair_threads_leave_a_processor_to_a_real_time_one)
{
    int cpus = processors();
    struct hogs fair = {}, first = {};
    REQUIRE(set_policy(0, SCHED_FIFO, 99) == 0);
    for (int cpu = 0; cpu < cpus; cpu++)
        add_hog(&fair, SCHED_OTHER, 0, 0, cpu);
    for (int cpu = 0; cpu < cpus - 1; cpu++)
        add_hog(&first, SCHED_FIFO, 30, 0, cpu);
    release(&fair, cpus);
    sleep_ms(500);
    measure(&fair, 2000);
    for (int i = 0; i < cpus; i++) // one processor for all of them
        EXPECT(fair.time[i] > 2000000000 / cpus / 2);
    end(&first);
    end(&fair);
}

CASE(sched_nice_threads_get_less_on_several_processors)
{
    int cpus = processors();
    struct hogs hogs = {};
    REQUIRE(set_policy(0, SCHED_FIFO, 99) == 0); // who looks has no turn to wait for
    add_hog(&hogs, SCHED_OTHER, 0, 19, cpus - 1);
    for (int i = 0; i < cpus; i++)
        add_hog(&hogs, SCHED_OTHER, 0, 0, i == cpus - 1 ? 0 : i);
    release(&hogs, cpus);
    sleep_ms(300);
    measure(&hogs, 2000);
    for (int i = 1; i < hogs.n; i++)
        EXPECT(hogs.time[i] > 1500000000);
    EXPECT(hogs.time[0] < 300000000);
    end(&hogs);
}

CASE(sched_one_thread_more_than_processors_goes_round)
{
    int cpus = processors();
    struct hogs hogs = {};
    REQUIRE(set_policy(0, SCHED_FIFO, 99) == 0);
    for (int i = 0; i <= cpus; i++)
        add_hog(&hogs, SCHED_OTHER, 0, 0, -1);
    sleep_ms(300);
    measure(&hogs, 3000);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < hogs.n; i++) {
        least = hogs.time[i] < least ? hogs.time[i] : least;
        most = hogs.time[i] > most ? hogs.time[i] : most;
    }
    note("%lld to %lld ms", (long long)least / 1000000, (long long)most / 1000000);
    EXPECT(most * 4 < least * 7);
    end(&hogs);
}

// Threads bound to their processor stand in front of one that is not: it moves away all the same.
CASE(sched_bound_threads_do_not_keep_others_from_moving)
{
    int cpus = processors(), bound = cpus > 1 ? 100 : 2;
    struct hogs hogs = {}, moved = {};
    REQUIRE(set_policy(0, SCHED_FIFO, 99) == 0);
    for (int i = 0; i < bound; i++)
        add_hog(&hogs, SCHED_OTHER, 0, 0, 0);
    add_hog(&moved, SCHED_OTHER, 0, 19, 0); // the last to get a turn
    release(&moved, cpus);
    sleep_ms(1000);
    measure(&moved, 1000);
    EXPECT(moved.time[0] >= (cpus > 1 ? 500000000 : 0));
    end(&hogs);
    end(&moved);
}

static void spin_ms(int ms)
{
    for (int64_t end = now_ns() + ms * 1000000LL; now_ns() < end;)
        ;
}

// sched(7): a thread whose priority is lowered comes first among those of the new one, and a call that changes nothing changes no place.
CASE(sched_real_time_thread_keeps_its_place)
{
    int fds[2], *volatile ran = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned long first = 1;
    char byte = 0;
    struct sched_param same = {.sched_priority = 10};
    REQUIRE(pipe(fds) == 0 && syscall(SYS_sched_setaffinity, 0, sizeof first, &first) == 0);
    IN_CHILD(child)
    {
        REQUIRE(set_policy(0, SCHED_FIFO, 10) == 0);
        EXPECT_EQ(read(fds[0], &byte, 1), 1);
        *(volatile int *)ran = 1;
    }
    until_asleep(child);
    REQUIRE(set_policy(0, SCHED_FIFO, 20) == 0);
    EXPECT_EQ(write(fds[1], "a", 1), 1);
    EXPECT_EQ(set_policy(0, SCHED_FIFO, 10), 0);
    spin_ms(2);
    EXPECT_EQ(*(volatile int *)ran, 0);
    EXPECT_EQ(syscall(SYS_sched_setparam, 0, &same), 0);
    spin_ms(2);
    EXPECT_EQ(*(volatile int *)ran, 0);
    EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
    spin_ms(2);
    EXPECT_EQ(*(volatile int *)ran, 0);
    sched_yield();
    EXPECT_EQ(*(volatile int *)ran, 1);
    EXPECT_EXITED(child, 0);
}

CASE(sched_setattr_changes_what_it_means_only)
{
    struct attr keep = {.size = 48, .flags = 0x18}; // SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS
    EXPECT_EQ(set_policy(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0), 0);
    EXPECT_EQ(syscall(SYS_sched_setattr, 0, &keep, 0), 0);
    EXPECT_EQ(get_policy(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
    struct attr idle = {.size = 48, .policy = SCHED_IDLE, .nice = 0};
    EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 10), 0);
    IN_CHILD(child)
    {
        struct rlimit none = {0, 0}, some = {50, 50};
        REQUIRE(setrlimit(RLIMIT_NICE, &none) == 0 && setrlimit(RLIMIT_RTPRIO, &some) == 0);
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(syscall(SYS_sched_setattr, 0, &idle, 0), 0); // a nice value means nothing to it
        EXPECT_EQ(get_policy(0), SCHED_IDLE);
        EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 10);
        EXPECT_ERRNO(set_policy(0, SCHED_FIFO, 5), EPERM); // out of SCHED_IDLE leads RLIMIT_NICE only
    }
    EXPECT_EXITED(child, 0);
}

// One demotes another's thread for good, whatever that one changes at the same time.
CASE(sched_demotion_is_not_undone_by_a_nice_value)
{
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        for (;;)
            setpriority(PRIO_PROCESS, 0, 1);
    }
    bool demoted = true;
    int64_t end = now_ns() + LONG_TIMEOUT_MS * INT64_C(1000000) / 2;
    for (int i = 0; i < 3000 && demoted && now_ns() < end; i++) {
        REQUIRE(set_policy(child, SCHED_FIFO, 1) == 0 && set_policy(child, SCHED_OTHER, 0) == 0);
        demoted = get_policy(child) == SCHED_OTHER;
    }
    EXPECT(demoted);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}
