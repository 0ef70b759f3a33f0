// kernel/drivers/virtio/virtio.h — virtio devices on PCI, and split virtqueues: OASIS Virtual I/O Device 1.2.
#pragma once

#include "kernel/drivers/pci/pci.h"
#include "kernel/sync/spinlock.h"

#define VIRTQ_SIZE 64u     // descriptors at most
#define VIRTIO_QUEUES 2u

enum { VIRTIO_NET = 1, VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };

struct virtio_device;
struct virtqueue {
    struct virtio_device *device;
    unsigned index, size;
    struct virtq_desc *desc;   // the three parts share one page
    struct virtq_avail *avail;
    struct virtq_used *used;
    void *notify;
    uint16_t free_head, nr_free, last_used;
    void *tokens[VIRTQ_SIZE];
    void (*done)(struct virtqueue *vq); // interrupt: buffers came back
    int irq;
};

struct virtio_device {
    struct pci_device *pci;
    unsigned type;             // VIRTIO_*
    uint64_t features;         // negotiated
    void *common, *notify_base, *config;
    uint32_t notify_size, notify_multiplier;
    struct virtqueue queues[VIRTIO_QUEUES];
    void *private;
};

struct virtio_driver {
    unsigned type;
    const char *name;
    uint64_t features;         // understood, beyond VERSION_1
    int (*probe)(struct virtio_device *v); // sets up queues; then the device is told to go
    void (*ready)(struct virtio_device *v); // may use the queues now
    struct pci_driver pci;
};
// For good; devices that are there already are probed before it returns. May sleep.
void virtio_driver_register(struct virtio_driver *driver);

// In probe: queue `index`, with an interrupt of its own. -ENODEV (none, or one that makes no sense), -ENOSPC, -ENOMEM, errors of
// pci_request_msix().
[[nodiscard]] int virtqueue_setup(struct virtio_device *v, unsigned index, void (*done)(struct virtqueue *vq));
// Offers one buffer in the direct map (device_writes: it is to be filled). `token` (not null) comes back with it. -ENOSPC. The owner of the queue locks.
[[nodiscard]] int virtqueue_add(struct virtqueue *vq, void *buf, uint32_t size, bool device_writes, void *token);
// Tells the device to look at what was added since. The owner of the queue locks, as for virtqueue_take().
void virtqueue_notify(struct virtqueue *vq);
// The next buffer that the device is done with: its token and, for what it filled, the length; null: none.
void *virtqueue_take(struct virtqueue *vq, uint32_t *length);
