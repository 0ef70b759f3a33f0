// kernel/ipc/pipe.h — anonymous pipes and FIFOs: pipe(7), fifo(7).
//
// A pipe is a ring of page slots shared by readers and writers. It lives while either end is open.
#pragma once

#include "kernel/vfs/vfs.h"

struct pipe;

// Both ends of a new anonymous pipe; files[0] reads. flags: O_NONBLOCK, O_DIRECT (packets). -ENFILE, -ENOMEM.
[[nodiscard]] int pipe_create_files(struct file *files[2], unsigned flags);
// The VFS's open of a FIFO: waits for the other side as fifo(7) says. -ENXIO, -ERESTARTSYS, -ENOMEM.
[[nodiscard]] int fifo_open(struct inode *inode, struct file *file);
// The pipe behind a file, or null: splice(2), F_SETPIPE_SZ.
struct pipe *pipe_of(struct file *file);
// fcntl(2) F_GETPIPE_SZ and F_SETPIPE_SZ, in bytes. -EPERM above the limit for the unprivileged, -EBUSY when the content does not fit.
long pipe_size(struct pipe *pipe);
[[nodiscard]] long pipe_set_size(struct pipe *pipe, unsigned long size);

// For splice and tee: moves or copies whole slots. All may sleep.
struct page;
struct pipe_chunk {
    struct page *page; // with a reference
    uint32_t offset, len;
};
// Waits for data (unless nonblock) and takes up to `max` bytes of the first slot out of the pipe. 0: end of file. -EAGAIN, -ERESTARTSYS.
[[nodiscard]] ssize_t pipe_take_chunk(struct pipe *pipe, size_t max, bool nonblock, struct pipe_chunk *out);
// Waits for room and puts a chunk in (takes over the page reference on success). -EPIPE, -EAGAIN, -ERESTARTSYS.
[[nodiscard]] int pipe_put_chunk(struct pipe *pipe, const struct pipe_chunk *chunk, bool nonblock);
// Waits until a slot is free (another writer may take it first). 0, -EPIPE with SIGPIPE, -EAGAIN, -ERESTARTSYS.
[[nodiscard]] int pipe_wait_room(struct pipe *pipe, bool nonblock);
// Puts back what could not be delivered, at the front.
void pipe_unget_chunk(struct pipe *pipe, const struct pipe_chunk *chunk);
// tee(2): copies up to `max` bytes at byte position `skip` from the front without taking them. 0: no more there (or end of file).
[[nodiscard]] ssize_t pipe_peek_chunk(struct pipe *pipe, size_t skip, size_t max, bool nonblock, struct pipe_chunk *out);

extern unsigned long sysctl_pipe_max_size; // /proc/sys/fs/pipe-max-size, bytes
// Pages in the pipes of one unprivileged user; 0: no limit. Above the first new pipes are small and none grows, above the second there are no new ones.
extern uint64_t sysctl_pipe_user_pages_soft, sysctl_pipe_user_pages_hard;
