// kernel/fs/proc/tty.c — the terminals' files: /proc/consoles and /proc/tty, proc(5).
#include "kernel/boot/init.h"
#include "kernel/drivers/tty/tty.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/vfs/seq_file.h"

static int consoles_entry_show(struct seq_file *m, void *)
{
    tty_consoles_show(m);
    return 0;
}

static int drivers_entry_show(struct seq_file *m, void *)
{
    tty_drivers_show(m);
    return 0;
}

// The one line discipline there is, and its number for TIOCSETD.
static int ldiscs_show(struct seq_file *m, void *)
{
    seq_puts(m, "n_tty       0\n");
    return 0;
}

static const struct pseudo_entry root_files[] = {{.name = "consoles", .mode = 0444, .show = consoles_entry_show}, {}};
static const struct pseudo_entry tty_files[] = {
    {.name = "drivers", .mode = 0444, .show = drivers_entry_show},
    {.name = "ldiscs", .mode = 0444, .show = ldiscs_show},
    {},
};

static int proc_tty_init(void)
{
    int err = proc_register("", root_files);
    return err ? err : proc_register("tty", tty_files);
}
INITCALL(fs, proc_tty_init);
