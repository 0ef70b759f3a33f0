// kernel/drivers/serial/uart.c — the PC's four serial ports as terminals ttyS0 … ttyS3.
//
// Sending: bytes wait in a ring; whoever adds some fills the FIFO if it is empty and asks for the transmitter interrupt, whose handler goes on. Receiving: the
// handler gives each byte with its condition to the terminal. The handler works for all ports on its interrupt line until none has news: the lines
// are edge-triggered, and a port that still asks would never be heard of again. A port whose interrupt could not be had is asked by a timer instead.
#include "arch/include/io.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/irq.h"
#include "kernel/drivers/serial/uart.h"

enum { NR_PORTS = 4, RX_BATCH = 64, HANDLER_ROUNDS = 64 };
#define POLL_INTERVAL (10 * NSEC_PER_MSEC)

DEFINE_LOCK_CLASS(uart_class, "uart", (enum lock_rank)(RANK_CONSOLE + 1)); // inside printk's own lock

static struct uart ports[NR_PORTS];
static struct tty *ttys[NR_PORTS];
static const struct {
    uint16_t base;
    uint8_t irq;
} known_ports[NR_PORTS] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

static struct tty_driver serial_driver = {
    .name = "ttyS", .title = "serial", .major = 4, .first_minor = 64, .nr = NR_PORTS, .type = "serial", .ttys = ttys};

static uint8_t get(const struct uart *u, enum uart_register r)
{
    return inb((uint16_t)(u->base + r));
}

static void set(const struct uart *u, enum uart_register r, uint8_t value)
{
    outb((uint16_t)(u->base + r), value);
}

static struct uart *uart_of(struct tty *tty)
{
    return container_of(tty, struct uart, tty);
}

// ---- sending --------------------------------------------------------------------------------------------------------

static void want_tx_interrupt(struct uart *u, bool on) REQUIRES(u->lock)
{
    uint8_t ier = (uint8_t)(on ? u->ier | UART_IER_TX : u->ier & ~UART_IER_TX);
    if (ier != u->ier) {
        u->ier = ier;
        set(u, UART_INTERRUPTS, ier);
    }
}

// The transmitter is empty: gives it what fits. True: the ring has room that a writer may wait for.
static bool transmit(struct uart *u) REQUIRES(u->lock)
{
    if (u->xchar) {
        set(u, UART_DATA, u->xchar);
        u->xchar = 0;
        u->counts.tx++;
        want_tx_interrupt(u, true);
        return false;
    }
    if (u->tx_stopped || u->cts_stopped || u->head == u->tail) {
        want_tx_interrupt(u, false);
        return u->head == u->tail;
    }
    for (unsigned room = u->has_fifo ? UART_FIFO_SIZE : 1; room && u->head != u->tail; room--) {
        set(u, UART_DATA, u->ring[u->tail++ % UART_RING]);
        u->counts.tx++;
    }
    want_tx_interrupt(u, true); // also behind the last byte: tcdrain(3) waits for it
    return u->head - u->tail < UART_RING / 2;
}

static void start_transmitter(struct uart *u) REQUIRES(u->lock)
{
    if (get(u, UART_LINE_STATUS) & UART_LSR_ROOM)
        (void)transmit(u);
    else
        want_tx_interrupt(u, true);
}

static size_t uart_write(struct tty *tty, const uint8_t *buf, size_t size)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    if (!u->running)
        return 0;
    size_t n = min(size, (size_t)(UART_RING - (u->head - u->tail)));
    for (size_t i = 0; i < n; i++)
        u->ring[u->head++ % UART_RING] = buf[i];
    if (n && !(u->ier & UART_IER_TX))
        start_transmitter(u);
    return n;
}

static size_t uart_room(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    return UART_RING - (READ_ONCE(u->head) - READ_ONCE(u->tail));
}

static size_t uart_pending(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    return READ_ONCE(u->head) - READ_ONCE(u->tail);
}

static void uart_flush(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    u->tail = u->head;
}

static void uart_wait_sent(struct tty *tty, ktime_t deadline)
{
    struct uart *u = uart_of(tty);
    // What is left is at most a FIFO and a shift register full; half a second even at 300 baud.
    ktime_t limit = min(deadline, clock_monotonic() + NSEC_PER_SEC / 2);
    while (!(get(u, UART_LINE_STATUS) & UART_LSR_IDLE) && clock_monotonic() < limit)
        sleep_ns(NSEC_PER_MSEC);
}

static void uart_stop(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    u->tx_stopped = true;
    want_tx_interrupt(u, false);
}

static void uart_start(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    u->tx_stopped = false;
    if (u->head != u->tail && u->running)
        start_transmitter(u);
}

static void uart_send_xchar(struct tty *tty, uint8_t c)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    u->xchar = c;
    if (u->running)
        start_transmitter(u);
}

// ---- the interrupt --------------------------------------------------------------------------------------------------

struct received {
    uint8_t byte, flag;
};

static unsigned receive(struct uart *u, struct received *out, unsigned room) REQUIRES(u->lock)
{
    unsigned n = 0;
    uint8_t status;
    while (n < room && (status = get(u, UART_LINE_STATUS)) & (UART_LSR_DATA | UART_LSR_BREAK)) {
        uint8_t c = get(u, UART_DATA), flag = TTY_NORMAL;
        u->counts.rx++;
        if (status & UART_LSR_OVERRUN)
            u->counts.overrun++;
        if (status & UART_LSR_BREAK) {
            u->counts.brk++;
            flag = TTY_BREAK;
        } else if (status & UART_LSR_PARITY) {
            u->counts.parity++;
            flag = TTY_PARITY;
        } else if (status & UART_LSR_FRAME) {
            u->counts.frame++;
            flag = TTY_FRAME;
        }
        if (u->tty.termios.c_cflag & CREAD)
            out[n++] = (struct received){c, flag};
    }
    return n;
}

enum { NEWS_ROOM = 1, NEWS_CARRIER_LOST = 2, NEWS_CARRIER = 4 };

// Reading the register forgets what changed: whoever reads passes the news on, with tell().
static unsigned modem_changes(struct uart *u, uint8_t *now) REQUIRES(u->lock)
{
    uint8_t status = *now = get(u, UART_MODEM_STATUS);
    unsigned news = 0;
    u->counts.cts += (status & UART_MSR_CTS_CHANGED) != 0;
    u->counts.dsr += (status & UART_MSR_DSR_CHANGED) != 0;
    u->counts.rng += (status & UART_MSR_RING_ENDED) != 0;
    if (status & UART_MSR_DCD_CHANGED) {
        u->counts.dcd++;
        news |= status & UART_MSR_DCD ? NEWS_CARRIER : NEWS_CARRIER_LOST;
    }
    bool hold = u->tty.termios.c_cflag & CRTSCTS && !(status & UART_MSR_CTS);
    if (u->cts_stopped && !hold) {
        u->cts_stopped = false;
        start_transmitter(u);
    }
    u->cts_stopped = hold;
    return news;
}

static struct work_item hangup_work[NR_PORTS];
static void carrier_lost(struct work_item *item)
{
    tty_hangup(&ports[item - hangup_work].tty);
}

static void tell(struct uart *u, unsigned news)
{
    if (news & NEWS_ROOM)
        tty_wakeup(&u->tty);
    if (news & NEWS_CARRIER)
        wake_up_all(&u->tty.read_wait);
    if (news & NEWS_CARRIER_LOST && !(u->tty.termios.c_cflag & CLOCAL))
        work_queue(&hangup_work[u->tty.index], carrier_lost);
}

// One round of one port. False: it asks for nothing.
static bool serve(struct uart *u)
{
    struct received got[RX_BATCH] __attribute__((uninitialized));
    unsigned n = 0, news = 0;
    uint8_t status;
    {
        spin_irq_guard(&u->lock);
        if (!u->running || get(u, UART_IDENT) & UART_IIR_NONE)
            return false;
        n = receive(u, got, RX_BATCH);
        news = modem_changes(u, &status);
        if (u->ier & UART_IER_TX && get(u, UART_LINE_STATUS) & UART_LSR_ROOM && transmit(u))
            news |= NEWS_ROOM;
    }
    for (unsigned i = 0; i < n; i++)
        if (tty_receive(&u->tty, &got[i].byte, 1, got[i].flag) == 0)
            u->counts.buf_overrun++;
    tell(u, news);
    return true;
}

// All ports whose interrupt is `irq`.
static bool interrupt(void *arg)
{
    unsigned irq = (unsigned)(uintptr_t)arg;
    bool ours = false, more = true;
    for (int round = 0; more && round < HANDLER_ROUNDS; round++) {
        more = false;
        for (unsigned i = 0; i < NR_PORTS; i++)
            if (ports[i].present && ports[i].irq == irq && serve(&ports[i]))
                more = ours = true;
    }
    // Cut short while a port still asks: its line goes down and up again, which is a new edge.
    for (unsigned i = 0; more && i < NR_PORTS; i++) {
        if (ports[i].present && ports[i].irq == irq) {
            spin_irq_guard(&ports[i].lock);
            set(&ports[i], UART_INTERRUPTS, 0);
            set(&ports[i], UART_INTERRUPTS, ports[i].ier);
        }
    }
    return ours;
}

static ktime_t poll(struct hrtimer *timer)
{
    struct uart *u = container_of(timer, struct uart, poll);
    for (int round = 0; round < HANDLER_ROUNDS && serve(u); round++)
        ;
    return clock_monotonic() + POLL_INTERVAL;
}

// ---- settings -------------------------------------------------------------------------------------------------------

static void program_line(struct uart *u) REQUIRES(u->lock)
{
    struct abi_termios2 *t = &u->tty.termios;
    uint8_t lcr = (uint8_t)((t->c_cflag & CSIZE) >> 4);
    if (t->c_cflag & CSTOPB)
        lcr |= UART_LCR_STOP2;
    if (t->c_cflag & PARENB)
        lcr |= UART_LCR_PARITY | (t->c_cflag & PARODD ? 0 : UART_LCR_EVEN) | (t->c_cflag & CMSPAR ? UART_LCR_STICK : 0);
    unsigned baud = tty_baud(t);
    unsigned divisor = baud ? clamp((UART_CLOCK + baud / 2) / baud, 1u, 0xffffu) : 1;
    u->lcr = (uint8_t)(lcr | (u->lcr & UART_LCR_BREAK));
    set(u, UART_LINE, u->lcr | UART_LCR_DLAB);
    set(u, UART_DATA, (uint8_t)divisor);
    set(u, UART_INTERRUPTS, (uint8_t)(divisor >> 8));
    set(u, UART_LINE, u->lcr);
    u->mcr = (uint8_t)(baud ? u->mcr | UART_MCR_DTR : u->mcr & ~(UART_MCR_DTR | UART_MCR_RTS)); // B0 hangs up
    set(u, UART_MODEM, u->mcr);
}

static void uart_set_termios(struct tty *tty, const struct abi_termios2 *old)
{
    struct uart *u = uart_of(tty);
    if (((old->c_cflag ^ tty->termios.c_cflag) & (CBAUD | CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS)) == 0 &&
        old->c_ospeed == tty->termios.c_ospeed)
        return;
    unsigned news;
    {
        spin_irq_guard(&u->lock);
        program_line(u);
        if (tty_baud(old) == 0 && tty_baud(&tty->termios))
            u->mcr |= UART_MCR_RTS;
        set(u, UART_MODEM, u->mcr);
        uint8_t status;
        news = modem_changes(u, &status);
    }
    tell(u, news);
}

static void uart_throttle(struct tty *tty, bool on)
{
    struct uart *u = uart_of(tty);
    if (tty->termios.c_iflag & IXOFF)
        uart_send_xchar(tty, tty->termios.c_cc[on ? VSTOP : VSTART]);
    if (!(tty->termios.c_cflag & CRTSCTS))
        return;
    spin_irq_guard(&u->lock);
    u->mcr = (uint8_t)(on ? u->mcr & ~UART_MCR_RTS : u->mcr | UART_MCR_RTS);
    set(u, UART_MODEM, u->mcr);
}

static int uart_tiocmget(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    unsigned news;
    uint8_t status;
    {
        spin_irq_guard(&u->lock);
        news = modem_changes(u, &status);
    }
    tell(u, news);
    return (int)((status & UART_MSR_CTS ? TIOCM_CTS : 0) | (status & UART_MSR_DSR ? TIOCM_DSR : 0) | (status & UART_MSR_RING ? TIOCM_RNG : 0) |
                 (status & UART_MSR_DCD ? TIOCM_CAR : 0) | (u->mcr & UART_MCR_DTR ? TIOCM_DTR : 0) | (u->mcr & UART_MCR_RTS ? TIOCM_RTS : 0) |
                 (u->mcr & UART_MCR_OUT1 ? TIOCM_OUT1 : 0) | (u->mcr & UART_MCR_OUT2 ? TIOCM_OUT2 : 0) | (u->mcr & UART_MCR_LOOP ? TIOCM_LOOP : 0));
}

static uint8_t lines_to_mcr(unsigned lines)
{
    return (uint8_t)((lines & TIOCM_DTR ? UART_MCR_DTR : 0) | (lines & TIOCM_RTS ? UART_MCR_RTS : 0) | (lines & TIOCM_OUT1 ? UART_MCR_OUT1 : 0) |
                     (lines & TIOCM_LOOP ? UART_MCR_LOOP : 0)); // OUT2 lets the interrupt through: it stays
}

static int uart_tiocmset(struct tty *tty, unsigned set_lines, unsigned clear)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    u->mcr = (uint8_t)((u->mcr & ~lines_to_mcr(clear)) | lines_to_mcr(set_lines));
    set(u, UART_MODEM, u->mcr);
    return 0;
}

static int uart_break(struct tty *tty, bool on)
{
    struct uart *u = uart_of(tty);
    spin_irq_guard(&u->lock);
    u->lcr = (uint8_t)(on ? u->lcr | UART_LCR_BREAK : u->lcr & ~UART_LCR_BREAK);
    set(u, UART_LINE, u->lcr);
    return 0;
}

#define PORT_16450 2
#define PORT_16550A 4

static long uart_ioctl(struct tty *tty, struct file *, unsigned cmd, unsigned long arg)
{
    struct uart *u = uart_of(tty);
    switch (cmd) {
    case TIOCGSERIAL: {
        struct abi_serial s = {.type = u->has_fifo ? PORT_16550A : PORT_16450, .line = (int)tty->index, .port = u->base, .irq = (int)u->irq,
                               .xmit_fifo_size = u->has_fifo ? UART_FIFO_SIZE : 1, .baud_base = UART_CLOCK, .close_delay = 50, .closing_wait = 3000};
        return copy_to_user(user_ptr(void, arg), &s, sizeof s) ? -EFAULT : 0;
    }
    case TIOCGICOUNT: {
        struct abi_icount counts = u->counts;
        return copy_to_user(user_ptr(void, arg), &counts, sizeof counts) ? -EFAULT : 0;
    }
    case TIOCSERGETLSR:
        return put_user(get(u, UART_LINE_STATUS) & UART_LSR_IDLE && !uart_pending(tty) ? 1 : 0, user_ptr(int, arg));
    }
    return -ENOTTY;
}

// ---- starting and stopping ------------------------------------------------------------------------------------------

static int uart_activate(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    {
        spin_irq_guard(&u->lock);
        u->tx_stopped = u->cts_stopped = false;
        u->head = u->tail;
        set(u, UART_FIFO, u->has_fifo ? UART_FCR_ENABLE | UART_FCR_CLEAR_RX | UART_FCR_TRIGGER_8 : 0);
        u->mcr = UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2;
        program_line(u);
        uint8_t status;
        (void)modem_changes(u, &status); // of before
        u->running = true;
        u->ier = UART_IER_RX | UART_IER_LINE | UART_IER_MODEM;
        set(u, UART_INTERRUPTS, u->ier);
    }
    if (u->irq_handle < 0)
        hrtimer_start(&u->poll, clock_monotonic() + POLL_INTERVAL);
    return 0;
}

// Interrupts off; the modem lines fall if HUPCL says so. The log may go on using the port, polled.
static void uart_shutdown(struct tty *tty)
{
    struct uart *u = uart_of(tty);
    if (u->irq_handle < 0)
        hrtimer_cancel(&u->poll);
    spin_irq_guard(&u->lock);
    u->running = false;
    u->ier = 0;
    set(u, UART_INTERRUPTS, 0);
    if (tty->termios.c_cflag & HUPCL && !u->console.write) {
        u->mcr &= (uint8_t)~(UART_MCR_DTR | UART_MCR_RTS);
        set(u, UART_MODEM, u->mcr);
    }
}

static const struct tty_ops uart_ops = {
    .activate = uart_activate,
    .shutdown = uart_shutdown,
    .write = uart_write,
    .write_room = uart_room,
    .chars_in_buffer = uart_pending,
    .flush_output = uart_flush,
    .wait_sent = uart_wait_sent,
    .set_termios = uart_set_termios,
    .stop = uart_stop,
    .start = uart_start,
    .throttle = uart_throttle,
    .send_xchar = uart_send_xchar,
    .tiocmget = uart_tiocmget,
    .tiocmset = uart_tiocmset,
    .break_ctl = uart_break,
    .ioctl = uart_ioctl,
};

static bool probe(struct uart *u)
{
    set(u, UART_SCRATCH, 0x5a);
    if (get(u, UART_SCRATCH) != 0x5a)
        return false;
    set(u, UART_SCRATCH, 0xa5);
    if (get(u, UART_SCRATCH) != 0xa5)
        return false;
    set(u, UART_FIFO, UART_FCR_ENABLE);
    u->has_fifo = (get(u, UART_IDENT) & UART_IIR_FIFO) == UART_IIR_FIFO;
    return true;
}

// One handler for all ports of a line; the second port finds it there.
static int take_interrupt(struct uart *u)
{
    for (unsigned i = 0; i < NR_PORTS; i++) {
        if (ports[i].irq == u->irq && ports[i].irq_handle > 0)
            return ports[i].irq_handle;
    }
    return irq_request_isa(u->irq, interrupt, (void *)(uintptr_t)u->irq, u->tty.name);
}

static int port_init(unsigned i)
{
    struct uart *u = &ports[i];
    u->base = known_ports[i].base;
    u->irq = known_ports[i].irq;
    spin_init(&u->lock, &uart_class);
    if (!probe(u))
        return 0;
    u->present = true;
    tty_init(&u->tty, &serial_driver, i, &uart_ops, TTY_SERIAL);
    u->tty.init_termios.c_cflag |= CLOCAL;
    tty_set_baud(&u->tty.init_termios, 9600);
    u->tty.termios = u->tty.init_termios;
    u->irq_handle = take_interrupt(u);
    hrtimer_init(&u->poll, HRTIMER_MONOTONIC, poll);
    if (u->irq_handle < 0)
        pr_warn("%s: no interrupt %u (error %d): polled\n", u->tty.name, u->irq, -u->irq_handle);
    uart_console_init(u);
    pr_info("%s: 16550%s at port 0x%x, interrupt %u\n", u->tty.name, u->has_fifo ? "A" : "", u->base, u->irq);
    return tty_add(&u->tty, nullptr);
}

static int serial_init(void)
{
    int err = tty_driver_register(&serial_driver);
    for (unsigned i = 0; !err && i < NR_PORTS; i++)
        err = port_init(i);
    return err;
}
INITCALL(device, serial_init);
