// kernel/drivers/acpi/acpi.h — what the firmware's tables say about the machine: ACPI 6.5, chapter 5.
//
// Tables are read once at boot; there is no AML interpreter. The one AML object needed, \_S5 (how to switch off), is
// found by its encoding.
#pragma once

#include "kernel/base/types.h"

#define ACPI_MAX_CPUS 64
#define ACPI_MAX_IOAPICS 8
#define ACPI_MAX_ECAM 8

struct acpi_ioapic {
    uint32_t id;
    paddr_t address;
    uint32_t gsi_base;
};
// How an ISA interrupt really arrives.
struct acpi_isa_irq {
    uint32_t gsi;
    bool level, active_low;
};
struct acpi_ecam { // PCI configuration space in memory (MCFG)
    paddr_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

struct acpi_info {
    bool present;
    paddr_t lapic_address;               // 0 where there is no MADT
    bool has_8259;
    // usable ones, in table order; more than ACPI_MAX_CPUS are counted in cpus_ignored
    unsigned nr_cpus;
    uint32_t cpu_apic_id[ACPI_MAX_CPUS];
    unsigned cpus_ignored;
    unsigned nr_ioapics;
    struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
    struct acpi_isa_irq isa[16];         // identity, edge, active high unless the table says otherwise
    paddr_t hpet_address;                // 0: none
    unsigned nr_ecam;
    struct acpi_ecam ecam[ACPI_MAX_ECAM];
    uint16_t pm_timer_port;              // 0: none
    bool pm_timer_32bit;
    bool legacy_devices, i8042, no_vga, no_rtc; // IA-PC boot flags
    uint8_t century_register;            // in the RTC's memory; 0: none
};
extern struct acpi_info acpi_info;

// Finds and reads the tables. Boot, after ioremap() works. A machine without ACPI leaves acpi_info.present false.
void acpi_init(void);
// A copy of the first (index 0) or a later table with this four-letter signature, checksum verified, or null.
const void *acpi_find_table(const char signature[4], unsigned index);

// Switches the machine off, or resets it; return where the tables offer no way. Interrupts off, other CPUs stopped.
void acpi_poweroff(void);
void acpi_reset(void);
