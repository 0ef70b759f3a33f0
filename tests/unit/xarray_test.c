// tests/unit/xarray_test.c — kernel/base/xarray.h against a model, with marks, id allocation and failing memory.
#include "kernel/base/xarray.h"

#include "kernel/abi/errno.h"
#include "tests/unit/kernel_double.h"
#include "tests/unit/tap.h"

enum { ENTRIES = 400 };

static struct xarray xa;
static struct {
    uint64_t index;
    bool present, marked;
    uint32_t value; // its address is the entry
} model[ENTRIES];

static void start(void)
{
    static bool booted;
    if (!booted)
        xarray_boot();
    booted = true;
    xa_init(&xa);
    double_allocations_left = -1;
}

// Indices near each other, far apart, and at the very end.
static void choose_indices(void)
{
    for (uint64_t i = 0; i < ENTRIES; i++) {
        model[i].index = i < 200 ? i * 3 : i < 300 ? i << 20 : i < 399 ? UINT64_MAX - 2 * i : UINT64_MAX;
        model[i].present = model[i].marked = false;
    }
}

static size_t model_at(uint64_t index)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (model[i].index == index)
            return i;
    return ENTRIES;
}

static bool walk_agrees(bool marked_only)
{
    uint64_t index = 0;
    size_t seen = 0, expected = 0;
    for (size_t i = 0; i < ENTRIES; i++)
        expected += model[i].present && (!marked_only || model[i].marked);
    for (;;) {
        void *entry = marked_only ? xa_find_marked(&xa, &index, UINT64_MAX, 0) : xa_find(&xa, &index, UINT64_MAX);
        if (!entry)
            break;
        size_t i = model_at(index);
        if (i == ENTRIES || entry != &model[i].value || !model[i].present || (marked_only && !model[i].marked))
            return false;
        seen++;
        if (index == UINT64_MAX)
            break;
        index++;
    }
    return seen == expected;
}

TEST(random_stores_erases_and_marks_agree_with_a_model)
{
    start();
    choose_indices();
    for (int step = 0; step < 20000; step++) {
        size_t i = tap_random() % ENTRIES;
        switch (tap_random() % 4) {
        case 0:
            CHECK_EQ(xa_store(&xa, model[i].index, &model[i].value, nullptr), 0);
            model[i].present = true;
            break;
        case 1: {
            void *old = xa_erase(&xa, model[i].index);
            CHECK(old == (model[i].present ? &model[i].value : nullptr));
            model[i].present = model[i].marked = false;
            break;
        }
        case 2:
            xa_set_mark(&xa, model[i].index, 0);
            model[i].marked = model[i].present;
            break;
        case 3:
            xa_clear_mark(&xa, model[i].index, 0);
            model[i].marked = false;
            break;
        }
        i = tap_random() % ENTRIES;
        CHECK(xa_load(&xa, model[i].index) == (model[i].present ? &model[i].value : nullptr));
        if (step % 64 == 0)
            CHECK(walk_agrees(false) && walk_agrees(true));
    }
    for (size_t i = 0; i < ENTRIES; i++)
        xa_erase(&xa, model[i].index);
    CHECK(xa_empty(&xa));
    CHECK_EQ(double_objects, 0);
}

TEST(find_stops_at_last)
{
    start();
    static uint32_t entry;
    CHECK_EQ(xa_store(&xa, 1000, &entry, nullptr), 0);
    uint64_t index = 0;
    CHECK(xa_find(&xa, &index, 999) == nullptr);
    index = 0;
    CHECK(xa_find(&xa, &index, 1000) == &entry);
    CHECK_EQ(index, 1000);
    index = 1001;
    CHECK(xa_find(&xa, &index, UINT64_MAX) == nullptr);
    xa_destroy(&xa);
    CHECK_EQ(double_objects, 0);
}

TEST(alloc_gives_the_lowest_free_index)
{
    start();
    static uint32_t entry;
    uint64_t index;
    for (uint64_t i = 1; i <= 5000; i++) {
        CHECK_EQ(xa_alloc(&xa, 1, 5000, &entry, &index), 0);
        CHECK_EQ(index, i);
    }
    CHECK_EQ(xa_alloc(&xa, 1, 5000, &entry, &index), -ENOSPC);
    xa_erase(&xa, 4097);
    xa_erase(&xa, 63);
    CHECK_EQ(xa_alloc(&xa, 1, 5000, &entry, &index), 0);
    CHECK_EQ(index, 63);
    CHECK_EQ(xa_alloc(&xa, 64, 5000, &entry, &index), 0);
    CHECK_EQ(index, 4097);
    xa_destroy(&xa);
    CHECK_EQ(double_objects, 0);
}

TEST(cyclic_alloc_goes_round)
{
    start();
    static uint32_t entry;
    uint64_t index, next = 298;
    const uint64_t expected[] = {298, 299, 300, 2, 3};
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        if (i == 2)
            CHECK_EQ(xa_store(&xa, 1, &entry, nullptr), 0); // taken: the round skips it
        CHECK_EQ(xa_alloc_cyclic(&xa, 1, 300, &next, &entry, &index), 0);
        CHECK_EQ(index, expected[i]);
    }
    xa_destroy(&xa);
}

TEST(failed_allocation_changes_nothing)
{
    start();
    static uint32_t low, high;
    CHECK_EQ(xa_store(&xa, 5, &low, nullptr), 0);
    unsigned before = double_objects;
    for (int budget = 0; budget < 12; budget++) {
        double_allocations_left = budget;
        int err = xa_store(&xa, 1ull << 50, &high, nullptr);
        double_allocations_left = -1;
        CHECK(xa_load(&xa, 5) == &low);
        if (err) {
            CHECK_EQ(err, -ENOMEM);
            CHECK_EQ(double_objects, before);
            CHECK(xa_load(&xa, 1ull << 50) == nullptr);
        } else {
            CHECK(xa_load(&xa, 1ull << 50) == &high);
            xa_erase(&xa, 1ull << 50);
            CHECK_EQ(double_objects, before);
        }
    }
    xa_destroy(&xa);
    CHECK_EQ(double_objects, 0);
}
