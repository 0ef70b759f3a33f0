// tests/contract/tty.c — pseudo-terminals and the line discipline: pty(7), termios(3), ioctl_tty(2), job control.
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <termios.h>

static int slave_of(int master, int flags)
{
    char path[32];
    int number = -1, unlock = 0;
    REQUIRE(ioctl(master, TIOCSPTLCK, &unlock) == 0);
    REQUIRE(ioctl(master, TIOCGPTN, &number) == 0);
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    int fd = open(path, O_RDWR | flags);
    REQUIRE(fd >= 0);
    return fd;
}

// The guest's init mounts no devpts; the case has one of its own where /dev/ptmx looks for it.
static void make_pty(int *master, int *slave)
{
    own_mount_namespace();
    mkdir("/dev/pts", 0755);
    REQUIRE(mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666") == 0);
    *master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
    REQUIRE(*master >= 0);
    *slave = slave_of(*master, O_NOCTTY);
}

static struct termios settings(int fd)
{
    struct termios t;
    REQUIRE(tcgetattr(fd, &t) == 0);
    return t;
}

static void make_raw(int fd)
{
    struct termios t = settings(fd);
    cfmakeraw(&t);
    REQUIRE(tcsetattr(fd, TCSANOW, &t) == 0);
}

static ssize_t read_soon(int fd, char *text, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    memset(text, 0, size);
    EXPECT_EQ(poll(&p, 1, 3000), 1);
    return read(fd, text, size - 1);
}

// What Linux's worker may deliver in parts.
static void expect_soon(int fd, const char *wanted)
{
    char text[64] = "";
    size_t got = 0, size = strlen(wanted);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (got < size && poll(&p, 1, 3000) == 1) {
        ssize_t n = read(fd, text + got, sizeof text - 1 - got);
        REQUIRE(n > 0);
        got += (size_t)n;
    }
    EXPECT_STR(text, wanted);
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

CASE(pty_canonical_input_waits_for_the_line)
{
    int m, s;
    char text[64];
    make_pty(&m, &s);
    EXPECT_EQ(write(m, "abc", 3), 3);
    sleep_ms(20);
    EXPECT(!readable(s));
    EXPECT_EQ(write(m, "\n", 1), 1);
    EXPECT_EQ(read_soon(s, text, sizeof text), 4);
    EXPECT_STR(text, "abc\n");
}

CASE(pty_echo_and_newline_translation)
{
    int m, s;
    char text[64];
    make_pty(&m, &s);
    EXPECT_EQ(write(m, "a\r", 2), 2); // ICRNL
    EXPECT_EQ(read_soon(s, text, sizeof text), 2);
    EXPECT_STR(text, "a\n");
    expect_soon(m, "a\r\n"); // ECHO, ONLCR
    EXPECT_EQ(write(s, "out\n", 4), 4);
    expect_soon(m, "out\r\n");
}

static void close_master(long master)
{
    until_asleep(getpid());
    EXPECT_EQ(close((int)master), 0);
}

CASE(pty_reader_of_a_slave_fails_when_the_master_closes)
{
    int m, s;
    char text[16];
    make_pty(&m, &s);
    thread_t other = after_ms(0, close_master, m);
    EXPECT_ERRNO(read(s, text, sizeof text), EIO);
    join(other); // the reader is woken before the terminal is hung up
    EXPECT_EQ(read(s, text, sizeof text), 0);
}

static void become_raw_and_type(long master)
{
    until_asleep(getpid());
    make_raw((int)master); // the settings are the slave's
    write_byte(master);
}

CASE(pty_reader_of_a_line_takes_single_bytes_when_the_terminal_becomes_raw)
{
    int m, s;
    char text[16];
    make_pty(&m, &s);
    thread_t other = after_ms(0, become_raw_and_type, m);
    EXPECT_EQ(read(s, text, sizeof text), 1);
    join(other);
}

CASE(pty_editing_keys)
{
    int m, s;
    char text[64];
    make_pty(&m, &s);
    EXPECT_EQ(write(m, "abX\x7f" "c\n", 6), 6);
    EXPECT_EQ(read_soon(s, text, sizeof text), 4);
    EXPECT_STR(text, "abc\n");
    EXPECT_EQ(write(m, "wrong\x15right\n", 12), 12); // ^U
    EXPECT_EQ(read_soon(s, text, sizeof text), 6);
    EXPECT_STR(text, "right\n");
    EXPECT_EQ(write(m, "one two\x17three\n", 14), 14); // ^W
    EXPECT_EQ(read_soon(s, text, sizeof text), 10);
    EXPECT_STR(text, "one three\n");
    EXPECT_EQ(write(m, "\x16\x03\n", 3), 3); // ^V takes the next one as it is
    EXPECT_EQ(read_soon(s, text, sizeof text), 2);
    EXPECT_STR(text, "\x03\n");
}

CASE(pty_end_of_file_key)
{
    int m, s;
    char text[64];
    make_pty(&m, &s);
    EXPECT_EQ(write(m, "ab\x04", 3), 3);
    EXPECT_EQ(read_soon(s, text, sizeof text), 2);
    EXPECT_EQ(write(m, "\x04", 1), 1);
    EXPECT_EQ(read_soon(s, text, sizeof text), 0);
}

CASE(pty_raw_mode_passes_everything)
{
    int m, s;
    char text[64];
    make_pty(&m, &s);
    make_raw(s);
    EXPECT_EQ(write(m, "a\r\x03\x7f", 4), 4);
    EXPECT_EQ(read_soon(s, text, sizeof text), 4);
    EXPECT_STR(text, "a\r\x03\x7f");
    EXPECT(!readable(m)); // no echo
    EXPECT_EQ(write(s, "x\n", 2), 2);
    EXPECT_EQ(read_soon(m, text, sizeof text), 2);
}

CASE(pty_vmin_and_vtime)
{
    int m, s;
    char text[64];
    make_pty(&m, &s);
    make_raw(s);
    struct termios t = settings(s);
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 0;
    tcsetattr(s, TCSANOW, &t);
    EXPECT_EQ(read(s, text, 8), 0); // nothing there: no wait
    t.c_cc[VTIME] = 5;
    tcsetattr(s, TCSANOW, &t);
    int64_t start = now_ns();
    EXPECT_EQ(read(s, text, 8), 0);
    EXPECT(now_ns() - start >= 400000000);
    t.c_cc[VMIN] = 3;
    t.c_cc[VTIME] = 0;
    tcsetattr(s, TCSANOW, &t);
    EXPECT_EQ(write(m, "ab", 2), 2);
    thread_t writer = after_ms(20, write_byte, m);
    EXPECT_EQ(read(s, text, 8), 3);
    join(writer);
}

CASE(pty_settings_are_kept)
{
    int m, s;
    make_pty(&m, &s);
    struct termios t = settings(s);
    EXPECT_EQ(t.c_iflag, ICRNL | IXON);
    EXPECT_EQ(t.c_oflag, OPOST | ONLCR);
    EXPECT_EQ(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
    EXPECT_EQ(t.c_cc[VINTR], 3);
    EXPECT_EQ(t.c_cc[VERASE], 0x7f);
    EXPECT_EQ(t.c_cc[VEOF], 4);
    EXPECT_EQ(cfgetospeed(&t), B38400);
    t.c_cc[VINTR] = 7;
    t.c_lflag &= ~(tcflag_t)ECHO;
    EXPECT_EQ(tcsetattr(s, TCSADRAIN, &t), 0);
    struct termios now = settings(m); // the master sees the slave's
    EXPECT_EQ(now.c_cc[VINTR], 7);
    EXPECT_EQ(now.c_lflag & ECHO, 0);
}

CASE(pty_window_size_and_signal)
{
    int m, s;
    make_pty(&m, &s);
    struct winsize w = {.ws_row = 33, .ws_col = 44}, got = {};
    EXPECT_EQ(ioctl(m, TIOCSWINSZ, &w), 0);
    EXPECT_EQ(ioctl(s, TIOCGWINSZ, &got), 0);
    EXPECT_EQ(got.ws_row, 33);
    EXPECT_EQ(got.ws_col, 44);
    IN_CHILD(child)
    {
        setsid();
        REQUIRE(ioctl(s, TIOCSCTTY, 0) == 0);
        count_signal(SIGWINCH, 0);
        w.ws_row = 50;
        EXPECT_EQ(ioctl(m, TIOCSWINSZ, &w), 0);
        EXPECT_EQ(handled_signals, 1);
        EXPECT_EQ(ioctl(m, TIOCSWINSZ, &w), 0); // no change, no signal
        EXPECT_EQ(handled_signals, 1);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pty_signal_keys_reach_the_foreground_group)
{
    int m, s;
    make_pty(&m, &s);
    IN_CHILD(child)
    {
        setsid();
        REQUIRE(ioctl(s, TIOCSCTTY, 0) == 0);
        EXPECT_EQ(tcgetpgrp(s), getpgrp());
        EXPECT_EQ(tcgetsid(s), getsid(0));
        count_signal(SIGINT, 0);
        count_signal(SIGQUIT, 0);
        EXPECT_EQ(write(m, "half\x03", 5), 5);
        while (handled_signals < 1)
            sleep_ms(1);
        EXPECT_EQ(last_signal, SIGINT);
        EXPECT(!readable(s)); // the line was thrown away
        EXPECT_EQ(write(m, "\x1c", 1), 1);
        while (handled_signals < 2)
            sleep_ms(1);
        EXPECT_EQ(last_signal, SIGQUIT);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pty_background_reader_is_stopped)
{
    int m, s;
    make_pty(&m, &s);
    IN_CHILD(child)
    {
        setsid();
        REQUIRE(ioctl(s, TIOCSCTTY, 0) == 0);
        signal(SIGTTOU, SIG_DFL);
        IN_CHILD(background)
        {
            setpgid(0, 0);
            char c;
            read(s, &c, 1);
        }
        setpgid(background, background);
        int status;
        EXPECT_EQ(waitpid(background, &status, WUNTRACED), background);
        EXPECT(WIFSTOPPED(status));
        EXPECT_EQ(WSTOPSIG(status), SIGTTIN);
        signal(SIGTTOU, SIG_IGN);
        EXPECT_EQ(tcsetpgrp(s, background), 0);
        kill(background, SIGCONT);
        EXPECT_EQ(write(m, "x\n", 2), 2);
        EXPECT_EXITED(background, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pty_controlling_terminal_is_dev_tty)
{
    int m, s;
    make_pty(&m, &s);
    EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO); // a session without one
    IN_CHILD(child)
    {
        setsid();
        REQUIRE(ioctl(s, TIOCSCTTY, 0) == 0);
        int fd = open("/dev/tty", O_RDWR);
        REQUIRE(fd >= 0);
        char text[16];
        EXPECT_EQ(write(fd, "hi", 2), 2);
        EXPECT_EQ(read_soon(m, text, sizeof text), 2);
        signal(SIGHUP, SIG_IGN);
        EXPECT_EQ(ioctl(fd, TIOCNOTTY), 0);
        EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pty_closed_master_hangs_up)
{
    int m, s;
    char c;
    make_pty(&m, &s);
    IN_CHILD(child)
    {
        setsid();
        REQUIRE(ioctl(s, TIOCSCTTY, 0) == 0);
        count_signal(SIGHUP, 0);
        close(m);
        while (!handled_signals)
            sleep_ms(1);
        EXPECT_EQ(read(s, &c, 1), 0);
        EXPECT_ERRNO(write(s, "x", 1), EIO);
    }
    close(m);
    EXPECT_EXITED(child, 0);
}

CASE(pty_closed_slave_is_eio_for_the_master)
{
    int m, s;
    char c;
    make_pty(&m, &s);
    close(s);
    EXPECT_ERRNO(read(m, &c, 1), EIO);
    struct pollfd p = {.fd = m, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT(p.revents & POLLHUP);
    s = slave_of(m, O_NOCTTY); // and can be opened again
    EXPECT_EQ(write(s, "x", 1), 1);
    EXPECT_EQ(read(m, &c, 1), 1);
}

CASE(pty_packet_mode_tells_of_flushes)
{
    int m, s, on = 1;
    char text[16];
    make_pty(&m, &s);
    EXPECT_EQ(ioctl(m, TIOCPKT, &on), 0);
    EXPECT_EQ(write(s, "ab", 2), 2);
    EXPECT_EQ(read_soon(m, text, sizeof text), 3);
    EXPECT_EQ(text[0], TIOCPKT_DATA);
    EXPECT_EQ(text[1], 'a');
    EXPECT_EQ(tcflush(s, TCIFLUSH), 0);
    struct pollfd p = {.fd = m, .events = POLLPRI};
    EXPECT_EQ(poll(&p, 1, 3000), 1);
    EXPECT_EQ(read(m, text, sizeof text), 1);
    EXPECT_EQ(text[0], TIOCPKT_FLUSHREAD);
}

CASE(pty_flow_and_queue_calls)
{
    int m, s, bytes = -1;
    make_pty(&m, &s);
    EXPECT_EQ(write(m, "abc\n", 4), 4);
    while (!readable(s))
        sleep_ms(1);
    EXPECT_EQ(ioctl(s, FIONREAD, &bytes), 0);
    EXPECT_EQ(bytes, 4);
    EXPECT_EQ(tcflush(s, TCIFLUSH), 0);
    EXPECT_EQ(ioctl(s, FIONREAD, &bytes), 0);
    EXPECT_EQ(bytes, 0);
    EXPECT_EQ(tcdrain(s), 0);
    EXPECT_EQ(tcflow(s, TCOOFF), 0);
    EXPECT_EQ(tcflow(s, TCOON), 0);
    EXPECT_EQ(tcsendbreak(s, 0), 0);
    EXPECT_EQ(ioctl(s, TIOCOUTQ, &bytes), 0);
    EXPECT_EQ(isatty(s), 1);
    EXPECT_EQ(isatty(m), 1);
    EXPECT_ERRNO(ioctl(s, 0x5499, &bytes), ENOTTY);
}

CASE(pty_locked_slave_cannot_be_opened)
{
    int m, s, number = -1;
    char path[32];
    make_pty(&m, &s);
    int other = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
    REQUIRE(ioctl(other, TIOCGPTN, &number) == 0);
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    EXPECT_ERRNO(open(path, O_RDWR | O_NOCTTY), EIO);
    struct stat st;
    EXPECT_EQ(stat(path, &st), 0);
    EXPECT_EQ(st.st_mode, S_IFCHR | 0620);
    close(other);
    EXPECT_ERRNO(stat(path, &st), ENOENT);
    int peer = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    EXPECT(peer >= 0);
}

// Whatever is left of the room is less than the next character needs: the writer sleeps for more, and a signal ends that.
CASE(pty_writer_sleeps_while_a_character_does_not_fit)
{
    static const char *const texts[] = {"y\n", "ab\n", "abc\t\n", "\n"};
    int m, s;
    make_pty(&m, &s);
    struct termios t = settings(s);
    t.c_oflag |= OPOST | ONLCR | XTABS;
    REQUIRE(tcsetattr(s, TCSANOW, &t) == 0);
    count_signal(SIGUSR1, 0);
    for (int i = 0; i < 4; i++) {
        fill_up(s, texts[i], strlen(texts[i]));
        thread_t signaller = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
        EXPECT_ERRNO(write(s, "\n", 1), EINTR);
        join(signaller);
        EXPECT_EQ(handled_signals, i + 1);
        EXPECT_EQ(tcflush(s, TCOFLUSH), 0);
    }
}

static void drain(long master)
{
    char text[4096];
    for (size_t got = 0; got < sizeof text;) {
        ssize_t n = read((int)master, text, sizeof text);
        REQUIRE(n > 0);
        got += (size_t)n;
    }
}

CASE(pty_full_slave_is_writable_again_once_the_master_has_read)
{
    int m, s;
    make_pty(&m, &s);
    fill_up(s, "y\n", 2);
    thread_t reader = after_ms(20, drain, m);
    struct pollfd p = {.fd = s, .events = POLLOUT};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(write(s, "\n", 1), 1);
    join(reader);
}

CASE(vhangup_without_a_terminal_does_nothing)
{
    EXPECT_EQ(syscall(SYS_vhangup), 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(65534) == 0);
        EXPECT_ERRNO(syscall(SYS_vhangup), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

// Settings through the master are its slave's, and so is what they flush.
CASE(pty_settings_by_the_master_flush_the_slave)
{
    int master, slave;
    char text[16];
    make_pty(&master, &slave);
    make_raw(slave);
    struct termios t = settings(master);
    EXPECT_EQ(write(slave, "shown", 5), 5);
    EXPECT_EQ(write(master, "typed", 5), 5);
    struct pollfd typed = {.fd = slave, .events = POLLIN};
    EXPECT_EQ(poll(&typed, 1, 3000), 1);
    EXPECT_EQ(tcsetattr(master, TCSAFLUSH, &t), 0);
    EXPECT_EQ(read_soon(master, text, sizeof text), 5);
    EXPECT_STR(text, "shown");
    EXPECT(!readable(slave));
    EXPECT_EQ(write(master, "again", 5), 5);
    EXPECT_EQ(read_soon(slave, text, sizeof text), 5);
    EXPECT_STR(text, "again");
}

CASE(pty_tcflow_sends_the_stop_and_start_characters)
{
    int m, s;
    make_pty(&m, &s);
    make_raw(s);
    EXPECT_EQ(tcflow(s, TCIOFF), 0);
    expect_soon(m, "\x13");
    EXPECT_EQ(tcflow(s, TCION), 0);
    expect_soon(m, "\x11");
    EXPECT_EQ(tcflow(s, TCOOFF), 0);
    EXPECT_EQ(tcflow(s, TCIOFF), 0); // lost
    EXPECT_EQ(tcflow(s, TCOON), 0);
    EXPECT_EQ(tcflow(s, TCION), 0);
    expect_soon(m, "\x11");
}

CASE(pty_of_external_processing_counts_what_is_no_line)
{
    int m, s, bytes = -1;
    char text[16];
    make_pty(&m, &s);
    struct termios t = settings(s);
    t.c_lflag |= EXTPROC;
    REQUIRE(tcsetattr(s, TCSANOW, &t) == 0);
    EXPECT_EQ(write(m, "abc", 3), 3);
    struct pollfd p = {.fd = s, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(ioctl(s, FIONREAD, &bytes), 0);
    EXPECT_EQ(bytes, 3);
    EXPECT_EQ(read(s, text, sizeof text), 3);
}

CASE(pty_leaders_exit_hangs_up_the_foreground_though_it_held_the_last_descriptors)
{
    int m, s, ready[2], name[2];
    char c;
    pid_t job;
    make_pty(&m, &s);
    close(s);
    REQUIRE(pipe(ready) == 0 && pipe(name) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    IN_CHILD(leader)
    {
        REQUIRE(setsid() == getpid());
        s = slave_of(m, 0);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(child)
        {
            setpgid(0, 0);
            tcsetpgrp(s, getpid());
            close(s);
            close(m);
            write(ready[1], "r", 1);
            pause();
        }
        REQUIRE_EQ(read(ready[0], &c, 1), 1);
        write(name[1], &child, sizeof child);
    }
    REQUIRE_EQ(read(name[0], &job, sizeof job), sizeof job);
    EXPECT_EXITED(leader, 0);
    EXPECT_KILLED(job, SIGHUP);
}
