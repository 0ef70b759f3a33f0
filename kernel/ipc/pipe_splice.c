// kernel/ipc/pipe_splice.c — whole slots in and out of pipes without copying, for splice(2) and tee(2); pipe(2) and pipe2(2).
#include "kernel/ipc/pipe_internal.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"

// Waits until there is data. 1, 0 at the end of file, -EAGAIN, -ERESTARTSYS.
static int wait_data(struct pipe *p, bool nonblock)
{
    while (p->head == p->tail) {
        if (!p->writers)
            return 0;
        int err = nonblock ? -EAGAIN : pipe_sleep(p, &p->readable, pipe_can_read);
        if (err)
            return err;
    }
    return 1;
}

ssize_t pipe_take_chunk(struct pipe *p, size_t max, bool nonblock, struct pipe_chunk *out)
{
    bool was_full = false;
    mutex_lock(&p->lock);
    ssize_t n = wait_data(p, nonblock);
    if (n > 0) {
        struct pipe_slot *s = pipe_slot(p, p->tail);
        was_full = pipe_full(p);
        n = (ssize_t)min((size_t)s->len, max);
        *out = (struct pipe_chunk){s->page, s->offset, (uint32_t)n};
        s->flags &= ~SLOT_MERGE;
        s->offset += (uint32_t)n;
        s->len -= (uint32_t)n;
        if (s->len) {
            page_get(s->page);
        } else {
            s->page = nullptr; // the chunk has its reference now
            WRITE_ONCE(p->tail, p->tail + 1);
        }
    }
    bool more = p->head != p->tail;
    mutex_unlock(&p->lock);
    if (n > 0 && was_full)
        wake_up_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
    if (more)
        wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
    if (n > 0)
        fasync_notify(&p->async_writers, POLL_OUT);
    return n;
}

void pipe_unget_chunk(struct pipe *p, const struct pipe_chunk *c)
{
    mutex_lock(&p->lock);
    struct pipe_slot *s = pipe_slot(p, p->tail);
    if (p->head != p->tail && s->page == c->page && s->offset == c->offset + c->len) {
        s->offset = c->offset;
        s->len += c->len;
        page_put(c->page);
    } else if (!pipe_full(p)) {
        WRITE_ONCE(p->tail, p->tail - 1);
        *pipe_slot(p, p->tail) = (struct pipe_slot){.page = c->page, .offset = c->offset, .len = c->len};
    } else {
        page_put(c->page); // writers filled the ring meanwhile: as after a failed read, the bytes are gone
    }
    mutex_unlock(&p->lock);
}

// The lock is held.
static int wait_room(struct pipe *p, bool nonblock)
{
    for (;;) {
        if (!p->readers) {
            signal_send_thread(current_task(), SIGPIPE, nullptr);
            return -EPIPE;
        }
        if (!pipe_full(p))
            return 0;
        int err = nonblock ? -EAGAIN : pipe_sleep(p, &p->writable, pipe_can_write);
        if (err)
            return err;
    }
}

int pipe_wait_room(struct pipe *p, bool nonblock)
{
    mutex_lock(&p->lock);
    int err = wait_room(p, nonblock);
    mutex_unlock(&p->lock);
    return err;
}

int pipe_put_chunk(struct pipe *p, const struct pipe_chunk *c, bool nonblock)
{
    mutex_lock(&p->lock);
    int err = wait_room(p, nonblock);
    if (!err) {
        *pipe_slot(p, p->head) = (struct pipe_slot){.page = c->page, .offset = c->offset, .len = c->len};
        WRITE_ONCE(p->head, p->head + 1);
    }
    bool room = !pipe_full(p);
    mutex_unlock(&p->lock);
    if (!err) {
        wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
        fasync_notify(&p->async_readers, POLL_IN);
    }
    if (room)
        wake_up_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
    return err;
}

ssize_t pipe_peek_chunk(struct pipe *p, size_t skip, size_t max, bool nonblock, struct pipe_chunk *out)
{
    mutex_lock(&p->lock);
    ssize_t n = skip ? 1 : wait_data(p, nonblock);
    if (n > 0) {
        n = 0;
        for (uint32_t i = p->tail; i != p->head; i++) {
            struct pipe_slot *s = pipe_slot(p, i);
            if (skip >= s->len) {
                skip -= s->len;
                continue;
            }
            n = (ssize_t)min((size_t)s->len - skip, max);
            *out = (struct pipe_chunk){s->page, s->offset + (uint32_t)skip, (uint32_t)n};
            s->flags &= ~SLOT_MERGE;
            page_get(s->page);
            break;
        }
    }
    mutex_unlock(&p->lock);
    return n;
}

// ---- system calls ------------------------------------------------------------------------------------------------------------------------------------------

// Both descriptors appear, or neither does.
static long pipe_fds(int __user *fds, int flags)
{
    struct file *files[2];
    int err = pipe_create_files(files, (unsigned)flags);
    if (err)
        return err;
    int pair[2] = {fd_reserve(0, (unsigned)flags), -1};
    if (pair[0] >= 0)
        pair[1] = fd_reserve(0, (unsigned)flags);
    err = pair[0] < 0 ? pair[0] : pair[1] < 0 ? pair[1] : 0;
    if (!err && copy_to_user(fds, pair, sizeof pair))
        err = -EFAULT;
    if (err) {
        for (unsigned i = 0; i < 2; i++) {
            if (pair[i] >= 0)
                fd_release(pair[i]);
            file_put_sync(files[i]);
        }
        return err;
    }
    fd_install(pair[0], files[0]);
    fd_install(pair[1], files[1]);
    return 0;
}

SYSCALL1(pipe, int __user *, fds)
{
    return pipe_fds(fds, 0);
}

SYSCALL2(pipe2, int __user *, fds, int, flags)
{
    return pipe_fds(fds, flags);
}
