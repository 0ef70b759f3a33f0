// arch/x86_64/cpu/cpuinfo.c — /proc/cpuinfo: proc_cpuinfo(5). Flag names are those that programs know from there.
#include "arch/include/setup.h"
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
    [CPUID_7_ECX] = {[1] = "avx512vbmi",
                     [2] = "umip",
                     [3] = "pku",
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
// The order in which programs are used to see the words.
static const uint8_t word_order[] = {CPUID_1_EDX,    CPUID_EXT1_EDX, CPUID_EXT7_EDX, CPUID_1_ECX, CPUID_EXT1_ECX,
                                     CPUID_7_EBX, CPUID_D1_EAX,   CPUID_6_EAX,    CPUID_7_ECX, CPUID_7_EDX};

static void show_flags(struct seq_file *m)
{
    seq_printf(m, "flags\t\t:");
    for (unsigned w = 0; w < ARRAY_SIZE(word_order); w++) {
        unsigned word = word_order[w];
        for (unsigned bit = 0; bit < 32; bit++)
            if (flag_names[word][bit] && boot_cpu.words[word] >> bit & 1)
                seq_printf(m, " %s", flag_names[word][bit]);
    }
    seq_printf(m, "\n");
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
    seq_printf(
        m, "physical id\t: %u\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: %u\ninitial apicid\t: %u\n",
        cpu, cpu_apic_id[cpu], cpu_apic_id[cpu]);
    seq_printf(m, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", boot_cpu.max_leaf);
    show_flags(m);
    seq_printf(m, "bugs\t\t:\nbogomips\t: %llu.%02llu\nclflush size\t: %u\ncache_alignment\t: 64\n",
               (unsigned long long)(khz / 500), (unsigned long long)(khz / 5 % 100),
               boot_cpu.clflush_size ? boot_cpu.clflush_size : 64);
    seq_printf(m, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", boot_cpu.physical_bits,
               boot_cpu.virtual_bits);
}
