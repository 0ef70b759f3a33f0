// kernel/ipc/fifo.c — opening FIFOs: each side waits for the other, unless O_NONBLOCK: fifo(7).
#include "kernel/ipc/pipe_internal.h"
#include "kernel/proc/signal.h"
#include "kernel/vfs/dcache.h"

void pipe_put(struct inode *inode)
{
    struct pipe *dead = nullptr;
    spin_lock(&inode->lock);
    if (--inode->pipe->users == 0) {
        dead = inode->pipe;
        inode->pipe = nullptr;
    }
    spin_unlock(&inode->lock);
    if (dead)
        pipe_free(dead);
}

static struct pipe *pipe_get_or_make(struct inode *inode)
{
    struct pipe *fresh = nullptr;
    for (;;) {
        spin_lock(&inode->lock);
        struct pipe *p = inode->pipe;
        if (!p && fresh) {
            p = inode->pipe = fresh;
            fresh = nullptr;
        }
        if (p)
            p->users++;
        spin_unlock(&inode->lock);
        if (p) {
            if (fresh)
                pipe_free(fresh);
            return p;
        }
        fresh = pipe_alloc();
        if (!fresh)
            return nullptr;
    }
}

// Sleeps until *count is another: somebody opened the other end. The pipe's lock is dropped meanwhile. A partner that came as a signal did counts: it has
// its file already.
static int wait_for_partner(struct pipe *p, struct waitqueue *wq, const uint32_t *count) NO_THREAD_SAFETY_ANALYSIS
{
    uint32_t old = *count;
    mutex_unlock(&p->lock);
    (void)wait_event_interruptible(wq, READ_ONCE(*count) != old);
    mutex_lock(&p->lock);
    return *count == old ? -ERESTARTSYS : 0;
}

// Only a named pipe waits for its other end: an anonymous one, opened by /proc/PID/fd, may have lost it for ever (both ends, even: then it is a new pipe).
static int open_read(struct pipe *p, struct file *file)
{
    p->readers_seen++;
    if (p->readers++ == 0)
        wake_up_all(&p->writable);
    if (p->writers || pipe_is_anonymous(file->inode))
        return 0;
    if (file->flags & O_NONBLOCK) {
        file->version = p->writers_seen; // no hang-up until a writer has come and gone
        return 0;
    }
    int err = wait_for_partner(p, &p->readable, &p->writers_seen);
    if (err && --p->readers == 0)
        wake_up_all(&p->writable);
    return err;
}

static int open_write(struct pipe *p, struct file *file)
{
    if (file->flags & O_NONBLOCK && !p->readers && !pipe_is_anonymous(file->inode))
        return -ENXIO;
    p->writers_seen++;
    if (p->writers++ == 0)
        wake_up_all(&p->readable);
    if (p->readers || pipe_is_anonymous(file->inode))
        return 0;
    int err = wait_for_partner(p, &p->writable, &p->readers_seen);
    if (err && --p->writers == 0)
        wake_up_all(&p->readable);
    return err;
}

static int open_both(struct pipe *p)
{
    p->readers_seen++;
    p->writers_seen++;
    if (p->readers++ == 0)
        wake_up_all(&p->writable);
    if (p->writers++ == 0)
        wake_up_all(&p->readable);
    return 0;
}

int fifo_open(struct inode *inode, struct file *file)
{
    struct pipe *p = pipe_get_or_make(inode);
    if (!p)
        return -ENOMEM;
    int err = -EINVAL;
    mutex_lock(&p->lock);
    switch (file->mode & (FMODE_READ | FMODE_WRITE)) {
    case FMODE_READ:
        err = open_read(p, file);
        break;
    case FMODE_WRITE:
        err = open_write(p, file);
        break;
    case FMODE_READ | FMODE_WRITE:
        err = open_both(p);
        break;
    }
    mutex_unlock(&p->lock);
    if (err) {
        pipe_put(inode);
        return err;
    }
    file->private = p;
    file->ops = &pipe_file_ops;
    return 0;
}
