// arch/x86_64/cpu/topology.c — packages, cores and threads: Intel SDM volume 3, 9.9.3; AMD64 APM volume 3, appendix E.
//
// The bits of a CPU's APIC id are, from the lowest up, its thread in the core, the core (in modules, tiles, dies) and the package. How many bits each has,
// CPUID tells: newer processors by a list of levels, older AMD ones by the width of what is within a package, the oldest by counts.
#include "arch/include/topology.h"

#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "kernel/base/string.h"

enum { LEAF_LEVELS = 0xb, LEAF_LEVELS_V2 = 0x1f, LEVEL_THREAD = 1, LEVEL_DIE = 5, MAX_LEVELS = 8 };

struct layout {
    uint32_t id;
    unsigned core_shift, die_shift, package_shift; // the bits below the number of the core, the die, the package
};

static struct cpu_topology topologies[MAX_CPUS]; // each written by its CPU before that is online
static bool by_levels RO_AFTER_INIT;

// The bits that number `count` things.
static unsigned bits_for(unsigned count)
{
    return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

// Each level says how far to shift the id for the number of what it is a part of.
static bool layout_of_levels(uint32_t leaf, struct layout *l)
{
    if (boot_cpu.max_leaf < leaf)
        return false;
    bool found = false, dies = false;
    for (uint32_t i = 0; i < MAX_LEVELS; i++) {
        struct cpuid_regs r = cpuid(leaf, i);
        unsigned level = r.ecx >> 8 & 0xff, shift = r.eax & 31;
        if (!level || !(r.ebx & 0xffff))
            break;
        if (level == LEVEL_THREAD)
            l->core_shift = shift;
        if (level == LEVEL_DIE) {
            l->die_shift = l->package_shift; // of the level below
            dies = true;
        }
        l->package_shift = shift;
        l->id = r.edx;
        found = true;
    }
    if (!dies)
        l->die_shift = l->package_shift;
    return found;
}

static bool layout_of_amd(struct layout *l)
{
    if (!cpu_is_amd() || boot_cpu.max_ext_leaf < 0x80000008)
        return false;
    const unsigned first_with_threads = 0x17; // family; before, two cores that share a unit are told in the same place
    uint32_t sizes = cpuid(0x80000008, 0).ecx;
    unsigned bits = sizes >> 12 & 15;
    l->id = cpuid(1, 0).ebx >> 24;
    l->package_shift = l->die_shift = bits ? bits : bits_for((sizes & 0xff) + 1);
    if (cpu_has(X86_TOPOEXT) && boot_cpu.max_ext_leaf >= 0x8000001e && boot_cpu.family >= first_with_threads) {
        struct cpuid_regs r = cpuid(0x8000001e, 0);
        l->id = r.eax;
        l->core_shift = bits_for((r.ebx >> 8 & 0xff) + 1);
    }
    return true;
}

static void layout_of_counts(struct layout *l)
{
    uint32_t ebx = cpuid(1, 0).ebx;
    l->id = ebx >> 24;
    if (!cpu_has(X86_HTT))
        return;
    unsigned cores = boot_cpu.max_leaf >= 4 ? (cpuid(4, 0).eax >> 26) + 1 : 1;
    l->package_shift = l->die_shift = bits_for(ebx >> 16 & 0xff);
    l->core_shift = l->package_shift > bits_for(cores) ? l->package_shift - bits_for(cores) : 0;
}

void topology_detect(unsigned cpu)
{
    struct layout l = {};
    if (layout_of_levels(LEAF_LEVELS_V2, &l) || layout_of_levels(LEAF_LEVELS, &l)) {
        if (cpu == 0)
            by_levels = true;
    } else if (!layout_of_amd(&l)) {
        layout_of_counts(&l);
    }
    topologies[cpu] = (struct cpu_topology){.core = (l.id & ((1u << l.package_shift) - 1)) >> l.core_shift,
                                            .die = l.id >> l.die_shift,
                                            .package = l.id >> l.package_shift};
}

bool topology_by_levels(void)
{
    return by_levels;
}

struct cpu_topology arch_cpu_topology(unsigned cpu)
{
    return topologies[cpu];
}

static bool share(const struct cpu_topology *a, const struct cpu_topology *b, enum topology_level level)
{
    if (a->package != b->package)
        return false;
    return level == TOPOLOGY_PACKAGE || (level == TOPOLOGY_DIE ? a->die == b->die : a->core == b->core);
}

struct cpumask arch_cpu_siblings(unsigned cpu, enum topology_level level)
{
    struct cpumask mask = {};
    unsigned other;
    for_each_online_cpu(other)
        if (share(&topologies[cpu], &topologies[other], level))
            cpumask_set(other, &mask);
    return mask;
}
