// tests/unit/string_test.c — kernel/base/string.h: strings and numbers from text.
#include "kernel/base/string.h"

#include "kernel/abi/errno.h"
#include "tests/unit/tap.h"

TEST(strlen_at_every_alignment_and_length)
{
    char buffer[64];
    for (size_t at = 0; at < 16; at++)
        for (size_t length = 0; length < 40; length++) {
            for (size_t i = 0; i < sizeof buffer; i++)
                buffer[i] = (char)(0x80 + i); // bytes with the top bit set confuse a careless word trick
            buffer[at + length] = 0;
            CHECK_EQ(strlen(buffer + at), length);
        }
}

TEST(strlcpy_cuts_terminates_and_tells_the_length)
{
    char to[4] = "xxx";
    CHECK_EQ(strlcpy(to, "abcdef", sizeof to), 6);
    CHECK_TEXT(to, "abc");
    CHECK_EQ(strlcpy(to, "z", sizeof to), 1);
    CHECK_TEXT(to, "z");
    CHECK_EQ(strlcpy(to, "abc", 0), 3);
    CHECK_TEXT(to, "z");
}

TEST(strlcat_appends_within_size)
{
    char to[6] = "ab";
    CHECK_EQ(strlcat(to, "cdef", sizeof to), 6);
    CHECK_TEXT(to, "abcde");
}

TEST(strlcpy_pad_leaves_nothing_old)
{
    char to[8] = "secret!";
    strlcpy_pad(to, "ab", sizeof to);
    for (size_t i = 2; i < sizeof to; i++)
        CHECK_EQ(to[i], 0);
}

TEST(searches_find_first_and_last)
{
    const char *s = "path/to/file";
    CHECK(strchr(s, '/') == s + 4);
    CHECK(strrchr(s, '/') == s + 7);
    CHECK(strchr(s, 'x') == nullptr);
    CHECK(strchr(s, 0) == s + 12);
    CHECK(strchrnul(s, 'x') == s + 12);
    CHECK(strstr(s, "to") == s + 5);
    CHECK(strstr(s, "") == s);
    CHECK(strstr(s, "file2") == nullptr);
    CHECK_EQ(strspn("aabbc", "ab"), 4);
    CHECK_EQ(strcspn("aabbc", "c"), 4);
}

TEST(compare_is_unsigned_and_stops_at_max)
{
    CHECK(strcmp("a\x80", "a\x7f") > 0);
    CHECK_EQ(strncmp("abcX", "abcY", 3), 0);
    CHECK(strncmp("abcX", "abcY", 4) < 0);
    CHECK_EQ(strcasecmp("TtyS0", "ttys0"), 0);
}

TEST(strsep_returns_empty_words)
{
    char text[] = "a,,b";
    char *s = text;
    CHECK_TEXT(strsep(&s, ","), "a");
    CHECK_TEXT(strsep(&s, ","), "");
    CHECK_TEXT(strsep(&s, ","), "b");
    CHECK(strsep(&s, ",") == nullptr);
}

TEST(strstrip_takes_both_ends)
{
    char text[] = " \t kevlar \n";
    CHECK_TEXT(strstrip(text), "kevlar");
    char blank[] = "  \n";
    CHECK_TEXT(strstrip(blank), "");
}

TEST(parse_u64_takes_bases_and_refuses_rubbish)
{
    uint64_t v = 7;
    CHECK_EQ(parse_u64("0x1F", 0, &v), 0);
    CHECK_EQ(v, 0x1f);
    CHECK_EQ(parse_u64("017\n", 0, &v), 0);
    CHECK_EQ(v, 15);
    CHECK_EQ(parse_u64("18446744073709551615", 10, &v), 0);
    CHECK(v == UINT64_MAX);
    CHECK_EQ(parse_u64("18446744073709551616", 10, &v), -ERANGE);
    CHECK_EQ(parse_u64("", 10, &v), -EINVAL);
    CHECK_EQ(parse_u64("12x", 10, &v), -EINVAL);
    CHECK_EQ(parse_u64("0x", 0, &v), -EINVAL);
    CHECK_EQ(parse_u64("-1", 10, &v), -EINVAL);
    CHECK_EQ(parse_u64("1\n\n", 10, &v), -EINVAL);
}

TEST(parse_i64_reaches_both_ends)
{
    int64_t v;
    CHECK_EQ(parse_i64("-9223372036854775808", 10, &v), 0);
    CHECK(v == INT64_MIN);
    CHECK_EQ(parse_i64("9223372036854775808", 10, &v), -ERANGE);
    int n;
    CHECK_EQ(parse_int("-2147483648", 10, &n), 0);
    CHECK_EQ(n, INT32_MIN);
    CHECK_EQ(parse_int("2147483648", 10, &n), -ERANGE);
    uint32_t u;
    CHECK_EQ(parse_u32("4294967296", 10, &u), -ERANGE);
}

TEST(parse_size_knows_units_and_overflow)
{
    uint64_t v;
    const char *end;
    CHECK_EQ(parse_size("512M,", &end, &v), 0);
    CHECK_EQ(v, 512ll << 20);
    CHECK_EQ(*end, ',');
    CHECK_EQ(parse_size("2g", &end, &v), 0);
    CHECK_EQ(v, 2ll << 30);
    CHECK_EQ(parse_size("16E", &end, &v), -ERANGE);
    CHECK_EQ(parse_size("M", &end, &v), -EINVAL);
}

TEST(parse_bool_knows_words)
{
    bool b = false;
    CHECK_EQ(parse_bool("Yes", &b), 0);
    CHECK(b);
    CHECK_EQ(parse_bool("off", &b), 0);
    CHECK(!b);
    CHECK_EQ(parse_bool("maybe", &b), -EINVAL);
}
