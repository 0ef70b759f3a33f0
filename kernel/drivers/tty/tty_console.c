// kernel/drivers/tty/tty_console.c — the kernel's consoles seen from programs: /dev/console, /proc/consoles, /sys/class/tty/console/active.
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"
#include "kernel/vfs/seq_file.h"

// The terminal that console= named last, of those that exist. Opening it never makes it a controlling terminal, and a hangup leaves such files alone.
static int dev_console_open(struct inode *, struct file *file)
{
    struct tty *tty = nullptr;
    const char *name;
    for (unsigned back = 0; !tty && (name = console_asked(back)); back++)
        tty = tty_find_by_name(name);
    if (!tty)
        return -ENODEV;
    file->ops = &tty_file_ops;
    return tty_open_found(tty, file, true, true);
}

// One line a console: what it can do (all of them write only), its flags, and its terminal's number where it has one. Each flag has its column: in use,
// preferred, of early boot, writes without the console lock (none does), shows the log, has a braille display (none), works at any time.
void tty_consoles_show(struct seq_file *m)
{
    struct console_facts c;
    for (unsigned n = 0; console_nth(n, &c); n++) {
        seq_printf(m, "%-21s-W- (E%c%c p %c)", c.name, c.preferred ? 'C' : ' ', c.boot_only ? 'B' : ' ', c.anytime ? 'a' : ' ');
        struct tty *tty = tty_find_by_name(c.name);
        if (tty) {
            seq_printf(m, " %4u:%u", MAJOR(tty->device.devt), MINOR(tty->device.devt));
            tty_put(tty);
        }
        seq_puts(m, "\n");
    }
}

// The names of all consoles in one line. The preferred one, which is where /dev/console leads, stands last.
static ssize_t active_show(struct device *, char *buf, size_t size)
{
    struct console_facts c;
    size_t len = 0;
    unsigned nr = 0;
    while (console_nth(nr, &c))
        nr++;
    while (nr-- > 0)
        if (console_nth(nr, &c))
            len += scnprintf(buf + len, size - len, "%s%c", c.name, nr ? ' ' : '\n');
    return (ssize_t)len;
}

static const struct device_attr console_attrs[] = {{.name = "active", .mode = 0444, .show = active_show}, {}};
static const struct file_ops dev_console_ops = {.open = dev_console_open, .nonseekable = true};
static struct char_device dev_console = {.major = 5, .first_minor = 1, .nr_minors = 1, .name = "/dev/console", .ops = &dev_console_ops};
static struct device console_node = {.name = "console", .class = &tty_class, .devt = MKDEV(5, 1), .mode = 0600, .attrs = console_attrs};

int tty_console_init(void)
{
    int err = char_device_register(&dev_console);
    return err ? err : device_add(&console_node);
}
