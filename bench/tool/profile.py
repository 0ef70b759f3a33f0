#!/usr/bin/env python3
"""bazelw run //bench:profile -- NAME [--kernel=kevlar|linux|linux_unmitigated] [--top=40] — where a benchmark's guest instructions go.

The benchmark runs once with counted instructions and no KASLR, and a QEMU plugin counts every executed block between the beginning and the end of its
counted passes; this adds them up by function. A block's instructions belong to the function that holds its first one. Memory copied or cleared by REP
instructions counts one for each step, as in the report.
"""

import argparse
import bisect
import collections
import json
import os
import struct
import subprocess
import sys
import tempfile
from typing import Dict, List, Tuple

import guest
import machine as machines
import names
import results

LIMIT_SECONDS = 900
KERNEL_SPACE = 1 << 63


class Symbols:
    """Addresses to names; what lies before the first or beyond `reach` of the last has none."""

    def __init__(self, pairs: List[Tuple[int, str]]) -> None:
        self.pairs = sorted(pairs)
        self.addresses = [address for address, _ in self.pairs]

    def name(self, address: int, reach: int = 1 << 20) -> str:
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0 or address - self.addresses[at] > reach:
            return ""
        return self.pairs[at][1]

    def address(self, name: str) -> int:
        return next(address for address, symbol in self.pairs if symbol == name)


# ELF-64 (System V gABI): the parts that lead to the symbol table.
ELF_HEADER, SECTION, SYMBOL = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ")
SHT_SYMTAB, STT_NOTYPE, STT_FUNC = 2, 0, 2


def elf_symbols(path: str) -> List[Tuple[int, str]]:
    """The functions and bare labels of an ELF file."""
    with open(path, "rb") as f:
        image = f.read()
    header = ELF_HEADER.unpack_from(image)
    sections = [SECTION.unpack_from(image, header[6] + i * header[11]) for i in range(header[12])]
    executable = {i for i, section in enumerate(sections) if section[2] & 4}  # SHF_EXECINSTR
    found = []
    for section in sections:
        if section[1] != SHT_SYMTAB:
            continue
        names_at = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], SYMBOL.size):
            name, info, _, index, value, _ = SYMBOL.unpack_from(image, at)
            if name and index in executable and info & 15 in (STT_NOTYPE, STT_FUNC):
                end = image.index(b"\0", names_at + name)
                found.append((value, image[names_at + name:end].decode()))
    return found


def kallsyms(path: str) -> List[Tuple[int, str]]:
    with open(path, encoding="utf-8") as f:
        return [(int(fields[0], 16), fields[2]) for fields in (line.split() for line in f) if len(fields) == 3]


def count(qemu, system, words: str, plugin: str, user: Symbols, smp: int = 1) -> Tuple[Dict[int, int], guest.Transcript]:
    """Boots with these words of the command line; gives executed instructions by block address between the program's two marks, and the console."""
    with tempfile.TemporaryDirectory(prefix="profile") as scratch:
        log = os.path.join(scratch, "log")
        begin, end = user.address("bench_pass_begins"), user.address("bench_pass_ends")
        extra = ["-plugin", f"{os.path.abspath(plugin)},begin={begin:x},end={end:x}", "-d", "plugin", "-D", log]
        machine = guest.guest_machine(system, "nokaslr " + words, 1, smp=smp, extra=extra)
        transcript = guest.boot(qemu, machine, "tcg", lambda line: False, LIMIT_SECONDS)  # to QEMU's end, which writes the counts
        counts: Dict[int, int] = collections.Counter()
        with open(log, encoding="utf-8") as f:
            for line in f:
                fields = line.split()
                if fields[0] == "lost":
                    if fields[1] != "0":
                        print(f"note: {int(fields[1], 16)} blocks did not fit the plugin's table and are missing", file=sys.stderr)
                    continue
                address, instructions, executed = (int(field, 16) for field in fields)
                counts[address] += instructions * executed
    return counts, transcript


def kernel_symbols(files: Dict[str, str], kernel: str) -> Symbols:
    return Symbols(elf_symbols(files["kevlar_elf"]) if kernel == "kevlar" else kallsyms(files["linux_kallsyms"]))


def by_function(counts: Dict[int, int], kernel: Symbols, user: Symbols) -> Dict[str, int]:
    functions: Dict[str, int] = collections.Counter()
    for address, executed in counts.items():
        if address >= KERNEL_SPACE:
            functions[kernel.name(address) or f"kernel, {address & ~0xFFF:#x}"] += executed
        else:
            functions["user: " + (user.name(address) or "other programs, libraries, the vDSO")] += executed
    return functions


def show(functions: Dict[str, int], iterations: int, per_iteration: float, top: int) -> None:
    total = sum(functions.values())
    in_kernel = sum(n for name, n in functions.items() if not name.startswith("user: "))
    print(f"{total / iterations:,.1f} instructions an iteration by the plugin ({in_kernel / iterations:,.1f} in the kernel), {per_iteration:,.1f} by the guest's clock")
    print(f"{'an iteration':>14} {'share':>7} {'sum':>7}  function")
    so_far = 0
    for name, executed in sorted(functions.items(), key=lambda item: -item[1])[:top]:
        so_far += executed
        print(f"{executed / iterations:14,.1f} {executed / total:7.1%} {so_far / total:7.1%}  {name}")


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    parser = argparse.ArgumentParser(prog="//bench:profile", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=names.ALL, metavar="NAME", help="one of: " + " ".join(names.ALL))
    parser.add_argument("--kernel", choices=sorted(config["systems"]), default="kevlar")
    parser.add_argument("--top", type=int, default=40)
    args = parser.parse_args(sys.argv[2:])
    files = config["files"]
    kernel = kernel_symbols(files, args.kernel)
    user = Symbols(elf_symbols(files["micro"]))
    try:
        counts, transcript = count(machines.Qemu(**config["qemu"]), config["systems"][args.kernel], f"bench_clock=icount bench_only={args.name}",
                                   files["plugin"], user)
        run = results.parse(results.Run("", "icount", 1, transcript.command), transcript.text(), [args.name])
    except results.Incomplete as why:
        print(f"refused: {why}", file=sys.stderr)
        return 1
    result = run.results[args.name]
    print(f"{args.name} on {args.kernel} ({run.kernel}), {result.iterations} iterations")
    show(by_function(counts, kernel, user), result.iterations, result.per_iteration, args.top)
    return 0


if __name__ == "__main__":
    sys.exit(main())
