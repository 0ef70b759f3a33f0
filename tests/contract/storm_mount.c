// tests/contract/storm_mount.c — names are looked up while file systems are mounted and unmounted over them.
#include "tests/contract/storm.h"

#include <sched.h>
#include <sys/mount.h>

static ino_t home_inode;

static void mount_or_walk(int number)
{
    char text[8] = {};
    struct stat s;
    if (number == 0) {
        EXPECT_EQ(mount("storm", "point", "tmpfs", 0, "size=64k"), 0);
        if (storm_random(2))
            EXPECT_EQ(umount2("point", MNT_DETACH), 0);
        else if (umount("point") != 0) { // somebody is in there
            EXPECT_EQ(errno, EBUSY);
            EXPECT_EQ(umount2("point", MNT_DETACH), 0);
        }
        return;
    }
    int fd = open("point/below", O_RDONLY);
    if (fd >= 0) {
        EXPECT_EQ(read(fd, text, sizeof text), 5);
        EXPECT_STR(text, "under");
        close(fd);
    } else {
        EXPECT_EQ(errno, ENOENT); // the file system above is empty
    }
    int folder = open("point", O_PATH | O_DIRECTORY);
    REQUIRE(folder >= 0);
    if (fstatat(folder, "below", &s, 0) == 0) { // whichever it is, it stays that one
        EXPECT_EQ(fstatat(folder, "below", &s, 0), 0);
        EXPECT_EQ(fstatat(folder, "..", &s, 0), 0);
        EXPECT_EQ(s.st_ino, home_inode);
    } else {
        EXPECT_ERRNO(fstatat(folder, "below", &s, 0), ENOENT);
    }
    close(folder);
    EXPECT_EQ(stat(".", &s), 0);
    EXPECT_EQ(s.st_ino, home_inode);
}

static int mounts_here(void)
{
    int count = 0;
    for (const char *at = file_text("/proc/self/mountinfo"); (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

static void own_mounts(void)
{
    struct stat s;
    own_mount_namespace();
    REQUIRE(mkdir("point", 0755) == 0 && stat(".", &s) == 0);
    home_inode = s.st_ino;
    make_file("point/below", "under");
}

CASE(storm_mounts_come_and_go_under_lookups)
{
    own_mounts();
    int before = mounts_here();
    storm(mount_or_walk);
    EXPECT_EQ(mounts_here(), before);
    EXPECT_STR(file_text("point/below"), "under");
}

// Mounts piled up on one place by all. One that another thread has taken away meanwhile is no place to mount on (EINVAL, or ENOENT), and
// cannot be taken away again; with a mount those above it go.
static void pile_up(int)
{
    static atomic_int worked;
    if (mount("point", "point", nullptr, MS_BIND, nullptr) == 0)
        atomic_fetch_add(&worked, 1);
    else
        EXPECT(errno == EINVAL || errno == ENOENT);
    EXPECT(umount2("point", MNT_DETACH) == 0 || errno == EINVAL);
    EXPECT(worked > 0);
}

CASE(storm_mounts_piled_on_one_place)
{
    own_mounts();
    int before = mounts_here();
    storm(pile_up);
    while (umount2("point", MNT_DETACH) == 0)
        ; // whoever wanted one that another had just taken left his own
    EXPECT_EQ(errno, EINVAL); // nothing is mounted there
    EXPECT_EQ(mounts_here(), before);
    EXPECT_STR(file_text("point/below"), "under");
}

// A namespace copied while its mounts change has them as at one moment: the first of two is there whenever the second is.
static void change_or_copy(int number)
{
    if (number == 0) {
        EXPECT_EQ(mount("first", "point", "tmpfs", 0, "size=64k"), 0);
        EXPECT_EQ(mount("second", "second", "tmpfs", 0, "size=64k"), 0);
        EXPECT_EQ(umount("second"), 0);
        EXPECT_EQ(umount("point"), 0);
        return;
    }
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWNS) == 0);
        const char *mounts = file_text("/proc/self/mountinfo");
        EXPECT(!strstr(mounts, "/second ") || strstr(mounts, "/point "));
    }
    EXPECT_EXITED(child, 0);
}

CASE(storm_a_namespace_is_copied_at_one_moment)
{
    own_mounts();
    REQUIRE(mkdir("second", 0755) == 0);
    storm(change_or_copy);
}

static char here[PATH_MAX], there[PATH_MAX];

// Who is inside of a mount that moves is always somewhere: at the one place or at the other.
static void move_or_ask(int number)
{
    static _Thread_local char path[PATH_MAX];
    struct stat s;
    if (number == 0) {
        EXPECT_EQ(mount(here, there, nullptr, MS_MOVE, nullptr), 0);
        EXPECT_EQ(mount(there, here, nullptr, MS_MOVE, nullptr), 0);
        return;
    }
    REQUIRE(syscall(SYS_getcwd, path, sizeof path) > 0);
    EXPECT(strcmp(path, here) == 0 || strcmp(path, there) == 0);
    EXPECT_EQ(stat("..", &s), 0);
    EXPECT_EQ(s.st_ino, home_inode);
}

CASE(storm_a_mount_moves_under_who_is_inside)
{
    own_mounts();
    char home[PATH_MAX - 16];
    REQUIRE(getcwd(home, sizeof home) && mkdir("here", 0755) == 0 && mkdir("there", 0755) == 0);
    snprintf(here, sizeof here, "%s/here", home);
    snprintf(there, sizeof there, "%s/there", home);
    REQUIRE(mount("storm", "here", "tmpfs", 0, "size=64k") == 0);
    int before = mounts_here();
    REQUIRE(chdir("here") == 0);
    storm(move_or_ask);
    REQUIRE(chdir("..") == 0);
    EXPECT_EQ(mounts_here(), before);
    EXPECT_EQ(umount("here"), 0);
}
