// tests/unit/memory_test.c — arch/x86_64/lib/memory.S: every short length at every alignment and overlap, and some long ones.
#include "tests/unit/tap.h"

// The assembly is built under these names, since the C library has the usual ones.
void *kernel_memcpy(void *to, const void *from, size_t size);
void *kernel_memmove(void *to, const void *from, size_t size);
void *kernel_memset(void *to, int byte, size_t size);
int kernel_memcmp(const void *a, const void *b, size_t size);

enum { AREA = 1024, EDGE = 64 };

static uint8_t area[AREA], expected[AREA];

static void scribble(void)
{
    for (size_t i = 0; i < AREA; i++)
        area[i] = expected[i] = (uint8_t)tap_random();
}

static bool as_expected(void)
{
    for (size_t i = 0; i < AREA; i++)
        if (area[i] != expected[i])
            return false;
    return true;
}

static size_t next_length(size_t length)
{
    return length < 130 ? length + 1 : length + 37;
}

TEST(memcpy_copies_exactly)
{
    for (size_t length = 0; length < 400; length = next_length(length))
        for (size_t shift = 0; shift < 9; shift++) {
            scribble();
            for (size_t i = 0; i < length; i++)
                expected[EDGE + i] = area[512 + shift + i];
            CHECK(kernel_memcpy(area + EDGE, area + 512 + shift, length) == area + EDGE);
            CHECK(as_expected());
        }
}

TEST(memmove_survives_every_overlap)
{
    for (size_t length = 0; length < 300; length = next_length(length))
        for (int distance = -70; distance <= 70; distance++) {
            scribble();
            uint8_t *from = area + 300, *to = from + distance;
            for (size_t i = 0; i < length; i++)
                expected[300 + distance + (int)i] = from[i];
            CHECK(kernel_memmove(to, from, length) == to);
            CHECK(as_expected());
        }
}

TEST(memset_fills_exactly)
{
    for (size_t length = 0; length < 400; length = next_length(length))
        for (size_t shift = 0; shift < 9; shift++) {
            scribble();
            for (size_t i = 0; i < length; i++)
                expected[EDGE + shift + i] = 0xa5;
            CHECK(kernel_memset(area + EDGE + shift, 0x12a5, length) == area + EDGE + shift);
            CHECK(as_expected());
        }
}

TEST(memcmp_orders_by_the_first_difference)
{
    static uint8_t a[80], b[80];
    for (size_t length = 0; length < 70; length++)
        for (size_t at = 0; at <= length; at++) {
            for (size_t i = 0; i < sizeof a; i++)
                a[i] = b[i] = (uint8_t)i;
            if (at < length) {
                a[at] = 0x7f;
                b[at] = 0x80; // unsigned: greater
                a[length - 1 > at ? length - 1 : at] ^= at == length - 1 ? 0 : 0xff;
            }
            int order = kernel_memcmp(a, b, length);
            CHECK(at < length ? order < 0 : order == 0);
            CHECK(at < length ? kernel_memcmp(b, a, length) > 0 : true);
        }
}
