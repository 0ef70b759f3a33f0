// tests/contract/limit.c — resource limits and process attributes: getrlimit(2), prlimit(2), prctl(2), personality(2).
#include "tests/contract/harness.h"

#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

static struct rlimit limit_of(int resource)
{
    struct rlimit l = {};
    EXPECT_EQ(getrlimit(resource, &l), 0);
    return l;
}

static void set_limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit l = {soft, hard};
    REQUIRE(setrlimit(resource, &l) == 0);
}

CASE(rlimit_is_set_read_and_shown)
{
    set_limit(RLIMIT_NOFILE, 100, 200);
    EXPECT_EQ(limit_of(RLIMIT_NOFILE).rlim_cur, 100);
    EXPECT_EQ(limit_of(RLIMIT_NOFILE).rlim_max, 200);
    const char *line = strstr(file_text("/proc/self/limits"), "Max open files");
    unsigned long soft = 0, hard = 0;
    EXPECT(line && sscanf(line, "Max open files %lu %lu files", &soft, &hard) == 2);
    EXPECT_EQ(soft, 100);
    EXPECT_EQ(hard, 200);
    EXPECT(strstr(file_text("/proc/self/limits"), "Limit                     Soft Limit           Hard Limit           Units     \n"));
}

CASE(rlimit_errors)
{
    struct rlimit l = {10, 5};
    EXPECT_ERRNO(setrlimit(RLIMIT_CORE, &l), EINVAL); // soft above hard
    EXPECT_ERRNO(setrlimit(RLIM_NLIMITS, &l), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getrlimit, -1, &l), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getrlimit, RLIMIT_CORE, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_setrlimit, RLIMIT_CORE, (void *)8), EFAULT);
    EXPECT_ERRNO(prlimit(0x3ffffff, RLIMIT_CORE, nullptr, &l), ESRCH);
    l = (struct rlimit){1 << 30, 1 << 30};
    EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &l), EPERM); // above /proc/sys/fs/nr_open, even for root
}

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

CASE(rlimit_users_only_lower_the_hard_limit)
{
    set_limit(RLIMIT_NOFILE, 100, 200);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    struct rlimit l = {150, 200};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &l), 0);
    l = (struct rlimit){150, 201};
    EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &l), EPERM);
    l = (struct rlimit){50, 60};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &l), 0);
    l = (struct rlimit){50, 200};
    EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &l), EPERM);
}

CASE(rlimit_is_inherited_and_set_for_others)
{
    set_limit(RLIMIT_CORE, 1000, 2000);
    IN_CHILD(heir)
    {
        EXPECT_EQ(limit_of(RLIMIT_CORE).rlim_cur, 1000);
        EXPECT_EQ(limit_of(RLIMIT_CORE).rlim_max, 2000);
    }
    EXPECT_EXITED(heir, 0);
    IN_CHILD(child)
    {
        while (limit_of(RLIMIT_CORE).rlim_cur != 77)
            sleep_ms(2);
    }
    struct rlimit l = {77, 1500}, old = {};
    EXPECT_EQ(prlimit(child, RLIMIT_CORE, &l, &old), 0);
    EXPECT_EQ(old.rlim_cur, 1000);
    EXPECT_EQ(old.rlim_max, 2000);
    EXPECT_EXITED(child, 0);
    IN_CHILD(user)
    {
        pid_t parent = getppid();
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_ERRNO(prlimit(parent, RLIMIT_CORE, nullptr, &old), EPERM);
    }
    EXPECT_EXITED(user, 0);
}

CASE(rlimit_nofile_stops_descriptors)
{
    set_limit(RLIMIT_NOFILE, 20, 20);
    int last = -1, fd;
    while ((fd = open("/", O_RDONLY)) >= 0)
        last = fd;
    EXPECT_EQ(errno, EMFILE);
    EXPECT_EQ(last, 19);
    EXPECT_ERRNO(dup(0), EMFILE);
    EXPECT_ERRNO(dup2(0, 20), EBADF);
    EXPECT_ERRNO(fcntl(0, F_DUPFD, 20), EINVAL);
    EXPECT_ERRNO(fcntl(0, F_DUPFD, 5), EMFILE);
    int pair[2];
    EXPECT_ERRNO(pipe(pair), EMFILE);
    close(10);
    EXPECT_ERRNO(pipe(pair), EMFILE); // one is not enough, and it is free again afterwards
    EXPECT_EQ(dup(0), 10);
    set_limit(RLIMIT_NOFILE, 5, 20);
    EXPECT(fcntl(15, F_GETFD) >= 0); // those above stay open
}

CASE(rlimit_fsize_stops_growth_with_sigxfsz)
{
    set_limit(RLIMIT_FSIZE, 100, 1000);
    count_signal(SIGXFSZ, 0);
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    static const char bytes[200];
    EXPECT_EQ(write(fd, bytes, 80), 80);
    EXPECT_EQ(write(fd, bytes, 80), 20); // up to the limit
    EXPECT_EQ(handled_signals, 0);
    EXPECT_ERRNO(write(fd, bytes, 1), EFBIG);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(last_signal, SIGXFSZ);
    EXPECT_ERRNO(ftruncate(fd, 101), EFBIG);
    EXPECT_EQ(handled_signals, 2);
    EXPECT_EQ(pwrite(fd, bytes, 50, 0), 50);
    IN_CHILD(child)
    {
        signal(SIGXFSZ, SIG_DFL);
        pwrite(fd, bytes, 1, 200);
    }
    EXPECT_KILLED(child, SIGXFSZ);
}

CASE(rlimit_as_stops_mappings)
{
    set_limit(RLIMIT_AS, 64 << 20, 64 << 20);
    EXPECT_ERRNO(mmap(nullptr, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    void *p = mmap(nullptr, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_ERRNO(mremap(p, 16 << 20, 128 << 20, MREMAP_MAYMOVE), ENOMEM);
    EXPECT_EQ(munmap(p, 16 << 20), 0);
}

CASE(rlimit_data_stops_the_break)
{
    unsigned long start = (unsigned long)syscall(SYS_brk, 0);
    set_limit(RLIMIT_DATA, 4 << 20, 4 << 20);
    EXPECT_EQ(syscall(SYS_brk, start + (64 << 20)), start); // the old break, not an errno
    EXPECT_ERRNO(mmap(nullptr, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    EXPECT(mmap(nullptr, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED); // not data
}

[[gnu::noinline]] static int dig(int depth)
{
    volatile char frame[4096];
    int place = depth * 7 % (int)sizeof frame; // unknown to the compiler, so that it keeps all of it
    frame[place] = (char)depth;
    return depth == 0 ? 0 : dig(depth - 1) + frame[place];
}

HELPER(use_stack)
{
    dig(atoi(argv[0]));
    return 0;
}

CASE(rlimit_stack_is_where_the_stack_ends)
{
    set_limit(RLIMIT_CORE, 0, 0);
    set_limit(RLIMIT_STACK, 2 << 20, 2 << 20);
    IN_CHILD(fits)
    {
        exec_helper("use_stack", (char *[]){"350", nullptr}, nullptr);
    }
    EXPECT_EXITED(fits, 0);
    IN_CHILD(overflows)
    {
        exec_helper("use_stack", (char *[]){"600", nullptr}, nullptr);
    }
    EXPECT_KILLED(overflows, SIGSEGV);
}

HELPER(use_locked_stack)
{
    REQUIRE_EQ(mlockall(MCL_CURRENT), 0);
    set_limit(RLIMIT_MEMLOCK, PAGE, PAGE); // less than is locked already
    if (argc > 1)
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
    dig(atoi(argv[0]));
    return 0;
}

CASE(rlimit_memlock_ends_a_locked_stack_of_users)
{
    set_limit(RLIMIT_CORE, 0, 0);
    IN_CHILD(root)
    {
        exec_helper("use_locked_stack", (char *[]){"350", nullptr}, nullptr);
    }
    EXPECT_EXITED(root, 0);
    IN_CHILD(user)
    {
        exec_helper("use_locked_stack", (char *[]){"350", "user", nullptr}, nullptr);
    }
    EXPECT_KILLED(user, SIGSEGV);
}

static void *use_all_memory(void *)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE;
    for (;;)
        REQUIRE(mmap(nullptr, 64 << 20, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED);
}

static long oom_kills(void)
{
    const char *row = strstr(file_text("/proc/vmstat"), "\noom_kill ");
    return row ? atol(row + 10) : -1;
}

CASE_WITHIN(90, oom_kills_a_process_whose_main_thread_has_ended)
{
    long before = oom_kills();
    EXPECT(before >= 0);
    IN_CHILD(child)
    {
        REQUIRE(write_text("/proc/self/oom_score_adj", "900") == 0);
        pthread_t thread;
        REQUIRE(pthread_create(&thread, nullptr, use_all_memory, nullptr) == 0);
        pthread_exit(nullptr);
    }
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_EQ(oom_kills(), before + 1);
}

// The init of a PID namespace waits for a member whose parent outside does not reap it, and so does not end: no reason to spare the others.
CASE_WITHIN(90, oom_kills_although_another_process_never_ends)
{
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(outside)
    {
        siginfo_t info;
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            pause();
        }
        IN_CHILD(member)
        {
            pause();
        }
        EXPECT_EQ(kill(init, SIGKILL), 0);
        EXPECT_EQ(waitid(P_PID, (id_t)member, &info, WEXITED | WNOWAIT), 0);
        EXPECT_EQ(write(ready[1], "r", 1), 1);
        pause();
    }
    char c;
    REQUIRE_EQ(read(ready[0], &c, 1), 1);
    IN_CHILD(child)
    {
        REQUIRE(write_text("/proc/self/oom_score_adj", "900") == 0);
        use_all_memory(nullptr);
    }
    EXPECT_KILLED(child, SIGKILL);
    kill(outside, SIGKILL);
    EXPECT_KILLED(outside, SIGKILL);
}

// What the init of a PID namespace had open is closed before it waits for its members.
CASE(init_of_a_pid_namespace_closes_before_it_waits_for_its_members)
{
    int held[2];
    REQUIRE(pipe(held) == 0);
    REQUIRE(unshare(CLONE_NEWPID) == 0);
    IN_CHILD(init)
    {
        pause();
    }
    close(held[1]);
    IN_CHILD(member)
    {
        pause();
    }
    EXPECT_EQ(kill(init, SIGKILL), 0);
    char c;
    EXPECT_EQ(read(held[0], &c, 1), 0);
    EXPECT_KILLED(member, SIGKILL);
    EXPECT_KILLED(init, SIGKILL);
}

CASE(rlimit_nproc_stops_forks_of_a_user)
{
    IN_CHILD(child)
    {
        REQUIRE(setresuid(12345, 12345, 12345) == 0);
        set_limit(RLIMIT_NPROC, 2, 2);
        pid_t first = fork();
        if (first == 0) {
            pause();
            _exit(0);
        }
        EXPECT(first > 0);
        EXPECT_ERRNO(fork(), EAGAIN);
        kill(first, SIGKILL);
        EXPECT_KILLED(first, SIGKILL);
        IN_CHILD(again)
        {
        }
        EXPECT_EXITED(again, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(rlimit_cpu_signals_then_kills)
{
    IN_CHILD(child)
    {
        set_limit(RLIMIT_CORE, 0, 0);
        set_limit(RLIMIT_CPU, 1, 2);
        count_signal(SIGXCPU, 0);
        int64_t start = now_ns();
        while (now_ns() - start < 12000000000) {
            if (handled_signals)
                set_limit(RLIMIT_CPU, 2, 2);
        }
    }
    EXPECT_KILLED(child, SIGKILL);
    IN_CHILD(other)
    {
        set_limit(RLIMIT_CORE, 0, 0);
        set_limit(RLIMIT_CPU, 1, 10);
        for (;;)
            ;
    }
    EXPECT_KILLED(other, SIGXCPU);
}

CASE(rlimit_cpu_kills_the_init_of_a_pid_namespace)
{
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(init)
        {
            set_limit(RLIMIT_CORE, 0, 0);
            set_limit(RLIMIT_CPU, 1, 1);
            int64_t start = now_ns();
            while (now_ns() - start < 20000000000)
                ;
        }
        EXPECT_KILLED(init, SIGKILL);
    }
    EXPECT_EXITED(outside, 0);
}

CASE(rlimit_memlock_stops_locking_by_users)
{
    void *p = mmap(nullptr, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    set_limit(RLIMIT_MEMLOCK, 8 * PAGE, 8 * PAGE);
    EXPECT_EQ(mlock(p, 64 * PAGE), 0); // root
    EXPECT_EQ(munlock(p, 64 * PAGE), 0);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    EXPECT_EQ(mlock(p, 8 * PAGE), 0);
    EXPECT_ERRNO(mlock(p, 9 * PAGE), ENOMEM);
    EXPECT_EQ(munlock(p, 64 * PAGE), 0);
    set_limit(RLIMIT_MEMLOCK, 0, 0);
    EXPECT_ERRNO(mlock(p, PAGE), EPERM);
}

CASE(mlockall_of_users_has_a_limit)
{
    struct rlimit none = {}, little = {.rlim_cur = PAGE, .rlim_max = PAGE};
    IN_CHILD(child)
    {
        REQUIRE(setrlimit(RLIMIT_MEMLOCK, &little) == 0 && setuid(1000) == 0);
        EXPECT_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
        REQUIRE(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
        EXPECT_ERRNO(mlockall(MCL_CURRENT), EPERM);
        EXPECT_EQ(munlockall(), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(rlimit_nice_and_rtprio_give_users_room)
{
    set_limit(RLIMIT_NICE, 25, 25); // down to nice -5
    set_limit(RLIMIT_RTPRIO, 10, 10);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    EXPECT_EQ(setpriority(PRIO_PROCESS, 0, -5), 0);
    EXPECT_ERRNO(setpriority(PRIO_PROCESS, 0, -6), EACCES);
    struct sched_param p = {.sched_priority = 10};
    EXPECT_EQ(syscall(SYS_sched_setscheduler, 0, 1, &p), 0);
    p.sched_priority = 11;
    EXPECT_ERRNO(syscall(SYS_sched_setparam, 0, &p), EPERM);
}

// --- prctl(2), personality(2). ---

CASE(prctl_name_is_cut_to_fifteen)
{
    char name[32] = "................";
    EXPECT_EQ(prctl(PR_SET_NAME, "abcdefghijklmnopqrstuvwxyz"), 0);
    EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
    EXPECT_STR(name, "abcdefghijklmno");
    EXPECT_STR(file_text("/proc/self/comm"), "abcdefghijklmno\n");
    EXPECT_EQ(write_text("/proc/self/comm", "short"), 0);
    EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
    EXPECT_STR(name, "short");
    EXPECT_ERRNO(prctl(PR_SET_NAME, (void *)8), EFAULT);
    EXPECT_ERRNO(prctl(PR_GET_NAME, (void *)8), EFAULT);
}

CASE(prctl_unknown_option_is_einval)
{
    EXPECT_ERRNO(prctl(0), EINVAL);
    EXPECT_ERRNO(prctl(99999), EINVAL);
    EXPECT_ERRNO(prctl(-1), EINVAL);
}

CASE(prctl_death_signal_is_checked_and_cleared)
{
    int signal = -1;
    EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &signal), 0);
    EXPECT_EQ(signal, 0);
    EXPECT_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    EXPECT_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
    EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &signal), 0);
    EXPECT_EQ(signal, SIGUSR1);
    IN_CHILD(child)
    {
        int inherited = -1;
        EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &inherited), 0);
        EXPECT_EQ(inherited, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(prctl_subreaper_is_not_inherited)
{
    int value = -1;
    EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    EXPECT_EQ(prctl(PR_GET_CHILD_SUBREAPER, &value), 0);
    EXPECT_EQ(value, 1);
    IN_CHILD(child)
    {
        int inherited = -1;
        EXPECT_EQ(prctl(PR_GET_CHILD_SUBREAPER, &inherited), 0);
        EXPECT_EQ(inherited, 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(prctl_timer_slack)
{
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 50000);
    EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 1000), 0);
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1000);
    IN_CHILD(child)
    {
        EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1000); // inherited
        EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 0), 0); // the default is what the parent had
        EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1000);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 0), 0);
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 50000);
}

CASE(personality_is_kept_by_fork)
{
    EXPECT_EQ(personality(0xffffffff), 0);
    EXPECT_EQ(personality(ADDR_NO_RANDOMIZE), 0);
    EXPECT_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
    IN_CHILD(child)
    {
        EXPECT_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
    }
    EXPECT_EXITED(child, 0);
}

CASE(personality_bits_change_calls)
{
    // Reading implies executing, until the next program.
    EXPECT_EQ(personality(READ_IMPLIES_EXEC), 0);
    char *p = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char line[40];
    snprintf(line, sizeof line, "%lx-%lx r-xp", (unsigned long)p, (unsigned long)p + PAGE);
    EXPECT(strstr(file_text("/proc/self/maps"), line));
    // select(2), without a library that keeps the answer to itself: the time that was left is not written.
    struct timeval tv = {0, 20000};
    EXPECT_EQ(syscall(SYS_select, 0, nullptr, nullptr, nullptr, &tv), 0);
    EXPECT_EQ(tv.tv_usec, 0);
    EXPECT_EQ(personality(STICKY_TIMEOUTS), READ_IMPLIES_EXEC);
    tv.tv_usec = 20000;
    EXPECT_EQ(syscall(SYS_select, 0, nullptr, nullptr, nullptr, &tv), 0);
    EXPECT_EQ(tv.tv_usec, 20000);
}

CASE(personality_disguises_the_kernel)
{
    struct utsname plain, u;
    EXPECT_EQ(uname(&plain), 0);
    EXPECT_EQ(personality(UNAME26 | PER_LINUX32), 0);
    EXPECT_EQ(uname(&u), 0);
    EXPECT_STR(u.machine, "i686");
    EXPECT(strncmp(u.release, "2.6.", 4) == 0);
    EXPECT_EQ(atoi(u.release + 4), 60 + atoi(strchr(plain.release, '.') + 1));
    EXPECT_STR(u.nodename, plain.nodename);
    EXPECT_STR(u.version, plain.version);
    EXPECT_EQ(personality(0), UNAME26 | PER_LINUX32);
    EXPECT_EQ(uname(&u), 0);
    EXPECT_STR(u.release, plain.release);
    EXPECT_STR(u.machine, plain.machine);
}

// Argument: what personality(2) is to be. Exit code: 1 if it is not, 2 if page 0 is not there, 4 if mappings are made downwards.
HELPER(personality_is)
{
    int code = argc == 1 && personality(0xffffffff) == (int)strtoul(argv[0], nullptr, 16) ? 0 : 1;
    if (strncmp(file_text("/proc/self/maps"), "00000000-", 9) != 0)
        code |= 2;
    char *a = mmap(nullptr, 64 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *b = mmap(nullptr, 64 * PAGE, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return b < a ? code | 4 : code;
}

CASE(personality_bits_change_the_next_program)
{
    IN_CHILD(plain)
    {
        EXPECT_EQ(personality(READ_IMPLIES_EXEC), 0);
        exec_helper("personality_is", (char *[]){"0", nullptr}, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(plain, 6); // no page 0, downwards
    IN_CHILD(child)
    {
        EXPECT_EQ(personality(ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO), 0);
        exec_helper("personality_is", (char *[]){"300000", nullptr}, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

static void make_suid(const char *path)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    static char buffer[65536];
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
        REQUIRE_EQ(write(to, buffer, (size_t)n), n);
    close(from);
    close(to);
    REQUIRE(chown(path, 0, 0) == 0 && chmod(path, 04755) == 0 && chmod(".", 0755) == 0);
}

CASE(personality_of_set_user_id_programs_is_not_the_callers)
{
    make_suid("suid");
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(personality(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO | SHORT_INODE), 0);
        execve("./suid", (char *[]){"suid", "--helper", "personality_is", "1000000", nullptr}, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 6);
}

HELPER(stack_limit_is)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur == strtoul(argv[0], nullptr, 10) ? 0 : 1;
}

CASE(rlimit_stack_of_set_user_id_programs_is_eight_mib_at_most)
{
    struct rlimit limit = {64 << 20, 64 << 20};
    make_suid("suid");
    REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        execve("./suid", (char *[]){"suid", "--helper", "stack_limit_is", "8388608", nullptr}, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
    IN_CHILD(plain)
    {
        exec_helper("stack_limit_is", (char *[]){"67108864", nullptr}, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(plain, 0);
}

CASE(rlimit_rttime_signals_then_kills)
{
    IN_CHILD(child)
    {
        struct sched_param p = {.sched_priority = 1};
        int64_t start = now_ns(), told = 0;
        REQUIRE(syscall(SYS_sched_setscheduler, 0, 1, &p) == 0);
        set_limit(RLIMIT_CORE, 0, 0);
        set_limit(RLIMIT_RTTIME, 100000, 1500000);
        count_signal(SIGXCPU, 0);
        while (now_ns() - start < 12000000000) {
            if (handled_signals && !told) {
                told = now_ns() - start;
                EXPECT(told >= 90000000);
                rlim_t next = limit_of(RLIMIT_RTTIME).rlim_cur;
                EXPECT(next == 1100000 || (next == 2100000 && now_ns() - start >= 1100000000));
                sleep_ms(5); // the time is counted from the last sleep
            }
        }
    }
    EXPECT_KILLED(child, SIGKILL);
    IN_CHILD(plain) // others are not limited
    {
        set_limit(RLIMIT_RTTIME, 1000, 1000);
        for (int64_t start = now_ns(); now_ns() - start < 100000000;)
            ;
    }
    EXPECT_EXITED(plain, 0);
}

CASE(rlimit_nofile_is_bounded_by_nr_open)
{
    keep_setting("/proc/sys/fs/nr_open");
    EXPECT_EQ(write_text("/proc/sys/fs/nr_open", "8192"), 0);
    struct rlimit l = {1024, 8193};
    EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &l), EPERM);
    l.rlim_max = 8192;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &l), 0);
}

CASE(getrusage_checks)
{
    // Linux counts pages on each CPU first and in batches in the whole: a few pages of a fresh process may not show.
    enum { TOUCHED = 4 << 20 };
    char *memory = mmap(nullptr, TOUCHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    memset(memory, 1, TOUCHED);
    struct rusage r;
    EXPECT_EQ(getrusage(RUSAGE_SELF, &r), 0);
    EXPECT(r.ru_maxrss >= TOUCHED / 1024 / 2);
    EXPECT(r.ru_minflt > 0);
    EXPECT_EQ(munmap(memory, TOUCHED), 0);
    EXPECT_EQ(getrusage(RUSAGE_SELF, &r), 0);
    EXPECT(r.ru_maxrss >= TOUCHED / 1024 / 2); // the most there ever was
    EXPECT_EQ(getrusage(RUSAGE_THREAD, &r), 0);
    EXPECT_EQ(getrusage(RUSAGE_CHILDREN, &r), 0);
    EXPECT_ERRNO(syscall(SYS_getrusage, 5, &r), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, (void *)8), EFAULT);
}
