#!/usr/bin/env python3
# toolchains/undeb.py — unpacks a .deb where dpkg-deb is not installed: undeb.py FILE.deb FOLDER
import io
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


def main():
    deb, folder = sys.argv[1:]
    with open(deb, "rb") as f:
        for name, content in members(f.read()):
            if name.startswith("data.tar"):
                with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                    if hasattr(tarfile, "fully_trusted_filter"):
                        tar.extraction_filter = tarfile.fully_trusted_filter
                    tar.extractall(folder)
                return
    sys.exit("undeb: no data.tar in " + deb)


main()
