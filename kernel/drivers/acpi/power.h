// kernel/drivers/acpi/power.h — the part of the ACPI code that switches off and resets; for acpi.c.
#pragma once

#include "kernel/drivers/acpi/tables.h"

// Remembers registers and \_S5's sleep types. The DSDT and SSDTs can be found already.
void acpi_power_init(const struct acpi_fadt *fadt);
bool acpi_can_power_off(void); // the tables say how
