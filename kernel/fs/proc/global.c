// kernel/fs/proc/global.c — the files of /proc itself: proc(5).
#include "arch/include/setup.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/version.h"
#include "kernel/drivers/base/device.h"
#include "kernel/drivers/base/irq.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/fs/proc/tables.h"
#include "kernel/proc/fork.h"
#include "kernel/sched/sched.h"
#include "kernel/time/clock.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file_lock.h"
#include "kernel/vfs/seq_file.h"

static unsigned long long ticks(uint64_t ns)
{
    return ns / (NSEC_PER_SEC / 100);
}

static int version_show(struct seq_file *m, void *)
{
    seq_printf(m, "%s version %s (kevlar) (clang) %s\n", KERNEL_SYSNAME, KERNEL_RELEASE, KERNEL_VERSION);
    return 0;
}

static int cmdline_show(struct seq_file *m, void *)
{
    seq_printf(m, "%s\n", boot_info.cmdline);
    return 0;
}

static int uptime_show(struct seq_file *m, void *)
{
    uint64_t idle = 0, up = (uint64_t)clock_boottime();
    unsigned cpu;
    for_each_online_cpu(cpu)
    {
        struct cpu_times t;
        sched_cpu_times(cpu, &t);
        idle += t.idle + t.iowait;
    }
    seq_printf(m, "%llu.%02llu %llu.%02llu\n", ticks(up) / 100, ticks(up) % 100, ticks(idle) / 100, ticks(idle) % 100);
    return 0;
}

static int loadavg_show(struct seq_file *m, void *)
{
    unsigned long avg[3];
    sched_loadavg(avg);
    for (unsigned i = 0; i < 3; i++) {
        unsigned long hundredths = (avg[i] * 100 + 1024) >> 11;
        seq_printf(m, "%lu.%02lu ", hundredths / 100, hundredths % 100);
    }
    struct pid_namespace *ns = proc_sb(m->file->inode->sb)->ns;
    seq_printf(m, "%u/%d %llu\n", sched_nr_running(), threads_count(), (unsigned long long)(READ_ONCE(ns->next) - 1));
    return 0;
}

static int cpuinfo_show(struct seq_file *m, void *)
{
    unsigned cpu;
    for_each_online_cpu(cpu)
        arch_cpuinfo_show(m, cpu);
    return 0;
}

static int file_systems_entry_show(struct seq_file *m, void *)
{
    file_systems_show(m);
    return 0;
}
static int devices_entry_show(struct seq_file *m, void *)
{
    devices_show(m);
    return 0;
}
static int locks_open(struct inode *inode, struct file *file)
{
    return file_locks_open(file, proc_sb(inode->sb)->ns);
}
static const struct file_ops locks_fops = {.open = locks_open, .read_iter = seq_read_iter, .llseek = endless_llseek, .release = seq_release};
static int misc_show(struct seq_file *m, void *)
{
    misc_devices_show(m);
    return 0;
}
static int interrupts_show(struct seq_file *m, void *)
{
    irqs_show(m);
    return 0;
}

// No block devices yet: the tables are empty, the headings are there.
static int partitions_show(struct seq_file *, void *)
{
    return 0;
}
static int swaps_show(struct seq_file *m, void *)
{
    seq_puts(m, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

static void cpu_line(struct seq_file *m, const struct cpu_times *t)
{
    seq_printf(m, " %llu %llu %llu %llu %llu %llu %llu %llu 0 0\n", ticks(t->user), ticks(t->nice), ticks(t->system), ticks(t->idle), ticks(t->iowait),
               ticks(t->irq), ticks(t->softirq), ticks(t->steal));
}

int kernel_stat_show(struct seq_file *m, void *)
{
    struct cpu_times sum = {}, t;
    unsigned cpu;
    for_each_online_cpu(cpu)
    {
        sched_cpu_times(cpu, &t);
        sum.user += t.user;
        sum.nice += t.nice;
        sum.system += t.system;
        sum.idle += t.idle;
        sum.iowait += t.iowait;
        sum.irq += t.irq;
        sum.softirq += t.softirq;
        sum.steal += t.steal;
    }
    seq_puts(m, "cpu ");
    cpu_line(m, &sum);
    for_each_online_cpu(cpu)
    {
        sched_cpu_times(cpu, &t);
        seq_printf(m, "cpu%u", cpu);
        cpu_line(m, &t);
    }
    seq_printf(m, "intr %llu\n", (unsigned long long)irqs_total());
    seq_printf(m, "ctxt %llu\n", (unsigned long long)sched_context_switches());
    seq_printf(m, "btime %lld\n", (long long)(clock_realtime_offset() / NSEC_PER_SEC));
    seq_printf(m, "processes %llu\nprocs_running %u\nprocs_blocked 0\n", (unsigned long long)forks_total(), sched_nr_running());
    return 0;
}

const struct pseudo_entry proc_global_files[] = {
    {.name = "buddyinfo", .mode = 0444, .show = buddyinfo_show},
    {.name = "cmdline", .mode = 0444, .show = cmdline_show},
    {.name = "cpuinfo", .mode = 0444, .show = cpuinfo_show},
    {.name = "devices", .mode = 0444, .show = devices_entry_show},
    {.name = "diskstats", .mode = 0444, .show = partitions_show},
    {.name = "filesystems", .mode = 0444, .show = file_systems_entry_show},
    {.name = "interrupts", .mode = 0444, .show = interrupts_show},
    {.name = "iomem", .mode = 0444, .show = iomem_show},
    {.name = "kmsg", .mode = 0400, .fops = &proc_kmsg_fops},
    {.name = "loadavg", .mode = 0444, .show = loadavg_show},
    {.name = "locks", .mode = 0444, .fops = &locks_fops},
    {.name = "meminfo", .mode = 0444, .show = meminfo_show},
    {.name = "misc", .mode = 0444, .show = misc_show},
    {.name = "mounts", .target = "self/mounts"},
    {.name = "net", .target = "self/net"},
    {.name = "partitions", .mode = 0444, .show = partitions_show},
    {.name = "slabinfo", .mode = 0400, .show = slabinfo_show},
    {.name = "stat", .mode = 0444, .show = kernel_stat_show},
    {.name = "swaps", .mode = 0444, .show = swaps_show},
    {.name = "uptime", .mode = 0444, .show = uptime_show},
    {.name = "version", .mode = 0444, .show = version_show},
    {.name = "vmstat", .mode = 0444, .show = vmstat_show},
    {.name = "zoneinfo", .mode = 0444, .show = zoneinfo_show},
    {},
};
