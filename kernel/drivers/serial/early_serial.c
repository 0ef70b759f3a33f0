// kernel/drivers/serial/early_serial.c — polled output to the first 16550: National Semiconductor PC16550D data sheet.
#include "kernel/drivers/serial/early_serial.h"

#include "kernel/base/printk.h"
#include "kernel/base/string.h"

#include "cpu/io.h"

enum {
    COM1 = 0x3f8,
    DATA = COM1,      // with DLAB: divisor, low byte
    INTERRUPTS = COM1 + 1, // with DLAB: divisor, high byte
    FIFO = COM1 + 2,
    LINE = COM1 + 3,
    MODEM = COM1 + 4,
    LINE_STATUS = COM1 + 5,
    SCRATCH = COM1 + 7,

    LINE_8N1 = 0x03,
    LINE_DLAB = 0x80,
    FIFO_ENABLE_AND_CLEAR = 0x07,
    MODEM_DTR_RTS_OUT2 = 0x0b,
    STATUS_ROOM = 0x20,
    CLOCK = 115200,
    PATIENCE = 1 << 20, // polls until a port that never has room is given up for this byte
};

static void put(char c)
{
    for (int i = 0; i < PATIENCE && !(inb(LINE_STATUS) & STATUS_ROOM); i++)
        ;
    outb(DATA, (uint8_t)c);
}

static void write_polled([[maybe_unused]] struct console *console, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
}

static struct console console = {.name = "ttyS0", .write = write_polled, .boot_only = true};

static bool port_answers(void)
{
    outb(SCRATCH, 0x5a);
    return inb(SCRATCH) == 0x5a;
}

void early_serial_init(void)
{
    if (!port_answers())
        return;
    outb(INTERRUPTS, 0);
    outb(LINE, LINE_DLAB | LINE_8N1);
    outb(DATA, 1); // divisor 1: 115200 baud
    outb(INTERRUPTS, 0);
    outb(LINE, LINE_8N1);
    outb(FIFO, FIFO_ENABLE_AND_CLEAR);
    outb(MODEM, MODEM_DTR_RTS_OUT2);
    console_register(&console);
}
