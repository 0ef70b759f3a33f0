// kernel/boot/boot_info.h — what the machine's firmware and boot loader told us, in one form for every CPU and boot path.
//
// arch/ fills it before kernel_main(); it is read-only afterwards but for the ranges, which boot_memory_take() splits
// until the page allocator has taken over (mm: hand out what is MEM_USABLE, then never look again).
#pragma once

#include "kernel/base/types.h"

enum memory_kind {
    MEM_USABLE,        // free RAM
    MEM_KERNEL,        // the kernel image and what lies right behind it
    MEM_BOOT_TABLES,   // taken with boot_memory_take(): page tables and the like, kept for good
    MEM_INITRD,        // free after the initramfs has been unpacked
    MEM_ACPI,          // ACPI tables; RAM
    MEM_NVS,           // RAM, but the firmware's for ever
    MEM_PERSISTENT,    // NVDIMM
    MEM_RESERVED,      // anything else: holes for devices, firmware
    MEM_BAD,
    NR_MEMORY_KINDS,
};

struct memory_range {
    paddr_t start;
    uint64_t size;
    enum memory_kind kind;
};

#define BOOT_MAX_RANGES 448
#define BOOT_CMDLINE_SIZE 2048
#define BOOT_SEED_SIZE 64

struct boot_info {
    const char *path;               // how we were started, for the log: "EFI", "Linux boot protocol"
    char cmdline[BOOT_CMDLINE_SIZE]; // as given: /proc/cmdline
    paddr_t initrd_phys;            // 0: none
    uint64_t initrd_size;
    paddr_t acpi_rsdp;              // 0: not told
    paddr_t efi_system_table;       // 0: not started by EFI
    paddr_t kernel_phys;            // the image's first byte; the mapped region behind it is contiguous
    vaddr_t kernel_virt;
    uint64_t kernel_region_size;
    const void *symbols;            // the packed symbol table (kernel/debug/symbols.h)
    uint64_t symbols_size;
    uint64_t entry_cycles;          // cycle counter when our first instruction ran
    uint8_t seed[BOOT_SEED_SIZE];   // for the random generator, which wipes it
    uint32_t seed_bits;             // believed to be in it
    unsigned nr_ranges;
    struct memory_range ranges[BOOT_MAX_RANGES]; // sorted, not overlapping
};

extern struct boot_info boot_info;

// Takes `size` bytes (a multiple of PAGE_SIZE) of usable memory at a multiple of `align`, highest address below `limit`
// first, for good. Returns the physical address, or 0 when there is none. Boot, one CPU, before mm.
paddr_t boot_memory_take(uint64_t size, uint64_t align, paddr_t limit);
// Gives [start, start + size) the kind `kind` where it is usable now (splitting ranges); other parts stay as they are.
void boot_memory_mark(paddr_t start, uint64_t size, enum memory_kind kind);
// Adds a range as the firmware reports it: where ranges overlap, the less usable kind wins. Ranges may come in any order.
void boot_memory_add(paddr_t start, uint64_t size, enum memory_kind kind);
// Sum of all ranges of RAM (usable, kernel, tables, initrd, ACPI), in bytes.
uint64_t boot_memory_total(void);
// The RAM that is plugged in, firmware's share included, in whole MiB: the same however the machine was started.
uint64_t boot_memory_installed(void);
const char *memory_kind_name(enum memory_kind kind); // for the log

// The value of `name=` on the command line, before parameters are parsed properly: copied to `value`, "" for a bare
// word. False if it is not there.
bool cmdline_find(const char *name, char *value, size_t size);
