// tests/contract/harness.c — runs the cases one after the other, each in a session of its own, and prints TAP.
//
// It uses little of the kernel itself: fork, wait4 without blocking, nanosleep and write. What a case leaves running is killed by its
// process group.
#include "tests/contract/harness.h"

#include <ftw.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

const char *program_path;
volatile sig_atomic_t handled_signals, last_signal;

static struct contract_case *first_case, **last_case = &first_case;
static struct contract_helper *first_helper;
static int nr_processors;

enum { MOST_SETTINGS = 8 };

// Of the running case, shared with all its processes.
static struct shared {
    atomic_int failures;
    int nr_settings;
    struct {
        char path[64], text[64];
    } settings[MOST_SETTINGS];
} *shared;

void register_case(struct contract_case *c)
{
    *last_case = c;
    last_case = &c->next;
}

void register_helper(struct contract_helper *h)
{
    h->next = first_helper;
    first_helper = h;
}

static void print(const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t n = write(STDERR_FILENO, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        length -= (size_t)n;
    }
}

static void print_comment(const char *prefix, const char *format, va_list args)
{
    char line[512];
    int used = snprintf(line, sizeof line, "# %s", prefix);
    vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
    for (char *c = line; *c; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    strcat(line, "\n");
    print(line);
}

void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_comment("", format, args);
    va_end(args);
}

void note_failure(const char *file, int line, const char *format, ...)
{
    int error = errno;
    char prefix[80];
    snprintf(prefix, sizeof prefix, "%s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    if (atomic_fetch_add(&shared->failures, 1) < 12) // a loop that fails does not fill the console
        print_comment(prefix, format, args);
    va_end(args);
    errno = error;
}

bool check_eq(const char *file, int line, const char *left_text, const char *right_text, long long left, long long right)
{
    if (left == right)
        return true;
    note_failure(file, line, "%s is %lld (%#llx), expected %s = %lld (%#llx), errno %d", left_text, left, left, right_text,
                 right, right, errno);
    return false;
}

bool check_errno(const char *file, int line, const char *text, long result, int error, int wanted, const char *wanted_text)
{
    if (result == -1 && error == wanted)
        return true;
    if (result == -1)
        note_failure(file, line, "%s fails with errno %d (%s), expected %s", text, error, strerror(error), wanted_text);
    else
        note_failure(file, line, "%s gives %ld, expected %s", text, result, wanted_text);
    return false;
}

bool check_str(const char *file, int line, const char *text, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) == 0)
        return true;
    note_failure(file, line, "%s is \"%s\", expected \"%s\"", text, got, wanted);
    return false;
}

bool check_exit(const char *file, int line, pid_t child, int wanted_status)
{
    int status = -1;
    pid_t got;
    do
        got = waitpid(child, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got != child) {
        note_failure(file, line, "waitpid(%d) gives %d, errno %d", child, got, errno);
        return false;
    }
    status &= ~0x80; // core dumped or not is not what is asked
    if (status == wanted_status)
        return true;
    note_failure(file, line, "child's wait status is %#x, expected %#x", status, wanted_status);
    return false;
}

pid_t fork_or_fail(const char *file, int line)
{
    pid_t pid = fork();
    if (pid < 0) {
        note_failure(file, line, "fork: errno %d", errno);
        _exit(1);
    }
    return pid;
}

// --- Time and threads. ---

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_ns(clockid_t id)
{
    struct timespec t = {.tv_sec = -1};
    EXPECT_EQ(clock_gettime(id, &t), 0);
    EXPECT(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void sleep_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

struct delayed {
    pthread_t thread;
    int ms;
    void (*action)(long);
    long arg;
};

static void *run_delayed(void *opaque)
{
    struct delayed *d = opaque;
    sigset_t all;
    sigfillset(&all); // the case's own thread is the one that signals interrupt
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    sleep_ms(d->ms);
    d->action(d->arg);
    return nullptr;
}

thread_t after_ms(int ms, void (*action)(long), long arg)
{
    struct delayed *d = malloc(sizeof *d);
    REQUIRE(d);
    *d = (struct delayed){.ms = ms, .action = action, .arg = arg};
    REQUIRE_EQ(pthread_create(&d->thread, nullptr, run_delayed, d), 0);
    return d;
}

void join(thread_t thread)
{
    pthread_join(thread->thread, nullptr);
    free(thread);
}

void close_fd(long fd)
{
    close((int)fd);
}

void write_byte(long fd)
{
    EXPECT_EQ(write((int)fd, "x", 1), 1);
}

void read_byte(long fd)
{
    char c;
    EXPECT_EQ(read((int)fd, &c, 1), 1);
}

// State of a thread as /proc shows it ('S', 'R' …), or 0.
static char thread_state(pid_t tid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *after_name = strrchr(text, ')');
    return after_name && after_name[1] ? after_name[2] : 0;
}

// So long a thread may take until it sleeps, where a busy host leaves the guest little time.
enum { ASLEEP_MS = 10000 };

static bool falls_asleep(pid_t tid, int ms)
{
    for (int waited = 0; waited < ms; waited += 2) {
        if (thread_state(tid) == 'S')
            return true;
        sleep_ms(2);
    }
    return false;
}

void kill_self(long signal)
{
    falls_asleep(getpid(), ASLEEP_MS);
    kill(getpid(), (int)signal);
}

long pack_kill(pid_t pid, int signal)
{
    return (long)pid << 8 | signal;
}

void kill_child(long packed)
{
    kill((pid_t)(packed >> 8), (int)(packed & 0xff));
}

void kill_thread(long packed)
{
    pid_t tid = (pid_t)(packed >> 8);
    falls_asleep(tid, ASLEEP_MS);
    syscall(SYS_tgkill, getpid(), tid, (int)(packed & 0xff));
}

pid_t own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static void on_counted(int signal)
{
    handled_signals++;
    last_signal = signal;
}

void count_signal(int signal, int flags)
{
    struct sigaction action = {.sa_handler = on_counted, .sa_flags = flags};
    REQUIRE(sigaction(signal, &action, nullptr) == 0);
}

// --- Files. ---

void make_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    REQUIRE(fd >= 0);
    REQUIRE_EQ(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

const char *file_text(const char *path)
{
    static char text[65536];
    size_t used = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        note_failure(__FILE_NAME__, __LINE__, "%s cannot be opened: errno %d", path, errno);
    for (ssize_t n; fd >= 0 && used < sizeof text - 1; used += (size_t)n) {
        n = read(fd, text + used, sizeof text - 1 - used);
        if (n < 0)
            note_failure(__FILE_NAME__, __LINE__, "%s cannot be read: errno %d", path, errno);
        if (n <= 0)
            break;
    }
    if (fd >= 0)
        close(fd);
    text[used] = '\0';
    return text;
}

int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int result = n < 0 ? -errno : n == (ssize_t)strlen(text) ? 0 : -EIO;
    close(fd);
    return result;
}

enum { TERMINAL_SETTLES_MS = 200 };

static bool fill_for_now(int fd, const char *bytes, size_t size)
{
    bool any = false;
    for (size_t n = size; n > 0; n /= 2) {
        while (write(fd, bytes + size - n, n) == (ssize_t)n)
            any = true;
    }
    if (errno != EAGAIN)
        note_failure(__FILE_NAME__, __LINE__, "a descriptor to be filled up gives errno %d", errno);
    return any;
}

void fill_up(int fd, const void *bytes, size_t size)
{
    int flags = fcntl(fd, F_GETFL);
    REQUIRE(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    while (fill_for_now(fd, bytes, size) && isatty(fd))
        sleep_ms(TERMINAL_SETTLES_MS);
    REQUIRE(fcntl(fd, F_SETFL, flags) == 0);
}

short poll_now(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    poll(&p, 1, 0);
    return p.revents;
}

void until_asleep(pid_t tid)
{
    if (!falls_asleep(tid, ASLEEP_MS))
        note_failure(__FILE_NAME__, __LINE__, "thread %d does not fall asleep", tid);
}

// --- The system around a case. ---

int processors(void)
{
    return nr_processors;
}

void own_mount_namespace(void)
{
    REQUIRE(unshare(CLONE_NEWNS) == 0);
    REQUIRE(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

void loopback_up(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0);
    close(fd);
}

void keep_setting(const char *path)
{
    const char *text = file_text(path);
    REQUIRE(shared->nr_settings < MOST_SETTINGS && strlen(path) < sizeof shared->settings->path && strlen(text) < sizeof shared->settings->text);
    strcpy(shared->settings[shared->nr_settings].path, path);
    strcpy(shared->settings[shared->nr_settings].text, text);
    shared->nr_settings++;
}

static void restore_settings(void)
{
    while (shared->nr_settings > 0) {
        int i = --shared->nr_settings, error = write_text(shared->settings[i].path, shared->settings[i].text);
        if (error)
            note_failure(__FILE_NAME__, __LINE__, "%s cannot be what it was: %d", shared->settings[i].path, error);
    }
}

// --- exec. ---

int exec_helper(const char *name, char *const arguments[], char *const environment[])
{
    static char *none[] = {nullptr};
    char *argv[64] = {(char *)program_path, "--helper", (char *)name};
    for (int i = 0; arguments && arguments[i] && i < 60; i++)
        argv[i + 3] = arguments[i];
    return execve(program_path, argv, environment ? environment : none);
}

static int run_helper(int argc, char **argv)
{
    for (struct contract_helper *h = first_helper; h; h = h->next) {
        if (argc > 2 && strcmp(h->name, argv[2]) == 0)
            return h->run(argc - 3, argv + 3);
    }
    return 127;
}

// --- Running. ---

static int remove_entry(const char *path, [[maybe_unused]] const struct stat *s, [[maybe_unused]] int type,
                        [[maybe_unused]] struct FTW *where)
{
    return remove(path);
}

[[noreturn]] static void run_child(const struct contract_case *c, const char *folder)
{
    setsid();
    umask(022);
    if (chdir(folder) != 0)
        note_failure(__FILE_NAME__, __LINE__, "chdir %s: errno %d", folder, errno);
    c->run();
    _exit(atomic_load(&shared->failures) != 0);
}

// Runs one case; true if it passed.
static bool run_case(const struct contract_case *c)
{
    static int sequence; // a folder that could not be removed does not meet the next case
    char folder[64];
    snprintf(folder, sizeof folder, "/tmp/case.%d.%d", getpid(), ++sequence);
    atomic_store(&shared->failures, 0);
    if (mkdir(folder, 0755) != 0)
        note("mkdir %s: %s", folder, strerror(errno));
    pid_t child = fork();
    if (child == 0)
        run_child(c, folder);
    if (child < 0) {
        note("fork: %s", strerror(errno));
        return false;
    }
    int status = -1;
    bool ended = false;
    const char *patience = getenv("contract_patience");
    int64_t seconds = (int64_t)c->seconds * (patience ? atoi(patience) : 1), deadline = now_ns() + seconds * 1000000000;
    for (int ms = 1; !ended && now_ns() < deadline; ms = ms < 8 ? ms * 2 : 8) {
        ended = waitpid(child, &status, WNOHANG) == child;
        if (!ended)
            sleep_ms(ms);
    }
    kill(-child, SIGKILL);
    if (!ended) {
        note("%s: not done after %lld s", c->name, (long long)seconds);
        kill(child, SIGKILL);
        for (int i = 0; i < 500 && waitpid(child, &status, WNOHANG) != child; i++)
            sleep_ms(2);
    } else if (WIFSIGNALED(status)) {
        note("%s: killed by signal %d", c->name, WTERMSIG(status));
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) // orphans of the case: we are their subreaper
        ;
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    restore_settings();
    return ended && status == 0 && atomic_load(&shared->failures) == 0;
}

static bool names(const char *pattern, size_t length, const char *name)
{
    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, name, length - 1) == 0;
    return strlen(name) == length && strncmp(pattern, name, length) == 0;
}

static bool chosen(const struct contract_case *c, int argc, char **argv)
{
    const char *list = getenv("contract_cases");
    for (int i = 1; i < argc; i++) {
        if (names(argv[i], strlen(argv[i]), c->name))
            return true;
    }
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : nullptr) {
        if (names(at, strcspn(at, ","), c->name))
            return true;
    }
    return argc <= 1 && !list;
}

int main(int argc, char **argv)
{
    program_path = argv[0];
    static_assert(sizeof *shared <= PAGE);
    shared = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        static struct shared own;
        shared = &own;
    }
    cpu_set_t set;
    nr_processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (argc > 1 && strcmp(argv[1], "--helper") == 0)
        return run_helper(argc, argv);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGTTOU, SIG_IGN);
    int count = 0, number = 0, failed = 0;
    char line[256];
    for (struct contract_case *c = first_case; c; c = c->next)
        count += chosen(c, argc, argv);
    const char *rounds_wanted = getenv("contract_rounds"); // to meet what happens once in many runs
    int rounds = rounds_wanted ? atoi(rounds_wanted) : 1;
    snprintf(line, sizeof line, "1..%d\n", count * rounds);
    print(line);
    for (int round = 0; round < rounds; round++) {
        for (struct contract_case *c = first_case; c; c = c->next) {
            if (!chosen(c, argc, argv))
                continue;
            bool passed = run_case(c);
            failed += !passed;
            snprintf(line, sizeof line, "%sok %d - %s\n", passed ? "" : "not ", ++number, c->name);
            print(line);
        }
    }
    return failed != 0;
}
