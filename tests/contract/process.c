// tests/contract/process.c — fork, vfork, clone, wait, exit, pidfd: fork(2), clone(2), wait(2), waitid(2), pidfd_open(2).
#include "tests/contract/harness.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>

#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2) // <linux/pidfd.h> and <fcntl.h> do not go together

CASE(fork_copies_memory)
{
    int *p = mmap(nullptr, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1;
    IN_CHILD(child)
    {
        EXPECT_EQ(p[0], 1);
        p[0] = 2;
        p[3000] = 9;
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(p[0], 1);
    EXPECT_EQ(p[3000], 0);
}

CASE(fork_shares_open_files_and_offsets)
{
    make_file("f", "abcdef");
    int fd = open("f", O_RDONLY);
    char c;
    IN_CHILD(child)
    {
        EXPECT_EQ(read(fd, &c, 1), 1);
        close(fd);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(read(fd, &c, 1), 1);
    EXPECT_EQ(c, 'b');
}

CASE(fork_child_has_own_ids_and_no_pending_signals)
{
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGUSR1);
    pid_t parent = getpid();
    IN_CHILD(child)
    {
        EXPECT_EQ(getppid(), parent);
        EXPECT(getpid() != parent);
        EXPECT_EQ(getpgrp(), getpgid(parent));
        sigpending(&pending);
        EXPECT(!sigismember(&pending, SIGUSR1));
        sigset_t mask;
        sigprocmask(SIG_SETMASK, nullptr, &mask);
        EXPECT(sigismember(&mask, SIGUSR1)); // but the mask is inherited
    }
    EXPECT_EXITED(child, 0);
}

// A timer that is faster than the fork of a large process does not keep it from ever being done.
CASE(fork_is_done_under_a_fast_timer)
{
    enum { MAPPINGS = 30000 };
    char *p = mmap(nullptr, MAPPINGS * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    for (int i = 0; i < MAPPINGS; i += 2)
        REQUIRE_EQ(mprotect(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
    count_signal(SIGALRM, SA_RESTART);
    struct itimerval timer = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
    REQUIRE_EQ(setitimer(ITIMER_REAL, &timer, nullptr), 0);
    for (int i = 0; i < 3; i++) {
        pid_t child = (pid_t)syscall(SYS_fork); // the library's would block signals around it
        if (child == 0)
            _exit(0);
        REQUIRE(child > 0);
        EXPECT_EXITED(child, 0);
    }
    EXPECT(handled_signals > 0);
}

static void end_at_signal(int)
{
    _exit(7);
}

// A signal to a process group reaches the children that its members are just making.
CASE(fork_under_way_hears_signals_to_its_group)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGUSR1, end_at_signal);
    for (int round = 0; round < 60; round++) {
        int fds[2];
        char c;
        REQUIRE(pipe(fds) == 0);
        IN_CHILD(maker)
        {
            setpgid(0, 0);
            for (int i = 0; i < 200; i++) {
                if (i == 2 + round % 5)
                    (void)!write(fds[1], "x", 1);
                if (syscall(SYS_fork) == 0)
                    for (;;)
                        pause();
            }
            for (;;)
                pause();
        }
        setpgid(maker, maker);
        REQUIRE_EQ(read(fds[0], &c, 1), 1);
        for (volatile int i = 0; i < round * 50; i++)
            ;
        REQUIRE_EQ(kill(-maker, SIGUSR1), 0);
        int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL;
        pid_t got;
        int status = 0;
        while ((got = waitpid(-1, &status, WNOHANG)) >= 0 && now_ns() < end) {
            EXPECT(got == 0 || status == 7 << 8);
            if (got == 0)
                sched_yield();
        }
        EXPECT_EQ(got, -1);
        if (got != -1)
            kill(-maker, SIGKILL);
        close(fds[0]);
        close(fds[1]);
    }
}

CASE(vfork_child_runs_first_in_shared_memory)
{
    volatile int value = 1;
    pid_t child = vfork();
    if (child == 0) {
        value = 2;
        _exit(3);
    }
    EXPECT_EQ(value, 2);
    EXPECT_EXITED(child, 3);
}

HELPER(exit_with)
{
    return atoi(argv[0]);
}

CASE(vfork_parent_goes_on_at_exec)
{
    char *args[] = {"21", nullptr};
    pid_t child = vfork();
    if (child == 0) {
        exec_helper("exit_with", args, nullptr);
        _exit(1);
    }
    EXPECT_EXITED(child, 21);
}

CASE(wait_reports_exit_and_signal)
{
    int status;
    IN_CHILD(a)
    {
        _exit(300); // the low byte counts
    }
    EXPECT_EQ(waitpid(a, &status, 0), a);
    EXPECT(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 44);
    IN_CHILD(b)
    {
        kill(getpid(), SIGKILL);
    }
    EXPECT_EQ(waitpid(b, &status, 0), b);
    EXPECT(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

CASE(wait_without_children_is_echild)
{
    EXPECT_ERRNO(wait(nullptr), ECHILD);
    EXPECT_ERRNO(waitpid(1, nullptr, 0), ECHILD);
    EXPECT_ERRNO(waitpid(-1, nullptr, 0x100), EINVAL);
    EXPECT_ERRNO(waitpid(INT_MIN, nullptr, 0), ESRCH);
    siginfo_t info;
    EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    EXPECT_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
    EXPECT_ERRNO(waitid(9, 0, &info, WEXITED), EINVAL);
}

CASE(wait_nohang_returns_zero_while_running)
{
    IN_CHILD(child)
    {
        pause();
    }
    int status = 77;
    EXPECT_EQ(waitpid(child, &status, WNOHANG), 0);
    EXPECT_EQ(status, 77);
    siginfo_t info = {.si_pid = 5, .si_signo = 6};
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG), 0);
    EXPECT_EQ(info.si_pid, 0);
    EXPECT_EQ(info.si_signo, 0);
    kill(child, SIGTERM);
    EXPECT_KILLED(child, SIGTERM);
}

CASE(wait_any_by_process_group)
{
    IN_CHILD(child)
    {
        setpgid(0, 0);
        _exit(4);
    }
    setpgid(child, child);
    EXPECT_ERRNO(waitpid(0, nullptr, WNOHANG), ECHILD); // none in our own group
    int status;
    EXPECT_EQ(waitpid(-child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 4);
}

CASE(waitid_fills_siginfo_and_can_leave_the_zombie)
{
    IN_CHILD(child)
    {
        _exit(17);
    }
    siginfo_t info = {};
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(info.si_signo, SIGCHLD);
    EXPECT_EQ(info.si_code, CLD_EXITED);
    EXPECT_EQ(info.si_pid, child);
    EXPECT_EQ(info.si_status, 17);
    EXPECT_EXITED(child, 17);
    EXPECT_ERRNO(waitpid(child, nullptr, 0), ECHILD);
}

CASE(wait_sees_stop_and_continue)
{
    IN_CHILD(child)
    {
        for (;;)
            pause();
    }
    int status;
    kill(child, SIGSTOP);
    EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
    EXPECT(WIFSTOPPED(status));
    EXPECT_EQ(WSTOPSIG(status), SIGSTOP);
    EXPECT_EQ(waitpid(child, &status, WUNTRACED | WNOHANG), 0); // told once
    kill(child, SIGCONT);
    EXPECT_EQ(waitpid(child, &status, WCONTINUED), child);
    EXPECT(WIFCONTINUED(status));
    siginfo_t info = {};
    kill(child, SIGSTOP);
    EXPECT_EQ(waitid(P_ALL, 0, &info, WSTOPPED), 0);
    EXPECT_EQ(info.si_code, CLD_STOPPED);
    EXPECT_EQ(info.si_status, SIGSTOP);
    kill(child, SIGKILL); // ends a stopped process too
    EXPECT_KILLED(child, SIGKILL);
}

CASE(wait_is_interrupted_by_a_handler)
{
    IN_CHILD(child)
    {
        pause();
    }
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(waitpid(child, nullptr, 0), EINTR);
    join(killer);
    kill(child, SIGKILL);
}

CASE(wait4_gives_resource_usage)
{
    IN_CHILD(child)
    {
        int64_t until = now_ns() + 60000000;
        while (now_ns() < until)
            ;
    }
    struct rusage usage = {};
    int status;
    EXPECT_EQ(wait4(child, &status, 0, &usage), child);
    EXPECT(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 1000);
}

CASE(wait4_gives_resource_usage_of_the_stopped)
{
    IN_CHILD(child)
    {
        struct timespec cpu;
        do
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
        while (cpu.tv_sec == 0 && cpu.tv_nsec < 50000000);
        raise(SIGSTOP);
    }
    struct rusage usage = {};
    int status;
    EXPECT_EQ(wait4(child, &status, WUNTRACED, &usage), child);
    EXPECT(WIFSTOPPED(status));
    EXPECT(usage.ru_utime.tv_sec || usage.ru_utime.tv_usec || usage.ru_stime.tv_sec || usage.ru_stime.tv_usec);
    EXPECT(usage.ru_maxrss > 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(ignored_sigchld_reaps_children)
{
    signal(SIGCHLD, SIG_IGN);
    IN_CHILD(child)
    {
        _exit(0);
    }
    EXPECT_ERRNO(waitpid(child, nullptr, 0), ECHILD); // it waits, and finds nothing left
}

CASE(nocldwait_reaps_but_still_signals)
{
    count_signal(SIGCHLD, SA_NOCLDWAIT);
    IN_CHILD(child)
    {
        _exit(0);
    }
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR)
        ;
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(handled_signals, 1);
}

static siginfo_t seen_info;

static void keep_info(int, siginfo_t *info, void *)
{
    seen_info = *info;
    handled_signals++;
}

CASE(sigchld_tells_who_and_how)
{
    struct sigaction action = {.sa_sigaction = keep_info, .sa_flags = SA_SIGINFO};
    sigaction(SIGCHLD, &action, nullptr);
    IN_CHILD(child)
    {
        abort();
    }
    while (!handled_signals)
        sleep_ms(1);
    EXPECT_EQ(seen_info.si_pid, child);
    EXPECT_EQ(seen_info.si_uid, getuid());
    EXPECT_EQ(seen_info.si_status, SIGABRT);
    EXPECT(seen_info.si_code == CLD_KILLED || seen_info.si_code == CLD_DUMPED);
    EXPECT_KILLED(child, SIGABRT);
}

CASE(nocldstop_silences_stops)
{
    count_signal(SIGCHLD, SA_NOCLDSTOP);
    IN_CHILD(child)
    {
        for (;;)
            pause();
    }
    int status;
    kill(child, SIGSTOP);
    EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
    EXPECT_EQ(handled_signals, 0);
    count_signal(SIGCHLD, SA_RESTART);
    kill(child, SIGCONT);
    EXPECT_EQ(waitpid(child, &status, WCONTINUED), child);
    while (!handled_signals)
        sleep_ms(1);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(orphan_goes_to_the_subreaper)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t reaper = getpid();
    IN_CHILD(child)
    {
        IN_CHILD(grandchild)
        {
            char c;
            close(fds[1]);
            EXPECT_EQ(read(fds[0], &c, 1), 0); // the parent is gone
            while (getppid() != reaper)
                sleep_ms(1);
            _exit(6);
        }
        EXPECT(grandchild > 0);
    }
    EXPECT_EXITED(child, 0);
    close(fds[1]);
    int status;
    EXPECT(wait(&status) > 0);
    EXPECT_EQ(WEXITSTATUS(status), 6);
}

CASE(parent_death_signal_arrives)
{
    int *done = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    IN_CHILD(child)
    {
        IN_CHILD(grandchild)
        {
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            *done = 1;
            for (;;)
                pause();
        }
        while (!*done)
            sleep_ms(1);
        EXPECT(grandchild > 0);
    }
    EXPECT_EXITED(child, 0);
    int status;
    EXPECT(wait(&status) > 0);
    EXPECT_EQ(WTERMSIG(status), SIGUSR1);
}

// --- whose child: wait(2) __WNOTHREAD, prctl(2) PR_SET_PDEATHSIG. ---

static pid_t forked_by_thread;
static int volatile *go_on; // shared with children

static int *shared_flag(void)
{
    int *flag = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(flag != MAP_FAILED);
    return flag;
}

static pid_t fork_waiter(int death_signal)
{
    IN_CHILD(child)
    {
        if (death_signal)
            prctl(PR_SET_PDEATHSIG, death_signal);
        go_on[1] = 1;
        while (!go_on[0])
            sleep_ms(1);
        _exit(7);
    }
    return child;
}

static pid_t forking_thread;

static void *fork_and_end(void *signal)
{
    forking_thread = own_tid();
    forked_by_thread = fork_waiter((int)(long)signal);
    while (!go_on[1])
        sleep_ms(1);
    return nullptr;
}

static void *wait_for_own(void *other)
{
    int status;
    pid_t own = fork_waiter(0);
    EXPECT_ERRNO(waitpid(*(pid_t *)other, &status, WNOHANG | __WNOTHREAD), ECHILD); // the main thread's
    EXPECT_EQ(waitpid(*(pid_t *)other, &status, WNOHANG), 0);
    EXPECT_EQ(waitpid(-1, &status, WNOHANG | __WNOTHREAD), 0);
    go_on[0] = 1;
    EXPECT_EQ(waitpid(-1, &status, __WNOTHREAD), own);
    EXPECT_ERRNO(waitpid(-1, &status, __WNOTHREAD), ECHILD);
    siginfo_t info;
    EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED | __WNOTHREAD), ECHILD);
    return nullptr;
}

CASE(wait_nothread_sees_the_own_threads_children_only)
{
    pthread_t thread;
    go_on = shared_flag();
    pid_t mine = fork_waiter(0);
    REQUIRE(pthread_create(&thread, nullptr, wait_for_own, &mine) == 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    int status;
    EXPECT_EQ(waitpid(-1, &status, __WNOTHREAD), mine);
}

CASE(wait_nothread_children_of_a_thread_that_ended_belong_to_another)
{
    pthread_t thread;
    go_on = shared_flag();
    REQUIRE(pthread_create(&thread, nullptr, fork_and_end, nullptr) == 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    while (syscall(SYS_tgkill, getpid(), forking_thread, 0) == 0) // it is joined a moment before it is gone
        sched_yield();
    go_on[0] = 1;
    int status;
    EXPECT_EQ(waitpid(-1, &status, __WNOTHREAD), forked_by_thread);
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

CASE(parent_death_signal_is_of_the_thread_that_forked)
{
    pthread_t thread;
    go_on = shared_flag();
    REQUIRE(pthread_create(&thread, nullptr, fork_and_end, (void *)SIGUSR1) == 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    int status;
    EXPECT_EQ(waitpid(forked_by_thread, &status, 0), forked_by_thread);
    EXPECT_EQ(WTERMSIG(status), SIGUSR1);
}

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

CASE(clone_rejects_flag_combinations)
{
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, 0, 0, 0), EINVAL);
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
    enum { TIMES = 800, NOISE = 400 << 10 };
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
    struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)&wanted, .set_tid_size = 1};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0)
        _exit(getpid() == 29123 ? 0 : 1);
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

CASE(exit_flushes_nothing_and_closes_everything)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        dup2(fds[1], 200);
    }
    close(fds[1]);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 0);
    EXPECT_EXITED(child, 0);
}

CASE(zombie_keeps_its_pid_until_waited_for)
{
    IN_CHILD(child)
    {
        _exit(0);
    }
    siginfo_t info;
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(kill(child, 0), 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    EXPECT(strstr(file_text(path), ") Z "));
    EXPECT_EXITED(child, 0);
    EXPECT_ERRNO(kill(child, 0), ESRCH);
}

CASE_WITHIN(40, fork_many_and_wait_for_all)
{
    enum { COUNT = 100 };
    int sum = 0;
    for (int i = 0; i < COUNT; i++) {
        IN_CHILD(child)
        {
            _exit(i);
        }
        EXPECT(child > 0);
    }
    for (int i = 0; i < COUNT; i++) {
        int status;
        EXPECT(wait(&status) > 0);
        sum += WEXITSTATUS(status);
    }
    EXPECT_EQ(sum, COUNT * (COUNT - 1) / 2);
    EXPECT_ERRNO(wait(nullptr), ECHILD);
}

CASE(priority_is_set_and_inherited)
{
    EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 7), 0);
    IN_CHILD(child)
    {
        errno = 0;
        EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 7);
        EXPECT_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 13); // the call itself gives 20 - nice
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 100), 0); // clamped
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 19);
    EXPECT_ERRNO(getpriority(9, 0), EINVAL);
    EXPECT_ERRNO(getpriority(PRIO_PROCESS, 999999), ESRCH);
}

CASE(scheduling_policy_is_set_and_checked)
{
    struct sched_param p = {.sched_priority = 10};
    EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
    EXPECT_EQ(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p), 0);
    EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_RR);
    p.sched_priority = 0;
    EXPECT_EQ(syscall(SYS_sched_getparam, 0, &p), 0);
    EXPECT_EQ(p.sched_priority, 10);
    p.sched_priority = 100;
    EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, 99, &p), EINVAL);
    EXPECT_EQ(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
    EXPECT_EQ(syscall(SYS_sched_get_priority_min, SCHED_FIFO), 1);
    EXPECT_EQ(syscall(SYS_sched_get_priority_max, SCHED_OTHER), 0);
    EXPECT_ERRNO(syscall(SYS_sched_get_priority_max, 77), EINVAL);
    p.sched_priority = 0;
    EXPECT_EQ(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p), 0);
    EXPECT_EQ(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p), 0);
    EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER | SCHED_RESET_ON_FORK);
}
