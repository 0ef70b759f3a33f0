// kernel/drivers/tty/ldisc_input.c — the line discipline's way in: special characters, line editing, signals, echo. termios(3), and Linux where
// the manual leaves room.
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"

#define MASK (TTY_BUF_SIZE - 1)
#define DISABLED 0 // a special character of this value is none (_POSIX_VDISABLE); also stands for end of file in the buffer
#define ERASE_ONE "\b \b"

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_cc(const struct tty *tty, unsigned which, uint8_t c)
{
    return c != DISABLED && tty->termios.c_cc[which] == c;
}

void ldisc_reset(struct tty *tty)
{
    struct n_tty *n = &tty->ldisc;
    memset(n, 0, sizeof *n);
}

void ldisc_flush_input(struct tty *tty)
{
    struct n_tty *n = &tty->ldisc;
    n->head = n->canon_head = n->tail = 0;
    n->literal_next = n->erasing = false;
    memset(n->line_end, 0, sizeof n->line_end);
    irq_flags_t flags = spin_lock_irqsave(&tty->raw.lock);
    tty->raw.tail = tty->raw.head;
    spin_unlock_irqrestore(&tty->raw.lock, flags);
}

// ---- the buffer ----------------------------------------------------------------------------------------------------------------------------------------

static void put(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    if (n->head - n->tail >= TTY_BUF_SIZE)
        n->head--; // a line longer than the buffer: its last place takes what comes
    n->buf[n->head++ & MASK] = c;
}

static void put_marked(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    if (tty->termios.c_iflag & PARMRK && c == 0xff)
        put(tty, c);
    put(tty, c);
}

static void end_line(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    put(tty, c);
    set_bit((n->head - 1) & MASK, n->line_end);
    n->canon_head = n->head;
}

static bool has_room(struct tty *tty) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    uint32_t used = n->head - n->tail, need = tty->termios.c_iflag & PARMRK ? 3 : 1;
    if (used + need < TTY_BUF_SIZE)
        return true;
    // Nobody can read before the line has ended: what is too much is thrown away.
    return tty->termios.c_lflag & ICANON && n->canon_head == n->tail;
}

// ---- echo ----------------------------------------------------------------------------------------------------------------------------------------------

static void echo_char(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    if (tty->termios.c_lflag & ECHOCTL && is_control(c) && c != '\t') {
        ldisc_echo(tty, '^');
        c ^= 0100;
    }
    ldisc_echo(tty, c);
}

static void finish_erasing(struct tty *tty) REQUIRES(tty->lock)
{
    if (tty->ldisc.erasing) {
        tty->ldisc.erasing = false;
        ldisc_echo(tty, '/');
    }
}

static void echo_input(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    if (!(tty->termios.c_lflag & ECHO))
        return;
    finish_erasing(tty);
    if (c == '\n') {
        ldisc_echo(tty, c);
        return;
    }
    if (n->canon_head == n->head)
        n->canon_column = n->column;
    echo_char(tty, c);
}

// ---- editing -------------------------------------------------------------------------------------------------------------------------------------------

// Takes the columns of the tab that was just removed at n->head off the screen.
static void erase_tab(struct tty *tty) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    unsigned columns = 0;
    bool after_tab = false;
    for (uint32_t at = n->head; at != n->canon_head;) {
        uint8_t c = n->buf[--at & MASK];
        if (c == '\t') {
            after_tab = true;
            break;
        }
        if (is_control(c))
            columns += tty->termios.c_lflag & ECHOCTL ? 2 : 0;
        else
            columns += !ldisc_is_continuation(tty, c);
    }
    if (!after_tab)
        columns += n->canon_column;
    for (unsigned i = 8 - columns % 8; i; i--)
        ldisc_echo(tty, '\b');
}

// One character, perhaps of several bytes, was removed from [n->head, end): shows it.
static void echo_erased(struct tty *tty, uint8_t c, uint32_t end, bool by_erase) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    uint32_t lflag = tty->termios.c_lflag;
    if (!(lflag & ECHO))
        return;
    if (lflag & ECHOPRT) {
        if (!n->erasing) {
            ldisc_echo(tty, '\\');
            n->erasing = true;
        }
        echo_char(tty, c);
        for (uint32_t at = n->head + 1; at != end; at++)
            ldisc_echo(tty, n->buf[at & MASK]);
    } else if (by_erase && !(lflag & ECHOE)) {
        echo_char(tty, tty->termios.c_cc[VERASE]);
    } else if (c == '\t') {
        erase_tab(tty);
    } else {
        if (is_control(c) && lflag & ECHOCTL)
            ldisc_echo_raw(tty, ERASE_ONE, 3);
        if (!is_control(c) || lflag & ECHOCTL)
            ldisc_echo_raw(tty, ERASE_ONE, 3);
    }
}

enum erase_kind { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static void erase(struct tty *tty, enum erase_kind kind) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    uint32_t lflag = tty->termios.c_lflag;
    if (n->head == n->canon_head)
        return;
    if (kind == ERASE_LINE && (lflag & (ECHO | ECHOK | ECHOKE | ECHOE)) != (ECHO | ECHOK | ECHOKE | ECHOE)) {
        n->head = n->canon_head;
        if (!(lflag & ECHO))
            return;
        finish_erasing(tty);
        echo_char(tty, tty->termios.c_cc[VKILL]);
        if (lflag & ECHOK)
            ldisc_echo(tty, '\n');
        return;
    }
    bool in_word = false;
    while (n->head != n->canon_head) {
        uint32_t at = n->head;
        uint8_t c;
        do
            c = n->buf[--at & MASK];
        while (ldisc_is_continuation(tty, c) && at != n->canon_head);
        if (ldisc_is_continuation(tty, c))
            break; // the rest of a character whose start is gone
        if (kind == ERASE_WORD) {
            if (is_word(c))
                in_word = true;
            else if (in_word)
                break;
        }
        uint32_t end = n->head;
        n->head = at;
        echo_erased(tty, c, end, kind == ERASE_CHAR);
        if (kind == ERASE_CHAR)
            break;
    }
    if (n->head == n->canon_head && lflag & ECHO)
        finish_erasing(tty);
}

static void reprint(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    finish_erasing(tty);
    echo_char(tty, c);
    ldisc_echo(tty, '\n');
    for (uint32_t at = n->canon_head; at != n->head; at++)
        echo_char(tty, n->buf[at & MASK]);
}

// ---- one character -------------------------------------------------------------------------------------------------------------------------------------

// The signal itself is sent by the caller of ldisc_input(), without the lock.
static void raise(struct tty *tty, int sig) REQUIRES(tty->lock)
{
    tty->ldisc.signal = sig;
    if (tty->termios.c_lflag & NOFLSH)
        return;
    ldisc_echo_drop(tty);
    if (tty->ops->flush_output)
        tty->ops->flush_output(tty);
    struct n_tty *n = &tty->ldisc;
    n->head = n->canon_head = n->tail = 0;
    n->erasing = false;
    memset(n->line_end, 0, sizeof n->line_end);
    tty_packet_note(tty, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE, 0);
}

static bool signal_char(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    static const struct {
        uint8_t which;
        int sig;
    } map[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++) {
        if (!is_cc(tty, map[i].which, c))
            continue;
        raise(tty, map[i].sig);
        if (tty->termios.c_iflag & IXON)
            tty_start(tty);
        if (tty->termios.c_lflag & ECHO)
            echo_char(tty, c);
        return true;
    }
    return false;
}

static bool flow_char(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    if (is_cc(tty, VSTART, c))
        tty_start(tty);
    else if (is_cc(tty, VSTOP, c))
        tty_stop(tty);
    else
        return false;
    return true;
}

// Line editing and line ends. True: done with it.
static bool canonical_char(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    uint32_t lflag = tty->termios.c_lflag;
    bool extended = lflag & IEXTEN;
    if (is_cc(tty, VERASE, c))
        erase(tty, ERASE_CHAR);
    else if (is_cc(tty, VKILL, c))
        erase(tty, ERASE_LINE);
    else if (extended && is_cc(tty, VWERASE, c))
        erase(tty, ERASE_WORD);
    else if (extended && is_cc(tty, VLNEXT, c)) {
        tty->ldisc.literal_next = true;
        if (lflag & ECHO) {
            finish_erasing(tty);
            if (lflag & ECHOCTL)
                ldisc_echo_raw(tty, "^\b", 2);
        }
    } else if (extended && lflag & ECHO && is_cc(tty, VREPRINT, c)) {
        reprint(tty, c);
    } else if (c == '\n') {
        if (lflag & (ECHO | ECHONL))
            ldisc_echo(tty, c);
        end_line(tty, c);
    } else if (is_cc(tty, VEOF, c)) {
        end_line(tty, DISABLED);
    } else if (is_cc(tty, VEOL, c) || (extended && is_cc(tty, VEOL2, c))) {
        echo_input(tty, c);
        if (tty->termios.c_iflag & PARMRK && c == 0xff)
            put(tty, c);
        end_line(tty, c);
    } else {
        return false;
    }
    return true;
}

static void take_char(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    uint32_t iflag = tty->termios.c_iflag, lflag = tty->termios.c_lflag;
    if (iflag & ISTRIP)
        c &= 0x7f;
    if (iflag & IUCLC && lflag & IEXTEN && c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (lflag & EXTPROC) {
        put(tty, c);
        return;
    }
    if (n->literal_next) {
        n->literal_next = false;
        echo_input(tty, c);
        put_marked(tty, c);
        return;
    }
    if (iflag & IXON && flow_char(tty, c))
        return;
    if (lflag & ISIG && signal_char(tty, c))
        return;
    if (iflag & IXON && iflag & IXANY && READ_ONCE(tty->stopped) && !tty->tco_stopped)
        tty_start(tty);
    if (c == '\r') {
        if (iflag & IGNCR)
            return;
        if (iflag & ICRNL)
            c = '\n';
    } else if (c == '\n' && iflag & INLCR) {
        c = '\r';
    }
    if (lflag & ICANON && canonical_char(tty, c))
        return;
    echo_input(tty, c);
    put_marked(tty, c);
}

static void take_break(struct tty *tty) REQUIRES(tty->lock)
{
    uint32_t iflag = tty->termios.c_iflag;
    if (iflag & IGNBRK)
        return;
    if (iflag & BRKINT) {
        raise(tty, SIGINT);
        return;
    }
    if (iflag & PARMRK) {
        put(tty, 0xff);
        put(tty, 0);
    }
    put(tty, 0);
}

static void take_damaged(struct tty *tty, uint8_t c) REQUIRES(tty->lock)
{
    uint32_t iflag = tty->termios.c_iflag;
    if (!(iflag & INPCK)) {
        take_char(tty, c);
    } else if (!(iflag & IGNPAR)) {
        if (iflag & PARMRK) {
            put(tty, 0xff);
            put(tty, 0);
            put(tty, c);
        } else {
            put(tty, 0);
        }
    }
}

size_t ldisc_input(struct tty *tty)
{
    struct n_tty *n = &tty->ldisc;
    struct tty_raw *raw = &tty->raw;
    size_t taken = 0;
    while (!n->signal && has_room(tty)) {
        irq_flags_t flags = spin_lock_irqsave(&raw->lock);
        bool any = raw->tail != raw->head;
        uint32_t at = raw->tail % TTY_BUF_SIZE;
        uint8_t c = raw->data[at], flag = raw->flags[at];
        raw->tail += any;
        spin_unlock_irqrestore(&raw->lock, flags);
        if (!any)
            break;
        taken++;
        if (flag == TTY_NORMAL)
            take_char(tty, c);
        else if (flag == TTY_BREAK)
            take_break(tty);
        else if (flag == TTY_PARITY || flag == TTY_FRAME)
            take_damaged(tty, c);
    }
    return taken;
}

// ---- reading -------------------------------------------------------------------------------------------------------------------------------------------

bool ldisc_readable(const struct tty *tty, bool for_poll)
{
    const struct n_tty *n = &tty->ldisc;
    const struct abi_termios2 *t = &tty->termios;
    if (ldisc_is_canonical(t))
        return READ_ONCE(n->canon_head) != READ_ONCE(n->tail);
    uint32_t need = for_poll && !t->c_cc[VTIME] && t->c_cc[VMIN] ? t->c_cc[VMIN] : 1;
    return READ_ONCE(n->head) - READ_ONCE(n->tail) >= need;
}

uint32_t ldisc_available(struct tty *tty)
{
    struct n_tty *n = &tty->ldisc;
    if (!ldisc_is_canonical(&tty->termios))
        return n->head - n->tail;
    uint32_t count = n->canon_head - n->tail;
    for (uint32_t at = n->tail; at != n->canon_head; at++)
        count -= test_bit(at & MASK, n->line_end) && n->buf[at & MASK] == DISABLED; // end of file is no byte
    return count;
}

static size_t take_line(struct tty *tty, uint8_t *buf, size_t size, bool *line_done) REQUIRES(tty->lock)
{
    struct n_tty *n = &tty->ldisc;
    size_t got = 0;
    while (got < size && n->tail != n->canon_head) {
        uint32_t at = n->tail++ & MASK;
        if (test_and_clear_bit(at, n->line_end)) {
            *line_done = true;
            if (n->buf[at] != DISABLED)
                buf[got++] = n->buf[at];
            break;
        }
        buf[got++] = n->buf[at];
    }
    return got;
}

size_t ldisc_take(struct tty *tty, uint8_t *buf, size_t size, bool *line_done)
{
    struct n_tty *n = &tty->ldisc;
    *line_done = false;
    if (ldisc_is_canonical(&tty->termios))
        return take_line(tty, buf, size, line_done);
    size_t got = 0;
    for (; got < size && n->tail != n->head; got++)
        buf[got] = n->buf[n->tail++ & MASK];
    if (n->canon_head - n->tail > TTY_BUF_SIZE)
        n->canon_head = n->tail;
    return got;
}

void ldisc_skip_eof(struct tty *tty)
{
    struct n_tty *n = &tty->ldisc;
    uint32_t at = n->tail & MASK;
    if (n->tail != n->canon_head && test_bit(at, n->line_end) && n->buf[at] == DISABLED) {
        clear_bit(at, n->line_end);
        n->tail++;
    }
}

// Between canonical and raw mode what has been typed stays; leaving canonical mode makes all of it readable, entering it ends it as a line.
void ldisc_termios_changed(struct tty *tty, const struct abi_termios2 *old)
{
    struct n_tty *n = &tty->ldisc;
    if ((old->c_lflag ^ tty->termios.c_lflag) & (ICANON | EXTPROC)) {
        memset(n->line_end, 0, sizeof n->line_end);
        if (tty->termios.c_lflag & ICANON && n->tail != n->head) {
            set_bit((n->head - 1) & MASK, n->line_end);
            n->canon_head = n->head;
        } else {
            n->canon_head = n->tail;
        }
        n->erasing = n->literal_next = false;
    }
    if (!(tty->termios.c_iflag & IXON) && old->c_iflag & IXON && !tty->tco_stopped)
        tty_start(tty);
}
