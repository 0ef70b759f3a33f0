// arch/x86_64/boot/loader/entry.S — 32-bit and 64-bit entries of the Linux boot protocol, and the jump into the kernel.
//
// This is the start of the protected-mode part: a loader puts it anywhere, enters the 32-bit code at +0 or the 64-bit
// code at +0x200 with rsi = zero page. Nothing here or in the loader's C code depends on the address.

#define CR0_PE_PG      0x80000001
#define CR4_PAE        0x20
#define MSR_EFER       0xc0000080
#define EFER_LME       0x100

    .section ".entry", "ax"
    .code32
entry_32:
    cld
    cli
    // The only way to learn our address in 32-bit code is a call; the zero page has 4 bytes of scratch for its return.
    leal (0x1e4 + 4)(%esi), %esp
    call 1f
1:  popl %ebp
    subl $(1b - entry_32), %ebp           // ebp = address of entry_32

    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    testl $(1 << 29), %edx
    jz no_long_mode

    movl (tables_offset - entry_32)(%ebp), %edi
    leal (tables_offset - entry_32)(%ebp, %edi), %edi // edi = entry_tables: PML4, PDPT, four page directories
    leal 0x1003(%edi), %eax
    movl %eax, (%edi)                     // PML4[0] -> PDPT
    leal 0x2003(%edi), %eax
    xorl %ecx, %ecx
2:  movl %eax, 0x1000(%edi, %ecx, 8)      // PDPT[0..3] -> page directories
    addl $0x1000, %eax
    incl %ecx
    cmpl $4, %ecx
    jb 2b
    movl $0x83, %eax                      // present, writable, 2 MiB
    xorl %ecx, %ecx
3:  movl %eax, 0x2000(%edi, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jb 3b
    movl %edi, %cr3

    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    // A GDT with a 64-bit code segment; its pointer lives in the page-table block's tail, which is ours to write.
    leal (gdt - entry_32)(%ebp), %eax
    movl %eax, (0x6000 + 2)(%edi)
    movw $(gdt_end - gdt - 1), 0x6000(%edi)
    lgdt 0x6000(%edi)
    leal (0x6000 + 0x100)(%edi), %esp
    leal (entry_64 - entry_32)(%ebp), %eax
    pushl $0x10
    pushl %eax
    movl $CR0_PE_PG, %eax
    movl %eax, %cr0
    lretl

no_long_mode:
    leal (no_long_mode_text - entry_32)(%ebp), %ebx
4:  movb (%ebx), %al
    testb %al, %al
    jz 5f
    movw $0x3f8, %dx
    outb %al, %dx
    incl %ebx
    jmp 4b
5:  hlt
    jmp 5b
no_long_mode_text:
    .asciz "kevlar: this CPU has no 64-bit mode\r\n"

    .balign 8
gdt:
    .quad 0
    .quad 0
    .quad 0x00af9b000000ffff              // 0x10: 64-bit code
    .quad 0x00cf93000000ffff              // 0x18: data
gdt_end:
tables_offset:
    .long entry_tables - tables_offset

    .org 0x200
    .code64
entry_64:
    cld
    cli
    xorl %eax, %eax
    movl %eax, %ss
    movl %eax, %ds
    movl %eax, %es
    leaq loader_stack_top(%rip), %rsp
    movq %rsi, %rdi
    xorl %ebp, %ebp
    call linux_entry
1:  hlt
    jmp 1b

// Read by boot loaders through kernel_info_offset: no extra data.
    .balign 16
    .globl kernel_info
kernel_info:
    .ascii "LToP"
    .long kernel_info_end - kernel_info
    .long kernel_info_end - kernel_info
    .long 0                               // setup_type_max: highest setup_data type kept by us
kernel_info_end:

// void enter_kernel(uint64_t pml4, uint64_t entry, uint64_t handoff)
// The one page that both page tables map at the same address. rdi, rsi, rdx as in C.
    .balign 4096
    .globl enter_kernel
enter_kernel:
    cli
    movq %rdi, %cr3
    movq %rdx, %rdi
    xorl %ebp, %ebp
    jmp *%rsi
    .balign 4096

    .section ".bss", "aw", @nobits
    .balign 4096
    .globl entry_tables
entry_tables:
    .skip 0x7000
    .balign 16
loader_stack:
    .skip 0x4000
loader_stack_top:
