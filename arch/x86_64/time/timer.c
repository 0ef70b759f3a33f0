// arch/x86_64/time/timer.c — the one-shot timer of each CPU: TSC deadline where the CPU has it, else the local APIC's down-counter.
#include "arch/include/cpu.h"
#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/time/tsc.h"
#include "arch/x86_64/time/watchdog.h"
#include "kernel/time/hrtimer.h"

static bool use_deadline(void)
{
    uint64_t base, rate;
    ktime_t base_ns;
    return cpu_has(X86_TSC_DEADLINE) && clock_tsc_params(&base, &base_ns, &rate);
}
// The same on all CPUs: decided by the first. It stays should the clock turn from the TSC to another counter later: deadlines are then found
// from the time left (clock_ns_to_tsc()).
static bool deadline_mode;

void timer_init_cpu(void)
{
    static bool decided;
    if (!decided) {
        decided = true;
        deadline_mode = use_deadline();
    }
    lapic_timer_setup(deadline_mode);
}

static void start_counter(ktime_t deadline)
{
    ktime_t left = deadline - arch_clock_ns();
    // One tick more than needed: an interrupt that comes too early finds nothing due. Far deadlines take several rounds.
    unsigned __int128 ticks = left <= 0 ? 1 : (unsigned __int128)(uint64_t)left * lapic_timer_khz() / 1000000 + 1;
    lapic_timer_start(ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

void arch_timer_program(ktime_t deadline)
{
    watchdog_timer_set(deadline);
    if (deadline == KTIME_MAX) {
        if (deadline_mode)
            wrmsr(MSR_TSC_DEADLINE, 0);
        else
            lapic_timer_start(0);
        return;
    }
    if (deadline_mode)
        wrmsr(MSR_TSC_DEADLINE, clock_ns_to_tsc(deadline) + 1);
    else
        start_counter(deadline);
}

void timer_interrupt(void)
{
    watchdog_timer_came();
    hrtimer_interrupt();
}
