// arch/x86_64/boot/loader/setup.S — the first 4 KiB of the boot file: PE headers, Linux setup header, real-mode entry.
//
// One file, three readers. EFI firmware reads the MZ/PE headers; a Linux boot loader reads the setup header at 0x1f1
// (Linux/x86 boot protocol 2.15); a PC BIOS loader also jumps to offset 0x200 of this block in real mode. File offsets
// and PE addresses are the same numbers. Fields written "0 // image" are filled in by tools/kimage, which knows the sizes.

#define SETUP_SECTS    7                  /* 512-byte sectors after the first: the block is 4 KiB */
#define BOOT_PARAMS    0x1000             /* the zero page, built just behind this block */
#define BP_E820_COUNT  (BOOT_PARAMS + 0x1e8)
#define BP_E820_TABLE  (BOOT_PARAMS + 0x2d0)
#define E820_MAX       128
#define E820_ENTRY     20
#define STACK_TOP      0x8000             /* below where old loaders put the command line (0x9000) */

#define LOADED_HIGH    0x01
#define XLF_KERNEL_64  0x01
#define XLF_ABOVE_4G   0x02

    .code16
    .section ".setup", "ax"
base:
    .ascii "MZ"
    .org 0x3c
    .long pe_header - base

    .org 0x40
pe_header:
    .ascii "PE\0\0"
    .word 0x8664                          // machine: x86-64
    .word 3                               // sections
    .long 0                               // time stamp: none, builds are reproducible
    .long 0, 0                            // no symbol table
    .word section_table - optional_header
    .word 0x022e                          // executable, no line numbers, symbols or debug data, large addresses
optional_header:
    .word 0x020b                          // PE32+
    .byte 1, 0                            // linker version
    .long 0                               // image: size of code
    .long 0                               // image: size of initialised data
    .long 0                               // size of uninitialised data
    .long 0                               // image: entry point
    .long 0x1000                          // base of code
    .quad 0                               // image base: anywhere
    .long 0x1000                          // section alignment
    .long 0x200                           // file alignment
    .word 0, 0                            // operating system version
    .word 1, 0                            // image version: from 1.0 on, the initrd is asked for with LoadFile2
    .word 0, 0                            // subsystem version
    .long 0
    .long 0                               // image: size of image
    .long 0x1000                          // size of headers
    .long 0                               // checksum
    .word 10                              // subsystem: EFI application
    .word 0x0100                          // NX compatible
    .quad 0, 0, 0, 0                      // stack and heap: not used by EFI
    .long 0
    .long 6                               // data directories, all empty
    .quad 0, 0, 0, 0, 0, 0
section_table:
    .ascii ".text\0\0\0"                  // the loader's code
    .long 0, 0x1000, 0, 0x1000            // image: virtual size, address, raw size, file offset
    .long 0, 0, 0
    .long 0x60000020                      // code, read, execute
    .ascii ".data\0\0\0"                  // its data
    .long 0, 0, 0, 0                      // image
    .long 0, 0, 0
    .long 0xc0000040                      // initialised data, read, write
    .ascii ".kernel\0"                    // the kernel proper, moved out before it runs
    .long 0, 0, 0, 0                      // image
    .long 0, 0, 0
    .long 0x40000040                      // initialised data, read

    .org 0x1f1
    .byte SETUP_SECTS
    .word 0                               // root_flags
    .long 0                               // image: syssize, in 16-byte units
    .word 0                               // ram_size
    .word 0xffff                          // vid_mode: leave it
    .word 0                               // root_dev
    .word 0xaa55                          // boot_flag

    .org 0x200
    .byte 0xeb, real_mode_entry - header  // jump over the header; the loader reads its length from here too
header:
    .ascii "HdrS"
    .word 0x020f                          // protocol 2.15
    .long 0                               // realmode_swtch: none
    .word 0                               // start_sys_seg
    .word version_string - base - 0x200
    .byte 0                               // type_of_loader: written by the loader
    .byte LOADED_HIGH
    .word 0                               // setup_move_size
code32_start:
    .long 0x100000
    .long 0                               // ramdisk_image
    .long 0                               // ramdisk_size
    .long 0                               // bootsect_kludge
    .word 0                               // heap_end_ptr
    .byte 0, 0                            // ext_loader_ver, ext_loader_type
    .long 0                               // cmd_line_ptr
    .long 0x7fffffff                      // initrd_addr_max
    .long 0x200000                        // kernel_alignment
    .byte 1                               // relocatable_kernel
    .byte 12                              // min_alignment, as a power of two: the loader moves the kernel itself
    .word XLF_KERNEL_64 | XLF_ABOVE_4G
    .long 2047                            // cmdline_size
    .long 0                               // hardware_subarch
    .quad 0                               // hardware_subarch_data
    .long 0, 0                            // payload_offset, payload_length: not a packed ELF
    .quad 0                               // setup_data
    .quad 0x1000000                       // pref_address
    .long 0                               // image: init_size
    .long 0                               // handover_offset: not offered
    .long 0                               // image: kernel_info_offset
header_end:

// Real mode: ds = es = this block's segment, cs = ds + 0x20. Nothing else may be assumed (flags, stack).
real_mode_entry:
    cli
    cld
    pushw %ds
    pushw $(in_own_segment - base)
    lretw                                 // cs = ds, so that labels are plain offsets
in_own_segment:
    movw %ds, %ax
    movw %ax, %es
    movw %ax, %ss
    movl $STACK_TOP, %esp
    sti

    // An empty zero page, then our header as the loader has filled it in.
    movw $BOOT_PARAMS, %di
    xorl %eax, %eax
    movw $(4096 / 4), %cx
    rep stosl
    movw $0x1f1, %si
    movw $(BOOT_PARAMS + 0x1f1), %di
    movw $(header_end - base - 0x1f1), %cx
    rep movsb

    call read_memory_map
    call open_a20

    // The GDT's and this segment's linear addresses; then protected mode and the 32-bit entry, esi = zero page.
    cli
    movw %ds, %ax
    movzwl %ax, %esi
    shll $4, %esi
    leal (gdt - base)(%esi), %eax
    movl %eax, (gdt_pointer - base + 2)
    lidtl (null_idt - base)
    lgdtl (gdt_pointer - base)
    leal (protected_mode - base)(%esi), %eax
    movl %eax, (far_target - base)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    jmp flush_prefetch
flush_prefetch:
    ljmpl *(far_target - base)

// BIOS memory map, int 15h ax=e820h, into the zero page. An empty table is reported by the loader proper.
read_memory_map:
    movw $BP_E820_TABLE, %di
    xorl %ebx, %ebx
1:  movl $0xe820, %eax
    movl $0x534d4150, %edx                // "SMAP"
    movl $E820_ENTRY, %ecx
    pushw %di
    int $0x15
    popw %di
    jc 2f
    cmpl $0x534d4150, %eax
    jne 2f
    testl %ecx, %ecx
    jz 3f
    addw $E820_ENTRY, %di
    incb (BP_E820_COUNT)
    cmpb $E820_MAX, (BP_E820_COUNT)
    jae 2f
3:  testl %ebx, %ebx
    jnz 1b
2:  ret

// Address line 20: every machine of this century has it open; ask the BIOS, then use the system control port.
open_a20:
    movw $0x2401, %ax
    int $0x15
    inb $0x92, %al
    testb $2, %al
    jnz 1f
    orb $2, %al
    andb $0xfe, %al                       // bit 0 would reset the machine
    outb %al, $0x92
1:  ret

    .code32
protected_mode:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    leal STACK_TOP(%esi), %esp
    movl (code32_start - base)(%esi), %eax
    addl $BOOT_PARAMS, %esi
    xorl %ebp, %ebp
    xorl %edi, %edi
    xorl %ebx, %ebx
    jmp *%eax

    .balign 8
gdt:
    .quad 0
    .quad 0
    .quad 0x00cf9b000000ffff              // 0x10: flat 32-bit code
    .quad 0x00cf93000000ffff              // 0x18: flat data
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long 0
null_idt:
    .word 0
    .long 0
far_target:
    .long 0
    .word 0x10

version_string:
    .asciz KEVLAR_VERSION_STRING

    .org (SETUP_SECTS + 1) * 512
