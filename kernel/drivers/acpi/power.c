// kernel/drivers/acpi/power.c — soft-off through the PM1 control registers, reset through the reset register: ACPI 6.5, 4.8.3.6 and 7.4.2.
#include "kernel/drivers/acpi/power.h"

#include "arch/include/cpu.h"
#include "arch/include/io.h"
#include "kernel/base/string.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/vmalloc.h"

static struct {
    uint16_t pm1a_control, pm1b_control, smi_command;
    uint8_t acpi_enable;
    bool has_s5, has_reset;
    uint8_t sleep_type_a, sleep_type_b, reset_value;
    struct acpi_address reset;
    volatile void *reset_memory;
} power RO_AFTER_INIT;

#define PM1_SCI_ENABLE (1u << 0)
#define PM1_SLEEP_TYPE(t) ((unsigned)(t) << 10)
#define PM1_SLEEP_TYPE_MASK (7u << 10)
#define PM1_SLEEP_ENABLE (1u << 13)

// One small integer of AML: Zero, One, Ones or a byte constant. Returns the bytes it takes, 0 if it is something else.
static size_t aml_integer(const uint8_t *p, const uint8_t *end, uint8_t *value)
{
    const uint8_t zero_op = 0x00, one_op = 0x01, byte_prefix = 0x0a, ones_op = 0xff;
    if (p >= end)
        return 0;
    if (*p == zero_op || *p == one_op || *p == ones_op) {
        *value = *p;
        return 1;
    }
    if (*p != byte_prefix || p + 1 >= end)
        return 0;
    *value = p[1];
    return 2;
}

// Name(_S5, Package {a, b, …}): 08 [5c] "_S5_" 12 PkgLength NumElements elements. PkgLength's top two bits count its
// further bytes.
static bool find_s5(const struct acpi_header *table)
{
    const uint8_t name_op = 0x08, root_char = 0x5c, package_op = 0x12;
    const uint8_t *start = (const uint8_t *)(table + 1), *end = (const uint8_t *)table + table->length;
    for (const uint8_t *p = start; p + 8 < end; p++) {
        if (memcmp(p, "_S5_", 4) != 0 || p == start || p[4] != package_op)
            continue;
        if (p[-1] != name_op && !(p[-1] == root_char && p - 1 > start && p[-2] == name_op))
            continue;
        const uint8_t *element = p + 5 + 1 + (p[5] >> 6) + 1;
        size_t used = aml_integer(element, end, &power.sleep_type_a);
        if (!used)
            continue;
        if (!aml_integer(element + used, end, &power.sleep_type_b))
            power.sleep_type_b = power.sleep_type_a;
        return true;
    }
    return false;
}

void acpi_power_init(const struct acpi_fadt *fadt)
{
    power.pm1a_control = (uint16_t)fadt->pm1a_control;
    power.pm1b_control = (uint16_t)fadt->pm1b_control;
    power.smi_command = (uint16_t)fadt->smi_command;
    power.acpi_enable = fadt->acpi_enable;
    const struct acpi_header *table = acpi_find_table("DSDT", 0);
    power.has_s5 = table && find_s5(table);
    for (unsigned i = 0; !power.has_s5 && (table = acpi_find_table("SSDT", i)); i++)
        power.has_s5 = find_s5(table);
    power.has_reset = fadt->flags & FADT_RESET_SUPPORTED && fadt->reset_register.address;
    power.reset = fadt->reset_register;
    power.reset_value = fadt->reset_value;
    if (power.has_reset && power.reset.space == ACPI_SPACE_MEMORY)
        power.reset_memory = ioremap(power.reset.address, 4);
}

bool acpi_can_power_off(void)
{
    return power.has_s5 && power.pm1a_control;
}

static void enter_acpi_mode(void)
{
    if (inw(power.pm1a_control) & PM1_SCI_ENABLE || !power.smi_command || !power.acpi_enable)
        return;
    outb(power.smi_command, power.acpi_enable);
    for (unsigned i = 0; i < 1000000 && !(inw(power.pm1a_control) & PM1_SCI_ENABLE); i++)
        cpu_relax();
}

static void write_sleep(uint16_t port, uint8_t type)
{
    unsigned value = (inw(port) & ~(PM1_SLEEP_TYPE_MASK | PM1_SLEEP_ENABLE)) | PM1_SLEEP_TYPE(type & 7);
    outw(port, (uint16_t)value);
    outw(port, (uint16_t)(value | PM1_SLEEP_ENABLE));
}

void acpi_poweroff(void)
{
    if (!acpi_can_power_off())
        return;
    enter_acpi_mode();
    write_sleep(power.pm1a_control, power.sleep_type_a);
    if (power.pm1b_control)
        write_sleep(power.pm1b_control, power.sleep_type_b);
    for (unsigned i = 0; i < 10000000; i++) // it takes effect a moment later
        cpu_relax();
}

void acpi_reset(void)
{
    if (!power.has_reset)
        return;
    if (power.reset.space == ACPI_SPACE_IO)
        outb((uint16_t)power.reset.address, power.reset_value);
    else if (power.reset_memory)
        mmio_write8(power.reset_memory, power.reset_value);
    for (unsigned i = 0; i < 10000000; i++)
        cpu_relax();
}
