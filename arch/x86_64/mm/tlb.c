// arch/x86_64/mm/tlb.c — which address space each CPU has loaded, and dropping stale translations on all of them.
//
// States of a CPU, in `loaded_mm`: null, the kernel's own root; mm, that space's root. A CPU keeps a user space loaded
// while it runs kernel threads (lazily), so that coming back to the same process costs nothing. mm->cpus has a bit for
// each CPU with loaded_mm == mm:
//   * set before CR3 is loaded, cleared after another one was; both by the CPU itself with interrupts off.
//   * A flusher changes entries first, then reads the mask (full barrier between): a CPU it does not see loads CR3
//     later and finds the new entries.
// A lazy CPU that is asked to flush leaves for the kernel's root instead, and is not asked again. The last user's exit
// makes all CPUs leave before the root is freed, so lazy CPUs need no reference. A flush waits for the other CPUs:
// interrupts on, no spinlock held (asserted).
#include "arch/include/mmu.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpumask.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"

#include "arch/x86_64/mm/root.h"

#define FLUSH_ALL_ABOVE 32u // pages; beyond it reloading CR3 is cheaper than single invalidations

static DEFINE_PER_CPU(struct mm *, loaded_mm);

static void load_kernel_root(void)
{
    struct mm *old = this_cpu_read(loaded_mm);
    write_cr3(x86_kernel_root.phys);
    this_cpu_write(loaded_mm, nullptr);
    if (old)
        cpumask_clear(this_cpu_id(), &old->cpus);
}

void arch_switch_mm(struct mm *prev, struct mm *next)
{
    (void)prev;
    struct mm *old = this_cpu_read(loaded_mm);
    if (!next || old == next)
        return;
    unsigned cpu = this_cpu_id();
    cpumask_set(cpu, &next->cpus);
    smp_mb();
    write_cr3(next->arch.root_phys);
    this_cpu_write(loaded_mm, next);
    if (old)
        cpumask_clear(cpu, &old->cpus);
}

// ---- user space -----------------------------------------------------------------------------------------------------

struct flush {
    struct mm *mm;
    vaddr_t start, end;
};

static void flush_local(const struct flush *f)
{
    if ((f->end - f->start) >> PAGE_SHIFT > FLUSH_ALL_ABOVE) {
        write_cr3(read_cr3());
        return;
    }
    for (vaddr_t va = f->start; va < f->end; va += PAGE_SIZE)
        mmu_flush_page_local(va);
}

// On each CPU of the mask, interrupts off.
static void flush_here(void *arg)
{
    const struct flush *f = arg;
    if (this_cpu_read(loaded_mm) != f->mm)
        return;
    if (current_thread()->mm != f->mm)
        load_kernel_root();
    else
        flush_local(f);
}

bool mmu_is_local(struct mm *mm)
{
    smp_mb();
    return (READ_ONCE(mm->cpus.bits[0]) & ~BIT(this_cpu_id())) == 0;
}

void mmu_flush_range(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct flush f = {.mm = mm, .start = start, .end = end};
    preempt_disable();
    if (likely(mmu_is_local(mm))) {
        irq_flags_t irq = arch_irq_save();
        flush_here(&f);
        arch_irq_restore(irq);
        preempt_enable();
        return;
    }
    preempt_enable();
    ASSERT(!in_atomic());
    struct cpumask mask = mm->cpus;
    smp_call_function(&mask, flush_here, &f);
}

void mmu_flush_mm(struct mm *mm)
{
    mmu_flush_range(mm, 0, MMU_USER_END);
}

void mmu_leave(struct mm *mm)
{
    irq_flags_t irq = arch_irq_save();
    if (this_cpu_read(loaded_mm) == mm && current_thread()->mm != mm)
        load_kernel_root();
    arch_irq_restore(irq);
    smp_mb();
    if (!cpumask_empty(&mm->cpus))
        mmu_flush_mm(mm);
}

// ---- kernel space ---------------------------------------------------------------------------------------------------

static void flush_kernel_here(void *arg)
{
    const struct flush *f = arg;
    if ((f->end - f->start) >> PAGE_SHIFT <= FLUSH_ALL_ABOVE) {
        for (vaddr_t va = f->start; va < f->end; va += PAGE_SIZE)
            mmu_flush_page_local(va);
        return;
    }
    uint64_t cr4 = read_cr4();
    if (cr4 & CR4_PGE) { // switching global pages off drops them
        write_cr4(cr4 & ~CR4_PGE);
        write_cr4(cr4);
    } else {
        write_cr3(read_cr3());
    }
}

void mmu_flush_kernel(vaddr_t start, vaddr_t end)
{
    struct flush f = {.start = start, .end = end};
    preempt_disable();
    bool alone = (cpu_online_mask.bits[0] & ~BIT(this_cpu_id())) == 0;
    if (alone) {
        irq_flags_t irq = arch_irq_save();
        flush_kernel_here(&f);
        arch_irq_restore(irq);
    }
    preempt_enable();
    if (alone)
        return;
    ASSERT(!in_atomic());
    struct cpumask mask = cpu_online_mask;
    smp_call_function(&mask, flush_kernel_here, &f);
}
