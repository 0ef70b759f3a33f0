// kernel/drivers/virtio/virtio_console.c — the host's console as terminal hvc0, and as a console of the log (console=hvc0). Section 5.3 of the specification;
// one port.
//
// Output waits in a page used as a ring, of which one stretch at a time is with the device. Input arrives in slices of another page; those that the
// terminal has no room for stay with us until it has (ops->input_taken).
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/tty/tty.h"
#include "kernel/drivers/virtio/virtio.h"
#include "kernel/mm/slab.h"
#include "kernel/time/clock.h"

enum { QUEUE_IN, QUEUE_OUT, SLICES = 8, SLICE = PAGE_SIZE / SLICES, POLLS = 1 << 24 };
#define HVC_MAJOR 229u
#define RING PAGE_SIZE

DEFINE_LOCK_CLASS(hvc_class, "hvc", (enum lock_rank)(RANK_CONSOLE + 1)); // inside printk's own lock

static struct tty *ttys[1];
static struct tty_driver hvc_driver = {.name = "hvc", .title = "hvc", .major = HVC_MAJOR, .nr = 1, .type = "system", .ttys = ttys};

static struct hvc {
    struct tty tty;
    struct virtio_device *device; // null: none
    struct spinlock lock;
    uint8_t *ring;          // lock, as everything below
    uint32_t head, tail;    // free-running
    uint32_t in_flight;     // bytes from tail that the device has
    uint8_t *log_page;      // where printk's text goes out from
    bool log_busy;
    bool room_unsaid;       // printk found that the device had sent the terminal's bytes: the interrupt tells the terminal
    uint8_t *in;
    uint32_t held_length[SLICES]; // slices that came and were not taken; 0: with the device
    uint32_t held_offset[SLICES];
    uint8_t held_order[SLICES];   // their numbers, first come first
    unsigned nr_held;
    bool passing;                 // somebody is in pass_on()
    struct console console;
} hvc;

// ---- output ---------------------------------------------------------------------------------------------------------

static void send_more(void) REQUIRES(hvc.lock)
{
    uint32_t at = hvc.tail % RING, run = min(hvc.head - hvc.tail, (uint32_t)RING - at);
    if (hvc.in_flight || !run || hvc.tty.stopped)
        return;
    struct virtqueue *vq = &hvc.device->queues[QUEUE_OUT];
    if (virtqueue_add(vq, hvc.ring + at, run, false, hvc.ring))
        return;
    hvc.in_flight = run;
    virtqueue_notify(vq);
}

// What the device has sent. True: there is room in the ring again.
static bool collect_sent(void) REQUIRES(hvc.lock)
{
    bool room = false;
    for (void *token; (token = virtqueue_take(&hvc.device->queues[QUEUE_OUT], nullptr));) {
        if (token == hvc.log_page) {
            hvc.log_busy = false;
            continue;
        }
        hvc.tail += hvc.in_flight;
        hvc.in_flight = 0;
        room = true;
    }
    return room;
}

static void sent(struct virtqueue *)
{
    bool room;
    {
        spin_irq_guard(&hvc.lock);
        room = collect_sent() | hvc.room_unsaid;
        hvc.room_unsaid = false;
        send_more();
    }
    if (room)
        tty_wakeup(&hvc.tty);
}

static size_t hvc_write(struct tty *, const uint8_t *buf, size_t size)
{
    spin_irq_guard(&hvc.lock);
    size_t n = min(size, (size_t)RING - (hvc.head - hvc.tail));
    for (size_t i = 0; i < n; i++)
        hvc.ring[hvc.head++ % RING] = buf[i];
    send_more();
    return n;
}

static size_t hvc_room(struct tty *)
{
    return RING - (READ_ONCE(hvc.head) - READ_ONCE(hvc.tail));
}

static size_t hvc_pending(struct tty *)
{
    return READ_ONCE(hvc.head) - READ_ONCE(hvc.tail);
}

static void hvc_flush(struct tty *)
{
    spin_irq_guard(&hvc.lock);
    hvc.head = hvc.tail + hvc.in_flight; // what the device has goes out
}

static void hvc_start(struct tty *)
{
    spin_irq_guard(&hvc.lock);
    send_more();
}

// The log, polled: interrupts are off and the log's lock is held.
static void hvc_console_write(struct console *, const char *text, size_t size) NO_THREAD_SAFETY_ANALYSIS
{
    bool locked = false;
    for (int i = 0; i < POLLS && !(locked = spin_trylock(&hvc.lock)); i++)
        cpu_relax();
    if (!locked)
        return; // the queue may be in any state: in a panic the other consoles have to do
    hvc.room_unsaid |= collect_sent();
    while (size && !hvc.log_busy) { // a page that the device keeps in spite of all waiting is not written to: the text is lost
        uint32_t n = 0;
        for (; size && n < PAGE_SIZE - 1; size--, text++) {
            if (*text == '\n')
                hvc.log_page[n++] = '\r';
            hvc.log_page[n++] = (uint8_t)*text;
        }
        if (virtqueue_add(&hvc.device->queues[QUEUE_OUT], hvc.log_page, n, false, hvc.log_page))
            break;
        hvc.log_busy = true;
        virtqueue_notify(&hvc.device->queues[QUEUE_OUT]);
        for (int i = 0; i < POLLS && hvc.log_busy; i++) {
            hvc.room_unsaid |= collect_sent(); // the interrupt that follows finds nothing left, and tells of this
            cpu_relax();
        }
    }
    send_more();
    spin_unlock(&hvc.lock);
}

// What programs wrote leaves before the machine stops, unless the terminal's user stopped it (^S) or the host takes nothing.
static void hvc_console_drain(struct console *)
{
    ktime_t limit = clock_monotonic() + NSEC_PER_SEC;
    while (clock_monotonic() < limit) {
        spin_irq_guard(&hvc.lock);
        hvc.room_unsaid |= collect_sent();
        send_more();
        if (!hvc.in_flight)
            break;
        cpu_relax();
    }
}

// ---- input ----------------------------------------------------------------------------------------------------------

static void offer_slice(unsigned i) REQUIRES(hvc.lock)
{
    hvc.held_length[i] = 0;
    (void)virtqueue_add(&hvc.device->queues[QUEUE_IN], hvc.in + i * SLICE, SLICE, true, hvc.in + i * SLICE);
}

// Gives held slices to the terminal as far as it has room: without the lock, for printk() may want that inside any other. One at a time.
static void pass_on(void)
{
    for (;;) {
        unsigned i;
        size_t n;
        {
            spin_irq_guard(&hvc.lock);
            if (hvc.passing || !hvc.nr_held)
                return;
            i = hvc.held_order[0];
            n = min((size_t)(hvc.held_length[i] - hvc.held_offset[i]), tty_receive_room(&hvc.tty));
            if (!n && hvc.held_offset[i] < hvc.held_length[i])
                return;
            hvc.passing = true;
        }
        size_t taken = n && hvc.tty.activated ? tty_receive(&hvc.tty, hvc.in + i * SLICE + hvc.held_offset[i], n, TTY_NORMAL) : n;
        spin_irq_guard(&hvc.lock);
        hvc.passing = false;
        hvc.held_offset[i] += (uint32_t)taken;
        if (hvc.held_offset[i] < hvc.held_length[i])
            continue;
        memmove(hvc.held_order, hvc.held_order + 1, --hvc.nr_held);
        offer_slice(i);
        virtqueue_notify(&hvc.device->queues[QUEUE_IN]);
    }
}

static void arrived(struct virtqueue *vq)
{
    {
        spin_irq_guard(&hvc.lock);
        uint32_t length;
        for (uint8_t *slice; (slice = virtqueue_take(vq, &length));) {
            unsigned i = (unsigned)((size_t)(slice - hvc.in) / SLICE);
            hvc.held_length[i] = length;
            hvc.held_offset[i] = 0;
            hvc.held_order[hvc.nr_held++] = (uint8_t)i;
        }
    }
    pass_on();
}

static void hvc_input_taken(struct tty *)
{
    pass_on();
}

static const struct tty_ops hvc_ops = {
    .write = hvc_write,
    .write_room = hvc_room,
    .chars_in_buffer = hvc_pending,
    .flush_output = hvc_flush,
    .start = hvc_start,
    .input_taken = hvc_input_taken,
};

// ---- the device -----------------------------------------------------------------------------------------------------

static uint8_t *dma_page(void)
{
    struct page *page = page_alloc(0, ALLOC_ZERO);
    return page ? page_address(page) : nullptr;
}

static int hvc_probe(struct virtio_device *v)
{
    if (hvc.device)
        return -EBUSY;
    hvc.ring = dma_page();
    hvc.log_page = dma_page();
    hvc.in = dma_page();
    if (!hvc.ring || !hvc.log_page || !hvc.in)
        return -ENOMEM;
    spin_init(&hvc.lock, &hvc_class);
    int err = virtqueue_setup(v, QUEUE_IN, arrived);
    if (!err)
        err = virtqueue_setup(v, QUEUE_OUT, sent);
    if (!err)
        hvc.device = v;
    return err;
}

static void hvc_ready(struct virtio_device *v)
{
    tty_init(&hvc.tty, &hvc_driver, 0, &hvc_ops, TTY_SERIAL);
    hvc.tty.init_termios.c_cflag |= CLOCAL;
    hvc.tty.termios = hvc.tty.init_termios;
    {
        spin_irq_guard(&hvc.lock);
        for (unsigned i = 0; i < SLICES; i++)
            offer_slice(i);
        virtqueue_notify(&v->queues[QUEUE_IN]);
    }
    hvc.console = (struct console){.name = "hvc0", .write = hvc_console_write, .drain = hvc_console_drain};
    (void)console_register(&hvc.console);
    int err = tty_add(&hvc.tty, &v->pci->device);
    if (err)
        pr_warn("hvc0: no terminal (error %d)\n", -err);
}

static struct virtio_driver hvc_virtio = {.type = VIRTIO_CONSOLE, .name = "virtio_console", .probe = hvc_probe, .ready = hvc_ready};

static int hvc_init(void)
{
    int err = tty_driver_register(&hvc_driver);
    if (!err)
        virtio_driver_register(&hvc_virtio);
    return err;
}
INITCALL(device, hvc_init);
