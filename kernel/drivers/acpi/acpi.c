// kernel/drivers/acpi/acpi.c — finding the tables, checking them, and reading MADT, HPET, MCFG and FADT into acpi_info.
#define PR_FMT(fmt) "acpi: " fmt
#include "kernel/drivers/acpi/acpi.h"

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/drivers/acpi/power.h"
#include "kernel/drivers/acpi/tables.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"

struct acpi_info acpi_info RO_AFTER_INIT;

#define MAX_TABLES 64
#define MAX_TABLE_SIZE (4u << 20)
static const struct acpi_header *tables[MAX_TABLES];
static unsigned nr_tables;

static bool checksum_ok(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += p[i];
    return sum == 0;
}

// Tables may lie in memory that has no direct mapping; what is there is copied.
static void *copy_physical(paddr_t pa, size_t size)
{
    const volatile uint8_t *from = ioremap(pa, size);
    uint8_t *to = kmalloc(size, ALLOC_KERNEL);
    if (!from || !to) {
        kfree(to);
        return nullptr;
    }
    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
    return to;
}

static const struct acpi_header *read_table(paddr_t pa)
{
    struct acpi_header *head = copy_physical(pa, sizeof *head);
    if (!head)
        return nullptr;
    uint32_t length = head->length;
    kfree(head);
    if (length < sizeof *head || length > MAX_TABLE_SIZE)
        return nullptr;
    struct acpi_header *table = copy_physical(pa, length);
    if (table && !checksum_ok(table, length)) {
        pr_warn("%.4s at %#llx: bad checksum, ignored\n", table->signature, (unsigned long long)pa);
        kfree(table);
        return nullptr;
    }
    return table;
}

const void *acpi_find_table(const char signature[4], unsigned index)
{
    for (unsigned i = 0; i < nr_tables; i++)
        if (memcmp(tables[i]->signature, signature, 4) == 0 && index-- == 0)
            return tables[i];
    return nullptr;
}

static void add_table(paddr_t pa)
{
    const struct acpi_header *table = pa && nr_tables < MAX_TABLES ? read_table(pa) : nullptr;
    if (table)
        tables[nr_tables++] = table;
}

// Under BIOS: on a 16-byte boundary in the first KiB of the extended BIOS data area, or in 0xe0000 .. 0xfffff.
static bool find_rsdp_in(paddr_t start, size_t size, struct acpi_rsdp *out)
{
    const char *area = ioremap(start, size);
    if (!area)
        return false;
    for (size_t at = 0; at + sizeof *out <= size; at += 16) {
        if (memcmp(area + at, "RSD PTR ", 8) != 0 || !checksum_ok(area + at, 20))
            continue;
        memcpy(out, area + at, sizeof *out);
        return true;
    }
    return false;
}

static bool find_rsdp(struct acpi_rsdp *out)
{
    if (boot_info.acpi_rsdp) {
        const struct acpi_rsdp *told = copy_physical(boot_info.acpi_rsdp, sizeof *out);
        if (told && memcmp(told->signature, "RSD PTR ", 8) == 0) {
            *out = *told;
            kfree((void *)told);
            return true;
        }
    }
    const uint8_t *bios_data = ioremap(0, PAGE_SIZE);
    paddr_t ebda = bios_data ? (paddr_t)(bios_data[0x40e] | bios_data[0x40f] << 8) << 4 : 0;
    if (ebda >= 0x80000 && ebda < 0xa0000 && find_rsdp_in(ebda, 1024, out))
        return true;
    return find_rsdp_in(0xe0000, 0x20000, out);
}

static void read_root(const struct acpi_rsdp *rsdp)
{
    bool wide = rsdp->revision >= 2 && rsdp->xsdt;
    const struct acpi_header *root = read_table(wide ? rsdp->xsdt : rsdp->rsdt);
    if (!root)
        return;
    const char *entry = (const char *)(root + 1);
    const char *end = (const char *)root + root->length;
    size_t step = wide ? 8 : 4;
    for (; entry + step <= end; entry += step) {
        uint64_t pa = 0;
        memcpy(&pa, entry, step);
        add_table(pa);
    }
    acpi_info.present = true;
}

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_ISA_OVERRIDE = 2, MADT_LAPIC_ADDRESS = 5, MADT_X2APIC = 9 };

static uint32_t le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void add_cpu(uint32_t apic_id, uint32_t flags)
{
    const uint32_t enabled = 1;
    if (!(flags & enabled))
        return;
    if (acpi_info.nr_cpus == ACPI_MAX_CPUS)
        acpi_info.cpus_ignored++;
    else
        acpi_info.cpu_apic_id[acpi_info.nr_cpus++] = apic_id;
}

static void add_isa_override(const uint8_t *e)
{
    uint8_t irq = e[3];
    if (e[2] != 0 || irq >= 16)
        return;
    unsigned flags = e[8];
    acpi_info.isa[irq] =
        (struct acpi_isa_irq){.gsi = le32(e + 4), .active_low = (flags & 3) == 3, .level = (flags >> 2 & 3) == 3};
}

static void read_madt_entry(const uint8_t *e, uint8_t length)
{
    switch (e[0]) {
    case MADT_LAPIC:
        if (length >= 8)
            add_cpu(e[3], le32(e + 4));
        break;
    case MADT_X2APIC:
        if (length >= 16)
            add_cpu(le32(e + 4), le32(e + 8));
        break;
    case MADT_IOAPIC:
        if (length >= 12 && acpi_info.nr_ioapics < ACPI_MAX_IOAPICS)
            acpi_info.ioapic[acpi_info.nr_ioapics++] =
                (struct acpi_ioapic){.id = e[2], .address = le32(e + 4), .gsi_base = le32(e + 8)};
        break;
    case MADT_ISA_OVERRIDE:
        if (length >= 10)
            add_isa_override(e);
        break;
    case MADT_LAPIC_ADDRESS:
        if (length >= 12)
            memcpy(&acpi_info.lapic_address, e + 4, 8);
        break;
    default:
        break;
    }
}

static void read_madt(void)
{
    const struct acpi_madt *madt = acpi_find_table("APIC", 0);
    if (!madt || madt->header.length < sizeof *madt)
        return;
    acpi_info.lapic_address = madt->lapic_address;
    acpi_info.has_8259 = madt->flags & 1;
    const uint8_t *e = (const uint8_t *)(madt + 1), *end = (const uint8_t *)madt + madt->header.length;
    while (e + 2 <= end && e[1] >= 2 && e + e[1] <= end) {
        read_madt_entry(e, e[1]);
        e += e[1];
    }
}

static void read_small_tables(void)
{
    const struct acpi_hpet *hpet = acpi_find_table("HPET", 0);
    if (hpet && hpet->header.length >= sizeof *hpet && hpet->address.space == ACPI_SPACE_MEMORY)
        acpi_info.hpet_address = hpet->address.address;
    const struct acpi_mcfg *mcfg = acpi_find_table("MCFG", 0);
    if (!mcfg)
        return;
    const struct acpi_mcfg_entry *e = (const void *)(mcfg + 1);
    const char *end = (const char *)mcfg + mcfg->header.length;
    for (; (const char *)(e + 1) <= end && acpi_info.nr_ecam < ACPI_MAX_ECAM; e++)
        acpi_info.ecam[acpi_info.nr_ecam++] = (struct acpi_ecam){
            .base = e->base, .segment = e->segment, .first_bus = e->first_bus, .last_bus = e->last_bus};
}

static void read_fadt(void)
{
    const struct acpi_header *head = acpi_find_table("FACP", 0);
    if (!head)
        return;
    static struct acpi_fadt fadt; // older revisions are shorter: what is missing reads as zero
    memcpy(&fadt, head, min((size_t)head->length, sizeof fadt));
    add_table(fadt.x_dsdt ? fadt.x_dsdt : fadt.dsdt);
    if (fadt.pm_timer_length == 4) {
        acpi_info.pm_timer_port = (uint16_t)fadt.pm_timer;
        acpi_info.pm_timer_32bit = fadt.flags & FADT_TIMER_32BIT;
    }
    acpi_info.legacy_devices = fadt.boot_flags & 1;
    acpi_info.i8042 = fadt.header.revision < 2 || fadt.boot_flags & 2;
    acpi_info.no_vga = fadt.boot_flags & 4;
    acpi_info.no_rtc = fadt.boot_flags & 32;
    acpi_info.century_register = fadt.century;
    acpi_power_init(&fadt);
}

void acpi_init(void)
{
    for (unsigned i = 0; i < 16; i++)
        acpi_info.isa[i] = (struct acpi_isa_irq){.gsi = i};
    struct acpi_rsdp rsdp;
    if (!find_rsdp(&rsdp)) {
        pr_warn("no root pointer: one CPU, no interrupt routing\n");
        return;
    }
    read_root(&rsdp);
    read_madt();
    read_small_tables();
    read_fadt();
    pr_info("%u tables, %u CPUs, %u I/O APICs, HPET %s, power-off %s\n", nr_tables, acpi_info.nr_cpus,
            acpi_info.nr_ioapics, acpi_info.hpet_address ? "yes" : "no", acpi_can_power_off() ? "yes" : "no");
}
