// kernel/ipc/pipe_splice.c — whole slots in, out of and between pipes without copying, for splice(2) and tee(2).
//
// What is taken from a pipe and may not arrive stays in it until it has arrived: the front is claimed meanwhile (pipe_front_begin), other readers wait.
// What comes into a pipe from elsewhere is read only when there is a place for it: a slot is reserved (pipe_room_reserve). Between two pipes, which are
// locked together, by address, neither is needed.
#include "kernel/ipc/pipe_internal.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/file.h"

// Waits until there is data that nobody has claimed. 1, 0 at the end of file, -EAGAIN, -ERESTARTSYS.
static int wait_data(struct pipe *p, bool nonblock)
{
    while (p->head == p->tail || p->front_claimed) {
        if (p->head == p->tail && !p->writers)
            return 0;
        int err = pipe_wait_readable(p, nonblock);
        if (err)
            return err;
    }
    return 1;
}

// Waits until a slot is free. 0, -EPIPE with SIGPIPE, -EAGAIN, -ERESTARTSYS.
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

// Whoever waited and goes wakes the next of its kind, if there is something for it.
static void wake_next_reader(struct pipe *p)
{
    if (pipe_can_read(p))
        wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
}

static void wake_next_writer(struct pipe *p)
{
    if (pipe_can_write(p))
        wake_up_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
}

// ---- the front, claimed -----------------------------------------------------------------------------------------------------------------------------------

int pipe_front_begin(struct pipe *p, bool nonblock)
{
    mutex_lock(&p->lock);
    int n = wait_data(p, nonblock);
    WRITE_ONCE(p->front_claimed, p->front_claimed || n > 0);
    mutex_unlock(&p->lock);
    if (n <= 0)
        wake_next_reader(p);
    return n;
}

bool pipe_front(struct pipe *p, size_t max, struct pipe_chunk *out)
{
    mutex_guard(&p->lock);
    if (p->head == p->tail)
        return false;
    struct pipe_slot *s = pipe_slot(p, p->tail);
    *out = (struct pipe_chunk){s->page, s->offset, (uint32_t)min((size_t)s->len, max)};
    return true;
}

void pipe_front_taken(struct pipe *p, size_t n)
{
    mutex_lock(&p->lock);
    struct pipe_slot *s = pipe_slot(p, p->tail);
    s->offset += (uint32_t)n;
    s->len -= (uint32_t)n;
    if (!s->len) {
        pipe_slot_drop(p, s);
        WRITE_ONCE(p->tail, p->tail + 1);
    }
    mutex_unlock(&p->lock);
    wake_next_writer(p);
    fasync_notify(&p->async_writers, POLL_OUT);
}

void pipe_front_end(struct pipe *p)
{
    mutex_lock(&p->lock);
    WRITE_ONCE(p->front_claimed, false);
    mutex_unlock(&p->lock);
    wake_up_nr(&p->readable, EPOLLIN | EPOLLRDNORM, ~0u); // those that do not block waited for just this
}

// ---- room, reserved ---------------------------------------------------------------------------------------------------------------------------------------

int pipe_room_reserve(struct pipe *p, bool nonblock)
{
    mutex_lock(&p->lock);
    int err = wait_room(p, nonblock);
    if (!err)
        WRITE_ONCE(p->max_filled, p->max_filled - 1);
    mutex_unlock(&p->lock);
    wake_next_writer(p);
    return err;
}

void pipe_room_fill(struct pipe *p, const struct pipe_chunk *c)
{
    mutex_lock(&p->lock);
    WRITE_ONCE(p->max_filled, p->max_filled + 1);
    *pipe_slot(p, p->head) = (struct pipe_slot){.page = c->page, .offset = c->offset, .len = c->len};
    WRITE_ONCE(p->head, p->head + 1);
    mutex_unlock(&p->lock);
    wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
    fasync_notify(&p->async_readers, POLL_IN);
}

void pipe_room_release(struct pipe *p)
{
    mutex_lock(&p->lock);
    WRITE_ONCE(p->max_filled, p->max_filled + 1);
    mutex_unlock(&p->lock);
    wake_next_writer(p);
}

// ---- from pipe to pipe --------------------------------------------------------------------------------------------------------------------------------------

static void lock_two(struct pipe *a, struct pipe *b) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(a < b ? &a->lock : &b->lock);
    mutex_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct pipe *a, struct pipe *b) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_unlock(&a->lock);
    mutex_unlock(&b->lock);
}

// `n` bytes of a slot of another pipe, whose page they hold a reference on. A packet stays one.
static void put_slot(struct pipe *out, const struct pipe_slot *s, uint32_t n)
{
    *pipe_slot(out, out->head) = (struct pipe_slot){.page = s->page, .offset = s->offset, .len = n, .flags = s->flags & SLOT_PACKET};
    WRITE_ONCE(out->head, out->head + 1);
}

// Both locked: what there is, as far as there is room.
static size_t move_slots(struct pipe *in, struct pipe *out, size_t max)
{
    size_t done = 0;
    while (done < max && in->head != in->tail && !pipe_full(out)) {
        struct pipe_slot *s = pipe_slot(in, in->tail);
        uint32_t n = (uint32_t)min((size_t)s->len, max - done);
        put_slot(out, s, n);
        done += n;
        s->offset += n;
        s->len -= n;
        s->flags &= ~SLOT_MERGE;
        if (s->len) {
            page_get(s->page);
        } else {
            s->page = nullptr; // the other slot has its reference now
            WRITE_ONCE(in->tail, in->tail + 1);
        }
    }
    return done;
}

static size_t share_slots(struct pipe *in, struct pipe *out, size_t max)
{
    size_t done = 0;
    for (uint32_t i = in->tail; done < max && i != in->head && !pipe_full(out); i++) {
        struct pipe_slot *s = pipe_slot(in, i);
        uint32_t n = (uint32_t)min((size_t)s->len, max - done);
        s->flags &= ~SLOT_MERGE;
        page_get(s->page);
        put_slot(out, s, n);
        done += n;
    }
    return done;
}

// Waits for data, then for room, with neither pipe's lock held over the other wait.
static int wait_both(struct pipe *in, struct pipe *out, bool nonblock_in, bool nonblock_out)
{
    mutex_lock(&in->lock);
    int n = wait_data(in, nonblock_in);
    mutex_unlock(&in->lock);
    wake_next_reader(in);
    if (n < 0)
        return n;
    mutex_lock(&out->lock);
    int err = wait_room(out, nonblock_out);
    mutex_unlock(&out->lock);
    return err ? err : n;
}

static ssize_t between(struct pipe *in, struct pipe *out, size_t max, bool nonblock_in, bool nonblock_out,
                       size_t (*pass)(struct pipe *, struct pipe *, size_t))
{
    size_t done = 0;
    while (!done) { // others may come between the waiting and the doing
        int n = wait_both(in, out, nonblock_in, nonblock_out);
        if (n <= 0) {
            wake_next_writer(out);
            return n;
        }
        lock_two(in, out);
        if (!in->front_claimed && out->readers)
            done = pass(in, out, max);
        unlock_two(in, out);
        wake_next_reader(in);
        wake_next_writer(out);
    }
    wake_next_writer(in);
    wake_up_poll(&out->readable, EPOLLIN | EPOLLRDNORM);
    fasync_notify(&in->async_writers, POLL_OUT);
    fasync_notify(&out->async_readers, POLL_IN);
    return (ssize_t)done;
}

ssize_t pipe_move(struct pipe *in, struct pipe *out, size_t max, bool nonblock_in, bool nonblock_out)
{
    return between(in, out, max, nonblock_in, nonblock_out, move_slots);
}

ssize_t pipe_share(struct pipe *in, struct pipe *out, size_t max, bool nonblock_in, bool nonblock_out)
{
    return between(in, out, max, nonblock_in, nonblock_out, share_slots);
}
