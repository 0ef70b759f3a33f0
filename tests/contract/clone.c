// tests/contract/clone.c — what is shared and what is not, ids, descriptors of processes: clone(2), clone3(2), pidfd_open(2), pidfd_send_signal(2).
#include "tests/contract/harness.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2) // <linux/pidfd.h> and <fcntl.h> do not go together

// clone(2) with a stack of its own.
static pid_t clone_with(int flags, int (*run)(void *), void *arg)
{
    enum { STACK = 65536 };
    char *stack = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    REQUIRE(stack != MAP_FAILED);
    return clone(run, stack + STACK, flags, arg);
}

static int shared_value;

static int set_value(void *)
{
    shared_value = 5;
    return 0;
}

CASE(clone_vm_shares_memory_only)
{
    pid_t child = clone_with(CLONE_VM | SIGCHLD, set_value, nullptr);
    REQUIRE(child > 0);
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(shared_value, 5);
}

static int close_it(void *fd)
{
    close((int)(long)fd);
    chdir("/");
    return 0;
}

CASE(clone_files_shares_descriptors_not_directory)
{
    int fd = dup(0);
    char before[PATH_MAX], after[PATH_MAX];
    getcwd(before, sizeof before);
    pid_t child = clone_with(CLONE_FILES | SIGCHLD, close_it, (void *)(long)fd);
    REQUIRE(child > 0);
    EXPECT_EXITED(child, 0);
    EXPECT_ERRNO(fcntl(fd, F_GETFD), EBADF);
    getcwd(after, sizeof after);
    EXPECT_STR(after, before);
}

HELPER(close_one_of_two)
{
    return close(atoi(argv[0])) == 0 && fcntl(atoi(argv[1]), F_GETFD) == -1 && errno == EBADF ? 0 : 1;
}

static int exec_to_close(void *fds)
{
    char kept[12], marked[12];
    snprintf(kept, sizeof kept, "%d", ((int *)fds)[0]);
    snprintf(marked, sizeof marked, "%d", ((int *)fds)[1]);
    exec_helper("close_one_of_two", (char *[]){kept, marked, nullptr}, nullptr);
    return 126;
}

CASE(clone_files_are_shared_until_one_executes_a_program)
{
    int fds[2] = {dup(0), open("/", O_RDONLY | O_CLOEXEC)};
    pid_t child = clone_with(CLONE_FILES | SIGCHLD, exec_to_close, fds);
    REQUIRE(child > 0);
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(fcntl(fds[0], F_GETFD), 0);
    EXPECT_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
}

CASE(clone_fs_shares_directory_not_descriptors)
{
    int fd = dup(0);
    char after[PATH_MAX];
    pid_t child = clone_with(CLONE_FS | SIGCHLD, close_it, (void *)(long)fd);
    REQUIRE(child > 0);
    EXPECT_EXITED(child, 0);
    EXPECT(fcntl(fd, F_GETFD) >= 0);
    getcwd(after, sizeof after);
    EXPECT_STR(after, "/");
}

CASE(clone_parent_makes_a_sibling)
{
    pid_t own_parent = getpid();
    IN_CHILD(child)
    {
        pid_t sibling = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (sibling == 0) {
            EXPECT_EQ(getppid(), own_parent);
            _exit(2);
        }
        EXPECT_ERRNO(waitpid(sibling, nullptr, 0), ECHILD);
        _exit(1);
    }
    int sum = 0, status;
    for (int i = 0; i < 2; i++) {
        EXPECT(wait(&status) > 0);
        sum += WEXITSTATUS(status);
    }
    EXPECT_EQ(sum, 3);
    EXPECT(child > 0);
}

CASE(clone_settid_and_cleartid)
{
    pid_t parent_word = 0, child_word = 0;
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &parent_word, &child_word, 0);
    if (child == 0)
        _exit(child_word == getpid() ? 0 : 1);
    EXPECT_EQ(parent_word, child);
    EXPECT_EQ(child_word, 0);
    EXPECT_EXITED(child, 0);
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
    struct timespec limit = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    while (__atomic_load_n(&tid_word, __ATOMIC_SEQ_CST) != 0)
        EXPECT(syscall(SYS_futex, &tid_word, FUTEX_WAIT, 1, &limit, nullptr, 0) == 0 || errno == EAGAIN);
}

CASE(clone_rejects_flag_combinations)
{
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

CASE(clone_settls_takes_user_addresses_only)
{
    static const unsigned long bad[] = {1UL << 63, 1UL << 47, 0xffff800000000000, ~0UL};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct clone_args args = {.flags = CLONE_SETTLS, .tls = bad[i], .exit_signal = SIGCHLD};
        EXPECT_ERRNO(syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, bad[i]), EPERM);
        EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EPERM);
    }
    EXPECT_ERRNO(wait(nullptr), ECHILD);
}

CASE(clone_exit_signal_decides_who_may_wait)
{
    count_signal(SIGUSR1, 0);
    pid_t child = (pid_t)syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    while (!handled_signals)
        sleep_ms(1);
    EXPECT_ERRNO(waitpid(child, nullptr, 0), ECHILD); // not a SIGCHLD child
    EXPECT_EQ(waitpid(child, nullptr, __WCLONE), child);
    child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    EXPECT_EQ(waitpid(child, nullptr, __WALL), child);
}

CASE(clone3_makes_a_child_with_a_pidfd)
{
    int pidfd = -1;
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)&pidfd, .exit_signal = SIGCHLD};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0)
        _exit(12);
    REQUIRE(child > 0);
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    siginfo_t info = {};
    EXPECT_EQ(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
    EXPECT_EQ(info.si_status, 12);
}

CASE(clone3_checks_its_structure)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    EXPECT_ERRNO(syscall(SYS_clone3, &args, 8), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone3, &args, 10000), E2BIG);
    EXPECT_ERRNO(syscall(SYS_clone3, 8, sizeof args), EFAULT);
    args.exit_signal = 200;
    EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
    args = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
    EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL); // a stack without a size
    struct {
        struct clone_args args;
        char more[8];
    } longer = {.args.exit_signal = SIGCHLD, .more = {1}};
    EXPECT_ERRNO(syscall(SYS_clone3, &longer, sizeof longer), E2BIG); // unknown field in use
}

CASE(clone3_has_two_places_for_two_ids)
{
    int place = 0;
    struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD};
    args.pidfd = args.parent_tid = (uint64_t)(uintptr_t)&place;
    EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
}

CASE(pidfd_of_a_thread_signals_as_tgkill_does)
{
    enum { THREAD = O_EXCL };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    int fd = (int)syscall(SYS_pidfd_open, own_tid(), THREAD);
    REQUIRE(fd >= 0);
    siginfo_t info = {};
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, nullptr, 0), 0);
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    EXPECT_EQ(info.si_code, SI_TKILL);
    EXPECT_EQ(info.si_pid, getpid());
}

static void clones_that_fail_late(int times)
{
    struct clone_args args = {.flags = CLONE_PIDFD | CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND, .pidfd = 8, .exit_signal = SIGCHLD};
    for (int i = 0; i < times; i++)
        EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EFAULT);
}

static unsigned long free_memory(void)
{
    struct sysinfo info;
    REQUIRE(sysinfo(&info) == 0);
    return info.freeram;
}

CASE_WITHIN(90, clone3_that_fails_late_leaves_no_memory_behind)
{
    enum { TIMES = 800, NOISE = 600 << 10 };
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0); // each processor would keep its own
    clones_that_fail_late(TIMES); // the kernel may keep some of it at hand
    unsigned long before = free_memory();
    for (int still = 0; still < 10; still++) { // and give the rest back a little later
        unsigned long now = free_memory();
        if (now > before)
            still = 0;
        before = now > before ? now : before;
        sleep_ms(50);
    }
    clones_that_fail_late(TIMES);
    for (int i = 0; i < 500 && free_memory() + NOISE < before; i++)
        sleep_ms(50);
    EXPECT(free_memory() + NOISE >= before);
}

CASE(clone3_set_tid_chooses_the_pid)
{
    pid_t wanted = 29123;
    while (kill(wanted, 0) == 0)
        wanted--;
    struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)&wanted, .set_tid_size = 1};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0)
        _exit(getpid() == wanted ? 0 : 1);
    EXPECT_EQ(child, wanted);
    EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EEXIST); // not reaped yet
    EXPECT_EXITED(child, 0);
}

CASE(clone3_set_tid_is_below_the_largest_pid)
{
    int max = atoi(file_text("/proc/sys/kernel/pid_max"));
    pid_t numbers[] = {max, max + 1, 1 << 30};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)&numbers[i], .set_tid_size = 1};
        EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
    }
    pid_t last = max - 1;
    while (kill(last, 0) == 0)
        last--;
    struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)&last, .set_tid_size = 1};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0)
        _exit(0);
    EXPECT_EQ(child, last);
    EXPECT_EXITED(child, 0);
}

// argv[0]: a descriptor whose end lets the child go; argv[1]: the child.
HELPER(outlives_its_child)
{
    int status;
    pid_t child = atoi(argv[1]);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    close(atoi(argv[0]));
    if (waitpid(child, &status, __WALL) != child || status != 0)
        return 1;
    struct timespec zero = {};
    return sigtimedwait(&set, nullptr, &zero) == SIGCHLD ? 0 : 2;
}

CASE(exit_signal_chosen_before_an_exec_becomes_sigchld)
{
    IN_CHILD(parent)
    {
        int fds[2];
        char end[12], name[12];
        REQUIRE(pipe(fds) == 0);
        pid_t child = (pid_t)syscall(SYS_clone, (long)SIGKILL, 0, 0, 0, 0);
        if (child == 0) {
            char c;
            close(fds[1]);
            _exit(read(fds[0], &c, 1) != 0);
        }
        snprintf(end, sizeof end, "%d", fds[1]);
        snprintf(name, sizeof name, "%d", child);
        exec_helper("outlives_its_child", (char *[]){end, name, nullptr}, nullptr);
    }
    EXPECT_EXITED(parent, 0);
}

// Calls that name a process by its number, against its end. Nothing to see but that they answer one of two ways.
static void name_the_dying(volatile pid_t *target)
{
    for (pid_t pid; (pid = *target) != -1;) {
        siginfo_t info = {.si_code = SI_QUEUE};
        struct rlimit limit;
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);
        long results[] = {
            kill(pid, 0),
            syscall(SYS_tgkill, pid, pid, 0),
            syscall(SYS_tkill, pid, 0),
            syscall(SYS_rt_sigqueueinfo, pid, 0, &info),
            prlimit(pid, RLIMIT_CORE, nullptr, &limit),
            getsid(pid) < 0 ? -1 : 0,
            fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, 0, nullptr, 0),
            fd < 0 ? -1 : setns(fd, CLONE_NEWUTS),
        };
        for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
            if (results[i] != 0 && results[i] != -1)
                note_failure(__FILE_NAME__, __LINE__, "call %zu answers %ld", i, results[i]);
        close(fd);
    }
}

CASE(calls_that_name_a_process_while_it_ends)
{
    volatile pid_t *target = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t callers[3];
    *target = getpid();
    for (int i = 0; i < 3; i++) {
        IN_CHILD(caller)
        {
            name_the_dying(target);
        }
        callers[i] = caller;
    }
    for (int64_t end = now_ns() + 2000000000; now_ns() < end;) {
        IN_CHILD(child)
        {
            *target = getpid();
            sched_yield();
        }
        EXPECT_EXITED(child, 0);
    }
    *target = -1;
    for (int i = 0; i < 3; i++)
        EXPECT_EXITED(callers[i], 0);
}

CASE(pidfd_signal_for_a_group_reaches_those_that_may_be_signalled)
{
    int ready[2];
    char c;
    REQUIRE(pipe(ready) == 0);
    pid_t mine = fork_or_fail(__FILE_NAME__, __LINE__), other = 0;
    for (int i = 0; i < 2; i++) { // the leader of the group is the caller's own, the other member is root's
        pid_t *pid = i ? &other : &mine;
        if (i)
            *pid = fork_or_fail(__FILE_NAME__, __LINE__);
        if (*pid == 0) {
            REQUIRE(setpgid(0, i ? mine : 0) == 0);
            REQUIRE(i || setresuid(1000, 1000, 1000) == 0);
            REQUIRE(write(ready[1], "r", 1) == 1);
            for (;;)
                pause();
        }
        REQUIRE(read(ready[0], &c, 1) == 1);
    }
    int fd = (int)syscall(SYS_pidfd_open, mine, 0);
    REQUIRE(fd >= 0);
    IN_CHILD(sender)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, PIDFD_SIGNAL_PROCESS_GROUP), 0);
    }
    EXPECT_EXITED(sender, 0);
    EXPECT_KILLED(mine, SIGTERM);
    IN_CHILD(again)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, PIDFD_SIGNAL_PROCESS_GROUP), EPERM);
    }
    EXPECT_EXITED(again, 0);
    EXPECT_EQ(kill(other, SIGKILL), 0);
    EXPECT_KILLED(other, SIGKILL);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, PIDFD_SIGNAL_PROCESS_GROUP), ESRCH);
}

CASE(pidfd_open_polls_and_signals)
{
    IN_CHILD(child)
    {
        for (;;)
            pause();
    }
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    REQUIRE(fd >= 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, 0), 0);
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, 0, nullptr, 0), 0);
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0), 0);
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(p.revents & POLLIN, POLLIN);
    EXPECT_KILLED(child, SIGTERM);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, nullptr, 0), ESRCH);
    EXPECT_ERRNO(syscall(SYS_pidfd_open, 999999, 0), ESRCH);
    EXPECT_ERRNO(syscall(SYS_pidfd_open, -1, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pidfd_open, getpid(), 0xf00), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, 0, 0, nullptr, 0), EBADF);
}

static void reap(long child)
{
    until_asleep(getpid());
    EXPECT_EQ(waitpid((pid_t)child, nullptr, 0), (pid_t)child);
}

CASE(pidfd_hangs_up_when_the_process_is_reaped)
{
    siginfo_t info;
    IN_CHILD(child)
    {
    }
    struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, child, 0)};
    REQUIRE(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    EXPECT_EQ(poll(&p, 1, 0), 0);
    thread_t reaper = after_ms(0, reap, child);
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(p.revents, POLLHUP);
    join(reaper);
}

CASE(pidfd_getfd_copies_a_descriptor)
{
    int fds[2], sync[2];
    REQUIRE(pipe(sync) == 0);
    IN_CHILD(child)
    {
        REQUIRE(pipe(fds) == 0);
        EXPECT_EQ(dup2(fds[1], 100), 100);
        write_byte(sync[1]);
        char c;
        EXPECT_EQ(read(fds[0], &c, 1), 1);
    }
    char c;
    EXPECT_EQ(read(sync[0], &c, 1), 1);
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 100, 0);
    REQUIRE(fd >= 0);
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, pidfd, 101, 0), EBADF);
    write_byte(fd); // the child ends with it
    EXPECT_EXITED(child, 0);
}
