// kernel/vfs/file_lock_internal.h — between file_lock.c, which locks are held, and file_lock_block.c, who waits for which.
#pragma once

#include "kernel/sync/waitqueue.h"
#include "kernel/vfs/file_lock.h"

enum lock_kind { KIND_FLOCK, KIND_POSIX, KIND_OFD };

// A lock, or the request for one: what waits for it does so in either state. Guarded by the context's lock; `blocker` and the lists of the blocked
// change with the lock of waiters held as well, so that chains through several files can be followed with that one alone.
//   * A request has a blocker exactly while it stands in that one's list. Held locks have none.
//   * What blocks a request conflicts with it. Whatever no longer may (it goes, or a part of it does) sends all its blocked to try again.
struct file_lock {
    struct list_head link; // held: in the context
    enum lock_kind kind;
    bool exclusive;
    bool detect;           // its wait counts in the search for deadlocks: F_SETLKW
    loff_t start, end;     // end is in it
    const void *owner;
    struct pid *holder;    // the process that asked for it; a reference
    struct file_lock *blocker;
    struct list_head blocked, blocked_link;
    struct hlist_node waiting; // with a blocker and `detect`: by owner
    struct waitqueue wait;     // the request's thread, until blocker is null
};

struct file_lock_context {
    struct spinlock lock;
    struct list_head flocks, ranges; // lock
    struct inode *inode;             // whose it is: lives as long
    struct list_head all;            // of all contexts
};

void file_lock_init(struct file_lock *l, const struct file_lock *what); // a copy of what is asked for, in no list and without a blocker
bool file_locks_conflict(const struct file_lock *a, const struct file_lock *b); // of two owners, overlapping, and at least one exclusive

// All with ctx->lock held.
// The request waits for `blocker`, or for one of those that wait for it and that it conflicts with too: of many only those go on together that can.
// -EDEADLK, and nothing done, if that closes a circle of owners that wait for each other.
[[nodiscard]] int file_lock_block(struct file_lock *request, struct file_lock *blocker);
// Those blocked by it try again.
void file_lock_unblock(struct file_lock *l);
// The request is given up: it waits no longer, and those behind it try again.
void file_lock_give_up(struct file_lock *request);
