// arch/x86_64/apic/ioapic.c — interrupt lines of devices to vectors.
#define PR_FMT(fmt) "ioapic: " fmt
#include "arch/x86_64/apic/apic.h"
#include "cpu/io.h"
#include "kernel/abi/errno.h"
#include "kernel/base/printk.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/sync/spinlock.h"

struct ioapic {
    volatile char *memory;
    unsigned gsi_base, inputs;
};
static struct ioapic ioapics[ACPI_MAX_IOAPICS];
static unsigned nr_ioapics;
static DEFINE_LOCK_CLASS(ioapic_lock_class, "ioapic", RANK_DRIVER);
static struct spinlock ioapic_lock = SPINLOCK_INIT(&ioapic_lock_class); // the index register

#define IOAPIC_VERSION 1
#define IOAPIC_REDIRECTION(n) (0x10 + 2 * (n))
#define REDIRECT_ACTIVE_LOW (1u << 13)
#define REDIRECT_LEVEL (1u << 15)
#define REDIRECT_MASKED (1u << 16)

static uint32_t ioapic_read(const struct ioapic *io, uint32_t index) REQUIRES(ioapic_lock)
{
    mmio_write32(io->memory, index);
    return mmio_read32(io->memory + 16);
}

static void ioapic_write(const struct ioapic *io, uint32_t index, uint32_t value) REQUIRES(ioapic_lock)
{
    mmio_write32(io->memory, index);
    mmio_write32(io->memory + 16, value);
}

static struct ioapic *ioapic_of(unsigned gsi)
{
    for (unsigned i = 0; i < nr_ioapics; i++)
        if (gsi - ioapics[i].gsi_base < ioapics[i].inputs)
            return &ioapics[i];
    return nullptr;
}

static void rest(struct ioapic *io)
{
    spin_irq_guard(&ioapic_lock);
    io->inputs = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 255) + 1;
    for (unsigned input = 0; input < io->inputs; input++)
        ioapic_write(io, IOAPIC_REDIRECTION(input), REDIRECT_MASKED);
}

void ioapic_init(void)
{
    for (unsigned i = 0; i < acpi_info.nr_ioapics; i++) {
        struct ioapic *io = &ioapics[nr_ioapics];
        io->memory = ioremap(acpi_info.ioapic[i].address, PAGE_SIZE);
        if (!io->memory)
            continue;
        io->gsi_base = acpi_info.ioapic[i].gsi_base;
        rest(io);
        nr_ioapics++;
        pr_info("inputs %u to %u\n", io->gsi_base, io->gsi_base + io->inputs - 1);
    }
}

int ioapic_route(unsigned gsi, unsigned vector, uint32_t apic_id, bool level, bool active_low)
{
    spin_irq_guard(&ioapic_lock);
    const struct ioapic *io = ioapic_of(gsi);
    if (!io)
        return -ENODEV;
    unsigned entry = IOAPIC_REDIRECTION(gsi - io->gsi_base);
    ioapic_write(io, entry, REDIRECT_MASKED);
    ioapic_write(io, entry + 1, apic_id << 24);
    ioapic_write(io, entry, vector | (level ? REDIRECT_LEVEL : 0) | (active_low ? REDIRECT_ACTIVE_LOW : 0));
    return 0;
}

void ioapic_mask(unsigned gsi)
{
    spin_irq_guard(&ioapic_lock);
    const struct ioapic *io = ioapic_of(gsi);
    if (io)
        ioapic_write(io, IOAPIC_REDIRECTION(gsi - io->gsi_base), REDIRECT_MASKED);
}
