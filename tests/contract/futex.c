// tests/contract/futex.c — futex(2): values, timeouts, bitsets, requeue, shared keys, robust lists.
#include "tests/contract/harness.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>

static long futex(void *word, int op, unsigned value, const void *timeout, void *word2, unsigned value3)
{
    return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static _Atomic unsigned word, word2;

static void wake_word(long count)
{
    until_asleep(getpid());
    word = 1;
    futex(&word, FUTEX_WAKE_PRIVATE, (unsigned)count, nullptr, nullptr, 0);
}

CASE(futex_wait_returns_at_once_when_value_differs)
{
    word = 5;
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 4, nullptr, nullptr, 0), EAGAIN);
}

CASE(futex_wake_wakes_a_waiter)
{
    thread_t waker = after_ms(20, wake_word, 1);
    EXPECT_EQ(futex(&word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0), 0);
    EXPECT_EQ(word, 1);
    join(waker);
}

CASE(futex_wait_relative_timeout)
{
    struct timespec t = {.tv_nsec = 20000000};
    int64_t start = now_ns();
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, nullptr, 0), ETIMEDOUT);
    EXPECT(now_ns() - start >= 20000000);
}

static atomic_int waiter_tid;
static int woken_late;

// Wakes the waiter and leaves it no processor until its time is over.
static void *wake_and_keep_the_processor(void *end)
{
    until_asleep(waiter_tid);
    woken_late = (int)futex(&word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    while (now_ns() < (int64_t)(intptr_t)end + 10000000)
        ;
    return nullptr;
}

CASE(futex_woken_in_time_is_woken_however_late_it_runs)
{
    cpu_set_t one;
    pthread_attr_t attr;
    pthread_t waker;
    struct timespec t = {.tv_nsec = 80000000};
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    REQUIRE(pthread_attr_init(&attr) == 0 && pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED) == 0);
    REQUIRE(pthread_attr_setschedpolicy(&attr, SCHED_FIFO) == 0);
    REQUIRE(pthread_attr_setschedparam(&attr, &(struct sched_param){.sched_priority = 1}) == 0);
    waiter_tid = own_tid();
    REQUIRE(pthread_create(&waker, &attr, wake_and_keep_the_processor, (void *)(intptr_t)(now_ns() + t.tv_nsec)) == 0);
    bool woken_up = futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, nullptr, 0) == 0;
    pthread_join(waker, nullptr);
    EXPECT_EQ(woken_up, woken_late);
}

CASE(futex_wait_bitset_timeout_is_absolute)
{
    struct timespec t = {.tv_nsec = 1}; // long ago on a clock that began with the boot, which may be less than a second old
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, nullptr, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &t);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &t, nullptr, ~0u), ETIMEDOUT);
}

CASE(futex_rejects_bad_arguments)
{
    struct timespec bad = {.tv_nsec = 1000000000};
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, nullptr, 0), EINVAL);
    EXPECT_ERRNO(futex((char *)&word + 1, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0), EINVAL);
    EXPECT_ERRNO(futex((void *)4096, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0), EFAULT);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, nullptr, nullptr, 0), EINVAL); // an empty set
    EXPECT_ERRNO(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, nullptr, nullptr, 0), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, (void *)8, nullptr, 0), EFAULT);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0), 0);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 1, nullptr, nullptr, 0), ENOSYS);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 1, &bad, nullptr, 0), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_WAKE_PRIVATE | FUTEX_CLOCK_REALTIME, 1, nullptr, nullptr, 0), ENOSYS);
}

CASE(futex_wait_is_interrupted_by_a_handler)
{
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(20, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0), EINTR);
    join(killer);
}

static _Atomic pid_t waiter_tids[4];
static _Atomic int woken;

struct wait {
    int slot;
    unsigned bits;
};

static void *wait_on_word(void *arg)
{
    const struct wait *w = arg;
    waiter_tids[w->slot] = own_tid();
    if (futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, nullptr, nullptr, w->bits) == 0)
        woken++;
    return nullptr;
}

static void start_waiters(pthread_t threads[4], struct wait waits[4])
{
    for (int i = 0; i < 4; i++) {
        waits[i] = (struct wait){.slot = i, .bits = 1u << i};
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, wait_on_word, &waits[i]), 0);
        while (!waiter_tids[i])
            sleep_ms(1);
        until_asleep(waiter_tids[i]);
    }
}

CASE(futex_wake_count_is_a_limit)
{
    pthread_t threads[4];
    struct wait waits[4];
    start_waiters(threads, waits);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0), 1);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 2, nullptr, nullptr, 0), 2);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0), 1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], nullptr);
    EXPECT_EQ(woken, 4);
}

CASE(futex_bitset_chooses_waiters)
{
    pthread_t threads[4];
    struct wait waits[4];
    start_waiters(threads, waits);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, nullptr, nullptr, 0x4), 1);
    pthread_join(threads[2], nullptr);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, nullptr, nullptr, 0x10), 0);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, nullptr, nullptr, 0xb), 3);
    for (int i = 0; i < 4; i++) {
        if (i != 2)
            pthread_join(threads[i], nullptr);
    }
}

CASE(futex_requeue_moves_waiters)
{
    pthread_t threads[4];
    struct wait waits[4];
    start_waiters(threads, waits);
    EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)3, &word2, 99), EAGAIN);
    EXPECT_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &word2, 0), 3); // woken and moved
    EXPECT_EQ(futex(&word2, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0), 2);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0), 1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], nullptr);
}

CASE(futex_wake_op_changes_and_wakes)
{
    word2 = 10;
    pthread_t threads[4];
    struct wait waits[4];
    start_waiters(threads, waits);
    unsigned op = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 10);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 4, (void *)1, &word2, op), 4);
    EXPECT_EQ(word2, 15);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], nullptr);
}

CASE(futex_shared_between_processes)
{
    _Atomic unsigned *shared = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
    IN_CHILD(child)
    {
        while (*shared == 0)
            futex((void *)shared, FUTEX_WAIT, 0, nullptr, nullptr, 0);
        EXPECT_EQ(*shared, 1);
    }
    until_asleep(child);
    *shared = 1;
    EXPECT_EQ(futex((void *)shared, FUTEX_WAKE, 1, nullptr, nullptr, 0), 1);
    EXPECT_EXITED(child, 0);
}

CASE(futex_key_follows_the_file_page)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(fd >= 0 && ftruncate(fd, PAGE) == 0);
    _Atomic unsigned *a = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    IN_CHILD(child)
    {
        _Atomic unsigned *b = mmap((void *)0x600000000, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        REQUIRE(b != MAP_FAILED);
        while (b[3] == 0)
            futex((void *)&b[3], FUTEX_WAIT, 0, nullptr, nullptr, 0);
    }
    until_asleep(child);
    a[3] = 1;
    EXPECT_EQ(futex((void *)&a[3], FUTEX_WAKE, 1, nullptr, nullptr, 0), 1);
    EXPECT_EXITED(child, 0);
}

CASE(futex_private_and_copied_pages_are_separate)
{
    IN_CHILD(child)
    {
        futex(&word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0); // nobody wakes it
    }
    until_asleep(child);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0), 0);
    sleep_ms(20);
    until_asleep(child); // still
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}

static pthread_mutex_t *robust;

static void *die_with_lock(void *)
{
    pthread_mutex_lock(robust);
    return nullptr;
}

static void make_robust(bool shared)
{
    robust = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(robust != MAP_FAILED);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
    pthread_mutex_init(robust, &attributes);
}

CASE(futex_robust_list_tells_that_the_owner_died)
{
    make_robust(false);
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, die_with_lock, nullptr), 0);
    pthread_join(thread, nullptr);
    EXPECT_EQ(pthread_mutex_lock(robust), EOWNERDEAD);
    EXPECT_EQ(pthread_mutex_consistent(robust), 0);
    EXPECT_EQ(pthread_mutex_unlock(robust), 0);
}

CASE(futex_robust_list_wakes_a_waiter_of_another_process)
{
    int locked[2];
    char c;
    make_robust(true);
    REQUIRE(pipe(locked) == 0);
    IN_CHILD(child)
    {
        pthread_mutex_lock(robust);
        write_byte(locked[1]);
        sleep_ms(20);
        until_asleep(getppid()); // in the lock below
        kill(getpid(), SIGKILL);
    }
    REQUIRE(read(locked[0], &c, 1) == 1);
    int result = pthread_mutex_lock(robust);
    EXPECT_EQ(result, EOWNERDEAD);
    EXPECT_KILLED(child, SIGKILL);
}

CASE(futex_robust_list_is_kept_by_the_kernel)
{
    void *head = nullptr;
    size_t length = 0;
    static struct robust_list_head own = {.list = {.next = &own.list}};
    EXPECT_EQ(syscall(SYS_set_robust_list, &own, sizeof own), 0);
    EXPECT_EQ(syscall(SYS_get_robust_list, 0, &head, &length), 0);
    EXPECT(head == &own);
    EXPECT_EQ(length, sizeof own);
    EXPECT_ERRNO(syscall(SYS_set_robust_list, &own, 3), EINVAL);
}

static _Atomic unsigned orphan;

// Dies as one that an owner's death woke, before it took the mutex: the word is nobody's, and it is what the thread was about.
static void *die_before_taking(void *)
{
    static _Thread_local struct robust_list_head head;
    head = (struct robust_list_head){.list = {.next = &head.list}, .list_op_pending = (struct robust_list *)&orphan};
    until_asleep(getpid());
    syscall(SYS_set_robust_list, &head, sizeof head);
    syscall(SYS_exit, 0); // past the C library
    return nullptr;
}

CASE(futex_robust_list_passes_on_the_wake_of_a_waiter_that_died)
{
    pthread_t thread;
    orphan = FUTEX_OWNER_DIED | FUTEX_WAITERS;
    REQUIRE_EQ(pthread_create(&thread, nullptr, die_before_taking, nullptr), 0);
    struct timespec limit = {.tv_sec = LONG_TIMEOUT_MS / 1000};
    EXPECT_EQ(futex(&orphan, FUTEX_WAIT, FUTEX_OWNER_DIED | FUTEX_WAITERS, &limit, nullptr, 0), 0);
    EXPECT_EQ(orphan, FUTEX_OWNER_DIED | FUTEX_WAITERS);
}

CASE(futex_clear_child_tid_is_zeroed_and_woken)
{
    _Atomic unsigned *shared = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *shared = 77;
    IN_CHILD(child)
    {
        EXPECT_EQ(syscall(SYS_set_tid_address, shared), getpid());
        // It happens where the address space is shared with others: a vfork child.
        _exit(0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(*shared, 77); // the address space had no other user
}

// --- futex_wait(2), futex_wake(2). ---

enum { FUTEX_WAKE_CALL = 454, FUTEX_WAIT_CALL = 455 }; // newer than the C library's names

static uint32_t plain_word;

static void wake_plain_word([[maybe_unused]] long unused)
{
    plain_word = 2;
    syscall(FUTEX_WAKE_CALL, &plain_word, 0xffffffffl, 1, 2);
}

CASE(futex_wait_and_wake_as_calls_of_their_own)
{
    struct timespec soon;
    plain_word = 1;
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &plain_word, 5l, -1l, 2, nullptr, 0), EINVAL); // a mask wider than the word
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &plain_word, 5l, 0xffffffffl, 2, nullptr, 0), EAGAIN);
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &plain_word, 1l, 0l, 2, nullptr, 0), EINVAL);
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &plain_word, 1l, 0xffffffffl, 0, nullptr, 0), EINVAL); // words of one byte
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, (char *)&plain_word + 1, 1l, 0xffffffffl, 2, nullptr, 0), EINVAL);
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &plain_word, 1l, 0xffffffffl, 2, &soon, CLOCK_MONOTONIC), ETIMEDOUT);
    EXPECT_ERRNO(syscall(FUTEX_WAIT_CALL, &plain_word, 1l, 0xffffffffl, 2, &soon, CLOCK_BOOTTIME), EINVAL);
    EXPECT_EQ(syscall(FUTEX_WAKE_CALL, &plain_word, 0xffffffffl, 1, 2), 0);
    EXPECT_ERRNO(syscall(FUTEX_WAKE_CALL, &plain_word, 0xffffffffl, 1, 0), EINVAL);
}

CASE(futex_wait_is_woken_by_futex_wake)
{
    plain_word = 1;
    IN_CHILD(child)
    {
        thread_t waker = after_ms(30, wake_plain_word, 0);
        while (plain_word == 1) {
            if (syscall(FUTEX_WAIT_CALL, &plain_word, 1l, 0xffffffffl, 2, nullptr, 0) == 0)
                break;
        }
        join(waker);
    }
    EXPECT_EXITED(child, 0);
}
