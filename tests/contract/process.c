// tests/contract/process.c — fork, vfork, wait, exit: fork(2), vfork(2), wait(2), waitid(2), exit(2).
#include "tests/contract/harness.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

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

// A child that has ended does not stop any more, and waiting for that ends when it does.
CASE(waitid_for_stops_does_not_wait_for_who_has_ended)
{
    siginfo_t info;
    IN_CHILD(dead)
    {
    }
    REQUIRE(waitid(P_PID, (id_t)dead, &info, WEXITED | WNOWAIT) == 0);
    EXPECT_ERRNO(waitid(P_PID, (id_t)dead, &info, WSTOPPED), ECHILD);
    EXPECT_ERRNO(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED), ECHILD);
    EXPECT_EXITED(dead, 0);
    IN_CHILD(child)
    {
        until_asleep(getppid());
    }
    EXPECT_ERRNO(waitid(P_ALL, 0, &info, WCONTINUED), ECHILD);
    EXPECT_EXITED(child, 0);
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

CASE(death_signal_is_not_sent_by_one_who_may_not)
{
    int *volatile done = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    IN_CHILD(child)
    {
        IN_CHILD(grandchild)
        {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            *done = getpid();
            for (;;)
                pause();
        }
        while (!*(volatile int *)done)
            sleep_ms(1);
        EXPECT(setresuid(1000, 1000, 1000) == 0);
    }
    EXPECT_EXITED(child, 0);
    sleep_ms(50);
    EXPECT_EQ(waitpid(*done, &status, WNOHANG), 0);
    kill(*done, SIGKILL);
    EXPECT_KILLED(*done, SIGKILL);
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
