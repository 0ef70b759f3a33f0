// tests/contract/calls.c — calls that programs seldom make: older forms the C library has replaced, called by number, and small ones.
#include "tests/contract/harness.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>

enum { FUTEX_WAKE_CALL = 454, FUTEX_WAIT_CALL = 455 }; // newer than the C library's names
enum { ARCH_SET_GS_ = 0x1001, ARCH_SET_FS_ = 0x1002, ARCH_GET_FS_ = 0x1003, ARCH_GET_GS_ = 0x1004 };

// --- Objects made without flags, and with them. ---

CASE(calls_without_flags_make_plain_descriptors)
{
    uint64_t set = 1ul << (SIGUSR1 - 1), three = 0;
    long fds[] = {syscall(SYS_epoll_create, 1), syscall(SYS_eventfd, 3), syscall(SYS_signalfd, -1, &set, 8)};
    for (int i = 0; i < 3; i++) {
        REQUIRE(fds[i] >= 0);
        EXPECT_EQ(fcntl((int)fds[i], F_GETFD), 0);
        EXPECT_EQ(fcntl((int)fds[i], F_GETFL) & O_NONBLOCK, 0);
    }
    EXPECT_EQ(read((int)fds[1], &three, 8), 8);
    EXPECT_EQ(three, 3);
    EXPECT_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_create, -1), EINVAL);
    EXPECT_ERRNO(syscall(SYS_signalfd, -1, &set, 4), EINVAL);
}

CASE(calls_with_flags_make_descriptors_that_close_at_exec)
{
    uint64_t set = 1ul << (SIGUSR1 - 1), count = 0;
    long fds[] = {syscall(SYS_eventfd2, 2, O_CLOEXEC | O_NONBLOCK | 1), syscall(SYS_signalfd4, -1, &set, 8, O_CLOEXEC | O_NONBLOCK)};
    for (int i = 0; i < 2; i++) {
        REQUIRE(fds[i] >= 0);
        EXPECT_EQ(fcntl((int)fds[i], F_GETFD), FD_CLOEXEC);
        EXPECT(fcntl((int)fds[i], F_GETFL) & O_NONBLOCK);
    }
    EXPECT_EQ(read((int)fds[0], &count, 8), 8);
    EXPECT_EQ(count, 1); // a semaphore
    char info[128];
    EXPECT_ERRNO(read((int)fds[1], info, sizeof info), EAGAIN);
    EXPECT_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
}

CASE(epoll_wait_by_its_number)
{
    int queue = epoll_create1(0), pair[2];
    REQUIRE(pipe(pair) == 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 99}, got[2];
    REQUIRE(epoll_ctl(queue, EPOLL_CTL_ADD, pair[0], &event) == 0);
    EXPECT_EQ(syscall(SYS_epoll_wait, queue, got, 2, 0), 0);
    write_byte(pair[1]);
    EXPECT_EQ(syscall(SYS_epoll_wait, queue, got, 2, -1), 1);
    EXPECT_EQ(got[0].data.u64, 99);
    EXPECT_ERRNO(syscall(SYS_epoll_wait, queue, got, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_wait, queue, got, -1, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_epoll_wait, queue, (void *)8, 1, 0), EFAULT);
}

// --- Limits and numbers. ---

CASE(rlimit_calls_by_number)
{
    struct rlimit old, now = {20, 30}, got;
    EXPECT_EQ(syscall(SYS_getrlimit, RLIMIT_CORE, &old), 0);
    EXPECT_EQ(syscall(SYS_setrlimit, RLIMIT_CORE, &now), 0);
    EXPECT_EQ(syscall(SYS_getrlimit, RLIMIT_CORE, &got), 0);
    EXPECT(got.rlim_cur == 20 && got.rlim_max == 30);
    EXPECT_ERRNO(syscall(SYS_getrlimit, 16, &got), EINVAL);
    EXPECT_ERRNO(syscall(SYS_setrlimit, 16, &now), EINVAL);
    struct rlimit wrong = {31, 30};
    EXPECT_ERRNO(syscall(SYS_setrlimit, RLIMIT_CORE, &wrong), EINVAL);
}

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

static void *note_tid(void *tid)
{
    *(long *)tid = syscall(SYS_gettid);
    return nullptr;
}

CASE(gettid_of_the_first_thread_is_the_process)
{
    EXPECT_EQ(syscall(SYS_gettid), getpid());
    long tid = 0;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, note_tid, &tid) == 0);
    pthread_join(thread, nullptr);
    EXPECT(tid > getpid());
}

CASE(time_and_gettimeofday_agree)
{
    struct timeval tv;
    struct timezone zone;
    long seconds = 0;
    EXPECT_EQ(syscall(SYS_gettimeofday, &tv, &zone), 0);
    EXPECT(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    EXPECT_EQ(zone.tz_minuteswest, 0);
    long got = syscall(SYS_time, &seconds);
    EXPECT_EQ(got, seconds);
    EXPECT(got - tv.tv_sec <= 1);
    EXPECT_EQ(syscall(SYS_gettimeofday, nullptr, nullptr), 0);
}

CASE(settimeofday_checks_and_keeps_the_zone)
{
    struct timeval wrong = {1, 1000000};
    EXPECT_ERRNO(syscall(SYS_settimeofday, &wrong, nullptr), EINVAL);
    wrong = (struct timeval){1, -1};
    EXPECT_ERRNO(syscall(SYS_settimeofday, &wrong, nullptr), EINVAL);
    struct timezone far = {.tz_minuteswest = 15 * 60 + 1};
    EXPECT_ERRNO(syscall(SYS_settimeofday, nullptr, &far), EINVAL);
    EXPECT_EQ(syscall(SYS_settimeofday, nullptr, nullptr), 0);
    struct timeval now, after;
    REQUIRE(gettimeofday(&now, nullptr) == 0);
    EXPECT_EQ(syscall(SYS_settimeofday, &now, nullptr), 0);
    gettimeofday(&after, nullptr);
    EXPECT(after.tv_sec - now.tv_sec <= 2);
    IN_CHILD(child)
    {
        EXPECT(setuid(65534) == 0);
        EXPECT_ERRNO(syscall(SYS_settimeofday, &now, nullptr), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(timer_calls_refuse_numbers_that_are_no_timers)
{
    struct itimerspec value = {};
    EXPECT_ERRNO(syscall(SYS_timer_gettime, 4711, &value), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_settime, 4711, 0, &value, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_getoverrun, 4711), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_delete, 4711), EINVAL);
    EXPECT_ERRNO(syscall(SYS_timer_delete, -1), EINVAL);
}

CASE(restart_syscall_without_a_call_to_restart_is_eintr)
{
    EXPECT_ERRNO(syscall(SYS_restart_syscall), EINTR);
}

// --- Files. ---

CASE(xattr_calls_on_links_do_not_follow)
{
    char buffer[64] = {};
    make_file("f", "x");
    REQUIRE(symlink("f", "l") == 0);
    EXPECT_ERRNO(lsetxattr("l", "user.a", "1", 1, 0), EPERM); // user attributes are for files and folders
    EXPECT_EQ(lsetxattr("l", "trusted.a", "link", 4, 0), 0);
    EXPECT_EQ(lgetxattr("l", "trusted.a", buffer, sizeof buffer), 4);
    EXPECT_STR(buffer, "link");
    EXPECT_ERRNO(getxattr("l", "trusted.a", buffer, sizeof buffer), ENODATA);
    EXPECT_EQ(llistxattr("l", buffer, sizeof buffer), (long)sizeof "trusted.a");
    EXPECT_STR(buffer, "trusted.a");
    EXPECT_EQ(listxattr("l", buffer, sizeof buffer), 0);
    EXPECT_EQ(lremovexattr("l", "trusted.a"), 0);
    EXPECT_ERRNO(lremovexattr("l", "trusted.a"), ENODATA);
    EXPECT_ERRNO(lgetxattr("l", "trusted.a", buffer, sizeof buffer), ENODATA);
}

CASE(xattr_lists_of_descriptors_tell_their_size)
{
    char buffer[64];
    int file = open("f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(flistxattr(file, buffer, sizeof buffer), 0);
    EXPECT_EQ(fsetxattr(file, "user.one", "1", 1, XATTR_CREATE), 0);
    EXPECT_EQ(fsetxattr(file, "user.two", "2", 1, 0), 0);
    EXPECT_EQ(flistxattr(file, nullptr, 0), 18);
    EXPECT_ERRNO(flistxattr(file, buffer, 17), ERANGE);
    EXPECT_EQ(flistxattr(file, buffer, 18), 18);
    EXPECT_EQ(fremovexattr(file, "user.one"), 0);
    EXPECT_ERRNO(fgetxattr(file, "user.one", buffer, 1), ENODATA);
    EXPECT_ERRNO(fsetxattr(file, "user.two", "2", 1, XATTR_CREATE), EEXIST);
    EXPECT_ERRNO(fsetxattr(file, "user.new", "2", 1, XATTR_REPLACE), ENODATA);
}

CASE(faccessat2_obeys_its_flags)
{
    make_file("f", "x");
    chmod("f", 0600);
    REQUIRE(symlink("missing", "l") == 0);
    EXPECT_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, 0), ENOENT);
    EXPECT_EQ(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    int file = open("f", O_PATH);
    EXPECT_EQ(syscall(SYS_faccessat2, file, "", R_OK, AT_EMPTY_PATH), 0);
    EXPECT_ERRNO(syscall(SYS_faccessat2, file, "", R_OK, 0), ENOENT);
    EXPECT_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "f", X_OK, 0), EACCES); // root too, where nobody may execute
    IN_CHILD(child)
    {
        REQUIRE(seteuid(65534) == 0); // the real user is still root
        EXPECT_EQ(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0), 0);
        EXPECT_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

CASE(fchmodat2_changes_what_a_descriptor_names)
{
    struct stat st;
    make_file("f", "x");
    REQUIRE(symlink("f", "l") == 0);
    int file = open("f", O_PATH);
    EXPECT_EQ(syscall(SYS_fchmodat2, file, "", 0640, AT_EMPTY_PATH), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT_EQ(st.st_mode & 07777, 0640);
    EXPECT_ERRNO(syscall(SYS_fchmodat2, file, "", 0640, 0), ENOENT);
    EXPECT_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    EXPECT_EQ(syscall(SYS_fchmodat2, AT_FDCWD, "l", 0604, 0), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT_EQ(st.st_mode & 07777, 0604);
}

CASE(fchown_changes_the_owner_of_the_open_file)
{
    struct stat st;
    int file = open("f", O_RDWR | O_CREAT, 0600), place = open("f", O_PATH);
    EXPECT_EQ(fchown(file, 5, 6), 0);
    EXPECT_EQ(fchown(file, -1, 7), 0);
    REQUIRE(fstat(file, &st) == 0);
    EXPECT(st.st_uid == 5 && st.st_gid == 7);
    EXPECT_EQ(syscall(SYS_fchownat, place, "", 8, -1, AT_EMPTY_PATH), 0);
    REQUIRE(fstat(file, &st) == 0);
    EXPECT_EQ(st.st_uid, 8);
    IN_CHILD(child)
    {
        REQUIRE(setuid(65534) == 0);
        EXPECT_ERRNO(fchown(file, 65534, -1), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

CASE(futimesat_sets_microseconds)
{
    struct timeval times[2] = {{1000, 250000}, {2000, 999999}}, wrong[2] = {{1000, 1000000}, {1, 1}};
    struct stat st;
    make_file("f", "x");
    int folder = open(".", O_RDONLY | O_DIRECTORY), file = open("f", O_RDWR);
    EXPECT_EQ(syscall(SYS_futimesat, folder, "f", times), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 250000000);
    EXPECT(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 999999000);
    EXPECT_ERRNO(syscall(SYS_futimesat, folder, "f", wrong), EINVAL);
    EXPECT_EQ(syscall(SYS_futimesat, file, nullptr, nullptr), 0); // the descriptor itself, now
    REQUIRE(stat("f", &st) == 0);
    EXPECT(st.st_mtim.tv_sec > 2000);
    struct { long actime, modtime; } old = {11, 22};
    EXPECT_EQ(syscall(SYS_utime, "f", &old), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT(st.st_atim.tv_sec == 11 && st.st_mtim.tv_sec == 22);
    EXPECT_EQ(syscall(SYS_utimes, "f", times), 0);
    REQUIRE(stat("f", &st) == 0);
    EXPECT_EQ(st.st_mtim.tv_sec, 2000);
    EXPECT_ERRNO(syscall(SYS_utimes, "f", wrong), EINVAL);
}

CASE(preadv2_at_minus_one_is_the_files_own_offset)
{
    char a[3] = {}, b[3] = {};
    make_file("f", "abcdef");
    int file = open("f", O_RDWR);
    struct iovec vector[2] = {{a, 2}, {b, 2}};
    EXPECT_EQ(syscall(SYS_preadv2, file, vector, 2, -1l, 0, 0), 4);
    EXPECT_STR(a, "ab");
    EXPECT_STR(b, "cd");
    EXPECT_EQ(lseek(file, 0, SEEK_CUR), 4);
    EXPECT_EQ(syscall(SYS_preadv2, file, vector, 1, 1l, 0, 0), 2);
    EXPECT_STR(a, "bc");
    EXPECT_EQ(lseek(file, 0, SEEK_CUR), 4);
    EXPECT_ERRNO(syscall(SYS_preadv2, file, vector, 1, -2l, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_preadv2, file, vector, 1, 0l, 0, 0x40000000), EOPNOTSUPP);
    EXPECT_ERRNO(syscall(SYS_pwritev2, file, vector, 1, 0l, 0, 0x40000000), EOPNOTSUPP);
    EXPECT_EQ(syscall(SYS_readv, file, vector, 2), 2);
    EXPECT_EQ(syscall(SYS_readv, file, vector, 2), 0);
    EXPECT_ERRNO(syscall(SYS_readv, file, vector, 1025), EINVAL);
    EXPECT_ERRNO(syscall(SYS_readv, file, vector, -1), EINVAL);
}

// --- Memory and synchronisation. ---

CASE(mlock2_may_lock_pages_as_they_come)
{
    unsigned char present[2];
    char *area = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(syscall(SYS_mlock2, area, 2 * PAGE, 1), 0);
    EXPECT_EQ(mincore(area, 2 * PAGE, present), 0);
    EXPECT(!(present[0] & 1) && !(present[1] & 1));
    area[0] = 1;
    EXPECT_EQ(mincore(area, 2 * PAGE, present), 0);
    EXPECT((present[0] & 1) && !(present[1] & 1));
    EXPECT_ERRNO(madvise(area, PAGE, MADV_DONTNEED), EINVAL); // locked
    EXPECT_EQ(syscall(SYS_mlock2, area, 2 * PAGE, 0), 0);
    EXPECT_EQ(mincore(area, 2 * PAGE, present), 0);
    EXPECT((present[0] & 1) && (present[1] & 1));
    REQUIRE(munmap(area + PAGE, PAGE) == 0);
    EXPECT_ERRNO(syscall(SYS_mlock2, area, 2 * PAGE, 0), ENOMEM);
    EXPECT_EQ(munlock(area, PAGE), 0);
}

CASE(msync_and_mincore_check_their_range)
{
    unsigned char present[2];
    char *area = mmap(nullptr, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_ERRNO(msync(area + 1, PAGE, MS_SYNC), EINVAL);
    EXPECT_ERRNO(msync(area, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    EXPECT_EQ(msync(area, 2 * PAGE, MS_ASYNC), 0);
    EXPECT_ERRNO(mincore(area + 1, PAGE, present), EINVAL);
    REQUIRE(munmap(area + PAGE, PAGE) == 0);
    EXPECT_ERRNO(msync(area, 2 * PAGE, MS_SYNC), ENOMEM);
    EXPECT_ERRNO(mincore(area, 2 * PAGE, present), ENOMEM);
    EXPECT_ERRNO(mincore(area, -1ul, present), ENOMEM);
}

static uint32_t word;

static void wake_word([[maybe_unused]] long unused)
{
    word = 2;
    syscall(FUTEX_WAKE_CALL, &word, 0xffffffffl, 1, 2);
}

CASE(futex_wait_and_wake_as_calls_of_their_own)
{
    struct timespec soon;
    word = 1;
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &word, 5l, -1l, 2, nullptr, 0), EINVAL); // a mask wider than the word
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &word, 5l, 0xffffffffl, 2, nullptr, 0), EAGAIN);
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &word, 1l, 0l, 2, nullptr, 0), EINVAL);
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &word, 1l, 0xffffffffl, 0, nullptr, 0), EINVAL); // words of one byte
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, (char *)&word + 1, 1l, 0xffffffffl, 2, nullptr, 0), EINVAL);
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &word, 1l, 0xffffffffl, 2, &soon, CLOCK_MONOTONIC), ETIMEDOUT);
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &word, 1l, 0xffffffffl, 2, &soon, CLOCK_BOOTTIME), EINVAL);
    EXPECT_EQ(syscall(FUTEX_WAKE_CALL, &word, 0xffffffffl, 1, 2), 0);
    EXPECT_ERRNO(syscall(FUTEX_WAKE_CALL, &word, 0xffffffffl, 1, 0), EINVAL);
}

CASE(futex_wait_is_woken_by_futex_wake)
{
    word = 1;
    IN_CHILD(child)
    {
        thread_t waker = after_ms(30, wake_word, 0);
        while (word == 1) {
            if (syscall(FUTEX_WAIT_CALL, &word, 1l, 0xffffffffl, 2, nullptr, 0) == 0)
                break;
        }
        join(waker);
    }
    EXPECT_EXITED(child, 0);
}

CASE(pkey_calls_check_their_arguments)
{
    char *area = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_ERRNO(syscall(SYS_pkey_alloc, 0, 4), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pkey_free, 16), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pkey_free, -1), EINVAL);
    EXPECT_EQ(syscall(SYS_pkey_mprotect, area, PAGE, PROT_READ | PROT_WRITE, -1), 0); // no key: as mprotect
    area[0] = 1;
    EXPECT_ERRNO(syscall(SYS_pkey_mprotect, area, PAGE, PROT_READ, 16), EINVAL);
}

CASE(getcpu_names_a_processor)
{
    unsigned cpu = 999, node = 999;
    EXPECT_EQ(syscall(SYS_getcpu, &cpu, &node, nullptr), 0);
    EXPECT((long)cpu < sysconf(_SC_NPROCESSORS_CONF));
    EXPECT_EQ(node, 0);
    EXPECT_EQ(syscall(SYS_getcpu, nullptr, nullptr, nullptr), 0);
}

// --- The machine. ---

CASE(arch_prctl_reads_and_sets_the_bases)
{
    unsigned long fs = 0, gs = 1, first;
    EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_GET_FS_, &fs), 0);
    __asm__("movq %%fs:0, %0" : "=r"(first)); // the thread's block begins with its own address
    EXPECT_EQ(fs, first);
    EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS_, &fs), 0);
    EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS_, &gs), 0);
    EXPECT_EQ(gs, (unsigned long)&fs);
    __asm__ volatile("movq %%gs:0, %0" : "=r"(first));
    EXPECT_EQ(first, fs);
    EXPECT_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS_, 0x800000000000), EPERM);
    EXPECT_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_FS_, -1l), EPERM);
    EXPECT_ERRNO(syscall(SYS_arch_prctl, ARCH_GET_FS_, 8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_arch_prctl, 0x1234, 0), EINVAL);
}

CASE(syslog_calls_check_type_and_length)
{
    char buffer[64];
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

CASE(vhangup_without_a_terminal_does_nothing)
{
    EXPECT_EQ(syscall(SYS_vhangup), 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(65534) == 0);
        EXPECT_ERRNO(syscall(SYS_vhangup), EPERM);
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

// reboot(2): in a PID namespace that is not the first, it ends the namespace by a signal to its init.
CASE(reboot_in_a_pid_namespace_ends_it_alone)
{
    static const struct {
        unsigned command;
        int signal;
    } ways[] = {{0x01234567, SIGHUP}, {0xa1b2c3d4, SIGHUP}, {0x4321fedc, SIGINT}, {0xcdef0123, SIGINT}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        IN_CHILD(child)
        {
            REQUIRE(unshare(CLONE_NEWPID) == 0);
            pid_t init = fork();
            if (init == 0) {
                if (fork() == 0)
                    syscall(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, ways[i].command, "again");
                for (;;)
                    pause();
            }
            EXPECT_KILLED(init, ways[i].signal);
        }
        EXPECT_EXITED(child, 0);
    }
}
