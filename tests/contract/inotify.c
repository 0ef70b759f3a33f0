// tests/contract/inotify.c — watching files and folders: inotify(7), inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2).
#include "tests/contract/harness.h"

#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/xattr.h>

static int watcher(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static int watch(int fd, const char *path, uint32_t mask)
{
    int wd = inotify_add_watch(fd, path, mask);
    REQUIRE(wd > 0);
    return wd;
}

static const struct { uint32_t bit; const char *name; } names[] = {
    {IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"}, {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"}, {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
    {IN_OPEN, "OPEN"}, {IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"}, {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"},
    {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"}, {IN_UNMOUNT, "UNMOUNT"}, {IN_Q_OVERFLOW, "OVERFLOW"}, {IN_IGNORED, "IGNORED"},
};

static uint32_t last_cookie;

// All events that wait, as text: "1:OPEN f|2:DELETE/d sub|" (watch, event, /d for IN_ISDIR, name).
static const char *events(int fd)
{
    static char text[4096];
    _Alignas(struct inotify_event) char buffer[4096];
    size_t used = 0;
    text[0] = 0;
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            struct inotify_event *e = (void *)(buffer + at);
            used += (size_t)snprintf(text + used, sizeof text - used, "%d:", e->wd);
            for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (e->mask & names[i].bit)
                    used += (size_t)snprintf(text + used, sizeof text - used, "%s", names[i].name);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s|", e->mask & IN_ISDIR ? "/d" : "", e->len ? " " : "", e->len ? e->name : "");
            if (e->cookie)
                last_cookie = e->cookie;
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
    EXPECT_EQ(errno, EAGAIN);
    return text;
}

CASE(inotify_file_life_seen_from_its_folder)
{
    int fd = watcher();
    watch(fd, ".", IN_ALL_EVENTS);
    int f = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_STR(events(fd), "1:CREATE f|1:OPEN f|");
    EXPECT_EQ(write(f, "abc", 3), 3);
    EXPECT_EQ(pread(f, (char[3]){}, 3, 0), 3);
    EXPECT_EQ(pread(f, (char[3]){}, 3, 3), 0); // nothing read, nothing told
    EXPECT_STR(events(fd), "1:MODIFY f|1:ACCESS f|");
    EXPECT_EQ(ftruncate(f, 1), 0);
    EXPECT_EQ(fchmod(f, 0640), 0);
    EXPECT_EQ(fchown(f, 1, -1), 0);
    EXPECT_STR(events(fd), "1:MODIFY f|1:ATTRIB f|");
    close(f);
    EXPECT_EQ(close(open("f", O_RDONLY)), 0);
    EXPECT_STR(events(fd), "1:CLOSE_WRITE f|1:OPEN f|1:CLOSE_NOWRITE f|");
    EXPECT_EQ(close(open("f", O_PATH)), 0); // only a place: not opened
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_STR(events(fd), "1:DELETE f|");
}

CASE(inotify_file_watched_itself)
{
    int fd = watcher();
    make_file("f", "abc");
    watch(fd, "f", IN_ALL_EVENTS);
    EXPECT_EQ(close(open("f", O_WRONLY | O_TRUNC)), 0);
    EXPECT_STR(events(fd), "1:OPEN|1:MODIFY|1:CLOSE_WRITE|");
    EXPECT_EQ(rename("f", "g"), 0);
    EXPECT_STR(events(fd), "1:MOVE_SELF|");
    EXPECT_EQ(link("g", "h"), 0);
    EXPECT_EQ(unlink("g"), 0);
    EXPECT_STR(events(fd), "1:ATTRIB|");
    EXPECT_EQ(unlink("h"), 0);
    EXPECT_STR(events(fd), "1:ATTRIB|1:DELETE_SELF|1:IGNORED|");
    EXPECT_ERRNO(inotify_rm_watch(fd, 1), EINVAL);
}

CASE(inotify_deletion_waits_for_the_last_close)
{
    int fd = watcher();
    make_file("f", "abc");
    int f = open("f", O_RDONLY);
    watch(fd, "f", IN_ALL_EVENTS);
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_STR(events(fd), "1:ATTRIB|");
    close(f);
    EXPECT_STR(events(fd), "1:CLOSE_NOWRITE|1:DELETE_SELF|1:IGNORED|");
}

CASE(inotify_deletion_does_not_wait_for_who_has_read_the_folder)
{
    int fd = watcher();
    REQUIRE(mkdir("d", 0755) == 0);
    make_file("d/f", "");
    watch(fd, "d/f", IN_ALL_EVENTS);
    DIR *dir = opendir("d");
    REQUIRE(dir);
    while (readdir(dir))
        ;
    EXPECT_EQ(unlink("d/f"), 0);
    EXPECT_STR(events(fd), "1:ATTRIB|1:DELETE_SELF|1:IGNORED|");
    closedir(dir);
}

CASE(inotify_file_and_folder_watched_by_one)
{
    int fd = watcher();
    make_file("f", "abc");
    watch(fd, ".", IN_ALL_EVENTS);
    watch(fd, "f", IN_ALL_EVENTS);
    EXPECT_EQ(chmod("f", 0600), 0);
    EXPECT_STR(events(fd), "1:ATTRIB f|2:ATTRIB|");
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_STR(events(fd), "2:ATTRIB|2:DELETE_SELF|2:IGNORED|1:DELETE f|");
}

CASE(inotify_folders)
{
    int fd = watcher();
    watch(fd, ".", IN_ALL_EVENTS);
    EXPECT_EQ(mkdir("d", 0755), 0);
    watch(fd, "d", IN_ALL_EVENTS);
    EXPECT_STR(events(fd), "1:CREATE/d d|");
    int d = open("d", O_RDONLY);
    char buffer[512];
    EXPECT(syscall(SYS_getdents64, d, buffer, sizeof buffer) > 0);
    close(d);
    EXPECT_STR(events(fd), "1:OPEN/d d|2:OPEN/d|1:ACCESS/d d|2:ACCESS/d|1:CLOSE_NOWRITE/d d|2:CLOSE_NOWRITE/d|");
    EXPECT_EQ(mkdir("d/e", 0755), 0);
    EXPECT_EQ(chmod("d", 0700), 0);
    EXPECT_STR(events(fd), "2:CREATE/d e|1:ATTRIB/d d|2:ATTRIB/d|");
    EXPECT_EQ(rmdir("d/e"), 0);
    EXPECT_EQ(rmdir("d"), 0);
    EXPECT_STR(events(fd), "2:DELETE/d e|2:DELETE_SELF|2:IGNORED|1:DELETE/d d|");
}

CASE(inotify_other_names)
{
    int fd = watcher();
    watch(fd, ".", IN_ALL_EVENTS);
    EXPECT_EQ(symlink("nowhere", "s"), 0);
    EXPECT_EQ(mkfifo("p", 0600), 0);
    EXPECT_EQ(mknod("n", S_IFREG | 0600, 0), 0);
    EXPECT_EQ(link("n", "m"), 0);
    EXPECT_STR(events(fd), "1:CREATE s|1:CREATE p|1:CREATE n|1:CREATE m|");
    EXPECT_EQ(setxattr("n", "trusted.x", "1", 1, 0), 0);
    EXPECT_EQ(removexattr("n", "trusted.x"), 0);
    EXPECT_STR(events(fd), "1:ATTRIB n|");
    EXPECT_EQ(utimensat(AT_FDCWD, "n", nullptr, 0), 0);
    struct timespec one[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    EXPECT_EQ(utimensat(AT_FDCWD, "n", one, 0), 0);
    struct timespec other[2] = {{.tv_sec = 1}, {.tv_nsec = UTIME_OMIT}};
    EXPECT_EQ(utimensat(AT_FDCWD, "n", other, 0), 0);
    EXPECT_STR(events(fd), "1:ATTRIB n|1:MODIFY n|1:ACCESS n|");
}

CASE(inotify_renames)
{
    int fd = watcher();
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
    make_file("a/f", "x");
    make_file("b/old", "y");
    watch(fd, "a", IN_ALL_EVENTS);
    watch(fd, "b", IN_ALL_EVENTS);
    EXPECT_EQ(rename("a/f", "a/g"), 0);
    EXPECT_STR(events(fd), "1:MOVED_FROM f|1:MOVED_TO g|");
    uint32_t first = last_cookie;
    EXPECT(first != 0);
    watch(fd, "b/old", IN_ALL_EVENTS);
    watch(fd, "a/g", IN_ALL_EVENTS);
    EXPECT_EQ(rename("a/g", "b/old"), 0); // replaces
    EXPECT_STR(events(fd), "1:MOVED_FROM g|2:MOVED_TO old|3:ATTRIB|4:MOVE_SELF|3:DELETE_SELF|3:IGNORED|");
    EXPECT(last_cookie != first);
    REQUIRE(mkdir("a/d", 0755) == 0);
    (void)events(fd);
    EXPECT_EQ(syscall(SYS_renameat2, AT_FDCWD, "a/d", AT_FDCWD, "b/old", 2 /* RENAME_EXCHANGE */), 0);
    EXPECT_STR(events(fd), "1:MOVED_FROM/d d|2:MOVED_TO/d old|2:MOVED_FROM old|1:MOVED_TO d|4:MOVE_SELF|");
}

CASE(inotify_only_what_was_asked_for)
{
    int fd = watcher();
    make_file("f", "abc");
    EXPECT_EQ(watch(fd, "f", IN_OPEN), 1);
    EXPECT_EQ(watch(fd, "./f", IN_CLOSE_NOWRITE), 1); // the same inode: replaced
    EXPECT_EQ(close(open("f", O_RDONLY)), 0);
    EXPECT_STR(events(fd), "1:CLOSE_NOWRITE|");
    EXPECT_EQ(watch(fd, "f", IN_OPEN | IN_MASK_ADD), 1);
    EXPECT_EQ(close(open("f", O_RDONLY)), 0);
    EXPECT_STR(events(fd), "1:OPEN|1:CLOSE_NOWRITE|");
    EXPECT_ERRNO(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
    EXPECT_EQ(inotify_rm_watch(fd, 1), 0);
    EXPECT_EQ(close(open("f", O_RDONLY)), 0);
    EXPECT_STR(events(fd), "1:IGNORED|");
    EXPECT_EQ(watch(fd, "f", IN_OPEN), 2); // numbers are not used again
}

CASE(inotify_one_shot)
{
    int fd = watcher();
    make_file("f", "abc");
    watch(fd, "f", IN_OPEN | IN_ONESHOT);
    EXPECT_EQ(close(open("f", O_RDONLY)), 0);
    EXPECT_EQ(close(open("f", O_RDONLY)), 0);
    EXPECT_STR(events(fd), "1:OPEN|1:IGNORED|");
}

CASE(inotify_exclude_unlinked)
{
    int all = watcher(), named = watcher();
    make_file("f", "abc");
    int f = open("f", O_RDWR);
    watch(all, ".", IN_MODIFY);
    watch(named, ".", IN_MODIFY | IN_EXCL_UNLINK);
    EXPECT_EQ(write(f, "x", 1), 1);
    EXPECT_STR(events(named), "1:MODIFY f|");
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_EQ(write(f, "x", 1), 1);
    EXPECT_STR(events(all), "1:MODIFY f|");
    EXPECT_STR(events(named), "");
}

CASE(inotify_equal_events_in_a_row_are_one)
{
    int fd = watcher(), waiting = 0;
    make_file("f", "abc");
    watch(fd, ".", IN_MODIFY | IN_ATTRIB);
    int f = open("f", O_WRONLY);
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(write(f, "x", 1), 1);
    EXPECT_EQ(ioctl(fd, FIONREAD, &waiting), 0);
    EXPECT_EQ(waiting, 32);
    EXPECT_EQ(fchmod(f, 0600), 0);
    EXPECT_EQ(write(f, "x", 1), 1);
    EXPECT_STR(events(fd), "1:MODIFY f|1:ATTRIB f|1:MODIFY f|");
}

CASE(inotify_read_needs_room_for_one_event)
{
    int fd = watcher();
    char buffer[64];
    watch(fd, ".", IN_CREATE);
    EXPECT_ERRNO(read(fd, buffer, sizeof buffer), EAGAIN);
    EXPECT_EQ(mkdir("a-name-of-16-chr", 0755), 0);
    EXPECT_ERRNO(read(fd, buffer, 16), EINVAL);
    EXPECT_ERRNO(read(fd, buffer, 47), EINVAL);
    EXPECT_EQ(mkdir("b", 0755), 0);
    EXPECT_EQ(read(fd, buffer, 64), 48); // the second does not fit any more
    struct inotify_event *e = (void *)buffer;
    EXPECT_EQ(e->len, 32);
    EXPECT_STR(e->name, "a-name-of-16-chr");
    EXPECT_EQ(read(fd, buffer, 32), 32);
    EXPECT_EQ(e->len, 16);
    EXPECT_ERRNO(write(fd, buffer, 1), EBADF);
    EXPECT_EQ(lseek(fd, 5, SEEK_SET), 0); // no error, and no effect
}

static void make_d(long)
{
    EXPECT_EQ(mkdir("d", 0755), 0);
}

CASE(inotify_reader_and_poller_are_woken)
{
    int fd = inotify_init();
    char buffer[64];
    watch(fd, ".", IN_CREATE | IN_DELETE);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, 0), 0);
    thread_t maker = after_ms(30, make_d, 0);
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(p.revents, POLLIN);
    join(maker);
    EXPECT_EQ(read(fd, buffer, sizeof buffer), 32);
    EXPECT_EQ(rmdir("d"), 0);
    EXPECT_EQ(read(fd, buffer, sizeof buffer), 32);
    maker = after_ms(30, make_d, 0);
    EXPECT_EQ(read(fd, buffer, sizeof buffer), 32); // asleep until then
    join(maker);
}

CASE(inotify_read_is_interrupted)
{
    int fd = inotify_init();
    char buffer[64];
    count_signal(SIGUSR1, 0);
    watch(fd, ".", IN_CREATE);
    thread_t killer = after_ms(30, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(read(fd, buffer, sizeof buffer), EINTR);
    join(killer);
}

CASE(inotify_signals_its_owner)
{
    int fd = watcher();
    count_signal(SIGIO, 0);
    watch(fd, ".", IN_CREATE);
    EXPECT_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
    EXPECT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC), 0);
    EXPECT_EQ(mkdir("d", 0755), 0);
    EXPECT_EQ(handled_signals, 1);
}

CASE(inotify_unmount_ends_the_watch)
{
    int fd = watcher();
    own_mount_namespace();
    REQUIRE(mkdir("m", 0755) == 0 && mount("t", "m", "tmpfs", 0, nullptr) == 0);
    make_file("m/f", "x");
    watch(fd, "m/f", IN_OPEN);
    EXPECT_EQ(umount("m"), 0);
    EXPECT_STR(events(fd), "1:UNMOUNT|1:IGNORED|");
    EXPECT_ERRNO(inotify_rm_watch(fd, 1), EINVAL);
}

CASE(inotify_overflow_is_told_once)
{
    keep_setting("/proc/sys/fs/inotify/max_queued_events");
    EXPECT(atoi(file_text("/proc/sys/fs/inotify/max_queued_events")) > 4);
    EXPECT_EQ(write_text("/proc/sys/fs/inotify/max_queued_events", "4"), 0);
    int fd = watcher();
    make_file("f", "x");
    make_file("g", "x");
    watch(fd, ".", IN_OPEN);
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(close(open(i & 1 ? "g" : "f", O_RDONLY)), 0);
    EXPECT_STR(events(fd), "1:OPEN f|1:OPEN g|1:OPEN f|1:OPEN g|-1:OVERFLOW|");
}

CASE(inotify_errors)
{
    int fd = watcher();
    EXPECT_ERRNO(inotify_init1(1), EINVAL);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(inotify_add_watch(fd, ".", 0), EINVAL);
    EXPECT_ERRNO(inotify_add_watch(fd, ".", 0x1000), EINVAL);
    EXPECT_ERRNO(inotify_add_watch(fd, ".", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
    EXPECT_ERRNO(inotify_add_watch(99, ".", IN_OPEN), EBADF);
    EXPECT_ERRNO(inotify_add_watch(0, ".", IN_OPEN), EINVAL);
    EXPECT_ERRNO(inotify_add_watch(fd, "none", IN_OPEN), ENOENT);
    EXPECT_ERRNO(inotify_add_watch(fd, "", IN_OPEN), ENOENT);
    EXPECT_ERRNO(inotify_add_watch(fd, (char *)8, IN_OPEN), EFAULT);
    make_file("f", "x");
    EXPECT_ERRNO(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    REQUIRE(symlink("f", "l") == 0);
    EXPECT_EQ(inotify_add_watch(fd, "l", IN_OPEN), 1);
    EXPECT_EQ(inotify_add_watch(fd, "f", IN_OPEN), 1);
    EXPECT_EQ(inotify_add_watch(fd, "l", IN_OPEN | IN_DONT_FOLLOW), 2);
    EXPECT_ERRNO(inotify_rm_watch(fd, 77), EINVAL);
    EXPECT_ERRNO(inotify_rm_watch(0, 1), EINVAL);
    EXPECT_ERRNO(inotify_rm_watch(99, 1), EBADF);
    REQUIRE(chmod("f", 0) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1234) == 0);
        EXPECT_ERRNO(inotify_add_watch(fd, "f", IN_OPEN), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

CASE(inotify_limits_per_user)
{
    keep_setting("/proc/sys/fs/inotify/max_user_watches");
    EXPECT(atoi(file_text("/proc/sys/fs/inotify/max_user_watches")) >= 8192);
    EXPECT_EQ(write_text("/proc/sys/fs/inotify/max_user_watches", "2"), 0);
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mkdir("c", 0755) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1234) == 0);
        int fd = watcher();
        watch(fd, "a", IN_OPEN);
        watch(fd, "b", IN_OPEN);
        EXPECT_ERRNO(inotify_add_watch(fd, "c", IN_OPEN), ENOSPC);
        watch(fd, "b", IN_CREATE); // a change, not one more
        close(fd);
        fd = watcher();
        watch(fd, "c", IN_OPEN); // they went with their descriptor
        int n = 1;
        while (n < 1000 && inotify_init1(0) >= 0)
            n++;
        EXPECT_EQ(errno, EMFILE);
        EXPECT_EQ(n, 128);
    }
    EXPECT_EXITED(child, 0);
}

static void *churn(void *arg)
{
    char name[8];
    snprintf(name, sizeof name, "t%ld", (long)arg);
    for (int i = 0; i < 500; i++) {
        int f = open(name, O_RDWR | O_CREAT, 0600);
        EXPECT(f >= 0);
        close(f);
        EXPECT_EQ(unlink(name), 0);
    }
    return nullptr;
}

CASE(inotify_watches_come_and_go_while_threads_work)
{
    pthread_t t[3];
    for (long i = 0; i < 3; i++)
        REQUIRE(pthread_create(&t[i], nullptr, churn, (void *)i) == 0);
    for (int i = 0; i < 500; i++) {
        int fd = watcher();
        int dir = watch(fd, ".", IN_ALL_EVENTS);
        (void)inotify_add_watch(fd, "t0", IN_ALL_EVENTS);
        (void)inotify_add_watch(fd, "t1", IN_ALL_EVENTS | IN_ONESHOT);
        if (i & 1)
            EXPECT_EQ(inotify_rm_watch(fd, dir), 0);
        close(fd);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], nullptr);
}
