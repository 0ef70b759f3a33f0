// tests/contract/path_text.c — places as text: links in /proc, getcwd(2), mount tables; under another root, and where something was removed.
#include "tests/contract/mount.h"

static char here[PATH_MAX]; // the case's folder

static void know_where(void)
{
    REQUIRE(getcwd(here, sizeof here));
}

// The text of a link in a folder of /proc, in a static buffer.
static const char *link_text(int folder, const char *name)
{
    static char text[PATH_MAX];
    ssize_t n = readlinkat(folder, name, text, sizeof text - 1);
    REQUIRE(n > 0);
    text[n] = 0;
    return text;
}

static const char *descriptor_text(int fd)
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return link_text(AT_FDCWD, name);
}

static const char *text_at(int folder, const char *name)
{
    static char text[4096];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    REQUIRE(n >= 0);
    text[n] = 0;
    close(fd);
    return text;
}

CASE(proc_links_tell_the_whole_path_of_what_is_outside_the_root)
{
    know_where();
    make_file("f", "");
    REQUIRE(mkdir("jail", 0755) == 0);
    IN_CHILD(child)
    {
        char wanted[PATH_MAX + 16], name[16], cwd[PATH_MAX];
        int f = open("f", O_RDONLY), self = open("/proc/self", O_RDONLY | O_DIRECTORY), fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
        REQUIRE(f >= 0 && self >= 0 && fds >= 0 && chroot("jail") == 0);
        snprintf(wanted, sizeof wanted, "%s/f", here);
        snprintf(name, sizeof name, "%d", f);
        EXPECT_STR(link_text(fds, name), wanted);
        EXPECT_STR(link_text(self, "cwd"), here);
        EXPECT_STR(link_text(self, "root"), "/");
        EXPECT(syscall(SYS_getcwd, cwd, sizeof cwd) > 0);
        snprintf(wanted, sizeof wanted, "(unreachable)%s", here); // which only this call says
        EXPECT_STR(cwd, wanted);
    }
    EXPECT_EXITED(child, 0);
}

CASE(proc_links_into_a_detached_mount_begin_at_its_root)
{
    own_mounts();
    tmpfs_at("a");
    int f = open("a/f", O_CREAT | O_RDWR, 0600);
    REQUIRE(f >= 0 && umount2("a", MNT_DETACH) == 0);
    EXPECT_STR(descriptor_text(f), "/f");
}

CASE(proc_links_name_a_nameless_file_by_its_inode_number)
{
    know_where();
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    struct stat s;
    REQUIRE(fd >= 0 && fstat(fd, &s) == 0);
    char wanted[PATH_MAX + 64];
    snprintf(wanted, sizeof wanted, "%s/#%llu (deleted)", here, (unsigned long long)s.st_ino);
    EXPECT_STR(descriptor_text(fd), wanted);
}

static bool is_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return end && !end[1];
}

CASE(mount_tables_leave_out_what_is_outside_the_root)
{
    own_mounts();
    REQUIRE(mkdir("a/m", 0755) == 0);
    tmpfs_at("a/m");
    tmpfs_at("b");
    IN_CHILD(child)
    {
        int self = open("/proc/self", O_RDONLY | O_DIRECTORY);
        REQUIRE(self >= 0 && chroot("a") == 0); // which is no mount itself
        const char *text = text_at(self, "mounts");
        EXPECT(is_one_line(text));
        EXPECT(strncmp(text, "test /m tmpfs ", 14) == 0);
        text = text_at(self, "mountinfo");
        EXPECT(is_one_line(text));
        EXPECT(strstr(text, " / /m rw"));
        EXPECT_STR(text_at(self, "mountstats"), "device test mounted on /m with fstype tmpfs\n");
    }
    EXPECT_EXITED(child, 0);
}

CASE(mount_tables_tell_that_the_source_was_removed)
{
    own_mounts();
    know_where();
    REQUIRE(mkdir("d", 0755) == 0 && mount("d", "b", nullptr, MS_BIND, nullptr) == 0);
    EXPECT_EQ(rmdir("d"), 0);
    char wanted[PATH_MAX + 32];
    snprintf(wanted, sizeof wanted, "/d//deleted %s/b rw", here);
    EXPECT(strstr(file_text("/proc/self/mountinfo"), wanted));
    snprintf(wanted, sizeof wanted, " %s/b ", here); // the place is still there
    EXPECT(strstr(file_text("/proc/self/mounts"), wanted));
}
