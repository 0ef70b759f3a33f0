// tests/unit/decompress_test.c — kernel/decompress: real files come out whole, damaged ones end in an error and touch nothing else.
#include "kernel/decompress/decompress.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "tests/unit/kernel_double.h"
#include "tests/unit/tap.h"

static const uint8_t plain[] = {
#embed "testdata/decompress/sample.txt"
};
static const uint8_t zst_19[] = {
#embed "testdata/decompress/sample_19.zst"
};
static const uint8_t zst_1[] = {
#embed "testdata/decompress/sample_1.zst"
};
static const uint8_t gz_9[] = {
#embed "testdata/decompress/sample_9.gz"
};

struct sample {
    const uint8_t *data;
    size_t size;
};
static const struct sample samples[] = {{zst_19, sizeof zst_19}, {zst_1, sizeof zst_1}, {gz_9, sizeof gz_9}};

struct collected {
    size_t size;
    bool differs;
};

static int compare_with_plain(void *arg, const void *data, size_t size)
{
    struct collected *c = arg;
    if (size > sizeof plain - c->size || memcmp(plain + c->size, data, size) != 0)
        c->differs = true;
    else
        c->size += size;
    return 0;
}

TEST(packed_files_come_out_whole)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct collected c = {};
        size_t used = 0;
        CHECK_EQ(decompress(samples[i].data, samples[i].size, &used, compare_with_plain, &c), 0);
        CHECK_EQ(used, samples[i].size);
        CHECK_EQ(c.size, sizeof plain);
        CHECK(!c.differs);
    }
}

TEST(input_behind_the_end_is_left_alone)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        uint8_t *longer = tap_alloc(samples[i].size + 100);
        memcpy(longer, samples[i].data, samples[i].size);
        struct collected c = {};
        size_t used = 0;
        CHECK_EQ(decompress(longer, samples[i].size + 100, &used, compare_with_plain, &c), 0);
        CHECK_EQ(used, samples[i].size);
        tap_free(longer);
    }
}

TEST(every_cut_is_an_error)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        for (size_t size = 0; size < samples[i].size; size += 1 + size / 40) {
            uint8_t *cut = tap_alloc_guarded(size, 1); // a byte read behind it is a fault
            memcpy(cut, samples[i].data, size);
            struct collected c = {};
            size_t used;
            CHECK_EQ(decompress(cut, size, &used, compare_with_plain, &c), -EINVAL);
            tap_free_guarded(cut);
        }
}

TEST(checksums_catch_what_decoding_does_not)
{
    enum { ROUNDS = 600 };
    const struct sample checked[] = {samples[0], samples[2]};
    for (int round = 0; round < ROUNDS; round++) {
        const struct sample *s = &checked[round % 2];
        uint8_t *damaged = tap_alloc_guarded(s->size, 1);
        memcpy(damaged, s->data, s->size);
        size_t at = 12 + tap_random() % (s->size - 12);
        damaged[at] ^= (uint8_t)(1 + tap_random() % 255);
        struct collected c = {};
        size_t used;
        int err = decompress(damaged, s->size, &used, compare_with_plain, &c);
        CHECK(err == -EINVAL || (!c.differs && c.size == sizeof plain));
        tap_free_guarded(damaged);
    }
}

// What stands before the data decides about windows, tables and sizes: each of its bits turned, and each of its bytes at its ends.
TEST(every_bit_of_the_first_bytes_may_be_wrong)
{
    enum { FIRST = 96 };
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        for (unsigned change = 0; change < FIRST * 10; change++) {
            const struct sample *s = &samples[i];
            uint8_t *damaged = tap_alloc_guarded(s->size, 1);
            memcpy(damaged, s->data, s->size);
            uint8_t *at = &damaged[change / 10];
            *at = change % 10 < 8 ? *at ^ (uint8_t)(1 << change % 10) : change % 10 == 8 ? 0 : 0xff;
            struct collected c = {};
            size_t used = 0;
            int err = decompress(damaged, s->size, &used, compare_with_plain, &c);
            CHECK(err == -EINVAL || err == -ENOMEM || (err == 0 && used <= s->size));
            CHECK_EQ(double_buffers, 0);
            tap_free_guarded(damaged);
        }
}

// No more than the first bytes, and noise behind them.
TEST(noise_behind_a_good_beginning_is_an_error_or_ends)
{
    enum { ROUNDS = 1500, SIZE = 700 };
    for (int round = 0; round < ROUNDS; round++) {
        const struct sample *s = &samples[round % ARRAY_SIZE(samples)];
        size_t size = 20 + tap_random() % SIZE, good = 4 + tap_random() % 100;
        uint8_t *noise = tap_alloc_guarded(size, 1);
        for (size_t i = 0; i < size; i++)
            noise[i] = i < good ? s->data[i] : (uint8_t)tap_random();
        struct collected c = {};
        size_t used = 0;
        int err = decompress(noise, size, &used, compare_with_plain, &c);
        CHECK(err == -EINVAL || err == -ENOMEM || (err == 0 && used <= size));
        CHECK_EQ(double_buffers, 0);
        tap_free_guarded(noise);
    }
}

TEST(without_memory_there_is_an_error)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        for (int left = 0; left < 2; left++) {
            struct collected c = {};
            size_t used;
            double_allocations_left = left;
            CHECK_EQ(decompress(samples[i].data, samples[i].size, &used, compare_with_plain, &c), -ENOMEM);
            double_allocations_left = -1;
            CHECK_EQ(double_buffers, 0);
        }
}

static int refuse([[maybe_unused]] void *arg, [[maybe_unused]] const void *data, [[maybe_unused]] size_t size)
{
    return -EIO;
}

TEST(the_sink_can_stop_it)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        size_t used;
        CHECK_EQ(decompress(samples[i].data, samples[i].size, &used, refuse, nullptr), -EIO);
    }
}

TEST(other_formats_are_refused)
{
    size_t used;
    CHECK_EQ(compression_detect("070701", 6), COMPRESSION_NONE);
    CHECK_EQ(decompress("070701", 6, &used, refuse, nullptr), -EINVAL);
    CHECK_EQ(decompress("", 0, &used, refuse, nullptr), -EINVAL);
}
