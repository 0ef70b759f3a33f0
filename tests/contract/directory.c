// tests/contract/directory.c — mkdir, rmdir, link, unlink, rename and its flags, getdents64: the names of a file system.
#include "tests/contract/cred.h"

#include <dirent.h>
#include <linux/fs.h>
#include <sys/sysmacros.h>

struct entry { // linux_dirent64 of getdents64(2)
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

static bool exists(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0;
}

static ino_t inode_of(const char *path)
{
    struct stat s;
    REQUIRE(lstat(path, &s) == 0);
    return s.st_ino;
}

static int rename2(const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void make_numbered(int count)
{
    char name[32];
    REQUIRE(mkdir("d", 0755) == 0);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d/file-%d", i);
        make_file(name, "");
    }
}

// Reads a folder of make_numbered() with buffers of `size` bytes; every name must come exactly once.
static void read_numbered(int count, size_t size)
{
    _Alignas(8) char buffer[8192];
    int seen[512] = {}, dots = 0;
    int fd = open("d", O_RDONLY | O_DIRECTORY);
    long n;
    while ((n = syscall(SYS_getdents64, fd, buffer, size)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)(buffer + at);
            int number;
            if (sscanf(e->name, "file-%d", &number) == 1 && number >= 0 && number < 512)
                seen[number]++;
            else
                dots += strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0 ? 1 : 100;
            EXPECT_EQ(e->length % 8, 0);
            REQUIRE(e->length > 0);
            at += e->length;
        }
    }
    EXPECT_EQ(n, 0);
    EXPECT_EQ(dots, 2);
    for (int i = 0; i < count; i++)
        EXPECT_EQ(seen[i], 1);
    close(fd);
}

CASE(getdents_with_any_buffer_gives_every_name_once)
{
    make_numbered(100);
    static const size_t sizes[] = {32, 40, 56, 64, 100, 333, 1024, 8192};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        read_numbered(100, sizes[i]);
}

CASE(getdents_buffer_too_small_is_einval)
{
    make_numbered(1);
    char buffer[256];
    int fd = open("d", O_RDONLY);
    EXPECT_ERRNO(syscall(SYS_getdents64, fd, buffer, 8), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getdents64, fd, buffer, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getdents64, fd, 8, 256), EFAULT);
    EXPECT(syscall(SYS_getdents64, fd, buffer, 256) > 0); // nothing was lost
    make_file("f", "");
    int file = open("f", O_RDONLY);
    EXPECT_ERRNO(syscall(SYS_getdents64, file, buffer, 256), ENOTDIR);
    EXPECT_ERRNO(syscall(SYS_getdents64, 999, buffer, 256), EBADF);
}

CASE(getdents_tells_inode_and_type)
{
    REQUIRE(mkdir("d", 0755) == 0);
    make_file("d/file", "");
    REQUIRE(mkdir("d/dir", 0755) == 0 && symlink("x", "d/link") == 0 && mkfifo("d/fifo", 0600) == 0);
    DIR *dir = opendir("d");
    REQUIRE(dir);
    int seen = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[300];
        snprintf(path, sizeof path, "d/%s", e->d_name);
        EXPECT_EQ(e->d_ino, inode_of(path));
        int wanted = strcmp(e->d_name, "file") == 0   ? DT_REG
                     : strcmp(e->d_name, "link") == 0 ? DT_LNK
                     : strcmp(e->d_name, "fifo") == 0 ? DT_FIFO
                                                      : DT_DIR;
        EXPECT_EQ(e->d_type, wanted);
        seen++;
    }
    EXPECT_EQ(seen, 6);
    closedir(dir);
}

CASE(getdents_position_can_be_kept_and_rewound)
{
    make_numbered(20);
    DIR *dir = opendir("d");
    char name[32];
    for (int i = 0; i < 7; i++)
        REQUIRE(readdir(dir));
    long position = telldir(dir);
    struct dirent *e = readdir(dir);
    REQUIRE(e);
    strcpy(name, e->d_name);
    while (readdir(dir))
        ;
    seekdir(dir, position);
    e = readdir(dir);
    REQUIRE(e);
    EXPECT_STR(e->d_name, name);
    rewinddir(dir);
    int count = 0;
    while (readdir(dir))
        count++;
    EXPECT_EQ(count, 22);
    closedir(dir);
}

CASE(getdents_survives_deletion_while_reading)
{
    make_numbered(200);
    _Alignas(8) char buffer[128];
    int fd = open("d", O_RDONLY), removed = 0;
    long n;
    while ((n = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)(buffer + at);
            char path[64];
            snprintf(path, sizeof path, "d/%s", e->name);
            removed += e->name[0] == 'f' && unlink(path) == 0;
            at += e->length;
        }
    }
    EXPECT_EQ(removed, 200); // as rm -r does it
    EXPECT_EQ(rmdir("d"), 0);
}

CASE(getdents_ends_while_what_it_shows_is_renamed)
{
    make_numbered(3);
    _Alignas(8) char buffer[40]; // for one of them
    int fd = open("d", O_RDONLY), rounds = 0, names = 0;
    for (; rounds < 100 && syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0; rounds++) {
        const struct entry *e = (const void *)buffer;
        char from[64], to[64];
        snprintf(from, sizeof from, "d/%s", e->name);
        snprintf(to, sizeof to, "d/fresh-%d", rounds);
        if (e->name[0] != '.')
            EXPECT_EQ(rename(from, to), 0);
    }
    EXPECT(rounds < 100);
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    while (syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0)
        names++;
    EXPECT_EQ(names, 5);
}

CASE(getdents_of_a_deleted_directory)
{
    REQUIRE(mkdir("d", 0755) == 0);
    char buffer[256];
    int fd = open("d", O_RDONLY);
    rmdir("d");
    EXPECT_ERRNO(syscall(SYS_getdents64, fd, buffer, sizeof buffer), ENOENT);
}

CASE(getdents_old_call_has_its_own_layout)
{
    struct old {
        unsigned long inode, next;
        unsigned short length;
        char name[];
    };
    make_numbered(3);
    _Alignas(8) char buffer[1024];
    int fd = open("d", O_RDONLY), count = 0;
    long n = syscall(SYS_getdents, fd, buffer, sizeof buffer);
    for (long at = 0; at < n; count++) {
        const struct old *e = (const void *)(buffer + at);
        int type = buffer[at + e->length - 1];
        EXPECT_EQ(type, e->name[0] == 'f' ? DT_REG : DT_DIR);
        at += e->length;
    }
    EXPECT_EQ(count, 5);
}

CASE(mkdir_and_rmdir_errors)
{
    make_file("f", "");
    EXPECT_EQ(mkdir("d", 0755), 0);
    EXPECT_ERRNO(mkdir("d", 0755), EEXIST);
    EXPECT_ERRNO(mkdir("f", 0755), EEXIST);
    EXPECT_ERRNO(mkdir("f/x", 0755), ENOTDIR);
    EXPECT_ERRNO(mkdir("none/x", 0755), ENOENT);
    EXPECT_ERRNO(mkdir("/", 0755), EEXIST);
    EXPECT_ERRNO(mkdir("", 0755), ENOENT);
    EXPECT_EQ(mkdir("slash///", 0755), 0);
    EXPECT_ERRNO(rmdir("f"), ENOTDIR);
    EXPECT_ERRNO(rmdir("none"), ENOENT);
    EXPECT_ERRNO(rmdir("d/."), EINVAL);
    EXPECT_ERRNO(rmdir("d/.."), ENOTEMPTY);
    make_file("d/g", "");
    EXPECT_ERRNO(rmdir("d"), ENOTEMPTY);
    EXPECT_ERRNO(rmdir("/"), EBUSY);
    unlink("d/g");
    EXPECT_EQ(rmdir("d/"), 0);
    EXPECT(!exists("d"));
}

CASE(mkdir_applies_umask_and_sticky)
{
    umask(027);
    EXPECT_EQ(mkdir("d", 01777), 0);
    struct stat s;
    stat("d", &s);
    EXPECT_EQ(s.st_mode, S_IFDIR | 01750);
}

CASE(unlink_errors)
{
    REQUIRE(mkdir("d", 0755) == 0);
    make_file("f", "");
    EXPECT_ERRNO(unlink("d"), EISDIR);
    EXPECT_ERRNO(unlink("none"), ENOENT);
    EXPECT_ERRNO(unlink("f/x"), ENOTDIR);
    EXPECT_ERRNO(unlink("f/"), ENOTDIR);
    EXPECT_ERRNO(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
    EXPECT_ERRNO(unlinkat(AT_FDCWD, "f", 0x10), EINVAL);
    EXPECT_EQ(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR), 0);
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_ERRNO(unlink("f"), ENOENT);
}

CASE(link_errors_and_flags)
{
    make_file("f", "x");
    REQUIRE(mkdir("d", 0755) == 0 && symlink("f", "l") == 0);
    EXPECT_ERRNO(link("d", "d2"), EPERM);
    EXPECT_ERRNO(link("f", "d"), EEXIST);
    EXPECT_ERRNO(link("none", "g"), ENOENT);
    EXPECT_ERRNO(link("f", "none/g"), ENOENT);
    EXPECT_ERRNO(link("f", "/g"), EXDEV);
    EXPECT_EQ(linkat(AT_FDCWD, "l", AT_FDCWD, "l2", 0), 0);
    EXPECT_EQ(inode_of("l2"), inode_of("l")); // the link itself
    EXPECT_EQ(linkat(AT_FDCWD, "l", AT_FDCWD, "f2", AT_SYMLINK_FOLLOW), 0);
    EXPECT_EQ(inode_of("f2"), inode_of("f"));
    int fd = open("f", O_RDONLY);
    EXPECT_EQ(linkat(fd, "", AT_FDCWD, "f3", AT_EMPTY_PATH), 0);
    EXPECT_EQ(inode_of("f3"), inode_of("f"));
    EXPECT_ERRNO(linkat(AT_FDCWD, "f", AT_FDCWD, "f4", 0x10), EINVAL);
}

CASE(link_of_a_descriptor_is_for_who_opened_it)
{
    REQUIRE(chmod(".", 0777) == 0);
    int before = open(".", O_TMPFILE | O_RDWR, 0666);
    become(1000);
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    REQUIRE(before >= 0 && fd >= 0);
    EXPECT_EQ(linkat(fd, "", AT_FDCWD, "n", AT_EMPTY_PATH), 0);
    EXPECT(exists("n"));
    EXPECT_ERRNO(linkat(before, "", AT_FDCWD, "m", AT_EMPTY_PATH), ENOENT);
    EXPECT_ERRNO(linkat(999, "", AT_FDCWD, "m", AT_EMPTY_PATH), EBADF);
}

CASE(rename_replaces_a_file)
{
    make_file("a", "A");
    make_file("b", "B");
    int fd = open("b", O_RDONLY);
    ino_t inode = inode_of("a");
    EXPECT_EQ(rename("a", "b"), 0);
    EXPECT(!exists("a"));
    EXPECT_EQ(inode_of("b"), inode);
    EXPECT_STR(file_text("b"), "A");
    char c;
    EXPECT_EQ(read(fd, &c, 1), 1); // the replaced file lives on in its descriptor
    EXPECT_EQ(c, 'B');
}

CASE(rename_of_directories)
{
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("a/x", 0755) == 0 && mkdir("empty", 0755) == 0 && mkdir("full", 0755) == 0);
    make_file("full/f", "");
    make_file("f", "");
    EXPECT_ERRNO(rename("a", "full"), ENOTEMPTY);
    EXPECT_ERRNO(rename("a", "f"), ENOTDIR);
    EXPECT_ERRNO(rename("f", "a"), EISDIR);
    EXPECT_ERRNO(rename("a", "a/x/y"), EINVAL);
    EXPECT_ERRNO(rename("a/x", "a"), ENOTEMPTY);
    EXPECT_EQ(rename("a", "empty"), 0);
    EXPECT(exists("empty/x"));
    EXPECT_EQ(rename("empty/x", "full/x"), 0);
    EXPECT_EQ(inode_of("full/x/.."), inode_of("full"));
}

CASE(rename_special_cases)
{
    make_file("f", "");
    REQUIRE(link("f", "g") == 0 && symlink("f", "l") == 0 && mkdir("d", 0755) == 0);
    EXPECT_EQ(rename("f", "f"), 0);
    EXPECT_EQ(rename("f", "g"), 0); // two names of one file: nothing happens
    EXPECT(exists("f") && exists("g"));
    EXPECT_EQ(rename("l", "m"), 0);
    struct stat s;
    EXPECT_EQ(lstat("m", &s), 0);
    EXPECT(S_ISLNK(s.st_mode));
    EXPECT_ERRNO(rename("none", "x"), ENOENT);
    EXPECT_ERRNO(rename("d/.", "x"), EBUSY);
    EXPECT_ERRNO(rename("d/..", "x"), EBUSY);
    EXPECT_ERRNO(rename("f", "/proc/f"), EXDEV);
    EXPECT_ERRNO(rename("f", "none/x"), ENOENT);
    EXPECT_ERRNO(rename("f", "new/"), ENOTDIR);
    EXPECT_EQ(rename("d", "e/"), 0);
}

CASE(rename_misses_the_old_name_before_it_minds_the_new)
{
    char longer[300];
    memset(longer, 'n', sizeof longer);
    longer[sizeof longer - 1] = 0;
    EXPECT_ERRNO(rename("none", longer), ENOENT);
    make_file("f", "");
    EXPECT_ERRNO(rename("f", longer), ENAMETOOLONG);
    EXPECT_ERRNO(rename(longer, "g"), ENAMETOOLONG);
}

CASE(rename_noreplace)
{
    make_file("a", "A");
    make_file("b", "B");
    EXPECT_ERRNO(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
    EXPECT_EQ(rename2("a", "c", RENAME_NOREPLACE), 0);
    EXPECT(exists("c") && !exists("a"));
}

CASE(rename_exchange)
{
    make_file("a", "A");
    REQUIRE(mkdir("d", 0755) == 0);
    ino_t file = inode_of("a"), directory = inode_of("d");
    EXPECT_EQ(rename2("a", "d", RENAME_EXCHANGE), 0);
    EXPECT_EQ(inode_of("d"), file);
    EXPECT_EQ(inode_of("a"), directory);
    EXPECT_ERRNO(rename2("a", "none", RENAME_EXCHANGE), ENOENT);
    EXPECT_ERRNO(rename2("a", "d", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
    EXPECT_ERRNO(rename2("a", "d", 0x80), EINVAL);
}

CASE(rename_whiteout_leaves_a_device_0_0)
{
    make_file("a", "A");
    EXPECT_EQ(rename2("a", "b", RENAME_WHITEOUT), 0);
    struct stat s;
    EXPECT_EQ(lstat("a", &s), 0);
    EXPECT(S_ISCHR(s.st_mode));
    EXPECT_EQ(s.st_rdev, 0);
    EXPECT_EQ(s.st_mode & 07777, 0);
    EXPECT_STR(file_text("b"), "A");
    EXPECT_ERRNO(open("a", O_RDONLY), ENXIO);
    EXPECT_ERRNO(rename2("a", "b", RENAME_WHITEOUT | RENAME_NOREPLACE), EEXIST);
    EXPECT_ERRNO(rename2("a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
    EXPECT_EQ(rename2("b", "c", RENAME_WHITEOUT | RENAME_NOREPLACE), 0);
    EXPECT_EQ(rename2("c", "b", RENAME_WHITEOUT), 0); // over a whiteout
    REQUIRE(mkdir("d", 0755) == 0 && mkdir("d/sub", 0755) == 0);
    EXPECT_EQ(rename2("d/sub", "e", RENAME_WHITEOUT), 0);
    EXPECT_EQ(stat("d", &s), 0);
    EXPECT_EQ(s.st_nlink, 2);
    EXPECT_ERRNO(rmdir("d"), ENOTEMPTY);
    EXPECT_EQ(unlink("d/sub"), 0);
    EXPECT_EQ(rmdir("d"), 0);
    EXPECT_EQ(unlink("a"), 0);
    EXPECT_EQ(unlink("c"), 0);
    EXPECT_ERRNO(lstat("a", &s), ENOENT);
}

CASE(whiteouts_can_be_made_by_anyone)
{
    REQUIRE(chmod(".", 0777) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1234) == 0);
        EXPECT_EQ(mknod("w", S_IFCHR | 0600, makedev(0, 0)), 0);
        EXPECT_ERRNO(mknod("n", S_IFCHR | 0600, makedev(1, 3)), EPERM);
        EXPECT_ERRNO(mknod("n", S_IFBLK | 0600, makedev(0, 0)), EPERM);
        make_file("f", "x");
        EXPECT_EQ(rename2("f", "g", RENAME_WHITEOUT), 0);
        EXPECT_EQ(unlink("f"), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(rename_between_directory_descriptors)
{
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
    make_file("a/f", "x");
    int a = open("a", O_RDONLY), b = open("b", O_PATH);
    EXPECT_EQ(renameat(a, "f", b, "g"), 0);
    EXPECT_STR(file_text("b/g"), "x");
    EXPECT_ERRNO(renameat(a, "f", b, "g"), ENOENT);
    EXPECT_ERRNO(renameat(999, "f", b, "g"), EBADF);
    EXPECT_ERRNO(unlinkat(b, "f", 0), ENOENT);
    EXPECT_EQ(unlinkat(b, "g", 0), 0);
    EXPECT_EQ(mkdirat(a, "sub", 0700), 0);
    EXPECT_EQ(symlinkat("target", a, "l"), 0);
    char text[16] = {};
    EXPECT_EQ(readlinkat(a, "l", text, sizeof text), 6);
    EXPECT_EQ(linkat(a, "l", b, "k", 0), 0);
    EXPECT_EQ(faccessat(a, "sub", F_OK, 0), 0);
    EXPECT_EQ(fchmodat(a, "sub", 0500, 0), 0);
    EXPECT_EQ(fchownat(a, "sub", 1, 1, 0), 0);
    EXPECT_EQ(mkfifoat(b, "p", 0600), 0);
}

static void *churn_names(void *arg)
{
    const char *own = arg;
    char other[8];
    for (int i = 0; i < 300; i++) {
        int fd = open(own, O_CREAT | O_EXCL | O_WRONLY, 0600);
        EXPECT(fd >= 0);
        close(fd);
        snprintf(other, sizeof other, "%s2", own);
        EXPECT_EQ(rename(own, other), 0);
        EXPECT_EQ(unlink(other), 0);
    }
    return nullptr;
}

CASE(names_changed_by_four_threads_at_once)
{
    static char *names[] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, churn_names, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], nullptr);
    DIR *dir = opendir(".");
    int left = 0;
    while (readdir(dir))
        left++;
    EXPECT_EQ(left, 2);
    closedir(dir);
}

static void *swap_directories(void *)
{
    for (int i = 0; i < 300; i++) {
        rename("a/x", "b/x");
        rename("b/x", "a/x");
    }
    return nullptr;
}

static void *swap_parents(void *)
{
    for (int i = 0; i < 300; i++) {
        rename("b", "a/x/b");
        rename("a/x/b", "b");
        rename("b/x/b", "b");
    }
    return nullptr;
}

CASE(rename_never_makes_a_loop)
{
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mkdir("a/x", 0755) == 0);
    pthread_t one, two;
    REQUIRE_EQ(pthread_create(&one, nullptr, swap_directories, nullptr), 0);
    REQUIRE_EQ(pthread_create(&two, nullptr, swap_parents, nullptr), 0);
    pthread_join(one, nullptr);
    pthread_join(two, nullptr);
    EXPECT(exists("a") || exists("b")); // both below each other would be lost
}

// Threads for three seconds in three neighbouring folders, each with a folder c: what each of them locks, together, must never close a circle.
enum { NEIGHBOURS = 3, OF_EACH_KIND = 2 };
static int neighbour_fd[NEIGHBOURS], child_fd[NEIGHBOURS];
static int64_t neighbours_end;

static void *exchange_neighbours(void *)
{
    char one[8], two[8];
    for (unsigned i = 0; now_ns() < neighbours_end; i++) {
        snprintf(one, sizeof one, "p/%u", i % NEIGHBOURS);
        snprintf(two, sizeof two, "p/%u", (i + 1 + i / NEIGHBOURS % (NEIGHBOURS - 1)) % NEIGHBOURS);
        EXPECT_EQ(rename2(one, two, RENAME_EXCHANGE), 0);
    }
    return nullptr;
}

static void *try_to_remove_children(void *)
{
    for (unsigned i = 0; now_ns() < neighbours_end; i++)
        EXPECT_ERRNO(unlinkat(neighbour_fd[i % NEIGHBOURS], "c", AT_REMOVEDIR), ENOTEMPTY);
    return nullptr;
}

static void *move_between_levels(void *name)
{
    for (unsigned i = 0; now_ns() < neighbours_end; i++) {
        int low = child_fd[i % NEIGHBOURS], high = neighbour_fd[i / NEIGHBOURS % NEIGHBOURS];
        EXPECT_EQ(renameat(low, name, high, name), 0);
        EXPECT_EQ(renameat(high, name, low, name), 0);
    }
    return nullptr;
}

CASE(rename_of_neighbours_against_removal_and_moves_of_their_children)
{
    static char names[OF_EACH_KIND][4] = {"f", "g"};
    // One of the inner folders is made after the outer ones and two before: where the order is that of addresses, some come each way.
    for (const char *const *path = (const char *const[]){"c1", "c2", "p", "p/0", "p/1", "p/2", "c0", nullptr}; *path; path++)
        REQUIRE(mkdir(*path, 0755) == 0);
    for (int i = 0; i < NEIGHBOURS; i++) {
        char path[16], made[16];
        snprintf(path, sizeof path, "p/%d", i);
        snprintf(made, sizeof made, "c%d", i);
        neighbour_fd[i] = open(path, O_RDONLY | O_DIRECTORY);
        REQUIRE(renameat(AT_FDCWD, made, neighbour_fd[i], "c") == 0);
        child_fd[i] = openat(neighbour_fd[i], "c", O_RDONLY | O_DIRECTORY);
        for (int k = 0; k < OF_EACH_KIND; k++)
            REQUIRE(mknodat(child_fd[i], names[k], S_IFREG | 0600, 0) == 0);
        REQUIRE(mknodat(child_fd[i], "stays", S_IFREG | 0600, 0) == 0);
    }
    neighbours_end = now_ns() + 3'000'000'000;
    void *(*const work[])(void *) = {exchange_neighbours, try_to_remove_children, move_between_levels};
    pthread_t threads[3][OF_EACH_KIND];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < OF_EACH_KIND; k++)
            REQUIRE_EQ(pthread_create(&threads[i][k], nullptr, work[i], names[k]), 0);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < OF_EACH_KIND; k++)
            pthread_join(threads[i][k], nullptr);
    EXPECT(exists("p/0/c/f") && exists("p/1/c/g"));
}

// What was looked up and is not there is remembered, reclaimed, and goes with its folder, all at once.
static int64_t forgetting_end;

static void *forget_names(void *)
{
    while (now_ns() < forgetting_end)
        EXPECT_EQ(write_text("/proc/sys/vm/drop_caches", "2"), 0);
    return nullptr;
}

static void *look_for_missing_names(void *)
{
    struct stat s;
    char path[16];
    for (unsigned i = 0; now_ns() < forgetting_end; i++) {
        snprintf(path, sizeof path, "d/%u", i % 8);
        EXPECT_ERRNO(stat(path, &s), ENOENT);
    }
    return nullptr;
}

CASE(missing_names_are_looked_up_while_their_folder_is_removed)
{
    forgetting_end = now_ns() + 3'000'000'000;
    pthread_t forgets, looks[2];
    REQUIRE_EQ(pthread_create(&forgets, nullptr, forget_names, nullptr), 0);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&looks[i], nullptr, look_for_missing_names, nullptr), 0);
    while (now_ns() < forgetting_end) {
        EXPECT_EQ(mkdir("d", 0755), 0);
        EXPECT_EQ(rmdir("d"), 0);
    }
    pthread_join(forgets, nullptr);
    for (int i = 0; i < 2; i++)
        pthread_join(looks[i], nullptr);
}
