// arch/x86_64/cpu/descriptors.c — GDT, TSS, IDT and the SYSCALL registers of each CPU. Selectors are those user space sees on Linux.
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/cpu/percpu.h"
#include "cpu/ptrace.h"

DEFINE_PER_CPU(struct tss, arch_tss);

#define GDT_ENTRIES 16
struct gdt {
    uint64_t entry[GDT_ENTRIES];
};
static DEFINE_PER_CPU(struct gdt, arch_gdt) ALIGNED(64);

struct PACKED gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, reserved;
};
static_assert(sizeof(struct gate) == 16);
static struct gate idt[256] ALIGNED(PAGE_SIZE) RO_AFTER_INIT;

struct PACKED table_pointer {
    uint16_t limit;
    uint64_t base;
};

#define GATE_INTERRUPT 0x8e
#define GATE_DPL3 0x60
#define SEGMENT_CODE64_KERNEL 0x00af9b000000ffffUL
#define SEGMENT_DATA_KERNEL 0x00cf93000000ffffUL
#define SEGMENT_CODE32_USER 0x00cffb000000ffffUL
#define SEGMENT_DATA_USER 0x00cff3000000ffffUL
#define SEGMENT_CODE64_USER 0x00affb000000ffffUL

extern char arch_idt_stubs[][16], arch_syscall_entry[], arch_syscall_entry32[];

void idt_init(void)
{
    for (unsigned v = 0; v < 256; v++) {
        uintptr_t stub = (uintptr_t)arch_idt_stubs[v];
        idt[v] = (struct gate){.offset_low = (uint16_t)stub, .selector = SELECTOR_KERNEL_CS, .type = GATE_INTERRUPT,
                               .offset_mid = (uint16_t)(stub >> 16), .offset_high = (uint32_t)(stub >> 32)};
    }
    idt[3].type |= GATE_DPL3; // INT3 and INTO are for user code too
    idt[4].type |= GATE_DPL3;
    idt[1].ist = IST_DEBUG;
    idt[2].ist = IST_NMI;
    idt[8].ist = IST_DOUBLE_FAULT;
    idt[18].ist = IST_MACHINE_CHECK;
}

static uint64_t tss_low(uintptr_t base)
{
    const uint64_t available_tss = 0x89;
    return (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | available_tss << 40 | (base >> 24 & 0xff) << 56;
}

// A byte-granular data segment whose only use is its limit.
static uint64_t cpu_number_segment(unsigned cpu)
{
    return 0x0040f50000000000UL | (cpu & 0xffff);
}

static void load_segments(const struct gdt *gdt)
{
    struct table_pointer pointer = {.limit = sizeof *gdt - 1, .base = (uintptr_t)gdt};
    __asm__ volatile("lgdt %0\n"
                     "pushq %1\n"
                     "leaq 1f(%%rip), %%rax\n"
                     "pushq %%rax\n"
                     "lretq\n"
                     "1: movl %2, %%ss\n"
                     "movl %3, %%ds\n"
                     "movl %3, %%es\n"
                     "movl %3, %%fs\n"
                     "movl %3, %%gs\n" // clears the GS base: nothing per-CPU until it is written again
                     ::"m"(pointer), "i"(SELECTOR_KERNEL_CS), "r"(SELECTOR_KERNEL_DS), "r"(0)
                     : "rax", "memory");
}

void descriptors_load(unsigned cpu)
{
    struct gdt *gdt = per_cpu_ptr(&arch_gdt, cpu);
    uintptr_t tss = (uintptr_t)per_cpu_ptr(&arch_tss, cpu);
    gdt->entry[SELECTOR_KERNEL_CS / 8] = SEGMENT_CODE64_KERNEL;
    gdt->entry[SELECTOR_KERNEL_DS / 8] = SEGMENT_DATA_KERNEL;
    gdt->entry[SELECTOR_USER32_CS / 8] = SEGMENT_CODE32_USER;
    gdt->entry[SELECTOR_USER_DS / 8] = SEGMENT_DATA_USER;
    gdt->entry[SELECTOR_USER_CS / 8] = SEGMENT_CODE64_USER;
    gdt->entry[SELECTOR_TSS / 8] = tss_low(tss);
    gdt->entry[SELECTOR_TSS / 8 + 1] = tss >> 32;
    gdt->entry[SELECTOR_CPU_NUMBER / 8] = cpu_number_segment(cpu);

    load_segments(gdt);
    wrmsr(MSR_GS_BASE, percpu_offset[cpu]);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    wrmsr(MSR_FS_BASE, 0);
    if (cpu_has(X86_RDTSCP))
        wrmsr(MSR_TSC_AUX, cpu);
    __asm__ volatile("ltr %0" ::"r"((uint16_t)SELECTOR_TSS));
    __asm__ volatile("lldt %0" ::"r"((uint16_t)0));
    uintptr_t idt_base = (uintptr_t)idt;
    // else the compiler makes a constant of it, with an unaligned relocation that RELR can not express
    __asm__("" : "+r"(idt_base));
    struct table_pointer pointer = {.limit = sizeof idt - 1, .base = idt_base};
    __asm__ volatile("lidt %0" ::"m"(pointer));

    // SYSCALL loads CS from bits 47..32; SYSRET loads CS from bits 63..48 plus 16 and SS from them plus 8.
    wrmsr(MSR_STAR, (uint64_t)SELECTOR_USER32_CS << 48 | (uint64_t)SELECTOR_KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, (uintptr_t)arch_syscall_entry);
    wrmsr(MSR_CSTAR, (uintptr_t)arch_syscall_entry32);
    wrmsr(MSR_SYSENTER_CS, 0); // SYSENTER is a general protection fault
    wrmsr(MSR_SYSCALL_MASK, X86_FLAGS_TF | X86_FLAGS_IF | X86_FLAGS_DF | X86_FLAGS_NT | X86_FLAGS_AC | X86_FLAGS_IOPL |
                                X86_FLAGS_RF | X86_FLAGS_CF | X86_FLAGS_PF | X86_FLAGS_AF | X86_FLAGS_ZF |
                                X86_FLAGS_SF | X86_FLAGS_OF);
}
