// kernel/drivers/tty/tty_io.c — read(2), write(2) and poll(2) on terminals.
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"
#include "kernel/mm/slab.h"

#define READ_CHUNK 256u
#define WRITE_CHUNK 2048u
#define WAKEUP_CHARS 256u // below this much unsent output, poll(2) says writable
#define DECISECOND (100 * NSEC_PER_MSEC)

// Times of terminals are kept to 8 seconds, so that they do not tell how fast somebody types.
static void note_time(struct file *file, bool wrote)
{
    struct timespec_k now = clock_now_ts(), *t = wrote ? &file->inode->mtime : &file->inode->atime;
    if (now.tv_sec / 8 != t->tv_sec / 8)
        *t = (struct timespec_k){.tv_sec = now.tv_sec / 8 * 8};
}

static bool nonblocking(const struct file *file, unsigned rw_flags)
{
    return READ_ONCE(file->flags) & O_NONBLOCK || rw_flags & RW_NOWAIT;
}

// ---- reading -----------------------------------------------------------------------------------------------------------------------------------------------

// The peer of a packet-mode master has news: the one byte that tells them. 0: none.
static uint8_t take_packet_status(struct tty *tty)
{
    struct tty *slave = tty->link;
    if (!slave || !READ_ONCE(tty->packet))
        return 0;
    irq_flags_t flags = spin_lock_irqsave(&slave->raw.lock);
    uint8_t status = slave->packet_status;
    slave->packet_status = 0;
    spin_unlock_irqrestore(&slave->raw.lock, flags);
    return status;
}

static bool packet_news(struct tty *tty)
{
    return READ_ONCE(tty->packet) && tty->link && READ_ONCE(tty->link->packet_status);
}

// Sleeps until there is input, or something else that ends the wait. 0: look again; 1: end with what there is; -errno.
static int wait_input(struct tty *tty, struct file *file, ktime_t deadline, unsigned rw_flags)
{
    struct tty_file *tf = file->private;
    if (load_acquire(&tty->other_closed)) {
        tty_input_run(tty); // what it wrote before it closed, also while we looked, is still read
        return ldisc_readable(tty, false) ? 0 : -EIO;
    }
    if (tty_file_hung(tf))
        return 1;
    if (deadline == 0)
        return 1;
    if (nonblocking(file, rw_flags))
        return -EAGAIN;
    if (READ_ONCE(tty->raw.head) != READ_ONCE(tty->raw.tail))
        tty_queue_input(tty);
    int err = wait_event_interruptible_timeout(
        &tty->read_wait,
        ldisc_readable(tty, false) || packet_news(tty) || READ_ONCE(tty->other_closed) || tty_file_hung(tf), deadline);
    if (err == -EINTR)
        return -ERESTARTSYS;
    return err == -ETIMEDOUT ? 1 : 0;
}

struct read_rules {
    bool canonical;
    size_t minimum;
    ktime_t between; // ns allowed between two bytes; 0: no limit
    ktime_t first;   // absolute deadline of the first byte: KTIME_MAX none, 0 no waiting
};

// VMIN and VTIME: termios(3), "Canonical and noncanonical mode".
static struct read_rules rules_of(const struct abi_termios2 *t)
{
    struct read_rules r = {.canonical = ldisc_is_canonical(t), .minimum = 1, .first = KTIME_MAX};
    if (t->c_lflag & ICANON)
        return r;
    uint8_t vmin = t->c_cc[VMIN], vtime = t->c_cc[VTIME];
    if (vmin) {
        r.minimum = vmin;
        r.between = vtime * DECISECOND;
    } else {
        r.first = vtime ? clock_monotonic() + vtime * DECISECOND : 0;
    }
    return r;
}

static ssize_t read_locked(struct tty *tty, struct file *file, struct iov_iter *to, unsigned rw_flags) REQUIRES(tty->read_lock)
{
    struct read_rules rules = rules_of(&tty->termios);
    ktime_t deadline = rules.first;
    size_t total = 0;
    uint8_t chunk[READ_CHUNK] __attribute__((uninitialized));
    bool packet_header = READ_ONCE(tty->packet);
    while (iov_iter_count(to)) {
        if (tty_file_hung(file->private)) // what comes now is another session's. A slave whose master is gone has an error, not an end
            return total ? (ssize_t)total : READ_ONCE(tty->other_closed) ? -EIO : 0;
        uint8_t status = total ? 0 : take_packet_status(tty);
        if (status)
            return copy_to_iter(to, &status, 1) ? 1 : -EFAULT;
        if (total && packet_news(tty))
            break;
        if (!ldisc_readable(tty, false)) {
            int err = wait_input(tty, file, deadline, rw_flags);
            if (err == 0)
                continue;
            return total ? (ssize_t)total : err < 0 ? err : 0;
        }
        if (packet_header) {
            uint8_t data = TIOCPKT_DATA;
            if (!copy_to_iter(to, &data, 1))
                return -EFAULT;
            packet_header = false;
            total = 1;
        }
        bool line_done = false, canonical = rules.canonical;
        size_t n = 0;
        mutex_lock(&tty->lock);
        if (!tty_file_hung(file->private)) { // else it is another session's
            canonical = ldisc_is_canonical(&tty->termios);
            n = ldisc_take(tty, chunk, min(iov_iter_count(to), sizeof chunk), &line_done);
            if (canonical && !line_done && n == iov_iter_count(to))
                ldisc_skip_eof(tty);
        }
        mutex_unlock(&tty->lock);
        size_t copied = copy_to_iter(to, chunk, n);
        total += copied;
        if (copied < n)
            return total ? (ssize_t)total : -EFAULT;
        // Who began with lines and finds single bytes now takes what there is.
        if (line_done || (!canonical && total >= rules.minimum && !ldisc_readable(tty, false)))
            break;
        if (rules.between)
            deadline = clock_monotonic() + rules.between;
    }
    return (ssize_t)total;
}

ssize_t tty_read_iter(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct tty_file *tf = file->private;
    struct tty *tty = tf->tty;
    if (tty_file_hung(tf))
        return 0;
    if (!tf->console) {
        int err = tty_check_change(tty, SIGTTIN);
        if (err)
            return err;
    }
    if (nonblocking(file, rw_flags)) {
        if (!mutex_trylock(&tty->read_lock))
            return -EAGAIN;
    } else if (mutex_lock_interruptible(&tty->read_lock)) {
        return -ERESTARTSYS;
    }
    ssize_t n = read_locked(tty, file, to, rw_flags);
    mutex_unlock(&tty->read_lock);
    if (READ_ONCE(tty->raw.head) != READ_ONCE(tty->raw.tail))
        tty_input_run(tty); // there is room now for what waited
    if (n > 0)
        note_time(file, false);
    return n;
}

// ---- writing -----------------------------------------------------------------------------------------------------------------------------------------------

static bool output_room(struct tty *tty)
{
    return !READ_ONCE(tty->stopped) && tty_has_room(tty);
}

static bool write_end_gone(const struct tty_file *tf)
{
    return tty_file_hung(tf) || READ_ONCE(tf->tty->io_error) || (tf->tty->link && READ_ONCE(tf->tty->link->io_error) && tf->tty->kind == TTY_PTY_SLAVE);
}

// Gives `size` bytes at buf to the driver. Bytes written, or -errno when there were none.
static ssize_t write_chunk(struct tty *tty, struct file *file, const uint8_t *buf, size_t size, unsigned rw_flags)
{
    struct tty_file *tf = file->private;
    size_t done = 0;
    while (done < size) {
        if (write_end_gone(tf))
            return done ? (ssize_t)done : -EIO;
        mutex_lock(&tty->lock);
        size_t n = ldisc_output(tty, buf + done, size - done);
        mutex_unlock(&tty->lock);
        done += n;
        if (done == size)
            break;
        tty_kick_later(tty); // full: the other end has to work before there is room
        if (n || (READ_ONCE(tty->async.first) && !xchg(&tty->tell_room, true)))
            continue; // look again: room that was made just now told nobody
        if (nonblocking(file, rw_flags))
            return done ? (ssize_t)done : -EAGAIN;
        if (wait_event_interruptible(&tty->write_wait, output_room(tty) || write_end_gone(tf)))
            return done ? (ssize_t)done : -ERESTARTSYS;
    }
    return (ssize_t)done;
}

// One piece of at most WRITE_CHUNK bytes. Bytes written (fewer than were there: stop), or -errno.
static ssize_t write_piece(struct tty *tty, struct file *file, struct iov_iter *from, unsigned rw_flags) REQUIRES(tty->write_lock)
{
    if (!tty->write_buf && !(tty->write_buf = kmalloc(WRITE_CHUNK, ALLOC_KERNEL)))
        return -ENOMEM;
    size_t n = copy_from_iter(from, tty->write_buf, min(iov_iter_count(from), (size_t)WRITE_CHUNK));
    if (!n)
        return -EFAULT;
    ssize_t done = write_chunk(tty, file, tty->write_buf, n, rw_flags);
    if (done < (ssize_t)n)
        iov_iter_revert(from, n - (size_t)max(done, (ssize_t)0));
    return done;
}

static int take_write_lock(struct tty *tty, struct file *file, unsigned rw_flags)
{
    if (nonblocking(file, rw_flags))
        return mutex_trylock(&tty->write_lock) ? 0 : -EAGAIN;
    return mutex_lock_interruptible(&tty->write_lock) ? -ERESTARTSYS : 0;
}

// While the lock is held poll(2) does not say writable, whatever room there is.
static void drop_write_lock(struct tty *tty) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_unlock(&tty->write_lock);
    wake_up_nr(&tty->write_wait, EPOLLOUT | EPOLLWRNORM, ~0u);
}

// Writers take turns: whole writes on a line; pieces on a pty, whose other end has to work between them and may have to send signals then, so that no lock
// can be held.
ssize_t tty_write_iter(struct file *file, struct iov_iter *from, loff_t *, unsigned rw_flags) NO_THREAD_SAFETY_ANALYSIS // the lock may stay taken across rounds
{
    struct tty_file *tf = file->private;
    struct tty *tty = tf->tty;
    if (write_end_gone(tf))
        return -EIO;
    if (tty->termios.c_lflag & TOSTOP && !tf->console) {
        int err = tty_check_change(tty, SIGTTOU);
        if (err)
            return err;
    }
    ssize_t total = 0, n = 0;
    bool locked = false;
    while (iov_iter_count(from)) {
        if (!locked && (n = take_write_lock(tty, file, rw_flags)))
            break;
        size_t before = iov_iter_count(from);
        n = write_piece(tty, file, from, rw_flags);
        if ((locked = !tty->link) == false)
            drop_write_lock(tty);
        tty_kick(tty);
        if (n < 0)
            break;
        total += n;
        if (before - iov_iter_count(from) < min(before, (size_t)WRITE_CHUNK))
            break;
        cond_resched();
    }
    if (locked)
        drop_write_lock(tty);
    if (total)
        note_time(file, true);
    return total ? total : n;
}

uint32_t tty_poll(struct file *file, struct poll_table *pt)
{
    struct tty_file *tf = file->private;
    struct tty *tty = tf->tty;
    poll_wait(file, &tty->read_wait, pt);
    poll_wait(file, &tty->write_wait, pt);
    if (tty_file_hung(tf))
        return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
    uint32_t events = load_acquire(&tty->other_closed) ? EPOLLHUP : 0; // before the input: with what it wrote last, not instead of it
    if (ldisc_readable(tty, true))
        events |= EPOLLIN | EPOLLRDNORM;
    if (packet_news(tty))
        events |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
    if (!mutex_is_locked(&tty->write_lock) && output_room(tty) &&
        (!tty->ops->chars_in_buffer || tty->ops->chars_in_buffer(tty) < WAKEUP_CHARS))
        events |= EPOLLOUT | EPOLLWRNORM;
    return events;
}
