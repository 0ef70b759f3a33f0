// kernel/drivers/tty/pty.c — pseudo-terminals: pty(7), /dev/ptmx, TIOCPKT and the other requests of a master: ioctl_tty(2).
//
// Opening ptmx makes a pair. The master is its open file; the slave is found through its devpts node until the master is closed. What one end writes
// goes straight to the other's raw ring. A pair's memory goes when both ends are unreferenced. tty->link stays valid until then.
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/tty/internal.h"
#include "kernel/fs/devpts/devpts.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/walk.h"

#define PTS_MAJOR 136u
#define PTS_NUMBERS (1u << 20)

struct pty_pair {
    struct tty master, slave;
    refcount_t refs;              // ends that are referenced
    struct superblock *devpts;    // with a reference
    struct dentry *node;          // the slave's; gone with the master's close
    unsigned number;
};

static struct pty_pair *pair_of(struct tty *tty)
{
    return tty->kind == TTY_PTY_MASTER ? container_of(tty, struct pty_pair, master) : container_of(tty, struct pty_pair, slave);
}

static void pty_free(struct tty *tty)
{
    struct pty_pair *pair = pair_of(tty);
    if (!refcount_dec_and_test(&pair->refs))
        return;
    devpts_number_free(pair->devpts, pair->number);
    sb_put(pair->devpts);
    kvfree(pair);
}

// ---- data -----------------------------------------------------------------------------------------------------------

static size_t pty_write(struct tty *tty, const uint8_t *buf, size_t size)
{
    return tty_receive(tty->link, buf, size, TTY_NORMAL);
}

static void pty_kick(struct tty *tty)
{
    tty_input_run(tty->link);
}

static size_t pty_room(struct tty *tty)
{
    return tty_receive_room(tty->link);
}

static void pty_flush(struct tty *tty)
{
    struct tty_raw *raw = &tty->link->raw;
    spin_irq_guard(&raw->lock);
    raw->tail = raw->head;
}

static void pty_input_taken(struct tty *tty)
{
    tty_wakeup(tty->link);
}

static void wake_end(struct tty *tty)
{
    wake_up_nr(&tty->read_wait, 0, ~0u);
    wake_up_nr(&tty->write_wait, 0, ~0u);
}

// ---- opening and closing --------------------------------------------------------------------------------------------

static int pty_open(struct tty *tty)
{
    if (tty->other_closed && tty->kind == TTY_PTY_SLAVE)
        return -EIO; // the master is gone
    if (tty->locked)
        return -EIO;
    WRITE_ONCE(tty->io_error, false);
    WRITE_ONCE(tty->link->other_closed, false);
    return 0;
}

// The slave's last open file is gone: the master reads EIO until it is opened again.
static void slave_shutdown(struct tty *tty)
{
    WRITE_ONCE(tty->io_error, true);
    store_release(&tty->link->other_closed, true);
    wake_end(tty);
    wake_end(tty->link);
}

static void master_close(struct tty *tty)
{
    struct pty_pair *pair = pair_of(tty);
    struct tty *slave = tty->link;
    WRITE_ONCE(tty->io_error, true);
    WRITE_ONCE(tty->packet, false);
    WRITE_ONCE(slave->other_closed, true);
    wake_end(slave);
    devpts_node_remove(pair->node);
    tty_hangup(slave);
    tty_put(slave); // the reference that the node stood for
}

static void pty_set_termios(struct tty *tty, const struct abi_termios2 *old)
{
    const struct abi_termios2 *new = &tty->termios;
    if (tty->kind != TTY_PTY_SLAVE || !READ_ONCE(tty->link->packet))
        return;
    bool extproc = (old->c_lflag | new->c_lflag) & EXTPROC;
    bool was = old->c_iflag & IXON && old->c_cc[VSTOP] == 023 && old->c_cc[VSTART] == 021;
    bool is = new->c_iflag & IXON && new->c_cc[VSTOP] == 023 && new->c_cc[VSTART] == 021;
    if (was == is && !extproc)
        return;
    unsigned add = (was != is ? is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP : 0) | (extproc ? TIOCPKT_IOCTL : 0);
    tty_packet_note(tty, add, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
}

// ---- requests of the master -----------------------------------------------------------------------------------------

static int set_packet(struct tty *tty, unsigned long arg)
{
    int on;
    if (get_user(on, user_ptr(int, arg)))
        return -EFAULT;
    spin_irq_guard(&tty->link->raw.lock);
    if (on && !tty->packet)
        tty->link->packet_status = 0;
    WRITE_ONCE(tty->packet, on != 0);
    return 0;
}

static int set_locked(struct tty *tty, unsigned long arg)
{
    int on;
    if (get_user(on, user_ptr(int, arg)))
        return -EFAULT;
    WRITE_ONCE(tty->link->locked, on != 0);
    return 0;
}

static int send_signal(struct tty *tty, unsigned long arg)
{
    if (arg != SIGINT && arg != SIGQUIT && arg != SIGTSTP)
        return -EINVAL;
    tty_signal_foreground(tty->link, (int)arg);
    return 0;
}

// TIOCGPTPEER: opens the slave without walking a path to it.
static int open_peer(struct tty *tty, struct file *file, unsigned flags)
{
    struct pty_pair *pair = pair_of(tty);
    struct path place;
    int err = devpts_find(file, &place);
    if (err)
        return err;
    if (place.dentry->sb != pair->devpts) {
        path_put(&place);
        return -ENODEV;
    }
    dput(place.dentry);
    place.dentry = dget(pair->node);
    int fd = fd_reserve(0, flags & O_CLOEXEC);
    struct file *peer;
    err = fd < 0 ? fd : open_inode_file(&place, flags, &peer);
    path_put(&place);
    if (err) {
        if (fd >= 0)
            fd_release(fd);
        return err;
    }
    fd_install(fd, peer);
    return fd;
}

static long master_ioctl(struct tty *tty, struct file *file, unsigned cmd, unsigned long arg)
{
    switch (cmd) {
    case TIOCSPTLCK:
        return set_locked(tty, arg);
    case TIOCGPTLCK:
        return put_user(READ_ONCE(tty->link->locked), user_ptr(int, arg));
    case TIOCPKT:
        return set_packet(tty, arg);
    case TIOCGPKT:
        return put_user(READ_ONCE(tty->packet), user_ptr(int, arg));
    case TIOCGPTN:
        return put_user(pair_of(tty)->number, user_ptr(unsigned, arg));
    case TIOCSIG:
        return send_signal(tty, arg);
    case TIOCGPTPEER:
        return open_peer(tty, file, (unsigned)arg);
    }
    return -ENOTTY;
}

static const struct tty_ops master_ops = {
    .open = pty_open,
    .close = master_close,
    .write = pty_write,
    .kick = pty_kick,
    .write_room = pty_room,
    .flush_output = pty_flush,
    .input_taken = pty_input_taken,
    .ioctl = master_ioctl,
    .free = pty_free,
};
static const struct tty_ops slave_ops = {
    .open = pty_open,
    .shutdown = slave_shutdown,
    .write = pty_write,
    .kick = pty_kick,
    .write_room = pty_room,
    .flush_output = pty_flush,
    .input_taken = pty_input_taken,
    .set_termios = pty_set_termios,
    .free = pty_free,
};

// ---- making a pair --------------------------------------------------------------------------------------------------

static void *get_slave(void *tty)
{
    return tty_get(tty);
}

static int slave_lookup(struct tty_driver *, struct inode *inode, struct tty **out)
{
    *out = devpts_lookup(inode, get_slave);
    return *out ? 0 : -EIO;
}

static struct tty_driver slave_driver = {
    .name = "pts", .title = "pty_slave", .major = PTS_MAJOR, .nr = PTS_NUMBERS, .type = "pty:slave", .lookup = slave_lookup};
static struct tty_driver master_driver = {.name = "ptm", .title = "pty_master", .major = 128, .nr = PTS_NUMBERS, .type = "pty:master"};

static int pair_create(struct superblock *sb, struct pty_pair **out)
{
    unsigned number;
    int err = devpts_number_alloc(sb, &number);
    if (err)
        return err;
    struct pty_pair *pair = kvmalloc(sizeof *pair, ALLOC_ZERO);
    if (!pair) {
        devpts_number_free(sb, number);
        return -ENOMEM;
    }
    refcount_set(&pair->refs, 2);
    pair->number = number;
    pair->devpts = sb_get(sb);
    tty_init(&pair->master, &master_driver, number, &master_ops, TTY_PTY_MASTER);
    tty_init(&pair->slave, &slave_driver, number, &slave_ops, TTY_PTY_SLAVE);
    snprintf(pair->slave.name, sizeof pair->slave.name, "pts/%u", number);
    pair->slave.device.devt = MKDEV(PTS_MAJOR + (number >> 20), number & 0xfffff);
    pair->slave.init_termios.c_cflag = pair->master.init_termios.c_cflag = B38400 | CS8 | CREAD;
    pair->master.init_termios.c_iflag = pair->master.init_termios.c_oflag = pair->master.init_termios.c_lflag = 0;
    pair->master.termios = pair->master.init_termios;
    pair->slave.termios = pair->slave.init_termios;
    pair->master.link = &pair->slave;
    pair->slave.link = &pair->master;
    pair->slave.locked = true; // until unlockpt(3)
    *out = pair;
    return 0;
}

static int ptmx_open(struct inode *, struct file *file)
{
    struct path root;
    int err = devpts_find(file, &root);
    if (err)
        return err;
    struct pty_pair *pair;
    err = pair_create(root.dentry->sb, &pair);
    path_put(&root);
    if (err)
        return err;
    err = devpts_node_add(pair->devpts, pair->number, pair->slave.device.devt, &pair->slave, &pair->node);
    if (err) {
        tty_put(&pair->slave);
        tty_put(&pair->master);
        return err;
    }
    file->ops = &tty_file_ops;
    struct tty *master = &pair->master;
    tty_get(master); // for the clean-up below
    err = tty_open_found(master, file, true, false);
    if (err)
        master_close(master);
    tty_put(master);
    return err;
}

static const struct file_ops ptmx_ops = {.open = ptmx_open, .nonseekable = true};
static struct char_device ptmx = {.major = 5, .first_minor = 2, .nr_minors = 1, .name = "/dev/ptmx", .ops = &ptmx_ops};
static struct device ptmx_node = {.name = "ptmx", .class = &tty_class, .devt = MKDEV(5, 2), .mode = 0666};

static int pty_init(void)
{
    int err = tty_driver_register(&slave_driver);
    if (!err)
        err = char_device_register(&ptmx);
    return err ? err : device_add(&ptmx_node);
}
INITCALL(device, pty_init);
