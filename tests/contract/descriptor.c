// tests/contract/descriptor.c — dup, fcntl, close_range, limits of the table; record locks, open-file locks, flock.
#include "tests/contract/harness.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

CASE(dup_shares_the_open_file)
{
    make_file("f", "abcdef");
    int fd = open("f", O_RDONLY), copy = dup(fd);
    char c;
    EXPECT_EQ(read(fd, &c, 1), 1);
    EXPECT_EQ(lseek(copy, 0, SEEK_CUR), 1);
    EXPECT_EQ(fcntl(copy, F_SETFL, O_APPEND), 0);
    EXPECT(fcntl(fd, F_GETFL) & O_APPEND);
    EXPECT_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0); // that flag is the descriptor's own
    EXPECT_EQ(fcntl(copy, F_GETFD), 0);
    close(fd);
    EXPECT_EQ(read(copy, &c, 1), 1);
    EXPECT_ERRNO(dup(fd), EBADF);
}

CASE(dup2_and_dup3)
{
    int fd = dup(0);
    EXPECT_EQ(dup2(fd, 77), 77);
    EXPECT_EQ(dup2(fd, fd), fd);
    EXPECT_ERRNO(dup2(999, 999), EBADF);
    EXPECT_ERRNO(syscall(SYS_dup2, fd, -1), EBADF);
    EXPECT_ERRNO(syscall(SYS_dup2, fd, 1 << 30), EBADF);
    EXPECT_EQ(dup3(fd, 78, O_CLOEXEC), 78);
    EXPECT_EQ(fcntl(78, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(dup3(fd, fd, 0), EINVAL);
    EXPECT_ERRNO(dup3(fd, 79, O_NONBLOCK), EINVAL);
}

CASE(dup2_closes_the_target)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(dup2(0, fds[1]), fds[1]);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 0);
}

CASE(dup3_takes_the_place_of_an_open_file)
{
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    int target = dup(fds[1]);
    close(fds[1]);
    EXPECT_EQ(dup3(open("/dev/null", O_RDWR), target, O_CLOEXEC), target);
    EXPECT_EQ(read(fds[0], &c, 1), 0); // what was there is closed: no writer is left
    EXPECT_EQ(fcntl(target, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(dup3(0, target, 0), target);
    EXPECT_EQ(fcntl(target, F_GETFD), 0);
}

CASE(dup3_errors)
{
    struct rlimit limit = {.rlim_cur = 50, .rlim_max = 50};
    EXPECT_ERRNO(dup3(0, 0, 0), EINVAL);
    EXPECT_ERRNO(dup3(999, 999, 0), EINVAL); // equal numbers come first
    EXPECT_ERRNO(syscall(SYS_dup3, 0, 40, O_NONBLOCK), EINVAL);
    EXPECT_ERRNO(dup3(999, 40, 0), EBADF);
    EXPECT_ERRNO(dup3(0, -1, 0), EBADF);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT_ERRNO(dup3(0, 50, 0), EBADF);
    EXPECT_EQ(dup3(0, 49, 0), 49);
    EXPECT_ERRNO(dup3(999, 50, 0), EBADF);
}

CASE(fcntl_dupfd_takes_the_first_free_from_a_floor)
{
    int fd = fcntl(0, F_DUPFD, 100);
    EXPECT_EQ(fd, 100);
    EXPECT_EQ(fcntl(0, F_DUPFD_CLOEXEC, 100), 101);
    EXPECT_EQ(fcntl(101, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(fcntl(0, F_DUPFD, -1), EINVAL);
    EXPECT_ERRNO(fcntl(0, F_DUPFD, 1 << 30), EINVAL);
}

CASE(fcntl_setfl_changes_only_what_may_change)
{
    make_file("f", "");
    int fd = open("f", O_RDWR);
    EXPECT_EQ(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_TRUNC | O_CREAT), 0);
    EXPECT_EQ(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_APPEND | O_NONBLOCK); // but for O_LARGEFILE
    EXPECT_EQ(fcntl(fd, F_SETFL, 0), 0);
    EXPECT_EQ(fcntl(fd, F_GETFL) & ~0100000, O_RDWR);
}

CASE(fcntl_errors)
{
    EXPECT_ERRNO(fcntl(999, F_GETFD), EBADF);
    EXPECT_ERRNO(fcntl(0, 9999), EINVAL);
    int path = open("/", O_PATH);
    EXPECT_ERRNO(fcntl(path, F_SETFL, 0), EBADF);
    EXPECT(fcntl(path, F_GETFD) >= 0);
}

CASE(cloexec_closes_at_exec_only)
{
    char keep[8], lose[8];
    snprintf(keep, sizeof keep, "%d", fcntl(0, F_DUPFD, 50));
    snprintf(lose, sizeof lose, "%d", fcntl(0, F_DUPFD_CLOEXEC, 60));
    char *args[] = {keep, lose, nullptr};
    IN_CHILD(child)
    {
        exec_helper("check_descriptors", args, nullptr);
        _exit(99);
    }
    EXPECT_EXITED(child, 0);
    EXPECT(fcntl(60, F_GETFD) >= 0);
}

HELPER(check_descriptors)
{
    return fcntl(atoi(argv[0]), F_GETFD) != 0 ? 1 : fcntl(atoi(argv[1]), F_GETFD) != -1 || errno != EBADF ? 2 : 0;
}

CASE(close_errors)
{
    EXPECT_ERRNO(close(999), EBADF);
    EXPECT_ERRNO(close(-1), EBADF);
    int fd = dup(0);
    EXPECT_EQ(close(fd), 0);
    EXPECT_ERRNO(close(fd), EBADF);
}

CASE(close_range_closes_and_marks)
{
    for (int i = 100; i < 110; i++)
        REQUIRE(dup2(0, i) == i);
    EXPECT_EQ(syscall(SYS_close_range, 102, 104, 0), 0);
    EXPECT(fcntl(101, F_GETFD) >= 0);
    EXPECT_ERRNO(fcntl(102, F_GETFD), EBADF);
    EXPECT_ERRNO(fcntl(104, F_GETFD), EBADF);
    EXPECT_EQ(fcntl(105, F_GETFD), 0);
    EXPECT_EQ(syscall(SYS_close_range, 105, ~0u, 4), 0); // CLOSE_RANGE_CLOEXEC
    EXPECT_EQ(fcntl(109, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_close_range, 5, 6, 1), EINVAL);
}

CASE(descriptor_limit_is_emfile)
{
    struct rlimit limit = {.rlim_cur = 20, .rlim_max = 20};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fd, last = 0;
    while ((fd = dup(0)) >= 0)
        last = fd;
    EXPECT_EQ(errno, EMFILE);
    EXPECT_EQ(last, 19);
    EXPECT_ERRNO(open("/", O_RDONLY), EMFILE);
    int fds[2];
    EXPECT_ERRNO(pipe(fds), EMFILE);
    close(10);
    EXPECT_ERRNO(pipe(fds), EMFILE);
    EXPECT_EQ(dup(0), 10);
    EXPECT_ERRNO(dup2(0, 20), EBADF);
    EXPECT_ERRNO(fcntl(0, F_DUPFD, 20), EINVAL);
}

CASE(table_grows_to_many_descriptors)
{
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fd, count = 0;
    while ((fd = dup(0)) >= 0)
        count++;
    EXPECT(count > 4080);
    EXPECT_EQ(syscall(SYS_close_range, 1000, ~0u, 0), 0);
    EXPECT_EQ(dup(0), 1000);
}

CASE(fioclex_and_fionclex)
{
    int fd = dup(0);
    EXPECT_EQ(ioctl(fd, FIOCLEX), 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(ioctl(fd, FIONCLEX), 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), 0);
    EXPECT_ERRNO(ioctl(999, FIOCLEX), EBADF);
    make_file("f", "");
    EXPECT_ERRNO(ioctl(open("f", O_RDONLY), TIOCGWINSZ, (void *)8), ENOTTY);
}

static int lock(int fd, int command, short type, off_t start, off_t length)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &l);
}

static struct flock test_lock(int fd, int command, off_t start, off_t length)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    EXPECT_EQ(fcntl(fd, command, &l), 0);
    return l;
}

CASE(record_locks_conflict_between_processes)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_RDLCK, 40, 10), 0);
    pid_t owner = getpid();
    IN_CHILD(child)
    {
        EXPECT_ERRNO(lock(fd, F_SETLK, F_RDLCK, 15, 1), EAGAIN);
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 20, 5), 0); // next to it
        EXPECT_EQ(lock(fd, F_SETLK, F_RDLCK, 40, 1), 0);
        EXPECT_ERRNO(lock(fd, F_SETLK, F_WRLCK, 40, 1), EAGAIN);
        struct flock l = test_lock(fd, F_GETLK, 0, 0);
        EXPECT_EQ(l.l_type, F_WRLCK);
        EXPECT_EQ(l.l_start, 10);
        EXPECT_EQ(l.l_len, 10);
        EXPECT_EQ(l.l_pid, owner);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(test_lock(fd, F_GETLK, 0, 0).l_type, F_UNLCK); // own locks do not conflict
}

CASE(record_locks_split_and_merge)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 100), 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 40, 20), 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 40, 20), 0);
        struct flock l = test_lock(fd, F_GETLK, 60, 0);
        EXPECT_EQ(l.l_start, 60);
        EXPECT_EQ(l.l_len, 40);
    }
    EXPECT_EXITED(child, 0);
}

CASE(record_locks_are_released_by_any_close)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    close(open("f", O_RDONLY));
    IN_CHILD(child)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(record_locks_outlive_the_close_of_a_place)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    EXPECT_EQ(close(open("f", O_PATH)), 0); // which was not the file
    IN_CHILD(child)
    {
        EXPECT_EQ(test_lock(fd, F_GETLK, 0, 0).l_type, F_WRLCK);
    }
    EXPECT_EXITED(child, 0);
}

CASE(record_lock_test_tells_the_lowest_of_an_owner)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 50, 10), 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(test_lock(fd, F_GETLK, 0, 0).l_start, 10);
        EXPECT_EQ(test_lock(fd, F_GETLK, 20, 0).l_start, 50);
    }
    EXPECT_EXITED(child, 0);
}

CASE(record_lock_waits_until_the_owner_ends)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600), fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
        write_byte(fds[1]);
        sleep_ms(40);
    }
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 0), 0);
    EXPECT_EXITED(child, 0);
}

CASE(record_lock_wait_is_interrupted)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600), fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
        write_byte(fds[1]);
        for (;;)
            pause();
    }
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
    join(killer);
    kill(child, SIGKILL);
}

CASE(record_lock_deadlock_is_edeadlk)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600), fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 1, 1), 0);
        write_byte(fds[1]);
        EXPECT_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0);
    }
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    until_asleep(child);
    EXPECT_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
    EXPECT_EXITED(child, 0);
}

struct lock_request {
    int fd;
    off_t length; // 0: all of the file
    _Atomic pid_t tid;
    int result, error;
};

static void *wait_for_lock(void *arg)
{
    struct lock_request *r = arg;
    r->tid = own_tid();
    r->result = lock(r->fd, F_SETLKW, F_WRLCK, 0, r->length);
    r->error = errno;
    return nullptr;
}

CASE(record_lock_got_after_the_descriptor_was_closed_is_given_back)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600), mine = open("f", O_RDWR), ready[2], end[2];
    REQUIRE(pipe(ready) == 0 && pipe(end) == 0);
    IN_CHILD(holder)
    {
        char c;
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
        write_byte(ready[1]);
        EXPECT_EQ(read(end[0], &c, 1), 1);
    }
    char c;
    EXPECT_EQ(read(ready[0], &c, 1), 1);
    struct lock_request r = {.fd = mine};
    pthread_t waiter;
    REQUIRE_EQ(pthread_create(&waiter, nullptr, wait_for_lock, &r), 0);
    while (!r.tid)
        sched_yield();
    until_asleep(r.tid);
    close(mine);
    write_byte(end[1]);
    pthread_join(waiter, nullptr);
    EXPECT_EXITED(holder, 0);
    EXPECT_EQ(r.result, -1);
    EXPECT_EQ(r.error, EBADF);
    IN_CHILD(other)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    }
    EXPECT_EXITED(other, 0);
}

// It is as if the descriptor were closed only then: that drops all the process's locks on the file.
CASE(record_lock_given_back_takes_the_process_s_others_along)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600), mine = open("f", O_RDWR), ready[2], end[2];
    REQUIRE(pipe(ready) == 0 && pipe(end) == 0);
    IN_CHILD(holder)
    {
        char c;
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
        write_byte(ready[1]);
        EXPECT_EQ(read(end[0], &c, 1), 1);
    }
    char c;
    EXPECT_EQ(read(ready[0], &c, 1), 1);
    struct lock_request r = {.fd = mine, .length = 10};
    pthread_t waiter;
    REQUIRE_EQ(pthread_create(&waiter, nullptr, wait_for_lock, &r), 0);
    while (!r.tid)
        sched_yield();
    until_asleep(r.tid);
    close(mine);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 50, 10), 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 100, 10), 0);
    write_byte(end[1]);
    pthread_join(waiter, nullptr);
    EXPECT_EXITED(holder, 0);
    EXPECT_EQ(r.result, -1);
    EXPECT_EQ(r.error, EBADF);
    IN_CHILD(other)
    {
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 50, 1), 0);
        EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 109, 1), 0);
    }
    EXPECT_EXITED(other, 0);
}

// Both hold a lock in turn and wait for the other's, but never at once: nobody who has just been let go counts as waiting.
CASE_WITHIN(120, record_lock_given_back_lets_its_waiter_go_at_once)
{
    enum { ROUNDS = 500 };
    int fd = open("f", O_RDWR | O_CREAT, 0600), forth[2], back[2];
    char c;
    REQUIRE(pipe(forth) == 0 && pipe(back) == 0);
    IN_CHILD(child)
    {
        for (int i = 0; i < ROUNDS; i++) {
            REQUIRE(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
            write_byte(back[1]);
            REQUIRE(lock(fd, F_SETLKW, F_WRLCK, 1, 1) == 0);
            REQUIRE(lock(fd, F_SETLK, F_UNLCK, 0, 2) == 0);
            REQUIRE(read(forth[0], &c, 1) == 1);
        }
    }
    for (int i = 0; i < ROUNDS; i++) {
        REQUIRE(lock(fd, F_SETLKW, F_WRLCK, 1, 1) == 0); // the child may still be giving it back
        REQUIRE(read(back[0], &c, 1) == 1);
        until_asleep(child);
        REQUIRE(lock(fd, F_SETLK, F_UNLCK, 1, 1) == 0);
        EXPECT_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0); // the child holds it, and waits for nothing of ours
        EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
        write_byte(forth[1]);
    }
    EXPECT_EXITED(child, 0);
}

CASE(record_lock_waiters_of_all_kinds_get_it_one_after_another)
{
    enum { WAITERS = 12 };
    int fd = open("f", O_RDWR | O_CREAT, 0600), go[2];
    char c;
    REQUIRE(pipe(go) == 0);
    REQUIRE(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    pid_t child[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        child[i] = fork();
        if (child[i])
            continue;
        int own = open("f", O_RDWR), shared = i % 3 == 0, ofd = i % 2;
        EXPECT_EQ(lock(own, ofd ? 38 : F_SETLKW, shared ? F_RDLCK : F_WRLCK, i % 4, 2), 0); // 38: F_OFD_SETLKW
        EXPECT_EQ(read(go[0], &c, 1), 1);
        _exit(0);
    }
    for (int i = 0; i < WAITERS; i++)
        until_asleep(child[i]);
    kill(child[3], SIGKILL); // one in the middle gives up
    EXPECT_KILLED(child[3], SIGKILL);
    EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 2), 0); // in parts
    EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    for (int i = 0; i < WAITERS - 1; i++)
        write_byte(go[1]);
    for (int i = 0; i < WAITERS; i++)
        if (i != 3)
            EXPECT_EXITED(child[i], 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0); // all are gone
}

CASE(record_lock_errors)
{
    make_file("f", "");
    int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
    EXPECT_ERRNO(lock(r, F_SETLK, F_WRLCK, 0, 0), EBADF);
    EXPECT_ERRNO(lock(w, F_SETLK, F_RDLCK, 0, 0), EBADF);
    EXPECT_ERRNO(lock(r, F_SETLK, 77, 0, 0), EINVAL);
    EXPECT_ERRNO(lock(r, F_SETLK, F_RDLCK, -1, 0), EINVAL);
    EXPECT_ERRNO(fcntl(r, F_SETLK, (void *)8), EFAULT);
    struct flock l = {.l_type = F_RDLCK, .l_whence = 9};
    EXPECT_ERRNO(fcntl(r, F_SETLK, &l), EINVAL);
}

enum { OFD_GETLK = 36, OFD_SETLK = 37 };

CASE(open_file_locks_belong_to_the_open_file)
{
    int a = open("f", O_RDWR | O_CREAT, 0600), b = open("f", O_RDWR);
    EXPECT_EQ(lock(a, OFD_SETLK, F_WRLCK, 0, 10), 0);
    EXPECT_ERRNO(lock(b, OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
    EXPECT_EQ(test_lock(b, OFD_GETLK, 0, 0).l_pid, -1);
    close(open("f", O_RDONLY)); // does not release it
    EXPECT_ERRNO(lock(b, OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
    int copy = dup(a);
    close(a);
    EXPECT_ERRNO(lock(b, OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
    close(copy);
    EXPECT_EQ(lock(b, OFD_SETLK, F_RDLCK, 0, 1), 0);
}

CASE(open_file_locks_of_its_own_are_told_by_a_test_for_none)
{
    int a = open("f", O_RDWR | O_CREAT, 0600), b = open("f", O_RDONLY);
    EXPECT_EQ(lock(a, OFD_SETLK, F_WRLCK, 0, 10), 0);
    struct flock l = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    EXPECT_EQ(fcntl(a, OFD_GETLK, &l), 0);
    EXPECT_EQ(l.l_type, F_WRLCK);
    EXPECT_EQ(l.l_start, 0);
    EXPECT_EQ(l.l_len, 10);
    EXPECT_EQ(l.l_pid, -1);
    l = (struct flock){.l_type = F_UNLCK, .l_whence = SEEK_SET};
    EXPECT_EQ(fcntl(b, OFD_GETLK, &l), 0);
    EXPECT_EQ(l.l_type, F_UNLCK);
    EXPECT_ERRNO(fcntl(a, F_GETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 20, .l_pid = 1};
    EXPECT_ERRNO(fcntl(b, OFD_SETLK, &l), EBADF); // before what is wrong with the number
    EXPECT_ERRNO(fcntl(a, OFD_SETLK, &l), EINVAL);
}

CASE(flock_modes)
{
    make_file("f", "");
    int a = open("f", O_RDONLY), b = open("f", O_RDONLY);
    EXPECT_EQ(flock(a, LOCK_SH), 0);
    EXPECT_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
    EXPECT_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
    EXPECT_EQ(flock(a, LOCK_UN), 0);
    EXPECT_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
    EXPECT_ERRNO(flock(a, LOCK_SH | LOCK_NB), EAGAIN);
    close(b);
    EXPECT_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
    EXPECT_ERRNO(flock(a, 0), EINVAL);
    EXPECT_ERRNO(flock(999, LOCK_SH), EBADF);
}

CASE(flock_is_kept_by_a_forked_child)
{
    make_file("f", "");
    int a = open("f", O_RDONLY), b = open("f", O_RDONLY), fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(flock(a, LOCK_EX), 0);
    IN_CHILD(child)
    {
        char c;
        EXPECT_EQ(read(fds[0], &c, 1), 1);
    }
    close(a);
    EXPECT_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
    write_byte(fds[1]);
    EXPECT_EQ(flock(b, LOCK_EX), 0); // waits until the child is gone
    EXPECT_EXITED(child, 0);
}

struct flock_waiter {
    int fd, operation, result;
    _Atomic pid_t tid;
};

static void *wait_for_flock(void *arg)
{
    struct flock_waiter *w = arg;
    w->tid = own_tid();
    w->result = flock(w->fd, w->operation);
    return nullptr;
}

// Two threads wait for a lock of the same open file: it gets one, not two, and is without one when it is closed.
static void flock_twice(int first, int second)
{
    int a = open("f", O_RDONLY), b = open("f", O_RDONLY);
    REQUIRE(flock(b, LOCK_EX) == 0);
    struct flock_waiter w[] = {{.fd = a, .operation = first}, {.fd = a, .operation = second}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        REQUIRE(pthread_create(&threads[i], nullptr, wait_for_flock, &w[i]) == 0);
        while (!w[i].tid)
            sched_yield();
        until_asleep(w[i].tid);
    }
    EXPECT_EQ(flock(b, LOCK_UN), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], nullptr);
        EXPECT_EQ(w[i].result, 0);
    }
    EXPECT_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
    EXPECT_EQ(flock(a, LOCK_UN), 0);
    EXPECT_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
    close(a);
    close(b);
}

CASE(flock_by_two_threads_at_once_is_one_lock)
{
    make_file("f", "");
    flock_twice(LOCK_EX, LOCK_EX);
    flock_twice(LOCK_SH, LOCK_SH);
    flock_twice(LOCK_SH, LOCK_EX);
    flock_twice(LOCK_EX, LOCK_SH);
}

CASE(fcntl_owner_and_signal)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    EXPECT_EQ(fcntl(fds[0], F_GETOWN), getpid());
    EXPECT_EQ(fcntl(fds[0], 10, SIGUSR1), 0); // F_SETSIG
    EXPECT_EQ(fcntl(fds[0], 11), SIGUSR1);
    count_signal(SIGUSR1, 0);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    write_byte(fds[1]);
    EXPECT_EQ(handled_signals, 1);
}

CASE(memfd_seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    REQUIRE(fd >= 0);
    EXPECT_EQ(write(fd, "abc", 3), 3);
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    EXPECT_ERRNO(ftruncate(fd, 1), EPERM);
    EXPECT_EQ(ftruncate(fd, 10), 0);
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 0);
    EXPECT_ERRNO(ftruncate(fd, 20), EPERM);
    EXPECT_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    int closed = memfd_create("plain", 0);
    EXPECT_EQ(fcntl(closed, F_GET_SEALS), F_SEAL_SEAL);
    EXPECT_ERRNO(memfd_create("x", 0x1000), EINVAL);
    char path[64], link[64] = {};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    EXPECT(readlink(path, link, sizeof link - 1) > 0);
    EXPECT_STR(link, "/memfd:test (deleted)");
}

CASE(memfd_seal_future_write_counts_beside_a_mapping)
{
    int fd = memfd_create("m", MFD_ALLOW_SEALING);
    REQUIRE(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    char *room = mmap(nullptr, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(room != MAP_FAILED);
    const int fixed = MAP_SHARED | MAP_FIXED, rw = PROT_READ | PROT_WRITE;
    REQUIRE(mmap(room + PAGE, PAGE, rw, fixed, fd, PAGE) == room + PAGE);
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
    room[PAGE] = 1; // what was there stays
    EXPECT_ERRNO(mmap(room + 2 * PAGE, PAGE, rw, fixed, fd, 2 * PAGE), EPERM);
    EXPECT_ERRNO(mmap(room, PAGE, rw, fixed, fd, 0), EPERM);
    EXPECT(mmap(room + 3 * PAGE, PAGE, PROT_READ, fixed, fd, 3 * PAGE) == room + 3 * PAGE);
    EXPECT_ERRNO(mprotect(room + 3 * PAGE, PAGE, rw), EACCES);
}

CASE(memfd_seal_write_waits_for_mappings)
{
    int fd = memfd_create("test", MFD_ALLOW_SEALING);
    EXPECT_EQ(ftruncate(fd, PAGE), 0);
    char *p = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    munmap(p, PAGE);
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
}

static pthread_barrier_t seal_turn;
static int sealed_file;
static char *mapped_beside_seal;

enum { SEAL_ROUNDS = 300 };

static void *map_beside_seal(void *)
{
    for (int i = 0; i < SEAL_ROUNDS; i++) {
        pthread_barrier_wait(&seal_turn);
        mapped_beside_seal = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, sealed_file, 0);
        EXPECT(mapped_beside_seal != MAP_FAILED || errno == EPERM);
        pthread_barrier_wait(&seal_turn);
        pthread_barrier_wait(&seal_turn);
    }
    return nullptr;
}

CASE_WITHIN(120, memfd_seal_write_and_a_mapping_at_once_exclude_each_other)
{
    pthread_t mapper;
    REQUIRE(pthread_barrier_init(&seal_turn, nullptr, 2) == 0);
    REQUIRE(pthread_create(&mapper, nullptr, map_beside_seal, nullptr) == 0);
    for (int i = 0; i < SEAL_ROUNDS; i++) {
        sealed_file = memfd_create("test", MFD_ALLOW_SEALING);
        REQUIRE(sealed_file >= 0 && ftruncate(sealed_file, PAGE) == 0);
        pthread_barrier_wait(&seal_turn);
        int sealed = fcntl(sealed_file, F_ADD_SEALS, F_SEAL_WRITE);
        EXPECT(sealed == 0 || errno == EBUSY);
        pthread_barrier_wait(&seal_turn);
        EXPECT(sealed != 0 || mapped_beside_seal == MAP_FAILED);
        if (mapped_beside_seal != MAP_FAILED)
            munmap(mapped_beside_seal, PAGE);
        EXPECT_EQ(fcntl(sealed_file, F_ADD_SEALS, F_SEAL_WRITE), 0);
        close(sealed_file);
        pthread_barrier_wait(&seal_turn);
    }
    pthread_join(mapper, nullptr);
}

// --- /proc/locks. ---

// Whether there is a line for the file (by its numbers) with this in it.
static bool lock_listed(const struct stat *s, const char *format, ...)
{
    char wanted[128], line[256], file[64];
    va_list args;
    va_start(args, format);
    vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    snprintf(file, sizeof file, " %02x:%02x:%lu ", major(s->st_dev), minor(s->st_dev), (unsigned long)s->st_ino);
    FILE *f = fopen("/proc/locks", "r");
    REQUIRE(f);
    bool found = false;
    while (fgets(line, sizeof line, f)) {
        char *at = strstr(line, file);
        if (!at)
            continue;
        memmove(at, at + strlen(file) - 1, strlen(at + strlen(file) - 1) + 1); // the rest is compared without it
        found |= strstr(line, wanted) != nullptr;
    }
    fclose(f);
    return found;
}

CASE(proc_locks_tells_who_holds_and_who_waits)
{
    struct stat s;
    int fd = open("f", O_RDWR | O_CREAT, 0600), me = getpid();
    REQUIRE(fstat(fd, &s) == 0);
    EXPECT(!lock_listed(&s, "ADVISORY"));
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
    EXPECT_EQ(lock(fd, F_SETLK, F_RDLCK, 40, 0), 0);
    EXPECT(lock_listed(&s, ": POSIX  ADVISORY  WRITE %d 10 19\n", me));
    EXPECT(lock_listed(&s, ": POSIX  ADVISORY  READ %d 40 EOF\n", me));
    EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 12, 2), 0);
    EXPECT(lock_listed(&s, ": POSIX  ADVISORY  WRITE %d 10 11\n", me));
    EXPECT(lock_listed(&s, ": POSIX  ADVISORY  WRITE %d 14 19\n", me));
    EXPECT_EQ(lock(fd, F_OFD_SETLK, F_WRLCK, 30, 2), 0);
    EXPECT(lock_listed(&s, ": OFDLCK ADVISORY  WRITE -1 30 31\n"));
    EXPECT_EQ(flock(fd, LOCK_SH), 0);
    EXPECT(lock_listed(&s, ": FLOCK  ADVISORY  READ %d 0 EOF\n", me));
    IN_CHILD(waiter)
    {
        EXPECT_EQ(lock(fd, F_SETLKW, F_WRLCK, 15, 1), 0);
    }
    until_asleep(waiter);
    EXPECT(lock_listed(&s, ": -> POSIX  ADVISORY  WRITE %d 15 15\n", (int)waiter));
    EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    EXPECT_EXITED(waiter, 0);
    EXPECT(!lock_listed(&s, "POSIX"));
    EXPECT(lock_listed(&s, "FLOCK"));
    close(fd);
    EXPECT(!lock_listed(&s, "ADVISORY"));
}

CASE(record_lock_test_tells_the_holder_s_number_in_the_asker_s_namespace)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(inside)
        {
            EXPECT_EQ(test_lock(fd, F_GETLK, 0, 0).l_pid, 0); // one that is not to be seen
            EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 5, 1), 0);
            IN_CHILD(other)
            {
                EXPECT_EQ(test_lock(fd, F_GETLK, 5, 1).l_pid, 1);
            }
            EXPECT_EXITED(other, 0);
        }
        EXPECT_EXITED(inside, 0);
    }
    EXPECT_EXITED(child, 0);
}
