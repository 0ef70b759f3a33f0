// tests/contract/system.c — what is told about the machine: sysinfo(2), syslog(2), reboot(2), its CPUs, interrupts and clock in proc and sysfs.
#include "tests/contract/harness.h"

#include <dirent.h>
#include <sys/sysinfo.h>

CASE(sysinfo_tells_of_memory_time_and_processes)
{
    struct sysinfo info, later;
    REQUIRE(sysinfo(&info) == 0);
    EXPECT(info.mem_unit >= 1 && info.totalram > 0 && info.freeram > 0 && info.freeram < info.totalram);
    EXPECT(info.procs >= 2);
    EXPECT_EQ(info.totalswap, 0);
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    EXPECT(now.tv_sec - (long)info.uptime <= 1 && (long)info.uptime - now.tv_sec <= 1); // it is rounded up
    long total = 0;
    REQUIRE(sscanf(file_text("/proc/meminfo"), "MemTotal: %ld", &total) == 1);
    EXPECT_EQ((long)(info.totalram * info.mem_unit / 1024), total);
    IN_CHILD(child)
    {
        pause();
    }
    REQUIRE(sysinfo(&later) == 0);
    EXPECT(later.procs > 0);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

CASE(sysinfo_agrees_with_proc)
{
    struct sysinfo s;
    unsigned long total = 0;
    REQUIRE(sysinfo(&s) == 0);
    REQUIRE(sscanf(file_text("/proc/meminfo"), "MemTotal: %lu", &total) == 1);
    EXPECT_EQ(s.totalram * s.mem_unit / 1024, total);
    EXPECT(s.freeram < s.totalram && s.procs > 1);
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    EXPECT((long)s.uptime <= boot.tv_sec + 1 && (long)s.uptime + 5 >= boot.tv_sec);
    EXPECT_ERRNO(sysinfo((void *)8), EFAULT);
}

CASE(syslog_calls_check_type_and_length)
{
    char buffer[4096]; // holds the longest message: one that does not fit is left out
    EXPECT(syscall(SYS_syslog, 10, nullptr, 0) > 0); // size of the log
    EXPECT(syscall(SYS_syslog, 9, nullptr, 0) >= 0);
    EXPECT_EQ(syscall(SYS_syslog, 0, nullptr, 0), 0);
    EXPECT_EQ(syscall(SYS_syslog, 1, nullptr, 0), 0);
    EXPECT(syscall(SYS_syslog, 3, buffer, sizeof buffer) > 0);
    EXPECT_EQ(syscall(SYS_syslog, 3, buffer, 0), 0);
    EXPECT_ERRNO(syscall(SYS_syslog, 3, nullptr, 10), EINVAL);
    EXPECT_ERRNO(syscall(SYS_syslog, 3, buffer, -1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_syslog, 8, nullptr, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_syslog, 8, nullptr, 9), EINVAL);
    EXPECT_ERRNO(syscall(SYS_syslog, 11, nullptr, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_syslog, -1, nullptr, 0), EINVAL);
    IN_CHILD(child)
    {
        REQUIRE(setuid(65534) == 0);
        EXPECT_ERRNO(syscall(SYS_syslog, 5, nullptr, 0), EPERM);
        EXPECT_ERRNO(syscall(SYS_syslog, 8, nullptr, 1), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

enum { REBOOT_MAGIC = (int)0xfee1dead, REBOOT_MAGIC2 = 672274793 };

CASE(reboot_wants_its_magic_numbers)
{
    EXPECT_ERRNO(syscall(SYS_reboot, 1, REBOOT_MAGIC2, 0, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_reboot, REBOOT_MAGIC, 1, 0, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, 0x1234, nullptr), EINVAL);
    IN_CHILD(child)
    {
        REQUIRE(setuid(65534) == 0);
        EXPECT_ERRNO(syscall(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, 0x4321fedc, nullptr), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

static const char *cpu_text(int cpu, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", cpu, name);
    return file_text(path);
}

CASE(sysfs_has_a_folder_for_each_cpu)
{
    char all[32];
    int folders = 0, cpu;
    DIR *d = opendir("/sys/devices/system/cpu");
    REQUIRE(d);
    for (struct dirent *e; (e = readdir(d));) {
        int end = 0;
        folders += sscanf(e->d_name, "cpu%d%n", &cpu, &end) == 1 && !e->d_name[end];
    }
    closedir(d);
    EXPECT_EQ(folders, processors());
    snprintf(all, sizeof all, processors() > 1 ? "0-%d\n" : "%d\n", processors() - 1);
    EXPECT_STR(file_text("/sys/devices/system/cpu/online"), all);
    EXPECT_STR(file_text("/sys/devices/system/cpu/present"), all);
    EXPECT_STR(file_text("/sys/devices/system/cpu/offline"), "\n");
    EXPECT_STR(file_text("/sys/devices/system/cpu/isolated"), "\n");
    EXPECT_ERRNO(access("/sys/devices/system/cpu/cpu0/online", F_OK), ENOENT); // it cannot be missing
    for (cpu = 1; cpu < processors(); cpu++)
        EXPECT_STR(cpu_text(cpu, "online"), "1\n");
}

static uint64_t cpu_mask(int cpu, const char *name)
{
    return strtoull(cpu_text(cpu, name), nullptr, 16);
}

static uint64_t cpu_list(int cpu, const char *name)
{
    uint64_t mask = 0;
    char *at = (char *)(uintptr_t)cpu_text(cpu, name);
    for (;; at++) {
        unsigned long first = strtoul(at, &at, 10), last = *at == '-' ? strtoul(at + 1, &at, 10) : first;
        for (; first <= last; first++)
            mask |= UINT64_C(1) << first;
        if (*at != ',')
            return mask;
    }
}

static int cpuinfo_number(const char *block, const char *name)
{
    const char *line = strstr(block, name);
    return line ? atoi(strchr(line, ':') + 1) : -1;
}

// Of a CPU in cpuinfo: its package, its core there, and how many CPUs and cores that package has.
static void expect_topology(int cpu, const char *block)
{
    uint64_t package = cpu_mask(cpu, "topology/package_cpus"), core = cpu_mask(cpu, "topology/core_cpus"), die = cpu_mask(cpu, "topology/die_cpus");
    int cores = 0;
    for (int other = 0; other < processors(); other++)
        cores += package >> other & 1 && __builtin_ctzll(cpu_mask(other, "topology/core_cpus")) == other;
    EXPECT_EQ(cpuinfo_number(block, "physical id\t"), atoi(cpu_text(cpu, "topology/physical_package_id")));
    EXPECT_EQ(cpuinfo_number(block, "core id\t"), atoi(cpu_text(cpu, "topology/core_id")));
    EXPECT_EQ(cpuinfo_number(block, "siblings\t"), __builtin_popcountll(package));
    EXPECT_EQ(cpuinfo_number(block, "cpu cores\t"), cores);
    EXPECT(core >> cpu & 1 && !(core & ~die) && !(die & ~package));
    EXPECT_EQ(cpu_mask(cpu, "topology/thread_siblings"), core);
    EXPECT_EQ(cpu_mask(cpu, "topology/core_siblings"), package);
    EXPECT_EQ(cpu_list(cpu, "topology/thread_siblings_list"), core);
    EXPECT_EQ(cpu_list(cpu, "topology/core_siblings_list"), package);
    EXPECT_EQ(cpu_list(cpu, "topology/core_cpus_list"), core);
    EXPECT_EQ(cpu_list(cpu, "topology/die_cpus_list"), die);
    EXPECT_EQ(cpu_list(cpu, "topology/package_cpus_list"), package);
    EXPECT(atoi(cpu_text(cpu, "topology/die_id")) >= 0);
    EXPECT_EQ(strlen(cpu_text(cpu, "topology/core_cpus")), (processors() + 3) / 4 + 1); // a digit for four CPUs
}

CASE(cpu_topology_is_the_same_in_sysfs_and_cpuinfo)
{
    static char text[65536];
    char line[32];
    strcpy(text, file_text("/proc/cpuinfo"));
    EXPECT(strstr(text, " nopl ") && strstr(text, " cpuid ")); // what every 64-bit processor has
    for (int cpu = 0; cpu < processors(); cpu++) {
        snprintf(line, sizeof line, "processor\t: %d\n", cpu);
        const char *block = strstr(text, line);
        REQUIRE(block);
        expect_topology(cpu, block);
    }
}

CASE(interrupts_have_a_column_for_each_cpu)
{
    static char text[65536];
    char head[1024] = "           ", *at = head + strlen(head);
    strcpy(text, file_text("/proc/interrupts"));
    for (int cpu = 0; cpu < processors(); cpu++)
        at += sprintf(at, "CPU%-8d", cpu);
    strcpy(at, "\n");
    EXPECT_EQ(strncmp(text, head, strlen(head)), 0);
    EXPECT(strstr(text, " ttyS0\n"));
    const char *counts = strstr(text, "\nLOC:"), *errors = strstr(text, "\nERR:");
    REQUIRE(counts && errors);
    EXPECT_EQ(strspn(errors + 5, " 0123456789"), 11);
    EXPECT_EQ(errors[16], '\n');
    EXPECT_EQ(strncmp(counts + 5 + 11 * processors(), "   Local timer interrupts\n", 26), 0);
}

CASE(clock_source_has_a_name)
{
    char name[32] = {}, wanted[40];
    REQUIRE(sscanf(file_text("/sys/devices/system/clocksource/clocksource0/current_clocksource"), "%31[a-z_]\n", name) == 1);
    snprintf(wanted, sizeof wanted, "%s ", name);
    EXPECT(strstr(file_text("/sys/devices/system/clocksource/clocksource0/available_clocksource"), wanted));
}
