// tests/stress/measure.c — what the kernel's memory is used for, read when it has come to rest.
#include "churn.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EQUAL_READS 5       // so many equal figures in a row are rest
#define READ_INTERVAL_MS 200
#define MAX_READS 150

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, nullptr);
}

// Content that can be read again, and names looked up, are no leak. Every write drops what was not used since the one before.
static bool drop_caches(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    bool dropped = fd >= 0 && write(fd, "3\n", 2) == 2;
    if (!dropped)
        perror("# drop_caches");
    if (fd >= 0)
        close(fd);
    return dropped;
}

static void read_meminfo(struct measure *out)
{
    static const char path[] = "/proc/meminfo";
    char text[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length < 0 ? 0 : length] = '\0';
    const char *free_line = strstr(text, "MemFree:"), *slab_line = strstr(text, "Slab:");
    if (!free_line || sscanf(free_line, "MemFree: %ld", &out->free_kib) != 1)
        out->free_kib = 0;
    if (!slab_line || sscanf(slab_line, "Slab: %ld", &out->slab_kib) != 1)
        out->slab_kib = 0;
}

static void read_slabinfo(struct measure *out)
{
    static char text[65536];
    int fd = open("/proc/slabinfo", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    for (ssize_t got; fd >= 0 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)got;
    if (fd >= 0)
        close(fd);
    text[length] = '\0';
    out->caches = 0;
    for (char *line = text; *line && out->caches < sizeof out->cache / sizeof out->cache[0];) {
        long total;
        if (sscanf(line, "%31s %ld %ld %ld", out->cache[out->caches].name, &out->cache[out->caches].objects, &total,
                   &out->cache[out->caches].size) == 4)
            out->caches++;
        char *end = strchr(line, '\n');
        line = end ? end + 1 : line + strlen(line);
    }
}

bool measure_settled(struct measure *out)
{
    bool dropped = true;
    for (int pass = 0; pass < 3; pass++)
        dropped = drop_caches() && dropped;
    long last = -1;
    for (int reads = 0, equal = 0; reads < MAX_READS && equal < EQUAL_READS; reads++) {
        pause_ms(READ_INTERVAL_MS);
        dropped = drop_caches() && dropped;
        read_meminfo(out);
        equal = out->free_kib == last ? equal + 1 : 0;
        last = out->free_kib;
    }
    read_slabinfo(out);
    read_meminfo(out);
    bool whole = dropped && out->free_kib > 0 && out->slab_kib > 0 && measure_object_bytes(out) > 0;
    if (!whole)
        printf("# not measured: free %ld KiB, slabs %ld KiB, %zu caches, caches %s\n", out->free_kib, out->slab_kib, out->caches,
               dropped ? "dropped" : "not dropped");
    return whole;
}

long measure_object_bytes(const struct measure *m)
{
    long bytes = 0;
    for (size_t i = 0; i < m->caches; i++)
        bytes += m->cache[i].objects * m->cache[i].size;
    return bytes;
}
