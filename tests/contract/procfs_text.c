// tests/contract/procfs_text.c — what programs read in /proc to the letter: tables, locks, the ended, numbers that are written, permissions: proc(5).
#include "tests/contract/cred.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

// --- /proc/net ---

static unsigned long inode_of(int fd)
{
    struct stat s = {};
    EXPECT_EQ(fstat(fd, &s), 0);
    return s.st_ino;
}

// The line that has `words` in it, in a static buffer; "" if there is none.
static const char *line_with(const char *text, const char *words)
{
    static char line[512];
    const char *at = strstr(text, words), *start = at;
    *line = 0;
    if (!at)
        return line;
    while (start > text && start[-1] != '\n')
        start--;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(start, "\n"), start);
    return line;
}

CASE(proc_net_has_tables_for_connections_and_neighbours)
{
    const char *text = file_text("/proc/net/tcp");
    EXPECT_EQ(strcspn(text, "\n"), 149);
    EXPECT(strncmp(text, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode   ", 99) == 0);
    EXPECT_STR(file_text("/proc/net/arp"), "IP address       HW type     Flags       HW address            Mask     Device\n");
}

CASE(proc_net_lines_of_internet_sockets)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    char inode[32], *end;
    unsigned references = 0;
    int udp = socket(AF_INET, SOCK_DGRAM, 0), raw = socket(AF_INET, SOCK_RAW, 253);
    REQUIRE(udp >= 0 && raw >= 0 && bind(udp, (struct sockaddr *)&any, sizeof any) == 0);

    snprintf(inode, sizeof inode, " %lu 2 ", inode_of(udp)); // references: the file's and the table's
    const char *line = line_with(file_text("/proc/net/udp"), inode);
    EXPECT_EQ(strlen(line), 127);
    EXPECT_EQ(line[5], ':');
    EXPECT(strstr(line, " 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "));

    snprintf(inode, sizeof inode, " %lu ", inode_of(raw));
    line = line_with(file_text("/proc/net/raw"), inode);
    EXPECT_EQ(line[4], ':');
    EXPECT(strstr(line, ": 00000000:00FD 00000000:0000 07 "));
    REQUIRE(strstr(line, inode));
    EXPECT_EQ(sscanf(strstr(line, inode) + strlen(inode), "%u", &references), 1);
    EXPECT_EQ(references, 2);
    strtoul(strrchr(line, ' ') + 1, &end, 10);
    EXPECT_EQ(*end, 0); // nothing behind the count of what was dropped

    const char *text = file_text("/proc/net/icmp");
    EXPECT_EQ(strncmp(text, "  sl  local_address ", 20), 0);
    EXPECT_EQ(strcspn(text, "\n"), 127);
}

// A socket of the path behind its number, type and state, and how many such lines there are.
static int unix_lines(const char *wanted)
{
    const char *text = file_text("/proc/net/unix");
    int n = 0;
    for (const char *at = text; (at = strstr(at, wanted)); at++)
        n++;
    return n;
}

CASE(proc_net_unix_tells_connections_that_wait)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    REQUIRE(getcwd(name.sun_path, sizeof name.sun_path - 3));
    strcat(name.sun_path, "/s");
    char wanted[PATH_MAX];
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(s, (struct sockaddr *)&name, sizeof name) == 0 && listen(s, 1) == 0 && connect(c, (struct sockaddr *)&name, sizeof name) == 0);
    snprintf(wanted, sizeof wanted, ": 00000002 00000000 00010000 0001 01 %5lu %s\n", inode_of(s), name.sun_path);
    EXPECT_EQ(unix_lines(wanted), 1);
    snprintf(wanted, sizeof wanted, ": 00000003 00000000 00000000 0001 03 %5lu\n", inode_of(c));
    EXPECT_EQ(unix_lines(wanted), 1);
    snprintf(wanted, sizeof wanted, ": 00000003 00000000 00000000 0001 02     0 %s\n", name.sun_path);
    EXPECT_EQ(unix_lines(wanted), 1);
    int a = accept(s, nullptr, nullptr);
    REQUIRE(a >= 0);
    EXPECT_EQ(unix_lines(wanted), 0);
    snprintf(wanted, sizeof wanted, ": 00000003 00000000 00000000 0001 03 %5lu %s\n", inode_of(a), name.sun_path);
    EXPECT_EQ(unix_lines(wanted), 1);
}

CASE(proc_net_counts_sockets_of_each_protocol)
{
    unsigned n[5] = {};
    REQUIRE(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
    const char *format = "sockets: used %u\nTCP: inuse %*u orphan 0 tw 0 alloc %*u mem %u\nUDP: inuse %u mem %u\nUDPLITE: inuse 0\nRAW: inuse %u\n"
                         "FRAG: inuse 0 memory 0\n";
    EXPECT_EQ(sscanf(file_text("/proc/net/sockstat"), format, n, n + 1, n + 2, n + 3, n + 4), 5);
    const char *text = file_text("/proc/net/protocols"), *row = strstr(text, "\nUDP  ");
    EXPECT(strncmp(text, "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em\n", 115) == 0);
    REQUIRE(row);
    EXPECT_EQ(sscanf(row, " UDP %*u %u %*d NI %*u %*s kernel", n), 1);
    EXPECT(strstr(line_with(row, "UDP  "), " kernel      y  y  y  n  y ")); // closes, connects, disconnects, does not accept, has ioctls
    EXPECT(strstr(text, "\nUNIX-STREAM "));
}

// --- fdinfo ---

// The text of a file of a process, in file_text()'s buffer.
static const char *text_of(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return file_text(path);
}

static const char *fdinfo(pid_t pid, int fd)
{
    char name[32];
    snprintf(name, sizeof name, "fdinfo/%d", fd);
    return text_of(pid, name);
}

CASE(proc_fdinfo_lists_the_locks)
{
    make_file("f", "x");
    int fd = open("f", O_RDWR | O_CLOEXEC), other = open("f", O_RDWR | O_CLOEXEC), none = open(".", O_RDONLY | O_DIRECTORY);
    struct flock l = {.l_type = F_WRLCK, .l_start = 1, .l_len = 3}, rest = {.l_type = F_RDLCK, .l_start = 10};
    struct flock ofd = {.l_type = F_WRLCK, .l_start = 50, .l_len = 5};
    REQUIRE(fcntl(fd, F_SETLK, &rest) == 0 && fcntl(fd, F_SETLK, &l) == 0 && flock(fd, LOCK_EX) == 0);
    struct stat s = {};
    EXPECT_EQ(fstat(fd, &s), 0);
    char where[64], wanted[512];
    snprintf(where, sizeof where, "%02x:%02x:%lu", major(s.st_dev), minor(s.st_dev), (unsigned long)s.st_ino);
    snprintf(wanted, sizeof wanted,
             "\nlock:\t1: FLOCK  ADVISORY  WRITE %d %s 0 EOF\nlock:\t2: POSIX  ADVISORY  WRITE %d %s 1 3\nlock:\t3: POSIX  ADVISORY  READ %d %s 10 EOF\n",
             getpid(), where, getpid(), where, getpid(), where);
    const char *text = fdinfo(getpid(), fd), *at = strstr(text, "\nlock:");
    EXPECT_STR(at ? at : "", wanted);
    EXPECT(!strstr(fdinfo(getpid(), none), "lock:"));
    pid_t holder = getpid();
    IN_CHILD(child)
    {
        // The description is the child's too; records are the process's.
        snprintf(wanted, sizeof wanted, "\nlock:\t1: FLOCK  ADVISORY  WRITE %d %s 0 EOF\n", holder, where);
        text = fdinfo(getpid(), fd), at = strstr(text, "\nlock:");
        EXPECT_STR(at ? at : "", wanted);
    }
    EXPECT_EXITED(child, 0);
    l.l_type = F_UNLCK, l.l_start = l.l_len = 0;
    REQUIRE(fcntl(fd, F_SETLK, &l) == 0 && flock(fd, LOCK_UN) == 0 && fcntl(other, F_OFD_SETLK, &ofd) == 0);
    snprintf(wanted, sizeof wanted, "\nlock:\t1: OFDLCK ADVISORY  WRITE -1 %s 50 54\n", where);
    text = fdinfo(getpid(), other), at = strstr(text, "\nlock:");
    EXPECT_STR(at ? at : "", wanted);
    EXPECT(!strstr(fdinfo(getpid(), fd), "lock:"));
}

CASE(proc_fdinfo_of_inotify_tells_the_watch_s_flags)
{
    int fd = inotify_init1(IN_CLOEXEC);
    REQUIRE(inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE | IN_ONESHOT | IN_EXCL_UNLINK) == 1);
    EXPECT(strstr(fdinfo(getpid(), fd), " mask:84000300 ignored_mask:0"));
}

// --- Processes that have ended ---

static int open_of(pid_t pid, const char *name, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return open(path, flags | O_CLOEXEC);
}

static int entries_of(int fd) // of a folder; -errno
{
    static char buffer[4096];
    int n = 0;
    for (long size; (size = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) != 0;) {
        if (size < 0)
            return -errno;
        for (long at = 0; at < size; n++)
            at += *(unsigned short *)(buffer + at + 16);
    }
    return n;
}

CASE(proc_zombie_has_no_memory_and_no_files)
{
    siginfo_t info;
    char link[64], path[64];
    pid_t zombie = fork_or_fail(__FILE_NAME__, __LINE__);
    if (!zombie)
        _exit(0);
    REQUIRE(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT) == 0);
    static const char *const gone[] = {"environ", "auxv", "mem", "smaps_rollup"}, *const empty[] = {"maps", "smaps", "cmdline"};
    static const char *const folders[] = {"fd", "fdinfo"};
    for (unsigned i = 0; i < 4; i++)
        EXPECT_ERRNO(open_of(zombie, gone[i], O_RDONLY), ESRCH);
    for (unsigned i = 0; i < 3; i++)
        EXPECT_STR(text_of(zombie, empty[i]), "");
    for (unsigned i = 0; i < 2; i++) {
        int fd = open_of(zombie, folders[i], O_RDONLY | O_DIRECTORY);
        EXPECT_EQ(entries_of(fd), 2);
        close(fd);
    }
    snprintf(path, sizeof path, "/proc/%d/ns/pid", zombie); // which its number is in
    EXPECT(readlink(path, link, sizeof link) > 0);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", zombie);
    EXPECT_ERRNO(readlink(path, link, sizeof link), ENOENT);
    snprintf(path, sizeof path, "/proc/%d/clear_refs", zombie);
    EXPECT_EQ(write_text(path, "5"), 0);
    EXPECT_EXITED(zombie, 0);
}

CASE(proc_files_held_open_tell_that_the_process_was_reaped)
{
    static const char *const files[] = {"cmdline", "maps", "smaps", "stat", "fdinfo/0"}, *const folders[] = {".", "ns", "fd", "task"};
    int file[5], folder[4];
    char byte;
    struct stat s;
    REQUIRE(dup2(open("/dev/null", O_RDWR), 0) == 0);
    pid_t child = fork_or_fail(__FILE_NAME__, __LINE__);
    if (!child)
        for (;;)
            pause();
    for (unsigned i = 0; i < 5; i++)
        REQUIRE((file[i] = open_of(child, files[i], O_RDONLY)) >= 0);
    for (unsigned i = 0; i < 4; i++)
        REQUIRE((folder[i] = open_of(child, folders[i], O_RDONLY | O_DIRECTORY)) >= 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_ERRNO(read(file[i], &byte, 1), ESRCH);
        EXPECT_EQ(entries_of(folder[i]), -ENOENT);
    }
    EXPECT_ERRNO(read(file[4], &byte, 1), ENOENT);
    EXPECT_ERRNO(fstat(folder[2], &s), ENOENT);
}

// --- Memory ---

// What smaps says behind `name` of the memory that begins at `p`.
static const char *smaps_of(const void *p, const char *name)
{
    char start[32];
    snprintf(start, sizeof start, "\n%08lx-", (unsigned long)p);
    const char *at = strstr(file_text("/proc/self/smaps"), start);
    REQUIRE(at && (at = strstr(at + 1, name)));
    return line_with(at, name) + strlen(name);
}

CASE(proc_smaps_rollup_tells_the_kinds_of_shares)
{
    char *p = mmap(nullptr, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    memset(p, 1, 4 * PAGE);
    unsigned long pss, dirty, anon, file, shmem;
    const char *text = file_text("/proc/self/smaps_rollup"), *at = strstr(text, "\nPss:");
    REQUIRE(at);
    const char *format = "\nPss: %lu kB\nPss_Dirty: %lu kB\nPss_Anon: %lu kB\nPss_File: %lu kB\nPss_Shmem: %lu kB\nShared_Clean:";
    EXPECT_EQ(sscanf(at, format, &pss, &dirty, &anon, &file, &shmem), 5);
    EXPECT(anon > 0 && shmem >= 16);
    EXPECT(pss >= anon + file + shmem && pss <= anon + file + shmem + 2); // each is cut to whole kilobytes
    EXPECT_EQ(strncmp(smaps_of(p, "VmFlags:"), " rd wr sh mr mw me ms ", 22), 0);
    make_file("f", "x");
    int fd = open("f", O_RDONLY | O_CLOEXEC);
    char *q = mmap(nullptr, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    REQUIRE(q != MAP_FAILED);
    EXPECT_EQ(strncmp(smaps_of(q, "VmFlags:"), " rd mr me ms ", 13), 0); // to be written through it never
}

// Anonymous memory that no other is joined to.
static char *memory_alone(size_t size)
{
    char *p = mmap(nullptr, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED && mprotect(p + PAGE, size, PROT_READ | PROT_WRITE) == 0);
    return p + PAGE;
}

CASE(proc_clear_refs_makes_pages_unused)
{
    static const struct {
        const char *how;
        int anon, file;
    } rounds[] = {{"1", 0, 0}, {"2", 0, 8}, {"3", 8, 0}};
    make_file("f", "x");
    int fd = open("f", O_RDWR | O_CLOEXEC);
    REQUIRE(ftruncate(fd, 2 * PAGE) == 0);
    for (unsigned i = 0; i < 3; i++) {
        // New ones each time: a CPU that remembers the page need not note it a second time.
        char *anon = memory_alone(2 * PAGE), *file = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        REQUIRE(file != MAP_FAILED);
        anon[0] = anon[PAGE] = file[0] = file[PAGE] = 3;
        EXPECT_EQ(atoi(smaps_of(anon, "Referenced:")), 8);
        EXPECT_EQ(atoi(smaps_of(file, "Referenced:")), 8);
        EXPECT_EQ(write_text("/proc/self/clear_refs", rounds[i].how), 0);
        EXPECT_EQ(atoi(smaps_of(anon, "Referenced:")), rounds[i].anon);
        EXPECT_EQ(atoi(smaps_of(file, "Referenced:")), rounds[i].file);
        EXPECT_EQ(atoi(smaps_of(anon, "Private_Dirty:")), 8);
        EXPECT_EQ(anon[0] + anon[PAGE] + file[0] + file[PAGE], 12);
        munmap(file, 2 * PAGE);
    }
    // Of page tables that a forked process has in common with its parent.
    char *much = memory_alone(512 * PAGE);
    memset(much, 1, 512 * PAGE);
    IN_CHILD(child)
    {
        EXPECT_EQ(write_text("/proc/self/clear_refs", "1"), 0);
        EXPECT_EQ(atoi(smaps_of(much, "Referenced:")), 0);
        EXPECT_EQ(much[0] + much[511 * PAGE], 2);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(atoi(smaps_of(much, "Referenced:")), 512 * 4);
}

HELPER(lose_the_last_end)
{
    char before[1024], after[1024];
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t n = read(fd, before, sizeof before);
    argv[argc - 1][strlen(argv[argc - 1])] = 'X';
    ssize_t m = pread(fd, after, sizeof after, 0);
    // One text now, to its first end; the program's flags say that it is one of its own.
    char *flags = strrchr(strcpy(before + 512, file_text("/proc/self/stat")), ')');
    unsigned long bits = 0;
    sscanf(flags, ") %*c %*d %*d %*d %*d %*d %lu", &bits);
    return n > m && m == (ssize_t)strlen(before) + 1 && memcmp(before, after, (size_t)m) == 0 ? (bits & 0x40 ? 2 : 0) : 1;
}

CASE(proc_cmdline_and_flags_after_exec)
{
    IN_CHILD(child)
    {
        char *args[] = {"one", "two", nullptr}, *environment[] = {"A=1", nullptr};
        unsigned long bits = 0;
        sscanf(strrchr(file_text("/proc/self/stat"), ')'), ") %*c %*d %*d %*d %*d %*d %lu", &bits);
        EXPECT_EQ(bits & 0x40, 0x40); // forked, and no exec yet
        exec_helper("lose_the_last_end", args, environment);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

// --- Permissions ---

static int folders_in(const char *path)
{
    DIR *d = opendir(path);
    REQUIRE(d);
    int n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_type == DT_DIR && e->d_name[0] != '.';
    closedir(d);
    return n;
}

CASE(proc_folders_of_a_process_keep_their_modes)
{
    static const char *const folders[] = {"/proc/self/fd", "/proc/self/fdinfo", "/proc/self/task", "/proc/self/net/", "/proc/self/ns", "/proc/self/"};
    struct stat s = {};
    for (unsigned i = 0; i < 6; i++)
        EXPECT_ERRNO(chmod(folders[i], 0755), EPERM);
    EXPECT_EQ(stat("/proc/self/net/", &s), 0);
    EXPECT_EQ(s.st_mode, S_IFDIR | 0555);
    EXPECT_ERRNO(access("/proc/self/", W_OK), EPERM);
    EXPECT_ERRNO(chown("/proc/self/", 1, 1), EPERM);
    char task[64];
    snprintf(task, sizeof task, "/proc/self/task/%d", own_tid());
    EXPECT_EQ(stat("/proc/self/", &s), 0);
    EXPECT_EQ(s.st_nlink, 2 + folders_in("/proc/self/"));
    EXPECT_EQ(stat(task, &s), 0);
    EXPECT_EQ(s.st_nlink, 2 + folders_in(task));
    strcat(task, "/timerslack_ns"); // the process's alone
    EXPECT_ERRNO(stat(task, &s), ENOENT);
    EXPECT_EQ(stat("/proc/self/timerslack_ns", &s), 0);
}

CASE(proc_files_of_permissions_of_their_own)
{
    EXPECT_STR(file_text("/proc/1/oom_score"), "0\n"); // init is never taken
    EXPECT_ERRNO(access("/proc/sys/kernel/osrelease", W_OK), EACCES); // root or not
    EXPECT_ERRNO(open("/proc/sys/kernel/osrelease", O_WRONLY), EACCES);
    EXPECT_ERRNO(access("/proc/sys/kernel", W_OK), EACCES);
    EXPECT_EQ(access("/proc/sys/kernel/hostname", R_OK | W_OK), 0);
    EXPECT_EQ(write_text("/proc/self/setgroups", "junk"), -EINVAL);
    EXPECT_EQ(write_text("/proc/self/setgroups", "allow \n"), 0);
    EXPECT_EQ(write_text("/proc/self/setgroups", "deny"), -EPERM);
    EXPECT(strncmp(file_text("/proc/iomem"), "00000000-00000000 :", 19) != 0);
    IN_CHILD(child)
    {
        become(1000);
        EXPECT_ERRNO(open("/proc/thread-self/setgroups", O_WRONLY), EACCES);
        EXPECT_EQ(strncmp(file_text("/proc/iomem"), "00000000-00000000 :", 19), 0); // the names alone
        EXPECT_ERRNO(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

// --- Numbers ---

static int write_bytes(const char *path, const char *bytes, size_t size) // what was taken, or -errno
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, bytes, size);
    int result = n < 0 ? -errno : (int)n;
    close(fd);
    return result;
}

CASE(proc_sys_numbers_are_digits)
{
    static const char *const path = "/proc/sys/vm/overcommit_memory", *const whole = "/proc/sys/vm/mmap_min_addr";
    keep_setting(path);
    keep_setting(whole);
    EXPECT_EQ(write_bytes(path, "1\0", 2), -EINVAL);
    EXPECT_EQ(write_bytes(path, "+1", 2), -EINVAL);
    EXPECT_EQ(write_bytes(path, "0\r", 2), -EINVAL);
    EXPECT_EQ(write_bytes(path, "-0", 2), 2);
    EXPECT_EQ(write_bytes(whole, "-0", 2), -EINVAL); // has no sign
    EXPECT_EQ(write_bytes(whole, "\r65536\t", 7), 7);
    EXPECT_STR(file_text(path), "0\n");
}

CASE(proc_numbers_of_a_process_have_a_range)
{
    EXPECT_EQ(write_text("/proc/self/oom_score_adj", "99999999999"), -ERANGE);
    EXPECT_EQ(write_text("/proc/self/oom_adj", "2147483648"), -ERANGE);
    EXPECT_EQ(write_text("/proc/self/oom_score_adj", "1001"), -EINVAL);
    EXPECT_EQ(write_text("/proc/self/clear_refs", "2147483648"), -ERANGE);
    EXPECT_EQ(write_text("/proc/self/timerslack_ns", " 1"), -EINVAL);
    EXPECT_EQ(write_text("/proc/self/timerslack_ns", "1 "), -EINVAL);
    EXPECT_EQ(write_text("/proc/self/timerslack_ns", "70000\n"), 0);
    EXPECT_STR(file_text("/proc/self/timerslack_ns"), "70000\n");
}

CASE(proc_sys_kernel_printk_has_four_numbers)
{
    static const char *const path = "/proc/sys/kernel/printk";
    keep_setting(path);
    EXPECT_EQ(write_text(path, "3 3 2 5\n"), 0);
    EXPECT_STR(file_text(path), "3\t3\t2\t5\n");
    EXPECT_EQ(syscall(SYS_syslog, 8, nullptr, 1), 0); // not below the third
    EXPECT_STR(file_text(path), "2\t3\t2\t5\n");
    EXPECT_EQ(write_text(path, "-1"), 0);
    EXPECT_STR(file_text(path), "-1\t3\t2\t5\n");
    EXPECT_EQ(write_text(path, "0x10\n4"), 0);
    EXPECT_STR(file_text(path), "16\t4\t2\t5\n");
    EXPECT_EQ(write_bytes(path, "1\0", 2), -EINVAL);
}

// --- Children ---

CASE(proc_children_of_a_thread)
{
    char path[64], wanted[64];
    pid_t children[2];
    for (int i = 0; i < 2; i++)
        if (!(children[i] = fork_or_fail(__FILE_NAME__, __LINE__)))
            for (;;)
                pause();
    snprintf(path, sizeof path, "/proc/self/task/%d/children", own_tid());
    snprintf(wanted, sizeof wanted, "%d %d ", children[0], children[1]);
    EXPECT_STR(file_text(path), wanted);
    EXPECT(strtol(file_text("/proc/sys/kernel/ns_last_pid"), nullptr, 10) >= children[1]);
    for (int i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        EXPECT_KILLED(children[i], SIGKILL);
    }
    EXPECT_STR(file_text(path), "");
}

// --- Rows and columns ---

CASE(proc_rows_and_columns_that_tools_read)
{
    static const char *const rows[] = {"\npgpgin 0\n", "\npgpgout 0\n", "\npswpin 0\n", "\npswpout 0\n"};
    for (unsigned i = 0; i < 4; i++)
        EXPECT(strstr(file_text("/proc/vmstat"), rows[i]));
    const char *text = file_text("/proc/meminfo");
    EXPECT(strstr(text, "\nNFS_Unstable:          0 kB\nBounce:                0 kB\nWritebackTmp:          0 kB\nCommitLimit:"));
    EXPECT(strstr(text, "\nPercpu:") && strtol(strstr(text, "\nPercpu:") + 8, nullptr, 10) > 0);
    EXPECT(strtol(file_text("/proc/sys/vm/min_free_kbytes"), nullptr, 10) > 0);
    EXPECT_EQ(strspn(file_text("/proc/sys/kernel/tainted"), "0123456789") + 1, strlen(file_text("/proc/sys/kernel/tainted")));
    char flags[16] = {};
    EXPECT_EQ(sscanf(file_text("/proc/consoles"), "%*15s -W- (%15[^)])", flags), 1);
    EXPECT_STR(flags, "EC  p a"); // a column for each flag
}
