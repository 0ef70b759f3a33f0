#!/usr/bin/env python3
# tests/rootfs/contents_test.py — reads an initramfs as a kernel would and checks that what it holds can work.
"""Usage: contents_test.py ARCHIVE EXPECTED

EXPECTED has one line a path that must (or, after `!`, must not) be there:  PATH [MODE [UID:GID]]
MODE is as ls(1) shows it. The path is followed through symbolic links; with a MODE that starts with `l` it is not.
"""
import posixpath
import stat
import struct
import sys

FILLED_BY_THE_KERNEL = ("/proc", "/run", "/sys", "/dev")
MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"
GLIBC_FOLDER = "/usr/lib/x86_64-linux-gnu"
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB = 1, 5

problems = []


class Entry:
    def __init__(self, mode, owner, data, mtime):
        self.mode, self.owner, self.data, self.mtime = mode, owner, data, mtime


def read_newc(path):
    """cpio(5), the new ASCII format."""
    with open(path, "rb") as f:
        archive = f.read()
    entries, at = {}, 0
    while True:
        if archive[at:at + 6] != b"070701":
            sys.exit(f"{path}: no newc header at {at}")
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        _, mode, uid, gid, _, mtime, size, _, _, _, _, name_size, _ = fields
        name = archive[at + 110:at + 110 + name_size - 1].decode()
        start = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return entries
        entries[posixpath.join("/", name)] = Entry(mode, f"{uid}:{gid}", archive[start:start + size], mtime)
        at = (start + size + 3) & ~3


def resolve(entries, path, follow_last=True, depth=0):
    """The path with every symbolic link followed: path_resolution(7). None where it leads nowhere."""
    if depth > 40:
        return None
    here = "/"
    parts = [p for p in path.split("/") if p not in ("", ".")]
    for i, part in enumerate(parts):
        here = posixpath.normpath(posixpath.join(here, part))
        entry = entries.get(here)
        last = i == len(parts) - 1
        if here != "/" and entry is None:
            return None
        if entry and stat.S_ISLNK(entry.mode) and (follow_last or not last):
            target = posixpath.join(posixpath.dirname(here), entry.data.decode(), *parts[i + 1:])
            return resolve(entries, target, follow_last, depth + 1)
    return here


def elf_dynamic(data):
    """(interpreter or None, needed names) of an ELF file: elf(5)."""
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size) for i in range(count)]
    loads = [h for h in headers if h[0] == PT_LOAD]
    interpreter, needed = None, []
    for kind, _, start, _, _, length, _, _ in headers:
        if kind == PT_INTERP:
            interpreter = data[start:start + length].rstrip(b"\0").decode()
        if kind == PT_DYNAMIC:
            tags = [struct.unpack_from("<QQ", data, start + i) for i in range(0, length, 16)]
            strings = next((value for tag, value in tags if tag == DT_STRTAB), 0)
            for _, _, at, address, _, in_file, _, _ in loads:
                if address <= strings < address + in_file:
                    strings += at - address
                    break
            needed = [data[strings + v:data.index(b"\0", strings + v)].decode() for tag, v in tags if tag == DT_NEEDED]
    return interpreter, needed


def check_links(entries):
    for path, entry in entries.items():
        if stat.S_ISLNK(entry.mode) and resolve(entries, path) is None:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.data.decode()))
            if not target.startswith(FILLED_BY_THE_KERNEL):
                problems.append(f"{path} leads to {target}, which is not there")


def check_programs(entries):
    used = set()
    for path, entry in entries.items():
        if not stat.S_ISREG(entry.mode):
            continue
        if entry.data[:2] == b"#!" and entry.mode & 0o111:
            interpreter = entry.data.split(b"\n")[0][2:].split()[0].decode()
            if resolve(entries, interpreter) is None:
                problems.append(f"{path} is run by {interpreter}, which is not there")
        if entry.data[:4] != b"\x7fELF":
            continue
        interpreter, needed = elf_dynamic(entry.data)
        if interpreter and resolve(entries, interpreter) is None:
            problems.append(f"{path} is loaded by {interpreter}, which is not there")
        for name in needed:
            # musl's C library is its loader; everything else belongs to the C library that OpenRC was linked with.
            wanted = MUSL_LOADER if interpreter == MUSL_LOADER and name == "libc.so" else f"{GLIBC_FOLDER}/{name}"
            found = resolve(entries, wanted)
            if found is None:
                problems.append(f"{path} needs {name}, which is not there")
            else:
                used.add(found)
    for path, entry in entries.items():
        if path.startswith(GLIBC_FOLDER) and stat.S_ISREG(entry.mode) and path not in used:
            problems.append(f"{path} is a library that nothing needs")


def check_expected(entries, expected):
    with open(expected, encoding="utf-8") as f:
        lines = [line.split() for line in f if line.strip() and not line.startswith("#")]
    for path, *rest in lines:
        if path.startswith("!"):
            if resolve(entries, path[1:]) is not None:
                problems.append(f"{path[1:]} must not be there")
            continue
        found = resolve(entries, path, follow_last=not (rest and rest[0].startswith("l")))
        if found is None:
            problems.append(f"{path} is not there")
            continue
        shown = [stat.filemode(entries[found].mode), entries[found].owner]
        if rest and shown[:len(rest)] != rest:
            problems.append(f"{path} is {' '.join(shown)}, expected {' '.join(rest)}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    entries = read_newc(sys.argv[1])
    check_links(entries)
    check_programs(entries)
    check_expected(entries, sys.argv[2])
    if any(entry.mtime == 0 for entry in entries.values()):
        problems.append("a file has the time 1970: OpenRC would take the clock for skewed")
    for problem in problems:
        print(problem)
    print(f"{len(entries)} entries, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
