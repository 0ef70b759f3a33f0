// tests/contract/fuzz_text.c — nonsense written to the files of proc, sysfs and cgroup2, and given to mount(2) as options.
#include "tests/contract/fuzz.h"

#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>

enum { MOST_FILES = 3000 };

static char text[8192];
static bool without_numbers; // what may stand in a file of the whole system, where a number would be obeyed

// Some bytes that a parser might trip over. Returns their number.
static size_t make_nonsense(void)
{
    static const char *const pieces[] = {"", " ", "\n", "-", "+", ",", "=", ":", "/", "max", "nonsense", "x=y", "%s%n", "\t\t", "\xff\xfe", "(", "rw", "a b c",
                                         "0", "1", "-1", "18446744073709551616", "99999999999999999999999999", "0x", "1e9", "007", "2147483648", "-0"};
    size_t used = 0, usable = without_numbers ? 18 : sizeof pieces / sizeof pieces[0];
    for (uint64_t i = next_random() % 6; i > 0; i--)
        used += (size_t)sprintf(text + used, "%s", pieces[next_random() % usable]);
    switch (next_random() % 8) {
    case 0:
        memset(text + used, 'n', 5000); // longer than a page
        return used + 5000;
    case 1:
        text[used++] = '\0';
        return used;
    case 2:
        text[used++] = '\n';
        return used;
    default:
        return used;
    }
}

static int seen, written_to;
static volatile int *opened; // in all rounds; shared, since who writes may not live to tell

static bool excluded(const char *path)
{
    // Any byte is a command there; a device that is let go of, the console perhaps, does not come back.
    static const char *const names[] = {"/sysrq-trigger", "/unbind", "/bind", "/uevent", "/driver_override", "/remove", "/rescan", "/reset", "/mem", "/trace",
                                        "/drivers_probe", "/online", "/state", "/new_id", "/remove_id", "/delete"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t tail = strlen(names[i]);
        if (length >= tail && strcmp(path + length - tail, names[i]) == 0)
            return true;
    }
    return false;
}

static int write_nonsense(const char *path, const struct stat *s, int type, struct FTW *)
{
    seen += type == FTW_F;
    if (type != FTW_F || !S_ISREG(s->st_mode) || excluded(path)) // one that nobody may write to is tried as well: we are root
        return 0;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < 6; i++) {
        size_t length = make_nonsense();
        ssize_t n = i == 5 ? pwrite(fd, text, length, (off_t)(next_random() % 100)) : write(fd, text, length);
        EXPECT(n <= (ssize_t)length);
        if (i == 3)
            (void)!write(fd, (void *)8, 100);
        if (i == 4)
            (void)!pread(fd, text, sizeof text, 0);
    }
    if (fd < 0)
        return 0;
    close(fd);
    ++*opened;
    return ++written_to >= MOST_FILES;
}

static void count_opened(void)
{
    opened = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(opened != MAP_FAILED);
}

static void write_all_below(const char *folder)
{
    for (unsigned long round = 0; round < 1 + fuzz_setting("fuzz_calls", 60) / 200; round++) {
        seen = written_to = 0;
        nftw(folder, write_nonsense, 16, FTW_PHYS | FTW_MOUNT);
        EXPECT(seen > 0);
    }
}

static void in_own_namespaces(uint64_t number)
{
    fuzz_begin(number);
    own_mount_namespace();
    REQUIRE(unshare(CLONE_NEWUTS) == 0);
}

CASE_WITHIN(120, fuzz_text_written_to_files_of_a_process)
{
    count_opened();
    IN_CHILD(child)
    {
        in_own_namespaces(1001);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        write_all_below("/proc/self/");
    }
    int status; // it may have written to its own memory, limits or cgroup, and ends as it can
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT(*opened > 0);
    expect_system_works();
}

CASE_WITHIN(120, fuzz_text_written_to_settings_of_the_system)
{
    count_opened();
    IN_CHILD(child)
    {
        in_own_namespaces(1002);
        without_numbers = true;
        write_all_below("/proc/sys");
    }
    EXPECT_EXITED(child, 0);
    EXPECT(*opened > 0);
    expect_system_works();
}

CASE_WITHIN(120, fuzz_text_written_to_sysfs)
{
    count_opened();
    IN_CHILD(child)
    {
        in_own_namespaces(1003);
        without_numbers = true;
        write_all_below("/sys");
    }
    EXPECT_EXITED(child, 0); // there need not be a file that may be written to
    expect_system_works();
}

CASE_WITHIN(120, fuzz_text_written_to_a_control_group)
{
    count_opened();
    IN_CHILD(child)
    {
        in_own_namespaces(1004);
        REQUIRE(mkdir("groups", 0755) == 0 && mount("cgroup2", "groups", "cgroup2", 0, nullptr) == 0);
        REQUIRE(mkdir("groups/fuzz", 0755) == 0 && mkdir("groups/fuzz/below", 0755) == 0);
        REQUIRE(unshare(CLONE_NEWPID) == 0); // the numbers it writes mean itself, which it may well freeze or kill
        IN_CHILD(writer)
        {
            write_all_below("groups/fuzz");
        }
        int status, limit = LONG_TIMEOUT_MS * (int)fuzz_setting("fuzz_seconds", 1);
        bool ended = false;
        for (int ms = 0; !ended && ms < limit; ms += 5) {
            ended = waitpid(writer, &status, WNOHANG) == writer;
            sleep_ms(5);
        }
        if (!ended) {
            EXPECT_EQ(kill(writer, SIGKILL), 0);
            EXPECT_EQ(waitpid(writer, &status, 0), writer);
        }
        (void)write_text("groups/fuzz/cgroup.freeze", "0");
        EXPECT_EQ(rmdir("groups/fuzz/below"), 0);
        EXPECT_EQ(rmdir("groups/fuzz"), 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT(*opened > 0);
    expect_system_works();
}

CASE_WITHIN(120, fuzz_options_of_mounts)
{
    static const char *const types[] = {"tmpfs", "proc", "sysfs", "devpts", "cgroup2", "ramfs", "nonsense", "devtmpfs", ""};
    static const char *const options[] = {"size=", "mode=", "nr_inodes=", "uid=", "gid=", "hidepid=", "ptmxmode=", "newinstance", "ro", "rw", "nosuid", "max=",
                                          "subset=", "huge=", "nsdelegate", "nr_blocks=", "noswap", "inode64", "%", ",", "=", ",,"};
    IN_CHILD(child)
    {
        in_own_namespaces(1005);
        REQUIRE(mkdir("point", 0755) == 0 && mkdir("kept", 0755) == 0 && mount("kept", "kept", "tmpfs", 0, nullptr) == 0);
        int mounted = 0, remounted = 0;
        for (unsigned long i = 0; i < 10 * fuzz_setting("fuzz_calls", 60); i++) {
            char line[9000] = "";
            for (uint64_t parts = next_random() % 4; parts > 0; parts--) {
                strcat(line, options[next_random() % (sizeof options / sizeof options[0])]);
                text[make_nonsense()] = '\0';
                strncat(line, text, 2000);
                strcat(line, ",");
            }
            if (next_random() % 4 == 0) {
                remounted += mount("fuzz", "kept", nullptr, MS_REMOUNT, line) == 0;
            } else if (mount("fuzz", "point", types[next_random() % (sizeof types / sizeof types[0])], 0, line) == 0) {
                mounted++;
                EXPECT_EQ(umount2("point", MNT_DETACH), 0);
            }
        }
        EXPECT(mounted > 0 && remounted > 0);
        EXPECT_ERRNO(umount("point"), EINVAL); // nothing is left there
        EXPECT_EQ(umount("kept"), 0);
    }
    EXPECT_EXITED(child, 0);
    expect_system_works();
}
