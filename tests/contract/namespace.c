// tests/contract/namespace.c — PID and UTS namespaces: namespaces(7), unshare(2), setns(2), pid_namespaces(7).
#include "tests/contract/namespace.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define NS_GET_USERNS _IO(0xb7, 1)
#define NS_GET_OWNER_UID _IO(0xb7, 4)

static ino_t ns_inode(const char *name)
{
    char path[64];
    struct stat st = {};
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    EXPECT_EQ(stat(path, &st), 0);
    return st.st_ino;
}

CASE(uts_namespace_has_its_own_names)
{
    char before[65];
    strcpy(before, host_name());
    ino_t ours = ns_inode("uts");
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWUTS) == 0);
        EXPECT_STR(host_name(), before); // a copy
        EXPECT(ns_inode("uts") != ours);
        EXPECT_EQ(sethostname("other", 5), 0);
        EXPECT_STR(host_name(), "other");
        EXPECT_STR(file_text("/proc/sys/kernel/hostname"), "other\n");
        EXPECT_EQ(write_text("/proc/sys/kernel/hostname", "third\n"), 0);
        EXPECT_STR(host_name(), "third");
        EXPECT_EQ(setdomainname("dom", 3), 0);
        EXPECT_STR(file_text("/proc/sys/kernel/domainname"), "dom\n");
        IN_CHILD(inner)
        {
            EXPECT_STR(host_name(), "third"); // inherited
        }
        EXPECT_EXITED(inner, 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_STR(host_name(), before);
}

CASE(uts_names_are_checked)
{
    REQUIRE(unshare(CLONE_NEWUTS) == 0);
    char name[80];
    memset(name, 'n', sizeof name);
    EXPECT_ERRNO(sethostname(name, 65), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sethostname, name, -1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sethostname, (void *)8, 4), EFAULT);
    EXPECT_ERRNO(setdomainname(name, 65), EINVAL);
    EXPECT_EQ(sethostname(name, 64), 0);
    EXPECT_EQ(strlen(host_name()), 64);
    EXPECT_EQ(sethostname("", 0), 0);
    EXPECT_STR(host_name(), "");
}

CASE(setns_goes_back_and_forth)
{
    int ours = open_ns(getpid(), "uts");
    ino_t first = ns_inode("uts");
    REQUIRE(unshare(CLONE_NEWUTS) == 0);
    ino_t second = ns_inode("uts");
    int theirs = open_ns(getpid(), "uts");
    sethostname("second", 6);
    EXPECT_EQ(setns(ours, CLONE_NEWUTS), 0);
    EXPECT_EQ(ns_inode("uts"), first);
    EXPECT(strcmp(host_name(), "second") != 0);
    EXPECT_EQ(setns(theirs, 0), 0); // any kind
    EXPECT_EQ(ns_inode("uts"), second); // the descriptor kept it alive
    EXPECT_STR(host_name(), "second");
}

CASE(setns_errors)
{
    int uts = open_ns(getpid(), "uts");
    EXPECT_ERRNO(setns(99, 0), EBADF);
    EXPECT_ERRNO(setns(uts, CLONE_NEWNS), EINVAL);
    EXPECT_ERRNO(setns(uts, CLONE_VM), EINVAL);
    EXPECT_ERRNO(setns(open("/", O_RDONLY), 0), EINVAL);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_ERRNO(setns(uts, 0), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setns_takes_a_pidfd)
{
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWUTS | CLONE_NEWNS) == 0);
        sethostname("inside", 6);
        write(ready[1], "r", 1);
        pause();
    }
    char c;
    REQUIRE(read(ready[0], &c, 1) == 1);
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    REQUIRE(fd >= 0);
    EXPECT_ERRNO(setns(fd, 0), EINVAL); // which ones must be said
    ino_t ours = ns_inode("mnt");
    EXPECT_EQ(setns(fd, CLONE_NEWUTS | CLONE_NEWNS), 0);
    EXPECT_STR(host_name(), "inside");
    EXPECT(ns_inode("mnt") != ours);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_ERRNO(setns(fd, CLONE_NEWUTS), ESRCH);
}

static void drop_capability(int cap)
{
    struct {
        uint32_t version;
        int pid;
    } head = {.version = 0x20080522};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2];
    REQUIRE(syscall(SYS_capget, &head, data) == 0);
    data[cap / 32].effective &= ~(1U << cap % 32);
    REQUIRE(syscall(SYS_capset, &head, data) == 0);
}

static pid_t sleeper_in_own_namespaces(void)
{
    int ready[2];
    char c;
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWUTS | CLONE_NEWNS) == 0);
        sethostname("inside", 6);
        REQUIRE(setuid(1000) == 0);
        write(ready[1], "r", 1);
        pause();
    }
    REQUIRE(read(ready[0], &c, 1) == 1);
    return child;
}

static void *pause_thread(void *)
{
    for (;;)
        pause();
}

CASE(setns_with_a_pidfd_is_all_or_nothing)
{
    pid_t child = sleeper_in_own_namespaces();
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    REQUIRE(fd >= 0);
    IN_CHILD(enterer)
    {
        pthread_t thread; // which shares root and directory
        REQUIRE(pthread_create(&thread, nullptr, pause_thread, nullptr) == 0);
        EXPECT_ERRNO(setns(fd, CLONE_NEWUTS | CLONE_NEWNS), EINVAL);
        EXPECT(strcmp(host_name(), "inside") != 0);
    }
    EXPECT_EXITED(enterer, 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(setns_needs_capabilities_and_access)
{
    enum { SYS_CHROOT = 18, SYS_PTRACE = 19 };
    pid_t child = sleeper_in_own_namespaces();
    int fd = (int)syscall(SYS_pidfd_open, child, 0), mnt = open_ns(child, "mnt");
    REQUIRE(fd >= 0);
    IN_CHILD(no_chroot)
    {
        drop_capability(SYS_CHROOT);
        EXPECT_ERRNO(setns(mnt, CLONE_NEWNS), EPERM);
        EXPECT_EQ(setns(fd, CLONE_NEWUTS), 0);
    }
    EXPECT_EXITED(no_chroot, 0);
    IN_CHILD(no_ptrace)
    {
        drop_capability(SYS_PTRACE);
        EXPECT_ERRNO(setns(fd, CLONE_NEWUTS), EPERM);
    }
    EXPECT_EXITED(no_ptrace, 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(pid_namespace_init_is_not_killed_by_its_own_timer)
{
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    IN_CHILD(init)
    {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
        struct itimerspec soon = {.it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000};
        timer_t timer;
        REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &soon, nullptr) == 0);
        sleep_ms(30); // on an idle processor
        REQUIRE(timer_delete(timer) == 0);
        _exit(7);
    }
    EXPECT_EXITED(init, 7);
}

CASE(unshare_that_fails_changes_nothing)
{
    own_mount_namespace();
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    ino_t ours = ns_inode("mnt");
    EXPECT_ERRNO(unshare(CLONE_NEWNS | CLONE_NEWPID), EINVAL); // a second PID namespace without a member of the first
    EXPECT_EQ(ns_inode("mnt"), ours);
    REQUIRE(mkdir("m", 0755) == 0);
    EXPECT_EQ(mount("none", "m", "tmpfs", 0, nullptr), 0); // the directory is in our namespace still
}

CASE(ns_links_name_kind_and_number)
{
    char text[64] = "", wanted[64];
    REQUIRE(readlink("/proc/self/ns/uts", text, sizeof text - 1) > 0);
    snprintf(wanted, sizeof wanted, "uts:[%lu]", (unsigned long)ns_inode("uts"));
    EXPECT_STR(text, wanted);
    EXPECT_EQ(ioctl(open_ns(getpid(), "uts"), NS_GET_NSTYPE), CLONE_NEWUTS);
    EXPECT_EQ(ioctl(open_ns(getpid(), "mnt"), NS_GET_NSTYPE), CLONE_NEWNS);
    EXPECT_EQ(ioctl(open_ns(getpid(), "pid"), NS_GET_NSTYPE), CLONE_NEWPID);
    EXPECT_ERRNO(ioctl(open_ns(getpid(), "uts"), NS_GET_PARENT), EINVAL); // only some kinds have one
}

CASE(unshare_checks_flags)
{
    EXPECT_EQ(unshare(0), 0);
    EXPECT_EQ(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM), 0);
    EXPECT_EQ(unshare(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), 0); // one thread: nothing to split
    EXPECT_ERRNO(unshare(CLONE_PARENT), EINVAL);
    EXPECT_ERRNO(unshare(CLONE_VFORK), EINVAL);
    EXPECT_ERRNO(syscall(SYS_unshare, 0x80000000u), EINVAL);
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    thread_t other = after_ms(0, read_byte, fds[0]);
    EXPECT_ERRNO(unshare(CLONE_THREAD), EINVAL); // two threads
    EXPECT_ERRNO(unshare(CLONE_VM), EINVAL);
    EXPECT_ERRNO(unshare(CLONE_SIGHAND), EINVAL);
    write_byte(fds[1]);
    join(other);
}

// --- PID namespaces. ---

CASE(pid_namespace_first_child_is_one)
{
    pid_t self = getpid();
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    EXPECT_EQ(getpid(), self); // the caller stays where it is
    EXPECT_ERRNO(unshare(CLONE_NEWPID), EINVAL);
    IN_CHILD(init)
    {
        EXPECT_EQ(getpid(), 1);
        EXPECT_EQ(getppid(), 0); // the parent is not visible
        EXPECT_EQ(getpgrp(), 0);
        EXPECT_EQ(getsid(0), 0);
        EXPECT_EQ(setsid(), 1);
        IN_CHILD(second)
        {
            EXPECT_EQ(getpid(), 2);
            EXPECT_EQ(getppid(), 1);
            EXPECT_EQ(getsid(0), 1);
        }
        EXPECT_EQ(second, 2);
        EXPECT_EXITED(second, 0);
        EXPECT_ERRNO(kill(self, 0), ESRCH); // numbers outside mean nothing here
    }
    EXPECT(init > 1);
    EXPECT_EXITED(init, 0);
    EXPECT_ERRNO(fork(), ENOMEM); // its init is gone
}

CASE(pid_namespace_threads_cannot_be_in_two)
{
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    EXPECT_ERRNO(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, nullptr, nullptr, nullptr, 0), EINVAL);
}

CASE(pid_namespace_init_reaps_orphans)
{
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            int fds[2];
            REQUIRE(pipe(fds) == 0);
            IN_CHILD(middle)
            {
                IN_CHILD(orphan)
                {
                    while (getppid() != 1)
                        sleep_ms(2);
                    pid_t self = getpid();
                    write(fds[1], &self, sizeof self);
                    _exit(9);
                }
                (void)orphan;
            }
            EXPECT_EXITED(middle, 0);
            pid_t orphan = 0;
            EXPECT_EQ(read(fds[0], &orphan, sizeof orphan), sizeof orphan);
            EXPECT_EQ(orphan, 3);
            EXPECT_EXITED(orphan, 9);
        }
        EXPECT_EXITED(init, 0);
    }
    EXPECT_EXITED(outside, 0);
}

CASE(pid_namespace_end_kills_all_members)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            for (int i = 0; i < 4; i++) {
                IN_CHILD(member)
                {
                    signal(SIGTERM, SIG_IGN);
                    setsid();
                    pause();
                }
                (void)member;
            }
        }
        EXPECT_EXITED(init, 0);
    }
    close(fds[1]);
    EXPECT_EXITED(outside, 0);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 0); // nobody holds the other end any more
}

// Whoever forks while the namespace's init ends: no child is overlooked, for which init would wait for ever.
CASE(pid_namespace_end_overtakes_forks)
{
    for (int round = 0; round < 20; round++) {
        IN_CHILD(outside)
        {
            int fds[2];
            char c;
            REQUIRE(pipe(fds) == 0);
            REQUIRE(unshare(CLONE_NEWPID) == 0);
            IN_CHILD(init)
            {
                for (int i = 0; i < 3; i++) {
                    IN_CHILD(member)
                    {
                        for (int made = 0;; made++) {
                            pid_t child = fork();
                            if (child == 0)
                                for (;;)
                                    pause();
                            if (made == 3)
                                (void)!write(fds[1], "x", 1);
                            if (made > 40)
                                pause();
                        }
                    }
                    (void)member;
                }
                REQUIRE_EQ(read(fds[0], &c, 1), 1);
            }
            EXPECT_EXITED(init, 0);
        }
        EXPECT_EXITED(outside, 0);
    }
}

enum { REBOOT_MAGIC = (int)0xfee1dead, REBOOT_MAGIC2 = 672274793 };

// reboot(2): in a PID namespace that is not the first, it ends the namespace by a signal to its init.
CASE(reboot_in_a_pid_namespace_ends_it_alone)
{
    static const struct {
        unsigned command;
        int signal;
    } ways[] = {{0x01234567, SIGHUP}, {0xa1b2c3d4, SIGHUP}, {0x4321fedc, SIGINT}, {0xcdef0123, SIGINT}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        IN_CHILD(child)
        {
            REQUIRE(unshare(CLONE_NEWPID) == 0);
            pid_t init = fork();
            if (init == 0) {
                if (fork() == 0)
                    syscall(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, ways[i].command, "again");
                for (;;)
                    pause();
            }
            EXPECT_KILLED(init, ways[i].signal);
        }
        EXPECT_EXITED(child, 0);
    }
}

CASE(pid_namespace_whose_first_fork_fails_is_over)
{
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = 8, .exit_signal = SIGCHLD};
        EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EFAULT);
        EXPECT_ERRNO(syscall(SYS_fork), ENOMEM);
    }
    EXPECT_EXITED(outside, 0);
}

CASE(pid_namespace_nests_and_shows_in_status)
{
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(first)
        {
            REQUIRE(unshare(CLONE_NEWPID) == 0);
            IN_CHILD(second)
            {
                EXPECT_EQ(getpid(), 1);
                // /proc is that of the outermost namespace: all three numbers
                char path[32], line[64];
                ssize_t n = readlink("/proc/self", path, sizeof path - 1);
                REQUIRE(n > 0);
                path[n] = '\0';
                snprintf(line, sizeof line, "\nNSpid:\t%s\t2\t1\n", path);
                EXPECT(strstr(file_text("/proc/self/status"), line));
            }
            EXPECT_EQ(second, 2);
            EXPECT_EXITED(second, 0);
        }
        EXPECT_EXITED(first, 0);
    }
    EXPECT_EXITED(outside, 0);
}

CASE(pid_namespace_proc_shows_its_members_only)
{
    pid_t outer = getpid();
    own_mount_namespace();
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    IN_CHILD(init)
    {
        mkdir("proc", 0755);
        REQUIRE(mount("proc", "proc", "proc", 0, nullptr) == 0);
        char link[16] = "", path[32];
        REQUIRE(readlink("proc/self", link, sizeof link - 1) > 0);
        EXPECT_STR(link, "1");
        EXPECT(strstr(file_text("proc/1/status"), "\nPid:\t1\n"));
        struct stat st;
        snprintf(path, sizeof path, "proc/%d", outer);
        EXPECT_ERRNO(stat(path, &st), ENOENT);
    }
    EXPECT_EXITED(init, 0);
}

CASE(pid_namespace_signal_sender_outside_is_zero)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    IN_CHILD(init)
    {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        write(fds[1], "r", 1);
        siginfo_t info = {};
        EXPECT_EQ(sigwaitinfo(&set, &info), SIGUSR1);
        EXPECT_EQ(info.si_pid, 0);
    }
    char c;
    REQUIRE(read(fds[0], &c, 1) == 1);
    kill(init, SIGUSR1);
    EXPECT_EXITED(init, 0);
}

CASE(pid_namespace_signals_nobody_outside_by_pidfd)
{
    int outside = (int)syscall(SYS_pidfd_open, getpid(), 0);
    REQUIRE(outside >= 0);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            int own = (int)syscall(SYS_pidfd_open, 1, 0);
            EXPECT_EQ(syscall(SYS_pidfd_send_signal, own, 0, nullptr, 0), 0);
            EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, outside, 0, nullptr, 0), EINVAL);
        }
        int below = (int)syscall(SYS_pidfd_open, init, 0);
        EXPECT_EQ(syscall(SYS_pidfd_send_signal, below, 0, nullptr, 0), 0);
        EXPECT_EXITED(init, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pid_namespace_init_is_not_killed_by_signals_it_had_blocked)
{
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            sigset_t all, none, pending;
            int fds[2];
            sigfillset(&all);
            sigemptyset(&none);
            sigprocmask(SIG_BLOCK, &all, nullptr);
            REQUIRE(pipe(fds) == 0 && fcntl(fds[0], F_SETOWN, getpid()) == 0);
            REQUIRE(fcntl(fds[0], F_SETFL, O_ASYNC) == 0);
            REQUIRE(write(fds[1], "x", 1) == 1); // the kernel's own SIGIO
            kill(getpid(), SIGTERM);
            sigpending(&pending);
            EXPECT(sigismember(&pending, SIGIO) && sigismember(&pending, SIGTERM));
            sigprocmask(SIG_SETMASK, &none, nullptr);
            sigpending(&pending);
            EXPECT(!sigismember(&pending, SIGIO) && !sigismember(&pending, SIGTERM));
            *(volatile int *)8 = 0; // its own fault does kill it
        }
        EXPECT_KILLED(init, SIGSEGV);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pid_namespace_is_entered_by_setns)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            pid_t none = 0;
            write(fds[1], &none, sizeof none);
            pause();
        }
        write(fds[1], &init, sizeof init);
        EXPECT_KILLED(init, SIGKILL);
    }
    pid_t first, second;
    REQUIRE(read(fds[0], &first, sizeof first) == sizeof first && read(fds[0], &second, sizeof second) == sizeof second);
    pid_t init = first + second;
    int fd = open_ns(init, "pid");
    EXPECT_EQ(ioctl(open_ns(init, "pid"), NS_GET_NSTYPE), CLONE_NEWPID);
    int own = open_ns(getpid(), "pid");
    EXPECT_EQ(setns(fd, CLONE_NEWPID), 0);
    IN_CHILD(inside)
    {
        EXPECT_EQ(getpid(), 2);
        EXPECT_EQ(getppid(), 0);
        EXPECT_ERRNO(setns(own, CLONE_NEWPID), EINVAL); // never up
    }
    EXPECT_EXITED(inside, 0);
    kill(init, SIGKILL);
    EXPECT_EXITED(outside, 0);
}

// What lsns(8) asks: to whom a namespace belongs. That is beyond who has a user namespace of its own, and beyond everybody where there are none.
CASE(namespace_files_are_read_only_and_do_not_tell_an_owner_out_of_reach)
{
    IN_CHILD(child)
    {
        int fd = open_ns(getpid(), "uts");
        uid_t owner;
        EXPECT_ERRNO(open("/proc/self/ns/uts", O_WRONLY), EPERM);
        EXPECT_ERRNO(access("/proc/self/ns/uts", W_OK), EPERM);
        EXPECT_ERRNO(fchmod(fd, 0644), EPERM);
        EXPECT_ERRNO(ioctl(fd, NS_GET_OWNER_UID, &owner), EINVAL);
        (void)unshare(CLONE_NEWUSER);
        EXPECT_ERRNO(ioctl(fd, NS_GET_USERNS), EPERM);
    }
    EXPECT_EXITED(child, 0);
}
