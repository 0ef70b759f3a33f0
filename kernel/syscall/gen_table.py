#!/usr/bin/env python3
# kernel/syscall/gen_table.py — from table.txt: the dispatch table and prototypes (C), the coverage page (Markdown), and what tests compare.
"""usage: gen_table.py table.txt ABI_HEADER... --c OUT.c | --md OUT.md | --probes OUT.h | --check ROOT | --check-tests CONTRACT_FOLDER"""

import os
import re
import sys

sys.dont_write_bytecode = True
from call_table import LEVELS, read_constants, read_table

TABLE_SIZE = 512  # SYSCALL_TABLE_SIZE of table.h: every slot is filled, so that the entry code need not test for null
COPIES_REGISTERS = {"clone", "clone3", "fork", "vfork"}  # entered through arch_sys_NAME, which saves all registers
SIX = "unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5"


def handler_of(call):
    return ("arch_sys_" if call.name in COPIES_REGISTERS else "sys_") + call.name


def write_check(call, out):
    """The checked_ function of a call: refuses what its `takes` lines do not list, then calls the handler."""
    print(f"static long checked_{call.name}({SIX})\n{{", file=out)
    for takes in call.dispatched():
        given = f"a{takes.index}" if call.args[takes.index].is_long else f"(uint32_t)a{takes.index}"
        refused = f"-{takes.error}"
        if takes.after is not None:
            refused = f"syscall_refused((int)a{takes.after}, {takes.error})"
        if takes.is_mask:
            print(f"    if ({given} & ~{takes.mask:#x}ul)\n        return {refused};", file=out)
            continue
        print(f"    switch ({given}) {{", file=out)
        for name, value in takes.names:
            print(f"    case {value & 0xffffffff:#x}: // {name}", file=out)
        print(f"        break;\n    default:\n        return {refused};\n    }}", file=out)
    print(f"    return sys_{call.name}(a0, a1, a2, a3, a4, a5);\n}}\n", file=out)


def write_c(calls, out):
    present = [c for c in calls if c.level != "absent"]
    print("// Generated from kernel/syscall/table.txt.\n", file=out)
    print('#include "kernel/syscall/syscall.h"\n#include "kernel/syscall/table.h"\n', file=out)
    for call in present:
        print(f"long {handler_of(call)}({SIX});", file=out)
    print(f"\nstatic long absent({SIX})\n{{", file=out)
    for i in range(6):
        print(f"    (void)a{i};", file=out)
    print("    return -ENOSYS;\n}\n", file=out)
    for call in present:
        if call.dispatched():
            write_check(call, out)
    print(f"static_assert(SYSCALL_TABLE_SIZE == {TABLE_SIZE});", file=out)
    print("const syscall_fn syscall_table[SYSCALL_TABLE_SIZE] = {", file=out)
    handler = {c.nr: "checked_" + c.name if c.dispatched() else handler_of(c) for c in present}
    for nr in range(TABLE_SIZE):
        print(f"    [{nr}] = {handler.get(nr, 'absent')},", file=out)
    print("};\n\nconst struct syscall_info syscall_infos[SYSCALL_TABLE_SIZE] = {", file=out)
    for call in calls:
        kinds = "".join(f"ARG_{arg.kind.upper()}, " for arg in call.args)
        print(f'    [{call.nr}] = {{"{call.name}", {{{kinds}ARG_END}}}},', file=out)
    print("};", file=out)


def write_md(calls, out):
    count = {level: sum(c.level == level for c in calls) for level in LEVELS}
    print("# System-call coverage\n", file=out)
    print("Generated from `kernel/syscall/table.txt` (`tools/update-docs`); the same data makes the dispatch table, which refuses", file=out)
    print("flags and commands that are not listed with the error named, and the contract cases that try each of them on Linux.\n", file=out)
    print(f"{count['done']} done, {count['partial']} partial, {count['absent']} absent (these answer ENOSYS).\n", file=out)
    print("| number | call | level | where, what is missing, accepted flags | contract cases |\n|---|---|---|---|---|", file=out)
    for call in calls:
        cell = "<br>".join([call.note] + [takes.text() for takes in call.takes] + call.remarks)
        print(f"| {call.nr} | `{call.name}` | {call.level} | {cell} | {' '.join(call.tests)} |", file=out)


def write_probes(calls, out):
    """For tests/contract/flags.c: each argument with listed values, and how the other arguments look."""
    print("// Generated from kernel/syscall/table.txt: what the calls take, for flags.c to try what they do not.", file=out)
    for call in calls:
        kinds = ", ".join(f"KIND_{arg.kind.upper()}" for arg in call.args)
        for takes in call.takes:
            if not takes.is_listed:
                continue
            name, wide = f"{call.name}_{call.args[takes.index].name}", int(call.args[takes.index].is_long)
            values = [value for _, value in (takes.names if not takes.is_mask else [])] + [value for _, value in takes.lacking]
            what = f"MASK({takes.mask:#x}ul, {wide})" if takes.is_mask else "VALUES()"
            known = ", ".join(str(value) for value in values) or "0"
            print(f"PROBE({name}, {call.nr}, {takes.index}, {what}, {takes.error}, ({kinds}), ({known}))", file=out)


def check(calls, root):
    """Every handler in the tree is listed, every listed call has its handler."""
    defined = {}
    for top in ("kernel", "arch"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for path in (os.path.join(folder, name) for name in names if name.endswith(".c")):
                with open(path, encoding="utf-8") as source:
                    for match in re.finditer(r"^SYSCALL\d\((\w+)", source.read(), re.M):
                        defined[match[1]] = path
    listed = {c.name for c in calls if c.level != "absent"}
    bad = [f"{n}: listed as present, but no handler" for n in sorted(listed - defined.keys())]
    bad += [f"{n}: handler in {defined[n]}, but listed as absent" for n in sorted(defined.keys() - listed)]
    if bad:
        sys.exit("\n".join(bad))


def check_tests(calls, folder):
    """Every call that is done names contract cases; every name is that of a case, which makes the call."""
    from case_calls import read_cases  # here alone: the kernel's own build has no need of it

    cases = read_cases(folder)
    bad = []
    for call in calls:
        if call.level == "done" and not call.tests:
            bad.append(f"{call.name}: done, but names no contract case")
        if call.level == "absent" and call.tests:
            bad.append(f"{call.name}: absent, but names contract cases")
        bad += [f"{call.name}: there is no contract case {case}" for case in call.tests if case not in cases]
        bad += [f"{call.name}: the case {case} of {cases[case].path} does not make the call" for case in call.tests
                if case in cases and not cases[case].makes(call)]
    if bad:
        sys.exit("\n".join(bad))
    print(f"{sum(bool(c.tests) for c in calls)} calls name {len({t for c in calls for t in c.tests})} of {len(cases)} contract cases")


def main():
    if len(sys.argv) < 5 or sys.argv[-2] not in ("--c", "--md", "--probes", "--check", "--check-tests"):
        sys.exit(__doc__)
    calls = read_table(sys.argv[1], read_constants(sys.argv[2:-2]))
    mode, target = sys.argv[-2:]
    if mode in ("--check", "--check-tests"):
        {"--check": check, "--check-tests": check_tests}[mode](calls, target)
        return
    with open(target, "w", encoding="utf-8") as out:
        {"--c": write_c, "--md": write_md, "--probes": write_probes}[mode](calls, out)


main()
