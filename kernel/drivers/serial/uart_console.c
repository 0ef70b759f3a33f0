// kernel/drivers/serial/uart_console.c — the log on a serial port: polled, with the port's transmitter interrupt held back meanwhile.
#include "arch/include/io.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/drivers/serial/uart.h"
#include "kernel/time/clock.h"

#define PATIENCE (1 << 20) // polls until a port that never has room is given up for this byte

static void put(const struct uart *u, char c)
{
    for (int i = 0; i < PATIENCE && !(inb((uint16_t)(u->base + UART_LINE_STATUS)) & UART_LSR_ROOM); i++)
        cpu_relax();
    outb((uint16_t)(u->base + UART_DATA), (uint8_t)c);
}

// The log's lock is held and interrupts are off. In a panic another CPU may have stopped with the port's lock: then it does without.
static void uart_console_write(struct console *console, const char *text, size_t size) NO_THREAD_SAFETY_ANALYSIS
{
    struct uart *u = console->data;
    bool locked = false;
    for (int i = 0; i < PATIENCE && !(locked = spin_trylock(&u->lock)); i++)
        cpu_relax();
    outb((uint16_t)(u->base + UART_INTERRUPTS), 0);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            put(u, '\r');
        put(u, text[i]);
    }
    outb((uint16_t)(u->base + UART_INTERRUPTS), u->ier); // a transmitter that is empty interrupts now
    if (locked)
        spin_unlock(&u->lock);
}

// What programs wrote leaves before the machine stops, unless the terminal's user stopped it (^S) or the other side takes nothing.
static void uart_console_drain(struct console *console)
{
    struct uart *u = console->data;
    ktime_t limit = clock_monotonic() + NSEC_PER_SEC;
    while (clock_monotonic() < limit) {
        spin_irq_guard(&u->lock);
        if (!u->running || u->tx_stopped || u->cts_stopped || u->head == u->tail)
            break;
        for (unsigned n = 0; n < UART_FIFO_SIZE && u->head != u->tail; n++)
            put(u, (char)u->ring[u->tail++ % UART_RING]);
    }
    while (!(inb((uint16_t)(u->base + UART_LINE_STATUS)) & UART_LSR_IDLE) && clock_monotonic() < limit)
        cpu_relax();
}

// console=ttyS0,115200n8: the terminal starts with these settings. 115200 where nothing is said: what the early console uses.
static void take_options(struct uart *u)
{
    unsigned baud = 0;
    const char *at = console_options(u->tty.name);
    for (; *at >= '0' && *at <= '9' && baud < 10000000; at++)
        baud = baud * 10 + (unsigned)(*at - '0');
    struct abi_termios2 *t = &u->tty.init_termios;
    tty_set_baud(t, baud ? baud : 115200);
    if (*at == 'o' || *at == 'e') {
        t->c_cflag |= PARENB | (*at == 'o' ? PARODD : 0);
        at++;
    } else if (*at == 'n') {
        at++;
    }
    if (*at >= '5' && *at <= '8')
        t->c_cflag = (t->c_cflag & ~CSIZE) | (uint32_t)(*at++ - '5') << 4;
    if (*at == 'r')
        t->c_cflag |= CRTSCTS;
    u->tty.termios = *t;
}

void uart_console_init(struct uart *u)
{
    u->console = (struct console){.name = u->tty.name, .write = uart_console_write, .drain = uart_console_drain, .data = u, .anytime = true};
    if (console_register(&u->console))
        take_options(u);
    else
        u->console.write = nullptr;
}
