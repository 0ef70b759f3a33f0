// tools/kimage/kimage.h — pieces of the tool that makes the boot file: reading ELF files, building the symbol table.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data;
    size_t size;
};

struct elf {
    const char *path;
    struct buffer file;
    struct buffer flat; // the loadable segments at their addresses, from the lowest one on
    uint64_t base, entry, mem_size;
    struct {
        uint64_t start, end; // from base; end with bss
        uint32_t flags;
    } segments[6];
    unsigned nr_segments;
    uint64_t relr, relr_size; // from base, as the next
    uint64_t rela, rela_size;
};

[[noreturn]] void die(const char *path, const char *why);
struct buffer read_file(const char *path);

// Reads an x86-64 ELF file that is linked to run at one piece of memory. Ends the program when it is not one.
struct elf elf_read(const char *path);
// The address of a symbol; ends the program if there is none of that name.
uint64_t elf_symbol(const struct elf *elf, const char *name);

// The kernel's own symbol table: every function, sorted by address, in the form kernel/debug/symbols.h describes.
struct buffer symbols_build(const struct elf *kernel);

// Calls fn for every defined symbol: name, value, ELF type (st_info & 15), size.
void elf_each_symbol(const struct elf *elf, void (*fn)(void *ctx, const char *name, uint64_t value, unsigned type, uint64_t size),
                     void *ctx);
