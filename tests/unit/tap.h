// tests/unit/tap.h — a tiny harness for tests that run on the build host: TAP version 14 on standard output.
//
// It includes no header of the C library, because the kernel's own types would clash with them. A test is TEST(name) {
// ... } with CHECK() inside;
// each file lists nothing: tests register themselves in link order of the file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap_test {
    const char *name;
    void (*run)(void);
    struct tap_test *next;
};

void tap_register(struct tap_test *test);
// Records a failed check of the running test.
void tap_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *tap_alloc(size_t size); // zeroed; ends the program without memory
void tap_free(void *p);
// The same with its end (up to the alignment, a power of two of at most 16) before a page that can not be touched, and a page before it
// that can not be written: an access beyond either end is a fault, which ends the program and so fails the test.
void *tap_alloc_guarded(size_t size, size_t align);
void tap_free_guarded(void *p);
// A number from a generator with a fixed seed: tests run the same way every time.
uint64_t tap_random(void);

#define TEST(test_name)                                                                                                \
    static void test_name(void);                                                                                       \
    __attribute__((constructor)) static void test_name##_register(void)                                                \
    {                                                                                                                  \
        static struct tap_test test = {.name = #test_name, .run = test_name};                                          \
        tap_register(&test);                                                                                           \
    }                                                                                                                  \
    static void test_name(void)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            tap_fail(__FILE__, __LINE__, "%s", #condition);                                                            \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

#define CHECK_EQ(left, right)                                                                                          \
    do {                                                                                                               \
        long long left_ = (long long)(left), right_ = (long long)(right);                                              \
        if (left_ != right_) {                                                                                         \
            tap_fail(__FILE__, __LINE__, "%s is %lld (%#llx), expected %lld (%#llx)", #left, left_, left_, right_,     \
                     right_);                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

bool tap_same_text(const char *a, const char *b);
#define CHECK_TEXT(left, right)                                                                                        \
    do {                                                                                                               \
        if (!tap_same_text((left), (right))) {                                                                         \
            tap_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #left, (left), (right));                     \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
