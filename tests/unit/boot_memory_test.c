// tests/unit/boot_memory_test.c — kernel/boot/boot_info.h: overlapping firmware ranges, taking and marking, against a page-by-page model.
#include "kernel/boot/boot_info.h"

#include "tests/unit/tap.h"

enum { PAGES = 256, UNTOUCHED = -1 };

static int model[PAGES];

static void start(void)
{
    boot_info.nr_ranges = 0;
    for (int i = 0; i < PAGES; i++)
        model[i] = UNTOUCHED;
}

static bool agrees(void)
{
    for (unsigned i = 0; i + 1 < boot_info.nr_ranges; i++) {
        const struct memory_range *r = &boot_info.ranges[i];
        bool touching = r->start + r->size == r[1].start;
        if (r->start + r->size > r[1].start || (touching && r->kind == r[1].kind))
            return false;
    }
    for (int page = 0; page < PAGES; page++) {
        int kind = UNTOUCHED;
        for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
            const struct memory_range *r = &boot_info.ranges[i];
            if ((uint64_t)page * PAGE_SIZE >= r->start && (uint64_t)page * PAGE_SIZE < r->start + r->size)
                kind = (int)r->kind;
        }
        if (kind != model[page])
            return false;
    }
    return true;
}

TEST(overlapping_ranges_take_the_less_usable_kind)
{
    for (int round = 0; round < 300; round++) {
        start();
        for (int n = 0; n < 12; n++) {
            size_t from = tap_random() % PAGES, count = tap_random() % (PAGES - from) + 1;
            int kind = (int)(tap_random() % NR_MEMORY_KINDS);
            boot_memory_add(from * PAGE_SIZE, count * PAGE_SIZE, (enum memory_kind)kind);
            for (size_t i = from; i < from + count; i++)
                model[i] = max(model[i], kind);
            CHECK(agrees());
        }
    }
}

TEST(partial_pages_are_not_usable)
{
    start();
    boot_memory_add(100, 3 * PAGE_SIZE, MEM_USABLE);
    model[1] = model[2] = MEM_USABLE;
    CHECK(agrees());
    boot_memory_add(2 * PAGE_SIZE + 5, 1, MEM_RESERVED);
    model[2] = MEM_RESERVED;
    CHECK(agrees());
}

TEST(a_range_that_wraps_is_cut)
{
    start();
    boot_memory_add(UINT64_MAX - 10 * PAGE_SIZE, 100 * PAGE_SIZE, MEM_RESERVED);
    CHECK_EQ(boot_info.nr_ranges, 1);
    CHECK(boot_info.ranges[0].start + boot_info.ranges[0].size > boot_info.ranges[0].start);
}

TEST(marking_touches_usable_memory_alone)
{
    start();
    boot_memory_add(0, 64 * PAGE_SIZE, MEM_USABLE);
    boot_memory_add(10 * PAGE_SIZE, PAGE_SIZE, MEM_RESERVED);
    boot_memory_mark(5 * PAGE_SIZE, 10 * PAGE_SIZE, MEM_INITRD);
    for (int i = 0; i < 64; i++)
        model[i] = i == 10 ? MEM_RESERVED : i >= 5 && i < 15 ? MEM_INITRD : MEM_USABLE;
    CHECK(agrees());
}

TEST(taking_is_aligned_high_and_below_the_limit)
{
    start();
    boot_memory_add(PAGE_SIZE, 99 * PAGE_SIZE, MEM_USABLE);
    CHECK_EQ(boot_memory_take(PAGE_SIZE, PAGE_SIZE, UINT64_MAX), 99 * PAGE_SIZE);
    CHECK_EQ(boot_memory_take(2 * PAGE_SIZE, 8 * PAGE_SIZE, UINT64_MAX), 96 * PAGE_SIZE);
    CHECK_EQ(boot_memory_take(PAGE_SIZE, PAGE_SIZE, 50 * PAGE_SIZE), 49 * PAGE_SIZE);
    CHECK_EQ(boot_memory_take(200 * PAGE_SIZE, PAGE_SIZE, UINT64_MAX), 0);
    uint64_t taken = 0;
    while (boot_memory_take(PAGE_SIZE, PAGE_SIZE, UINT64_MAX))
        taken++;
    CHECK_EQ(taken, 99 - 4);
    CHECK_EQ(boot_memory_total(), 99 * PAGE_SIZE);
}

TEST(installed_memory_is_the_same_whatever_firmware_reserves)
{
    start();
    boot_memory_add(0, 0x9f000, MEM_USABLE);
    boot_memory_add(0xf0000, 0x10000, MEM_RESERVED);
    boot_memory_add(0x100000, 0x1fee0000, MEM_USABLE);
    boot_memory_add(0x1ffe0000, 0x20000, MEM_RESERVED);
    boot_memory_add(0xfffc0000, 0x40000, MEM_RESERVED);
    CHECK_EQ(boot_memory_installed(), 512 << 20);
}
