#!/usr/bin/env python3
"""The functions of a kernel that gives no symbol file, from its /proc/kallsyms, as a build action: kallsyms.py CONFIG.json OUT."""

import json
import os
import sys

import guest
import machine as machines

LIMIT_SECONDS = 300


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    qemu = machines.Qemu(**config["qemu"])
    extra = ["-chardev", f"file,id=debug,path={os.path.abspath(sys.argv[2])}", "-device", "isa-debugcon,iobase=0xe9,chardev=debug"]
    machine = guest.guest_machine(config["system"], "nokaslr bench_kallsyms=1", None, extra=extra)
    transcript = guest.boot(qemu, machine, "tcg", lambda line: line == "BENCH_END", LIMIT_SECONDS)
    if not transcript.ended:
        print(f"no symbols came:\n{transcript.text()}", file=sys.stderr)
    return 0 if transcript.ended else 1


if __name__ == "__main__":
    sys.exit(main())
