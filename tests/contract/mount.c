// tests/contract/mount.c — mount(2), umount2(2), pivot_root(2): binds, moves, remounts, propagation, what keeps a mount busy.
#include "tests/contract/mount.h"

#include <sched.h>
#include <stdatomic.h>

CASE(mount_covers_and_umount_uncovers)
{
    own_mounts();
    make_file("a/below", "");
    tmpfs_at("a");
    EXPECT(!exists("a/below"));
    make_file("a/above", "");
    EXPECT_EQ(umount("a"), 0);
    EXPECT(exists("a/below"));
    EXPECT(!exists("a/above"));
    EXPECT_ERRNO(umount("a"), EINVAL); // not a mount
}

CASE(mount_namespace_is_private)
{
    IN_CHILD(child)
    {
        own_mounts();
        tmpfs_at("a");
        make_file("a/f", "");
    }
    EXPECT_EXITED(child, 0);
    EXPECT(exists("a"));
    EXPECT(!exists("a/f"));
}

CASE(mount_bind_shows_the_same_files)
{
    own_mounts();
    make_file("a/f", "one");
    EXPECT_EQ(mount("a", "b", nullptr, MS_BIND, nullptr), 0);
    EXPECT_STR(file_text("b/f"), "one");
    make_file("b/g", "two");
    EXPECT_STR(file_text("a/g"), "two");
    EXPECT_ERRNO(rename("a/f", "b/h"), EXDEV); // across mounts, though one file system
    EXPECT_ERRNO(link("a/f", "b/h"), EXDEV);
    EXPECT_ERRNO(rmdir("b"), EBUSY);
    EXPECT_EQ(umount("b"), 0);
    EXPECT(!exists("b/f"));
}

CASE(mount_bind_of_a_file)
{
    own_mounts();
    make_file("f", "one");
    make_file("g", "two");
    EXPECT_EQ(mount("f", "g", nullptr, MS_BIND, nullptr), 0);
    EXPECT_STR(file_text("g"), "one");
    EXPECT_ERRNO(unlink("g"), EBUSY);
    EXPECT_ERRNO(mount("a", "g", nullptr, MS_BIND, nullptr), ENOTDIR);
    EXPECT_EQ(umount("g"), 0);
    EXPECT_STR(file_text("g"), "two");
}

CASE(mount_bind_recursive)
{
    own_mounts();
    REQUIRE(mkdir("a/sub", 0755) == 0);
    tmpfs_at("a/sub");
    make_file("a/sub/f", "");
    EXPECT_EQ(mount("a", "b", nullptr, MS_BIND, nullptr), 0);
    EXPECT(!exists("b/sub/f"));
    EXPECT_EQ(umount("b"), 0);
    EXPECT_EQ(mount("a", "b", nullptr, MS_BIND | MS_REC, nullptr), 0);
    EXPECT(exists("b/sub/f"));
    EXPECT_ERRNO(umount("b"), EBUSY); // a mount is on it
    EXPECT_EQ(umount2("b", MNT_DETACH), 0);
    EXPECT(!exists("b/sub"));
}

CASE(mount_move)
{
    own_mounts();
    tmpfs_at("a");
    make_file("a/f", "x");
    EXPECT_EQ(mount("a", "b", nullptr, MS_MOVE, nullptr), 0);
    EXPECT(!exists("a/f"));
    EXPECT_STR(file_text("b/f"), "x");
    REQUIRE(mkdir("b/in", 0755) == 0);
    EXPECT_ERRNO(mount("b", "b/in", nullptr, MS_MOVE, nullptr), ELOOP);
    EXPECT_ERRNO(mount("a", "b", nullptr, MS_MOVE, nullptr), EINVAL); // not a mount
}

CASE(mount_read_only)
{
    own_mounts();
    tmpfs_at("a");
    make_file("a/f", "x");
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    EXPECT_ERRNO(open("a/f", O_WRONLY), EROFS);
    EXPECT_ERRNO(open("a/new", O_CREAT | O_WRONLY, 0600), EROFS);
    EXPECT_ERRNO(mkdir("a/d", 0755), EROFS);
    EXPECT_ERRNO(unlink("a/f"), EROFS);
    EXPECT_ERRNO(chmod("a/f", 0600), EROFS);
    EXPECT_ERRNO(truncate("a/f", 0), EROFS);
    EXPECT_ERRNO(access("a/f", W_OK), EROFS);
    EXPECT_STR(file_text("a/f"), "x");
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_REMOUNT, nullptr), 0);
    make_file("a/f", "y");
}

CASE(mount_read_only_remount_with_a_writer_is_ebusy)
{
    own_mounts();
    tmpfs_at("a");
    int fd = open("a/f", O_CREAT | O_WRONLY, 0600);
    EXPECT_ERRNO(mount(nullptr, "a", nullptr, MS_REMOUNT | MS_RDONLY, nullptr), EBUSY);
    close(fd);
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
}

CASE(mount_refused_remount_changes_nothing)
{
    own_mounts();
    REQUIRE(mount("test", "a", "tmpfs", 0, "size=64k") == 0);
    char data[4 * PAGE] = {1};
    int fd = open("a/f", O_CREAT | O_WRONLY, 0600);
    EXPECT_EQ(write(fd, data, sizeof data), sizeof data);
    close(fd);
    EXPECT_ERRNO(mount(nullptr, "a", nullptr, MS_REMOUNT | MS_RDONLY, "size=4k"), EINVAL); // it holds more
    make_file("a/g", "still writable");
    EXPECT(strstr(file_text("/proc/self/mountinfo"), " - tmpfs test rw,size=64k"));
}

CASE(mount_bind_can_be_read_only_alone)
{
    own_mounts();
    EXPECT_EQ(mount("a", "b", nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(mount(nullptr, "b", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
    EXPECT_ERRNO(open("b/f", O_CREAT | O_WRONLY, 0600), EROFS);
    make_file("a/f", "x");
    EXPECT_STR(file_text("b/f"), "x");
}

CASE(mount_nodev_noexec_nosuid)
{
    own_mounts();
    REQUIRE(mount("test", "a", "tmpfs", MS_NODEV | MS_NOEXEC, nullptr) == 0);
    REQUIRE(mknod("a/null", S_IFCHR | 0666, 1 << 8 | 3) == 0);
    EXPECT_ERRNO(open("a/null", O_RDWR), EACCES);
    make_file("a/x", "#!/bin/sh\n");
    chmod("a/x", 0755);
    EXPECT_ERRNO(execl("a/x", "a/x", nullptr), EACCES);
    EXPECT_ERRNO(access("a/x", X_OK), EACCES);
    int fd = open("a/x", O_RDONLY);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), EPERM);
}

CASE(umount_busy_and_detach)
{
    own_mounts();
    tmpfs_at("a");
    int fd = open("a/f", O_CREAT | O_RDWR, 0600);
    EXPECT_ERRNO(umount("a"), EBUSY);
    EXPECT_EQ(umount2("a", MNT_DETACH), 0);
    EXPECT(!exists("a/f"));
    EXPECT_EQ(write(fd, "x", 1), 1); // lives on for its user
    tmpfs_at("a");
    EXPECT_EQ(chdir("a"), 0);
    EXPECT_ERRNO(umount("../a"), EBUSY);
    EXPECT_EQ(chdir(".."), 0);
    EXPECT_EQ(umount("a"), 0);
}

CASE(umount_flags)
{
    own_mounts();
    EXPECT_ERRNO(umount2("a", 0x100), EINVAL);
    EXPECT_ERRNO(umount2("none", 0), ENOENT);
    tmpfs_at("a");
    REQUIRE(symlink("a", "l") == 0);
    EXPECT_ERRNO(umount2("l", UMOUNT_NOFOLLOW), EINVAL);
    EXPECT_ERRNO(umount2("a", MNT_EXPIRE), EAGAIN);
    EXPECT_EQ(umount2("a", MNT_EXPIRE), 0); // unused since
}

CASE(umount_expires_what_nobody_used_meanwhile)
{
    own_mounts();
    tmpfs_at("a");
    EXPECT_ERRNO(umount2("a", MNT_EXPIRE), EAGAIN);
    make_file("a/f", "");
    EXPECT_ERRNO(umount2("a", MNT_EXPIRE), EAGAIN); // it was used
    int fd = open("a/f", O_RDONLY);
    EXPECT_ERRNO(umount2("a", MNT_EXPIRE), EBUSY);
    close(fd);
    EXPECT_ERRNO(umount2("a", MNT_EXPIRE), EAGAIN);
    EXPECT_ERRNO(umount2("a", MNT_EXPIRE | MNT_DETACH), EINVAL);
    EXPECT_EQ(umount2("a", MNT_EXPIRE), 0);
}

static atomic_int arrived;
static bool opener_got, opener_stops;

// Both threads leave it together, nearer than a wake-up would bring them.
static void meet(void)
{
    int goal = (atomic_fetch_add(&arrived, 1) + 2) / 2 * 2;
    while (atomic_load(&arrived) < goal)
        sched_yield();
}

static void *open_in_mount(void *)
{
    for (unsigned i = 0;; i++) {
        meet();
        if (opener_stops)
            return nullptr;
        for (volatile unsigned k = i % 256; k; k--)
            ;
        int fd = open("a/f", O_RDONLY);
        opener_got = fd >= 0; // there is no such file below the mount
        meet();
        meet();
        if (fd >= 0)
            close(fd);
    }
}

CASE(umount_and_open_exclude_each_other)
{
    own_mounts();
    pthread_t opener;
    REQUIRE(pthread_create(&opener, nullptr, open_in_mount, nullptr) == 0);
    bool mounted = false;
    int busy = 0, gone = 0;
    int64_t end = now_ns() + 3'000'000'000;
    while (now_ns() < end || ((!busy || !gone) && now_ns() < end + 15'000'000'000)) {
        if (!mounted) {
            tmpfs_at("a");
            make_file("a/f", "");
        }
        meet();
        mounted = umount("a") != 0;
        meet();
        EXPECT(mounted || !opener_got); // either it was busy, or it was gone
        busy += opener_got;
        gone += !mounted;
        meet();
    }
    opener_stops = true;
    meet();
    pthread_join(opener, nullptr);
    note("%d times busy, %d times gone", busy, gone);
    EXPECT(busy > 0 && gone > 0);
}

static atomic_bool forgetting_ends;

static void *forget_names(void *)
{
    while (!atomic_load(&forgetting_ends))
        EXPECT_EQ(write_text("/proc/sys/vm/drop_caches", "2"), 0);
    return nullptr;
}

CASE(umount_while_its_names_are_reclaimed)
{
    own_mounts();
    pthread_t forgets;
    REQUIRE(pthread_create(&forgets, nullptr, forget_names, nullptr) == 0);
    for (int64_t end = now_ns() + 3'000'000'000; now_ns() < end;) {
        tmpfs_at("a");
        REQUIRE(mkdir("a/d", 0755) == 0);
        for (int i = 0; i < 40; i++) {
            char path[16];
            snprintf(path, sizeof path, i % 2 ? "a/d/%d" : "a/%d", i);
            EXPECT(!exists(path)); // which is remembered
        }
        EXPECT_EQ(umount("a"), 0);
    }
    atomic_store(&forgetting_ends, true);
    pthread_join(forgets, nullptr);
}

CASE(mount_errors)
{
    own_mounts();
    EXPECT_ERRNO(mount("x", "none", "tmpfs", 0, nullptr), ENOENT);
    EXPECT_ERRNO(mount("x", "a", "unknownfs", 0, nullptr), ENODEV);
    EXPECT_ERRNO(mount("x", "a", nullptr, 0, nullptr), EINVAL);
    make_file("f", "");
    EXPECT_ERRNO(mount("x", "f", "tmpfs", 0, nullptr), ENOTDIR);
    EXPECT_ERRNO(mount("none", "a", nullptr, MS_BIND, nullptr), ENOENT);
    EXPECT_ERRNO(mount(nullptr, "a", nullptr, MS_REMOUNT, nullptr), EINVAL); // not a mount
    EXPECT_ERRNO(mount((void *)8, "a", "tmpfs", 0, nullptr), EFAULT);
    EXPECT_ERRNO(mount(nullptr, "a", nullptr, MS_PRIVATE | MS_SHARED, nullptr), EINVAL);
    IN_CHILD(child)
    {
        setuid(1000);
        EXPECT_ERRNO(mount("x", "a", "tmpfs", 0, nullptr), EPERM);
        EXPECT_ERRNO(umount("/proc"), EPERM);
        EXPECT_ERRNO(unshare(CLONE_NEWNS), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(mount_shared_propagates_and_slave_receives)
{
    own_mounts();
    tmpfs_at("a");
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_SHARED, nullptr), 0);
    REQUIRE(mkdir("a/m", 0755) == 0);
    EXPECT_EQ(mount("a", "b", nullptr, MS_BIND, nullptr), 0);
    tmpfs_at("a/m");
    make_file("a/m/f", "");
    EXPECT(exists("b/m/f"));
    EXPECT_EQ(umount("b/m"), 0);
    EXPECT(!exists("a/m/f"));
    EXPECT_EQ(mount(nullptr, "b", nullptr, MS_SLAVE, nullptr), 0);
    tmpfs_at("a/m");
    make_file("a/m/f", "");
    EXPECT(exists("b/m/f"));
    EXPECT_EQ(umount("a/m"), 0);
    EXPECT(!exists("b/m/f"));
    tmpfs_at("b/m");
    make_file("b/m/g", "");
    EXPECT(!exists("a/m/g")); // nothing goes back
}

CASE(mount_bind_into_itself_is_not_its_own_receiver)
{
    own_mounts();
    tmpfs_at("a");
    REQUIRE(mount(nullptr, "a", nullptr, MS_SHARED, nullptr) == 0);
    REQUIRE(mkdir("a/m", 0755) == 0 && mkdir("a/m/below", 0755) == 0);
    EXPECT_EQ(mount("a", "a/m", nullptr, MS_BIND, nullptr), 0); // a peer of what it is mounted in
    EXPECT(exists("a/m/m/below"));
    EXPECT_EQ(umount("a/m"), 0);
    EXPECT(exists("a/m/below"));
    REQUIRE(mkdir("a/n", 0755) == 0);
    tmpfs_at("a/n");
    EXPECT_EQ(mount("a", "a/m", nullptr, MS_BIND | MS_REC, nullptr), 0);
    make_file("a/n/f", "");
    EXPECT(exists("a/m/n/f"));
    EXPECT_EQ(umount("a/m/n"), 0);
    EXPECT(!exists("a/n/f")); // peers lose it together
    EXPECT_EQ(umount("a/m"), 0);
    EXPECT_EQ(umount("a"), 0);
}

CASE(mount_that_moves_below_a_peer_of_its_own_gets_a_copy_too)
{
    own_mounts();
    REQUIRE(mkdir("c", 0755) == 0);
    tmpfs_at("a");
    REQUIRE(mount(nullptr, "a", nullptr, MS_SHARED, nullptr) == 0);
    REQUIRE(mkdir("a/x", 0755) == 0 && mkdir("a/y", 0755) == 0);
    REQUIRE(mount("a", "b", nullptr, MS_BIND, nullptr) == 0 && mount("a", "c", nullptr, MS_BIND, nullptr) == 0);
    EXPECT_EQ(mount("b", "a/x", nullptr, MS_MOVE, nullptr), 0);
    EXPECT(!exists("b/x"));
    EXPECT(exists("a/x/y") && exists("a/x/x/y") && exists("c/x/y"));
    tmpfs_at("a/x/y"); // all of them are peers
    make_file("a/x/y/f", "");
    EXPECT(exists("a/y/f") && exists("c/y/f") && exists("c/x/y/f"));
}

CASE(mount_that_moves_below_its_master_gets_a_copy_too)
{
    own_mounts();
    REQUIRE(mkdir("c", 0755) == 0);
    tmpfs_at("a");
    REQUIRE(mount(nullptr, "a", nullptr, MS_SHARED, nullptr) == 0);
    REQUIRE(mkdir("a/x", 0755) == 0 && mkdir("a/y", 0755) == 0);
    REQUIRE(mount("a", "b", nullptr, MS_BIND, nullptr) == 0 && mount("a", "c", nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(mount(nullptr, "b", nullptr, MS_SLAVE, nullptr) == 0);
    tmpfs_at("b/y"); // the slave's own
    make_file("b/y/f", "");
    EXPECT_EQ(mount("b", "a/x", nullptr, MS_MOVE, nullptr), 0);
    EXPECT(exists("a/x/y/f") && exists("a/x/x/y/f") && exists("c/x/y/f"));
    EXPECT(!exists("a/y/f") && !exists("c/y/f"));
}

CASE(mount_copies_are_forgotten_when_they_are_gone)
{
    own_mounts();
    tmpfs_at("a");
    REQUIRE(chdir("a") == 0);
    make_file("f", "here");
    EXPECT_EQ(mount("../a", "../b", nullptr, MS_BIND | MS_REC, nullptr), 0);
    EXPECT_EQ(umount2("../b", MNT_DETACH), 0);
    EXPECT_EQ(unshare(CLONE_NEWNS), 0); // the working directory moves to the copy of /a in the new namespace
    EXPECT_STR(file_text("f"), "here");
    EXPECT_ERRNO(umount("../a"), EBUSY);
    EXPECT_EQ(mount("../a", "../b", nullptr, MS_BIND | MS_REC, nullptr), 0);
    EXPECT_EQ(umount2("../a", MNT_DETACH), 0);
    EXPECT_STR(file_text("f"), "here"); // the working directory is in no namespace now
    REQUIRE(chdir("/") == 0);
}

CASE(mount_place_in_a_detached_tree_stays_there)
{
    own_mounts();
    tmpfs_at("a");
    char base[PATH_MAX], b[PATH_MAX + 8];
    REQUIRE(getcwd(base, sizeof base));
    snprintf(b, sizeof b, "%s/b", base);
    REQUIRE(chdir("a") == 0);
    make_file("f", "here");
    EXPECT_EQ(mount(".", b, nullptr, MS_BIND | MS_REC, nullptr), 0);
    EXPECT_EQ(umount2("../a", MNT_DETACH), 0);
    EXPECT_EQ(umount(b), 0);
    for (int i = 0; i < 8; i++) { // what the copy was is memory of something else by now
        EXPECT_EQ(mount("filler", b, "tmpfs", 0, nullptr), 0);
        make_file("f", "here");
    }
    EXPECT_EQ(unshare(CLONE_NEWNS), 0);
    EXPECT_STR(file_text("f"), "here");
    for (int i = 0; i < 8; i++)
        EXPECT_EQ(umount(b), 0);
}

CASE(mount_unbindable_cannot_be_bound)
{
    own_mounts();
    tmpfs_at("a");
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_UNBINDABLE, nullptr), 0);
    EXPECT_ERRNO(mount("a", "b", nullptr, MS_BIND, nullptr), EINVAL);
}

CASE(mount_dot_dot_leaves_the_mount)
{
    own_mounts();
    tmpfs_at("a");
    struct stat here, up;
    EXPECT_EQ(stat(".", &here), 0);
    EXPECT_EQ(stat("a/..", &up), 0);
    EXPECT_EQ(here.st_ino, up.st_ino);
    EXPECT_EQ(here.st_dev, up.st_dev);
    EXPECT_EQ(stat("a", &up), 0);
    EXPECT(here.st_dev != up.st_dev);
}

CASE(mount_stacks_on_one_point)
{
    own_mounts();
    tmpfs_at("a");
    make_file("a/1", "");
    tmpfs_at("a");
    make_file("a/2", "");
    EXPECT(!exists("a/1"));
    EXPECT_EQ(umount("a"), 0);
    EXPECT(exists("a/1") && !exists("a/2"));
}

CASE(mount_flags_of_the_file_system_are_kept_and_shown)
{
    own_mounts();
    EXPECT_EQ(mount("flagged", "a", "tmpfs", MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME, nullptr), 0);
    EXPECT(strstr(file_text("/proc/self/mountinfo"), " - tmpfs flagged rw,sync,dirsync,lazytime"));
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_REMOUNT, nullptr), 0); // directories stay so
    EXPECT(strstr(file_text("/proc/self/mountinfo"), " - tmpfs flagged rw,dirsync,"));
}

CASE(mount_is_listed_in_mountinfo)
{
    own_mounts();
    REQUIRE(mount("my source", "a", "tmpfs", MS_NOSUID | MS_RDONLY, nullptr) == 0);
    const char *text = file_text("/proc/self/mountinfo");
    const char *line = strstr(text, "/a ro,nosuid,relatime");
    REQUIRE(line);
    EXPECT(strstr(line, " - tmpfs my\\040source ro"));
    EXPECT(strstr(file_text("/proc/self/mounts"), "my\\040source "));
    EXPECT_EQ(umount("a"), 0);
    EXPECT(!strstr(file_text("/proc/self/mounts"), "my\\040source "));
}

CASE(pivot_root_changes_the_root)
{
    IN_CHILD(child)
    {
        own_mounts();
        tmpfs_at("a");
        REQUIRE(mkdir("a/old", 0755) == 0 && mkdir("a/new", 0755) == 0);
        REQUIRE(chdir("a") == 0 && chroot(".") == 0);
        tmpfs_at("new");
        make_file("new/inside", "yes");
        REQUIRE(mkdir("new/old", 0755) == 0);
        EXPECT_ERRNO(syscall(SYS_pivot_root, "new", "old"), EBUSY); // old is in the present root's mount
        REQUIRE(syscall(SYS_pivot_root, "new", "new/old") == 0);
        REQUIRE(chdir("/") == 0);
        EXPECT_STR(file_text("/inside"), "yes");
        EXPECT(exists("/old/new"));
        EXPECT_EQ(umount2("/old", MNT_DETACH), 0);
        EXPECT(!exists("/old/new"));
    }
    EXPECT_EXITED(child, 0);
}

// In a root of the case's own, a tmpfs with the folders old and new; another tmpfs on new, with a folder old.
static void root_to_pivot(void)
{
    own_mounts();
    tmpfs_at("a");
    REQUIRE(mkdir("a/old", 0755) == 0 && mkdir("a/new", 0755) == 0);
    REQUIRE(chdir("a") == 0 && chroot(".") == 0);
    tmpfs_at("new");
    REQUIRE(mkdir("new/old", 0755) == 0);
}

CASE(pivot_root_wants_the_new_root_below_the_old)
{
    IN_CHILD(child)
    {
        own_mounts();
        tmpfs_at("a");
        REQUIRE(mkdir("a/in", 0755) == 0 && mkdir("a/x", 0755) == 0);
        tmpfs_at("a/in");
        REQUIRE(chdir("a") == 0 && chroot("in") == 0);
        EXPECT_ERRNO(syscall(SYS_pivot_root, ".", "x"), EINVAL);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pivot_root_minds_where_the_old_root_would_propagate)
{
    IN_CHILD(child)
    {
        root_to_pivot();
        REQUIRE(mount(nullptr, "new", nullptr, MS_SHARED, nullptr) == 0);
        EXPECT_ERRNO(syscall(SYS_pivot_root, "new", "new/old"), EINVAL); // the old root would be mounted in a shared mount
        tmpfs_at("new/old");
        EXPECT_ERRNO(syscall(SYS_pivot_root, "new", "new/old"), EINVAL);
        REQUIRE(mount(nullptr, "new/old", nullptr, MS_PRIVATE, nullptr) == 0);
        EXPECT_EQ(syscall(SYS_pivot_root, "new", "new/old"), 0); // that the new root is shared does not matter
        EXPECT(exists("/old/new"));
    }
    EXPECT_EXITED(child, 0);
}

CASE(pivot_root_looks_for_shared_mounts_first)
{
    IN_CHILD(child)
    {
        root_to_pivot();
        EXPECT_ERRNO(syscall(SYS_pivot_root, "/", "/"), EBUSY);
        REQUIRE(mount(nullptr, "/", nullptr, MS_SHARED, nullptr) == 0);
        EXPECT_ERRNO(syscall(SYS_pivot_root, "/", "/"), EINVAL);
        EXPECT_ERRNO(syscall(SYS_pivot_root, "new", "old"), EINVAL);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pivot_root_refuses_a_removed_place)
{
    IN_CHILD(child)
    {
        root_to_pivot();
        REQUIRE(mkdir("new/gone", 0755) == 0 && chdir("new/gone") == 0 && rmdir("/new/gone") == 0);
        EXPECT_ERRNO(syscall(SYS_pivot_root, "/new", "."), ENOENT);
        EXPECT_EQ(syscall(SYS_pivot_root, "/new", "/new/old"), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setns_enters_a_mount_namespace)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    int outside = open("/proc/self/ns/mnt", O_RDONLY);
    own_mounts();
    tmpfs_at("a");
    make_file("a/f", "");
    char folder[PATH_MAX];
    REQUIRE(getcwd(folder, sizeof folder));
    IN_CHILD(child)
    {
        REQUIRE(setns(outside, CLONE_NEWNS) == 0);
        char path[PATH_MAX];
        EXPECT(getcwd(path, sizeof path));
        EXPECT_STR(path, "/");
        EXPECT_EQ(chdir(folder), 0);
        EXPECT(!exists("a/f"));
        EXPECT_ERRNO(setns(outside, CLONE_NEWUTS), EINVAL);
        EXPECT_ERRNO(setns(fds[0], 0), EINVAL);
    }
    EXPECT_EXITED(child, 0);
    EXPECT(exists("a/f"));
}

// A child in a mount namespace of its own that mounts a tmpfs on each of the places, writes a file into it, and answers on `out` whenever a byte comes on
// `in`: '1' as long as it sees that file.
static pid_t mounter(const char *const places[], int in[2], int out[2])
{
    REQUIRE(pipe(in) == 0 && pipe(out) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child)
        return child;
    own_mount_namespace();
    for (int i = 0; places[i]; i++) {
        struct stat s;
        REQUIRE(stat(places[i], &s) == 0);
        if (S_ISDIR(s.st_mode))
            tmpfs_at(places[i]);
        else
            REQUIRE(mount("source", places[i], nullptr, MS_BIND, nullptr) == 0);
    }
    char c;
    close(in[1]);
    write_byte(out[1]);
    while (read(in[0], &c, 1) == 1) {
        FILE *mounts = fopen("/proc/self/mounts", "r");
        char line[512];
        int n = 0;
        while (fgets(line, sizeof line, mounts))
            for (int i = 0; places[i]; i++)
                n += strstr(line, places[i]) != nullptr;
        fclose(mounts);
        c = (char)('0' + n);
        REQUIRE(write(out[1], &c, 1) == 1);
    }
    _exit(0);
}

static int mounts_seen(int in[2], int out[2])
{
    char c;
    write_byte(in[1]);
    REQUIRE(read(out[0], &c, 1) == 1);
    return c - '0';
}

CASE(mount_point_elsewhere_can_be_removed)
{
    static const char *const places[] = {"place-dir", "place-file", "place-old", nullptr};
    int in[2], out[2];
    char c;
    make_file("source", "s");
    REQUIRE(mkdir("place-dir", 0755) == 0 && mkdir("place-old", 0755) == 0 && mkdir("new", 0755) == 0);
    make_file("place-file", "f");
    pid_t child = mounter(places, in, out);
    REQUIRE(read(out[0], &c, 1) == 1);
    EXPECT_EQ(mounts_seen(in, out), 3);
    EXPECT_EQ(rmdir("place-dir"), 0);
    EXPECT_EQ(mounts_seen(in, out), 2);
    EXPECT_EQ(unlink("place-file"), 0);
    EXPECT_EQ(mounts_seen(in, out), 1);
    EXPECT_EQ(rename("new", "place-old"), 0); // replaces the mount point
    EXPECT_EQ(mounts_seen(in, out), 0);
    close(in[1]);
    EXPECT_EXITED(child, 0);
}

CASE(mount_point_elsewhere_can_be_renamed_with_its_mounts)
{
    static const char *const places[] = {"place-a", nullptr};
    int in[2], out[2];
    char c;
    REQUIRE(mkdir("place-a", 0755) == 0);
    pid_t child = mounter(places, in, out);
    REQUIRE(read(out[0], &c, 1) == 1);
    EXPECT_EQ(rename("place-a", "place-abc"), 0);
    EXPECT_EQ(mounts_seen(in, out), 1); // it went along, under the new name
    EXPECT_EQ(rmdir("place-abc"), 0);
    EXPECT_EQ(mounts_seen(in, out), 0);
    close(in[1]);
    EXPECT_EXITED(child, 0);
}

CASE(mount_point_renamed_to_itself_stays_one)
{
    own_mounts();
    tmpfs_at("a");
    make_file("a/above", "");
    make_file("one", "below");
    make_file("other", "over");
    REQUIRE(link("one", "two") == 0 && mount("other", "two", nullptr, MS_BIND, nullptr) == 0);
    IN_CHILD(child)
    {
        EXPECT_EQ(rename("a", "a"), 0);
        EXPECT_EQ(rename("one", "two"), 0); // two names of one file: nothing is done
        EXPECT_EQ(rename("two", "two"), 0);
        REQUIRE(setuid(65534) == 0);
        EXPECT_EQ(rename("/proc", "/proc"), 0); // anybody may ask for nothing
    }
    EXPECT_EXITED(child, 0);
    EXPECT(exists("a/above") && exists("one") && exists("/proc/self"));
    EXPECT_STR(file_text("two"), "over");
}

CASE(mounts_in_one_another_go_at_once)
{
    own_mounts();
    struct stat outside, s;
    int home = open(".", O_PATH | O_DIRECTORY);
    REQUIRE(home >= 0 && stat(".", &outside) == 0);
    for (int depth = 0; depth < 400; depth++)
        REQUIRE(mkdir("d", 0755) == 0 && mount("deep", "d", "tmpfs", 0, "size=64k") == 0 && chdir("d") == 0);
    REQUIRE(fchdir(home) == 0);
    EXPECT_EQ(umount2("d", MNT_DETACH), 0);
    EXPECT(!exists("d/d"));
    EXPECT(!strstr(file_text("/proc/self/mountinfo"), "deep"));
    EXPECT(stat(".", &s) == 0 && s.st_ino == outside.st_ino);
}

CASE(mount_point_of_the_own_namespace_is_busy)
{
    own_mounts();
    tmpfs_at("a");
    EXPECT_ERRNO(rmdir("a"), EBUSY);
    EXPECT_ERRNO(rename("a", "c"), EBUSY);
    EXPECT_ERRNO(rename("b", "a"), EBUSY);
    make_file("f", "");
    make_file("g", "");
    EXPECT_EQ(mount("g", "f", nullptr, MS_BIND, nullptr), 0);
    EXPECT_ERRNO(unlink("f"), EBUSY);
    EXPECT_EQ(unlink("g"), 0); // only what is mounted on counts
    EXPECT_EQ(umount("f"), 0);
    EXPECT_EQ(unlink("f"), 0);
}

CASE(mount_and_rmdir_race_between_namespaces)
{
    IN_CHILD(mounting)
    {
        own_mount_namespace();
        for (int i = 0; i < 400; i++) {
            if (mount("t", "d", "tmpfs", 0, nullptr) == 0) {
                int fd = open("d/f", O_CREAT | O_WRONLY, 0600); // in the mount, or in a folder made anew
                if (fd >= 0)
                    close(fd);
                (void)umount2("d", MNT_DETACH);
            }
        }
    }
    for (int i = 0; i < 400; i++) {
        (void)mkdir("d", 0755);
        (void)unlink("d/f");
        (void)rmdir("d");
    }
    EXPECT_EXITED(mounting, 0);
    (void)unlink("d/f");
    EXPECT(rmdir("d") == 0 || errno == ENOENT);
}

static pthread_barrier_t all_there, root_moved;

static void *stay(void *)
{
    pthread_barrier_wait(&all_there);
    pthread_barrier_wait(&root_moved);
    return nullptr;
}

static void *look_from_own_root(void *)
{
    REQUIRE(unshare(CLONE_FS) == 0);
    REQUIRE(chdir("/") == 0);
    pthread_barrier_wait(&all_there);
    pthread_barrier_wait(&root_moved);
    EXPECT_EQ(access("/marker", F_OK), 0);
    EXPECT_EQ(access("marker", F_OK), 0);
    return nullptr;
}

CASE(pivot_root_moves_every_thread)
{
    enum { THREADS = 40 };
    pthread_t threads[THREADS];
    root_to_pivot();
    make_file("new/marker", "");
    pthread_barrier_init(&all_there, nullptr, THREADS + 1);
    pthread_barrier_init(&root_moved, nullptr, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, i < 10 ? stay : look_from_own_root, nullptr), 0);
    pthread_barrier_wait(&all_there);
    EXPECT_EQ(syscall(SYS_pivot_root, "new", "new/old"), 0);
    pthread_barrier_wait(&root_moved);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], nullptr);
}
