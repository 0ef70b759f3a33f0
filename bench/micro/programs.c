// bench/micro/programs.c — what a shell user waits for: BusyBox, run as the system runs it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/micro/bench.h"

// Runs a shell command with its output thrown away; it must succeed.
static void shell(const char *command)
{
    int child = must_fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
            _exit(126);
        execl("/bin/sh", "sh", "-c", command, nullptr);
        _exit(127);
    }
    must_reap(child);
}

static void shell_noop_body(uint64_t n)
{
    LOOP(n) shell(":");
}

// --- Pipelines over a text of 200 lines, always the same one. ---

enum { WORD_LINES = 200 };

static void make_words(void)
{
    static const char *const words[] = {"kernel", "vector", "needle", "thread", "socket", "mapped", "signal", "folder"};
    char *text = malloc(WORD_LINES * 32);
    MUST(text != nullptr);
    size_t length = 0;
    uint32_t random = 12345;
    for (int line = 0; line < WORD_LINES; line++) {
        random = random * 1103515245 + 12345;
        length += (size_t)sprintf(text + length, "%s %u %s\n", words[random >> 29], (random >> 16) % 500,
                                  words[random >> 26 & 7]);
    }
    make_file("words", text, length);
    free(text);
}

static void pipe_grep_body(uint64_t n)
{
    LOOP(n) shell("cat words | grep needle | wc -l");
}

static void sed_pipeline_body(uint64_t n)
{
    LOOP(n) shell("sed -n 's/needle/thread/p' words | sed 's/[0-9][0-9]*/N/' | tail -n 1");
}

static void sort_uniq_body(uint64_t n)
{
    LOOP(n) shell("sort words | uniq -c | wc -l");
}

// --- An archive of 10 folders with 10 files of 4 KiB each, in the ustar format of POSIX. ---

enum { TAR_BLOCK = 512, TAR_FILE = 4096, TAR_FOLDERS = 10, TAR_FILES = 10 };

struct ustar {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
        user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
static_assert(sizeof(struct ustar) == TAR_BLOCK);

static void put_header(FILE *archive, char type, size_t size, const char *name)
{
    struct ustar header = {.type = type, .magic = "ustar", .version = {'0', '0'}};
    snprintf(header.name, sizeof header.name, "%s", name);
    snprintf(header.mode, sizeof header.mode, "%07o", type == '5' ? 0755u : 0644u);
    snprintf(header.uid, sizeof header.uid, "%07o", 0u);
    snprintf(header.gid, sizeof header.gid, "%07o", 0u);
    snprintf(header.size, sizeof header.size, "%011zo", size);
    snprintf(header.mtime, sizeof header.mtime, "%011o", 1735689600u);
    memset(header.checksum, ' ', sizeof header.checksum);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((const unsigned char *)&header)[i];
    snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
    MUST(fwrite(&header, sizeof header, 1, archive) == 1);
}

static void make_archive(void)
{
    static const char blocks[2 * TAR_BLOCK];
    static char text[TAR_FILE];
    memset(text, 'k', sizeof text);
    FILE *archive = fopen("tree.tar", "we");
    MUST(archive != nullptr);
    char name[32];
    for (int folder = 0; folder < TAR_FOLDERS; folder++) {
        snprintf(name, sizeof name, "t/d%d/", folder);
        put_header(archive, '5', 0, name);
        for (int file = 0; file < TAR_FILES; file++) {
            snprintf(name, sizeof name, "t/d%d/file%d", folder, file);
            put_header(archive, '0', TAR_FILE, name);
            MUST(fwrite(text, TAR_FILE, 1, archive) == 1);
        }
    }
    MUST(fwrite(blocks, sizeof blocks, 1, archive) == 1);
    MUST(fclose(archive) == 0);
}

static void tar_extract_body(uint64_t n)
{
    LOOP(n) {
        char command[64];
        snprintf(command, sizeof command, "mkdir x%d && tar xf tree.tar -C x%d", (int)iteration, (int)iteration);
        shell(command);
    }
}

static void empty(void)
{
    struct stat status;
    MUST(stat("x0/t/d9/file9", &status) == 0 && status.st_size == TAR_FILE);
    empty_folder(BENCH_DIR);
}

static const struct bench programs_benches[] = {
    {"shell_noop", nullptr, shell_noop_body, nullptr, 10, 2, 10},
    {"pipe_grep", make_words, pipe_grep_body, nullptr, 5, 2, 10},
    {"sed_pipeline", make_words, sed_pipeline_body, nullptr, 5, 2, 10},
    {"sort_uniq", make_words, sort_uniq_body, nullptr, 5, 2, 10},
    {"tar_extract", make_archive, tar_extract_body, empty, 2, 2, 5},
};

FAMILY(programs);
