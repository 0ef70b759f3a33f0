// kernel/drivers/tty/ldisc_output.c — the line discipline's way out: output processing (OPOST) and echo. termios(3).
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"

#define TAB_WIDTH 8u

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

// What `c` becomes, into out; moves the column.
static size_t expand(struct tty *tty, uint8_t c, uint8_t out[TTY_EXPANSION]) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    uint32_t flags = tty->termios.c_oflag;
    out[0] = c;
    switch (c) {
    case '\n':
        if (flags & ONLRET)
            n->column = 0;
        if (flags & ONLCR) {
            n->column = 0;
            out[0] = '\r';
            out[1] = '\n';
            return 2;
        }
        return 1;
    case '\r':
        if (flags & ONOCR && n->column == 0)
            return 0;
        if (flags & OCRNL) {
            out[0] = '\n';
            if (flags & ONLRET)
                n->column = 0;
            return 1;
        }
        n->column = 0;
        return 1;
    case '\t': {
        unsigned width = TAB_WIDTH - n->column % TAB_WIDTH;
        n->column += width;
        if ((flags & TABDLY) != XTABS)
            return 1;
        memset(out, ' ', width);
        return width;
    }
    case '\b':
        if (n->column)
            n->column--;
        return 1;
    default:
        if (is_control(c))
            return 1;
        if (flags & OLCUC && c >= 'a' && c <= 'z')
            out[0] = c - 'a' + 'A';
        if (!ldisc_is_continuation(tty, c))
            n->column++;
        return 1;
    }
}

// ---- echo. What the driver does not take waits in ldisc.echo, and goes before any later output ------------------------------------------------------

static void echo_emit(struct tty *tty, const uint8_t *buf, size_t size) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    size_t done = n->echo_head == n->echo_tail ? tty_driver_write(tty, buf, size) : 0;
    for (; done < size; done++) {
        if (n->echo_head - n->echo_tail == sizeof n->echo)
            n->echo_tail++; // an echo that nobody looks at: the oldest goes
        n->echo[n->echo_head++ % sizeof n->echo] = buf[done];
    }
}

void ldisc_echo(struct tty *tty, uint8_t c)
{
    if (!(tty->termios.c_oflag & OPOST)) {
        echo_emit(tty, &c, 1);
        return;
    }
    uint8_t out[TTY_EXPANSION];
    echo_emit(tty, out, expand(tty, c, out));
}

void ldisc_echo_raw(struct tty *tty, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ldisc_echo(tty, (uint8_t)s[i]);
}

void ldisc_echo_flush(struct tty *tty)
{
    struct n_tty *n = &tty->ldisc;
    while (n->echo_tail != n->echo_head) {
        uint32_t at = n->echo_tail % sizeof n->echo;
        size_t run = min((size_t)(n->echo_head - n->echo_tail), sizeof n->echo - at);
        size_t done = tty_driver_write(tty, n->echo + at, run);
        n->echo_tail += done;
        if (done < run)
            return;
    }
}

void ldisc_echo_drop(struct tty *tty)
{
    tty->ldisc.echo_tail = tty->ldisc.echo_head;
}

// ---- write(2) ----------------------------------------------------------------------------------------------------------------------------------------

// Length of the run at buf that goes out unchanged.
static size_t plain_run(struct tty *tty, const uint8_t *buf, size_t size) REQUIRES(tty->lock)
{
    size_t i = 0;
    if (tty->termios.c_oflag & OLCUC)
        return 0;
    while (i < size && !is_control(buf[i]))
        i++;
    return i;
}

size_t ldisc_output(struct tty *tty, const uint8_t *buf, size_t size)
{
    struct n_tty *n = &tty->ldisc;
    ldisc_echo_flush(tty);
    if (n->echo_head != n->echo_tail)
        return 0;
    if (!(tty->termios.c_oflag & OPOST))
        return tty_driver_write(tty, buf, size);
    size_t i = 0;
    while (i < size) {
        size_t run = plain_run(tty, buf + i, size - i);
        if (run) {
            size_t done = tty_driver_write(tty, buf + i, run);
            for (size_t k = 0; k < done; k++)
                n->column += !ldisc_is_continuation(tty, buf[i + k]);
            i += done;
            if (done < run)
                break;
            continue;
        }
        if (!tty_has_room(tty))
            break;
        if (READ_ONCE(tty->stopped))
            break;
        uint8_t out[TTY_EXPANSION];
        size_t len = expand(tty, buf[i++], out);
        if (len && tty_driver_write(tty, out, len) < len)
            break; // the driver promised room: only a hangup in between comes here
    }
    return i;
}
