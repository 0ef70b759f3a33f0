# tools/kimage/kimage.py — makes the boot file from the loader and the kernel: kimage.py LOADER.elf KERNEL.elf OUT
#
# The file is the loader's flat image, the kernel's flat image and the kernel's symbol table, each on a page boundary
# but for the last, which follows the kernel directly. The tool fills in every field of the PE and Linux headers
# (arch/x86_64/boot/loader/setup.S) that depends on a size, and the loader's `payload` structure (loader.h there).
# Output depends on the inputs only.
import struct
import sys

sys.dont_write_bytecode = True
import elf
import symbols

PAGE = 4096
HUGE_PAGE = 2 << 20
SETUP_SIZE = 4096
FILE_ALIGN = 512
MAX_SEGMENTS = 6  # in the loader's payload structure
# Handoff and page tables behind the kernel; the loader computes them exactly, this is the roof it may not break through.
REGION_EXTRA = 128 * 1024

# Offsets of the headers' fields.
PE_CODE_SIZE = 0x5c
PE_DATA_SIZE = 0x60
PE_ENTRY = 0x68
PE_IMAGE_SIZE = 0x90
PE_TEXT = 0xf8
PE_DATA = PE_TEXT + 40
PE_KERNEL = PE_DATA + 40
SECTION_SIZES = 8  # virtual size, address, raw size, raw offset
LINUX_SYSSIZE = 0x1f4
LINUX_INIT_SIZE = 0x260
LINUX_KERNEL_INFO = 0x268


def round_up(x, to):
    return (x + to - 1) // to * to


def set32(image, at, *values):
    struct.pack_into(f"<{len(values)}I", image, at, *values)


def set_section(image, header, start, end):
    set32(image, header + SECTION_SIZES, end - start, start, round_up(end - start, FILE_ALIGN), start)


def set_payload(image, at, kernel, offset, table_size):
    if image[at:at + 8] != b"payload\0":
        raise elf.BadFile("the loader's payload structure is not where its symbol says")
    if len(kernel.segments) > MAX_SEGMENTS:
        raise kernel.error("has too many segments")
    if any(flags & elf.PF_W and flags & elf.PF_X for _, _, flags in kernel.segments):
        raise kernel.error("has a segment that is both writable and executable")
    fields = [offset, len(kernel.flat), kernel.mem_size, kernel.entry - kernel.base, *kernel.relr, *kernel.rela,
              offset + len(kernel.flat), table_size, len(kernel.segments)]
    for segment in kernel.segments:
        fields += segment
    set32(image, at + 8, *fields)


def compose(loader, kernel):
    table = symbols.pack(kernel)
    data = loader.symbol(b"loader_data")
    kernel_at = round_up(len(loader.flat), PAGE)
    end = kernel_at + len(kernel.flat) + len(table)
    image = bytearray(round_up(end, FILE_ALIGN))
    image[:len(loader.flat)] = loader.flat
    image[kernel_at:end] = kernel.flat + table

    set32(image, PE_CODE_SIZE, data - SETUP_SIZE)
    set32(image, PE_DATA_SIZE, len(image) - data)
    set32(image, PE_ENTRY, loader.entry)
    set32(image, PE_IMAGE_SIZE, round_up(end, PAGE))
    set_section(image, PE_TEXT, SETUP_SIZE, data)
    set_section(image, PE_DATA, data, kernel_at)
    set_section(image, PE_KERNEL, kernel_at, end)

    # A boot loader must keep free what we use from the load address on: ourselves, up to one huge page for alignment, the kernel.
    region = round_up(kernel.mem_size, PAGE) + round_up(len(table), PAGE) + REGION_EXTRA
    set32(image, LINUX_SYSSIZE, (len(image) - SETUP_SIZE + 15) // 16)
    set32(image, LINUX_INIT_SIZE, round_up(kernel_at + HUGE_PAGE + region, PAGE))
    set32(image, LINUX_KERNEL_INFO, loader.symbol(b"kernel_info") - SETUP_SIZE)
    set_payload(image, loader.symbol(b"payload"), kernel, kernel_at, len(table))
    return image


def main(arguments):
    if len(arguments) != 3:
        sys.exit("usage: kimage.py LOADER.elf KERNEL.elf OUT")
    try:
        loader, kernel = elf.Elf(arguments[0]), elf.Elf(arguments[1])
        if loader.base or loader.relr[1] or loader.rela[1]:
            raise loader.error("the loader must be linked at 0 and need no relocations")
        image = compose(loader, kernel)
    except (elf.BadFile, OSError) as error:
        sys.exit(f"kimage: {error}")
    except struct.error as error:
        sys.exit(f"kimage: a size does not fit its header field, or a header its file: {error}")
    with open(arguments[2], "wb") as out:
        out.write(image)


if __name__ == "__main__":
    main(sys.argv[1:])
