// tests/stress/processes.c — work that makes processes, threads and signals, and sees them end.
#include "churn.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static char written[64 * PAGE]; // copied on write by children

static void fork_and_write(void)
{
    unsigned code = pick(100);
    memset(written, (int)code, sizeof written);
    pid_t child = fork_or_die();
    if (child == 0) {
        for (size_t at = 0; at < sizeof written; at += PAGE)
            written[at]++;
        _exit((int)code);
    }
    for (size_t at = 0; at < sizeof written; at += 8 * PAGE)
        written[at] = 0;
    expect_status(child, EXITED((int)code));
}

// The middle process ends first; its child is handed to the worker, which asked for that.
static void orphan(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t middle = fork_or_die();
    if (middle == 0) {
        if (fork_or_die() == 0) {
            usleep(pick(2000));
            _exit(3);
        }
        _exit(4);
    }
    expect_status(middle, EXITED(4));
    int status;
    CHECK(wait(&status) > 0 && status == EXITED(3));
}

static void fork_and_exec(void)
{
    pid_t child = fork_or_die();
    if (child == 0) {
        exec_leaf(7);
        _exit(99);
    }
    expect_status(child, EXITED(7));
}

static void vfork_and_exec(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl("/proc/self/exe", "churn", "--leaf", "9", nullptr);
        _exit(99);
    }
    if (child > 0)
        expect_status(child, EXITED(9));
    CHECK(child > 0);
}

static void exec_that_fails(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/broken", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    CHECK(write(fd, "\177ELF\2\1\1 and no more", 20) == 20);
    close(fd);
    pid_t child = fork_or_die();
    if (child == 0) {
        execl(path, "broken", nullptr);
        bool broken = errno == ENOEXEC;
        execl("/tmp/does/not/exist", "none", nullptr);
        _exit(broken && errno == ENOENT ? 5 : 6);
    }
    expect_status(child, EXITED(5));
    unlink(path);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int arrived;

static void *arrive(void *arg)
{
    pthread_mutex_lock(&mutex);
    arrived++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return arg;
}

static void threads(void)
{
    pthread_t ids[4];
    arrived = 0;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&ids[i], nullptr, arrive, &ids[i]) == 0);
    pthread_mutex_lock(&mutex);
    while (arrived < 4)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK(pthread_join(ids[i], &result) == 0 && result == &ids[i]);
    }
}

static void *never_end(void *arg)
{
    volatile unsigned spins = 0;
    for (;;) {
        if (arg)
            pause();
        else
            spins++;
    }
    return nullptr;
}

// Threads that run and threads that sleep are ended by exit_group, by exec, or by a signal.
static void threads_die_with_their_process(void)
{
    unsigned way = pick(3);
    pid_t child = fork_or_die();
    if (child == 0) {
        pthread_t id;
        for (uintptr_t i = 0; i < 3; i++) {
            if (pthread_create(&id, nullptr, never_end, (void *)i))
                _exit(98);
        }
        usleep(pick(1000));
        if (way == 0)
            exit(11);
        if (way == 1)
            exec_leaf(11);
        raise(SIGKILL);
        _exit(99);
    }
    expect_status(child, way == 2 ? KILLED_BY(SIGKILL) : EXITED(11));
}

static void stop_continue_kill(void)
{
    pid_t child = fork_or_die();
    if (child == 0) {
        for (;;)
            pause();
    }
    int status;
    kill(child, SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    kill(child, SIGCONT);
    CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    int signal = pick(2) ? SIGKILL : SIGTERM;
    kill(child, signal);
    expect_status(child, KILLED_BY(signal));
}

// Signals wait in a queue; some are taken, the others die with the process.
static void queued_signals(void)
{
    pid_t child = fork_or_die();
    if (child == 0) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN + 2);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        for (int i = 0; i < 20; i++) {
            if (sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i}))
                _exit(1);
        }
        for (int i = 0; i < 10; i++) {
            siginfo_t info;
            if (sigtimedwait(&set, &info, &(struct timespec){.tv_sec = 60}) != SIGRTMIN + 2 || info.si_value.sival_int != i)
                _exit(2);
        }
        _exit(0);
    }
    expect_status(child, EXITED(0));
}

static sigjmp_buf after_fault;
static volatile sig_atomic_t ticks;

static void on_fault(int)
{
    siglongjmp(after_fault, 1);
}

static void on_tick(int)
{
    ticks++;
}

// Faults are handled on another stack, timers interrupt a loop.
static void handlers(void)
{
    pid_t child = fork_or_die();
    if (child == 0) {
        char *stack = mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 16 * PAGE}, nullptr);
        struct sigaction act = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
        sigaction(SIGSEGV, &act, nullptr);
        for (volatile int i = 0; i < 5; i++) {
            if (!sigsetjmp(after_fault, 1)) {
                *(volatile char *)16 = 1;
                _exit(1);
            }
        }
        signal(SIGALRM, on_tick);
        setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 500, .it_interval.tv_usec = 500}, nullptr);
        while (ticks < 4)
            ;
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer))
            _exit(2);
        timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = 300000}, nullptr);
        _exit(0); // with timers running
    }
    expect_status(child, EXITED(0));
}

// A namespace of each kind, with mounts inside, goes with its last process.
static void namespaces(void)
{
    pid_t child = fork_or_die();
    if (child == 0) {
        if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS) || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) ||
            mount("tmpfs", folder, "tmpfs", 0, "size=1m") || sethostname("churn", 5))
            _exit(1);
        pid_t first = fork();
        if (first == 0) {
            char path[64];
            snprintf(path, sizeof path, "%s/file", folder);
            int fd = open(path, O_CREAT | O_RDWR, 0600);
            bool written_whole = write(fd, written, sizeof written) == sizeof written;
            _exit(getpid() == 1 && written_whole && mount("proc", "/proc", "proc", 0, nullptr) == 0 ? 12 : 13);
        }
        int status;
        _exit(waitpid(first, &status, 0) == first && status == EXITED(12) ? 0 : 2);
    }
    expect_status(child, EXITED(0));
}

static void control_groups(void)
{
    char path[80], procs[96];
    snprintf(path, sizeof path, "/tmp/cgroup/churn.%u", worker);
    snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
    CHECK(mkdir(path, 0755) == 0);
    pid_t child = fork_or_die();
    if (child == 0) {
        int fd = open(procs, O_WRONLY);
        bool moved = write(fd, "0", 1) == 1;
        _exit(moved ? 0 : 1);
    }
    expect_status(child, EXITED(0));
    CHECK(rmdir(path) == 0);
}

// The owner of a lock in shared memory dies; the next one is told.
static void robust_mutex(void)
{
    pthread_mutex_t *shared_mutex = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(shared_mutex, &attributes);
    pid_t child = fork_or_die();
    if (child == 0) {
        pthread_mutex_lock(shared_mutex);
        _exit(0);
    }
    expect_status(child, EXITED(0));
    CHECK(pthread_mutex_lock(shared_mutex) == EOWNERDEAD);
    munmap(shared_mutex, PAGE);
}

const struct action process_actions[] = {
    {"fork_and_write", fork_and_write},
    {"orphan", orphan},
    {"fork_and_exec", fork_and_exec},
    {"vfork_and_exec", vfork_and_exec},
    {"exec_that_fails", exec_that_fails},
    {"threads", threads},
    {"threads_die_with_their_process", threads_die_with_their_process},
    {"stop_continue_kill", stop_continue_kill},
    {"queued_signals", queued_signals},
    {"handlers", handlers},
    {"namespaces", namespaces},
    {"control_groups", control_groups},
    {"robust_mutex", robust_mutex},
    {},
};
