// tests/contract/mount_namespace.c — mount namespaces, and namespaces that a bind mount keeps: mount_namespaces(7), namespaces(7).
#include "tests/contract/namespace.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

CASE(mount_namespace_hides_mounts_from_others)
{
    mkdir("m", 0755);
    int fds[2], back[2];
    REQUIRE(pipe(fds) == 0 && pipe(back) == 0);
    IN_CHILD(child)
    {
        own_mount_namespace();
        REQUIRE(mount("t", "m", "tmpfs", 0, nullptr) == 0);
        make_file("m/inside", "x");
        write(fds[1], "r", 1);
        char c;
        read(back[0], &c, 1);
        EXPECT_EQ(access("m/inside", F_OK), 0);
    }
    char c;
    REQUIRE(read(fds[0], &c, 1) == 1);
    EXPECT_ERRNO(access("m/inside", F_OK), ENOENT);
    char cwd[256], path[300];
    REQUIRE(getcwd(cwd, sizeof cwd));
    snprintf(path, sizeof path, "/proc/%d/root%s/m/inside", child, cwd);
    EXPECT_EQ(access(path, F_OK), 0); // through its own root it is there
    write(back[1], "x", 1);
    EXPECT_EXITED(child, 0);
}

CASE(mount_namespace_shared_mounts_pass_events)
{
    own_mount_namespace();
    mkdir("m", 0755);
    REQUIRE(mount("t", "m", "tmpfs", 0, nullptr) == 0);
    REQUIRE(mount(nullptr, "m", nullptr, MS_SHARED, nullptr) == 0);
    mkdir("m/sub", 0755);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWNS) == 0);
        REQUIRE(mount("u", "m/sub", "tmpfs", 0, nullptr) == 0);
        make_file("m/sub/f", "x");
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(access("m/sub/f", F_OK), 0); // it came here too
    IN_CHILD(slave)
    {
        REQUIRE(unshare(CLONE_NEWNS) == 0);
        REQUIRE(mount(nullptr, "m", nullptr, MS_SLAVE, nullptr) == 0);
        REQUIRE(umount("m/sub") == 0);
    }
    EXPECT_EXITED(slave, 0);
    EXPECT_EQ(access("m/sub/f", F_OK), 0); // a slave's events stay with it
}

CASE(mount_namespace_setns_needs_a_directory_of_its_own)
{
    int ours = open_ns(getpid(), "mnt"), fds[2];
    REQUIRE(pipe(fds) == 0);
    thread_t other = after_ms(0, read_byte, fds[0]); // shares the working directory with us
    EXPECT_ERRNO(setns(ours, CLONE_NEWNS), EINVAL);
    write_byte(fds[1]);
    join(other);
}

CASE(mount_namespace_setns_moves_root_and_directory)
{
    char before[256], after[256];
    REQUIRE(getcwd(before, sizeof before));
    int ours = open_ns(getpid(), "mnt");
    own_mount_namespace();
    mkdir("m", 0755);
    REQUIRE(mount("t", "m", "tmpfs", 0, nullptr) == 0);
    REQUIRE(chdir("m") == 0);
    EXPECT_EQ(setns(ours, CLONE_NEWNS), 0);
    EXPECT(getcwd(after, sizeof after));
    EXPECT_STR(after, "/");
}

// --- Namespaces kept by a bind mount. ---

#define NSFS_MAGIC 0x6e736673

CASE(ns_file_that_is_bound_keeps_its_namespace)
{
    own_mount_namespace();
    REQUIRE(mount("tmpfs", ".", "tmpfs", 0, nullptr) == 0);
    char cwd[PATH_MAX], path[64], text[PATH_MAX] = "", wanted[PATH_MAX + 16];
    REQUIRE(getcwd(cwd, sizeof cwd) && chdir(cwd) == 0);
    make_file("kept", "");
    int told[2];
    REQUIRE(pipe(told) == 0);
    IN_CHILD(child)
    {
        char c = 0;
        REQUIRE(unshare(CLONE_NEWUTS) == 0 && sethostname("kept-one", 8) == 0);
        REQUIRE(write(told[1], &c, 1) == 1);
        pause();
    }
    char c;
    REQUIRE(read(told[0], &c, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/uts", (int)child);
    struct stat before, after;
    REQUIRE(stat(path, &before) == 0);
    REQUIRE(mount(path, "kept", nullptr, MS_BIND, nullptr) == 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_ERRNO(unlink("kept"), EBUSY);
    EXPECT_EQ(stat("kept", &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    struct statfs fs;
    EXPECT_EQ(statfs("kept", &fs), 0);
    EXPECT_EQ(fs.f_type, NSFS_MAGIC);
    int fd = open("kept", O_RDONLY);
    REQUIRE(fd >= 0);
    EXPECT_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUTS);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    EXPECT(readlink(path, text, sizeof text - 1) > 0);
    snprintf(wanted, sizeof wanted, "%s/kept", cwd);
    EXPECT_STR(text, wanted); // where it is mounted
    snprintf(wanted, sizeof wanted, " uts:[%lu] %s/kept ", (unsigned long)before.st_ino, cwd);
    EXPECT(strstr(file_text("/proc/self/mountinfo"), wanted));
    EXPECT_EQ(setns(fd, CLONE_NEWUTS), 0);
    EXPECT_STR(host_name(), "kept-one");
    close(fd);
    EXPECT_EQ(umount("kept"), 0);
    EXPECT_EQ(unlink("kept"), 0);
}

CASE(mount_namespace_cannot_be_bound_into_itself)
{
    own_mount_namespace();
    REQUIRE(mount("tmpfs", ".", "tmpfs", 0, nullptr) == 0);
    char cwd[PATH_MAX], path[64];
    REQUIRE(getcwd(cwd, sizeof cwd) && chdir(cwd) == 0);
    make_file("kept", "");
    EXPECT_ERRNO(mount("/proc/self/ns/mnt", "kept", nullptr, MS_BIND, nullptr), EINVAL);
    EXPECT_ERRNO(mount("/proc/1/ns/mnt", "kept", nullptr, MS_BIND, nullptr), EINVAL); // an older one
    int told[2];
    REQUIRE(pipe(told) == 0);
    IN_CHILD(child)
    {
        char c = 0;
        own_mount_namespace();
        REQUIRE(write(told[1], &c, 1) == 1);
        pause();
    }
    char c;
    REQUIRE(read(told[0], &c, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)child);
    EXPECT_EQ(mount(path, "kept", nullptr, MS_BIND, nullptr), 0); // a younger one
    IN_CHILD(copy)
    {
        struct stat s;
        own_mount_namespace();
        EXPECT_EQ(stat("kept", &s), 0);
        EXPECT_EQ(s.st_size, 0);
        EXPECT(s.st_nlink == 1 && unlink("kept") == 0); // the copy has no mount there
    }
    EXPECT_EXITED(copy, 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

static bool is_namespace_file(const char *path)
{
    struct statfs fs;
    REQUIRE(statfs(path, &fs) == 0);
    return fs.f_type == NSFS_MAGIC;
}

CASE(mount_namespace_is_not_carried_into_others_by_propagation)
{
    own_mount_namespace();
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mount("tmpfs", "a", "tmpfs", 0, nullptr) == 0);
    REQUIRE(mount(nullptr, "a", nullptr, MS_SHARED, nullptr) == 0 && mount("tmpfs", "b", "tmpfs", 0, nullptr) == 0);
    make_file("a/kept", "");
    make_file("b/kept", "");
    REQUIRE(mkdir("a/d", 0755) == 0);
    int told[2];
    REQUIRE(pipe(told) == 0);
    IN_CHILD(child)
    {
        char c = 0;
        REQUIRE(unshare(CLONE_NEWNS) == 0); // its a is a peer
        REQUIRE(write(told[1], &c, 1) == 1);
        pause();
    }
    char c, path[64], cwd[PATH_MAX], there[PATH_MAX + 64];
    REQUIRE(read(told[0], &c, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)child);
    EXPECT_ERRNO(mount(path, "a/kept", nullptr, MS_BIND, nullptr), EINVAL);
    EXPECT(!is_namespace_file("a/kept"));
    // Below a mount that is carried along it is left out.
    EXPECT_EQ(mount(path, "b/kept", nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(mount("b", "a/d", nullptr, MS_BIND | MS_REC, nullptr), 0);
    EXPECT(is_namespace_file("a/d/kept"));
    REQUIRE(getcwd(cwd, sizeof cwd));
    snprintf(there, sizeof there, "/proc/%d/root%s/a/d/kept", (int)child, cwd);
    EXPECT(!is_namespace_file(there));
    EXPECT_EQ(mount(nullptr, "a", nullptr, MS_PRIVATE, nullptr), 0);
    EXPECT_EQ(mount(path, "a/kept", nullptr, MS_BIND, nullptr), 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

// Each in a namespace that keeps the next one's.
static void keep_the_next(int depth, int up)
{
    own_mount_namespace();
    if (depth > 0) {
        int told[2];
        char c, path[64];
        REQUIRE(pipe(told) == 0);
        IN_CHILD(child)
        {
            keep_the_next(depth - 1, told[1]);
        }
        REQUIRE(read(told[0], &c, 1) == 1);
        snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)child);
        EXPECT_EQ(mount(path, "kept", nullptr, MS_BIND, nullptr), 0);
        kill(child, SIGKILL);
        EXPECT_KILLED(child, SIGKILL);
        close(told[0]);
        close(told[1]);
    }
    if (up < 0)
        return;
    write_byte(up);
    pause();
}

CASE(mount_namespaces_that_keep_each_other_end_together)
{
    make_file("kept", "");
    keep_the_next(80, -1);
    EXPECT(is_namespace_file("kept"));
    EXPECT_EQ(umount("kept"), 0);
    EXPECT(!is_namespace_file("kept"));
}

CASE(mounts_of_a_namespace_are_limited)
{
    own_mount_namespace();
    char limit[32];
    keep_setting("/proc/sys/fs/mount-max");
    EXPECT_STR(file_text("/proc/sys/fs/mount-max"), "100000\n");
    int mounts = 0;
    for (const char *at = file_text("/proc/self/mountinfo"); (at = strchr(at, '\n')); at++)
        mounts++;
    REQUIRE(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0);
    snprintf(limit, sizeof limit, "%d", mounts + 2);
    REQUIRE(write_text("/proc/sys/fs/mount-max", limit) == 0);
    EXPECT_EQ(mount("tmpfs", "a", "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(mkdir("a/below", 0700), 0);
    EXPECT_EQ(mount("tmpfs", "a/below", "tmpfs", 0, nullptr), 0);
    EXPECT_ERRNO(mount("tmpfs", "b", "tmpfs", 0, nullptr), ENOSPC);
    EXPECT_ERRNO(mount("a", "b", nullptr, MS_BIND, nullptr), ENOSPC);
    EXPECT_EQ(mount("a", "b", nullptr, MS_MOVE, nullptr), 0); // no more than before
    EXPECT_EQ(umount("b/below"), 0);
    EXPECT_EQ(mount("b", "a", nullptr, MS_BIND | MS_REC, nullptr), 0);
}
