// kernel/base/rbtree.c — red-black trees (Cormen et al., "Introduction to Algorithms", chapter 13), with augmented values.
//
// Invariants: the root is black; a red node has no red child; every path from a node down to a missing child has the
// same number of black nodes. A missing child counts as black. The colour is bit 0 of parent_color: 0 red (fresh
// nodes), 1 black. Augmented values: whenever a node's children change, it and its ancestors are recomputed, the lower
// ones first, up to one whose value stays as it was. A rotation changes the subtrees of exactly two nodes and leaves
// the union of both as it was, so that nothing above has to be looked at.
#include "kernel/base/rbtree.h"

enum { RED = 0, BLACK = 1 };

static bool is_red(const struct rb_node *node)
{
    return node && (node->parent_color & 1) == RED;
}

static void set_color(struct rb_node *node, unsigned color)
{
    node->parent_color = (node->parent_color & ~(uintptr_t)1) | color;
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
    node->parent_color = (uintptr_t)parent | (node->parent_color & 1);
}

// Puts `new` (may be null) where `old` hangs below `parent`.
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old, struct rb_node *new)
{
    if (!parent)
        root->node = new;
    else if (parent->left == old)
        parent->left = new;
    else
        parent->right = new;
}

// Makes the child on the side opposite to `left` the parent of `node`.
static void rotate(struct rb_root *root, struct rb_node *node, bool left, rb_augment_fn augment)
{
    struct rb_node *parent = rb_parent(node);
    struct rb_node *up = left ? node->right : node->left;
    struct rb_node *moved = left ? up->left : up->right;
    if (left) {
        node->right = moved;
        up->left = node;
    } else {
        node->left = moved;
        up->right = node;
    }
    if (moved)
        set_parent(moved, node);
    replace_child(root, parent, node, up);
    set_parent(up, parent);
    set_parent(node, up);
    if (augment) {
        augment(node);
        augment(up);
    }
}

void rb_augment_path(struct rb_node *node, rb_augment_fn augment)
{
    for (; node; node = rb_parent(node))
        augment(node);
}

// From `node` upwards, as far as anything changes.
static void augment_up(struct rb_node *node, rb_augment_fn augment)
{
    while (node && augment(node))
        node = rb_parent(node);
}

void rb_insert(struct rb_root *root, struct rb_node *node, rb_augment_fn augment)
{
    if (augment) {
        augment(node); // what a fresh node holds says nothing about what its parent knows
        augment_up(rb_parent(node), augment);
    }
    struct rb_node *parent;
    while (is_red(parent = rb_parent(node))) {
        struct rb_node *grand = rb_parent(parent); // there is one: a red node is not the root
        bool parent_left = grand->left == parent;
        struct rb_node *uncle = parent_left ? grand->right : grand->left;
        if (is_red(uncle)) {
            set_color(parent, BLACK);
            set_color(uncle, BLACK);
            set_color(grand, RED);
            node = grand;
            continue;
        }
        if (node == (parent_left ? parent->right : parent->left)) {
            rotate(root, parent, parent_left, augment);
            parent = node;
        }
        set_color(parent, BLACK);
        set_color(grand, RED);
        rotate(root, grand, !parent_left, augment);
        break;
    }
    set_color(root->node, BLACK);
}

// A black node has gone from below `parent`, where `node` (may be null) now hangs: that side is one black short.
static void erase_repair(struct rb_root *root, struct rb_node *node, struct rb_node *parent, rb_augment_fn augment)
{
    while (node != root->node && !is_red(node)) {
        bool left = parent->left == node;
        struct rb_node *sibling = left ? parent->right : parent->left;
        if (is_red(sibling)) {
            set_color(sibling, BLACK);
            set_color(parent, RED);
            rotate(root, parent, left, augment);
            sibling = left ? parent->right : parent->left;
        }
        struct rb_node *near = left ? sibling->left : sibling->right;
        struct rb_node *far = left ? sibling->right : sibling->left;
        if (!is_red(near) && !is_red(far)) {
            set_color(sibling, RED);
            node = parent;
            parent = rb_parent(node);
            continue;
        }
        if (!is_red(far)) {
            set_color(near, BLACK);
            set_color(sibling, RED);
            rotate(root, sibling, !left, augment);
            far = sibling;
            sibling = near;
        }
        set_color(sibling, parent->parent_color & 1);
        set_color(parent, BLACK);
        set_color(far, BLACK);
        rotate(root, parent, left, augment);
        return;
    }
    if (node)
        set_color(node, BLACK);
}

void rb_erase(struct rb_root *root, struct rb_node *node, rb_augment_fn augment)
{
    struct rb_node *child, *parent;
    struct rb_node *taker = nullptr; // whoever takes the place of a node with two children
    bool lost_black;
    if (node->left && node->right) {
        // Two children: the next node in order, which has no left child, leaves its place and takes this one's.
        struct rb_node *next = node->right;
        while (next->left)
            next = next->left;
        child = next->right;
        lost_black = !is_red(next);
        parent = rb_parent(next);
        if (parent == node) {
            parent = next;
        } else {
            parent->left = child;
            if (child)
                set_parent(child, parent);
            next->right = node->right;
            set_parent(next->right, next);
        }
        next->left = node->left;
        set_parent(next->left, next);
        replace_child(root, rb_parent(node), node, next);
        next->parent_color = node->parent_color;
        taker = next;
    } else {
        child = node->left ? node->left : node->right;
        parent = rb_parent(node);
        lost_black = !is_red(node);
        replace_child(root, parent, node, child);
        if (child)
            set_parent(child, parent);
    }
    if (augment) {
        struct rb_node *from = parent;
        if (taker) {
            // Its own key left the nodes from `parent` up to it, and its old value says nothing about the one that stood in its place.
            for (; from != taker; from = rb_parent(from))
                augment(from);
            augment(taker);
            from = rb_parent(taker);
        }
        augment_up(from, augment);
    }
    if (lost_black)
        erase_repair(root, child, parent, augment);
}

void rb_insert_cached(struct rb_root_cached *root, struct rb_node *node, bool leftmost, rb_augment_fn augment)
{
    if (leftmost)
        root->leftmost = node;
    rb_insert(&root->root, node, augment);
}

void rb_erase_cached(struct rb_root_cached *root, struct rb_node *node, rb_augment_fn augment)
{
    if (root->leftmost == node)
        root->leftmost = rb_next(node);
    rb_erase(&root->root, node, augment);
}

struct rb_node *rb_first(const struct rb_root *root)
{
    struct rb_node *node = root->node;
    while (node && node->left)
        node = node->left;
    return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
    struct rb_node *node = root->node;
    while (node && node->right)
        node = node->right;
    return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
    if (node->right) {
        node = node->right;
        while (node->left)
            node = node->left;
        return (struct rb_node *)node;
    }
    struct rb_node *parent;
    while ((parent = rb_parent(node)) && parent->right == node)
        node = parent;
    return parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    if (node->left) {
        node = node->left;
        while (node->right)
            node = node->right;
        return (struct rb_node *)node;
    }
    struct rb_node *parent;
    while ((parent = rb_parent(node)) && parent->left == node)
        node = parent;
    return parent;
}
