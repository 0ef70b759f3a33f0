// arch/x86_64/boot/head.S — the kernel's first instructions: own segments, control bits, stack; then C.
//
// Entered by the loader at the kernel's final virtual address with rdi = struct boot_handoff, on its page tables,
// interrupts off.
// The CPU's state is whatever a boot loader left, so everything that matters is set here.

#define CR0_BITS        0x80050033        /* PG, AM, WP, NE, ET, MP, PE */
#define CR4_BITS        0x000000a0        /* PGE, PAE: arch/x86_64/cpu turns on the rest */
#define MSR_GS_BASE     0xc0000101
#ifdef KERNEL_FORTRESS
#define BOOT_STACK_SIZE 0x8000            /* KERNEL_STACK_SIZE */
#else
#define BOOT_STACK_SIZE 0x4000
#endif

    .section ".head.text", "ax"
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    cld
    cli
    leaq boot_gdt(%rip), %rax
    movq %rax, boot_gdt_pointer + 2(%rip)
    lgdt boot_gdt_pointer(%rip)
    leaq boot_stack_top(%rip), %rsp
    pushq $0x10
    leaq 1f(%rip), %rax
    pushq %rax
    lretq
1:  movl $0x18, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs

    movl $CR0_BITS, %eax
    movq %rax, %cr0
    movl $CR4_BITS, %eax
    movq %rax, %cr4

    // Distance 0: per-CPU variables of the boot CPU are the linked copies until the real ones are set up.
    movl $MSR_GS_BASE, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr

    // The canary has to be there before the first function that checks it. Its lowest byte is zero, to end strings.
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movabsq $0x9fb21c651e98df25, %rcx
    imulq %rcx, %rax
    xorq 112(%rdi), %rax                  // struct boot_handoff.seed
    xorb %al, %al
    movq %rax, __stack_chk_guard(%rip)

    pushq $0                              // the end of every backtrace
    pushq $0
    movq %rsp, %rbp
    call arch_boot
    ud2
    .size kernel_entry, . - kernel_entry

    .section ".data", "aw"
    .balign 16
boot_gdt:
    .quad 0
    .quad 0
    .quad 0x00af9b000000ffff              // 0x10: kernel code
    .quad 0x00cf93000000ffff              // 0x18: kernel data
boot_gdt_end:
boot_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .quad 0

    .section ".data.ro_after_init", "aw"
    .balign 8
    .globl __stack_chk_guard
__stack_chk_guard:
    .quad 0

    .section ".bss", "aw", @nobits
    .balign 4096
    .globl boot_stack
boot_stack:
    .skip BOOT_STACK_SIZE
    .globl boot_stack_top
boot_stack_top:
