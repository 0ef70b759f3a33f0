// tests/contract/xattr.c — extended attributes by every form of the calls: xattr(7).
#include "tests/contract/harness.h"

#include <sys/xattr.h>

CASE(xattr_calls_on_links_do_not_follow)
{
    char buffer[64] = {};
    make_file("f", "x");
    REQUIRE(symlink("f", "l") == 0);
    EXPECT_ERRNO(lsetxattr("l", "user.a", "1", 1, 0), EPERM); // user attributes are for files and folders
    EXPECT_EQ(lsetxattr("l", "trusted.a", "link", 4, 0), 0);
    EXPECT_EQ(lgetxattr("l", "trusted.a", buffer, sizeof buffer), 4);
    EXPECT_STR(buffer, "link");
    EXPECT_ERRNO(getxattr("l", "trusted.a", buffer, sizeof buffer), ENODATA);
    EXPECT_EQ(llistxattr("l", buffer, sizeof buffer), (long)sizeof "trusted.a");
    EXPECT_STR(buffer, "trusted.a");
    EXPECT_EQ(listxattr("l", buffer, sizeof buffer), 0);
    EXPECT_EQ(lremovexattr("l", "trusted.a"), 0);
    EXPECT_ERRNO(lremovexattr("l", "trusted.a"), ENODATA);
    EXPECT_ERRNO(lgetxattr("l", "trusted.a", buffer, sizeof buffer), ENODATA);
}

CASE(xattr_lists_of_descriptors_tell_their_size)
{
    char buffer[64];
    int file = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(flistxattr(file, buffer, sizeof buffer), 0);
    EXPECT_EQ(fsetxattr(file, "user.one", "1", 1, XATTR_CREATE), 0);
    EXPECT_EQ(fsetxattr(file, "user.two", "2", 1, 0), 0);
    EXPECT_EQ(flistxattr(file, nullptr, 0), 18);
    EXPECT_ERRNO(flistxattr(file, buffer, 17), ERANGE);
    EXPECT_EQ(flistxattr(file, buffer, 18), 18);
    EXPECT_EQ(fremovexattr(file, "user.one"), 0);
    EXPECT_ERRNO(fgetxattr(file, "user.one", buffer, 1), ENODATA);
    EXPECT_ERRNO(fsetxattr(file, "user.two", "2", 1, XATTR_CREATE), EEXIST);
    EXPECT_ERRNO(fsetxattr(file, "user.new", "2", 1, XATTR_REPLACE), ENODATA);
}

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
