// kernel/debug/symbols.c — reads the packed symbol table.
#include "kernel/debug/symbols.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"

enum { BLOCK = 16 };

struct block {
    uint32_t offset, data;
};

static const uint8_t *table;
static uint32_t nr_symbols, nr_blocks;
static const struct block *blocks;

static uint64_t read_leb128(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
}

// Decodes symbols of a block from `*at` on: `offset` accumulates.
static void read_symbol(const uint8_t **at, uint64_t *offset, struct symbol *out)
{
    *offset += read_leb128(at);
    out->address = boot_info.kernel_virt + *offset;
    out->size = read_leb128(at);
    size_t length = *(*at)++;
    memcpy(out->name, *at, length);
    out->name[length] = 0;
    *at += length;
}

int symbol_lookup(uintptr_t address, struct symbol *out)
{
    uint64_t wanted = address - boot_info.kernel_virt;
    if (!table || address < boot_info.kernel_virt || wanted >= boot_info.kernel_region_size)
        return -ENOENT;
    uint32_t low = 0, high = nr_blocks; // the last block that starts at or below `wanted` is below high
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (blocks[middle].offset <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return -ENOENT;
    uint32_t b = low - 1;
    const uint8_t *at = table + blocks[b].data;
    uint64_t offset = blocks[b].offset;
    bool found = false;
    for (uint32_t i = b * BLOCK; i < min((b + 1) * BLOCK, nr_symbols); i++) {
        const uint8_t *peek = at;
        if (offset + read_leb128(&peek) > wanted)
            break;
        read_symbol(&at, &offset, out);
        found = true;
    }
    // Assembly does not always say how long a function is: then it lasts until the next.
    return found && (out->size == 0 || address - out->address < out->size) ? 0 : -ENOENT;
}

int symbol_get(unsigned n, struct symbol *out)
{
    if (n >= nr_symbols)
        return -ENOENT;
    const uint8_t *at = table + blocks[n / BLOCK].data;
    uint64_t offset = blocks[n / BLOCK].offset;
    for (unsigned i = 0; i <= n % BLOCK; i++)
        read_symbol(&at, &offset, out);
    return 0;
}

int symbol_find(const char *name, struct symbol *out)
{
    for (unsigned i = 0; symbol_get(i, out) == 0; i++)
        if (strcmp(out->name, name) == 0)
            return 0;
    return -ENOENT;
}

unsigned symbol_count(void)
{
    return nr_symbols;
}

static int write_symbol(char *to, size_t size, uintptr_t address)
{
    struct symbol s;
    if (symbol_lookup(address, &s) != 0)
        return snprintf(to, size, "%#lx", (unsigned long)address);
    return snprintf(to, size, "%s+0x%lx/0x%zx", s.name, (unsigned long)(address - s.address), s.size);
}

void symbols_init(void)
{
    const uint32_t *header = boot_info.symbols;
    if (boot_info.symbols_size < 8)
        return;
    nr_symbols = header[0];
    nr_blocks = header[1];
    blocks = (const struct block *)(header + 2);
    table = boot_info.symbols;
    format_symbol = write_symbol;
}
