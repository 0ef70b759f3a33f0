// tools/kimage/kimage.c — makes the boot file from the loader and the kernel: kimage LOADER.elf KERNEL.elf OUT
//
// The file is the loader's flat image, the kernel's flat image and the kernel's symbol table, each on a page boundary
// but for the last, which follows the kernel directly. The tool fills in every field of the PE and Linux headers
// (arch/x86_64/boot/loader/setup.S) that depends on a size, and the loader's `payload` structure (loader.h there).
// Output depends on the inputs only.
#include "tools/kimage/kimage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 4096,
    HUGE_PAGE = 2 << 20,
    SETUP_SIZE = 4096,
    FILE_ALIGN = 512,
    // Handoff and page tables behind the kernel; the loader computes them exactly, this is the roof it may not break
    // through.
    REGION_EXTRA = 128 * 1024,
};

enum header_field {
    PE_CODE_SIZE = 0x5c,
    PE_DATA_SIZE = 0x60,
    PE_ENTRY = 0x68,
    PE_IMAGE_SIZE = 0x90,
    PE_TEXT = 0xf8,
    PE_DATA = PE_TEXT + 40,
    PE_KERNEL = PE_DATA + 40,
    SECTION_VIRTUAL_SIZE = 8,
    SECTION_ADDRESS = 12,
    SECTION_RAW_SIZE = 16,
    SECTION_RAW_OFFSET = 20,
    LINUX_SYSSIZE = 0x1f4,
    LINUX_INIT_SIZE = 0x260,
    LINUX_KERNEL_INFO = 0x268,
};

static uint64_t round_up(uint64_t x, uint64_t a)
{
    return (x + a - 1) & ~(a - 1);
}

static void set32(struct buffer *image, size_t at, uint64_t value)
{
    if (value > UINT32_MAX || at + 4 > image->size)
        die("image", "a size does not fit its header field");
    for (int i = 0; i < 4; i++)
        image->data[at + i] = (uint8_t)(value >> 8 * i);
}

static void set_section(struct buffer *image, size_t at, uint64_t start, uint64_t end)
{
    set32(image, at + SECTION_VIRTUAL_SIZE, end - start);
    set32(image, at + SECTION_ADDRESS, start);
    set32(image, at + SECTION_RAW_SIZE, round_up(end - start, FILE_ALIGN));
    set32(image, at + SECTION_RAW_OFFSET, start);
}

static void set_payload(struct buffer *image, uint64_t at, const struct elf *kernel, uint64_t offset,
                        uint64_t symbols_size)
{
    if (memcmp(image->data + at, "payload", 8) != 0)
        die("loader", "its payload structure is not where its symbol says");
    uint32_t fixed[] = {
        (uint32_t)offset,
        (uint32_t)kernel->flat.size,
        (uint32_t)kernel->mem_size,
        (uint32_t)(kernel->entry - kernel->base),
        (uint32_t)kernel->relr,
        (uint32_t)kernel->relr_size,
        (uint32_t)kernel->rela,
        (uint32_t)kernel->rela_size,
        (uint32_t)(offset + kernel->flat.size),
        (uint32_t)symbols_size,
        kernel->nr_segments,
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        set32(image, at + 8 + 4 * i, fixed[i]);
    at += 8 + sizeof fixed;
    for (unsigned i = 0; i < kernel->nr_segments; i++, at += 12) {
        if ((kernel->segments[i].flags & 3) == 3)
            die(kernel->path, "has a segment that is both writable and executable");
        set32(image, at, kernel->segments[i].start);
        set32(image, at + 4, kernel->segments[i].end);
        set32(image, at + 8, kernel->segments[i].flags);
    }
}

static struct buffer compose(const struct elf *loader, const struct elf *kernel)
{
    struct buffer symbols = symbols_build(kernel);
    uint64_t data = elf_symbol(loader, "loader_data");
    uint64_t kernel_at = round_up(loader->flat.size, PAGE);
    uint64_t end = kernel_at + kernel->flat.size + symbols.size;
    struct buffer image = {.size = round_up(end, FILE_ALIGN)};
    image.data = calloc(1, image.size);
    if (!image.data)
        die("image", "out of memory");
    memcpy(image.data, loader->flat.data, loader->flat.size);
    memcpy(image.data + kernel_at, kernel->flat.data, kernel->flat.size);
    memcpy(image.data + kernel_at + kernel->flat.size, symbols.data, symbols.size);

    set32(&image, PE_CODE_SIZE, data - SETUP_SIZE);
    set32(&image, PE_DATA_SIZE, image.size - data);
    set32(&image, PE_ENTRY, loader->entry);
    set32(&image, PE_IMAGE_SIZE, round_up(end, PAGE));
    set_section(&image, PE_TEXT, SETUP_SIZE, data);
    set_section(&image, PE_DATA, data, kernel_at);
    set_section(&image, PE_KERNEL, kernel_at, end);

    // A boot loader must keep free what we use from the load address on: ourselves, up to one huge page for alignment,
    // the kernel.
    uint64_t region = round_up(kernel->mem_size, PAGE) + round_up(symbols.size, PAGE) + REGION_EXTRA;
    set32(&image, LINUX_SYSSIZE, (image.size - SETUP_SIZE + 15) / 16);
    set32(&image, LINUX_INIT_SIZE, round_up(kernel_at + HUGE_PAGE + region, PAGE));
    set32(&image, LINUX_KERNEL_INFO, elf_symbol(loader, "kernel_info") - SETUP_SIZE);
    set_payload(&image, elf_symbol(loader, "payload"), kernel, kernel_at, symbols.size);
    free(symbols.data);
    return image;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: kimage LOADER.elf KERNEL.elf OUT\n");
        return 2;
    }
    struct elf loader = elf_read(argv[1]), kernel = elf_read(argv[2]);
    if (loader.base != 0 || loader.relr_size != 0 || loader.rela_size != 0)
        die(argv[1], "the loader must be linked at 0 and need no relocations");
    struct buffer image = compose(&loader, &kernel);
    FILE *out = fopen(argv[3], "wb");
    if (!out || fwrite(image.data, 1, image.size, out) != image.size || fclose(out) != 0)
        die(argv[3], "cannot be written");
    return 0;
}
