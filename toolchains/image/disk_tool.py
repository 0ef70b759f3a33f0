#!/usr/bin/env python3
"""Makes an EFI system partition (FAT32) and a GPT disk around it with dosfstools, mtools and gdisk.

    disk_tool.py esp  --output=F --mkfs=TOOL --mtools=TOOL --mtime=S [--file=SOURCE:/DEST ...]
    disk_tool.py gpt  --output=F --sgdisk=TOOL --disk-guid=G --partition=GUID:TYPE:NAME:IMAGE ...

Everything that such tools draw at random or take from the clock is given: the volume serial number, GUIDs, time stamps.
"""

import argparse
import os
import posixpath
import subprocess
import sys

SECTOR = 512
MIB = 1 << 20
FIRST_PARTITION = MIB  # the usual alignment
GPT_TAIL = MIB  # backup header and table, rounded up
FAT32_MIN_CLUSTERS = 65525  # fewer would be FAT16 by the specification's count
FAT_SLACK = 2 * MIB  # folders, both FATs' rounding
VOLUME_SERIAL = "4b45564c"
VOLUME_LABEL = "ESP"


def run(argv, mtime=None):
    """Runs a tool that is silent when all is well; shows what it said when it is not."""
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    if mtime is not None:
        env["SOURCE_DATE_EPOCH"] = str(mtime)
    done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        raise SystemExit(f"disk_tool: {os.path.basename(argv[0])} ended with status {done.returncode}")


def esp_size(contents):
    """Bytes for a FAT32 of 512-byte clusters that holds `contents` bytes: at least the smallest FAT32, whole MiB."""
    fats = 2 * 4  # bytes of table for every cluster
    smallest = FAT32_MIN_CLUSTERS * (SECTOR + fats)
    needed = max(smallest, contents // SECTOR * (SECTOR + fats)) + FAT_SLACK
    return -(-needed // MIB) * MIB


def parents(dest):
    """The folders above /EFI/BOOT/X, outermost first: /EFI, /EFI/BOOT."""
    folder = posixpath.dirname(dest)
    return [] if folder == "/" else parents(folder) + [folder]


def make_esp(args):
    files = []
    for pair in args.file:
        source, _, dest = pair.rpartition(":")
        if not dest.startswith("/"):
            raise SystemExit(f"disk_tool: --file={pair}: wants SOURCE:/DEST")
        files.append((source, dest))
    size = esp_size(sum(os.path.getsize(source) for source, _ in files))
    with open(args.output, "wb") as f:
        f.truncate(size)
    run([args.mkfs, "--invariant", "-F", "32", "-s", "1", "-S", str(SECTOR), "-i", VOLUME_SERIAL, "-n", VOLUME_LABEL, args.output])
    made = set()
    for source, dest in sorted(files, key=lambda pair: pair[1]):
        for folder in parents(dest):
            if folder not in made:
                run([args.mtools, "-c", "mmd", "-i", args.output, "::" + folder], args.mtime)
                made.add(folder)
        run([args.mtools, "-c", "mcopy", "-i", args.output, source, "::" + dest], args.mtime)


def copy_sparse(source, out, offset):
    """Copies a file to `offset` of `out`; stretches of zeroes stay holes."""
    with open(source, "rb") as f:
        while block := f.read(MIB):
            if block.count(0) != len(block):
                out.seek(offset)
                out.write(block)
            offset += len(block)


def make_gpt(args):
    parts, at = [], FIRST_PARTITION
    for text in args.partition:
        guid, kind, name, image = text.split(":", 3)
        size = -(-os.path.getsize(image) // MIB) * MIB
        parts.append((guid, kind, name, image, at, size))
        at += size
    with open(args.output, "wb") as f:
        f.truncate(at + GPT_TAIL)
    argv = [args.sgdisk, "--clear", "--disk-guid=" + args.disk_guid]
    for number, (guid, kind, name, _, start, size) in enumerate(parts, 1):
        first, last = start // SECTOR, (start + size) // SECTOR - 1
        argv += [f"--new={number}:{first}:{last}", f"--typecode={number}:{kind}",
                 f"--partition-guid={number}:{guid}", f"--change-name={number}:{name}"]
    run(argv + [args.output])
    with open(args.output, "r+b") as f:
        for _, _, _, image, start, _ in parts:
            copy_sparse(image, f, start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    esp = commands.add_parser("esp")
    esp.add_argument("--output", required=True)
    esp.add_argument("--mkfs", required=True)
    esp.add_argument("--mtools", required=True)
    esp.add_argument("--mtime", type=int, required=True)
    esp.add_argument("--file", action="append", default=[])
    esp.set_defaults(make=make_esp)
    gpt = commands.add_parser("gpt")
    gpt.add_argument("--output", required=True)
    gpt.add_argument("--sgdisk", required=True)
    gpt.add_argument("--disk-guid", required=True)
    gpt.add_argument("--partition", action="append", default=[])
    gpt.set_defaults(make=make_gpt)
    args = parser.parse_args()
    args.make(args)


if __name__ == "__main__":
    main()
