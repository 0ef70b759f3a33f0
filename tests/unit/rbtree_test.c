// tests/unit/rbtree_test.c — kernel/base/rbtree.h: order, balance and augmented values under random insertion and removal.
#include "kernel/base/rbtree.h"

#include "tests/unit/tap.h"

struct item {
    struct rb_node node;
    uint64_t key;
    uint64_t greatest; // key of the subtree
    bool in_tree;
};

static uint64_t greatest_of(const struct rb_node *node)
{
    return node ? rb_entry((struct rb_node *)node, struct item, node)->greatest : 0;
}

static bool update(struct rb_node *node)
{
    struct item *item = rb_entry(node, struct item, node);
    uint64_t greatest = max(item->key, max(greatest_of(node->left), greatest_of(node->right)));
    bool changed = item->greatest != greatest;
    item->greatest = greatest;
    return changed;
}

static void insert(struct rb_root_cached *root, struct item *item)
{
    struct rb_node **link = &root->root.node, *parent = nullptr;
    bool leftmost = true;
    while (*link) {
        parent = *link;
        if (item->key < rb_entry(parent, struct item, node)->key) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_link_node(&item->node, parent, link);
    rb_insert_cached(root, &item->node, leftmost, update);
}

// Black nodes on every path below `node`; -1 if an invariant is broken.
static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
    if (!node)
        return 1;
    bool red = !(node->parent_color & 1), parent_red = parent && !(parent->parent_color & 1);
    if (rb_parent(node) != parent || (red && parent_red))
        return -1;
    struct item *item = rb_entry((struct rb_node *)node, struct item, node);
    if (item->greatest != max(item->key, max(greatest_of(node->left), greatest_of(node->right))))
        return -1;
    int left = black_height(node->left, node), right = black_height(node->right, node);
    return left < 0 || left != right ? -1 : left + !red;
}

static bool in_order(const struct rb_root_cached *root, size_t expected)
{
    size_t forwards = 0, backwards = 0;
    uint64_t last = 0;
    for (struct rb_node *n = rb_first(&root->root); n; n = rb_next(n), forwards++) {
        uint64_t key = rb_entry(n, struct item, node)->key;
        if (key < last)
            return false;
        last = key;
    }
    for (struct rb_node *n = rb_last(&root->root); n; n = rb_prev(n))
        backwards++;
    return forwards == expected && backwards == expected && root->leftmost == rb_first(&root->root);
}

TEST(random_insertion_and_removal_keep_every_invariant)
{
    enum { ITEMS = 300, STEPS = 4000 };
    static struct item items[ITEMS];
    struct rb_root_cached root = {};
    size_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        struct item *item = &items[tap_random() % ITEMS];
        if (item->in_tree) {
            rb_erase_cached(&root, &item->node, update);
            count--;
        } else {
            item->key = tap_random() % 1000; // duplicates on purpose
            insert(&root, item);
            count++;
        }
        item->in_tree = !item->in_tree;
        CHECK(black_height(root.root.node, nullptr) > 0);
        CHECK(in_order(&root, count));
    }
}

TEST(ascending_insertion_stays_balanced)
{
    enum { ITEMS = 1024 };
    static struct item items[ITEMS];
    struct rb_root_cached root = {};
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = (uint64_t)i;
        insert(&root, &items[i]);
    }
    int depth = 0;
    for (struct rb_node *n = root.root.node; n; n = n->right)
        depth++;
    CHECK(depth <= 20); // 2 log2(n + 1)
    for (int i = 0; i < ITEMS; i++)
        rb_erase_cached(&root, &items[i].node, update);
    CHECK(root.root.node == nullptr && root.leftmost == nullptr);
}

TEST(augment_path_follows_a_changed_key)
{
    static struct item items[50];
    struct rb_root_cached root = {};
    for (int i = 0; i < 50; i++) {
        items[i].key = (uint64_t)i * 10;
        insert(&root, &items[i]);
    }
    items[49].key = 5000;
    rb_augment_path(&items[49].node, update);
    CHECK_EQ(greatest_of(root.root.node), 5000);
}
