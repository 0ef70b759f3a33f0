// arch/x86_64/smp/trampoline.S — where another CPU begins: real mode, at a page below 1 MiB that this code was copied to.
//
// It goes to 64-bit mode in one step on tables that map the first 2 MiB at their place and the kernel where it is, and
// jumps to the kernel. smp.c fills the fields behind smp_trampoline_fields.
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CR0_PG_WP_PE 0x80010001

    .section ".rodata", "a"
    .code16
    .balign 16
    .globl smp_trampoline, smp_trampoline_fields, smp_trampoline_end
smp_trampoline:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl field_gdt - smp_trampoline
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl field_cr3 - smp_trampoline, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl $CR0_PG_WP_PE, %eax
    movl %eax, %cr0
    ljmpl *(field_far - smp_trampoline)
    .code64
    .globl smp_trampoline_64
smp_trampoline_64:
    movl $0x18, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl field_cpu(%rip), %edi
    movq field_root(%rip), %rsi
    movq field_stack(%rip), %rsp
    jmpq *field_entry(%rip)

    .balign 16
smp_trampoline_fields:                    // struct trampoline_fields
field_gdt:
    .word 31
    .long 0
    .word 0
field_far:
    .long 0
    .word 0x10
    .word 0
field_cr3:
    .long 0
field_cpu:
    .long 0
field_root:
    .quad 0
field_stack:
    .quad 0
field_entry:
    .quad 0
    .quad 0                               // GDT: null, unused, 0x10 code, 0x18 data
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
smp_trampoline_end:

    .text
// From the trampoline: edi = CPU number, rsi = the kernel's root table, rsp = its idle thread's stack.
    .globl smp_secondary_entry
smp_secondary_entry:
    movq %rsi, %cr3
    pushq $0                              // the end of every backtrace
    pushq $0
    movq %rsp, %rbp
    call smp_secondary_start
    ud2
    .section .note.GNU-stack, "", @progbits
