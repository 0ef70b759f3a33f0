// arch/include/cpu.h — what the portable kernel may ask of the processor it runs on: interrupts, idling, per-CPU data, other CPUs.
//
// The contract a CPU fulfils has its declarations here; its inline half lives in arch/<cpu>/include/cpu/ and is found
// by include path, so that no code in kernel/ is conditional on a CPU.
#pragma once

#include "kernel/base/types.h"

// irq_flags_t, arch_irq_save(), arch_irq_restore(), arch_irq_enable(), arch_irq_disable(), arch_irqs_enabled(), arch_irq_flags_enabled(flags)
#include "cpu/irqflags.h"
#include "cpu/percpu.h"   // arch_percpu_base(): see kernel/base/percpu.h; arch_current(), arch_preempt_*()
#include "cpu/barrier.h"  // cpu_relax(): a pause in a spin loop; arch_cycles(): a cheap, unserialised counter

#define MAX_CPUS 64

// Enables interrupts and sleeps until one arrives, without a gap between the two. Called by the idle thread, interrupts
// off; returns with them off.
void arch_idle(void);
// Never returns: interrupts off, halted for good.
[[noreturn]] void arch_halt(void);
// Power-off and reset by the platform's own means (ACPI first); return only where none worked.
void arch_poweroff(void);
void arch_reset(void);

// Starts every other CPU found in the firmware tables, up to `limit` in all; each enters smp_secondary_main() on its
// own stack. Called once at boot.
void arch_smp_boot(unsigned limit);
// Inter-processor interrupts. Any context with interrupts off or on; do not wait for an answer under a spinlock.
void arch_send_resched(unsigned cpu);                  // makes `cpu` pass its exit path and reschedule
void arch_send_call(const unsigned long cpumask[]);    // makes those CPUs run smp_call_function_interrupt()
void arch_send_stop(void);                             // stops all others for good (panic)

// Fills `buf` with random bytes from the CPU where it has such an instruction; returns how many were filled (0 where it
// has none).
size_t arch_random(void *buf, size_t size);

// Programs this CPU's one-shot timer to interrupt at `deadline` on the monotonic clock (ns); KTIME_MAX stops it.
// Interrupts off. The interrupt calls hrtimer_interrupt() (kernel/time/hrtimer.h).
void arch_timer_program(ktime_t deadline);

// The monotonic clock source: nanoseconds since boot, the same on every CPU, never backwards. Any context, also NMI.
ktime_t arch_clock_ns(void);
// The counter it reads now: "tsc", "hpet".
const char *arch_clock_name(void);
// Reads the battery clock: seconds since 1970 UTC. Boot, or a thread that may sleep. -ENODEV where there is none.
[[nodiscard]] int arch_rtc_read(int64_t *seconds);
// Sets it. -EINVAL for times it can not hold (before 1970, after 2099), -ENODEV.
[[nodiscard]] int arch_rtc_write(int64_t seconds);
