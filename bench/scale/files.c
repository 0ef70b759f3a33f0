// bench/scale/files.c — files in big folders, and long paths.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/scale/scale.h"

static char path[256];

static void grow_folder(uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        snprintf(path, sizeof path, "file%u", i);
        make_file(path, "", 0);
    }
    snprintf(path, sizeof path, BENCH_DIR "/file%u", size / 2);
}

static void grow_depth(uint32_t size)
{
    char *end = path + snprintf(path, sizeof path, BENCH_DIR);
    for (uint32_t i = 1; i < size; i++) {
        end = stpcpy(end, "/d");
        MUST(mkdir(path, 0755) == 0);
    }
    strcpy(end, "/f");
    make_file(path, "", 0);
}

static void empty(uint32_t size)
{
    (void)size;
    empty_folder(BENCH_DIR);
}

static void open_body(uint64_t n)
{
    LOOP(n) {
        long fd = raw3(SYS_open, (long)path, O_RDONLY, 0);
        MUST(fd >= 0);
        MUST(raw3(SYS_close, fd, 0, 0) == 0);
    }
}

static void stat_body(uint64_t n)
{
    struct stat status;
    LOOP(n) MUST(raw3(SYS_stat, (long)path, (long)&status, 0) == 0);
}

static void create_body(uint64_t n)
{
    LOOP(n) {
        long fd = raw3(SYS_open, (long)BENCH_DIR "/new", O_RDWR | O_CREAT | O_EXCL, 0644);
        MUST(fd >= 0);
        MUST(raw3(SYS_close, fd, 0, 0) == 0);
        MUST(raw3(SYS_unlink, (long)BENCH_DIR "/new", 0, 0) == 0);
    }
}

static const struct curve file_list[] = {
    {"open", "files", grow_folder, open_body, empty, 500, SIZES(10, 100, 1000, 10000, 100000)},
    {"stat", "files", grow_folder, stat_body, empty, 500, SIZES(10, 100, 1000, 10000, 100000)},
    {"create", "files", grow_folder, create_body, empty, 200, SIZES(10, 100, 1000, 10000, 100000)},
    {"path", "depth", grow_depth, stat_body, empty, 500, SIZES(1, 2, 4, 8, 16, 32)},
};

CURVES(file);
