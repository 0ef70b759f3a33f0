// tests/contract/errors.c — what all calls of a kind refuse alike: closed descriptors, wrong descriptors, bad paths, bad pointers.
//
// Each case walks a list of calls, so that a new call gets its errors checked by a line.
#include "tests/contract/harness.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { CLOSED = 777 };

static char buffer[PAGE];

struct call {
    const char *name;
    long number;
    long arguments[6];
};

static long make(const struct call *c, int index, long value)
{
    long a[6];
    memcpy(a, c->arguments, sizeof a);
    if (index >= 0)
        a[index] = value;
    errno = 0;
    return syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void expect_error(const struct call *c, int index, long value, int error, const char *what)
{
    long result = make(c, index, value);
    if (result != -1 || errno != error)
        note_failure(__FILE_NAME__, __LINE__, "%s with %s gives %ld, errno %d, not %d", c->name, what, result, errno, error);
}

#define BUFFER ((long)buffer)
#define CALL(call, ...) {#call, SYS_##call, {__VA_ARGS__}}

// The descriptor comes first.
static const struct call descriptor_calls[] = {
    CALL(read, 0, BUFFER, 1), CALL(write, 0, BUFFER, 1), CALL(close, 0), CALL(fstat, 0, BUFFER), CALL(lseek, 0, 0, 0),
    CALL(ioctl, 0, 0x5421, BUFFER), CALL(pread64, 0, BUFFER, 1, 0), CALL(pwrite64, 0, BUFFER, 1, 0), CALL(readv, 0, BUFFER, 1),
    CALL(writev, 0, BUFFER, 1), CALL(preadv, 0, BUFFER, 1, 0), CALL(pwritev, 0, BUFFER, 1, 0), CALL(preadv2, 0, BUFFER, 1, 0),
    CALL(pwritev2, 0, BUFFER, 1, 0), CALL(dup), CALL(dup2, 0, 50), CALL(dup3, 0, 50), CALL(fcntl, 0, F_GETFD), CALL(flock, 0, 1),
    CALL(fsync), CALL(fdatasync), CALL(syncfs), CALL(sync_file_range), CALL(ftruncate), CALL(getdents, 0, BUFFER, 100),
    CALL(getdents64, 0, BUFFER, 100), CALL(fchdir), CALL(fchmod, 0, 0600), CALL(fchown), CALL(fstatfs, 0, BUFFER),
    CALL(fsetxattr, 0, (long)"user.a", BUFFER, 1, 0), CALL(fgetxattr, 0, (long)"user.a", BUFFER, 1),
    CALL(flistxattr, 0, BUFFER, 1), CALL(fremovexattr, 0, (long)"user.a"), CALL(fadvise64), CALL(fallocate, 0, 0, 0, 1),
    CALL(epoll_wait, 0, BUFFER, 1, 0), CALL(epoll_pwait, 0, BUFFER, 1, 0), CALL(epoll_pwait2, 0, BUFFER, 1, BUFFER),
    CALL(epoll_ctl, 0, 1, 0, BUFFER), CALL(signalfd, 0, BUFFER, 8), CALL(signalfd4, 0, BUFFER, 8), CALL(timerfd_settime, 0, 0, BUFFER),
    CALL(timerfd_gettime, 0, BUFFER), CALL(splice, 0, 0, 0, 0, 1), CALL(tee, 0, 0, 1), CALL(vmsplice, 0, BUFFER, 1),
    CALL(copy_file_range, 0, 0, 0, 0, 1), CALL(setns), CALL(pidfd_send_signal), CALL(pidfd_getfd),
    CALL(connect, 0, BUFFER, 16), CALL(accept), CALL(accept4), CALL(bind, 0, BUFFER, 16), CALL(listen), CALL(shutdown),
    CALL(sendto, 0, BUFFER, 1), CALL(recvfrom, 0, BUFFER, 1), CALL(sendmsg, 0, BUFFER), CALL(recvmsg, 0, BUFFER),
    CALL(sendmmsg, 0, BUFFER, 1), CALL(recvmmsg, 0, BUFFER, 1), CALL(getsockname, 0, BUFFER, BUFFER), CALL(getpeername, 0, BUFFER, BUFFER),
    CALL(setsockopt, 0, SOL_SOCKET, SO_REUSEADDR, BUFFER, 4), CALL(getsockopt, 0, SOL_SOCKET, SO_TYPE, BUFFER, BUFFER + 8),
};

CASE(errors_closed_descriptors_are_ebadf)
{
    for (size_t i = 0; i < sizeof descriptor_calls / sizeof descriptor_calls[0]; i++) {
        expect_error(&descriptor_calls[i], 0, CLOSED, EBADF, "a closed descriptor");
        bool makes_one = descriptor_calls[i].number == SYS_signalfd || descriptor_calls[i].number == SYS_signalfd4; // of -1
        expect_error(&descriptor_calls[i], 0, makes_one ? -2 : -1, EBADF, "a negative descriptor");
        expect_error(&descriptor_calls[i], 0, INT_MAX, EBADF, "the largest descriptor");
    }
    struct call sendfile_to = CALL(sendfile, 0, 0, 0, 1);
    expect_error(&sendfile_to, 0, CLOSED, EBADF, "a closed descriptor");
    expect_error(&sendfile_to, 1, CLOSED, EBADF, "a closed source");
}

CASE(errors_path_descriptors_are_ebadf_for_what_needs_the_file)
{
    make_file("f", "x");
    int place = open("f", O_PATH);
    REQUIRE(place >= 0);
    static const struct call calls[] = {
        CALL(read, 0, BUFFER, 1), CALL(write, 0, BUFFER, 1), CALL(lseek, 0, 0, 0), CALL(ioctl, 0, 0x5421, BUFFER), CALL(pread64, 0, BUFFER, 1, 0),
        CALL(fsync), CALL(ftruncate), CALL(fchmod, 0, 0600), CALL(fchown), CALL(flock, 0, 1), CALL(getdents64, 0, BUFFER, 100),
        CALL(fsetxattr, 0, (long)"user.a", BUFFER, 1, 0), CALL(fgetxattr, 0, (long)"user.a", BUFFER, 1), CALL(fallocate, 0, 0, 0, 1),
        CALL(fcntl, 0, F_SETFL, 0), CALL(fadvise64), CALL(bind, 0, BUFFER, 16), CALL(listen),
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        expect_error(&calls[i], 0, place, EBADF, "an O_PATH descriptor");
}

CASE(errors_files_are_no_sockets)
{
    int file = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(file >= 0);
    bool seen = false;
    for (size_t i = 0; i < sizeof descriptor_calls / sizeof descriptor_calls[0]; i++) {
        seen |= descriptor_calls[i].number == SYS_connect;
        if (seen) // the list ends with the calls on sockets
            expect_error(&descriptor_calls[i], 0, file, ENOTSOCK, "a file");
    }
}

CASE(errors_files_are_no_special_descriptors)
{
    int file = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(file >= 0);
    static const struct call invalid[] = {
        CALL(epoll_wait, 0, BUFFER, 1, 0), CALL(signalfd4, 0, BUFFER, 8), CALL(timerfd_settime, 0, 0, BUFFER), CALL(timerfd_gettime, 0, BUFFER),
        CALL(tee, 0, 0, 1), CALL(setns),
    };
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        struct call c = invalid[i];
        if (c.number == SYS_tee)
            c.arguments[1] = file;
        expect_error(&c, 0, file, EINVAL, "a file");
    }
    static const struct call closed[] = {CALL(pidfd_send_signal), CALL(pidfd_getfd)};
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
        expect_error(&closed[i], 0, file, EBADF, "a file");
    static const struct call folders[] = {CALL(fchdir), CALL(getdents64, 0, BUFFER, 100), CALL(getdents, 0, BUFFER, 100)};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        expect_error(&folders[i], 0, file, ENOTDIR, "a file");
}

// The path is argument `index`; the rest is right.
static const struct {
    int index;
    struct call call;
} path_calls[] = {
    {0, CALL(open, 0, O_RDONLY)}, {0, CALL(stat, 0, BUFFER)}, {0, CALL(lstat, 0, BUFFER)}, {0, CALL(access, 0, 0)},
    {0, CALL(truncate)}, {0, CALL(chdir)}, {0, CALL(rename, 0, (long)"to")}, {0, CALL(rmdir)}, {0, CALL(link, 0, (long)"to")},
    {0, CALL(unlink)}, {0, CALL(readlink, 0, BUFFER, 10)}, {0, CALL(chmod, 0, 0600)}, {0, CALL(chown)}, {0, CALL(lchown)},
    {0, CALL(utime)}, {0, CALL(utimes)}, {0, CALL(statfs, 0, BUFFER)}, {0, CALL(chroot)}, {0, CALL(pivot_root, 0, (long)".")},
    {0, CALL(umount2)}, {0, CALL(setxattr, 0, (long)"user.a", BUFFER, 1)}, {0, CALL(lsetxattr, 0, (long)"user.a", BUFFER, 1)},
    {0, CALL(getxattr, 0, (long)"user.a", BUFFER, 1)}, {0, CALL(lgetxattr, 0, (long)"user.a", BUFFER, 1)},
    {0, CALL(listxattr, 0, BUFFER, 10)}, {0, CALL(llistxattr, 0, BUFFER, 10)}, {0, CALL(removexattr, 0, (long)"user.a")},
    {0, CALL(lremovexattr, 0, (long)"user.a")}, {0, CALL(execve)}, {1, CALL(openat, AT_FDCWD, 0, O_RDONLY)},
    {1, CALL(newfstatat, AT_FDCWD, 0, BUFFER)}, {1, CALL(statx, AT_FDCWD, 0, 0, 0x7ff, BUFFER)}, {1, CALL(unlinkat, AT_FDCWD)},
    {1, CALL(renameat, AT_FDCWD, 0, AT_FDCWD, (long)"to")}, {1, CALL(renameat2, AT_FDCWD, 0, AT_FDCWD, (long)"to")},
    {1, CALL(linkat, AT_FDCWD, 0, AT_FDCWD, (long)"to")}, {1, CALL(readlinkat, AT_FDCWD, 0, BUFFER, 10)}, {1, CALL(fchmodat, AT_FDCWD, 0, 0600)},
    {1, CALL(fchownat, AT_FDCWD)}, {1, CALL(faccessat, AT_FDCWD)}, {1, CALL(execveat, AT_FDCWD)},
    // These make what is named.
    {0, CALL(mkdir, 0, 0700)}, {1, CALL(mkdirat, AT_FDCWD, 0, 0700)}, {0, CALL(mknod, 0, S_IFREG | 0600)}, {1, CALL(mknodat, AT_FDCWD, 0, S_IFREG | 0600)},
    {0, CALL(creat, 0, 0600)}, {1, CALL(symlink, (long)"to")}, {2, CALL(symlinkat, (long)"to", AT_FDCWD)}, {1, CALL(link, (long)"f")},
    {1, CALL(rename, (long)"f")}, {3, CALL(renameat2, AT_FDCWD, (long)"f", AT_FDCWD)},
};

CASE(errors_of_paths_are_the_same_everywhere)
{
    make_file("f", "x");
    char *too_long = malloc(5000), *long_name = malloc(300);
    memset(too_long, 'a', 5000);
    for (int i = 1; i < 4999; i += 2)
        too_long[i] = '/';
    too_long[4999] = '\0';
    memset(long_name, 'n', 256);
    long_name[256] = '\0';
    for (size_t i = 0; i < sizeof path_calls / sizeof path_calls[0]; i++) {
        const struct call *c = &path_calls[i].call;
        int index = path_calls[i].index;
        expect_error(c, index, 8, EFAULT, "a bad pointer");
        expect_error(c, index, (long)"", ENOENT, "an empty path");
        expect_error(c, index, (long)"missing/x", ENOENT, "a missing folder");
        expect_error(c, index, (long)"f/x", ENOTDIR, "a file as folder");
        expect_error(c, index, (long)too_long, ENAMETOOLONG, "a path of 5000 bytes");
        expect_error(c, index, (long)long_name, ENAMETOOLONG, "a name of 256 bytes");
    }
}

CASE(errors_at_calls_need_a_folder)
{
    int file = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(file >= 0);
    static const struct call calls[] = {
        CALL(openat, 0, (long)"x", O_RDONLY), CALL(newfstatat, 0, (long)"x", BUFFER), CALL(statx, 0, (long)"x", 0, 0x7ff, BUFFER),
        CALL(unlinkat, 0, (long)"x"), CALL(renameat, 0, (long)"x", AT_FDCWD, (long)"y"), CALL(renameat2, 0, (long)"x", AT_FDCWD, (long)"y"),
        CALL(linkat, 0, (long)"x", AT_FDCWD, (long)"y"), CALL(readlinkat, 0, (long)"x", BUFFER, 10), CALL(fchmodat, 0, (long)"x", 0600),
        CALL(fchownat, 0, (long)"x"), CALL(faccessat, 0, (long)"x"), CALL(mkdirat, 0, (long)"x", 0700), CALL(mknodat, 0, (long)"x", S_IFREG | 0600),
        CALL(utimensat, 0, (long)"x"), CALL(futimesat, 0, (long)"x"), CALL(execveat, 0, (long)"x"),
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        expect_error(&calls[i], 0, file, ENOTDIR, "a file");
        expect_error(&calls[i], 0, CLOSED, EBADF, "a closed descriptor");
    }
    struct call symlink_at = CALL(symlinkat, (long)"to", 0, (long)"x");
    expect_error(&symlink_at, 1, file, ENOTDIR, "a file");
    expect_error(&symlink_at, 1, CLOSED, EBADF, "a closed descriptor");
}

// Where an answer is to be written, there is nothing.
CASE(errors_of_answers_that_cannot_be_written)
{
    int file = open("f", O_RDWR | O_CREAT, 0600), folder = open(".", O_RDONLY | O_DIRECTORY), pair[2];
    make_file("f", "content");
    REQUIRE(symlink("f", "l") == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    const struct {
        int index;
        struct call call;
    } calls[] = {
        {1, CALL(stat, (long)"f")}, {1, CALL(lstat, (long)"f")}, {1, CALL(fstat, file)}, {2, CALL(newfstatat, AT_FDCWD, (long)"f")},
        {4, CALL(statx, AT_FDCWD, (long)"f", 0, 0x7ff)}, {1, CALL(statfs, (long)"f")}, {1, CALL(fstatfs, file)}, {0, CALL(uname)},
        {0, CALL(sysinfo)}, {0, CALL(times)}, {1, CALL(getrusage, 0)}, {1, CALL(getrlimit, RLIMIT_NOFILE)},
        {3, CALL(prlimit64, 0, RLIMIT_NOFILE, 0)}, {0, CALL(gettimeofday)}, {1, CALL(clock_gettime, CLOCK_MONOTONIC)},
        {1, CALL(clock_getres, CLOCK_MONOTONIC)}, {0, CALL(time)}, {1, CALL(getitimer, 0)}, {0, CALL(pipe)}, {0, CALL(pipe2)},
        {3, CALL(socketpair, AF_UNIX, SOCK_STREAM, 0)}, {0, CALL(getresuid, 0, BUFFER, BUFFER)}, {1, CALL(getresgid, BUFFER, 0, BUFFER)},
        {1, CALL(read, file)}, {1, CALL(pread64, file)}, {1, CALL(getdents64, folder)}, {1, CALL(getdents, folder)}, {0, CALL(getcwd)},
        {1, CALL(readlink, (long)"l")}, {2, CALL(readlinkat, AT_FDCWD, (long)"l")}, {0, CALL(getrandom)}, {1, CALL(sched_getparam, 0)},
        {1, CALL(sched_rr_get_interval, 0)}, {1, CALL(sched_getattr, 0, 0, 56)}, {0, CALL(getcpu)}, {1, CALL(rt_sigpending)},
        {2, CALL(sched_getaffinity, 0, 128)}, {1, CALL(get_robust_list, 0, 0, BUFFER)}, {1, CALL(sigaltstack, 0)}, {0, CALL(adjtimex)},
        {1, CALL(getsockname, pair[0], 0, BUFFER + 8)}, {2, CALL(mincore, BUFFER & -PAGE, PAGE)}, {2, CALL(prctl, 16)},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct call c = calls[i].call;
        *(int *)(buffer + 8) = 100;
        REQUIRE(lseek(file, 0, SEEK_SET) == 0 && lseek(folder, 0, SEEK_SET) == 0);
        switch (c.number) {
        case SYS_read:
        case SYS_pread64:
        case SYS_getdents:
        case SYS_getdents64:
        case SYS_readlink:
            c.arguments[2] = 100;
            break;
        case SYS_readlinkat:
            c.arguments[3] = 100;
            break;
        case SYS_getcwd:
        case SYS_getrandom:
            c.arguments[1] = 100;
            break;
        case SYS_rt_sigpending:
            c.arguments[1] = 8;
            break;
        }
        expect_error(&c, c.number == SYS_rt_sigpending ? 0 : c.number == SYS_prctl ? 1 : calls[i].index, 8, EFAULT, "nowhere to write");
    }
}

// What is to be read is not there.
CASE(errors_of_arguments_that_cannot_be_read)
{
    int file = open("f", O_RDWR | O_CREAT, 0600), queue = (int)syscall(SYS_epoll_create1, 0), socket_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    int timer = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
    const struct {
        int index;
        struct call call;
    } calls[] = {
        {1, CALL(write, file, 0, 10)}, {1, CALL(pwrite64, file, 0, 10)}, {1, CALL(writev, file, 0, 1)}, {1, CALL(readv, file, 0, 1)},
        {0, CALL(poll, 0, 1, 0)}, {0, CALL(ppoll, 0, 1, BUFFER)}, {1, CALL(select, 1)}, {1, CALL(pselect6, 1)}, {0, CALL(nanosleep)},
        {2, CALL(clock_nanosleep, CLOCK_MONOTONIC, 0)}, {1, CALL(setrlimit, RLIMIT_NOFILE)}, {2, CALL(prlimit64, 0, RLIMIT_NOFILE)},
        {1, CALL(clock_settime, CLOCK_REALTIME)}, {0, CALL(settimeofday)}, {1, CALL(setitimer, 0)}, {1, CALL(rt_sigaction, 10, 0, 0, 8)},
        {1, CALL(rt_sigprocmask, 0, 0, 0, 8)}, {0, CALL(rt_sigtimedwait, 0, 0, BUFFER, 8)}, {2, CALL(rt_sigqueueinfo, 1, 10)},
        {0, CALL(rt_sigsuspend, 0, 8)}, {0, CALL(sigaltstack)}, {1, CALL(setgroups, 1)}, {0, CALL(capget)}, {0, CALL(capset)},
        {2, CALL(sched_setscheduler, 0, 0)}, {1, CALL(sched_setparam, 0)}, {1, CALL(sched_setattr, 0)}, {2, CALL(sched_setaffinity, 0, 8)},
        {3, CALL(epoll_ctl, queue, 1, socket_fd)}, {1, CALL(signalfd, -1, 0, 8)}, {1, CALL(signalfd4, -1, 0, 8)},
        {2, CALL(timerfd_settime, timer)}, {0, CALL(sethostname, 0, 4)}, {0, CALL(setdomainname, 0, 4)}, {1, CALL(bind, socket_fd, 0, 16)},
        {1, CALL(connect, socket_fd, 0, 16)}, {1, CALL(sendmsg, socket_fd)}, {1, CALL(recvmsg, socket_fd)},
        {3, CALL(setsockopt, socket_fd, SOL_SOCKET, SO_REUSEADDR, 0, 4)}, {1, CALL(setxattr, (long)"f", 0, BUFFER, 1)},
        {2, CALL(setxattr, (long)"f", (long)"user.a", 0, 5)}, {2, CALL(openat2, AT_FDCWD, (long)"f", 0, 24)}, {0, CALL(clone3, 0, 64)},
        {0, CALL(memfd_create)}, {1, CALL(utime, (long)"f")}, {1, CALL(utimes, (long)"f")}, {2, CALL(utimensat, AT_FDCWD, (long)"f")},
        {2, CALL(futimesat, AT_FDCWD, (long)"f")}, {1, CALL(process_vm_readv, 1, 0, 1, BUFFER, 1)}, {1, CALL(timer_create, CLOCK_MONOTONIC, 0, BUFFER)},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct call c = calls[i].call;
        if (c.number == SYS_rt_sigqueueinfo || c.number == SYS_process_vm_readv)
            c.arguments[0] = getpid();
        expect_error(&c, calls[i].index, 8, EFAULT, "nothing to read");
    }
}
