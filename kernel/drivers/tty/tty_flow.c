// kernel/drivers/tty/tty_flow.c — bytes between driver and line discipline: the raw ring, stopping and starting, draining, packet-mode news.
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"

#define THROTTLE_BELOW 128u // bytes of room in the raw ring
#define UNTHROTTLE_AT 2048u

size_t tty_receive_room(struct tty *tty)
{
    return TTY_BUF_SIZE - (READ_ONCE(tty->raw.head) - READ_ONCE(tty->raw.tail));
}

static void input_worker(struct work_item *item)
{
    struct tty *tty = container_of(item, struct tty, input_work);
    store_release(&tty->input_queued, 0u);
    tty_input_run(tty);
    tty_put(tty);
}

void tty_queue_input(struct tty *tty)
{
    if (xchg(&tty->input_queued, 1u))
        return;
    // A reference for each queued item. One end of a pty may ask for the other that is closed already: nobody is there to read.
    if (refcount_inc_not_zero(&tty->refs))
        work_queue(&tty->input_work, input_worker);
    else
        WRITE_ONCE(tty->input_queued, 0);
}

// The flag changes under raw.lock, but the driver hears of it afterwards, where another CPU's news may overtake ours: the last to tell it finds them agree.
static void tell_throttled(struct tty *tty)
{
    if (!tty->ops->throttle)
        return;
    bool told;
    do {
        told = READ_ONCE(tty->throttled);
        tty->ops->throttle(tty, told);
        smp_mb(); // only now do we ask whether that still holds
    } while (told != READ_ONCE(tty->throttled));
}

static size_t raw_put(struct tty *tty, const uint8_t *buf, size_t size, enum tty_flag flag)
{
    struct tty_raw *raw = &tty->raw;
    irq_flags_t flags = spin_lock_irqsave(&raw->lock);
    size_t n = min(size, (size_t)(TTY_BUF_SIZE - (raw->head - raw->tail)));
    for (size_t i = 0; i < n; i++, raw->head++) {
        raw->data[raw->head % TTY_BUF_SIZE] = buf[i];
        raw->flags[raw->head % TTY_BUF_SIZE] = (uint8_t)flag;
    }
    bool throttle = !tty->throttled && TTY_BUF_SIZE - (raw->head - raw->tail) < THROTTLE_BELOW;
    if (throttle)
        WRITE_ONCE(tty->throttled, true);
    spin_unlock_irqrestore(&raw->lock, flags);
    if (throttle)
        tell_throttled(tty);
    return n;
}

size_t tty_receive(struct tty *tty, const uint8_t *buf, size_t size, enum tty_flag flag)
{
    size_t n = raw_put(tty, buf, size, flag);
    if (n && !in_interrupt() && tty->kind >= TTY_PTY_MASTER && tty->kind <= TTY_PTY_SLAVE)
        return n; // the writer runs the line discipline itself, once its locks are dropped: ops->kick
    if (n)
        tty_queue_input(tty);
    return n;
}

static void unthrottle(struct tty *tty)
{
    irq_flags_t flags = spin_lock_irqsave(&tty->raw.lock);
    bool now = tty->throttled && TTY_BUF_SIZE - (tty->raw.head - tty->raw.tail) >= UNTHROTTLE_AT;
    if (now)
        WRITE_ONCE(tty->throttled, false);
    spin_unlock_irqrestore(&tty->raw.lock, flags);
    if (now)
        tell_throttled(tty);
}

void tty_input_flushed(struct tty *tty)
{
    unthrottle(tty);
    if (tty->ops->input_taken)
        tty->ops->input_taken(tty);
}

void tty_flush_input(struct tty *tty)
{
    mutex_lock(&tty->lock);
    ldisc_flush_input(tty);
    mutex_unlock(&tty->lock);
    tty_packet_note(tty, TIOCPKT_FLUSHREAD, 0);
    tty_input_flushed(tty);
}

void tty_input_run(struct tty *tty)
{
    for (;;) {
        mutex_lock(&tty->lock);
        ldisc_echo_flush(tty);
        uint32_t lines = tty->ldisc.canon_head;
        size_t taken = ldisc_input(tty);
        int sig = tty->ldisc.signal;
        tty->ldisc.signal = 0;
        bool readable = ldisc_readable(tty, true), some = ldisc_readable(tty, false);
        bool news = tty->termios.c_lflag & ICANON ? tty->ldisc.canon_head != lines : taken && some;
        mutex_unlock(&tty->lock);
        if (sig)
            tty_signal_foreground(tty, sig);
        tty_kick(tty);
        if (readable || some)
            wake_up_nr(&tty->read_wait, EPOLLIN | EPOLLRDNORM, ~0u);
        if (news)
            fasync_notify(&tty->async, POLL_IN);
        if (taken)
            tty_input_flushed(tty);
        if (!sig)
            return;
        tty_wakeup(tty); // output was flushed
    }
}

void tty_wakeup(struct tty *tty)
{
    if (READ_ONCE(tty->ldisc.echo_head) != READ_ONCE(tty->ldisc.echo_tail))
        tty_queue_input(tty);
    wake_up_nr(&tty->write_wait, EPOLLOUT | EPOLLWRNORM, ~0u);
    if (unlikely(READ_ONCE(tty->tell_room)) && xchg(&tty->tell_room, false))
        fasync_notify(&tty->async, POLL_OUT);
}

// ---- output ----------------------------------------------------------------------------------------------------------------------------------------------

size_t tty_driver_write(struct tty *tty, const uint8_t *buf, size_t size)
{
    if (READ_ONCE(tty->stopped) || !size)
        return 0;
    size_t n = tty->ops->write(tty, buf, size);
    if (n)
        tty->ldisc.wrote = true;
    return n;
}

void tty_kick(struct tty *tty)
{
    if (READ_ONCE(tty->ldisc.wrote)) {
        WRITE_ONCE(tty->ldisc.wrote, false);
        if (tty->ops->kick)
            tty->ops->kick(tty);
    }
}

void tty_kick_later(struct tty *tty)
{
    if (tty->link)
        tty_queue_input(tty->link);
}

void tty_packet_note(struct tty *tty, unsigned add, unsigned clear)
{
    struct tty *master = tty->link;
    if (!master || tty->kind != TTY_PTY_SLAVE || !READ_ONCE(master->packet))
        return;
    irq_flags_t flags = spin_lock_irqsave(&tty->raw.lock);
    tty->packet_status = (uint8_t)((tty->packet_status & ~clear) | add);
    spin_unlock_irqrestore(&tty->raw.lock, flags);
    wake_up_nr(&master->read_wait, EPOLLIN | EPOLLPRI | EPOLLRDNORM, ~0u);
}

void tty_stop(struct tty *tty)
{
    if (READ_ONCE(tty->stopped))
        return;
    WRITE_ONCE(tty->stopped, true);
    if (tty->ops->stop)
        tty->ops->stop(tty);
    tty_packet_note(tty, TIOCPKT_STOP, TIOCPKT_START);
}

void tty_start(struct tty *tty)
{
    if (!READ_ONCE(tty->stopped) || tty->tco_stopped)
        return;
    WRITE_ONCE(tty->stopped, false);
    if (tty->ops->start)
        tty->ops->start(tty);
    tty_packet_note(tty, TIOCPKT_START, TIOCPKT_STOP);
    tty_wakeup(tty);
}

void tty_flush_output(struct tty *tty)
{
    mutex_lock(&tty->lock);
    ldisc_echo_drop(tty);
    if (tty->ops->flush_output)
        tty->ops->flush_output(tty);
    mutex_unlock(&tty->lock);
    tty_packet_note(tty, TIOCPKT_FLUSHWRITE, 0);
    tty_wakeup(tty);
}

static size_t pending_output(struct tty *tty)
{
    return tty->ops->chars_in_buffer ? tty->ops->chars_in_buffer(tty) : 0;
}

int tty_wait_sent(struct tty *tty, ktime_t deadline)
{
    int err = wait_event_interruptible_timeout(&tty->write_wait, pending_output(tty) == 0 || READ_ONCE(tty->other_closed), deadline);
    if (err == 0 && tty->ops->wait_sent)
        tty->ops->wait_sent(tty, deadline);
    return err == -EINTR ? err : 0;
}
