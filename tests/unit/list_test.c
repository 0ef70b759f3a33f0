// tests/unit/list_test.c — kernel/base/list.h, atomic.h and refcount.h.
#include "kernel/base/list.h"

#include "kernel/base/refcount.h"
#include "tests/unit/kernel_double.h"
#include "tests/unit/tap.h"

struct item {
    int value;
    struct list_head link;
    struct hlist_node chain;
};

static int joined(struct list_head *head)
{
    int digits = 0;
    struct item *item;
    list_for_each_entry (item, head, link)
        digits = digits * 10 + item->value;
    return digits;
}

TEST(list_keeps_order_at_both_ends)
{
    LIST_HEAD(head);
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    CHECK(list_empty(&head));
    list_add_tail(&items[1].link, &head);
    list_add_tail(&items[2].link, &head);
    list_add(&items[0].link, &head);
    CHECK_EQ(joined(&head), 123);
    list_move_tail(&items[0].link, &head);
    CHECK_EQ(joined(&head), 231);
    list_del_init(&items[2].link);
    CHECK(list_empty(&items[2].link));
    CHECK_EQ(joined(&head), 21);
    CHECK(list_first_entry(&head, struct item, link) == &items[1]);
    CHECK(list_last_entry(&head, struct item, link) == &items[0]);
}

TEST(splice_moves_all_and_empties)
{
    LIST_HEAD(from);
    LIST_HEAD(to);
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    list_add_tail(&items[0].link, &to);
    for (int i = 1; i < 4; i++)
        list_add_tail(&items[i].link, &from);
    list_splice_tail_init(&from, &to);
    CHECK_EQ(joined(&to), 1234);
    CHECK(list_empty(&from));
    list_splice_tail_init(&from, &to);
    CHECK_EQ(joined(&to), 1234);
}

TEST(safe_walk_survives_removal)
{
    LIST_HEAD(head);
    struct item items[5], *item, *next;
    for (int i = 0; i < 5; i++) {
        items[i].value = i + 1;
        list_add_tail(&items[i].link, &head);
    }
    list_for_each_entry_safe (item, next, &head, link)
        if (item->value % 2 == 0)
            list_del(&item->link);
    CHECK_EQ(joined(&head), 135);
}

TEST(hlist_unlinks_from_the_middle)
{
    struct hlist_head head = {};
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}}, *item;
    for (int i = 0; i < 3; i++)
        hlist_add_head(&items[i].chain, &head);
    hlist_del_init_rcu(&items[1].chain);
    CHECK(hlist_unhashed(&items[1].chain));
    int digits = 0;
    hlist_for_each_entry (item, &head, chain)
        digits = digits * 10 + item->value;
    CHECK_EQ(digits, 31);
    hlist_del_init_rcu(&items[1].chain);
    CHECK_EQ(head.first == &items[2].chain, true);
}

TEST(refcount_saturates_instead_of_wrapping)
{
    refcount_t ref = REFCOUNT_INIT(1);
    refcount_inc(&ref);
    CHECK(!refcount_dec_and_test(&ref));
    CHECK(refcount_dec_and_test(&ref));
    CHECK(!refcount_inc_not_zero(&ref));
    unsigned warned = double_warnings;
    refcount_inc(&ref); // of a dead object: said once, and never freed again
    CHECK_EQ(double_warnings, warned + 1);
    CHECK_EQ(refcount_read(&ref), REFCOUNT_SATURATED);
    CHECK(!refcount_dec_and_test(&ref));
}
