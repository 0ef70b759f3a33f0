// tests/contract/umount.c — what goes along with a mount that is unmounted, and what keeps a file system writable: umount2(2), mount(2).
#include "tests/contract/mount.h"

static int remount_read_only(const char *path)
{
    return mount(nullptr, path, nullptr, MS_REMOUNT | MS_RDONLY, nullptr);
}

CASE(umount_detach_parts_the_mounts_from_each_other)
{
    own_mounts();
    tmpfs_at("a");
    REQUIRE(mkdir("a/b", 0755) == 0);
    tmpfs_at("a/b");
    make_file("a/b/f", "");
    int d = open("a", O_PATH | O_DIRECTORY), inside = open("a/b", O_PATH | O_DIRECTORY);
    EXPECT_EQ(umount2("a", MNT_DETACH), 0);
    EXPECT_ERRNO(faccessat(d, "b/f", F_OK, 0), ENOENT);
    struct stat top, below;
    EXPECT_EQ(fstat(d, &top), 0);
    EXPECT_EQ(fstatat(d, "b", &below, 0), 0);
    EXPECT_EQ(below.st_dev, top.st_dev);
    EXPECT_EQ(faccessat(inside, "f", F_OK, 0), 0); // each lives on for who is in it
    EXPECT_EQ(fstatat(inside, "..", &below, 0), 0);
    EXPECT(below.st_dev != top.st_dev); // but does not lead to the others
}

// A shared tmpfs on a, another with a file f on a/s, and both once more on b.
static void shared_tree(void)
{
    own_mounts();
    tmpfs_at("a");
    REQUIRE(mount(nullptr, "a", nullptr, MS_SHARED, nullptr) == 0 && mkdir("a/s", 0755) == 0);
    tmpfs_at("a/s");
    make_file("a/s/f", "");
    REQUIRE(mount("a", "b", nullptr, MS_BIND | MS_REC, nullptr) == 0);
}

CASE(umount_detach_propagates_for_each_mount_of_the_tree)
{
    shared_tree();
    EXPECT(exists("b/s/f"));
    EXPECT_EQ(umount2("b", MNT_DETACH), 0);
    EXPECT(!exists("b/s"));
    EXPECT(exists("a/s") && !exists("a/s/f"));
}

CASE(umount_detach_spares_what_carries_more_elsewhere)
{
    shared_tree();
    REQUIRE(mount(nullptr, "a/s", nullptr, MS_PRIVATE, nullptr) == 0 && mkdir("a/s/d", 0755) == 0);
    tmpfs_at("a/s/d");
    make_file("a/s/d/g", "");
    EXPECT_EQ(umount2("b", MNT_DETACH), 0);
    EXPECT(!exists("b/s"));
    EXPECT(exists("a/s/f") && exists("a/s/d/g"));
}

CASE(remount_read_only_minds_writers_in_a_detached_mount)
{
    own_mounts();
    tmpfs_at("a");
    REQUIRE(mount("a", "b", nullptr, MS_BIND, nullptr) == 0);
    int fd = open("b/f", O_CREAT | O_WRONLY, 0600);
    REQUIRE(fd >= 0);
    EXPECT_EQ(umount2("b", MNT_DETACH), 0);
    EXPECT_ERRNO(remount_read_only("a"), EBUSY);
    EXPECT_EQ(write(fd, "x", 1), 1);
    close(fd);
    EXPECT_EQ(remount_read_only("a"), 0);
}

CASE(remount_read_only_minds_files_without_a_name)
{
    own_mounts();
    tmpfs_at("a");
    make_file("a/f", "");
    make_file("a/g", "");
    make_file("a/h", "");
    REQUIRE(mkdir("a/d", 0755) == 0);
    int f = open("a/f", O_RDONLY), g = open("a/g", O_RDONLY), d = open("a/d", O_RDONLY);
    EXPECT_EQ(unlink("a/f"), 0);
    EXPECT_ERRNO(remount_read_only("a"), EBUSY); // it is yet to be freed
    close(f);
    EXPECT_EQ(rename("a/h", "a/g"), 0);
    EXPECT_ERRNO(remount_read_only("a"), EBUSY);
    close(g);
    EXPECT_EQ(rmdir("a/d"), 0);
    EXPECT_ERRNO(remount_read_only("a"), EBUSY);
    close(d);
    EXPECT_EQ(remount_read_only("a"), 0);
}

CASE(remount_read_only_is_possible_once_a_nameless_file_is_linked)
{
    own_mounts();
    tmpfs_at("a");
    int writer = open("a", O_TMPFILE | O_RDWR, 0600);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", writer);
    int reader = open(path, O_RDONLY);
    REQUIRE(writer >= 0 && reader >= 0);
    EXPECT_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "a/f", AT_SYMLINK_FOLLOW), 0);
    close(writer);
    EXPECT_EQ(remount_read_only("a"), 0);
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_REMOUNT, nullptr), 0);
    EXPECT_EQ(unlink("a/f"), 0);
    EXPECT_ERRNO(remount_read_only("a"), EBUSY);
    close(reader);
    EXPECT_EQ(remount_read_only("a"), 0);
}
