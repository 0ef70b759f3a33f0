// tests/contract/stop.c — a process stops and continues as one, whatever its threads are doing just then: signal(7), wait(2).
#include "tests/contract/harness.h"

#include <poll.h>
#include <stdatomic.h>

static atomic_int *shared; // by the processes of a case

static void share(void)
{
    shared = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
}

static void start(void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, &attributes, run, arg), 0);
}

// Waits for a stop or a continuation of the child, and no longer than a failure should take.
static void expect_change(pid_t child, int options, int wanted)
{
    int status = 0;
    int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL;
    pid_t got;
    while ((got = waitpid(child, &status, options | WNOHANG)) == 0 && now_ns() < end)
        sched_yield();
    REQUIRE_EQ(got, child);
    REQUIRE_EQ(status, wanted);
}

#define STOPPED_BY(sig) ((sig) << 8 | 0x7f)
#define CONTINUED 0xffff

static void *count_and_end(void *)
{
    atomic_fetch_add(shared, 1);
    return nullptr;
}

static void *come_and_go(void *)
{
    for (;;) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, count_and_end, nullptr) == 0)
            pthread_join(thread, nullptr);
    }
}

// The last thread that is to stop may be just exiting, and one that is just made has to stop too.
CASE(stop_is_complete_while_threads_come_and_go)
{
    share();
    IN_CHILD(child)
    {
        start(come_and_go, nullptr);
        start(come_and_go, nullptr);
        come_and_go(nullptr);
    }
    for (int round = 0; round < 100; round++) {
        int before = *shared;
        while (*shared == before)
            sched_yield();
        REQUIRE_EQ(kill(child, SIGSTOP), 0);
        expect_change(child, WUNTRACED, STOPPED_BY(SIGSTOP));
        before = *shared;
        for (int i = 0; i < 20; i++)
            sched_yield();
        EXPECT_EQ(*shared, before);
        REQUIRE_EQ(kill(child, SIGCONT), 0);
        expect_change(child, WCONTINUED, CONTINUED);
    }
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

// SIGCONT after a stop signal wins, also when the stop signal has just been taken.
static void stop_then_continue(int sig)
{
    int to[2], from[2];
    REQUIRE(pipe(to) == 0 && pipe(from) == 0);
    char c = 0;
    IN_CHILD(child)
    {
        setpgid(0, 0);
        while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1)
            ;
    }
    setpgid(child, child);
    for (int round = 0; round < 400; round++) {
        struct pollfd p = {.fd = from[0], .events = POLLIN};
        REQUIRE_EQ(write(to[1], "x", 1), 1);
        REQUIRE_EQ(kill(child, sig), 0);
        for (volatile int i = 0; i < round % 40 * 50; i++)
            ;
        REQUIRE_EQ(kill(child, SIGCONT), 0);
        REQUIRE_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
        REQUIRE_EQ(read(from[0], &c, 1), 1);
    }
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(stop_is_undone_by_a_continue_that_follows)
{
    stop_then_continue(SIGSTOP);
    stop_then_continue(SIGTSTP);
}

static void *spin(void *)
{
    for (;;)
        ;
}

HELPER(say_so_and_pause)
{
    write_byte(atoi(argv[0]));
    pause();
    return 1;
}

// Whether the parent hears of a stop of the child; false once the child has said that it runs, and goes on with that.
static bool is_told_of_a_stop(pid_t child, int says_so)
{
    struct pollfd p = {.fd = says_so, .events = POLLIN};
    int status = 0;
    int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL;
    bool runs = false;
    for (pid_t got; (got = waitpid(child, &status, WUNTRACED | WNOHANG)) != child; sched_yield()) {
        REQUIRE_EQ(got, 0);
        if (!runs && poll(&p, 1, 0) == 1) {
            runs = true;
            end = now_ns() + 100000000;
        }
        if (now_ns() >= end) {
            REQUIRE(runs);
            return false;
        }
    }
    REQUIRE_EQ(status, STOPPED_BY(SIGSTOP));
    return true;
}

// A stop that comes while exec gets rid of the other threads is of the new program, and the parent hears of it; or it is no stop: Linux drops the signal
// where a thread takes it that exec is about to end.
CASE(stop_during_exec_of_threads_is_told)
{
    share();
    enum { ARGUMENTS = 50, LENGTH = 4000 };
    static char text[LENGTH], *arguments[ARGUMENTS + 1];
    memset(text, 'a', LENGTH - 1);
    char descriptor[16];
    int fds[2], told = 0;
    REQUIRE(pipe2(fds, O_NONBLOCK) == 0);
    snprintf(descriptor, sizeof descriptor, "%d", fds[1]);
    for (int i = 0; i < ARGUMENTS; i++)
        arguments[i] = i ? text : descriptor;
    for (int round = 0; round < 12; round++) {
        *shared = 0;
        IN_CHILD(child)
        {
            start(spin, nullptr);
            *shared = 1;
            exec_helper("say_so_and_pause", arguments, nullptr);
        }
        while (!*shared)
            sched_yield();
        for (volatile int i = 0; i < round * 1000; i++)
            ;
        kill(child, SIGSTOP);
        if (is_told_of_a_stop(child, fds[0])) {
            told++;
        } else { // nothing is left of that one
            kill(child, SIGSTOP);
            expect_change(child, WUNTRACED, STOPPED_BY(SIGSTOP));
        }
        kill(child, SIGKILL);
        EXPECT_KILLED(child, SIGKILL);
        char said;
        while (read(fds[0], &said, 1) == 1)
            ;
    }
    note("%d of 12 stops", told);
}

static void wait_until(atomic_int *word, int value)
{
    while (*word != value)
        sched_yield();
}

// A job of two, one of whom was stopped and then killed, and is not waited for: when its shell goes nothing in it is stopped.
CASE(stop_of_a_member_that_was_killed_hangs_nobody_up)
{
    share();
    atomic_int *told = shared + 1;
    IN_CHILD(shell)
    {
        setsid();
        IN_CHILD(stopped)
        {
            pause();
        }
        setpgid(stopped, stopped);
        IN_CHILD(other)
        {
            pid_t parent = getppid();
            setpgid(0, stopped);
            *shared = 1;
            while (getppid() == parent)
                sched_yield();
            sleep_ms(20); // a SIGHUP would have come by now
            *told = 1;
        }
        wait_until(shared, 1);
        siginfo_t info;
        kill(stopped, SIGSTOP);
        EXPECT_EQ(waitid(P_PID, (id_t)stopped, &info, WSTOPPED), 0);
        kill(stopped, SIGKILL);
        EXPECT_EQ(waitid(P_PID, (id_t)stopped, &info, WEXITED | WNOWAIT), 0);
        EXPECT_EQ(info.si_code, CLD_KILLED);
    }
    EXPECT_EXITED(shell, 0);
    int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL;
    while (!*told && now_ns() < end)
        sched_yield();
    EXPECT(*told);
}

CASE(stop_is_not_reported_of_one_that_was_killed)
{
    IN_CHILD(child)
    {
        pause();
    }
    siginfo_t info;
    kill(child, SIGSTOP);
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT), 0);
    kill(child, SIGKILL);
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WSTOPPED | WCONTINUED | WEXITED), 0);
    EXPECT_EQ(info.si_code, CLD_KILLED);
}

static void *vfork_a_child_that_waits(void *)
{
    if (vfork() == 0) {
        shared[0] = 1;
        while (!shared[1])
            syscall(SYS_sched_yield);
        _exit(0);
    }
    return nullptr;
}

static char state_of(pid_t pid)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const char *name_end = strrchr(file_text(path), ')');
    return name_end ? name_end[2] : 0;
}

// A thread waits for its vfork child and stops for nobody, so that the process never gets to stop as a whole.
CASE(stop_that_is_not_complete_is_continued_too)
{
    share();
    IN_CHILD(child)
    {
        start(vfork_a_child_that_waits, nullptr);
        for (;;)
            pause();
    }
    while (!shared[0])
        sched_yield();
    until_asleep(child);
    kill(child, SIGSTOP);
    int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL;
    while (state_of(child) != 'T' && now_ns() < end)
        sleep_ms(1);
    EXPECT_EQ(waitpid(child, nullptr, WUNTRACED | WNOHANG), 0);
    kill(child, SIGCONT);
    expect_change(child, WCONTINUED, CONTINUED);
    shared[1] = 1;
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

static void *count_signals(void *)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (;;)
        if (sigwaitinfo(&set, nullptr) == SIGUSR1)
            shared[0]++;
}

// A stop that is undone at once leaves a thread that waits for its signal as it was, or interrupts its call; it does not make it deaf.
CASE(stop_that_is_undone_makes_no_waiter_deaf)
{
    share();
    IN_CHILD(child)
    {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        start(count_signals, nullptr);
        shared[1] = 1;
        for (;;)
            pause();
    }
    while (!shared[1])
        sched_yield();
    for (int i = 1; i <= 300; i++) {
        kill(child, SIGSTOP);
        if (i % 3 == 0)
            sched_yield();
        kill(child, SIGCONT);
        if (i % 3 == 1)
            sched_yield();
        kill(child, SIGUSR1);
        for (int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL; shared[0] < i && now_ns() < end;)
            sched_yield();
        REQUIRE_EQ(shared[0], i);
    }
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}
