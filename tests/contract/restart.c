// tests/contract/restart.c — what an interrupted call does: started again with SA_RESTART, EINTR without, EINTR always for some. signal(7).
#include "tests/contract/restart.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/personality.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

static thread_t sender, releaser;
static void (*release_action)(long);
static pid_t waiting_thread;

// Not before the handler has run and the call waits again (or has ended, and the case waits for this thread).
static void release_later(long arg)
{
    for (int waited = 0; handled_signals == 0 && waited < LONG_TIMEOUT_MS; waited++)
        sleep_ms(1);
    until_asleep(waiting_thread);
    release_action(arg);
}

void begin_interruption(bool restarts, void (*release)(long), long arg)
{
    count_signal(SIGUSR1, restarts ? SA_RESTART : 0);
    handled_signals = 0;
    waiting_thread = own_tid();
    release_action = release;
    sender = after_ms(1, kill_thread, pack_kill(own_tid(), SIGUSR1));
    releaser = release ? after_ms(1, release_later, arg) : nullptr;
}

void end_interruption(void)
{
    join(sender);
    if (releaser)
        join(releaser);
    EXPECT_EQ(handled_signals, 1);
}

CASE(restart_read_of_a_pipe)
{
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    RESTARTABLE(read(fds[0], &c, 1), 1, write_byte, fds[1]);
}

static void drain(long fd)
{
    static char buffer[65536];
    EXPECT(read((int)fd, buffer, sizeof buffer) > 0);
}

CASE(restart_write_to_a_full_pipe)
{
    int fds[2];
    static char full[65536];
    REQUIRE(pipe(fds) == 0);
    REQUIRE_EQ(write(fds[1], full, sizeof full), sizeof full);
    begin_interruption(true, drain, fds[0]);
    EXPECT_EQ(write(fds[1], full, sizeof full), sizeof full);
    end_interruption();
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(write(fds[1], "x", 1), EINTR);
    end_interruption();
}

CASE(restart_partial_write_is_not_an_error)
{
    int fds[2];
    static char full[65536 + 8192];
    REQUIRE(pipe(fds) == 0);
    begin_interruption(true, nullptr, 0);
    EXPECT_EQ(write(fds[1], full, sizeof full), 65536); // what went in before the signal
    end_interruption();
}

CASE(restart_receive_and_accept)
{
    int pair[2];
    char c;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    RESTARTABLE(recv(pair[0], &c, 1, 0), 1, write_byte, pair[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(accept(listener, nullptr, nullptr), EINTR);
    end_interruption();
}

CASE(restart_receive_with_a_timeout_is_eintr)
{
    int pair[2];
    char c;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    struct timeval t = {.tv_sec = 5};
    REQUIRE(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
    NEVER_RESTARTED(recv(pair[0], &c, 1, 0));
}

CASE(restart_wait_for_a_child)
{
    IN_CHILD(child)
    {
        pause();
    }
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(waitpid(child, nullptr, 0), EINTR);
    end_interruption();
    begin_interruption(true, kill_child, pack_kill(child, SIGKILL));
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    end_interruption();
}

CASE(restart_wait_for_a_child_by_waitid)
{
    IN_CHILD(child)
    {
        pause();
    }
    siginfo_t info;
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(waitid(P_PID, (id_t)child, &info, WEXITED), EINTR);
    end_interruption();
    begin_interruption(true, kill_child, pack_kill(child, SIGKILL));
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED), 0);
    end_interruption();
    EXPECT_EQ(info.si_status, SIGKILL);
}

static int futex_word;

static void wake_futex([[maybe_unused]] long unused)
{
    __atomic_store_n(&futex_word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &futex_word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

CASE(restart_futex_wait)
{
    begin_interruption(true, wake_futex, 0);
    EXPECT_EQ(syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, nullptr, nullptr, 0), 0);
    end_interruption();
    futex_word = 0;
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, nullptr, nullptr, 0), EINTR);
    end_interruption();
}

CASE(restart_record_and_file_locks)
{
    int fds[2];
    char c;
    make_file("f", "x");
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(holder)
    {
        int fd = open("f", O_RDWR);
        struct flock lock = {.l_type = F_WRLCK};
        EXPECT_EQ(fcntl(fd, F_SETLK, &lock), 0);
        EXPECT_EQ(flock(fd, LOCK_EX), 0);
        write(fds[1], "r", 1);
        pause();
    }
    REQUIRE(read(fds[0], &c, 1) == 1);
    int fd = open("f", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK};
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(flock(fd, LOCK_EX), EINTR);
    end_interruption();
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(fcntl(fd, F_SETLKW, &lock), EINTR);
    end_interruption();
    begin_interruption(true, kill_child, pack_kill(holder, SIGKILL));
    EXPECT_EQ(flock(fd, LOCK_EX), 0);
    end_interruption();
    EXPECT_KILLED(holder, SIGKILL);
}

static void open_other_end(long unused)
{
    (void)unused;
    EXPECT(open("fifo", O_WRONLY) >= 0);
}

CASE(restart_open_of_a_fifo)
{
    REQUIRE(mkfifo("fifo", 0600) == 0);
    begin_interruption(false, nullptr, 0);
    EXPECT_ERRNO(open("fifo", O_RDONLY), EINTR);
    end_interruption();
    begin_interruption(true, open_other_end, 0);
    EXPECT(open("fifo", O_RDONLY) >= 0);
    end_interruption();
}

static int select_five_seconds(int fd)
{
    fd_set set;
    struct timeval t = {.tv_sec = 5};
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return select(fd + 1, &set, nullptr, nullptr, &t);
}

CASE(restart_never_of_poll_and_select)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    NEVER_RESTARTED(poll(&p, 1, 5000));
    NEVER_RESTARTED(select_five_seconds(fds[0]));
}

CASE(restart_never_of_epoll_wait)
{
    struct epoll_event event;
    int fd = epoll_create1(0);
    NEVER_RESTARTED(epoll_wait(fd, &event, 1, 5000));
}

CASE(restart_never_of_sleeps_and_signal_waits)
{
    struct timespec t = {.tv_sec = 5};
    NEVER_RESTARTED(nanosleep(&t, nullptr));
    begin_interruption(true, nullptr, 0);
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr), EINTR);
    end_interruption();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    NEVER_RESTARTED(syscall(SYS_rt_sigtimedwait, &set, nullptr, &t, 8)); // the C library calls again by itself
    NEVER_RESTARTED(pause());
    sigemptyset(&set);
    NEVER_RESTARTED(sigsuspend(&set));
}

// Calls in progress go on after SIGSTOP and SIGCONT, if no handler ran.
static void *stop_and_continue(void *target)
{
    pid_t pid = (pid_t)(long)target;
    sleep_ms(60);
    kill(pid, SIGSTOP);
    sleep_ms(60);
    kill(pid, SIGCONT);
    return nullptr;
}

static void expect_goes_on(void (*call)(void))
{
    IN_CHILD(child)
    {
        call();
    }
    stop_and_continue((void *)(long)child);
    stop_and_continue((void *)(long)child); // what was restarted is restarted again
    EXPECT_EXITED(child, 0);
}

static void long_poll(void)
{
    EXPECT_EQ(poll(nullptr, 0, 300), 0);
}

static void long_sleep(void)
{
    struct timespec t = {.tv_nsec = 300000000};
    EXPECT_EQ(nanosleep(&t, nullptr), 0);
}

static void long_futex(void)
{
    struct timespec t = {.tv_nsec = 300000000};
    int word = 0;
    EXPECT_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, nullptr, 0), ETIMEDOUT);
}

static void long_select(void)
{
    struct timeval t = {.tv_usec = 300000};
    EXPECT_EQ(select(0, nullptr, nullptr, nullptr, &t), 0);
}

CASE(restart_after_stop_and_continue)
{
    expect_goes_on(long_poll);
    expect_goes_on(long_sleep);
    expect_goes_on(long_futex);
    expect_goes_on(long_select);
}

// Its call, for which it waits, ends when it is stopped and continued.
static void expect_ends_by_stop(pid_t child)
{
    int status;
    until_asleep(child);
    kill(child, SIGSTOP);
    EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
    kill(child, SIGCONT);
    EXPECT_EXITED(child, 0);
}

static void wait_in_epoll(void)
{
    struct epoll_event event;
    EXPECT_ERRNO(epoll_wait(epoll_create1(0), &event, 1, LONG_TIMEOUT_MS), EINTR); // one of those that a stop interrupts: signal(7)
}

CASE(restart_epoll_wait_is_interrupted_by_stop)
{
    IN_CHILD(child)
    {
        wait_in_epoll();
    }
    expect_ends_by_stop(child);
}

// With STICKY_TIMEOUTS nobody learns what is left of the time, so the call does not begin again.
CASE(restart_of_select_needs_to_tell_what_is_left)
{
    IN_CHILD(child)
    {
        struct timeval t = {.tv_sec = LONG_TIMEOUT_MS / 1000};
        EXPECT(personality(STICKY_TIMEOUTS) >= 0);
        EXPECT_ERRNO(select(0, nullptr, nullptr, nullptr, &t), EINTR);
        EXPECT_EQ(t.tv_sec, LONG_TIMEOUT_MS / 1000);
    }
    expect_ends_by_stop(child);
}

CASE(restart_ignored_signal_interrupts_nothing)
{
    signal(SIGUSR1, SIG_IGN);
    int64_t start = now_ns();
    thread_t sender = after_ms(30, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_EQ(poll(nullptr, 0, 150), 0);
    EXPECT(now_ns() - start >= 150000000);
    join(sender);
}

CASE(restart_syscall_without_a_call_to_restart_is_eintr)
{
    EXPECT_ERRNO(syscall(SYS_restart_syscall), EINTR);
    count_signal(SIGUSR1, 0);
    struct timespec t = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    thread_t sender = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(nanosleep(&t, &t), EINTR);
    join(sender);
    EXPECT_ERRNO(syscall(SYS_restart_syscall), EINTR); // what a handler ended is over
}
