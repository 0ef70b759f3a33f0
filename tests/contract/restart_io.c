// tests/contract/restart_io.c — reads, writes and socket calls that a signal interrupts. signal(7), socket(7).
#include "tests/contract/restart.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>

static char buffer[1 << 16];

static void drain_one(long fd)
{
    EXPECT(read((int)fd, buffer, sizeof buffer) > 0);
}

static void fill(int fd)
{
    fill_up(fd, buffer, sizeof buffer);
}

static void drain_all(long fd)
{
    int flags = fcntl((int)fd, F_GETFL);
    fcntl((int)fd, F_SETFL, flags | O_NONBLOCK);
    while (read((int)fd, buffer, sizeof buffer) > 0)
        ;
    EXPECT_EQ(errno, EAGAIN);
    fcntl((int)fd, F_SETFL, flags);
}

CASE(restart_readv_and_writev_of_a_pipe)
{
    int fds[2];
    char a[1], b[1];
    struct iovec two[] = {{a, 1}, {b, 1}}, block = {buffer, PAGE};
    REQUIRE(pipe(fds) == 0);
    RESTARTABLE(readv(fds[0], two, 2), 1, write_byte, fds[1]);
    fill(fds[1]);
    RESTARTABLE(writev(fds[1], &block, 1), PAGE, drain_one, fds[0]);
    EXPECT_EQ(read(fds[0], buffer, sizeof buffer), PAGE); // once, not twice
}

CASE(restart_open_of_a_fifo_for_writing)
{
    REQUIRE(mkfifo("fifo", 0600) == 0);
    INTERRUPTED(false, open("fifo", O_WRONLY));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr); // for the child, from its first moment
    IN_CHILD(reader)
    {
        int got;
        sigwait(&set, &got);
        EXPECT(open("fifo", O_RDONLY) >= 0);
    }
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    begin_interruption(true, kill_child, pack_kill(reader, SIGUSR1));
    EXPECT(open("fifo", O_WRONLY) >= 0);
    end_interruption();
    EXPECT_EXITED(reader, 0);
}

CASE(restart_tee_vmsplice_and_splice)
{
    int from[2], to[2];
    struct iovec block = {buffer, PAGE};
    REQUIRE(pipe(from) == 0 && pipe(to) == 0);
    RESTARTABLE(tee(from[0], to[1], 1, 0), 1, write_byte, from[1]);
    drain_all(from[0]);
    drain_all(to[0]);
    RESTARTABLE(splice(from[0], nullptr, to[1], nullptr, 1, 0), 1, write_byte, from[1]);
    drain_all(to[0]);
    fill(to[1]);
    write_byte(from[1]);
    RESTARTABLE(tee(from[0], to[1], 1, 0), 1, drain_all, to[0]);
    drain_all(to[0]);
    fill(to[1]);
    RESTARTABLE(vmsplice(to[1], &block, 1, 0), PAGE, drain_all, to[0]);
}

static void write_count(long fd)
{
    uint64_t one = 1;
    EXPECT_EQ(write((int)fd, &one, sizeof one), sizeof one);
}

CASE(restart_read_and_write_of_an_eventfd)
{
    uint64_t count, most = UINT64_MAX - 1, one = 1;
    int fd = eventfd(0, 0);
    RESTARTABLE(read(fd, &count, sizeof count), sizeof count, write_count, fd);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(write(fd, &most, sizeof most), sizeof most);
    RESTARTABLE(write(fd, &one, sizeof one), sizeof one, drain_one, fd);
    EXPECT_EQ(read(fd, &count, sizeof count), sizeof count);
    EXPECT_EQ(count, 1);
}

static void fire_timer(long fd)
{
    struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
    EXPECT_EQ(timerfd_settime((int)fd, 0, &soon, nullptr), 0);
}

CASE(restart_read_of_a_timerfd)
{
    uint64_t count = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    RESTARTABLE(read(fd, &count, sizeof count), sizeof count, fire_timer, fd);
    EXPECT_EQ(count, 1);
}

static void send_to_process(long signal)
{
    EXPECT_EQ(kill(getpid(), (int)signal), 0);
}

CASE(restart_read_of_a_signalfd)
{
    sigset_t set;
    struct signalfd_siginfo info = {};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    int fd = signalfd(-1, &set, 0);
    RESTARTABLE(read(fd, &info, sizeof info), sizeof info, send_to_process, SIGUSR2);
    EXPECT_EQ(info.ssi_signo, SIGUSR2);
}

static void make_a_file(long)
{
    make_file("made", "");
}

CASE(restart_read_of_an_inotify_descriptor)
{
    int fd = inotify_init();
    REQUIRE(inotify_add_watch(fd, ".", IN_CREATE) > 0);
    RESTARTABLE(read(fd, buffer, sizeof buffer), sizeof(struct inotify_event) + 16, make_a_file, 0);
}

static void write_record(long fd)
{
    EXPECT_EQ(write((int)fd, "<7>restart\n", 11), 11);
}

CASE(restart_read_of_the_kernel_log)
{
    int fd = open("/dev/kmsg", O_RDWR);
    REQUIRE(fd >= 0);
    ssize_t length = 0;
    for (int i = 0; i < 3 && length >= 0; i++) { // the kernel may have something to say just then
        EXPECT_EQ(lseek(fd, 0, SEEK_END), 0);
        begin_interruption(false, nullptr, 0);
        length = read(fd, buffer, sizeof buffer);
        EXPECT(length > 0 || errno == EINTR);
        end_interruption();
    }
    EXPECT_EQ(length, -1);
    begin_interruption(true, write_record, fd);
    do {
        length = read(fd, buffer, sizeof buffer - 1);
        REQUIRE(length > 0);
        buffer[length] = '\0';
    } while (!strstr(buffer, ";restart\n"));
    end_interruption();
}

static int open_terminal(int *slave)
{
    int zero = 0;
    own_mount_namespace();
    mkdir("pts", 0755);
    REQUIRE(mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620") == 0);
    int master = open("pts/ptmx", O_RDWR | O_NOCTTY);
    REQUIRE(master >= 0 && ioctl(master, TIOCSPTLCK, &zero) == 0);
    *slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    REQUIRE(*slave >= 0);
    struct termios t;
    REQUIRE(tcgetattr(*slave, &t) == 0);
    cfmakeraw(&t);
    REQUIRE(tcsetattr(*slave, TCSANOW, &t) == 0);
    return master;
}

CASE(restart_read_of_a_terminal)
{
    char c;
    int slave, master = open_terminal(&slave);
    RESTARTABLE(read(slave, &c, 1), 1, write_byte, master);
    EXPECT_EQ(c, 'x');
    RESTARTABLE(read(master, &c, 1), 1, write_byte, slave);
    EXPECT_EQ(c, 'x');
}

CASE(restart_read_of_a_line)
{
    char line[8];
    int slave, master = open_terminal(&slave);
    struct termios t;
    REQUIRE(tcgetattr(slave, &t) == 0);
    t.c_lflag |= ICANON;
    t.c_lflag &= ~(tcflag_t)ECHO;
    t.c_cc[VEOL] = 'x';
    REQUIRE(tcsetattr(slave, TCSANOW, &t) == 0);
    EXPECT_EQ(write(master, "ab", 2), 2); // half a line stays where it is
    INTERRUPTED(false, read(slave, line, sizeof line));
    begin_interruption(true, write_byte, master);
    EXPECT_EQ(read(slave, line, sizeof line), 3);
    end_interruption();
    EXPECT(memcmp(line, "abx", 3) == 0);
}

CASE(restart_write_to_a_full_terminal)
{
    int slave, master = open_terminal(&slave);
    fill(slave);
    RESTARTABLE(write(slave, "y", 1), 1, drain_all, master);
}

// --- Sockets. ---

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};

static int listener_with_backlog(int backlog)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, backlog) == 0);
    return fd;
}

static int connect_new(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    if (result != 0)
        close(fd);
    return result;
}

static void connect_once(long)
{
    EXPECT_EQ(connect_new(), 0);
}

static void accept_once(long fd)
{
    EXPECT(accept((int)fd, nullptr, nullptr) >= 0);
}

CASE(restart_accept)
{
    int fd = listener_with_backlog(5);
    begin_interruption(true, connect_once, 0);
    EXPECT(accept(fd, nullptr, nullptr) >= 0);
    end_interruption();
    begin_interruption(true, connect_once, 0);
    EXPECT(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC) >= 0);
    end_interruption();
    INTERRUPTED(false, accept4(fd, nullptr, nullptr, 0));
    struct timeval t = {.tv_sec = 5};
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
    NEVER_RESTARTED(accept(fd, nullptr, nullptr));
}

CASE(restart_connect_to_a_full_backlog)
{
    int fd = listener_with_backlog(0);
    EXPECT_EQ(connect_new(), 0);
    RESTARTABLE(connect_new(), 0, accept_once, fd);
}

static ssize_t send_message(int fd, int flags)
{
    struct iovec block = {buffer, PAGE};
    struct msghdr message = {.msg_iov = &block, .msg_iovlen = 1};
    return sendmsg(fd, &message, flags);
}

static void expect_sends_restart(int type)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, type, 0, pair) == 0);
    fill(pair[0]);
    RESTARTABLE(send(pair[0], buffer, PAGE, 0), PAGE, drain_all, pair[1]);
    drain_all(pair[1]);
    fill(pair[0]);
    RESTARTABLE(send_message(pair[0], 0), PAGE, drain_all, pair[1]);
    drain_all(pair[1]);
    fill(pair[0]);
    struct mmsghdr one = {.msg_hdr = {.msg_iov = &(struct iovec){buffer, PAGE}, .msg_iovlen = 1}};
    RESTARTABLE(syscall(SYS_sendmmsg, pair[0], &one, 1, 0), 1, drain_all, pair[1]);
    drain_all(pair[1]);
    fill(pair[0]);
    struct timeval t = {.tv_sec = 5};
    REQUIRE(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0);
    NEVER_RESTARTED(send(pair[0], buffer, PAGE, 0));
}

CASE(restart_send_to_a_full_stream)
{
    expect_sends_restart(SOCK_STREAM);
}

CASE(restart_send_to_a_full_datagram_queue)
{
    expect_sends_restart(SOCK_DGRAM);
    expect_sends_restart(SOCK_SEQPACKET);
}

CASE(restart_receive_of_messages)
{
    int pair[2];
    char a[1], b[1];
    struct iovec first = {a, 1}, second = {b, 1};
    struct msghdr message = {.msg_iov = &first, .msg_iovlen = 1};
    struct mmsghdr both[2] = {{.msg_hdr = {.msg_iov = &first, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &second, .msg_iovlen = 1}}};
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    RESTARTABLE(recvmsg(pair[0], &message, 0), 1, write_byte, pair[1]);
    RESTARTABLE(recvfrom(pair[0], a, 1, 0, nullptr, nullptr), 1, write_byte, pair[1]);
    RESTARTABLE(recvmmsg(pair[0], both, 1, 0, nullptr), 1, write_byte, pair[1]);
    write_byte(pair[1]);
    begin_interruption(true, nullptr, 0);
    EXPECT_EQ(recvmmsg(pair[0], both, 2, 0, nullptr), 1); // what came before the signal is not lost
    end_interruption();
}

CASE(restart_receive_all_gives_what_has_come)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    write_byte(pair[1]);
    begin_interruption(true, nullptr, 0);
    EXPECT_EQ(recv(pair[0], buffer, 10, MSG_WAITALL), 1);
    end_interruption();
}
