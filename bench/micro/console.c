// bench/micro/console.c — lines, words and mounts of the measuring programs.
#include "bench/micro/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_NS = 20'000'000 };

void say(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length < 0 || write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
    tcdrain(STDOUT_FILENO);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, nullptr);
}

const char *word(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value ? value : fallback;
}

bool listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    if (*list == '\0')
        return true;
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

void mount_all(const char *skip)
{
    static const struct {
        const char *type, *path, *options;
    } mounts[] = {
        {"proc", "/proc", nullptr},
        {"sysfs", "/sys", nullptr},
        {"devtmpfs", "/dev", "mode=0755"},
        {"tmpfs", "/tmp", "mode=1777,size=90%,nr_inodes=1000000"},
    };
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        if (mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, mounts[i].options) != 0)
            say("%s all mount %s: %s\n", skip, mounts[i].path, strerror(errno));
    }
}
