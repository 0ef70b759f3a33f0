// kernel/vfs/epoll_internal.h — between epoll.c (instances and their items) and epoll_nest.c (instances in instances).
#pragma once

#include "kernel/base/rbtree.h"
#include "kernel/sync/mutex.h"
#include "kernel/vfs/epoll.h"
#include "kernel/vfs/file.h"

struct user_account;

#define EPOLL_NESTS_MAX 5u // instances above each other
#define EPOLL_PATHS_MANY 1024u

struct epoll {
    struct mutex mutex;
    struct rb_root items;        // mutex
    struct spinlock lock;
    struct list_head ready;      // lock
    bool scanning;               // lock: who holds the mutex has taken the ready list with him, and gives back what stays ready
    bool available;              // lock, read without: scanning, or the list is not empty. While it is false no item can be ready
    struct waitqueue wait;       // epoll_wait sleeps here
    struct waitqueue poll_wq;    // who watches this instance
    struct file *file;           // it is this one's private part
    struct user_account *user;   // who made it: charged for the items
    // What the check of that number has found: epoll_nest_mutex (and epoll_links_lock for the second).
    uint64_t checked_below, checked_above;
    unsigned depth;              // instances down from here, itself counted
    uint16_t paths[EPOLL_NESTS_MAX]; // ways up to an instance that nobody watches, by their number of links; counted up to EPOLL_PATHS_MANY
};

struct epoll_listener {
    struct wait_entry wait;
    struct waitqueue *wq;        // RCU; null once the queue has ended (WAIT_QUEUE_ENDS)
    struct epoll_item *item;
    struct epoll_listener *next;
};

struct epoll_item {
    struct rb_node node;
    struct list_head ready_link; // ep->lock
    struct list_head file_link;  // file->epoll_links: epoll_links_lock
    struct epoll *ep;
    struct file *file;           // not referenced: epoll_file_gone() comes before its end
    int fd;
    uint32_t events;             // mutex; read in callbacks
    uint64_t data;
    struct epoll_listener *listeners;
    struct epoll_listener first; // most files have one queue
    bool first_used, no_memory;
    struct rcu_head rcu;
};

extern const struct file_ops epoll_file_ops;
extern struct spinlock epoll_links_lock;

static inline struct epoll *epoll_of(struct file *file)
{
    return file->ops == &epoll_file_ops ? file->private : nullptr;
}

// epoll_nest.c. Held while an item is added that makes a path of more than one link: the watched file is an instance, or the watching instance is watched.
extern struct mutex epoll_nest_mutex;
#define EPOLL_NEEDS_NESTING 1 // instead of an errno: again, with that lock
// Whether `below` may be added to `ep`: no circle, not too deep. 0, -ELOOP. epoll_nest_mutex held, no instance's.
[[nodiscard]] int epoll_check_nesting(struct epoll *ep, struct epoll *below) REQUIRES(epoll_nest_mutex);
// Whether all that is reached through `file`, which has just been added to an instance (whose mutex is held), has no more paths than it may.
[[nodiscard]] bool epoll_paths_fit(struct file *file);
