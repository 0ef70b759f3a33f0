// kernel/ipc/pipe_internal.h — between pipe.c, fifo.c and pipe_splice.c.
#pragma once

#include "kernel/ipc/pipe.h"
#include "kernel/vfs/fasync.h"

struct user_account;

struct pipe_slot {
    struct page *page;
    uint32_t offset, len;
    uint32_t flags;
};
#define SLOT_MERGE 1u  // the page is the pipe's own: more may be written behind
#define SLOT_PACKET 2u // one write, read as one: O_DIRECT

struct pipe {
    struct mutex lock;
    struct waitqueue readable, writable;
    struct fasync_list async_readers, async_writers;
    struct pipe_slot *slots;
    uint32_t head, tail, nr_slots;
    uint32_t max_filled;                 // nr_slots without those that splices have reserved: head - tail never gets above it
    bool front_claimed;                  // a splice has what is at the front under way: readers wait as if there were nothing
    unsigned readers, writers;           // open descriptions
    uint32_t readers_seen, writers_seen; // how many there ever were: fifo(7) open waits for a change
    unsigned users;                      // open descriptions and opens in progress; inode->lock for FIFOs
    struct page *spare;
    struct user_account *user;           // who made it: charged for nr_slots pages
};

// The slot with number `i`, tail <= i < head where it is filled.
static inline struct pipe_slot *pipe_slot(const struct pipe *p, uint32_t i)
{
    return &p->slots[i & (p->nr_slots - 1)];
}
static inline bool pipe_full(const struct pipe *p)
{
    return p->head - p->tail >= p->max_filled;
}

// Without readers and writers, its slots charged to the current user: fewer above pipe-user-pages-soft. Null: no memory, or the user has too many.
struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *p); // with what is in it; nobody has it any more
void pipe_slot_drop(struct pipe *p, struct pipe_slot *s); // the page of a slot that is read
void pipe_put(struct inode *inode); // one user less; the last frees it
// Sleeps on `wq` until ready(p) may hold; p->lock, which the caller has, is dropped meanwhile. 0 or -ERESTARTSYS.
int pipe_sleep(struct pipe *p, struct waitqueue *wq, bool (*ready)(const struct pipe *));
// What a reader and a writer wait for: something to take (or an end of file), room (or nobody to read). A look without the lock is a hint.
bool pipe_can_read(const struct pipe *p);
bool pipe_can_write(const struct pipe *p);
// For a reader that found nothing, or what there is claimed. 0: look again; -EAGAIN, -ERESTARTSYS. Who does not block waits for the splice that has
// the front under way (as it would for the lock of one that copies), not for data.
int pipe_wait_readable(struct pipe *p, bool nonblock);
extern const struct file_ops pipe_file_ops;

extern const struct superblock *pipe_sb; // of anonymous pipes
static inline bool pipe_is_anonymous(const struct inode *inode)
{
    return inode->sb == pipe_sb;
}
