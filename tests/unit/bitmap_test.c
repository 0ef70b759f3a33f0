// tests/unit/bitmap_test.c — kernel/base/bitmap.h against a plain array of bools; sorting and searching.
#include "kernel/base/bitmap.h"

#include "kernel/base/hash.h"
#include "kernel/base/sort.h"
#include "tests/unit/tap.h"

enum { BITS = 200 };

static size_t model_next(const bool *model, bool wanted, size_t from)
{
    while (from < BITS && model[from] != wanted)
        from++;
    return from;
}

TEST(ranges_and_searches_agree_with_a_model)
{
    DECLARE_BITMAP(map, BITS) = {};
    static bool model[BITS];
    for (int step = 0; step < 2000; step++) {
        size_t from = tap_random() % BITS, count = tap_random() % (BITS - from + 1);
        bool value = tap_random() & 1;
        if (value)
            bitmap_set_range(map, from, count);
        else
            bitmap_clear_range(map, from, count);
        for (size_t i = from; i < from + count; i++)
            model[i] = value;
        size_t at = tap_random() % (BITS + 1), weight = 0;
        CHECK_EQ(bitmap_next_set(map, BITS, at), model_next(model, true, at));
        CHECK_EQ(bitmap_next_clear(map, BITS, at), model_next(model, false, at));
        for (size_t i = 0; i < BITS; i++)
            weight += model[i];
        CHECK_EQ(bitmap_weight(map, BITS), weight);
        CHECK_EQ(bitmap_empty(map, BITS), weight == 0);
        CHECK_EQ(bitmap_full(map, BITS), weight == BITS);
    }
}

TEST(bits_behind_the_end_are_not_seen)
{
    DECLARE_BITMAP(map, 70) = {0, ~0UL};
    CHECK_EQ(bitmap_next_set(map, 64, 0), 64);
    CHECK_EQ(bitmap_weight(map, 70), 6);
}

TEST(clear_runs_are_aligned_and_long_enough)
{
    DECLARE_BITMAP(map, 128) = {};
    bitmap_set_range(map, 0, 3);
    CHECK_EQ(bitmap_find_clear_run(map, 128, 4, 4), 4);
    bitmap_set_range(map, 6, 1);
    CHECK_EQ(bitmap_find_clear_run(map, 128, 4, 4), 8);
    CHECK_EQ(bitmap_find_clear_run(map, 128, 3, 1), 3);
    CHECK_EQ(bitmap_find_clear_run(map, 128, 121, 1), 7);
    CHECK_EQ(bitmap_find_clear_run(map, 128, 122, 1), 128);
    CHECK_EQ(bitmap_find_clear_run(map, 128, 129, 1), 128);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

TEST(sort_orders_and_keeps_elements)
{
    static uint32_t numbers[500];
    for (size_t count = 0; count <= 500; count += 1 + count / 3) {
        uint64_t sum = 0, after = 0;
        for (size_t i = 0; i < count; i++)
            sum += numbers[i] = (uint32_t)(tap_random() % 97);
        sort(numbers, count, sizeof numbers[0], by_value);
        for (size_t i = 0; i < count; i++) {
            after += numbers[i];
            CHECK(i == 0 || numbers[i - 1] <= numbers[i]);
        }
        CHECK_EQ(sum, after);
    }
}

TEST(binary_search_finds_exactly_what_is_there)
{
    static uint32_t even[100];
    for (uint32_t i = 0; i < 100; i++)
        even[i] = 2 * i;
    for (uint32_t key = 0; key < 200; key++) {
        uint32_t *found = binary_search(&key, even, 100, sizeof even[0], by_value);
        CHECK(key % 2 ? found == nullptr : found == &even[key / 2]);
    }
}

TEST(siphash_depends_on_key_length_and_every_byte)
{
    struct hash_key key = {1, 2}, other = {1, 3};
    uint8_t data[24] = {};
    uint64_t base = siphash(data, sizeof data, &key);
    CHECK(base != siphash(data, sizeof data, &other));
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] ^= 1;
        CHECK(base != siphash(data, sizeof data, &key));
        data[i] ^= 1;
        CHECK(siphash(data, i, &key) != siphash(data, i + 1, &key));
    }
}
