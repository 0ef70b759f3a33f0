// kernel/vfs/poll.h — readiness: file->ops->poll registers the caller on the object's wait queue(s) and returns the bits that hold now.
#pragma once

#include "kernel/sync/waitqueue.h"

struct file;

#define EPOLLIN 0x001u
#define EPOLLPRI 0x002u
#define EPOLLOUT 0x004u
#define EPOLLERR 0x008u
#define EPOLLHUP 0x010u
#define EPOLLNVAL 0x020u
#define EPOLLRDNORM 0x040u
#define EPOLLRDBAND 0x080u
#define EPOLLWRNORM 0x100u
#define EPOLLWRBAND 0x200u
#define EPOLLMSG 0x400u
#define EPOLLRDHUP 0x2000u
#define POLL_ALWAYS (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM) // regular files, and anything without a poll operation

// Given to ->poll; null, or queue == null, means "only tell the state". poll(2) and epoll each supply their own queue function.
struct poll_table {
    void (*queue)(struct poll_table *pt, struct file *file, struct waitqueue *wq);
    uint32_t events; // what the caller wants to hear of
};

// By ->poll, before it looks at its state: the caller, if it wants to wait, will be woken from `wq`.
static inline void poll_wait(struct file *file, struct waitqueue *wq, struct poll_table *pt)
{
    if (pt && pt->queue) {
        pt->queue(pt, file, wq);
        smp_mb(); // against who changes the state, then finds nobody on the queue and takes no lock
    }
}

// The readiness of `file`: its poll operation, or POLL_ALWAYS.
uint32_t file_poll(struct file *file, struct poll_table *pt);
