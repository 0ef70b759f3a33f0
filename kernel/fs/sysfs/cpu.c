// kernel/fs/sysfs/cpu.c — devices/system: the CPUs, what each is a part of, and which counter the clock reads.
//
// CPUs are started at boot and stay; one that was not started has a folder, but tells nothing of itself.
#include "arch/include/cpu.h"
#include "arch/include/topology.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/sysfs/sysfs.h"
#include "kernel/vfs/seq_file.h"

static void put_list(struct seq_file *m, const struct cpumask *mask)
{
    bool first = true;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (!cpumask_test(cpu, mask))
            continue;
        unsigned last = cpu;
        while (last + 1 < MAX_CPUS && cpumask_test(last + 1, mask))
            last++;
        seq_printf(m, last > cpu ? "%s%u-%u" : "%s%u", first ? "" : ",", cpu, last);
        first = false;
        cpu = last;
    }
    seq_putc(m, '\n');
}

// Hexadecimal, with a comma between 32 CPUs and the next, and as many digits as there are possible CPUs.
static void put_bits(struct seq_file *m, const struct cpumask *mask)
{
    for (unsigned end = nr_cpus; end > 0;) {
        unsigned start = (end - 1) / 32 * 32;
        uint32_t word = (uint32_t)(mask->bits[start / 64] >> start % 64);
        seq_printf(m, "%s%0*x", end == nr_cpus ? "" : ",", (int)DIV_ROUND_UP(end - start, 4u), word);
        end = start;
    }
    seq_putc(m, '\n');
}

// ---- all of them ----------------------------------------------------------------------------------------------------

static int online_show(struct seq_file *m, void *)
{
    put_list(m, &cpu_online_mask);
    return 0;
}
static int offline_show(struct seq_file *m, void *)
{
    struct cpumask mask = cpu_possible_mask;
    unsigned cpu;
    for_each_online_cpu(cpu)
        cpumask_clear(cpu, &mask);
    put_list(m, &mask);
    return 0;
}
static int possible_show(struct seq_file *m, void *)
{
    put_list(m, &cpu_possible_mask);
    return 0;
}
static int isolated_show(struct seq_file *m, void *) // none is kept from the scheduler
{
    put_list(m, &(struct cpumask){});
    return 0;
}
static int kernel_max_show(struct seq_file *m, void *)
{
    seq_printf(m, "%d\n", MAX_CPUS - 1);
    return 0;
}
static const struct pseudo_entry cpus_files[] = {
    {.name = "isolated", .mode = 0444, .show = isolated_show},
    {.name = "kernel_max", .mode = 0444, .show = kernel_max_show},
    {.name = "offline", .mode = 0444, .show = offline_show},
    {.name = "online", .mode = 0444, .show = online_show},
    {.name = "possible", .mode = 0444, .show = possible_show},
    {.name = "present", .mode = 0444, .show = possible_show},
    {},
};

// ---- one: a folder's object is the CPU's number ---------------------------------------------------------------------

static unsigned cpu_of(const void *object)
{
    return (unsigned)(uintptr_t)object;
}

// The first CPU cannot be missing, and does not say whether it is.
static bool not_first(const void *object)
{
    return cpu_of(object) != 0;
}
static int is_online_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%d\n", cpumask_test(cpu_of(object), &cpu_online_mask));
    return 0;
}
static const struct pseudo_entry cpu_files[] = {{.name = "online", .mode = 0444, .show = is_online_show, .visible = not_first}, {}};

static int package_id_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%u\n", arch_cpu_topology(cpu_of(object)).package);
    return 0;
}
static int die_id_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%u\n", arch_cpu_topology(cpu_of(object)).die);
    return 0;
}
static int core_id_show(struct seq_file *m, void *object)
{
    seq_printf(m, "%u\n", arch_cpu_topology(cpu_of(object)).core);
    return 0;
}

static struct cpumask siblings(const struct seq_file *m, void *object)
{
    const enum topology_level *level = pseudo_entry(m->file)->data;
    return arch_cpu_siblings(cpu_of(object), *level);
}
static int siblings_show(struct seq_file *m, void *object)
{
    struct cpumask mask = siblings(m, object);
    put_bits(m, &mask);
    return 0;
}
static int siblings_list_show(struct seq_file *m, void *object)
{
    struct cpumask mask = siblings(m, object);
    put_list(m, &mask);
    return 0;
}

static const enum topology_level core = TOPOLOGY_CORE, die = TOPOLOGY_DIE, package = TOPOLOGY_PACKAGE;
#define SIBLINGS(text, level)                                                                                                                          \
    {.name = text, .mode = 0444, .show = siblings_show, .data = &(level)},                                                                             \
    {.name = text "_list", .mode = 0444, .show = siblings_list_show, .data = &(level)}

static const struct pseudo_entry topology_files[] = {
    {.name = "physical_package_id", .mode = 0444, .show = package_id_show},
    {.name = "die_id", .mode = 0444, .show = die_id_show},
    {.name = "core_id", .mode = 0444, .show = core_id_show},
    SIBLINGS("core_cpus", core),
    SIBLINGS("die_cpus", die),
    SIBLINGS("package_cpus", package),
    SIBLINGS("thread_siblings", core), // the names of old: threads that are siblings, cores that are
    SIBLINGS("core_siblings", package),
    {},
};

static int add_cpu(struct pseudo_dir *cpus, unsigned cpu)
{
    char name[16];
    void *object = (void *)(uintptr_t)cpu;
    snprintf(name, sizeof name, "cpu%u", cpu);
    struct pseudo_dir *dir;
    int err = pseudo_mkdir(cpus, name, cpu_files, object, &dir);
    if (err)
        return err;
    if (cpumask_test(cpu, &cpu_online_mask))
        err = pseudo_mkdir(dir, "topology", topology_files, object, nullptr);
    pseudo_put(dir);
    return err;
}

// ---- the clock: no choice is offered, so that the one in use is all there is ----------------------------------------

static int clock_show(struct seq_file *m, void *)
{
    seq_printf(m, "%s\n", arch_clock_name());
    return 0;
}
static int clocks_show(struct seq_file *m, void *)
{
    seq_printf(m, "%s \n", arch_clock_name());
    return 0;
}
static const struct pseudo_entry clock_files[] = {
    {.name = "available_clocksource", .mode = 0444, .show = clocks_show},
    {.name = "current_clocksource", .mode = 0444, .show = clock_show},
    {},
};

static int sysfs_system_init(void)
{
    int err = sysfs_register("devices/system/cpu", cpus_files, nullptr);
    struct pseudo_dir *cpus = err ? nullptr : sysfs_folder("devices/system/cpu");
    if (!cpus)
        return -ENOMEM;
    unsigned cpu;
    for_each_possible_cpu(cpu)
        if (!err)
            err = add_cpu(cpus, cpu);
    pseudo_put(cpus);
    return err ? err : sysfs_register("devices/system/clocksource/clocksource0", clock_files, nullptr);
}
INITCALL(fs, sysfs_system_init);
