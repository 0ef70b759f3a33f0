// arch/x86_64/apic/apic.h — local APICs, I/O APICs, vectors: Intel SDM volume 3, chapter 11 (APIC); 82093AA (I/O APIC).
#pragma once

#include "arch/include/context.h"

enum vector {
    VECTOR_DEVICE_FIRST = 0x30, // below: exceptions, and what a misprogrammed 8259 might send
    VECTOR_DEVICE_LAST = 0xdf,
    VECTOR_TIMER = 0xec,
    VECTOR_RESCHED = 0xfc,
    VECTOR_CALL = 0xfb,
    VECTOR_STOP = 0xfa,
    VECTOR_ERROR = 0xfe,
    VECTOR_SPURIOUS = 0xff, // low four bits set, as the oldest chips demand
};

// Masks the 8259s, enables this (boot) CPU's local APIC and puts all I/O APIC inputs to rest. After acpi_init().
void apic_init(void);
// Enables the local APIC of another CPU. By itself, interrupts off.
void lapic_init_cpu(void);

uint32_t lapic_id(void);  // this CPU's
void lapic_eoi(void);     // the interrupt being handled has been: the next one may come
// Sends `vector` to one CPU by APIC id; waits until the message left. Interrupts may be on.
void lapic_send_ipi(uint32_t apic_id, unsigned vector);
// The same for an NMI, and for the two messages that start a CPU: at `page`, the number of a page below 1 MiB.
void lapic_send_nmi(uint32_t apic_id);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, unsigned page);
bool apic_present(void); // after apic_init()

// The timer: ticks from `count` to 0 at the bus clock / 1, then an interrupt; 0 stops it.
void lapic_timer_setup(bool tsc_deadline);
void lapic_timer_start(uint32_t count);
uint32_t lapic_timer_count(void); // what is left; 0: it has fired, or is stopped

// Number of I/O APIC inputs is known after apic_init(). Points the input at a vector; -ENODEV.
[[nodiscard]] int ioapic_route(unsigned gsi, unsigned vector, uint32_t apic_id, bool level, bool active_low);
void ioapic_mask(unsigned gsi); // no interrupt from that input until it is routed again
void ioapic_init(void); // by apic_init()

// From entry.S, on the interrupt stack, interrupts off.
void arch_interrupt(struct pt_regs *regs, unsigned vector);
// Interrupts of the kernel's own, counted by irq.c; implemented in smp.c, timer.c.
void smp_stop_interrupt(void);
