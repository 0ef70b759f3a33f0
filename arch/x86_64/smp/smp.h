// arch/x86_64/smp/smp.h — finding, starting and stopping the other processors.
#pragma once

#include "kernel/base/types.h"

// Takes memory below 1 MiB for the start code. Boot CPU, while boot_memory_take() works.
void smp_reserve_trampoline(void);
// Numbers the CPUs the firmware names and makes their per-CPU areas. After apic_init().
void smp_find_cpus(void);
// Whether panic() is stopping all CPUs: an NMI then means to stop.
bool smp_stop_requested(void);
