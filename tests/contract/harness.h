// tests/contract/harness.h — contract cases: a behaviour with a name, run in a process of its own, reported as TAP.
//
// A program is several files of cases linked with harness.c. CASE(name) { … } registers a case; the harness runs each one in a forked
// child with an empty folder below /tmp as its working directory, its own session, and a time limit, so that a crash or a hang loses
// one case. Arguments of the program choose cases: a name, or a part of one that ends in `*`; so does the variable contract_cases of the
// environment, separated by commas, which comes from the kernel's command line (contract_cases=pipe_*,poll_*). contract_patience=N gives each
// case N times its time, contract_rounds=N runs the chosen ones N times, to meet what happens once in many runs.
//
// EXPECT* note a failure and go on, REQUIRE* end the case. Both may be used in threads and in children of a case: every failure
// of theirs counts for the case. A case has no way to be skipped.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CASE_SECONDS = 30, PAGE = 4096, LONG_TIMEOUT_MS = 8000 };

struct contract_case {
    const char *name;
    void (*run)(void);
    int seconds;
    struct contract_case *next;
};

// A program within the program, for cases that exec: run_helper's child runs it as main(argc, argv).
struct contract_helper {
    const char *name;
    int (*run)(int argc, char **argv);
    struct contract_helper *next;
};

void register_case(struct contract_case *c);
void register_helper(struct contract_helper *h);

#define CASE(name) CASE_WITHIN(CASE_SECONDS, name)

#define CASE_WITHIN(limit_seconds, case_name)                                                                          \
    static void case_name##_case(void);                                                                                \
    [[gnu::constructor]] static void case_name##_register(void)                                                        \
    {                                                                                                                  \
        static struct contract_case c = {.name = #case_name, .run = case_name##_case, .seconds = (limit_seconds)};     \
        register_case(&c);                                                                                             \
    }                                                                                                                  \
    static void case_name##_case(void)

#define HELPER(helper_name)                                                                                            \
    static int helper_name##_helper(int argc, char **argv);                                                            \
    [[gnu::constructor]] static void helper_name##_helper_register(void)                                               \
    {                                                                                                                  \
        static struct contract_helper h = {.name = #helper_name, .run = helper_name##_helper};                         \
        register_helper(&h);                                                                                           \
    }                                                                                                                  \
    static int helper_name##_helper([[maybe_unused]] int argc, [[maybe_unused]] char **argv)

// Notes a failure of the running case: prints it as a TAP comment.
[[gnu::format(printf, 3, 4)]] void note_failure(const char *file, int line, const char *format, ...);
// Prints a TAP comment that is not a failure.
[[gnu::format(printf, 1, 2)]] void note(const char *format, ...);

bool check_eq(const char *file, int line, const char *left_text, const char *right_text, long long left, long long right);
bool check_errno(const char *file, int line, const char *text, long result, int error, int wanted, const char *wanted_text);
bool check_str(const char *file, int line, const char *text, const char *got, const char *wanted);
bool check_exit(const char *file, int line, pid_t child, int wanted_status);

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            note_failure(__FILE_NAME__, __LINE__, "%s is false (errno %d)", #condition, errno);                        \
    } while (0)
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            note_failure(__FILE_NAME__, __LINE__, "%s is false (errno %d)", #condition, errno);                        \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)
#define EXPECT_EQ(left, right)                                                                                         \
    ((void)check_eq(__FILE_NAME__, __LINE__, #left, #right, (long long)(left), (long long)(right)))
#define REQUIRE_EQ(left, right)                                                                                        \
    do {                                                                                                               \
        if (!check_eq(__FILE_NAME__, __LINE__, #left, #right, (long long)(left), (long long)(right)))                  \
            _exit(1);                                                                                                  \
    } while (0)
// The call fails (-1, MAP_FAILED) with this errno.
#define EXPECT_ERRNO(call, wanted)                                                                                     \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long result_ = (long)(call);                                                                                   \
        (void)check_errno(__FILE_NAME__, __LINE__, #call, result_, errno, (wanted), #wanted);                          \
    } while (0)
#define EXPECT_STR(got, wanted) ((void)check_str(__FILE_NAME__, __LINE__, #got, (got), (wanted)))
// Waits for the child and compares how it ended.
#define EXPECT_EXITED(child, code) ((void)check_exit(__FILE_NAME__, __LINE__, (child), ((code) & 0xff) << 8))
#define EXPECT_KILLED(child, signal) ((void)check_exit(__FILE_NAME__, __LINE__, (child), (signal)))

// IN_CHILD(pid) { … } runs the block in a child, which then ends with 0 unless the block says otherwise.
#define IN_CHILD(pid)                                                                                                  \
    pid_t pid = fork_or_fail(__FILE_NAME__, __LINE__);                                                                 \
    if (pid == 0)                                                                                                      \
        for (;; _exit(0))

pid_t fork_or_fail(const char *file, int line);

// --- Time and threads. ---

int64_t now_ns(void); // CLOCK_MONOTONIC
int64_t clock_ns(clockid_t id); // the time on any clock, which has to exist
void sleep_ms(int ms);

typedef struct delayed *thread_t;
// Calls action(arg) in a new thread after `ms` milliseconds; join() waits for it.
thread_t after_ms(int ms, void (*action)(long), long arg);
void join(thread_t thread);

// Actions for after_ms.
void close_fd(long fd);
void write_byte(long fd);
void read_byte(long fd); // waits for it
// The signals below are sent when the thread that is to be interrupted sleeps, or after some seconds anyway.
void kill_self(long signal);  // to the process
void kill_child(long packed); // pack_kill(pid, signal)
long pack_kill(pid_t pid, int signal);
// To one thread of this process: pack_kill(tid, signal).
void kill_thread(long packed);

pid_t own_tid(void);

// Installs a handler that counts (handled_signals) and returns; flags as in sigaction(2).
void count_signal(int signal, int flags);
extern volatile sig_atomic_t handled_signals, last_signal;

// --- Files. ---

void make_file(const char *path, const char *content);
// Reads a whole small file as a string into a static buffer; "" if it cannot be read (which is a failure).
const char *file_text(const char *path);
int write_text(const char *path, const char *text); // 0 or -errno; one write(2)
// Writes the bytes over and over, then their last half, quarter … and last byte, until not even that is taken, whether the descriptor blocks or not.
// What a terminal was given moves on towards its other end by and by: it is full when nothing more is taken after a while.
void fill_up(int fd, const void *bytes, size_t size);
short poll_now(int fd, short events); // which of the events there are, without waiting
// Waits, up to a few seconds, until the thread sleeps in the kernel (/proc/PID/stat says S), so that what follows finds it waiting.
void until_asleep(pid_t tid);

// --- The system around a case. ---

int processors(void); // of the machine, whichever the caller is bound to
// A mount namespace of the caller's own: nothing that it mounts is seen outside, or outlives it.
void own_mount_namespace(void);
void loopback_up(void);
// What this file of /proc/sys says now is written back when the case has ended, however it ends; the last one first.
void keep_setting(const char *path);

// --- exec. ---

// Path of the running program, and an exec of one of its HELPERs. Returns only on failure.
extern const char *program_path;
int exec_helper(const char *name, char *const arguments[], char *const environment[]);
