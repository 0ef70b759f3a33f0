// arch/x86_64/cpu/cpuinfo.c — /proc/cpuinfo: proc_cpuinfo(5). Flag names are those that programs know from there.
#include "arch/include/setup.h"
#include "arch/include/topology.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/time/tsc.h"
#include "kernel/base/cpumask.h"
#include "kernel/vfs/seq_file.h"

static const char *const flag_names[NR_CPUID_WORDS][32] = {
    [CPUID_1_EDX] = {"fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic",  nullptr,
                     "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", nullptr, "dts",
                     "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe"},
    [CPUID_EXT1_EDX] = {[11] = "syscall",
                        [19] = "mp",
                        [20] = "nx",
                        [22] = "mmxext",
                        [25] = "fxsr_opt",
                        [26] = "pdpe1gb",
                        [27] = "rdtscp",
                        [29] = "lm",
                        [30] = "3dnowext",
                        [31] = "3dnow"},
    [CPUID_1_ECX] = {"pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
                     "vmx",    "smx",       "est",    "tm2",     "ssse3",
                     "cid",    "sdbg",      "fma",    "cx16",    "xtpr",
                     "pdcm",   nullptr,     "pcid",   "dca",     "sse4_1",
                     "sse4_2", "x2apic",    "movbe",  "popcnt",  "tsc_deadline_timer",
                     "aes",    "xsave",     nullptr,  "avx",     "f16c",
                     "rdrand", "hypervisor"},
    [CPUID_EXT1_ECX] = {"lahf_lm", "cmp_legacy",  "svm",           "extapic", "cr8_legacy", "abm",
                        "sse4a",   "misalignsse", "3dnowprefetch", "osvw",    "ibs",        "xop",
                        "skinit",  "wdt",         nullptr,         "lwp",     "fma4",       "tce",
                        nullptr,   "nodeid_msr",  nullptr,         "tbm",     "topoext"},
    [CPUID_6_EAX] = {[0] = "dtherm", [1] = "ida", [2] = "arat"},
    [CPUID_7_EBX] = {"fsgsbase",   "tsc_adjust", "sgx",        "bmi1",     "hle",      "avx2",     nullptr,
                     "smep",       "bmi2",       "erms",       "invpcid",  "rtm",      "cqm",      nullptr,
                     "mpx",        "rdt_a",      "avx512f",    "avx512dq", "rdseed",   "adx",      "smap",
                     "avx512ifma", nullptr,      "clflushopt", "clwb",     "intel_pt", "avx512pf", "avx512er",
                     "avx512cd",   "sha_ni",     "avx512bw",   "avx512vl"},
    [CPUID_D1_EAX] = {"xsaveopt", "xsavec", "xgetbv1", "xsaves"},
    [CPUID_EXT8_EBX] = {[0] = "clzero", [1] = "irperf", [2] = "xsaveerptr", [4] = "rdpru", [9] = "wbnoinvd", [23] = "amd_ppin", [27] = "cppc"},
    [CPUID_EXTA_EDX] = {[0] = "npt",
                        [1] = "lbrv",
                        [2] = "svm_lock",
                        [3] = "nrip_save",
                        [4] = "tsc_scale",
                        [5] = "vmcb_clean",
                        [6] = "flushbyasid",
                        [7] = "decodeassists",
                        [10] = "pausefilter",
                        [12] = "pfthreshold",
                        [13] = "avic",
                        [15] = "v_vmsave_vmload",
                        [16] = "vgif",
                        [18] = "x2avic",
                        [20] = "v_spec_ctrl",
                        [25] = "vnmi"},
    [CPUID_7_ECX] = {[1] = "avx512vbmi",
                     [2] = "umip",
                     [3] = "pku",
                     [4] = "ospke",
                     [5] = "waitpkg",
                     [6] = "avx512_vbmi2",
                     [8] = "gfni",
                     [9] = "vaes",
                     [10] = "vpclmulqdq",
                     [11] = "avx512_vnni",
                     [12] = "avx512_bitalg",
                     [14] = "avx512_vpopcntdq",
                     [16] = "la57",
                     [22] = "rdpid",
                     [25] = "cldemote",
                     [27] = "movdiri",
                     [28] = "movdir64b"},
    [CPUID_7_EDX] = {[4] = "fsrm", [8] = "avx512_vp2intersect", [10] = "md_clear", [14] = "serialize"},
    [CPUID_EXT7_EDX] = {[8] = "constant_tsc"},
};
// Behind a word, what is true without a bit of its own. Every 64-bit processor has CPUID and the long NOP; AMD's have PREFETCHW with long mode, and VMMCALL.
struct implied_flag {
    const char *name;
    bool (*is_true)(void);
};
static bool always(void)
{
    return true;
}
static bool steady_tsc(void)
{
    return cpu_has(X86_INVARIANT_TSC);
}
static bool amd_without_prefetch_bit(void)
{
    return cpu_is_amd() && !cpu_has(X86_3DNOWPREFETCH);
}
static const struct implied_flag implied_after_ext7[] = {
    {"nopl", always}, {"xtopology", topology_by_levels}, {"nonstop_tsc", steady_tsc}, {"cpuid", always}, {}};
static const struct implied_flag implied_after_ext1[] = {{"3dnowprefetch", amd_without_prefetch_bit}, {"vmmcall", cpu_is_amd}, {}};

// The order in which programs are used to see the words.
static const struct {
    enum cpuid_word word;
    const struct implied_flag *implied;
} word_order[] = {{CPUID_1_EDX, nullptr},
                  {CPUID_EXT1_EDX, nullptr},
                  {CPUID_EXT7_EDX, implied_after_ext7},
                  {CPUID_1_ECX, nullptr},
                  {CPUID_EXT1_ECX, implied_after_ext1},
                  {CPUID_7_EBX, nullptr},
                  {CPUID_D1_EAX, nullptr},
                  {CPUID_EXT8_EBX, nullptr},
                  {CPUID_6_EAX, nullptr},
                  {CPUID_EXTA_EDX, nullptr},
                  {CPUID_7_ECX, nullptr},
                  {CPUID_7_EDX, nullptr}};

static void show_flags(struct seq_file *m)
{
    seq_printf(m, "flags\t\t:");
    for (unsigned w = 0; w < ARRAY_SIZE(word_order); w++) {
        unsigned word = word_order[w].word;
        for (unsigned bit = 0; bit < 32; bit++)
            if (flag_names[word][bit] && boot_cpu.words[word] >> bit & 1)
                seq_printf(m, " %s", flag_names[word][bit]);
        for (const struct implied_flag *f = word_order[w].implied; f && f->name; f++)
            if (f->is_true())
                seq_printf(m, " %s", f->name);
    }
    seq_printf(m, "\n");
}

// Of the package that the CPU is in: how many CPUs, and how many cores. A core is counted by its first thread.
static void show_topology(struct seq_file *m, unsigned cpu)
{
    struct cpumask package = arch_cpu_siblings(cpu, TOPOLOGY_PACKAGE);
    unsigned siblings = 0, cores = 0, other;
    for_each_cpu(other, &package) {
        struct cpumask core = arch_cpu_siblings(other, TOPOLOGY_CORE);
        siblings++;
        cores += cpumask_next(-1, &core) == other;
    }
    struct cpu_topology t = arch_cpu_topology(cpu);
    seq_printf(m, "physical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", t.package, siblings, t.core, cores);
}

void arch_cpuinfo_show(struct seq_file *m, unsigned cpu)
{
    uint64_t khz = tsc_khz();
    seq_printf(m,
               "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
               cpu, boot_cpu.vendor, boot_cpu.family, boot_cpu.model, boot_cpu.model_name, boot_cpu.stepping);
    seq_printf(m, "cpu MHz\t\t: %llu.%03llu\n", (unsigned long long)(khz / 1000), (unsigned long long)(khz % 1000));
    if (boot_cpu.cache_kib)
        seq_printf(m, "cache size\t: %u KB\n", boot_cpu.cache_kib);
    show_topology(m, cpu);
    seq_printf(m, "apicid\t\t: %u\ninitial apicid\t: %u\n", cpu_apic_id[cpu], cpu_apic_id[cpu]);
    seq_printf(m, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", boot_cpu.max_leaf);
    show_flags(m);
    seq_printf(m, "bugs\t\t:\nbogomips\t: %llu.%02llu\nclflush size\t: %u\ncache_alignment\t: 64\n",
               (unsigned long long)(khz / 500), (unsigned long long)(khz / 5 % 100),
               boot_cpu.clflush_size ? boot_cpu.clflush_size : 64);
    seq_printf(m, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", boot_cpu.physical_bits,
               boot_cpu.virtual_bits);
}
