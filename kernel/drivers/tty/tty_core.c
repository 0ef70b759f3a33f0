// kernel/drivers/tty/tty_core.c — terminals as objects: drivers, opening, closing, hanging up; /dev/tty.
//
// A fixed terminal (serial port) lives for ever; a pty as long as something refers to it. Opening the first time starts the hardware, the last
// close stops it. A hangup leaves the files open but dead: each remembers the terminal's hangup count of its open, and compares.
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/tty/internal.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/seq_file.h"

DEFINE_LOCK_CLASS(tty_open_class, "tty open", (enum lock_rank)(RANK_TTY - 2));
DEFINE_LOCK_CLASS(tty_io_class, "tty read or write", (enum lock_rank)(RANK_TTY - 1));
DEFINE_LOCK_CLASS(tty_class_lock, "tty", RANK_TTY);
DEFINE_LOCK_CLASS(tty_raw_class, "tty raw ring", RANK_DRIVER);
DEFINE_LOCK_CLASS(tty_drivers_class, "tty drivers", (enum lock_rank)(RANK_TTY - 3));

static struct mutex drivers_lock = MUTEX_INIT(drivers_lock, &tty_drivers_class);
static LIST_HEAD(drivers); // drivers_lock

static umode_t tty_node_mode(const struct device *dev)
{
    return dev->mode;
}
struct device_class tty_class = {.name = "tty", .node_mode = tty_node_mode};

// stty sane's idea of a terminal.
static const struct abi_termios2 standard_termios = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD | HUPCL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VTIME] = 0, [VMIN] = 1, [VSTART] = 17, [VSTOP] = 19,
             [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22},
    .c_ispeed = 38400,
    .c_ospeed = 38400,
};

void tty_init(struct tty *tty, struct tty_driver *driver, unsigned index, const struct tty_ops *ops, enum tty_kind kind)
{
    refcount_set(&tty->refs, 1);
    tty->driver = driver;
    tty->index = index;
    tty->ops = ops;
    tty->kind = kind;
    snprintf(tty->name, sizeof tty->name, "%s%u", driver->name, index);
    mutex_init(&tty->open_lock, &tty_open_class);
    mutex_init(&tty->read_lock, &tty_io_class);
    mutex_init(&tty->write_lock, &tty_io_class);
    mutex_init(&tty->lock, &tty_class_lock);
    spin_init(&tty->raw.lock, &tty_raw_class);
    waitqueue_init(&tty->read_wait);
    waitqueue_init(&tty->write_wait);
    tty->init_termios = tty->termios = standard_termios;
    tty->device = (struct device){
        .name = tty->name, .class = &tty_class, .devt = MKDEV(driver->major, driver->first_minor + index), .mode = 0600, .private = tty};
}

void tty_put(struct tty *tty)
{
    if (!refcount_dec_and_test(&tty->refs))
        return;
    kfree(tty->write_buf);
    tty->write_buf = nullptr;
    if (tty->ops->free)
        tty->ops->free(tty);
}

int tty_driver_register(struct tty_driver *driver)
{
    driver->cdev = (struct char_device){
        .major = driver->major, .first_minor = driver->first_minor, .nr_minors = driver->nr, .name = driver->name, .ops = &tty_file_ops, .private = driver};
    int err = char_device_register(&driver->cdev);
    if (err)
        return err;
    mutex_guard(&drivers_lock);
    list_add_tail(&driver->link, &drivers);
    return 0;
}

int tty_add(struct tty *tty, struct device *parent)
{
    tty->driver->ttys[tty->index] = tty;
    tty->device.parent = parent;
    return device_add(&tty->device);
}

static struct tty_driver *driver_of(dev_t dev)
{
    mutex_guard(&drivers_lock);
    struct tty_driver *d;
    list_for_each_entry(d, &drivers, link)
        if (d->major == MAJOR(dev) && MINOR(dev) - d->first_minor < d->nr)
            return d;
    return nullptr;
}

static int find_by_number(struct inode *inode, struct tty **out)
{
    struct tty_driver *d = driver_of(inode->rdev);
    if (!d)
        return -ENXIO;
    if (d->lookup)
        return d->lookup(d, inode, out);
    struct tty *tty = READ_ONCE(d->ttys[MINOR(inode->rdev) - d->first_minor]);
    if (!tty)
        return -ENXIO;
    *out = tty_get(tty);
    return 0;
}

struct tty *tty_find_by_name(const char *name)
{
    mutex_guard(&drivers_lock);
    struct tty_driver *d;
    list_for_each_entry(d, &drivers, link) {
        for (unsigned i = 0; d->ttys && i < d->nr; i++)
            if (d->ttys[i] && !strcmp(d->ttys[i]->name, name))
                return tty_get(d->ttys[i]);
    }
    return nullptr;
}

// ---- open --------------------------------------------------------------------------------------------------------------------------------------------------

static int start_first(struct tty *tty) REQUIRES(tty->open_lock)
{
    if (tty->activated)
        return 0;
    if (tty->kind == TTY_SERIAL) { // what a pty's other end has written before stays
        mutex_lock(&tty->lock);
        ldisc_reset(tty);
        tty->stopped = tty->tco_stopped = false;
        mutex_unlock(&tty->lock);
    }
    int err = tty->ops->activate ? tty->ops->activate(tty) : 0;
    tty->activated = err == 0;
    return err;
}

static void stop_last(struct tty *tty) REQUIRES(tty->open_lock)
{
    if (!tty->activated || tty->open_count)
        return;
    tty->activated = false;
    tty->exclusive = false;
    if (tty->ops->shutdown)
        tty->ops->shutdown(tty);
    if (tty->kind != TTY_SERIAL)
        return;
    mutex_lock(&tty->lock);
    ldisc_flush_input(tty);
    ldisc_echo_drop(tty);
    mutex_unlock(&tty->lock);
    tty->throttled = false; // its lines are as activation sets them
    if (tty->ops->input_taken)
        tty->ops->input_taken(tty);
}

static int open_locked(struct tty *tty, struct tty_file *tf) REQUIRES(tty->open_lock)
{
    if (tty->exclusive && !capable(CAP_SYS_ADMIN))
        return -EBUSY;
    int err = start_first(tty);
    if (err)
        return err;
    tty->open_count++;
    err = tty->ops->open ? tty->ops->open(tty) : 0;
    if (err) {
        tty->open_count--;
        stop_last(tty);
        return err;
    }
    tty->console_count += tf->console;
    tf->hangups = tty->hangups;
    return 0;
}

static bool has_carrier(struct tty *tty)
{
    return tty->termios.c_cflag & CLOCAL || !tty->ops->tiocmget || tty->ops->tiocmget(tty) & TIOCM_CAR;
}

int tty_open_found(struct tty *tty, struct file *file, bool noctty, bool console)
{
    struct tty_file *tf = kzalloc(sizeof *tf, ALLOC_KERNEL);
    if (!tf) {
        tty_put(tty);
        return -ENOMEM;
    }
    *tf = (struct tty_file){.tty = tty, .console = console};
    mutex_lock(&tty->open_lock);
    int err = open_locked(tty, tf);
    mutex_unlock(&tty->open_lock);
    if (err) {
        kfree(tf);
        tty_put(tty);
        return err;
    }
    file->private = tf;
    if (!(file->flags & O_NONBLOCK) && !console && !has_carrier(tty) &&
        wait_event_interruptible(&tty->read_wait, has_carrier(tty) || tty_file_hung(tf))) {
        file->ops->release(file);
        return -ERESTARTSYS;
    }
    if (!noctty && current_task())
        tty_open_ctty(tty, file);
    return 0;
}

static int tty_open(struct inode *inode, struct file *file)
{
    struct tty *tty;
    int err = find_by_number(inode, &tty);
    return err ? err : tty_open_found(tty, file, file->flags & O_NOCTTY || tty->kind == TTY_PTY_MASTER, false);
}

// ---- close and hangup --------------------------------------------------------------------------------------------------------------------------------------

#define CLOSE_DRAIN (30 * NSEC_PER_SEC)

static void tty_release(struct file *file)
{
    struct tty_file *tf = file->private;
    struct tty *tty = tf->tty;
    if (!tty_file_hung(tf) || tty->kind == TTY_PTY_MASTER) {
        if (tty->ops->close)
            tty->ops->close(tty);
        if (READ_ONCE(tty->open_count) == 1 && tty->kind == TTY_SERIAL && !READ_ONCE(tty->stopped))
            (void)tty_wait_sent(tty, clock_monotonic() + CLOSE_DRAIN);
    }
    mutex_lock(&tty->open_lock);
    if (!tty_file_hung(tf)) { // asked again: a hangup may have come between
        tty->open_count--;
        tty->console_count -= tf->console;
        if (tty->open_count == 0)
            tty_disown_session(tty, false);
        stop_last(tty);
    }
    mutex_unlock(&tty->open_lock);
    kfree(tf);
    tty_put(tty);
}

void tty_hangup(struct tty *tty)
{
    mutex_lock(&tty->open_lock);
    tty->hangups++;
    tty->open_count = tty->console_count;
    mutex_lock(&tty->lock);
    ldisc_flush_input(tty);
    ldisc_echo_drop(tty);
    bool stopped = tty->stopped;
    tty->stopped = tty->tco_stopped = false;
    if (tty->ops->flush_output)
        tty->ops->flush_output(tty);
    if (stopped && tty->ops->start)
        tty->ops->start(tty); // the console may keep it open
    mutex_unlock(&tty->lock);
    tty_input_flushed(tty);
    stop_last(tty);
    mutex_unlock(&tty->open_lock);
    tty_disown_session(tty, true);
    fasync_forget_all(&tty->async);
    wake_up_nr(&tty->read_wait, 0, ~0u);
    wake_up_nr(&tty->write_wait, 0, ~0u);
}

// Unless told otherwise, the foreground group hears of input, or the caller where there is none.
static int tty_fasync(struct file *file, int fd, bool on)
{
    struct tty_file *tf = file->private;
    struct tty *tty = tf->tty;
    if (on && tty_file_hung(tf))
        return -ENOTTY;
    int err = fasync_update(&tty->async, file, fd, on);
    if (err || !on)
        return err;
    struct pid *group;
    {
        spin_irq_guard(&process_tree_lock);
        group = tty->pgrp ? pid_get(tty->pgrp) : nullptr;
    }
    err = group ? file_owner_default(file, F_OWNER_PGRP, group) : file_owner_default(file, F_OWNER_PID, current_process()->pid);
    pid_put(group);
    if (err)
        (void)fasync_update(&tty->async, file, fd, false);
    return err;
}

const struct file_ops tty_file_ops = {
    .read_iter = tty_read_iter,
    .write_iter = tty_write_iter,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
    .open = tty_open,
    .release = tty_release,
    .fasync = tty_fasync,
    .nonseekable = true,
};

bool file_is_tty(const struct file *file)
{
    return file->ops && file->ops->release == tty_release;
}

// ---- /dev/tty -------------------------------------------------------------------------------------------------------------------------------

// The caller's controlling terminal.
static int dev_tty_open(struct inode *, struct file *file)
{
    struct tty *tty = current_task() ? current_tty_get() : nullptr;
    if (!tty)
        return -ENXIO;
    file->ops = &tty_file_ops;
    return tty_open_found(tty, file, true, false);
}

static const struct file_ops dev_tty_ops = {.open = dev_tty_open, .nonseekable = true};
static struct char_device dev_tty = {.major = 5, .first_minor = 0, .nr_minors = 1, .name = "/dev/tty", .ops = &dev_tty_ops};
static struct device tty_node = {.name = "tty", .class = &tty_class, .devt = MKDEV(5, 0), .mode = 0666};

void tty_drivers_show(struct seq_file *m)
{
    seq_puts(m, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n");
    seq_puts(m, "/dev/console         /dev/console    5       1 system:console\n");
    seq_puts(m, "/dev/ptmx            /dev/ptmx       5       2 system\n");
    mutex_guard(&drivers_lock);
    struct tty_driver *d;
    list_for_each_entry(d, &drivers, link) {
        seq_printf(m, "%-20s /dev/%-8s %3u ", d->title, d->name, d->major);
        if (d->nr > 1)
            seq_printf(m, "%u-%u", d->first_minor, d->first_minor + d->nr - 1);
        else
            seq_printf(m, "%7u", d->first_minor);
        seq_printf(m, " %s\n", d->type);
    }
}

static int tty_core_init(void)
{
    tty_job_init();
    int err = device_class_register(&tty_class);
    if (!err)
        err = char_device_register(&dev_tty);
    if (!err)
        err = device_add(&tty_node);
    return err ? err : tty_console_init();
}
INITCALL(subsys, tty_core_init);
