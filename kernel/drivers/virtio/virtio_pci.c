// kernel/drivers/virtio/virtio_pci.c — virtio over PCI, the modern interface: sections 2 (queues), 3 (initialisation) and 4.1 (PCI) of the specification.
#include "kernel/drivers/virtio/virtio.h"

#include "arch/include/io.h"
#include "kernel/abi/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"

#define VIRTIO_VENDOR 0x1af4u
#define TRANSITIONAL_FIRST 0x1000u
#define MODERN_FIRST 0x1040u
#define FEATURE_VERSION_1 (1ull << 32)
#define NO_VECTOR 0xffffu

enum { // status bits: 2.1
    STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8, STATUS_FAILED = 128,
};
enum { // common configuration: 4.1.4.3
    COMMON_DEVICE_FEATURE_SELECT = 0, COMMON_DEVICE_FEATURE = 4, COMMON_DRIVER_FEATURE_SELECT = 8, COMMON_DRIVER_FEATURE = 12, COMMON_MSIX_CONFIG = 16,
    COMMON_STATUS = 20, COMMON_QUEUE_SELECT = 22, COMMON_QUEUE_SIZE = 24, COMMON_QUEUE_MSIX = 26, COMMON_QUEUE_ENABLE = 28, COMMON_QUEUE_NOTIFY_OFF = 30,
    COMMON_QUEUE_DESC = 32, COMMON_QUEUE_DRIVER = 40, COMMON_QUEUE_DEVICE = 48, COMMON_SIZE = 56,
};
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_DEVICE = 4 };     // vendor capability's type: 4.1.4
enum { CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_NOTIFY_MULTIPLIER = 16 };

struct virtq_desc {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};
#define DESC_WRITE 2u
struct virtq_avail {
    uint16_t flags, index, ring[];
};
struct virtq_used {
    uint16_t flags, index;
    struct {
        uint32_t id, length;
    } ring[];
};

// ---- queues ---------------------------------------------------------------------------------------------------------

static bool queue_interrupt(void *arg)
{
    struct virtqueue *vq = arg;
    vq->done(vq);
    return true;
}

static void write64(void *at, uint64_t value)
{
    mmio_write32(at, (uint32_t)value);
    mmio_write32((char *)at + 4, (uint32_t)(value >> 32));
}

int virtqueue_setup(struct virtio_device *v, unsigned index, void (*done)(struct virtqueue *vq))
{
    char *common = v->common;
    struct virtqueue *vq = &v->queues[index];
    mmio_write16(common + COMMON_QUEUE_SELECT, (uint16_t)index);
    unsigned size = mmio_read16(common + COMMON_QUEUE_SIZE);
    size_t notify_at = (size_t)mmio_read16(common + COMMON_QUEUE_NOTIFY_OFF) * v->notify_multiplier;
    if (!size || size & (size - 1) || notify_at + sizeof(uint16_t) > v->notify_size)
        return -ENODEV;
    size = min(size, VIRTQ_SIZE);
    struct page *page = page_alloc(0, ALLOC_ZERO);
    if (!page)
        return -ENOMEM;
    char *memory = page_address(page);
    *vq = (struct virtqueue){.device = v, .index = index, .size = size, .nr_free = (uint16_t)size, .done = done};
    vq->desc = (struct virtq_desc *)memory;
    vq->avail = (struct virtq_avail *)(memory + size * sizeof *vq->desc);
    vq->used = (struct virtq_used *)(memory + ALIGN_UP(size * sizeof *vq->desc + 6 + 2 * size, 8));
    for (unsigned i = 0; i < size; i++)
        vq->desc[i].next = (uint16_t)(i + 1);
    vq->irq = pci_request_msix(v->pci, index, queue_interrupt, vq, v->pci->name);
    if (vq->irq < 0) {
        page_put(page);
        return vq->irq;
    }
    vq->notify = (char *)v->notify_base + notify_at;
    mmio_write16(common + COMMON_QUEUE_SIZE, (uint16_t)size);
    mmio_write16(common + COMMON_QUEUE_MSIX, (uint16_t)index);
    if (mmio_read16(common + COMMON_QUEUE_MSIX) == NO_VECTOR) {
        irq_release(vq->irq, vq);
        page_put(page);
        return -ENOSPC;
    }
    write64(common + COMMON_QUEUE_DESC, virt_to_phys(vq->desc));
    write64(common + COMMON_QUEUE_DRIVER, virt_to_phys(vq->avail));
    write64(common + COMMON_QUEUE_DEVICE, virt_to_phys(vq->used));
    mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
    return 0;
}

int virtqueue_add(struct virtqueue *vq, void *buf, uint32_t size, bool device_writes, void *token)
{
    if (!vq->nr_free)
        return -ENOSPC;
    uint16_t id = vq->free_head;
    struct virtq_desc *d = &vq->desc[id];
    vq->free_head = d->next;
    vq->nr_free--;
    vq->tokens[id] = token;
    d->address = virt_to_phys(buf);
    d->length = size;
    d->flags = device_writes ? DESC_WRITE : 0;
    uint16_t at = vq->avail->index;
    vq->avail->ring[at % vq->size] = id;
    store_release(&vq->avail->index, (uint16_t)(at + 1)); // the device may look at it from here on
    return 0;
}

void virtqueue_notify(struct virtqueue *vq)
{
    smp_mb(); // the index is seen before the device is woken
    mmio_write16(vq->notify, (uint16_t)vq->index);
}

void *virtqueue_take(struct virtqueue *vq, uint32_t *length)
{
    while (vq->last_used != load_acquire(&vq->used->index)) {
        unsigned at = vq->last_used++ % vq->size;
        uint32_t id = READ_ONCE(vq->used->ring[at].id);
        if (id >= vq->size || !vq->tokens[id])
            continue; // nonsense from the device: what it names was not given to it
        if (length)
            *length = min(READ_ONCE(vq->used->ring[at].length), vq->desc[id].length);
        void *token = vq->tokens[id];
        vq->tokens[id] = nullptr;
        vq->desc[id].next = vq->free_head;
        vq->free_head = (uint16_t)id;
        vq->nr_free++;
        return token;
    }
    return nullptr;
}

// ---- devices --------------------------------------------------------------------------------------------------------

static unsigned device_type(const struct pci_device *pci)
{
    if (pci->vendor != VIRTIO_VENDOR)
        return 0;
    if (pci->id >= MODERN_FIRST && pci->id < MODERN_FIRST + 64)
        return pci->id - MODERN_FIRST;
    return pci->id >= TRANSITIONAL_FIRST && pci->id < MODERN_FIRST ? pci->subsystem : 0;
}

static void *map_part(struct virtio_device *v, unsigned type, size_t at_least, unsigned *cap_out)
{
    for (unsigned cap = 0; (cap = pci_find_capability(v->pci, PCI_CAP_VENDOR, cap));) {
        if (pci_read(v->pci, cap + CAP_TYPE, 1) != type)
            continue;
        uint32_t length = pci_read(v->pci, cap + CAP_LENGTH, 4);
        void *part = length < at_least ? nullptr : pci_map(v->pci, pci_read(v->pci, cap + CAP_BAR, 1), pci_read(v->pci, cap + CAP_OFFSET, 4), length);
        if (part) {
            if (cap_out)
                *cap_out = cap;
            return part;
        }
    }
    return nullptr;
}

static int map_parts(struct virtio_device *v)
{
    unsigned cap;
    v->common = map_part(v, CAP_COMMON, COMMON_SIZE, nullptr);
    v->notify_base = map_part(v, CAP_NOTIFY, 2, &cap);
    if (!v->common || !v->notify_base)
        return -ENODEV; // an old device, without the modern interface
    v->notify_size = pci_read(v->pci, cap + CAP_LENGTH, 4);
    v->notify_multiplier = pci_read(v->pci, cap + CAP_NOTIFY_MULTIPLIER, 4);
    v->config = map_part(v, CAP_DEVICE, 1, nullptr);
    return 0;
}

static void add_status(struct virtio_device *v, uint8_t bits)
{
    char *at = (char *)v->common + COMMON_STATUS;
    mmio_write8(at, mmio_read8(at) | bits);
}

static int negotiate(struct virtio_device *v, uint64_t wanted)
{
    char *c = v->common;
    uint64_t offered = 0;
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(c + COMMON_DEVICE_FEATURE_SELECT, half);
        offered |= (uint64_t)mmio_read32(c + COMMON_DEVICE_FEATURE) << 32 * half;
    }
    if (!(offered & FEATURE_VERSION_1))
        return -ENODEV;
    v->features = offered & (wanted | FEATURE_VERSION_1);
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(c + COMMON_DRIVER_FEATURE_SELECT, half);
        mmio_write32(c + COMMON_DRIVER_FEATURE, (uint32_t)(v->features >> 32 * half));
    }
    add_status(v, STATUS_FEATURES_OK);
    return mmio_read8(c + COMMON_STATUS) & STATUS_FEATURES_OK ? 0 : -ENODEV;
}

static struct virtio_driver *matching; // pci_driver_register() offers devices to one driver at a time

static bool virtio_match(const struct pci_device *pci)
{
    return device_type(pci) == matching->type;
}

static int virtio_probe(struct pci_device *pci)
{
    struct virtio_device *v = kzalloc(sizeof *v, ALLOC_KERNEL);
    if (!v)
        return -ENOMEM;
    v->pci = pci;
    v->type = device_type(pci);
    pci_enable(pci);
    int err = map_parts(v);
    if (err) {
        kfree(v);
        return err;
    }
    mmio_write8((char *)v->common + COMMON_STATUS, 0); // reset
    while (mmio_read8((char *)v->common + COMMON_STATUS))
        cpu_relax();
    add_status(v, STATUS_ACKNOWLEDGE);
    add_status(v, STATUS_DRIVER);
    err = negotiate(v, matching->features);
    if (!err) {
        mmio_write16((char *)v->common + COMMON_MSIX_CONFIG, NO_VECTOR);
        err = matching->probe(v);
    }
    if (err) {
        add_status(v, STATUS_FAILED); // its queues' memory stays: the device may know of it
        return err;
    }
    add_status(v, STATUS_DRIVER_OK);
    matching->ready(v);
    return 0;
}

DEFINE_LOCK_CLASS(virtio_class, "virtio drivers", (enum lock_rank)(RANK_EXEC - 1));
static struct mutex register_lock = MUTEX_INIT(register_lock, &virtio_class);

void virtio_driver_register(struct virtio_driver *driver)
{
    mutex_guard(&register_lock);
    matching = driver;
    driver->pci = (struct pci_driver){.name = driver->name, .match = virtio_match, .probe = virtio_probe};
    pci_driver_register(&driver->pci);
}
