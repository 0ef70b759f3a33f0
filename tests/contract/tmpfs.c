// tests/contract/tmpfs.c — tmpfs(5): sizes, O_TMPFILE, fallocate, extended attributes.
#include "tests/contract/harness.h"

#include <dirent.h>
#include <linux/falloc.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

// A mount of its own, seen by this case only.
static void mount_tmpfs(const char *options)
{
    own_mount_namespace();
    REQUIRE(mkdir("m", 0755) == 0);
    REQUIRE(mount("own", "m", "tmpfs", 0, options) == 0);
}

CASE(tmpfs_size_option_limits_blocks)
{
    mount_tmpfs("size=64k");
    struct statfs s;
    EXPECT_EQ(statfs("m", &s), 0);
    EXPECT_EQ(s.f_blocks, 16);
    EXPECT_EQ(s.f_bfree, 16);
    int fd = open("m/f", O_CREAT | O_RDWR, 0600);
    static char block[65536 + PAGE];
    EXPECT_EQ(write(fd, block, sizeof block), 65536);
    EXPECT_ERRNO(write(fd, block, 1), ENOSPC);
    EXPECT_EQ(statfs("m", &s), 0);
    EXPECT_EQ(s.f_bfree, 0);
    EXPECT_EQ(ftruncate(fd, 0), 0);
    EXPECT_EQ(write(fd, block, 10), 10);
    EXPECT_EQ(statfs("m", &s), 0);
    EXPECT_EQ(s.f_bfree, 15);
}

CASE(tmpfs_unlinked_file_is_freed_while_its_folder_is_open)
{
    mount_tmpfs("size=64k");
    static const char content[48 * 1024];
    int fd = open("m/f", O_CREAT | O_WRONLY, 0600);
    EXPECT_EQ(write(fd, content, sizeof content), sizeof content);
    close(fd);
    DIR *dir = opendir("m");
    REQUIRE(dir);
    while (readdir(dir)) // which has shown it last
        ;
    EXPECT_EQ(unlink("m/f"), 0);
    struct statfs s;
    EXPECT_EQ(statfs("m", &s), 0);
    EXPECT_EQ(s.f_bfree, 16);
    closedir(dir);
}

CASE(tmpfs_nr_inodes_limits_files)
{
    mount_tmpfs("nr_inodes=4");
    char name[16];
    int made = 0;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "m/%d", i);
        made += open(name, O_CREAT | O_WRONLY, 0600) >= 0;
    }
    EXPECT_EQ(errno, ENOSPC);
    EXPECT_EQ(made, 3); // the root folder is the fourth
}

CASE(tmpfs_nr_inodes_limits_links)
{
    mount_tmpfs("nr_inodes=10");
    char name[16];
    make_file("m/f", "");
    make_file("m/g", "");
    for (int i = 0; i < 7; i++) { // the root folder and two files are there
        snprintf(name, sizeof name, "m/%d", i);
        EXPECT_EQ(link("m/f", name), 0);
    }
    EXPECT_ERRNO(link("m/f", "m/more"), ENOSPC);
    EXPECT_ERRNO(open("m/new", O_CREAT | O_WRONLY, 0600), ENOSPC);
    struct statfs s;
    EXPECT_EQ(statfs("m", &s), 0);
    EXPECT_EQ(s.f_ffree, 0);
    EXPECT_EQ(unlink("m/0"), 0);
    EXPECT_EQ(rename("m/g", "m/1"), 0); // replaces a name of the other
    EXPECT_EQ(link("m/f", "m/more"), 0);
    EXPECT_EQ(link("m/f", "m/most"), 0);
    EXPECT_ERRNO(link("m/f", "m/new"), ENOSPC);
}

CASE(tmpfs_nr_inodes_limits_attributes)
{
    mount_tmpfs("nr_inodes=20");
    static char value[4096];
    char name[16];
    int set = 0;
    make_file("m/f", "");
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "user.%d", i);
        if (setxattr("m/f", name, value, sizeof value, 0) == 0)
            set++;
        else
            EXPECT_EQ(errno, ENOSPC);
    }
    EXPECT_EQ(set, 4); // of 18 kilobytes
    EXPECT_EQ(setxattr("m/f", "user.small", value, 100, 0), 0);
    EXPECT_EQ(removexattr("m/f", "user.0"), 0);
    EXPECT_EQ(setxattr("m/f", "user.7", value, sizeof value, 0), 0);
    EXPECT_EQ(unlink("m/f"), 0);
    make_file("m/f", "");
    EXPECT_EQ(setxattr("m/f", "user.0", value, sizeof value, 0), 0); // they went with the file
    EXPECT_EQ(setxattr("m/f", "user.1", value, sizeof value, 0), 0);
}

CASE(tmpfs_mode_uid_gid_options)
{
    mount_tmpfs("mode=1751,uid=12,gid=34");
    struct stat s;
    EXPECT_EQ(stat("m", &s), 0);
    EXPECT_EQ(s.st_mode, S_IFDIR | 01751);
    EXPECT_EQ(s.st_uid, 12);
    EXPECT_EQ(s.st_gid, 34);
}

CASE(tmpfs_options_are_checked)
{
    REQUIRE(unshare(CLONE_NEWNS) == 0);
    REQUIRE(mkdir("m", 0755) == 0);
    EXPECT_ERRNO(mount("own", "m", "tmpfs", 0, "size=lots"), EINVAL);
    EXPECT_ERRNO(mount("own", "m", "tmpfs", 0, "nonsense=1"), EINVAL);
    EXPECT_ERRNO(mount("own", "m", "tmpfs", 0, "nr_inodes=18014398509481984"), EINVAL); // they count as a KiB each
    EXPECT_ERRNO(mount("own", "m", "tmpfs", 0, "nr_inodes=18014398509481985"), EINVAL);
    EXPECT_ERRNO(mount("own", "m", "nofs", 0, nullptr), ENODEV);
}

CASE(tmpfs_remount_changes_the_size)
{
    mount_tmpfs("size=64k");
    EXPECT_EQ(mount("own", "m", "tmpfs", MS_REMOUNT, "size=128k"), 0);
    struct statfs s;
    EXPECT_EQ(statfs("m", &s), 0);
    EXPECT_EQ(s.f_blocks, 32);
    static char block[100000];
    int fd = open("m/f", O_CREAT | O_RDWR, 0600);
    EXPECT_EQ(write(fd, block, sizeof block), sizeof block);
    EXPECT_ERRNO(mount("own", "m", "tmpfs", MS_REMOUNT, "size=64k"), EINVAL); // more is in use
}

CASE(tmpfile_has_no_name_until_linked)
{
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);
    REQUIRE(fd >= 0);
    struct stat s;
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT_EQ(s.st_nlink, 0);
    EXPECT_EQ(s.st_mode, S_IFREG | 0640);
    EXPECT_EQ(write(fd, "abc", 3), 3);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    EXPECT_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
    EXPECT_STR(file_text("named"), "abc");
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT_EQ(s.st_nlink, 1);
    EXPECT_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    int closed = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", closed);
    EXPECT_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW), ENOENT);
}

CASE(fallocate_reserves_and_extends)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    struct stat s;
    EXPECT_EQ(fallocate(fd, 0, 0, 3 * PAGE), 0);
    fstat(fd, &s);
    EXPECT_EQ(s.st_size, 3 * PAGE);
    EXPECT_EQ(s.st_blocks, 24);
    EXPECT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 * PAGE, PAGE), 0);
    fstat(fd, &s);
    EXPECT_EQ(s.st_size, 3 * PAGE);
    EXPECT_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
    EXPECT_ERRNO(fallocate(fd, 0x4000, 0, 10), EOPNOTSUPP);
    EXPECT_ERRNO(fallocate(999, 0, 0, 10), EBADF);
    EXPECT_ERRNO(fallocate(open("f", O_RDONLY), 0, 0, 10), EBADF);
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_ERRNO(fallocate(fds[1], 0, 0, 10), ESPIPE);
}

CASE(fallocate_punches_holes)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    static char block[4 * PAGE];
    memset(block, 'a', sizeof block);
    EXPECT_EQ(write(fd, block, sizeof block), sizeof block);
    EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 2 * PAGE), 0);
    struct stat s;
    fstat(fd, &s);
    EXPECT_EQ(s.st_size, 4 * PAGE);
    EXPECT_EQ(s.st_blocks, 24);
    EXPECT_EQ(pread(fd, block, sizeof block, 0), sizeof block);
    EXPECT_EQ(block[99], 'a');
    EXPECT_EQ(block[100], 0);
    EXPECT_EQ(block[100 + 2 * PAGE - 1], 0);
    EXPECT_EQ(block[100 + 2 * PAGE], 'a');
    EXPECT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
}

CASE(fallocate_punches_at_the_largest_offset)
{
    static char text[1000], back[1000];
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    memset(text, 'e', sizeof text);
    EXPECT_EQ(pwrite(fd, text, sizeof text, INT64_MAX - 4000), sizeof text);
    EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, INT64_MAX - 10, 5), 0);
    EXPECT_EQ(pread(fd, back, sizeof back, INT64_MAX - 4000), sizeof back);
    EXPECT_EQ(memcmp(text, back, sizeof text), 0);
}

CASE(xattr_set_get_list_remove)
{
    make_file("f", "");
    char value[32] = {}, names[64] = {};
    EXPECT_EQ(setxattr("f", "trusted.colour", "green", 5, 0), 0);
    EXPECT_EQ(getxattr("f", "trusted.colour", nullptr, 0), 5);
    EXPECT_EQ(getxattr("f", "trusted.colour", value, sizeof value), 5);
    EXPECT_STR(value, "green");
    EXPECT_ERRNO(getxattr("f", "trusted.colour", value, 2), ERANGE);
    EXPECT_ERRNO(getxattr("f", "trusted.none", value, 9), ENODATA);
    EXPECT_ERRNO(setxattr("f", "trusted.colour", "x", 1, XATTR_CREATE), EEXIST);
    EXPECT_ERRNO(setxattr("f", "trusted.none", "x", 1, XATTR_REPLACE), ENODATA);
    EXPECT_EQ(setxattr("f", "trusted.b", "", 0, XATTR_CREATE), 0);
    EXPECT_EQ(listxattr("f", names, sizeof names), strlen("trusted.colour") + strlen("trusted.b") + 2);
    EXPECT_ERRNO(listxattr("f", names, 3), ERANGE);
    EXPECT_EQ(removexattr("f", "trusted.colour"), 0);
    EXPECT_ERRNO(removexattr("f", "trusted.colour"), ENODATA);
    int fd = open("f", O_RDWR);
    EXPECT_EQ(fsetxattr(fd, "trusted.c", "1", 1, 0), 0);
    EXPECT_EQ(fgetxattr(fd, "trusted.c", value, sizeof value), 1);
    EXPECT_EQ(fremovexattr(fd, "trusted.c"), 0);
}

CASE(xattr_checks)
{
    make_file("f", "");
    char longer[300];
    memset(longer, 'n', sizeof longer);
    memcpy(longer, "trusted.", 8);
    longer[299] = '\0';
    EXPECT_ERRNO(setxattr("f", longer, "x", 1, 0), ERANGE);
    EXPECT_ERRNO(setxattr("f", "", "x", 1, 0), ERANGE);
    EXPECT_ERRNO(setxattr("f", "strange.name", "x", 1, 0), EOPNOTSUPP);
    EXPECT_ERRNO(setxattr("f", "trusted.a", "x", 1, 8), EINVAL);
    EXPECT_ERRNO(setxattr("f", "trusted.a", "x", 70000, 0), E2BIG);
    EXPECT_ERRNO(setxattr("none", "trusted.a", "x", 1, 0), ENOENT);
    IN_CHILD(child)
    {
        char value[8];
        setuid(1000);
        EXPECT_ERRNO(setxattr("f", "trusted.a", "x", 1, 0), EPERM);
        EXPECT_ERRNO(getxattr("f", "trusted.a", value, 8), ENODATA);
    }
    EXPECT_EXITED(child, 0);
}

// --- What a call leaves behind, and what it says of it. ---

static long blocks_of(int fd)
{
    struct stat s;
    REQUIRE(fstat(fd, &s) == 0);
    return (long)s.st_blocks;
}

// Whether the file says that its content changed since make_old().
static bool is_modified(int fd)
{
    struct stat s;
    REQUIRE(fstat(fd, &s) == 0);
    return s.st_mtim.tv_sec != 1;
}

static void make_old(int fd)
{
    REQUIRE(futimens(fd, (struct timespec[]){{1, 0}, {1, 0}}) == 0);
}

static int fresh_file(void)
{
    int fd = open("fresh", O_RDWR | O_CREAT | O_TRUNC, 0644);
    REQUIRE(fd >= 0);
    return fd;
}

CASE(tmpfs_write_from_nowhere_takes_no_block)
{
    int fd = fresh_file();
    char *two = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(munmap(two + PAGE, PAGE) == 0);
    EXPECT_ERRNO(write(fd, (void *)8, PAGE), EFAULT);
    EXPECT_EQ(blocks_of(fd), 0);
    EXPECT_EQ(write(fd, two, 2 * PAGE), PAGE);
    EXPECT_EQ(blocks_of(fd), 8);
}

CASE(tmpfs_truncation_frees_what_was_allocated_beyond_the_size)
{
    int fd = fresh_file();
    EXPECT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE), 0);
    EXPECT_EQ(blocks_of(fd), 64);
    EXPECT_EQ(ftruncate(fd, 0), 0); // which it is long already
    EXPECT_EQ(blocks_of(fd), 0);
}

CASE(tmpfs_what_was_only_allocated_is_a_hole_until_used)
{
    int fd = fresh_file();
    char byte = 1;
    REQUIRE(fallocate(fd, 0, 0, 4 * PAGE) == 0);
    EXPECT_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
    EXPECT_EQ(lseek(fd, 5, SEEK_HOLE), 5);
    EXPECT_EQ(pwrite(fd, "a", 1, PAGE), 1);
    EXPECT_EQ(pread(fd, &byte, 1, 2 * PAGE), 1); // to read is not to use
    EXPECT_EQ(byte, 0);
    EXPECT_EQ(lseek(fd, 0, SEEK_DATA), PAGE);
    EXPECT_EQ(lseek(fd, PAGE, SEEK_HOLE), 2 * PAGE);
    EXPECT_ERRNO(lseek(fd, 2 * PAGE, SEEK_DATA), ENXIO);
    volatile char *p = mmap(nullptr, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[3 * PAGE], 0); // to map is
    EXPECT_EQ(lseek(fd, 2 * PAGE, SEEK_DATA), 3 * PAGE);
    EXPECT_EQ(blocks_of(fd), 32);
}

CASE(tmpfs_a_fallocate_that_fails_gives_back_what_was_not_used)
{
    mount_tmpfs("size=64k");
    static char block[8 * PAGE];
    int other = open("m/other", O_CREAT | O_RDWR, 0600), fd = open("m/f", O_CREAT | O_RDWR, 0600);
    REQUIRE(write(other, block, sizeof block) == sizeof block);
    REQUIRE(pwrite(fd, "a", 1, 2 * PAGE) == 1);
    REQUIRE(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * PAGE, PAGE) == 0);
    REQUIRE(ftruncate(fd, 16 * PAGE) == 0);
    EXPECT_EQ(blocks_of(fd), 16);
    EXPECT_ERRNO(fallocate(fd, 0, 0, 16 * PAGE), ENOSPC);
    EXPECT_EQ(blocks_of(fd), 16); // as before
    char byte = 0;
    EXPECT_EQ(pread(fd, &byte, 1, 2 * PAGE), 1);
    EXPECT_EQ(byte, 'a');
    EXPECT_EQ(fallocate(fd, 0, 0, 8 * PAGE), 0);
    EXPECT_EQ(blocks_of(fd), 64);
}

CASE(tmpfs_says_when_content_was_modified)
{
    int fd = fresh_file();
    EXPECT_EQ(ftruncate(fd, PAGE), 0);
    make_old(fd);
    EXPECT_EQ(ftruncate(fd, PAGE), 0);
    EXPECT(is_modified(fd));
    make_old(fd);
    EXPECT_EQ(truncate("fresh", PAGE), 0);
    EXPECT(!is_modified(fd)); // by name only when the size is another
    EXPECT_EQ(fallocate(fd, 0, 0, PAGE), 0);
    EXPECT(is_modified(fd));
    make_old(fd);
    EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0);
    EXPECT(is_modified(fd));
    make_old(fd);
    volatile char *p = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT(!is_modified(fd));
    p[0] = 1;
    EXPECT(is_modified(fd));
}

CASE(tmpfs_fallocate_takes_set_id_bits)
{
    int fd = fresh_file();
    struct stat s;
    REQUIRE(fchown(fd, 1000, 1000) == 0 && fchmod(fd, 06755) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(fallocate(fd, 0, 0, PAGE), 0);
    }
    EXPECT_EXITED(child, 0);
    REQUIRE(fstat(fd, &s) == 0);
    EXPECT_EQ(s.st_mode & 06000, 0);
}

CASE(tmpfs_seek_beyond_all_numbers_is_einval)
{
    int fd = fresh_file();
    EXPECT_EQ(lseek(fd, 10, SEEK_SET), 10);
    EXPECT_ERRNO(lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
    EXPECT_EQ(ftruncate(fd, 10), 0);
    EXPECT_ERRNO(lseek(fd, INT64_MAX, SEEK_END), EINVAL);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 10);
}
