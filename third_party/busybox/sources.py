#!/usr/bin/env python3
# third_party/busybox/sources.py — the sources that a BusyBox configuration compiles, as a Starlark list.
"""Usage: sources.py CONFIG TREE > sources.bzl

Bazel wants to know the sources of a library before it runs anything, BusyBox decides them in its Kbuild files. This reads both
and writes the answer, so that the list is reviewed like any other source. Every line that matters has the form

    (lib|obj)-(y|$(CONFIG_NAME)) (+=|:=) one.o other.o $(GROUP)

in a folder's Kbuild.src, or after `//kbuild:` in one of the folder's sources, and may stand between `ifeq ($(CONFIG_NAME),y)` (or ifneq) and `endif`.
"""
import os
import re
import sys

ASSIGNMENT = re.compile(r"^(?:lib|obj)-(y|\$\((CONFIG_\w+)\))\s*[+:]?=\s*(.*)$")
CONDITION = re.compile(r"^(ifn?eq) \(\$\((CONFIG_\w+)\),y\)$")
GROUP = re.compile(r"^(\w+)\s*:?=\s*(.*)$")
NOT_LINKED = {"scripts", "testsuite", "examples", "docs", "configs", "arch"}


def enabled_symbols(config):
    with open(config, encoding="utf-8") as f:
        return {line.split("=")[0] for line in f if line.startswith("CONFIG_")}


def logical_lines(text):
    return text.replace("\\\n", " ").splitlines()


def kbuild_lines(folder):
    """The lines of the folder's Kbuild: its Kbuild.src with the //kbuild: lines of its sources."""
    with open(os.path.join(folder, "Kbuild.src"), encoding="utf-8") as f:
        yield from logical_lines(f.read())
    for name in sorted(os.listdir(folder)):
        if name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                for line in f:
                    if line.startswith("//kbuild:"):
                        yield line[len("//kbuild:"):].rstrip("\n")


def sources_of(folder, enabled):
    groups, objects, hidden = {}, set(), False
    for line in kbuild_lines(folder):
        line = line.split("#")[0].strip()
        condition = CONDITION.match(line)
        if condition:
            hidden = (condition.group(2) in enabled) != (condition.group(1) == "ifeq")
        elif line.startswith("endif"):
            hidden = False
        if hidden:
            continue
        found = ASSIGNMENT.match(line)
        if found:
            if found.group(1) == "y" or found.group(2) in enabled:
                objects.update(found.group(3).split())
            continue
        found = GROUP.match(line)
        if found:
            groups[found.group(1)] = found.group(2).split()
    for name in [o for o in objects if o.startswith("$(")]:
        objects.discard(name)
        objects.update(groups[name[2:-1]])
    return [source_of(folder, name) for name in objects]


def source_of(folder, name):
    for suffix in (".c", ".S"):
        if name.endswith(".o") and os.path.exists(os.path.join(folder, name[:-2] + suffix)):
            return name[:-2] + suffix
    sys.exit(f"sources.py: {folder}: no source for {name}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    config, tree = sys.argv[1:]
    enabled = enabled_symbols(config)
    found = []
    for folder, below, names in os.walk(tree):
        relative = os.path.relpath(folder, tree)
        if relative == ".":
            below[:] = [b for b in below if b not in NOT_LINKED]
            continue
        if "Kbuild.src" in names:
            found += [f"{relative}/{source}" for source in sources_of(folder, enabled)]
    print('"""What busybox.config compiles. Written by sources.py, checked by sources_test."""\n')
    print("BUSYBOX_SOURCES = [")
    for source in sorted(found):
        print(f'    "{source}",')
    print("]")


if __name__ == "__main__":
    main()
