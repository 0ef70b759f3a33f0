// kernel/drivers/pci/pci.c — finds what is on the PCI buses, by memory-mapped configuration space (ECAM, where the firmware's MCFG table tells of one) or the
// two ports of configuration mechanism 1. Buses are numbered and BARs assigned by the firmware.
#include "kernel/drivers/pci/pci.h"

#include "arch/include/io.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/seq_file.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc, SLOTS = 32, FUNCTIONS = 8, MAX_CAPABILITIES = 48 };
#define BUS_SPACE (1u << 20) // of ECAM, each bus
#define HEADER_DEVICE 0u
#define HEADER_BRIDGE 1u
#define HEADER_MULTI 0x80u
#define NOBODY 0xffffu
#define PCI_ROM_ADDRESS 0xfffff800u // the rest of that register says whether it answers

DEFINE_LOCK_CLASS(pci_list_class, "pci devices", RANK_EXEC); // devices are added inside
DEFINE_LOCK_CLASS(pci_ports_class, "pci config ports", RANK_DRIVER);
static struct mutex list_lock = MUTEX_INIT(list_lock, &pci_list_class);
static LIST_HEAD(devices); // list_lock
static LIST_HEAD(drivers); // list_lock
static struct spinlock ports_lock = SPINLOCK_INIT(&pci_ports_class);
static void *ecam_bus[256]; // mapped when a bus is first looked at

// ---- configuration space --------------------------------------------------------------------------------------------

static void *ecam_map(uint8_t bus)
{
    for (unsigned i = 0; i < acpi_info.nr_ecam && !ecam_bus[bus]; i++) {
        const struct acpi_ecam *e = &acpi_info.ecam[i];
        if (e->segment == 0 && bus >= e->first_bus && bus <= e->last_bus)
            ecam_bus[bus] = ioremap(e->base + (paddr_t)bus * BUS_SPACE, BUS_SPACE);
    }
    return ecam_bus[bus];
}

static void *ecam_address(const struct pci_device *pci, unsigned offset)
{
    void *base = ecam_bus[pci->bus];
    return base ? (char *)base + ((unsigned)pci->slot << 15 | (unsigned)pci->function << 12 | offset) : nullptr;
}

static uint32_t ports_select(const struct pci_device *pci, unsigned offset) REQUIRES(ports_lock)
{
    outl(CONFIG_ADDRESS, 1u << 31 | (uint32_t)pci->bus << 16 | (uint32_t)pci->slot << 11 | (uint32_t)pci->function << 8 | (offset & 0xfc));
    return CONFIG_DATA + (offset & 3);
}

uint32_t pci_read(const struct pci_device *pci, unsigned offset, unsigned size)
{
    void *at = ecam_address(pci, offset);
    if (at)
        return size == 1 ? mmio_read8(at) : size == 2 ? mmio_read16(at) : mmio_read32(at);
    spin_irq_guard(&ports_lock);
    uint16_t port = (uint16_t)ports_select(pci, offset);
    return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

void pci_write(const struct pci_device *pci, unsigned offset, unsigned size, uint32_t value)
{
    void *at = ecam_address(pci, offset);
    if (at) {
        if (size == 1)
            mmio_write8(at, (uint8_t)value);
        else if (size == 2)
            mmio_write16(at, (uint16_t)value);
        else
            mmio_write32(at, value);
        return;
    }
    spin_irq_guard(&ports_lock);
    uint16_t port = (uint16_t)ports_select(pci, offset);
    if (size == 1)
        outb(port, (uint8_t)value);
    else if (size == 2)
        outw(port, (uint16_t)value);
    else
        outl(port, value);
}

unsigned pci_find_capability(const struct pci_device *pci, uint8_t id, unsigned after)
{
    if (!(pci_read(pci, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
        return 0;
    unsigned at = pci_read(pci, after ? after + 1 : PCI_CAPABILITIES, 1) & 0xfc;
    for (int i = 0; at && i < MAX_CAPABILITIES; i++) { // a damaged list may go round in circles
        if (pci_read(pci, at, 1) == id)
            return at;
        at = pci_read(pci, at + 1, 1) & 0xfc;
    }
    return 0;
}

// ---- BARs and interrupts --------------------------------------------------------------------------------------------

// The size is what the device answers to all ones; it must not decode meanwhile. `rom` is where the ROM's register is, or 0.
static void read_bars(struct pci_device *pci, unsigned count, unsigned rom)
{
    uint32_t command = pci_read(pci, PCI_COMMAND, 2);
    pci_write(pci, PCI_COMMAND, 2, command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    for (unsigned i = 0; i < count; i++) {
        unsigned at = PCI_BAR0 + 4 * i;
        uint32_t low = pci_read(pci, at, 4);
        pci_write(pci, at, 4, ~0u);
        uint32_t mask = pci_read(pci, at, 4);
        pci_write(pci, at, 4, low);
        struct pci_bar *bar = &pci->bars[i];
        if (!mask)
            continue;
        if (low & 1) {
            *bar = (struct pci_bar){.base = low & ~3u, .size = (~(mask & ~3u) + 1) & 0xffff, .io = true};
            continue;
        }
        uint64_t base = low & ~15u, wide_mask = mask & ~15u;
        bool wide = (low & 6) == 4 && i + 1 < count;
        if (wide) {
            uint32_t high = pci_read(pci, at + 4, 4);
            pci_write(pci, at + 4, 4, ~0u);
            wide_mask |= (uint64_t)pci_read(pci, at + 4, 4) << 32;
            pci_write(pci, at + 4, 4, high);
            base |= (uint64_t)high << 32;
        } else {
            wide_mask |= 0xffffffffull << 32;
        }
        *bar = (struct pci_bar){.base = base, .size = ~wide_mask + 1, .prefetchable = low & 8, .wide = wide};
        i += wide;
    }
    if (rom) {
        uint32_t place = pci_read(pci, rom, 4);
        pci_write(pci, rom, 4, PCI_ROM_ADDRESS);
        uint32_t mask = pci_read(pci, rom, 4) & PCI_ROM_ADDRESS;
        pci_write(pci, rom, 4, place);
        if (mask)
            pci->rom = (struct pci_bar){.base = place & PCI_ROM_ADDRESS, .size = ~mask + 1u};
    }
    pci_write(pci, PCI_COMMAND, 2, command);
}

void pci_enable(struct pci_device *pci)
{
    pci_write(pci, PCI_COMMAND, 2, pci_read(pci, PCI_COMMAND, 2) | PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void *pci_map(struct pci_device *pci, unsigned bar, uint64_t offset, size_t size)
{
    if (bar >= PCI_BARS || pci->bars[bar].io || !pci->bars[bar].base || offset > pci->bars[bar].size || size > pci->bars[bar].size - offset)
        return nullptr;
    return ioremap(pci->bars[bar].base + offset, size);
}

enum { MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_ENTRY_SIZE = 16, MSIX_ENABLE = 0x8000, MSIX_MASK_ALL = 0x4000, MSIX_COUNT = 0x7ff };

int pci_request_msix(struct pci_device *pci, unsigned entry, irq_handler handler, void *arg, const char *name)
{
    unsigned cap = pci_find_capability(pci, PCI_CAP_MSIX, 0);
    if (!cap)
        return -ENODEV;
    uint32_t control = pci_read(pci, cap + MSIX_CONTROL, 2), place = pci_read(pci, cap + MSIX_TABLE, 4);
    unsigned count = (control & MSIX_COUNT) + 1;
    if (entry >= count)
        return -ENODEV;
    if (!pci->msix_table)
        pci->msix_table = pci_map(pci, place & 7, place & ~7u, (size_t)count * MSIX_ENTRY_SIZE);
    if (!pci->msix_table)
        return -ENODEV;
    struct msi_message message;
    int handle = irq_request_msi(handler, arg, name, &message);
    if (handle < 0)
        return handle;
    char *at = (char *)pci->msix_table + entry * MSIX_ENTRY_SIZE;
    mmio_write32(at, (uint32_t)message.address);
    mmio_write32(at + 4, (uint32_t)(message.address >> 32));
    mmio_write32(at + 8, message.data);
    mmio_write32(at + 12, 0); // unmasked
    pci_write(pci, cap + MSIX_CONTROL, 2, (control | MSIX_ENABLE) & ~(uint32_t)MSIX_MASK_ALL);
    pci_write(pci, PCI_COMMAND, 2, pci_read(pci, PCI_COMMAND, 2) | PCI_COMMAND_NO_INTX);
    return handle;
}

// ---- finding devices ------------------------------------------------------------------------------------------------

#define PCI_ATTR(field, format, value)                                                                                                        \
    static ssize_t show_##field(struct device *dev, char *buf, size_t size)                                                                   \
    {                                                                                                                                         \
        struct pci_device *pci = dev->private;                                                                                                \
        return scnprintf(buf, size, format "\n", value);                                                                                      \
    }
PCI_ATTR(vendor, "0x%04x", pci->vendor)
PCI_ATTR(device, "0x%04x", pci->id)
PCI_ATTR(subsystem_vendor, "0x%04x", pci->subsystem_vendor)
PCI_ATTR(subsystem_device, "0x%04x", pci->subsystem)
PCI_ATTR(class, "0x%06x", (unsigned)pci->class << 8 | pci->interface)
PCI_ATTR(revision, "0x%02x", pci->revision)
PCI_ATTR(irq, "%u", pci->irq_line)

static ssize_t show_modalias(struct device *dev, char *buf, size_t size)
{
    const struct pci_device *pci = dev->private;
    return scnprintf(buf, size, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n", pci->vendor, pci->id, pci->subsystem_vendor, pci->subsystem, pci->class >> 8,
                     pci->class & 0xff, pci->interface);
}

// The words that programs know in the third column of `resource`: the kind of range, and in the low bits what the register says of it.
enum resource_flags {
    RESOURCE_IO = 0x100,
    RESOURCE_MEMORY = 0x200,
    RESOURCE_PREFETCH = 0x2000,
    RESOURCE_READ_ONLY = 0x4000,
    RESOURCE_SIZE_ALIGNED = 0x40000,
    RESOURCE_WIDE = 0x100000,
    RESOURCE_NOT_PLACED = 0x20000000,
};

static unsigned bar_flags(const struct pci_bar *bar)
{
    if (bar->io)
        return RESOURCE_IO | 1;
    return RESOURCE_MEMORY | (bar->prefetchable ? RESOURCE_PREFETCH | 8 : 0) | (bar->wide ? RESOURCE_WIDE | 4 : 0);
}

static size_t put_range(char *buf, size_t size, const struct pci_bar *bar, unsigned flags)
{
    uint64_t last = bar->size ? bar->base + bar->size - 1 : 0;
    if (!bar->size)
        flags = 0;
    else
        flags |= RESOURCE_SIZE_ALIGNED | (bar->base ? 0 : RESOURCE_NOT_PLACED);
    return (size_t)scnprintf(buf, size, "0x%016llx 0x%016llx 0x%016llx\n", (unsigned long long)bar->base, (unsigned long long)last, (unsigned long long)flags);
}

// A line for each BAR, for the ROM, and for six ranges of virtual functions, which are not made here.
static ssize_t show_resource(struct device *dev, char *buf, size_t size)
{
    enum { VIRTUAL_RANGES = 6 };
    const struct pci_device *pci = dev->private;
    size_t n = 0;
    for (unsigned i = 0; i < PCI_BARS; i++)
        n += put_range(buf + n, size - n, &pci->bars[i], bar_flags(&pci->bars[i]));
    n += put_range(buf + n, size - n, &pci->rom, RESOURCE_MEMORY | RESOURCE_PREFETCH | RESOURCE_READ_ONLY);
    for (unsigned i = 0; i < VIRTUAL_RANGES; i++)
        n += put_range(buf + n, size - n, &(struct pci_bar){}, 0);
    return (ssize_t)n;
}

// Reading beyond the header can disturb some devices: only who may administer the system does it.
static ssize_t read_config(struct device *dev, const struct cred *opener, char *buf, size_t count, loff_t pos)
{
    const struct pci_device *pci = dev->private;
    loff_t end = cred_capable(opener, CAP_SYS_ADMIN) ? pci->config_size : PCI_HEADER_SIZE;
    if (pos >= end)
        return 0;
    count = min(count, (size_t)(end - pos));
    for (size_t i = 0; i < count;) {
        unsigned at = (unsigned)pos + (unsigned)i, width = at & 1 ? 1 : at & 2 ? 2 : 4;
        while (width > count - i)
            width /= 2;
        uint32_t value = pci_read(pci, at, width);
        memcpy(buf + i, &value, width);
        i += width;
    }
    return (ssize_t)count;
}

static loff_t config_size(const struct device *dev)
{
    return ((const struct pci_device *)dev->private)->config_size;
}

static const struct device_attr attrs[] = {
    {.name = "vendor", .mode = 0444, .show = show_vendor},
    {.name = "device", .mode = 0444, .show = show_device},
    {.name = "subsystem_vendor", .mode = 0444, .show = show_subsystem_vendor},
    {.name = "subsystem_device", .mode = 0444, .show = show_subsystem_device},
    {.name = "class", .mode = 0444, .show = show_class},
    {.name = "revision", .mode = 0444, .show = show_revision},
    {.name = "irq", .mode = 0444, .show = show_irq},
    {.name = "modalias", .mode = 0444, .show = show_modalias},
    {.name = "resource", .mode = 0444, .show = show_resource},
    {.name = "config", .mode = 0444, .read = read_config, .size = config_size},
    {},
};

static void pci_uevent(const struct device *dev, struct seq_file *m)
{
    const struct pci_device *pci = dev->private;
    const struct pci_driver *driver = READ_ONCE(pci->driver);
    if (driver)
        seq_printf(m, "DRIVER=%s\n", driver->name);
    seq_printf(m, "PCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=", (unsigned)pci->class << 8 | pci->interface,
               pci->vendor, pci->id, pci->subsystem_vendor, pci->subsystem, pci->name);
    char alias[80];
    show_modalias(&((struct pci_device *)pci)->device, alias, sizeof alias);
    seq_puts(m, alias);
}

static struct device host_bridge = {.name = "pci0000:00"};

// Only memory-mapped access reaches beyond 256 bytes, and only a PCI Express device has something there.
static bool has_extended_config(const struct pci_device *pci)
{
    return ecam_bus[pci->bus] && pci_find_capability(pci, PCI_CAP_EXPRESS, 0) && pci_read(pci, PCI_CONFIG_SIZE, 4) != ~0u;
}

static void scan_bus(uint8_t bus, struct device *parent, int depth) REQUIRES(list_lock);

static void add_function(const struct pci_device *at, struct device *parent, int depth) REQUIRES(list_lock)
{
    struct pci_device *pci = kzalloc(sizeof *pci, ALLOC_KERNEL);
    if (!pci)
        return;
    *pci = *at;
    pci->id = (uint16_t)pci_read(pci, PCI_DEVICE, 2);
    pci->class = (uint16_t)pci_read(pci, PCI_CLASS, 2);
    pci->interface = (uint8_t)pci_read(pci, PCI_CLASS - 1, 1);
    pci->revision = (uint8_t)pci_read(pci, PCI_REVISION, 1);
    pci->irq_line = (uint8_t)pci_read(pci, PCI_INTERRUPT_LINE, 1);
    pci->irq_pin = (uint8_t)pci_read(pci, PCI_INTERRUPT_PIN, 1);
    unsigned header = pci_read(pci, PCI_HEADER, 1) & 0x7f;
    bool bridge = header == HEADER_BRIDGE;
    unsigned bridge_id = bridge ? pci_find_capability(pci, PCI_CAP_BRIDGE_ID, 0) : 0;
    if (!bridge || bridge_id) {
        pci->subsystem_vendor = (uint16_t)pci_read(pci, bridge ? bridge_id + 4 : PCI_SUBSYSTEM_VENDOR, 2);
        pci->subsystem = (uint16_t)pci_read(pci, bridge ? bridge_id + 6 : PCI_SUBSYSTEM, 2);
    }
    pci->config_size = has_extended_config(pci) ? PCI_EXTENDED_CONFIG_SIZE : PCI_CONFIG_SIZE;
    read_bars(pci, bridge ? 2 : PCI_BARS, bridge ? PCI_ROM_OF_BRIDGE : header == HEADER_DEVICE ? PCI_ROM : 0);
    snprintf(pci->name, sizeof pci->name, "0000:%02x:%02x.%u", pci->bus, pci->slot, pci->function);
    pci->device = (struct device){.name = pci->name, .parent = parent, .bus = "pci", .attrs = attrs, .uevent = pci_uevent, .private = pci};
    list_add_tail(&pci->link, &devices);
    if (device_add(&pci->device))
        pr_warn("pci: %s can not be shown\n", pci->name);
    if (bridge && depth < 16) {
        uint8_t below = (uint8_t)pci_read(pci, PCI_SECONDARY_BUS, 1);
        if (below > pci->bus)
            scan_bus(below, &pci->device, depth + 1);
    }
}

static void scan_bus(uint8_t bus, struct device *parent, int depth)
{
    (void)ecam_map(bus);
    for (uint8_t slot = 0; slot < SLOTS; slot++) {
        for (uint8_t function = 0; function < FUNCTIONS; function++) {
            struct pci_device at = {.bus = bus, .slot = slot, .function = function};
            at.vendor = (uint16_t)pci_read(&at, PCI_VENDOR, 2);
            if (at.vendor == NOBODY) {
                if (function == 0)
                    break;
                continue;
            }
            bool multi = pci_read(&at, PCI_HEADER, 1) & HEADER_MULTI;
            add_function(&at, parent, depth);
            if (function == 0 && !multi)
                break;
        }
    }
}

static bool has_pci(void)
{
    if (acpi_info.nr_ecam)
        return true;
    spin_irq_guard(&ports_lock);
    outl(CONFIG_ADDRESS, 1u << 31);
    return inl(CONFIG_ADDRESS) == 1u << 31;
}

static void offer(struct pci_driver *driver, struct pci_device *pci)
{
    if (pci->driver || !driver->match(pci))
        return;
    int err = driver->probe(pci);
    if (err)
        pr_warn("pci: %s: %s failed (error %d)\n", pci->name, driver->name, -err);
    else
        WRITE_ONCE(pci->driver, driver);
}

void pci_driver_register(struct pci_driver *driver)
{
    mutex_guard(&list_lock);
    list_add_tail(&driver->link, &drivers);
    struct pci_device *pci;
    list_for_each_entry(pci, &devices, link)
        offer(driver, pci);
}

static int pci_init(void)
{
    if (!has_pci())
        return 0;
    int err = device_add(&host_bridge);
    mutex_guard(&list_lock);
    scan_bus(0, &host_bridge, 0);
    unsigned n = 0;
    struct pci_device *pci;
    list_for_each_entry(pci, &devices, link)
        n++;
    pr_info("pci: %u functions, configuration by %s\n", n, acpi_info.nr_ecam ? "memory" : "ports");
    return err;
}
INITCALL(subsys, pci_init);
