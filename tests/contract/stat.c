// tests/contract/stat.c — stat(2), statx(2), chmod(2), chown(2), utimensat(2), statfs(2), link counts and times: inode(7).
#include "tests/contract/harness.h"

#include <grp.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <utime.h>

// Newer than musl's <sys/stat.h>: statx(2).
enum { MASK_MNT_ID = 0x1000, ATTR_MOUNT_ROOT = 0x2000, OFFSET_OF_MNT_ID = 144 };

static struct stat stat_of(const char *path)
{
    struct stat s = {};
    REQUIRE(lstat(path, &s) == 0);
    return s;
}

static bool later(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

CASE(stat_of_a_new_file)
{
    make_file("f", "hello");
    struct stat s = stat_of("f");
    EXPECT_EQ(s.st_mode, S_IFREG | 0644);
    EXPECT_EQ(s.st_size, 5);
    EXPECT_EQ(s.st_nlink, 1);
    EXPECT_EQ(s.st_uid, 0);
    EXPECT_EQ(s.st_blksize, 4096);
    EXPECT_EQ(s.st_blocks, 8); // one page of tmpfs in units of 512 bytes
    EXPECT(s.st_ino != 0);
    EXPECT_EQ(s.st_dev, stat_of(".").st_dev);
    EXPECT(s.st_mtim.tv_sec > 1600000000);
}

CASE(stat_errors)
{
    struct stat s;
    EXPECT_ERRNO(stat("none", &s), ENOENT);
    EXPECT_ERRNO(fstat(999, &s), EBADF);
    EXPECT_ERRNO(syscall(SYS_stat, "/", 8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "", &s, 0), ENOENT);
    EXPECT_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "/", &s, 0x10), EINVAL);
    EXPECT_EQ(syscall(SYS_newfstatat, AT_FDCWD, "", &s, AT_EMPTY_PATH), 0);
    EXPECT(S_ISDIR(s.st_mode));
}

CASE(stat_hard_links_share_everything)
{
    make_file("f", "abc");
    EXPECT_EQ(link("f", "g"), 0);
    struct stat a = stat_of("f"), b = stat_of("g");
    EXPECT_EQ(a.st_ino, b.st_ino);
    EXPECT_EQ(a.st_nlink, 2);
    EXPECT_EQ(chmod("g", 0600), 0);
    EXPECT_EQ(stat_of("f").st_mode & 07777, 0600);
    unlink("f");
    EXPECT_EQ(stat_of("g").st_nlink, 1);
    EXPECT_STR(file_text("g"), "abc");
}

CASE(stat_directory_link_count)
{
    REQUIRE(mkdir("d", 0755) == 0);
    EXPECT_EQ(stat_of("d").st_nlink, 2);
    REQUIRE(mkdir("d/a", 0755) == 0 && mkdir("d/b", 0755) == 0);
    EXPECT_EQ(stat_of("d").st_nlink, 4);
    make_file("d/f", "");
    EXPECT_EQ(stat_of("d").st_nlink, 4);
    rmdir("d/a");
    EXPECT_EQ(stat_of("d").st_nlink, 3);
    rename("d/b", "b");
    EXPECT_EQ(stat_of("d").st_nlink, 2);
}

CASE(statx_gives_what_is_asked)
{
    make_file("f", "hello");
    struct statx x = {};
    EXPECT_EQ(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME | MASK_MNT_ID, &x), 0);
    struct stat s = stat_of("f");
    EXPECT_EQ(x.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    EXPECT_EQ(x.stx_size, 5);
    EXPECT_EQ(x.stx_ino, s.st_ino);
    EXPECT_EQ(x.stx_mode, s.st_mode);
    EXPECT_EQ(x.stx_mtime.tv_sec, s.st_mtim.tv_sec);
    EXPECT_EQ(x.stx_mtime.tv_nsec, s.st_mtim.tv_nsec);
    EXPECT_EQ(makedev(x.stx_dev_major, x.stx_dev_minor), s.st_dev);
    EXPECT(x.stx_mask & MASK_MNT_ID);
    uint64_t mount_id;
    memcpy(&mount_id, (const char *)&x + OFFSET_OF_MNT_ID, sizeof mount_id);
    EXPECT(mount_id != 0);
    EXPECT(x.stx_mask & STATX_BTIME);
    EXPECT(x.stx_btime.tv_sec > 1600000000);
}

CASE(statx_checks_arguments)
{
    struct statx x;
    EXPECT_ERRNO(syscall(SYS_statx, AT_FDCWD, "/", 0, 1u << 31, &x), EINVAL);
    EXPECT_ERRNO(syscall(SYS_statx, AT_FDCWD, "/", 0x10, STATX_BASIC_STATS, &x), EINVAL);
    EXPECT_ERRNO(syscall(SYS_statx, AT_FDCWD, "/", 0x6000, STATX_BASIC_STATS, &x), EINVAL);
    EXPECT_ERRNO(syscall(SYS_statx, 999, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x), EBADF);
    EXPECT_ERRNO(syscall(SYS_statx, AT_FDCWD, "none", 0, STATX_BASIC_STATS, &x), ENOENT);
}

CASE(statx_tells_a_mount_root)
{
    struct statx x = {};
    EXPECT_EQ(syscall(SYS_statx, AT_FDCWD, "/proc", 0, STATX_BASIC_STATS, &x), 0);
    EXPECT(x.stx_attributes_mask & ATTR_MOUNT_ROOT);
    EXPECT(x.stx_attributes & ATTR_MOUNT_ROOT);
    EXPECT_EQ(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_BASIC_STATS, &x), 0);
    EXPECT(!(x.stx_attributes & ATTR_MOUNT_ROOT));
}

CASE(chmod_changes_bits_and_ctime)
{
    make_file("f", "");
    struct stat before = stat_of("f");
    sleep_ms(20);
    EXPECT_EQ(chmod("f", 04751), 0);
    struct stat after = stat_of("f");
    EXPECT_EQ(after.st_mode, S_IFREG | 04751);
    EXPECT(later(after.st_ctim, before.st_ctim));
    EXPECT(same_time(after.st_mtim, before.st_mtim));
    int fd = open("f", O_RDONLY);
    EXPECT_EQ(fchmod(fd, 0600), 0);
    EXPECT_EQ(stat_of("f").st_mode, S_IFREG | 0600);
    EXPECT_ERRNO(fchmod(999, 0600), EBADF);
    EXPECT_ERRNO(chmod("none", 0600), ENOENT);
}

CASE(chmod_follows_links_and_fchmodat2_does_not)
{
    make_file("f", "");
    REQUIRE(symlink("f", "l") == 0);
    EXPECT_EQ(fchmodat(AT_FDCWD, "l", 0601, 0), 0);
    EXPECT_EQ(stat_of("f").st_mode & 0777, 0601);
    EXPECT_ERRNO(syscall(452, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    EXPECT_EQ(syscall(452, AT_FDCWD, "f", 0602, AT_SYMLINK_NOFOLLOW), 0);
    EXPECT_ERRNO(syscall(452, AT_FDCWD, "f", 0602, 0x10), EINVAL);
}

CASE(fchmodat2_changes_what_a_descriptor_names)
{
    struct stat st;
    make_file("f", "x");
    REQUIRE(symlink("f", "l") == 0);
    int file = open("f", O_PATH);
    EXPECT_EQ(syscall(SYS_fchmodat2, file, "", 0640, AT_EMPTY_PATH), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT_EQ(st.st_mode & 07777, 0640);
    EXPECT_ERRNO(syscall(SYS_fchmodat2, file, "", 0640, 0), ENOENT);
    EXPECT_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    EXPECT_EQ(syscall(SYS_fchmodat2, AT_FDCWD, "l", 0604, 0), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT_EQ(st.st_mode & 07777, 0604);
}

CASE(chown_changes_owner_and_drops_set_id_bits)
{
    make_file("f", "");
    chmod("f", 06755);
    EXPECT_EQ(chown("f", 10, 20), 0);
    struct stat s = stat_of("f");
    EXPECT_EQ(s.st_uid, 10);
    EXPECT_EQ(s.st_gid, 20);
    EXPECT_EQ(s.st_mode & 07777, 0755);
    EXPECT_EQ(chown("f", -1, 30), 0);
    EXPECT_EQ(stat_of("f").st_uid, 10);
    EXPECT_EQ(stat_of("f").st_gid, 30);
}

CASE(fchown_changes_the_owner_of_the_open_file)
{
    struct stat st;
    int file = open("f", O_RDWR | O_CREAT, 0600), place = open("f", O_PATH);
    EXPECT_EQ(fchown(file, 5, 6), 0);
    EXPECT_EQ(fchown(file, -1, 7), 0);
    REQUIRE(fstat(file, &st) == 0);
    EXPECT(st.st_uid == 5 && st.st_gid == 7);
    EXPECT_EQ(syscall(SYS_fchownat, place, "", 8, -1, AT_EMPTY_PATH), 0);
    REQUIRE(fstat(file, &st) == 0);
    EXPECT_EQ(st.st_uid, 8);
    IN_CHILD(child)
    {
        REQUIRE(setuid(65534) == 0);
        EXPECT_ERRNO(fchown(file, 65534, -1), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(lchown_changes_the_link)
{
    make_file("f", "");
    REQUIRE(symlink("f", "l") == 0);
    EXPECT_EQ(lchown("l", 7, 8), 0);
    EXPECT_EQ(stat_of("l").st_uid, 7);
    EXPECT_EQ(stat_of("f").st_uid, 0);
    EXPECT_EQ(fchownat(AT_FDCWD, "l", 9, 9, 0), 0);
    EXPECT_EQ(stat_of("f").st_uid, 9);
    int fd = open("f", O_RDONLY);
    EXPECT_EQ(fchownat(fd, "", 11, 11, AT_EMPTY_PATH), 0);
    EXPECT_EQ(stat_of("f").st_uid, 11);
    EXPECT_EQ(fchown(fd, 12, -1), 0);
    EXPECT_EQ(stat_of("f").st_uid, 12);
    EXPECT_ERRNO(fchownat(AT_FDCWD, "f", 0, 0, 0x20), EINVAL);
}

CASE(chown_by_the_owner_is_limited_to_own_groups)
{
    make_file("f", "");
    chown("f", 1000, 1000);
    IN_CHILD(child)
    {
        gid_t groups[] = {2000};
        setgroups(1, groups);
        setgid(1000);
        setuid(1000);
        EXPECT_EQ(chown("f", -1, 2000), 0);
        EXPECT_ERRNO(chown("f", -1, 3000), EPERM);
        EXPECT_ERRNO(chown("f", 0, -1), EPERM);
        EXPECT_EQ(chmod("f", 02755), 0);
        EXPECT_EQ(chown("f", 1000, -1), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(chmod_drops_set_group_id_of_a_foreign_group)
{
    make_file("f", "");
    chown("f", 1000, 5000);
    IN_CHILD(child)
    {
        setgroups(0, nullptr);
        setgid(1000);
        setuid(1000);
        EXPECT_EQ(chmod("f", 02755), 0);
        EXPECT_EQ(stat_of("f").st_mode & 07777, 0755);
    }
    EXPECT_EXITED(child, 0);
}

CASE(write_drops_set_user_id)
{
    make_file("f", "");
    chmod("f", 04755);
    chown("f", 1000, 1000);
    chmod("f", 04777);
    IN_CHILD(child)
    {
        setuid(2000);
        int fd = open("f", O_WRONLY);
        EXPECT_EQ(write(fd, "x", 1), 1);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(stat_of("f").st_mode & 07777, 0777);
}

CASE(write_changes_mtime_and_ctime)
{
    make_file("f", "");
    struct stat before = stat_of("f");
    int fd = open("f", O_WRONLY);
    sleep_ms(20);
    EXPECT_EQ(write(fd, "x", 1), 1);
    struct stat after = stat_of("f");
    EXPECT(later(after.st_mtim, before.st_mtim));
    EXPECT(later(after.st_ctim, before.st_ctim));
    EXPECT(same_time(after.st_atim, before.st_atim));
}

CASE(read_changes_atime_relatively)
{
    make_file("f", "x");
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    utimensat(AT_FDCWD, "f", times, 0);
    char c;
    int fd = open("f", O_RDONLY);
    EXPECT_EQ(read(fd, &c, 1), 1);
    EXPECT(stat_of("f").st_atim.tv_sec > 2000); // it was older than the modification
}

CASE(directory_changes_touch_its_times)
{
    REQUIRE(mkdir("d", 0755) == 0);
    struct stat s = stat_of("d");
    sleep_ms(20);
    make_file("d/f", "");
    EXPECT(later(stat_of("d").st_mtim, s.st_mtim));
    s = stat_of("d");
    sleep_ms(20);
    rename("d/f", "d/g");
    EXPECT(later(stat_of("d").st_mtim, s.st_mtim));
    s = stat_of("d");
    sleep_ms(20);
    unlink("d/g");
    EXPECT(later(stat_of("d").st_mtim, s.st_mtim));
}

CASE(utimensat_sets_nanoseconds)
{
    make_file("f", "");
    struct timespec times[2] = {{.tv_sec = 1111, .tv_nsec = 123456789}, {.tv_sec = 2222, .tv_nsec = 999999999}};
    EXPECT_EQ(utimensat(AT_FDCWD, "f", times, 0), 0);
    struct stat s = stat_of("f");
    EXPECT_EQ(s.st_atim.tv_sec, 1111);
    EXPECT_EQ(s.st_atim.tv_nsec, 123456789);
    EXPECT_EQ(s.st_mtim.tv_sec, 2222);
    EXPECT_EQ(s.st_mtim.tv_nsec, 999999999);
    times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
    times[1] = (struct timespec){.tv_nsec = UTIME_NOW};
    EXPECT_EQ(utimensat(AT_FDCWD, "f", times, 0), 0);
    s = stat_of("f");
    EXPECT_EQ(s.st_atim.tv_sec, 1111);
    EXPECT(s.st_mtim.tv_sec > 1600000000);
    times[0].tv_nsec = 1000000000;
    EXPECT_ERRNO(utimensat(AT_FDCWD, "f", times, 0), EINVAL);
    EXPECT_ERRNO(utimensat(AT_FDCWD, "none", nullptr, 0), ENOENT);
    EXPECT_ERRNO(utimensat(AT_FDCWD, "f", nullptr, 0x10), EINVAL);
}

CASE(utimensat_on_links_and_descriptors)
{
    make_file("f", "");
    REQUIRE(symlink("f", "l") == 0);
    struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 6}};
    EXPECT_EQ(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW), 0);
    EXPECT_EQ(stat_of("l").st_mtim.tv_sec, 6);
    EXPECT(stat_of("f").st_mtim.tv_sec > 6);
    int fd = open("f", O_RDONLY);
    EXPECT_EQ(futimens(fd, times), 0);
    EXPECT_EQ(stat_of("f").st_mtim.tv_sec, 6);
    struct utimbuf old = {.actime = 7, .modtime = 8};
    EXPECT_EQ(syscall(SYS_utime, "f", &old), 0);
    EXPECT_EQ(stat_of("f").st_atim.tv_sec, 7);
    struct timeval tv[2] = {{.tv_sec = 9, .tv_usec = 10}, {.tv_sec = 11, .tv_usec = 12}};
    EXPECT_EQ(syscall(SYS_utimes, "f", tv), 0);
    EXPECT_EQ(stat_of("f").st_mtim.tv_nsec, 12000);
}

CASE(futimesat_sets_microseconds)
{
    struct timeval times[2] = {{1000, 250000}, {2000, 999999}}, wrong[2] = {{1000, 1000000}, {1, 1}};
    struct stat st;
    make_file("f", "x");
    int folder = open(".", O_RDONLY | O_DIRECTORY), file = open("f", O_RDWR);
    EXPECT_EQ(syscall(SYS_futimesat, folder, "f", times), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 250000000);
    EXPECT(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 999999000);
    EXPECT_ERRNO(syscall(SYS_futimesat, folder, "f", wrong), EINVAL);
    EXPECT_EQ(syscall(SYS_futimesat, file, nullptr, nullptr), 0); // the descriptor itself, now
    REQUIRE(stat("f", &st) == 0);
    EXPECT(st.st_mtim.tv_sec > 2000);
    struct { long actime, modtime; } old = {11, 22};
    EXPECT_EQ(syscall(SYS_utime, "f", &old), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT(st.st_atim.tv_sec == 11 && st.st_mtim.tv_sec == 22);
    EXPECT_EQ(syscall(SYS_utimes, "f", times), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT_EQ(st.st_mtim.tv_sec, 2000);
    EXPECT_ERRNO(syscall(SYS_utimes, "f", wrong), EINVAL);
}

CASE(utimensat_permissions)
{
    make_file("f", "");
    chmod("f", 0666);
    IN_CHILD(child)
    {
        setuid(1000);
        EXPECT_EQ(utimensat(AT_FDCWD, "f", nullptr, 0), 0); // now: who may write may
        struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 6}};
        EXPECT_ERRNO(utimensat(AT_FDCWD, "f", times, 0), EPERM);
    }
    EXPECT_EXITED(child, 0);
    chmod("f", 0644);
    IN_CHILD(other)
    {
        setuid(1000);
        EXPECT_ERRNO(utimensat(AT_FDCWD, "f", nullptr, 0), EACCES);
    }
    EXPECT_EXITED(other, 0);
}

CASE(statfs_of_tmpfs_and_proc)
{
    struct statfs s;
    EXPECT_EQ(statfs("/tmp", &s), 0);
    EXPECT_EQ(s.f_type, 0x01021994);
    EXPECT_EQ(s.f_bsize, 4096);
    EXPECT_EQ(s.f_namelen, 255);
    EXPECT(s.f_blocks > 0 && s.f_bfree <= s.f_blocks);
    EXPECT_EQ(statfs("/proc", &s), 0);
    EXPECT_EQ(s.f_type, 0x9fa0);
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(fstatfs(fds[0], &s), 0);
    EXPECT_EQ(s.f_type, 0x50495045);
    EXPECT_ERRNO(statfs("none", &s), ENOENT);
    EXPECT_ERRNO(fstatfs(999, &s), EBADF);
}

CASE(truncate_changes_size_and_times)
{
    make_file("f", "abcdef");
    struct stat before = stat_of("f");
    sleep_ms(20);
    EXPECT_EQ(truncate("f", 3), 0);
    EXPECT_STR(file_text("f"), "abc");
    EXPECT(later(stat_of("f").st_mtim, before.st_mtim));
    EXPECT_EQ(truncate("f", 10000), 0);
    EXPECT_EQ(stat_of("f").st_size, 10000);
    EXPECT_EQ(stat_of("f").st_blocks, 8);
    EXPECT_ERRNO(truncate("f", -1), EINVAL);
    EXPECT_ERRNO(truncate(".", 0), EISDIR);
    EXPECT_ERRNO(truncate("none", 0), ENOENT);
    REQUIRE(mkfifo("p", 0600) == 0);
    EXPECT_ERRNO(truncate("p", 0), EINVAL);
}
