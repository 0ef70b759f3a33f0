// kernel/fs/proc/global_memory.c — the machine's memory: meminfo, vmstat, slabinfo, buddyinfo, zoneinfo, iomem (proc_meminfo(5) and its neighbours).
#include "kernel/base/cpumask.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/fs/proc/tables.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/zone.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/oom.h"
#include "kernel/vfs/seq_file.h"

// Of variables that each CPU has its own copy of.
static uint64_t percpu_pages(void)
{
    extern char __percpu_start[], __percpu_end[];
    return ALIGN_UP((size_t)(__percpu_end - __percpu_start), PAGE_SIZE) / PAGE_SIZE * nr_cpus;
}

int meminfo_show(struct seq_file *m, void *)
{
    struct mem_counts c;
    mem_counts_read(&c);
    uint64_t file = c.cached - min(c.cached, c.shmem), active_file = file - min(file, c.inactive_file);
    const struct {
        const char *name;
        uint64_t pages;
    } rows[] = {
        {"MemTotal:", c.total},
        {"MemFree:", c.free},
        {"MemAvailable:", mem_available_pages()},
        {"Buffers:", 0},
        {"Cached:", c.cached},
        {"SwapCached:", 0},
        {"Active:", active_file},
        {"Inactive:", c.anon + c.shmem + c.inactive_file},
        {"Active(anon):", 0},
        {"Inactive(anon):", c.anon + c.shmem},
        {"Active(file):", active_file},
        {"Inactive(file):", c.inactive_file},
        {"Unevictable:", c.mlocked},
        {"Mlocked:", c.mlocked},
        {"SwapTotal:", 0},
        {"SwapFree:", 0},
        {"Dirty:", c.dirty},
        {"Writeback:", 0},
        {"AnonPages:", c.anon},
        {"Mapped:", c.mapped},
        {"Shmem:", c.shmem},
        {"KReclaimable:", c.slab_reclaimable},
        {"Slab:", c.slab},
        {"SReclaimable:", c.slab_reclaimable},
        {"SUnreclaim:", c.slab - min(c.slab, c.slab_reclaimable)},
        {"KernelStack:", c.kernel_stacks},
        {"PageTables:", c.page_tables},
        {"NFS_Unstable:", 0},
        {"Bounce:", 0},
        {"WritebackTmp:", 0},
        {"CommitLimit:", c.commit_limit},
        {"Committed_AS:", c.committed},
        {"VmallocTotal:", 34359738367ull / (PAGE_SIZE / 1024)},
        {"VmallocUsed:", c.vmalloc_used},
        {"VmallocChunk:", 0},
        {"Percpu:", percpu_pages()},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%-15s %8llu kB\n", rows[i].name, (unsigned long long)rows[i].pages * (PAGE_SIZE / 1024));
    return 0;
}

int vmstat_show(struct seq_file *m, void *)
{
    struct mem_counts c;
    mem_counts_read(&c);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"nr_free_pages", c.free},
        {"nr_inactive_file", c.inactive_file},
        {"nr_mlock", c.mlocked},
        {"nr_anon_pages", c.anon},
        {"nr_mapped", c.mapped},
        {"nr_file_pages", c.cached},
        {"nr_dirty", c.dirty},
        {"nr_shmem", c.shmem},
        {"nr_page_table_pages", c.page_tables},
        {"nr_slab_reclaimable", c.slab_reclaimable},
        {"nr_slab_unreclaimable", c.slab - min(c.slab, c.slab_reclaimable)},
        {"nr_kernel_stack", c.kernel_stacks * (PAGE_SIZE / 1024)},
        // There is no disk to read pages from or to move them to.
        {"pgpgin", 0},
        {"pgpgout", 0},
        {"pswpin", 0},
        {"pswpout", 0},
        {"pgfault", mm_stat_read(MM_STAT_FAULTS)},
        {"pgmajfault", mm_stat_read(MM_STAT_MAJOR_FAULTS)},
        {"oom_kill", READ_ONCE(oom_kills)},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
    return 0;
}

static void slab_line(const struct slab_info *s, void *arg)
{
    struct seq_file *m = arg;
    uint64_t per_slab = s->pages && s->objects ? max(s->objects / s->pages, 1ul) : 1;
    seq_printf(m, "%-17s %6llu %6llu %6zu %4llu %4u : tunables    0    0    0 : slabdata %6llu %6llu      0\n", s->name, (unsigned long long)s->active,
               (unsigned long long)s->objects, s->object_size, (unsigned long long)per_slab, 1u, (unsigned long long)s->pages, (unsigned long long)s->pages);
}

int slabinfo_show(struct seq_file *m, void *)
{
    seq_puts(m, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> "
                "<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    slab_for_each(slab_line, m);
    return 0;
}

int buddyinfo_show(struct seq_file *m, void *)
{
    for (unsigned z = 0; z < NR_ZONES; z++) {
        if (!zones[z].managed)
            continue;
        seq_printf(m, "Node 0, zone %8s ", zones[z].name);
        for (unsigned order = 0; order <= MAX_ORDER; order++)
            seq_printf(m, "%6llu ", (unsigned long long)READ_ONCE(zones[z].nr_blocks[order]));
        seq_putc(m, '\n');
    }
    return 0;
}

int zoneinfo_show(struct seq_file *m, void *)
{
    for (unsigned z = 0; z < NR_ZONES; z++) {
        const struct zone *zone = &zones[z];
        if (zone->managed)
            seq_printf(m,
                       "Node 0, zone %8s\n  pages free     %llu\n        min      %llu\n        low      %llu\n        high     %llu\n        managed  %llu\n",
                       zone->name, (unsigned long long)READ_ONCE(zone->free), (unsigned long long)zone->watermark_min, (unsigned long long)zone->watermark_low,
                       (unsigned long long)zone->watermark_high, (unsigned long long)zone->managed);
    }
    return 0;
}

// The firmware's map of physical memory. Where it is, the administrator sees alone.
int iomem_show(struct seq_file *m, void *)
{
    static const char *const names[NR_MEMORY_KINDS] = {
        [MEM_USABLE] = "System RAM",        [MEM_KERNEL] = "System RAM",     [MEM_BOOT_TABLES] = "System RAM",
        [MEM_INITRD] = "System RAM",        [MEM_ACPI] = "ACPI Tables",      [MEM_NVS] = "ACPI Non-volatile Storage",
        [MEM_PERSISTENT] = "Persistent Memory", [MEM_RESERVED] = "Reserved", [MEM_BAD] = "Unusable memory",
    };
    bool places = cred_capable(m->file->cred, CAP_SYS_ADMIN);
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        paddr_t start = boot_info.ranges[i].start, end = start + boot_info.ranges[i].size;
        const char *name = names[boot_info.ranges[i].kind];
        while (i + 1 < boot_info.nr_ranges && boot_info.ranges[i + 1].start == end && !strcmp(name, names[boot_info.ranges[i + 1].kind]))
            end += boot_info.ranges[++i].size;
        seq_printf(m, "%08llx-%08llx : %s\n", places ? (unsigned long long)start : 0, places ? (unsigned long long)end - 1 : 0, name);
    }
    return 0;
}
