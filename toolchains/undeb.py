#!/usr/bin/env python3
# toolchains/undeb.py — opens a .deb without dpkg-deb: undeb.py FILE.deb FOLDER unpacks it there;
# undeb.py --data FILE.deb FOLDER puts the archive of its files there as it is, PACKAGE.tar.xz (or whatever compression it has)
import io
import os
import sys
import tarfile


def members(data):
    """Yields (name, content) of an ar archive: deb(5), ar(5)."""
    if data[:8] != b"!<arch>\n":
        sys.exit("undeb: not a .deb file")
    at = 8
    while at + 60 <= len(data):
        name = data[at:at + 16].decode().strip().rstrip("/")
        size = int(data[at + 48:at + 58])
        yield name, data[at + 60:at + 60 + size]
        at += 60 + size + size % 2


def data_archive(deb):
    """(file name, content) of the archive that holds the package's files."""
    with open(deb, "rb") as f:
        for name, content in members(f.read()):
            if name.startswith("data.tar"):
                return name, content
    return sys.exit("undeb: no data.tar in " + deb)


def main():
    keep = sys.argv[1] == "--data"
    deb, folder = sys.argv[2 if keep else 1:]
    name, content = data_archive(deb)
    if keep:
        package = os.path.basename(deb).split("_")[0]
        with open(os.path.join(folder, package + name[len("data"):]), "wb") as out:
            out.write(content)
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        if hasattr(tarfile, "fully_trusted_filter"):
            tar.extraction_filter = tarfile.fully_trusted_filter
        tar.extractall(folder)


main()
