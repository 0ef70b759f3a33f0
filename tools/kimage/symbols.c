// tools/kimage/symbols.c — packs the kernel's function names for backtraces; kernel/debug/symbols.c reads the result.
//
// Layout, little endian: u32 number of symbols, u32 number of blocks, then for each block of 16 symbols {u32 offset of
// its first function from the image's start, u32 offset of its data from the table's start}, then the data: for each
// symbol the distance from the previous one in the block (LEB128), its length in bytes (LEB128), the length of its name
// (one byte), the name.
#include "tools/kimage/kimage.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16, MAX_NAME = 127 };

struct symbol {
    const char *name;
    uint64_t offset, size;
};

struct collection {
    struct symbol *list;
    size_t count, room;
    const struct elf *kernel;
};

static void collect(void *ctx, const char *name, uint64_t value, unsigned type, uint64_t size)
{
    struct collection *c = ctx;
    if (type != STT_FUNC || !*name || value < c->kernel->base || value - c->kernel->base > c->kernel->mem_size)
        return;
    if (c->count == c->room) {
        c->room = c->room ? c->room * 2 : 4096;
        c->list = realloc(c->list, c->room * sizeof *c->list);
        if (!c->list)
            die(c->kernel->path, "out of memory");
    }
    c->list[c->count++] = (struct symbol){.name = name, .offset = value - c->kernel->base, .size = size};
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void put(struct buffer *b, const void *bytes, size_t size)
{
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

static void put_leb128(struct buffer *b, uint64_t value)
{
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        if (value)
            byte |= 0x80;
        put(b, &byte, 1);
    } while (value);
}

static void put_u32_at(struct buffer *b, size_t at, uint64_t value)
{
    uint32_t v = (uint32_t)value;
    memcpy(b->data + at, &v, sizeof v);
}

struct buffer symbols_build(const struct elf *kernel)
{
    struct collection c = {.kernel = kernel};
    elf_each_symbol(kernel, collect, &c);
    qsort(c.list, c.count, sizeof *c.list, by_address);
    size_t kept = 0;
    for (size_t i = 0; i < c.count; i++)
        if (kept == 0 || c.list[i].offset != c.list[kept - 1].offset)
            c.list[kept++] = c.list[i];
    c.count = kept;

    size_t blocks = (c.count + BLOCK - 1) / BLOCK;
    struct buffer out = {.size = 8 + 8 * blocks};
    out.data = calloc(1, out.size + c.count * (MAX_NAME + 24));
    if (!out.data)
        die(kernel->path, "out of memory");
    put_u32_at(&out, 0, c.count);
    put_u32_at(&out, 4, blocks);
    for (size_t i = 0; i < c.count; i++) {
        const struct symbol *s = &c.list[i];
        if (i % BLOCK == 0) {
            put_u32_at(&out, 8 + i / BLOCK * 8, s->offset);
            put_u32_at(&out, 12 + i / BLOCK * 8, out.size);
        }
        put_leb128(&out, i % BLOCK ? s->offset - s[-1].offset : 0);
        put_leb128(&out, s->size);
        size_t length = strlen(s->name);
        uint8_t n = length > MAX_NAME ? MAX_NAME : (uint8_t)length;
        put(&out, &n, 1);
        put(&out, s->name, n);
    }
    free(c.list);
    return out;
}
