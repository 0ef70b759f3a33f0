// kernel/drivers/serial/uart.h — one 16550 serial port: National Semiconductor PC16550D data sheet.
#pragma once

#include "kernel/base/printk.h"
#include "kernel/drivers/tty/tty.h"
#include "kernel/time/hrtimer.h"

#define UART_RING 4096u

enum uart_register { // offsets from the port's base
    UART_DATA = 0,       // with DLAB: divisor, low byte
    UART_INTERRUPTS = 1, // with DLAB: divisor, high byte
    UART_IDENT = 2,      // read
    UART_FIFO = 2,       // write
    UART_LINE = 3,
    UART_MODEM = 4,
    UART_LINE_STATUS = 5,
    UART_MODEM_STATUS = 6,
    UART_SCRATCH = 7,
};
enum {
    UART_IER_RX = 1, UART_IER_TX = 2, UART_IER_LINE = 4, UART_IER_MODEM = 8,
    UART_IIR_NONE = 1, UART_IIR_FIFO = 0xc0,
    UART_FCR_ENABLE = 1, UART_FCR_CLEAR_RX = 2, UART_FCR_CLEAR_TX = 4, UART_FCR_TRIGGER_8 = 0x80,
    UART_LCR_STOP2 = 4, UART_LCR_PARITY = 8, UART_LCR_EVEN = 0x10, UART_LCR_STICK = 0x20, UART_LCR_BREAK = 0x40, UART_LCR_DLAB = 0x80,
    UART_MCR_DTR = 1, UART_MCR_RTS = 2, UART_MCR_OUT1 = 4, UART_MCR_OUT2 = 8, UART_MCR_LOOP = 0x10,
    UART_LSR_DATA = 1, UART_LSR_OVERRUN = 2, UART_LSR_PARITY = 4, UART_LSR_FRAME = 8, UART_LSR_BREAK = 0x10, UART_LSR_ROOM = 0x20, UART_LSR_IDLE = 0x40,
    UART_MSR_CTS_CHANGED = 1, UART_MSR_DSR_CHANGED = 2, UART_MSR_RING_ENDED = 4, UART_MSR_DCD_CHANGED = 8,
    UART_MSR_CTS = 0x10, UART_MSR_DSR = 0x20, UART_MSR_RING = 0x40, UART_MSR_DCD = 0x80,
    UART_FIFO_SIZE = 16,
    UART_CLOCK = 115200, // baud at divisor 1
};

struct uart {
    struct tty tty;
    uint16_t base;
    unsigned irq;          // ISA number
    bool present, has_fifo, running;
    int irq_handle;        // > 0: interrupts come
    struct hrtimer poll;   // else: it is looked at now and then while it runs
    struct spinlock lock;  // registers and everything below; also taken by printk, so nothing inside prints
    uint8_t ier, lcr, mcr;
    uint8_t xchar;         // to be sent ahead of the ring; 0: none
    bool cts_stopped, tx_stopped;
    uint8_t ring[UART_RING];
    uint32_t head, tail;   // free-running
    struct abi_icount counts;
    struct console console;
};

// uart_console.c: polled output through the port, for the log. Safe inside any lock.
void uart_console_init(struct uart *uart);
