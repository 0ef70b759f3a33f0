// arch/x86_64/time/hpet.h — counters of known rate, to measure the others against: HPET (IA-PC HPET 1.0a), the ACPI timer, the 8254.
#pragma once

#include "kernel/base/types.h"

struct reference_clock {
    const char *name;
    uint64_t (*read)(void);
    uint64_t mask;         // the counter wraps above it
    uint64_t femtoseconds; // of one tick
};

// The best one this machine has; never null. After acpi_init().
const struct reference_clock *reference_clock_find(void);
// The HPET as a clock for good: null where there is none or it is too narrow.
const struct reference_clock *hpet_clock(void);
