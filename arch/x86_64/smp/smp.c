// arch/x86_64/smp/smp.c — starting the other processors, one after the other, and talking to them.
#define PR_FMT(fmt) "smp: " fmt
#include "arch/x86_64/smp/smp.h"

#include "arch/include/context.h"
#include "arch/include/setup.h"
#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/mm/root.h"
#include "arch/x86_64/time/tsc.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/page.h"
#include "kernel/sched/sched.h"

// Layout of trampoline.S from smp_trampoline_fields on.
struct PACKED trampoline_fields {
    uint16_t gdt_limit;
    uint32_t gdt_base;
    uint16_t pad0;
    uint32_t far_offset;
    uint16_t far_selector, pad1;
    uint32_t cr3, cpu;
    uint64_t root, stack, entry, gdt[4];
};
extern const char smp_trampoline[], smp_trampoline_64[], smp_trampoline_fields[], smp_trampoline_end[];
extern char smp_secondary_entry[];
[[noreturn]] void smp_secondary_start(unsigned cpu);

// Four pages: code, then root table and the two levels that map the first 2 MiB.
#define TRAMPOLINE_PAGES 4
static paddr_t trampoline RO_AFTER_INIT;
static struct thread *secondary_idle;
static uint32_t secondary_arrived; // CPU number + 1 of the last one that runs kernel code
static bool stop_requested;

void smp_reserve_trampoline(void)
{
    trampoline = boot_memory_take(TRAMPOLINE_PAGES * PAGE_SIZE, PAGE_SIZE, 0x100000);
}

void smp_find_cpus(void)
{
    unsigned found = 1;
    for (unsigned i = 0; i < acpi_info.nr_cpus && found < MAX_CPUS; i++) {
        if (acpi_info.cpu_apic_id[i] == cpu_apic_id[0])
            continue;
        if (percpu_create(found)) {
            pr_warn("no memory for CPU %u and those behind it\n", found);
            break;
        }
        cpu_apic_id[found] = acpi_info.cpu_apic_id[i];
        cpumask_set(found, &cpu_possible_mask);
        found++;
    }
    nr_cpus = found;
    if (acpi_info.cpus_ignored)
        pr_warn("%u CPUs more than the %u we can use\n", acpi_info.cpus_ignored, MAX_CPUS);
}

static void build_trampoline(void)
{
    enum { PRESENT_WRITABLE = 3, LARGE = 0x80 };
    char *code = phys_to_virt(trampoline);
    uint64_t *root = phys_to_virt(trampoline + PAGE_SIZE);
    uint64_t *level3 = phys_to_virt(trampoline + 2 * PAGE_SIZE), *level2 = phys_to_virt(trampoline + 3 * PAGE_SIZE);
    memcpy(code, smp_trampoline, (size_t)(smp_trampoline_end - smp_trampoline));
    memcpy(root, x86_kernel_root.table, PAGE_SIZE);
    memset(level3, 0, PAGE_SIZE);
    memset(level2, 0, PAGE_SIZE);
    root[0] = (trampoline + 2 * PAGE_SIZE) | PRESENT_WRITABLE;
    level3[0] = (trampoline + 3 * PAGE_SIZE) | PRESENT_WRITABLE;
    level2[0] = PRESENT_WRITABLE | LARGE;

    size_t fields_at = (size_t)(smp_trampoline_fields - smp_trampoline);
    struct trampoline_fields *f = (struct trampoline_fields *)(code + fields_at);
    f->gdt_base = (uint32_t)(trampoline + fields_at + offsetof(struct trampoline_fields, gdt));
    f->far_offset = (uint32_t)(trampoline + (size_t)(smp_trampoline_64 - smp_trampoline));
    f->cr3 = (uint32_t)(trampoline + PAGE_SIZE);
    f->root = x86_kernel_root.phys;
    f->entry = (uintptr_t)smp_secondary_entry;
}

static struct trampoline_fields *fields(void)
{
    return phys_to_virt(trampoline + (size_t)(smp_trampoline_fields - smp_trampoline));
}

void smp_secondary_start(unsigned cpu)
{
    descriptors_load(cpu);
    features_enable();
    topology_detect(cpu);
    arch_set_current(secondary_idle);
    __atomic_store_n(&secondary_arrived, cpu + 1, __ATOMIC_RELEASE);
    tsc_sync_target();
    lapic_init_cpu();
    timer_init_cpu();
    smp_secondary_main();
}

static bool wait_arrived(unsigned cpu, ktime_t span)
{
    ktime_t end = arch_clock_ns() + span;
    while (__atomic_load_n(&secondary_arrived, __ATOMIC_ACQUIRE) != cpu + 1) {
        if (arch_clock_ns() > end)
            return false;
        cpu_relax();
    }
    return true;
}

static void spin_ns(ktime_t span)
{
    for (ktime_t end = arch_clock_ns() + span; arch_clock_ns() < end;)
        cpu_relax();
}

// SDM volume 3, 9.4.4.1: INIT, then STARTUP, and once more for CPUs that missed it.
static bool wake_cpu(unsigned cpu)
{
    unsigned page = (unsigned)(trampoline >> PAGE_SHIFT);
    lapic_send_init(cpu_apic_id[cpu]);
    spin_ns(10 * NSEC_PER_USEC);
    lapic_send_startup(cpu_apic_id[cpu], page);
    if (wait_arrived(cpu, 20 * NSEC_PER_MSEC))
        return true;
    lapic_send_startup(cpu_apic_id[cpu], page);
    return wait_arrived(cpu, NSEC_PER_SEC);
}

static bool start_cpu(unsigned cpu)
{
    secondary_idle = sched_prepare_secondary(cpu);
    if (!secondary_idle) {
        pr_warn("no memory for CPU %u\n", cpu);
        return false;
    }
    fields()->cpu = cpu;
    fields()->stack = (uintptr_t)secondary_idle->stack + KERNEL_STACK_SIZE;
    smp_mb();
    if (!wake_cpu(cpu)) {
        pr_warn("CPU %u (APIC %u) does not answer\n", cpu, cpu_apic_id[cpu]);
        return false;
    }
    irq_flags_t flags = arch_irq_save(); // the comparison of counters must not be interrupted
    tsc_sync_source();
    arch_irq_restore(flags);
    while (!cpumask_test(cpu, &cpu_online_mask))
        cpu_relax();
    return true;
}

void arch_smp_boot(unsigned limit)
{
    if (nr_cpus == 1 || limit <= 1)
        return;
    if (!trampoline) {
        pr_warn("no memory below 1 MiB: staying with one CPU\n");
        return;
    }
    build_trampoline();
    unsigned online = 1;
    for (unsigned cpu = 1; cpu < nr_cpus && online < limit; cpu++) {
        if (!start_cpu(cpu))
            break; // a late riser would find another CPU's stack in the trampoline
        online++;
    }
    pr_info("%u of %u CPUs online\n", online, nr_cpus);
}

void arch_send_resched(unsigned cpu)
{
    lapic_send_ipi(cpu_apic_id[cpu], VECTOR_RESCHED);
}

void arch_send_call(const unsigned long cpumask[])
{
    for (unsigned long rest = cpumask[0]; rest; rest &= rest - 1)
        lapic_send_ipi(cpu_apic_id[__builtin_ctzl(rest)], VECTOR_CALL);
}

bool smp_stop_requested(void)
{
    return __atomic_load_n(&stop_requested, __ATOMIC_ACQUIRE);
}

// By NMI: a CPU that spins with interrupts off has to stop as well.
void arch_send_stop(void)
{
    if (!apic_present() || __atomic_exchange_n(&stop_requested, true, __ATOMIC_SEQ_CST))
        return;
    unsigned self = this_cpu_id(), cpu;
    for_each_online_cpu(cpu)
        if (cpu != self)
            lapic_send_nmi(cpu_apic_id[cpu]);
    spin_ns(NSEC_PER_MSEC);
}

void smp_stop_interrupt(void)
{
    arch_halt();
}
