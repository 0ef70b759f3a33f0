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

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc, SLOTS = 32, FUNCTIONS = 8, MAX_CAPABILITIES = 48 };
#define BUS_SPACE (1u << 20) // of ECAM, each bus
#define HEADER_BRIDGE 1u
#define HEADER_MULTI 0x80u
#define NOBODY 0xffffu

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

// The size is what the device answers to all ones; it must not decode meanwhile.
static void read_bars(struct pci_device *pci, unsigned count)
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
        *bar = (struct pci_bar){.base = base, .size = ~wide_mask + 1, .prefetchable = low & 8};
        i += wide;
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

static const struct device_attr attrs[] = {
    {"vendor", 0444, show_vendor, nullptr},     {"device", 0444, show_device, nullptr}, {"subsystem_vendor", 0444, show_subsystem_vendor, nullptr},
    {"subsystem_device", 0444, show_subsystem_device, nullptr}, {"class", 0444, show_class, nullptr}, {"revision", 0444, show_revision, nullptr},
    {"irq", 0444, show_irq, nullptr},           {},
};
static struct device host_bridge = {.name = "pci0000:00"};

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
    bool bridge = (pci_read(pci, PCI_HEADER, 1) & 0x7f) == HEADER_BRIDGE;
    if (!bridge) {
        pci->subsystem_vendor = (uint16_t)pci_read(pci, PCI_SUBSYSTEM_VENDOR, 2);
        pci->subsystem = (uint16_t)pci_read(pci, PCI_SUBSYSTEM, 2);
    }
    read_bars(pci, bridge ? 2 : PCI_BARS);
    snprintf(pci->name, sizeof pci->name, "0000:%02x:%02x.%u", pci->bus, pci->slot, pci->function);
    pci->device = (struct device){.name = pci->name, .parent = parent, .bus = "pci", .attrs = attrs, .private = pci};
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
        pci->driver = driver;
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
