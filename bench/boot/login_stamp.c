// bench/boot/login_stamp.c — stands in getty's place: says when that was and what memory is used, then becomes getty.
//
// One line: BENCH_LOGIN <TSC> <MemTotal> <MemFree> <MemAvailable>, in KiB.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/micro/clock.h"

// A figure of /proc/meminfo in KiB, or 0 if it is not there: the report then refuses the boot.
static unsigned long memory(const char *field)
{
    char line[128];
    unsigned long value = 0;
    FILE *meminfo = fopen("/proc/meminfo", "re");
    if (!meminfo)
        return 0;
    size_t length = strlen(field);
    while (fgets(line, sizeof line, meminfo)) {
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            sscanf(line + length + 1, "%lu", &value);
    }
    fclose(meminfo);
    return value;
}

int main(void)
{
    uint64_t tsc = now_tsc();
    FILE *console = fopen("/dev/console", "we");
    if (console) {
        fprintf(console, "\nBENCH_LOGIN %llu %lu %lu %lu\n", (unsigned long long)tsc, memory("MemTotal"),
                memory("MemFree"), memory("MemAvailable"));
        fclose(console);
    }
    execl("/sbin/getty", "getty", "-L", "115200", "ttyS0", "vt100", nullptr);
    return 1;
}
