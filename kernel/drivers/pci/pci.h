// kernel/drivers/pci/pci.h — the PCI bus: what is on it, configuration space, and drivers. PCI Local Bus 3.0, PCI Express Base.
#pragma once

#include "kernel/drivers/base/device.h"
#include "kernel/drivers/base/irq.h"

#define PCI_BARS 6u
#define PCI_HEADER_SIZE 64u
#define PCI_CONFIG_SIZE 256u
#define PCI_EXTENDED_CONFIG_SIZE 4096u

enum pci_config { // offsets in configuration space
    PCI_VENDOR = 0x00, PCI_DEVICE = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_REVISION = 0x08, PCI_CLASS = 0x0a, PCI_HEADER = 0x0e, PCI_BAR0 = 0x10,
    PCI_SECONDARY_BUS = 0x19, PCI_SUBSYSTEM_VENDOR = 0x2c, PCI_SUBSYSTEM = 0x2e, PCI_ROM = 0x30, PCI_CAPABILITIES = 0x34,
    PCI_ROM_OF_BRIDGE = 0x38, PCI_INTERRUPT_LINE = 0x3c, PCI_INTERRUPT_PIN = 0x3d,
    PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_NO_INTX = 0x400,
    PCI_STATUS_CAPABILITIES = 0x10,
    PCI_CAP_VENDOR = 0x09, PCI_CAP_BRIDGE_ID = 0x0d, PCI_CAP_EXPRESS = 0x10, PCI_CAP_MSIX = 0x11,
};

struct pci_bar {
    uint64_t base, size; // size 0: not there
    bool io, prefetchable, wide; // wide: an address of 64 bits, in two registers
};

struct pci_device {
    struct list_head link;
    uint8_t bus, slot, function;
    uint16_t vendor, id, subsystem_vendor, subsystem, class; // class: base class << 8 | subclass
    uint8_t revision, interface, irq_line, irq_pin;
    uint16_t config_size;    // bytes of configuration space: 256, or 4096 of PCI Express where they can be reached
    struct pci_bar bars[PCI_BARS], rom;
    struct pci_driver *driver;
    void *msix_table;        // mapped once interrupts are asked for
    char name[16];           // "0000:00:03.0"
    struct device device;
};

struct pci_driver {
    const char *name;
    bool (*match)(const struct pci_device *pci);
    int (*probe)(struct pci_device *pci); // 0: taken
    struct list_head link;
};

// Offers it every device that has no driver yet. Thread context.
void pci_driver_register(struct pci_driver *driver);
uint32_t pci_read(const struct pci_device *pci, unsigned offset, unsigned size); // size 1, 2 or 4
void pci_write(const struct pci_device *pci, unsigned offset, unsigned size, uint32_t value);
// The first capability `id` after offset `after` (0: from the start), or 0.
unsigned pci_find_capability(const struct pci_device *pci, uint8_t id, unsigned after);
// Lets it answer in memory and ports, and write to memory itself.
void pci_enable(struct pci_device *pci);
// Maps [offset, offset + size) of a memory BAR. Null: no such range.
void *pci_map(struct pci_device *pci, unsigned bar, uint64_t offset, size_t size);
// An interrupt for MSI-X table entry `entry`. Handle for irq_release(), or -ENODEV where the device has no such entry, and errors of irq_request_msi().
[[nodiscard]] int pci_request_msix(struct pci_device *pci, unsigned entry, irq_handler handler, void *arg, const char *name);
