// kernel/vfs/inotify_internal.h — between inotify.c (the descriptors) and inotify_watch.c (the watches).
#pragma once

#include "kernel/base/rbtree.h"
#include "kernel/vfs/fasync.h"
#include "kernel/vfs/inotify.h"

struct user_account;

struct inotify_event { // on a group's queue
    struct list_head link;
    int wd;
    uint32_t mask, cookie, name_len;
    char name[];
};

struct inotify_group { // one inotify descriptor
    refcount_t refs;               // the file, and each watch
    struct spinlock lock;
    struct list_head events;       // lock
    unsigned nr_events;            // lock
    struct inotify_event *overflow; // lock: on the queue when events were lost
    struct rb_root watches;        // by wd; lock
    int last_wd;                   // lock
    struct waitqueue wait;
    struct fasync_list async;
    struct user_account *user;
};

struct inotify_watch {
    refcount_t refs;               // being attached; those who look at it
    struct inotify_group *group;   // with a reference
    struct inode *inode;           // with a reference
    struct list_head link;         // inode->watches; inode->lock
    struct rb_node by_wd;          // group->watches; group->lock
    int wd;
    uint32_t mask;                 // events, IN_EXCL_UNLINK, IN_ONESHOT; inode->lock
    bool detached;                 // inode->lock
};

void inotify_group_put(struct inotify_group *g); // the last one frees it and its queue
// Puts an event on the queue, or notes that some were lost. Any context that may take g->lock.
void inotify_queue(struct inotify_group *g, int wd, uint32_t mask, uint32_t cookie, const char *name, size_t len);
// The watch of (group, inode) gets `mask` (flags IN_MASK_ADD, IN_MASK_CREATE obeyed), or is made. The wd, -EEXIST, -ENOSPC, -ENOMEM.
[[nodiscard]] int inotify_watch_set(struct inotify_group *g, struct inode *inode, uint32_t mask);
[[nodiscard]] int inotify_watch_remove(struct inotify_group *g, int wd); // -EINVAL
void inotify_watches_drop(struct inotify_group *g);                      // all, silently: the descriptor is closed
void inotify_watches_show(struct seq_file *m, struct inotify_group *g); // /proc/PID/fdinfo: a line for each
