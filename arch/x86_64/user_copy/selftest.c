// arch/x86_64/user_copy/selftest.c — at boot of the fortress profile: every small length, every misalignment, and every place a fault can strike.
//
// A scratch address space with two pages, the second unmapped again: what is copied across the border must stop there,
// with the exact number of bytes left.
#ifdef KERNEL_FORTRESS
#include "arch/include/user_copy.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/sched/thread.h"

#define WINDOW 512u
#define EXPECT(condition, what, a, b)                                                                                  \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            panic("user copy self-test: %s fails at %u, %u", (what), (a), (b));                                        \
    } while (0)

static char *pattern, *seen; // a page each

static bool filled(const char *from, size_t size, char byte)
{
    return memchr_inv(from, (unsigned char)byte, size) == nullptr;
}

static void test_lengths(unsigned long page)
{
    void __user *window = user_ptr(void, page);
    for (unsigned size = 0; size <= 200; size++) {
        for (unsigned shift = 0; shift < 16; shift++) {
            EXPECT(clear_user(window, WINDOW) == 0, "clear_user", size, shift);
            EXPECT(copy_to_user(user_ptr(void, page + shift), pattern, size) == 0, "copy_to_user", size, shift);
            EXPECT(copy_from_user(seen, window, WINDOW) == 0, "copy_from_user", size, shift);
            bool same = filled(seen, shift, 0) && memcmp(seen + shift, pattern, size) == 0 &&
                        filled(seen + shift + size, WINDOW - shift - size, 0);
            EXPECT(same, "copy_to_user's content", size, shift);
            memset(seen, 0x5a, WINDOW);
            EXPECT(copy_from_user(seen + shift, user_ptr(void, page + shift), size) == 0, "copy_from_user", size, shift);
            same = filled(seen, shift, 0x5a) && memcmp(seen + shift, pattern, size) == 0 &&
                   filled(seen + shift + size, WINDOW - shift - size, 0x5a);
            EXPECT(same, "copy_from_user's content", size, shift);
        }
    }
}

// `inside` bytes can be reached, the rest can not.
static void test_faults(unsigned long end)
{
    for (unsigned size = 0; size <= 200; size++) {
        for (unsigned inside = 0; inside <= size; inside++) {
            void __user *place = user_ptr(void, end - inside);
            EXPECT(copy_to_user(place, pattern, size) == size - inside, "copy_to_user's rest", size, inside);
            EXPECT(copy_from_user(seen, place, size) == size - inside, "copy_from_user's rest", size, inside);
            EXPECT(memcmp(seen, pattern, inside) == 0, "content before a fault", size, inside);
            EXPECT(clear_user(place, size) == size - inside, "clear_user's rest", size, inside);
        }
    }
}

static void test_strings(unsigned long page, unsigned long end)
{
    for (unsigned length = 0; length < 80; length++) {
        memset(seen, 'a', WINDOW);
        seen[length] = 0;
        for (unsigned shift = 0; shift < 12; shift++) {
            char __user *s = user_ptr(char, page + shift);
            EXPECT(copy_to_user(s, seen, length + 9) == 0, "copy_to_user", length, shift);
            char *copy = seen + WINDOW;
            EXPECT(strncpy_from_user(copy, s, 100) == (ssize_t)length, "strncpy_from_user", length, shift);
            EXPECT(strcmp(copy, seen) == 0, "strncpy_from_user's content", length, shift);
            EXPECT(strncpy_from_user(copy, s, length) == -ENAMETOOLONG, "a string too long", length, shift);
            EXPECT(strnlen_user(s, WINDOW) == length + 1, "strnlen_user", length, shift);
        }
        char __user *last = user_ptr(char, end - length - 1);
        EXPECT(copy_to_user(last, seen, length + 1) == 0, "copy_to_user", length, 0);
        EXPECT(strncpy_from_user(seen + WINDOW, last, 300) == (ssize_t)length, "a string at the border", length, 0);
        EXPECT(put_user('a', user_ptr(char, end - 1)) == 0, "put_user", length, 0);
        EXPECT(strncpy_from_user(seen + WINDOW, last, 300) == -EFAULT, "a string across the border", length, 0);
        EXPECT(strnlen_user(last, 300) == 0, "strnlen_user across the border", length, 0);
    }
}

static void test_words(unsigned long page, unsigned long end)
{
    static const uint32_t results[] = {6, 18, 14, 8, 10}; // 12 with 6: set, add, or, andn, xor
    uint32_t __user *word = user_ptr(uint32_t, page), *beyond = user_ptr(uint32_t, end);
    uint32_t old, value;
    for (unsigned op = 0; op < ARRAY_SIZE(results); op++) {
        EXPECT(put_user(12u, word) == 0, "put_user", op, 0);
        EXPECT(arch_futex_op_user(word, (int)op, 6, &old) == 0 && old == 12, "arch_futex_op_user", op, old);
        EXPECT(get_user(value, word) == 0 && value == results[op], "get_user", op, value);
        EXPECT(arch_futex_op_user(beyond, (int)op, 6, &old) == -EFAULT, "arch_futex_op_user's fault", op, 0);
    }
    EXPECT(arch_cmpxchg_user_u32(word, 10, 3, &old) == 0 && old == 10, "arch_cmpxchg_user_u32", old, 0);
    EXPECT(arch_cmpxchg_user_u32(word, 10, 4, &old) == 0 && old == 3, "arch_cmpxchg_user_u32", old, 1);
    EXPECT(arch_cmpxchg_user_u32(beyond, 10, 4, &old) == -EFAULT, "arch_cmpxchg_user_u32's fault", 0, 0);
    EXPECT(get_user(value, beyond) == -EFAULT && put_user(1u, beyond) == -EFAULT, "a word's fault", 0, 0);
    EXPECT(copy_from_user(seen, user_ptr(void, USER_END - 4), 8) == 8, "the end of user memory", 0, 0);
    EXPECT(copy_from_user(seen, user_ptr(void, (unsigned long)pattern), 8) == 8, "a kernel address", 0, 0);
}

static int user_copy_selftest(void)
{
    const unsigned prot_read_write = 3, map_private_anonymous = 0x22;
    struct thread *t = current_thread();
    struct mm *before = t->mm, *mm = mm_create();
    struct exec_layout layout = {.stack_rlimit = 1 << 20};
    pattern = kmalloc(PAGE_SIZE, ALLOC_KERNEL);
    seen = kmalloc(PAGE_SIZE, ALLOC_KERNEL);
    if (!mm || !pattern || !seen || mm_setup_layout(mm, &layout))
        panic("user copy self-test: no memory");
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        pattern[i] = (char)(i * 7 + 3);
    thread_set_mm(mm);
    long page = mm_mmap(mm, 0, 2 * PAGE_SIZE, prot_read_write, map_private_anonymous, nullptr, 0);
    if (page < 0 || mm_munmap(mm, (vaddr_t)page + PAGE_SIZE, PAGE_SIZE))
        panic("user copy self-test: no mapping");
    unsigned long end = (unsigned long)page + PAGE_SIZE;
    test_lengths((unsigned long)page);
    test_faults(end);
    test_strings((unsigned long)page, end);
    test_words((unsigned long)page, end);
    thread_set_mm(before);
    mm_put_users(mm);
    kfree(pattern);
    kfree(seen);
    pr_info("user copies: self-test passed\n");
    return 0;
}
INITCALL(late, user_copy_selftest);
#endif
