// arch/x86_64/cpu/percpu.c — per-CPU memory. CPU 0 uses the linked copy of the section; the others get copies of what it held at boot.
#include "arch/x86_64/cpu/percpu.h"

#include "arch/include/context.h"
#include "arch/include/setup.h"
#include "kernel/abi/errno.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/sched/thread.h"

uintptr_t percpu_offset[MAX_CPUS];
struct cpumask cpu_possible_mask = {.bits = {1}};
struct cpumask cpu_online_mask = {.bits = {1}};
unsigned nr_cpus = 1;
uint32_t cpu_apic_id[MAX_CPUS];

DEFINE_PER_CPU(unsigned, cpu_number);
DEFINE_PER_CPU(uintptr_t, arch_percpu_self);
DEFINE_PER_CPU(struct thread *, arch_current_thread);
DEFINE_PER_CPU(struct pt_regs *, arch_irq_regs_ptr);
DEFINE_PER_CPU(uintptr_t, arch_syscall_user_sp);
DEFINE_PER_CPU(uintptr_t, arch_irq_stack_top);

#define IRQ_STACK_SIZE (16 * 1024UL)
#define IST_STACK_SIZE (8 * 1024UL)
// The boot CPU needs its stacks before there is an allocator.
static char boot_irq_stack[IRQ_STACK_SIZE] ALIGNED(PAGE_SIZE);
static char boot_ist_stacks[NR_IST][IST_STACK_SIZE] ALIGNED(PAGE_SIZE);

extern char __percpu_start[], __percpu_end[];
static void *percpu_template;

void percpu_save_template(void)
{
    size_t size = (size_t)(__percpu_end - __percpu_start);
    paddr_t pa = boot_memory_take(ALIGN_UP(size + 1, PAGE_SIZE), PAGE_SIZE, ~0UL);
    if (!pa)
        panic("no memory for per-CPU data");
    percpu_template = phys_to_virt(pa);
    memcpy(percpu_template, __percpu_start, size);

    arch_irq_stack_top = (uintptr_t)boot_irq_stack + IRQ_STACK_SIZE;
    for (unsigned i = 0; i < NR_IST; i++)
        arch_tss.ist[i] = (uintptr_t)boot_ist_stacks[i] + IST_STACK_SIZE;
    arch_tss.io_map_base = sizeof(struct tss);
}

int percpu_create(unsigned cpu)
{
    size_t size = (size_t)(__percpu_end - __percpu_start);
    char *area = vmalloc(size, ALLOC_KERNEL | ALLOC_ZERO);
    char *irq_stack = vmalloc(IRQ_STACK_SIZE, ALLOC_KERNEL);
    char *ist[NR_IST] = {};
    bool failed = !area || !irq_stack;
    for (unsigned i = 0; i < NR_IST; i++) {
        ist[i] = vmalloc(IST_STACK_SIZE, ALLOC_KERNEL);
        failed |= !ist[i];
    }
    if (failed) {
        vfree(area);
        vfree(irq_stack);
        for (unsigned i = 0; i < NR_IST; i++)
            vfree(ist[i]);
        return -ENOMEM;
    }
    memcpy(area, percpu_template, size);
    percpu_offset[cpu] = (uintptr_t)area - (uintptr_t)__percpu_start;
    per_cpu(arch_percpu_self, cpu) = percpu_offset[cpu];
    per_cpu(cpu_number, cpu) = cpu;
    per_cpu(arch_irq_stack_top, cpu) = (uintptr_t)irq_stack + IRQ_STACK_SIZE;
    struct tss *tss = per_cpu_ptr(&arch_tss, cpu);
    for (unsigned i = 0; i < NR_IST; i++)
        tss->ist[i] = (uintptr_t)ist[i] + IST_STACK_SIZE;
    tss->io_map_base = sizeof(struct tss);
    return 0;
}

bool arch_on_special_stack(uintptr_t address, uintptr_t *low, uintptr_t *high)
{
    uintptr_t top = this_cpu_read(arch_irq_stack_top);
    if (address < top && address >= top - IRQ_STACK_SIZE) {
        *low = top - IRQ_STACK_SIZE;
        *high = top;
        return true;
    }
    const struct tss *tss = this_cpu_ptr(&arch_tss);
    for (unsigned i = 0; i < NR_IST; i++) {
        if (address < tss->ist[i] && address >= tss->ist[i] - IST_STACK_SIZE) {
            *low = tss->ist[i] - IST_STACK_SIZE;
            *high = tss->ist[i];
            return true;
        }
    }
    return false;
}

struct pt_regs *thread_user_regs(const struct thread *thread)
{
    return (struct pt_regs *)((char *)thread->stack + KERNEL_STACK_SIZE) - 1;
}

void arch_set_current(struct thread *thread)
{
    this_cpu_write(arch_current_thread, thread);
    this_cpu_ptr(&arch_tss)->sp[0] = (uintptr_t)thread->stack + KERNEL_STACK_SIZE;
}
