#!/usr/bin/env python3
"""Turns a rootfs description into a newc cpio archive and a listing.

The description is the text format of Linux's gen_init_cpio (Documentation/filesystems/ramfs-rootfs-initramfs):

    dir    PATH MODE UID GID
    file   PATH SOURCE MODE UID GID
    slink  PATH TARGET MODE UID GID
    nod    PATH MODE UID GID (b|c) MAJOR MINOR

and five lines of our own:

    layer  NAME                  what follows replaces equal paths of earlier layers
    tree   PATH SOURCE UID GID   SOURCE is a folder: everything below it; a file keeps only its executable bit
    links  SOURCE TARGET         SOURCE lists one path a line: each becomes a symbolic link to TARGET
    archive SOURCE               SOURCE is a tar archive of a package: all it holds, as a layer below the present one
    remove PATH                  PATH and what is below it, as earlier layers left them, are dropped

Words are quoted as in a shell. A path may run through symbolic links of the description (/bin -> usr/bin): it is
put where the link leads. Missing parent folders are made, 0755 root:root. The output depends on the description and the
contents of the sources alone: order by path, one time stamp for all, inode numbers counted up.

cpio: newc as in Documentation/driver-api/early-userspace/buffer-format and cpio(5).
"""

import argparse
import os
import posixpath
import shlex
import stat
import sys
import tarfile
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

MAX_LINKS = 40  # as path_resolution(7)


class DescriptionError(Exception):
    """The description cannot be followed; the text says where and why."""


@dataclass
class Entry:
    kind: str  # dir, file, slink, nod
    mode: int  # with the file type bits
    uid: int = 0
    gid: int = 0
    source: Optional[str] = None  # file
    target: Optional[str] = None  # slink
    device: Tuple[int, int] = (0, 0)  # nod
    layer: str = ""
    implied: bool = False  # a parent nobody named
    content: Optional[bytes] = None  # file of an archive, which has no source
    same: Optional["Entry"] = None  # file: another name of that one

    def data(self) -> bytes:
        if self.content is not None:
            return self.content
        if self.kind == "file":
            with open(self.source, "rb") as f:
                return f.read()
        if self.kind == "slink":
            return self.target.encode()
        return b""


class Rootfs:
    """The paths of one root file system. Keys are absolute and canonical: '/', '/usr', '/usr/bin/ls'."""

    def __init__(self) -> None:
        self.entries: Dict[str, Entry] = {"/": Entry("dir", stat.S_IFDIR | 0o755, implied=True)}
        self.layer = ""

    def canonical(self, path: str) -> str:
        """`path` with its folder's symbolic links followed; the last component is left as it is."""
        if not path.startswith("/"):
            raise DescriptionError(f"{path}: must be absolute")
        return self._walk(path, 0)

    def _walk(self, path: str, links: int) -> str:
        here = "/"
        parts = [p for p in path.split("/") if p not in ("", ".")]
        for i, part in enumerate(parts):
            here = posixpath.dirname(here) if part == ".." else posixpath.join(here, part)
            entry = self.entries.get(here)
            if entry and entry.kind == "slink" and i + 1 < len(parts):
                if links >= MAX_LINKS:
                    raise DescriptionError(f"{path}: too many symbolic links")
                rest = "/".join(parts[i + 1:])
                return self._walk(posixpath.join(posixpath.dirname(here), entry.target, rest), links + 1)
        return here

    def add(self, path: str, entry: Entry) -> None:
        path = self.canonical(path)
        self._make_parents(path)
        entry.layer = self.layer
        old = self.entries.get(path)
        if old and not old.implied:
            if old.layer == self.layer:
                raise DescriptionError(f"{path}: described twice in layer {self.layer or '(first)'}")
            if (old.kind == "dir") != (entry.kind == "dir"):
                raise DescriptionError(f"{path}: {old.kind} in layer {old.layer}, {entry.kind} in layer {self.layer}")
        elif old and entry.kind != "dir":
            raise DescriptionError(f"{path}: {entry.kind} described after files below it")
        self.entries[path] = entry

    def _make_parents(self, path: str) -> None:
        parent = posixpath.dirname(path)
        found = self.entries.get(parent)
        if found is None:
            self._make_parents(parent)
            self.entries[parent] = Entry("dir", stat.S_IFDIR | 0o755, layer=self.layer, implied=True)
        elif found.kind != "dir":
            raise DescriptionError(f"{path}: {parent} is a {found.kind}")

    def remove(self, path: str) -> None:
        path = self.canonical(path)
        gone = [p for p in self.entries if p == path or p.startswith(path + "/")]
        if not gone:
            raise DescriptionError(f"{path}: nothing to remove")
        for p in gone:
            del self.entries[p]

    def add_tree(self, path: str, source: str, uid: int, gid: int) -> None:
        for folder, dirs, files in os.walk(source):
            dirs.sort()
            inside = posixpath.normpath(posixpath.join(path, os.path.relpath(folder, source)))
            for name in sorted(files) + [d for d in dirs if os.path.islink(os.path.join(folder, d))]:
                src, dest = os.path.join(folder, name), posixpath.join(inside, name)
                link = relative_link(src)
                if link is not None:
                    self.add(dest, Entry("slink", stat.S_IFLNK | 0o777, uid, gid, target=link))
                else:
                    self.add(dest, Entry("file", file_mode("auto", src), uid, gid, source=src))

    def add_archive(self, source: str) -> None:
        """A package's files. Its folders may be there already, or be symbolic links to folders, as with merged /usr."""
        outer, self.layer = self.layer, source
        found: Dict[str, Entry] = {}
        with tarfile.open(source) as tar:
            for member in tar:
                path = posixpath.normpath("/" + member.name)
                entry = archive_entry(tar, member, found)
                found[path] = entry
                if entry.kind == "dir":
                    path = posixpath.dirname(self._walk(path + "/x", 0)) if path != "/" else path
                    old = self.entries.get(path)
                    if old and old.kind == "dir" and not old.implied:
                        continue
                self.add(path, entry)
        self.layer = outer

    def add_links(self, source: str, target: str) -> None:
        with open(source, encoding="utf-8") as f:
            for line in f:
                if line.strip():
                    self.add(line.strip(), Entry("slink", stat.S_IFLNK | 0o777, target=target))

    def sorted(self) -> List[Tuple[str, Entry]]:
        """Parents before children, siblings by name."""
        return sorted(self.entries.items(), key=lambda item: item[0].split("/") if item[0] != "/" else [])


def relative_link(path: str) -> Optional[str]:
    """The link's target, if `path` is a symbolic link that was made as a part of the tree (those the build adds are absolute)."""
    if os.path.islink(path):
        target = os.readlink(path)
        if not os.path.isabs(target):
            return target
    return None


def file_mode(word: str, source: str) -> int:
    """`auto` is 0755 for a source that may be executed, else 0644."""
    if word == "auto":
        return stat.S_IFREG | (0o755 if os.stat(source).st_mode & 0o111 else 0o644)
    return stat.S_IFREG | int(word, 8)


def archive_entry(tar: tarfile.TarFile, member: tarfile.TarInfo, earlier: Dict[str, Entry]) -> Entry:
    """One member of a package's archive; a hard link names one of the `earlier`."""
    mode, owner = member.mode & 0o7777, (member.uid, member.gid)
    if member.isdir():
        return Entry("dir", stat.S_IFDIR | mode, *owner)
    if member.issym():
        return Entry("slink", stat.S_IFLNK | 0o777, *owner, target=member.linkname)
    if member.islnk():
        first = earlier[posixpath.normpath("/" + member.linkname)]
        return Entry("file", first.mode, first.uid, first.gid, content=b"", same=first.same or first)
    if member.isfile():
        return Entry("file", stat.S_IFREG | mode, *owner, content=tar.extractfile(member).read())
    raise DescriptionError(f"{member.name}: a package with a node of type {member.type!r}")


def parse(lines, where: str) -> Rootfs:
    fs = Rootfs()
    for number, line in enumerate(lines, 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        try:
            parse_line(fs, words)
        except DescriptionError as e:
            raise DescriptionError(f"{where}:{number}: {e}") from None
        except (TypeError, ValueError, OSError) as e:
            raise DescriptionError(f"{where}:{number}: {line.strip()}: {e}") from None
    return fs


def parse_line(fs: Rootfs, words: List[str]) -> None:
    kind, args = words[0], words[1:]
    if kind == "layer":
        (fs.layer,) = args
    elif kind == "dir":
        path, mode, uid, gid = args
        fs.add(path, Entry("dir", stat.S_IFDIR | int(mode, 8), int(uid), int(gid)))
    elif kind == "file":
        path, source, mode, uid, gid = args
        if not os.path.isfile(source):
            raise DescriptionError(f"{path}: there is no file {source}")
        fs.add(path, Entry("file", file_mode(mode, source), int(uid), int(gid), source=source))
    elif kind == "slink":
        path, target, mode, uid, gid = args
        fs.add(path, Entry("slink", stat.S_IFLNK | int(mode, 8), int(uid), int(gid), target=target))
    elif kind == "nod":
        path, mode, uid, gid, dev_type, major, minor = args
        file_type = {"b": stat.S_IFBLK, "c": stat.S_IFCHR}[dev_type]
        fs.add(path, Entry("nod", file_type | int(mode, 8), int(uid), int(gid), device=(int(major), int(minor))))
    elif kind == "tree":
        path, source, uid, gid = args
        fs.add_tree(path, source, int(uid), int(gid))
    elif kind == "archive":
        (source,) = args
        fs.add_archive(source)
    elif kind == "links":
        source, target = args
        fs.add_links(source, target)
    elif kind == "remove":
        (path,) = args
        fs.remove(path)
    else:
        raise DescriptionError(f"unknown word {kind}")


def newc_header(ino: int, name: bytes, entry: Entry, nlink: int, size: int, mtime: int) -> bytes:
    if size > 0xFFFFFFFF:
        raise DescriptionError(f"{name.decode()}: larger than newc can hold")
    fields = (ino, entry.mode, entry.uid, entry.gid, nlink, mtime, size, 0, 0, *entry.device, len(name) + 1, 0)
    return b"070701" + b"".join(b"%08X" % f for f in fields)


def pad4(length: int) -> bytes:
    return b"\0" * (-length % 4)


def write_cpio(fs: Rootfs, out, mtime: int) -> None:
    """All names of a file bear its inode number and the count of its names; the content stands with the first in order."""
    members = [(p.lstrip("/") or ".", e) for p, e in fs.sorted()]
    names: Dict[int, int] = {}  # id of a file's entry: how many names it has
    for _, entry in members:
        names[id(entry.same or entry)] = names.get(id(entry.same or entry), 0) + 1
    inodes: Dict[int, int] = {}
    total = 0
    for path, entry in members:
        owner = entry.same or entry
        data = b"" if id(owner) in inodes else owner.data()
        ino = inodes.setdefault(id(owner), len(inodes) + 1)
        nlink = 2 if entry.kind == "dir" else names[id(owner)]
        total += write_member(out, path, data, newc_header(ino, path.encode(), owner, nlink, len(data), mtime))
    trailer = "TRAILER!!!"
    total += write_member(out, trailer, b"", newc_header(0, trailer.encode(), Entry("file", 0), 1, 0, 0))
    out.write(b"\0" * (-total % 512))


def write_member(out, path: str, data: bytes, header: bytes) -> int:
    head = header + path.encode() + b"\0"
    block = head + pad4(len(head)) + data + pad4(len(data))
    out.write(block)
    return len(block)


def file_size(entry: Entry) -> int:
    return os.stat(entry.source).st_size if entry.content is None else len(entry.content)


def write_listing(fs: Rootfs, out) -> None:
    """One line an entry: mode owner size-or-device path [-> target], as ls -l would put it."""
    for path, e in fs.sorted():
        size = f"{e.device[0]},{e.device[1]}" if e.kind == "nod" else str(file_size(e.same or e)) if e.kind == "file" else "-"
        arrow = f" -> {e.target}" if e.kind == "slink" else ""
        out.write(f"{stat.filemode(e.mode)} {e.uid}:{e.gid} {size} {path}{arrow}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--description", required=True)
    parser.add_argument("--cpio", help="newc archive to write")
    parser.add_argument("--listing", help="text listing to write")
    parser.add_argument("--mtime", type=int, required=True, help="seconds since 1970 given to every entry")
    args = parser.parse_args()
    try:
        with open(args.description, encoding="utf-8") as f:
            fs = parse(f, args.description)
        if args.cpio:
            with open(args.cpio, "wb") as out:
                write_cpio(fs, out, args.mtime)
        if args.listing:
            with open(args.listing, "w", encoding="utf-8") as out:
                write_listing(fs, out)
    except DescriptionError as e:
        print(f"rootfs: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
