// tests/stress/files.c — work on files: folders, locks, terminals, /proc.
#include "churn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char *in_folder(const char *name, unsigned number)
{
    static char paths[4][80];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s%u", folder, name, number);
    return path;
}

static void names(void)
{
    CHECK(mkdir(in_folder("dir", 0), 0755) == 0);
    for (unsigned i = 0; i < 10; i++) {
        int fd = open(in_folder("file", i), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
        CHECK(fd >= 0 && write(fd, folder, sizeof folder) == sizeof folder);
        close(fd);
    }
    CHECK(link(in_folder("file", 0), in_folder("link", 0)) == 0);
    CHECK(symlink("nowhere", in_folder("symlink", 0)) == 0);
    CHECK(mkfifo(in_folder("fifo", 0), 0600) == 0);
    CHECK(rename(in_folder("file", 1), in_folder("dir0/moved", 1)) == 0);
    CHECK(rename(in_folder("file", 2), in_folder("file", 3)) == 0);
    CHECK(setxattr(in_folder("file", 4), "user.churn", "value", 5, 0) == 0 || errno == EOPNOTSUPP);
    int unnamed = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    CHECK(unnamed >= 0 && ftruncate(unnamed, 1 << 20) == 0 && pwrite(unnamed, "x", 1, 1 << 19) == 1);
    close(unnamed);
    int held = open(in_folder("file", 4), O_RDWR | O_CLOEXEC);
    CHECK(access(in_folder("missing", pick(1000)), F_OK) != 0);
    CHECK(unlink(in_folder("dir0/moved", 1)) == 0 && rmdir(in_folder("dir", 0)) == 0);
    CHECK(unlink(in_folder("link", 0)) == 0 && unlink(in_folder("symlink", 0)) == 0 && unlink(in_folder("fifo", 0)) == 0);
    CHECK(unlink(in_folder("file", 0)) == 0);
    for (unsigned i = 3; i < 10; i++)
        CHECK(unlink(in_folder("file", i)) == 0);
    char byte;
    CHECK(pread(held, &byte, 1, 0) == 1); // open, without a name
    close(held);
}

// The child dies with its locks; the worker, who waits for one, gets it.
static void locks(void)
{
    char *path = in_folder("lock", 0);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600), ready[2];
    CHECK(fd >= 0 && pipe2(ready, O_CLOEXEC) == 0);
    pid_t child = fork_or_die();
    if (child == 0) {
        struct flock whole = {.l_type = F_WRLCK}, part = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};
        int own = open(path, O_RDWR | O_CLOEXEC);
        if (flock(own, LOCK_EX) || fcntl(fd, F_SETLK, &whole) || write(ready[1], "r", 1) != 1)
            _exit(1);
        (void)fcntl(own, F_OFD_SETLK, &part); // in the way of nobody: refused by the lock above, or not
        usleep(pick(1000));
        _exit(0);
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    int mine = open(path, O_RDWR | O_CLOEXEC);
    struct flock wait = {.l_type = F_WRLCK, .l_start = 5, .l_len = 1};
    CHECK(flock(mine, LOCK_EX) == 0 && fcntl(mine, F_SETLKW, &wait) == 0);
    expect_status(child, EXITED(0));
    close(mine);
    close(fd);
    close(ready[0]);
    close(ready[1]);
    unlink(path);
}

// A session on a terminal of its own; when its master goes, the session is hung up.
static void terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[32];
    CHECK(master >= 0 && unlockpt(master) == 0 && ptsname_r(master, name, sizeof name) == 0);
    pid_t child = fork_or_die();
    if (child == 0) {
        signal(SIGHUP, SIG_DFL);
        setsid();
        int fd = open(name, O_RDWR);
        if (ioctl(fd, TIOCSCTTY, 0) || write(fd, "hello\n", 6) != 6)
            _exit(1);
        close(master);
        for (;;)
            pause();
    }
    char text[64];
    CHECK(read(master, text, sizeof text) > 0);
    CHECK(write(master, "typed\n", 6) == 6);
    close(master);
    expect_status(child, KILLED_BY(SIGHUP));
}

static void read_whole(const char *path)
{
    char buffer[1000]; // smaller than most: several reads a file
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; // the process is gone
    while (read(fd, buffer, sizeof buffer) > 0)
        ;
    close(fd);
}

// What is said about processes, while they come and go.
static void process_files(void)
{
    static const char *const files[] = {"maps", "smaps", "status", "stat", "statm", "cmdline", "environ", "mountinfo",
                                        "limits", "fdinfo/1", "task", "cgroup", "oom_score", "io", "wchan"};
    unsigned pid = (unsigned)getpid() + pick(40);
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        const char *file = files[pick(sizeof files / sizeof files[0])];
        snprintf(path, sizeof path, "/proc/%u/%s", pid, file);
        read_whole(path);
        snprintf(path, sizeof path, "/proc/self/%s", file);
        read_whole(path);
    }
    read_whole("/proc/meminfo");
    read_whole("/proc/stat");
}

const struct action file_actions[] = {
    {"names", names}, {"locks", locks}, {"terminal", terminal}, {"process_files", process_files}, {},
};
