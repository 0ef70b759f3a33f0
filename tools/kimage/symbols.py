# tools/kimage/symbols.py — packs the kernel's function names for backtraces; kernel/debug/symbols.c reads the result.
#
# Layout, little endian: u32 number of symbols, u32 number of blocks, then for each block of 16 symbols {u32 offset of
# its first function from the image's start, u32 offset of its data from the table's start}, then the data: for each
# symbol the distance from the previous one in the block (LEB128), its length in bytes (LEB128), the length of its name
# (one byte), the name.
import struct

import elf

BLOCK = 16
MAX_NAME = 127


def leb128(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def functions(kernel):
    """(offset from the image's start, name, size) of every function, by offset; of several at one offset the first by name."""
    found = {}
    for name, value, kind, size in sorted(kernel.symbols(), key=lambda symbol: (symbol[1], symbol[0])):
        offset = value - kernel.base
        if kind == elf.STT_FUNC and name and 0 <= offset <= kernel.mem_size:
            found.setdefault(offset, (offset, name, size))
    return list(found.values())


def pack(kernel):
    listed = functions(kernel)
    blocks = (len(listed) + BLOCK - 1) // BLOCK
    index, data, previous = bytearray(), bytearray(), 0
    for number, (offset, name, size) in enumerate(listed):
        if number % BLOCK == 0:
            index += struct.pack("<II", offset, 8 + 8 * blocks + len(data))
            previous = offset
        name = name[:MAX_NAME]
        data += leb128(offset - previous) + leb128(size) + bytes([len(name)]) + name
        previous = offset
    return struct.pack("<II", len(listed), blocks) + index + data
