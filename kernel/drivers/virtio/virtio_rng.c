// kernel/drivers/virtio/virtio_rng.c — the host's random numbers: /dev/hwrng, and a seed for the kernel's generator. Section 5.4 of the specification.
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/random/random_device.h"
#include "kernel/drivers/virtio/virtio.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/vfs/vfs.h"

#define CHUNK 256u
#define SEED_BYTES 64u
#define SEED_WAIT (2 * NSEC_PER_SEC)
#define HWRNG_MINOR 183u

DEFINE_LOCK_CLASS(rng_class, "hwrng", (enum lock_rank)(RANK_TTY + 1));
static struct {
    struct virtio_device *device; // null: none
    struct mutex lock;            // one request at a time
    struct waitqueue wait;
    uint8_t *buf;                 // a page: the device writes here
    bool asked;                   // a request is with the device: lock
    bool answered;                // it came back, with that many bytes: set by the interrupt
    uint32_t got;
} rng = {.lock = MUTEX_INIT(rng.lock, &rng_class), .wait = WAITQUEUE_INIT(rng.wait)};

static void rng_done(struct virtqueue *vq)
{
    uint32_t length;
    while (virtqueue_take(vq, &length)) {
        rng.got = length;
        store_release(&rng.answered, true);
    }
    wake_up_all(&rng.wait);
}

// Fills up to `size` bytes of rng.buf; the count, or -ERESTARTSYS, or -ETIMEDOUT: then the request is still under way and the next call waits for it. -EIO:
// the host gave none.
static ssize_t fetch(uint32_t size, ktime_t deadline) REQUIRES(rng.lock)
{
    struct virtqueue *vq = &rng.device->queues[0];
    if (!rng.asked) {
        WRITE_ONCE(rng.answered, false);
        int err = virtqueue_add(vq, rng.buf, size, true, rng.buf);
        if (err)
            return err;
        rng.asked = true;
        virtqueue_notify(vq);
    }
    int unanswered = wait_event_interruptible_timeout(&rng.wait, load_acquire(&rng.answered), deadline);
    if (unanswered)
        return unanswered == -EINTR ? -ERESTARTSYS : unanswered;
    rng.asked = false;
    return rng.got ? (ssize_t)rng.got : -EIO;
}

static ssize_t hwrng_read(struct file *file, struct iov_iter *to, loff_t *, unsigned)
{
    if (file->flags & O_NONBLOCK) {
        if (!mutex_trylock(&rng.lock))
            return -EAGAIN;
    } else if (mutex_lock_interruptible(&rng.lock)) {
        return -ERESTARTSYS;
    }
    size_t total = 0;
    ssize_t n = 0;
    while (iov_iter_count(to)) {
        n = fetch((uint32_t)min(iov_iter_count(to), (size_t)CHUNK), file->flags & O_NONBLOCK ? 0 : KTIME_MAX);
        if (n == -ETIMEDOUT)
            n = -EAGAIN;
        if (n <= 0)
            break;
        size_t want = min((size_t)n, iov_iter_count(to)), done = copy_to_iter(to, rng.buf, want);
        memset(rng.buf, 0, CHUNK); // told to nobody else
        total += done;
        if (done < want) {
            n = -EFAULT;
            break;
        }
    }
    mutex_unlock(&rng.lock);
    return total ? (ssize_t)total : n;
}

static int hwrng_open(struct inode *, struct file *file)
{
    return file->flags & O_ACCMODE ? -EINVAL : 0; // it is read, and only that
}

static const struct file_ops hwrng_ops = {.open = hwrng_open, .read_iter = hwrng_read, .nonseekable = true};
static struct char_device hwrng_cdev = {.major = MISC_MAJOR, .first_minor = HWRNG_MINOR, .nr_minors = 1, .name = "misc", .ops = &hwrng_ops};
static struct device_class misc_class = {.name = "misc"};
static struct device hwrng_node = {.name = "hwrng", .class = &misc_class, .devt = MKDEV(MISC_MAJOR, HWRNG_MINOR), .mode = 0600};

static int rng_probe(struct virtio_device *v)
{
    if (rng.device)
        return -EBUSY; // one is enough
    struct page *page = page_alloc(0, ALLOC_ZERO);
    if (!page)
        return -ENOMEM;
    rng.buf = page_address(page);
    int err = virtqueue_setup(v, 0, rng_done);
    if (err) {
        page_put(page);
        return err;
    }
    rng.device = v;
    return 0;
}

static void rng_ready(struct virtio_device *)
{
    mutex_lock(&rng.lock);
    // The boot waits for this: a host with no random numbers to give must not keep it for ever.
    ssize_t n = fetch(SEED_BYTES, clock_monotonic() + SEED_WAIT);
    if (n > 0)
        random_credit(rng.buf, (size_t)n, (unsigned)n * 8);
    memset(rng.buf, 0, CHUNK);
    mutex_unlock(&rng.lock);
}

static struct virtio_driver rng_driver = {.type = VIRTIO_RNG, .name = "virtio_rng", .probe = rng_probe, .ready = rng_ready};

static int rng_init(void)
{
    int err = device_class_register(&misc_class);
    virtio_driver_register(&rng_driver);
    if (err || !rng.device)
        return err;
    err = char_device_register(&hwrng_cdev);
    return err ? err : device_add(&hwrng_node);
}
INITCALL(device, rng_init);
