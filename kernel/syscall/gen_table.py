#!/usr/bin/env python3
# kernel/syscall/gen_table.py — from table.txt: the dispatch table and prototypes (C), and the coverage page (Markdown).
"""usage: gen_table.py table.txt --c OUT.c | --md OUT.md | --check ROOT"""

import os
import re
import sys

LEVELS = ("done", "partial", "absent")
TABLE_SIZE = 512  # SYSCALL_TABLE_SIZE of table.h: every slot is filled, so that the entry code need not test for null
# How the tracer prints an argument; kernel/syscall/trace.c has one printer for each, in this order.
ARG_TYPES = ("end", "int", "uint", "hex", "ptr", "size", "off", "fd", "dirfd", "path", "str", "buf", "mode", "oflags",
             "pid", "sig", "prot", "mapflags", "rlimit", "prctl", "fcntlcmd", "futexop")


class Call:
    def __init__(self, line, where):
        fields = [f.strip() for f in line.split("|")]
        if len(fields) != 5:
            sys.exit(f"{where}: expected five fields separated by |")
        self.nr, self.name, self.level, self.note = int(fields[0]), fields[1], fields[3], fields[4]
        if self.level not in LEVELS:
            sys.exit(f"{where}: level must be one of {', '.join(LEVELS)}")
        self.args = []
        for text in [] if fields[2] == "-" else fields[2].split():
            # type:name, or type:name&MASK where MASK is every bit the call accepts (others are EINVAL).
            match = re.fullmatch(r"(\w+):(\w+)(?:&(0x[0-9a-f]+))?", text)
            if not match or match[1] not in ARG_TYPES:
                sys.exit(f"{where}: bad argument {text!r}")
            self.args.append((match[1], match[2], match[3]))


def read_table(path):
    calls = []
    with open(path, encoding="utf-8") as table:
        for number, line in enumerate(table, 1):
            if line.strip() and not line.startswith("#"):
                calls.append(Call(line, f"{path}:{number}"))
    numbers = [c.nr for c in calls]
    if numbers != sorted(set(numbers)):
        sys.exit(f"{path}: numbers must be unique and ascending")
    return calls


def write_c(calls, out):
    six = "unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5"
    present = [c for c in calls if c.level != "absent"]
    print("// Generated from kernel/syscall/table.txt.\n", file=out)
    print('#include "kernel/syscall/syscall.h"\n#include "kernel/syscall/table.h"\n', file=out)
    for call in present:
        print(f"long sys_{call.name}({six});", file=out)
    print(f"\nstatic long absent({six})\n{{", file=out)
    for i in range(6):
        print(f"    (void)a{i};", file=out)
    print("    return -ENOSYS;\n}\n", file=out)
    for call in present:
        masks = [(i, mask) for i, (_, _, mask) in enumerate(call.args) if mask]
        if masks:
            test = " || ".join(f"(a{i} & ~{mask}ul & 0xffffffff)" for i, mask in masks)
            print(f"static long checked_{call.name}({six})\n{{\n    if ({test})\n        return -EINVAL;", file=out)
            print(f"    return sys_{call.name}(a0, a1, a2, a3, a4, a5);\n}}\n", file=out)
    print(f"static_assert(SYSCALL_TABLE_SIZE == {TABLE_SIZE});", file=out)
    print("const syscall_fn syscall_table[SYSCALL_TABLE_SIZE] = {", file=out)
    handler = {c.nr: ("checked_" if any(mask for _, _, mask in c.args) else "sys_") + c.name for c in present}
    for nr in range(TABLE_SIZE):
        print(f"    [{nr}] = {handler.get(nr, 'absent')},", file=out)
    print("};\n\nconst struct syscall_info syscall_infos[SYSCALL_TABLE_SIZE] = {", file=out)
    for call in calls:
        kinds = "".join(f"ARG_{kind.upper()}, " for kind, _, _ in call.args)
        print(f'    [{call.nr}] = {{"{call.name}", {{{kinds}ARG_END}}}},', file=out)
    print("};", file=out)


def write_md(calls, out):
    count = {level: sum(c.level == level for c in calls) for level in LEVELS}
    print("# System-call coverage\n", file=out)
    print("Generated from `kernel/syscall/table.txt` (`tools/update-docs`); the same data makes the dispatch table.\n", file=out)
    print(f"{count['done']} done, {count['partial']} partial, {count['absent']} absent (these answer ENOSYS).\n", file=out)
    print("| number | call | level | where, what is missing, accepted flags |\n|---|---|---|---|", file=out)
    for call in calls:
        masks = "".join(f" `{name}`: {mask}" for _, name, mask in call.args if mask)
        print(f"| {call.nr} | `{call.name}` | {call.level} | {call.note}{masks} |", file=out)


def check(calls, root):
    """Every handler in the tree is listed, every listed call has its handler."""
    defined = {}
    for folder, _, names in os.walk(os.path.join(root, "kernel")):
        for name in names:
            if name.endswith(".c"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as source:
                    for match in re.finditer(r"^SYSCALL\d\((\w+)", source.read(), re.M):
                        defined[match[1]] = path
    for folder, _, names in os.walk(os.path.join(root, "arch")):
        for name in names:
            if name.endswith(".c"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as source:
                    for match in re.finditer(r"^SYSCALL\d\((\w+)", source.read(), re.M):
                        defined[match[1]] = path
    listed = {c.name for c in calls if c.level != "absent"}
    bad = [f"{n}: listed as present, but no handler" for n in sorted(listed - defined.keys())]
    bad += [f"{n}: handler in {defined[n]}, but listed as absent" for n in sorted(defined.keys() - listed)]
    if bad:
        sys.exit("\n".join(bad))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    calls = read_table(sys.argv[1])
    if sys.argv[2] == "--check":
        check(calls, sys.argv[3])
        return
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        {"--c": write_c, "--md": write_md}[sys.argv[2]](calls, out)


main()
