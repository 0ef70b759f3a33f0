#!/usr/bin/env python3
"""One boot to the login prompt with counted instructions, as a build action: boot_log.py CONFIG.json OUT.json writes its figures."""

import json
import sys
import tempfile
from dataclasses import asdict

import boot
import machine as machines
import results


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    qemu = machines.Qemu(**config["qemu"])
    with tempfile.TemporaryDirectory(prefix="boot") as raw:
        try:
            one = boot.boot_once(qemu, config["system"], config["configuration"], config["clock"], 1, config["files"]["stamps"], raw)
        except results.Incomplete as why:
            print(f"refused: {why}", file=sys.stderr)
            return 1
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        json.dump(asdict(one), f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
