// kernel/base/list.h — intrusive doubly linked lists (circular, with a head) and hash chains (single pointer head).
//
// A node lives inside the object it links; LIST_ENTRY leads back to the object. No function here locks: the list's owner says
// which lock guards it. The *_rcu forms publish with release ordering, so that readers under rcu_read_lock() may walk meanwhile.
#pragma once

#include "kernel/base/types.h"

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) {&(name), &(name)}
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)
#define LIST_ENTRY(ptr, type, member) container_of(ptr, type, member)

static inline void list_init(struct list_head *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
    return READ_ONCE(head->next) == head;
}
static inline bool list_is_singular(const struct list_head *head) // one entry
{
    return !list_empty(head) && head->next->next == head;
}

#ifdef KERNEL_CHECK_LISTS
// The neighbours do not point at each other: kernel/debug/list_check.c panics.
[[noreturn]] COLD void list_bad(const struct list_head *node, const struct list_head *prev, const struct list_head *next,
                                const char *what);
static inline void list_check_(const struct list_head *node, const struct list_head *prev, const struct list_head *next,
                               bool linked)
{
    if (unlikely(prev->next != (linked ? node : next) || next->prev != (linked ? node : prev)))
        list_bad(node, prev, next, linked ? "taken out of a damaged list" : "put into a damaged list");
    if (unlikely(!linked && (node == prev || node == next)))
        list_bad(node, prev, next, "put in twice");
}
#else
static inline void list_check_(const struct list_head *, const struct list_head *, const struct list_head *, bool) {}
#endif

static inline void list_insert_between_(struct list_head *node, struct list_head *prev, struct list_head *next)
{
    list_check_(node, prev, next, false);
    node->next = next;
    node->prev = prev;
    next->prev = node;
    __atomic_store_n(&prev->next, node, __ATOMIC_RELEASE);
}

// Adds `node` right after `head`: first in the list.
static inline void list_add(struct list_head *node, struct list_head *head)
{
    list_insert_between_(node, head, head->next);
}

// Adds `node` right before `head`: last in the list.
static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
    list_insert_between_(node, head->prev, head);
}

#define list_add_rcu list_add
#define list_add_tail_rcu list_add_tail

// Takes `node` out; its own pointers stay as they were, so that a reader standing on it still finds the way (RCU).
static inline void list_del_rcu(struct list_head *node)
{
    list_check_(node, node->prev, node->next, true);
    node->next->prev = node->prev;
    WRITE_ONCE(node->prev->next, node->next);
}

// Takes `node` out and leaves it an empty list, so that list_empty(node) tells that it is not linked.
static inline void list_del_init(struct list_head *node)
{
    list_del_rcu(node);
    list_init(node);
}

// Takes `node` out; the node must not be used as a list afterwards.
static inline void list_del(struct list_head *node)
{
    list_del_rcu(node);
    node->next = node->prev = nullptr;
}

// Puts `node` where `old` is, in one step for readers; as with list_del_rcu() one that stands on `old` still finds the way.
static inline void list_replace_rcu(struct list_head *old, struct list_head *node)
{
    list_check_(old, old->prev, old->next, true);
    node->next = old->next;
    node->prev = old->prev;
    node->next->prev = node;
    __atomic_store_n(&node->prev->next, node, __ATOMIC_RELEASE);
}

static inline void list_move_tail(struct list_head *node, struct list_head *head)
{
    list_del_rcu(node);
    list_add_tail(node, head);
}

// Moves every node of `from` to the end of `to`; `from` is empty afterwards.
static inline void list_splice_tail_init(struct list_head *from, struct list_head *to)
{
    if (list_empty(from))
        return;
    struct list_head *first = from->next, *last = from->prev, *at = to->prev;
    first->prev = at;
    at->next = first;
    last->next = to;
    to->prev = last;
    list_init(from);
}

#define list_first_entry(head, type, member) LIST_ENTRY((head)->next, type, member)
#define list_last_entry(head, type, member) LIST_ENTRY((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member)                                                                   \
    (list_empty(head) ? nullptr : list_first_entry(head, type, member))
#define list_next_entry(pos, member) LIST_ENTRY((pos)->member.next, typeof(*(pos)), member)

#define list_for_each_entry(pos, head, member)                                                                         \
    for ((pos) = LIST_ENTRY((head)->next, typeof(*(pos)), member); &(pos)->member != (head);                           \
         (pos) = LIST_ENTRY((pos)->member.next, typeof(*(pos)), member))

// As above, but the body may take `pos` out of the list and free it.
#define list_for_each_entry_safe(pos, tmp, head, member)                                                               \
    for ((pos) = LIST_ENTRY((head)->next, typeof(*(pos)), member),                                                     \
        (tmp) = LIST_ENTRY((pos)->member.next, typeof(*(pos)), member);                                                \
         &(pos)->member != (head); (pos) = (tmp), (tmp) = LIST_ENTRY((tmp)->member.next, typeof(*(tmp)), member))

// For readers under rcu_read_lock().
#define list_for_each_entry_rcu(pos, head, member)                                                                     \
    for ((pos) = LIST_ENTRY(__atomic_load_n(&(head)->next, __ATOMIC_ACQUIRE), typeof(*(pos)), member);                 \
         &(pos)->member != (head);                                                                                     \
         (pos) = LIST_ENTRY(__atomic_load_n(&(pos)->member.next, __ATOMIC_ACQUIRE), typeof(*(pos)), member))

struct hlist_node {
    struct hlist_node *next, **pprev;
};

struct hlist_head {
    struct hlist_node *first;
};

static inline bool hlist_unhashed(const struct hlist_node *node)
{
    return !READ_ONCE(node->pprev);
}

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
    struct hlist_node *first = head->first;
    node->next = first;
    node->pprev = &head->first;
    if (first)
        first->pprev = &node->next;
    __atomic_store_n(&head->first, node, __ATOMIC_RELEASE);
}

#define hlist_add_head hlist_add_head_rcu

// Takes `node` out and marks it unhashed; `next` stays for readers under RCU.
static inline void hlist_del_init_rcu(struct hlist_node *node)
{
    if (hlist_unhashed(node))
        return;
    WRITE_ONCE(*node->pprev, node->next);
    if (node->next)
        node->next->pprev = node->pprev;
    WRITE_ONCE(node->pprev, nullptr);
}

#define hlist_entry_or_null(ptr, type, member)                                                                         \
    ({                                                                                                                 \
        struct hlist_node *hlist_ptr_ = (ptr);                                                                         \
        hlist_ptr_ ? container_of(hlist_ptr_, type, member) : nullptr;                                                 \
    })
#define hlist_for_each_entry(pos, head, member)                                                                        \
    for ((pos) = hlist_entry_or_null((head)->first, typeof(*(pos)), member); (pos);                                    \
         (pos) = hlist_entry_or_null((pos)->member.next, typeof(*(pos)), member))
#define hlist_for_each_entry_rcu(pos, head, member)                                                                    \
    for ((pos) = hlist_entry_or_null(__atomic_load_n(&(head)->first, __ATOMIC_ACQUIRE), typeof(*(pos)), member); (pos); \
         (pos) = hlist_entry_or_null(__atomic_load_n(&(pos)->member.next, __ATOMIC_ACQUIRE), typeof(*(pos)), member))
