"""Whatever starts Kevlar, it finds the same machine: memory total, initramfs and what lies in it.

    skeleton_test.py INITRAMFS LOG LOG…
"""

import os
import re
import sys

FACTS = {
    "MiB of memory": re.compile(r"Memory: (\d+) MiB installed"),
    "bytes of initramfs": re.compile(r"Initramfs: (\d+) bytes"),
    "entries of the initramfs": re.compile(r"initramfs: (\d+) entries"),
}
MEMORY_MIB = 1024  # what the machine is given


def facts(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    found = {}
    for what, pattern in FACTS.items():
        match = pattern.search(text)
        if not match:
            sys.exit(f"{path}: says nothing of {what}")
        found[what] = int(match[1])
    return found


def main():
    initramfs, logs = sys.argv[1], sys.argv[2:]
    wanted = dict(facts(logs[0]), **{"MiB of memory": MEMORY_MIB, "bytes of initramfs": os.path.getsize(initramfs)})
    problems = 0
    for log in logs:
        for what, value in facts(log).items():
            print(f"{os.path.basename(log)}: {value} {what}")
            if value != wanted[what]:
                print(f"  but {wanted[what]} are wanted")
                problems += 1
    sys.exit(problems != 0)


main()
