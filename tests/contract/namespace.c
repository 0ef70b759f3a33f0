// tests/contract/namespace.c — PID, UTS and mount namespaces: namespaces(7), unshare(2), setns(2), pid_namespaces(7).
#include "tests/contract/harness.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#define NS_GET_PARENT _IO(0xb7, 2)
#define NS_GET_NSTYPE _IO(0xb7, 3)

static ino_t ns_inode(const char *name)
{
    char path[64];
    struct stat st = {};
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    EXPECT_EQ(stat(path, &st), 0);
    return st.st_ino;
}

static int open_ns(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static const char *host_name(void)
{
    static struct utsname names;
    EXPECT_EQ(uname(&names), 0);
    return names.nodename;
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
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 2);
    thread_t sleeper = after_ms(300, close_fd, 99);
    EXPECT_ERRNO(unshare(CLONE_THREAD), EINVAL); // two threads
    EXPECT_ERRNO(unshare(CLONE_VM), EINVAL);
    EXPECT_ERRNO(unshare(CLONE_SIGHAND), EINVAL);
    join(sleeper);
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

// --- Mount namespaces. ---

CASE(mount_namespace_hides_mounts_from_others)
{
    mkdir("m", 0755);
    int fds[2], back[2];
    REQUIRE(pipe(fds) == 0 && pipe(back) == 0);
    IN_CHILD(child)
    {
        own_mount_namespace();
        REQUIRE(mount("t", "m", "tmpfs", 0, nullptr) == 0);
        make_file("m/inside", "x");
        write(fds[1], "r", 1);
        char c;
        read(back[0], &c, 1);
        EXPECT_EQ(access("m/inside", F_OK), 0);
    }
    char c;
    REQUIRE(read(fds[0], &c, 1) == 1);
    EXPECT_ERRNO(access("m/inside", F_OK), ENOENT);
    char cwd[256], path[300];
    REQUIRE(getcwd(cwd, sizeof cwd));
    snprintf(path, sizeof path, "/proc/%d/root%s/m/inside", child, cwd);
    EXPECT_EQ(access(path, F_OK), 0); // through its own root it is there
    write(back[1], "x", 1);
    EXPECT_EXITED(child, 0);
}

CASE(mount_namespace_shared_mounts_pass_events)
{
    own_mount_namespace();
    mkdir("m", 0755);
    REQUIRE(mount("t", "m", "tmpfs", 0, nullptr) == 0);
    REQUIRE(mount(nullptr, "m", nullptr, MS_SHARED, nullptr) == 0);
    mkdir("m/sub", 0755);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWNS) == 0);
        REQUIRE(mount("u", "m/sub", "tmpfs", 0, nullptr) == 0);
        make_file("m/sub/f", "x");
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(access("m/sub/f", F_OK), 0); // it came here too
    IN_CHILD(slave)
    {
        REQUIRE(unshare(CLONE_NEWNS) == 0);
        REQUIRE(mount(nullptr, "m", nullptr, MS_SLAVE, nullptr) == 0);
        REQUIRE(umount("m/sub") == 0);
    }
    EXPECT_EXITED(slave, 0);
    EXPECT_EQ(access("m/sub/f", F_OK), 0); // a slave's events stay with it
}

CASE(mount_namespace_setns_needs_a_directory_of_its_own)
{
    int ours = open_ns(getpid(), "mnt");
    thread_t sleeper = after_ms(300, close_fd, 99); // shares the working directory with us
    EXPECT_ERRNO(setns(ours, CLONE_NEWNS), EINVAL);
    join(sleeper);
}

CASE(mount_namespace_setns_moves_root_and_directory)
{
    char before[256], after[256];
    REQUIRE(getcwd(before, sizeof before));
    int ours = open_ns(getpid(), "mnt");
    own_mount_namespace();
    mkdir("m", 0755);
    REQUIRE(mount("t", "m", "tmpfs", 0, nullptr) == 0);
    REQUIRE(chdir("m") == 0);
    EXPECT_EQ(setns(ours, CLONE_NEWNS), 0);
    EXPECT(getcwd(after, sizeof after));
    EXPECT_STR(after, "/");
}

// --- Namespaces kept by a bind mount. ---

#define NSFS_MAGIC 0x6e736673

CASE(ns_file_that_is_bound_keeps_its_namespace)
{
    own_mount_namespace();
    REQUIRE(mount("tmpfs", ".", "tmpfs", 0, nullptr) == 0);
    char cwd[PATH_MAX], path[64], text[PATH_MAX] = "", wanted[PATH_MAX + 16];
    REQUIRE(getcwd(cwd, sizeof cwd) && chdir(cwd) == 0);
    make_file("kept", "");
    int told[2];
    REQUIRE(pipe(told) == 0);
    IN_CHILD(child)
    {
        char c = 0;
        REQUIRE(unshare(CLONE_NEWUTS) == 0 && sethostname("kept-one", 8) == 0);
        REQUIRE(write(told[1], &c, 1) == 1);
        pause();
    }
    char c;
    REQUIRE(read(told[0], &c, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/uts", (int)child);
    struct stat before, after;
    REQUIRE(stat(path, &before) == 0);
    REQUIRE(mount(path, "kept", nullptr, MS_BIND, nullptr) == 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_ERRNO(unlink("kept"), EBUSY);
    EXPECT_EQ(stat("kept", &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    struct statfs fs;
    EXPECT_EQ(statfs("kept", &fs), 0);
    EXPECT_EQ(fs.f_type, NSFS_MAGIC);
    int fd = open("kept", O_RDONLY);
    REQUIRE(fd >= 0);
    EXPECT_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUTS);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    EXPECT(readlink(path, text, sizeof text - 1) > 0);
    snprintf(wanted, sizeof wanted, "%s/kept", cwd);
    EXPECT_STR(text, wanted); // where it is mounted
    snprintf(wanted, sizeof wanted, " uts:[%lu] %s/kept ", (unsigned long)before.st_ino, cwd);
    EXPECT(strstr(file_text("/proc/self/mountinfo"), wanted));
    EXPECT_EQ(setns(fd, CLONE_NEWUTS), 0);
    EXPECT_STR(host_name(), "kept-one");
    close(fd);
    EXPECT_EQ(umount("kept"), 0);
    EXPECT_EQ(unlink("kept"), 0);
}

CASE(mount_namespace_cannot_be_bound_into_itself)
{
    own_mount_namespace();
    REQUIRE(mount("tmpfs", ".", "tmpfs", 0, nullptr) == 0);
    char cwd[PATH_MAX], path[64];
    REQUIRE(getcwd(cwd, sizeof cwd) && chdir(cwd) == 0);
    make_file("kept", "");
    EXPECT_ERRNO(mount("/proc/self/ns/mnt", "kept", nullptr, MS_BIND, nullptr), EINVAL);
    EXPECT_ERRNO(mount("/proc/1/ns/mnt", "kept", nullptr, MS_BIND, nullptr), EINVAL); // an older one
    int told[2];
    REQUIRE(pipe(told) == 0);
    IN_CHILD(child)
    {
        char c = 0;
        own_mount_namespace();
        REQUIRE(write(told[1], &c, 1) == 1);
        pause();
    }
    char c;
    REQUIRE(read(told[0], &c, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)child);
    EXPECT_EQ(mount(path, "kept", nullptr, MS_BIND, nullptr), 0); // a younger one
    IN_CHILD(copy)
    {
        struct stat s;
        own_mount_namespace();
        EXPECT_EQ(stat("kept", &s), 0);
        EXPECT_EQ(s.st_size, 0);
        EXPECT(s.st_nlink == 1 && unlink("kept") == 0); // the copy has no mount there
    }
    EXPECT_EXITED(copy, 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

static bool is_namespace_file(const char *path)
{
    struct statfs fs;
    REQUIRE(statfs(path, &fs) == 0);
    return fs.f_type == NSFS_MAGIC;
}

CASE(mount_namespace_is_not_carried_into_others_by_propagation)
{
    own_mount_namespace();
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mount("tmpfs", "a", "tmpfs", 0, nullptr) == 0);
    REQUIRE(mount(nullptr, "a", nullptr, MS_SHARED, nullptr) == 0 && mount("tmpfs", "b", "tmpfs", 0, nullptr) == 0);
    make_file("a/kept", "");
    make_file("b/kept", "");
    REQUIRE(mkdir("a/d", 0755) == 0);
    int told[2];
    REQUIRE(pipe(told) == 0);
    IN_CHILD(child)
    {
        char c = 0;
        REQUIRE(unshare(CLONE_NEWNS) == 0); // its a is a peer
        REQUIRE(write(told[1], &c, 1) == 1);
        pause();
    }
    char c, path[64], cwd[PATH_MAX], there[PATH_MAX + 64];
    REQUIRE(read(told[0], &c, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)child);
    EXPECT_ERRNO(mount(path, "a/kept", nullptr, MS_BIND, nullptr), EINVAL);
    EXPECT(!is_namespace_file("a/kept"));
    // Below a mount that is carried along it is left out.
    EXPECT_EQ(mount(path, "b/kept", nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(mount("b", "a/d", nullptr, MS_BIND | MS_REC, nullptr), 0);
    EXPECT(is_namespace_file("a/d/kept"));
    REQUIRE(getcwd(cwd, sizeof cwd));
    snprintf(there, sizeof there, "/proc/%d/root%s/a/d/kept", (int)child, cwd);
    EXPECT(!is_namespace_file(there));
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_PRIVATE, nullptr), 0);
    EXPECT_EQ(mount(path, "a/kept", nullptr, MS_BIND, nullptr), 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

// Each in a namespace that keeps the next one's.
static void keep_the_next(int depth, int up)
{
    own_mount_namespace();
    if (depth > 0) {
        int told[2];
        char c, path[64];
        REQUIRE(pipe(told) == 0);
        IN_CHILD(child)
        {
            keep_the_next(depth - 1, told[1]);
        }
        REQUIRE(read(told[0], &c, 1) == 1);
        snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)child);
        EXPECT_EQ(mount(path, "kept", nullptr, MS_BIND, nullptr), 0);
        kill(child, SIGKILL);
        EXPECT_KILLED(child, SIGKILL);
        close(told[0]);
        close(told[1]);
    }
    if (up < 0)
        return;
    write_byte(up);
    pause();
}

CASE(mount_namespaces_that_keep_each_other_end_together)
{
    make_file("kept", "");
    keep_the_next(80, -1);
    EXPECT(is_namespace_file("kept"));
    EXPECT_EQ(umount("kept"), 0);
    EXPECT(!is_namespace_file("kept"));
}

CASE(mounts_of_a_namespace_are_limited)
{
    own_mount_namespace();
    char limit[32];
    keep_setting("/proc/sys/fs/mount-max");
    EXPECT_STR(file_text("/proc/sys/fs/mount-max"), "100000\n");
    int mounts = 0;
    for (const char *at = file_text("/proc/self/mountinfo"); (at = strchr(at, '\n')); at++)
        mounts++;
    REQUIRE(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0);
    snprintf(limit, sizeof limit, "%d", mounts + 2);
    REQUIRE(write_text("/proc/sys/fs/mount-max", limit) == 0);
    EXPECT_EQ(mount("tmpfs", "a", "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(mkdir("a/below", 0700), 0);
    EXPECT_EQ(mount("tmpfs", "a/below", "tmpfs", 0, nullptr), 0);
    EXPECT_ERRNO(mount("tmpfs", "b", "tmpfs", 0, nullptr), ENOSPC);
    EXPECT_ERRNO(mount("a", "b", nullptr, MS_BIND, nullptr), ENOSPC);
    EXPECT_EQ(mount("a", "b", nullptr, MS_MOVE, nullptr), 0); // no more than before
    EXPECT_EQ(umount("b/below"), 0);
    EXPECT_EQ(mount("b", "a", nullptr, MS_BIND | MS_REC, nullptr), 0);
}
