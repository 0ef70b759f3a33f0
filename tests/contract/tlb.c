// tests/contract/tlb.c — what one processor changes in the page tables, the others obey from then on.
//
// A thread on each other processor (two at most; on the only one, if there is but one) touches one page without a pause, not even a call, so
// that its translation stays in that TLB, while the case changes the page. Each change is announced in `phase` only after the call has returned: a
// thread that touched the page between two looks at the same phase must have found what the phase says. The case goes on when every thread has found
// it.
#include "tests/contract/harness.h"

#include <sched.h>
#include <setjmp.h>
#include <stdatomic.h>

enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS, MOST_TOUCHERS = 2, ROUNDS = 8 };

// What a touch finds: anything while a change is made, the number of the round, a fault, or zero.
enum finds { ANYTHING, NUMBER, FAULT, ZERO, FINDS };

static volatile unsigned long *word; // in the page
static bool by_writing;
static atomic_ulong phase; // round * FINDS + what is found
static atomic_bool stop;

static struct toucher {
    pthread_t thread;
    int number;
    atomic_ulong confirmed; // the last phase this thread has found to be true
} touchers[MOST_TOUCHERS];
static int nr_touchers;

static _Thread_local sigjmp_buf escape;

static void on_fault(int signal)
{
    siglongjmp(escape, signal);
}

// Touches the page once; true if that faulted, else *value is what was there.
static bool touch(unsigned long *value)
{
    if (sigsetjmp(escape, 0) != 0)
        return true;
    if (by_writing)
        *word = *value;
    else
        *value = *word;
    return false;
}

static void run_on(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    EXPECT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
}

static void let_others_run(void)
{
    if (processors() == 1)
        sched_yield();
}

static void *touch_and_compare(void *opaque)
{
    struct toucher *t = opaque;
    bool alone = processors() > 1;
    run_on(alone ? t->number : 0);
    while (!stop) {
        unsigned long before = phase, round = before / FINDS, value = round;
        bool faulted = touch(&value);
        unsigned long after = phase;
        if (before != after || before % FINDS == ANYTHING || before == t->confirmed) {
            if (!alone)
                sched_yield();
            continue;
        }
        EXPECT_EQ(faulted, before % FINDS == FAULT);
        if (!faulted && !by_writing)
            EXPECT_EQ(value, before % FINDS == ZERO ? 0 : round);
        t->confirmed = before;
    }
    return nullptr;
}

static void announce(unsigned long round, enum finds finds)
{
    phase = round * FINDS + finds;
    if (finds == ANYTHING)
        return;
    int64_t deadline = now_ns() + (int64_t)LONG_TIMEOUT_MS * 1000000;
    for (int i = 0; i < nr_touchers; i++) {
        while (touchers[i].confirmed != phase) {
            REQUIRE(now_ns() < deadline);
            let_others_run();
        }
    }
}

static void begin(bool writing)
{
    nr_touchers = processors() > MOST_TOUCHERS ? MOST_TOUCHERS : 1;
    run_on(0);
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    REQUIRE(sigaction(SIGSEGV, &action, nullptr) == 0);
    by_writing = writing;
    word = mmap(nullptr, PAGE, RW, ANON, -1, 0);
    REQUIRE(word != MAP_FAILED);
    for (int i = 0; i < nr_touchers; i++) {
        touchers[i].number = i + 1;
        REQUIRE_EQ(pthread_create(&touchers[i].thread, nullptr, touch_and_compare, &touchers[i]), 0);
    }
}

static void end(void)
{
    stop = true;
    for (int i = 0; i < nr_touchers; i++)
        pthread_join(touchers[i].thread, nullptr);
}

static void *page(void)
{
    return (void *)word;
}

static void fill(unsigned long round)
{
    announce(round, ANYTHING);
    *word = round;
    announce(round, NUMBER);
}

CASE(tlb_no_processor_reads_a_page_that_was_closed)
{
    begin(false);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        fill(round);
        announce(round, ANYTHING);
        EXPECT_EQ(mprotect(page(), PAGE, PROT_NONE), 0);
        announce(round, FAULT);
        announce(round, ANYTHING);
        EXPECT_EQ(mprotect(page(), PAGE, RW), 0);
    }
    end();
}

CASE(tlb_no_processor_writes_a_page_that_was_made_read_only)
{
    begin(true);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        announce(round, NUMBER);
        announce(round, ANYTHING);
        EXPECT_EQ(mprotect(page(), PAGE, PROT_READ), 0);
        announce(round, FAULT);
        announce(round, ANYTHING);
        EXPECT_EQ(mprotect(page(), PAGE, RW), 0);
    }
    end();
}

CASE(tlb_no_processor_reaches_a_page_that_was_unmapped)
{
    begin(false);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        fill(round);
        announce(round, ANYTHING);
        EXPECT_EQ(munmap(page(), PAGE), 0);
        announce(round, FAULT);
        announce(round, ANYTHING);
        REQUIRE(mmap(page(), PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == page());
        announce(round, ZERO); // the new page, not the one that was freed
    }
    end();
}

CASE(tlb_every_processor_sees_the_mapping_that_replaced_another)
{
    begin(false);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        fill(round);
        announce(round, ANYTHING);
        REQUIRE(mmap(page(), PAGE, RW, ANON | MAP_FIXED, -1, 0) == page());
        announce(round, ZERO);
    }
    end();
}

CASE(tlb_every_processor_forgets_pages_given_back_by_madvise)
{
    begin(false);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        fill(round);
        announce(round, ANYTHING);
        EXPECT_EQ(madvise(page(), PAGE, MADV_DONTNEED), 0);
        announce(round, ZERO);
    }
    end();
}

CASE(tlb_no_processor_reaches_a_page_that_was_moved_away)
{
    begin(false);
    void *other = mmap(nullptr, PAGE, PROT_NONE, ANON, -1, 0);
    REQUIRE(other != MAP_FAILED);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        fill(round);
        announce(round, ANYTHING);
        REQUIRE(mremap(page(), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
        announce(round, FAULT);
        EXPECT_EQ(*(unsigned long *)other, round);
        announce(round, ANYTHING);
        REQUIRE(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page()) == page());
        announce(round, NUMBER);
    }
    end();
}

CASE(tlb_pages_of_a_file_that_was_cut_are_gone_on_every_processor)
{
    begin(false);
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    REQUIRE(sigaction(SIGBUS, &action, nullptr) == 0);
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    REQUIRE(fd >= 0 && ftruncate(fd, PAGE) == 0);
    announce(0, ANYTHING);
    REQUIRE(mmap(page(), PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0) == page());
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        fill(round);
        announce(round, ANYTHING);
        EXPECT_EQ(ftruncate(fd, 0), 0);
        announce(round, FAULT);
        announce(round, ANYTHING);
        EXPECT_EQ(ftruncate(fd, PAGE), 0);
        announce(round, ZERO);
    }
    end();
}

static void *write_numbers(void *)
{
    run_on(processors() > 1 ? 1 : 0);
    for (unsigned long number = 1; !stop; number++)
        *word = number;
    return nullptr;
}

// After fork(2) a page is the parent's and the child's, until one writes: what a processor of the parent's still may write with its old
// translation would show in the child.
CASE(tlb_no_processor_writes_to_what_fork_has_given_to_the_child)
{
    pthread_t writer;
    word = mmap(nullptr, PAGE, RW, ANON, -1, 0);
    REQUIRE(word != MAP_FAILED);
    if (processors() > 1)
        run_on(0);
    REQUIRE_EQ(pthread_create(&writer, nullptr, write_numbers, nullptr), 0);
    unsigned long last = 0;
    for (int round = 0; round < 6; round++) {
        while (*word == last) // the writer is at it
            let_others_run();
        last = *word;
        IN_CHILD(child)
        {
            unsigned long mine = *word;
            for (int look = 0; look < 100; look++) {
                if (look % 20 == 0)
                    sched_yield();
                REQUIRE_EQ(*word, mine);
            }
        }
        EXPECT_EXITED(child, 0);
    }
    stop = true;
    pthread_join(writer, nullptr);
}
