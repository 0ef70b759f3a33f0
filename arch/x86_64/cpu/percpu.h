// arch/x86_64/cpu/percpu.h — this CPU's descriptor tables and per-CPU memory, and which processor is which number.
#pragma once

#include "kernel/base/percpu.h"

struct PACKED tss { // Intel SDM volume 3, 8.7
    uint32_t reserved0;
    uint64_t sp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
};
static_assert(sizeof(struct tss) == 104);

enum ist_stack { IST_DOUBLE_FAULT = 1, IST_NMI, IST_MACHINE_CHECK, IST_DEBUG, NR_IST = IST_DEBUG };

DECLARE_PER_CPU(struct tss, arch_tss);
DECLARE_PER_CPU(uintptr_t, arch_irq_stack_top);

// Local APIC ids by CPU number; from the firmware's tables.
extern uint32_t cpu_apic_id[MAX_CPUS];

// Remembers the initial values of per-CPU variables: before any changes. Boot CPU.
void percpu_save_template(void);
// Makes the per-CPU area and stacks of CPU `cpu` > 0, ready for its start. -ENOMEM.
[[nodiscard]] int percpu_create(unsigned cpu);
// Loads this CPU's GDT, TSS, IDT, GS base and SYSCALL registers. `cpu` is its number.
void descriptors_load(unsigned cpu);
// Fills the (one, shared) IDT. Boot CPU.
void idt_init(void);
// Bounds of the interrupt and exception stacks of this CPU for backtraces: is `address` in one of them?
bool arch_on_special_stack(uintptr_t address, uintptr_t *low, uintptr_t *high);
