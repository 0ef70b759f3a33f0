// bench/micro/files.c — paths and files on tmpfs.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/micro/bench.h"

static void make_f(void)
{
    make_file("f", "kevlar", 6);
}

static void make_link(void)
{
    unlink("l");
    MUST(symlink("f", "l") == 0);
}

static void open_close_body(uint64_t n)
{
    LOOP(n) {
        long fd = raw3(SYS_open, (long)BENCH_DIR "/f", O_RDONLY, 0);
        MUST(fd >= 0);
        MUST(raw3(SYS_close, fd, 0, 0) == 0);
    }
}

static void stat_body(uint64_t n)
{
    struct stat status;
    LOOP(n) MUST(raw3(SYS_stat, (long)BENCH_DIR "/f", (long)&status, 0) == 0);
}

static void access_body(uint64_t n)
{
    LOOP(n) MUST(raw3(SYS_access, (long)BENCH_DIR "/f", R_OK, 0) == 0);
}

static void readlink_body(uint64_t n)
{
    char target[64];
    LOOP(n) MUST(raw3(SYS_readlink, (long)BENCH_DIR "/l", (long)target, sizeof target) == 1);
}

static void getcwd_body(uint64_t n)
{
    char path[64];
    LOOP(n) MUST(raw3(SYS_getcwd, (long)path, sizeof path, 0) == sizeof BENCH_DIR);
}

static void getdents64_body(uint64_t n)
{
    static _Alignas(8) char entries[4096];
    LOOP(n) {
        long fd = raw3(SYS_open, (long)"/tmp", O_RDONLY | O_DIRECTORY, 0);
        MUST(fd >= 0);
        MUST(raw3(SYS_getdents64, fd, (long)entries, sizeof entries) > 0);
        MUST(raw3(SYS_close, fd, 0, 0) == 0);
    }
}

// --- A path of depth 8. ---

static const char deep_folder[] = BENCH_DIR "/1/2/3/4/5/6/7";
static const char deep_file[] = BENCH_DIR "/1/2/3/4/5/6/7/8";

static void make_deep(void)
{
    char path[sizeof deep_folder];
    for (size_t end = sizeof BENCH_DIR + 1; end < sizeof deep_folder; end += 2) {
        memcpy(path, deep_folder, end);
        path[end] = '\0';
        MUST(mkdir(path, 0755) == 0);
    }
    make_file(deep_file, "", 0);
}

static void path_walk_8_body(uint64_t n)
{
    struct stat status;
    LOOP(n) MUST(raw3(SYS_stat, (long)deep_file, (long)&status, 0) == 0);
}

static void empty(void)
{
    empty_folder(BENCH_DIR);
}

// --- A small tree: made, walked and taken away again, as a build or an unpacked archive does. ---

enum { TREE_FOLDERS = 10, TREE_FILES = 10 };

static void make_tree(void)
{
    static const char text[200] = "kevlar";
    char path[32];
    for (int folder = 0; folder < TREE_FOLDERS; folder++) {
        snprintf(path, sizeof path, "d%d", folder);
        MUST(mkdir(path, 0755) == 0);
        for (int file = 0; file < TREE_FILES; file++) {
            snprintf(path, sizeof path, "d%d/file%d", folder, file);
            make_file(path, text, sizeof text);
        }
    }
}

static void read_tree(void)
{
    char path[32], text[512];
    for (int folder = 0; folder < TREE_FOLDERS; folder++) {
        for (int file = 0; file < TREE_FILES; file++) {
            struct stat status;
            snprintf(path, sizeof path, "d%d/file%d", folder, file);
            MUST(lstat(path, &status) == 0);
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            MUST(fd >= 0);
            MUST(read(fd, text, sizeof text) == status.st_size);
            MUST(close(fd) == 0);
        }
    }
}

static void file_tree_body(uint64_t n)
{
    LOOP(n) {
        make_tree();
        read_tree();
        empty();
    }
}

static const struct bench files_benches[] = {
    {"open_close", make_f, open_close_body, nullptr, 1000, 3, 50},
    {"stat", make_f, stat_body, nullptr, 1000, 4, 50},
    {"access", make_f, access_body, nullptr, 1000, 4, 50},
    {"readlink", make_link, readlink_body, nullptr, 1000, 4, 50},
    {"getcwd", nullptr, getcwd_body, nullptr, 1000, 5, 50},
    {"getdents64", make_f, getdents64_body, nullptr, 1000, 3, 50},
    {"path_walk_8", make_deep, path_walk_8_body, empty, 1000, 3, 50},
    {"file_tree", nullptr, file_tree_body, nullptr, 2, 3, 20},
};

FAMILY(files);
