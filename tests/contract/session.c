// tests/contract/session.c — sessions, process groups and job control on a pseudo-terminal: setsid(2), setpgid(2), tty_ioctl(4), termios(3).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <termios.h>

// A pseudo-terminal of a devpts instance of the case's own.
struct pty {
    int master;
    char slave[32];
};

static struct pty open_pty(void)
{
    struct pty p = {};
    own_mount_namespace();
    mkdir("pts", 0755);
    REQUIRE(mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620") == 0);
    p.master = open("pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(p.master >= 0);
    int zero = 0, number = -1;
    REQUIRE(ioctl(p.master, TIOCSPTLCK, &zero) == 0);
    REQUIRE(ioctl(p.master, TIOCGPTN, &number) == 0);
    snprintf(p.slave, sizeof p.slave, "pts/%d", number);
    return p;
}

// In a child: a new session whose controlling terminal is the slave. Returns its descriptor.
static int take_terminal(const struct pty *p)
{
    REQUIRE(setsid() == getpid());
    int fd = open(p->slave, O_RDWR); // without O_NOCTTY a session leader gets it
    REQUIRE(fd >= 0);
    REQUIRE_EQ(tcgetpgrp(fd), getpgrp());
    return fd;
}

static void type(const struct pty *p, const char *text)
{
    REQUIRE_EQ(write(p->master, text, strlen(text)), strlen(text));
}

// A child says that it is ready by a byte in a pipe.
static int ready_pipe[2];

static void make_ready_pipe(void)
{
    REQUIRE(pipe2(ready_pipe, O_CLOEXEC) == 0);
}

static void say_ready(void)
{
    REQUIRE_EQ(write(ready_pipe[1], "r", 1), 1);
}

static void await_ready(void)
{
    char c;
    REQUIRE_EQ(read(ready_pipe[0], &c, 1), 1);
}

static void expect_stopped(pid_t child, int signal)
{
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
    EXPECT(WIFSTOPPED(status));
    EXPECT_EQ(WSTOPSIG(status), signal);
}

CASE(session_leader_cannot_make_another)
{
    EXPECT_EQ(getsid(0), getpid());
    EXPECT_EQ(getpgrp(), getpid());
    EXPECT_ERRNO(setsid(), EPERM);
    IN_CHILD(child)
    {
        EXPECT_EQ(getsid(0), getppid());
        EXPECT_EQ(setsid(), getpid());
        EXPECT_EQ(getsid(0), getpid());
        EXPECT_EQ(getpgrp(), getpid());
        EXPECT_ERRNO(setsid(), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(session_setsid_needs_a_free_group_number)
{
    IN_CHILD(child)
    {
        setpgid(0, 0);
        IN_CHILD(member) // keeps the group alive, but is not its leader
        {
            EXPECT_EQ(getpgrp(), getppid());
            EXPECT_EQ(setsid(), getpid());
        }
        EXPECT_EXITED(member, 0);
        EXPECT_ERRNO(setsid(), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(session_setpgid_errors)
{
    EXPECT_ERRNO(setpgid(0, -1), EINVAL);
    EXPECT_ERRNO(setpgid(0x3ffffff, 0), ESRCH);
    EXPECT_ERRNO(setpgid(0, 0), EPERM); // a session leader
    EXPECT_ERRNO(setpgid(1, 0), ESRCH); // no child of ours
    EXPECT_ERRNO(getpgid(0x3ffffff), ESRCH);
    EXPECT_ERRNO(getsid(0x3ffffff), ESRCH);
    make_ready_pipe();
    IN_CHILD(child)
    {
        setsid();
        say_ready();
        pause();
    }
    await_ready();
    EXPECT_ERRNO(setpgid(child, 0), EPERM); // in another session
    IN_CHILD(other)
    {
        EXPECT_ERRNO(setpgid(0, child), EPERM); // a group of another session
        EXPECT_ERRNO(setpgid(0, 0x3ffffff), EPERM);
    }
    EXPECT_EXITED(other, 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

HELPER(wait_for_kill)
{
    write(atoi(argv[0]), "r", 1);
    pause();
    return 0;
}

CASE(session_setpgid_after_exec_is_eacces)
{
    REQUIRE(pipe(ready_pipe) == 0);
    char fd[12];
    snprintf(fd, sizeof fd, "%d", ready_pipe[1]);
    IN_CHILD(child)
    {
        exec_helper("wait_for_kill", (char *[]){fd, nullptr}, nullptr);
        _exit(126);
    }
    await_ready();
    EXPECT_ERRNO(setpgid(child, child), EACCES);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(session_parent_moves_child_between_groups)
{
    IN_CHILD(a)
    {
        pause();
    }
    IN_CHILD(b)
    {
        pause();
    }
    EXPECT_EQ(setpgid(a, 0), 0);
    EXPECT_EQ(setpgid(b, a), 0);
    EXPECT_EQ(getpgid(b), a);
    EXPECT_EQ(setpgid(b, getpgrp()), 0); // back
    EXPECT_EQ(getpgid(b), getpgrp());
    EXPECT_EQ(setpgid(b, a), 0);
    EXPECT_EQ(kill(-a, SIGTERM), 0); // both
    EXPECT_KILLED(a, SIGTERM);
    EXPECT_KILLED(b, SIGTERM);
    EXPECT_ERRNO(kill(-a, 0), ESRCH); // the group is gone
}

CASE(tty_becomes_controlling_by_open_or_ioctl)
{
    struct pty p = open_pty();
    IN_CHILD(child)
    {
        REQUIRE(setsid() > 0);
        int fd = open(p.slave, O_RDWR | O_NOCTTY);
        EXPECT_ERRNO(tcgetpgrp(fd), ENOTTY);
        EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        EXPECT_EQ(ioctl(fd, TIOCSCTTY, 0), 0);
        EXPECT_EQ(tcgetpgrp(fd), getpid());
        EXPECT_EQ(tcgetsid(fd), getpid());
        int tty = open("/dev/tty", O_RDWR);
        EXPECT(tty >= 0);
        EXPECT_EQ(ioctl(fd, TIOCSCTTY, 0), 0); // again is fine
        IN_CHILD(other)
        {
            REQUIRE(setsid() > 0);
            EXPECT_ERRNO(ioctl(fd, TIOCSCTTY, 0), EPERM); // it belongs to a session
            EXPECT_ERRNO(tcgetpgrp(fd), ENOTTY);
        }
        EXPECT_EXITED(other, 0);
        IN_CHILD(no_leader)
        {
            EXPECT_ERRNO(ioctl(fd, TIOCSCTTY, 1), EPERM);
        }
        EXPECT_EXITED(no_leader, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(tty_is_given_up_by_tiocnotty)
{
    struct pty p = open_pty();
    IN_CHILD(child)
    {
        int fd = take_terminal(&p);
        signal(SIGHUP, SIG_IGN); // the foreground group gets it
        EXPECT_EQ(ioctl(fd, TIOCNOTTY), 0);
        EXPECT_ERRNO(tcgetpgrp(fd), ENOTTY);
        EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        EXPECT_ERRNO(ioctl(fd, TIOCNOTTY), ENOTTY);
    }
    EXPECT_EXITED(child, 0);
}

CASE(tty_foreground_group_must_be_of_the_session)
{
    struct pty p = open_pty();
    make_ready_pipe();
    IN_CHILD(child)
    {
        int fd = take_terminal(&p);
        IN_CHILD(job)
        {
            setpgid(0, 0);
            say_ready();
            pause();
        }
        await_ready();
        EXPECT_EQ(tcsetpgrp(fd, job), 0);
        EXPECT_EQ(tcgetpgrp(fd), job);
        signal(SIGTTOU, SIG_IGN);
        EXPECT_ERRNO(tcsetpgrp(fd, getppid()), EPERM); // another session's
        EXPECT_ERRNO(tcsetpgrp(fd, 0x3ffffff), ESRCH);
        EXPECT_ERRNO(tcsetpgrp(fd, -1), EINVAL);
        EXPECT_EQ(tcsetpgrp(fd, getpgrp()), 0);
        kill(job, SIGKILL);
        EXPECT_KILLED(job, SIGKILL);
    }
    EXPECT_EXITED(child, 0);
}

// Types `text` at a foreground job; the wait status it ends with, or stops with.
static int job_at_key(const char *text, void (*prepare)(int))
{
    struct pty p = open_pty();
    make_ready_pipe();
    int result[2];
    REQUIRE(pipe2(result, O_CLOEXEC) == 0);
    IN_CHILD(shell)
    {
        int fd = take_terminal(&p);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            setpgid(0, 0);
            tcsetpgrp(fd, getpid());
            signal(SIGTTOU, SIG_DFL);
            if (prepare)
                prepare(fd);
            say_ready();
            for (;;)
                pause();
        }
        int status = 0;
        waitpid(job, &status, WUNTRACED);
        write(result[1], &status, sizeof status);
        kill(job, SIGKILL);
    }
    await_ready();
    type(&p, text);
    int status = -1;
    REQUIRE_EQ(read(result[0], &status, sizeof status), sizeof status);
    EXPECT_EXITED(shell, 0);
    return status;
}

CASE(tty_control_c_interrupts_the_foreground_group)
{
    EXPECT_EQ(job_at_key("\003", nullptr), SIGINT);
}

CASE(tty_control_backslash_quits)
{
    EXPECT_EQ(job_at_key("\034", nullptr) & 0x7f, SIGQUIT);
}

CASE(tty_control_z_stops)
{
    int status = job_at_key("\032", nullptr);
    EXPECT(WIFSTOPPED(status));
    EXPECT_EQ(WSTOPSIG(status), SIGTSTP);
}

static void change_keys(int fd)
{
    struct termios t;
    REQUIRE(tcgetattr(fd, &t) == 0);
    t.c_cc[VINTR] = 'k';
    t.c_cc[VQUIT] = _POSIX_VDISABLE;
    REQUIRE(tcsetattr(fd, TCSANOW, &t) == 0);
}

CASE(tty_keys_can_be_changed)
{
    EXPECT_EQ(job_at_key("\003\034k", change_keys), SIGINT); // the old ones are letters now
}

static void no_signals(int fd)
{
    struct termios t;
    REQUIRE(tcgetattr(fd, &t) == 0);
    t.c_lflag &= ~(tcflag_t)(ISIG | ICANON | ECHO);
    REQUIRE(tcsetattr(fd, TCSANOW, &t) == 0);
    alarm(1);
}

CASE(tty_without_isig_keys_are_data)
{
    EXPECT_EQ(job_at_key("\003\032\034", no_signals), SIGALRM);
}

// What a background job meets: `action` runs in a group of its own that is not in the foreground. Returns its wait status.
static int in_background(void (*action)(int), void (*prepare)(void))
{
    struct pty p = open_pty();
    int result[2];
    REQUIRE(pipe2(result, O_CLOEXEC) == 0);
    IN_CHILD(shell)
    {
        int fd = take_terminal(&p);
        IN_CHILD(job)
        {
            setpgid(0, 0);
            if (prepare)
                prepare();
            action(fd);
            _exit(0);
        }
        int status = 0;
        waitpid(job, &status, WUNTRACED);
        write(result[1], &status, sizeof status);
        kill(job, SIGKILL);
    }
    int status = -1;
    REQUIRE_EQ(read(result[0], &status, sizeof status), sizeof status);
    EXPECT_EXITED(shell, 0);
    return status;
}

static void read_terminal(int fd)
{
    char c;
    long n = read(fd, &c, 1);
    _exit(n < 0 ? errno : 99);
}

static void write_terminal(int fd)
{
    long n = write(fd, "x", 1);
    _exit(n < 0 ? errno : 0);
}

static void write_with_tostop(int fd)
{
    struct termios t;
    signal(SIGTTOU, SIG_IGN);
    tcgetattr(fd, &t);
    t.c_lflag |= TOSTOP;
    tcsetattr(fd, TCSANOW, &t);
    signal(SIGTTOU, SIG_DFL);
    write_terminal(fd);
}

static void write_with_tostop_ignored(int fd)
{
    struct termios t;
    signal(SIGTTOU, SIG_IGN);
    tcgetattr(fd, &t);
    t.c_lflag |= TOSTOP;
    tcsetattr(fd, TCSANOW, &t);
    write_terminal(fd);
}

static void change_terminal(int fd)
{
    struct termios t;
    tcgetattr(fd, &t); // allowed
    tcsetattr(fd, TCSANOW, &t);
}

static void take_foreground(int fd)
{
    tcsetpgrp(fd, getpgrp());
}

static void ignore_ttin(void)
{
    signal(SIGTTIN, SIG_IGN);
}

static void default_ttou(void)
{
    signal(SIGTTOU, SIG_DFL);
}

#define STOPPED_BY(signal) ((signal) << 8 | 0x7f)

CASE(tty_background_read_stops_with_sigttin)
{
    EXPECT_EQ(in_background(read_terminal, nullptr), STOPPED_BY(SIGTTIN));
}

CASE(tty_background_read_is_eio_when_sigttin_is_ignored)
{
    EXPECT_EQ(in_background(read_terminal, ignore_ttin), EIO << 8);
}

CASE(tty_background_write_is_allowed_without_tostop)
{
    EXPECT_EQ(in_background(write_terminal, default_ttou), 0);
}

CASE(tty_background_write_stops_with_tostop)
{
    EXPECT_EQ(in_background(write_with_tostop, default_ttou), STOPPED_BY(SIGTTOU));
}

CASE(tty_background_write_goes_through_when_sigttou_is_ignored)
{
    EXPECT_EQ(in_background(write_with_tostop_ignored, nullptr), 0);
}

CASE(tty_background_change_stops_with_sigttou)
{
    EXPECT_EQ(in_background(change_terminal, default_ttou), STOPPED_BY(SIGTTOU));
}

CASE(tty_background_tcsetpgrp_stops_with_sigttou)
{
    EXPECT_EQ(in_background(take_foreground, default_ttou), STOPPED_BY(SIGTTOU));
}

static void *read_terminal_line(void *fd)
{
    char text[8] = "";
    EXPECT_EQ(read((int)(intptr_t)fd, text, sizeof text), 3);
    EXPECT_STR(text, "hi\n");
    return nullptr;
}

// The signal is for the group, and another thread than the one that reads may take it.
CASE(tty_background_read_by_another_thread_goes_on_in_the_foreground)
{
    struct pty p = open_pty();
    IN_CHILD(shell)
    {
        int fd = take_terminal(&p);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            pthread_t reader;
            setpgid(0, 0);
            REQUIRE_EQ(pthread_create(&reader, nullptr, read_terminal_line, (void *)(intptr_t)fd), 0);
            pthread_join(reader, nullptr);
        }
        expect_stopped(job, SIGTTIN);
        tcsetpgrp(fd, job);
        kill(-job, SIGCONT);
        type(&p, "hi\n");
        EXPECT_EXITED(job, 0);
    }
    EXPECT_EXITED(shell, 0);
}

CASE(tty_job_goes_on_in_the_foreground)
{
    struct pty p = open_pty();
    IN_CHILD(shell)
    {
        int fd = take_terminal(&p);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            char text[8] = "";
            setpgid(0, 0);
            EXPECT_EQ(read(fd, text, sizeof text), 3); // stopped, then gets the line
            EXPECT_STR(text, "hi\n");
        }
        expect_stopped(job, SIGTTIN);
        tcsetpgrp(fd, job);
        kill(-job, SIGCONT);
        int status;
        EXPECT_EQ(waitpid(job, &status, WCONTINUED), job);
        EXPECT(WIFCONTINUED(status));
        type(&p, "hi\n");
        EXPECT_EXITED(job, 0);
        EXPECT_EQ(tcgetpgrp(fd), job); // nobody takes it back but us
        EXPECT_EQ(tcsetpgrp(fd, getpgrp()), 0);
    }
    EXPECT_EXITED(shell, 0);
}

CASE(tty_hangup_of_the_master_signals_the_session_leader)
{
    struct pty p = open_pty();
    make_ready_pipe();
    IN_CHILD(leader)
    {
        close(p.master);
        int fd = take_terminal(&p);
        signal(SIGTTOU, SIG_IGN);
        count_signal(SIGHUP, 0);
        IN_CHILD(job)
        {
            signal(SIGHUP, SIG_DFL);
            setpgid(0, 0);
            tcsetpgrp(fd, getpid());
            say_ready();
            pause();
        }
        while (handled_signals == 0)
            sleep_ms(5);
        EXPECT_EQ(waitpid(job, nullptr, WNOHANG), 0); // the foreground learns it by end of file only
        kill(job, SIGTERM);
        EXPECT_KILLED(job, SIGTERM);
        char c;
        EXPECT_EQ(read(fd, &c, 1), 0);
        EXPECT_ERRNO(write(fd, "x", 1), EIO);
    }
    await_ready();
    close(p.master);
    EXPECT_EXITED(leader, 0);
}

// The leader dies of the hangup: the group that was in the foreground then is hung up as well.
CASE(tty_hangup_reaches_the_foreground_when_the_leader_dies_of_it)
{
    struct pty p = open_pty();
    make_ready_pipe();
    int told[2];
    REQUIRE(pipe(told) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    IN_CHILD(leader)
    {
        close(p.master);
        int fd = take_terminal(&p);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            count_signal(SIGHUP, 0);
            setpgid(0, 0);
            tcsetpgrp(fd, getpid());
            say_ready();
            for (int i = 0; i < LONG_TIMEOUT_MS / 20 && handled_signals == 0; i++)
                sleep_ms(20);
            (void)!write(told[1], handled_signals ? "h" : "-", 1);
        }
        for (;;)
            pause();
    }
    await_ready();
    close(p.master);
    EXPECT_KILLED(leader, SIGHUP);
    char c = 0;
    EXPECT_EQ(read(told[0], &c, 1), 1);
    EXPECT_EQ(c, 'h');
    while (waitpid(-1, nullptr, 0) > 0)
        ;
}

CASE(tty_leaders_exit_hangs_up_the_foreground)
{
    struct pty p = open_pty();
    make_ready_pipe();
    int job_pipe[2];
    REQUIRE(pipe(job_pipe) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    IN_CHILD(leader)
    {
        int fd = take_terminal(&p);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            setpgid(0, 0);
            tcsetpgrp(fd, getpid());
            say_ready();
            pause();
        }
        await_ready();
        write(job_pipe[1], &job, sizeof job);
    }
    pid_t job;
    REQUIRE_EQ(read(job_pipe[0], &job, sizeof job), sizeof job);
    EXPECT_EXITED(leader, 0);
    EXPECT_KILLED(job, SIGHUP);
}

CASE(group_orphaned_with_a_stopped_member_gets_hangup_and_continue)
{
    make_ready_pipe();
    int info[2];
    REQUIRE(pipe(info) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    IN_CHILD(parent)
    {
        setsid(); // the reaper that follows it as parent is in another session
        IN_CHILD(job)
        {
            setpgid(0, 0);
            count_signal(SIGHUP, 0);
            count_signal(SIGCONT, 0);
            raise(SIGSTOP);
            EXPECT_EQ(handled_signals, 2); // both arrived when the parent went
            say_ready();
            _exit(5);
        }
        setpgid(job, job);
        expect_stopped(job, SIGSTOP);
        write(info[1], &job, sizeof job);
    }
    pid_t job;
    REQUIRE_EQ(read(info[0], &job, sizeof job), sizeof job);
    EXPECT_EXITED(parent, 0);
    await_ready();
    EXPECT_EXITED(job, 5);
}

CASE(group_orphaned_is_not_stopped_by_terminal_signals)
{
    IN_CHILD(leader)
    {
        setsid(); // a leader's group has no parent in the session: orphaned
        raise(SIGTSTP);
        raise(SIGTTIN);
        raise(SIGTTOU);
    }
    int status;
    EXPECT_EQ(waitpid(leader, &status, WUNTRACED), leader);
    EXPECT_EQ(status, 0);
}

CASE(tty_orphaned_background_read_is_eio)
{
    struct pty p = open_pty();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int info[2];
    REQUIRE(pipe(info) == 0);
    IN_CHILD(leader)
    {
        int fd = take_terminal(&p);
        signal(SIGHUP, SIG_IGN);
        IN_CHILD(middle)
        {
            IN_CHILD(job)
            {
                setpgid(0, 0);
                while (getsid(getppid()) == getsid(0)) // until the parent is the subreaper, in another session
                    sleep_ms(2);
                char c;
                long n = read(fd, &c, 1);
                int error = n < 0 ? errno : 0;
                write(info[1], &error, sizeof error);
            }
            (void)job;
        }
        EXPECT_EXITED(middle, 0);
        int error = 0;
        EXPECT_EQ(read(info[0], &error, sizeof error), sizeof error);
        EXPECT_EQ(error, EIO);
    }
    EXPECT_EXITED(leader, 0);
}

CASE(tty_window_size_change_signals_the_foreground)
{
    struct pty p = open_pty();
    make_ready_pipe();
    IN_CHILD(child)
    {
        int fd = take_terminal(&p);
        count_signal(SIGWINCH, 0);
        say_ready();
        while (handled_signals == 0)
            sleep_ms(2);
        struct winsize size;
        EXPECT_EQ(ioctl(fd, TIOCGWINSZ, &size), 0);
        EXPECT_EQ(size.ws_row, 33);
        EXPECT_EQ(size.ws_col, 101);
        EXPECT_EQ(ioctl(fd, TIOCSWINSZ, &size), 0); // the same again: no signal
        EXPECT_EQ(handled_signals, 1);
    }
    await_ready();
    struct winsize size = {.ws_row = 33, .ws_col = 101};
    EXPECT_EQ(ioctl(p.master, TIOCSWINSZ, &size), 0);
    EXPECT_EXITED(child, 0);
}

CASE(tty_status_file_names_terminal_and_groups)
{
    struct pty p = open_pty();
    IN_CHILD(child)
    {
        take_terminal(&p);
        const char *text = strrchr(file_text("/proc/self/stat"), ')');
        int parent, group, session, tty, foreground;
        char state;
        REQUIRE(text && sscanf(text, ") %c %d %d %d %d %d", &state, &parent, &group, &session, &tty, &foreground) == 6);
        EXPECT_EQ(group, getpid());
        EXPECT_EQ(session, getpid());
        EXPECT_EQ(tty >> 8, 136); // Unix98 slaves
        EXPECT_EQ(foreground, getpid());
    }
    EXPECT_EXITED(child, 0);
}
