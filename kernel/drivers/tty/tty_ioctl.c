// kernel/drivers/tty/tty_ioctl.c — ioctl(2) on terminals: sorts the requests, and does the small ones. ioctl_tty(2).
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"

#define MODEM_SETTABLE (TIOCM_DTR | TIOCM_RTS | TIOCM_OUT1 | TIOCM_OUT2 | TIOCM_LOOP)

int tty_resize(struct tty *tty, const struct abi_winsize *ws)
{
    mutex_lock(&tty->lock);
    bool changed = memcmp(&tty->winsize, ws, sizeof *ws) != 0;
    tty->winsize = *ws;
    mutex_unlock(&tty->lock);
    if (changed)
        tty_signal_foreground(tty, SIGWINCH);
    return 0;
}

static int set_winsize(struct tty *tty, struct tty *real, unsigned long arg)
{
    struct abi_winsize ws;
    if (copy_from_user(&ws, user_ptr(void, arg), sizeof ws))
        return -EFAULT;
    return tty->ops->resize ? tty->ops->resize(tty, &ws) : tty_resize(real, &ws);
}

static int get_winsize(struct tty *real, unsigned long arg)
{
    mutex_lock(&real->lock);
    struct abi_winsize ws = real->winsize;
    mutex_unlock(&real->lock);
    return copy_to_user(user_ptr(void, arg), &ws, sizeof ws) ? -EFAULT : 0;
}

// TIOCSTI: as if the byte had been typed.
static int simulate_input(struct tty *tty, unsigned long arg)
{
    if (READ_ONCE(current_process()->tty) != tty && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    uint8_t c;
    if (get_user(c, user_ptr(uint8_t, arg)))
        return -EFAULT;
    (void)tty_receive(tty, &c, 1, TTY_NORMAL);
    tty_input_run(tty);
    return 0;
}

static int modem(struct tty *tty, unsigned cmd, unsigned long arg)
{
    if (cmd == TIOCMGET) {
        if (!tty->ops->tiocmget)
            return -ENOTTY;
        int lines = tty->ops->tiocmget(tty);
        return lines < 0 ? lines : put_user(lines, user_ptr(int, arg));
    }
    if (!tty->ops->tiocmset)
        return -ENOTTY;
    unsigned lines, set = 0, clear = 0;
    if (get_user(lines, user_ptr(unsigned, arg)))
        return -EFAULT;
    if (cmd != TIOCMBIC)
        set = lines;
    if (cmd != TIOCMBIS)
        clear = cmd == TIOCMSET ? ~lines : lines;
    return tty->ops->tiocmset(tty, set & MODEM_SETTABLE, clear & MODEM_SETTABLE);
}

static int set_discipline(struct tty *tty, unsigned long arg)
{
    int number;
    if (get_user(number, user_ptr(int, arg)))
        return -EFAULT;
    int err = tty_check_change(tty, SIGTTOU);
    if (err)
        return err;
    return number == N_TTY ? 0 : -EINVAL; // the only one there is
}

static int count(struct tty *tty, unsigned cmd, unsigned long arg)
{
    uint32_t n;
    if (cmd == TIOCOUTQ) {
        n = tty->ops->chars_in_buffer ? (uint32_t)tty->ops->chars_in_buffer(tty) : 0;
    } else {
        mutex_lock(&tty->lock);
        n = ldisc_available(tty);
        mutex_unlock(&tty->lock);
    }
    return put_user(n, user_ptr(int, arg));
}

static int console_redirect(struct file *file)
{
    struct tty_file *tf = file->private;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    return tf->console ? 0 : -EINVAL; // on /dev/console: back to itself. Sending the console's output elsewhere is not offered
}

static long small(struct tty *tty, struct tty *real, struct file *file, unsigned cmd, unsigned long arg)
{
    switch (cmd) {
    case FIONREAD:
    case TIOCOUTQ:
        return count(tty, cmd, arg);
    case TIOCSTI:
        return simulate_input(tty, arg);
    case TIOCGWINSZ:
        return get_winsize(real, arg);
    case TIOCSWINSZ:
        return set_winsize(tty, real, arg);
    case TIOCCONS:
        return console_redirect(file);
    case TIOCEXCL:
        WRITE_ONCE(tty->exclusive, true);
        return 0;
    case TIOCNXCL:
        WRITE_ONCE(tty->exclusive, false);
        return 0;
    case TIOCGEXCL:
        return put_user(READ_ONCE(tty->exclusive), user_ptr(int, arg));
    case TIOCGETD:
        return put_user(N_TTY, user_ptr(int, arg));
    case TIOCSETD:
        return set_discipline(tty, arg);
    case TIOCVHANGUP:
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
        tty_hangup(tty);
        return 0;
    case TIOCGDEV: {
        dev_t dev = real->device.devt;
        return put_user((MINOR(dev) & 0xff) | MAJOR(dev) << 8 | (MINOR(dev) & ~0xffu) << 12, user_ptr(unsigned, arg));
    }
    case TIOCMGET:
    case TIOCMSET:
    case TIOCMBIS:
    case TIOCMBIC:
        return modem(tty, cmd, arg);
    }
    return -ENOTTY;
}

long tty_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
    struct tty_file *tf = file->private;
    struct tty *tty = tf->tty, *real = tty->kind == TTY_PTY_MASTER ? tty->link : tty;
    if (tty_file_hung(tf))
        return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
    long result = small(tty, real, file, cmd, arg);
    if (result == -ENOTTY)
        result = tty_ioctl_job(tty, real, file, cmd, arg);
    if (result == -ENOTTY && cmd != TIOCSCTTY && cmd != TIOCNOTTY && cmd != TIOCGPGRP && cmd != TIOCSPGRP && cmd != TIOCGSID)
        result = tty->ops->ioctl ? tty->ops->ioctl(tty, file, cmd, arg) : -ENOTTY;
    if (result == -ENOTTY)
        result = tty_ioctl_termios(tty, real, file, cmd, arg);
    return result;
}
