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

// For splice and tee: whole slots. All may sleep.
struct page;
struct pipe_chunk {
    struct page *page;
    uint32_t offset, len;
};
// The front, for who delivers it elsewhere: waits for data (unless nonblock); then nobody else takes any out until pipe_front_end(). 1, 0: end of
// file and nothing begun, -EAGAIN, -ERESTARTSYS.
[[nodiscard]] int pipe_front_begin(struct pipe *pipe, bool nonblock);
// Up to `max` bytes at the front; without a reference to the page, which stays until they are taken. False: nothing there now.
[[nodiscard]] bool pipe_front(struct pipe *pipe, size_t max, struct pipe_chunk *out);
void pipe_front_taken(struct pipe *pipe, size_t bytes); // out of the chunk pipe_front() gave
void pipe_front_end(struct pipe *pipe); // others may take from it again; wakes them
// Waits until a slot is free and keeps it for the caller, who fills it or gives it back. 0, -EPIPE with SIGPIPE, -EAGAIN, -ERESTARTSYS.
[[nodiscard]] int pipe_room_reserve(struct pipe *pipe, bool nonblock);
void pipe_room_fill(struct pipe *pipe, const struct pipe_chunk *chunk); // takes over the page reference
void pipe_room_release(struct pipe *pipe); // not filled
// Moves, or for tee(2) copies, up to `max` bytes of `in` into another pipe: what there is and fits, at once, after waiting for some. Bytes, 0 at the end
// of file, -EPIPE with SIGPIPE, -EAGAIN, -ERESTARTSYS.
[[nodiscard]] ssize_t pipe_move(struct pipe *in, struct pipe *out, size_t max, bool nonblock_in, bool nonblock_out);
[[nodiscard]] ssize_t pipe_share(struct pipe *in, struct pipe *out, size_t max, bool nonblock_in, bool nonblock_out);

extern unsigned long sysctl_pipe_max_size; // /proc/sys/fs/pipe-max-size, bytes
// Pages in the pipes of one unprivileged user; 0: no limit. Above the first new pipes are small and none grows, above the second there are no new ones.
extern uint64_t sysctl_pipe_user_pages_soft, sysctl_pipe_user_pages_hard;
