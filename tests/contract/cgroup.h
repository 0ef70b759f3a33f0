// tests/contract/cgroup.h — what the cases about control groups share: a hierarchy at ./cg, and in it the group g.
#pragma once

#include "tests/contract/harness.h"

#include <sys/mount.h>

// Mounts the hierarchy at ./cg and makes a group g with the pids controller; the case's namespace takes the mount away, not the groups.
static inline void make_group(void)
{
    own_mount_namespace();
    mkdir("cg", 0755);
    REQUIRE(mount("cgroup2", "cg", "cgroup2", 0, nullptr) == 0);
    REQUIRE(write_text("cg/cgroup.subtree_control", "+pids") == 0);
    rmdir("cg/g/h");
    rmdir("cg/g");
    REQUIRE(mkdir("cg/g", 0755) == 0);
}

static inline int64_t soon(void)
{
    return now_ns() + LONG_TIMEOUT_MS * INT64_C(1000000);
}

static inline void remove_group(void)
{
    for (int64_t end = soon(); rmdir("cg/g") != 0 && now_ns() < end;)
        sleep_ms(2);
    EXPECT_ERRNO(access("cg/g", F_OK), ENOENT);
}

static inline void join_group(const char *path)
{
    char file[64];
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    REQUIRE_EQ(write_text(file, "0"), 0);
}

static inline pid_t member(const char *path)
{
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        join_group(path);
        write(fds[1], "r", 1);
        for (;;)
            pause();
    }
    REQUIRE(read(fds[0], &c, 1) == 1);
    close(fds[0]);
    close(fds[1]);
    return child;
}

static inline bool has_line(const char *path, const char *line)
{
    char text[256];
    snprintf(text, sizeof text, "\n%s", file_text(path));
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    return strstr(text, wanted);
}

static inline void expect_soon(const char *event)
{
    for (int64_t end = soon(); !has_line("cg/g/cgroup.events", event) && now_ns() < end;)
        sleep_ms(2);
    EXPECT(has_line("cg/g/cgroup.events", event));
}
