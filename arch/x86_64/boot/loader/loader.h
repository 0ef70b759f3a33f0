// arch/x86_64/boot/loader/loader.h — the parts of the loader: how we were started, where the kernel goes, how it is entered.
//
// The loader runs on one CPU, interrupts off, on memory mapped at its physical addresses. It may use nothing of the kernel.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/boot/handoff.h"

// One program, linked into one piece: every address is relative to the instruction pointer.
#pragma GCC visibility push(hidden)

#define PAGE 4096ull
#define ROUND_UP(x, a) (((x) + (a) - 1) & ~((uint64_t)(a) - 1))

// What tools/kimage tells about the kernel; it finds this object by its symbol and fills it in.
#define PAYLOAD_SEGMENTS 6
struct payload {
    char tag[8];
    uint32_t file_offset; // of the kernel's flat image, from image_base
    uint32_t file_size;   // bytes present; the rest up to mem_size is zero
    uint32_t mem_size;
    uint32_t entry; // this and the following: offsets in the kernel's image
    uint32_t relr, relr_size;
    uint32_t rela, rela_size;
    uint32_t symbols_offset, symbols_size; // of the symbol table, from image_base
    uint32_t nr_segments;
    struct {
        uint32_t start, end, flags; // flags as an ELF program header's: 1 execute, 2 write, 4 read
    } segments[PAYLOAD_SEGMENTS];
};

extern const volatile struct payload payload;
extern char image_base[], loader_end[];
// The one handoff being filled in; start_kernel() copies it behind the kernel.
extern struct boot_handoff handoff;

// Sizes of the region the kernel needs, from its first byte: image, symbols, handoff, page tables.
struct layout {
    uint64_t symbols, handoff, tables, total;
};
struct layout kernel_layout(void);

// Copies the kernel to `phys` (2 MiB aligned, `total` bytes free there), relocates and maps it, then enters it: never
// returns. `handoff` has everything but what concerns the kernel's own place.
[[noreturn]] void start_kernel(uint64_t phys);

// Appends a memory range, merging with the last one when it continues it.
void handoff_add_range(uint64_t start, uint64_t size, uint32_t type);
// Copies at most HANDOFF_CMDLINE_SIZE - 1 bytes of a NUL-terminated command line.
void handoff_set_cmdline(const char *text);

// Mixes bytes into the seed; `bits` says how much a guesser does not know of them.
void seed_mix(const void *bytes, size_t size, uint32_t bits);
// Adds what the CPU offers: RDRAND and the time stamp counter.
void seed_from_cpu(void);
// Draws 64 bits from the seed without giving the seed away.
uint64_t seed_draw(uint64_t purpose);
bool cmdline_has(const char *cmdline, const char *word); // as a whole word, separated by blanks

uint64_t read_tsc(void);

// Maps all memory a boot loader may have used at its physical address, in tables of our own. For the Linux boot
// protocol, which promises only parts of it.
void map_everything(void);

// The address of the ACPI root pointer among the firmware's configuration tables, 0 if there is none. Also for a boot
// loader that left the firmware behind and passed on where its system table is.
struct efi_system_table;
uint64_t efi_find_rsdp(const struct efi_system_table *system);

// To the first serial port, if there is one; die() stops the CPU behind it.
void serial_puts(const char *text);
[[noreturn]] void die(const char *why);

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

// entry.S: loads the page tables and jumps.
[[noreturn]] void enter_kernel(uint64_t pml4, uint64_t entry, uint64_t handoff);

#pragma GCC visibility pop
