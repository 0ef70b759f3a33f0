// kernel/drivers/serial/uart_console.c — the log on a serial port: polled, with the port's transmitter interrupt held back meanwhile.
#include "arch/include/io.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/drivers/serial/uart.h"

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

// console=ttyS0,115200n8: the terminal starts with these settings. 115200 where nothing is said: what the early console uses.
static void take_options(struct uart *u)
{
    const char *options = "";
    unsigned baud = 0;
    if (strcmp(console_preferred(&options), u->tty.name) != 0)
        options = "";
    const char *at = options;
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
    u->console = (struct console){.name = u->tty.name, .write = uart_console_write, .data = u};
    if (console_register(&u->console))
        take_options(u);
    else
        u->console.write = nullptr;
}
