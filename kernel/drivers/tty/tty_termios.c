// kernel/drivers/tty/tty_termios.c — terminal attributes: TCGETS and its kin, tcsendbreak, tcdrain, tcflush, tcflow. ioctl_tty(2), termios(3).
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"

static const struct {
    uint32_t code, baud;
} speeds[] = {
    {0, 0}, {1, 50}, {2, 75}, {3, 110}, {4, 134}, {5, 150}, {6, 200}, {7, 300}, {8, 600}, {9, 1200}, {10, 1800}, {11, 2400}, {12, 4800},
    {13, 9600}, {14, 19200}, {15, 38400}, {0x1001, 57600}, {0x1002, 115200}, {0x1003, 230400}, {0x1004, 460800}, {0x1005, 500000},
    {0x1006, 576000}, {0x1007, 921600}, {0x1008, 1000000}, {0x1009, 1152000}, {0x100a, 1500000}, {0x100b, 2000000}, {0x100c, 2500000},
    {0x100d, 3000000}, {0x100e, 3500000}, {0x100f, 4000000},
};

static uint32_t code_to_baud(uint32_t code, uint32_t other)
{
    if (code == BOTHER)
        return other;
    for (unsigned i = 0; i < ARRAY_SIZE(speeds); i++)
        if (speeds[i].code == code)
            return speeds[i].baud;
    return 9600;
}

unsigned tty_baud(const struct abi_termios2 *t)
{
    return code_to_baud(t->c_cflag & CBAUD, t->c_ospeed);
}

static unsigned input_baud(const struct abi_termios2 *t)
{
    uint32_t code = t->c_cflag >> IBSHIFT & CBAUD;
    return code ? code_to_baud(code, t->c_ispeed) : tty_baud(t); // B0: as output
}

void tty_set_baud(struct abi_termios2 *t, unsigned baud)
{
    uint32_t code = BOTHER;
    for (unsigned i = 0; i < ARRAY_SIZE(speeds); i++)
        if (speeds[i].baud == baud)
            code = speeds[i].code;
    t->c_cflag = (t->c_cflag & ~CBAUD) | code;
    t->c_ispeed = t->c_ospeed = baud;
}

enum form { FORM_TERMIOS, FORM_TERMIOS2, FORM_TERMIO };
enum when { SET_NOW, SET_WAIT, SET_FLUSH };

static int copy_out(const struct abi_termios2 *t, enum form form, unsigned long arg)
{
    if (form == FORM_TERMIO) {
        struct abi_termio old = {.c_iflag = (uint16_t)t->c_iflag, .c_oflag = (uint16_t)t->c_oflag, .c_cflag = (uint16_t)t->c_cflag,
                                 .c_lflag = (uint16_t)t->c_lflag, .c_line = t->c_line};
        memcpy(old.c_cc, t->c_cc, NCC);
        return copy_to_user(user_ptr(void, arg), &old, sizeof old) ? -EFAULT : 0;
    }
    size_t size = form == FORM_TERMIOS2 ? sizeof(struct abi_termios2) : sizeof(struct abi_termios);
    return copy_to_user(user_ptr(void, arg), t, size) ? -EFAULT : 0; // the older structure is the beginning of the newer
}

static int copy_in(struct abi_termios2 *t, enum form form, unsigned long arg)
{
    if (form == FORM_TERMIO) {
        struct abi_termio old;
        if (copy_from_user(&old, user_ptr(void, arg), sizeof old))
            return -EFAULT;
        t->c_iflag = (t->c_iflag & ~0xffffu) | old.c_iflag;
        t->c_oflag = (t->c_oflag & ~0xffffu) | old.c_oflag;
        t->c_cflag = (t->c_cflag & ~0xffffu) | old.c_cflag;
        t->c_lflag = (t->c_lflag & ~0xffffu) | old.c_lflag;
        t->c_line = old.c_line;
        memcpy(t->c_cc, old.c_cc, NCC);
    } else {
        size_t size = form == FORM_TERMIOS2 ? sizeof(struct abi_termios2) : sizeof(struct abi_termios);
        if (copy_from_user(t, user_ptr(void, arg), size))
            return -EFAULT;
    }
    unsigned in = input_baud(t), out = tty_baud(t);
    t->c_ispeed = in;
    t->c_ospeed = out;
    return 0;
}

static void apply(struct tty *tty, const struct abi_termios2 *wanted)
{
    mutex_lock(&tty->lock);
    struct abi_termios2 old = tty->termios;
    tty->termios = *wanted;
    tty->termios.c_line = old.c_line; // TIOCSETD chooses the discipline
    if (tty->kind == TTY_PTY_SLAVE || tty->kind == TTY_PTY_MASTER)
        tty->termios.c_cflag = (tty->termios.c_cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;
    ldisc_termios_changed(tty, &old);
    if (tty->ops->set_termios)
        tty->ops->set_termios(tty, &old);
    bool readable = ldisc_readable(tty, false), carrier_ignored = ~old.c_cflag & tty->termios.c_cflag & CLOCAL;
    mutex_unlock(&tty->lock);
    if (carrier_ignored)
        wake_up_nr(&tty->read_wait, 0, ~0u); // an open waits there for carrier
    else if (readable)
        wake_up_nr(&tty->read_wait, EPOLLIN | EPOLLRDNORM, ~0u);
}

static int set_termios(struct tty *real, enum form form, enum when when, unsigned long arg)
{
    int err = tty_check_change(real, SIGTTOU);
    if (err)
        return err;
    mutex_lock(&real->lock);
    struct abi_termios2 wanted = real->termios;
    mutex_unlock(&real->lock);
    err = copy_in(&wanted, form, arg);
    if (err)
        return err;
    if (when == SET_FLUSH)
        tty_flush_input(real);
    if (when != SET_NOW && tty_wait_sent(real, KTIME_MAX))
        return -ERESTARTSYS;
    apply(real, &wanted);
    return 0;
}

static int get_termios(struct tty *real, enum form form, unsigned long arg)
{
    mutex_lock(&real->lock);
    struct abi_termios2 t = real->termios;
    mutex_unlock(&real->lock);
    return copy_out(&t, form, arg);
}

static int send_break(struct tty *tty, ktime_t length)
{
    if (!tty->ops->break_ctl)
        return 0;
    int err = tty->ops->break_ctl(tty, true);
    if (err)
        return err;
    int woken = sleep_until_interruptible(clock_monotonic() + length);
    err = tty->ops->break_ctl(tty, false);
    return woken ? -EINTR : err;
}

static int do_break(struct tty *tty, struct tty *real, unsigned cmd, unsigned long arg)
{
    int err = tty_check_change(real, SIGTTOU);
    if (err)
        return err;
    if (cmd == TIOCSBRK || cmd == TIOCCBRK)
        return tty->ops->break_ctl ? tty->ops->break_ctl(tty, cmd == TIOCSBRK) : 0;
    if (tty_wait_sent(tty, KTIME_MAX))
        return -EINTR;
    if (cmd == TCSBRK)
        return arg ? 0 : send_break(tty, 250 * NSEC_PER_MSEC); // a non-zero argument is tcdrain(3)
    return send_break(tty, arg ? (ktime_t)min(arg, 36000ul) * 100 * NSEC_PER_MSEC : 250 * NSEC_PER_MSEC);
}

// Ahead of everything else where the driver can do that; else behind what it has taken, though ^S holds the output. Not where TCOOFF does.
static void send_xchar(struct tty *tty, uint8_t c)
{
    if (tty->ops->send_xchar) {
        tty->ops->send_xchar(tty, c);
        return;
    }
    mutex_lock(&tty->lock);
    bool stopped = tty->stopped;
    tty_start(tty);
    (void)tty_driver_write(tty, &c, 1);
    if (stopped)
        tty_stop(tty);
    mutex_unlock(&tty->lock);
    tty_kick(tty);
}

static int flow(struct tty *tty, struct tty *real, unsigned long arg)
{
    int err = tty_check_change(real, SIGTTOU);
    if (err)
        return err;
    uint8_t c = 0;
    switch (arg) {
    case TCOOFF:
    case TCOON: {
        mutex_guard(&tty->lock);
        bool off = arg == TCOOFF;
        if (tty->tco_stopped != off) {
            tty->tco_stopped = off;
            if (off)
                tty_stop(tty);
            else
                tty_start(tty);
        }
        return 0;
    }
    case TCIOFF:
        c = tty->termios.c_cc[VSTOP];
        break;
    case TCION:
        c = tty->termios.c_cc[VSTART];
        break;
    default:
        return -EINVAL;
    }
    if (c)
        send_xchar(tty, c);
    return 0;
}

static int flush(struct tty *tty, struct tty *real, unsigned long arg)
{
    int err = tty_check_change(real, SIGTTOU);
    if (err)
        return err;
    if (arg > TCIOFLUSH)
        return -EINVAL;
    if (arg != TCOFLUSH)
        tty_flush_input(tty);
    if (arg != TCIFLUSH)
        tty_flush_output(tty);
    return 0;
}

// `real` is the terminal whose attributes count: for a pty master its slave.
long tty_ioctl_termios(struct tty *tty, struct tty *real, struct file *, unsigned cmd, unsigned long arg)
{
    switch (cmd) {
    case TCGETS:
        return get_termios(real, FORM_TERMIOS, arg);
    case TCGETS2:
        return get_termios(real, FORM_TERMIOS2, arg);
    case TCGETA:
        return get_termios(real, FORM_TERMIO, arg);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(real, FORM_TERMIOS, (enum when)(cmd - TCSETS), arg);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return set_termios(real, FORM_TERMIOS2, (enum when)(cmd - TCSETS2), arg);
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
        return set_termios(real, FORM_TERMIO, (enum when)(cmd - TCSETA), arg);
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
        return do_break(tty, real, cmd, arg);
    case TCXONC:
        return flow(tty, real, arg);
    case TCFLSH:
        return flush(tty, real, arg);
    case TIOCGSOFTCAR:
        return put_user(real->termios.c_cflag & CLOCAL ? 1 : 0, user_ptr(int, arg));
    case TIOCSSOFTCAR: {
        int on;
        if (get_user(on, user_ptr(int, arg)))
            return -EFAULT;
        struct abi_termios2 wanted = real->termios;
        wanted.c_cflag = (wanted.c_cflag & ~CLOCAL) | (on ? CLOCAL : 0);
        apply(real, &wanted);
        return 0;
    }
    }
    return -ENOTTY;
}
