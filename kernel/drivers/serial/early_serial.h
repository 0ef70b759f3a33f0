// kernel/drivers/serial/early_serial.h — the first serial port as a console from the first line on: polled, no interrupts.
#pragma once

// Sets the first 16550 to 115200 baud, 8N1, and registers it as boot console "ttyS0", if a port answers at all.
// Replaced by the tty's serial driver when that registers its console.
void early_serial_init(void);
