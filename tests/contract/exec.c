// tests/contract/exec.c — what a new program finds: execve(2), execveat(2), getauxval(3), environ(7).
#include "tests/contract/harness.h"

#include <cpuid.h>
#include <elf.h>
#include <poll.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

// Copies the running program to `path`.
static void copy_program(const char *path, mode_t mode)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    REQUIRE(from >= 0 && to >= 0);
    static char buffer[65536];
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
        REQUIRE_EQ(write(to, buffer, (size_t)n), n);
    REQUIRE(fchmod(to, mode) == 0);
    close(from);
    close(to);
}

// Runs a helper in a child and expects it to end with 0.
#define EXPECT_HELPER(...)                                                                                             \
    do {                                                                                                               \
        char *list_[] = {__VA_ARGS__, nullptr};                                                                        \
        pid_t child_ = fork_or_fail(__FILE_NAME__, __LINE__);                                                          \
        if (child_ == 0) {                                                                                             \
            exec_helper(list_[0], list_ + 1, nullptr);                                                                 \
            _exit(126);                                                                                                \
        }                                                                                                              \
        EXPECT_EXITED(child_, 0);                                                                                      \
    } while (0)

static bool aux(unsigned long type, unsigned long *value)
{
    errno = 0;
    *value = getauxval(type);
    return errno == 0;
}

HELPER(check_auxv)
{
    unsigned long v;
    bool ok = aux(AT_PAGESZ, &v) && v == PAGE;
    ok = ok && aux(AT_CLKTCK, &v) && v == 100;
    ok = ok && aux(AT_FLAGS, &v) && v == 0;
    ok = ok && aux(AT_UID, &v) && v == getuid() && aux(AT_EUID, &v) && v == geteuid();
    ok = ok && aux(AT_GID, &v) && v == getgid() && aux(AT_EGID, &v) && v == getegid();
    ok = ok && aux(AT_SECURE, &v) && v == 0;
    if (!ok)
        return 1;
    if (!aux(AT_PLATFORM, &v) || strcmp((char *)v, "x86_64") != 0)
        return 2;
    if (!aux(AT_EXECFN, &v) || strcmp((char *)v, program_path) != 0)
        return 3;
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    if (!aux(AT_HWCAP, &v) || v != d)
        return 4;
    if (!aux(AT_HWCAP2, &v))
        return 5;
    if (!aux(AT_MINSIGSTKSZ, &v) || v < 1000 || v > 65536)
        return 6;
    if (!aux(AT_SYSINFO_EHDR, &v) || memcmp((char *)v, ELFMAG, SELFMAG) != 0)
        return 7;
    return 0;
}

CASE(exec_auxiliary_vector_tells_the_facts)
{
    EXPECT_HELPER("check_auxv");
}

HELPER(check_program_headers)
{
    unsigned long phdr, entry, count, size, base;
    if (!aux(AT_PHDR, &phdr) || !aux(AT_ENTRY, &entry) || !aux(AT_PHNUM, &count) || !aux(AT_PHENT, &size))
        return 1;
    if (size != sizeof(Elf64_Phdr) || !aux(AT_BASE, &base) || base != 0)
        return 2;
    extern const Elf64_Ehdr __ehdr_start;
    if (phdr != (uintptr_t)&__ehdr_start + __ehdr_start.e_phoff || count != __ehdr_start.e_phnum)
        return 3;
    uintptr_t start = __ehdr_start.e_type == ET_DYN ? (uintptr_t)&__ehdr_start : 0;
    return entry == start + __ehdr_start.e_entry ? 0 : 4;
}

CASE(exec_auxiliary_vector_points_to_the_program_headers)
{
    EXPECT_HELPER("check_program_headers");
}

// Linux's order and set of entries ends with AT_NULL; every entry appears once, and /proc shows the same bytes.
HELPER(check_proc_auxv)
{
    extern char **environ;
    char **p = environ;
    while (*p)
        p++;
    const Elf64_auxv_t *v = (void *)(p + 1);
    size_t entries = 0;
    while (v[entries++].a_type != AT_NULL)
        ;
    for (size_t i = 0; i < entries; i++) {
        for (size_t k = 0; k < i; k++) {
            if (v[i].a_type == v[k].a_type)
                return 1;
        }
    }
    char text[4096];
    int fd = open("/proc/self/auxv", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    if (n != (ssize_t)(entries * sizeof *v))
        return 2;
    return memcmp(text, v, (size_t)n) == 0 ? 0 : 3;
}

CASE(exec_proc_auxv_is_what_the_stack_has)
{
    EXPECT_HELPER("check_proc_auxv");
}

HELPER(save_random)
{
    const void *random = (const void *)getauxval(AT_RANDOM);
    int fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    return !random || write(fd, random, 16) != 16;
}

CASE(exec_random_bytes_differ_each_time)
{
    EXPECT_HELPER("save_random", "a");
    EXPECT_HELPER("save_random", "b");
    char a[16], b[16];
    EXPECT_EQ(read(open("a", O_RDONLY), a, 16), 16);
    EXPECT_EQ(read(open("b", O_RDONLY), b, 16), 16);
    EXPECT(memcmp(a, b, 16) != 0);
}

HELPER(save_stack_address)
{
    int fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    void *places[3] = {argv, mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), sbrk(0)};
    return write(fd, places, sizeof places) != sizeof places;
}

static void read_places(const char *path, uintptr_t places[3])
{
    EXPECT_EQ(read(open(path, O_RDONLY | O_CLOEXEC), places, 24), 24);
}

CASE(exec_addresses_are_random)
{
    uintptr_t a[3], b[3];
    EXPECT_HELPER("save_stack_address", "a");
    EXPECT_HELPER("save_stack_address", "b");
    read_places("a", a);
    read_places("b", b);
    EXPECT(a[0] != b[0]);
    EXPECT(a[1] != b[1]);
    EXPECT(a[2] != b[2]);
}

CASE(exec_addresses_are_fixed_by_personality)
{
    uintptr_t a[3], b[3];
    EXPECT(personality(ADDR_NO_RANDOMIZE) >= 0);
    EXPECT_HELPER("save_stack_address", "a");
    EXPECT_HELPER("save_stack_address", "b");
    read_places("a", a);
    read_places("b", b);
    EXPECT_EQ(a[0], b[0]);
    EXPECT_EQ(a[1], b[1]);
    EXPECT_EQ(a[2], b[2]);
}

HELPER(check_strings)
{
    extern char **environ;
    if (argc != 3 || strcmp(argv[0], "") != 0 || strcmp(argv[1], "two words") != 0 || strcmp(argv[2], "\xff\x01") != 0 || argv[3])
        return 1;
    if (!environ[0] || strcmp(environ[0], "A=1") != 0 || !environ[1] || strcmp(environ[1], "odd") != 0 || environ[2])
        return 2;
    // Strings lie one after the other: the arguments, then the environment.
    return argv[0] + 1 == argv[1] && argv[1] + 10 == argv[2] && argv[2] + 3 == environ[0] && environ[0] + 4 == environ[1] ? 0 : 3;
}

CASE(exec_passes_arguments_and_environment)
{
    char *args[] = {"", "two words", "\xff\x01", nullptr}, *environment[] = {"A=1", "odd", nullptr};
    IN_CHILD(child)
    {
        exec_helper("check_strings", args, environment);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

HELPER(check_proc_strings)
{
    char text[512] = "";
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    const char wanted[] = "--helper\0check_proc_strings\0x\0";
    size_t skip = strlen(text) + 1;
    if (n != (ssize_t)(skip + sizeof wanted - 1) || memcmp(text + skip, wanted, sizeof wanted - 1) != 0)
        return 1;
    fd = open("/proc/self/environ", O_RDONLY);
    n = read(fd, text, sizeof text);
    return n == 8 && memcmp(text, "B=2\0C=3", 8) == 0 ? 0 : 2;
}

CASE(exec_proc_shows_arguments_and_environment)
{
    char *args[] = {"x", nullptr}, *environment[] = {"B=2", "C=3", nullptr};
    IN_CHILD(child)
    {
        exec_helper("check_proc_strings", args, environment);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

HELPER(count_length)
{
    size_t length = 0;
    for (int i = 0; i < argc; i++)
        length += strlen(argv[i]) + 1;
    return length == strtoul(argv[0], nullptr, 10) ? 0 : 1;
}

static char *letters(size_t count)
{
    char *text = malloc(count + 1);
    REQUIRE(text);
    memset(text, 'a', count);
    text[count] = '\0';
    return text;
}

CASE(exec_one_string_may_have_128_kib)
{
    enum { MAX_STRING = 131072 };
    EXPECT_HELPER("count_length", "131079", letters(MAX_STRING - 1));
    char *args[] = {letters(MAX_STRING), nullptr};
    IN_CHILD(child)
    {
        EXPECT_ERRNO(exec_helper("count_length", args, nullptr), E2BIG);
        EXPECT_ERRNO(exec_helper("count_length", nullptr, args), E2BIG); // the environment too
    }
    EXPECT_EXITED(child, 0);
}

// Tries exec with `count` arguments of 100 KiB; 0, or the errno.
static int exec_with_much(int count)
{
    char **argv = calloc((size_t)count + 4, sizeof *argv), *text = letters(100 * 1024 - 1);
    argv[0] = (char *)program_path;
    argv[1] = "--helper";
    argv[2] = "succeed";
    for (int i = 0; i < count; i++)
        argv[i + 3] = text;
    pid_t child = fork();
    if (child == 0) {
        execve(program_path, argv, (char *[]){nullptr});
        _exit(errno);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

HELPER(succeed)
{
    return 0;
}

CASE(exec_pointers_to_strings_count_as_well)
{
    enum { COUNT = 10000 };
    static char *arguments[COUNT + 1], *environment[COUNT + 1];
    struct rlimit limit = {128 << 10, 8 << 20};
    for (int i = 0; i < COUNT; i++)
        arguments[i] = environment[i] = "a";
    IN_CHILD(child)
    {
        REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
        EXPECT_ERRNO(execve(program_path, arguments, environment), E2BIG); // 40 KB of strings and 160 KB of pointers
    }
    EXPECT_EXITED(child, 0);
}

CASE(exec_strings_may_fill_a_quarter_of_the_stack_limit)
{
    struct rlimit limit = {8 << 20, 8 << 20};
    REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
    EXPECT_EQ(exec_with_much(19), 0); // 1.9 MiB
    EXPECT_EQ(exec_with_much(22), E2BIG);
    limit.rlim_cur = 4 << 20;
    REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
    EXPECT_EQ(exec_with_much(9), 0);
    EXPECT_EQ(exec_with_much(12), E2BIG);
}

CASE(exec_of_no_arguments_gets_an_empty_one)
{
    IN_CHILD(child)
    {
        // Linux 5.18 and later: argv = {""}, so that argc is never 0. The program runs its cases then: none has the name "".
        make_file("probe", "#!/guest/program --helper\n");
        chmod("probe", 0755);
        execve("probe", nullptr, nullptr);
        _exit(errno);
    }
    EXPECT_EXITED(child, 127); // no helper of that name: the script's path took the place of argv[0]
}

CASE(exec_path_errors)
{
    char *args[] = {"x", nullptr};
    EXPECT_ERRNO(execve("missing", args, nullptr), ENOENT);
    EXPECT_ERRNO(execve("", args, nullptr), ENOENT);
    EXPECT_ERRNO(execve("/", args, nullptr), EACCES);
    make_file("plain", "text");
    EXPECT_ERRNO(execve("plain", args, nullptr), EACCES);
    EXPECT_ERRNO(execve("plain/x", args, nullptr), ENOTDIR);
    REQUIRE(symlink("loop", "loop") == 0);
    EXPECT_ERRNO(execve("loop", args, nullptr), ELOOP);
    EXPECT_ERRNO(execve(letters(5000), args, nullptr), ENAMETOOLONG);
    EXPECT_ERRNO(execve(letters(300), args, nullptr), ENAMETOOLONG);
    EXPECT_ERRNO(execve((char *)8, args, nullptr), EFAULT);
    EXPECT_ERRNO(execve(program_path, (char **)8, nullptr), EFAULT);
    char *bad[] = {"x", (char *)8, nullptr};
    EXPECT_ERRNO(execve(program_path, bad, nullptr), EFAULT);
    EXPECT_ERRNO(execve(program_path, args, (char **)8), EFAULT);
    EXPECT_ERRNO(execve("/dev/null", args, nullptr), EACCES);
    REQUIRE(mkfifo("fifo", 0777) == 0);
    EXPECT_ERRNO(execve("fifo", args, nullptr), EACCES);
}

CASE(exec_permission_is_that_of_the_caller)
{
    copy_program("p", 0700);
    char *args[] = {"p", "--helper", "succeed", nullptr};
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_ERRNO(execve("p", args, nullptr), EACCES);
    }
    EXPECT_EXITED(child, 0);
    chmod("p", 0711); // execute without read is enough
    IN_CHILD(other)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        execve("p", args, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(other, 0);
    chmod("p", 0644); // root too needs one execute bit
    EXPECT_ERRNO(execve("p", args, nullptr), EACCES);
}

CASE(exec_noexec_mount_is_eacces)
{
    own_mount_namespace();
    mkdir("m", 0755);
    REQUIRE(mount("t", "m", "tmpfs", MS_NOEXEC, nullptr) == 0);
    copy_program("m/p", 0755);
    char *args[] = {"p", "--helper", "succeed", nullptr};
    EXPECT_ERRNO(execve("m/p", args, nullptr), EACCES);
}

CASE(exec_file_open_for_writing_is_busy)
{
    copy_program("p", 0755);
    int fd = open("p", O_WRONLY);
    char *args[] = {"p", "--helper", "pause", nullptr};
    EXPECT_ERRNO(execve("p", args, nullptr), ETXTBSY);
    close(fd);
    IN_CHILD(child)
    {
        execve("p", args, nullptr);
        _exit(126);
    }
    until_asleep(child);
    sleep_ms(30);
    EXPECT_ERRNO(open("p", O_WRONLY), ETXTBSY);
    EXPECT_ERRNO(truncate("p", 0), ETXTBSY);
    EXPECT_EQ(unlink("p"), 0); // but its name may go
    kill(child, SIGTERM);
    EXPECT_KILLED(child, SIGTERM);
}

HELPER(pause)
{
    pause();
    return 1;
}

HELPER(check_exe_link)
{
    char link[256] = "";
    ssize_t n = readlink("/proc/self/exe", link, sizeof link - 1);
    return n > 0 && strcmp(link, argv[0]) == 0 ? 0 : 1;
}

CASE(exec_proc_exe_names_the_file)
{
    char path[256], deleted[300];
    REQUIRE(getcwd(path, 200));
    strcat(path, "/p");
    snprintf(deleted, sizeof deleted, "%s (deleted)", path);
    copy_program("p", 0755);
    REQUIRE(symlink("p", "link") == 0);
    IN_CHILD(child)
    {
        execve("link", (char *[]){"link", "--helper", "check_exe_link", path, nullptr}, nullptr);
    }
    EXPECT_EXITED(child, 0);
    int fd = open("p", O_RDONLY | O_CLOEXEC);
    unlink("p");
    IN_CHILD(other)
    {
        syscall(SYS_execveat, fd, "", (char *[]){"p", "--helper", "check_exe_link", deleted, nullptr}, nullptr, AT_EMPTY_PATH);
    }
    EXPECT_EXITED(other, 0);
}

HELPER(check_name)
{
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    return strcmp(name, argv[0]) == 0 ? 0 : 1;
}

CASE(exec_sets_the_thread_name_to_fifteen_letters)
{
    copy_program("a_rather_long_file_name", 0755);
    IN_CHILD(child)
    {
        execve("./a_rather_long_file_name", (char *[]){"zero", "--helper", "check_name", "a_rather_long_f", nullptr}, nullptr);
    }
    EXPECT_EXITED(child, 0);
}

HELPER(check_descriptors)
{
    return fcntl(atoi(argv[0]), F_GETFD) == 0 && fcntl(atoi(argv[1]), F_GETFD) == -1 && errno == EBADF ? 0 : 1;
}

CASE(exec_closes_marked_descriptors)
{
    int kept = open("/", O_RDONLY), closed = open("/", O_RDONLY | O_CLOEXEC);
    char a[12], b[12];
    snprintf(a, sizeof a, "%d", kept);
    snprintf(b, sizeof b, "%d", closed);
    EXPECT_HELPER("check_descriptors", a, b);
    EXPECT_EQ(fcntl(closed, F_GETFD), FD_CLOEXEC); // ours is still there
}

HELPER(check_signals)
{
    struct sigaction usr1, usr2, chld;
    sigaction(SIGUSR1, nullptr, &usr1);
    sigaction(SIGUSR2, nullptr, &usr2);
    sigaction(SIGCHLD, nullptr, &chld);
    sigset_t mask, pending;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    sigpending(&pending);
    stack_t stack;
    sigaltstack(nullptr, &stack);
    if (usr1.sa_handler != SIG_DFL || usr2.sa_handler != SIG_IGN || chld.sa_handler != SIG_DFL)
        return 1;
    if (usr1.sa_flags & SA_RESTART)
        return 2;
    if (!sigismember(&mask, SIGHUP) || !sigismember(&pending, SIGHUP))
        return 3;
    return stack.ss_flags == SS_DISABLE ? 0 : 4;
}

CASE(exec_resets_handlers_but_keeps_ignored_blocked_and_pending)
{
    static char stack[16384];
    count_signal(SIGUSR1, SA_RESTART);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    IN_CHILD(child)
    {
        sigaltstack(&alternate, nullptr);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        raise(SIGHUP);
        exec_helper("check_signals", nullptr, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

HELPER(check_inherited)
{
    char cwd[256];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (!getcwd(cwd, sizeof cwd) || strcmp(cwd, argv[0]) != 0)
        return 1;
    if (umask(0) != 0137 || limit.rlim_cur != 77 || getpriority(PRIO_PROCESS, 0) != 5)
        return 2;
    return getpid() == atoi(argv[1]) && getpgrp() == getpid() ? 0 : 3;
}

CASE(exec_keeps_ids_limits_directory_and_umask)
{
    char cwd[256], pid[12];
    REQUIRE(getcwd(cwd, sizeof cwd));
    IN_CHILD(child)
    {
        setpgid(0, 0);
        umask(0137);
        struct rlimit limit = {77, 77};
        setrlimit(RLIMIT_NOFILE, &limit);
        setpriority(PRIO_PROCESS, 0, 5);
        snprintf(pid, sizeof pid, "%d", getpid());
        exec_helper("check_inherited", (char *[]){cwd, pid, nullptr}, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

HELPER(check_no_timers)
{
    struct itimerspec t;
    return syscall(SYS_timer_gettime, 0, &t) == -1 && errno == EINVAL ? 0 : 1;
}

CASE(exec_deletes_timers)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    IN_CHILD(child)
    {
        int id = -1;
        REQUIRE(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0);
        EXPECT_EQ(id, 0);
        exec_helper("check_no_timers", nullptr, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

HELPER(usr1_is_not_pending)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGUSR1) ? 1 : sigismember(&pending, SIGUSR2) ? 0 : 2;
}

CASE(exec_forgets_signals_of_timers)
{
    IN_CHILD(child)
    {
        sigset_t set, pending;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        raise(SIGUSR2);
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        struct itimerspec soon = {.it_value.tv_nsec = 1000};
        REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
        REQUIRE(timer_settime(timer, 0, &soon, nullptr) == 0);
        do
            sigpending(&pending);
        while (!sigismember(&pending, SIGUSR1));
        exec_helper("usr1_is_not_pending", nullptr, nullptr);
        _exit(126);
    }
    EXPECT_EXITED(child, 0);
}

static int exec_pause(void *word)
{
    syscall(SYS_set_tid_address, word);
    exec_helper("pause", nullptr, nullptr);
    return 126;
}

// A thread's joiner, in another process with the same memory, is told when that memory is left, by exec as by exit: set_tid_address(2).
CASE(exec_clears_the_child_tid_in_shared_memory)
{
    static int word;
    word = 1;
    enum { STACK = 65536 };
    char *stack = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    REQUIRE(stack != MAP_FAILED);
    pid_t child = clone(exec_pause, stack + STACK, CLONE_VM | SIGCHLD, &word);
    REQUIRE(child > 0);
    struct timespec limit = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 1)
        if (syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 1, &limit, nullptr, 0) != 0 && errno == ETIMEDOUT)
            break;
    EXPECT_EQ(word, 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(exec_by_a_user_over_the_process_limit_is_eagain)
{
    IN_CHILD(child)
    {
        int fds[2];
        char c;
        REQUIRE(pipe(fds) == 0);
        pid_t others[2];
        for (int i = 0; i < 2; i++) {
            IN_CHILD(other)
            {
                REQUIRE(setuid(31000) == 0);
                (void)!write(fds[1], "x", 1);
                pause();
            }
            others[i] = other;
            REQUIRE(read(fds[0], &c, 1) == 1);
        }
        struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
        REQUIRE(setrlimit(RLIMIT_NPROC, &limit) == 0);
        IN_CHILD(user)
        {
            REQUIRE(setuid(31000) == 0); // does not fail for it
            EXPECT_ERRNO(exec_helper("succeed", nullptr, nullptr), EAGAIN);
            _exit(3); // and the helper with 0
        }
        EXPECT_EXITED(user, 3);
        for (int i = 0; i < 2; i++) {
            kill(others[i], SIGKILL);
            EXPECT_KILLED(others[i], SIGKILL);
        }
    }
    EXPECT_EXITED(child, 0);
}

CASE(execveat_runs_descriptors_and_relative_paths)
{
    char *args[] = {"p", "--helper", "succeed", nullptr};
    mkdir("d", 0755);
    copy_program("d/p", 0755);
    int dir = open("d", O_PATH | O_CLOEXEC), file = open("d/p", O_PATH | O_CLOEXEC);
    IN_CHILD(a)
    {
        syscall(SYS_execveat, dir, "p", args, nullptr, 0);
    }
    IN_CHILD(b)
    {
        syscall(SYS_execveat, file, "", args, nullptr, AT_EMPTY_PATH);
    }
    EXPECT_EXITED(a, 0);
    EXPECT_EXITED(b, 0);
    int memory = (int)syscall(SYS_memfd_create, "prog", 0);
    int from = open("d/p", O_RDONLY);
    static char buffer[65536];
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
        REQUIRE_EQ(write(memory, buffer, (size_t)n), n);
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", memory);
    int again = open(self, O_RDONLY); // one without a writer left
    close(memory);
    IN_CHILD(c)
    {
        syscall(SYS_execveat, again, "", args, nullptr, AT_EMPTY_PATH);
    }
    EXPECT_EXITED(c, 0);
}

CASE(execveat_errors)
{
    char *args[] = {"p", "--helper", "succeed", nullptr};
    copy_program("p", 0755);
    REQUIRE(symlink("p", "link") == 0);
    EXPECT_ERRNO(syscall(SYS_execveat, AT_FDCWD, "link", args, nullptr, AT_SYMLINK_NOFOLLOW), ELOOP);
    EXPECT_ERRNO(syscall(SYS_execveat, AT_FDCWD, "p", args, nullptr, 0x40000), EINVAL);
    EXPECT_ERRNO(syscall(SYS_execveat, 99, "p", args, nullptr, 0), EBADF);
    int file = open("p", O_RDONLY | O_CLOEXEC);
    EXPECT_ERRNO(syscall(SYS_execveat, file, "p", args, nullptr, 0), ENOTDIR);
    EXPECT_ERRNO(syscall(SYS_execveat, file, "", args, nullptr, 0), ENOENT);
    make_file("s", "#!/guest/program --helper\n");
    chmod("s", 0755);
    int script = open("s", O_RDONLY | O_CLOEXEC);
    EXPECT_ERRNO(syscall(SYS_execveat, script, "", args, nullptr, AT_EMPTY_PATH), ENOENT); // its interpreter could not open it
}

// Execs itself by a thread that is not the leader, as often as the argument says.
static char *rounds_left[2];

static void *exec_again(void *)
{
    exec_helper("exec_by_threads", rounds_left, nullptr);
    _exit(1);
}

HELPER(exec_by_threads)
{
    static char text[16];
    int left = atoi(argv[0]);
    if (left == 0)
        return 0;
    snprintf(text, sizeof text, "%d", left - 1);
    rounds_left[0] = text;
    pthread_t thread;
    if (pthread_create(&thread, nullptr, exec_again, nullptr))
        return 2;
    for (;;)
        pause();
}

// The process is there all the time, though its number goes from one thread to another: kill(2) finds it, a pidfd does not tell its end.
CASE(exec_by_another_thread_is_no_moment_of_absence)
{
    static char *arguments[] = {"40", nullptr};
    IN_CHILD(child)
    {
        exec_helper("exec_by_threads", arguments, nullptr);
    }
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    REQUIRE(fd >= 0);
    siginfo_t info = {};
    long tries = 0, absent = 0;
    do {
        absent += kill(child, 0) != 0;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        absent += poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
        info.si_pid = 0;
        if (++tries % 16 == 0)
            REQUIRE_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG), 0);
    } while (!info.si_pid);
    EXPECT_EQ(absent, 0);
    EXPECT_EXITED(child, 0);
}

HELPER(has_its_lock)
{
    int status = -1;
    pid_t other = fork(); // who is told of it
    if (other == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        _exit(fcntl(atoi(argv[0]), F_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == getppid() ? 0 : 1);
    }
    return waitpid(other, &status, 0) == other && status == 0 ? 0 : 2;
}

static void *exec_with_lock(void *fd)
{
    char text[12];
    snprintf(text, sizeof text, "%d", (int)(intptr_t)fd);
    exec_helper("has_its_lock", (char *[]){text, nullptr}, nullptr);
    _exit(126);
}

CASE(exec_by_another_thread_keeps_record_locks)
{
    IN_CHILD(child)
    {
        int fd = open("f", O_RDWR | O_CREAT, 0600);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        REQUIRE(fcntl(fd, F_SETLK, &l) == 0);
        pthread_t thread;
        REQUIRE_EQ(pthread_create(&thread, nullptr, exec_with_lock, (void *)(intptr_t)fd), 0);
        for (;;)
            pause();
    }
    EXPECT_EXITED(child, 0);
}
