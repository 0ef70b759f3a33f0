// arch/x86_64/boot/handoff.h — what the loader at the front of the boot file tells the kernel proper.
//
// The boot file is two programs: a small loader that speaks every way a PC starts an operating system (real mode,
// 32-bit and 64-bit Linux boot protocol, EFI) and the kernel, which knows only this structure. The loader fills it,
// puts it behind the kernel's image and passes its virtual address. Both sides come from one build, so the layout has
// no version.
#pragma once
#include <stdint.h>

#define HANDOFF_MAGIC        0x4b65766c61723031ull
#define HANDOFF_CMDLINE_SIZE 2048u // bytes with the terminating NUL, as Linux's COMMAND_LINE_SIZE on x86
#define HANDOFF_MAX_RANGES   320u  // 128 entries of a zero page and room for a long EFI map
#define HANDOFF_SEED_SIZE    64u

// Where the kernel is linked; the virtual slide is added to it and keeps the image inside the top-but-one GiB.
#define KERNEL_LINK_BASE 0xffffffff80000000ull
#define KERNEL_VIRT_SPAN 0x40000000ull
#define KERNEL_ALIGN     0x200000ull

// The types of an e820 map, which is what firmware and boot loaders on a PC agree on: ACPI 6.5, section 15.
enum e820_type {
    E820_RAM = 1,
    E820_RESERVED = 2,
    E820_ACPI = 3,     // ACPI tables: ordinary memory once they have been read
    E820_NVS = 4,      // firmware's own across sleep: never touched
    E820_UNUSABLE = 5, // found faulty
    E820_PMEM = 7,
};

enum handoff_path {
    HANDOFF_LINUX_BOOT_PROTOCOL = 1,
    HANDOFF_EFI = 2,
};

struct handoff_range {
    uint64_t start;
    uint64_t size;
    uint32_t type; // enum e820_type
    uint32_t reserved;
};

struct boot_handoff {
    uint64_t magic;
    uint64_t kernel_phys; // of the image's first byte; the whole region below is contiguous from there
    uint64_t kernel_virt;
    uint64_t region_size;    // image, bss, symbol table, this structure and the first page tables, in bytes
    uint64_t symbols_offset; // of the symbol table, from kernel_phys
    uint64_t symbols_size;
    uint64_t pml4_phys;
    uint64_t initrd_phys; // 0 when there is none
    uint64_t initrd_size;
    uint64_t rsdp_phys; // ACPI root pointer, 0 when the loader was not told
    uint64_t efi_system_table;
    uint64_t entry_tsc; // time stamp counter when the loader began
    uint32_t path;      // enum handoff_path
    uint32_t loader_id; // type_of_loader of the boot protocol, 0 under EFI
    uint32_t nr_ranges;
    uint32_t seed_bits; // entropy the loader believes the seed to hold
    uint8_t seed[HANDOFF_SEED_SIZE];
    struct handoff_range ranges[HANDOFF_MAX_RANGES];
    char cmdline[HANDOFF_CMDLINE_SIZE];
};
