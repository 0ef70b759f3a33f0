"""initramfs.py KIND OUT: an initramfs in which nothing can be run, for one reason each. cpio(5), newc; elf(5)."""

import struct
import sys


def entry(name, content=b"", mode=0o100755):
    name = name.encode() + b"\0"
    fields = (1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    data = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    data += bytes(-len(data) % 4) + content
    return data + bytes(-len(data) % 4)


def elf(segment_type=1, flags=5, size=0x1000, entry_point=0x400080, count=1):
    """A program whose code is one ud2."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry_point, 64, 0, 0, 64, 56, count, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", segment_type, flags, 0, 0x400000, 0x400000, size, size, 0x1000)
    return (header + segment).ljust(0x80, b"\0") + b"\x0f\x0b".ljust(0x1000 - 0x80, b"\0")


TRAILER = entry("TRAILER!!!", mode=0)
KINDS = {
    "archive_empty": TRAILER,
    "elf_crash": entry("init", elf()),
    "elf_cut": entry("init", elf()[:70]),
    "elf_no_segments": entry("init", elf(count=0)),
    "elf_wild_entry": entry("init", elf(entry_point=0xFFFFFFFF81000000)),
    "folder": entry("init", mode=0o040755),
    "interpreter_loop": entry("init", b"#!/init\n"),
    "interpreter_missing": entry("init", b"#!/no/such/program\n"),
    "mode": entry("init", elf(), mode=0o100644),
    "symlink_loop": entry("init", b"init", mode=0o120777),
    "text": entry("init", b"neither a program nor a script\n"),
    "zeros": bytes(4096),
}


def main():
    kind, out = sys.argv[1:]
    with open(out, "wb") as f:
        f.write(KINDS[kind] + TRAILER if kind not in ("archive_empty", "zeros") else KINDS[kind])


if __name__ == "__main__":
    main()
