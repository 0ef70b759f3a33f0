// kernel/base/rbtree.h — intrusive red-black trees, optionally augmented with a value kept per subtree.
//
// The caller walks down to find the place (it knows the order), links the node there and lets rb_insert() balance. No function
// locks. Leftmost is kept by struct rb_root_cached for users that always want the smallest (timers, run queues).
#pragma once

#include "kernel/base/types.h"

struct rb_node {
    uintptr_t parent_color;
    struct rb_node *left, *right;
};

struct rb_root {
    struct rb_node *node;
};

struct rb_root_cached {
    struct rb_root root;
    struct rb_node *leftmost;
};

// Recomputes the value that `node` keeps for its subtree from its own key and its children; returns whether it changed. The tree relies on the answer:
// where a value did not change, nothing above is looked at.
typedef bool (*rb_augment_fn)(struct rb_node *node);

#define rb_entry(ptr, type, member) container_of(ptr, type, member)

// Puts a fresh node at *link, below parent; to be followed by rb_insert().
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
    node->parent_color = (uintptr_t)parent;
    node->left = node->right = nullptr;
    *link = node;
}

// Balances after rb_link_node(). `augment` may be null. All other nodes' values must be right.
void rb_insert(struct rb_root *root, struct rb_node *node, rb_augment_fn augment);
// Takes `node` out. `augment` may be null.
void rb_erase(struct rb_root *root, struct rb_node *node, rb_augment_fn augment);
// Recomputes augmented values from `node` up to the root, after the node's own key changed in place.
void rb_augment_path(struct rb_node *node, rb_augment_fn augment);

// The same for a root with cached leftmost; `leftmost` says that the new node was reached by going left only.
void rb_insert_cached(struct rb_root_cached *root, struct rb_node *node, bool leftmost, rb_augment_fn augment);
void rb_erase_cached(struct rb_root_cached *root, struct rb_node *node, rb_augment_fn augment);

// The outermost nodes, and a node's neighbours, in order; null where there is none. The tree may not change meanwhile.
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

// Null for the root.
static inline struct rb_node *rb_parent(const struct rb_node *node)
{
    return (struct rb_node *)(node->parent_color & ~(uintptr_t)3);
}

// For building a balanced tree at one go (kernel/mm copies address spaces so): sets parent and colour of a node whose children are set by the caller.
// Valid if every node is black but those on the deepest, incomplete level.
static inline void rb_set_parent_color(struct rb_node *node, struct rb_node *parent, bool black)
{
    node->parent_color = (uintptr_t)parent | black;
}

// A node that is in no tree: rb_clear() marks it, rb_linked() asks.
static inline void rb_clear(struct rb_node *node)
{
    node->parent_color = (uintptr_t)node;
}

static inline bool rb_linked(const struct rb_node *node)
{
    return node->parent_color != (uintptr_t)node;
}
