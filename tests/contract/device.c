// tests/contract/device.c — nodes and what is behind them: mknod(2), null(4), full(4), random(4), kmsg, devtmpfs; devices in sysfs.
#include "tests/contract/harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <linux/rtc.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <termios.h>

static int node(const char *path, mode_t type, int major_number, int minor_number)
{
    return mknod(path, type | 0600, makedev(major_number, minor_number));
}

CASE(mknod_stores_type_mode_and_number)
{
    static const mode_t types[] = {S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFREG};
    umask(0);
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(mknod("n", types[i] | 0642, makedev(1234, 56789)), 0);
        struct stat s;
        EXPECT_EQ(lstat("n", &s), 0);
        EXPECT_EQ(s.st_mode, types[i] | 0642);
        if (types[i] == S_IFCHR || types[i] == S_IFBLK)
            EXPECT_EQ(s.st_rdev, makedev(1234, 56789));
        EXPECT_EQ(unlink("n"), 0);
    }
    EXPECT_EQ(mknodat(AT_FDCWD, "plain", 0600, 0), 0); // no type: a regular file
    EXPECT_ERRNO(mknod("d", S_IFDIR | 0600, 0), EPERM);
    EXPECT_ERRNO(mknod("l", S_IFLNK | 0600, 0), EINVAL);
    EXPECT_ERRNO(mknod("plain", S_IFCHR, 0), EEXIST);
}

CASE(mknod_of_devices_needs_privilege)
{
    chmod(".", 0777);
    IN_CHILD(child)
    {
        setuid(1000);
        EXPECT_ERRNO(node("c", S_IFCHR, 1, 3), EPERM);
        EXPECT_EQ(mkfifo("p", 0600), 0);
        EXPECT_EQ(mknod("s", S_IFSOCK | 0600, 0), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(node_of_an_unregistered_device_is_enxio)
{
    REQUIRE(node("c", S_IFCHR, 777, 7) == 0 && node("b", S_IFBLK, 777, 7) == 0);
    EXPECT_ERRNO(open("c", O_RDWR), ENXIO);
    EXPECT_ERRNO(open("b", O_RDONLY), ENXIO);
    EXPECT(open("c", O_PATH) >= 0);
}

CASE(node_on_tmpfs_reaches_null_zero_full)
{
    char text[64];
    memset(text, 'x', sizeof text);
    REQUIRE(node("null", S_IFCHR, 1, 3) == 0 && node("zero", S_IFCHR, 1, 5) == 0 && node("full", S_IFCHR, 1, 7) == 0);
    int null = open("null", O_RDWR), zero = open("zero", O_RDWR), full = open("full", O_RDWR);
    EXPECT_EQ(read(null, text, 64), 0);
    EXPECT_EQ(write(null, text, 64), 64);
    EXPECT_EQ(read(zero, text, 64), 64);
    EXPECT_EQ(text[63], 0);
    EXPECT_EQ(write(zero, text, 64), 64);
    EXPECT_EQ(read(full, text, 64), 64);
    EXPECT_ERRNO(write(full, text, 1), ENOSPC);
    EXPECT_EQ(lseek(null, 100, SEEK_SET), 0);
    struct pollfd p = {.fd = null, .events = POLLIN | POLLOUT};
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_ERRNO(ioctl(null, TIOCGWINSZ, text), ENOTTY);
}

CASE(zero_can_be_mapped)
{
    int fd = open("/dev/zero", O_RDWR);
    REQUIRE(fd >= 0);
    char *p = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[PAGE], 0);
    p[PAGE] = 1;
    char *s = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(s != MAP_FAILED);
    IN_CHILD(child)
    {
        s[0] = 7;
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(s[0], 7);
}

CASE(random_devices_give_different_bytes)
{
    char a[32] = {}, b[32] = {};
    int fd = open("/dev/urandom", O_RDWR), other = open("/dev/random", O_RDONLY);
    REQUIRE(fd >= 0 && other >= 0);
    EXPECT_EQ(read(fd, a, 32), 32);
    EXPECT_EQ(read(other, b, 32), 32);
    EXPECT(memcmp(a, b, 32) != 0);
    EXPECT_EQ(write(fd, a, 32), 32);
    int bits = -1;
    EXPECT_EQ(ioctl(other, 0x80045200, &bits), 0); // RNDGETENTCNT
    EXPECT(bits >= 0);
}

// The next record with that text. The kernel may have something to say in between.
static void read_record(int fd, char *text, size_t size, const char *wanted)
{
    for (int i = 0; i < 16; i++) {
        ssize_t n = read(fd, text, size - 1);
        REQUIRE(n > 0);
        text[n] = 0;
        if (strstr(text, wanted))
            return;
    }
    REQUIRE(!"the record is among the next ones");
}

CASE(kmsg_takes_and_gives_records)
{
    int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
    REQUIRE(fd >= 0);
    EXPECT(lseek(fd, 0, SEEK_END) == 0);
    EXPECT_EQ(write(fd, "<6>contract-mark\n", 17), 17);
    char text[512];
    read_record(fd, text, sizeof text, ";contract-mark\n");
    EXPECT_EQ(atoi(text), 14); // facility user (1), level 6
    while (read(fd, text, sizeof text) > 0)
        ;
    EXPECT_EQ(errno, EAGAIN);
}

CASE(kmsg_stream_gives_a_line_in_parts)
{
    static const char mark[] = "<7>a line that is taken byte by byte\n";
    static char text[65536];
    int log = open("/dev/kmsg", O_WRONLY), stream = open("/proc/kmsg", O_RDONLY | O_NONBLOCK);
    REQUIRE(log >= 0 && stream >= 0);
    while (read(stream, text, sizeof text) > 0)
        ;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(write(log, mark, strlen(mark)), strlen(mark));
    size_t n = 0;
    while (n < sizeof text - 1 && read(stream, text + n, 1) == 1)
        n++;
    text[n] = 0;
    EXPECT(strstr(text, mark + 3));
}

CASE(devtmpfs_has_the_registered_nodes)
{
    static const struct {
        const char *path;
        int major_number, minor_number;
    } nodes[] = {{"/dev/null", 1, 3}, {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9},
                 {"/dev/kmsg", 1, 11}, {"/dev/tty", 5, 0}, {"/dev/console", 5, 1}, {"/dev/ptmx", 5, 2},   {"/dev/ttyS0", 4, 64}};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        struct stat s = {};
        EXPECT_EQ(stat(nodes[i].path, &s), 0);
        EXPECT(S_ISCHR(s.st_mode));
        EXPECT_EQ(s.st_rdev, makedev(nodes[i].major_number, nodes[i].minor_number));
    }
}

CASE(devtmpfs_is_one_instance)
{
    own_mount_namespace();
    REQUIRE(mkdir("d", 0755) == 0);
    REQUIRE(mknod("/dev/contract-node", S_IFCHR | 0600, makedev(1, 3)) == 0);
    REQUIRE(mount("devtmpfs", "d", "devtmpfs", 0, nullptr) == 0);
    struct stat a, b;
    EXPECT_EQ(stat("d/contract-node", &a), 0);
    EXPECT_EQ(stat("/dev/contract-node", &b), 0);
    EXPECT_EQ(a.st_ino, b.st_ino);
    EXPECT_EQ(umount("d"), 0);
    EXPECT_EQ(mount("devtmpfs", "d", "devtmpfs", 0, nullptr), 0);
    EXPECT_EQ(stat("d/contract-node", &a), 0);
    EXPECT(open("d/null", O_RDWR) >= 0);
    EXPECT_EQ(unlink("/dev/contract-node"), 0);
    EXPECT_ERRNO(stat("d/contract-node", &a), ENOENT);
}

// One node of devtmpfs again on tmpfs: what opening the one gives, opening the other gives too.
static int compared_nodes;

static int open_node(const char *path, const struct stat *wanted)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct stat s = {};
    EXPECT_EQ(fstat(fd, &s), 0);
    EXPECT_EQ(s.st_mode & S_IFMT, wanted->st_mode & S_IFMT);
    EXPECT_EQ(s.st_rdev, wanted->st_rdev);
    close(fd); // some may be open once only
    return 0;
}

static int compare_node(const char *path, const struct stat *s, [[maybe_unused]] int type, [[maybe_unused]] struct FTW *where)
{
    if (!S_ISCHR(s->st_mode) && !S_ISBLK(s->st_mode))
        return 0;
    EXPECT_EQ(mknod("n", (s->st_mode & S_IFMT) | 0600, s->st_rdev), 0);
    int here = open_node("n", s), there = open_node(path, s);
    if (here != there)
        note_failure(__FILE_NAME__, __LINE__, "%s opens with %d, its like on tmpfs with %d", path, there, here);
    EXPECT_EQ(unlink("n"), 0);
    compared_nodes++;
    return 0;
}

CASE(node_on_tmpfs_of_every_device_opens_as_in_dev)
{
    EXPECT_EQ(nftw("/dev", compare_node, 16, FTW_PHYS | FTW_MOUNT), 0);
    EXPECT(compared_nodes >= 12); // the memory devices, console, tty, ptmx, ttyS0 …
}

CASE(node_on_tmpfs_reaches_random_and_kmsg)
{
    char a[16] = {}, b[16] = {}, none[16] = {};
    REQUIRE(node("random", S_IFCHR, 1, 8) == 0 && node("urandom", S_IFCHR, 1, 9) == 0 && node("kmsg", S_IFCHR, 1, 11) == 0);
    int random = open("random", O_RDWR), urandom = open("urandom", O_RDWR), kmsg = open("kmsg", O_RDWR | O_NONBLOCK);
    REQUIRE(random >= 0 && urandom >= 0 && kmsg >= 0);
    EXPECT_EQ(read(random, a, sizeof a), sizeof a);
    EXPECT_EQ(read(urandom, b, sizeof b), sizeof b);
    EXPECT(memcmp(a, b, sizeof a) != 0 && memcmp(a, none, sizeof a) != 0 && memcmp(b, none, sizeof b) != 0);
    EXPECT_EQ(write(random, a, sizeof a), sizeof a);
    char text[512];
    EXPECT_EQ(lseek(kmsg, 0, SEEK_END), 0);
    EXPECT_EQ(write(kmsg, "<7>by way of tmpfs\n", 19), 19);
    read_record(kmsg, text, sizeof text, ";by way of tmpfs\n");
}

CASE(node_on_tmpfs_reaches_console_and_serial_port)
{
    static const struct {
        const char *name;
        int major_number, minor_number;
    } terminals[] = {{"console", 5, 1}, {"ttyS0", 4, 64}};
    for (size_t i = 0; i < sizeof terminals / sizeof terminals[0]; i++) {
        REQUIRE(node(terminals[i].name, S_IFCHR, terminals[i].major_number, terminals[i].minor_number) == 0);
        int fd = open(terminals[i].name, O_RDWR | O_NOCTTY);
        REQUIRE(fd >= 0);
        struct termios t;
        struct winsize size;
        EXPECT(isatty(fd));
        EXPECT_EQ(tcgetattr(fd, &t), 0);
        EXPECT_EQ(ioctl(fd, TIOCGWINSZ, &size), 0);
        EXPECT_EQ(write(fd, "# by way of tmpfs\n", 18), 18); // a comment of the report, which goes there too
        EXPECT_EQ(tcdrain(fd), 0);
        EXPECT_ERRNO(ioctl(fd, TIOCGPTN, &size), ENOTTY);
        close(fd);
    }
}

// Each console's line tells its terminal's number; the one that /dev/console leads to has a C, and is the last word of sysfs's file.
CASE(consoles_are_listed_with_their_terminals)
{
    char name[16] = {}, flags[16] = {}, path[32];
    unsigned major_number = 0, minor_number = 0;
    REQUIRE(sscanf(file_text("/proc/consoles"), "%15s -W- (%15[^)]) %u:%u", name, flags, &major_number, &minor_number) == 4);
    EXPECT_EQ(strncmp(flags, "EC", 2), 0);
    struct stat s = {};
    snprintf(path, sizeof path, "/dev/%s", name);
    EXPECT_EQ(stat(path, &s), 0);
    EXPECT_EQ(s.st_rdev, makedev(major_number, minor_number));
    const char *active = file_text("/sys/class/tty/console/active");
    size_t len = strlen(active), wanted = strlen(name);
    REQUIRE(len > wanted);
    EXPECT_EQ(active[len - 1], '\n');
    EXPECT_EQ(strncmp(active + len - 1 - wanted, name, wanted), 0);
}

CASE(proc_tty_lists_drivers_and_line_disciplines)
{
    const char *drivers = file_text("/proc/tty/drivers");
    EXPECT(strstr(drivers, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n") == drivers);
    EXPECT(strstr(drivers, "\n/dev/console         /dev/console    5       1 system:console\n"));
    EXPECT(strstr(drivers, "\n/dev/ptmx            /dev/ptmx       5       2 system\n"));
    EXPECT(strstr(drivers, "\nserial               /dev/ttyS       4 64-"));
    EXPECT(strstr(drivers, "\npty_slave            /dev/pts      136 0-1048575 pty:slave\n"));
    EXPECT(strstr(file_text("/proc/tty/ldiscs"), "n_tty       0\n"));
}

CASE(node_on_tmpfs_of_ptmx_uses_the_devpts_beside_it)
{
    int number = -1, unlock = 0;
    char path[32], text[8] = {};
    own_mount_namespace();
    REQUIRE(node("ptmx", S_IFCHR, 5, 2) == 0);
    EXPECT_ERRNO(open("ptmx", O_RDWR | O_NOCTTY), ENOENT);
    REQUIRE(mkdir("pts", 0755) == 0);
    EXPECT_ERRNO(open("ptmx", O_RDWR | O_NOCTTY), ENODEV);
    REQUIRE(mount("devpts", "pts", "devpts", 0, nullptr) == 0);
    int master = open("ptmx", O_RDWR | O_NOCTTY);
    REQUIRE(master >= 0);
    EXPECT_EQ(ioctl(master, TIOCSPTLCK, &unlock), 0);
    EXPECT_EQ(ioctl(master, TIOCGPTN, &number), 0);
    snprintf(path, sizeof path, "pts/%d", number);
    int slave = open(path, O_RDWR | O_NOCTTY);
    REQUIRE(slave >= 0);
    EXPECT_EQ(write(slave, "out", 3), 3);
    EXPECT_EQ(read(master, text, sizeof text), 3);
    EXPECT_STR(text, "out");
    REQUIRE(node("slave", S_IFCHR, 136, number) == 0); // a terminal's other end is found by devpts alone
    EXPECT_ERRNO(open("slave", O_RDWR | O_NOCTTY), EIO);
    REQUIRE(node("tty", S_IFCHR, 5, 0) == 0);
    EXPECT_ERRNO(open("tty", O_RDWR), ENXIO); // no controlling terminal yet
    IN_CHILD(child)
    {
        setsid();
        REQUIRE(ioctl(slave, TIOCSCTTY, 0) == 0);
        int tty = open("tty", O_RDWR);
        REQUIRE(tty >= 0);
        pid_t group = -1;
        EXPECT_EQ(ioctl(tty, TIOCGPGRP, &group), 0);
        EXPECT_EQ(group, getpid());
        EXPECT_EQ(write(tty, "tty", 3), 3);
        signal(SIGHUP, SIG_IGN);
        EXPECT_EQ(ioctl(tty, TIOCNOTTY), 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(read(master, text, sizeof text), 3);
    EXPECT_STR(text, "tty");
}

CASE(node_on_tmpfs_reaches_the_clock_of_the_machine)
{
    struct stat s;
    REQUIRE(stat("/dev/rtc0", &s) == 0);
    REQUIRE(mknod("rtc", S_IFCHR | 0600, s.st_rdev) == 0);
    int fd = open("rtc", O_RDONLY);
    REQUIRE(fd >= 0);
    struct rtc_time now = {};
    EXPECT_EQ(ioctl(fd, RTC_RD_TIME, &now), 0);
    EXPECT(now.tm_year > 120 && now.tm_mon < 12 && now.tm_mday >= 1 && now.tm_mday <= 31 && now.tm_hour < 24);
    EXPECT_ERRNO(open("rtc", O_RDONLY), EBUSY);
}

// What is read from it is looked at in tests/boot/hwrng.console: Linux has the driver of this machine's generator as a module.
CASE(node_on_tmpfs_reaches_the_hardware_random_generator)
{
    struct stat s;
    REQUIRE(stat("/dev/hwrng", &s) == 0);
    EXPECT_EQ(s.st_rdev, makedev(10, 183));
    REQUIRE(node("hwrng", S_IFCHR, 10, 183) == 0);
    int fd = open("hwrng", O_RDONLY);
    REQUIRE(fd >= 0);
    EXPECT_ERRNO(write(fd, "x", 1), EBADF);
    EXPECT_ERRNO(open("hwrng", O_RDWR), EINVAL);
    EXPECT_ERRNO(open("hwrng", O_WRONLY), EINVAL);
}

// Texts that are made when they are read: some have an end to seek from all the same.
CASE(sysfs_files_and_settings_have_an_end)
{
    static const struct {
        const char *path;
        off_t size;
    } files[] = {{"/sys/class/mem/null/uevent", PAGE}, {"/sys/class/mem/null/dev", PAGE}, {"/sys/class/mem", 0},
                 {"/proc/sys/kernel/hostname", 0},     {"/proc/sys/kernel/ostype", 0},    {"/proc/sys/vm", 0}};
    struct stat s;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        off_t size = files[i].size;
        int fd = open(files[i].path, O_RDONLY);
        REQUIRE(fd >= 0 && fstat(fd, &s) == 0);
        EXPECT_EQ(s.st_size, size);
        EXPECT_EQ(lseek(fd, 0, SEEK_END), size);
        EXPECT_EQ(lseek(fd, 3, SEEK_END), size + 3);
        EXPECT_EQ(lseek(fd, 0, SEEK_DATA), size ? 0 : -1);
        EXPECT_EQ(lseek(fd, 0, SEEK_HOLE), size ? size : -1);
        EXPECT_EQ(errno, size ? errno : ENXIO);
        close(fd);
    }
    EXPECT_EQ(lstat("/sys/class/mem/null", &s), 0);
    EXPECT_EQ(s.st_size, 0);
    EXPECT_ERRNO(lseek(open("/proc/version", O_RDONLY), 0, SEEK_END), EINVAL);
}

CASE(uevent_files_take_known_actions)
{
    static const char *const file = "/sys/class/mem/null/uevent";
    static const char *const good[] = {"add", "add\n", "bind", "change", "move", "offline", "online", "remove", "unbind",
                                       "change 01234567-89ab-cdef-0123-456789abcdef",
                                       "change 01234567-89ab-cdef-0123-456789abcdef A=1 b2=cD\n"};
    static const char *const bad[] = {"\n", "addx", "ad", "ADD", " add", "add ", "add\n\n", "change 01234567", "change 01234567-89ab-cdef-0123-456789abcdex",
                                      "change 01234567-89ab-cdef-0123-456789abcdef ", "change 01234567-89ab-cdef-0123-456789abcdef A",
                                      "change 01234567-89ab-cdef-0123-456789abcdef  A=1", "change 01234567-89ab-cdef-0123-456789abcdef A_=1",
                                      "change 01234567-89ab-cdef-0123-456789abcdef =1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        EXPECT_EQ(write_text(file, good[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(write_text(file, bad[i]), -EINVAL);
    EXPECT_STR(file_text(file), "MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0666\n");
    EXPECT_STR(file_text("/sys/class/tty/ttyS0/uevent"), "MAJOR=4\nMINOR=64\nDEVNAME=ttyS0\n"); // nobody asked for a mode
    IN_CHILD(child)
    {
        setuid(65534);
        EXPECT_EQ(write_text(file, "add"), -EACCES);
    }
    EXPECT_EXITED(child, 0);
}

static size_t file_bytes(const char *path, uint8_t *to, size_t size)
{
    size_t used = 0;
    int fd = open(path, O_RDONLY);
    REQUIRE(fd >= 0);
    for (ssize_t n; (n = read(fd, to + used, size - used)) > 0;)
        used += (size_t)n;
    close(fd);
    return used;
}

// The current directory is the device's. Whoever may not administer the system sees the header of its configuration space only.
static void expect_configuration(const char *name)
{
    uint8_t bytes[PAGE + 1] = {}, part[3] = {};
    char uevent[512], wanted[128];
    struct stat s = {};
    unsigned vendor = (unsigned)strtoul(file_text("vendor"), nullptr, 16), device = (unsigned)strtoul(file_text("device"), nullptr, 16);
    unsigned class = (unsigned)strtoul(file_text("class"), nullptr, 16);
    EXPECT_EQ(stat("config", &s), 0);
    EXPECT(s.st_size == 256 || s.st_size == 4096);
    EXPECT_EQ(file_bytes("config", bytes, sizeof bytes), s.st_size);
    EXPECT_EQ(bytes[0] | bytes[1] << 8, vendor);
    EXPECT_EQ(bytes[2] | bytes[3] << 8, device);
    EXPECT_EQ(bytes[9] | bytes[10] << 8 | bytes[11] << 16, class);
    int fd = open("config", O_RDONLY);
    EXPECT_EQ(pread(fd, part, 3, 9), 3);
    EXPECT_EQ(memcmp(part, bytes + 9, 3), 0);
    EXPECT_EQ(pread(fd, part, 1, s.st_size), 0);
    EXPECT_EQ(lseek(fd, 0, SEEK_END), s.st_size);
    close(fd);
    IN_CHILD(child)
    {
        setuid(65534);
        EXPECT_EQ(file_bytes("config", bytes, sizeof bytes), 64);
    }
    EXPECT_EXITED(child, 0);

    strcpy(uevent, file_text("uevent"));
    snprintf(wanted, sizeof wanted, "PCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=", class, vendor, device);
    EXPECT(strstr(uevent, wanted));
    snprintf(wanted, sizeof wanted, "\nPCI_SLOT_NAME=%s\nMODALIAS=pci:v%08Xd%08Xsv", name, vendor, device);
    EXPECT(strstr(uevent, wanted));
    EXPECT_STR(strstr(uevent, "MODALIAS=") + 9, file_text("modalias"));

    const char *line = file_text("resource");
    for (int i = 0; i < 13; i++, line += 57) {
        unsigned long long first = 0, last = 0, flags = 0;
        EXPECT_EQ(sscanf(line, "0x%16llx 0x%16llx 0x%16llx", &first, &last, &flags), 3);
        EXPECT_EQ(line[56], '\n');
        uint32_t bar = 0;
        memcpy(&bar, bytes + 0x10 + 4 * i, 4);
        if (i < 6 && flags) {
            EXPECT_EQ((uint32_t)first, bar & (bar & 1 ? ~3u : ~15u));
            EXPECT_EQ(flags & 0x300, bar & 1 ? 0x100 : 0x200);
            EXPECT(last > first);
        }
    }
}

CASE(pci_devices_show_their_configuration)
{
    int found = 0;
    DIR *d = opendir("/sys/bus/pci/devices");
    REQUIRE(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        REQUIRE(fchdir(dirfd(d)) == 0 && chdir(e->d_name) == 0);
        expect_configuration(e->d_name);
        found++;
    }
    closedir(d);
    EXPECT(found >= 2);
}

static long long loopback_count(const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/class/net/lo/statistics/%s", name);
    return atoll(file_text(path));
}

CASE(network_devices_are_in_sysfs)
{
    loopback_up();
    EXPECT_STR(file_text("/sys/class/net/lo/address"), "00:00:00:00:00:00\n");
    EXPECT_STR(file_text("/sys/class/net/lo/type"), "772\n");
    EXPECT_STR(file_text("/sys/class/net/lo/operstate"), "unknown\n");
    EXPECT_STR(file_text("/sys/class/net/lo/carrier"), "1\n");
    EXPECT_EQ(strtol(file_text("/sys/class/net/lo/flags"), nullptr, 16), IFF_UP | IFF_LOOPBACK);
    EXPECT_EQ(atoi(file_text("/sys/class/net/lo/ifindex")), if_nametoindex("lo"));
    EXPECT_EQ(strncmp(file_text("/sys/class/net/lo/uevent"), "INTERFACE=lo\nIFINDEX=", 21), 0);
    struct ifreq request = {.ifr_name = "lo"};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    EXPECT_EQ(ioctl(fd, SIOCGIFMTU, &request), 0);
    EXPECT_EQ(atoi(file_text("/sys/class/net/lo/mtu")), request.ifr_mtu);
    REQUIRE(bind(fd, (struct sockaddr *)&to, sizeof to) == 0 && getsockname(fd, (struct sockaddr *)&to, &len) == 0);
    static const char *const counts[] = {"tx_packets", "rx_packets", "tx_bytes", "rx_bytes", "tx_errors", "rx_errors", "tx_dropped", "rx_dropped"};
    long long before[8];
    for (int i = 0; i < 8; i++)
        before[i] = loopback_count(counts[i]);
    EXPECT_EQ(sendto(fd, "datagram", 8, 0, (struct sockaddr *)&to, len), 8);
    EXPECT_EQ(recv(fd, &request, 8, 0), 8);
    for (int i = 0; i < 8; i++)
        EXPECT(loopback_count(counts[i]) - before[i] >= (i < 2 ? 1 : i < 4 ? 36 : 0)); // with the headers of IP and UDP
    // Folders of what this machine has none of are there for those who list them.
    EXPECT_EQ(access("/sys/class/power_supply", F_OK) | access("/sys/class/block", F_OK) | access("/sys/block", F_OK), 0);
}
