// bench/micro/support.c — files and children for the setups and teardowns of several families.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/micro/bench.h"

void make_file(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    MUST(fd >= 0);
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, (const char *)data + done, size - done);
        MUST(written > 0);
        done += (size_t)written;
    }
    MUST(close(fd) == 0);
}

static void empty_folder_at(int fd)
{
    DIR *dir = fdopendir(fd);
    MUST(dir != nullptr);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) == 0)
            continue;
        MUST(errno == EISDIR);
        int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(below >= 0);
        empty_folder_at(below);
        MUST(unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0);
    }
    closedir(dir);
}

void empty_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(fd >= 0);
    empty_folder_at(fd);
}

int must_fork(void)
{
    int child = fork();
    MUST(child >= 0);
    return child;
}

void must_reap(int child)
{
    int status;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void bench_pass_begins(void)
{
    __asm__ volatile("" ::: "memory");
}

void bench_pass_ends(void)
{
    __asm__ volatile("" ::: "memory");
}
