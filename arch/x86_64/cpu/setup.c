// arch/x86_64/cpu/setup.c — the two steps in which boot brings up the processor and the machine around it.
#include "arch/include/setup.h"

#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/smp/smp.h"
#include "arch/x86_64/thread/fpu.h"
#include "arch/x86_64/time/tsc.h"
#include "kernel/base/printk.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/sched/thread.h"

extern char boot_stack[]; // boot/head.S

void arch_early_init(void)
{
    features_detect();
    percpu_save_template();
    features_enable();
    topology_detect(0);
    features_patch_kernel();
    idt_init();
    descriptors_load(0);
    boot_thread.stack = boot_stack;
    arch_set_current(&boot_thread);
    smp_reserve_trampoline();
}

void arch_machine_init(void)
{
    pr_info("CPU: %s (family %u, model %u, stepping %u)%s%s%s%s%s\n", boot_cpu.model_name, boot_cpu.family,
            boot_cpu.model, boot_cpu.stepping, cpu_has(X86_SMEP) ? " SMEP" : "", cpu_has(X86_SMAP) ? " SMAP" : "",
            cpu_has(X86_UMIP) ? " UMIP" : "", cpu_has(X86_FSGSBASE) ? " FSGSBASE" : "",
            cpu_has(X86_X2APIC) ? " x2APIC" : "");
    pr_info("FPU: state components %#llx, %u bytes each thread\n", (unsigned long long)fpu_components, fpu_area_size);
    fpu_init();
    acpi_init();
    apic_init();
    smp_find_cpus();
    clock_init();
    timer_init_cpu();
}
