// tests/contract/storm_process.c — process groups, limits, credentials and waits, used by several threads or processes at once.
#include "tests/contract/storm.h"

#include <sys/resource.h>

// --- Groups. ---

// A signal to a group reaches all of it, those too that are being made: afterwards nobody is left.
CASE(storm_a_group_is_killed_while_it_forks)
{
    for (int round = 0; round < 20; round++) {
        int fds[2];
        char c;
        REQUIRE(pipe(fds) == 0);
        IN_CHILD(leader)
        {
            setpgid(0, 0);
            signal(SIGCHLD, SIG_IGN);
            for (int i = 0; i < 2; i++)
                fork(); // four of them
            write_byte(fds[1]);
            for (;;) {
                if (fork() == 0)
                    _exit(0);
            }
        }
        close(fds[1]);
        REQUIRE_EQ(read(fds[0], &c, 1), 1);
        for (int i = 0; i < round; i++)
            sched_yield();
        EXPECT_EQ(kill(-leader, SIGKILL), 0);
        EXPECT_KILLED(leader, SIGKILL);
        while (read(fds[0], &c, 1) > 0) // the end of the file: no process holds the other end any more
            ;
        close(fds[0]);
    }
}

static pid_t groups[2];

// The group changes while others fork: a child is in one of the two, and in the parent's session.
static void change_group_or_fork(int number)
{
    if (number == 0) {
        EXPECT_EQ(setpgid(0, groups[storm_random(2)]), 0);
        return;
    }
    pid_t session = getsid(0);
    IN_CHILD(child)
    {
        pid_t group = getpgrp();
        EXPECT(group == groups[0] || group == groups[1]);
        EXPECT_EQ(getsid(0), session);
        EXPECT_EQ(setpgid(0, 0), 0);
        EXPECT_EQ(getpgrp(), getpid());
        EXPECT_ERRNO(setsid(), EPERM); // the leader of a group may not
        group = getpgid(getppid());
        EXPECT(group == groups[0] || group == groups[1]);
    }
    EXPECT_EXITED(child, 0);
}

CASE(storm_groups_change_while_threads_fork)
{
    IN_CHILD(process)
    {
        IN_CHILD(other)
        {
            pause();
        }
        EXPECT_EQ(setpgid(other, other), 0);
        EXPECT_EQ(setpgid(0, 0), 0);
        groups[0] = getpid();
        groups[1] = other;
        storm(change_group_or_fork);
        EXPECT_EQ(kill(other, SIGKILL), 0);
        EXPECT_KILLED(other, SIGKILL);
    }
    EXPECT_EXITED(process, 0);
}

// --- Waits. ---

static void fork_and_wait_for_any(int)
{
    pid_t child = fork();
    if (child == 0)
        _exit(5);
    REQUIRE(child > 0);
    int status = 0;
    pid_t got = waitpid(-1, &status, 0); // perhaps another thread's child: as many are waited for as are made
    EXPECT(got > 0);
    EXPECT_EQ(status, 5 << 8);
}

CASE(storm_each_child_is_waited_for_once)
{
    storm(fork_and_wait_for_any);
    EXPECT_ERRNO(waitpid(-1, nullptr, 0), ECHILD);
}

static atomic_long reaped;

static void race_for_one_child(int number)
{
    static pthread_barrier_t *meeting;
    static _Atomic(pid_t) child;
    if (number == 0 && !meeting) {
        static pthread_barrier_t barrier;
        REQUIRE_EQ(pthread_barrier_init(&barrier, nullptr, STORM_THREADS), 0);
        __atomic_store_n(&meeting, &barrier, __ATOMIC_RELEASE);
    }
    while (!__atomic_load_n(&meeting, __ATOMIC_ACQUIRE))
        sched_yield();
    for (int i = 0; i < 30; i++) {
        if (number == 0) {
            child = fork_or_fail(__FILE_NAME__, __LINE__);
            if (child == 0)
                _exit(0);
            reaped = 0;
        }
        pthread_barrier_wait(meeting);
        if (waitpid(child, nullptr, 0) == child)
            atomic_fetch_add(&reaped, 1);
        else
            EXPECT_EQ(errno, ECHILD);
        pthread_barrier_wait(meeting);
        EXPECT_EQ(reaped, 1);
        pthread_barrier_wait(meeting);
    }
    pthread_exit(nullptr);
}

CASE(storm_one_thread_gets_the_status)
{
    storm(race_for_one_child);
    EXPECT_EQ(reaped, 1);
}

// --- Limits: both halves of one are set and read together. ---

enum { APART = 1000 };

static void set_or_get_limit(int number)
{
    struct rlimit limit = {.rlim_cur = storm_random(1000), .rlim_max = 0}, old = {};
    limit.rlim_max = limit.rlim_cur + APART;
    switch (number) {
    case 0:
        EXPECT_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
        return;
    case 1:
        EXPECT_EQ(prlimit(getpid(), RLIMIT_CORE, &limit, &old), 0);
        break;
    case 2:
        EXPECT_EQ(getrlimit(RLIMIT_CORE, &old), 0);
        break;
    default: {
        IN_CHILD(child) // it inherits a whole one
        {
            EXPECT_EQ(getrlimit(RLIMIT_CORE, &old), 0);
            EXPECT_EQ(old.rlim_max, old.rlim_cur + APART);
        }
        EXPECT_EXITED(child, 0);
        return;
    }
    }
    EXPECT_EQ(old.rlim_max, old.rlim_cur + APART);
}

CASE(storm_limits_are_set_and_read_whole)
{
    struct rlimit limit = {.rlim_cur = 0, .rlim_max = APART};
    REQUIRE(setrlimit(RLIMIT_CORE, &limit) == 0);
    storm(set_or_get_limit);
}

// --- Credentials are a thread's own, and change as a whole. ---

static _Atomic(pid_t) tids[STORM_THREADS];

// False if the thread has ended.
static bool read_ids(pid_t tid, const char *label, unsigned ids[4])
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n < 0) {
        EXPECT(tid != own_tid() && (errno == ENOENT || errno == ESRCH));
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    text[n] = '\0';
    const char *line = strstr(text, label);
    REQUIRE(line && sscanf(line + strlen(label), "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4);
    return true;
}

static void change_ids(int number)
{
    unsigned id = 1000u + (unsigned)number * 1000 + storm_random(1000), ids[4], real, effective, saved;
    tids[number] = own_tid();
    EXPECT_EQ(syscall(SYS_setresuid, id, 0, id), 0);
    EXPECT_EQ(syscall(SYS_getresuid, &real, &effective, &saved), 0);
    EXPECT(real == id && effective == 0 && saved == id);
    read_ids(own_tid(), "\nUid:", ids);
    EXPECT(ids[0] == id && ids[1] == 0 && ids[2] == id && ids[3] == 0);
    EXPECT_EQ(syscall(SYS_setresgid, -1, id, -1), 0);
    read_ids(own_tid(), "\nGid:", ids);
    EXPECT(ids[1] == id && ids[3] == id); // with the one for files
    int other = (number + 1) % STORM_THREADS;
    if (tids[other] == 0 || !read_ids(tids[other], "\nUid:", ids))
        return;
    EXPECT(ids[0] == ids[2] && ids[1] == 0 && ids[3] == 0); // one change of the other's, not half of two
    EXPECT(ids[0] == 0 || ids[0] / 1000 == 1u + (unsigned)other);
}

CASE(storm_credentials_are_of_one_thread)
{
    unsigned ids[4];
    IN_CHILD(process)
    {
        storm(change_ids);
        read_ids(own_tid(), "\nUid:", ids);
        EXPECT(ids[0] == 0 && ids[1] == 0 && ids[2] == 0 && ids[3] == 0); // this one changed nothing
    }
    EXPECT_EXITED(process, 0);
}
