// arch/x86_64/time/tsc.h — the clock source: time stamp counter or HPET, and the timer interrupt of each CPU.
#pragma once

#include "kernel/base/types.h"

// The TSC's rate in kHz; 0 before clock_init().
uint64_t tsc_khz(void);
// Measures the TSC against HPET or the ACPI timer and starts arch_clock_ns(). Boot CPU, after acpi_init().
void clock_init(void);
// The rate of the local APICs' timers in kHz.
uint64_t lapic_timer_khz(void);
// How user space can compute the clock from the TSC: ns = base_ns + (tsc - base) * rate >> 32. False where the clock is
// not the TSC.
bool clock_tsc_params(uint64_t *base, ktime_t *base_ns, uint64_t *rate);
// What this CPU's TSC shows at clock time `ns`, for deadlines; also where the clock is another counter. Interrupts off.
uint64_t clock_ns_to_tsc(ktime_t ns);
// Compares the TSCs of the boot CPU and a starting one: both sides run at the same time. A counter that is behind makes
// the clock fall back to the HPET, or to a clock that only moves forward.
void tsc_sync_source(void);
void tsc_sync_target(void);

// Sets up this CPU's local APIC timer (rate measured once). Interrupts off.
void timer_init_cpu(void);
void timer_interrupt(void); // what that timer's interrupt does, between irq_enter() and irq_exit()
