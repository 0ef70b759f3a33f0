// kernel/drivers/acpi/tables.h — layouts of the tables we read: ACPI 6.5, 5.2; HPET and MCFG by their own specifications.
#pragma once

#include "kernel/base/types.h"

struct PACKED acpi_rsdp {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length; // from here on revision 2
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
};

struct PACKED acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
};
static_assert(sizeof(struct acpi_header) == 36);

struct PACKED acpi_address { // generic address structure
    uint8_t space, bit_width, bit_offset, access_size;
    uint64_t address;
};
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO 1

struct PACKED acpi_fadt {
    struct acpi_header header;
    uint32_t facs, dsdt;
    uint8_t reserved0, preferred_profile;
    uint16_t sci_interrupt;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length, gpe0_length, gpe1_length,
        gpe1_base, cst_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_flags;
    uint8_t reserved1;
    uint32_t flags;
    struct acpi_address reset_register;
    uint8_t reset_value;
    uint16_t arm_flags;
    uint8_t minor_revision;
    uint64_t x_facs, x_dsdt;
    struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer, x_gpe0,
        x_gpe1;
};
static_assert(offsetof(struct acpi_fadt, flags) == 112 && offsetof(struct acpi_fadt, reset_register) == 116);
static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140 && sizeof(struct acpi_fadt) == 244);
#define FADT_TIMER_32BIT (1u << 8)
#define FADT_RESET_SUPPORTED (1u << 10)

struct PACKED acpi_madt {
    struct acpi_header header;
    uint32_t lapic_address, flags;
};
struct PACKED acpi_hpet {
    struct acpi_header header;
    uint32_t event_timer_block;
    struct acpi_address address;
    uint8_t number;
    uint16_t minimum_tick;
    uint8_t page_protection;
};
struct PACKED acpi_mcfg_entry {
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
struct PACKED acpi_mcfg {
    struct acpi_header header;
    uint64_t reserved;
};
