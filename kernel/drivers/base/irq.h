// kernel/drivers/base/irq.h — device interrupts: asking for a line or a message, and what /proc/interrupts shows.
//
// A handler runs in interrupt context, interrupts off, on the CPU the interrupt is routed to. It acknowledges its
// device, notes what happened, wakes whoever waits, and returns whether its device had raised the interrupt at all.
// Several may share a level-triggered line.
#pragma once

#include "kernel/base/types.h"

struct seq_file;

typedef bool (*irq_handler)(void *arg); // whether `arg`'s device had raised it

enum irq_request_flags {
    IRQ_EDGE_HIGH = 0,
    IRQ_LEVEL = 1 << 0,      // PCI: IRQ_LEVEL | IRQ_ACTIVE_LOW
    IRQ_ACTIVE_LOW = 1 << 1,
};

// Routes a global system interrupt (an input of an I/O APIC) to `handler`. Returns a handle (> 0) for irq_release().
// Thread or boot.
// Errors: -ENODEV no such input, -EBUSY taken with another trigger or not sharable, -ENOSPC no vector left, -ENOMEM.
[[nodiscard]] int irq_request_gsi(unsigned gsi, unsigned flags, irq_handler handler, void *arg, const char *name);
// An ISA interrupt by its old number (serial port 4, RTC 8 …), wherever the firmware says it arrives.
[[nodiscard]] int irq_request_isa(unsigned irq, irq_handler handler, void *arg, const char *name);

struct msi_message { // what a PCI device writes where
    uint64_t address;
    uint32_t data;
};
// A message-signalled interrupt: the caller programs `*message` into the device.
[[nodiscard]] int irq_request_msi(irq_handler handler, void *arg, const char *name, struct msi_message *message);
// Takes the handler with this `arg` off; returns when it no longer runs anywhere. May sleep.
void irq_release(int handle, void *arg);

// The content of /proc/interrupts, and the sum of all interrupts since boot (/proc/stat).
void irqs_show(struct seq_file *m);
uint64_t irqs_total(void);
