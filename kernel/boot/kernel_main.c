// kernel/boot/kernel_main.c — the boot, read top to bottom.
#include "kernel/boot/kernel_main.h"

#include "arch/include/cpu.h"
#include "arch/include/elf.h"
#include "arch/include/setup.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/base/xarray.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/cmdline.h"
#include "kernel/boot/init.h"
#include "kernel/boot/start_init.h"
#include "kernel/boot/version.h"
#include "kernel/debug/symbols.h"
#include "kernel/mm/init.h"
#include "kernel/proc/start.h"
#include "kernel/sched/sched.h"

const char kernel_banner[] = "Kevlar " KEVLAR_VERSION " (" KERNEL_RELEASE ") " ARCH_MACHINE;

static void report_machine(void)
{
    pr_notice("%s\n", kernel_banner);
    pr_info("Command line: %s\n", boot_info.cmdline);
    pr_info("Started by: %s\n", boot_info.path);
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        const struct memory_range *r = &boot_info.ranges[i];
        pr_info("memory: [0x%010llx-0x%010llx] %s\n", (unsigned long long)r->start,
                (unsigned long long)(r->start + r->size - 1), memory_kind_name(r->kind));
    }
    pr_info("Memory: %llu MiB installed, %llu KiB of RAM for us\n", (unsigned long long)boot_memory_installed() >> 20,
            (unsigned long long)boot_memory_total() / 1024);
    if (boot_info.initrd_size)
        pr_info("Initramfs: %llu bytes\n", (unsigned long long)boot_info.initrd_size);
    else
        pr_info("Initramfs: none\n");
}

typedef int (*const initcall)(void);

static void run_level(const char *level, initcall *call, initcall *end)
{
    for (; call < end; call++) {
        int err = (*call)();
        if (err)
            pr_warn("init: %s: %pS failed (error %d)\n", level, (void *)*call, -err);
    }
}

#define RUN_LEVEL(level)                                                                                               \
    do {                                                                                                               \
        extern initcall __init_##level##_start[], __init_##level##_end[];                                              \
        run_level(#level, __init_##level##_start, __init_##level##_end);                                               \
    } while (0)

static unsigned max_cpus = MAX_CPUS;

// maxcpus=N: at most N CPUs run; 0 and 1 are both one.
static int parse_maxcpus(const char *value)
{
    uint32_t n;
    int err = parse_u32(value, 10, &n);
    if (!err)
        max_cpus = clamp(n, 1u, (uint32_t)MAX_CPUS);
    return err;
}
CMDLINE_PARAM("maxcpus", parse_maxcpus);

// The second half of boot, in the task that becomes pid 1: it may sleep, interrupts are on, other CPUs help.
static void boot_in_first_task([[maybe_unused]] void *arg)
{
    arch_smp_boot(max_cpus);
    RUN_LEVEL(subsys);
    RUN_LEVEL(fs);
    RUN_LEVEL(device);
    RUN_LEVEL(late);
    mm_seal_boot_data();
    start_init();
}

void kernel_main(void)
{
    // One CPU, interrupts off, nothing may sleep.
    symbols_init();
    cmdline_parse();
    console_settle();
    report_machine();
    arch_early_init();
    mm_init_early();
    mm_init();
    xarray_boot();
    arch_machine_init();
    random_init(boot_info.seed, sizeof boot_info.seed, boot_info.seed_bits);
    memset(boot_info.seed, 0, sizeof boot_info.seed);
    arch_set_current(&boot_thread);
    sched_init();
    RUN_LEVEL(core);

    init_thread_start(boot_in_first_task, nullptr);
    sched_idle_loop();
}
