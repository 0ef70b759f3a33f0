// arch/x86_64/time/watchdog.h — notices a CPU that has had its interrupts off for many seconds, and shows where it is.
#pragma once

#include "kernel/base/types.h"

// This CPU's timer was set to `deadline` (KTIME_MAX: stopped), or its interrupt has just come. Interrupts off.
void watchdog_timer_set(ktime_t deadline);
void watchdog_timer_came(void);
