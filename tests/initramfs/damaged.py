"""damaged.py KIND GOOD.cpio OUT: a good initramfs, then an archive with one good file, /before, that is damaged behind it. cpio(5), newc."""

import gzip
import struct
import sys


def number(value):
    return b"%08X" % (value & 0xFFFFFFFF)


def pad(data):
    return data + bytes(-len(data) % 4)


def header(mode=0o100644, size=0, name_size=1, magic=b"070701", total=0):
    """ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check"""
    return magic + b"".join(number(v) for v in (1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, total))


def entry(name, content=b"", mode=0o100644, **fields):
    name = name.encode() + b"\0"
    return pad(header(mode, len(content), len(name), **fields) + name) + pad(content)


TRAILER = entry("TRAILER!!!")
GOOD = entry("before", b"kept\n")
NEXT = entry("after", b"x" * 5000)
# Compressed data is damaged where its checksums, not its structure, may be what tells.
GZIP = bytearray(gzip.compress(GOOD + NEXT + TRAILER, mtime=0))
GZIP[-8] ^= 1

KINDS = {
    "content_cut": GOOD + NEXT[:3000],
    "content_huge": GOOD + pad(header(size=0xFFFFFFFF, name_size=6) + b"after\0") + b"short",
    "garbage": GOOD + b"\x7fneither an archive nor compressed" * 20,
    "gzip_cut": bytes(GZIP[:-20]),
    "gzip_sum": bytes(GZIP),
    "header_cut": GOOD + NEXT[:50],
    "link_huge": GOOD + entry("after", b"t" * 5000, mode=0o120777) + TRAILER,
    "name_cut": GOOD + NEXT[:113],
    "name_empty": GOOD + header(name_size=0) + TRAILER,
    "name_endless": GOOD + pad(header(name_size=5) + b"after") + TRAILER,
    "name_huge": GOOD + pad(header(name_size=100000) + b"a" * 99999 + b"\0") + TRAILER,
    "number": GOOD + NEXT.replace(number(5000), b"0000138g", 1) + TRAILER,
    "old_format": GOOD + b"070707" + b"000000" * 10 + TRAILER,
    "sum": GOOD + entry("after", b"abc", magic=b"070702", total=1) + TRAILER,
    "type": GOOD + entry("after", mode=0o150644) + TRAILER,
    # A frame without checksum or size whose one block has the reserved type: RFC 8878.
    "zstd": GOOD + TRAILER + struct.pack("<I", 0xFD2FB528) + b"\x00\x58" + (3 << 1 | 1 | 8 << 3).to_bytes(3, "little") + bytes(8),
}


def main():
    kind, good, out = sys.argv[1:]
    with open(good, "rb") as f:
        data = f.read()
    with open(out, "wb") as f:
        f.write(data + bytes(-len(data) % 4) + KINDS[kind])


if __name__ == "__main__":
    main()
