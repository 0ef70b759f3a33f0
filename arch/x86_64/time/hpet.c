// arch/x86_64/time/hpet.c — counters of known rate.
#include "arch/x86_64/time/hpet.h"

#include "cpu/io.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/vmalloc.h"

#define HPET_CAPABILITIES 0x00
#define HPET_CONFIGURATION 0x10
#define HPET_COUNTER 0xf0
#define HPET_64BIT (1u << 13)
#define HPET_MAX_PERIOD_FS 100000000u

static volatile char *hpet;

static uint64_t hpet_read(void)
{
    return mmio_read64(hpet + HPET_COUNTER);
}

static uint64_t hpet_read32(void)
{
    return mmio_read32(hpet + HPET_COUNTER);
}

static uint64_t pm_timer_read(void)
{
    return inl(acpi_info.pm_timer_port);
}

// Channel 2 counts down from 65535; the speaker stays off.
static uint64_t pit_read(void)
{
    outb(0x43, 0x80);
    uint64_t low = inb(0x42);
    return 0xffff - (low | (uint64_t)inb(0x42) << 8);
}

static void pit_start(void)
{
    outb(0x61, (uint8_t)((inb(0x61) & ~2) | 1));
    outb(0x43, 0xb4); // channel 2, low byte then high byte, rate generator
    outb(0x42, 0xff);
    outb(0x42, 0xff);
}

static struct reference_clock hpet_reference = {.name = "HPET"};
static const struct reference_clock pm_timer_24 = {
    .name = "ACPI timer", .read = pm_timer_read, .mask = 0xffffff, .femtoseconds = 279365114};
static const struct reference_clock pm_timer_32 = {
    .name = "ACPI timer", .read = pm_timer_read, .mask = 0xffffffff, .femtoseconds = 279365114};
static const struct reference_clock pit = {.name = "8254", .read = pit_read, .mask = 0xffff, .femtoseconds = 838095345};

static bool hpet_start(void)
{
    if (hpet)
        return true;
    if (!acpi_info.hpet_address)
        return false;
    volatile char *memory = ioremap(acpi_info.hpet_address, PAGE_SIZE);
    if (!memory)
        return false;
    uint32_t period = mmio_read32(memory + HPET_CAPABILITIES + 4);
    if (period == 0 || period > HPET_MAX_PERIOD_FS)
        return false;
    bool wide = mmio_read32(memory + HPET_CAPABILITIES) & HPET_64BIT;
    hpet = memory;
    hpet_reference.femtoseconds = period;
    hpet_reference.mask = wide ? UINT64_MAX : 0xffffffff;
    hpet_reference.read = wide ? hpet_read : hpet_read32;
    // counting, no legacy interrupts
    mmio_write64(memory + HPET_CONFIGURATION, (mmio_read64(memory + HPET_CONFIGURATION) & ~2UL) | 1);
    return true;
}

const struct reference_clock *hpet_clock(void)
{
    return hpet_start() && hpet_reference.mask == UINT64_MAX ? &hpet_reference : nullptr;
}

const struct reference_clock *reference_clock_find(void)
{
    if (hpet_start())
        return &hpet_reference;
    if (acpi_info.pm_timer_port)
        return acpi_info.pm_timer_32bit ? &pm_timer_32 : &pm_timer_24;
    pit_start();
    return &pit;
}
