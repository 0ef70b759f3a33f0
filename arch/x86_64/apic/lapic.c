// arch/x86_64/apic/lapic.c — the interrupt controller in each CPU: by memory (xAPIC) or by MSRs (x2APIC).
#define PR_FMT(fmt) "apic: " fmt
#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/cpu/percpu.h"
#include "cpu/io.h"
#include "cpu/irqflags.h"
#include "kernel/base/atomic.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/vmalloc.h"

enum lapic_register {
    LAPIC_ID = 0x20,
    LAPIC_TASK_PRIORITY = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_SPURIOUS = 0xf0,
    LAPIC_ERROR_STATUS = 0x280,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2APIC (1u << 10)
#define SPURIOUS_ENABLE (1u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_NMI (4u << 8)
#define LVT_TSC_DEADLINE (2u << 17)
#define ICR_PENDING (1u << 12)
#define ICR_ASSERT (1u << 14)
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define TIMER_DIVIDE_BY_1 0xb

static volatile char *lapic_memory RO_AFTER_INIT;
static bool x2apic RO_AFTER_INIT;

static uint32_t lapic_read(enum lapic_register reg)
{
    return x2apic ? (uint32_t)rdmsr(MSR_X2APIC + reg / 16) : mmio_read32(lapic_memory + reg);
}

static void lapic_write(enum lapic_register reg, uint32_t value)
{
    if (x2apic)
        wrmsr(MSR_X2APIC + reg / 16, value);
    else
        mmio_write32(lapic_memory + reg, value);
}

bool apic_present(void)
{
    return x2apic || lapic_memory;
}

uint32_t lapic_id(void)
{
    uint32_t id = lapic_read(LAPIC_ID);
    return x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

static void send(uint32_t apic_id, uint32_t command)
{
    if (x2apic) {
        smp_mb(); // an MSR write does not wait for earlier stores
        wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)apic_id << 32 | command);
        return;
    }
    irq_flags_t flags = arch_irq_save(); // two writes: nobody of this CPU in between
    while (mmio_read32(lapic_memory + LAPIC_ICR) & ICR_PENDING)
        cpu_relax();
    mmio_write32(lapic_memory + LAPIC_ICR_HIGH, apic_id << 24);
    mmio_write32(lapic_memory + LAPIC_ICR, command);
    arch_irq_restore(flags);
}

void lapic_send_ipi(uint32_t apic_id, unsigned vector)
{
    send(apic_id, ICR_ASSERT | vector);
}

void lapic_send_nmi(uint32_t apic_id)
{
    send(apic_id, ICR_ASSERT | ICR_NMI);
}

void lapic_send_init(uint32_t apic_id)
{
    send(apic_id, ICR_ASSERT | ICR_INIT);
}

void lapic_send_startup(uint32_t apic_id, unsigned page)
{
    send(apic_id, ICR_ASSERT | ICR_STARTUP | page);
}

void lapic_timer_setup(bool tsc_deadline)
{
    lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (tsc_deadline ? LVT_TSC_DEADLINE : 0));
    // The mode must be set before the first deadline is written: SDM volume 3, 11.5.4.1.
    __asm__ volatile("mfence" ::: "memory");
}

void lapic_timer_start(uint32_t count)
{
    lapic_write(LAPIC_TIMER_INITIAL, count);
}

uint32_t lapic_timer_count(void)
{
    return lapic_read(LAPIC_TIMER_CURRENT);
}

void lapic_init_cpu(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
    wrmsr(MSR_APIC_BASE, base);
    if (x2apic)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    lapic_write(LAPIC_TASK_PRIORITY, 0);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    lapic_write(LAPIC_ERROR_STATUS, 0);
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    lapic_eoi(); // whatever the firmware left in service
}

// Both 8259s: initialised to vectors nobody uses, then every input masked.
static void mask_8259(void)
{
    const uint16_t primary = 0x20, secondary = 0xa0;
    outb(primary, 0x11);
    outb(secondary, 0x11);
    outb(primary + 1, 0x20);
    outb(secondary + 1, 0x28);
    outb(primary + 1, 4);
    outb(secondary + 1, 2);
    outb(primary + 1, 1);
    outb(secondary + 1, 1);
    outb(primary + 1, 0xff);
    outb(secondary + 1, 0xff);
}

void apic_init(void)
{
    mask_8259();
    if (!cpu_has(X86_APIC))
        panic("this CPU has no local APIC");
    bool firmware_x2apic = rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
    if (cpu_has(X86_X2APIC) || firmware_x2apic) {
        x2apic = true;
    } else {
        paddr_t address = acpi_info.lapic_address ? acpi_info.lapic_address : rdmsr(MSR_APIC_BASE) & 0xffffff000UL;
        lapic_memory = ioremap(address, PAGE_SIZE);
        if (!lapic_memory)
            panic("local APIC at %#llx can not be mapped", (unsigned long long)address);
    }
    lapic_init_cpu();
    cpu_apic_id[0] = lapic_id();
    ioapic_init();
    pr_info("local APIC %u, %s mode\n", cpu_apic_id[0], x2apic ? "x2APIC" : "xAPIC");
}
