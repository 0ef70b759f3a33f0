// arch/include/setup.h — what boot asks of the CPU's code, in this order.
#pragma once

#include "kernel/base/types.h"

// The boot CPU's descriptor tables, traps, per-CPU base, processor features. Right after boot_info is known and
// boot_memory_take() works, before the page allocator: from here on exceptions are reported. Interrupts stay off.
void arch_early_init(void);
// Firmware tables, interrupt controllers, the clock source, the timer: after the page and slab allocators and ioremap()
// work, before sched_init(); the first use of arch_clock_ns(). Fills cpu_possible_mask and nr_cpus, sets up per-CPU
// areas for all. Interrupts stay off.
void arch_machine_init(void);
// This thread becomes the running one of this CPU. arch_early_init() does it for boot_thread.
struct thread;
void arch_set_current(struct thread *thread);

// Prints the /proc/cpuinfo block of one CPU.
struct seq_file;
void arch_cpuinfo_show(struct seq_file *m, unsigned cpu);
