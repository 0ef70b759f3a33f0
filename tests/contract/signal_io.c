// tests/contract/signal_io.c — signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG on pipes, FIFOs, sockets and terminals. fcntl(2), socket(7), tty(4).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <termios.h>

static volatile siginfo_t last_info;
static volatile int told;

static void note_info(int, siginfo_t *info, void *)
{
    last_info = *info;
    told++;
}

static void on_signal(int sig)
{
    struct sigaction sa = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO | SA_RESTART};
    REQUIRE(sigaction(sig, &sa, nullptr) == 0);
}

static void raw_owner(int fd, int type, pid_t pid)
{
    struct f_owner_ex o = {.type = type, .pid = pid};
    REQUIRE(fcntl(fd, F_SETOWN_EX, &o) == 0);
}

// The caller hears of `fd` by a real-time signal with information.
static void listen_to(int fd)
{
    on_signal(SIGRTMIN);
    REQUIRE(fcntl(fd, F_SETOWN, getpid()) == 0);
    REQUIRE(fcntl(fd, F_SETSIG, SIGRTMIN) == 0);
    REQUIRE(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0);
}

static void expect_told(int times, int code, int fd)
{
    for (int i = 0; i < 200 && told < times; i++)
        sleep_ms(5);
    EXPECT_EQ(told, times);
    EXPECT_EQ(last_info.si_code, code);
    EXPECT_EQ(last_info.si_fd, fd);
}

CASE(sigio_pipe_reader_hears_of_every_write)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    listen_to(fds[0]);
    EXPECT(fcntl(fds[0], F_GETFL) & O_ASYNC);
    EXPECT_EQ(write(fds[1], "a", 1), 1);
    expect_told(1, POLL_IN, fds[0]);
    EXPECT_EQ(last_info.si_band, POLLIN | POLLRDNORM);
    EXPECT_EQ(last_info.si_signo, SIGRTMIN);
    EXPECT_EQ(write(fds[1], "b", 1), 1);
    expect_told(2, POLL_IN, fds[0]);
    close(fds[1]);
    expect_told(3, POLL_IN, fds[0]);
}

CASE(sigio_pipe_writer_hears_of_room_and_of_the_end)
{
    int fds[2];
    char page[4096];
    REQUIRE(pipe(fds) == 0);
    listen_to(fds[1]);
    EXPECT_EQ(write(fds[1], page, sizeof page), sizeof page);
    EXPECT_EQ(told, 0);
    EXPECT_EQ(read(fds[0], page, 10), 10);
    expect_told(1, POLL_OUT, fds[1]);
    EXPECT_EQ(last_info.si_band, POLLOUT | POLLWRNORM | POLLWRBAND);
    close(fds[0]);
    expect_told(2, POLL_OUT, fds[1]);
}

CASE(sigio_without_owner_or_after_switching_off_is_silent)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    on_signal(SIGIO);
    EXPECT_EQ(fcntl(fds[0], F_GETOWN), 0);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    write_byte(fds[1]);
    EXPECT_EQ(told, 0);
    EXPECT_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    write_byte(fds[1]);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(last_info.si_signo, SIGIO);
    EXPECT_EQ(last_info.si_code, SI_KERNEL);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, 0), 0);
    EXPECT_EQ(fcntl(fds[0], F_GETFL) & O_ASYNC, 0);
    write_byte(fds[1]);
    EXPECT_EQ(told, 1);
    int on = 1;
    EXPECT_EQ(ioctl(fds[0], FIOASYNC, &on), 0);
    EXPECT(fcntl(fds[0], F_GETFL) & O_ASYNC);
    write_byte(fds[1]);
    EXPECT_EQ(told, 2);
    EXPECT_EQ(fcntl(fds[0], F_SETOWN, 0), 0);
    write_byte(fds[1]);
    EXPECT_EQ(told, 2);
}

CASE(sigio_names_the_descriptor_it_was_asked_for)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    listen_to(fds[0]);
    int copy = dup(fds[0]);
    close(fds[0]); // the open file stays, and so does its wish
    write_byte(fds[1]);
    expect_told(1, POLL_IN, fds[0]);
    EXPECT_EQ(fcntl(copy, F_SETFL, 0), 0);
    EXPECT_EQ(fcntl(copy, F_SETFL, O_ASYNC), 0);
    write_byte(fds[1]);
    expect_told(2, POLL_IN, copy);
    close(copy);
    sleep_ms(10);
    told = 0;
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERRNO(write(fds[1], "x", 1), EPIPE);
    EXPECT_EQ(told, 0);
}

CASE(sigio_chosen_signals_with_codes_of_their_own_say_si_sigio)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    listen_to(fds[0]);
    on_signal(SIGCHLD);
    on_signal(SIGIO);
    EXPECT_EQ(fcntl(fds[0], F_SETSIG, SIGCHLD), 0);
    write_byte(fds[1]);
    expect_told(1, SI_SIGIO, fds[0]);
    EXPECT_EQ(fcntl(fds[0], F_SETSIG, SIGIO), 0); // asked for by name: with information
    write_byte(fds[1]);
    expect_told(2, POLL_IN, fds[0]);
    EXPECT_ERRNO(fcntl(fds[0], F_SETSIG, 65), EINVAL);
    EXPECT_ERRNO(fcntl(fds[0], F_SETSIG, -1), EINVAL);
    EXPECT_EQ(fcntl(fds[0], F_GETSIG), SIGIO);
}

CASE(sigio_is_told_by_a_signalfd_as_well)
{
    const int signals[] = {SIGRTMIN, SIGCHLD, SIGUSR1};
    for (int i = 0; i < 3; i++) {
        int fds[2], sig = signals[i];
        struct signalfd_siginfo info = {};
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, sig);
        REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0 && pipe(fds) == 0);
        listen_to(fds[0]);
        EXPECT_EQ(fcntl(fds[0], F_SETSIG, sig), 0);
        int fd = signalfd(-1, &set, SFD_NONBLOCK);
        EXPECT_EQ(write(fds[1], "a", 1), 1);
        EXPECT_EQ(read(fd, &info, sizeof info), sizeof info);
        EXPECT_EQ(info.ssi_signo, sig);
        EXPECT_EQ(info.ssi_fd, fds[0]);
        EXPECT_EQ(info.ssi_band, POLLIN | POLLRDNORM);
        EXPECT_EQ(info.ssi_pid, 0);
    }
}

CASE(sigio_falls_back_when_the_queue_is_full)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    listen_to(fds[0]);
    on_signal(SIGIO);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    struct rlimit_pair { rlim_t cur, max; } none = {0, 0};
    REQUIRE(syscall(SYS_prlimit64, 0, 11 /* RLIMIT_SIGPENDING */, &none, nullptr) == 0);
    write_byte(fds[1]);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(last_info.si_signo, SIGIO);
    EXPECT_EQ(last_info.si_code, SI_KERNEL);
}

static void *in_thread(void *arg)
{
    int *fds = arg;
    sigset_t pending;
    raw_owner(fds[0], F_OWNER_TID, own_tid());
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    write_byte(fds[1]);
    sigpending(&pending);
    EXPECT(sigismember(&pending, SIGIO)); // although the main thread would take it
    return nullptr;
}

CASE(sigio_owner_can_be_a_thread_a_process_or_a_group)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    on_signal(SIGIO);
    REQUIRE(fcntl(fds[0], F_SETFL, O_ASYNC) == 0);
    pthread_t t;
    REQUIRE(pthread_create(&t, nullptr, in_thread, fds) == 0);
    pthread_join(t, nullptr);
    EXPECT_EQ(told, 0);
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(member)
    {
        on_signal(SIGIO);
        write_byte(ready[1]);
        while (!told)
            sleep_ms(2);
        _exit(told == 1 ? 7 : 8);
    }
    char c;
    REQUIRE(read(ready[0], &c, 1) == 1);
    EXPECT_EQ(fcntl(fds[0], F_SETOWN, -getpgrp()), 0);
    EXPECT_EQ(fcntl(fds[0], F_GETOWN), -getpgrp());
    struct f_owner_ex o;
    EXPECT_EQ(fcntl(fds[0], F_GETOWN_EX, &o), 0);
    EXPECT_EQ(o.type, F_OWNER_PGRP);
    EXPECT_EQ(o.pid, getpgrp());
    write_byte(fds[1]);
    EXPECT_EQ(told, 1);
    EXPECT_EXITED(member, 7);
}

CASE(sigio_owner_errors)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    struct f_owner_ex o = {.type = 3, .pid = getpid()};
    EXPECT_ERRNO(fcntl(fds[0], F_SETOWN_EX, &o), EINVAL);
    o = (struct f_owner_ex){.type = F_OWNER_PID, .pid = 999999};
    EXPECT_ERRNO(fcntl(fds[0], F_SETOWN_EX, &o), ESRCH);
    o.pid = -5;
    EXPECT_ERRNO(fcntl(fds[0], F_SETOWN_EX, &o), ESRCH);
    EXPECT_ERRNO(fcntl(fds[0], F_SETOWN_EX, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_fcntl, fds[0], F_SETOWN, 999999), ESRCH);
    EXPECT_ERRNO(syscall(SYS_fcntl, fds[0], F_SETOWN, INT_MIN), EINVAL);
}

CASE(sigio_owner_must_be_one_whom_the_setter_may_signal)
{
    int fds[2], go[2];
    REQUIRE(pipe(fds) == 0 && pipe(go) == 0);
    on_signal(SIGIO);
    REQUIRE(fcntl(fds[0], F_SETFL, O_ASYNC) == 0);
    pid_t parent = getpid();
    IN_CHILD(stranger)
    {
        REQUIRE(setuid(1234) == 0);
        EXPECT_EQ(fcntl(fds[0], F_SETOWN, parent), 0); // allowed to say, but it has no effect
    }
    EXPECT_EXITED(stranger, 0);
    EXPECT_EQ(fcntl(fds[0], F_GETOWN), parent);
    write_byte(fds[1]);
    EXPECT_EQ(told, 0);
}

CASE(sigio_objects_that_can_not_do_it)
{
    int file = open("f", O_RDWR | O_CREAT, 0600), null = open("/dev/null", O_RDWR), on = 1;
    EXPECT_EQ(fcntl(file, F_SETFL, O_ASYNC), 0);
    EXPECT_EQ(fcntl(file, F_GETFL) & O_ASYNC, 0);
    EXPECT_ERRNO(ioctl(file, FIOASYNC, &on), ENOTTY);
    EXPECT_EQ(fcntl(null, F_SETFL, O_ASYNC), 0);
    EXPECT_EQ(fcntl(null, F_GETFL) & O_ASYNC, 0);
    EXPECT_ERRNO(ioctl(null, FIOASYNC, &on), ENOTTY);
    on = 0;
    EXPECT_EQ(ioctl(file, FIOASYNC, &on), 0);
}

CASE(sigio_fifo_opened_for_both_hears_of_both)
{
    REQUIRE(mkfifo("f", 0600) == 0);
    int fd = open("f", O_RDWR);
    char c;
    listen_to(fd);
    write_byte(fd);
    expect_told(1, POLL_IN, fd);
    EXPECT_EQ(read(fd, &c, 1), 1);
    expect_told(2, POLL_OUT, fd);
}

CASE(sigio_stream_socket)
{
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    listen_to(fds[0]);
    write_byte(fds[1]);
    expect_told(1, POLL_IN, fds[0]);
    EXPECT_EQ(last_info.si_band, POLLIN | POLLRDNORM);
    EXPECT_EQ(shutdown(fds[1], SHUT_WR), 0);
    expect_told(2, POLL_IN, fds[0]);
    close(fds[1]);
    expect_told(3, POLL_HUP, fds[0]);
    EXPECT_EQ(last_info.si_band, POLLHUP | POLLERR);
}

static void write_when_we_sleep(long fd)
{
    until_asleep(getpid());
    write_byte(fd);
}

CASE(sigio_stream_socket_reader_asleep_is_not_signalled)
{
    int fds[2];
    char c;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    listen_to(fds[0]);
    thread_t writer = after_ms(20, write_when_we_sleep, fds[1]);
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    join(writer);
    sleep_ms(20);
    EXPECT_EQ(told, 0);
}

CASE(sigio_socket_tells_of_room_after_a_full_buffer)
{
    int fds[2];
    static char block[65536];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    listen_to(fds[0]);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
    while (write(fds[0], block, sizeof block) > 0)
        ;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(told, 0);
    EXPECT_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    while (read(fds[1], block, sizeof block) > 0)
        ;
    expect_told(1, POLL_OUT, fds[0]);
    EXPECT_EQ(last_info.si_band, POLLOUT | POLLWRNORM | POLLWRBAND);
}

CASE(sigio_listener_hears_of_connections)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "l"};
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 5) == 0);
    listen_to(l);
    EXPECT_EQ(connect(c, (void *)&a, sizeof a), 0);
    expect_told(1, POLL_IN, l);
}

CASE(sigio_datagram_sockets)
{
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
    listen_to(fds[0]);
    write_byte(fds[1]);
    expect_told(1, POLL_IN, fds[0]);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int u = socket(AF_INET, SOCK_DGRAM, 0), v = socket(AF_INET, SOCK_DGRAM, 0);
    loopback_up();
    REQUIRE(bind(u, (void *)&in, sizeof in) == 0 && getsockname(u, (void *)&in, &len) == 0);
    listen_to(u);
    EXPECT_EQ(sendto(v, "x", 1, 0, (void *)&in, sizeof in), 1);
    expect_told(2, POLL_IN, u);
}

CASE(sigio_socket_ioctls_set_the_owner)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), who = -getpgrp(), got = 0;
    EXPECT_EQ(ioctl(fd, FIOSETOWN, &who), 0);
    EXPECT_EQ(ioctl(fd, FIOGETOWN, &got), 0);
    EXPECT_EQ(got, who);
    who = getpid();
    EXPECT_EQ(ioctl(fd, SIOCSPGRP, &who), 0);
    EXPECT_EQ(ioctl(fd, SIOCGPGRP, &got), 0);
    EXPECT_EQ(got, who);
    EXPECT_EQ(fcntl(fd, F_GETOWN), who);
    who = 999999;
    EXPECT_ERRNO(ioctl(fd, SIOCSPGRP, &who), ESRCH);
    EXPECT_ERRNO(ioctl(fd, SIOCSPGRP, 8), EFAULT);
}

CASE(sigio_terminal)
{
    own_mount_namespace();
    REQUIRE(mkdir("pts", 0755) == 0 && mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0666") == 0);
    int master = open("pts/ptmx", O_RDWR | O_NOCTTY), unlocked = 0;
    REQUIRE(master >= 0 && ioctl(master, TIOCSPTLCK, &unlocked) == 0);
    int slave = open("pts/0", O_RDWR | O_NOCTTY);
    REQUIRE(slave >= 0);
    on_signal(SIGIO);
    EXPECT_EQ(fcntl(slave, F_SETFL, O_RDWR | O_ASYNC), 0);
    EXPECT_EQ(fcntl(slave, F_GETOWN), getpid()); // the default, as the terminal has no foreground group
    EXPECT_EQ(write(master, "ab", 2), 2);
    sleep_ms(30);
    EXPECT_EQ(told, 0); // no line yet
    EXPECT_EQ(write(master, "\n", 1), 1);
    for (int i = 0; i < 200 && !told; i++)
        sleep_ms(5);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(last_info.si_code, SI_KERNEL);
    struct termios t;
    REQUIRE(tcgetattr(slave, &t) == 0);
    cfmakeraw(&t);
    REQUIRE(tcsetattr(slave, TCSANOW, &t) == 0);
    told = 0;
    listen_to(slave);
    EXPECT_EQ(write(master, "x", 1), 1);
    expect_told(1, POLL_IN, slave);
    told = 0;
    EXPECT_EQ(fcntl(slave, F_SETFL, O_RDWR), 0);
    listen_to(master);
    EXPECT_EQ(write(slave, "y", 1), 1);
    expect_told(1, POLL_IN, master);
}

CASE(sigio_asked_for_by_two_threads_at_once)
{
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    on_signal(SIGIO);
    REQUIRE(fcntl(fds[0], F_SETOWN, getpid()) == 0);
    IN_CHILD(toggler)
    {
        for (int i = 0; i < 3000; i++)
            if (fcntl(fds[0], F_SETFL, i & 1 ? O_ASYNC : 0))
                _exit(9);
    }
    for (int i = 0; i < 3000; i++) {
        write_byte(fds[1]);
        EXPECT_EQ(read(fds[0], &c, 1), 1);
    }
    EXPECT_EXITED(toggler, 0);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    int before = told;
    write_byte(fds[1]);
    EXPECT_EQ(told, before + 1);
}

CASE(sigio_group_whose_members_come_and_go)
{
    enum { MEMBERS = 3, MOVES = 1500 };
    int fds[2], ready[2];
    signal(SIGIO, SIG_IGN);
    REQUIRE(pipe(fds) == 0 && pipe(ready) == 0);
    pid_t members[MEMBERS];
    IN_CHILD(other)
    {
        REQUIRE(setpgid(0, 0) == 0);
        REQUIRE(write(ready[1], "r", 1) == 1);
        for (;;)
            pause();
    }
    char c;
    REQUIRE(read(ready[0], &c, 1) == 1);
    REQUIRE(setpgid(0, 0) == 0 || getpgrp() == getpid());
    raw_owner(fds[0], F_OWNER_PGRP, getpgrp());
    REQUIRE(fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) | O_ASYNC | O_NONBLOCK) == 0);
    pid_t here = getpgrp();
    for (int i = 0; i < MEMBERS; i++) {
        IN_CHILD(member)
        {
            for (int n = 0; n < MOVES; n++)
                REQUIRE(setpgid(0, n & 1 ? here : other) == 0);
        }
        members[i] = member;
    }
    int left = MEMBERS;
    while (left) {
        char bytes[64];
        for (int n = 0; n < 50; n++)
            EXPECT_EQ(write(fds[1], "x", 1), 1);
        EXPECT_EQ(read(fds[0], bytes, sizeof bytes), 50);
        for (int i = 0, status; i < MEMBERS; i++) {
            if (members[i] && waitpid(members[i], &status, WNOHANG) == members[i]) {
                EXPECT_EQ(status, 0);
                members[i] = 0;
                left--;
            }
        }
    }
    kill(other, SIGKILL);
    EXPECT_KILLED(other, SIGKILL);
}
