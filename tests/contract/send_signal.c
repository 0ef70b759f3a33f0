// tests/contract/send_signal.c — who may send whom which signal, and with what story: kill(2), rt_tgsigqueueinfo(2), tkill(2),
// pidfd_send_signal(2), pidfd_getfd(2).
#include "tests/contract/harness.h"

static siginfo_t taken;

// Takes the one pending signal of the calling thread or its process.
static int take(void)
{
    sigset_t set;
    static const struct timespec none = {};
    sigfillset(&set);
    return sigtimedwait(&set, &taken, &none);
}

static void block_all(void)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, nullptr);
}

static siginfo_t story(int code, int value)
{
    return (siginfo_t){.si_code = code, .si_pid = 4711, .si_uid = 42, .si_value = {.sival_int = value}};
}

static pid_t sleeper(void)
{
    IN_CHILD(child)
    {
        pause();
    }
    return child;
}

CASE(rt_tgsigqueueinfo_brings_what_was_written)
{
    block_all();
    siginfo_t info = story(SI_QUEUE, 17);
    EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), own_tid(), SIGRTMIN, &info), 0);
    EXPECT_EQ(take(), SIGRTMIN);
    EXPECT_EQ(taken.si_code, SI_QUEUE);
    EXPECT_EQ(taken.si_pid, 4711);
    EXPECT_EQ(taken.si_uid, 42);
    EXPECT_EQ(taken.si_value.sival_int, 17);
    info = story(SI_TKILL, 1); // to oneself anything goes
    EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), own_tid(), SIGUSR1, &info), 0);
    EXPECT_EQ(take(), SIGUSR1);
    EXPECT_EQ(taken.si_code, SI_TKILL);
}

CASE(rt_tgsigqueueinfo_errors)
{
    siginfo_t info = story(SI_QUEUE, 0), faked = story(SI_TKILL, 0), kernel = story(SI_KERNEL, 0);
    pid_t child = sleeper();
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), own_tid(), 65, &info), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 0, own_tid(), SIGUSR1, &info), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &info), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), child, SIGUSR1, &info), ESRCH); // not one of this group
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), own_tid(), SIGUSR1, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGUSR1, &faked), EPERM); // nobody plays tkill or the kernel to others
    EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGUSR1, &kernel), EPERM);
    EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, child, child, 0, &info), 0);
    EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGTERM, &info), 0);
    EXPECT_KILLED(child, SIGTERM);
}

static void *wait_blocked(void *tid)
{
    *(pid_t *)tid = own_tid();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigwaitinfo(&set, &taken);
    return nullptr;
}

CASE(tkill_reaches_one_thread)
{
    pthread_t thread;
    volatile pid_t tid = 0;
    block_all();
    REQUIRE_EQ(pthread_create(&thread, nullptr, wait_blocked, (void *)&tid), 0);
    while (tid == 0)
        sched_yield();
    EXPECT_EQ(syscall(SYS_tkill, tid, SIGUSR2), 0);
    pthread_join(thread, nullptr);
    EXPECT_EQ(taken.si_code, SI_TKILL);
    EXPECT_EQ(taken.si_pid, getpid());
    EXPECT_EQ(take(), -1); // not this one
    EXPECT_EQ(syscall(SYS_tkill, own_tid(), 0), 0);
    EXPECT_ERRNO(syscall(SYS_tkill, 0, SIGUSR2), EINVAL);
    EXPECT_ERRNO(syscall(SYS_tkill, -1, SIGUSR2), EINVAL);
    EXPECT_ERRNO(syscall(SYS_tkill, own_tid(), 65), EINVAL);
    EXPECT_ERRNO(syscall(SYS_tkill, 0x3ffffff, SIGUSR2), ESRCH);
    pid_t child = sleeper();
    IN_CHILD(other)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(syscall(SYS_tkill, child, SIGTERM), EPERM);
    }
    EXPECT_EXITED(other, 0);
    EXPECT_EQ(syscall(SYS_tkill, child, SIGKILL), 0);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(pidfd_send_signal_with_and_without_a_story)
{
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    REQUIRE(self >= 0);
    block_all();
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, self, SIGUSR1, nullptr, 0), 0);
    EXPECT_EQ(take(), SIGUSR1);
    EXPECT_EQ(taken.si_code, SI_USER);
    EXPECT_EQ(taken.si_pid, getpid());
    siginfo_t info = story(SI_QUEUE, 23);
    info.si_signo = SIGRTMIN + 1;
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, self, SIGRTMIN + 1, &info, 0), 0);
    EXPECT_EQ(take(), SIGRTMIN + 1);
    EXPECT_EQ(taken.si_value.sival_int, 23);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, self, SIGUSR1, &info, 0), EINVAL); // the story is of another signal
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, self, 0, nullptr, 0), 0);
}

CASE(pidfd_send_signal_errors)
{
    pid_t child = sleeper();
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    siginfo_t faked = story(SI_USER, 0);
    faked.si_signo = SIGTERM;
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, 999, SIGTERM, nullptr, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, open("/dev/null", O_RDONLY), SIGTERM, nullptr, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, 65, nullptr, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, &faked, 0), EPERM);
    IN_CHILD(other)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0), EPERM);
    }
    EXPECT_EXITED(other, 0);
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0), 0);
    EXPECT_KILLED(child, SIGTERM);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0), ESRCH); // gone, and its number means nobody else
}

CASE(pidfd_send_signal_takes_the_folder_of_a_process)
{
    char path[64];
    IN_CHILD(child)
    {
        for (;;)
            pause();
    }
    snprintf(path, sizeof path, "/proc/%d", child);
    int fd = open(path, O_RDONLY | O_DIRECTORY), place = open(path, O_PATH | O_DIRECTORY);
    snprintf(path, sizeof path, "/proc/%d/task/%d", child, child);
    int thread = open(path, O_RDONLY | O_DIRECTORY);
    REQUIRE(fd >= 0 && place >= 0 && thread >= 0);
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, 0, nullptr, 0), 0);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, place, 0, nullptr, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, thread, 0, nullptr, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, 0, 0), EBADF); // no other call does
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0), 0);
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, nullptr, 0), ESRCH);
}

CASE(pidfd_getfd_shares_the_open_file)
{
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    make_file("f", "abcdef");
    IN_CHILD(child)
    {
        REQUIRE(dup2(open("f", O_RDONLY), 77) == 77);
        write_byte(fds[1]);
        pause();
    }
    REQUIRE(read(fds[0], &c, 1) == 1);
    int target = (int)syscall(SYS_pidfd_open, child, 0), fd = (int)syscall(SYS_pidfd_getfd, target, 77, 0), again;
    REQUIRE(fd >= 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(read(fd, &c, 1), 1);
    again = (int)syscall(SYS_pidfd_getfd, target, 77, 0);
    EXPECT_EQ(read(again, &c, 1), 1);
    EXPECT_EQ(c, 'b'); // one offset
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, target, 78, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, target, -1, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, 999, 77, 0), EBADF);
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, 77, 0), EBADF); // no pidfd
    IN_CHILD(other)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(syscall(SYS_pidfd_getfd, target, 77, 0), EPERM);
    }
    EXPECT_EXITED(other, 0);
    EXPECT_EQ(kill(child, SIGKILL), 0);
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_ERRNO(syscall(SYS_pidfd_getfd, target, 77, 0), ESRCH);
}

CASE(kill_targets_and_errors)
{
    EXPECT_EQ(kill(getpid(), 0), 0);
    EXPECT_ERRNO(kill(getpid(), 65), EINVAL);
    EXPECT_ERRNO(kill(getpid(), -1), EINVAL);
    EXPECT_ERRNO(kill(999999, 0), ESRCH);
    EXPECT_ERRNO(kill(-999999, 0), ESRCH);
    EXPECT_ERRNO(kill(INT_MIN, 0), ESRCH);
    count_signal(SIGUSR1, 0);
    EXPECT_EQ(kill(0, SIGUSR1), 0); // the own group
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(kill(-getpgrp(), SIGUSR1), 0);
    EXPECT_EQ(handled_signals, 2);
}

CASE(kill_all_with_foreign_targets_only_is_no_error)
{
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            EXPECT_ERRNO(kill(-1, 0), ESRCH); // nobody but itself
            IN_CHILD(other)
            {
                pause();
            }
            IN_CHILD(user)
            {
                REQUIRE(setuid(1000) == 0);
                EXPECT_EQ(kill(-1, SIGKILL), 0);
            }
            EXPECT_EXITED(user, 0);
            EXPECT_EQ(kill(other, SIGKILL), 0);
            EXPECT_KILLED(other, SIGKILL);
        }
        EXPECT_EXITED(init, 0);
    }
    EXPECT_EXITED(outside, 0);
}

CASE(kill_of_a_foreign_user_is_eperm)
{
    IN_CHILD(child)
    {
        REQUIRE(setuid(1234) == 0);
        EXPECT_ERRNO(kill(1, 0), EPERM);
        EXPECT_ERRNO(kill(getppid(), SIGTERM), EPERM);
        EXPECT_EQ(kill(getppid(), SIGCONT), 0); // allowed within a session
    }
    EXPECT_EXITED(child, 0);
}

CASE(sigqueue_forged_codes_are_refused)
{
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
    EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &info), EPERM);
    info.si_code = SI_TKILL;
    EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &info), EPERM);
    count_signal(SIGUSR1, 0);
    info.si_code = SI_QUEUE;
    EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), own_tid(), SIGUSR1, &info), 0);
    EXPECT_EQ(handled_signals, 1);
}

CASE(signal_init_of_a_pid_namespace_is_protected)
{
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(inner)
        {
            EXPECT_EQ(getpid(), 1);
            kill(1, SIGTERM); // no handler: ignored for init
            kill(1, SIGKILL);
            IN_CHILD(third)
            {
                EXPECT_EQ(kill(1, SIGKILL), 0);
            }
            EXPECT_EXITED(third, 0);
            _exit(9);
        }
        EXPECT_EXITED(inner, 9);
    }
    EXPECT_EXITED(child, 0);
}

CASE(signal_pid_namespace_dies_with_its_init)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(inner)
        {
            IN_CHILD(member)
            {
                for (;;)
                    pause();
            }
            EXPECT(member > 0);
        }
        EXPECT_EXITED(inner, 0);
    }
    close(fds[1]);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 0); // the last holder is gone
    EXPECT_EXITED(child, 0);
}

static void *queue_to_oneself(void *)
{
    siginfo_t forged = story(SI_USER, 1);
    EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &forged), EPERM); // that is another thread
    EXPECT_EQ(syscall(SYS_rt_sigqueueinfo, own_tid(), SIGUSR1, &forged), 0);
    return nullptr;
}

CASE(rt_sigqueueinfo_lets_a_thread_tell_itself_anything)
{
    pthread_t thread;
    block_all();
    REQUIRE_EQ(pthread_create(&thread, nullptr, queue_to_oneself, nullptr), 0);
    pthread_join(thread, nullptr);
    EXPECT_EQ(take(), SIGUSR1); // it was for the process all the same
    EXPECT_EQ(taken.si_pid, 4711);
}

static int thread_fds[2];
static _Atomic pid_t pidfd_thread;

static void *wait_for_byte(void *)
{
    pidfd_thread = own_tid();
    read_byte(thread_fds[0]);
    return nullptr;
}

CASE(pidfd_of_a_thread_reaches_its_process)
{
    enum { OF_A_THREAD = O_EXCL, TO_THE_GROUP = 2 };
    pthread_t thread;
    block_all();
    REQUIRE(pipe(thread_fds) == 0);
    REQUIRE_EQ(pthread_create(&thread, nullptr, wait_for_byte, nullptr), 0);
    while (!pidfd_thread)
        sched_yield();
    int fd = (int)syscall(SYS_pidfd_open, pidfd_thread, OF_A_THREAD);
    REQUIRE(fd >= 0);
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, nullptr, TO_THE_GROUP), 0);
    EXPECT_EQ(take(), SIGUSR1);
    EXPECT(syscall(SYS_pidfd_getfd, fd, thread_fds[1], 0) >= 0);
    write_byte(thread_fds[1]);
    pthread_join(thread, nullptr);
}
