// tests/contract/restart_wait.c — polls, futexes, locks and waits for children that a signal interrupts. signal(7).
#include "tests/contract/restart.h"

#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/select.h>

static const struct timespec five_seconds = {.tv_sec = 5};

CASE(restart_never_of_ppoll_and_pselect)
{
    int fds[2];
    sigset_t none;
    fd_set set;
    sigemptyset(&none);
    REQUIRE(pipe(fds) == 0);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    NEVER_RESTARTED(ppoll(&p, 1, &five_seconds, nullptr));
    NEVER_RESTARTED(ppoll(&p, 1, nullptr, &none));
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    NEVER_RESTARTED(pselect(fds[0] + 1, &set, nullptr, nullptr, &five_seconds, nullptr));
    EXPECT(FD_ISSET(fds[0], &set)); // as it was
    NEVER_RESTARTED(pselect(fds[0] + 1, &set, nullptr, nullptr, nullptr, &none));
}

CASE(restart_never_of_epoll_pwait)
{
    struct epoll_event event;
    sigset_t none;
    sigemptyset(&none);
    int fd = epoll_create1(0);
    NEVER_RESTARTED(epoll_pwait(fd, &event, 1, 5000, nullptr));
    NEVER_RESTARTED(epoll_pwait(fd, &event, 1, -1, &none));
    NEVER_RESTARTED(syscall(SYS_epoll_pwait2, fd, &event, 1, &five_seconds, nullptr, 8));
    NEVER_RESTARTED(syscall(SYS_epoll_pwait2, fd, &event, 1, nullptr, &none, 8));
}

// The mask a call brings is in force while the handler's signal is chosen, and the old one is back afterwards.
CASE(restart_polls_with_a_mask_let_a_blocked_signal_in)
{
    struct epoll_event event;
    sigset_t blocked, none, now;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    int fd = epoll_create1(0);
    count_signal(SIGUSR1, SA_RESTART);
    sigprocmask(SIG_SETMASK, &blocked, nullptr);
    for (int way = 0; way < 4; way++) {
        handled_signals = 0;
        EXPECT_EQ(raise(SIGUSR1), 0);
        EXPECT_EQ(handled_signals, 0);
        switch (way) {
        case 0:
            EXPECT_ERRNO(ppoll(nullptr, 0, &five_seconds, &none), EINTR);
            break;
        case 1:
            EXPECT_ERRNO(pselect(0, nullptr, nullptr, nullptr, &five_seconds, &none), EINTR);
            break;
        case 2:
            EXPECT_ERRNO(epoll_pwait(fd, &event, 1, 5000, &none), EINTR);
            break;
        case 3:
            EXPECT_ERRNO(syscall(SYS_epoll_pwait2, fd, &event, 1, &five_seconds, &none, 8), EINTR);
            break;
        }
        EXPECT_EQ(handled_signals, 1);
        sigprocmask(SIG_SETMASK, nullptr, &now);
        EXPECT_EQ(sigismember(&now, SIGUSR1), 1);
    }
}

CASE(restart_never_of_an_absolute_sleep)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += 5;
    for (int restarts = 0; restarts < 2; restarts++) {
        begin_interruption(restarts, nullptr, 0);
        EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr), EINTR);
        end_interruption();
    }
}

// --- Futexes. ---

static uint32_t word;

static void wake(long)
{
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

static long futex_wait_2(const struct timespec *timeout)
{
    return syscall(455, &word, 0ul, ~0ul & UINT32_MAX, 2u, timeout, CLOCK_MONOTONIC); // FUTEX2_SIZE_U32
}

CASE(restart_futex_wait_of_its_own)
{
    RESTARTABLE(futex_wait_2(nullptr), 0, wake, 0);
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += 5;
    RESTARTABLE(futex_wait_2(&t), 0, wake, 0); // the timeout is a point in time
}

CASE(restart_futex_wait_with_a_timeout)
{
    NEVER_RESTARTED(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &five_seconds, nullptr, 0));
    RESTARTABLE(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 1), 0, wake, 0);
}

// --- Locks. ---

static pid_t hold_lock(bool whole_file)
{
    int fds[2];
    char c;
    make_file("f", "x");
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(holder)
    {
        int fd = open("f", O_RDWR);
        struct flock lock = {.l_type = F_WRLCK};
        EXPECT_EQ(whole_file ? fcntl(fd, F_OFD_SETLK, &lock) : fcntl(fd, F_SETLK, &lock), 0);
        write(fds[1], "r", 1);
        pause();
    }
    REQUIRE(read(fds[0], &c, 1) == 1);
    close(fds[0]);
    close(fds[1]);
    return holder;
}

static void expect_lock_restarts(int command)
{
    pid_t holder = hold_lock(command == F_OFD_SETLKW);
    int fd = open("f", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK};
    INTERRUPTED(false, fcntl(fd, command, &lock));
    begin_interruption(true, kill_child, pack_kill(holder, SIGKILL));
    EXPECT_EQ(fcntl(fd, command, &lock), 0);
    end_interruption();
    EXPECT_KILLED(holder, SIGKILL);
    IN_CHILD(other)
    {
        int again = open("f", O_RDWR);
        EXPECT_ERRNO(fcntl(again, F_OFD_SETLK, &lock), EAGAIN); // it is held now
    }
    EXPECT_EXITED(other, 0);
    close(fd);
}

CASE(restart_wait_for_a_record_lock)
{
    expect_lock_restarts(F_SETLKW);
}

CASE(restart_wait_for_a_lock_of_the_open_file)
{
    expect_lock_restarts(F_OFD_SETLKW);
}

// --- Children. ---

CASE(restart_wait_for_a_child_by_pidfd)
{
    IN_CHILD(child)
    {
        pause();
    }
    siginfo_t info = {};
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    REQUIRE(fd >= 0);
    INTERRUPTED(false, waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
    begin_interruption(true, kill_child, pack_kill(child, SIGKILL));
    EXPECT_EQ(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
    end_interruption();
    EXPECT_EQ(info.si_pid, child);
    EXPECT_EQ(info.si_code, CLD_KILLED);
}

struct vfork_pipes {
    int go[2], ready[2];
};

static int handled_in_the_parent;

static void note_handled(int)
{
    handled_in_the_parent++;
}

static int wait_in_vfork(void *opaque)
{
    char c;
    struct vfork_pipes *pipes = opaque;
    write_byte(pipes->ready[1]);
    return read(pipes->go[0], &c, 1) == 1 && handled_in_the_parent == 0 ? 7 : 1;
}

// A child that has forked as vfork(2) does, and waits until the pipe `go` says that its own child may end.
static pid_t fork_into_vfork(struct vfork_pipes *pipes)
{
    char c;
    static char stack[16384];
    REQUIRE(pipe(pipes->go) == 0 && pipe(pipes->ready) == 0);
    IN_CHILD(parent)
    {
        signal(SIGUSR1, note_handled);
        pid_t child = clone(wait_in_vfork, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, pipes);
        REQUIRE(child > 0);
        EXPECT_EQ(handled_in_the_parent, 1);
        EXPECT_EXITED(child, 7);
    }
    REQUIRE_EQ(read(pipes->ready[0], &c, 1), 1);
    return parent;
}

// A process that waits in vfork(2) for its child runs no handler before the child has ended or run a program; but it can be killed.
CASE(restart_vfork_waits_through_signals)
{
    struct vfork_pipes pipes;
    pid_t parent = fork_into_vfork(&pipes);
    EXPECT_EQ(kill(parent, SIGUSR1), 0);
    write_byte(pipes.go[1]);
    EXPECT_EXITED(parent, 0);
}

CASE(restart_vfork_can_be_killed)
{
    struct vfork_pipes pipes;
    pid_t parent = fork_into_vfork(&pipes);
    EXPECT_EQ(kill(parent, SIGKILL), 0);
    EXPECT_KILLED(parent, SIGKILL);
    write_byte(pipes.go[1]); // the child goes on without it
}
