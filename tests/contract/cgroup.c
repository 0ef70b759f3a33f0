// tests/contract/cgroup.c — control groups: cgroups(7), version 2: the tree, members, events, killing, and the pids controller.
#include "tests/contract/cgroup.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/statvfs.h>

CASE(cgroup_tree_has_its_files)
{
    static const char *files[] = {"cgroup.procs",       "cgroup.threads", "cgroup.controllers",     "cgroup.subtree_control", "cgroup.events",
                                  "cgroup.max.depth",   "cgroup.stat",    "cgroup.max.descendants", "cgroup.freeze",          "cgroup.type",
                                  "cgroup.kill",        "pids.max",       "pids.current",           "pids.events"};
    make_group();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "cg/g/%s", files[i]);
        EXPECT_EQ(access(path, F_OK), 0);
    }
    EXPECT(strstr(file_text("cg/cgroup.controllers"), "pids"));
    EXPECT_STR(file_text("cg/g/cgroup.type"), "domain\n");
    EXPECT_STR(file_text("cg/g/cgroup.procs"), "");
    EXPECT_STR(file_text("cg/g/pids.max"), "max\n");
    EXPECT_STR(file_text("cg/g/pids.current"), "0\n");
    EXPECT_STR(file_text("cg/g/cgroup.max.depth"), "max\n");
    EXPECT_ERRNO(access("cg/cgroup.events", F_OK), ENOENT); // the root is different
    EXPECT_ERRNO(access("cg/pids.max", F_OK), ENOENT);
    EXPECT_ERRNO(open("cg/g/new", O_WRONLY | O_CREAT, 0644), EACCES);
    EXPECT_ERRNO(unlink("cg/g/cgroup.procs"), EPERM);
    EXPECT_ERRNO(mkdir("cg/g", 0755), EEXIST);
    remove_group();
}

CASE(cgroup_files_are_no_programs)
{
    struct statvfs fs;
    make_group();
    REQUIRE(chmod("cg/g/cgroup.kill", 0700) == 0);
    EXPECT_ERRNO(execv("cg/g/cgroup.kill", (char *[]){"kill", nullptr}), EACCES);
    EXPECT(statvfs("cg/g", &fs) == 0 && !(fs.f_flag & ST_NOEXEC)); // nothing that the mount says
    remove_group();
}

CASE(cgroup_files_of_a_read_only_mount_are_not_written)
{
    make_group();
    REQUIRE(mount(nullptr, "cg", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    EXPECT_ERRNO(open("cg/g/cgroup.kill", O_WRONLY), EROFS);
    REQUIRE(mount(nullptr, "cg", nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0);
    remove_group();
}

CASE(cgroup_membership_is_inherited_and_shown)
{
    make_group();
    IN_CHILD(child)
    {
        join_group("cg/g");
        EXPECT(strstr(file_text("/proc/self/cgroup"), "0::/g\n"));
        IN_CHILD(inner)
        {
            EXPECT(strstr(file_text("/proc/self/cgroup"), "0::/g\n"));
            EXPECT_STR(file_text("cg/g/pids.current"), "2\n");
        }
        EXPECT_EXITED(inner, 0);
        char text[16];
        snprintf(text, sizeof text, "%d\n", getpid());
        EXPECT_STR(file_text("cg/g/cgroup.procs"), text);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_STR(file_text("cg/g/cgroup.procs"), "");
    remove_group();
}

CASE(cgroup_procs_moves_processes_and_checks)
{
    make_group();
    pid_t child = member("cg/g");
    char text[16];
    snprintf(text, sizeof text, "%d\n", child);
    EXPECT_STR(file_text("cg/g/cgroup.procs"), text);
    EXPECT_EQ(write_text("cg/cgroup.procs", text), 0); // back to the root
    EXPECT_STR(file_text("cg/g/cgroup.procs"), "");
    EXPECT_EQ(write_text("cg/g/cgroup.procs", "67108000"), -ESRCH);
    EXPECT_EQ(write_text("cg/g/cgroup.procs", "x"), -EINVAL);
    EXPECT_EQ(write_text("cg/g/cgroup.procs", "-5"), -EINVAL);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    remove_group();
}

CASE(cgroup_procs_moves_what_its_opener_may_move)
{
    make_group();
    REQUIRE(chown("cg/g", 1000, 1000) == 0 && chown("cg/g/cgroup.procs", 1000, 1000) == 0);
    REQUIRE(seteuid(1000) == 0);
    int fd = open("cg/g/cgroup.procs", O_WRONLY);
    REQUIRE(fd >= 0 && seteuid(0) == 0);
    EXPECT_ERRNO(write(fd, "0", 1), EACCES); // out of the root group, which is not the opener's
    EXPECT_STR(file_text("cg/g/cgroup.procs"), "");
    pid_t child = member("cg/g");
    char text[16];
    snprintf(text, sizeof text, "%d", child);
    EXPECT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text)); // from a group to itself
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    close(fd);
    remove_group();
}

CASE(cgroup_events_say_whether_populated)
{
    make_group();
    EXPECT(has_line("cg/g/cgroup.events", "populated 0"));
    REQUIRE(mkdir("cg/g/h", 0755) == 0);
    pid_t child = member("cg/g/h");
    EXPECT(has_line("cg/g/cgroup.events", "populated 1")); // by a descendant
    EXPECT_ERRNO(rmdir("cg/g/h"), EBUSY);
    EXPECT_ERRNO(rmdir("cg/g"), EBUSY);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    expect_soon("populated 0");
    EXPECT_ERRNO(rmdir("cg/g"), EBUSY); // it has a child
    EXPECT_EQ(rmdir("cg/g/h"), 0);
    remove_group();
}

CASE(cgroup_events_wake_pollers)
{
    make_group();
    pid_t child = member("cg/g");
    int fd = open("cg/g/cgroup.events", O_RDONLY);
    char text[64];
    REQUIRE(read(fd, text, sizeof text) > 0);
    struct pollfd p = {.fd = fd, .events = POLLPRI};
    EXPECT_EQ(poll(&p, 1, 0), 0);
    thread_t killer = after_ms(30, kill_child, pack_kill(child, SIGKILL));
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT(p.revents & POLLPRI);
    join(killer);
    close(fd);
    EXPECT_KILLED(child, SIGKILL);
    remove_group();
}

// An IN_MODIFY of that watch, with that name, comes soon. Others are passed over.
static bool hears_of(int inotify, int wd, const char *name)
{
    _Alignas(struct inotify_event) char text[4096];
    struct pollfd p = {.fd = inotify, .events = POLLIN};
    for (int64_t end = soon(); now_ns() < end && poll(&p, 1, LONG_TIMEOUT_MS) == 1;) {
        ssize_t n = read(inotify, text, sizeof text);
        REQUIRE(n > 0);
        const struct inotify_event *e;
        for (const char *at = text; at < text + n; at += sizeof *e + e->len) {
            e = (const void *)at;
            if (e->wd == wd && e->mask == IN_MODIFY && strcmp(e->len ? e->name : "", name) == 0)
                return true;
        }
    }
    return false;
}

CASE(cgroup_events_tell_who_watches)
{
    make_group();
    int file = inotify_init1(IN_CLOEXEC), folder = inotify_init1(IN_CLOEXEC);
    int wd = inotify_add_watch(file, "cg/g/cgroup.events", IN_MODIFY), in = inotify_add_watch(folder, "cg/g", IN_MODIFY);
    pid_t child = member("cg/g");
    EXPECT(hears_of(file, wd, ""));
    EXPECT(hears_of(folder, in, "cgroup.events"));
    kill(child, SIGKILL);
    EXPECT(hears_of(file, wd, ""));
    EXPECT(hears_of(folder, in, "cgroup.events"));
    EXPECT_KILLED(child, SIGKILL);
    remove_group();
}

CASE(cgroup_pids_events_tell_who_watches)
{
    make_group();
    int inotify = inotify_init1(IN_CLOEXEC), wd = inotify_add_watch(inotify, "cg/g/pids.events", IN_MODIFY);
    EXPECT_EQ(write_text("cg/g/pids.max", "1"), 0);
    IN_CHILD(child)
    {
        join_group("cg/g");
        EXPECT_ERRNO(fork(), EAGAIN);
    }
    EXPECT(hears_of(inotify, wd, ""));
    EXPECT_EXITED(child, 0);
    remove_group();
}

CASE(cgroup_kill_kills_the_subtree)
{
    make_group();
    REQUIRE(mkdir("cg/g/h", 0755) == 0);
    pid_t a = member("cg/g"), b = member("cg/g/h");
    EXPECT_EQ(write_text("cg/g/cgroup.kill", "0"), -ERANGE);
    EXPECT_EQ(write_text("cg/g/cgroup.kill", "1"), 0);
    EXPECT_KILLED(a, SIGKILL);
    EXPECT_KILLED(b, SIGKILL);
    EXPECT_EQ(rmdir("cg/g/h"), 0);
    remove_group();
}

CASE(cgroup_kill_spares_the_init_that_writes_it)
{
    make_group();
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            join_group("cg/g");
            IN_CHILD(other)
            {
                for (;;)
                    pause();
            }
            EXPECT_EQ(write_text("cg/g/cgroup.kill", "1"), 0);
            EXPECT_KILLED(other, SIGKILL);
            _exit(7);
        }
        EXPECT_EXITED(init, 7);
    }
    EXPECT_EXITED(child, 0);
    // From outside it dies as any other.
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            join_group("cg/g");
            for (;;)
                pause();
        }
        while (!*file_text("cg/g/cgroup.procs"))
            sleep_ms(1);
        EXPECT_EQ(write_text("cg/g/cgroup.kill", "1"), 0);
        EXPECT_KILLED(init, SIGKILL);
    }
    EXPECT_EXITED(outside, 0);
    remove_group();
}

CASE(cgroup_settings_of_a_removed_group_are_enodev)
{
    static const char *names[] = {"cgroup.freeze", "cgroup.kill", "cgroup.max.depth", "cgroup.max.descendants", "cgroup.procs", "pids.max"};
    enum { NAMES = sizeof names / sizeof names[0] };
    int fds[NAMES];
    make_group();
    for (int i = 0; i < NAMES; i++) {
        char path[64];
        snprintf(path, sizeof path, "cg/g/%s", names[i]);
        fds[i] = open(path, O_WRONLY);
        REQUIRE(fds[i] >= 0);
    }
    remove_group();
    for (int i = 0; i < NAMES; i++)
        EXPECT_ERRNO(write(fds[i], "1", 1), ENODEV);
}


static void *tell_group(void *)
{
    EXPECT_STR(file_text("/proc/thread-self/cgroup"), "0::/g\n");
    return nullptr;
}

static void *move_without_leader(void *leader)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)(intptr_t)leader);
    while (!strstr(file_text(path), ") Z "))
        sched_yield();
    join_group("cg/g");
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, tell_group, nullptr), 0);
    pthread_join(thread, nullptr);
    tell_group(nullptr);
    exit(0);
}

CASE(cgroup_of_a_new_thread_is_its_makers_though_the_leader_has_ended)
{
    make_group();
    IN_CHILD(child)
    {
        pthread_t thread;
        REQUIRE_EQ(pthread_create(&thread, nullptr, move_without_leader, (void *)(intptr_t)own_tid()), 0);
        syscall(SYS_exit, 0);
    }
    EXPECT_EXITED(child, 0);
    remove_group();
}

CASE(cgroup_clone3_into_a_group_is_a_move_like_others)
{
    make_group();
    struct clone_args args = {.flags = CLONE_INTO_CGROUP | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD};
    static char stack[4096] __attribute__((aligned(16)));
    args.stack = (uint64_t)(uintptr_t)stack;
    args.stack_size = sizeof stack;
    args.cgroup = (uint64_t)open("cg/g", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EOPNOTSUPP); // a thread is where its process is
    REQUIRE(chown("cg/g/cgroup.procs", 1000, 1000) == 0);
    IN_CHILD(user)
    {
        REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
        args = (struct clone_args){.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = args.cgroup};
        EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EACCES); // out of the root group, which is not the user's
    }
    EXPECT_EXITED(user, 0);
    remove_group();
}

CASE(cgroup_pids_max_limits_fork)
{
    make_group();
    EXPECT_EQ(write_text("cg/g/pids.max", "3"), 0);
    EXPECT_STR(file_text("cg/g/pids.max"), "3\n");
    EXPECT_EQ(write_text("cg/g/pids.max", "-1"), -EINVAL);
    EXPECT_EQ(write_text("cg/g/pids.max", "many"), -EINVAL);
    IN_CHILD(child)
    {
        join_group("cg/g");
        pid_t kids[2];
        for (int i = 0; i < 2; i++) {
            kids[i] = fork();
            if (kids[i] == 0) {
                pause();
                _exit(0);
            }
        }
        EXPECT_STR(file_text("cg/g/pids.current"), "3\n");
        EXPECT_ERRNO(fork(), EAGAIN);
        EXPECT(strstr(file_text("cg/g/pids.events"), "max 1"));
        kill(kids[0], SIGKILL);
        EXPECT_KILLED(kids[0], SIGKILL);
        pid_t again = fork(); // there is room
        if (again == 0)
            _exit(0);
        EXPECT(again > 0);
        EXPECT_EXITED(again, 0);
        kill(kids[1], SIGKILL);
        EXPECT_KILLED(kids[1], SIGKILL);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(write_text("cg/g/pids.max", "max"), 0);
    remove_group();
}

CASE(cgroup_pids_count_the_dead_until_they_are_reaped)
{
    make_group();
    EXPECT_EQ(write_text("cg/g/pids.max", "3"), 0);
    IN_CHILD(child)
    {
        join_group("cg/g");
        pid_t kids[2];
        siginfo_t info;
        for (int i = 0; i < 2; i++) {
            kids[i] = fork();
            if (kids[i] == 0)
                _exit(0);
            EXPECT_EQ(waitid(P_PID, (id_t)kids[i], &info, WEXITED | WNOWAIT), 0);
        }
        EXPECT_STR(file_text("cg/g/pids.current"), "3\n");
        EXPECT_ERRNO(fork(), EAGAIN);
        EXPECT_EXITED(kids[0], 0);
        EXPECT_STR(file_text("cg/g/pids.current"), "2\n");
        pid_t again = fork();
        if (again == 0)
            _exit(0);
        EXPECT(again > 0);
        EXPECT_EXITED(again, 0);
        EXPECT_EQ(write_text("cg/cgroup.procs", "0"), 0); // a move takes along who lives
        EXPECT_STR(file_text("cg/g/pids.current"), "1\n");
        EXPECT_EXITED(kids[1], 0);
        EXPECT_STR(file_text("cg/g/pids.current"), "0\n");
    }
    EXPECT_EXITED(child, 0);
    remove_group();
}

CASE(cgroup_subtree_control_checks)
{
    make_group();
    REQUIRE(mkdir("cg/g/h", 0755) == 0);
    EXPECT_STR(file_text("cg/g/cgroup.controllers"), "pids\n");
    EXPECT_STR(file_text("cg/g/h/cgroup.controllers"), "");
    EXPECT_ERRNO(access("cg/g/h/pids.max", F_OK), ENOENT);
    EXPECT_EQ(write_text("cg/g/cgroup.subtree_control", "+pids"), 0);
    EXPECT_EQ(access("cg/g/h/pids.max", F_OK), 0);
    EXPECT_STR(file_text("cg/g/h/cgroup.controllers"), "pids\n");
    EXPECT_EQ(write_text("cg/g/h/cgroup.subtree_control", "+nonsense"), -EINVAL);
    EXPECT_EQ(write_text("cg/g/cgroup.subtree_control", "-pids"), 0);
    EXPECT_ERRNO(access("cg/g/h/pids.max", F_OK), ENOENT);
    EXPECT_EQ(write_text("cg/g/h/cgroup.subtree_control", "+pids"), -ENOENT); // the parent does not pass it on
    EXPECT_EQ(rmdir("cg/g/h"), 0);
    remove_group();
}

CASE(cgroup_pids_files_and_limits_end_with_the_controller)
{
    char text[16];
    make_group();
    REQUIRE(mkdir("cg/g/h", 0755) == 0);
    EXPECT_EQ(write_text("cg/g/cgroup.subtree_control", "+pids"), 0);
    int fd = open("cg/g/h/pids.max", O_RDWR);
    REQUIRE(fd >= 0);
    EXPECT_EQ(write(fd, "1", 1), 1);
    EXPECT_STR(file_text("cg/g/h/pids.max"), "1\n");
    IN_CHILD(child)
    {
        join_group("cg/g/h");
        EXPECT_ERRNO(fork(), EAGAIN);
        EXPECT_EQ(write_text("cg/g/cgroup.subtree_control", "-pids"), 0);
        EXPECT_ERRNO(write(fd, "1", 1), ENODEV);
        EXPECT_ERRNO(pread(fd, text, sizeof text, 0), ENODEV);
        IN_CHILD(one_more)
        {
        }
        EXPECT_EXITED(one_more, 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(write_text("cg/g/cgroup.subtree_control", "+pids"), 0);
    EXPECT_STR(file_text("cg/g/h/pids.max"), "max\n");
    EXPECT_EQ(rmdir("cg/g/h"), 0);
    remove_group();
}

CASE(cgroup_depth_and_descendants_are_limited)
{
    make_group();
    EXPECT_EQ(write_text("cg/g/cgroup.max.descendants", "0"), 0);
    EXPECT_ERRNO(mkdir("cg/g/h", 0755), EAGAIN);
    EXPECT_EQ(write_text("cg/g/cgroup.max.descendants", "max"), 0);
    EXPECT_EQ(write_text("cg/g/cgroup.max.depth", "1"), 0);
    EXPECT_EQ(mkdir("cg/g/h", 0755), 0);
    EXPECT_ERRNO(mkdir("cg/g/h/i", 0755), EAGAIN);
    EXPECT(has_line("cg/g/cgroup.stat", "nr_descendants 1"));
    EXPECT_EQ(rmdir("cg/g/h"), 0);
    remove_group();
}

CASE(cgroup_clone3_puts_the_child_into_a_group)
{
    make_group();
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
    static const int ways[] = {O_RDONLY, O_PATH}; // the descriptor only names the group
    for (int i = 0; i < 2; i++) {
        args.cgroup = (uint64_t)open("cg/g", ways[i] | O_DIRECTORY | O_CLOEXEC);
        pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
        if (child == 0) {
            EXPECT(strstr(file_text("/proc/self/cgroup"), "0::/g\n"));
            _exit(0);
        }
        EXPECT_EXITED(child, 0);
        close((int)args.cgroup);
    }
    args.cgroup = (uint64_t)open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof args), EBADF);
    remove_group();
}

CASE(cgroup_zombies_do_not_count_as_members)
{
    make_group();
    IN_CHILD(child)
    {
        join_group("cg/g");
    }
    siginfo_t info;
    EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    EXPECT_STR(file_text("cg/g/cgroup.procs"), "");
    EXPECT(has_line("cg/g/cgroup.events", "populated 0"));
    remove_group(); // and the group may go before it is waited for
    EXPECT_EXITED(child, 0);
}

static _Atomic bool groups_change;

static void *look_at_files(void *)
{
    while (groups_change) {
        access("cg/g/h/pids.max", F_OK);
        access("cg/g/h/cgroup.events", F_OK);
        access("cg/g/h/none", F_OK);
    }
    return nullptr;
}

CASE(cgroup_files_are_looked_up_while_groups_come_and_go)
{
    pthread_t looker;
    make_group();
    groups_change = true;
    REQUIRE(pthread_create(&looker, nullptr, look_at_files, nullptr) == 0);
    for (int i = 0; i < 300; i++) {
        EXPECT_EQ(mkdir("cg/g/h", 0755), 0);
        EXPECT_EQ(access("cg/g/h/cgroup.events", F_OK), 0);
        EXPECT_EQ(rmdir("cg/g/h"), 0);
    }
    groups_change = false;
    pthread_join(looker, nullptr);
    remove_group();
}

CASE(cgroup_namespace_far_below_the_root)
{
    enum { DEPTH = 300 };
    make_group();
    int home = open(".", O_PATH | O_DIRECTORY), group = open("cg/g", O_PATH | O_DIRECTORY);
    REQUIRE(home >= 0 && group >= 0 && fchdir(group) == 0);
    for (int depth = 0; depth < DEPTH; depth++)
        REQUIRE(mkdir("d", 0755) == 0 && chdir("d") == 0);
    IN_CHILD(child)
    {
        REQUIRE(write_text("cgroup.procs", "0") == 0 && unshare(CLONE_NEWCGROUP) == 0);
        REQUIRE(fchdir(home) == 0 && mkdir("own", 0755) == 0 && mount("cgroup2", "own", "cgroup2", 0, nullptr) == 0);
        EXPECT_STR(file_text("/proc/self/cgroup"), "0::/\n");
        EXPECT(access("own/cgroup.procs", F_OK) == 0 && access("own/d", F_OK) != 0); // the last of them all
        EXPECT_EQ(umount("own"), 0);
    }
    EXPECT_EXITED(child, 0);
    for (int depth = 0; depth < DEPTH; depth++)
        REQUIRE(chdir("..") == 0 && rmdir("d") == 0);
    REQUIRE(fchdir(home) == 0);
    remove_group();
}

CASE(cgroup_mount_takes_and_shows_options)
{
    static const char *const options[] = {"memory_recursiveprot", "memory_localevents", "favordynmods", "memory_hugetlb_accounting",
                                          "nsdelegate,memory_recursiveprot"};
    char wanted[96];
    own_mount_namespace();
    REQUIRE(mkdir("cg", 0755) == 0);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        EXPECT_EQ(mount("with-options", "cg", "cgroup2", 0, options[i]), 0);
        snprintf(wanted, sizeof wanted, "cgroup2 with-options rw,%s\n", options[i]);
        EXPECT(strstr(file_text("/proc/self/mountinfo"), wanted));
        EXPECT_EQ(umount("cg"), 0);
    }
    EXPECT_ERRNO(mount("cgroup2", "cg", "cgroup2", 0, "nofavordynmods"), EINVAL);
    EXPECT_ERRNO(mount("cgroup2", "cg", "cgroup2", 0, "memory_recursiveprot=1"), EINVAL);
    EXPECT_ERRNO(mount("cgroup2", "cg", "cgroup2", 0, "nsdelegate,memory"), EINVAL);
    EXPECT_EQ(mount("without-options", "cg", "cgroup2", 0, nullptr), 0); // and so it is without any for all
    EXPECT(strstr(file_text("/proc/self/mountinfo"), "cgroup2 without-options rw\n"));
}

CASE(cgroup_files_open_for_what_they_cannot_do)
{
    char text[64], number[32];
    make_group();
    int fd = open("cg/cgroup.controllers", O_RDWR);
    REQUIRE(fd >= 0);
    EXPECT(read(fd, text, sizeof text) > 0);
    EXPECT_ERRNO(write(fd, "x", 1), EINVAL);
    EXPECT_EQ(lseek(fd, 0, SEEK_END), 0);
    EXPECT_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
    fd = open("cg/g/cgroup.kill", O_RDONLY);
    REQUIRE(fd >= 0);
    EXPECT_ERRNO(read(fd, text, sizeof text), EINVAL);
    EXPECT_EQ(lseek(open("cg/g", O_RDONLY), 0, SEEK_END), 0);
    IN_CHILD(child) // the number of a process in any base
    {
        snprintf(number, sizeof number, "%#x\n", getpid());
        EXPECT_EQ(write_text("cg/g/cgroup.procs", number), 0);
        snprintf(number, sizeof number, "%#o", getpid());
        EXPECT_EQ(write_text("cg/g/cgroup.threads", number), 0);
        EXPECT_EQ(write_text("cg/g/cgroup.procs", "0x"), -EINVAL);
        EXPECT_EQ(write_text("cg/g/cgroup.procs", "08"), -EINVAL);
    }
    EXPECT_EXITED(child, 0);
    remove_group();
}
