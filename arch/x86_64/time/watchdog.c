// arch/x86_64/time/watchdog.c — the NMI watchdog.
//
// A CPU whose timer was due long ago and whose interrupt has not come runs with interrupts off: a lock that is never
// released, a loop. Its neighbour, in its own timer interrupts, sees the overdue deadline and sends it an NMI, which
// shows its registers and stack. The look costs a few loads at most once a second. So that there are deadlines and looks on idle
// CPUs too, each CPU of several has a timer of its own, seconds apart. A machine that stood still as a whole (a paused guest)
// is not mistaken for it, because two looks a second apart must find the same deadline.
#define PR_FMT(fmt) "watchdog: " fmt
#include "arch/x86_64/time/watchdog.h"

#include "arch/include/cpu.h"
#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/trap/trap.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/boot/init.h"
#include "kernel/debug/backtrace.h"
#include "kernel/sched/sched.h"

#define OVERDUE (10 * NSEC_PER_SEC)
#define LOOK_EVERY NSEC_PER_SEC
#define WAKE_EVERY (4 * NSEC_PER_SEC)

struct watch {
    ktime_t due;        // of this CPU's timer; read by its neighbour
    ktime_t next_look;  // when this CPU looks at its neighbour again
    ktime_t suspect;    // the overdue deadline seen at the last look, 0: none
    bool shown;         // its state was asked for: the NMI is the watchdog's
};
static DEFINE_PER_CPU(struct watch, watch) = {.due = KTIME_MAX};
static bool enabled = true;

static int parse_nmi_watchdog(const char *value)
{
    enabled = value[0] != '0';
    return 0;
}
CMDLINE_PARAM("nmi_watchdog", parse_nmi_watchdog);

void watchdog_timer_set(ktime_t deadline)
{
    WRITE_ONCE(this_cpu_ptr(&watch)->due, deadline);
}

static bool show_this_cpu(struct pt_regs *regs)
{
    struct watch *w = this_cpu_ptr(&watch);
    if (!w->shown)
        return false;
    const struct thread *t = arch_current();
    pr_emerg("CPU %u, thread %s, is here:\n", this_cpu_id(), t->name);
    arch_show_regs(regs);
    backtrace_print(LOG_EMERG, regs->ip, regs->bp);
    return true;
}

static unsigned neighbour_of(unsigned cpu)
{
    unsigned next = cpumask_next((int)cpu, &cpu_online_mask);
    return next < MAX_CPUS ? next : cpumask_next(-1, &cpu_online_mask);
}

static void look_at_neighbour(struct watch *own, ktime_t now)
{
    unsigned cpu = neighbour_of(this_cpu_id());
    struct watch *w = per_cpu_ptr(&watch, cpu);
    ktime_t due = READ_ONCE(w->due);
    bool overdue = cpu != this_cpu_id() && due != KTIME_MAX && due < now - OVERDUE;
    if (overdue && own->suspect == due && !w->shown) {
        pr_emerg("CPU %u has had interrupts off for %lld s\n", cpu, (long long)((now - due) / NSEC_PER_SEC));
        w->shown = true;
        nmi_hook = show_this_cpu;
        lapic_send_nmi(cpu_apic_id[cpu]);
    }
    own->suspect = overdue ? due : 0;
}

void watchdog_timer_came(void)
{
    struct watch *own = this_cpu_ptr(&watch);
    WRITE_ONCE(own->due, KTIME_MAX);
    ktime_t now = arch_clock_ns();
    if (likely(now < own->next_look) || !enabled)
        return;
    own->next_look = now + LOOK_EVERY;
    look_at_neighbour(own, now);
}

static DEFINE_PER_CPU(struct hrtimer, wake_timer);

// The look itself is made by every timer interrupt.
static ktime_t wake(struct hrtimer *)
{
    return arch_clock_ns() + WAKE_EVERY;
}

static void start_here(void *)
{
    struct hrtimer *timer = this_cpu_ptr(&wake_timer);
    hrtimer_init(timer, HRTIMER_MONOTONIC, wake);
    hrtimer_start_slack(timer, arch_clock_ns() + WAKE_EVERY, NSEC_PER_SEC);
}

static int start_watching(void)
{
    if (enabled && cpumask_next(cpumask_next(-1, &cpu_online_mask), &cpu_online_mask) < MAX_CPUS)
        smp_call_function(&cpu_online_mask, start_here, nullptr);
    return 0;
}
INITCALL(device, start_watching);
