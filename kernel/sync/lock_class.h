// kernel/sync/lock_class.h — every lock belongs to a class; classes have ranks; a lock may be taken only above the ranks held.
//
// LOCKS.md tells the order in words. In the fortress profile each acquisition is checked against the locks the thread holds; in the
// others a class costs nothing. DEFINE_LOCK_CLASS is file-scope, one per kind of lock.
#pragma once

#include "kernel/base/types.h"

// Ranks, outermost first. A thread holding a lock of rank r may take ranks greater than r only (equal ranks: see nest_ok).
enum lock_rank {
    RANK_NONE = 0,
    RANK_FILE_POS = 4,      // the position of a shared open file: taken before the file is touched
    RANK_NAMESPACE = 10,   // mount namespace, PID namespace creation
    RANK_MOUNT = 15,
    RANK_TIMER_CHANGE = 19, // a process's POSIX timers, while one is stopped or changed
    RANK_EXEC = 25,
    RANK_RENAME = 28,       // one cross-directory rename at a time per file system
    RANK_INODE = 30,        // inode rwsem; parent before child
    RANK_CGROUP = 31,       // the tree of control groups: inside the inodes of its folders
    RANK_EPOLL = 33,        // an instance asks what it watches with its own lock held
    RANK_PIPE = 34,
    RANK_SOCKET = 36,
    RANK_TTY = 40,
    RANK_MM = 50,           // mm rwsem; user copies take it, so no lock above this rank may be held over a user copy
    RANK_INVALIDATE = 55,  // faults against truncation of one file
    RANK_PAGE_CACHE = 60,   // page lock, then the cache's tree lock
    RANK_MAPPING = 61,     // which VMAs map a page cache; page tables are locked inside
    RANK_PAGE_TABLE = 62,
    RANK_CACHE_TREE = 63,  // a page cache's own lock: dirt is noted while entries are unmapped
    RANK_SUPERBLOCK = 64,
    RANK_DENTRY = 66,
    RANK_PROCESS_TREE = 67, // parents, children, process groups, sessions: a spinlock
    RANK_FILES = 68,        // descriptor table spinlock
    RANK_SIGHAND = 70,
    RANK_PID = 71,
    RANK_FUTEX = 72,
    RANK_TIMER_USER = 74,   // interval and POSIX timers
    RANK_WAITQUEUE = 80,    // also the inner locks of mutexes and rwsems
    RANK_THREAD = 82,       // one waker at a time for a thread
    RANK_RUNQUEUE = 84,     // lower CPU number first
    RANK_HRTIMER = 86,
    RANK_RCU = 88,
    RANK_SLAB = 90,
    RANK_PAGE_ALLOC = 92,
    RANK_DRIVER = 94,
    RANK_CONSOLE = 98,      // innermost: printk works anywhere
};

// What the checker has learned of a class.
struct lock_class_state {
    bool used_in_irq;     // taken in an interrupt handler: must never be taken with interrupts on
    bool used_irqs_on;    // taken with interrupts on
    bool reported;
};

struct lock_class {
    const char *name;
    enum lock_rank rank;
    bool nest_ok; // several of one class may be held (e.g. two inodes, two run queues), in an order the owner documents
#ifdef KERNEL_LOCK_CHECK
    struct lock_class_state *state;
#endif
};

#ifdef KERNEL_LOCK_CHECK
// A sleeping lock that a thread holds.
struct lock_held {
    const void *lock;
    const struct lock_class *class;
    bool shared;
};
#define LOCK_HELD_MAX 24
#define LOCK_CLASS_STATE_ , .state = &(struct lock_class_state){0}
#else
#define LOCK_CLASS_STATE_
#endif

#define DEFINE_LOCK_CLASS(var, text, lock_rank)                                                                        \
    UNUSED const struct lock_class var = {.name = (text), .rank = (lock_rank)LOCK_CLASS_STATE_}
#define DEFINE_LOCK_CLASS_NESTED(var, text, lock_rank)                                                                 \
    UNUSED const struct lock_class var = {.name = (text), .rank = (lock_rank), .nest_ok = true LOCK_CLASS_STATE_}
