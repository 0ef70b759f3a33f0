// tests/contract/small_io.c — descriptors and file calls with few arguments and many ways to be wrong: dup3, pipe2, preadv, pwritev, fadvise64,
// readahead, the sync family, the l and f forms of extended attributes.
#include "tests/contract/harness.h"

#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/xattr.h>

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

CASE(pipe2_makes_both_ends_or_none)
{
    int fds[2] = {-5, -5}, next = dup(0);
    struct rlimit limit = {.rlim_cur = (rlim_t)next + 1, .rlim_max = 100};
    close(next);
    EXPECT_ERRNO(syscall(SYS_pipe2, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(syscall(SYS_pipe2, fds, O_APPEND), EINVAL);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT_ERRNO(pipe2(fds, 0), EMFILE); // there is room for one
    EXPECT_EQ(fds[0], -5);
    EXPECT_EQ(dup(0), next); // it was given back
    limit.rlim_cur = 100;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(fcntl(fds[i], F_GETFL), O_NONBLOCK | (i ? O_WRONLY : O_RDONLY));
    }
}

CASE(preadv_and_pwritev_leave_the_offset)
{
    char a[4] = {}, b[4] = {};
    struct iovec out[] = {{"abc", 3}, {"", 0}, {"defg", 4}}, in[] = {{a, 3}, {b, 3}};
    int fd = open("f", O_RDWR | O_CREAT, 0600), fds[2];
    REQUIRE(fd >= 0 && pipe(fds) == 0);
    EXPECT_EQ(pwritev(fd, out, 3, 2), 7);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
    EXPECT_EQ(preadv(fd, in, 2, 3), 6);
    EXPECT_STR(a, "bcd");
    EXPECT_STR(b, "efg");
    EXPECT_EQ(preadv(fd, in, 2, 8), 1);
    EXPECT_EQ(preadv(fd, in, 2, 9), 0);
    EXPECT_EQ(preadv(fd, in, 0, 0), 0);
    EXPECT_EQ(syscall(SYS_preadv, fd, in, 2, 3l, 77l), 6); // 64 bits are enough: the upper half is nothing
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
    EXPECT_ERRNO(preadv(fd, in, 1, -1), EINVAL);
    EXPECT_ERRNO(pwritev(fd, out, 1, -1), EINVAL);
    EXPECT_ERRNO(preadv(fd, in, -1, 0), EINVAL);
    EXPECT_ERRNO(preadv(fd, in, 1025, 0), EINVAL);
    EXPECT_ERRNO(preadv(fd, (void *)8, 1, 0), EFAULT);
    EXPECT_ERRNO(preadv(fds[0], in, 1, 0), ESPIPE);
    EXPECT_ERRNO(pwritev(fds[1], out, 1, 0), ESPIPE);
    EXPECT_ERRNO(pwritev(open("f", O_RDONLY), out, 1, 0), EBADF);
    EXPECT_ERRNO(preadv(open("f", O_WRONLY), in, 1, 0), EBADF);
    EXPECT_ERRNO(preadv(999, in, 1, 0), EBADF);
    in[1].iov_len = (size_t)-1;
    EXPECT_ERRNO(preadv(fd, in, 2, 0), EINVAL);
}

CASE(pwritev_to_an_appending_file_appends)
{
    struct iovec part = {"xy", 2};
    make_file("f", "abc");
    int fd = open("f", O_WRONLY | O_APPEND);
    EXPECT_EQ(pwritev(fd, &part, 1, 0), 2); // pwrite(2) names it as a bug of Linux
    EXPECT_STR(file_text("f"), "abcxy");
}

CASE(fadvise64_and_readahead_check_their_arguments)
{
    int fds[2];
    make_file("f", "abc");
    int fd = open("f", O_RDONLY), writer = open("f", O_WRONLY), folder = open(".", O_RDONLY);
    REQUIRE(pipe(fds) == 0);
    for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++)
        EXPECT_EQ(syscall(SYS_fadvise64, fd, 0l, 0l, advice), 0);
    EXPECT_EQ(syscall(SYS_fadvise64, fd, 1l << 40, 1l << 40, POSIX_FADV_WILLNEED), 0); // far behind the end
    EXPECT_ERRNO(syscall(SYS_fadvise64, fd, 0l, 0l, 6), EINVAL);
    EXPECT_ERRNO(syscall(SYS_fadvise64, fd, 0l, -1l, POSIX_FADV_NORMAL), EINVAL);
    EXPECT_ERRNO(syscall(SYS_fadvise64, fds[0], 0l, 0l, POSIX_FADV_NORMAL), ESPIPE);
    EXPECT_ERRNO(syscall(SYS_fadvise64, 999, 0l, 0l, POSIX_FADV_NORMAL), EBADF);
    EXPECT_STR(file_text("f"), "abc");
    EXPECT_EQ(readahead(fd, 0, 4096), 0);
    EXPECT_ERRNO(readahead(writer, 0, 4096), EBADF);
    EXPECT_ERRNO(readahead(fds[0], 0, 4096), EINVAL);
    EXPECT_ERRNO(readahead(folder, 0, 4096), EINVAL);
    EXPECT_ERRNO(readahead(999, 0, 4096), EBADF);
}

CASE(sync_calls_take_what_can_be_synced)
{
    int fds[2];
    make_file("f", "abc");
    int fd = open("f", O_RDONLY), folder = open(".", O_RDONLY), path = open("f", O_PATH);
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(fsync(fd), 0); // reading is enough
    EXPECT_EQ(fdatasync(fd), 0);
    EXPECT_EQ(fsync(folder), 0);
    EXPECT_EQ(fdatasync(folder), 0);
    EXPECT_EQ(syncfs(fd), 0);
    EXPECT_EQ(syncfs(folder), 0);
    EXPECT_EQ(syncfs(fds[0]), 0); // pipes are in a file system too
    EXPECT_EQ(syscall(SYS_sync), 0);
    EXPECT_ERRNO(fsync(fds[0]), EINVAL);
    EXPECT_ERRNO(fdatasync(fds[0]), EINVAL);
    EXPECT_ERRNO(fdatasync(999), EBADF);
    EXPECT_ERRNO(syncfs(999), EBADF);
    EXPECT_ERRNO(fdatasync(path), EBADF);
    EXPECT_ERRNO(syncfs(path), EBADF);
}

// --- Extended attributes of links and of open files. ---

CASE(xattr_of_a_link_itself)
{
    char value[16] = {}, list[64];
    make_file("f", "");
    REQUIRE(symlink("f", "link") == 0);
    EXPECT_EQ(lsetxattr("link", "trusted.a", "link's", 6, 0), 0);
    EXPECT_ERRNO(getxattr("link", "trusted.a", value, sizeof value), ENODATA); // the file has none
    EXPECT_EQ(lgetxattr("link", "trusted.a", value, sizeof value), 6);
    EXPECT_STR(value, "link's");
    EXPECT_EQ(lgetxattr("link", "trusted.a", nullptr, 0), 6);
    EXPECT_ERRNO(lgetxattr("link", "trusted.a", value, 5), ERANGE);
    ssize_t n = llistxattr("link", list, sizeof list);
    EXPECT(n >= 10 && memmem(list, (size_t)n, "trusted.a", 10));
    EXPECT_EQ(llistxattr("link", nullptr, 0), n);
    EXPECT_ERRNO(lsetxattr("link", "user.a", "v", 1, 0), EPERM); // users' ones are for files and folders
    EXPECT_ERRNO(lsetxattr("link", "trusted.a", "v", 1, XATTR_CREATE), EEXIST);
    EXPECT_EQ(lremovexattr("link", "trusted.a"), 0);
    EXPECT_ERRNO(lremovexattr("link", "trusted.a"), ENODATA);
    EXPECT_ERRNO(lremovexattr("none", "trusted.a"), ENOENT);
    EXPECT_ERRNO(lgetxattr("none", "trusted.a", value, 5), ENOENT);
    EXPECT_ERRNO(llistxattr("none", list, sizeof list), ENOENT);
}

CASE(xattr_of_an_open_file)
{
    static char big[65537], name[300];
    char value[16] = {}, list[64];
    make_file("f", "");
    int fd = open("f", O_RDONLY), path = open("f", O_PATH);
    EXPECT_EQ(fsetxattr(fd, "user.a", "one", 3, XATTR_CREATE), 0); // reading is enough, if one may write
    EXPECT_ERRNO(fsetxattr(fd, "user.a", "two", 3, XATTR_CREATE), EEXIST);
    EXPECT_EQ(fsetxattr(fd, "user.a", "three", 5, XATTR_REPLACE), 0);
    EXPECT_ERRNO(fsetxattr(fd, "user.b", "two", 3, XATTR_REPLACE), ENODATA);
    EXPECT_ERRNO(fsetxattr(fd, "user.b", "two", 3, 4), EINVAL);
    EXPECT_EQ(fgetxattr(fd, "user.a", value, sizeof value), 5);
    EXPECT_STR(value, "three");
    EXPECT_ERRNO(fgetxattr(fd, "user.a", value, 1), ERANGE);
    EXPECT_ERRNO(fgetxattr(fd, "user.b", value, 1), ENODATA);
    ssize_t n = flistxattr(fd, list, sizeof list);
    EXPECT(n >= 7 && memmem(list, (size_t)n, "user.a", 7));
    EXPECT_ERRNO(flistxattr(fd, list, 3), ERANGE);
    EXPECT_ERRNO(fsetxattr(fd, "user.big", big, sizeof big, 0), E2BIG);
    memset(name, 'n', sizeof name - 1);
    memcpy(name, "user.", 5);
    EXPECT_ERRNO(fsetxattr(fd, name, "v", 1, 0), ERANGE);
    EXPECT_ERRNO(fsetxattr(fd, "", "v", 1, 0), ERANGE);
    EXPECT_ERRNO(fsetxattr(fd, "nowhere.a", "v", 1, 0), EOPNOTSUPP);
    EXPECT_ERRNO(fsetxattr(fd, "user.", "v", 1, 0), EINVAL);
    EXPECT_ERRNO(fsetxattr(path, "user.a", "v", 1, 0), EBADF);
    EXPECT_ERRNO(fgetxattr(path, "user.a", value, 1), EBADF);
    EXPECT_ERRNO(flistxattr(path, list, 3), EBADF);
    EXPECT_ERRNO(fremovexattr(path, "user.a"), EBADF);
    EXPECT_EQ(fremovexattr(fd, "user.a"), 0);
    EXPECT_ERRNO(fremovexattr(fd, "user.a"), ENODATA);
    EXPECT_EQ(fsetxattr(fd, "user.empty", "", 0, 0), 0);
    EXPECT_EQ(fgetxattr(fd, "user.empty", value, sizeof value), 0);
}
