// tests/contract/open.c — open(2) and its flags, the *at calls, path_resolution(7), symlink(7), openat2(2), access(2).
#include "tests/contract/harness.h"

#include <linux/openat2.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

static int open_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    REQUIRE(fd >= 0);
    return fd;
}

static mode_t mode_of(const char *path)
{
    struct stat s;
    REQUIRE(lstat(path, &s) == 0);
    return s.st_mode;
}

static long openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return syscall(SYS_openat2, dir, path, &how, sizeof how);
}

CASE(open_takes_the_lowest_descriptor)
{
    int a = open("/", O_RDONLY), b = open("/", O_RDONLY), c = open("/", O_RDONLY);
    EXPECT_EQ(b, a + 1);
    EXPECT_EQ(c, a + 2);
    close(a);
    close(b);
    EXPECT_EQ(open("/", O_RDONLY), a);
    EXPECT_EQ(open("/", O_RDONLY), b);
}

CASE(open_missing_file_is_enoent)
{
    EXPECT_ERRNO(open("none", O_RDONLY), ENOENT);
    EXPECT_ERRNO(open("none/deeper", O_RDONLY | O_CREAT, 0600), ENOENT);
    EXPECT_ERRNO(open("", O_RDONLY), ENOENT);
    EXPECT_ERRNO(open("none/", O_RDONLY | O_CREAT, 0600), EISDIR);
}

CASE(open_creates_with_mode_and_umask)
{
    umask(027);
    EXPECT(open("a", O_CREAT | O_WRONLY, 0777) >= 0);
    EXPECT_EQ(mode_of("a"), S_IFREG | 0750);
    umask(0);
    EXPECT(open("b", O_CREAT | O_WRONLY, 06755) >= 0);
    EXPECT_EQ(mode_of("b"), S_IFREG | 06755);
    EXPECT(open("a", O_CREAT | O_RDONLY, 0600) >= 0); // exists: the mode stays
    EXPECT_EQ(mode_of("a"), S_IFREG | 0750);
}

CASE(open_read_only_creation_may_be_written_by_its_descriptor)
{
    int fd = open("f", O_CREAT | O_RDWR | O_EXCL, 0);
    REQUIRE(fd >= 0);
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_EQ(mode_of("f"), S_IFREG);
}

CASE(open_exclusive)
{
    EXPECT(open("f", O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0);
    EXPECT_ERRNO(open("f", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
    REQUIRE(symlink("nowhere", "l") == 0);
    EXPECT_ERRNO(open("l", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST); // a link is not followed
    EXPECT(open("l", O_CREAT | O_WRONLY, 0600) >= 0);                   // without O_EXCL its target is made
    EXPECT_EQ(mode_of("nowhere"), S_IFREG | 0600);
    EXPECT_ERRNO(open("/", O_CREAT | O_EXCL, 0600), EEXIST);
}

CASE(open_truncates)
{
    make_file("f", "content");
    struct stat s;
    int fd = open("f", O_RDONLY);
    EXPECT(open("f", O_WRONLY | O_TRUNC) >= 0);
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT_EQ(s.st_size, 0);
}

CASE(truncation_minds_a_read_only_mount_before_the_mode)
{
    own_mount_namespace();
    make_file("f", "x");
    make_file("g", "");
    REQUIRE(chmod(".", 0755) == 0 && chmod("f", 0) == 0 && mount("f", "g", nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(mount(nullptr, "g", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(truncate("g", 0), EROFS);
        EXPECT_ERRNO(open("g", O_WRONLY | O_TRUNC), EROFS);
        EXPECT_ERRNO(open("g", O_WRONLY), EACCES);
        EXPECT_ERRNO(truncate("f", 0), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

CASE(open_append_writes_at_the_end)
{
    make_file("f", "abc");
    int fd = open("f", O_RDWR | O_APPEND);
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    EXPECT_EQ(write(fd, "d", 1), 1);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 4);
    EXPECT_EQ(pwrite(fd, "e", 1, 0), 1); // Linux appends for pwrite as well
    EXPECT_STR(file_text("f"), "abcde");
}

CASE(open_access_modes_limit_the_descriptor)
{
    make_file("f", "abc");
    char c;
    int r = open("f", O_RDONLY), w = open("f", O_WRONLY), n = open("f", 3);
    EXPECT_ERRNO(write(r, "x", 1), EBADF);
    EXPECT_ERRNO(read(w, &c, 1), EBADF);
    EXPECT(n >= 0); // 3: for ioctl only
    EXPECT_ERRNO(read(n, &c, 1), EBADF);
    EXPECT_ERRNO(write(n, &c, 1), EBADF);
    EXPECT_ERRNO(ftruncate(r, 0), EINVAL);
}

CASE(open_directory_for_writing_is_eisdir)
{
    EXPECT_ERRNO(open("/tmp", O_WRONLY), EISDIR);
    EXPECT_ERRNO(open("/tmp", O_RDWR), EISDIR);
    EXPECT_ERRNO(open("/tmp", O_RDONLY | O_CREAT, 0600), EISDIR);
    EXPECT_ERRNO(open("/tmp", O_RDONLY | O_DIRECTORY | O_CREAT, 0600), EINVAL);
    char c;
    int fd = open_dir("/tmp");
    EXPECT_ERRNO(read(fd, &c, 1), EISDIR);
    EXPECT_ERRNO(write(fd, &c, 1), EBADF);
}

CASE(open_directory_flag_demands_a_directory)
{
    make_file("f", "");
    EXPECT_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    EXPECT_ERRNO(open("f/x", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(open("f/", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(open("f/..", O_RDONLY), ENOTDIR);
}

CASE(open_nofollow)
{
    make_file("f", "");
    REQUIRE(symlink("f", "l") == 0);
    EXPECT_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    EXPECT_ERRNO(open("l", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
    EXPECT(open("f", O_RDONLY | O_NOFOLLOW) >= 0);
    int fd = open("l", O_PATH | O_NOFOLLOW);
    REQUIRE(fd >= 0);
    struct stat s;
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT(S_ISLNK(s.st_mode));
    char target[8] = {};
    EXPECT_EQ(readlinkat(fd, "", target, sizeof target), 1);
    EXPECT_STR(target, "f");
}

CASE(open_path_descriptor_is_only_a_place)
{
    make_file("f", "abc");
    int fd = open("f", O_PATH);
    char c;
    struct stat s;
    EXPECT_ERRNO(read(fd, &c, 1), EBADF);
    EXPECT_ERRNO(write(fd, &c, 1), EBADF);
    EXPECT_ERRNO(syscall(SYS_fchmod, fd, 0600), EBADF);
    EXPECT_ERRNO(ftruncate(fd, 0), EBADF);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT_EQ(s.st_size, 3);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY);
    EXPECT_EQ(read(again, &c, 1), 1);
    int dir = open(".", O_PATH | O_DIRECTORY);
    EXPECT(openat(dir, "f", O_RDONLY) >= 0);
    EXPECT_EQ(fchdir(dir), 0);
}

CASE(open_names_have_limits)
{
    char name[300], path[5000];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    EXPECT(open(name, O_CREAT | O_WRONLY, 0600) >= 0);
    name[255] = 'n';
    name[256] = '\0';
    EXPECT_ERRNO(open(name, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
    memset(path, '/', sizeof path);
    path[4095] = '\0';
    EXPECT(open(path, O_RDONLY) >= 0);
    path[4095] = '/';
    path[4096] = '\0';
    EXPECT_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
    EXPECT_ERRNO(open((char *)8, O_RDONLY), EFAULT);
    EXPECT_ERRNO(open((char *)0x8000000000000000, O_RDONLY), EFAULT);
}

CASE(open_path_at_the_end_of_a_mapping_is_read_no_further)
{
    char *p = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + PAGE, PAGE);
    memcpy(p + PAGE - 2, "/", 2);
    EXPECT(open(p + PAGE - 2, O_RDONLY) >= 0);
    memset(p + PAGE - 4, '/', 4);
    EXPECT_ERRNO(open(p + PAGE - 4, O_RDONLY), EFAULT);
}

CASE(path_dots_and_slashes)
{
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
    make_file("a/f", "");
    struct stat s, t;
    EXPECT_EQ(stat("a//b/.././/f", &s), 0);
    EXPECT_EQ(stat("./a/f", &t), 0);
    EXPECT_EQ(s.st_ino, t.st_ino);
    EXPECT_EQ(stat("/..", &s), 0);
    EXPECT_EQ(stat("/", &t), 0);
    EXPECT_EQ(s.st_ino, t.st_ino);
    EXPECT_EQ(stat("a/", &s), 0);
    EXPECT_EQ(stat("a/.", &t), 0);
    EXPECT_EQ(s.st_ino, t.st_ino);
    EXPECT_ERRNO(stat("a/none/..", &s), ENOENT);
}

CASE(symlinks_are_followed_relative_to_their_folder)
{
    REQUIRE(mkdir("a", 0755) == 0);
    make_file("a/f", "inside");
    make_file("f", "outside");
    REQUIRE(symlink("f", "a/l") == 0);
    EXPECT_STR(file_text("a/l"), "inside");
    REQUIRE(symlink("a", "dir") == 0);
    EXPECT_STR(file_text("dir/l"), "inside");
    REQUIRE(symlink("../f", "a/up") == 0);
    EXPECT_STR(file_text("dir/up"), "outside");
}

CASE(symlink_chains_have_a_limit)
{
    char from[16], to[16];
    make_file("l0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(from, sizeof from, "l%d", i);
        snprintf(to, sizeof to, "l%d", i - 1);
        REQUIRE(symlink(to, from) == 0);
    }
    EXPECT(open("l40", O_RDONLY) >= 0);
    EXPECT_ERRNO(open("l41", O_RDONLY), ELOOP);
    REQUIRE(symlink("self", "self") == 0);
    EXPECT_ERRNO(open("self", O_RDONLY), ELOOP);
    EXPECT_ERRNO(open("self/x", O_RDONLY), ELOOP);
}

CASE(symlink_trailing_slash_follows)
{
    REQUIRE(mkdir("d", 0755) == 0);
    REQUIRE(symlink("d", "l") == 0);
    struct stat s;
    EXPECT_EQ(lstat("l", &s), 0);
    EXPECT(S_ISLNK(s.st_mode));
    EXPECT_EQ(lstat("l/", &s), 0);
    EXPECT(S_ISDIR(s.st_mode));
    EXPECT_ERRNO(unlink("l/"), ENOTDIR);
    EXPECT_ERRNO(rmdir("l"), ENOTDIR);
    EXPECT_EQ(unlink("l"), 0);
}

CASE(readlink_returns_text_without_terminator)
{
    char text[32];
    REQUIRE(symlink("some/where", "l") == 0);
    memset(text, '#', sizeof text);
    EXPECT_EQ(readlink("l", text, sizeof text), 10);
    EXPECT_EQ(text[10], '#');
    EXPECT_EQ(readlink("l", text, 4), 4); // cut without a word
    EXPECT_ERRNO(syscall(SYS_readlink, "l", text, 0), EINVAL);
    EXPECT_ERRNO(readlink(".", text, 9), EINVAL);
    EXPECT_ERRNO(readlink("none", text, 9), ENOENT);
    struct stat s;
    EXPECT_EQ(lstat("l", &s), 0);
    EXPECT_EQ(s.st_size, 10);
    EXPECT_EQ(s.st_mode, S_IFLNK | 0777);
}

CASE(symlink_errors)
{
    char longer[5000];
    memset(longer, 'x', sizeof longer);
    longer[4999] = '\0';
    EXPECT_ERRNO(symlink("", "l"), ENOENT);
    EXPECT_ERRNO(symlink(longer, "l"), ENAMETOOLONG);
    make_file("f", "");
    EXPECT_ERRNO(symlink("x", "f"), EEXIST);
    EXPECT_ERRNO(symlink("x", "none/l"), ENOENT);
    EXPECT_ERRNO(symlink("x", "f/l"), ENOTDIR);
}

CASE(openat_is_relative_to_its_descriptor)
{
    REQUIRE(mkdir("d", 0755) == 0);
    int dir = open_dir("d");
    EXPECT(openat(dir, "f", O_CREAT | O_WRONLY, 0600) >= 0);
    EXPECT_EQ(mode_of("d/f"), S_IFREG | 0600);
    EXPECT(openat(-5, "/", O_RDONLY) >= 0); // absolute: the descriptor does not matter
    EXPECT_ERRNO(openat(-5, "x", O_RDONLY), EBADF);
    int file = openat(dir, "f", O_RDONLY);
    EXPECT_ERRNO(openat(file, "x", O_RDONLY), ENOTDIR);
    EXPECT(openat(AT_FDCWD, "d/f", O_RDONLY) >= 0);
    EXPECT_EQ(rename("d", "e"), 0);
    EXPECT(openat(dir, "f", O_RDONLY) >= 0); // the descriptor follows the folder
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    char link[PATH_MAX] = {};
    EXPECT(readlink(path, link, sizeof link - 1) > 0);
    EXPECT_STR(strrchr(link, '/'), "/e");
}

CASE(openat_in_a_deleted_directory)
{
    REQUIRE(mkdir("d", 0755) == 0);
    int dir = open_dir("d");
    REQUIRE(rmdir("d") == 0);
    EXPECT_ERRNO(openat(dir, "f", O_CREAT | O_WRONLY, 0600), ENOENT);
    EXPECT(openat(dir, ".", O_RDONLY) >= 0);
    EXPECT_ERRNO(mkdirat(dir, "e", 0700), ENOENT);
}

CASE(working_directory_that_is_deleted)
{
    REQUIRE(mkdir("d", 0755) == 0 && chdir("d") == 0 && rmdir("../d") == 0);
    char path[PATH_MAX];
    EXPECT_ERRNO(syscall(SYS_getcwd, path, sizeof path) < 0 ? -1 : strncmp(path, "(unreachable)", 13) == 0 ? 0 : 1, ENOENT);
    EXPECT_ERRNO(open("f", O_CREAT | O_WRONLY, 0600), ENOENT);
    EXPECT_EQ(chdir(".."), 0);
}

CASE(getcwd_and_chdir)
{
    char path[PATH_MAX], start[PATH_MAX];
    REQUIRE(getcwd(start, sizeof start));
    REQUIRE(mkdir("a", 0755) == 0 && symlink("a", "l") == 0);
    EXPECT_EQ(chdir("l"), 0);
    REQUIRE(getcwd(path, sizeof path));
    strcat(start, "/a");
    EXPECT_STR(path, start); // the true name, not the link's
    EXPECT_EQ(syscall(SYS_getcwd, path, sizeof path), strlen(start) + 1);
    EXPECT_ERRNO(syscall(SYS_getcwd, path, 3), ERANGE);
    EXPECT_ERRNO(chdir("none"), ENOENT);
    make_file("f", "");
    EXPECT_ERRNO(chdir("f"), ENOTDIR);
    EXPECT_ERRNO(fchdir(open("f", O_RDONLY)), ENOTDIR);
    EXPECT_ERRNO(fchdir(999), EBADF);
}

CASE(chroot_confines_absolute_paths)
{
    IN_CHILD(child)
    {
        REQUIRE(mkdir("jail", 0755) == 0);
        make_file("jail/f", "in jail");
        REQUIRE(chroot("jail") == 0 && chdir("/") == 0);
        EXPECT_STR(file_text("/f"), "in jail");
        EXPECT_STR(file_text("/../../f"), "in jail");
        char path[64];
        EXPECT(getcwd(path, sizeof path));
        EXPECT_STR(path, "/");
        EXPECT_ERRNO(chroot("/f"), ENOTDIR);
    }
    EXPECT_EXITED(child, 0);
}

CASE(access_checks_the_real_user)
{
    make_file("f", "");
    chmod("f", 0400);
    EXPECT_EQ(access("f", F_OK), 0);
    EXPECT_EQ(access("f", R_OK | W_OK), 0); // root may
    EXPECT_ERRNO(access("f", X_OK), EACCES); // but not execute without any x bit
    EXPECT_ERRNO(access("f", 8), EINVAL);
    EXPECT_ERRNO(access("none", F_OK), ENOENT);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 0, 0) == 0);
        EXPECT_ERRNO(access("f", R_OK), EACCES);
        EXPECT_EQ(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS), 0);
        EXPECT(open("f", O_RDONLY) >= 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(faccessat2_obeys_its_flags)
{
    make_file("f", "x");
    chmod("f", 0600);
    REQUIRE(symlink("missing", "l") == 0);
    EXPECT_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, 0), ENOENT);
    EXPECT_EQ(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    int file = open("f", O_PATH);
    EXPECT_EQ(syscall(SYS_faccessat2, file, "", R_OK, AT_EMPTY_PATH), 0);
    EXPECT_ERRNO(syscall(SYS_faccessat2, file, "", R_OK, 0), ENOENT);
    EXPECT_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "f", X_OK, 0), EACCES); // root too, where nobody may execute
    IN_CHILD(child)
    {
        REQUIRE(seteuid(65534) == 0); // the real user is still root
        EXPECT_EQ(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0), 0);
        EXPECT_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

CASE(permission_bits_are_enforced)
{
    REQUIRE(mkdir("closed", 0700) == 0 && mkdir("search", 0711) == 0);
    make_file("closed/f", "x");
    make_file("search/f", "x");
    make_file("f", "x");
    chmod("f", 0640);
    chown("f", 0, 500);
    chmod("search/f", 0604);
    chmod(".", 0755);
    IN_CHILD(child)
    {
        REQUIRE(setgid(500) == 0 && setuid(1000) == 0);
        EXPECT(open("f", O_RDONLY) >= 0);
        EXPECT_ERRNO(open("f", O_WRONLY), EACCES);
        EXPECT_ERRNO(open("closed/f", O_RDONLY), EACCES);
        EXPECT(open("search/f", O_RDONLY) >= 0);
        EXPECT_ERRNO(open("search", O_RDONLY), EACCES);
        EXPECT_ERRNO(open("new", O_CREAT | O_WRONLY, 0600), EACCES);
        EXPECT_ERRNO(unlink("f"), EACCES);
        EXPECT_ERRNO(mkdir("d", 0700), EACCES);
        EXPECT_ERRNO(chmod("f", 0666), EPERM);
        EXPECT_ERRNO(chown("f", 1000, -1), EPERM);
        EXPECT_ERRNO(open("f", O_RDONLY | O_NOATIME), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(sticky_directory_protects_the_files_of_others)
{
    REQUIRE(mkdir("s", 0) == 0 && chmod("s", 01777) == 0);
    make_file("s/roots", "");
    IN_CHILD(child)
    {
        REQUIRE(setuid(1000) == 0);
        make_file("s/mine", "");
        EXPECT_ERRNO(unlink("s/roots"), EPERM);
        EXPECT_ERRNO(rename("s/roots", "s/other"), EPERM);
        EXPECT_ERRNO(rename("s/mine", "s/roots"), EPERM);
        EXPECT_EQ(unlink("s/mine"), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(set_group_id_directory_hands_down_its_group)
{
    REQUIRE(mkdir("d", 0755) == 0 && chown("d", 0, 700) == 0 && chmod("d", 02755) == 0);
    make_file("d/f", "");
    REQUIRE(mkdir("d/e", 0755) == 0);
    struct stat s;
    EXPECT_EQ(stat("d/f", &s), 0);
    EXPECT_EQ(s.st_gid, 700);
    EXPECT_EQ(stat("d/e", &s), 0);
    EXPECT_EQ(s.st_gid, 700);
    EXPECT_EQ(s.st_mode, S_IFDIR | 02755);
}

CASE(openat2_resolve_flags)
{
    REQUIRE(mkdir("d", 0755) == 0 && symlink("../f", "d/up") == 0 && symlink("/etc", "d/abs") == 0);
    make_file("f", "");
    make_file("d/g", "");
    int dir = open_dir("d");
    EXPECT(openat2(dir, "g", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
    EXPECT_ERRNO(openat2(dir, "../f", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    EXPECT_ERRNO(openat2(dir, "up", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    EXPECT_ERRNO(openat2(dir, "up", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    EXPECT_ERRNO(openat2(dir, "/tmp", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    EXPECT(openat2(dir, "/g", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    EXPECT(openat2(dir, "../../g", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    EXPECT_ERRNO(openat2(AT_FDCWD, "/proc/self", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
    EXPECT_ERRNO(openat2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
}

CASE(openat2_checks_its_structure)
{
    struct open_how how = {.flags = O_RDONLY};
    EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "/", &how, 8), EINVAL);
    EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "/", &how, 100000), E2BIG);
    EXPECT_ERRNO(openat2(AT_FDCWD, "/", O_RDONLY, 0, 1 << 20), EINVAL);
    EXPECT_ERRNO(openat2(AT_FDCWD, "/", 1ull << 40, 0, 0), EINVAL);
    EXPECT_ERRNO(openat2(AT_FDCWD, "/", O_RDONLY, 0600, 0), EINVAL); // a mode without creation
}

CASE(openat2_files_may_be_large)
{
    enum { LARGEFILE = 0100000 };
    make_file("f", "");
    EXPECT_EQ(fcntl((int)openat2(AT_FDCWD, "f", O_RDONLY, 0, 0), F_GETFL) & LARGEFILE, LARGEFILE);
    EXPECT_EQ(fcntl((int)openat2(AT_FDCWD, "f", O_PATH, 0, 0), F_GETFL) & LARGEFILE, 0);
}

CASE(creat_is_open)
{
    make_file("f", "abc");
    int fd = creat("f", 0600);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
    EXPECT_STR(file_text("f"), "");
}

CASE(open_unlinked_file_lives_until_closed)
{
    make_file("f", "abc");
    int fd = open("f", O_RDWR);
    EXPECT_EQ(unlink("f"), 0);
    struct stat s;
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT_EQ(s.st_nlink, 0);
    char text[4] = {};
    EXPECT_EQ(read(fd, text, 3), 3);
    EXPECT_STR(text, "abc");
    EXPECT_ERRNO(stat("f", &s), ENOENT);
    char path[64], link[PATH_MAX] = {};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    EXPECT(readlink(path, link, sizeof link - 1) > 0);
    EXPECT(strstr(link, "/f (deleted)"));
    int again = open(path, O_RDONLY);
    EXPECT_EQ(read(again, text, 3), 3);
}

CASE(running_program_is_text_busy)
{
    EXPECT_ERRNO(open(program_path, O_WRONLY), ETXTBSY);
    EXPECT_ERRNO(truncate(program_path, 0), ETXTBSY);
}

// ---- a second thread changes the tree meanwhile -----------------------------------------------------------------------------------------------------------

enum { RACE_ROUNDS = 3000 };

static atomic_bool race_over;

static void *unlink_again_and_again(void *name)
{
    while (!atomic_load(&race_over))
        unlink(name);
    return nullptr;
}

CASE(open_create_never_misses_while_another_unlinks)
{
    pthread_t other;
    REQUIRE(pthread_create(&other, nullptr, unlink_again_and_again, "lock") == 0);
    for (int i = 0; i < RACE_ROUNDS; i++) {
        int fd = open("lock", O_RDWR | O_CREAT, 0600);
        REQUIRE(fd >= 0);
        close(fd);
    }
    atomic_store(&race_over, true);
    pthread_join(other, nullptr);
}

static void *move_out_and_back(void *)
{
    while (!atomic_load(&race_over)) {
        rename("root/a/b", "out/b");
        rename("out/b", "root/a/b");
    }
    return nullptr;
}

CASE(openat2_beneath_is_not_led_out_by_a_rename)
{
    static const char *const folders[] = {"out", "root", "root/a", "root/a/b"};
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
        REQUIRE(mkdir(folders[i], 0700) == 0);
    close(open("x", O_CREAT | O_WRONLY, 0600));
    close(open("root/x", O_CREAT | O_WRONLY, 0600));
    struct stat outside, found;
    REQUIRE(stat("x", &outside) == 0);
    int root = open_dir("root");
    pthread_t other;
    REQUIRE(pthread_create(&other, nullptr, move_out_and_back, nullptr) == 0);
    int opened = 0;
    int64_t end = now_ns() + LONG_TIMEOUT_MS * INT64_C(1000000);
    for (int i = 0; i < RACE_ROUNDS || (!opened && now_ns() < end); i++) {
        long fd = openat2(root, "a/b/../../x", O_RDONLY, 0, RESOLVE_BENEATH);
        if (fd < 0) {
            EXPECT(errno == EAGAIN || errno == ENOENT || errno == EXDEV);
            continue;
        }
        opened++;
        REQUIRE(fstat((int)fd, &found) == 0);
        EXPECT(found.st_ino != outside.st_ino);
        close((int)fd);
    }
    EXPECT(opened > 0);
    atomic_store(&race_over, true);
    pthread_join(other, nullptr);
}

// What user 1000 finds in a sticky folder of root's, with a file and a FIFO of user 2000's.
static void try_planted(mode_t mode, int wanted)
{
    REQUIRE(chmod("shared", mode) == 0);
    IN_CHILD(child)
    {
        static const char *const names[] = {"shared/file", "shared/fifo", "link"};
        REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
        for (int i = 0; i < 3; i++) {
            if (wanted)
                EXPECT_ERRNO(open(names[i], O_RDWR | O_CREAT, 0600), wanted);
            else
                EXPECT(open(names[i], O_RDWR | O_CREAT, 0600) >= 0);
            EXPECT_ERRNO(open(names[i], O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
            EXPECT(open(names[i], O_RDWR) >= 0); // who does not mean to create knows what is there
        }
        EXPECT(open("shared/roots", O_RDWR | O_CREAT, 0600) >= 0); // the folder's owner's
    }
    EXPECT_EXITED(child, 0);
}

CASE(open_create_refuses_what_another_user_has_planted)
{
    static const char *const settings[] = {"/proc/sys/fs/protected_regular", "/proc/sys/fs/protected_fifos", "/proc/sys/fs/protected_symlinks"};
    umask(0);
    REQUIRE(chmod(".", 0755) == 0 && mkdir("shared", 0777) == 0);
    make_file("shared/file", "");
    make_file("shared/roots", "");
    REQUIRE(chmod("shared/file", 0666) == 0 && chmod("shared/roots", 0666) == 0 && mkfifo("shared/fifo", 0666) == 0);
    REQUIRE(chown("shared/file", 2000, 2000) == 0 && chown("shared/fifo", 2000, 2000) == 0 && symlink("shared/file", "link") == 0);
    for (int i = 0; i < 3; i++) {
        keep_setting(settings[i]);
        EXPECT_EQ(write_text(settings[i], "0"), 0);
    }
    try_planted(01777, 0);
    EXPECT_EQ(write_text(settings[0], "1"), 0);
    EXPECT_EQ(write_text(settings[1], "1"), 0);
    try_planted(01777, EACCES);
    try_planted(0777, 0);
    try_planted(01775, 0);
    EXPECT_EQ(write_text(settings[0], "2"), 0);
    EXPECT_EQ(write_text(settings[1], "2"), 0);
    try_planted(01775, EACCES);
    try_planted(0775, 0);
    EXPECT_EQ(write_text(settings[0], "3"), -EINVAL);
    REQUIRE(chmod("shared", 01777) == 0);
    EXPECT_ERRNO(open("shared/fifo", O_RDWR | O_CREAT, 0600), EACCES); // root has no privilege here
}

// What is neither a file nor a FIFO is refused whatever the two switches say, but only where all may write.
CASE(open_create_refuses_a_planted_device)
{
    umask(0);
    REQUIRE(chmod(".", 0755) == 0 && mkdir("shared", 0777) == 0 && mknod("shared/null", S_IFCHR | 0666, makedev(1, 3)) == 0);
    REQUIRE(mknod("shared/socket", S_IFSOCK | 0666, 0) == 0);
    REQUIRE(chown("shared/null", 2000, 2000) == 0 && chown("shared/socket", 2000, 2000) == 0);
    static const struct {
        mode_t mode;
        bool refused;
    } tries[] = {{01777, true}, {0777, false}, {01775, false}};
    for (int i = 0; i < 3; i++) {
        bool refused = tries[i].refused;
        REQUIRE(chmod("shared", tries[i].mode) == 0);
        IN_CHILD(child)
        {
            REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
            EXPECT(open("shared/null", O_RDWR) >= 0);
            EXPECT_EQ(open("shared/null", O_RDWR | O_CREAT, 0600) >= 0, !refused);
            EXPECT_ERRNO(open("shared/socket", O_RDWR), ENXIO);
            EXPECT_ERRNO(open("shared/socket", O_RDWR | O_CREAT, 0600), refused ? EACCES : ENXIO);
        }
        EXPECT_EXITED(child, 0);
    }
}
