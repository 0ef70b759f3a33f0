// tests/contract/system.c — calls about the machine: sysinfo(2), syslog(2), reboot(2).
#include "tests/contract/harness.h"

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
