// tests/contract/thread.c — threads of one process: identity, shared state, signals, fork, many at once. pthreads(7), clone(2).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { THREADS = 8 };

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    REQUIRE_EQ(pthread_create(thread, nullptr, run, arg), 0);
}

// Runs `run` in THREADS threads with its index as argument and joins them.
static void in_threads(void *(*run)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        start(&threads[i], run, (void *)i);
    for (int i = 0; i < THREADS; i++)
        EXPECT_EQ(pthread_join(threads[i], nullptr), 0);
}

static void *double_it(void *arg)
{
    return (void *)((long)arg * 2);
}

CASE(thread_create_and_join_passes_results)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        start(&threads[i], double_it, (void *)i);
    for (long i = 0; i < THREADS; i++) {
        void *result = nullptr;
        EXPECT_EQ(pthread_join(threads[i], &result), 0);
        EXPECT_EQ((long)result, 2 * i);
    }
}

static pid_t tids[THREADS], pids[THREADS];
static pthread_barrier_t barrier;

static void *note_ids(void *arg)
{
    tids[(long)arg] = own_tid();
    pids[(long)arg] = (pid_t)syscall(SYS_getpid);
    pthread_barrier_wait(&barrier); // all are alive at once, so that no id is used again
    return nullptr;
}

static void check_ids(void)
{
    pthread_barrier_init(&barrier, nullptr, THREADS);
    in_threads(note_ids);
    for (int i = 0; i < THREADS; i++) {
        EXPECT_EQ(pids[i], getpid());
        EXPECT(tids[i] != getpid());
        for (int k = 0; k < i; k++)
            EXPECT(tids[i] != tids[k]);
    }
}

CASE(thread_ids_are_unique_and_getpid_is_the_same)
{
    EXPECT_EQ(own_tid(), getpid());
    check_ids();
}

CASE(thread_getpid_is_the_same_in_a_nested_pid_namespace)
{
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWPID) == 0);
        IN_CHILD(inner)
        {
            EXPECT_EQ(getpid(), 1);
            EXPECT_EQ(own_tid(), 1);
            check_ids();
            for (int i = 0; i < THREADS; i++)
                EXPECT(tids[i] > 1 && tids[i] < 40);
        }
        EXPECT(inner > 1);
        EXPECT_EXITED(inner, 0);
    }
    EXPECT_EXITED(child, 0);
}

static void *store_tid(void *tid)
{
    *(long *)tid = syscall(SYS_gettid);
    return nullptr;
}

CASE(gettid_of_the_first_thread_is_the_process)
{
    EXPECT_EQ(syscall(SYS_gettid), getpid());
    long tid = 0;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, store_tid, &tid) == 0);
    pthread_join(thread, nullptr);
    EXPECT(tid > 0 && tid != getpid());
}

static void *note_parent(void *arg)
{
    pids[(long)arg] = getppid();
    return nullptr;
}

CASE(thread_parent_is_the_process_parent)
{
    in_threads(note_parent);
    for (int i = 0; i < THREADS; i++)
        EXPECT_EQ(pids[i], getppid());
}

static int shared_array[THREADS];

static void *fill_slot(void *arg)
{
    shared_array[(long)arg] = (int)(long)arg + 1;
    return nullptr;
}

CASE(thread_memory_is_shared)
{
    in_threads(fill_slot);
    for (int i = 0; i < THREADS; i++)
        EXPECT_EQ(shared_array[i], i + 1);
}

static atomic_int counter;

static void *count_atomically(void *)
{
    for (int i = 0; i < 20000; i++)
        atomic_fetch_add(&counter, 1);
    return nullptr;
}

CASE(thread_atomic_counter_loses_nothing)
{
    in_threads(count_atomically);
    EXPECT_EQ(counter, THREADS * 20000);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long plain_counter;

static void *count_locked(void *)
{
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        plain_counter++;
        if (i % 500 == 0)
            sched_yield(); // holding it: the others must sleep
        pthread_mutex_unlock(&mutex);
    }
    return nullptr;
}

CASE(thread_mutex_excludes)
{
    in_threads(count_locked);
    EXPECT_EQ(plain_counter, THREADS * 5000);
}

static thread_local long tls_value = 42;

static void *use_tls(void *arg)
{
    EXPECT_EQ(tls_value, 42);
    tls_value = (long)arg;
    for (int i = 0; i < 50; i++)
        sched_yield();
    EXPECT_EQ(tls_value, (long)arg);
    return nullptr;
}

CASE(thread_local_storage_is_private)
{
    in_threads(use_tls);
    EXPECT_EQ(tls_value, 42);
}

enum { ARCH_SET_GS_ = 0x1001, ARCH_SET_FS_ = 0x1002, ARCH_GET_FS_ = 0x1003, ARCH_GET_GS_ = 0x1004 };

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

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int waiting, released;

static void *wait_for_release(void *)
{
    pthread_mutex_lock(&mutex);
    waiting++;
    while (!released)
        pthread_cond_wait(&condition, &mutex);
    waiting--;
    pthread_mutex_unlock(&mutex);
    return nullptr;
}

CASE(thread_condition_broadcast_wakes_all)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        start(&threads[i], wait_for_release, nullptr);
    for (bool all = false; !all; sched_yield()) {
        pthread_mutex_lock(&mutex);
        all = waiting == THREADS;
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    released = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], nullptr);
    EXPECT_EQ(waiting, 0);
}

CASE(thread_condition_wait_times_out)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&mutex);
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &until), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

static void *wait_in_pause(void *)
{
    sigset_t set;
    sigemptyset(&set);
    pthread_sigmask(SIG_SETMASK, &set, nullptr);
    while (!handled_signals)
        sleep_ms(2);
    return nullptr;
}

CASE(thread_group_signal_goes_to_one_thread_that_does_not_block)
{
    count_signal(SIGUSR1, SA_RESTART);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_t thread;
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    start(&thread, wait_in_pause, nullptr);
    kill(getpid(), SIGUSR1);
    pthread_join(thread, nullptr);
    EXPECT_EQ(handled_signals, 1);
}

static _Atomic pid_t signalled_tid;

static void note_tid(int)
{
    signalled_tid = own_tid();
}

static _Atomic pid_t published_tid;

static void *publish_and_wait(void *)
{
    published_tid = own_tid();
    while (!signalled_tid)
        sleep_ms(1);
    return nullptr;
}

CASE(thread_tgkill_reaches_that_thread)
{
    signal(SIGUSR2, note_tid);
    pthread_t thread;
    start(&thread, publish_and_wait, nullptr);
    while (!published_tid)
        sched_yield();
    EXPECT_EQ(syscall(SYS_tgkill, getpid(), published_tid, SIGUSR2), 0);
    pthread_join(thread, nullptr);
    EXPECT_EQ(signalled_tid, published_tid);
    EXPECT_ERRNO(syscall(SYS_tgkill, getppid(), own_tid(), SIGUSR2), ESRCH); // not of that group
    EXPECT_ERRNO(syscall(SYS_tgkill, -1, own_tid(), SIGUSR2), EINVAL);
    EXPECT_ERRNO(syscall(SYS_tkill, 0, SIGUSR2), EINVAL);
    EXPECT_ERRNO(syscall(SYS_tgkill, getpid(), own_tid(), 65), EINVAL);
}

static void *write_mapping(void *arg)
{
    ((volatile char *)arg)[100] = 'y';
    return nullptr;
}

CASE(thread_mapping_made_by_one_is_seen_by_all)
{
    char *p = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    pthread_t thread;
    start(&thread, write_mapping, p);
    pthread_join(thread, nullptr);
    EXPECT_EQ(p[100], 'y');
    IN_CHILD(child)
    {
        p[101] = 'z'; // shared with a child process too
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(p[101], 'z');
}

static void *fork_here(void *)
{
    pid_t child = fork();
    if (child == 0)
        _exit(getpid() == own_tid() ? 7 : 8); // the forking thread is the child's leader
    EXPECT_EXITED(child, 7);
    return nullptr;
}

CASE(thread_fork_gives_a_child_with_one_thread)
{
    in_threads(fork_here);
}

static int ping[2], pong[2];

static void *echo(void *)
{
    char c;
    while (read(ping[0], &c, 1) == 1)
        EXPECT_EQ(write(pong[1], &c, 1), 1);
    return nullptr;
}

CASE(thread_pipe_ping_pong)
{
    REQUIRE(pipe(ping) == 0 && pipe(pong) == 0);
    pthread_t thread;
    start(&thread, echo, nullptr);
    bool same = true;
    for (int i = 0; i < 1000; i++) {
        char c = (char)i, back = 0;
        same &= write(ping[1], &c, 1) == 1 && read(pong[0], &back, 1) == 1 && back == c;
    }
    EXPECT(same);
    close(ping[1]);
    pthread_join(thread, nullptr);
}

static void *finish(void *)
{
    atomic_fetch_add(&counter, 1);
    return nullptr;
}

CASE(thread_storm)
{
    for (int round = 0; round < 25; round++)
        in_threads(finish);
    EXPECT_EQ(counter, 25 * THREADS);
}

static void *leave_group(void *)
{
    syscall(SYS_exit_group, 9);
    return nullptr;
}

CASE(thread_exit_group_ends_all)
{
    IN_CHILD(child)
    {
        pthread_t thread;
        start(&thread, leave_group, nullptr);
        for (;;)
            pause();
    }
    EXPECT_EXITED(child, 9);
}

static void *outlive_leader(void *)
{
    sleep_ms(30);
    syscall(SYS_exit_group, 5);
    return nullptr;
}

CASE(thread_group_lives_after_its_leader)
{
    IN_CHILD(child)
    {
        pthread_t thread;
        start(&thread, outlive_leader, nullptr);
        syscall(SYS_exit, 3);
    }
    EXPECT_EXITED(child, 5);
}

static void *exit_after_leader(void *leader)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)(intptr_t)leader);
    while (!strstr(file_text(path), ") Z "))
        sched_yield();
    syscall(SYS_exit, 5);
    return nullptr;
}

CASE(thread_last_to_exit_gives_the_status)
{
    IN_CHILD(child)
    {
        pthread_t thread;
        start(&thread, exit_after_leader, (void *)(intptr_t)own_tid());
        syscall(SYS_exit, 3);
    }
    EXPECT_EXITED(child, 5);
}

static void *ask_by_thread_id(void *)
{
    pid_t tid = own_tid();
    EXPECT(tid != getpid());
    EXPECT_EQ(kill(tid, 0), 0);
    EXPECT_EQ(getpgid(tid), getpgrp());
    EXPECT_EQ(getsid(tid), getsid(0));
    struct rlimit limit;
    EXPECT_EQ(prlimit(tid, RLIMIT_NOFILE, nullptr, &limit), 0);
    EXPECT_ERRNO(setpgid(tid, 0), EINVAL); // only this wants the leader
    return nullptr;
}

CASE(thread_id_names_its_process)
{
    pthread_t thread;
    start(&thread, ask_by_thread_id, nullptr);
    pthread_join(thread, nullptr);
}

static atomic_int ready, go, taken;

static void take_signal(int)
{
    atomic_fetch_add(&taken, 1);
}

static atomic_int exiting;

// As the kernel sees it, with no signal blocked: the library's way out blocks them all first.
static void *exit_at_once(void *)
{
    exiting = own_tid();
    atomic_fetch_add(&ready, 1);
    while (!go)
        sched_yield();
    syscall(SYS_exit, 0);
    return nullptr;
}

static void *pause_until_signal(void *)
{
    atomic_fetch_add(&ready, 1);
    while (!taken)
        poll(nullptr, 0, 100);
    return nullptr;
}

// A signal to the process that was meant for a thread which is just exiting is another's.
CASE(thread_that_exits_leaves_the_processes_signals_to_others)
{
    signal(SIGUSR1, take_signal);
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (int round = 0; round < 100; round++) {
        pthread_t first, second;
        ready = go = taken = 0;
        REQUIRE_EQ(pthread_sigmask(SIG_SETMASK, &none, nullptr), 0);
        start(&first, exit_at_once, nullptr);
        start(&second, pause_until_signal, nullptr);
        REQUIRE_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
        while (ready < 2)
            sched_yield();
        go = 1;
        for (volatile int i = 0; i < round % 50 * 20; i++)
            ;
        REQUIRE_EQ(kill(getpid(), SIGUSR1), 0);
        pthread_join(second, nullptr);
        while (syscall(SYS_tgkill, getpid(), exiting, 0) == 0)
            sched_yield();
    }
}

static void *exec_here(void *)
{
    exec_helper("tell_ids", nullptr, nullptr);
    return nullptr;
}

HELPER(tell_ids)
{
    return getpid() == own_tid() ? 11 : 12;
}

CASE(thread_exec_leaves_one_thread_with_the_group_id)
{
    IN_CHILD(child)
    {
        pthread_t thread;
        start(&thread, wait_for_release, nullptr);
        start(&thread, exec_here, nullptr);
        for (;;)
            pause();
    }
    EXPECT_EXITED(child, 11);
}

CASE(thread_fatal_signal_ends_the_process)
{
    IN_CHILD(child)
    {
        pthread_t thread;
        start(&thread, wait_for_release, nullptr);
        sleep_ms(5);
        pthread_kill(thread, SIGTERM);
        for (;;)
            pause();
    }
    EXPECT_KILLED(child, SIGTERM);
}

static void *set_name(void *)
{
    prctl(PR_SET_NAME, "worker-bee");
    EXPECT_STR(file_text("/proc/thread-self/comm"), "worker-bee\n");
    return nullptr;
}

CASE(thread_name_is_its_own)
{
    char name[16] = {};
    prctl(PR_SET_NAME, "the-leader-with-a-long-name");
    pthread_t thread;
    start(&thread, set_name, nullptr);
    pthread_join(thread, nullptr);
    prctl(PR_GET_NAME, name);
    EXPECT_STR(name, "the-leader-with"); // 15 bytes are kept
}

static void *change_directory(void *)
{
    EXPECT_EQ(chdir("/proc"), 0);
    umask(077);
    return nullptr;
}

CASE(thread_working_directory_and_umask_are_shared)
{
    char path[PATH_MAX];
    pthread_t thread;
    start(&thread, change_directory, nullptr);
    pthread_join(thread, nullptr);
    EXPECT(getcwd(path, sizeof path));
    EXPECT_STR(path, "/proc");
    EXPECT_EQ(umask(022), 077);
}

static void *unshare_files(void *)
{
    EXPECT_EQ(unshare(CLONE_FS | CLONE_FILES), 0);
    EXPECT_EQ(chdir("/"), 0);
    close(ping[0]);
    return nullptr;
}

CASE(thread_unshare_splits_directory_and_descriptors)
{
    char before[PATH_MAX], after[PATH_MAX];
    REQUIRE(pipe(ping) == 0);
    EXPECT(getcwd(before, sizeof before));
    pthread_t thread;
    start(&thread, unshare_files, nullptr);
    pthread_join(thread, nullptr);
    EXPECT(getcwd(after, sizeof after));
    EXPECT_STR(after, before);
    EXPECT(fcntl(ping[0], F_GETFD) >= 0);
}

static sem_t semaphore;

static void *post(void *)
{
    sem_post(&semaphore);
    return nullptr;
}

CASE(thread_semaphore_counts_posts)
{
    sem_init(&semaphore, 0, 0);
    in_threads(post);
    for (int i = 0; i < THREADS; i++)
        EXPECT_EQ(sem_wait(&semaphore), 0);
    EXPECT_ERRNO(sem_trywait(&semaphore), EAGAIN);
}

CASE(thread_is_cancelled_in_a_blocking_read)
{
    pthread_t thread;
    REQUIRE(pipe(ping) == 0 && pipe(pong) == 0);
    start(&thread, echo, nullptr);
    sleep_ms(10);
    EXPECT_EQ(pthread_cancel(thread), 0);
    void *result;
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT(result == PTHREAD_CANCELED);
}

static void *use_processor(void *)
{
    for (volatile int i = 0; i < 3000000; i++)
        ;
    return nullptr;
}

static int64_t clock_now(clockid_t clock)
{
    struct timespec t = {};
    EXPECT_EQ(clock_gettime(clock, &t), 0);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

CASE(thread_cpu_time_adds_up_in_the_process)
{
    int64_t used = -clock_now(CLOCK_PROCESS_CPUTIME_ID), own = -clock_now(CLOCK_THREAD_CPUTIME_ID);
    in_threads(use_processor);
    own += clock_now(CLOCK_THREAD_CPUTIME_ID);
    used += clock_now(CLOCK_PROCESS_CPUTIME_ID);
    EXPECT(used > 1000000);
    EXPECT(used > own); // more than the leader's alone
}

static int switch_count;

static void *use_floating_point(void *arg)
{
    double sum = 0, x = (double)(long)arg + 0.5;
    for (int i = 0; i < 2000; i++) {
        sum += x;
        if (i % 100 == 0)
            sched_yield();
    }
    EXPECT(sum > 2000 * x - 0.01 && sum < 2000 * x + 0.01);
    switch_count++;
    return nullptr;
}

CASE(thread_floating_point_state_is_its_own)
{
    in_threads(use_floating_point);
}

CASE(thread_affinity_is_settable)
{
    cpu_set_t set, got;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    EXPECT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
    EXPECT_EQ(sched_getaffinity(0, sizeof got, &got), 0);
    EXPECT(CPU_EQUAL(&set, &got));
    EXPECT_EQ(sched_getcpu(), 0);
    CPU_ZERO(&set);
    EXPECT_ERRNO(sched_setaffinity(0, sizeof set, &set), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 3, &got), EINVAL);
    EXPECT_ERRNO(sched_getaffinity(999999, sizeof got, &got), ESRCH);
}

// --- What is the process's and what the thread's. ---

static void *kill_own_number(void *)
{
    signalled_tid = 0;
    until_asleep(getpid()); // the main thread has let signals in again, which pthread_create() keeps out
    EXPECT_EQ(kill(own_tid(), SIGUSR2), 0);
    EXPECT_EQ(signalled_tid, own_tid());
    return nullptr;
}

CASE(kill_by_a_threads_number_prefers_that_thread)
{
    signal(SIGUSR2, note_tid);
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, kill_own_number, nullptr), 0);
    pthread_join(thread, nullptr);
}

static _Atomic int *seen_signals; // shared with a child

static void note_signal(int signal)
{
    atomic_fetch_or(seen_signals, signal == SIGUSR1 ? 1 : 2);
}

static void *only_wait(void *)
{
    for (;;)
        pause();
}

static char state_of(pid_t pid)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const char *end = strrchr(file_text(path), ')');
    return end ? end[2] : '?';
}

// The parent of a vfork does not run handlers. A second signal that comes meanwhile is for another thread, which takes the first as well.
CASE(signals_go_to_another_thread_while_one_has_a_signal_to_take)
{
    seen_signals = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGUSR1, note_signal);
    signal(SIGUSR2, note_signal);
    pid_t parent = getpid();
    IN_CHILD(sender)
    {
        while (state_of(parent) != 'D')
            sleep_ms(1);
        EXPECT_EQ(kill(parent, SIGUSR1), 0);
        EXPECT_EQ(kill(parent, SIGUSR2), 0);
    }
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, only_wait, nullptr), 0);
    pid_t child = vfork();
    if (child == 0) {
        struct timespec tick = {.tv_nsec = 2000000};
        for (int i = 0; i < LONG_TIMEOUT_MS / 2 && *seen_signals != 3; i++)
            nanosleep(&tick, nullptr);
        _exit(*seen_signals == 3 ? 0 : 1);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EXITED(sender, 0);
}
