// kernel/debug/self_crash.c — breaks a rule on purpose: kevlar.self_test=NAME. What is to notice it must notice it, and say where.
//
// tests/boot has a boot for each name, and expects the report. Each test is a function of its own, self_test_NAME, so that the
// backtrace can be seen to name it. What a test does is hidden from the compiler by volatile accesses; a test that returns has not
// been noticed, and that is a panic of its own.
#include "arch/include/cpu.h"
#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/refcount.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"

#define HANG_SECONDS 25

#define SELF_TEST(name) static NOINLINE void self_test_##name(void)

// A value that the compiler does not know.
#define HIDDEN(x) (*(volatile typeof(x) *)&(typeof(x)){x})

static void *must_have(void *memory)
{
    if (!memory)
        panic("self-test: no memory");
    return memory;
}

// ---- every profile ----------------------------------------------------------------------------------------------------

SELF_TEST(null)
{
    *HIDDEN((volatile int *)nullptr) = 1;
}

SELF_TEST(panic)
{
    panic("as it was asked for");
}

SELF_TEST(assert)
{
    ASSERT(HIDDEN(1) == 2);
}

SELF_TEST(warn)
{
    WARN_ON(HIDDEN(1) == 1);
    compiler_barrier(); // a call at the very end would be a jump, and leave no trace
}

// Deep enough for any stack; not without end, which the compiler would make something else of.
static NOINLINE uint64_t recurse(uint64_t depth)
{
    volatile uint64_t here = depth;
    return here ? recurse(here - 1) + here : 0;
}

SELF_TEST(stack_end)
{
    (void)recurse(HIDDEN(1000000ul));
}

// What jumps to a wild address leaves no frame of its own: the trace shows who jumped.
SELF_TEST(wild_jump)
{
    static char not_code[16];
    ((void (*)(void))HIDDEN((uintptr_t)not_code))();
    compiler_barrier();
}

static struct mutex some_mutex;
// Outermost: held over all that a thread does until it reaches user mode, it offends nobody before.
DEFINE_LOCK_CLASS(mutex_class, "self-test mutex", (enum lock_rank)(RANK_NONE + 1));

SELF_TEST(sleep_in_atomic)
{
    mutex_init(&some_mutex, &mutex_class);
    preempt_disable();
    mutex_lock(&some_mutex);
    mutex_unlock(&some_mutex);
    preempt_enable();
}

// Another CPU's watchdog finds this one.
SELF_TEST(hang)
{
    irq_flags_t irq = arch_irq_save();
    ktime_t end = arch_clock_ns() + HANG_SECONDS * NSEC_PER_SEC;
    while (arch_clock_ns() < end)
        cpu_relax();
    arch_irq_restore(irq);
    panic("the hang is over");
}

SELF_TEST(refcount)
{
    static refcount_t dead = REFCOUNT_INIT(0);
    refcount_inc(&dead);
    compiler_barrier();
}

// ---- the fortress profile ---------------------------------------------------------------------------------------------

SELF_TEST(heap_bounds)
{
    char *p = must_have(kmalloc(20, ALLOC_KERNEL));
    p[HIDDEN(20)] = 1; // inside the object's room, behind what was asked for
    kfree(p);
}

SELF_TEST(heap_free)
{
    volatile char *p = must_have(kmalloc(100, ALLOC_KERNEL));
    kfree((void *)p);
    (void)p[HIDDEN(50)];
}

SELF_TEST(heap_free_twice)
{
    void *p = must_have(kmalloc(100, ALLOC_KERNEL));
    kfree(p);
    kfree(HIDDEN(p));
}

SELF_TEST(memset_bounds)
{
    char *p = must_have(kmalloc(40, ALLOC_KERNEL));
    memset(p, 0, HIDDEN((size_t)41));
    kfree(p);
}

SELF_TEST(page_free)
{
    struct page *page = must_have(page_alloc(0, ALLOC_KERNEL));
    volatile char *p = page_address(page);
    page_free(page, 0);
    p[HIDDEN(1)] = 1;
}

// A writer without checks: assembly.
SELF_TEST(page_written)
{
    struct page *page = must_have(page_alloc(0, ALLOC_KERNEL));
    char *p = page_address(page);
    page_free(page, 0);
    __asm__ volatile("movb $1, 77(%0)" ::"r"(p) : "memory");
    for (unsigned i = 0; i < 1000; i++)
        (void)must_have(page_alloc(0, ALLOC_KERNEL));
}

SELF_TEST(vmalloc_bounds)
{
    volatile char *p = must_have(vmalloc(5000, ALLOC_KERNEL));
    p[HIDDEN(5000)] = 1;
}

SELF_TEST(vmalloc_free)
{
    volatile char *p = must_have(vmalloc(5000, ALLOC_KERNEL));
    vfree((void *)p);
    (void)p[HIDDEN(5)];
}

SELF_TEST(global_bounds)
{
    static volatile char array[10];
    volatile char *p = HIDDEN(&array[0]);
    p[10] = 1;
}

SELF_TEST(stack_bounds)
{
    volatile char array[10] = {};
    volatile char *p = HIDDEN(&array[0]);
    p[10] = 1;
}

SELF_TEST(stack_scope)
{
    volatile char *p;
    {
        volatile char inner[10] = {};
        p = HIDDEN(&inner[0]);
    }
    *p = 1;
}

SELF_TEST(shift)
{
    HIDDEN(1 << HIDDEN(40));
}

SELF_TEST(index)
{
    static const int array[3] = {1, 2, 3};
    HIDDEN(array[HIDDEN(3u)]);
}

SELF_TEST(bool_value)
{
    unsigned char byte = HIDDEN((unsigned char)2);
    bool b;
    __builtin_memcpy(&b, &byte, 1);
    HIDDEN((int)b);
}

DEFINE_LOCK_CLASS(outer_class, "self-test outer", RANK_SLAB);
DEFINE_LOCK_CLASS(inner_class, "self-test inner", RANK_PAGE_ALLOC);
static struct spinlock outer = SPINLOCK_INIT(&outer_class), inner = SPINLOCK_INIT(&inner_class);

SELF_TEST(lock_order)
{
    spin_guard(&inner);
    spin_guard(&outer);
}

SELF_TEST(lock_interrupt)
{
    spin_lock(&outer); // interrupts are on
    spin_unlock(&outer);
    irq_flags_t irq = arch_irq_save();
    irq_enter(false);
    spin_lock(&outer);
    spin_unlock(&outer);
    irq_exit();
    arch_irq_restore(irq);
}

// The thread goes on to user mode, where that is noticed.
static bool lock_kept;
SELF_TEST(lock_kept) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_init(&some_mutex, &mutex_class);
    mutex_lock(&some_mutex);
    lock_kept = true;
}

SELF_TEST(list)
{
    static struct list_head list, a, b;
    list_init(&list);
    list_add(&a, &list);
    list_add(&b, &list);
    a.prev = &a;
    list_del(&b);
}

static const struct self_test {
    const char *name;
    void (*run)(void);
} tests[] = {
#define TEST(name) {#name, self_test_##name}
    TEST(null),           TEST(panic),        TEST(assert),       TEST(warn),          TEST(stack_end),    TEST(wild_jump),
    TEST(sleep_in_atomic), TEST(hang),        TEST(refcount),     TEST(heap_bounds),   TEST(heap_free),    TEST(heap_free_twice),
    TEST(memset_bounds),  TEST(page_free),    TEST(page_written), TEST(vmalloc_bounds), TEST(vmalloc_free), TEST(global_bounds),
    TEST(stack_bounds),   TEST(stack_scope),  TEST(shift),        TEST(index),         TEST(bool_value),   TEST(lock_order),
    TEST(lock_interrupt), TEST(lock_kept),    TEST(list),
};

static char wanted[32];

static int parse_self_test(const char *value)
{
    return strlcpy(wanted, value, sizeof wanted) < sizeof wanted ? 0 : -EINVAL;
}
CMDLINE_PARAM("kevlar.self_test", parse_self_test);

static int run_self_test(void)
{
    if (!wanted[0])
        return 0;
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        if (strcmp(tests[i].name, wanted))
            continue;
        pr_notice("self-test: %s\n", wanted);
        tests[i].run();
        if (!lock_kept)
            panic("self-test: %s was not noticed", wanted);
        return 0;
    }
    panic("self-test: there is none called %s", wanted);
}
INITCALL(late, run_self_test);
