// tests/unit/format_test.c — snprintf() of kernel/base/string.h.
#include "kernel/base/string.h"

#include "tests/unit/tap.h"

static char text[128];

// The compiler would check and fold constant formats; the kernel's function is what is to be tested.
#define FORMATS(expected, ...)                                                                                         \
    do {                                                                                                               \
        int length_ = snprintf(text, sizeof text, __VA_ARGS__);                                                        \
        CHECK_TEXT(text, expected);                                                                                    \
        CHECK_EQ(length_, (int)sizeof(expected) - 1);                                                                  \
    } while (0)

TEST(integers_of_every_length)
{
    FORMATS("-1 255 65535", "%d %hhu %hu", -1, (unsigned char)255, (unsigned short)65535);
    FORMATS("-9223372036854775808", "%lld", (long long)INT64_MIN);
    FORMATS("18446744073709551615", "%lu", UINT64_MAX);
    FORMATS("ffffffff", "%x", -1);
    FORMATS("-128", "%hhd", (signed char)-128);
    FORMATS("7 8 9", "%zu %td %jd", (size_t)7, (ptrdiff_t)8, (intmax_t)9);
}

TEST(flags_width_and_precision)
{
    FORMATS("[   42]", "[%5d]", 42);
    FORMATS("[42   ]", "[%-5d]", 42);
    FORMATS("[00042]", "[%05d]", 42);
    FORMATS("[-0042]", "[%05d]", -42);
    FORMATS("[+42]", "[%+d]", 42);
    FORMATS("[ 42]", "[% d]", 42);
    FORMATS("[0x2a]", "[%#x]", 42);
    FORMATS("[0X2A]", "[%#X]", 42);
    FORMATS("[052]", "[%#o]", 42);
    FORMATS("[  042]", "[%5.3d]", 42);
    FORMATS("[]", "[%.0d]", 0);
    FORMATS("[0x00002a]", "[%#08x]", 42);
    FORMATS("[42  ]", "[%*d]", -4, 42);
}

TEST(strings_are_cut_by_precision)
{
    FORMATS("[ab]", "[%.2s]", "abcdef");
    FORMATS("[   ab]", "[%5.2s]", "abcdef");
    FORMATS("[ab   ]", "[%-5.*s]", 2, "abcdef");
    const char *missing = nullptr;
    FORMATS("(null)", "%s", missing);
    FORMATS("x%y", "%c%%%c", 'x', 'y');
}

TEST(precision_keeps_from_reading_further)
{
    static const char unterminated[3] = {'a', 'b', 'c'};
    FORMATS("abc", "%.3s", unterminated);
}

TEST(output_is_bounded_and_length_is_not)
{
    char small[4];
    CHECK_EQ(snprintf(small, sizeof small, "%s", "abcdef"), 6);
    CHECK_TEXT(small, "abc");
    CHECK_EQ(scnprintf(small, sizeof small, "%s", "abcdef"), 3);
    CHECK_EQ(snprintf(nullptr, 0, "%d", 12345), 5);
    CHECK_EQ(scnprintf(small, 0, "x"), 0);
}

TEST(pointers_are_hidden_but_tell_apart)
{
    int a, b;
    char first[32], again[32], other[32];
    snprintf(first, sizeof first, "%p", (void *)&a);
    snprintf(again, sizeof again, "%p", (void *)&a);
    snprintf(other, sizeof other, "%p", (void *)&b);
    CHECK_TEXT(first, again);
    CHECK(!tap_same_text(first, other));
    char plain[32];
    snprintf(plain, sizeof plain, "%016lx", (unsigned long)&a);
    CHECK(!tap_same_text(first, plain));
    FORMATS("00000000deadbeef", "%px", (void *)0xdeadbeef);
    FORMATS("0000000000000000", "%p", (void *)nullptr);
}
